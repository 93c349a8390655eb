"""A network camera that a test starts, freezes and kills: `rtsp_server.py` in a process of the system's Python."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from parts import end, free_port, takes_connections, wait_until

SERVER = Path(__file__).parent / "rtsp_server.py"
# Debian's own, which alone knows its python3-gi.
PYTHON = "/usr/bin/python3"
NEEDS = "import gi; gi.require_version('GstRtspServer', '1.0')"
BITS, BAR, STAMP_ROW = 24, 26, 60


class NetworkCamera:
    """RTSP on a port of the loopback, which stays the same when it is started again."""

    def __init__(self) -> None:
        if (
            not Path(PYTHON).exists()
            or subprocess.run([PYTHON, "-c", NEEDS], capture_output=True, check=False).returncode
        ):
            pytest.skip("no RTSP server (apt: gir1.2-gst-rtsp-server-1.0 python3-gi and GStreamer's plugins)")
        self._port = free_port()
        self.address = f"rtsp://127.0.0.1:{self._port}/eye"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen([PYTHON, str(SERVER), str(self._port)])
        wait_until(lambda: takes_connections(self._port), "the network camera")

    def kill(self) -> None:
        """As if its cable was pulled, with the kernel telling so."""
        self._running().kill()
        self._running().wait(5)

    def freeze(self) -> None:
        """It holds its connections and says no more."""
        os.kill(self._running().pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self._running().pid, signal.SIGCONT)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.thaw()
            end(self._process)

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process


@contextmanager
def network_camera() -> Iterator[NetworkCamera]:
    """A running one, ended with the block."""
    camera = NetworkCamera()
    camera.start()
    try:
        yield camera
    finally:
        camera.stop()


def age_ms(rgb: NDArray[np.uint8]) -> int:
    """How long ago the server made this picture, by the stamp in its bars; the clock is the machine's own."""
    row = rgb[STAMP_ROW, :, 1]
    stamp = sum((int(row[bit * BAR + BAR // 2]) > 128) << bit for bit in range(BITS))
    return (time.monotonic_ns() // 1_000_000 - stamp) % (1 << BITS)
