"""A child process for the lamps at one output: they follow the picture by the time its sound is heard.

Where the world stalls they hold what they show; where the network goes it is tried again, however long.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import cast

from drivers import make_sink
from drivers.base import Clock, DeviceLost, MonotonicClock
from model.conditions import STEPS_PER_S
from oysterd.bus import Events
from oysterd.child import become_child
from oysterd.clock import MonotonicClock as DaemonClock
from oysterd.config import OutputConfig
from oysterd.losses import Losses
from oysterd.playhead import Playhead
from oysterd.projector import BlendSink, Pictures
from oysterd.ring import ChunkRing

LAMP_KINDS = ("artnet_lamps", "sacn_lamps")  # of outputs
BACK_OFF_S = (0.2, 2.0)
HEARTBEAT_S = 1.0
WAIT_FOR_WORLD_S = 0.02
# Below the world and the sound, as cameras are.
NICENESS = 5


def run_lamps(output: OutputConfig, ring_name: str, events: str) -> None:
    """The life of the process: to be the target of a child."""
    become_child()
    told = Events(events, f"output.{output.name}")
    told.tell("alive")
    os.nice(NICENESS)
    ring = ChunkRing.attach(ring_name)
    clock = MonotonicClock()
    sink = cast(BlendSink, make_sink(output.kind, output.options, clock))
    lamps = Lamps(sink, ring, clock, told.tell)
    try:
        while True:
            lamps.turn()
    finally:
        sink.close()
        ring.close()
        told.close()


class Lamps:
    """Shows the world on one sink of lamps, which sets the pace, and tells of it by `tell(type, **content)`."""

    def __init__(self, sink: BlendSink, ring: ChunkRing, clock: Clock, tell: Callable[..., None]) -> None:
        self._sink = sink
        self._ring = ring
        self._clock = clock
        self._tell = tell
        self._playhead = Playhead(DaemonClock(), 1 / STEPS_PER_S)
        self._pictures = Pictures(ring)
        self._is_open = False
        self._works = False
        self._losses = Losses(tell, BACK_OFF_S)
        self._told_ns = 0
        self._shown = 0

    def turn(self) -> None:
        """Show the picture of this moment, or wait for a first one, or before the network is tried again."""
        self._heartbeat()
        try:
            if not self._is_open:
                self._sink.open()
                self._is_open = True
            if not self._show():
                self._clock.sleep(WAIT_FOR_WORLD_S)
                return
        except DeviceLost as error:
            self._lost(str(error))
            return
        if not self._works:
            self._tell("back")
        self._works = True
        self._losses.works()
        self._shown += 1

    def _show(self) -> bool:
        playing, newest = self._ring.playing, self._ring.newest
        if playing < 0:
            return False
        shown = self._pictures.at(self._playhead.move(playing, self._ring.playing_since_ns, newest))
        if shown is None:
            return False
        frame, following, mix = shown
        self._sink.write(frame, next_rgb=following, mix=mix)
        return True

    def _lost(self, why: str) -> None:
        self._sink.close()
        self._is_open = self._works = False
        self._clock.sleep(self._losses.lost(why))

    def _heartbeat(self) -> None:
        now_ns = self._clock.now_ns()
        since_s = (now_ns - self._told_ns) / 1e9
        if since_s >= HEARTBEAT_S:
            rate = round(self._shown / since_s, 1) if self._told_ns else 0.0
            self._told_ns, self._shown = now_ns, 0
            self._tell("stats", pictures_per_s=rate)
