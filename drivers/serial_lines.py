"""Sensors on a board at a serial line or USB, which prints what it measures: `name value`, or JSON, a line each."""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic import Field, field_validator

from drivers.base import Clock, DeviceLost, DriverConfig, Readings
from drivers.values import (
    READ_TIMEOUT_S,
    Absent,
    BadPayload,
    ValueConfig,
    differ_in_name,
    number_in,
    readings_or_not_ready,
)

# A line longer than this is noise: the wrong speed, or no board of this kind.
LONGEST_LINE_BYTES = 4096
# `wind 3.5`, `wind: 3.5`, `wind=3.5` and `wind,3.5`.
_NAMED = re.compile(r"([A-Za-z][A-Za-z0-9_.-]{0,63})\s*[\s:=,]\s*(\S+)")


class SerialLinesConfig(DriverConfig):
    """Options of the kind `serial_lines`."""

    port: str = Field(
        default="/dev/ttyUSB0", min_length=1, description="best a stable path, /dev/serial/by-id/…; or a pyserial URL"
    )
    baud: int = Field(default=115200, ge=50, le=4_000_000, description="bits per second")
    values: list[ValueConfig] = Field(
        default=[], description="take these only, with paths, words and limits; every number by its name if empty"
    )

    @property
    def open_patience_s(self) -> float:
        # pyserial waits for 5 s until a socket:// or rfc2217:// is connected.
        return 6.0 if "://" in self.port else super().open_patience_s

    @field_validator("values")
    @classmethod
    def _named_once(cls, values: list[ValueConfig]) -> list[ValueConfig]:
        differ_in_name(values)
        return values


class SerialLines:
    """A source of Readings: the values of each line. What is no line of these kinds is told as refused."""

    def __init__(self, config: SerialLinesConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._port: Any = None  # serial.Serial
        self._bytes = b""
        self._is_first = True

    def open(self) -> None:
        """Raises DeviceLost, naming `serial_lines.port`, when there is no such port."""
        self.close()
        import serial

        try:
            self._port = serial.serial_for_url(self._config.port, baudrate=self._config.baud, timeout=READ_TIMEOUT_S)
        except (OSError, ValueError) as error:  # SerialException is an OSError
            raise DeviceLost(f"serial_lines.port: {self._config.port} can't be opened: {error}") from error
        self._bytes, self._is_first = b"", True

    def read(self) -> Readings:
        """The values of the next line. Raises NotReady when none came, DeviceLost when the board was unplugged."""
        if self._port is None:
            raise DeviceLost("serial_lines.port: not open")
        if b"\n" not in self._bytes:
            try:
                self._bytes += self._port.read(max(self._port.in_waiting, 1))
            except (OSError, TypeError) as error:  # pyserial trips over a port that was closed under it
                raise DeviceLost(f"serial_lines.port: {self._config.port} is gone: {error}") from error
        line, end, rest = self._bytes.partition(b"\n")
        if not end and len(line) <= LONGEST_LINE_BYTES:
            return readings_or_not_ready({}, {}, 0)
        self._bytes = rest
        captured_ns = self._clock.now_ns()
        values, refused = self._values(line)
        if self._is_first and not values:
            refused = {}  # who opens the port in the midst of a line gets its end only
        self._is_first = False
        return readings_or_not_ready(values, refused, captured_ns)

    def close(self) -> None:
        if self._port is not None:
            self._port.close()
            self._port = None

    def _values(self, line: bytes) -> tuple[dict[str, float], dict[str, str]]:
        if len(line) > LONGEST_LINE_BYTES:
            return {}, {"line": f"a line has more than {LONGEST_LINE_BYTES} bytes: is serial_lines.baud right?"}
        try:
            text = line.decode().strip()
        except UnicodeDecodeError:
            return {}, {"line": "a line is not UTF-8 text: is serial_lines.baud right?"}
        if not text:
            return {}, {}
        if text.startswith("{"):
            try:
                data = json.loads(text)
            except (ValueError, RecursionError):
                return {}, {"line": "a line is not valid JSON"}
            return self._wanted(data)
        named = _NAMED.fullmatch(text)
        if named is None:
            return {}, {"line": "a line is neither `name value` nor JSON"}
        return self._wanted({named[1]: named[2]})

    def _wanted(self, data: dict[str, Any]) -> tuple[dict[str, float], dict[str, str]]:
        values: dict[str, float] = {}
        refused: dict[str, str] = {}
        if not self._config.values:
            wanted = [ValueConfig(name=name) for name in data if re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", name)]
        else:
            wanted = self._config.values
        for value in wanted:
            if value.path is None and value.name not in data:
                continue  # another line brings it
            try:
                values[value.name] = number_in(data if value.path is not None else data[value.name], value)
            except Absent:
                continue  # another line brings it
            except BadPayload as error:
                if self._config.values:  # of a board whose every number is taken, its words are no fault
                    refused[value.name] = f"the value {error}"
        if not values and not refused and not self._config.values:
            refused["line"] = "a line holds no number"
        return values, refused
