"""Sensors that say something to the world: a button, a door, a crossed limit becomes a change, once."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from oysterd.changes import Change
from oysterd.clock import Clock
from oysterd.commands import ApplyChange
from oysterd.errors import refusal
from oysterd.mapped import SensorName


class SensorTrigger(Change):
    """A change that is made when a sensor rises to `above` or falls to `below`; exactly one of both is given.

    It is made again only after the sensor went back beyond the limit by more than `hysteresis`, and not within
    `hold_off_s`. The first reading ever makes none: a button that is down when the daemon starts was not pressed.
    """

    sensor: SensorName
    above: float | None = None
    below: float | None = None
    hysteresis: Annotated[float, Field(ge=0.0)] = 0.0
    hold_off_s: Annotated[float, Field(ge=0.0, le=86_400.0)] = 1.0

    @model_validator(mode="after")
    def _has_one_limit(self) -> Self:
        if (self.above is None) == (self.below is None):
            raise refusal("needs exactly one of above and below")
        if self.image is not None:
            raise refusal("image: this model takes a picture to begin with, not while the world runs")
        return self


class Trigger:
    """A trigger at work. Not thread-safe: who owns it locks."""

    def __init__(self, config: SensorTrigger, clock: Clock) -> None:
        self.config = config
        self.source, _, self.value_name = config.sensor.partition(".")
        self.change = config.change()
        self._clock = clock
        self._value: float | None = None
        self._read_s = 0.0
        self._is_armed = False
        self._fired_s: float | None = None
        self._fired = 0

    def put(self, value: float) -> bool:
        """Take a reading; whether the change is to be made now."""
        self._value, self._read_s = value, self._clock.now_s()
        # Turned about where it falls, so that the limit is reached from below either way.
        sign = 1.0 if self.config.above is not None else -1.0
        limit = self.config.above if self.config.above is not None else self.config.below
        assert limit is not None  # the configuration has one
        beyond = sign * (value - limit)
        if not self._is_armed:
            self._is_armed = beyond < -self.config.hysteresis
            return False
        if beyond < 0.0:
            return False
        self._is_armed = False
        if self._fired_s is not None and self._read_s - self._fired_s < self.config.hold_off_s:
            return False
        self._fired_s = self._read_s
        self._fired += 1
        return True

    def row(self) -> dict[str, Any]:
        """What it does now, for people."""
        said = self.change.model_dump(exclude_none=True)
        return {
            "sensor": self.config.sensor,
            "value": self._value,
            "does": ", ".join(f"{key} {value}" for key, value in said.items()),
            "armed": self._is_armed,
            "made": self._fired,
            "age_s": None if self._value is None else round(self._clock.now_s() - self._read_s, 2),
        }


def as_command(sensor: str, change: Change) -> tuple[str, dict[str, Any], str]:
    """Name, payload and origin of the command that makes the change: it is answered with receipts, as all are."""
    return ApplyChange.name, change.model_dump(exclude_none=True), f"sensor:{sensor}"
