"""A child process for one input: reads its device and tells what the world needs of it.

Pictures end here: what leaves this process is a presence map of a few hundred numbers, or the values of sensors.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from drivers import make_source
from drivers.base import Clock, Depth, DeviceLost, MonotonicClock, NotReady, Picture, Readings, Sample, Source
from model.conditions import GRID
from oysterd.bus import Events
from oysterd.child import become_child
from oysterd.config import InputConfig
from oysterd.gathered import Gathered

if TYPE_CHECKING:
    from oysterd.presence import PresenceFromColour, PresenceFromDepth, PresenceMap

BACK_OFF_S = (0.2, 2.0)
# As often as the world takes a step; more would be replaced unseen.
MOST_PER_S = 12.0
# How often a device that gives nothing is said to be waited for.
HEARTBEAT_S = 1.0
# Between these a visitor's nearness goes from 1 to 0: from arm's length to the wall of a room. The numbers are
# arbitrary; a D435 sees from 0.3 m on.
NEAR_M, FAR_M = 0.5, 4.0
# Below the world and the sound: on two cores a camera's decoder must not take their time.
NICENESS = 5


def run_capture(config: InputConfig, events: str) -> None:
    """The life of the process: to be the target of a child; ends with SIGTERM only."""
    become_child(at_once=True)
    told = Events(events, f"input.{config.name}")
    told.tell("alive")  # before OpenCV is loaded, which may take seconds on a busy machine
    os.nice(NICENESS)
    if config.use == "presence":
        import cv2

        cv2.setNumThreads(1)
    capture = Capture(config, MonotonicClock(), told.tell)
    while True:
        capture.turn()


class Capture:
    """Opens, reads and reopens one device, and tells of it by `tell(type, **content)`."""

    def __init__(self, config: InputConfig, clock: Clock, tell: Callable[..., None]) -> None:
        self._config = config
        self._clock = clock
        self._tell = tell
        self._source: Source | None = None
        self._back_off_s = BACK_OFF_S[0]
        self._gave = False  # whether the device gave anything since it was last lost
        self._lost_why = ""
        self._told_ns = 0
        self._colour: PresenceFromColour | None = None
        self._depth: PresenceFromDepth | None = None
        self._gathered = Gathered()

    def turn(self) -> None:
        """Open the device, or read it once, or wait before it is tried again."""
        try:
            if self._source is None:
                self._tell("alive")
                self._source = make_source(self._config.kind, self._config.options, self._clock)
                self._source.open()
            sample = self._source.read()
        except NotReady:
            if self._config.use == "sensors":
                self._tell_back()  # connected and silent is well: a button is not pressed all day
                self._tell_readings()
            self._heartbeat()
            return
        except DeviceLost as error:
            self._lost(str(error))
            return
        if (why := self._unfit(sample)) is not None:
            self._lost(why)
            return
        self._tell_back()
        self._pass_on(sample)

    def close(self) -> None:
        """Let go of the device."""
        if self._source is not None:
            self._source.close()
            self._source = None

    def _tell_back(self) -> None:
        if not self._gave:
            self._gave, self._lost_why, self._back_off_s = True, "", BACK_OFF_S[0]
            self._tell("back")

    def _unfit(self, sample: Sample) -> str | None:
        """Why the device is not one for what it is used for; None when it is."""
        use = "sensors" if isinstance(sample, Readings) else "presence"
        if use == self._config.use:
            return None
        given = "readings" if use == "sensors" else "pictures"
        return f'inputs.{self._config.name}.use: {self._config.kind} gives {given}: use = "{use}"'

    def _pass_on(self, sample: Sample) -> None:
        if isinstance(sample, Readings):
            self._gathered.add(sample)
            self._tell_readings()
            return
        presence = self._presence(sample)  # of each picture, since motion is seen between two
        if self._is_time():
            self._tell("presence", map=presence.round(4).tolist(), captured_ns=sample.captured_ns)

    def _tell_readings(self) -> None:
        if not self._gathered.is_empty and self._is_time():
            self._tell("readings", **self._gathered.take())

    def _presence(self, sample: Picture | Depth) -> PresenceMap:
        from oysterd.presence import PresenceFromColour, PresenceFromDepth

        if isinstance(sample, Depth):
            self._depth = self._depth or PresenceFromDepth(GRID, NEAR_M, FAR_M)
            return self._depth.update(sample.depth_m)
        self._colour = self._colour or PresenceFromColour(GRID)
        return self._colour.update(sample.rgb)

    def _is_time(self) -> bool:
        """Whether a sample may be told now; the ones between are passed over, so that the newest is told."""
        now_ns = self._clock.now_ns()
        # A little early is on time: devices at just this rate would lose every other sample to jitter.
        if now_ns - self._told_ns < 0.9e9 / MOST_PER_S:
            return False
        self._told_ns = now_ns
        return True

    def _heartbeat(self) -> None:
        now_ns = self._clock.now_ns()
        if now_ns - self._told_ns >= HEARTBEAT_S * 1e9:
            self._told_ns = now_ns
            self._tell("alive")

    def _lost(self, why: str) -> None:
        self.close()
        self._gave = False
        if why != self._lost_why:
            self._lost_why = why
            self._tell("lost", why=why)
        self._tell("alive")
        self._clock.sleep(self._back_off_s)
        self._back_off_s = min(2 * self._back_off_s, BACK_OFF_S[1])
