"""Channels of a lighting desk as sensors, over Art-Net or sACN."""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from typing import Self

from pydantic import Field, field_validator, model_validator

from drivers.art_poll import address_towards, art_poll_replies, is_art_poll
from drivers.base import Clock, DeviceLost, DriverConfig, NotReady, Readings
from drivers.dmx_packets import (
    ARTNET_PORT,
    MOST_CHANNELS,
    SACN_PORT,
    NotDmx,
    Universe,
    is_newer,
    multicast_address,
    read_art_net,
    read_e131,
)
from drivers.values import READ_TIMEOUT_S, is_loopback

# What does not change is told so often: it is still so.
UNCHANGED_S = 0.5
# E1.31 section 6.7.1: a source that sent nothing for so long is gone.
SOURCE_LOST_S = 2.5
LARGEST_DATAGRAM_BYTES = 2048
# As desks list us, and the highest universe of Art-Net, whose packets have 15 bits for it.
NODE_NAME, MOST_PORT_ADDRESS = "oysterd", 0x7FFF
# From Linux's include/uapi/linux/in.h; Python has no name for it.
IP_MULTICAST_ALL = 49


class ChannelValue(DriverConfig):
    """A channel by the name that mappings know it by; its level is 0..255."""

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    universe: int = Field(ge=0, le=63999)
    channel: int = Field(ge=1, le=MOST_CHANNELS)


class DmxInputConfig(DriverConfig):
    """What both kinds have in common. Neither protocol knows passwords: see `allow`."""

    host: str = Field(default="127.0.0.1", description="our address that is listened on; 0.0.0.0 for all")
    port: int = Field(ge=1, le=65535)
    allow: list[str] = Field(default=[], description="addresses that may send; needed off the loopback")
    values: list[ChannelValue] = Field(min_length=1)

    @field_validator("values")
    @classmethod
    def _named_once(cls, values: list[ChannelValue]) -> list[ChannelValue]:
        if len({value.name for value in values}) < len(values):
            raise ValueError("two values have the same name")
        return values

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if not is_loopback(self.host) and not self.allow:
            raise ValueError(f"allow: {self.host} is off the loopback: name the addresses that may send")
        return self


class ArtNetInputConfig(DmxInputConfig):
    """Options of the kind `artnet_input`."""

    port: int = Field(default=ARTNET_PORT, ge=1, le=65535)


class SacnInputConfig(DmxInputConfig):
    """Options of the kind `sacn_input`."""

    port: int = Field(default=SACN_PORT, ge=1, le=65535)
    multicast: bool = Field(default=True, description="join the universes' groups, on `host`'s network")


class _DmxInput(ABC):
    """A source of Readings: the configured channels when they change, and twice a second."""

    kind = "dmx_input"

    def __init__(self, config: DmxInputConfig, clock: Clock) -> None:
        self._listen = (config.host, config.port)
        self._allow = config.allow
        self._values = config.values
        self._clock = clock
        self._socket: socket.socket | None = None
        self._told: dict[str, float] = {}
        self._told_ns: dict[int, int] = {}

    def open(self) -> None:
        """Raises DeviceLost, naming the port, where it can't be listened on."""
        self.close()
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # other programs may listen too
            self._set_up(opened)
        except OSError as error:
            opened.close()
            raise DeviceLost(f"{self.kind}.port: {self._listen[0]}:{self._listen[1]} can't be used: {error}") from error
        opened.settimeout(READ_TIMEOUT_S)
        self._socket = opened
        self._told, self._told_ns = {}, {}

    def read(self) -> Readings:
        """The configured channels of the next packet that changes one. Raises NotReady."""
        if self._socket is None:
            raise DeviceLost(f"{self.kind}.port: not open")
        try:
            datagram, sender = self._socket.recvfrom(LARGEST_DATAGRAM_BYTES)
        except TimeoutError:
            raise NotReady from None
        except OSError as error:
            raise DeviceLost(f"{self.kind}.port: can't be read: {error}") from error
        now_ns = self._clock.now_ns()
        # Who listens to multicast hears other networks too, whatever address it was bound to.
        if sender[0] not in self._allow and (self._allow or not is_loopback(sender[0])):
            return Readings(captured_ns=now_ns, refused={"sender": f"{sender[0]} is not among {self.kind}.allow"})
        try:
            universe = self._read(datagram, sender)
        except NotDmx as error:
            return Readings(captured_ns=now_ns, refused={"datagram": f"a datagram {error}"})
        if universe is None or not self._counts(universe, now_ns, sender[0]):
            raise NotReady
        return self._readings(universe, now_ns)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _set_up(self, opened: socket.socket) -> None:
        opened.bind(self._listen)

    @abstractmethod
    def _read(self, datagram: bytes, sender: tuple[str, int]) -> Universe | None:
        """The levels in a datagram, None where it holds others things. Raises NotDmx."""

    @abstractmethod
    def _counts(self, universe: Universe, now_ns: int, sender: str) -> bool:
        """Whether levels are to be taken: of a universe that is listened to, in order, from who counts."""

    def _readings(self, universe: Universe, now_ns: int) -> Readings:
        values = {
            value.name: float(universe.levels[value.channel - 1])
            for value in self._values
            if value.universe == universe.universe and value.channel <= len(universe.levels)
        }
        is_changed = any(self._told.get(name) != level for name, level in values.items())
        if not is_changed and now_ns - self._told_ns.get(universe.universe, 0) < UNCHANGED_S * 1e9:
            raise NotReady
        if not values:
            raise NotReady
        self._told |= values
        self._told_ns[universe.universe] = now_ns
        return Readings(values, now_ns)


