"""Compile a CPU's kernels once, at set-up, so that a world need not: `python -m model.warm`.

numba keeps what it compiles beside the code, or in the user's cache where it may not write there.
"""

from __future__ import annotations

import numpy as np
import torch

from model.conditions import GRID, STYLES, Conditions
from model.world import load

_SCENES = ("a meadow at noon", "a street at night", "a coast", "a cave")  # between them they use every kernel


def main() -> None:
    """Step worlds that use every kernel."""
    torch.set_num_threads(1)
    presence = np.full((*GRID, 2), 0.5, np.float32)
    falling = {"rain": 0.8, "snow": 0.8}
    for size in (90, None):  # a large picture is walked in ways of its own
        model = load("nacre", height=size)
        for scene in _SCENES:
            world = model.begin(scene, seed=1)
            world.step(Conditions(presence=presence, environment=falling))
        world.step(Conditions(style=np.eye(len(STYLES), dtype=np.float32)[1]))


if __name__ == "__main__":
    main()
