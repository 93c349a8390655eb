"""What a sender sent that could not be read: counted, named once in the log, and an alert for as long as it is so."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from oysterd.clock import Clock

# So long after the last bad payload of a name it is forgotten: no alert any more, and logged anew when it comes again.
# The number is arbitrary.
FORGOTTEN_AFTER_S = 60.0
# Names may be a stranger's: beyond so many at a time they are counted only.
MOST_NAMES = 100


@dataclass
class _Refused:
    why: str
    last_s: float
    is_open: bool = True


class Refusals:
    """The refused payloads of one input or transport, by the name of the value; thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._names: dict[str, _Refused] = {}
        self._count = 0

    @property
    def count(self) -> int:
        """How many payloads were refused in all."""
        return self._count

    def met(self, refused: Mapping[str, str], count: int = 1) -> list[str]:
        """Take what was refused, `count` payloads in all; gives those as `name: why` that are to be logged."""
        new = []
        with self._lock:
            self._forget()
            self._count += count
            for name, why in refused.items():
                if name not in self._names:
                    if len(self._names) >= MOST_NAMES:
                        continue
                    new.append(f"{name}: {why}")
                self._names[name] = _Refused(why, self._clock.now_s())
        return new

    def read_well(self, names: Iterable[str]) -> None:
        """These values came and were good: no alert any more."""
        with self._lock:
            for name in names:
                if name in self._names:
                    self._names[name].is_open = False

    def alerts(self) -> list[str]:
        """What is wrong now, as `name: why`."""
        with self._lock:
            self._forget()
            return [f"{name}: {refused.why}" for name, refused in self._names.items() if refused.is_open]

    def _forget(self) -> None:
        now_s = self._clock.now_s()
        self._names = {n: refused for n, refused in self._names.items() if now_s - refused.last_s <= FORGOTTEN_AFTER_S}
