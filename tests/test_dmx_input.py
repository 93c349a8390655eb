"""Channels of a desk, over real sockets: in order, by priority, from who may send, and whatever else is on the port."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from parts import free_udp_port
from pydantic import ValidationError

from drivers import make_source
from drivers.base import DeviceLost, MonotonicClock, NotReady, Readings, Source
from drivers.dmx_input import SOURCE_LOST_S, UNCHANGED_S
from drivers.dmx_packets import art_dmx, e131, multicast_address

VALUES = [{"name": "fader", "universe": 3, "channel": 2}, {"name": "last", "universe": 3, "channel": 512}]
DESK, OTHER = b"d" * 16, b"o" * 16


class Turned(MonotonicClock):
    """The machine's clock, which a test may turn on."""

    def __init__(self) -> None:
        self.more_ns = 0

    def now_ns(self) -> int:
        return super().now_ns() + self.more_ns


class Desk:
    """A source under test and what sends to it."""

    def __init__(self, kind: str, **options: Any) -> None:
        self.clock = Turned()
        self.port = free_udp_port()
        self.source: Source = make_source(kind, {"port": self.port, "values": VALUES, **options}, self.clock)
        self.source.open()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def send(self, *datagrams: bytes, host: str = "127.0.0.1") -> None:
        for datagram in datagrams:
            self.socket.sendto(datagram, (host, self.port))

    def read(self) -> list[dict[str, float]]:
        """All that is told now; a read that waits in vain ends it."""
        told: list[dict[str, float]] = []
        misses = 0
        while misses < 4:  # packets that count for nothing are NotReady too, at once
            try:
                sample = self.source.read()
            except NotReady:
                misses += 1
                continue
            assert isinstance(sample, Readings)
            told.append(sample.values or dict.fromkeys(sample.refused, -1.0))
        return told


@pytest.fixture
def desks() -> Iterator[list[Desk]]:
    made: list[Desk] = []
    yield made
    for desk in made:
        desk.source.close()
        desk.socket.close()


def art(level: int, sequence: int = 0, universe: int = 3) -> bytes:
    return art_dmx(universe, bytes([0, level]), sequence)


def acn(level: int, sequence: int, source: bytes = DESK, **options: Any) -> bytes:
    return e131(3, bytes([0, level]), sequence, source, "desk", **options)


def test_an_art_net_channel_is_read_when_it_changes_and_now_and_then(desks: list[Desk]) -> None:
    desk = Desk("artnet_input")
    desks.append(desk)
    desk.send(art(10), art(10), art(99, universe=4), art(20), art_dmx(3, bytes(512), 0))
    assert desk.read() == [{"fader": 10.0}, {"fader": 20.0}, {"fader": 0.0, "last": 0.0}]
    desk.clock.more_ns += round(UNCHANGED_S * 1e9)
    desk.send(art(0))
    assert desk.read() == [{"fader": 0.0}]


def test_art_net_that_comes_out_of_order_is_dropped(desks: list[Desk]) -> None:
    desk = Desk("artnet_input")
    desks.append(desk)
    desk.send(art(10, 250), art(11, 251), art(9, 249), art(12, 2), art(13, 1))
    assert desk.read() == [{"fader": 10.0}, {"fader": 11.0}, {"fader": 12.0}]


def test_of_two_sacn_sources_the_higher_priority_counts_for_as_long_as_it_is_there(desks: list[Desk]) -> None:
    desk = Desk("sacn_input", multicast=False)
    desks.append(desk)
    desk.send(acn(10, 0), acn(20, 0, OTHER, priority=150), acn(11, 1), acn(9, 1), acn(30, 1, OTHER, priority=150))
    assert desk.read() == [{"fader": 10.0}, {"fader": 20.0}, {"fader": 30.0}]
    desk.send(acn(31, 2, OTHER, priority=150, terminated=True), acn(12, 2))
    assert desk.read() == [{"fader": 12.0}]
    desk.send(acn(40, 3, OTHER, priority=150), acn(13, 3))
    assert desk.read() == [{"fader": 40.0}]
    desk.clock.more_ns += round((SOURCE_LOST_S + 0.1) * 1e9)
    desk.send(acn(14, 4))
    assert desk.read() == [{"fader": 14.0}]


