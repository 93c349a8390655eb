"""Where visitors are and how they move: maps of a few hundred numbers, made from pictures that go no further.

A map is float32 (rows, cols, 2) on the model's token grid, row 0 at the top of the picture. Channel NEAR (0..1) tells
that a visitor is there, from depth how near; channel STIR (0..1) tells how much moves there. An empty room at
rest is 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

NEAR = 0
STIR = 1

PresenceMap = NDArray[np.float32]

# Working pixels to a side of a grid cell: averaged down this far, camera noise is below the thresholds, and
# a frame costs well under a millisecond; an arm still covers several of them.
CELL_PIXELS = 8


class ColourPresenceConfig(BaseModel):
    """How presence is read from colour. Levels are of 8 bits, times in seconds of pictures at `pictures_per_s`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pictures_per_s: float = Field(
        default=30.0, gt=0, description="the camera's rate, which turns the times into pictures"
    )
    warm_up_s: float = Field(
        default=1.0, ge=0, description="after the first picture all that is seen counts as empty room"
    )
    background_s: float = Field(
        default=20.0, gt=0, description="how slowly the empty room is learned: daylight is slower"
    )
    absorbed_s: float = Field(
        default=180.0, gt=0, description="how slowly what stands still becomes room: chairs, not people"
    )
    # Sensor noise after averaging is 1 to 2 levels, codec shimmer up to 5; clothes against a wall differ by 20 or more.
    silhouette_levels: float = Field(
        default=12.0, gt=0, description="difference from the empty room that begins a silhouette"
    )
    motion_levels: float = Field(
        default=6.0, gt=0, description="difference from the picture before that begins a motion"
    )
    relearn_share: float = Field(
        default=0.7, gt=0, le=1, description="of the picture changed at once: lights, not visitors"
    )
    # Plain clothes change at their edges only: a walker's edge crosses about a quarter of a cell between pictures.
    moving_full: float = Field(default=0.25, gt=0, le=1, description="share of a cell that counts as all of it moving")
    stir_fade_s: float = Field(default=0.4, gt=0, description="how long a motion rings on")


