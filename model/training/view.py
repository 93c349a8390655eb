"""Train the view: `python -m model.training.view --work DIR --minutes 60`.

The diorama draws columns of pictures of random places, moments and weathers as fast as they are learnt from; no column
is seen twice. What is learnt is their colours, and how high the land stands along their rays. Checkpoints every few
minutes; the same command goes on from the last.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Queue

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor
from tqdm import tqdm

from model.camera import EYE_M, FIELD_OF_VIEW_RAD, distances
from model.conditions import GRID, PITCH_LIMIT_RAD
from model.diorama import places, render
from model.diorama.episode import random_environment
from model.field import PERIOD_M, field_of
from model.preset import PRESETS, Preset
from model.shading import Moment, Textures
from model.view import View

WORLDS = 24  # fields that are learnt from
PICTURES, COLUMNS, ROWS = 128, 3, 140  # of a batch: many moments, a little of each
HEIGHT, WIDTH = 360, 640


def random_place(rng: np.random.Generator) -> NDArray[np.float32]:
    """Mostly one place, at times a mixture of two."""
    weights = np.zeros(len(places.PLACES), np.float32)
    one, other = rng.choice(len(weights), 2, replace=False)
    share = rng.random() if rng.random() < 0.25 else 1.0
    weights[one], weights[other] = share, 1 - share
    return weights


def random_presence(rng: np.random.Generator) -> NDArray[np.float32]:
    """Visitors somewhere in the picture: (rows, cols, 2), near and stir."""
    rows, cols = GRID
    presence = np.zeros((rows, cols, 2), np.float32)
    yy, xx = np.mgrid[:rows, :cols]
    for _ in range(int(rng.integers(1, 4))):
        d = (xx - rng.uniform(-0.5, cols - 0.5)) ** 2 + (yy - rng.uniform(0, rows)) ** 2
        blob = np.exp(-d / (2 * rng.uniform(0.4, 1.1) ** 2))
        presence[..., 0] = np.maximum(presence[..., 0], rng.uniform(0.3, 1) * blob)
        presence[..., 1] = np.maximum(presence[..., 1], rng.random() * blob)
    return presence


def random_batch(
    rng: np.random.Generator, looks: int, pictures: int, columns: int, worlds: range
) -> dict[str, NDArray[np.generic]]:
    """Columns of random pictures, (B, C, HEIGHT, 3), heights (B, C, looks, 2), and the moments, by name.

    `worlds`: seeds of the fields; a moment's world is a place in this range.
    """
    out: dict[str, list[NDArray[np.generic]]] = {}
    at = distances(looks)
    for _ in range(pictures):
        world = int(rng.integers(len(worlds)))
        field, weights = field_of(worlds[world]), random_place(rng)
        place, weather = places.mix(weights), random_environment(rng).astype(np.float64)
        if rng.random() < 0.25:  # and what seldom goes together
            weather[1:] = rng.random(6) * (rng.random(6) < 0.5)
        x, y, yaw = rng.uniform(0, PERIOD_M), rng.uniform(0, PERIOD_M), rng.uniform(-math.pi, math.pi)
        bearing = yaw + rng.normal(0, 0.8)
        inland = rng.uniform(-5, 60)
        shore = np.array([x + inland * math.sin(bearing), y + inland * math.cos(bearing), bearing])
        ground = render.ground_height(field.land, place, shore, x, y, 0.0)
        z = max(ground, render.water_level(place)) + EYE_M + rng.uniform(-0.3, 0.6)
        if rng.random() < 0.12:
            z += rng.uniform(0, 30)
        pitch = rng.uniform(-PITCH_LIMIT_RAD, PITCH_LIMIT_RAD) * (rng.random() < 0.6)
        camera = np.array([x, y, z, yaw, pitch])
        times = np.array(
            [rng.uniform(0, 4000), rng.uniform(0, 512), rng.random(), rng.random(), rng.random() * (rng.random() < 0.7)]
        )
        flash = float(rng.random() * (rng.random() < 0.08))
        presence = random_presence(rng) * np.float32(rng.random() < 0.35)
        chosen = np.sort(rng.choice(WIDTH, columns, replace=False))
        image = np.zeros((HEIGHT, columns, 3), np.float32)
        high = np.zeros((columns, looks, 2), np.float32)
        render.render(
            image, WIDTH, chosen, field.land, field.detail, field.sky, field.shift_m, place, shore, camera, weather,
            times, flash, 420,
        )  # fmt: skip
        render.overlay(image, WIDTH, chosen, field.sky, field.fall, camera, weather, times, presence)
        render.heights(
            high, WIDTH, chosen, at, field.land, field.detail, field.shift_m, place, shore, camera, times[2], weather[5]
        )
        made = {
            "image": image.clip(0, 1.1).transpose(1, 0, 2), "heights": high,
            "u": ((chosen + 0.5) / WIDTH).astype(np.float32),
            "world": np.array(world), "place": weights, "environment": weather.astype(np.float32),
            "flash": np.array(flash, np.float32), "camera": camera, "shore": shore, "phases": times,
            "presence": presence,
        }  # fmt: skip
        for name, value in made.items():
            out.setdefault(name, []).append(value)
    return {name: np.stack(values) for name, values in out.items()}


def moment_of(batch: dict[str, Tensor]) -> Moment:
    """The moments of a batch."""
    names = ("world", "place", "environment", "flash", "camera", "shore", "phases", "presence")
    return Moment(**{name: batch[name] for name in names})


def batches(preset: Preset, seed: int, device: torch.device) -> Iterator[dict[str, Tensor]]:
    """Endless random batches, drawn by a thread beside the training."""
    ready: Queue[dict[str, NDArray[np.generic]]] = Queue(3)

    def draw() -> None:
        rng = np.random.default_rng([seed, 40])
        while True:
            ready.put(random_batch(rng, preset.view_looks, PICTURES, COLUMNS, range(WORLDS)))

    threading.Thread(target=draw, daemon=True).start()
    while True:
        yield {name: torch.from_numpy(value).to(device) for name, value in ready.get().items()}


def loss_of(view: View, textures: Textures, batch: dict[str, Tensor], rows: Tensor) -> tuple[Tensor, Tensor]:
    """Error of the colours of some rows, and of heights in pixels as they are seen from where the visitor stands."""
    moment = moment_of(batch)
    v = ((rows + 0.5) / HEIGHT).to(batch["u"].device)
    with torch.autocast(batch["u"].device.type, torch.bfloat16):
        shown, land, _ = view.columns(textures, moment, batch["u"], v, WIDTH / HEIGHT, 1 / HEIGHT)
    missed = shown - batch["image"][:, :, rows]
    colours = missed.abs().mean() + 4 * missed.square().mean()
    # Near by, where a hand's breadth is many pixels, no more than a tree's height needs.
    pixels = (WIDTH / 2 / math.tan(FIELD_OF_VIEW_RAD / 2) / view.distance).clamp(max=20)
    seen = torch.stack([land.ground, land.surface], -1)
    high = (seen - batch["heights"]) * pixels[:, None]
    return colours, torch.nn.functional.huber_loss(high, torch.zeros_like(high), delta=1.5)


@torch.no_grad()
def psnrs_db(view: View, worlds: range, batches: int) -> list[float]:
    """Peak signal to noise of the view against the diorama, in dB, of random moments in the fields of these seeds."""
    textures = Textures.of([field_of(seed) for seed in worlds], torch.device("cpu"))
    rng, found = np.random.default_rng([7, 41]), []
    v = (torch.arange(HEIGHT) + 0.5) / HEIGHT
    for _ in range(batches):
        made = random_batch(rng, view.preset.view_looks, PICTURES, COLUMNS, worlds)
        batch = {name: torch.from_numpy(value) for name, value in made.items()}
        with torch.autocast("cpu", torch.bfloat16):
            shown, _, _ = view.columns(textures, moment_of(batch), batch["u"], v, WIDTH / HEIGHT, 1 / HEIGHT)
        wrong = (shown.clamp(0, 1) - batch["image"].clamp(0, 1)).square().mean((1, 2, 3))
        found += (-10 * wrong.clamp(min=1e-6).log10()).tolist()
    return found


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--preset", default="nacre", choices=sorted(PRESETS))
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--plan-minutes", type=float, help="length of the whole plan the learning rate falls over")
    parser.add_argument("--updates", type=int, help="stop after so many updates in all (for tests)")
    parser.add_argument("--rate", type=float, default=4e-3)
    parser.add_argument("--checkpoint-minutes", type=float, default=3.0)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    preset = PRESETS[options.preset]
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(0)
    view = View(preset).to(device)
    average = copy.deepcopy(view)
    optimiser = torch.optim.AdamW(view.parameters(), options.rate, betas=(0.9, 0.99), weight_decay=0.001, fused=True)
    textures = Textures.of([field_of(seed) for seed in range(WORLDS)], device)
    update, before = 0, 0.0
    state = options.work / "view.json"
    if state.exists():
        position = json.loads(state.read_text())
        update, before = position["update"], position["seconds"]
        view.load_state_dict(load_file(options.work / "view-model.safetensors"))
        average.load_state_dict(load_file(options.work / "view.safetensors"))
        moments = load_file(options.work / "view-optimiser.safetensors")
        kept: dict[int, dict[str, Tensor]] = {}
        for name, tensor in moments.items():
            index, key = name.split("/")
            kept.setdefault(int(index), {})[key] = tensor
        optimiser.load_state_dict({"state": kept, "param_groups": optimiser.state_dict()["param_groups"]})
    plan = (options.plan_minutes or options.minutes) * 60
    started = saved = time.monotonic()
    smooth = [0.0, 0.0]
    generator = torch.Generator().manual_seed(update)

    def save() -> None:
        tensors = {
            f"{index}/{key}": torch.as_tensor(value).contiguous()
            for index, values in optimiser.state_dict()["state"].items()
            for key, value in values.items()
        }
        parts = {"view-model": view.state_dict(), "view": average.state_dict(), "view-optimiser": tensors}
        for name, values in parts.items():
            partial = options.work / f"{name}.partial"
            save_file({k: v.contiguous() for k, v in values.items()}, partial)
            os.replace(partial, options.work / f"{name}.safetensors")
        partial = state.with_suffix(".partial")
        partial.write_text(json.dumps({"update": update, "seconds": before + time.monotonic() - started}))
        os.replace(partial, state)
        with (options.work / "view.tsv").open("a") as log:
            log.write(
                f"{update}\t{smooth[0]:.5f}\t{smooth[1]:.4f}\t{np.mean(psnrs_db(average, range(WORLDS), 3)):.2f}\n"
            )

    bar = tqdm(total=round(options.minutes * 60), unit="s", desc="the view", mininterval=5)
    for batch in batches(preset, update, device):
        elapsed = time.monotonic() - started
        if elapsed > options.minutes * 60 or (options.updates is not None and update >= options.updates):
            break
        done = min(1.0, (before + elapsed) / plan)
        rate = options.rate * min(1.0, (update + 1) / 200) * max(0.01, 0.5 * (1 + math.cos(math.pi * done)))
        for group in optimiser.param_groups:
            group["lr"] = rate
        rows = torch.randperm(HEIGHT, generator=generator)[:ROWS].sort().values
        losses = loss_of(view, textures, batch, rows)
        (losses[0] + 0.05 * losses[1]).backward()
        torch.nn.utils.clip_grad_norm_(view.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        update += 1
        with torch.no_grad():
            share = max(2 / (update + 1), 0.003)
            torch._foreach_lerp_(list(average.parameters()), list(view.parameters()), share)
        for at, loss in enumerate(losses):
            value = float(loss.detach())
            smooth[at] = value if smooth[at] == 0 else 0.98 * smooth[at] + 0.02 * value
        if not math.isfinite(smooth[0]):
            raise SystemExit(f"the loss is {smooth[0]} at update {update}: nothing was saved since the last checkpoint")
        bar.n = min(bar.total, round(time.monotonic() - started))
        bar.set_postfix(update=update, colours=f"{smooth[0]:.4f}", heights=f"{smooth[1]:.3f}", rate=f"{rate:.1e}")
        if time.monotonic() - saved > options.checkpoint_minutes * 60:
            save()
            saved = time.monotonic()
    save()
    bar.close()


if __name__ == "__main__":
    main()
