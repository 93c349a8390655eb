"""How far picture and sound are apart where they leave the room's machine, and whether the sound ever ran dry.

A test world flashes and clicks once a second. The flash is looked for in a virtual screen's own memory, the click in
what a sound server's sink is heard to play; both on the machine's monotonic clock.
"""

from __future__ import annotations

import mmap
import os
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import children
import numpy as np
import pytest
from conftest import sound_server, stop
from numpy.typing import NDArray
from parts import wait_until

from oysterd.bus import Bus
from oysterd.clock import MonotonicClock
from oysterd.config import OutputConfig
from oysterd.playout import run_playout
from oysterd.projector import run_projector
from oysterd.ring import ChunkRing
from oysterd.supervisor import Child, Supervisor

CARD_HZ = 48_000
SCREEN = (640, 360)
POLL_S = 0.001
# Until playhead and playout have found each other, from the first picture on.
SETTLE_S = 5.0


class Ear:
    """Listens to a sink's monitor; when its samples sound, on the monotonic clock."""

    def __init__(self, sink: str) -> None:
        command = ["parec", "-d", f"{sink}.monitor", f"--rate={CARD_HZ}", "--channels=1", "--format=float32le"]
        self._recorder = subprocess.Popen([*command, "--latency-msec=5"], stdout=subprocess.PIPE)
        self._arrived: list[tuple[float, bytes]] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._recorder.stdout is not None
        pipe = self._recorder.stdout.fileno()
        while data := os.read(pipe, 65_536):
            self._arrived.append((time.monotonic(), data))

    def stop(self) -> None:
        stop(self._recorder)

    def clicks_s(self) -> NDArray[np.float64]:
        """When clicks began.

        A null sink renders a block when the block before it begins to run out, so the first sample of what arrives is
        due as it arrives.
        """
        began_s, sample_s = self._times()
        loud = np.flatnonzero(np.abs(np.frombuffer(b"".join(data for _, data in self._arrived), np.float32)) > 0.3)
        first = loud[np.diff(loud, prepend=-CARD_HZ) > CARD_HZ // 4]
        return np.float64(began_s) + first * np.float64(sample_s)

    @property
    def drift_ppm(self) -> float:
        """How much faster than the machine's clock the sink is: it has a rate of its own, as any card."""
        return 1e6 * (1 / (CARD_HZ * self._times()[1]) - 1)

    def _times(self) -> tuple[float, float]:
        """When sample 0 was due, and the time from one to the next: the line through all arrivals."""
        lengths = np.array([len(data) // 4 for _, data in self._arrived])
        times = np.array([at for at, _ in self._arrived])
        sample_s, after_s = np.polyfit(np.cumsum(lengths) - lengths, times - times[0], 1)
        return float(times[0] + after_s), float(sample_s)


class Eye:
    """Looks at the middle of a virtual screen about a thousand times a second."""

    def __init__(self, folder: Path) -> None:
        with (folder / "Xvfb_screen0").open("rb") as file:
            self._memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        header = np.frombuffer(self._memory, ">u4", 25)  # of an X window dump: X11/XWDFile.h
        start, self._row_bytes, colours = int(header[0]), int(header[12]), int(header[19])
        at = start + 12 * colours + self._row_bytes * (SCREEN[1] // 2) + 4 * (SCREEN[0] // 2)
        self._pixel = np.frombuffer(self._memory, np.uint8, 4, at)
        self._seen: list[tuple[float, int]] = []
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._is_over.wait(POLL_S):
            self._seen.append((time.monotonic(), int(self._pixel[1])))

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()

    def flashes_s(self) -> NDArray[np.float64]:
        """The middle of each flash in time: pictures are blended, so that it brightens before and darkens after."""
        times, levels = (np.array(column, float) for column in zip(*self._seen, strict=True))
        lit = np.flatnonzero(levels > 8)
        runs = np.split(lit, np.flatnonzero(np.diff(times[lit]) > 0.3) + 1)
        weighs = np.diff(times, append=times[-1]) * levels
        return np.array([np.average(times[run], weights=weighs[run]) for run in runs if len(run)])


@contextmanager
def screen(folder: Path) -> Iterator[None]:
    """A virtual display whose memory is a file in the folder."""
    reader, writer = os.pipe()
    size = f"{SCREEN[0]}x{SCREEN[1]}x24"
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", size, "-nolisten", "tcp", "-noreset"]
    with (folder / "xvfb.log").open("wb") as log:
        server = subprocess.Popen([*command, "-fbdir", str(folder)], pass_fds=[writer], stdout=log, stderr=log)
    os.close(writer)
    try:
        with os.fdopen(reader) as numbers, pytest.MonkeyPatch.context() as patch:
            patch.setenv("DISPLAY", f":{numbers.readline().strip()}")
            patch.delenv("WAYLAND_DISPLAY", raising=False)
            yield
    finally:
        stop(server)


def measure_av_offset(folder: Path, seconds: float) -> dict[str, Any]:
    """Milliseconds from click to flash over about one event a second, and how often sound ran dry meanwhile."""
    with ExitStack() as stack:
        for name in ("pulse", "screen"):
            (folder / name).mkdir()
        stack.enter_context(sound_server(folder / "pulse", is_prompt=True))
        stack.enter_context(screen(folder / "screen"))
        ring = ChunkRing.create(f"oysterd-bench-{uuid.uuid4().hex[:12]}", 12, SCREEN[1], SCREEN[0], 2000)
        stack.callback(ring.unlink)
        stack.callback(ring.close)
        bus = Bus()
        stack.callback(bus.close)
        supervisor = Supervisor(MonotonicClock())
        stack.callback(supervisor.stop)
        name = str(ring._memory.name)  # type: ignore[union-attr]
        speaker = OutputConfig(name="stereo", kind="speaker", options={"device": "room"})
        options = {"width": SCREEN[0], "height": SCREEN[1]}
        wall = OutputConfig(name="wall", kind="window", options=options)
        world = (children.flash_and_click, name, bus.events, bus.open("world"))
        supervisor.start(Child("world", children.world_of, world, 30, 30))
        supervisor.start(Child("output.stereo", run_playout, (speaker, name, bus.events), 30, 30))
        shown = (wall, name, bus.events, bus.open("output.wall"), folder / "wall.json")
        supervisor.start(Child("output.wall", run_projector, shown, 30, 30))
        stats: list[dict[str, Any]] = []

        def look_after() -> list[dict[str, Any]]:
            events = bus.receive(0.05)
            stats.extend(event for event in events if event["from"] == "output.stereo" and event["type"] == "stats")
            return events

        wait_until(lambda: any(event["type"] == "shown" for event in look_after()), "a first picture", 30)
        wait_until(lambda: look_after() or (stats and stats[-1]["sounding"]), "sound", 30)
        ear, eye = Ear("room"), Eye(folder / "screen")
        stack.callback(ear.stop)
        begun_s = time.monotonic()
        while time.monotonic() - begun_s < SETTLE_S + seconds:
            look_after()
        eye.stop()
        ear.stop()
        clicks, flashes, sink_ppm = ear.clicks_s(), eye.flashes_s(), ear.drift_ppm
    settled = clicks[(clicks > begun_s + SETTLE_S) & (clicks < begun_s + SETTLE_S + seconds - 0.5)]
    apart_ms = np.array([1000 * (flashes[np.abs(flashes - click).argmin()] - click) for click in settled])
    return {
        "av_events": len(apart_ms),
        "av_offset_ms_median": round(float(np.median(apart_ms)), 1),
        "av_offset_ms_abs_p50": round(float(np.median(np.abs(apart_ms))), 1),
        "av_offset_ms_abs_p99": round(float(np.percentile(np.abs(apart_ms), 99)), 1),
        "av_seconds": round(seconds),
        "av_underruns": stats[-1]["underruns"] - stats[0]["underruns"],
        "av_device_underruns": stats[-1]["device_underruns"] - stats[0]["device_underruns"],
        "av_drift_ppm": stats[-1]["drift_ppm"],
        "av_sink_ppm": round(sink_ppm, 1),
    }


if __name__ == "__main__":
    import sys
    import tempfile

    with tempfile.TemporaryDirectory(prefix="oysterd-av-") as where:
        print(measure_av_offset(Path(where), float(sys.argv[1]) if len(sys.argv) > 1 else 60.0))
