"""From a camera's picture to the wall's: small working pictures, whose pixels lie where the projected picture's do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

# Working pixels to a side of a grid cell: averaged down this far, camera noise is below the thresholds, and
# a frame costs well under a millisecond; an arm still covers several of them.
CELL_PIXELS = 8
# Colour is warped at so many times the working size, and averaged after: OpenCV's warp does not average.
FINER = 2


class Wall:
    """Brings pictures of one camera to (rows * CELL_PIXELS, cols * CELL_PIXELS), by four corners if given.

    `corners` are the wall's top left, top right, bottom right and bottom left, as shares of the camera's picture.
    """

    def __init__(self, grid: tuple[int, int], corners: Sequence[Sequence[float]] | None = None) -> None:
        self.width, self.height = grid[1] * CELL_PIXELS, grid[0] * CELL_PIXELS
        self._corners = None if corners is None else np.array(corners, np.float32)

    def colour(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """uint8 (H, W, 3) → (h, w, 3): averages of areas; black where the camera does not see the wall."""
        if self._corners is None:
            return _averaged_down(rgb, self.width, self.height)
        # Not below a few working pixels: the wall may be a small part of the picture.
        finer = _halved_down(rgb, 2 * FINER * self.width, 2 * FINER * self.height)
        size = (FINER * self.width, FINER * self.height)
        warped = cv2.warpPerspective(finer, self._matrix(finer, size), size, flags=cv2.INTER_LINEAR)
        return np.asarray(cv2.resize(warped, (self.width, self.height), interpolation=cv2.INTER_AREA), np.uint8)

    def depth(self, depth_m: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 (H, W) → (h, w), 0 where unknown; nearest, for an average across an edge would be a surface too."""
        return self._nearest(depth_m)

    def hidden(self, hidden: NDArray[np.bool_] | None, shape: tuple[int, ...]) -> NDArray[np.bool_] | None:
        """bool (H, W) of a picture of `shape` → (h, w): masked, or out of the camera's sight; None if nothing is."""
        if hidden is None and self._corners is None:
            return None
        seen = np.full(shape[:2], 255, np.uint8) if hidden is None else np.where(hidden, 0, 255).astype(np.uint8)
        # Averaged as colour is: a working pixel that has any masked one in it is masked.
        return np.asarray(self.colour(seen) < 255)

    def _nearest(self, picture: NDArray[Any]) -> NDArray[Any]:
        size = (self.width, self.height)
        if self._corners is None:
            return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST))
        return np.asarray(cv2.warpPerspective(picture, self._matrix(picture, size), size, flags=cv2.INTER_NEAREST))

    def _matrix(self, picture: NDArray[Any], size: tuple[int, int]) -> NDArray[np.float64]:
        """The homography from pixels of a picture to those of a wall of `size`; pixel centres are whole numbers."""
        assert self._corners is not None
        seen = self._corners * np.array([picture.shape[1], picture.shape[0]], np.float32) - 0.5
        wall = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32) * np.array(size, np.float32) - 0.5
        return np.asarray(cv2.getPerspectiveTransform(seen.astype(np.float32), wall.astype(np.float32)))


def _averaged_down(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """uint8 (height, width, …): averages of areas; halving first is the quick way to a small picture."""
    smaller = _halved_down(picture, 2 * width, 2 * height)
    return np.asarray(cv2.resize(smaller, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _halved_down(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Halved as often as it stays at least that large."""
    smaller: NDArray[np.uint8] = picture
    while smaller.shape[0] >= 2 * height and smaller.shape[1] >= 2 * width:
        half = (smaller.shape[1] // 2, smaller.shape[0] // 2)
        smaller = np.asarray(cv2.resize(smaller, half, interpolation=cv2.INTER_AREA), np.uint8)
    return smaller
