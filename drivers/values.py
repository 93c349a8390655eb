"""From what a sensor sends to a number: where it stands in a JSON text, what words mean, what is plausible."""

from __future__ import annotations

import ipaddress
import json
import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from drivers.base import DriverConfig, NotReady, Readings

# Longer payloads are no readings. The number is arbitrary: a weather service's forecast fits.
LARGEST_PAYLOAD_BYTES = 64 * 1024
# How long a read of a network or serial source waits before it says NotReady: a burst of readings is passed on in a
# tenth of a second, and the process that reads can say that it lives.
READ_TIMEOUT_S = 0.1
# What true and false are called where no `words` are given; compared in small letters.
USUAL_WORDS = {"on": 1.0, "off": 0.0, "true": 1.0, "false": 0.0, "open": 1.0, "closed": 0.0}


class BadPayload(ValueError):
    """A payload that holds no such value; the message says why, without repeating the payload."""


class Absent(BadPayload):
    """A payload that is well formed and has nothing at the value's path."""


class ValueConfig(DriverConfig):
    """One value of a source: its name in `sensor = "<input>.<name>"`, and how it is read out of a payload."""

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    path: str | None = Field(
        default=None, description="JSONPath (RFC 9535) of the number, such as $.wind.speed; the whole payload if unset"
    )
    words: dict[str, float] = Field(default={}, description="numbers for words, such as { pressed = 1, released = 0 }")
    least: float | None = Field(default=None, description="smaller values are refused as impossible")
    most: float | None = Field(default=None, description="larger values are refused as impossible")

    @field_validator("path")
    @classmethod
    def _is_a_path(cls, path: str | None) -> str | None:
        if path is not None:
            _compiled(path)
        return path

    @model_validator(mode="after")
    def _has_a_range(self) -> Self:
        if self.least is not None and self.most is not None and self.least >= self.most:
            raise ValueError(f"least = {self.least:g} must be less than most = {self.most:g}")
        return self


def differ_in_name(values: Iterable[ValueConfig]) -> None:
    """Raises ValueError when two values of a source have the same name."""
    names = [value.name for value in values]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{', '.join(twice)} stands there more than once")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def read_value(payload: bytes | str, value: ValueConfig) -> float:
    """The number that `value` names in a payload: JSON, a bare number, or a word. Raises BadPayload."""
    if len(payload) > LARGEST_PAYLOAD_BYTES:
        raise BadPayload(f"has more than {LARGEST_PAYLOAD_BYTES} bytes")
    try:
        text = payload.decode() if isinstance(payload, bytes) else payload
    except UnicodeDecodeError as error:
        raise BadPayload("is not UTF-8 text") from error
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        if value.path is not None:
            raise BadPayload("is not valid JSON") from error
        found = text.strip()  # a word such as ON
    return number_in(found, value)


def number_in(data: Any, value: ValueConfig) -> float:
    """The number that `value` names in decoded JSON. Raises BadPayload."""
    if value.path is not None:
        found = _compiled(value.path).findall(data)
        if not found:
            raise Absent(f"has nothing at {value.path}")
        data = found[0]
    number = _number(data, value.words)
    if value.least is not None and number < value.least:
        raise BadPayload(f"is below the least possible, {value.least:g}")
    if value.most is not None and number > value.most:
        raise BadPayload(f"is above the most possible, {value.most:g}")
    return number


def readings_or_not_ready(values: dict[str, float], refused: dict[str, str], captured_ns: int) -> Readings:
    """A sample, where there is something to tell; raises NotReady where not."""
    if not values and not refused:
        raise NotReady
    return Readings(values=values, captured_ns=captured_ns, refused=refused)


def _number(data: Any, words: dict[str, float]) -> float:
    if isinstance(data, bool):
        return float(data)
    if isinstance(data, str):
        if data in words:
            return words[data]
        if not words and data.lower() in USUAL_WORDS:
            return USUAL_WORDS[data.lower()]
        try:
            data = float(data)  # many send "21.5" in quotes
        except ValueError as error:
            raise BadPayload("is neither a number nor a known word") from error
    if not isinstance(data, (int, float)):
        raise BadPayload("is no number")
    try:
        number = float(data)
    except OverflowError as error:
        raise BadPayload("is too large a number") from error
    if not math.isfinite(number):
        raise BadPayload("is not a finite number")
    return number


@lru_cache(maxsize=256)
def _compiled(path: str) -> Any:
    """A compiled path. Raises ValueError for what is none."""
    import jsonpath

    try:
        return jsonpath.compile(path)
    except jsonpath.JSONPathError as error:
        raise ValueError(f"is no JSONPath: {str(error).splitlines()[0]}") from error
