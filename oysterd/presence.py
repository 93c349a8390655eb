"""Where visitors are and how they move: maps of a few hundred numbers, made from pictures that go no further.

A map is float32 (rows, cols, 2) on the model's token grid, row 0 at the top of the picture. Channel NEAR (0..1) tells
that a visitor is there, from depth how near; channel STIR (0..1) tells how much moves there. An empty room at
rest is 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from oysterd.wall import CELL_PIXELS

NEAR = 0
STIR = 1

PresenceMap = NDArray[np.float32]


def fuse(maps: Sequence[PresenceMap]) -> PresenceMap:
    """Several cameras' maps as one: the strongest of each cell. Raises ValueError for none, or different shapes."""
    if not maps:
        raise ValueError("fuse needs at least one presence map")
    if len({presence.shape for presence in maps}) != 1:
        raise ValueError(f"presence maps of different shapes: {[presence.shape for presence in maps]}")
    fused: PresenceMap = np.maximum.reduce(list(maps))
    return fused


def with_colour(depth: PresenceMap, colour: PresenceMap, unknown: NDArray[np.float32]) -> PresenceMap:
    """Depth's map helped by colour's, of one camera; `unknown` (rows, cols) is the share of a cell without depth.

    Where depth is known it alone says who is there, for the light that the room's own projectors throw on a wall is
    no visitor; where it is not, colour's silhouette counts. Motion in colour counts on visitors and on the unknown.
    """
    near = np.maximum(depth[..., NEAR], colour[..., NEAR] * unknown)
    stir = np.maximum(depth[..., STIR], colour[..., STIR] * np.maximum(unknown, depth[..., NEAR] > 0.0))
    return np.stack([near, stir], axis=-1).astype(np.float32)


def ramp(difference: NDArray[np.float32], threshold: float | NDArray[np.float32]) -> NDArray[np.float32]:
    """0 up to the threshold, 1 from twice the threshold: hard steps would flicker with the noise."""
    ramped: NDArray[np.float32] = np.clip(difference / np.float32(threshold) - np.float32(1.0), 0.0, 1.0)
    return ramped


def cells(pixels: NDArray[np.float32], grid: tuple[int, int]) -> NDArray[np.float32]:
    """The mean of each grid cell: (rows * CELL_PIXELS, cols * CELL_PIXELS) → (rows, cols)."""
    rows, cols = grid
    means: NDArray[np.float32] = pixels.reshape(rows, CELL_PIXELS, cols, CELL_PIXELS).mean(axis=(1, 3))
    return means


def ring_on(stir: NDArray[np.float32], motion: NDArray[np.float32], fade: float) -> NDArray[np.float32]:
    """Motion counts at once and fades over time, so that a step of the world cannot miss it between two pictures."""
    rung: NDArray[np.float32] = np.maximum(motion, stir * np.float32(fade))
    return rung


def settled(levels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Two working pixels of 64 in a cell are noise, not a visitor: exactly 0, so that a room at rest is at rest."""
    return np.where(levels > 2.0 / CELL_PIXELS**2, np.minimum(levels, 1.0), 0.0).astype(np.float32)
