"""Train the figures: `python -m model.training.figures --work DIR --minutes 15`.

The teacher tells random points of random poses of every kind; no point is seen twice. The light of the moment and the
veil of distance are learnt beside. Checkpoints every few minutes; the same command goes on from the last.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from model.conditions import GRID
from model.diorama import figures as teacher
from model.diorama.episode import random_environment
from model.diorama.places import PLACES
from model.diorama.shapes import Array
from model.figures import CELLS, STAGES, Figures
from model.shading import Moment
from model.sprites import BOXES, KINDS
from model.training.course import Course, Rates, options_of

POSES, POINTS = 16, 80  # of a kind, of an update
MOMENTS = 48


def random_poses(rng: np.random.Generator, kind: int, count: int) -> Array:
    """Poses (count, 5) as they happen: who runs does nothing else, what bursts does so at all times alike."""
    gait, moving, act, hue, look = rng.random((5, count))
    name = KINDS[kind]
    if name in ("kitten", "deer", "fox", "person"):
        moving = moving * (rng.random(count) < 0.6)
        act = np.where(rng.random(count) < 0.35, np.round(act), act) * (1 - moving)
    elif name.endswith("behind"):
        moving = np.clip(moving * 1.6, 0, 1) * (rng.random(count) < 0.8)
        act, hue, look = np.zeros((3, count))
    else:
        moving = np.ones(count)
        if name in ("balloon", "whale", "lanterns"):
            act = np.clip(act * 2 - 0.5, 0, 1)
    return np.stack([gait, moving, act, hue, look], 1).astype(np.float32)


def occupied(kind: int, poses: int = 24) -> Array:
    """Where a figure of this kind may be: (STAGES, CELLS up, CELLS across), 1 or 0."""
    rng = np.random.default_rng([kind, 51])
    fine = 3
    at = ((np.arange(CELLS * fine) + 0.5) / (CELLS * fine) * 2 - 1).astype(np.float32)
    x, y = (part.reshape(1, -1) for part in np.meshgrid(at * np.float32(BOXES[kind][0]), at))
    found = np.zeros((STAGES, CELLS, CELLS), np.float32)
    for stage in range(1 if KINDS[kind].endswith("behind") else STAGES):  # who walks before us never acts
        chosen = random_poses(rng, kind, poses)
        chosen[:, 2] = (stage + rng.choice([0.0, 0.5, 1.0], poses)) / STAGES * (chosen[:, 2].max() > 0)
        for pose in chosen:
            cover = teacher.tell(kind, x, y, pose[None])[0, :, 5].reshape(CELLS, fine, CELLS, fine).max((1, 3))
            found[stage] = np.maximum(found[stage], cover > 0.02)
    return found


def random_points(rng: np.random.Generator, kind: int, where: Array, count: tuple[int, int]) -> tuple[Array, Array]:
    """Points x, y (S, N) of a kind's box, most of them in cells where it may be."""
    cells = np.flatnonzero(where.max(0))
    chosen = np.where(rng.random(count) < 0.9, rng.choice(cells, count), rng.integers(0, CELLS * CELLS, count))
    row, col = np.divmod(chosen, CELLS)
    x = ((col + rng.random(count)) / CELLS * 2 - 1) * BOXES[kind][0]
    y = (row + rng.random(count)) / CELLS * 2 - 1
    return x.astype(np.float32), y.astype(np.float32)


def loss_of(figures: Figures, rng: np.random.Generator, chosen: list[int]) -> Tensor:
    """How far the network is from its teacher on random points of figures of the chosen kinds: (kinds,)."""
    poses = [random_poses(rng, kind, POSES) for kind in chosen]
    points = [random_points(rng, kind, figures.occupied[kind].numpy(), (POSES, POINTS)) for kind in chosen]
    told = [teacher.tell(kind, x, y, pose) for kind, (x, y), pose in zip(chosen, points, poses, strict=True)]
    wanted = torch.from_numpy(np.concatenate(told)).transpose(1, 2)
    x, y = (torch.from_numpy(np.concatenate(part)) for part in zip(*points, strict=True))
    kinds = torch.tensor(chosen).repeat_interleave(POSES)
    given = figures.told(kinds, x, y, torch.from_numpy(np.concatenate(poses)))
    cover = F.binary_cross_entropy_with_logits(given[:, 5], wanted[:, 5], reduction="none")
    missed = (torch.sigmoid(given[:, :5]) - wanted[:, :5]).abs() * given.new_tensor([1, 1, 1, 0.5, 1])[:, None]
    return (cover + 2 * missed.mean(1) * wanted[:, 5]).view(len(chosen), -1).mean(1)


def clip(figures: Figures) -> None:
    """Keep each kind's gradient at a length of 1 or less: the kinds share no weight, and none holds up another."""
    gradients = [p.grad for p in figures.parameters() if p.grad is not None and p.ndim == 3]  # (kinds, …)
    squares = torch.stack([g.flatten(1).square().sum(1) for g in gradients]).sum(0)
    for gradient in gradients:
        gradient.mul_((1 / squares.sqrt().clamp(min=1e-6)).clamp(max=1)[:, None, None])


def air_loss_of(figures: Figures, rng: np.random.Generator) -> Tensor:
    """How far light and veil are from the teacher's in random weathers."""
    weathers = np.stack([random_environment(rng) for _ in range(MOMENTS)])
    flash = (rng.random(MOMENTS) * (rng.random(MOMENTS) < 0.2)).astype(np.float32)
    distance = np.exp(rng.uniform(math.log(1.5), math.log(800), MOMENTS)).astype(np.float32)
    wide = [w.astype(np.float64) for w in weathers]
    around, direct = (np.stack(part) for part in zip(*map(teacher.light, wide, flash.tolist()), strict=True))
    left = np.array([teacher.unveiled(w, d) for w, d in zip(wide, distance.tolist(), strict=True)], np.float32)
    environment, b = torch.from_numpy(weathers), MOMENTS
    moment = Moment(
        world=torch.zeros(b, dtype=torch.long), place=torch.zeros(b, len(PLACES)), environment=environment,
        flash=torch.from_numpy(flash), camera=torch.zeros(b, 5), shore=torch.zeros(b, 3), phases=torch.zeros(b, 5),
        presence=torch.zeros(b, *GRID, 2),
    )  # fmt: skip
    got_around, got_direct = figures.lights(moment)
    got = torch.cat([got_around, got_direct], 1) - torch.from_numpy(np.concatenate([around, direct], 1))
    veiled = figures.left(environment, torch.from_numpy(distance)) - torch.from_numpy(left)
    return got.abs().mean() + veiled.abs().mean()


def main() -> None:
    """Parse the command line and train."""
    options = options_of(__doc__, 15.0, 8e-3, 2.0).parse_args()
    torch.manual_seed(0)
    course = Course("figures", Figures(), options, Rates())
    figures = course.module
    if course.is_new:
        for module in (figures, course.average):
            module.occupied.copy_(torch.from_numpy(np.stack([occupied(kind) for kind in range(len(KINDS))])))
    course.log = lambda: f"{course.losses.get('loss', 0.0):.5f}"
    rng = np.random.default_rng([course.update, 50])
    for _ in course:
        losses = loss_of(figures, rng, list(range(len(KINDS))))
        (losses.sum() + air_loss_of(figures, rng)).backward()
        clip(figures)
        course.learn([], loss=float(losses.mean().detach()))


if __name__ == "__main__":
    main()
