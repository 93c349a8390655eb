"""`make bench`: the whole daemon with the operator page open, measured; prints a table and writes bench.json.

Figures of time are of this machine at this moment; ratios are taken within the one run. BENCH_SECONDS sets how long
the daemon is watched (120), BENCH_MEMORY_SECONDS how long its memory and its sound are (the same; 600 for the figures
in the README), BENCH_AV_SECONDS how long a test world flashes and clicks (60), BENCH_CAMERA_SECONDS how long a camera
runs well before its process is killed (31), BENCH_PARTS what is measured (all). bench.json is written after each part.
"""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bench_model
import bench_sensors
import numpy as np
import psutil
import pytest
from av_offset import measure_av_offset
from bench_eyes import measure_eyes
from bench_light import measure_projector
from bench_table import rows
from browser import chromium
from conftest import sound_server
from parts import free_port, wait_until
from websockets.sync.client import connect

from model import checkpoint
from model.conditions import STEPS_PER_S
from oysterd.client import APPLIED, send
from oysterd.control_config import ZmqConfig

ROOT = Path(__file__).parent.parent
DIRECTIVES = (
    "a storm rolls in from the sea",
    "stop the rain",
    "夜幕降临",
    "let the sun come up",
    "more wind",
    "雾气升起",
    "no fog",
)
SLICE_MS = 1000 / STEPS_PER_S


def _seconds(name: str, default: float) -> float:
    return float(os.environ.get(name, default))


