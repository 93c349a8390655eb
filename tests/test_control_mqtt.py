import json
import logging
import queue
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from parts import PATIENCE_S, Mosquitto, free_port, mosquitto, wait_until

from oysterd.changes import Motion
from oysterd.clock import MonotonicClock
from oysterd.commands import Command
from oysterd.config import SiteConfig
from oysterd.control_config import MqttConfig
from oysterd.control_mqtt import ControlMqtt
from oysterd.director import Director
from oysterd.embedded_broker import BrokerError, EmbeddedBroker

BASE = "oysterd/museum/hall"


class Room:
    """The transport under test, with a director whose world applies everything at step 7."""

    def __init__(self, port: int, **options: Any) -> None:
        clock = MonotonicClock()
        self.submitted: list[Command] = []
        self.motions: list[Motion] = []
        self.readings: list[tuple[str, float]] = []
        self.director = Director(clock, self._apply, lambda receipt: self.control.publish_receipt(receipt))
        self.control = ControlMqtt(
            MqttConfig(port=port, **{"host": "127.0.0.1", "keepalive_s": 2, **options}),
            SiteConfig(name="museum", room="hall"),
            self.director,
            lambda name, value: self.readings.append((name, value)),
            self.motions.append,
            clock,
        )

    def _apply(self, command: Command) -> None:
        self.submitted.append(command)
        self.director.applied(command.id, 7, 0.5)

    def start(self) -> None:
        self.control.start()
        wait_until(lambda: self.control.connected, "the room's connection")


class Visitor:
    """Somebody else at the broker, who keeps what comes on each topic."""

    def __init__(self, port: int, topic: str, version: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv5) -> None:
        self.inbox: queue.Queue[paho.MQTTMessage] = queue.Queue()
        self.client = paho.Client(CallbackAPIVersion.VERSION2, protocol=version)
        self.client.on_connect = lambda client, *_: client.subscribe(topic, 1)
        subscribed: list[int] = []
        self.client.on_subscribe = lambda client, userdata, mid, *_: subscribed.append(mid)
        self.client.on_message = lambda client, userdata, message: self.inbox.put(message)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        wait_until(lambda: subscribed, f"a subscription to {topic}")

    def next(self, ending: str) -> paho.MQTTMessage:
        """The next message on a topic with that ending; others are passed over."""
        while True:
            message = self.inbox.get(timeout=PATIENCE_S)
            if message.topic.endswith(ending):
                return message

    def receipt(self, identifier: str) -> dict[str, Any]:
        receipt = json.loads(self.next(f"receipt/{identifier}").payload)
        assert isinstance(receipt, dict)
        return receipt

    def send(self, topic: str, payload: bytes, retain: bool = False) -> None:
        self.client.publish(f"{BASE}/{topic}", payload, qos=1, retain=retain).wait_for_publish(PATIENCE_S)

    def stop(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path) as running:
        yield running


@pytest.fixture
def room(broker: Mosquitto) -> Iterator[Room]:
    started = Room(broker.port)
    started.start()
    yield started
    started.control.stop()


@pytest.fixture
def visitor(broker: Mosquitto) -> Iterator[Visitor]:
    arrived = Visitor(broker.port, "#")
    yield arrived
    arrived.stop()


def test_a_command_gets_its_receipts(room: Room, visitor: Visitor) -> None:
    visitor.send("command/direct", b'{"id": "k1", "text": "rain"}')
    assert visitor.receipt("k1")["status"] == "accepted"
    room.director.tick()
    applied = visitor.receipt("k1")
    assert (applied["status"], applied["step"], applied["time_s"]) == ("applied", 7, 0.5)
    visitor.send("command/direct", b'{"id": "k1", "text": "rain"}')
    assert visitor.receipt("k1")["duplicate"] is True
    visitor.send("command/direct", b'{"id": "k2", "text": 5}')
    assert visitor.receipt("k2")["why"] == ["text: must be text, not 5"]
    assert len(room.submitted) == 1


def test_who_asks_over_mqtt_5_is_answered_where_it_says(room: Room, visitor: Visitor) -> None:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.ResponseTopic = "answers/here"
    properties.CorrelationData = b"\x00\xff"
    visitor.client.publish(f"{BASE}/command/snapshot", b"", qos=1, properties=properties)
    answer = visitor.next("answers/here")
    assert json.loads(answer.payload)["status"] == "accepted"
    assert answer.properties is not None
    assert answer.properties.json()["CorrelationData"] == "00ff"  # type: ignore[no-untyped-call]
    room.director.tick()
    assert json.loads(visitor.next("answers/here").payload)["status"] == "applied"


def test_retained_commands_are_ignored(broker: Mosquitto, visitor: Visitor, caplog: pytest.LogCaptureFixture) -> None:
    visitor.send("command/direct", b'{"id": "old", "text": "rain"}', retain=True)
    room = Room(broker.port)
    room.start()
    visitor.send("command/direct", b'{"id": "new", "text": "snow"}')
    assert visitor.receipt("new")["status"] == "accepted"
    room.director.tick()
    room.control.stop()
    assert [command.id for command in room.submitted] == ["new"]
    assert "ignored the retained command" in caplog.text


