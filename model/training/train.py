"""Train the dynamics: `python -m model.training.train --data DIR --work DIR --minutes 60`.

Flow matching with an independent noise level for every step. Part of the batches see context replaced by the model's
own one-pass estimates, so that it learns to mend its own blur instead of adding to it. Checkpoints (weights, averages,
optimiser, position) every few minutes; the same command goes on from the last.
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

from model.condition_vector import FLASH_AT
from model.precision import reducing
from model.preset import PRESETS
from model.training.prepare import HELD_OUT_SEED
from model.transformer import Nacre, Seen

CROPS, STEPS = 40, 48  # of an update
NAMED = 0.5  # share of crops in which flashes are asked for; in the others the world decides
QUIET_LEVEL = 0.12  # noise on steps that only serve as context; the running world commits at 0.05
PULSE_WEIGHT = 6.0  # of a number of the pulse's, there being few


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
        self.data = {name: torch.from_numpy(np.concatenate(arrays)) for name, arrays in parts.items()}
        self.count, self.steps = self.data["latents"].shape[:2]

    def batch(self, size: int, steps: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Latents (size, steps, S, Z) and conditions (size, steps, WIDTH) of random crops; some name no flash."""
        episode = torch.randint(self.count, (size,), generator=generator)[:, None]
        start = torch.randint(self.steps - steps + 1, (size, 1), generator=generator)
        index = start + torch.arange(steps)
        latents, conditions = (self.data[name][episode, index].float() for name in ("latents", "conditions"))
        unnamed = torch.rand(size, generator=generator) >= NAMED
        # A flash may also be asked for where none was named before.
        single = (conditions[..., FLASH_AT] > 0.5) & (torch.rand(size, steps, generator=generator) < 0.3)
        hidden = unnamed[:, None] & ~single
        conditions[..., FLASH_AT : FLASH_AT + 2][hidden] = 0
        return latents, conditions


def held_out(path: Path) -> bool:
    """Whether a shard is kept apart for judging."""
    return int(path.stem) >= HELD_OUT_SEED


def channel_weights(spread: Tensor, pulse_tokens: int) -> Tensor:
    """What an error of each number counts, (S, Z): as much as it varies, and the pulse's few numbers more."""
    weights = spread.clone()
    weights[:pulse_tokens] *= PULSE_WEIGHT
    return weights


def levels(crops: int, steps: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Noise of each step (crops, steps), and which steps only serve as context.

    Half the crops look as the running world does: some steps noised as the sampler meets them, the others almost clean.
    Some of those begin blind. The rest have an independent level everywhere.
    """

    def draw(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator)

    spread = torch.sigmoid(torch.randn(crops, steps, generator=generator) * 1.4 + 0.6)
    sampled = torch.where(draw(crops, steps) < 0.25, 1.0, 0.1 + 0.9 * draw(crops, steps))
    like_running = draw(crops, 1) < 0.6
    begins = torch.where(draw(crops, 1) < 0.25, draw(crops, 1) * steps, 0.0)
    blind = torch.arange(steps)[None] < begins
    context = like_running & ~blind & (draw(crops, steps) > 0.15 + 0.5 * draw(crops, 1))
    now = torch.where(like_running, torch.where(blind, 0.7 + 0.3 * sampled, sampled), spread)
    return torch.where(context, draw(crops, steps) * QUIET_LEVEL, now), context


def loss_of(
    forward: Callable[[Seen], Tensor],
    model: Nacre,
    latents: Tensor,
    conditions: Tensor,
    weights: Tensor,
    generator: torch.Generator,
    own_context: bool,
) -> Tensor:
    """Weighted mean squared error of the outputs; `own_context` puts the model's own estimates into the context."""
    device = latents.device

    def normal() -> Tensor:
        return torch.randn(latents.shape, generator=generator).to(device)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator).to(device)

    def noised(clean: Tensor, level: Tensor) -> Tensor:
        return clean + level[..., None, None] * (normal() - clean)

    crops, steps = latents.shape[:2]
    now, is_context = (part.to(device) for part in levels(crops, steps, generator))
    with torch.no_grad():
        context = latents
        if own_context:
            high = 0.3 + 0.7 * uniform(crops, steps)
            first = Seen(noised(latents, high), high, conditions)
            with reducing(device.type):
                output = forward(first)
            guess, _ = model.estimate(first, output.float())
            # A rollout adds its errors up: what one pass gets wrong is made as large as several steps might, and at
            # times turned round, or the past would always be too dull and the model learn to overdo.
            grown = torch.exp(uniform(crops, 1, 1, 1) * 1.4 - 0.7)
            grown = torch.where(uniform(crops, 1, 1, 1) < 0.35, -grown, grown)
            own = uniform(crops, steps)[..., None, None] < 0.5
            context = torch.where(own, latents + grown * (guess - latents), latents)
        # A rollout strays; the conditions say where it should be.
        offset = normal()[:, :1] * model.spread * (uniform(crops, 1, 1, 1) - 0.5).clamp(min=0)
        quiet = noised(context + offset, now)
        shown = torch.where(is_context[..., None, None], quiet, noised(latents, now))
    seen = Seen(shown, now, conditions)
    with reducing(device.type):
        output = forward(seen)
    estimate, deviation = model.estimate(seen, output.float())
    counts = deviation * weights
    counts = counts / counts.mean((-1, -2), keepdim=True).clamp(min=1e-6)
    error = (((estimate - latents) / deviation.clamp(min=1e-3)).square() * counts).mean((-1, -2))
    scored = (~is_context).float()  # what is almost clean has nothing to be predicted
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
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--preset", default="nacre", choices=sorted(PRESETS))
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--plan-minutes", type=float, help="length of the whole plan the learning rate falls over")
    parser.add_argument("--updates", type=int, help="stop after so many updates in all (for tests)")
    parser.add_argument("--crops", type=int, default=CROPS, help="crops an update")
    parser.add_argument("--steps", type=int, default=STEPS, help="steps a crop")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--checkpoint-minutes", type=float, default=4.0)
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
    options.work.mkdir(parents=True, exist_ok=True)
    preset = PRESETS[options.preset]
    episodes = Episodes(sorted(p for p in options.data.glob("*.npz") if not held_out(p)))
    model = Nacre(preset).to(device)
    with torch.no_grad():
        # Numbers that are always the same are no one's business.
        sample = episodes.data["latents"][:256].float().flatten(0, 1)
        model.spread.copy_(sample.square().mean(0).sqrt().clamp(min=1e-3))
    weights = channel_weights(model.spread, preset.pulse_tokens)
    average = copy.deepcopy(model)
    optims = optimisers(model, options.rate)
    position = load_run(options.work, model, average, optims)
    compiled = torch.compile(model, dynamic=False) if options.compile else model
    # Crops differ between processes and between resumed runs; noise is drawn on the CPU for the same reason.
    generator = torch.Generator().manual_seed(position["update"] * 1009 + rank)
    plan = (options.plan_minutes or options.minutes) * 60
    started = saved = time.monotonic()
    before, smooth, weight = position["seconds"], 0.0, 0.0
    log = (options.work / "loss.tsv").open("a")
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
        latents, conditions = (x.to(device) for x in episodes.batch(options.crops, options.steps, generator))
        own = done > 0.15 and update % 2 == 0
        loss = loss_of(compiled, model, latents, conditions, weights, generator, own)
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
                save_run(options.work, model, average, optims, position)
                saved = time.monotonic()
    if rank == 0:
        save_run(options.work, model, average, optims, position)
        bar.close()
    if world > 1:
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
