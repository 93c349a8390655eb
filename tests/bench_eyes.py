"""What the eyes cost: from captured to presence ready, the share of a core, and how soon they are back.

A part of `make bench`; alone: `PYTHONPATH=.:tests python tests/bench_eyes.py`.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from clips import write_depth_recording
from network_camera import network_camera

from oysterd.bus import Bus, Message
from oysterd.capture import run_capture
from oysterd.clock import MonotonicClock
from oysterd.config import InputConfig
from oysterd.processes import INPUT_HUNG_AFTER_S
from oysterd.supervisor import Child, Supervisor

Row = tuple[str, str, str, bool]

# Longer than RAN_WELL_S: what is measured is a room that runs, not one that fails at its start.
CAMERA_SECONDS, DEPTH_FRAMES = float(os.environ.get("BENCH_CAMERA_SECONDS", 31.0)), 240
# A recording is read at 45 MB/s, which no disk that others use gives evenly.
MEMORY = Path("/dev/shm")
RECORDING_BYTES = 600e6


class _Watched:
    """One supervised input, and what it tells: the moments of capture and of arrival here."""

    def __init__(self, folder: Path, kind: str, options: dict[str, Any]) -> None:
        self._bus, self._supervisor = Bus(), Supervisor(MonotonicClock())
        config = InputConfig(name="eye", kind=kind, use="presence", options=options)
        arguments = (config, self._bus.events, self._bus.open("input.eye"), folder / "eye.room.npz")
        self._supervisor.start(Child("input.eye", run_capture, arguments, INPUT_HUNG_AFTER_S, 30.0))
        self.late_ms: list[float] = []

    @property
    def process(self) -> psutil.Process:
        return psutil.Process(self._supervisor.pids()["input.eye"])

    def until(self, kind: str, limit_s: float = 40.0) -> float:
        """Seconds until it tells that; infinite when it does not."""
        began_s = time.monotonic()
        while time.monotonic() - began_s < limit_s:
            if any(message["type"] == kind for message in self.turn()):
                return time.monotonic() - began_s
        return float("inf")

    def turn(self) -> list[Message]:
        heard = self._bus.receive(0.02)
        for message in heard:
            self._supervisor.heard(message["from"], message.get("patience_s"))
            if message["type"] == "presence":
                self.late_ms.append((time.monotonic_ns() - message["captured_ns"]) / 1e6)
        self._supervisor.tick()
        return heard

    def measure(self, limit_s: float) -> dict[str, float]:
        """Latency and cost until it is lost or that time is over."""
        self.late_ms.clear()
        before, began_s = self.process.cpu_times(), time.monotonic()
        after, ended_s = before, began_s
        while time.monotonic() - began_s < limit_s:
            heard = self.turn()
            if any(message["type"] == "lost" for message in heard):
                break
            if any(message["type"] == "presence" for message in heard):
                after, ended_s = self.process.cpu_times(), time.monotonic()
        used_s = after.user + after.system - before.user - before.system
        p50, p99 = np.percentile(self.late_ms or [np.inf], [50, 99])
        return {
            "ms_p50": round(float(p50), 2),
            "ms_p99": round(float(p99), 2),
            "core": round(used_s / max(ended_s - began_s, 1e-3), 3),
        }

    def replaced(self, how: signal.Signals) -> float:
        """Seconds from the process's end or hang to presence from the next one."""
        began_s, old = time.monotonic(), self.process.pid
        os.kill(old, how)
        while self._supervisor.pids().get("input.eye", old) == old:
            self.turn()
        self.until("presence")
        return time.monotonic() - began_s

    def close(self) -> None:
        self._supervisor.stop()
        self._bus.close()


def measure_eyes() -> dict[str, Any]:
    """Figures of a network camera and of a recorded depth camera with colour, both 640×480 at 30 a second."""
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="oysterd-bench-") as name:
        folder = Path(name)
        with network_camera() as server:
            watched = _Watched(folder, "camera", {"device": server.address})
            try:
                watched.until("presence")
                result |= {f"camera_{key}": value for key, value in watched.measure(CAMERA_SECONDS).items()}
                result["killed_back_s"] = round(watched.replaced(signal.SIGKILL), 2)
                watched.measure(CAMERA_SECONDS)
                result["hung_back_s"] = round(watched.replaced(signal.SIGSTOP), 2)
                server.freeze()
                watched.until("lost")
                server.thaw()
                result["frozen_device_back_s"] = round(watched.until("presence"), 2)
                server.kill()
                watched.until("lost")
                server.start()
                result["restarted_device_back_s"] = round(watched.until("presence"), 2)
            finally:
                watched.close()
    in_memory = MEMORY if shutil.disk_usage(MEMORY).free > RECORDING_BYTES else None
    with tempfile.TemporaryDirectory(prefix="oysterd-bench-", dir=in_memory) as name:
        folder = Path(name)
        recording = folder / "depth.db3"
        write_depth_recording(recording, DEPTH_FRAMES, 640, 480, colour_size=(640, 480), pace_s=1 / 30)
        for key, options in (("depth", {"colour": False}), ("aligned", {"temporal": True})):
            watched = _Watched(folder, "realsense", {"recording": str(recording), "loop": False, **options})
            try:
                watched.until("presence")
                result |= {f"{key}_{name}": value for name, value in watched.measure(60.0).items()}
            finally:
                watched.close()
    return result


def eye_rows(result: dict[str, Any]) -> list[Row]:
    """What `bench.py` prints of it."""
    rows: list[Row] = []
    for key, name, p50, p99, core in (
        ("camera", "camera to presence", 15, 40, 0.25),
        ("depth", "depth to presence", 20, 50, 0.35),
        ("aligned", "the same, filtered and aligned", 20, 50, 0.35),
    ):
        ms50, ms99, used = result[f"{key}_ms_p50"], result[f"{key}_ms_p99"], result[f"{key}_core"]
        rows.append(
            (f"{name}, p50 / p99", f"{ms50:.1f} / {ms99:.1f} ms", f"≤ {p50} / {p99}", ms50 <= p50 and ms99 <= p99)
        )
        rows.append((f"{name}, of a core", f"{used:.0%}", f"< {core:.0%}", used < core))
    for key, name in (
        ("killed_back_s", "killed camera process, back after"),
        ("hung_back_s", "hung camera process, back after"),
        ("frozen_device_back_s", "frozen camera, back after"),
        ("restarted_device_back_s", "dead camera, back after"),
    ):
        rows.append((name, f"{result[key]:.1f} s", "≤ 5 s", result[key] <= 5.0))
    return rows


if __name__ == "__main__":
    for name, value, reach, reached in eye_rows(measure_eyes()):
        print(f"  {name:42} {value:>18}   {reach:12} {'reached' if reached else 'NOT REACHED'}")
