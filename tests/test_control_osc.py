"""OSC over real UDP sockets on the loopback: what show control and tablets send, what is answered, what is broken."""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from parts import PATIENCE_S, free_udp_port, wait_until
from pydantic import ValidationError
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from oysterd.changes import Motion
from oysterd.clock import ManualClock
from oysterd.commands import COMMANDS, Command
from oysterd.control_osc import ControlOsc, OscError
from oysterd.director import Director
from oysterd.osc_config import OscConfig


class Tablet:
    """Sends OSC and keeps what is sent to it."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(PATIENCE_S)
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.room = ("127.0.0.1", 0)

    def send(self, address: str, *arguments: Any) -> None:
        self.socket.sendto(message(address, *arguments), self.room)

    def next(self, beginning: str) -> tuple[str, list[Any]]:
        while True:
            heard = OscMessage(self.socket.recv(65_536))
            if heard.address.startswith(beginning):
                return heard.address, list(heard.params)


class Room:
    def __init__(self, **options: Any) -> None:
        clock = self.clock = ManualClock(100.0)
        self.submitted: list[Command] = []
        self.motions: list[Motion] = []
        self.readings: list[tuple[str, float]] = []
        self.director = Director(clock, self._apply, lambda receipt: self.control.publish_receipt(receipt))
        self.port = free_udp_port()
        self.control = ControlOsc(
            OscConfig(enabled=True, port=self.port, **options),
            self.director,
            lambda name, value: self.readings.append((name, value)),
            self.motions.append,
            clock,
        )

    def _apply(self, command: Command) -> None:
        self.submitted.append(command)
        self.director.applied(command.id, 7, 0.5)


@pytest.fixture
def tablet() -> Iterator[Tablet]:
    made = Tablet()
    yield made
    made.socket.close()


@pytest.fixture
def room(tablet: Tablet) -> Iterator[Room]:
    made = Room(targets=[tablet.address], motion_hold_s=0.3)
    tablet.room = ("127.0.0.1", made.port)
    made.control.start()
    yield made
    made.control.stop()


def message(address: str, *arguments: Any) -> bytes:
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument)
    return builder.build().dgram


def applied(room: Room, tablet: Tablet) -> dict[str, Any]:
    """Wait until the command that was just sent is applied; its fields."""
    _, (identifier, _, status, why) = tablet.next("/oysterd/receipt")
    assert status == "accepted", why
    # The receipt is sent before the command waits for its time.
    wait_until(lambda: room.director.tick() or room.submitted, "the command to be due")
    assert tablet.next("/oysterd/receipt")[1][:3] == [identifier, room.submitted[-1].name, "applied"]
    return room.submitted[-1].model_dump(exclude_none=True, exclude={"id", "at_s"})


@pytest.mark.parametrize(
    ("sent", "name", "fields"),
    [
        (("/oysterd/direct", "more wind"), "direct", {"text": "more wind"}),
        (("/oysterd/direct", "让雨停下来"), "direct", {"text": "让雨停下来"}),
        (("/oysterd/view", "third"), "view", {"view": "third"}),
        (("/oysterd/environment/rain", 0.5), "environment", {"rain": 0.5}),
        (("/oysterd/environment/wind", "release"), "environment", {"wind": "release"}),
        (("/oysterd/release/what", ["motion"]), "release", {"what": ["motion"]}),
        (("/oysterd/snapshot",), "snapshot", {}),
        (("/oysterd/command/change", '{"scene": "a harbour", "view": "first"}'), "change",
         {"scene": "a harbour", "view": "first"}),
    ],
)  # fmt: skip
def test_commands_go_through_the_one_table(
    room: Room, tablet: Tablet, sent: tuple[Any, ...], name: str, fields: dict[str, Any]
) -> None:
    tablet.send(*sent)
    assert applied(room, tablet) == fields
    assert room.submitted[0].name == name


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (("/oysterd/direct", 5), "text: must be text, not 5"),
        (("/oysterd/direct",), "text: is missing"),
        (("/oysterd/environment/rian", 0.5), 'rian: unknown key (did you mean "rain"?)'),
        (("/oysterd/environment/rain", 7.0), "rain: must be a number from 0 to 1"),
        (("/oysterd/drect", "rain"), 'unknown command "drect" (did you mean "direct"?)'),
        (("/oysterd/command/direct", "{"), "payload: is not valid JSON"),
    ],
)
def test_a_wrong_command_is_answered(room: Room, tablet: Tablet, sent: tuple[Any, ...], why: str) -> None:
    tablet.send(*sent)
    _, (_, _, status, told) = tablet.next("/oysterd/receipt")
    assert status == "rejected" and told.startswith(why)
    assert room.submitted == []


def test_who_asks_is_answered_also_when_it_is_no_target(room: Room) -> None:
    stranger = Tablet()
    stranger.room = ("127.0.0.1", room.port)
    stranger.send("/oysterd/direct", "snow")
    assert stranger.next("/oysterd/receipt")[1][1:3] == ["direct", "accepted"]
    stranger.socket.close()


def test_a_motion_is_held_and_let_go(room: Room, tablet: Tablet) -> None:
    tablet.send("/oysterd/motion", 1.0, 0.0, 0.5)
    walking = Motion(forward=1.0, yaw_rad_s=0.5)
    wait_until(lambda: room.motions.count(walking) >= 3, "the motion to be said again")
    tablet.send("/oysterd/motion/pitch_rad_s", 0.25)
    turned = Motion(forward=1.0, yaw_rad_s=0.5, pitch_rad_s=0.25)
    wait_until(lambda: turned in room.motions, "one axis beside the others")
    room.clock.advance(0.4)
    wait_until(lambda: room.control._moved_s is None, "the end of what nobody says again")
    assert set(room.motions[room.motions.index(turned) :]) == {turned}
    tablet.send("/oysterd/motion", 0.5)
    tablet.send("/oysterd/motion", 0.0)
    wait_until(lambda: room.motions[-1] == Motion(), "standing still")


def test_sensors_and_bundles_are_taken_and_what_is_broken_is_told_once(
    room: Room, tablet: Tablet, caplog: pytest.LogCaptureFixture
) -> None:
    bundle = OscBundleBuilder(IMMEDIATELY)  # type: ignore[arg-type]
    for name, value in (("lux", 320.5), ("door", True), ("people", 3)):
        builder = OscMessageBuilder(f"/oysterd/sensor/{name}")
        builder.add_arg(value)
        bundle.add_content(builder.build())
    tablet.socket.sendto(bundle.build().dgram, tablet.room)
    wait_until(lambda: len(room.readings) == 3, "three readings")
    assert room.readings == [("lux", 320.5), ("door", 1.0), ("people", 3.0)]

    nested = b""
    for _ in range(2000):
        nested = b"#bundle\0" + struct.pack(">q", 1) + (struct.pack(">i", len(nested)) + nested if nested else b"")
    chance = random.Random(7)
    whole = message("/oysterd/motion", 1.0, "abc", True, b"blob")
    broken = [nested, b"", b"\xff" * 40, *(chance.randbytes(chance.randrange(1, 80)) for _ in range(50))]
    broken += [whole[: chance.randrange(1, len(whole) - 4)] for _ in range(20)]
    for datagram in broken:
        tablet.socket.sendto(datagram, tablet.room)
    for address, arguments in (("/oysterd/sensor/lux", ("wet",)), ("/elsewhere", (1,)), ("/oysterd/motion", (3.0,))):
        for _ in range(3):
            tablet.send(address, *arguments)
    tablet.send("/oysterd/sensor/last", 1.0)
    wait_until(lambda: ("last", 1.0) in room.readings, "the last reading")
    assert room.control.refusals.count >= 60
    alerts = room.control.refusals.alerts()
    assert "datagram: is no OSC" in alerts
    assert "/oysterd/sensor/lux: must be one number" in alerts
    assert caplog.text.count("datagram: is no OSC") == 1 and caplog.text.count("unknown address") == 1
    tablet.send("/oysterd/sensor/lux", 1.0)
    wait_until(lambda: room.readings[-1] == ("lux", 1.0), "a good reading")
    wait_until(lambda: not any("lux" in alert for alert in room.control.refusals.alerts()), "the alert's end")


def test_whatever_stands_in_a_message_nothing_ends_the_thread(room: Room, tablet: Tablet) -> None:
    chance = random.Random(3)
    values = [0, -1.5, 1e38, float("nan"), float("inf"), "x", "", "{", b"\xff", True, False, None, [], [1, "a", [2.0]]]
    topics = [
        *COMMANDS,
        "motion",
        "sensor",
        "sensor/a",
        "command",
        *(f"command/{name}" for name in COMMANDS),
        "state",
        "",
    ]
    for _ in range(1500):
        address = chance.choice(["/oysterd/", "/oysterd/", "/", ""]) + chance.choice(topics)
        address += chance.choice(["", "", "/", "/rain", "/forward", "/text", "/id", "/a/b"])
        arguments = [chance.choice(values) for _ in range(chance.randrange(0, 6))]
        room.control._take(message(address or "/", *arguments), ("127.0.0.1", 9))
    tablet.send("/oysterd/sensor/last", 1.0)
    wait_until(lambda: ("last", 1.0) in room.readings, "the last reading")
    assert all(np.isfinite(value) for _, value in room.readings)


def test_the_state_is_sent_value_by_value(room: Room, tablet: Tablet) -> None:
    room.control.publish_state({"ready": True, "step": 12, "why": None, "mqtt": {"rtf": 1.5}, "alerts": ["a", "b"]})
    told = [tablet.next("/oysterd/state") for _ in range(4)]
    assert told == [
        ("/oysterd/state/ready", [1]),
        ("/oysterd/state/step", [12]),
        ("/oysterd/state/mqtt/rtf", [1.5]),
        ("/oysterd/state/alerts", ["a", "b"]),
    ]
    room.control.publish_telemetry({"rtf": 1.25})
    assert tablet.next("/oysterd/telemetry") == ("/oysterd/telemetry/rtf", [1.25])


def test_a_target_that_is_not_there_does_no_harm(tablet: Tablet) -> None:
    room = Room(targets=[f"127.0.0.1:{free_udp_port()}"])
    room.control.start()
    for _ in range(5):
        room.control.publish_state({"step": 1})
    tablet.room = ("127.0.0.1", room.port)
    tablet.send("/oysterd/sensor/lux", 1.0)
    wait_until(lambda: room.readings == [("lux", 1.0)], "it goes on")
    room.control.stop()
    room.control.publish_state({"step": 1})


def test_only_those_who_are_allowed_are_heard(tablet: Tablet) -> None:
    room = Room(allow=["127.0.0.9"])
    room.control.start()
    tablet.room = ("127.0.0.1", room.port)
    tablet.send("/oysterd/sensor/lux", 1.0)
    wait_until(lambda: room.control.refusals.count == 1, "the refusal")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as allowed:
        allowed.bind(("127.0.0.9", 0))  # all of 127/8 is the loopback
        allowed.sendto(message("/oysterd/sensor/lux", 2.0), tablet.room)
        wait_until(lambda: room.readings == [("lux", 2.0)], "the reading of who is allowed")
    room.control.stop()


def test_a_port_in_use_names_its_setting(room: Room) -> None:
    other = Room()
    other.control._config = OscConfig(enabled=True, port=room.port)
    with pytest.raises(OscError, match=r"osc\.port: .* can't be used"):
        other.control.start()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"host": "0.0.0.0"}, "off the loopback: name the addresses that may send"),
        ({"host": "tablet"}, "must be an IPv4 address"),
        ({"allow": ["1.2.3"]}, "must be an IPv4 address"),
        ({"targets": ["300.0.0.1:9001"]}, "must be an IPv4 address"),
        ({"targets": ["127.0.0.1"]}, "pattern"),
    ],
)
def test_an_unsafe_or_unclear_address_is_refused(options: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        OscConfig(**options)
