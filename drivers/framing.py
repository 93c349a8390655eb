"""What of a camera's picture may be seen at all, and which way is up: privacy masks, rotation and crop.

Points are shares (x, y) of the upright picture before it is cropped: (0, 0) is its top left corner, (1, 1) its bottom
right one. An area is two opposite corners of a rectangle, or three and more corners of a polygon.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from drivers.base import DriverConfig

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Point = tuple[Share, Share]
# Fractions of a pixel that OpenCV is told of corners, as a power of two.
SUB_PIXEL_BITS = 4


class FramingConfig(DriverConfig):
    """Options that all kinds with a picture share."""

    rotation_degrees: Literal[0, 90, 180, 270] = Field(
        default=0, description="clockwise, as the picture is to be turned"
    )
    crop: tuple[Point, Point] | None = Field(
        default=None, description="two opposite corners of what is kept, as shares of the turned picture"
    )
    privacy_masks: tuple[Annotated[tuple[Point, ...], Field(min_length=2)], ...] = Field(
        default=(), description="areas blanked before anything sees them: two corners, or a polygon, as shares"
    )

    @field_validator("crop")
    @classmethod
    def _has_an_area(cls, crop: tuple[Point, Point] | None) -> tuple[Point, Point] | None:
        if crop is not None and (crop[0][0] == crop[1][0] or crop[0][1] == crop[1][1]):
            raise ValueError("the two corners enclose nothing")
        return crop


class Framing:
    """Blanks, turns and crops the pictures of one camera."""

    def __init__(self, config: FramingConfig) -> None:
        self._config = config
        self._keep: NDArray[np.uint8] | None = None  # (H, W) as the pictures come, 0 where they are blanked
        self._hidden: NDArray[np.bool_] | None = None  # (h, w) as the pictures go

    @property
    def hidden(self) -> NDArray[np.bool_] | None:
        """What is blanked of the picture last given, bool (h, w); None where nothing is masked."""
        return self._hidden

    def apply(self, picture: NDArray[Any]) -> NDArray[Any]:
        """The picture (H, W) or (H, W, 3) of any type: blanked with 0 first of all, then turned, then cropped."""
        import cv2

        if self._config.privacy_masks:
            # Into a fresh picture of zeros, where the mask is not 0.
            picture = np.asarray(cv2.copyTo(picture, self._masks(picture.shape[0], picture.shape[1])))
        return np.ascontiguousarray(self._cropped(self._turned(picture)))

    def _masks(self, height: int, width: int) -> NDArray[np.uint8]:
        """uint8 (height, width), for pictures as they come: 0 where they are blanked; made once for a size."""
        if self._keep is not None and self._keep.shape == (height, width):
            return self._keep
        is_lying = self._config.rotation_degrees in (90, 270)
        upright = _drawn(self._config.privacy_masks, *((width, height) if is_lying else (height, width)))
        self._hidden = np.ascontiguousarray(self._cropped(upright)) != 0
        # np.rot90 turns anticlockwise: as many quarters as the picture is turned clockwise bring the mask to it.
        self._keep = np.ascontiguousarray(255 - np.rot90(upright, self._config.rotation_degrees // 90))
        return self._keep

    def _turned(self, picture: NDArray[Any]) -> NDArray[Any]:
        import cv2

        turns = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
        turn = turns.get(self._config.rotation_degrees)
        return picture if turn is None else np.asarray(cv2.rotate(picture, turn))

    def _cropped(self, picture: NDArray[Any]) -> NDArray[Any]:
        if self._config.crop is None:
            return picture
        height, width = picture.shape[:2]
        (x0, y0), (x1, y1) = self._config.crop
        left, right = _pixels(x0, x1, width)
        top, bottom = _pixels(y0, y1, height)
        return picture[top:bottom, left:right]


def _pixels(one: float, other: float, size: int) -> tuple[int, int]:
    """First pixel and the one after the last between two shares, in either order; at least one pixel."""
    first = min(round(min(one, other) * size), size - 1)
    return first, max(round(max(one, other) * size), first + 1)


def _drawn(areas: tuple[tuple[Point, ...], ...], height: int, width: int) -> NDArray[np.uint8]:
    """uint8 (height, width): 255 in every pixel that an area so much as touches."""
    import cv2

    drawn = np.zeros((height, width), np.uint8)
    for area in areas:
        corners = np.array(area, np.float64)
        if len(area) == 2:
            (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
            left, top = int(x0 * width), int(y0 * height)
            drawn[top : int(np.ceil(y1 * height)), left : int(np.ceil(x1 * width))] = 255
        else:
            # Pixel centres stand at whole numbers for OpenCV.
            places = np.round((corners * (width, height) - 0.5) * 2**SUB_PIXEL_BITS).astype(np.int32)
            cv2.fillPoly(drawn, [places], 255, cv2.LINE_8, SUB_PIXEL_BITS)
            cv2.polylines(drawn, [places], True, 255, 2, cv2.LINE_8, SUB_PIXEL_BITS)
    return drawn
