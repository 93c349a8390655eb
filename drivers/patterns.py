"""Test patterns for a projector: lines to lay pictures on each other, levels to blend, fine detail to focus."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Pattern = Literal["grid", "blend", "focus"]
PATTERNS: tuple[Pattern, ...] = ("grid", "blend", "focus")

# Lines of the grid across and down the whole world's picture, so that those of two projectors meet in the overlap.
GRID = (32, 18)
# Levels of the blend, from black to white, in bands down the whole world's picture.
LEVELS = (0, 32, 64, 128, 192, 255)


def pattern(name: Pattern, at: NDArray[np.float64], soft_edges: tuple[float, float, float, float]) -> NDArray[np.uint8]:
    """A pattern as uint8 (H, W, 3) for the places `at` (H, W, 2) in the world's picture, both 0..1 from the top left.

    `soft_edges` are the widths left, right, top and bottom in shares of this projector's picture.
    """
    return {"grid": _grid, "blend": _blend, "focus": _focus}[name](at, soft_edges)


def _grid(at: NDArray[np.float64], soft_edges: tuple[float, float, float, float]) -> NDArray[np.uint8]:
    """White lines of the world, yellow a circle in its middle, red this projector's border, green its overlaps."""
    height, width, _ = at.shape
    shown = np.zeros((height, width, 3), np.uint8)
    scaled = at * GRID
    # A line is where the next pixel lies in another cell, so it is one pixel wide however large the crop.
    cells = np.floor(scaled + 0.5)
    shown[:, 1:][(cells[:, 1:] != cells[:, :-1]).any(-1)] = 200
    shown[1:][(cells[1:] != cells[:-1]).any(-1)] = 200
    radius = np.hypot(*((at - 0.5) * (GRID[0] / GRID[1], 1.0)).transpose(2, 0, 1))
    inside = radius < 0.4
    ring = np.zeros((height, width), bool)
    ring[:, 1:] |= inside[:, 1:] != inside[:, :-1]
    ring[1:] |= inside[1:] != inside[:-1]
    shown[ring] = (255, 220, 0)
    left, right, top, bottom = soft_edges
    for share, mark in ((left, np.s_[:, round(left * width)]), (right, np.s_[:, -1 - round(right * width)])):
        if share:
            shown[mark] = (0, 255, 0)
    for share, mark in ((top, np.s_[round(top * height)]), (bottom, np.s_[-1 - round(bottom * height)])):
        if share:
            shown[mark] = (0, 255, 0)
    shown[:2] = shown[-2:] = (255, 0, 0)
    shown[:, :2] = shown[:, -2:] = (255, 0, 0)
    return shown


def _blend(at: NDArray[np.float64], soft_edges: tuple[float, float, float, float]) -> NDArray[np.uint8]:
    """Bands of even grey: where two projectors overlap no edge may be seen in any of them, nor in the black."""
    del soft_edges
    band = np.clip((at[..., 1] * len(LEVELS)).astype(int), 0, len(LEVELS) - 1)
    return np.repeat(np.array(LEVELS, np.uint8)[band][..., None], 3, axis=-1)


def _focus(at: NDArray[np.float64], soft_edges: tuple[float, float, float, float]) -> NDArray[np.uint8]:
    """Tiles of lines one, two and four pixels wide, standing and lying, and of a chessboard of single pixels."""
    del soft_edges
    height, width, _ = at.shape
    down, across = np.mgrid[:height, :width]
    tile = max(height // 9, 16)
    kinds = [
        across % 2, down % 2, (across // 2) % 2, (down // 2) % 2, (across // 4) % 2, (down // 4) % 2,
        (across + down) % 2,
    ]  # fmt: skip
    which = (across // tile + 3 * (down // tile)) % len(kinds)
    shown = np.choose(which, kinds).astype(np.uint8) * 255
    shown[:2] = shown[-2:] = 255
    shown[:, :2] = shown[:, -2:] = 255
    return np.repeat(shown[..., None], 3, axis=-1)
