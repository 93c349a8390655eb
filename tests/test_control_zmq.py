import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq
import zmq.auth
from parts import PATIENCE_S, free_port, wait_until

from oysterd import client
from oysterd.changes import Motion
from oysterd.clock import MonotonicClock
from oysterd.commands import Command
from oysterd.control_config import ZmqConfig
from oysterd.control_zmq import ControlZmq, ZmqError
from oysterd.director import Director

ANY: dict[str, Any] = {"command": "tcp://127.0.0.1:*", "state": "tcp://127.0.0.1:*", "input": "tcp://127.0.0.1:*"}
PATIENCE_MS = round(PATIENCE_S * 1000)
Socket = zmq.Socket[bytes]


class Room:
    """The transport under test, with a director whose world applies or refuses at once."""

    def __init__(self, **options: Any) -> None:
        clock = MonotonicClock()
        self.motions: list[Motion] = []
        self.readings: list[tuple[str, float]] = []
        self.director = Director(clock, self._apply, lambda receipt: self.control.publish_receipt(receipt))
        self.control = ControlZmq(
            ZmqConfig(**{**ANY, **options}),
            self.director,
            lambda name, value: self.readings.append((name, value)),
            self.motions.append,
            clock,
        )

    def _apply(self, command: Command) -> None:
        self.director.applied(command.id, 7, 0.5)


@pytest.fixture
def context() -> Iterator[zmq.Context[Socket]]:
    own: zmq.Context[Socket] = zmq.Context()
    yield own
    own.destroy(linger=0)


@pytest.fixture
def room() -> Iterator[Room]:
    started = Room()
    started.control.start()
    yield started
    started.control.stop()


def received(socket: Socket) -> list[bytes]:
    assert socket.poll(PATIENCE_MS), "nothing came"
    return socket.recv_multipart()


def receipt(socket: Socket) -> dict[str, Any]:
    read = json.loads(received(socket)[-1])
    assert isinstance(read, dict)
    return read


def dealer_of(room: Room, context: zmq.Context[Socket]) -> Socket:
    dealer = context.socket(zmq.DEALER)
    dealer.connect(room.control.endpoints["command"])
    return dealer


def test_a_command_gets_its_receipts(room: Room, context: zmq.Context[Socket]) -> None:
    dealer = dealer_of(room, context)
    dealer.send_multipart([b"direct", b'{"id": "k1", "text": "rain"}'])
    assert receipt(dealer)["status"] == "accepted"
    room.director.tick()
    applied = receipt(dealer)
    assert (applied["id"], applied["status"], applied["step"]) == ("k1", "applied", 7)
    dealer.send_multipart([b"direct", b'{"id": "k1", "text": "rain"}'])
    assert receipt(dealer)["duplicate"] is True


@pytest.mark.parametrize(
    ("frames", "why"),
    [
        ([b"direct", b'{"text": 1}'], "text: must be text, not 1"),
        ([b"direct", b"{"], "payload: is not valid JSON"),
        ([b"direct", b'{"text": "' + b"a" * 100_000 + b'"}'], "payload: must have at most 65536 bytes"),
        ([b"direct"], "text: is missing"),
        ([b"direct", b"{}", b"more"], "payload: must be a JSON object"),
        ([b"\xff", b"{}"], "unknown command"),
    ],
)
def test_a_wrong_command_is_answered(room: Room, context: zmq.Context[Socket], frames: list[bytes], why: str) -> None:
    dealer = dealer_of(room, context)
    dealer.send_multipart(frames)
    answer = receipt(dealer)
    assert answer["status"] == "rejected"
    assert answer["why"][0].startswith(why)


def test_a_request_socket_is_answered_too(room: Room, context: zmq.Context[Socket]) -> None:
    request = context.socket(zmq.REQ)
    request.connect(room.control.endpoints["command"])
    request.send_multipart([b"snapshot", b""])
    assert receipt(request)["status"] == "accepted"


def test_subscribers_get_the_last_state_and_all_receipts(room: Room, context: zmq.Context[Socket]) -> None:
    room.control.publish_state({"step": 1})
    subscriber = context.socket(zmq.SUB)
    for topic in (b"state", b"receipt", b"telemetry"):
        subscriber.subscribe(topic)
    subscriber.connect(room.control.endpoints["state"])
    assert received(subscriber) == [b"state", b'{"step": 1}']
    room.director.receive("direct", b'{"id": "k", "text": 1}', "mqtt")
    room.control.publish_telemetry({"step_ms": 40})
    seen: dict[bytes, Any] = {}
    while not {b"receipt", b"telemetry"} <= set(seen):
        topic, payload = received(subscriber)
        seen[topic] = json.loads(payload)
    assert (seen[b"receipt"]["id"], seen[b"telemetry"]) == ("k", {"step_ms": 40})


