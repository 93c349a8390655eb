"""Sensors on real brokers, sockets and serial lines: what they send, what is wrong with it, how they go and come."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq
import zmq.auth
from conftest import require
from feeders import FEEDS, Board, publisher
from parts import PATIENCE_S, Mosquitto, free_port, mosquitto, wait_until
from pydantic import ValidationError

from drivers import make_source
from drivers.base import DeviceLost, NotReady, Readings, Source
from oysterd.processes import HUNG_AFTER_S


@pytest.fixture(autouse=True)
def feeds() -> Iterator[None]:
    yield
    FEEDS.close()


@pytest.fixture
def broker(tmp_path: Path) -> Mosquitto:
    return FEEDS.enter_context(mosquitto(tmp_path))  # ended after who is connected to it


def opened(kind: str, **options: Any) -> Source:
    source = make_source(kind, options)
    source.open()
    FEEDS.callback(source.close)
    return source


def next_of(source: Source, patience: int = 50) -> Readings:
    for _ in range(patience):
        try:
            sample = source.read()
        except NotReady:
            continue
        assert isinstance(sample, Readings)
        return sample
    pytest.fail("nothing came")


def lost(source: Source) -> str:
    """Read until the device is lost; why."""
    for _ in range(100):
        try:
            source.read()
        except NotReady:
            continue
        except DeviceLost as error:
            return str(error)
    pytest.fail("the device was never lost")


def comes_back(source: Source, patience: Callable[[Source], bool]) -> None:
    wait_until(lambda: patience(source), "the device to be back")


def can_open(source: Source) -> bool:
    try:
        source.open()
    except DeviceLost:
        return False
    return True


WEATHER = [
    {"name": "wind", "topic": "weather/1", "path": "$.wind.speed", "least": 0, "most": 100},
    {"name": "rain", "topic": "weather/1", "path": "$.rain"},
    {"name": "button", "topic": "zigbee/+/button", "words": {"press": 1, "release": 0}},
]


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_any_topics_of_a_broker_are_read_and_bad_payloads_told(broker: Mosquitto, version: str) -> None:
    source = opened("mqtt_topics", host="127.0.0.1", port=broker.port, version=version, values=WEATHER)
    house = publisher(broker.port)
    # Retained, so that it comes also where the subscription is not there yet.
    house.publish("weather/1", b'{"wind": {"speed": 7.5}, "rain": 0.2}', retain=True)
    assert next_of(source).values == {"wind": 7.5, "rain": 0.2}
    house.publish("weather/1", b'{"wind": {"speed": 7000}, "rain": 0.3}')
    half = next_of(source)
    assert half.values == {"rain": 0.3}
    assert half.refused == {"wind": "weather/1: the payload is above the most possible, 100"}
    house.publish("zigbee/door/button", b"press")
    house.publish("zigbee/door/button", b"release")
    house.publish("zigbee/door/button", b"\xff")
    assert [next_of(source).values for _ in range(2)] == [{"button": 1.0}, {"button": 0.0}]
    assert set(next_of(source).refused) == {"button"}
    house.publish("elsewhere", b"1")
    house.publish("zigbee/hall/button", b"press")
    assert next_of(source).values == {"button": 1.0}


def test_a_broker_that_goes_is_a_lost_device_and_is_found_again(broker: Mosquitto) -> None:
    source = opened("mqtt_topics", host="127.0.0.1", port=broker.port, values=WEATHER)
    broker.stop()
    assert f"mqtt_topics.host: lost the broker at 127.0.0.1:{broker.port}" in lost(source)
    with pytest.raises(DeviceLost, match=r"mqtt_topics\.host: no broker at"):
        source.open()
    broker.start()
    source.open()
    publisher(broker.port).publish("weather/1", b'{"wind": {"speed": 1}, "rain": 0}', retain=True)
    assert next_of(source).values == {"wind": 1.0, "rain": 0.0}


def test_a_broker_that_freezes_is_a_lost_device_and_does_not_hold_us_up(broker: Mosquitto) -> None:
    source = opened("mqtt_topics", host="127.0.0.1", port=broker.port, keepalive_s=1, values=WEATHER)
    broker.freeze()
    assert "lost the broker" in lost(source)
    began_s = time.monotonic()
    with pytest.raises(DeviceLost, match="refuses us: it does not answer"):
        source.open()
    assert time.monotonic() - began_s < HUNG_AFTER_S


def test_what_the_broker_kept_is_left_where_it_may_be_old(broker: Mosquitto) -> None:
    house = publisher(broker.port)
    house.publish("weather/1", b'{"wind": {"speed": 1}, "rain": 1}', qos=1, retain=True).wait_for_publish(PATIENCE_S)
    options = {"host": "127.0.0.1", "port": broker.port, "values": WEATHER}
    kept = opened("mqtt_topics", **options)
    assert next_of(kept).values == {"wind": 1.0, "rain": 1.0}
    fresh = opened("mqtt_topics", **options, retained=False)
    with pytest.raises(NotReady):
        fresh.read()
    heard: list[dict[str, float]] = []

    def has_heard() -> bool:
        house.publish("weather/1", b'{"wind": {"speed": 2}, "rain": 2}')  # again, until the subscription is there
        try:
            heard.append(fresh.read().values)  # type: ignore[union-attr]
        except NotReady:
            return False
        return True

    wait_until(has_heard, "what is new")
    assert heard == [{"wind": 2.0, "rain": 2.0}]


def test_a_broker_s_password_comes_from_a_file(tmp_path: Path) -> None:
    require("mosquitto_passwd")
    users = tmp_path / "users"
    users.touch(0o600)
    subprocess.run(["mosquitto_passwd", "-b", str(users), "house", "sesame"], check=True, capture_output=True)
    secret = tmp_path / "secret"
    with mosquitto(tmp_path, f"allow_anonymous false\npassword_file {users}\nuser root") as broker:
        options = {"host": "127.0.0.1", "port": broker.port, "username": "house", "password_file": str(secret)}
        source = make_source("mqtt_topics", {**options, "values": WEATHER})
        with pytest.raises(DeviceLost, match=r"mqtt_topics\.password_file"):
            source.open()
        secret.write_text("wrong\n")
        with pytest.raises(DeviceLost, match=r"mqtt_topics\.username: the broker .* refuses us") as refusal:
            source.open()
        assert "wrong" not in str(refusal.value)
        secret.write_text("sesame\n")
        source.open()
        source.close()


@pytest.mark.parametrize("pattern", ["sub", "pull"])
def test_somebody_else_s_socket_is_read_in_frames_or_words(pattern: str) -> None:
    context = zmq.Context()
    FEEDS.callback(context.destroy, linger=0)
    theirs = context.socket(zmq.XPUB if pattern == "sub" else zmq.PUSH)
    port = theirs.bind_to_random_port("tcp://127.0.0.1")
    values = [{"name": "people", "topic": "door", "path": "$.inside"}]
    source = opened("zmq_socket", address=f"tcp://127.0.0.1:{port}", pattern=pattern, values=values)
    if pattern == "sub":
        assert theirs.recv() == b"\x01door"
    theirs.send_multipart([b"door", b'{"inside": 3}'])
    theirs.send(b'door {"inside": 4}')
    theirs.send_multipart([b"doorbell", b'{"inside": 99}'])
    theirs.send_multipart([b"door", b"nobody"])
    assert [next_of(source).values for _ in range(2)] == [{"people": 3.0}, {"people": 4.0}]
    assert next_of(source).refused == {"people": "door: the payload is not valid JSON"}


def test_a_socket_with_curve_hears_only_who_has_the_key(tmp_path: Path) -> None:
    for name in ("door", "ours", "stranger"):
        zmq.auth.create_certificates(tmp_path, name)
    context = zmq.Context()
    FEEDS.callback(context.destroy, linger=0)
    theirs = context.socket(zmq.PUSH)
    theirs.curve_publickey, theirs.curve_secretkey = zmq.auth.load_certificate(tmp_path / "door.key_secret")
    theirs.curve_server = True
    address = f"tcp://127.0.0.1:{theirs.bind_to_random_port('tcp://127.0.0.1')}"
    options = {"address": address, "pattern": "pull", "values": [{"name": "people"}]}
    ours = {**options, "own_key_file": str(tmp_path / "ours.key_secret")}
    deaf = opened("zmq_socket", **ours, server_key_file=str(tmp_path / "stranger.key"))
    source = opened("zmq_socket", **ours, server_key_file=str(tmp_path / "door.key"))
    theirs.send(b"7")
    assert next_of(source).values == {"people": 7.0}
    with pytest.raises(NotReady):
        deaf.read()
    with pytest.raises(ValidationError, match="go together"):
        make_source("zmq_socket", ours)
    absent = make_source("zmq_socket", {**ours, "server_key_file": "absent.key"})
    with pytest.raises(DeviceLost, match=r"can't be used: .*absent\.key"):
        absent.open()


def test_a_socket_that_is_bound_stays_on_the_loopback() -> None:
    values = [{"name": "people"}]
    with pytest.raises(ValidationError, match="off the loopback"):
        make_source("zmq_socket", {"address": f"tcp://0.0.0.0:{free_port()}", "bind": True, "values": values})
    address = f"tcp://127.0.0.1:{free_port()}"
    source = opened("zmq_socket", address=address, bind=True, pattern="pull", values=values)
    with pytest.raises(DeviceLost, match=r"zmq_socket\.address: .* in use"):
        make_source("zmq_socket", {"address": address, "bind": True, "values": values}).open()
    context = zmq.Context()
    FEEDS.callback(context.destroy, linger=0)
    theirs = context.socket(zmq.PUSH)
    theirs.connect(address)
    theirs.send(b"7")
    assert next_of(source).values == {"people": 7.0}


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    made = Board(tmp_path / "board")
    yield made
    made.unplug()


def test_a_board_s_lines_are_read_and_garbage_is_told(board: Board) -> None:
    source = opened("serial_lines", port=str(board.port))
    board.write("x 31")  # the end of a line that began before we listened
    board.write("7\nlux 320\r\ntemp: 21.5\nrain=0\nwind,3\n\n")
    board.write('{"lux": 5, "door": true, "name": "hall"}\n')
    board.write(b"\xfe\x80\x00noise\nlux many\nlux 321\n" + b"z" * 5000 + b"\nlux 322\n")
    expected: list[dict[str, float]] = [
        {"x": 317.0}, {"lux": 320.0}, {"temp": 21.5}, {"rain": 0.0}, {"wind": 3.0}, {"lux": 5.0, "door": 1.0},
    ]  # fmt: skip
    assert [next_of(source).values for _ in expected] == expected
    refused = [next_of(source) for _ in range(2)]
    assert "is not UTF-8 text" in refused[0].refused["line"]
    assert refused[1].refused == {"line": "a line holds no number"}
    assert next_of(source).values == {"lux": 321.0}
    rest = [next_of(source)]
    while not rest[-1].values:
        rest.append(next_of(source))
    assert rest[-1].values == {"lux": 322.0}
    assert "has more than 4096 bytes" in rest[0].refused["line"]


def test_of_a_board_only_what_is_configured_is_taken(board: Board) -> None:
    values = [{"name": "lux", "most": 1000}, {"name": "wind", "path": "$.roof.wind"}]
    source = opened("serial_lines", port=str(board.port), values=values)
    board.write('torn}\nlux 10\nhum 50\n{"roof": {"wind": 2}, "lux": 11}\n{"lux": 5000}\n')
    assert [next_of(source).values for _ in range(2)] == [{"lux": 10.0}, {"lux": 11.0, "wind": 2.0}]
    assert next_of(source).refused == {"lux": "the value is above the most possible, 1000"}


def test_a_board_that_is_unplugged_is_lost_and_found_by_its_name_again(board: Board) -> None:
    source = opened("serial_lines", port=str(board.port))
    board.write("torn\nlux 1\n")
    assert next_of(source).values == {"lux": 1.0}
    board.unplug()
    assert "serial_lines.port" in lost(source)
    source.close()
    with pytest.raises(DeviceLost, match=r"serial_lines\.port: .*board can't be opened"):
        source.open()
    board.plug_in()
    comes_back(source, can_open)
    board.write("torn\nlux 2\n")
    assert next_of(source).values == {"lux": 2.0}