class ArtNetInput(_DmxInput):
    """Channels over Art-Net; of several senders the last one counts. Answers desks that look for nodes (ArtPoll)."""

    kind = "artnet_input"

    def __init__(self, config: ArtNetInputConfig, clock: Clock) -> None:
        super().__init__(config, clock)
        self._sequences: dict[tuple[int, str], int] = {}

    def _read(self, datagram: bytes, sender: tuple[str, int]) -> Universe | None:
        if is_art_poll(datagram):
            self._answer(sender)
            return None
        return read_art_net(datagram)

    def _answer(self, asker: tuple[str, int]) -> None:
        assert self._socket is not None  # a datagram came by it
        universes = (value.universe & MOST_PORT_ADDRESS for value in self._values)
        try:
            for reply in art_poll_replies(universes, address_towards(asker[0]), NODE_NAME):
                # To Art-Net's own port, as the specification has it, and to who asks by another.
                for to in {(asker[0], self._listen[1]), asker}:
                    self._socket.sendto(reply, to)
        except OSError as error:
            raise NotDmx(f"asks who is there from where no answer goes: {error}") from error

    def _counts(self, universe: Universe, now_ns: int, sender: str) -> bool:
        if all(value.universe != universe.universe for value in self._values):
            return False
        key = (universe.universe, sender)
        before = self._sequences.get(key, 0)
        self._sequences[key] = universe.sequence
        return universe.sequence == 0 or before == 0 or is_newer(universe.sequence, before)


class SacnInput(_DmxInput):
    """Channels over sACN; of several sources the one of the highest priority counts, for as long as it sends."""

    kind = "sacn_input"

    def __init__(self, config: SacnInputConfig, clock: Clock) -> None:
        super().__init__(config, clock)
        self._multicast = config.multicast
        self._best: dict[int, tuple[Universe, int]] = {}  # universe → the last that counted, and when

    def _set_up(self, opened: socket.socket) -> None:
        if not self._multicast:
            opened.bind(self._listen)
            return
        host, port = self._listen
        opened.bind(("", port))  # an address of our own would hear no multicast
        for universe in {value.universe for value in self._values}:
            group = socket.inet_aton(multicast_address(universe)) + socket.inet_aton(host)
            opened.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
        # Else Linux hears what any other program joined, on any network.
        opened.setsockopt(socket.IPPROTO_IP, IP_MULTICAST_ALL, 0)

    def _read(self, datagram: bytes, sender: tuple[str, int]) -> Universe | None:
        return read_e131(datagram)

    def _counts(self, universe: Universe, now_ns: int, sender: str) -> bool:
        if universe.preview or all(value.universe != universe.universe for value in self._values):
            return False
        best, heard_ns = self._best.get(universe.universe, (None, 0))
        if best is not None and best.source == universe.source:
            if not is_newer(universe.sequence, best.sequence):
                return False
            if universe.terminated:
                del self._best[universe.universe]
                return False
        elif universe.terminated or (
            best is not None and now_ns - heard_ns <= SOURCE_LOST_S * 1e9 and best.priority > universe.priority
        ):
            return False
        self._best[universe.universe] = (universe, now_ns)
        return True
