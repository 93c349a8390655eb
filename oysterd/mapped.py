"""One sensor that drives one key of the environment: its range, its dead band, its smoothing and its age."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated, Any, Self

import numpy as np
from pydantic import Field, StringConstraints, model_validator

from oysterd.changes import EnvironmentKey, Strict
from oysterd.clock import Clock
from oysterd.errors import refusal
from oysterd.slot import Slot

# The ends of a mapping's range, as the configuration promises them.
SUN_RANGE_RAD = (-1.6, 1.6)

# `<input>.<value>`
SensorName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_.-]+$")]
MaxAge = Annotated[float, Field(gt=0.0, le=604_800.0)]


class SensorMapping(Strict):
    """A sensor that drives a key of the environment.

    `sensor` is `<input>.<value>`, where the inputs `mqtt`, `zmq` and `osc` stand for what arrives over them, and
    `clock` for the time of day (`clock.hour`). The key is at the low end of its range where the sensor reads `low`, and
    at the high end at `high` (which may be the smaller number); or it goes straight between `points`, each
    `[sensor, key]`. Changes of the sensor up to `hysteresis` are passed over.
    """

    sensor: SensorName
    key: EnvironmentKey
    low: float | None = None
    high: float | None = None
    points: Annotated[list[Annotated[list[float], Field(min_length=2, max_length=2)]], Field(min_length=2)] | None = (
        None
    )
    unit: Annotated[str, StringConstraints(max_length=16)] = ""
    hysteresis: Annotated[float, Field(ge=0.0)] = 0.0
    smooth_s: Annotated[float, Field(ge=0.0, le=3600.0)] = 2.0
    max_age_s: MaxAge | None = None

    @model_validator(mode="after")
    def _has_a_range(self) -> Self:
        if self.points is not None:
            if self.low is not None or self.high is not None:
                raise refusal("has points and low or high: give one or the other")
            self._points_fit(self.points)
        elif self.low is None or self.high is None:
            raise refusal("needs low and high, or points")
        elif self.low == self.high:
            raise refusal(f"low and high are both {self.low:g}: the sensor would have no range")
        return self

    def _points_fit(self, points: list[list[float]]) -> None:
        low, high = key_range(self.key)
        sensors = [point[0] for point in points]
        if any(after <= before for before, after in pairwise(sensors)):
            raise refusal("points: each must have a larger sensor value than the one before")
        outside = [point[1] for point in points if not low <= point[1] <= high]
        if outside:
            raise refusal(f"points: {self.key} is from {low:g} to {high:g}, not {outside[0]:g}")

    def target(self, value: float) -> float:
        """The key's value for a reading, without smoothing."""
        if self.points is not None:
            sensors, keys = zip(*self.points, strict=True)
            return float(np.interp(value, sensors, keys))
        assert self.low is not None and self.high is not None  # where there are no points
        share = (value - self.low) / (self.high - self.low)
        low, high = key_range(self.key)
        return low + (high - low) * min(max(share, 0.0), 1.0)


def key_range(key: str) -> tuple[float, float]:
    """The least and the most of a key of the environment."""
    return SUN_RANGE_RAD if key == "sun_rad" else (0.0, 1.0)


class Mapped:
    """A mapping at work. Not thread-safe: who owns it locks."""

    def __init__(self, mapping: SensorMapping, clock: Clock, max_age_s: float) -> None:
        self.mapping = mapping
        self.source, _, self.value_name = mapping.sensor.partition(".")
        self.key: str = mapping.key
        self._clock = clock
        self._max_age_s = mapping.max_age_s or max_age_s
        self._slot: Slot[float] = Slot(clock, self._max_age_s)
        self._read: float | None = None
        self._held: float | None = None  # what the dead band let through last
        self._smooth: float | None = None
        self._smoothed_ns = 0

    def put(self, value: float, captured_ns: int | None) -> None:
        """A reading of that moment on the monotonic clock, or of now."""
        self._read = value
        held = self._held
        if held is None or self._slot.get() is None or abs(value - held) > self.mapping.hysteresis:
            held = value
        self._held = held
        self._slot.put(held, captured_ns)

    def get(self) -> float | None:
        """The key's value now; the first after an absence holds at once, later ones are followed."""
        held = self._slot.get()
        target = None if held is None else self.mapping.target(held)
        now_ns = self._clock.now_ns()
        if target is None or self._smooth is None or self.mapping.smooth_s == 0.0:
            self._smooth = target
        else:
            share = 1.0 - math.exp(-(now_ns - self._smoothed_ns) / 1e9 / self.mapping.smooth_s)
            self._smooth += share * (target - self._smooth)
        self._smoothed_ns = now_ns
        return self._smooth

    def row(self) -> dict[str, Any]:
        """What it does now, for people: reading, key's value, its share of the key's range, age."""
        low, high = key_range(self.key)
        smooth, age_s = self._smooth, self._slot.age_s
        return {
            "sensor": self.mapping.sensor,
            "unit": self.mapping.unit,
            "value": self._read,
            "key": self.key,
            "asks": None if smooth is None else round(smooth, 4),
            "strength": None if smooth is None else round((smooth - low) / (high - low), 4),
            "age_s": None if age_s is None else round(age_s, 2),
            "max_age_s": self._max_age_s,
        }
