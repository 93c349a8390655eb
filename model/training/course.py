"""A course of training that can be left and taken up again: what view, figures and brush share in how they learn."""

from __future__ import annotations

import argparse
import copy
import json
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from tqdm import tqdm

Module = TypeVar("Module", bound=nn.Module)


SLOW = 0.2


@dataclass(frozen=True)
class Rates:
    """warm: updates over which the learning rate rises. share: least share of an update in the average.

    decay: of the weights. slow: beginnings of names of parameters that learn at SLOW of the rate.
    """

    warm: int = 100
    share: float = 0.003
    decay: float = 0.0
    slow: tuple[str, ...] = ()


def options_of(about: str | None, minutes: float, rate: float, checkpoint_minutes: float) -> argparse.ArgumentParser:
    """A parser of what every course may be told."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=minutes)
    parser.add_argument("--plan-minutes", type=float, help="length of the whole plan the learning rate falls over")
    parser.add_argument("--updates", type=int, help="stop after so many updates in all (for tests)")
    parser.add_argument("--rate", type=float, default=rate)
    parser.add_argument("--checkpoint-minutes", type=float, default=checkpoint_minutes)
    return parser


class Course(Generic[Module]):
    """The training of one module, whose checkpoints lie in the work folder as NAME-model, NAME (the average of its
    weights), NAME-optimiser and NAME.json.

    `for update in course:` gives the updates still to make; each ends with `course.learn`.
    """

    def __init__(self, name: str, module: Module, options: argparse.Namespace, rates: Rates) -> None:
        self.name, self.module, self.average = name, module, copy.deepcopy(module)
        self._options, self._rates = options, rates
        self._work: Path = options.work
        self._work.mkdir(parents=True, exist_ok=True)
        weights: dict[float, list[nn.Parameter]] = {}
        for named, parameter in module.named_parameters():
            if parameter.requires_grad:
                weights.setdefault(SLOW if named.startswith(rates.slow) else 1.0, []).append(parameter)
        groups = [{"params": parameters, "share": share} for share, parameters in sorted(weights.items())]
        self._optimiser = torch.optim.AdamW(
            groups, options.rate, betas=(0.9, 0.99), weight_decay=rates.decay, fused=True
        )
        self.update, self._before = 0, 0.0
        self.is_new = not self._at("json").exists()
        if not self.is_new:
            self._take_up()
        self.losses: dict[str, float] = {}  # smoothed, by name
        self.log: Callable[[], str] | None = None  # a line for NAME.tsv at every checkpoint
        self._plan_s = 60 * (options.plan_minutes or options.minutes)
        self._started = time.monotonic()

    def _at(self, suffix: str, part: str = "") -> Path:
        return self._work / f"{self.name}{part}.{suffix}"

    def _take_up(self) -> None:
        position = json.loads(self._at("json").read_text())
        self.update, self._before = position["update"], position["seconds"]
        self.module.load_state_dict(load_file(self._at("safetensors", "-model")))
        self.average.load_state_dict(load_file(self._at("safetensors")))
        kept: dict[int, dict[str, Tensor]] = {}
        for name, tensor in load_file(self._at("safetensors", "-optimiser")).items():
            index, key = name.split("/")
            kept.setdefault(int(index), {})[key] = tensor
        groups = self._optimiser.state_dict()["param_groups"]
        self._optimiser.load_state_dict({"state": kept, "param_groups": groups})

    def save(self) -> None:
        """Write a checkpoint, each file replaced atomically, the position last."""
        moments = {
            f"{index}/{key}": torch.as_tensor(value)
            for index, values in self._optimiser.state_dict()["state"].items()
            for key, value in values.items()
        }
        parts = {"-model": self.module.state_dict(), "": self.average.state_dict(), "-optimiser": moments}
        for part, values in parts.items():
            partial = self._at("partial", part)
            save_file({k: v.contiguous() for k, v in values.items()}, partial)
            os.replace(partial, self._at("safetensors", part))
        seconds = self._before + time.monotonic() - self._started
        self._at("partial").write_text(json.dumps({"update": self.update, "seconds": seconds}))
        os.replace(self._at("partial"), self._at("json"))
        if self.log is not None:
            with self._at("tsv").open("a") as log:
                log.write(f"{self.update}\t{self.log()}\n")

    def __iter__(self) -> Iterator[int]:
        o = self._options
        self._started = saved = time.monotonic()
        self._bar = tqdm(total=round(o.minutes * 60), unit="s", desc=f"the {self.name}", mininterval=5)
        while True:
            elapsed = time.monotonic() - self._started
            if elapsed > o.minutes * 60 or (o.updates is not None and self.update >= o.updates):
                break
            done = min(1.0, (self._before + elapsed) / self._plan_s)
            warm = min(1.0, (self.update + 1) / self._rates.warm)
            rate = o.rate * warm * max(0.01, 0.5 * (1 + math.cos(math.pi * done)))
            for group in self._optimiser.param_groups:
                group["lr"] = rate * group["share"]
            yield self.update
            self._bar.n = min(self._bar.total, round(time.monotonic() - self._started))
            shown = {name: f"{value:.4f}" for name, value in self.losses.items()}
            self._bar.set_postfix(update=self.update, rate=f"{rate:.1e}", **shown)
            if time.monotonic() - saved > o.checkpoint_minutes * 60:
                self.save()
                saved = time.monotonic()
        self.save()
        self._bar.close()

    def learn(self, clipped: Iterable[nn.Module], **losses: float) -> None:
        """Make an update by the gradients that are there, those of each module in `clipped` at most 1 long.

        losses: what is shown of them. Raises SystemExit when one of them is no number.
        """
        for module in clipped:
            nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        self._optimiser.step()
        self._optimiser.zero_grad(set_to_none=True)
        self.update += 1
        with torch.no_grad():
            share = max(2 / (self.update + 1), self._rates.share)
            torch._foreach_lerp_(list(self.average.parameters()), list(self.module.parameters()), share)
        for name, value in losses.items():
            if not math.isfinite(value):
                what = f"the loss ({name}) is {value} at update {self.update}"
                raise SystemExit(f"{what}: nothing was saved since the last checkpoint")
            self.losses[name] = 0.98 * self.losses.get(name, value) + 0.02 * value
