"""The configuration of OSC."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from oysterd.changes import Strict
from oysterd.errors import Location, refusal, reworded

Target = Annotated[str, StringConstraints(pattern=r"^[0-9.]+:[0-9]{1,5}$")]


class OscConfig(Strict):
    """Where OSC is served over UDP, and who is told what the room does. OSC knows no passwords: see `allow`."""

    enabled: bool = False
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 9000
    allow: list[str] = []
    targets: list[Target] = []
    motion_hold_s: Annotated[float, Field(gt=0.0, le=60.0)] = 2.0

    @field_validator("host")
    @classmethod
    def _is_an_address(cls, host: str) -> str:
        _address(host)
        return host

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        problems: list[tuple[Location, str]] = []
        for at, address in enumerate(self.allow):
            problems += _problem(("allow", at), address)
        for at, target in enumerate(self.targets):
            problems += _problem(("targets", at), target.rpartition(":")[0])
        if not _address(self.host).is_loopback and not self.allow:
            problems.append((("allow",), f"{self.host} is off the loopback: name the addresses that may send"))
        if problems:
            raise reworded(None, OscConfig, problems)
        return self


def _address(text: str) -> ipaddress.IPv4Address:
    try:
        return ipaddress.IPv4Address(text)
    except ValueError as error:
        raise refusal(f'must be an IPv4 address, not "{text[:40]}"') from error


def _problem(location: Location, text: str) -> list[tuple[Location, str]]:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return [(location, f'must be an IPv4 address, not "{text[:40]}"')]
    return []