class Daemon:
    """A running `oysterd run` on ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.page, zmq, state, entry, mqtt = (free_port() for _ in range(5))
        self.zmq = ZmqConfig(command=f"tcp://127.0.0.1:{zmq}")
        environment = {
            "OYSTERD_PAGE__PORT": str(self.page),
            "OYSTERD_ZMQ__COMMAND": self.zmq.command,
            "OYSTERD_ZMQ__STATE": f"tcp://127.0.0.1:{state}",
            "OYSTERD_ZMQ__INPUT": f"tcp://127.0.0.1:{entry}",
            "OYSTERD_MQTT__PORT": str(mqtt),
            "OYSTERD_WORLD__STATE_DIR": str(folder / "state"),
        }
        self.began = time.monotonic()
        with (folder / "daemon.log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "oysterd", "run", "--config", "configs/demo.toml"],
                cwd=ROOT, stdout=log, stderr=log, env={**os.environ, **environment},
            )  # fmt: skip

    def line(self) -> Any:
        """A socket of the operator page, as any browser has it."""
        origin = f"http://127.0.0.1:{self.page}"
        return connect(f"ws://127.0.0.1:{self.page}/live", origin=origin, max_size=None, proxy=None)  # type: ignore[arg-type]

    def memory_mb(self) -> float:
        """Memory of all its processes: private pages whole, shared ones by their share (PSS)."""
        main = psutil.Process(self.process.pid)
        total = 0
        for process in [main, *main.children(recursive=True)]:
            try:
                total += process.memory_full_info().pss
            except psutil.NoSuchProcess:
                continue
        return total / 1e6


def measure_daemon(folder: Path, seconds: float, memory_seconds: float) -> dict[str, Any]:
    """Watch the daemon with a real browser on its page, directing it now and then."""
    daemon = Daemon(folder)
    try:
        wait_until(lambda: _healthy(daemon.page), "the first picture", 180)
        first_picture_s = time.monotonic() - daemon.began
        with chromium(folder) as tab, daemon.line() as line:
            tab.open(f"http://127.0.0.1:{daemon.page}/")
            figures: list[dict[str, Any]] = []
            heard: list[dict[str, Any]] = []
            memory: list[float] = []
            begun, next_directive, said, applied = time.monotonic(), 10.0, 0, 0
            while (now := time.monotonic() - begun) < max(seconds, memory_seconds):
                message, now = line.recv(), time.monotonic() - begun
                if not isinstance(message, str):
                    continue
                content = json.loads(message)
                if "telemetry" in content:
                    if now > 5:
                        heard.append(content["telemetry"])
                    if 5 < now < seconds:  # the first seconds fill the rings
                        figures.append({**content["telemetry"], "now": now})
                    memory.append(daemon.memory_mb())
                if now > next_directive:
                    code = send("direct", {"text": DIRECTIVES[said % len(DIRECTIVES)]}, daemon.zmq, say=lambda _: None)
                    said, applied, next_directive = said + 1, applied + (code == APPLIED), now + 5
    finally:
        daemon.process.send_signal(signal.SIGTERM)
        ending = time.monotonic()
        code = daemon.process.wait(20)
        stop_s = time.monotonic() - ending
    first, last = figures[0], figures[-1]
    # By the clock of the world's process: messages come the later here, the more pictures wait unread before them.
    steps_per_s = float(np.mean([f["steps_per_s"] for f in figures]))
    early, late = np.median(memory[5:20]), np.median(memory[-15:])
    return {
        "seconds": round(last["now"] - first["now"], 1),
        "steps_per_s": round(steps_per_s, 3),
        "rtf": round(steps_per_s / STEPS_PER_S, 4),
        "slice_ms": round(SLICE_MS, 2),
        "step_ms_p50": round(float(np.median([f["step_ms_p50"] for f in figures])), 2),
        "step_ms_p99": round(float(np.median([f["step_ms_p99"] for f in figures])), 2),
        "step_ms_p99_worst": max(f["step_ms_p99"] for f in figures),
        "underruns": heard[-1]["underruns"] - heard[0]["underruns"],
        "device_underruns": heard[-1]["device_underruns"] - heard[0]["device_underruns"],
        "drift_ppm": last["drift_ppm"],
        "directive_ms_p50": last["directive_ms_p50"],
        "directive_ms_p99": last["directive_ms_p99"],
        "directives_applied": f"{applied}/{said}",
        "rss_mb": round(max(memory), 1),
        "memory_growth_mb": round(float(late - early), 1),
        "memory_seconds": round(max(seconds, memory_seconds)),
        "first_picture_s": round(first_picture_s, 2),
        "stop_s": round(stop_s, 2),
        "exit_code": code,
    }


def _healthy(port: int) -> bool:
    import httpx

    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=1).status_code == 200
    except httpx.HTTPError:
        return False


def measure_memory_and_weights(seconds: float) -> dict[str, Any]:
    """The daemon with its page, and the size of its weights."""
    with tempfile.TemporaryDirectory(prefix="oysterd-bench-") as folder:
        (Path(folder) / "pulse").mkdir()
        # The demo's speaker is the machine's own, which is this one now.
        with sound_server(Path(folder) / "pulse", is_prompt=True):
            watched = measure_daemon(Path(folder), seconds, _seconds("BENCH_MEMORY_SECONDS", seconds))
    return watched | {"weights_mb": round(sum(p.stat().st_size for p in checkpoint.files_of("nacre")) / 1e6, 2)}


def measure_offset() -> dict[str, Any]:
    """Picture against sound, of a test world."""
    with tempfile.TemporaryDirectory(prefix="oysterd-bench-") as folder:
        return measure_av_offset(Path(folder), _seconds("BENCH_AV_SECONDS", 60))


def measure_projectors(seconds: float) -> dict[str, Any]:
    """A projector drawn by the processor, plain and calibrated."""
    result: dict[str, Any] = {}
    for label, calibrated in (("plain", False), ("calibrated", True)):
        figures = measure_projector(min(seconds, 30), calibrated)
        result |= {f"projector_{label}_{key}": value for key, value in figures.items()}
    return result


def main() -> int:
    """Measure part by part, print the table, write what there is after each; 1 where a part failed."""
    seconds = _seconds("BENCH_SECONDS", 120)
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "daemon": lambda: measure_memory_and_weights(seconds),
        "offset": measure_offset,
        "projectors": lambda: measure_projectors(seconds),
        "sensors": bench_sensors.measure,
        "eyes": measure_eyes,
        "begin": bench_model.measure_begin,
        "large": bench_model.measure_large,
        "training": bench_model.measure_training,
        "jump": bench_model.measure_jump,
        "diorama": bench_model.measure_diorama,
    }
    wanted = os.environ.get("BENCH_PARTS", ",".join(parts)).split(",")
    result: dict[str, Any] = {
        "machine": f"{platform.system()} {platform.machine()}, {_processor()}",
        "cores": os.cpu_count(),
        "failed": {},
    }
    for name in wanted:
        try:
            result |= parts[name]()
        except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - the other parts are to be measured all the same
            result["failed"][name] = f"{type(error).__name__}: {error}"
            traceback.print_exc()
        (ROOT / "bench.json").write_text(json.dumps(result, indent=1) + "\n")
        print(f"measured: {name}", flush=True)
    print(f"{result['machine']}, {result['cores']} cores, load {os.getloadavg()[0]:.1f}")
    for label, value, reach, reached in rows(result):
        print(f"  {label:42} {value:>24}   {reach:12} {'reached' if reached else 'NOT REACHED'}")
    for name, why in result["failed"].items():
        print(f"  {name}: FAILED: {why}")
    return 1 if result["failed"] else 0


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


if __name__ == "__main__":
    sys.exit(main())
