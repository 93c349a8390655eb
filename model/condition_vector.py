"""Conditions as the dynamics see them: what is asked for, eased, where the walker's phases stand, and who is heard."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from model.conditions import ENVIRONMENT, FIGURES
from model.diorama.places import PLACES
from model.walker import Walker

# place, environment; moving, stride, swash; side and nearness of the sea; flash and whether it is asked for;
# visitors: near, stir, side; figures: level of each, side; how loud the room is
FLASH_AT = len(PLACES) + len(ENVIRONMENT) + 5 + 2  # a flash, and whether one is asked for
VISITORS_SIDE_AT = FLASH_AT + 4
WIDTH = VISITORS_SIDE_AT + 1 + len(FIGURES) + 2


def condition_vector(
    place: NDArray[np.float32],
    environment: NDArray[np.float32],
    walker: Walker,
    presence: NDArray[np.float32],
    flash: float | None,
    figures: tuple[NDArray[np.float32], float],
    loud: float,
) -> NDArray[np.float32]:
    """(WIDTH,) of one step: place (8,), environment (7,) and presence (rows, cols, 2) eased; a flash if asked for.

    figures: how much is heard of each, (figures,), and on which side; loud: of the room, 0..1.
    """
    stride, swash = 2 * math.pi * walker.stride, 2 * math.pi * walker.swash
    near, stir = presence[..., 0], presence[..., 1]
    weight = (near * (0.2 + stir)).sum(0)
    across = np.linspace(-1, 1, len(weight))
    side = float((weight * across).sum() / max(1e-3, weight.sum())) if weight.sum() > 1e-3 else 0.0
    levels, figures_side = figures
    rest = [
        walker.moving, math.sin(stride) * walker.moving, math.cos(stride) * walker.moving,
        math.sin(swash), math.cos(swash),
        *walker.sea(),
        flash or 0.0, float(flash is not None),
        float(near.max()), float((near * stir).max()), side,
        *levels.tolist(), figures_side, loud,
    ]  # fmt: skip
    return np.concatenate([place, environment, np.array(rest)]).astype(np.float32)