def test_of_the_fast_inputs_the_newest_arrives(
    room: Room, context: zmq.Context[Socket], caplog: pytest.LogCaptureFixture
) -> None:
    publisher = context.socket(zmq.XPUB)
    publisher.connect(room.control.endpoints["input"])
    received(publisher)  # its subscription
    for index in range(50):
        publisher.send_multipart([b"motion", json.dumps({"forward": index / 49}).encode()])
        publisher.send_multipart([b"sensor/wind_m_s", str(index).encode()])
    wait_until(lambda: ("wind_m_s", 49.0) in room.readings and Motion(forward=1.0) in room.motions, "the newest")
    for _ in range(3):
        publisher.send_multipart([b"motion", b'{"forward": 3}'])
        publisher.send_multipart([b"weather", b"1"])
    publisher.send_multipart([b"sensor/last", b"1"])
    wait_until(lambda: ("last", 1.0) in room.readings, "the last reading")
    assert caplog.text.count("forward: must be at most 1") == 1
    assert caplog.text.count('unknown topic "weather"') == 1


def test_an_address_in_use_names_its_setting(room: Room) -> None:
    taken = room.control.endpoints["state"]
    second = Room(state=taken)
    with pytest.raises(ZmqError, match=f"zmq.state: {taken} can't be used: Address already in use"):
        second.control.start()


def test_only_known_keys_are_served_with_curve(tmp_path: Path, context: zmq.Context[Socket]) -> None:
    clients = tmp_path / "clients"
    clients.mkdir()
    zmq.auth.create_certificates(tmp_path, "server")
    zmq.auth.create_certificates(clients, "known")
    zmq.auth.create_certificates(tmp_path, "stranger")
    server_file = tmp_path / "server.key_secret"
    room = Room(server_secret_file=str(server_file), clients_dir=str(clients))
    room.control.start()
    server_key = zmq.auth.load_certificate(server_file)[0]

    def knock(secret_file: Path | None) -> tuple[Socket, Socket]:
        dealer = context.socket(zmq.DEALER)
        dealer.handshake_ivl = PATIENCE_MS
        if secret_file is not None:
            dealer.curve_publickey, dealer.curve_secretkey = zmq.auth.load_certificate(secret_file)
            dealer.curve_serverkey = server_key
        refused = zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_DISCONNECTED
        monitor = dealer.get_monitor_socket(refused)
        dealer.connect(room.control.endpoints["command"])
        dealer.send_multipart([b"snapshot", b'{"id": "k"}'])
        return dealer, monitor

    def leave(dealer: Socket) -> None:
        dealer.disable_monitor()
        dealer.close(linger=0)

    known, _ = knock(clients / "known.key_secret")
    assert receipt(known)["status"] == "accepted"
    leave(known)
    for secret_file in (tmp_path / "stranger.key_secret", None):
        dealer, monitor = knock(secret_file)
        assert monitor.poll(PATIENCE_MS), "the stranger was not refused"
        assert not dealer.poll(0)
        leave(dealer)
    room.control.stop()


def test_the_client_tells_how_it_went(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    director, said = room.director, list[str]()
    own = ZmqConfig(**{**ANY, "command": room.control.endpoints["command"]})

    def say(line: str) -> None:
        said.append(line)
        if line.startswith("accepted"):
            director.tick()

    assert client.direct("let it rain", own, PATIENCE_S, say) == client.APPLIED
    assert [line.split()[0] for line in said] == ["accepted", "applied"]
    assert said[1].endswith("at step 7, 0.50 s")
    assert client.direct("a" * 3000, own, PATIENCE_S, say) == client.REFUSED
    assert said[-1].endswith("text: must have at most 2000 characters, has 3000")


def test_the_client_names_the_setting_when_nobody_answers() -> None:
    said: list[str] = []
    nobody = ZmqConfig(**{**ANY, "command": f"tcp://127.0.0.1:{free_port()}"})
    assert client.direct("rain", nobody, 0.3, said.append) == client.NO_ANSWER
    assert "zmq.command" in said[0]
