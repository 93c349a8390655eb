"""Projectors over the network by PJLink: power, input, shutter, errors, lamp hours.

The protocol is JBMIA's "PJLink Specifications", class 1 (version 1.04) and class 2 (version 2.10): lines that end with
a carriage return over TCP, a greeting with a random number first where there is a password.
"""

from __future__ import annotations

import hashlib
import re
import socket
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field, SecretStr

from drivers.base import Clock, DeviceLost, DriverConfig

PORT = 4352
# Of a line, class 2's longest with room to spare: who sends more speaks something else.
LONGEST_LINE_BYTES = 512

Power = Literal["standby", "on", "cooling", "warming"]
POWERS: dict[str, Power] = {"0": "standby", "1": "on", "2": "cooling", "3": "warming"}
# The places of ERST's answer, and what stands there.
ERRORS = ("fan", "lamp", "temperature", "cover", "filter", "other")
LEVELS = {"1": "warning", "2": "error"}
# AVMT: what is muted (1 picture, 2 sound, 3 both) and whether it is; a closed picture is a closed shutter.
CLOSED, OPEN = ("11", "31"), ("10", "20", "21", "30")

_REFUSALS = {
    "ERR1": "it does not know this command",
    "ERR2": "it does not take this value",
    "ERR3": "it can't do this now: it is in standby, warming up or cooling down",
    "ERR4": "it has failed",
}


class Refused(Exception):
    """The projector answered, and will not do it; `code` is ERR1 to ERR4."""

    def __init__(self, code: str, command: str) -> None:
        self.code = code
        super().__init__(f"{command}: {_REFUSALS[code]} ({code})")


class PJLinkConfig(DriverConfig):
    """Where a projector is reached."""

    host: str
    port: int = Field(default=PORT, ge=1, le=65535)
    password: SecretStr | None = None
    timeout_s: float = Field(default=3.0, gt=0, le=60, description="of connecting, and of each answer")


@dataclass(frozen=True)
class ProjectorState:
    """How a projector says it is; None, or empty, where it will not say (in standby most keep much to themselves)."""

    power: Power
    input: str | None = None  # two characters: 1 analogue, 2 video, 3 digital, 4 storage, 5 network, 6 internal; which
    is_shut: bool | None = None
    errors: dict[str, str] = field(default_factory=dict)  # part, of ERRORS: "warning" or "error"
    lamp_hours: tuple[int, ...] = ()
    filter_hours: int | None = None  # class 2
    name: str = ""
    model: str = ""
    serial: str = ""  # class 2


