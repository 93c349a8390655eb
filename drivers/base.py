"""What every device driver is: a Source or a Sink, and the two ways it may fail.

Drivers only block. They start no thread, keep no queue and import their SDK in `open()`, so that
importing `drivers` needs none of them. Whoever calls a driver decides in which process it lives.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict


class NotReady(Exception):
    """Nothing to give yet (a time-out, a warm-up): call again."""


class DeviceLost(Exception):
    """The device is gone or broken: close it, wait, open it again."""


class DriverConfig(BaseModel):
    """What every driver's configuration class is: frozen, and it refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    def open_patience_s(self) -> float:
        """How long `open()` may block when all is well; who blocks much longer hangs."""
        return 3.0

    @property
    def read_patience_s(self) -> float:
        """How long one `read()` may block when all is well."""
        return 1.0


# Who on this machine may read what an output leaves in files, and the umask that leaves them so.
ReadableBy = Literal["user", "group", "all"]
UMASKS: dict[ReadableBy, int] = {"user": 0o077, "group": 0o027, "all": 0o022}


class Clock(Protocol):
    """The time a driver lives by, passed in so that a test can drive it."""

    def now_ns(self) -> int: ...
    def sleep(self, seconds: float) -> None: ...


class MonotonicClock:
    """The machine's monotonic clock."""

    def now_ns(self) -> int:
        return time.monotonic_ns()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass(frozen=True)
class Picture:
    """A colour picture: `rgb` uint8 (H, W, 3), taken at `captured_ns` on the monotonic clock.

    `hidden` bool (H, W) is where a privacy mask blanked it; None where there is none.
    """

    rgb: NDArray[np.uint8]
    captured_ns: int
    hidden: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Depth:
    """A depth picture: `depth_m` float32 (H, W) in metres, 0 where unknown; `rgb` if aligned colour came with it.

    `hidden` is as in Picture; depth is unknown there.
    """

    depth_m: NDArray[np.float32]
    captured_ns: int
    rgb: NDArray[np.uint8] | None = None
    hidden: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Readings:
    """Sensor values by name, each in the unit its driver's docstring names.

    `refused` says by name what came and could not be read, and why; the reason repeats nothing of what came.
    """

    values: dict[str, float] = field(default_factory=dict)
    captured_ns: int = 0
    refused: dict[str, str] = field(default_factory=dict)


Sample = Picture | Depth | Readings


@runtime_checkable
class Source(Protocol):
    """A device that is read. `read()` blocks until a new sample or raises NotReady or DeviceLost."""

    def open(self) -> None: ...
    def read(self) -> Sample: ...
    def close(self) -> None: ...


@runtime_checkable
class Resettable(Protocol):
    """A source whose hardware can be made to begin anew, as unplugging it would."""

    def reset(self) -> None:
        """Reset the device, closed by now; returns when it had the time to come back, whether or not it did."""
        ...


@runtime_checkable
class Sink(Protocol):
    """A device that is written. `write()` blocks until the device took it all, or raises DeviceLost."""

    def open(self) -> None: ...
    def write(self, block: NDArray[Any], /) -> None: ...
    def close(self) -> None: ...


@runtime_checkable
class SoundSink(Sink, Protocol):
    """A sink of float32 (n, channels) blocks in -1..1, paced by the device: the clock of the room."""

    @property
    def sample_rate_hz(self) -> int: ...

    @property
    def channels(self) -> int: ...

    @property
    def latency_s(self) -> float:
        """Seconds from a sample's writing to its sounding; what was asked for, while not open."""
        ...

    @property
    def waiting_s(self) -> float:
        """Seconds of sound that were written and have not sounded yet, now; raises DeviceLost when the card fails."""
        ...

    @property
    def underruns(self) -> int:
        """How often the device ran dry since it was opened."""
        ...
