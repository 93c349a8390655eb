"""Real parts that several tests start: a broker, a browser, a free port. All wait for readiness, never for a time."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

PATIENCE_S = 15.0


def free_port() -> int:
    """A port on the loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_udp_port() -> int:
    """A UDP port on the loopback that was free a moment ago."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(ready: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> None:
    """Poll until `ready()` is true; fails with what it was waiting for."""
    pause = threading.Event()
    end_s = time.monotonic() + patience_s
    while not ready():
        if time.monotonic() > end_s:
            pytest.fail(f"waited {patience_s:g} s for {what}")
        pause.wait(0.01)


def takes_connections(port: int) -> bool:
    """Whether something listens on a port of the loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process that a test started, by force when it does not go by itself."""
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)


class Mosquitto:
    """A real broker on a port of the loopback, which a test may end and start again."""

    def __init__(self, folder: Path, port: int, lines: str = "allow_anonymous true") -> None:
        binary = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
        if binary is None:
            pytest.skip("mosquitto is not installed (apt: mosquitto)")
        self.port = port
        self._log = folder / "mosquitto.log"
        configuration = folder / "mosquitto.conf"
        configuration.write_text(f"listener {port} 127.0.0.1\nset_tcp_nodelay true\npersistence false\n{lines}\n")
        self._command = [binary, "-c", str(configuration)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        wait_until(lambda: takes_connections(self.port), f"mosquitto on port {self.port}")

    def freeze(self) -> None:
        """Let it live and do nothing; `stop` ends it all the same."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            end(self._process)
            self._process = None


@contextmanager
def mosquitto(folder: Path, lines: str = "allow_anonymous true") -> Iterator[Mosquitto]:
    """A running broker, ended with the block."""
    broker = Mosquitto(folder, free_port(), lines)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


class TestCard:
    """Something to show and hear: chunk n is a picture whose red is n, with a sine of 440 Hz going through them all."""

    __test__ = False
    sample_rate_hz = 24_000
    chunk_samples = 2_000

    def __init__(self) -> None:
        self.playing = -1
        self.newest = -1
        self.noise: NDArray[np.uint8] | None = None  # shown in place of the picture

    def read(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]] | None:
        if not 0 <= index <= self.newest:
            return None
        rows, columns = 90, 160
        picture = np.zeros((rows, columns, 3), np.uint8)
        picture[..., 0] = index % 256
        picture[..., 1] = np.linspace(0, 255, columns, dtype=np.uint8)
        picture[..., 2] = np.linspace(0, 255, rows, dtype=np.uint8)[:, None]
        samples = index * self.chunk_samples + np.arange(self.chunk_samples)
        tone = (0.3 * np.sin(2 * np.pi * 440 * samples / self.sample_rate_hz)).astype(np.float32)
        return picture if self.noise is None else self.noise, np.stack([tone, -tone], axis=1)
