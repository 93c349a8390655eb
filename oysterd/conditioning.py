"""What the room and its operators ask of the next step, of all that was last said and seen.

Operators win over sensors, key by key, until they release a key; what is stale has not been said. The fast motion
of keys and joysticks wins over a motion that was set by a command, and standing still follows it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from model.conditions import ENVIRONMENT, GRID, MOTION
from oysterd.changes import Change, Motion, PresencePoint
from oysterd.clock import Clock
from oysterd.config import Settings
from oysterd.people import Place, count
from oysterd.presence import NEAR, STIR, PresenceMap, fuse
from oysterd.sensors import Sensors
from oysterd.slot import Slot

# Keys and joysticks are sent again several times a second while they are held.
FAST_MOTION_MAX_AGE_S = 0.4
# Who let go stands still so long before the world may lead again: this number is arbitrary.
STAND_STILL_S = 5.0
# How far a point of presence reaches, in cells of the grid: a visitor is about as wide as a cell.
POINT_SPREAD_CELLS = 0.6


def presence_of(points: list[PresencePoint], grid: tuple[int, int] = GRID) -> PresenceMap:
    """The map float32 (rows, cols, 2) of visitors given as points; an empty list gives zeros."""
    rows, cols = grid
    row, col = np.mgrid[:rows, :cols].astype(np.float32)
    presence = np.zeros((rows, cols, 2), np.float32)
    for point in points:
        # Cell centres stand at whole numbers.
        distance2 = (col - (point.x * cols - 0.5)) ** 2 + (row - (point.y * rows - 0.5)) ** 2
        weight = np.exp(-distance2 / (2 * POINT_SPREAD_CELLS**2))
        # The cell it stands in has it whole, wherever in the cell that is.
        weight[min(int(point.y * rows), rows - 1), min(int(point.x * cols), cols - 1)] = 1.0
        weight[weight < 0.05] = 0.0
        presence[..., NEAR] = np.maximum(presence[..., NEAR], weight * point.near)
        presence[..., STIR] = np.maximum(presence[..., STIR], weight * point.stir)
    return presence


class Conditioning:
    """Takes what arrives, on any thread, and gives the conditions of the next step."""

    def __init__(self, settings: Settings, clock: Clock, sensors: Sensors | None = None) -> None:
        """Without `sensors`, those of the settings are made, whose triggers nobody hears."""
        self._lock = threading.Lock()
        self._sensors = sensors or Sensors(settings, clock)
        self._presence: dict[str, Slot[PresenceMap]] = {
            device.name: Slot(clock, device.max_age_s) for device in settings.inputs if device.use == "presence"
        }
        self._people: dict[str, Slot[list[Place]]] = {
            device.name: Slot(clock, device.max_age_s) for device in settings.inputs if device.use == "presence"
        }
        self._heard: dict[str, dict[str, Slot[float]]] = {
            value: {device.name: Slot(clock, device.max_age_s) for device in settings.inputs if device.use == "sensors"}
            for value in ("loudness_dbfs", "voice")
        }
        self._fast_motion: Slot[Motion] = Slot(clock, FAST_MOTION_MAX_AGE_S)
        self._set_motion: Motion | None = None
        self._set_environment: dict[str, float] = {}
        self._set_presence: PresenceMap | None = None

    def presence(self, source: str, presence: PresenceMap, captured_ns: int, people: Sequence[Place] = ()) -> None:
        """A map float32 (rows, cols, 2) of an input, and where it sees people; their number is `<input>.people_count`.

        Raises ValueError for another shape, KeyError for a stranger.
        """
        if presence.shape != (*GRID, 2):
            raise ValueError(f"{source}: a presence map must be {(*GRID, 2)}, not {presence.shape}")
        self._presence[source].put(presence, captured_ns)
        self._people[source].put(list(people), captured_ns)
        self.readings(source, {"people_count": float(len(people))}, captured_ns)

    def people(self) -> int | None:
        """How many people all cameras together see, coarsely; None when none of them sees."""
        places = [seen for slot in self._people.values() if (seen := slot.get()) is not None]
        return count(places) if places else None

    def readings(self, source: str, values: Mapping[str, float], captured_ns: int | None = None) -> None:
        """Values of an input, or of `mqtt`, `zmq` or `osc`; those that no mapping names are dropped.

        The `loudness_dbfs` of an input is what the room hears, and its `voice` whether somebody speaks there.
        """
        for name, slots in self._heard.items():
            if name in values and source in slots:
                slots[source].put(values[name], captured_ns)
        self._sensors.readings(source, values, captured_ns)

    def heard(self) -> dict[str, float | None]:
        """What all microphones together hear now: `loudness_dbfs`, and `voice`, 1 where somebody speaks, else 0."""
        return {
            name: max((value for slot in slots.values() if (value := slot.get()) is not None), default=None)
            for name, slots in self._heard.items()
        }

    def holders(self) -> dict[str, str]:
        """Who holds which key of the environment now, "operator" or "sensor"; the others are the world's."""
        holders = dict.fromkeys(self._sensors.environment(), "sensor")
        with self._lock:
            return holders | dict.fromkeys(self._set_environment, "operator")

    def mappings(self) -> dict[str, Any]:
        """What each sensor does to the world now, for people; see `Sensors.rows`."""
        with self._lock:
            overruled = set(self._set_environment)
        return self._sensors.rows(overruled)

    def fast_motion(self, motion: Motion) -> None:
        """What keys or a joystick say now; it must be said again while it holds."""
        self._fast_motion.put(motion)

    def change(self, change: Change) -> None:
        """Keep the lasting parts of an operator's change: motion, environment and presence."""
        with self._lock:
            if change.motion is not None:
                self._set_motion = change.motion
                self._fast_motion.clear()  # who commands after the keys has the last word
            if change.presence is not None:
                self._set_presence = presence_of(change.presence)
            if change.release is not None and "motion" in change.release:
                self._set_motion = None
                self._fast_motion.clear()
            if change.release is not None and "presence" in change.release:
                self._set_presence = None
            if change.environment is not None:
                for key in ENVIRONMENT:
                    value = getattr(change.environment, key)
                    if value == "release":
                        self._set_environment.pop(key, None)
                    elif value is not None:
                        self._set_environment[key] = float(value)

    def conditions(self) -> dict[str, Any]:
        """The message for the world; what nobody asks for is None, or not there."""
        environment = self._sensors.environment()
        with self._lock:
            environment.update(self._set_environment)
            motion, presence = self._motion(), self._presence_now()
        return {
            "type": "conditions",
            "motion": None if motion is None else [getattr(motion, key) for key in MOTION],
            "environment": environment,
            "presence": None if presence is None else presence.reshape(-1, 2).tolist(),
            "loudness_dbfs": self.heard()["loudness_dbfs"],
        }

    def _motion(self) -> Motion | None:
        fast, age_s = self._fast_motion.get(), self._fast_motion.age_s
        if fast is not None:
            return fast
        if self._set_motion is None and age_s is not None and age_s <= STAND_STILL_S:
            return Motion()
        return self._set_motion

    def _presence_now(self) -> PresenceMap | None:
        if self._set_presence is not None:
            return self._set_presence
        maps = [presence for slot in self._presence.values() if (presence := slot.get()) is not None]
        return fuse(maps) if maps else None
