"""A child process for one projector: draws the world by the time its sound is heard, between two of its pictures.

Never dark: where the world stalls the picture slows and holds. Where the window or its display goes it is opened again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from drivers import make_sink
from drivers.base import Clock, DeviceLost, MonotonicClock
from drivers.calibration import Calibration
from drivers.window import Window, WindowConfig
from model.conditions import STEPS_PER_S
from oysterd.bus import Events, Inbox
from oysterd.calibrating import Calibrating
from oysterd.child import become_child
from oysterd.clock import MonotonicClock as DaemonClock
from oysterd.config import OutputConfig
from oysterd.losses import Losses
from oysterd.pace import Pace
from oysterd.playhead import Playhead
from oysterd.ring import ChunkRing

BACK_OFF_S = (0.5, 4.0)  # what comes back is to be used again within five seconds
HEARTBEAT_S = 1.0
WAIT_FOR_WORLD_S = 0.02

Frame = NDArray[np.uint8]


class BlendSink(Protocol):
    """A sink that shows a blend of two pictures, as lamps do."""

    def open(self) -> None: ...
    def write(self, rgb: Frame, /, next_rgb: Frame | None = None, mix: float = 0.0) -> None: ...
    def close(self) -> None: ...


class PictureSink(BlendSink, Protocol):
    """One that shows a pattern in their place as well, as the kind `window` does."""

    @property
    def refresh_hz(self) -> float: ...
    @property
    def pattern(self) -> str | None: ...


def run_projector(output: OutputConfig, ring_name: str, events: str, inbox: str, calibration: Path) -> None:
    """The life of the process: to be the target of a child. `calibration` is its file, which need not exist."""
    become_child()
    told = Events(events, f"output.{output.name}")
    told.tell("alive")
    ring = ChunkRing.attach(ring_name)
    clock = MonotonicClock()
    options = WindowConfig.model_validate(output.options)
    window = Window(options, clock)
    asked = Inbox(inbox)
    given = Calibration.model_validate(options.model_dump(include=set(Calibration.model_fields)))
    calibrating = Calibrating(window, given, calibration, (ring.width, ring.height), clock, told.tell)
    projector = Projector(output, window, ring, clock, told.tell, options.rate_hz)
    try:
        while True:
            for message in asked.receive():
                calibrating.asked(message)
            projector.turn()
            calibrating.turn()
    finally:
        calibrating.close()
        window.close()
        asked.close()
        ring.close()
        told.close()


def run_pictures(output: OutputConfig, ring_name: str, events: str) -> None:
    """The life of a process that hands the world's pictures to other programs: to be the target of a child."""
    become_child()
    told = Events(events, f"output.{output.name}")
    told.tell("alive")
    ring, clock = ChunkRing.attach(ring_name), MonotonicClock()
    sink = cast(PictureSink, make_sink(output.kind, output.options, clock))
    projector = Projector(output, sink, ring, clock, told.tell, sink.refresh_hz)
    try:
        while True:
            projector.turn()
    finally:
        sink.close()
        ring.close()
        told.close()


class Pictures:
    """The two pictures about a position, each read once: a window takes the same array for the same picture."""

    def __init__(self, ring: ChunkRing) -> None:
        self._ring = ring
        self._held: dict[int, Frame] = {}

    def at(self, position: float) -> tuple[Frame, Frame | None, float] | None:
        """A picture, the next one if it is there, and how far it is mixed in (0..1); None before the first.

        Where the picture itself is gone already, the last one that was shown is held.
        """
        index = int(position)
        self._held = {key: frame for key, frame in self._held.items() if key >= index} or self._last()
        for wanted in (index, index + 1):
            if wanted not in self._held and (chunk := self._ring.read(wanted)) is not None:
                self._held[wanted] = chunk[0]
        if index in self._held:
            return self._held[index], self._held.get(index + 1), position - index
        return (next(reversed(self._held.values())), None, 0.0) if self._held else None

    def _last(self) -> dict[int, Frame]:
        return {key: self._held[key] for key in sorted(self._held)[-1:]}


class Projector:
    """Shows the world on one sink, and tells of it by `tell(type, **content)`."""

    def __init__(
        self,
        output: OutputConfig,
        sink: PictureSink,
        ring: ChunkRing,
        clock: Clock,
        tell: Callable[..., None],
        rate_hz: float | None = None,
    ) -> None:
        """`rate_hz` is asked for; None leaves it to the display, and to what drawing costs."""
        self._output = output
        self._sink = sink
        self._ring = ring
        self._clock = clock
        self._tell = tell
        self._playhead = Playhead(DaemonClock(), 1 / STEPS_PER_S)
        self._pictures = Pictures(ring)
        self._nothing: Frame = np.zeros((ring.height, ring.width, 3), np.uint8)
        self._is_open = False
        self._is_closed_by_hand = False
        self._has_shown = False
        self._losses = Losses(tell, BACK_OFF_S)
        self._try_at_ns = 0
        self._told_ns = 0
        self._drawn = 0
        self._pace = Pace(clock, rate_hz)

    def turn(self) -> None:
        """Draw once, or wait for what is missing."""
        self._heartbeat()
        if self._is_closed_by_hand or self._clock.now_ns() < self._try_at_ns:
            # Never for the whole pause: who says nothing for some seconds is taken to hang.
            self._clock.sleep(HEARTBEAT_S / 4)
        elif self._is_open or self._open():
            self._draw()

    def _open(self) -> bool:
        try:
            self._sink.open()
        except DeviceLost as error:
            self._try_at_ns = self._clock.now_ns() + round(self._losses.lost(str(error)) * 1e9)
            return False
        self._is_open = True
        self._losses.works()
        self._tell("back")
        return True

    def _draw(self) -> None:
        playing, newest = self._ring.playing, self._ring.newest
        shown = None
        if playing >= 0:
            shown = self._pictures.at(self._playhead.move(playing, self._ring.playing_since_ns, newest))
        if shown is None and self._sink.pattern is not None:
            shown = self._nothing, None, 0.0  # a projector is calibrated also before there is a world
        if shown is None:
            self._pace.pause()
            self._clock.sleep(WAIT_FOR_WORLD_S)
            return
        start_ns, start_cpu_s = self._clock.now_ns(), time.process_time()
        frame, following, mix = shown
        try:
            self._sink.write(frame, next_rgb=following, mix=mix)
        except DeviceLost as error:
            self._closed(str(error))
            return
        self._drawn += 1
        if not self._has_shown and playing >= 0:
            self._has_shown = True
            self._tell("shown", index=playing)
        cpu_s = time.process_time() - start_cpu_s
        self._clock.sleep(self._pace.presented_one(start_ns, cpu_s, self._sink.refresh_hz))

    def _closed(self, why: str) -> None:
        """A window that was closed stays so where the room runs without it; elsewhere it comes back."""
        self._sink.close()
        self._pace.pause()
        self._is_open = False
        self._is_closed_by_hand = self._output.optional
        self._tell("closed" if self._output.optional else "lost", why=why)

    def _heartbeat(self) -> None:
        now_ns = self._clock.now_ns()
        since_s = (now_ns - self._told_ns) / 1e9
        if since_s >= HEARTBEAT_S:
            pictures_per_s = round(self._drawn / since_s, 1) if self._told_ns else 0.0
            self._told_ns, self._drawn = now_ns, 0
            self._tell(
                "stats",
                pictures_per_s=pictures_per_s,
                showing=self._is_open and self._has_shown,
                pattern=self._sink.pattern,
                presents=self._pace.counts(),
            )
