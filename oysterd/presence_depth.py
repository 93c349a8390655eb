"""Presence from depth: who stands nearer than the empty room, and how near."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from oysterd.presence import PresenceMap, cells, ring_on, settled
from oysterd.presence_config import DepthPresenceConfig
from oysterd.room_model import LearnedRoom
from oysterd.wall import CELL_PIXELS, Wall

# A learned pixel's own flicker begins a visitor at so many deviations.
DEVIATIONS = 4.0
# Shares of the difference that one picture teaches: small noise at once; what is suddenly farther only when it stays
# so for half a second, since single pixels at edges jump back and forth.
NOISE_RATE, FARTHER_RATE = 0.2, 0.06


class PresenceFromDepth:
    """Presence from one fixed depth camera: near is 1 at `near_m` and 0 at `far_m`, and 0 where the room is empty."""

    def __init__(
        self,
        grid: tuple[int, int],
        near_m: float,
        far_m: float,
        config: DepthPresenceConfig | None = None,
        corners: Sequence[Sequence[float]] | None = None,
    ) -> None:
        if not 0.0 <= near_m < far_m:
            raise ValueError(f"near_m {near_m} must be at least 0 and less than far_m {far_m}")
        self._grid = grid
        self._near_m = near_m
        self._far_m = far_m
        self._config = config or DepthPresenceConfig()
        self._wall = Wall(grid, corners)
        self._room_m: NDArray[np.float32] | None = None  # (h, w), 0 where never seen
        self._before_m: NDArray[np.float32] | None = None  # (h, w), 0 where unknown
        self._noise_m = np.zeros((1, 1), np.float32)  # or (h, w)
        self._absorbed_s = self._config.absorbed_s
        self._stir = np.zeros(grid, np.float32)
        size = (self._wall.height, self._wall.width)
        self.small: NDArray[np.float32] | None = None  # the working picture (h, w) of the last update
        self.visitor: NDArray[np.bool_] = np.zeros(size, np.bool_)  # and who is in it

    def know(self, learned: LearnedRoom) -> None:
        """Take a learned room in place of what was learned on the way."""
        # Where ten seconds showed nothing, the room is out of the camera's range: who appears there is a visitor.
        self._room_m = np.where(learned.room > 0.0, learned.room, np.float32(self._far_m)).astype(np.float32)
        self._noise_m = DEVIATIONS * learned.deviation
        self._absorbed_s = self._config.learned_absorbed_s

    def room(self) -> NDArray[np.float32] | None:
        """The empty room as it is known now, (h, w) in metres."""
        return self._room_m

    def unknown(self) -> NDArray[np.float32]:
        """The share of each cell (rows, cols) without depth in the last picture."""
        if self.small is None:
            return np.ones(self._grid, np.float32)
        return cells((self.small <= 0.0).astype(np.float32), self._grid)

    def update(self, depth_m: NDArray[np.float32]) -> PresenceMap:
        """The map after one more picture, float32 (H, W) in metres, 0 where unknown; the first gives zeros."""
        small_m = self._wall.depth(depth_m).astype(np.float32)
        self.small = small_m
        if self._room_m is None:
            self._room_m = small_m
        if self._before_m is None:
            self._before_m = small_m
        known = small_m > 0.0
        margin_m = np.maximum(self._config.margin_m + self._config.margin_per_m2 * small_m**2, self._noise_m)
        visitor = known & (self._room_m - small_m > margin_m)
        moved = known & (self._before_m > 0.0) & (np.abs(small_m - self._before_m) > margin_m)
        self.visitor = visitor
        self._before_m = np.where(known, small_m, self._before_m)
        self._room_m = self._learned(small_m, known, visitor, margin_m)

        nearness = np.clip((self._far_m - small_m) / (self._far_m - self._near_m), 0.0, 1.0) * visitor
        covered = settled(cells(visitor.astype(np.float32), self._grid))
        mean_nearness = cells(nearness.astype(np.float32), self._grid) / np.maximum(covered, 1.0 / CELL_PIXELS**2)
        near = mean_nearness * np.minimum(covered / self._config.coverage_full, 1.0)
        moving = np.minimum(settled(cells(moved.astype(np.float32), self._grid)) / self._config.coverage_full, 1.0)
        fade = float(np.exp(-1.0 / (self._config.stir_fade_s * self._config.pictures_per_s)))
        self._stir = ring_on(self._stir, moving.astype(np.float32), fade)
        return np.stack([settled(near.astype(np.float32)), settled(self._stir)], axis=-1)

    def _learned(
        self,
        small_m: NDArray[np.float32],
        known: NDArray[np.bool_],
        visitor: NDArray[np.bool_],
        margin_m: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """The empty room: what is farther is learned soon, for nobody sees through a wall; what is nearer slowly."""
        assert self._room_m is not None
        absorbed = 1.0 / (self._absorbed_s * self._config.pictures_per_s)
        is_farther = small_m - self._room_m > margin_m
        rate = np.where(visitor, np.float32(absorbed), np.where(is_farther, np.float32(FARTHER_RATE), NOISE_RATE))
        learned_m = np.where(self._room_m > 0.0, self._room_m + rate * (small_m - self._room_m), small_m)
        return np.where(known, learned_m, self._room_m).astype(np.float32)
