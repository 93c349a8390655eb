"""What sensors and lamps cost: part of `make bench`, or alone: `PYTHONPATH=.:tests python tests/bench_sensors.py`."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
from feeders import FEEDS, publisher
from parts import free_udp_port, mosquitto, wait_until

from drivers import make_sink
from oysterd.bus import Bus
from oysterd.capture import run_capture
from oysterd.clock import MonotonicClock
from oysterd.config import InputConfig
from oysterd.supervisor import Child, Supervisor

READINGS = 200
FIXTURES = 8
RATE_HZ = 30
Row = tuple[str, str, str, bool]


class _Unpaced:
    """The machine's clock, for a sink whose waiting is not to be measured."""

    def now_ns(self) -> int:
        return time.monotonic_ns()

    def sleep(self, seconds: float) -> None:
        return


def measure_sensors(folder: Path) -> dict[str, float]:
    """From a message at a real broker to the daemon's inbox, in ms, and what the process between them holds, in MB."""
    broker = FEEDS.enter_context(mosquitto(folder))
    house = publisher(broker.port)
    bus, supervisor = Bus(), Supervisor(MonotonicClock())
    values = [{"name": "n", "topic": "house/n", "path": "$.n"}]
    options = {"host": "127.0.0.1", "port": broker.port, "values": values}
    config = InputConfig(name="house", kind="mqtt_topics", use="sensors", options=options)
    arguments = (config, bus.events, bus.open("input.house"), folder / "house.room.npz")
    supervisor.start(Child("input.house", run_capture, arguments, 30, 30))

    def came(number: int) -> Callable[[], bool]:
        def look() -> bool:
            told = [message["samples"] for message in bus.receive(0.05) if message["type"] == "readings"]
            return any(values["n"] == number for samples in told for _, values in samples)

        return look

    took_ms = []
    try:
        house.publish("house/n", b'{"n": -1}', retain=True)
        wait_until(came(-1), "the first reading", 30)
        for number in range(READINGS):
            time.sleep(0.1)  # readings that follow more closely are gathered
            began_ns = time.monotonic_ns()
            house.publish("house/n", json.dumps({"n": number}))
            wait_until(came(number), "a reading")
            took_ms.append((time.monotonic_ns() - began_ns) / 1e6)
        uss_mb = psutil.Process(supervisor.pids()["input.house"]).memory_full_info().uss / 1e6
    finally:
        supervisor.stop()
        bus.close()
        FEEDS.close()
    p50, p99 = np.percentile(took_ms, [50, 99])
    return {
        "reading_ms_p50": round(float(p50), 1),
        "reading_ms_p99": round(float(p99), 1),
        "sensor_uss_mb": round(uss_mb, 1),
    }


def measure_lamps() -> dict[str, float]:
    """Share of a core, in per cent, for FIXTURES lamps at RATE_HZ that follow 12 pictures of 1280×720 a second."""
    fixtures = [
        {"name": f"lamp{at}", "zone": [at / FIXTURES, 0.0, 1 / FIXTURES, 1.0], "mode": "rgbw", "universe": 1,
         "address": 1 + 4 * at}
        for at in range(FIXTURES)
    ]  # fmt: skip
    sink = make_sink("artnet_lamps", {"host": "127.0.0.1", "port": free_udp_port(), "fixtures": fixtures}, _Unpaced())
    sink.open()
    random = np.random.default_rng(1)
    pictures = [random.integers(0, 255, (720, 1280, 3), np.uint8) for _ in range(13)]
    began_s = time.process_time()
    for turn in range(10 * RATE_HZ):
        at = turn * 12 // RATE_HZ % 12
        sink.write(pictures[at], next_rgb=pictures[at + 1], mix=0.5)  # type: ignore[call-arg]
    cost = (time.process_time() - began_s) / 10
    sink.close()
    return {"lamps_core_percent": round(100 * cost, 1)}


def measure() -> dict[str, float]:
    """All figures of this part."""
    with tempfile.TemporaryDirectory(prefix="oysterd-bench-") as folder:
        return measure_sensors(Path(folder)) | measure_lamps()


def rows(result: dict[str, float]) -> list[Row]:
    """Name, value, what is to be reached, and whether it is."""
    delay = f"{result['reading_ms_p50']} / {result['reading_ms_p99']} ms"
    lamps = result["lamps_core_percent"]
    return [
        ("sensor message to daemon", delay, "< a step", result["reading_ms_p99"] < 1000 / 12),
        ("process of a sensor", f"{result['sensor_uss_mb']:.0f} MB", "< 60 MB", result["sensor_uss_mb"] < 60),
        (f"{FIXTURES} lamps at {RATE_HZ} Hz, 720p", f"{lamps:.1f} % of a core", "< 10 %", lamps < 10),
    ]


if __name__ == "__main__":
    for name, value, reach, reached in rows(measure()):
        print(f"  {name:30} {value:>20}   {reach:10} {'reached' if reached else 'NOT REACHED'}")
