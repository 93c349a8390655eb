"""Lamps that follow the world: zones of the picture as DMX512 levels, over Art-Net or sACN."""

from __future__ import annotations

import socket
import uuid
from abc import ABC, abstractmethod
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from drivers.base import Clock, DeviceLost, DriverConfig
from drivers.dmx_packets import (
    ARTNET_PORT,
    DISCOVERY_INTERVAL_S,
    DISCOVERY_UNIVERSE,
    MOST_CHANNELS,
    MOST_UNIVERSES_A_PAGE,
    SACN_PORT,
    art_dmx,
    e131,
    e131_discovery,
    multicast_address,
)

CHANNELS = {"dimmer": 1, "rgb": 3, "rgbw": 4}
# Of a large zone so many pixels are looked at, always the same, strewn by chance: every so-many-th would see a pattern
# for a colour. The mean of a zone that is half black, half white is off by about 1 % (0.5 / sqrt(2048)).
MOST_SAMPLES = 2048
# Rec. 709: how bright red, green and blue are.
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
# What does not change is sent three times, then so often (E1.31 section 6.6.2: 800 to 1000 ms; Art-Net: 4 s at most).
REPEATS, KEEP_ALIVE_S = 3, 0.8


class FixtureConfig(DriverConfig):
    """A lamp: which part of the picture it shows, and which channels it listens to."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    zone: tuple[float, float, float, float] = Field(
        description="x, y, width and height of a rectangle, as shares of the picture from its top left"
    )
    mode: Literal["dimmer", "rgb", "rgbw"] = "rgb"
    universe: int = Field(ge=0, le=63999)
    address: int = Field(ge=1, le=MOST_CHANNELS, description="its first channel")
    gamma: float = Field(
        default=2.2, ge=0.2, le=5.0, description="2.2 for lamps that are linear, 1 for those that aren't"
    )
    smooth_s: float = Field(default=0.3, ge=0, le=60, description="how slowly it follows")
    level: float = Field(default=1.0, ge=0, le=1, description="at most so bright")

    @field_validator("zone")
    @classmethod
    def _is_in_the_picture(cls, zone: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        x, y, width, height = zone
        if not (x >= 0 and y >= 0 and width > 0 and height > 0 and x + width <= 1 + 1e-9 and y + height <= 1 + 1e-9):
            raise ValueError("must lie in the picture: x, y, width, height between 0 and 1")
        return zone

    @model_validator(mode="after")
    def _fits_the_universe(self) -> Self:
        if self.address + CHANNELS[self.mode] - 1 > MOST_CHANNELS:
            raise ValueError(f"address: {self.mode} at {self.address} goes beyond channel {MOST_CHANNELS}")
        return self


class LampsConfig(DriverConfig):
    """What both kinds of lamps have in common."""

    rate_hz: float = Field(default=30.0, gt=0, le=44, description="DMX512 itself carries 44 a second")
    dark_at_end: bool = Field(default=False, description="turn the lamps off when the daemon ends; else they hold")
    fixtures: list[FixtureConfig] = Field(min_length=1)

    @field_validator("fixtures")
    @classmethod
    def _do_not_overlap(cls, fixtures: list[FixtureConfig]) -> list[FixtureConfig]:
        taken: dict[tuple[int, int], str] = {}
        for fixture in fixtures:
            for channel in range(fixture.address, fixture.address + CHANNELS[fixture.mode]):
                other = taken.setdefault((fixture.universe, channel), fixture.name)
                if other != fixture.name:
                    raise ValueError(f"{other} and {fixture.name} share channel {channel} of {fixture.universe}")
        if len({fixture.name for fixture in fixtures}) < len(fixtures):
            raise ValueError("two fixtures have the same name")
        return fixtures


class ArtNetLampsConfig(LampsConfig):
    """Options of the kind `artnet_lamps`."""

    host: str = Field(min_length=1, description="the node's address, or a broadcast address")
    port: int = Field(default=ARTNET_PORT, ge=1, le=65535)

    @field_validator("fixtures")
    @classmethod
    def _are_on_port_addresses(cls, fixtures: list[FixtureConfig]) -> list[FixtureConfig]:
        if any(fixture.universe > 32767 for fixture in fixtures):
            raise ValueError("universe: Art-Net's are 0 to 32767")
        return fixtures


class SacnLampsConfig(LampsConfig):
    """Options of the kind `sacn_lamps`."""

    host: str | None = Field(default=None, description="the node's address; multicast, as usual, if unset")
    port: int = Field(default=SACN_PORT, ge=1, le=65535)
    interface: str | None = Field(default=None, description="our address on the lighting network, for multicast")
    priority: int = Field(default=100, ge=0, le=200, description="the desk wins with more")
    source_name: str = Field(default="oysterd", min_length=1, description="as desks and nodes show it")

    @field_validator("fixtures")
    @classmethod
    def _are_on_universes(cls, fixtures: list[FixtureConfig]) -> list[FixtureConfig]:
        if any(fixture.universe < 1 for fixture in fixtures):
            raise ValueError("universe: those of sACN begin with 1")
        if len({fixture.universe for fixture in fixtures}) > MOST_UNIVERSES_A_PAGE:
            raise ValueError(f"at most {MOST_UNIVERSES_A_PAGE} universes go to one output")
        return fixtures


class _Lamps(ABC):
    """A sink of pictures: averages the zones, and sends the levels at its rate."""

    kind = "lamps"

    def __init__(self, config: LampsConfig, clock: Clock) -> None:
        self._fixtures = config.fixtures
        self._rate_hz = config.rate_hz
        self._dark_at_end = config.dark_at_end
        self._clock = clock
        self._socket: socket.socket | None = None
        # Colours of pictures, with the pictures, so that identity stays theirs: as a window's textures.
        self._known: list[tuple[NDArray[np.uint8], NDArray[np.float32]]] = []
        levels = np.arange(256, dtype=np.float32) / 255.0
        self._tables = [levels ** np.float32(fixture.gamma) for fixture in config.fixtures]  # light of a level
        self._pixels: list[NDArray[np.intp]] = []  # of each zone, in pictures of this shape
        self._pixels_of: tuple[int, ...] = ()
        self._shown: NDArray[np.float32] | None = None  # (fixtures, 3) linear light
        self._shown_ns = 0
        self._due_ns = 0
        self._sent: dict[int, tuple[bytes, int, int]] = {}  # universe → levels, how often the same, when last

    def open(self) -> None:
        """Raises DeviceLost where there is no such network."""
        self.close()
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._set_up(opened)
        except OSError as error:
            opened.close()
            raise DeviceLost(f"{self.kind}: the network can't be used: {error}") from error
        self._socket = opened
        self._sent = {}
        self._shown, self._due_ns = None, self._clock.now_ns()

    def write(self, rgb: NDArray[np.uint8], /, next_rgb: NDArray[np.uint8] | None = None, mix: float = 0.0) -> None:
        """Show uint8 (H, W, 3), blended with `next_rgb` by `mix` (0..1); blocks until the next is due.

        As for a window, an array stands for its picture: change a picture by giving a new array. Raises DeviceLost.
        """
        if self._socket is None:
            raise DeviceLost(f"{self.kind}: not open")
        wanted = [rgb] if next_rgb is None or mix <= 0.0 else [rgb, next_rgb]
        colours = self._colours(wanted)
        lights = colours[0] if len(colours) == 1 else (1.0 - mix) * colours[0] + mix * colours[1]
        try:
            self._send(self._socket, self._smoothed(lights.astype(np.float32)))
        except OSError as error:
            raise DeviceLost(f"{self.kind}: can't be sent to: {error}") from error
        self._wait()

    def close(self) -> None:
        """Let go; at the end of the daemon the lamps go dark, where they shall."""
        opened, self._socket = self._socket, None
        if opened is not None:
            try:
                self._say_goodbye(opened)
            except OSError:
                self._sent = {}  # nobody there to say it to
            opened.close()

    @abstractmethod
    def _set_up(self, opened: socket.socket) -> None:
        """Make a new socket ready to send. Raises OSError where there is no such network."""

    @abstractmethod
    def _transmit(self, opened: socket.socket, universe: int, levels: bytes) -> None:
        """Send the levels of a universe. Raises OSError."""

    def _say_goodbye(self, opened: socket.socket) -> None:
        if self._dark_at_end:
            for universe, (levels, _, _) in self._sent.items():
                self._transmit(opened, universe, bytes(len(levels)))

    def _colours(self, pictures: list[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        known = [
            next((entry for entry in self._known if entry[0] is picture), None) or (picture, self._averages(picture))
            for picture in pictures
        ]
        self._known = known
        return [colours for _, colours in known]

    def _averages(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """float32 (fixtures, 3): the mean of each zone, of light and not of what encodes it."""
        if self._pixels_of != rgb.shape:
            self._pixels_of = rgb.shape
            self._pixels = [_pixels(fixture.zone, *rgb.shape[:2]) for fixture in self._fixtures]
        flat = rgb.reshape(-1, 3)
        means = [table[flat[pixels]].mean(axis=0) for table, pixels in zip(self._tables, self._pixels, strict=True)]
        return np.array(means, np.float32)

    def _smoothed(self, lights: NDArray[np.float32]) -> NDArray[np.float32]:
        now_ns = self._clock.now_ns()
        if self._shown is None:
            self._shown = lights
        else:
            passed_s = (now_ns - self._shown_ns) / 1e9
            times_s = np.array([fixture.smooth_s for fixture in self._fixtures], np.float32)
            share = np.where(times_s > 0, 1.0 - np.exp(-passed_s / np.maximum(times_s, 1e-6)), 1.0)
            self._shown = (self._shown + share[:, None] * (lights - self._shown)).astype(np.float32)
        self._shown_ns = now_ns
        return self._shown

    def _send(self, opened: socket.socket, lights: NDArray[np.float32]) -> None:
        universes: dict[int, bytearray] = {}
        for fixture, light in zip(self._fixtures, lights, strict=True):
            channels = channels_of(fixture, light)
            levels = universes.setdefault(fixture.universe, bytearray())
            end = fixture.address - 1 + len(channels)
            levels.extend(bytes(max(end - len(levels), 0)))
            levels[fixture.address - 1 : end] = channels
        now_ns = self._clock.now_ns()
        for universe, levels in universes.items():
            before, same, sent_ns = self._sent.get(universe, (b"", 0, 0))
            same = same + 1 if before == levels else 0
            if same >= REPEATS and now_ns - sent_ns < KEEP_ALIVE_S * 1e9:
                continue
            self._transmit(opened, universe, bytes(levels))
            self._sent[universe] = (bytes(levels), same, now_ns)

    def _wait(self) -> None:
        now_ns = self._clock.now_ns()
        # Who comes late does not make up for it.
        self._due_ns = max(self._due_ns + round(1e9 / self._rate_hz), now_ns)
        self._clock.sleep((self._due_ns - now_ns) / 1e9)


class ArtNetLamps(_Lamps):
    """Lamps at an Art-Net node."""

    kind = "artnet_lamps.host"

    def __init__(self, config: ArtNetLampsConfig, clock: Clock) -> None:
        super().__init__(config, clock)
        self._target = (config.host, config.port)
        self._sequences: dict[int, int] = {}

    def _set_up(self, opened: socket.socket) -> None:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self._target = (socket.gethostbyname(self._target[0]), self._target[1])

    def _transmit(self, opened: socket.socket, universe: int, levels: bytes) -> None:
        sequence = self._sequences[universe] = self._sequences.get(universe, 0) % 255 + 1  # 1..255
        opened.sendto(art_dmx(universe, levels, sequence), self._target)


class SacnLamps(_Lamps):
    """Lamps on sACN, by multicast or at one node."""

    kind = "sacn_lamps.host"

    def __init__(self, config: SacnLampsConfig, clock: Clock) -> None:
        super().__init__(config, clock)
        self._config = config
        self._host: str | None = None
        self._sequences: dict[int, int] = {}
        self._discovery_ns: int | None = None
        # The same after every start, as E1.31 section 5.6 asks: receivers know a source again by it.
        self._source = uuid.uuid5(uuid.NAMESPACE_DNS, f"oysterd.{socket.gethostname()}.{config.source_name}").bytes

    def _set_up(self, opened: socket.socket) -> None:
        if self._config.host is not None:
            self._host = socket.gethostbyname(self._config.host)
        if self._config.interface is not None:
            address = socket.inet_aton(self._config.interface)
            opened.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, address)

    def _transmit(self, opened: socket.socket, universe: int, levels: bytes, terminated: bool = False) -> None:
        config = self._config
        sequence = self._sequences[universe] = (self._sequences.get(universe, -1) + 1) % 256
        packet = e131(
            universe, levels, sequence, self._source, config.source_name, config.priority, terminated=terminated
        )
        opened.sendto(packet, (self._host or multicast_address(universe), config.port))

    def _send(self, opened: socket.socket, lights: NDArray[np.float32]) -> None:
        super()._send(opened, lights)
        now_ns, last_ns = self._clock.now_ns(), self._discovery_ns
        if self._host is None and (last_ns is None or now_ns - last_ns >= DISCOVERY_INTERVAL_S * 1e9):
            self._discovery_ns = now_ns
            packet = e131_discovery(list(self._sent), self._source, self._config.source_name)
            opened.sendto(packet, (multicast_address(DISCOVERY_UNIVERSE), self._config.port))

    def _say_goodbye(self, opened: socket.socket) -> None:
        super()._say_goodbye(opened)
        for universe, (levels, _, _) in self._sent.items():
            for _ in range(3):  # E1.31 section 6.2.6
                self._transmit(opened, universe, levels, terminated=True)


def channels_of(fixture: FixtureConfig, light: NDArray[np.float32]) -> bytes:
    """Levels of a fixture's channels for a light, float32 (3,) of 0..1."""
    if fixture.mode == "dimmer":
        shares = np.array([light @ LUMINANCE])
    elif fixture.mode == "rgbw":
        white = light.min()  # what all three have in common, the white lamp makes better
        shares = np.array([*(light - white), white])
    else:
        shares = light
    return bytes(np.rint(np.clip(shares * fixture.level, 0.0, 1.0) * 255.0).astype(np.uint8))


def _pixels(zone: tuple[float, float, float, float], height: int, width: int) -> NDArray[np.intp]:
    """Indices of a zone's pixels, or of a part of them, in a picture whose rows follow one another."""
    x, y, across, down = zone
    top, left = min(int(y * height), height - 1), min(int(x * width), width - 1)
    bottom = max(round((y + down) * height), top + 1)
    right = max(round((x + across) * width), left + 1)
    pixels = (np.arange(top, bottom)[:, None] * width + np.arange(left, right)).reshape(-1)
    if len(pixels) > MOST_SAMPLES:
        pixels = np.random.default_rng(0).choice(pixels, MOST_SAMPLES, replace=False)
    return pixels
