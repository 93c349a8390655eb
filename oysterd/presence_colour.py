"""Presence from colour: who differs from the empty room, and what differs from the picture before."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from oysterd.presence import PresenceMap, cells, ramp, ring_on, settled
from oysterd.presence_config import ColourPresenceConfig
from oysterd.room_model import LearnedRoom
from oysterd.wall import Wall

# A learned pixel's own flicker begins a silhouette at so many deviations: one in ten thousand, for normal noise.
DEVIATIONS = 4.0


class PresenceFromColour:
    """Presence from the pictures of one fixed camera, against a slowly learned empty room."""

    def __init__(
        self,
        grid: tuple[int, int],
        config: ColourPresenceConfig | None = None,
        corners: Sequence[Sequence[float]] | None = None,
    ) -> None:
        self._grid = grid
        self._config = config or ColourPresenceConfig()
        self._wall = Wall(grid, corners)
        self._room: NDArray[np.float32] | None = None  # (h, w, 3) levels
        self._before: NDArray[np.float32] | None = None  # (h, w, 3) levels
        self._threshold = np.float32(self._config.silhouette_levels) * np.ones((1, 1), np.float32)  # or (h, w)
        self._absorbed_s = self._config.absorbed_s
        self._stir = np.zeros(grid, np.float32)
        self._seen = 0
        self.small: NDArray[np.float32] | None = None  # the working picture (h, w, 3) of the last update
        self.visitor: NDArray[np.bool_] = np.zeros((self._wall.height, self._wall.width), np.bool_)  # and who is in it

    def know(self, learned: LearnedRoom) -> None:
        """Take a learned room in place of what was learned on the way."""
        self._room = learned.room
        strongest = DEVIATIONS * learned.deviation.max(axis=-1)
        self._threshold = np.maximum(strongest, np.float32(self._config.silhouette_levels))
        self._absorbed_s = self._config.learned_absorbed_s
        self._seen = round(self._config.warm_up_s * self._config.pictures_per_s) + 1

    def room(self) -> NDArray[np.float32] | None:
        """The empty room as it is known now, (h, w, 3) levels."""
        return self._room

    def update(self, rgb: NDArray[np.uint8], hidden: NDArray[np.bool_] | None = None) -> PresenceMap:
        """The map after one more picture, uint8 (H, W, 3); the first gives zeros. `hidden` (H, W) sees nobody."""
        levels = self._wall.colour(rgb).astype(np.float32)
        unseen = self._wall.hidden(hidden, rgb.shape)
        self.small = levels
        self._seen += 1
        if self._room is None:
            self._room = levels
        if self._before is None:
            self._before = levels
        difference = levels - self._room
        # The exposure's own drift is the same everywhere, and no visitor is everywhere.
        known = difference[::2, ::2].reshape(-1, 3) if unseen is None else difference[~unseen]
        drift = np.median(known, axis=0) if len(known) else np.zeros(3)
        silhouette = ramp(_strongest_channel(difference - drift.astype(np.float32)), self._threshold)
        motion = ramp(_strongest_channel(levels - self._before), self._config.motion_levels)
        if unseen is not None:
            silhouette[unseen] = motion[unseen] = 0.0
        self._before = levels
        self.visitor = silhouette > 0.5
        if float(self.visitor.mean()) > self._config.relearn_share:
            return self._relearn(levels)
        self._learn(levels, silhouette)
        # Settled before it is made full: a single noisy pixel must not become a motion.
        moving = np.minimum(settled(cells(motion, self._grid)) / np.float32(self._config.moving_full), 1.0)
        self._stir = ring_on(self._stir, moving, self._fade_per_picture())
        near = settled(cells(silhouette, self._grid))
        return np.stack([near, settled(self._stir)], axis=-1)

    def _relearn(self, levels: NDArray[np.float32]) -> PresenceMap:
        self._room = levels
        self.visitor = np.zeros_like(self.visitor)
        self._stir = np.zeros(self._grid, np.float32)
        return np.zeros((*self._grid, 2), np.float32)

    def _learn(self, levels: NDArray[np.float32], silhouette: NDArray[np.float32]) -> None:
        assert self._room is not None
        config = self._config
        if self._seen <= config.warm_up_s * config.pictures_per_s:
            self._room = self._room + (levels - self._room) / np.float32(self._seen)
            return
        room_rate = 1.0 / (config.background_s * config.pictures_per_s)
        visitor_rate = 1.0 / (self._absorbed_s * config.pictures_per_s)
        rate = room_rate + (visitor_rate - room_rate) * silhouette[..., None]
        self._room = self._room + rate * (levels - self._room)

    def _fade_per_picture(self) -> float:
        return float(np.exp(-1.0 / (self._config.stir_fade_s * self._config.pictures_per_s)))


def _strongest_channel(difference: NDArray[np.float32]) -> NDArray[np.float32]:
    """The largest magnitude of the three colours: (h, w, 3) → (h, w)."""
    red, green, blue = cv2.split(np.abs(difference))
    strongest: NDArray[np.float32] = np.maximum(np.maximum(red, green), blue)
    return strongest
