"""Real parts for the tests: a sound server, an X display, and real hardware joined by flag."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--hardware",
        action="append",
        default=[],
        metavar="KIND=OPTIONS",
        help='a real source that joins the driver contract test, such as \'realsense={"serial": "..."}\'; repeatable',
    )


def wait_until(ready: Callable[[], bool], deadline_s: float, what: str) -> None:
    """Ask until it is ready; fails the test, naming `what`, at the deadline."""
    end = time.monotonic() + deadline_s
    while not ready():
        if time.monotonic() > end:
            pytest.fail(f"{what}: not within {deadline_s} s")
        time.sleep(0.02)


def answers(command: list[str]) -> bool:
    """Whether the command ends well within two seconds."""
    try:
        return subprocess.run(command, capture_output=True, timeout=2, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=5)


def require(*programs: str) -> None:
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


@pytest.fixture(scope="module")
def pulse_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A headless PulseAudio with one null sink, named `room` to ALSA and PulseAudio alike; its environment."""
    with sound_server(tmp_path_factory.mktemp("pulse", numbered=True)) as settings:
        yield settings


@contextmanager
def sound_server(home: Path, is_prompt: bool = False) -> Iterator[dict[str, str]]:
    """What the fixture `pulse_server` gives, for the benchmark as well.

    With `is_prompt` it goes before all else, as the sound server of a machine does that is set up for sound; where the
    system does not allow that, it goes as it can.
    """
    require("pulseaudio", "pactl", "parec")
    home.chmod(0o700)
    socket = home / "native"
    alsa = home / "alsa.conf"
    alsa.write_text(
        "</usr/share/alsa/alsa.conf>\n"
        "pcm.!default { type pulse }\n"
        "ctl.!default { type pulse }\n"
        'pcm.room { type pulse device room hint { show on description "room" } }\n'
        'pcm.hall { type pulse device hall hint { show on description "hall" } }\n'  # for a test to load its sink
        'pcm.ears { type pulse device room.monitor hint { show on description "ears" } }\n'
    )
    settings = {
        "PULSE_RUNTIME_PATH": str(home),
        "XDG_RUNTIME_DIR": str(home),
        "PULSE_STATE_PATH": str(home / "state"),
        "PULSE_COOKIE": str(home / "cookie"),
        "PULSE_SERVER": f"unix:{socket}",
        "ALSA_CONFIG_PATH": str(alsa),
    }
    command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--disallow-exit", "--use-pid-file=no"]
    prompt = "yes" if is_prompt else "no"
    command += [f"--high-priority={prompt}", f"--realtime={prompt}", f"--log-target=file:{home / 'log'}"]
    command += ["-L", f"module-native-protocol-unix socket={socket} auth-anonymous=1"]
    # Without norewinds a null sink drops what was written when a reader joins.
    command += ["-L", "module-null-sink sink_name=room norewinds=1 rate=48000 channels=2"]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        with (home / "output").open("wb") as output:
            server = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            wait_until(lambda: socket.exists() and answers(["pactl", "info"]), 15, "PulseAudio answers")
            yield settings
        finally:
            stop(server)


@pytest.fixture(scope="module")
def x_display() -> Iterator[str]:
    """A virtual X display of 800×600, set as DISPLAY; its name."""
    require("Xvfb", "xdpyinfo", "xwd")
    reader, writer = os.pipe()
    # The server picks a free number itself and writes it to the pipe.
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "800x600x24", "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(command, pass_fds=[writer], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(writer)
    try:
        with os.fdopen(reader) as numbers:
            number = numbers.readline().strip()
        assert number, "Xvfb ended without a display"
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DISPLAY", f":{number}")
            patch.delenv("WAYLAND_DISPLAY", raising=False)
            wait_until(lambda: answers(["xdpyinfo"]), 10, f"X display :{number} answers")
            yield f":{number}"
    finally:
        stop(server)
