"""Devices of a room that is not there: depth, sensors and a silent speaker, each a kind chosen by name.

All are deterministic: what they give depends on the seed and on the time since opening alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from drivers.base import Clock, Depth, DeviceLost, DriverConfig, Readings

VISITOR_HEIGHT_M = 1.7
CAMERA_HEIGHT_M = 1.2
# Half the width of the picture at one metre: tan of half of 69 degrees, the D435's field of view.
HALF_WIDTH_AT_ONE_METRE = 0.687


class VirtualDepthConfig(DriverConfig):
    """Options of the kind `virtual_depth`."""

    seed: int = Field(default=0, ge=0)
    width: int = Field(default=160, ge=16, le=1920, description="pixels")
    height: int = Field(default=120, ge=16, le=1080, description="pixels")
    fps: float = Field(default=30.0, gt=0, le=120)
    room_depth_m: float = Field(default=4.0, gt=2.0, le=10.0, description="distance of the far wall")
    visitors: int = Field(default=2, ge=0, le=4)


class VirtualSensorsConfig(DriverConfig):
    """Options of the kind `virtual_sensors`."""

    seed: int = Field(default=0, ge=0)
    readings_hz: float = Field(default=2.0, gt=0, le=100)

    @property
    def read_patience_s(self) -> float:
        return super().read_patience_s + 1 / self.readings_hz


class SilentSpeakerConfig(DriverConfig):
    """Options of the kind `silent_speaker`."""

    sample_rate_hz: int = Field(default=48000, ge=8000, le=192000)
    channels: int = Field(default=2, ge=2, le=64)
    latency_s: float = Field(default=0.1, gt=0, le=2.0, description="how much sound it holds before a write blocks")


class _Pace:
    """Times of a device that gives samples at a steady rate, counted from its opening."""

    def __init__(self, clock: Clock, rate_hz: float) -> None:
        self._clock = clock
        self._period_ns = round(1e9 / rate_hz)
        self._opened_ns = clock.now_ns()
        self._next = 0

    def wait(self) -> tuple[int, float]:
        """Sleep to the next sample's time: (now in ns, that time in seconds since opening)."""
        now_ns = self._clock.now_ns()
        # A reader that came late gets the newest sample, never the ones it missed.
        self._next = max(self._next, (now_ns - self._opened_ns) // self._period_ns)
        wait_ns = self._opened_ns + self._next * self._period_ns - now_ns
        if wait_ns > 0:
            self._clock.sleep(wait_ns / 1e9)
        since_opening_s = self._next * self._period_ns / 1e9
        self._next += 1
        return self._clock.now_ns(), since_opening_s


class VirtualDepth:
    """A source of Depth without colour: an empty room and visitors who walk about in it, stopping now and then."""

    def __init__(self, config: VirtualDepthConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._pace: _Pace | None = None
        random = np.random.default_rng(config.seed)
        # Walks are sums of slow turns: one visitor crosses the room in about ten seconds.
        self._phases = random.uniform(0.0, 2 * np.pi, size=(config.visitors, 2))
        self._turns_rad_s = random.uniform(0.2, 0.5, size=(config.visitors, 2))
        self._room_m, self._across, self._down = self._empty_room()

    def open(self) -> None:
        self._pace = _Pace(self._clock, self._config.fps)

    def read(self) -> Depth:
        """Block until the next picture's time. Raises DeviceLost when not open."""
        if self._pace is None:
            raise DeviceLost("virtual_depth: not open")
        captured_ns, time_s = self._pace.wait()
        return Depth(depth_m=self._picture(time_s), captured_ns=captured_ns)

    def close(self) -> None:
        self._pace = None

    def _empty_room(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """The empty room's depth (H, W) in metres, and each pixel's slope across (1, W) and down (H, 1)."""
        height, width = self._config.height, self._config.width
        half_height = HALF_WIDTH_AT_ONE_METRE * height / width
        across = np.linspace(-HALF_WIDTH_AT_ONE_METRE, HALF_WIDTH_AT_ONE_METRE, width, dtype=np.float32)[None, :]
        down = np.linspace(-half_height, half_height, height, dtype=np.float32)[:, None]
        floor_m = np.where(down > 0, CAMERA_HEIGHT_M / np.maximum(down, 1e-3), np.inf)
        room_m = np.broadcast_to(np.minimum(floor_m, self._config.room_depth_m), (height, width))
        return room_m.astype(np.float32), across, down

    def _picture(self, time_s: float) -> NDArray[np.float32]:
        depth_m = self._room_m.copy()
        for phases, turns in zip(self._phases, self._turns_rad_s, strict=True):
            angle = phases + turns * time_s
            # A turn minus part of its own double rests at the ends, as people do.
            side, away = np.sin(angle - 0.35 * np.sin(2 * angle))
            distance_m = 0.55 * self._config.room_depth_m + 0.25 * self._config.room_depth_m * away
            centre_m = 0.6 * side * HALF_WIDTH_AT_ONE_METRE * distance_m
            silhouette = self._silhouette(float(centre_m), float(distance_m))
            depth_m = np.where(silhouette, np.minimum(depth_m, np.float32(distance_m)), depth_m)
        return depth_m

    def _silhouette(self, centre_m: float, distance_m: float) -> NDArray[np.bool_]:
        """The pixels (H, W) of a standing figure: a body 0.44 m wide and a head of 0.13 m radius."""
        x_m = self._across * distance_m - centre_m
        y_m = CAMERA_HEIGHT_M - self._down * distance_m  # above the floor
        body = (np.abs(x_m) < 0.22) & (y_m > 0.0) & (y_m < VISITOR_HEIGHT_M - 0.25)
        head = x_m**2 + (y_m - (VISITOR_HEIGHT_M - 0.13)) ** 2 < 0.13**2
        figure: NDArray[np.bool_] = body | head
        return figure


class VirtualSensors:
    """A source of Readings: wind_m_s, illuminance_lux, temperature_c and people_count, all on slow curves."""

    def __init__(self, config: VirtualSensorsConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._pace: _Pace | None = None
        self._phases = np.random.default_rng(config.seed).uniform(0.0, 2 * np.pi, size=4)

    def open(self) -> None:
        self._pace = _Pace(self._clock, self._config.readings_hz)

    def read(self) -> Readings:
        """Block until the next readings' time. Raises DeviceLost when not open."""
        if self._pace is None:
            raise DeviceLost("virtual_sensors: not open")
        captured_ns, time_s = self._pace.wait()
        # Periods of one to six minutes: slow enough for weather, quick enough for an opening night.
        wind, light, warmth, people = np.sin(2 * np.pi * time_s / np.array([60.0, 360.0, 300.0, 120.0]) + self._phases)
        values = {
            "wind_m_s": float(4.0 + 4.0 * wind),
            "illuminance_lux": float(10.0 ** (2.0 + 1.5 * light)),
            "temperature_c": float(21.0 + 2.0 * warmth),
            "people_count": float(round(1.5 + 1.5 * people)),
        }
        return Readings(values=values, captured_ns=captured_ns)

    def close(self) -> None:
        self._pace = None


class SilentSpeaker:
    """A sound sink with no card: takes blocks at the pace a card would, by the clock, and drops them."""

    def __init__(self, config: SilentSpeakerConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._is_open = False
        self._played_out_ns: int | None = None  # when all that was written will have sounded
        self._underruns = 0

    @property
    def sample_rate_hz(self) -> int:
        return self._config.sample_rate_hz

    @property
    def channels(self) -> int:
        return self._config.channels

    @property
    def latency_s(self) -> float:
        return self._config.latency_s

    @property
    def waiting_s(self) -> float:
        if self._played_out_ns is None:
            return 0.0
        return max(self._played_out_ns - self._clock.now_ns(), 0) / 1e9

    @property
    def underruns(self) -> int:
        return self._underruns

    def open(self) -> None:
        self._is_open = True
        self._played_out_ns = None
        self._underruns = 0

    def write(self, samples: NDArray[np.float32], /) -> None:
        """Take float32 (n, channels); block until at most `latency_s` of it waits. Raises DeviceLost when not open."""
        if not self._is_open:
            raise DeviceLost("silent_speaker: not open")
        now_ns = self._clock.now_ns()
        if self._played_out_ns is None:
            self._played_out_ns = now_ns
        elif self._played_out_ns < now_ns:
            self._underruns += 1
            self._played_out_ns = now_ns
        self._played_out_ns += round(len(samples) / self._config.sample_rate_hz * 1e9)
        excess_s = (self._played_out_ns - now_ns) / 1e9 - self._config.latency_s
        if excess_s > 0:
            self._clock.sleep(excess_s)

    def close(self) -> None:
        self._is_open = False
