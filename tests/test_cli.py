"""The command line as it is used: a room from start to end, and what it says when something is wrong."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from parts import end, free_port, wait_until
from pjlink_server import PJLinkServer

from oysterd import cli

ROOT = Path(__file__).parent.parent


class Room:
    """A folder with a configuration on free ports, and the daemon that runs it with a test card for a network."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "room.toml"
        self.ports = {name: free_port() for name in ("page", "command", "state", "input", "mqtt")}
        self.more = ""
        self._folder = folder
        self._output = folder / "output"
        self._process: subprocess.Popen[bytes] | None = None
        self.environment = {
            name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")
        }
        self.environment["TMPDIR"] = str(folder)
        # No sound server and no card: the silent clock keeps the pace.
        self.environment["ALSA_CONFIG_PATH"] = str(folder / "nothing.conf")
        self.environment.pop("PULSE_SERVER", None)

    def write(self) -> None:
        ports = self.ports
        self.config.write_text(
            f"""
            [site]
            name = "test"
            [[inputs]]
            name = "depth"
            kind = "virtual_depth"
            use = "presence"
            [[inputs]]
            name = "roof"
            kind = "virtual_sensors"
            use = "sensors"
            [page]
            port = {ports["page"]}
            [zmq]
            command = "tcp://127.0.0.1:{ports["command"]}"
            state = "tcp://127.0.0.1:{ports["state"]}"
            input = "tcp://127.0.0.1:{ports["input"]}"
            {self.more}
            """,
            encoding="utf-8",
        )

    def start(self) -> subprocess.Popen[bytes]:
        self.write()
        command = [sys.executable, str(ROOT / "tests/room_without_network.py"), "run", "--config", str(self.config)]
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(command, env=self.environment, stdout=output, stderr=output)
        return self._process

    @property
    def output(self) -> str:
        return self._output.read_text(encoding="utf-8")

    def says(self, words: str) -> None:
        """Wait until the daemon has said it."""
        assert self._process is not None
        process = self._process
        wait_until(lambda: words in self.output or process.poll() is not None, f"{words!r} in {self.output}", 40)
        assert words in self.output, self.output

    def state(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['page']}/state", timeout=5) as answer:
            state: dict[str, Any] = json.load(answer)
            return state

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            end(self._process)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def machine() -> Iterator[PJLinkServer]:
    made = PJLinkServer()
    yield made
    made.close()


