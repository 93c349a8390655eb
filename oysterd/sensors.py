"""All sensors of a room: what they read becomes weather by mappings, and changes by triggers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from oysterd.changes import Change
from oysterd.clock import Clock
from oysterd.config import Settings
from oysterd.mapped import Mapped
from oysterd.triggers import Trigger

# Sensors that report over MQTT and ZeroMQ often send changes only: ten minutes is arbitrary, but a lost weather
# station must not hold the sky for ever.
REMOTE_MAX_AGE_S = 600.0


def hour_of_day() -> float:
    """The local time of day in hours, 0..24, as the machine's own clock and time zone have it."""
    now = time.localtime()
    return now.tm_hour + now.tm_min / 60 + now.tm_sec / 3600


class Sensors:
    """Takes readings on any thread. `fire(sensor, change)` is called on that thread, under no lock."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        fire: Callable[[str, Change], object] | None = None,
        hour: Callable[[], float] = hour_of_day,
    ) -> None:
        ages_s = {device.name: device.max_age_s for device in settings.inputs}
        self._lock = threading.Lock()
        self._fire = fire
        self._hour = hour
        self._mapped = [
            Mapped(mapping, clock, ages_s.get(mapping.sensor.partition(".")[0], REMOTE_MAX_AGE_S))
            for mapping in settings.mappings
        ]
        self._triggers = [Trigger(trigger, clock) for trigger in settings.triggers]
        self._uses_clock = "clock" in {*(m.source for m in self._mapped), *(t.source for t in self._triggers)}

    def readings(self, source: str, values: Mapping[str, float], captured_ns: int | None = None) -> None:
        """Values of an input, or of `mqtt`, `zmq` or `osc`; those that nothing names are dropped."""
        due: list[Trigger] = []
        with self._lock:
            for mapped in self._mapped:
                if mapped.source == source and mapped.value_name in values:
                    mapped.put(values[mapped.value_name], captured_ns)
            for trigger in self._triggers:
                if (
                    trigger.source == source
                    and trigger.value_name in values
                    and trigger.put(values[trigger.value_name])
                ):
                    due.append(trigger)
        for trigger in due:
            if self._fire is not None:
                self._fire(trigger.config.sensor, trigger.change)

    def environment(self) -> dict[str, float]:
        """The keys that sensors drive now; of several mappings of a key the last that is fresh."""
        if self._uses_clock:
            self.readings("clock", {"hour": self._hour()})
        with self._lock:
            asked = ((mapped.key, mapped.get()) for mapped in self._mapped)
            return {key: value for key, value in asked if value is not None}

    def rows(self, overruled: Collection[str]) -> dict[str, list[dict[str, Any]]]:
        """What each mapping and trigger does now; `overruled` are the keys that operators hold."""
        with self._lock:
            rows = [mapped.row() for mapped in self._mapped]
            triggers = [trigger.row() for trigger in self._triggers]
        taken: set[str] = set()
        for row in reversed(rows):  # the last that is fresh drives its key
            if row["asks"] is None:
                row["acts"] = "no reading yet" if row["age_s"] is None else "too old"
            else:
                row["acts"] = "operator" if row["key"] in overruled else "later line" if row["key"] in taken else "yes"
                taken.add(row["key"])
        return {"mappings": rows, "triggers": triggers}