def test_state_and_discovery_are_retained_and_availability_ends_with_us(
    broker: Mosquitto, room: Room, visitor: Visitor
) -> None:
    room.control.publish_state({"rtf": 1.2})
    room.control.publish_telemetry({"step_ms": 40})
    visitor.next("/telemetry")  # so the broker has what was sent before it
    late = Visitor(broker.port, "#")
    assert late.next("/availability").payload == b"online"
    state = late.next("/state")
    assert json.loads(state.payload) == {"rtf": 1.2} and state.retain
    discovery = json.loads(late.next("/oysterd_museum_hall/config").payload)
    assert discovery["cmps"]["directive"]["command_topic"] == f"{BASE}/command/direct"
    room.control.stop()
    assert late.next("/availability").payload == b"offline"
    late.stop()


def test_the_last_will_says_that_we_are_gone(room: Room, visitor: Visitor) -> None:
    assert visitor.next("/availability").payload == b"online"
    connection = room.control._client.socket()
    assert isinstance(connection, socket.socket)
    connection.shutdown(socket.SHUT_RDWR)  # the line breaks without a goodbye
    assert visitor.next("/availability").payload == b"offline"
    assert visitor.next("/availability").payload == b"online"


def test_fast_inputs_arrive_and_wrong_ones_are_told_once(
    room: Room, visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    for payload in (b"wet", b"wet", b"3.5"):
        visitor.send("sensor/rain_mm_h", payload)
    for motion in (b'{"forward": 2}', b'{"forward": 2}', b'{"forward": 1, "yaw_rad_s": 0.5}'):
        visitor.send("motion", motion)
    wait_until(lambda: room.motions and room.readings, "the fast inputs")
    assert room.readings == [("rain_mm_h", 3.5)]
    assert room.motions == [Motion(forward=1.0, yaw_rad_s=0.5)]
    assert [caplog.text.count(words) for words in ("forward: must be at most 1", "not valid JSON")] == [1, 1]


def test_a_broker_that_goes_away_and_comes_back_is_used_again(
    broker: Mosquitto, room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    room.control.publish_state({"step": 1})
    broker.stop()
    wait_until(lambda: not room.control.connected, "the loss to be seen")
    room.control.publish_state({"step": 2})
    room.director.receive("direct", b'{"text": "rain"}', "test")
    broker.start()
    wait_until(lambda: room.control.connected, "the room to be back")
    back = Visitor(broker.port, "#")
    assert json.loads(back.next("/state").payload) == {"step": 2}
    back.send("command/direct", b'{"id": "again", "text": "snow"}')
    assert back.receipt("again")["status"] == "accepted"
    back.stop()
    assert caplog.text.count("mqtt.host: lost the broker") == 1
    assert "connected to" in caplog.text


def test_a_broker_that_is_not_there_is_named_and_does_no_harm(caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    room = Room(port)
    room.control.start()
    wait_until(lambda: caplog.text, "a message")
    room.control.publish_state({"step": 1})
    assert room.director.receive("direct", b'{"text": "rain"}', "test").status == "accepted"
    room.control.stop()
    assert caplog.text.count(f"mqtt.host: no broker at 127.0.0.1:{port}") == 1
    assert not room.control.connected


def test_a_password_that_is_refused_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with mosquitto(tmp_path, "allow_anonymous false") as broker:
        room = Room(broker.port, username="operator", password="wrong")
        room.control.start()
        wait_until(lambda: "mqtt.username" in caplog.text, "the refusal")
        room.control.stop()
    assert "wrong" not in caplog.text


def test_an_unreadable_certificate_is_named(caplog: pytest.LogCaptureFixture) -> None:
    room = Room(free_port(), tls_ca="absent.crt")
    room.control.start()
    room.control.stop()
    assert "mqtt.tls_ca: absent.crt can't be used" in caplog.text


def test_the_embedded_broker_serves_a_room() -> None:
    port = free_port()
    broker = EmbeddedBroker("127.0.0.1", port)
    broker.start()
    with pytest.raises(BrokerError, match=f"mqtt.port: {port} on 127.0.0.1 can't be used"):
        EmbeddedBroker("127.0.0.1", port).start()
    room = Room(port, host=None, embedded=True)
    room.start()
    visitor = Visitor(port, "#", MQTTProtocolVersion.MQTTv311)
    visitor.send("command/direct", b'{"id": "k1", "text": "rain"}')
    assert visitor.receipt("k1")["status"] == "accepted"
    room.director.tick()
    assert visitor.receipt("k1")["status"] == "applied"
    visitor.stop()
    room.control.stop()
    broker.stop()
    broker.stop()


def test_the_embedded_broker_stays_on_the_loopback() -> None:
    with pytest.raises(ValueError, match="stays on the loopback"):
        EmbeddedBroker("0.0.0.0", 1883)