class PJLink:
    """A conversation with one projector. Open it, ask, close it: most projectors take one at a time."""

    def __init__(self, config: PJLinkConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._socket: socket.socket | None = None
        self._waiting = b""  # received, not yet read
        self._digest = ""  # goes before the first command where there is a password
        self._where = f"{config.host}:{config.port}"

    def open(self) -> None:
        """Connect and read the greeting. Raises DeviceLost, naming host or password."""
        self.close()
        try:
            self._socket = socket.create_connection((self._config.host, self._config.port), self._config.timeout_s)
        except OSError as error:
            raise DeviceLost(f"host: {self._where} does not answer: {error}") from error
        greeting = re.fullmatch(r"PJLINK (?:0|1 ([0-9A-Fa-f]{8}))", line := self._line())
        if greeting is None:
            self.close()
            raise self._is_no_projector(line)
        if greeting[1] is not None:
            if self._config.password is None:
                self.close()
                raise DeviceLost(f"password: {self._where} asks for one")
            secret = greeting[1] + self._config.password.get_secret_value()
            self._digest = hashlib.md5(secret.encode(), usedforsecurity=False).hexdigest()

    def ask(self, command: str, parameter: str = "?", pjlink_class: int = 1) -> str:
        """Send a command such as POWR and give its answer. Raises Refused for ERR1 to ERR4, DeviceLost otherwise."""
        if self._socket is None:
            raise DeviceLost(f"host: {self._where} is not open")
        digest, self._digest = self._digest, ""
        try:
            self._socket.sendall(f"{digest}%{pjlink_class}{command} {parameter}\r".encode("ascii"))
        except OSError as error:
            self.close()
            raise DeviceLost(f"host: {self._where} ended the conversation: {error}") from error
        line = self._line()
        if line.upper() == "PJLINK ERRA":
            self.close()
            raise DeviceLost(f"password: {self._where} refused it")
        answer = re.fullmatch(rf"%{pjlink_class}{command}=(.*)", line, re.IGNORECASE)
        if answer is None:
            self.close()
            raise self._is_no_projector(line)
        if answer[1].upper() in _REFUSALS:
            raise Refused(answer[1].upper(), command)
        return answer[1]

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket, self._waiting, self._digest = None, b"", ""

    def state(self) -> ProjectorState:
        """Ask for everything. Raises DeviceLost, also for answers that are none."""
        power = POWERS.get(answered := self.ask("POWR"))
        if power is None:
            raise self._is_no_projector(answered)
        muted, errors, lamps = self._told("AVMT"), self._told("ERST"), self._told("LAMP")
        is_class_2 = self._told("CLSS") == "2"
        filter_hours = self._told("FILT", 2) if is_class_2 else ""
        return ProjectorState(
            power=power,
            input=self._told("INPT") or None,
            is_shut=True if muted in CLOSED else False if muted in OPEN else None,
            errors={part: LEVELS[digit] for part, digit in zip(ERRORS, errors, strict=False) if digit in LEVELS},
            # Hours and whether it is lit, lamp by lamp; light sources that are no lamps answer ERR1, some with nothing.
            lamp_hours=tuple(int(hours) for hours in lamps.split()[::2] if hours.isdecimal()),
            filter_hours=int(filter_hours) if filter_hours.isdecimal() else None,
            name=self._told("NAME"),
            model=" ".join(filter(None, (self._told("INF1"), self._told("INF2")))),
            serial=self._told("SNUM", 2) if is_class_2 else "",
        )

    def power(self, on: bool) -> None:
        """Switch it; what follows takes a minute, and `state()` tells of it. Raises Refused and DeviceLost."""
        self.ask("POWR", "1" if on else "0")

    def shut(self, closed: bool) -> None:
        """Close the shutter (and mute the sound, which is all that every projector knows), or open it."""
        self.ask("AVMT", "31" if closed else "30")

    def select(self, source: str) -> None:
        """Choose an input: two characters, such as 31 for the first digital one."""
        self.ask("INPT", source, 1 if source[1:].isdecimal() else 2)

    def _told(self, command: str, pjlink_class: int = 1) -> str:
        """What it answers; empty where it refuses."""
        try:
            return self.ask(command, pjlink_class=pjlink_class)
        except Refused:
            return ""

    def _line(self) -> str:
        """The next line, without its end. Raises DeviceLost after the time-out, however slowly something comes."""
        assert self._socket is not None  # the caller has it open
        end_ns = self._clock.now_ns() + round(self._config.timeout_s * 1e9)
        try:
            while b"\r" not in self._waiting:
                left_s = (end_ns - self._clock.now_ns()) / 1e9
                if left_s <= 0:
                    raise TimeoutError("timed out")
                self._socket.settimeout(left_s)
                received = self._socket.recv(LONGEST_LINE_BYTES)
                if not received:
                    raise ConnectionError("it ended the conversation")
                self._waiting += received
                if len(self._waiting) > LONGEST_LINE_BYTES:
                    raise self._is_no_projector(self._waiting.decode(errors="replace"))
        except OSError as error:
            self.close()
            raise DeviceLost(f"host: {self._where} does not answer: {error}") from error
        except DeviceLost:
            self.close()
            raise
        line, _, self._waiting = self._waiting.partition(b"\r")
        return line.decode(errors="replace").strip("\n")

    def _is_no_projector(self, said: str) -> DeviceLost:
        shown = said if len(said) <= 40 else said[:39] + "…"
        return DeviceLost(f"host: {self._where} speaks no PJLink: it said {shown!r}")
