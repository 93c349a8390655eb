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
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from safetensors.torch import load_file, save_file
from torch import Tensor
from tqdm import tqdm

from model.condition_vector import Asked
from model.preset import PRESETS
from model.training.prepare import HELD_OUT_SEED
from model.training.sheet import model_of_run, sheet
from model.transformer import Nacre

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
        self.data["latents"] = self.data["latents"].bfloat16()
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
        batch["place"], keep(KEEP_PLACE), batch["environment"], keep(KEEP_KEY, 7), batch["motion"], keep(KEEP_MOTION),
        batch["third"][..., None], keep(KEEP_VIEW), batch["flash"][..., None], keep(KEEP_FLASH),
        batch["presence"], keep(KEEP_PRESENCE),
    )  # fmt: skip


QUIET_LEVEL = 0.12  # noise on steps that only serve as context; the running world commits at 0.05


def channel_weights(episodes: Episodes, thumb_tokens: int, sound_tokens: int) -> Tensor:
    """What an error of each number counts, (S, Z), mean 1: coarse before fine, the whole before its parts.

    A channel counts as its deviation, which is the square root of the picture's; the few tokens of thumbnail and
    sound, each of which is seen or heard everywhere, count for many patches. The two factors are arbitrary.
    """
    sample = episodes.data["latents"][:64].float()
    weight = sample.flatten(0, 1).std(0).clamp(min=1e-3)  # (S, Z)
    weight[thumb_tokens:-sound_tokens] = weight[thumb_tokens:-sound_tokens].mean(0)
    weight[:thumb_tokens] *= 8
    weight[-sound_tokens:] *= 4
    return weight / weight.mean()


def _levels(crops: int, steps: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Noise levels (crops, steps), and which of them only serve as context.

    Most crops look as the running world does: a share of their steps noised as the sampler meets them, the others
    almost clean. But where the past shows everything the conditions are not learnt: so many crops begin with a stretch
    of nearly pure noise, which tells nothing, and the rest have an independent level everywhere.
    """

    def draw(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator)

    spread = torch.sigmoid(torch.randn(crops, steps, generator=generator) * 1.4 + 0.8)
    # The sampler begins at pure noise and takes its last look at about 0.4.
    sampled = torch.where(draw(crops, steps) < 0.2, 1.0, 0.3 + 0.7 * draw(crops, steps))
    blind = torch.where(draw(crops, steps) < 0.5, 1.0, 0.6 + 0.4 * draw(crops, steps))
    like_running = draw(crops, 1) < 0.75
    begins = torch.where(draw(crops, 1) < 0.6, draw(crops, 1) * steps, 0.0)
    is_blind = like_running & (torch.arange(steps)[None] < begins)
    context = like_running & ~is_blind & (draw(crops, steps) > 0.1 + 0.5 * draw(crops, 1))
    level = torch.where(like_running, torch.where(is_blind, blind, sampled), spread)
    return torch.where(context, draw(crops, steps) * QUIET_LEVEL, level), context


def loss_of(
    model: Callable[..., Tensor],
    batch: dict[str, Tensor],
    weights: Tensor,
    generator: torch.Generator,
    own_context: bool,
) -> Tensor:
    """Weighted mean squared velocity error; `own_context` puts the model's own estimates into the context."""
    x = batch["latents"]
    kind = "cpu" if x.device.type == "cpu" else "cuda"
    conditions, presence = asked_of(batch, generator).vectors()
    level, context = _levels(x.shape[0], x.shape[1], generator)
    noise = torch.randn(x.shape, generator=generator)
    t = level[..., None, None]
    noised = x * (1 - t) + noise * t
    if own_context:
        with torch.no_grad(), torch.autocast(kind, torch.bfloat16):
            high = (0.4 + 0.6 * torch.rand(x.shape[:2], generator=generator))[..., None, None]
            guess_in = x * (1 - high) + noise * high
            guess = guess_in - high * model(guess_in, high[..., 0, 0], conditions, presence)
        swap = (context & (torch.rand(x.shape[:2], generator=generator) < 0.5))[..., None, None]
        other = torch.randn(x.shape, generator=generator)
        noised = torch.where(swap, guess * (1 - t) + other * t, noised)
    with torch.autocast(kind, torch.bfloat16):
        velocity = model(noised, level, conditions, presence)
    error = ((velocity.float() - (noise - x)).pow(2) * weights).mean((-1, -2))
    scored = (~context).float()  # what is almost clean has nothing to be predicted
    return (error * scored).sum() / scored.sum().clamp(min=1)


def optimisers(model: Nacre, rate: float) -> list[torch.optim.Optimizer]:
    """Muon (Jordan et al. 2024) for the blocks' matrices, AdamW for everything else."""
    matrices = [
        p for n, p in model.named_parameters() if p.ndim == 2 and n.startswith("blocks.") and "modulation" not in n
    ]
    chosen = {id(p) for p in matrices}
    rest = [p for p in model.parameters() if id(p) not in chosen]
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
        batch = {k: v.to(device) for k, v in episodes.batch(options.batch, options.steps, generator).items()}
        own = update > 600 and done > 0.3 and update % 3 == 0
        loss = loss_of(compiled, batch, weights, generator, own)
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
