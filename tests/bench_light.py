"""What `make bench` says of projectors: presents against asked on a virtual screen, drawn by the processor."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import children
import psutil
from parts import end, wait_until

from drivers.calibration import Mesh
from oysterd.bus import Bus
from oysterd.clock import MonotonicClock
from oysterd.config import OutputConfig
from oysterd.playout import run_playout
from oysterd.projector import run_projector
from oysterd.ring import ChunkRing
from oysterd.supervisor import Child, Supervisor

RATE_HZ = 20.0
CALIBRATED: dict[str, Any] = {
    "corners": [[0.02, 0.03], [0.97, 0.01], [0.99, 0.98], [0.01, 0.96]],
    "mesh": Mesh.even(5, 5).model_dump(mode="json"),
    "soft_edges": {"left": 0.2, "right": 0.2},
    "black_lift": 0.001,
    "gain": [1.0, 0.95, 0.9],
}


def measure_projector(seconds: float, calibrated: bool, height: int = 216, width: int = 384) -> dict[str, float]:
    """Presented against asked at 1280×720 and 20 Hz, of a world of that size that runs beside it."""
    reader, writer = os.pipe()
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x720x24", "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(command, pass_fds=[writer], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(writer)
    ring = ChunkRing.create(f"oysterd-bench-{uuid.uuid4().hex[:12]}", 12, height, width, 2000)
    bus, supervisor = Bus(), Supervisor(MonotonicClock())
    before = os.environ.get("DISPLAY")
    try:
        with os.fdopen(reader) as numbers:
            os.environ["DISPLAY"] = f":{numbers.readline().strip()}"
        name, events = str(ring._memory.name), bus.events  # type: ignore[union-attr]
        options = {"width": 1280, "height": 720, "rate_hz": RATE_HZ, **(CALIBRATED if calibrated else {})}
        output = OutputConfig(name="wall", kind="window", options=options)
        with tempfile.TemporaryDirectory() as folder:
            wall = (output, name, events, bus.open("output.wall"), Path(folder, "wall.json"))
            supervisor.start(Child("output.wall", run_projector, wall, 30, 30))
            world = (None, name, events, bus.open("world"))
            supervisor.start(Child("world", children.test_card_world, world, 30, 30))
            supervisor.start(Child("sound", run_playout, (None, name, events), 30, 30))
            stats: list[dict[str, Any]] = []

            def hear() -> int:
                stats.extend(m for m in bus.receive(0.1) if m["from"] == "output.wall" and m["type"] == "stats")
                return sum(message["showing"] for message in stats)

            wait_until(lambda: hear() >= 3, "the projector shows", 60)
            first, began = stats[-1]["presents"], time.monotonic()
            process = psutil.Process(supervisor.pids()["output.wall"])
            cpu_before = process.cpu_times()
            while time.monotonic() - began < seconds:
                hear()
            cpu, last = process.cpu_times(), stats[-1]["presents"]
            took = time.monotonic() - began
    finally:
        supervisor.stop()
        bus.close()
        ring.close()
        ring.unlink()
        end(server)
        if before is None:
            os.environ.pop("DISPLAY", None)
        else:
            os.environ["DISPLAY"] = before
    counted = {key: last[key] - first[key] for key in last}
    spent = cpu.user + cpu.system - cpu_before.user - cpu_before.system
    return {
        "presented_share": round(counted["presented"] / counted["asked"], 4),
        "late_share": round(counted["late"] / counted["asked"], 4),
        "presented_per_s": round(counted["presented"] / took, 2),
        "core_share": round(spent / took, 3),
    }


if __name__ == "__main__":
    length = float(os.environ.get("BENCH_SECONDS", 30))
    print("plain     ", measure_projector(length, calibrated=False))
    print("calibrated", measure_projector(length, calibrated=True))
