"""Test patterns for a projector: lines to lay pictures on each other, levels to blend, fine detail to focus."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from drivers.calibration import Crop, SoftEdges

Pattern = Literal["grid", "blend", "focus"]
PATTERNS: tuple[Pattern, ...] = ("grid", "blend", "focus")

# Squares of the grid down the whole world's picture, counted from its middle, so that the lines of two projectors meet.
SQUARES = 18
# Levels of the blend, from black to white, in bands down the whole world's picture.
LEVELS = (0, 32, 64, 128, 192, 255)


Picture = NDArray[np.uint8]


def pattern(
    name: Pattern, area: tuple[int, int], world: tuple[int, int], crop: Crop, rotation_degrees: int, edges: SoftEdges
) -> Picture:
    """A pattern as uint8 (H, W, 3) for an area (width, height) that shows that part of the world, turned clockwise.

    `world` is the width and height of the world's picture, of which only the shape counts.
    """
    width, height = area if rotation_degrees % 180 == 0 else (area[1], area[0])
    # Where each column and row lies from the middle of the world's picture, in shares of its height; all is drawn
    # upright, and turned then.
    x = (crop.x + crop.width * (np.arange(width) + 0.5) / width - 0.5) * world[0] / world[1]
    y = crop.y + crop.height * (np.arange(height) + 0.5) / height - 0.5
    upright = {"grid": _grid, "blend": _blend, "focus": _focus}[name](x, y)
    shown = np.ascontiguousarray(np.rot90(upright, -rotation_degrees // 90))
    if name == "grid":
        _mark_edges(shown, edges)
    return shown


def _grid(x: NDArray[np.float64], y: NDArray[np.float64]) -> Picture:
    """White lines that belong to the world, a yellow circle in its middle."""
    shown = np.zeros((len(y), len(x), 3), np.uint8)
    # A line is where the next pixel lies in another cell, so it is one pixel wide however large the crop.
    shown[:, _changes(np.floor(x * SQUARES))] = 200
    shown[_changes(np.floor(y * SQUARES))] = 200
    inside = np.square(x)[None] + np.square(y)[:, None] < 0.4**2
    ring = np.zeros_like(inside)
    ring[:, 1:] |= inside[:, 1:] != inside[:, :-1]
    ring[1:] |= inside[1:] != inside[:-1]
    shown[ring] = (255, 220, 0)
    return shown


def _changes(cells: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where a cell is another than the one before."""
    return np.diff(cells, prepend=cells[:1]) != 0


def _mark_edges(shown: Picture, edges: SoftEdges) -> None:
    """Red this projector's border, green where its soft edges begin."""
    height, width, _ = shown.shape
    for share, column in ((edges.left, round(edges.left * width)), (edges.right, -1 - round(edges.right * width))):
        if share:
            shown[:, column] = (0, 255, 0)
    for share, row in ((edges.top, round(edges.top * height)), (edges.bottom, -1 - round(edges.bottom * height))):
        if share:
            shown[row] = (0, 255, 0)
    shown[:2] = shown[-2:] = (255, 0, 0)
    shown[:, :2] = shown[:, -2:] = (255, 0, 0)


def _blend(x: NDArray[np.float64], y: NDArray[np.float64]) -> Picture:
    """Bands of even grey: where two projectors overlap no edge may be seen in any of them, nor in the black."""
    band = np.clip(((y + 0.5) * len(LEVELS)).astype(int), 0, len(LEVELS) - 1)
    shown = np.zeros((len(y), len(x), 3), np.uint8)
    shown[:] = np.array(LEVELS, np.uint8)[band][:, None, None]
    return shown


def _focus(x: NDArray[np.float64], y: NDArray[np.float64]) -> Picture:
    """Tiles of lines one, two and four pixels wide, standing and lying, and of a chessboard of single pixels."""
    across, down = np.arange(len(x))[None], np.arange(len(y))[:, None]
    tile = max(len(y) // 9, 16)
    kinds = [
        across % 2, down % 2, across // 2 % 2, down // 2 % 2, across // 4 % 2, down // 4 % 2, (across + down) % 2,
    ]  # fmt: skip
    which = (across // tile + 3 * (down // tile)) % len(kinds)
    lit = np.zeros(which.shape, bool)
    for number, kind in enumerate(kinds):
        lit |= (which == number) & (kind == 1)
    lit[:2] = lit[-2:] = lit[:, :2] = lit[:, -2:] = True
    return np.repeat(np.where(lit, np.uint8(255), np.uint8(0))[..., None], 3, axis=-1)
