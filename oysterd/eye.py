"""One camera's sight: pictures in, where visitors are out; learns its empty room by command and remembers it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivers.base import Depth, Picture
from oysterd import room_model
from oysterd.people import Place, places_of
from oysterd.presence import PresenceMap, with_colour
from oysterd.presence_colour import PresenceFromColour
from oysterd.presence_config import PresenceConfig
from oysterd.presence_depth import PresenceFromDepth
from oysterd.room_model import LearnedRoom, NotLearned

logger = logging.getLogger(__name__)

# Pictures kept of each second of learning: more say the same again.
LEARNED_PER_S = 10.0
# A learned room goes on being refreshed; what it has become is kept this often.
KEPT_EVERY_S = 600.0
# By then the light of the day is another one: an older room is known by its depth alone.
COLOUR_HOLDS_S = 3600.0


@dataclass(frozen=True)
class Seen:
    """Presence float32 (rows, cols, 2), and where people are, both in the wall's picture."""

    presence: PresenceMap
    people: list[Place]


class _Learning:
    """Working pictures of an empty room, from the first one on until `seconds` have passed."""

    def __init__(self, seconds: float, done: Callable[[str | None], None]) -> None:
        self.seconds = seconds
        self.done = done
        self.pictures: dict[str, list[NDArray[np.float32]]] = {}
        self.begun_ns: int | None = None
        self.taken_ns = 0


class Eye:
    """Sees for one input. `room_file` keeps its learned room; `seen_by` says how the camera is set up.

    Where a depth camera's picture comes with colour, colour is looked at only if the configuration says so.
    """

    def __init__(self, grid: tuple[int, int], config: PresenceConfig, room_file: Path, seen_by: str) -> None:
        self._config = config
        self._room_file = room_file
        self._seen_by = seen_by
        self._colour = PresenceFromColour(grid, config.colour, config.corners)
        self._depth = PresenceFromDepth(grid, config.near_m, config.far_m, config.depth, config.corners)
        self._learning: _Learning | None = None
        self._learned: dict[str, LearnedRoom] = {}  # waits to be kept or dropped
        self._deviations: dict[str, NDArray[np.float32]] = {}
        self._kept_ns: int | None = None
        self._know(self._remembered())

    def see(self, sample: Picture | Depth) -> Seen:
        """What one more picture shows."""
        seen = self._of_colour(sample) if isinstance(sample, Picture) else self._of_depth(sample)
        if self._learning is not None:
            self._learn(self._learning, sample.captured_ns)
        elif self._deviations:
            self._keep_now_and_then(sample.captured_ns)
        return seen

    def learn(self, seconds: float, done: Callable[[str | None], None]) -> None:
        """Learn the room from the pictures of the next seconds, then call `done(None)`, or `done(why)` if it failed.

        Nothing changes until `keep`. What was being learned by an earlier call is given up, and said so.
        """
        self.give_up("learning began anew")
        self._learned = {}
        self._learning = _Learning(seconds, done)

    def keep(self, is_kept: bool) -> None:
        """See by the room that was learned last, from now on and after a restart; or forget it."""
        learned, self._learned = self._learned, {}
        if is_kept and learned:
            self._know(learned)
            self._save(learned)

    def give_up(self, why: str) -> None:
        """End a learning that can't be finished."""
        if self._learning is not None:
            learning, self._learning = self._learning, None
            learning.done(why)

    def _of_colour(self, sample: Picture) -> Seen:
        presence = self._colour.update(sample.rgb, sample.hidden)
        return Seen(presence, places_of(self._colour.visitor))

    def _of_depth(self, sample: Depth) -> Seen:
        presence = self._depth.update(sample.depth_m)
        people = places_of(self._depth.visitor, self._depth.small)
        if self._config.use_colour and sample.rgb is not None:
            colour = self._colour.update(sample.rgb, sample.hidden)
            presence = with_colour(presence, colour, self._depth.unknown())
        return Seen(presence, people)

    def _learn(self, learning: _Learning, captured_ns: int) -> None:
        if learning.begun_ns is None:
            learning.begun_ns = captured_ns
        if captured_ns - learning.taken_ns >= 0.9e9 / LEARNED_PER_S:
            learning.taken_ns = captured_ns
            for name, small in self._working().items():
                learning.pictures.setdefault(name, []).append(small)
        if captured_ns - learning.begun_ns < learning.seconds * 1e9:
            return
        self._learning = None
        try:
            self._learned = {
                name: room_model.learn(taken, name == "depth") for name, taken in learning.pictures.items()
            }
        except NotLearned as error:
            learning.done(str(error))
        else:
            learning.done(None)

    def _working(self) -> dict[str, NDArray[np.float32]]:
        """The last working picture of each sense that is in use."""
        working = {}
        if self._colour.small is not None:
            working["colour"] = self._colour.small
        if self._depth.small is not None:
            working["depth"] = self._depth.small
        return working

    def _remembered(self) -> dict[str, LearnedRoom]:
        rooms = room_model.load(self._room_file, self._seen_by)
        if "colour" in rooms and time.time() - self._room_file.stat().st_mtime > COLOUR_HOLDS_S:
            del rooms["colour"]
        return rooms

    def _know(self, rooms: dict[str, LearnedRoom]) -> None:
        if "colour" in rooms:
            self._colour.know(rooms["colour"])
        if "depth" in rooms:
            self._depth.know(rooms["depth"])
        self._deviations = {name: room.deviation for name, room in rooms.items()}

    def _keep_now_and_then(self, captured_ns: int) -> None:
        if self._kept_ns is None:
            self._kept_ns = captured_ns
        if captured_ns - self._kept_ns < KEPT_EVERY_S * 1e9:
            return
        self._kept_ns = captured_ns
        now = {"colour": self._colour.room(), "depth": self._depth.room()}
        rooms = {
            name: LearnedRoom(room, self._deviations[name])
            for name, room in now.items()
            if room is not None and name in self._deviations
        }
        self._save(rooms)

    def _save(self, rooms: dict[str, LearnedRoom]) -> None:
        try:
            room_model.save(self._room_file, rooms, self._seen_by)
        except OSError as error:
            logger.warning("%s: the learned room can't be kept for a restart: %s", self._room_file, error)
