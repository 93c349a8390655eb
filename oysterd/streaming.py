"""A child process that sends the world's picture and sound to screens elsewhere, at the room's own pace."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from drivers.base import UMASKS, Clock, DeviceLost, MonotonicClock
from drivers.stream import Stream, StreamConfig
from model.conditions import STEPS_PER_S
from oysterd.bus import Events
from oysterd.child import become_child
from oysterd.config import OutputConfig
from oysterd.losses import Losses
from oysterd.playout import SAMPLE_RATE_HZ
from oysterd.ring import ChunkRing

BACK_OFF_S = (0.5, 4.0)  # what comes back is to be used again within five seconds
HEARTBEAT_S = 1.0
# How often the ring is asked for a new chunk: well under a slice, and next to nothing in work.
NAP_S = 0.01
# A world that is this many slices late is held: a stream that stops makes players give up.
HOLD_AFTER = 3
# Of what was missed after a stall, this many slices are made up for: the ring does not keep many more.
MOST_MISSED = 8


class SliceSink(Protocol):
    """A sink of pictures with their sound, as the kind `stream` is."""

    def open(self) -> None: ...
    def write(self, rgb: NDArray[np.uint8], /, sound: NDArray[np.float32], sample_rate_hz: int) -> None: ...
    def close(self) -> None: ...


def run_stream(output: OutputConfig, ring_name: str, events: str) -> None:
    """The life of the process: to be the target of a child."""
    become_child()
    told = Events(events, f"output.{output.name}")
    told.tell("alive")
    ring, clock = ChunkRing.attach(ring_name), MonotonicClock()
    options = StreamConfig.model_validate(output.options)
    os.umask(UMASKS[options.readable_by])
    sink = Stream(options, clock)
    streaming = Streaming(sink, ring, clock, told.tell)
    try:
        while True:
            streaming.turn()
    finally:
        sink.close()
        ring.close()
        told.close()


class Streaming:
    """Follows what the room hears, slice by slice; where the world stalls its last picture stands, without a sound."""

    def __init__(self, sink: SliceSink, ring: ChunkRing, clock: Clock, tell: Callable[..., None]) -> None:
        self._sink = sink
        self._ring = ring
        self._clock = clock
        self._tell = tell
        self._last = -1
        self._picture: NDArray[np.uint8] | None = None
        self._due_ns = 0  # when the slice after the last one written should be there
        self._is_open = False
        self._losses = Losses(tell, BACK_OFF_S)
        self._works = False
        self._try_at_ns = 0
        self._told_ns = 0
        self._counts = {"slices": 0, "held": 0, "skipped": 0}

    def turn(self) -> None:
        """Send what is due, or wait a little."""
        self._heartbeat()
        if not self._is_open and (self._clock.now_ns() < self._try_at_ns or not self._try(self._sink.open)):
            self._clock.sleep(HEARTBEAT_S / 4)
            return
        self._is_open = True
        playing, now_ns = self._ring.playing, self._clock.now_ns()
        if playing < self._last:
            self._last = playing - 1  # the room's sound was started anew
        if playing > self._last >= 0 or (playing >= 0 and self._last < 0):
            first = playing if self._last < 0 else max(self._last + 1, playing - MOST_MISSED)
            self._counts["skipped"] += 0 if self._last < 0 else first - self._last - 1
            for index in range(first, playing + 1):
                chunk = self._ring.read(index)
                self._last = index
                if chunk is None:
                    self._counts["skipped"] += 1
                elif not self._send(*chunk):
                    return
            self._due_ns = now_ns + round(HOLD_AFTER / STEPS_PER_S * 1e9)
        elif self._picture is not None and now_ns >= self._due_ns:
            self._due_ns += round(1e9 / STEPS_PER_S)
            self._counts["held"] += 1
            self._send(self._picture, np.zeros((self._ring.samples, 2), np.float32))
        else:
            self._clock.sleep(NAP_S)

    def _send(self, picture: NDArray[np.uint8], sound: NDArray[np.float32]) -> bool:
        if not self._try(lambda: self._sink.write(picture, sound, SAMPLE_RATE_HZ)):
            return False
        self._picture = picture
        self._counts["slices"] += 1
        if not self._works:
            self._works = True
            self._losses.works()
            self._tell("back")
        return True

    def _try(self, act: Callable[[], Any]) -> bool:
        try:
            act()
        except DeviceLost as error:
            self._sink.close()
            self._is_open = self._works = False
            self._try_at_ns = self._clock.now_ns() + round(self._losses.lost(str(error)) * 1e9)
            return False
        return True

    def _heartbeat(self) -> None:
        now_ns = self._clock.now_ns()
        if now_ns - self._told_ns >= HEARTBEAT_S * 1e9:
            self._told_ns = now_ns
            self._tell("stats", **self._counts)
