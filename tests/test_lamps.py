"""Lamps: zones of a picture become levels in packets on real sockets, at their rate, in a process of their own."""

from __future__ import annotations

import os
import signal
import socket
import uuid
from collections.abc import Iterator
from typing import Any

import children
import numpy as np
import pytest
from hand_clock import HandClock
from numpy.typing import NDArray
from parts import PATIENCE_S, wait_until
from pydantic import ValidationError

from drivers import make_sink
from drivers.base import DeviceLost
from drivers.dmx_packets import DISCOVERY_UNIVERSE, Universe, multicast_address, read_art_net, read_e131
from oysterd.bus import Bus, Message
from oysterd.clock import MonotonicClock
from oysterd.config import OutputConfig
from oysterd.lamps import Lamps, run_lamps
from oysterd.playout import run_playout
from oysterd.ring import ChunkRing
from oysterd.supervisor import Child, Supervisor

WHOLE = [0.0, 0.0, 1.0, 1.0]


class Node:
    """A node on the loopback: what arrives there."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(PATIENCE_S)
        self.port = int(self.socket.getsockname()[1])

    def next(self) -> Universe:
        datagram = self.socket.recv(2048)
        universe = read_art_net(datagram) if datagram.startswith(b"Art-Net") else read_e131(datagram)
        assert universe is not None
        return universe

    def waiting(self) -> list[Universe]:
        found = []
        self.socket.setblocking(False)
        try:
            while True:
                found.append(self.next())
        except BlockingIOError:
            self.socket.settimeout(PATIENCE_S)
            return found


@pytest.fixture
def node() -> Iterator[Node]:
    made = Node()
    yield made
    made.socket.close()


def fixture(**options: Any) -> dict[str, Any]:
    return {"name": "a", "zone": WHOLE, "universe": 1, "address": 1, "gamma": 1.0, "smooth_s": 0.0, **options}


def lamps(node: Node, *fixtures: dict[str, Any], kind: str = "artnet_lamps", **options: Any) -> tuple[Any, HandClock]:
    clock = HandClock()
    sink: Any = make_sink(kind, {"host": "127.0.0.1", "port": node.port, "fixtures": list(fixtures), **options}, clock)
    sink.open()
    return sink, clock


def picture(*rgb: int, height: int = 90, width: int = 160) -> NDArray[np.uint8]:
    return np.full((height, width, 3), rgb, np.uint8)


@pytest.mark.parametrize(
    ("options", "rgb", "levels"),
    [
        ({"mode": "rgb"}, (255, 128, 0), [255, 128, 0]),
        ({"mode": "rgbw"}, (255, 128, 50), [205, 78, 0, 50]),
        ({"mode": "dimmer"}, (255, 255, 255), [255]),
        ({"mode": "dimmer"}, (0, 255, 0), [182]),  # 0.7152
        ({"mode": "rgb", "gamma": 2.2}, (255, 128, 0), [255, 56, 0]),  # 255 * (128 / 255) ** 2.2
        ({"mode": "rgb", "level": 0.5}, (255, 128, 0), [128, 64, 0]),
    ],
)
def test_a_colour_becomes_the_channels_of_the_lamp(
    node: Node, options: dict[str, Any], rgb: tuple[int, ...], levels: list[int]
) -> None:
    sink, _ = lamps(node, fixture(**options))
    sink.write(picture(*rgb))
    told = node.next()
    assert list(told.levels)[: len(levels)] == levels
    assert set(told.levels[len(levels) :]) <= {0}
    sink.close()


@pytest.mark.parametrize("size", [(90, 160), (720, 1280), (37, 51)])
def test_each_lamp_shows_its_own_zone_and_zones_are_averages_of_light(node: Node, size: tuple[int, int]) -> None:
    height, width = size
    shown = picture(0, 0, 0, height=height, width=width)
    shown[: height // 2, : width // 2] = (255, 0, 0)
    shown[: height // 2, width // 2 :] = (0, 255, 0)
    shown[height // 2 :, ::2] = 255  # every other column: half the light
    sink, _ = lamps(
        node,
        fixture(name="left", zone=[0.0, 0.0, 0.5 - 1 / width, 0.4], address=1),
        fixture(name="right", zone=[0.5, 0.0, 0.5, 0.4], address=7),
        fixture(name="floor", zone=[0.0, 0.6, 1.0, 0.4], mode="dimmer", universe=2, address=512, gamma=2.2),
        fixture(name="dot", zone=[0.1, 0.1, 0.0001, 0.0001], address=10),
    )
    sink.write(shown)
    first, second = sorted((node.next(), node.next()), key=lambda told: told.universe)
    assert list(first.levels) == [255, 0, 0, 0, 0, 0, 0, 255, 0, 255, 0, 0]
    assert len(second.levels) == 512 and set(second.levels[:511]) == {0}
    assert second.levels[511] == pytest.approx(255 * len(range(0, width, 2)) / width, abs=8)
    sink.close()


def test_two_pictures_are_mixed_and_followed_slowly(node: Node) -> None:
    sink, clock = lamps(node, fixture(smooth_s=1.0, mode="dimmer"), rate_hz=10.0)
    black, white = picture(0, 0, 0), picture(255, 255, 255)
    sink.write(black, next_rgb=white, mix=0.25)
    assert node.next().levels[0] == 64  # the first holds at once
    for _ in range(10):
        sink.write(white)
    assert clock.slept_s == [pytest.approx(0.1)] * 11
    expected = 255 * (1 - 0.75 * np.exp(-1.0))
    assert node.waiting()[-1].levels[0] == pytest.approx(expected, abs=1)
    sink.close()


def test_what_does_not_change_is_sent_three_times_more_and_then_seldom(node: Node) -> None:
    sink, clock = lamps(node, fixture(), rate_hz=40.0)
    grey = picture(9, 9, 9)
    for _ in range(8):
        sink.write(grey)
    told = node.waiting()
    assert [universe.sequence for universe in told] == [1, 2, 3]
    for _ in range(80):  # two seconds
        sink.write(grey)
    assert len(node.waiting()) == 2
    sink.write(picture(10, 9, 9))
    assert node.waiting()[-1].levels[0] == 10
    clock.advance(5.0)  # who was held up does not make up for it
    clock.slept_s.clear()
    sink.write(grey)
    sink.write(grey)
    assert clock.slept_s == [0.0, pytest.approx(0.025)]
    sink.close()


def test_sequences_count_round_each_universe_by_itself(node: Node) -> None:
    fixtures = [fixture(name="a"), fixture(name="b", universe=2)]
    for kind, first, last in (("artnet_lamps", 1, 255), ("sacn_lamps", 0, 255)):
        sink, _ = lamps(node, *fixtures, kind=kind)
        for turn in range(300):
            sink.write(picture(turn % 250, 0, 0))
            assert {told.sequence for told in node.waiting()} == {first + turn % (last - first + 1)}
        sink.close()
        node.waiting()


@pytest.mark.parametrize("kind", ["artnet_lamps", "sacn_lamps"])
def test_at_the_end_lamps_go_dark_where_they_shall(node: Node, kind: str) -> None:
    for dark in (False, True):
        sink, _ = lamps(node, fixture(), kind=kind, dark_at_end=dark)
        sink.write(picture(200, 200, 200))
        assert list(node.next().levels[:3]) == [200, 200, 200]
        sink.close()
        sink.close()
        rest = node.waiting()
        darkened = [told for told in rest if not told.terminated]
        assert [list(told.levels[:3]) for told in darkened] == ([[0, 0, 0]] if dark else [])
        assert len(rest) - len(darkened) == (3 if kind == "sacn_lamps" else 0)


def test_sacn_is_sent_by_multicast_with_our_name_and_priority() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("", 0))
        for universe in (7, DISCOVERY_UNIVERSE):
            group = socket.inet_aton(multicast_address(universe)) + socket.inet_aton("127.0.0.1")
            listener.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
        listener.settimeout(PATIENCE_S)
        options = {"port": listener.getsockname()[1], "interface": "127.0.0.1", "priority": 150}
        clock = HandClock()
        sink = make_sink("sacn_lamps", {**options, "fixtures": [fixture(universe=7)]}, clock)
        sink.open()
        sink.write(picture(1, 2, 3))
        packet = listener.recv(2048)
        told = read_e131(packet)
        assert told is not None and (told.universe, told.priority, told.levels) == (7, 150, b"\1\2\3")
        assert packet[44:108].rstrip(b"\0") == b"oysterd"
        # Every ten seconds it is said which universes there are.
        discovery = listener.recv(2048)
        assert discovery[18:22] == b"\0\0\0\x08" and discovery[120:] == b"\0\x07"
        clock.advance(9.9)
        sink.write(picture(1, 2, 3))
        clock.advance(0.1)
        sink.write(picture(1, 2, 3))
        following = [listener.recv(2048) for _ in range(3)]
        assert [packet == discovery for packet in following] == [False, False, True]
        sink.close()


def test_a_network_that_is_not_there_is_a_lost_device() -> None:
    options = {"interface": "192.0.2.1", "fixtures": [fixture()]}  # a test network's address, never ours
    sink = make_sink("sacn_lamps", options, HandClock())
    with pytest.raises(DeviceLost, match=r"sacn_lamps\.host: the network can't be used"):
        sink.open()
    with pytest.raises(DeviceLost, match="not open"):
        sink.write(picture(0, 0, 0))


@pytest.mark.parametrize(
    ("fixtures", "why"),
    [
        ([fixture(), fixture(name="b", address=3)], "a and b share channel 3 of 1"),
        ([fixture(), fixture(address=9)], "the same name"),
        ([fixture(address=511)], "rgb at 511 goes beyond channel 512"),
        ([fixture(zone=[0.5, 0, 0.6, 1])], "must lie in the picture"),
        ([fixture(universe=40_000)], "Art-Net's are 0 to 32767"),
        ([], "at least 1"),
    ],
)
def test_fixtures_that_can_t_be_are_refused(fixtures: list[dict[str, Any]], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        make_sink("artnet_lamps", {"host": "127.0.0.1", "fixtures": fixtures})


@pytest.fixture
def ring() -> Iterator[ChunkRing]:
    made = ChunkRing.create(f"oysterd-test-{uuid.uuid4().hex[:12]}", 12, 90, 160, 2000)
    yield made
    made.close()
    made.unlink()


def test_a_network_that_goes_is_tried_again_and_said_once(node: Node, ring: ChunkRing) -> None:
    clock, told = HandClock(), list[str]()

    class Cut:
        """The real sink, behind a network that can be cut."""

        def __init__(self) -> None:
            self.sink, _ = lamps(node, fixture())
            self.is_cut = False

        def open(self) -> None:
            if self.is_cut:
                raise DeviceLost("artnet_lamps.host: unreachable")
            self.sink.open()

        def write(self, rgb: Any, /, next_rgb: Any = None, mix: float = 0.0) -> None:
            if self.is_cut:
                raise DeviceLost("artnet_lamps.host: unreachable")
            self.sink.write(rgb, next_rgb=next_rgb, mix=mix)

        def close(self) -> None:
            self.sink.close()

    cut = Cut()
    following = Lamps(cut, ring, clock, lambda kind, **_: told.append(kind) if kind != "stats" else None)
    following.turn()
    assert told == []  # no world yet
    ring.write(picture(5, 5, 5), np.zeros((2000, 2), np.float32))
    ring.playing = 0
    following.turn()
    cut.is_cut = True
    clock.slept_s.clear()
    for _ in range(6):
        following.turn()
    assert clock.slept_s == [0.2, 0.4, 0.8, 1.6, 2.0, 2.0]
    cut.is_cut = False
    following.turn()
    assert told == ["back", "lost", "back"]
    assert list(node.waiting()[-1].levels[:3]) == [5, 5, 5]
    cut.close()


def test_lamps_follow_a_running_world_and_hold_when_it_stalls(node: Node, ring: ChunkRing) -> None:
    bus, supervisor = Bus(), Supervisor(MonotonicClock())
    events: list[Message] = []
    name = str(ring._memory.name)  # type: ignore[union-attr]
    options = {"host": "127.0.0.1", "port": node.port, "fixtures": [fixture()]}
    output = OutputConfig(name="wash", kind="sacn_lamps", options=options)
    try:
        supervisor.start(Child("output.wash", run_lamps, (output, name, bus.events), 30, 30))
        supervisor.start(Child("world", children.test_card_world, (None, name, bus.events, bus.open("world")), 30, 30))
        supervisor.start(Child("sound", run_playout, (None, name, bus.events), 30, 30))
        seen: list[int] = []

        def has_moved() -> bool:
            events.extend(bus.receive(0.0))
            seen.extend(told.levels[0] for told in node.waiting())
            return len(set(seen)) > 40

        wait_until(has_moved, "moving lamps", 30)
        # Greys of the chunks are 16 + 8 n; those between are mixes of two, which a lamp's higher rate shows.
        assert {level % 8 for level in seen} - {0}
        os.kill(supervisor.pids()["world"], signal.SIGSTOP)
        expected = int(children.moving_picture(ring, ring.newest)[0, 0, 0])
        wait_until(lambda: node.next().levels[0] == expected, "the last picture, held", 30)
        wait_until(lambda: node.next().levels[0] == expected, "and sent on", 30)
        os.kill(supervisor.pids()["world"], signal.SIGCONT)
        wait_until(lambda: abs(node.next().levels[0] - expected) > 8, "it goes on", 30)

        def has_told() -> bool:
            events.extend(bus.receive(0.05))
            return any(event["type"] == "stats" and event.get("pictures_per_s", 0) > 1 for event in events)

        wait_until(has_told, "its figures", 30)
        assert [event["type"] for event in events if event["from"] == "output.wash"].count("back") == 1
        os.kill(supervisor.pids()["output.wash"], signal.SIGTERM)
        wait_until(lambda: node.next().terminated, "the goodbye", 30)
    finally:
        supervisor.stop()
        bus.close()