class DepthPresenceConfig(BaseModel):
    """How presence is read from depth. Times in seconds of pictures at `pictures_per_s`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pictures_per_s: float = Field(
        default=30.0, gt=0, description="the camera's rate, which turns the times into pictures"
    )
    absorbed_s: float = Field(default=180.0, gt=0, description="how slowly what stands still becomes room")
    # A stereo camera's error grows with the square of distance; Intel's D400 data sheet allows 2 % at 2 m.
    margin_m: float = Field(default=0.10, gt=0, description="nearer than the empty room by this is a visitor, at 0 m")
    margin_per_m2: float = Field(default=0.02, ge=0, description="and by this more for each square metre of distance")
    coverage_full: float = Field(default=0.5, gt=0, le=1, description="share of a cell that counts as all of it")
    stir_fade_s: float = Field(default=0.4, gt=0, description="how long a motion rings on")


class PresenceFromColour:
    """Presence from the pictures of one fixed camera, against a slowly learned empty room."""

    def __init__(self, grid: tuple[int, int], config: ColourPresenceConfig | None = None) -> None:
        self._grid = grid
        self._config = config or ColourPresenceConfig()
        self._background: NDArray[np.float32] | None = None  # (h, w, 3) levels
        self._before: NDArray[np.float32] | None = None  # (h, w, 3) levels
        self._stir = np.zeros(grid, np.float32)
        self._seen = 0

    def update(self, rgb: NDArray[np.uint8]) -> PresenceMap:
        """The map after one more picture, uint8 (H, W, 3); the first picture gives zeros."""
        rows, cols = self._grid
        levels = _averaged_down(rgb, cols * CELL_PIXELS, rows * CELL_PIXELS).astype(np.float32)
        self._seen += 1
        if self._background is None or self._before is None:
            self._background = levels
            self._before = levels
            return np.zeros((*self._grid, 2), np.float32)
        difference = levels - self._background
        # The exposure's own drift is the same everywhere, and no visitor is everywhere.
        drift = np.median(difference[::2, ::2], axis=(0, 1))
        silhouette = _ramp(_strongest_channel(difference - drift.astype(np.float32)), self._config.silhouette_levels)
        motion = _ramp(_strongest_channel(levels - self._before), self._config.motion_levels)
        self._before = levels
        if float((silhouette > 0.5).mean()) > self._config.relearn_share:
            return self._relearn(levels)
        self._learn(levels, silhouette)
        # Settled before it is made full: a single noisy pixel must not become a motion.
        moving = np.minimum(_settled(_cells(motion, self._grid)) / np.float32(self._config.moving_full), 1.0)
        self._stir = _ring_on(self._stir, moving, self._fade_per_picture())
        near = _settled(_cells(silhouette, self._grid))
        return np.stack([near, _settled(self._stir)], axis=-1)

    def _relearn(self, levels: NDArray[np.float32]) -> PresenceMap:
        self._background = levels
        self._stir = np.zeros(self._grid, np.float32)
        return np.zeros((*self._grid, 2), np.float32)

    def _learn(self, levels: NDArray[np.float32], silhouette: NDArray[np.float32]) -> None:
        assert self._background is not None
        config = self._config
        if self._seen <= config.warm_up_s * config.pictures_per_s:
            self._background = self._background + (levels - self._background) / np.float32(self._seen)
            return
        room_rate = 1.0 / (config.background_s * config.pictures_per_s)
        visitor_rate = 1.0 / (config.absorbed_s * config.pictures_per_s)
        rate = room_rate + (visitor_rate - room_rate) * silhouette[..., None]
        self._background = self._background + rate * (levels - self._background)

    def _fade_per_picture(self) -> float:
        return float(np.exp(-1.0 / (self._config.stir_fade_s * self._config.pictures_per_s)))


class PresenceFromDepth:
    """Presence from one fixed depth camera: near is 1 at `near_m` and 0 at `far_m`, and 0 where the room is empty."""

    def __init__(
        self, grid: tuple[int, int], near_m: float, far_m: float, config: DepthPresenceConfig | None = None
    ) -> None:
        if not 0.0 <= near_m < far_m:
            raise ValueError(f"near_m {near_m} must be at least 0 and less than far_m {far_m}")
        self._grid = grid
        self._near_m = near_m
        self._far_m = far_m
        self._config = config or DepthPresenceConfig()
        self._room_m: NDArray[np.float32] | None = None  # (h, w), 0 where never seen
        self._before_m: NDArray[np.float32] | None = None  # (h, w), 0 where unknown
        self._stir = np.zeros(grid, np.float32)

    def update(self, depth_m: NDArray[np.float32]) -> PresenceMap:
        """The map after one more picture, float32 (H, W) in metres, 0 where unknown; the first gives zeros."""
        rows, cols = self._grid
        # Nearest: an average across an edge would make surfaces where there are none.
        size = (cols * CELL_PIXELS, rows * CELL_PIXELS)
        small_m = cv2.resize(depth_m, size, interpolation=cv2.INTER_NEAREST).astype(np.float32)
        if self._room_m is None or self._before_m is None:
            self._room_m = small_m
            self._before_m = small_m
            return np.zeros((*self._grid, 2), np.float32)
        known = small_m > 0.0
        margin_m = self._config.margin_m + self._config.margin_per_m2 * small_m**2
        visitor = known & (self._room_m - small_m > margin_m)
        moved = known & (self._before_m > 0.0) & (np.abs(small_m - self._before_m) > margin_m)
        self._before_m = np.where(known, small_m, self._before_m)
        self._room_m = self._learned(small_m, known, visitor)

        nearness = np.clip((self._far_m - small_m) / (self._far_m - self._near_m), 0.0, 1.0) * visitor
        covered = _settled(_cells(visitor.astype(np.float32), self._grid))
        mean_nearness = _cells(nearness.astype(np.float32), self._grid) / np.maximum(covered, 1.0 / CELL_PIXELS**2)
        near = mean_nearness * np.minimum(covered / self._config.coverage_full, 1.0)
        moving = np.minimum(_settled(_cells(moved.astype(np.float32), self._grid)) / self._config.coverage_full, 1.0)
        fade = float(np.exp(-1.0 / (self._config.stir_fade_s * self._config.pictures_per_s)))
        self._stir = _ring_on(self._stir, moving.astype(np.float32), fade)
        return np.stack([_settled(near.astype(np.float32)), _settled(self._stir)], axis=-1)

    def _learned(
        self, small_m: NDArray[np.float32], known: NDArray[np.bool_], visitor: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """The empty room: what is farther is learned fast, for nobody sees through a wall; what is nearer slowly."""
        assert self._room_m is not None
        absorbed = 1.0 / (self._config.absorbed_s * self._config.pictures_per_s)
        rate = np.where(visitor, np.float32(absorbed), np.float32(0.2))
        rate = np.where(self._room_m > 0.0, rate, np.float32(1.0))
        return np.where(known, self._room_m + rate * (small_m - self._room_m), self._room_m).astype(np.float32)


def fuse(maps: Sequence[PresenceMap]) -> PresenceMap:
    """One map of several of the same shape (rows, cols, 2): the strongest of each. Raises ValueError otherwise."""
    if not maps:
        raise ValueError("fuse needs at least one presence map")
    if len({presence.shape for presence in maps}) != 1:
        raise ValueError(f"presence maps of different shapes: {[presence.shape for presence in maps]}")
    fused: PresenceMap = np.maximum.reduce(list(maps))
    return fused


def _averaged_down(rgb: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """uint8 (height, width, 3): averages of areas; halving first is the quick way to a small picture."""
    smaller: NDArray[np.uint8] = rgb
    while smaller.shape[0] >= 4 * height and smaller.shape[1] >= 4 * width:
        half = (smaller.shape[1] // 2, smaller.shape[0] // 2)
        smaller = np.asarray(cv2.resize(smaller, half, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(smaller, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _strongest_channel(difference: NDArray[np.float32]) -> NDArray[np.float32]:
    """The largest magnitude of the three colours: (h, w, 3) → (h, w)."""
    red, green, blue = cv2.split(np.abs(difference))
    strongest: NDArray[np.float32] = np.maximum(np.maximum(red, green), blue)
    return strongest


def _ramp(difference: NDArray[np.float32], threshold: float) -> NDArray[np.float32]:
    """0 up to the threshold, 1 from twice the threshold: hard steps would flicker with the noise."""
    ramp: NDArray[np.float32] = np.clip(difference / np.float32(threshold) - np.float32(1.0), 0.0, 1.0)
    return ramp


def _cells(pixels: NDArray[np.float32], grid: tuple[int, int]) -> NDArray[np.float32]:
    """The mean of each grid cell: (rows * CELL_PIXELS, cols * CELL_PIXELS) → (rows, cols)."""
    rows, cols = grid
    cells: NDArray[np.float32] = pixels.reshape(rows, CELL_PIXELS, cols, CELL_PIXELS).mean(axis=(1, 3))
    return cells


def _ring_on(stir: NDArray[np.float32], motion: NDArray[np.float32], fade: float) -> NDArray[np.float32]:
    """Motion counts at once and fades over time, so that a step of the world cannot miss it between two pictures."""
    rung: NDArray[np.float32] = np.maximum(motion, stir * np.float32(fade))
    return rung


def _settled(cells: NDArray[np.float32]) -> NDArray[np.float32]:
    """Two working pixels of 64 in a cell are noise, not a visitor: exactly 0, so that a room at rest is at rest."""
    return np.where(cells > 2.0 / CELL_PIXELS**2, np.minimum(cells, 1.0), 0.0).astype(np.float32)
