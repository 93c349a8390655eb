"""`oysterd selftest`: seen on a real screen, heard from a real sound server, and told by its exit code."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import children
import numpy as np
import psutil
import pytest
from clips import write_clip
from parts import free_port, wait_until
from test_sound_server import heard, recorded
from test_window import screen

from drivers.calibration import Crop, SoftEdges
from drivers.patterns import pattern
from oysterd import cli, selftest
from oysterd.config import Settings

ROOT = Path(__file__).parent.parent


def test_every_output_is_tried_in_turn_and_every_input_is_measured(
    pulse_server: dict[str, str], x_display: str, tmp_path: Path
) -> None:
    write_clip(tmp_path / "clip.mp4", frames=3)
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listening.bind(("127.0.0.1", 0))
    listening.settimeout(5.0)
    fixture = '{ name = "wash", zone = [0.0, 0.2, 0.1, 0.2], universe = 0, address = 1, smooth_s = 0.0 }'
    room = tmp_path / "room.toml"
    room.write_text(f"""
        [[inputs]]
        name = "camera"
        kind = "camera"
        use = "presence"
        options = {{ device = "{tmp_path / "clip.mp4"}", fps = 25.0 }}
        [[inputs]]
        name = "weather"
        kind = "virtual_sensors"
        use = "sensors"
        options = {{ readings_hz = 20.0 }}
        [[outputs]]
        name = "wall"
        kind = "window"
        options = {{ width = 320, height = 180 }}
        [[outputs]]
        name = "card"
        kind = "speaker"
        options = {{ device = "room" }}
        [[outputs]]
        name = "foyer"
        kind = "stream"
        options = {{ url = "{tmp_path / "hls/room.m3u8"}", segment_s = 0.5 }}
        [[outputs]]
        name = "lamps"
        kind = "artnet_lamps"
        options = {{ host = "127.0.0.1", port = {listening.getsockname()[1]}, fixtures = [{fixture}] }}
        [[inputs]]
        name = "button"
        kind = "zmq_socket"
        use = "sensors"
        options = {{ address = "tcp://127.0.0.1:{free_port()}", values = [{{ name = "button" }}] }}
        [sound]
        ceiling_dbfs = -26.0
        zones = [{{ name = "left side", channels = [1], source = "mono" }}]
    """)
    path = tmp_path / "heard.f32"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "oysterd", "selftest", "--config", str(room), "--seconds", "1"]
    with recorded(path, "room", 2):
        trying = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        grid = pattern("grid", (320, 180), (640, 360), Crop(), 0, SoftEdges())
        wait_until(lambda: (screen(x_display)[:180, :320] == grid).all(), "the grid", 30)
        wait_until((tmp_path / "hls/room.m3u8").exists, "the stream", 30)
        said, _ = trying.communicate(timeout=30)
    assert trying.returncode == 0, said
    assert "channel 1 of 2: zone left side" in said and "channel 2 of 2: in no zone" in said
    assert "it ran dry 0 times" in said and "all 7 work or are optional" in said
    assert "works: 12 slices of a pattern with a tone were sent" in said
    assert "works: connected, and silent all the time" in said
    assert listening.recv(1024)[18:21] == bytes([255, 255, 255])  # the first bar
    listening.close()
    rates = [float(line.split()[1].removesuffix("/s,")) for line in said.splitlines() if " old, " in line]
    assert rates == [pytest.approx(25.0, rel=0.2), pytest.approx(20.0, rel=0.2)]
    sound = heard(path, 2)
    loud = [np.flatnonzero(np.abs(sound[:, side]) > 0.02) for side in (0, 1)]
    assert loud[0][-1] < loud[1][0]  # one after the other
    assert len(loud[0]) > 15_000 and len(loud[1]) > 15_000
    assert np.abs(sound).max() <= 10 ** (-26 / 20) + 1 / 32768  # quiet where the room is to be quiet


def test_what_does_not_work_is_named_and_the_exit_code_says_so(
    pulse_server: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    room = tmp_path / "room.toml"
    parts = """
        [[outputs]]
        name = "card"
        kind = "speaker"
        optional = {}
        options = {{ device = "no such hall" }}
    """
    room.write_text(parts.format("true"))
    assert cli.main(["selftest", "--config", str(room), "--seconds", "0.3"]) == 0
    assert "missing, but optional: speaker.device: cannot open no such hall" in capsys.readouterr().out
    room.write_text(
        parts.format("false")
        + """
        [[inputs]]
        name = "door"
        kind = "camera"
        use = "presence"
        options = { device = "/nowhere.mp4" }
    """
    )
    assert cli.main(["selftest", "--config", str(room), "--seconds", "0.3"]) == 1
    said = capsys.readouterr().out
    assert "2 of 2 fail: card, door" in said and "/nowhere.mp4" in said
    room.write_text("[[outputs]]\n")
    assert cli.main(["selftest", "--config", str(room)]) == 2


def test_a_device_that_hangs_is_a_result(pulse_server: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest, "OPEN_WITHIN_S", 1.0)
    (server,) = (child for child in psutil.Process().children() if child.name() == "pulseaudio")
    settings = Settings(outputs=[{"name": "card", "kind": "speaker", "options": {"device": "room"}}])  # type: ignore[list-item]
    said: list[str] = []
    os.kill(server.pid, signal.SIGSTOP)
    try:
        assert not selftest.selftest(settings, 0.3, said.append)
    finally:
        os.kill(server.pid, signal.SIGCONT)
    assert "  FAILS: hangs: no answer in time, its process was ended" in said


def test_a_test_of_nothing_is_not_passed() -> None:
    said: list[str] = []
    assert not selftest.selftest(Settings(), say=said.append)
    assert said == ["there is nothing to try: no device is configured or found"]


def test_a_device_whose_process_dies_is_a_result() -> None:
    result = selftest.Trial(children.dies, ()).result(0.3, print)
    assert result == selftest.Result(False, "its process ended with exit code 3")
