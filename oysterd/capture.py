"""A child process for one input: reads its device and tells what the world needs of it.

Pictures end here: what leaves this process is a presence map of a few hundred numbers, or the values of sensors.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from drivers import SOURCES, make_source
from drivers.base import Clock, DeviceLost, MonotonicClock, NotReady, Readings, Resettable, Sample, Source
from model.conditions import GRID
from oysterd.bus import Events, Inbox, Message
from oysterd.child import become_child
from oysterd.config import InputConfig
from oysterd.gathered import Gathered
from oysterd.ladder import Ladder, Rung
from oysterd.losses import Losses

if TYPE_CHECKING:
    from oysterd.eye import Eye

BACK_OFF_S = (0.2, 2.0)
# As often as the world takes a step; more would be replaced unseen.
MOST_PER_S = 12.0
# How often a device that gives nothing is said to be waited for.
HEARTBEAT_S = 1.0
# Loading OpenCV and a device's library, on a busy machine.
LOADING_S = 30.0
# Below the world and the sound: on two cores a camera's decoder must not take their time.
NICENESS = 5
# Between the last word of a process that ends itself and its end: sysexits.h's EX_TEMPFAIL.
EXIT_STUCK = 75


def run_capture(config: InputConfig, events: str, inbox: str, room_file: Path) -> None:
    """The life of the process: to be the target of a child; ends with SIGTERM, or EXIT_STUCK when that may help."""
    become_child(at_once=True)
    told, heard = Events(events, f"input.{config.name}"), Inbox(inbox)
    told.tell("alive", patience_s=LOADING_S)  # before OpenCV is loaded, which may take seconds on a busy machine
    os.nice(NICENESS)
    if config.use == "presence":
        import cv2

        cv2.setNumThreads(1)
    capture = Capture(config, MonotonicClock(), told.tell, room_file)
    while not capture.is_stuck:
        for message in heard.receive():
            capture.hear(message)
        capture.turn()
    told.close()
    # At once: a thread of the device's library may hang too, and an orderly end would wait for it.
    os._exit(EXIT_STUCK)


class Capture:
    """Opens, reads and reopens one device, and tells of it by `tell(type, **content)`.

    `patience_s` in what it tells is how long it may be silent from then on, until it tells another.
    """

    def __init__(self, config: InputConfig, clock: Clock, tell: Callable[..., None], room_file: Path) -> None:
        self._config = config
        self._clock = clock
        self._tell = tell
        self._room_file = room_file
        self._source: Source = make_source(config.kind, config.options, clock)
        self._limits = SOURCES[config.kind].config.model_validate(config.options)
        self._ladder = Ladder(clock, isinstance(self._source, Resettable))
        self._is_open = False
        self._losses = Losses(tell, BACK_OFF_S)
        self._gave = False  # whether the device gave anything since it was last lost
        self._told_ns = 0
        self._gathered = Gathered()
        self._eye: Eye | None = None
        self.is_stuck = False  # whether nothing but a new process may help

    def turn(self) -> None:
        """Open the device, or read it once, or wait before it is tried again."""
        try:
            if not self._is_open:
                self._tell("alive", patience_s=self._limits.open_patience_s)
                self._is_open = True  # also half open it is closed before the next try
                self._source.open()
                self._tell("alive", patience_s=self._limits.read_patience_s)
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
        self._ladder.worked()
        self._tell_back()
        self._pass_on(sample)

    def hear(self, message: Message) -> None:
        """Do what the daemon asks: learn the empty room, and keep or drop what was learned."""
        if message["type"] == "learn_room":
            self._the_eye().learn(message["seconds"], partial(self._tell_learned, message["id"]))
        elif message["type"] == "keep_room":
            self._the_eye().keep(message["keep"])

    def close(self) -> None:
        """Let go of the device."""
        self._is_open = False
        self._source.close()

    def _tell_learned(self, identifier: str, why: str | None) -> None:
        self._tell("learned", id=identifier, why=why)

    def _tell_back(self) -> None:
        if not self._gave:
            self._gave = True
            self._losses.works()
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
        seen = self._the_eye().see(sample)  # of each picture, since motion is seen between two
        if self._is_time():
            people = [[round(x, 3), round(y, 3)] for x, y in seen.people]
            told = seen.presence.round(4).tolist()
            self._tell("presence", map=told, people=people, captured_ns=sample.captured_ns)

    def _tell_readings(self) -> None:
        if not self._gathered.is_empty and self._is_time():
            self._tell("readings", **self._gathered.take())

    def _the_eye(self) -> Eye:
        from oysterd.eye import Eye

        if self._eye is None:
            corners = self._config.presence.corners
            set_up = {"kind": self._config.kind, "options": self._config.options, "corners": corners, "grid": GRID}
            seen_by = json.dumps(set_up, sort_keys=True, default=str)
            self._eye = Eye(GRID, self._config.presence, self._room_file, seen_by)
        return self._eye

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
        # Closing a device that failed may block as long as opening it.
        self._tell("alive", patience_s=self._limits.open_patience_s)
        self.close()
        self._gave = False
        if self._eye is not None:
            self._eye.give_up(why)
        rung = self._ladder.failed()
        if rung is not Rung.REOPEN:
            why = f"{why}; {rung.value}"
        pause_s = self._losses.lost(why)
        if rung is Rung.RESET and isinstance(self._source, Resettable):
            self._source.reset()
        elif rung is Rung.NEW_PROCESS:
            self.is_stuck = True
            return
        self._tell("alive", patience_s=pause_s)
        self._clock.sleep(pause_s)