def test_preview_and_repeated_sacn_count_for_nothing(desks: list[Desk]) -> None:
    desk = Desk("sacn_input", multicast=False)
    desks.append(desk)
    preview = bytearray(acn(99, 1))
    preview[112] = 0x80
    desk.send(acn(10, 0), bytes(preview), acn(11, 0), acn(12, 1))
    assert desk.read() == [{"fader": 10.0}, {"fader": 12.0}]


def test_sacn_is_heard_by_multicast(desks: list[Desk]) -> None:
    desk = Desk("sacn_input")
    desks.append(desk)
    desk.socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
    desk.send(acn(55, 0), host=multicast_address(3))
    desk.send(acn(77, 1), host=multicast_address(4))  # a group that nobody joined
    assert desk.read() == [{"fader": 55.0}]


@pytest.mark.parametrize("kind", ["artnet_input", "sacn_input"])
def test_garbage_and_strangers_are_told_and_the_rest_goes_on(kind: str, desks: list[Desk]) -> None:
    desk = Desk(kind, allow=["127.0.0.1"], **({"multicast": False} if kind == "sacn_input" else {}))
    desks.append(desk)
    good = art(5) if kind == "artnet_input" else acn(5, 0)
    desk.send(b"", b"\xff" * 300, good[:-1], good)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.9", 0))
        stranger.sendto(good, ("127.0.0.1", desk.port))
    assert desk.read() == [{"datagram": -1.0}] * 3 + [{"fader": 5.0}, {"sender": -1.0}]


def test_a_desk_that_looks_for_nodes_finds_us(desks: list[Desk]) -> None:
    wanted = [{"name": f"u{universe}", "universe": universe, "channel": 1} for universe in (0, 1, 2, 3, 4, 0x7A5)]
    desk = Desk("artnet_input", values=wanted)
    desks.append(desk)
    desk.socket.settimeout(2.0)
    desk.send(b"Art-Net\0" + struct.pack("<H", 0x2000) + bytes([0, 14, 0b10, 0]))
    assert desk.read() == []  # it says nothing of the room
    found = []
    for _ in range(3):  # one answer for each four ports of a subnet
        reply, sender = desk.socket.recvfrom(2048)
        assert sender == ("127.0.0.1", desk.port) and len(reply) == 239 and reply[:8] == b"Art-Net\0"
        opcode, address, port = struct.unpack_from("<H4sH", reply, 8)
        assert (opcode, socket.inet_ntoa(address), port) == (0x2100, "127.0.0.1", 6454)
        assert reply[26:44].rstrip(b"\0") == b"oysterd" and reply[44:108].startswith(b"oysterd: channels")
        count = int.from_bytes(reply[172:174], "big")
        assert reply[174:178] == bytes([0x80] * count).ljust(4, b"\0")
        found.append([reply[18] << 8 | reply[19] << 4 | low for low in reply[190 : 190 + count]])
        assert reply[211] == len(found) and reply[212] & 0x08
    assert found == [[0, 1, 2, 3], [4], [0x7A5]]
    desk.send(art(7, universe=0x7A5)[:18] + bytes([9, 0]))
    assert desk.read() == [{"u1957": 9.0}]


def test_a_stranger_who_looks_for_nodes_gets_no_answer(desks: list[Desk]) -> None:
    desk = Desk("artnet_input", allow=["127.0.0.9"])
    desks.append(desk)
    desk.socket.setblocking(False)
    desk.send(b"Art-Net\0" + struct.pack("<H", 0x2000) + bytes([0, 14, 0, 0]))
    assert desk.read() == [{"sender": -1.0}]
    with pytest.raises(BlockingIOError):
        desk.socket.recvfrom(2048)


def test_an_address_that_is_not_ours_names_the_setting() -> None:
    source = make_source("artnet_input", {"host": "192.0.2.1", "allow": ["192.0.2.2"], "values": VALUES})
    with pytest.raises(DeviceLost, match=r"artnet_input\.port: 192\.0\.2\.1:6454 can't be used"):
        source.open()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"host": "0.0.0.0"}, "off the loopback: name the addresses that may send"),
        ({"values": [*VALUES, VALUES[0]]}, "the same name"),
        ({"values": [{"name": "a", "universe": 0, "channel": 513}]}, "512"),
    ],
)
def test_an_unsafe_or_unclear_input_is_refused(options: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        make_source("artnet_input", {"values": VALUES, **options})
