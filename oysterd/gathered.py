"""Readings between two messages to the daemon: each is kept, for of a button's press none must be passed over."""

from __future__ import annotations

from collections import deque
from typing import Any

from drivers.base import Readings

# More between two messages is a flood, whose oldest are dropped. At twelve messages a second these are 3,000 readings.
MOST_SAMPLES = 256
# Names of what was refused are our own configuration's, or a few of the driver's.
MOST_REFUSED = 64


class Gathered:
    """What came since it was last taken."""

    def __init__(self) -> None:
        self._samples: deque[tuple[int, dict[str, float]]] = deque(maxlen=MOST_SAMPLES)
        self._refused: dict[str, str] = {}
        self._refusals = 0

    def add(self, sample: Readings) -> None:
        if sample.values:
            self._samples.append((sample.captured_ns, sample.values))
        self._refusals += len(sample.refused)
        for name, why in sample.refused.items():
            if name in self._refused or len(self._refused) < MOST_REFUSED:
                self._refused[name] = why

    @property
    def is_empty(self) -> bool:
        return not self._samples and not self._refusals

    def take(self) -> dict[str, Any]:
        """The content of a message of the type `readings`: samples, oldest first, and what was refused, by name."""
        taken: dict[str, Any] = {"samples": list(self._samples)}
        if self._refusals:
            taken |= {"refused": self._refused, "refusals": self._refusals}
        self._samples.clear()
        self._refused, self._refusals = {}, 0
        return taken
