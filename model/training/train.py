"""Train Nacre: `python -m model.training.train --data DIR --run DIR --minutes 60`.

Flow matching with an independent noise level for every step; conditions drop out at random. Part of the batches see
context replaced by the model's own one-pass estimates, so that it learns to mend its own blur instead of adding to
it. Checkpoints (weights, averages, optimiser, position) every few minutes; the same command goes on from the last.
`torchrun --nproc-per-node N -m model.training.train …` averages gradients over N processes.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from safetensors.torch import load_file, save_file
from torch import Tensor
from tqdm import tqdm

from model.condition_vector import Asked
from model.egomotion import carried
from model.picture_codec import PictureCodec
from model.preset import PRESETS
from model.training.prepare import HELD_OUT_SEED, Codecs
from model.training.sheet import model_of_run, sheet
from model.transformer import Nacre, Seen

KEEP_PLACE, KEEP_KEY, KEEP_MOTION, KEEP_PRESENCE, KEEP_VIEW, KEEP_FLASH = 0.88, 0.75, 0.92, 0.85, 0.85, 0.5


class Episodes:
    """All prepared episodes in memory, as tensors over (episode, step, …)."""

    def __init__(self, paths: list[Path]) -> None:
        if not paths:
            raise SystemExit("no episodes: run `python -m model.training.prepare --out DIR` first (--data)")
        parts: dict[str, list[np.ndarray]] = {}
        for path in paths:
            with np.load(path) as file:
                for name in file.files:
                    parts.setdefault(name, []).append(file[name])
        self.data = {name: torch.from_numpy(np.stack(arrays)) for name, arrays in parts.items()}
        for name in ("latents", "past"):
            self.data[name] = self.data[name].bfloat16()
        self.count, self.steps = self.data["latents"].shape[:2]

    def batch(self, size: int, steps: int, generator: torch.Generator) -> dict[str, Tensor]:
        """`size` random crops of `steps` steps, float32, each (size, steps, …)."""
        episode = torch.randint(self.count, (size,), generator=generator)
        start = torch.randint(self.steps - steps + 1, (size,), generator=generator)
        index = start[:, None] + torch.arange(steps)
        return {name: values[episode[:, None], index].float() for name, values in self.data.items()}


def asked_of(batch: dict[str, Tensor], generator: torch.Generator | None) -> Asked:
    """The conditions of a batch; with a generator, groups and keys drop out, each for a whole crop."""
    size, steps = batch["motion"].shape[:2]

    def keep(probability: float, width: int = 1) -> Tensor:
        if generator is None:
            return torch.ones(size, steps, width)
        kept = (torch.rand(size, 1, width, generator=generator) < probability).float()
        return kept.expand(size, steps, width)

    return Asked(
        batch["place"], keep(KEEP_PLACE), batch["environment"], keep(KEEP_KEY, 7),
        batch["motion"], batch["pitch"][..., None], keep(KEEP_MOTION), batch["third"][..., None], keep(KEEP_VIEW),
        batch["flash"][..., None], keep(KEEP_FLASH),
        batch["presence"], keep(KEEP_PRESENCE),
    )  # fmt: skip


QUIET_LEVEL = 0.12  # noise on steps that only serve as context; the running world commits at 0.05


def channel_weights(episodes: Episodes, thumb_tokens: int, sound_tokens: int) -> Tensor:
    """What an error of each number counts, (S, Z): coarse before fine, the whole before its parts.

    A channel counts as its deviation, which is the square root of the picture's; the few tokens of thumbnail and
    sound, each of which is seen or heard everywhere, count for many patches. The two factors are arbitrary.
    """
    sample = episodes.data["latents"][:64].float()
    weight = sample.flatten(0, 1).std(0).clamp(min=1e-3)  # (S, Z)
    weight[thumb_tokens:-sound_tokens] = weight[thumb_tokens:-sound_tokens].mean(0)
    weight[:thumb_tokens] *= 8
    weight[-sound_tokens:] *= 4
    return weight


MEMORY_LIMIT = 0.98  # so that a world is drawn back to its climate within some seconds, whatever strays


def fit_climate(model: Nacre, episodes: Episodes, updates: int) -> None:
    """Learn what the diorama shows on average under given conditions, any of which may be missing."""
    generator = torch.Generator().manual_seed(0)
    model.centre.copy_(episodes.data["latents"][::4, ::8].float().flatten(0, 1).mean(0))
    for parameter in model.climate[-1].parameters():
        torch.nn.init.zeros_(parameter)
    optimiser = torch.optim.AdamW(model.climate.parameters(), 3e-3, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, updates)
    device = model.centre.device
    for _ in tqdm(range(updates), desc="climate", mininterval=5):
        batch = episodes.batch(384, 1, generator)
        asked = asked_of(batch, generator)
        # Weather blurred, or each episode would be known by its own.
        asked.environment = asked.environment + 0.06 * torch.randn(asked.environment.shape, generator=generator)
        conditions = asked.vectors()[0][:, 0].to(device)
        loss = (model.centre_of(conditions) - batch["latents"][:, 0].to(device)).square().mean()
        loss.backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        schedule.step()


@torch.no_grad()
def measure(model: Nacre, episodes: Episodes) -> None:
    """Set what else the linear guess of `model` rests on, from a sample of the episodes."""
    chosen = slice(None, None, max(1, episodes.count // 100))
    sample = {name: values[chosen].float() for name, values in episodes.data.items()}
    centre = model.centre_of(asked_of(sample, None).vectors()[0].to(model.centre.device)).cpu()
    now = (sample["latents"] - centre)[:, 1:].flatten(0, 1)
    past = (sample["past"][:, 1:] - centre[:, :-1]).flatten(0, 1)
    # What the carried past says of a number: the slope of its regression on it.
    slope = (now * past).mean(0) / past.square().mean(0).clamp(min=1e-4)
    model.spread.copy_(now.square().mean(0).sqrt().clamp(min=1e-2))
    model.memory.copy_(slope.clamp(0, MEMORY_LIMIT))


@dataclass
class Levels:
    """Noise of each step (crops, steps), of the past it is shown, and whether it only serves as context."""

    now: Tensor
    past: Tensor
    context: Tensor


def _levels(crops: int, steps: int, generator: torch.Generator) -> Levels:
    """Noise as the running world meets it, and stretches without any past.

    Most crops look as the running world does: a share of their steps noised as the sampler meets them, the others
    almost clean. But where the past shows everything the conditions are not learnt: so many crops begin with a stretch
    of nearly pure noise, which tells nothing, and the rest have an independent level everywhere.
    """

    def draw(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator)

    spread = torch.sigmoid(torch.randn(crops, steps, generator=generator) * 1.4 + 0.8)
    sampled = torch.where(draw(crops, steps) < 0.2, 1.0, 0.15 + 0.85 * draw(crops, steps))
    blind = torch.where(draw(crops, steps) < 0.5, 1.0, 0.6 + 0.4 * draw(crops, steps))
    # The first step of a world sees nothing, and is sampled down to the end.
    blind[:, 0] = torch.where(draw(crops) < 0.5, blind[:, 0], sampled[:, 0])
    like_running = draw(crops, 1) < 0.8
    begins = torch.where(draw(crops, 1) < 0.6, draw(crops, 1) * steps, 0.0)
    is_blind = like_running & (torch.arange(steps)[None] < begins)
    context = like_running & ~is_blind & (draw(crops, steps) > 0.2 + 0.6 * draw(crops, 1))
    now = torch.where(like_running, torch.where(is_blind, blind, sampled), spread)
    now = torch.where(context, draw(crops, steps) * QUIET_LEVEL, now)
    quiet = draw(crops, steps) * draw(crops, steps) * QUIET_LEVEL
    past = quiet.clone()
    hidden = is_blind[:, :-1] | (~like_running & (draw(crops, steps - 1) < 0.5))
    past[:, 1:] = torch.where(hidden, now[:, :-1], quiet[:, 1:])
    past[:, 0] = torch.where(is_blind[:, 0] | (draw(crops) < 0.3), 1.0, quiet[:, 0])
    return Levels(now, past, context)


def loss_of(
    forward: Callable[[Seen], Tensor],
    model: Nacre,
    small: PictureCodec,
    batch: dict[str, Tensor],
    weights: Tensor,
    generator: torch.Generator,
    own_context: bool,
) -> Tensor:
    """Weighted mean squared error of the outputs; `own_context` puts the model's own estimates into the past.

    The batch's first step only serves as the past of the second.
    """
    x, before = batch["latents"][:, 1:], batch["latents"][:, :-1]
    kind = "cpu" if x.device.type == "cpu" else "cuda"
    with torch.no_grad():
        asked = asked_of(batch, generator)
        conditions, presence = asked.vectors()
        centres = model.centre_of(conditions)
    told = (conditions[:, 1:], presence[:, 1:], centres[:, 1:], centres[:, :-1])
    levels = _levels(x.shape[0], x.shape[1], generator)

    def normal() -> Tensor:
        return torch.randn(x.shape, generator=generator)

    def noised(clean: Tensor, noise: Tensor, level: Tensor) -> Tensor:
        return clean * (1 - level[..., None, None]) + noise * level[..., None, None]

    noise, past_noise = normal(), normal()
    # The past is carried along as the camera moves, where the movement is known.
    past = torch.where(asked.motion_mask[:, 1:, :, None] > 0, batch["past"][:, 1:], before)
    context = x
    with torch.no_grad():
        if own_context:
            high = 0.3 + 0.7 * torch.rand(x.shape[:2], generator=generator)
            carried_past = noised(past, past_noise, levels.past)
            first = Seen(noised(x, noise, high), high, carried_past, levels.past, *told)
            with torch.autocast(kind, torch.bfloat16):
                output = forward(first)
            guess, _ = model.estimate(first, output.float())
            own = torch.rand(x.shape[:2], generator=generator)[..., None, None] < 0.7
            # A rollout adds its errors up: what one pass gets wrong is made as large as several steps might, and at
            # times turned round, or the past would always be too dull and the model learn to overdo.
            grown = torch.exp(torch.rand(x.shape[0], 1, 1, 1, generator=generator) * 1.8 - 0.7)
            grown = torch.where(torch.rand(x.shape[0], 1, 1, 1, generator=generator) < 0.35, -grown, grown)
            context = torch.where(own, x + grown * (guess - x), x)
            motion, pitch_rad = asked.motion * asked.motion_mask, (asked.pitch_rad * asked.motion_mask)[..., 0]
            parts = (context[:, :-1], motion[:, 2:], pitch_rad[:, 2:])
            moved = carried(small, *(part.flatten(0, 1) for part in parts)).view_as(context[:, :-1])
            past = torch.cat([past[:, :1], torch.where(own[:, :-1], moved, past[:, 1:])], 1)
        # A rollout strays, in pattern and in contrast; the conditions say where it should be.
        offset = torch.randn(x.shape[0], 1, *x.shape[2:], generator=generator) * model.spread
        offset = offset * (1.6 * torch.rand(x.shape[0], 1, 1, 1, generator=generator) - 0.4).clamp(min=0)
        offset[..., small.thumb_tokens :, :] *= 0.7
        contrast = 0.25 * torch.randn(x.shape[0], 1, 1, 1, generator=generator)

        def strayed(values: Tensor, centre: Tensor) -> Tensor:
            return values + offset + contrast * (values - centre)

        quiet = noised(strayed(context, centres[:, 1:]), normal(), levels.now)
        latents = torch.where(levels.context[..., None, None], quiet, noised(x, noise, levels.now))
        carried_past = noised(strayed(past, centres[:, :-1]), past_noise, levels.past)
        seen = Seen(latents, levels.now, carried_past, levels.past, *told)
    with torch.autocast(kind, torch.bfloat16):
        output = forward(seen)
    estimate, deviation = model.estimate(seen, output.float())
    counts = deviation * weights
    counts = counts / counts.mean((-1, -2), keepdim=True)
    # Where hardly anything is left open, a rounding error must not count.
    error = (((estimate - x) / deviation.clamp(min=1e-3)).square() * counts).mean((-1, -2))
    scored = (~levels.context).float()  # what is almost clean has nothing to be predicted
    return (error * scored).sum() / scored.sum().clamp(min=1)


def optimisers(model: Nacre, rate: float) -> list[torch.optim.Optimizer]:
    """Muon (Jordan et al. 2024) for the blocks' matrices, AdamW for everything else."""
    matrices = [
        p for n, p in model.named_parameters() if p.ndim == 2 and n.startswith("blocks.") and "modulation" not in n
    ]
    chosen = {id(p) for p in matrices}
    rest = [p for p in model.parameters() if id(p) not in chosen and p.requires_grad]
    return [
        torch.optim.Muon(matrices, lr=rate, weight_decay=0.01, momentum=0.95, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(rest, lr=rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True),
    ]


def save_run(
    run: Path, model: Nacre, average: Nacre, optims: list[torch.optim.Optimizer], position: dict[str, Any]
) -> None:
    """Write the whole training state, each file replaced atomically."""
    for name, values in {"model": model.state_dict(), "average": average.state_dict()}.items():
        save_file({k: v.contiguous() for k, v in values.items()}, run / f"{name}.partial")
        os.replace(run / f"{name}.partial", run / f"{name}.safetensors")
    tensors: dict[str, Tensor] = {}
    for number, optimiser in enumerate(optims):
        for index, state in optimiser.state_dict()["state"].items():
            for key, value in state.items():
                tensors[f"{number}/{index}/{key}"] = torch.as_tensor(value).contiguous()
    save_file(tensors, run / "optimiser.partial")
    os.replace(run / "optimiser.partial", run / "optimiser.safetensors")
    (run / "position.partial").write_text(json.dumps(position))
    os.replace(run / "position.partial", run / "position.json")


def load_run(run: Path, model: Nacre, average: Nacre, optims: list[torch.optim.Optimizer]) -> dict[str, Any]:
    """Go on from the last checkpoint of `run`, if there is one; the position in the training."""
    if not (run / "position.json").exists():
        return {"update": 0, "seconds": 0.0}
    model.load_state_dict(load_file(run / "model.safetensors"))
    average.load_state_dict(load_file(run / "average.safetensors"))
    tensors = load_file(run / "optimiser.safetensors")
    for number, optimiser in enumerate(optims):
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            which, index, key = name.split("/")
            if int(which) == number:
                state.setdefault(int(index), {})[key] = value
        optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
    return json.loads((run / "position.json").read_text())


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--preset", default="nacre", choices=sorted(PRESETS))
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--plan-minutes", type=float, help="length of the whole plan the learning rate falls over")
    parser.add_argument("--climate-updates", type=int, default=1500)
    parser.add_argument("--updates", type=int, help="stop after so many updates in all (for tests)")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--steps", type=int, default=64)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--checkpoint-minutes", type=float, default=4.0)
    parser.add_argument("--sheet-minutes", type=float, default=20.0, help="a sample sheet in RUN so often; 0: none")
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True)
    options = parser.parse_args()

    world = int(os.environ.get("WORLD_SIZE", "1"))
    rank = int(os.environ.get("RANK", "0"))
    if world > 1:
        dist.init_process_group("gloo" if not torch.cuda.is_available() else "nccl")
    device = (
        torch.device("cuda", rank % torch.cuda.device_count()) if torch.cuda.is_available() else torch.device("cpu")
    )
    torch.manual_seed(0)
    options.run.mkdir(parents=True, exist_ok=True)
    paths = sorted(p for p in options.data.glob("*.npz") if int(p.stem) < HELD_OUT_SEED)
    episodes = Episodes(paths)
    weights = channel_weights(episodes, PRESETS[options.preset].thumb_tokens, PRESETS[options.preset].sound_tokens)
    weights = weights.to(device)
    model = Nacre(PRESETS[options.preset]).to(device)
    codecs = Codecs(PRESETS[options.preset])
    codecs.load_state_dict(load_file(options.data / "codecs.safetensors"))
    small = codecs.picture.reduced(PRESETS[options.preset].reduction).to(device)
    if not (options.run / "position.json").exists():
        fit_climate(model, episodes, options.climate_updates)
        measure(model, episodes)
    model.climate.requires_grad_(False)
    average = copy.deepcopy(model)
    optims = optimisers(model, options.rate)
    position = load_run(options.run, model, average, optims)
    compiled = torch.compile(model) if options.compile else model
    # Crops differ between processes and between resumed runs; noise is drawn on the CPU for the same reason.
    generator = torch.Generator().manual_seed(position["update"] * 1009 + rank)
    plan = (options.plan_minutes or options.minutes) * 60
    started = saved = drawn = time.monotonic()
    before, smooth, weight = position["seconds"], 0.0, 0.0
    log = (options.run / "loss.tsv").open("a")
    bar = tqdm(total=round(options.minutes * 60), unit="s", desc="training", disable=rank > 0, mininterval=5)
    while True:
        elapsed = time.monotonic() - started
        update = position["update"]
        if elapsed > options.minutes * 60 or (options.updates is not None and update >= options.updates):
            break
        done = min(1.0, (before + elapsed) / plan)
        rate = options.rate * min(1.0, (update + 1) / 150) * min(1.0, max(0.02, (1 - done) / 0.65))
        for optimiser in optims:
            for group in optimiser.param_groups:
                group["lr"] = rate
        batch = {k: v.to(device) for k, v in episodes.batch(options.batch, options.steps + 1, generator).items()}
        own = done > 0.2 and update % 2 == 0
        loss = loss_of(compiled, model, small, batch, weights, generator, own)
        loss.backward()
        if world > 1:
            for gradient in (p.grad for p in model.parameters() if p.grad is not None):
                dist.all_reduce(gradient, op=dist.ReduceOp.SUM)
                gradient /= world
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimiser in optims:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        with torch.no_grad():
            share = max(1 / (update + 1), 0.004)
            torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), share)
        position["update"] = update + 1
        position["seconds"] = before + time.monotonic() - started
        value = float(loss.detach())
        if not math.isfinite(value):
            raise SystemExit(f"the loss is {value} at update {update}: nothing was saved since the last checkpoint")
        if not own:
            smooth, weight = 0.98 * smooth + 0.02 * value, 0.98 * weight + 0.02
        if rank == 0:
            bar.n = min(bar.total, round(time.monotonic() - started))
            bar.set_postfix(update=update + 1, loss=f"{smooth / max(weight, 1e-9):.4f}", rate=f"{rate:.1e}")
            if (update + 1) % 50 == 0:
                log.write(f"{update + 1}\t{position['seconds']:.0f}\t{smooth / max(weight, 1e-9):.5f}\n")
                log.flush()
            if time.monotonic() - saved > options.checkpoint_minutes * 60:
                save_run(options.run, model, average, optims, position)
                saved = time.monotonic()
                if options.sheet_minutes and saved - drawn > options.sheet_minutes * 60:
                    drawn = saved
                    drawing = model_of_run(options.data, options.run, options.preset)
                    sheet(drawing, options.run / f"sheet-{update + 1:07d}.png")
    if rank == 0:
        save_run(options.run, model, average, optims, position)
        bar.close()
    if world > 1:
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
