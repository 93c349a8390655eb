"""How a picture moves, read back as the command that would move it so: flow statistics, and a regression on them.

The regression is fitted on diorama clips of all places by day, and kept on disk as the judge of pictures is
(`reader.py`). Means of flow over bands of the picture, read by hand, told 96 % of signs on the diorama; this tells all.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from model.conditions import MOTION_RANGE
from model.diorama import episode
from model.diorama.places import PLACES
from model.training.evaluation import clips
from model.training.evaluation.cached import code_of
from model.training.evaluation.figure import Pictures
from model.training.evaluation.rollouts import FAIR_DAY

GRID = (6, 6)  # cells whose flow is looked at
UNIT = np.array([high for _, high in MOTION_RANGE.values()])  # of each command
PICTURES = 10
CLIPS_A_PLACE, TRIED_A_PLACE = 40, 12


@lru_cache(maxsize=1)
def _flow() -> cv2.DISOpticalFlow:
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow.setUseSpatialPropagation(True)
    return flow


def _grey(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture's detail: grey, smaller, and as contrasty in dark dunes as in bright woods."""
    small = cv2.resize(picture, clips.SIZE[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.createCLAHE(3.0, (8, 8)).apply(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)), np.uint8)


def statistics(pictures: Pictures) -> NDArray[np.float64]:
    """Flow between pictures (T, H, W, 3): (T - 1, features), means over cells in shares of the picture's width.

    Dense inverse search (Kroeger et al. 2016).
    """
    rows = []
    for a, b in itertools.pairwise([_grey(p) for p in pictures]):
        flow = _flow().calc(a, b, np.zeros((*a.shape, 2), np.float32)) / a.shape[1]
        cells = cv2.resize(flow, GRID[::-1], interpolation=cv2.INTER_AREA)
        rows.append(np.clip(cells, -0.1, 0.1).ravel())
    return np.array(rows)


@dataclass(frozen=True)
class Mover:
    """Reads commands from flow: weights (features + 1, 4)."""

    weights: NDArray[np.float64]

    def read(self, pictures: Pictures) -> NDArray[np.float64]:
        """The command (4,), as MOTION, that moves these pictures: the median over pairs, to outlast a flash."""
        given = np.pad(statistics(pictures), ((0, 0), (0, 1)), constant_values=1.0) @ self.weights
        return np.median(given, 0) * UNIT


def fit(statistic: NDArray[np.float64], commands: NDArray[np.float64]) -> Mover:
    """Ridge regression from flow (N, features) to commands (N, 4)."""
    x = np.pad(statistic, ((0, 0), (0, 1)), constant_values=1.0)
    scale = np.append(statistic.std(0) + 1e-4, 1.0)
    gram = (x / scale).T @ (x / scale)
    weights = np.linalg.solve(gram + 3e-3 * len(x) * np.eye(len(gram)), (x / scale).T @ (commands / UNIT))
    return Mover(weights / scale[:, None])


def clip(seed: int, motion: NDArray[np.float32]) -> tuple[Pictures, NDArray[np.float32]]:
    """A diorama clip under a command: pictures (T, 180, 320, 3) and the command as eased (T, 4)."""
    script = clips.script_of(seed, 14, clips.place_of(seed), clips.environment_of(FAIR_DAY), motion)
    walked = episode.walk(script, seed)
    steps = range(14 - PICTURES, 14)
    return clips.seen(walked, steps), walked.motion[list(steps)]


def random_command(rng: np.random.Generator) -> NDArray[np.float32]:
    """A command of one to three moves, none too slow to be seen."""
    chosen = rng.permutation(4)[: rng.choice([1, 2, 3], p=[0.5, 0.35, 0.15])]
    command = np.zeros(4)
    command[chosen] = rng.uniform(0.3, 1, len(chosen)) * rng.choice([-1, 1], len(chosen))
    return (command * UNIT).astype(np.float32)


def tried(mover: Mover) -> dict[str, float]:
    """How a mover does on diorama clips of single commands it never saw: share of right signs, correlation."""
    asked: list[list[float]] = [[] for _ in UNIT]
    given: list[list[float]] = [[] for _ in UNIT]
    rng = np.random.default_rng(9)
    for number in range(TRIED_A_PLACE * len(PLACES)):
        at = number // len(PLACES) % len(UNIT)
        command = np.zeros(4, np.float32)
        command[at] = rng.choice([-1, 1]) * rng.uniform(0.4, 1) * UNIT[at]
        pictures, _ = clip(clips.TRY_SEED + number, command)
        asked[at].append(float(command[at]))
        given[at].append(float(mover.read(pictures)[at]))
    pairs = list(zip(asked, given, strict=True))
    return {
        "sign": float(np.mean([(np.sign(a) == np.sign(g)).mean() for a, g in pairs])),
        "r": float(np.mean([np.corrcoef(a, g)[0, 1] for a, g in pairs])),
    }


def mover_of(cache: Path) -> tuple[Mover, dict[str, float]]:
    """The mover and how it did on held-out clips: from `cache` if it is there, else fitted now and kept there."""
    path = cache / f"mover-{code_of(Path(__file__))}.npz"
    if path.exists():
        with np.load(path) as kept:
            return Mover(kept["weights"]), json.loads(str(kept["tried"]))
    rng = np.random.default_rng(0)
    seeds = range(clips.FIT_SEED, clips.FIT_SEED + CLIPS_A_PLACE * len(PLACES))
    pairs = [
        clip(seed, random_command(rng)) for seed in tqdm(seeds, desc="walks for the judge of movement", mininterval=5)
    ]
    mover = fit(
        np.concatenate([statistics(pictures) for pictures, _ in pairs]),
        np.concatenate([commands[1:] for _, commands in pairs]).astype(np.float64),
    )
    right = tried(mover)
    cache.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, weights=mover.weights, tried=json.dumps(right))
    partial.replace(path)
    return mover, right