def oysterd(room: Room, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "oysterd", *arguments]
    environment = {**room.environment, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def family(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    me = psutil.Process(process.pid)
    return [me, *me.children(recursive=True)]


def rings(members: list[psutil.Process]) -> set[Path]:
    """What these processes share in memory: of other rooms on this machine nothing."""
    mapped = [Path(region.path) for member in members for region in member.memory_maps()]
    return {path for path in mapped if path.parent == Path("/dev/shm") and path.name.startswith("oysterd-")}


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_room_runs_is_directed_and_leaves_nothing_behind(
    room: Room, tmp_path: Path, machine: PJLinkServer, how: signal.Signals
) -> None:
    room.more = f"""
            [mqtt]
            embedded = true
            port = {room.ports["mqtt"]}
            [[outputs]]
            name = "wall"
            kind = "window"
            optional = true
            [[projectors]]
            name = "left"
            host = "127.0.0.1"
            port = {machine.port}
            """
    process = room.start()
    room.says("Ctrl-C")
    screen = room.output
    assert f"http://127.0.0.1:{room.ports['page']}" in screen
    assert f"127.0.0.1:{room.ports['mqtt']} (our own), topics oysterd/test/room/…" in screen
    assert f"command tcp://127.0.0.1:{room.ports['command']}" in screen
    assert "depth (virtual_depth) works" in screen and "roof (virtual_sensors) works" in screen
    assert "outputs[0] wall: window.display: no display" in screen

    answer = oysterd(room, "direct", "a storm rolls in from the sea", "--config", str(room.config))
    assert answer.returncode == 0 and "applied direct" in answer.stdout, answer
    refused = oysterd(room, "direct", "fail", "--config", str(room.config))
    assert refused.returncode == 1 and "asked to fail" in refused.stdout, refused

    answer = oysterd(room, "send", "pattern", '{"pattern": "grid"}', "--config", str(room.config))
    assert answer.returncode == 0 and "applied pattern" in answer.stdout, answer
    wait_until(lambda: room.state()["outputs"]["wall"].get("pattern") == "grid", "the pattern is told")
    refused = oysterd(room, "send", "calibrate", '{"output": "wal", "clear": ["mesh"]}', "--config", str(room.config))
    assert refused.returncode == 1 and 'output: there is no "wal" (did you mean "wall"?)' in refused.stdout, refused

    answer = oysterd(room, "send", "power", '{"on": true}', "--config", str(room.config))
    assert answer.returncode == 0 and "applied power" in answer.stdout, answer
    wait_until(lambda: room.state()["projectors"]["left"].get("power") == "warming", "the projector is told of")

    wait_until(lambda: room.state()["ready"] and room.state()["steps_per_s"] == 12.0, "the state")
    wait_until(lambda: room.state()["inputs"]["depth"]["ok"] and room.state()["mqtt"]["connected"], "depth and broker")
    state = room.state()
    assert not state["outputs"]["wall"]["ok"] and "no display" in state["outputs"]["wall"]["why"]
    assert set(state["restarts"]) == {"world", "sound", "output.wall", "projectors", "input.depth", "input.roof"}

    members = family(process)
    shared = rings(members)
    assert shared
    start_s = time.monotonic()
    process.send_signal(how)
    assert process.wait(10) == 0, room.output
    assert time.monotonic() - start_s < 3.0
    wait_until(lambda: not any(member.is_running() for member in members), "all processes have ended", 3)
    assert not any(path.exists() for path in shared)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["output", "room.toml"]
    assert "Traceback" not in room.output and "leaked" not in room.output


def test_ctrl_c_in_a_terminal_reaches_all_and_still_ends_in_order(room: Room) -> None:
    room.write()
    command = [sys.executable, str(ROOT / "tests/room_without_network.py"), "run", "--config", str(room.config)]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    process = subprocess.Popen(command, env=room.environment, start_new_session=True, **pipes)
    assert process.stdout is not None
    said = [process.stdout.readline()]
    assert said[0].startswith("oysterd begins"), said
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to the daemon and to children that just begin
    said += process.stdout.readlines()
    process.stdout.close()
    assert process.wait(10) == 0
    assert not [line for line in said if "Traceback" in line or "KeyboardInterrupt" in line], said


def test_a_world_that_dies_comes_back_and_a_command_that_waited_is_applied(room: Room) -> None:
    process = room.start()
    room.says("Ctrl-C")
    world = next(member for member in family(process)[1:] if "spawn_main" in " ".join(member.cmdline()))
    world.kill()  # the first child: the world is started before all others
    answer = oysterd(room, "direct", "a calm sea", "--config", str(room.config))
    assert answer.returncode == 0 and "applied direct" in answer.stdout, answer
    wait_until(lambda: room.state()["restarts"]["world"] == 1, "the restart is told")
    # A command that ends the world each time is given up, and the world goes on.
    refused = oysterd(room, "direct", "die", "--config", str(room.config), "--wait", "30")
    assert refused.returncode == 1 and "the world ended 2 times before it had applied this" in refused.stdout, refused
    answer = oysterd(room, "direct", "a calm sea again", "--config", str(room.config), "--wait", "30")
    assert answer.returncode == 0, answer
    assert process.poll() is None


@pytest.mark.parametrize(
    ("port", "setting"),
    [("page", "page.port"), ("state", "zmq.state")],
)
def test_a_port_in_use_is_named_with_its_setting(room: Room, port: str, setting: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", room.ports[port]))
        taken.listen()
        process = room.start()
        assert process.wait(30) == 2, room.output
    lines = room.output.splitlines()
    assert lines and lines[-1].startswith(f"{setting}: ") and "can't be used" in lines[-1]
    assert "Traceback" not in room.output


def test_a_broker_s_port_in_use_is_told_and_the_room_runs(room: Room) -> None:
    room.more = f"[mqtt]\nembedded = true\nport = {room.ports['mqtt']}\n"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", room.ports["mqtt"]))
        taken.listen()
        process = room.start()
        room.says("Ctrl-C")
        assert f"mqtt.port: {room.ports['mqtt']} on 127.0.0.1 can't be used" in room.output
        wait_until(lambda: room.state()["ready"], "the world runs")
        assert process.poll() is None


def test_systemd_is_told_when_the_first_picture_is_there_and_fed_by_progress(room: Room, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(40)
        room.environment["NOTIFY_SOCKET"] = str(tmp_path / "notify")
        process = room.start()
        said: list[str] = []
        while said.count("WATCHDOG=1") < 2 or "STATUS=the world runs" not in said:
            said.append(listener.recv(500).decode())
        assert said.count("READY=1") == 1
        world = next(member for member in family(process)[1:] if "spawn_main" in " ".join(member.cmdline()))
        world.suspend()
        # A world that stands still feeds nobody: of the next messages, which the pause ends, at most one is late.
        listener.settimeout(2.5)
        late: list[str] = []
        with pytest.raises(TimeoutError):
            while len(late) < 3:
                late.append(listener.recv(500).decode())
        assert late.count("WATCHDOG=1") <= 2
        world.resume()
        listener.settimeout(20)
        while listener.recv(500) != b"WATCHDOG=1":
            continue
        process.terminate()
        assert process.wait(10) == 0
        last = listener.recv(500)
        while last in (b"WATCHDOG=1", b"STATUS=the world runs"):
            last = listener.recv(500)
        assert last == b"STOPPING=1"


def test_check_says_all_that_is_wrong_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "wrong.toml"
    config.write_text('[page]\nprot = 8484\n[world]\nahead_chunks = 0\n[[inputs]]\nname = "a b"\nkind = "camara"\n')
    for command in ("check", "run"):
        assert cli.main([command, "--config", str(config)]) == 2
        lines = capsys.readouterr().err.splitlines()
        assert 'page.prot: unknown key (did you mean "port"?)' in lines
        assert "world.ahead_chunks: must be at least 1, not 0" in lines
        assert any(line.startswith("inputs[0].kind: unknown kind") for line in lines)


def test_configurations_that_come_with_the_project_can_be_run(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("demo", "gallery", "example"):
        assert cli.main(["check", "--config", str(ROOT / f"configs/{name}.toml")]) == 0, capsys.readouterr().err


def test_what_is_not_there_is_said_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["run", "--config", str(tmp_path / "none.toml")]) == 2
    assert capsys.readouterr().err.strip().endswith("none.toml: can't be read: No such file or directory")
    config = tmp_path / "room.toml"
    config.write_text('[world]\nmodel = "unheard-of"\n')
    assert cli.main(["run", "--config", str(config)]) == 2
    assert capsys.readouterr().err.startswith("world.model: there is no model 'unheard-of'")
    config.write_text(f'[zmq]\ncommand = "tcp://127.0.0.1:{free_port()}"\n')
    assert cli.main(["direct", "rain", "--config", str(config), "--wait", "0.3"]) == 2
    assert "is oysterd running?" in capsys.readouterr().out
    assert cli.main(["send", "patern", "{}", "--config", str(config)]) == 2
    assert 'unknown command "patern" (did you mean "pattern"?)' in capsys.readouterr().err
    assert cli.main(["send", "pattern", '{"pattern": 3}', "--config", str(config)]) == 2
    assert capsys.readouterr().err.startswith("pattern: must be ")


def test_the_command_is_installed_under_its_name() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["scripts"]["oysterd"] == "oysterd.cli:main"


def test_only_the_world_s_process_loads_torch() -> None:
    code = (
        "import sys, oysterd.cli; from_cli = set(sys.modules)\n"
        "import oysterd.daemon, oysterd.transports, oysterd.loop, oysterd.world_process\n"
        "assert 'torch' not in sys.modules\n"
        "assert 'numpy' not in from_cli and 'pydantic' not in from_cli  # every child imports the command's own file\n"
    )
    command = [sys.executable, "-c", code]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
