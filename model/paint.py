"""Fixed textures that painted pictures share: paper, blots, wood and tiles of brush strokes.

All tile, and none depends on a seed: the same paper lies under every world. About a second to make, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from model.field import SIZE, Array, noise

TEXELS = 216  # of a texture, to a picture's height
BROAD_REACH, FINE_REACH = 24, 13  # texels within which the middle of the stroke over a texel lies


@dataclass(frozen=True)
class Strokes:
    """A tile of brush strokes, each value (512, 512): which stroke covers a texel and what it does there.

    down, right: texels from here to the middle of the stroke. relief: light and shade of bristles and edges, about
    −1..1. rank: of the stroke, 0..1, even.
    """

    down: NDArray[np.int64]
    right: NDArray[np.int64]
    relief: Array
    rank: Array


@dataclass(frozen=True)
class Paint:
    """Textures (512, 512) of unit deviation, −2.2..2.2, but fibre in 0..1, and two tiles of strokes."""

    grit: Array
    hand: Array
    blot: Array
    bleed: Array
    wood: Array
    fibre: Array
    broad: Strokes
    fine: Strokes


def _swirl(rng: np.random.Generator) -> NDArray[np.float64]:
    """Directions in rad of a flow that winds: along the contours of smooth noise."""
    hills = noise(rng, 150, 42, 1.2)
    down = np.roll(hills, -1, 0) - np.roll(hills, 1, 0)
    right = np.roll(hills, -1, 1) - np.roll(hills, 1, 1)
    # A drift to the side, so that strokes lie rather than stand.
    drift = 0.9 * np.hypot(down, right).mean()
    return np.arctan2(-right, down + drift)


def _strokes(rng: np.random.Generator, flow: NDArray[np.float64], count: int, reach: int, wide: float) -> Strokes:
    """`count` strokes along a flow (n, n), one over the other; half a middling one is `wide` texels."""
    size, across, long = len(flow), round(count**0.5), (reach - 2) / 1.4
    down, right = np.zeros((2, size, size), np.int64)
    relief, rank = np.zeros((size, size), np.float32), np.full((size, size), 0.5, np.float32)
    yy, xx = (d.ravel().astype(np.float32) for d in np.mgrid[-reach : reach + 1, -reach : reach + 1])
    # Some at a time, in no order, each over those before it: of several values for a texel the last one stays.
    for cells in np.array_split(rng.permutation(across * across), 32):
        y, x = ((c + rng.random(len(cells))) * size // across for c in (cells // across, cells % across))
        y, x = y.astype(int), x.astype(int)
        angle = flow[y, x] + rng.normal(0, 0.12, len(cells))
        half, thick, bend, own = (
            v.astype(np.float32)[:, None]
            for v in (
                long * rng.uniform(0.7, 1.3, len(cells)), wide * rng.uniform(0.75, 1.2, len(cells)),
                rng.normal(0, 0.25, len(cells)), rng.random(len(cells)),
            )
        )  # fmt: skip
        cos, sin = np.cos(angle).astype(np.float32)[:, None], np.sin(angle).astype(np.float32)[:, None]
        along = xx * cos + yy * sin
        at = (yy * cos - xx * sin + bend * along * along / half) / thick
        stroke, texel = np.nonzero((np.abs(at) < 1) & (np.abs(along) < half * 1.1))
        at, along, half, own = at[stroke, texel], along[stroke, texel], half[stroke, 0], own[stroke, 0]
        # Bristles run the whole stroke; its ends are ragged by them.
        bristle = np.sin(at * 5.5 + own * 40) * 0.6 + np.sin(at * 11.3 + own * 77) * 0.4
        inside = np.abs(along) < half * (1 - 0.22 * at * at + 0.10 * bristle)
        stroke, texel, at, along = stroke[inside], texel[inside], at[inside], along[inside]
        dy, dx = yy[texel].astype(int), xx[texel].astype(int)
        rows, cols = (y[stroke] + dy) % size, (x[stroke] + dx) % size
        down[rows, cols], right[rows, cols], rank[rows, cols] = -dy, -dx, own[inside]
        relief[rows, cols] = 0.55 * bristle[inside] - 0.9 * at**3 - 0.35 * along / half[inside]
    times = (SIZE // size, SIZE // size)
    return Strokes(np.tile(down, times), np.tile(right, times), np.tile(relief, times), np.tile(rank, times))


def _fibres(rng: np.random.Generator, count: int) -> Array:
    """Short bent fibres in 0..1."""
    texture = np.zeros((SIZE, SIZE), np.float32)
    for _ in range(count):
        (y, x), turn, bright = rng.random(2) * SIZE, rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 1)
        angles = turn + np.cumsum(rng.normal(0, 0.12, int(rng.integers(10, 34))))
        rows, cols = (y + np.sin(angles).cumsum()).astype(int) % SIZE, (x + np.cos(angles).cumsum()).astype(int) % SIZE
        texture[rows, cols] = np.maximum(texture[rows, cols], bright)
    return texture


@lru_cache(1)
def paint() -> Paint:
    """The textures."""
    rng = np.random.default_rng(21)
    grit, hand = noise(rng, 8, 1.6, 0.1), noise(rng, 120, 24, 1.0)
    blot, bleed = noise(rng, 90, 7, 0.9), noise(rng, 26, 3.5, 0.5)
    speckle = noise(rng, 60, 2, 0.2)
    wood = np.sum([np.roll(speckle, shift, 1) for shift in range(-20, 21)], 0)
    flow = _swirl(rng)
    broad = _strokes(rng, flow, 4356, BROAD_REACH, 4.2)
    fine = _strokes(rng, flow[::2, ::2], 3600, FINE_REACH, 2.2)

    def single(texture: NDArray[np.floating]) -> Array:
        return np.ascontiguousarray(texture.clip(-2.2, 2.2), np.float32)

    fibre = _fibres(rng, 1800)
    return Paint(single(grit), single(hand), single(blot), single(bleed), single(wood / wood.std()), fibre, broad, fine)
