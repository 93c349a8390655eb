"""Action following: do commands move the picture their way, and the more the stronger they are?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.conditions import Conditions
from model.diorama.places import PLACES
from model.training.evaluation import movement
from model.training.evaluation.figure import Figure, Findings, Pictures, Settings
from model.training.evaluation.rollouts import roll, world_of
from model.world import WorldModel

MOVES: dict[str, tuple[int, float]] = {"forward": (0, 1.0), "strafe": (1, 1.0), "yaw": (2, 0.5), "pitch": (3, 0.25)}


def dreamt(model: WorldModel, place: str, motion: NDArray[np.float32], seed: int) -> Pictures:
    """Ten pictures of a world by day under a command, which has eased in by then."""
    world = world_of(model, place, seed)
    roll(world, 4, Conditions(motion=motion), 0)
    return roll(world, movement.PICTURES, Conditions(motion=motion))[0]


def actions(model: WorldModel, settings: Settings) -> Findings:
    """Share of rollouts whose measured movement has the sign of the command, and the correlation of both."""
    mover, tried = movement.mover_of(settings.cache)
    tries = settings.of(8, 26)
    curves: dict[str, dict[str, list[float]]] = {}
    for name, (at, most) in MOVES.items():
        asked, seen = [], []
        for number in range(tries):
            motion = np.zeros(4, np.float32)
            motion[at] = most * (1 if number % 2 else -1) * (0.5 + 0.5 * (number // 2) / max(1, tries // 2 - 1))
            # Each strength and sign in other places for every command.
            place = PLACES[(number + 3 * at) % len(PLACES)]
            pictures = dreamt(model, place, motion, 100 + number + 1000 * settings.seed)
            asked.append(float(motion[at]))
            seen.append(float(mover.read(pictures)[at]))
        curves[name] = {"asked": asked, "seen": seen}
    signs = {n: float((np.sign(c["seen"]) == np.sign(c["asked"])).mean()) for n, c in curves.items()}
    r = {n: float(np.corrcoef(c["asked"], c["seen"])[0, 1]) for n, c in curves.items()}
    return Findings(
        {
            "action_sign": Figure(float(np.mean(list(signs.values()))), 4 * tries, tried["sign"], signs),
            "action_r": Figure(float(np.mean(list(r.values()))), 4 * tries, tried["r"], r),
        },
        {"response": curves},
    )
