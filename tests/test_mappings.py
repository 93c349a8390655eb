"""A whole room with real sensors: a house's broker, a board, its own topics; `oysterd mappings` shows them."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq
from feeders import FEEDS, Board, feed, publisher
from parts import free_port, free_udp_port, mosquitto, wait_until
from test_cli import ROOT, Room, oysterd
from test_control_osc import Tablet
from test_lamps import Node

from oysterd.control_config import ZmqConfig
from oysterd.mappings_view import NO_ANSWER, SHOWN, _fitted, show, table

# A whole room of a dozen processes, on a machine that may be busy with others.
SLOW_S = 40


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.stop()
    FEEDS.close()


@pytest.fixture
def node() -> Iterator[Node]:
    made = Node()
    yield made
    made.socket.close()


def test_a_house_s_sensors_drive_the_world_and_what_is_wrong_with_them_is_told(
    room: Room, node: Node, tmp_path: Path
) -> None:
    broker = FEEDS.enter_context(mosquitto(tmp_path))
    board = Board(tmp_path / "board")
    FEEDS.callback(board.unplug)
    house = publisher(broker.port)
    house.publish("weather/1", b'{"wind": {"speed": 25}}', retain=True)
    house.publish("panel/button", b"release", retain=True)
    osc_port = free_udp_port()
    room.more = f"""
            [osc]
            enabled = true
            port = {osc_port}
            [[outputs]]
            name = "wash"
            kind = "artnet_lamps"
            [outputs.options]
            host = "127.0.0.1"
            port = {node.port}
            fixtures = [{{ name = "all", zone = [0.0, 0.0, 1.0, 1.0], universe = 0, address = 1, gamma = 1.0 }}]
            [mqtt]
            host = "127.0.0.1"
            port = {broker.port}
            [[inputs]]
            name = "house"
            kind = "mqtt_topics"
            use = "sensors"
            max_age_s = 600.0
            [inputs.options]
            host = "127.0.0.1"
            port = {broker.port}
            values = [
                {{ name = "wind", topic = "weather/1", path = "$.wind.speed", most = 300 }},
                {{ name = "button", topic = "panel/button", words = {{ press = 1, release = 0 }} }},
            ]
            [[inputs]]
            name = "board"
            kind = "serial_lines"
            use = "sensors"
            max_age_s = 60.0
            options = {{ port = "{board.port}" }}
            [[mappings]]
            sensor = "house.wind"
            key = "wind"
            low = 0.0
            high = 100.0
            unit = "km/h"
            smooth_s = 0.0
            [[mappings]]
            sensor = "board.lux"
            key = "cloud"
            low = 1000.0
            high = 0.0
            [[mappings]]
            sensor = "mqtt.rain_mm_h"
            key = "rain"
            low = 0.0
            high = 10.0
            [[triggers]]
            sensor = "house.button"
            above = 0.5
            directive = "a storm rolls in"
            """
    process = room.start()
    room.says("Ctrl-C")
    assert f"osc        127.0.0.1:{osc_port}" in room.output
    assert len({node.next().levels[:3] for _ in range(30)}) > 5  # the lamps follow the world
    command = [sys.executable, "-m", "oysterd", "mappings", "--config", str(room.config), "--wait", str(SLOW_S)]

    with zmq.Context() as context, context.socket(zmq.SUB) as receipts:
        receipts.linger = 0
        receipts.connect(f"tcp://127.0.0.1:{room.ports['state']}")
        receipts.subscribe(b"")
        assert receipts.poll(SLOW_S * 1000)  # subscribed
        house.publish("oysterd/test/room/sensor/rain_mm_h", b"5")
        house.publish("oysterd/test/room/sensor/rain_mm_h", b"wet")
        house.publish("weather/1", b'{"wind": {"speed": 9999}}')
        house.publish("weather/1", b'{"wind": {"speed": 9998}}')
        board.write("torn\nlux 250\n")
        house.publish("panel/button", b"press")
        told: list[dict[str, Any]] = []
        while not any(receipt["status"] == "applied" for receipt in told):
            assert receipts.poll(SLOW_S * 1000)
            topic, payload = receipts.recv_multipart()
            told += [json.loads(payload)] if topic == b"receipt" else []
        assert [receipt["name"] for receipt in told] == ["change", "change"]
        tablet = Tablet()
        tablet.room = ("127.0.0.1", osc_port)
        tablet.socket.settimeout(SLOW_S)
        tablet.send("/oysterd/direct", "more wind")
        assert [tablet.next("/oysterd/receipt")[1][2] for _ in range(2)] == ["accepted", "applied"]
        tablet.socket.close()

    wait_until(lambda: room.state()["inputs"]["house"].get("refused") == 2, "two refusals", SLOW_S)
    wait_until(lambda: room.state()["mqtt"].get("refused") == 1, "one more", SLOW_S)
    state = room.state()
    assert "inputs[2] house: wind: weather/1: the payload is above the most possible, 300" in state["alerts"]
    assert any(alert.startswith("mqtt: sensor/rain_mm_h: payload: is not valid JSON") for alert in state["alerts"])
    assert room.output.count("above the most possible") == 1 and room.output.count("is not valid JSON") == 1

    answer = oysterd(room, "mappings", "--json", "--config", str(room.config), "--wait", str(SLOW_S))
    assert answer.returncode == 0, answer
    rows = json.loads(answer.stdout)
    wind, lux, rain = rows["mappings"]
    assert (wind["value"], wind["asks"], wind["acts"]) == (25.0, 0.25, "yes")
    assert (lux["value"], rain["value"], rain["strength"]) == (250.0, 5.0, 0.5)
    assert rows["triggers"][0]["made"] == 1

    # On a terminal it goes on in place, and follows what changes.
    ours, theirs = pty.openpty()
    environment = {**room.environment, "PYTHONPATH": str(ROOT), "COLUMNS": "120"}
    live = subprocess.Popen(command, env=environment, stdout=theirs, stdin=subprocess.DEVNULL)
    os.close(theirs)
    seen = ""

    def reads(words: str) -> bool:
        nonlocal seen
        seen += os.read(ours, 65_536).decode(errors="replace")
        return words in seen

    wait_until(lambda: reads("25 km/h"), "the first table", SLOW_S)
    house.publish("weather/1", b'{"wind": {"speed": 75}}')
    wait_until(lambda: reads("75 km/h"), "the new reading in place", SLOW_S)
    assert "\x1b[7A\x1b[J" in seen  # a title, three mappings, a blank line, a title and a trigger
    live.send_signal(2)
    assert live.wait(SLOW_S) == 130
    os.close(ours)
    assert process.poll() is None

    def alerts() -> list[str]:
        """But for what was sent to our own topic, which is forgotten after a minute."""
        return [alert for alert in room.state()["alerts"] if not alert.startswith("mqtt: sensor/")]

    wait_until(lambda: not alerts(), "a good reading to end the alert", SLOW_S)
    # What goes is told, and the world goes on; what comes back is found.
    board.unplug()
    broker.stop()
    wait_until(lambda: len(alerts()) == 3, "three things to be missing", SLOW_S)
    missing = " ".join(alerts())
    assert all(words in missing for words in ("serial_lines.port", "mqtt_topics.host", "mqtt.host: no broker"))
    board.plug_in()
    broker.start()
    wait_until(lambda: not alerts(), "all to be back", SLOW_S)
    step = room.state()["step"]
    wait_until(lambda: room.state()["step"] > step, "the world has gone on", SLOW_S)


TOLD: dict[str, list[dict[str, Any]]] = {
    "mappings": [
        {"sensor": "a.lux", "unit": "lx", "value": 12345.678, "key": "sun_rad", "asks": -0.4, "strength": 0.375,
         "age_s": 3.25, "max_age_s": 5.0, "acts": "yes"},
        {"sensor": "b.x", "unit": "", "value": None, "key": "wind", "asks": None, "strength": None, "age_s": None,
         "max_age_s": 5.0, "acts": "no reading yet"},
    ],
    "triggers": [{"sensor": "c.d", "value": 0.0, "does": "directive snow", "armed": True, "made": 2, "age_s": 300.0}],
}  # fmt: skip


def test_the_table_is_for_people() -> None:
    assert table(TOLD) == [
        "SENSOR  READS     AGE    KEY      ASKS   STRENGTH         ACTS",
        "a.lux   12346 lx  3.2 s  sun_rad  -0.40  ███▊······  38%  yes",
        "b.x     -         -      wind     -      -                no reading yet",
        "",
        "SENSOR  READS  AGE    MADE  NEXT   SAYS",
        "c.d     0      5 min  2x    ready  directive snow",
    ]
    assert table({"mappings": [], "triggers": []}) == ["no mappings are configured"]


def test_a_line_fits_a_row_of_the_terminal_whatever_its_characters() -> None:
    assert _fitted("abcdef", 4) == "abcd" and _fitted("abc", 4) == "abc"
    assert _fitted("a夜幕降临", 6) == "a夜幕"


def test_it_is_told_once_where_there_is_no_terminal_and_silence_names_the_setting() -> None:
    context = zmq.Context()
    FEEDS.callback(context.destroy, linger=0)
    publisher_socket = context.socket(zmq.XPUB)
    port = publisher_socket.bind_to_random_port("tcp://127.0.0.1")
    config = ZmqConfig(state=f"tcp://127.0.0.1:{port}")
    out = io.StringIO()
    feed(lambda count: publisher_socket.send_multipart([b"mappings", json.dumps(TOLD).encode()]))
    assert show(config, wait_s=SLOW_S, out=out) == SHOWN
    assert out.getvalue().splitlines() == table(TOLD)
    FEEDS.close()
    silent = io.StringIO()
    assert show(ZmqConfig(state=f"tcp://127.0.0.1:{free_port()}"), wait_s=0.2, out=silent) == NO_ANSWER
    assert "zmq.state" in silent.getvalue()
