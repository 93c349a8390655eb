"""A child process for the projectors as machines: switched one after another, asked how they are, by PJLink.

A thread for each, for each may take its time-out to answer; none of them can stop the room.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any

from drivers.base import Clock, DeviceLost, MonotonicClock
from drivers.pjlink import PJLink, PJLinkConfig, ProjectorState, Refused
from oysterd.bus import Events, Inbox, Message
from oysterd.child import become_child
from oysterd.config import ProjectorConfig

CHILD = "projectors"
HEARTBEAT_S = 1.0

Tell = Callable[..., None]


def run_projectors(configs: Sequence[ProjectorConfig], stagger_s: float, events: str, inbox: str) -> None:
    """The life of the process: to be the target of a child."""
    become_child()
    told, asked = Events(events, CHILD), Inbox(inbox)
    told.tell("alive")
    # A ZeroMQ socket belongs to one thread at a time, and to none once it is closed.
    lock, is_over = threading.Lock(), threading.Event()

    def tell(kind: str, **content: Any) -> None:
        with lock:
            if not is_over.is_set():
                told.tell(kind, **content)

    fleet = Fleet(configs, stagger_s, MonotonicClock(), tell)
    fleet.start()
    try:
        while True:
            for message in asked.receive(HEARTBEAT_S):
                fleet.asked(message)
            tell("alive")
    finally:
        is_over.set()
        with lock:
            told.close()
        asked.close()


class Stagger:
    """Turns that are so far apart: lamps that strike at once may trip a fuse."""

    def __init__(self, clock: Clock, pause_s: float) -> None:
        self._clock = clock
        self._pause_ns = round(pause_s * 1e9)
        self._free_ns = 0
        self._lock = threading.Lock()

    def reserve(self) -> int:
        """The moment of the next free turn, which is taken by this."""
        with self._lock:
            turn_ns = max(self._clock.now_ns(), self._free_ns)
            self._free_ns = turn_ns + self._pause_ns
            return turn_ns


class Switched:
    """One projector. `tell(type, **content)` hears of `back`, `lost`, `alert` and `stats`."""

    def __init__(self, config: ProjectorConfig, stagger: Stagger, clock: Clock, tell: Tell) -> None:
        self._config = config
        self._stagger = stagger
        self._clock = clock
        self._tell = tell
        self._link = PJLink(
            PJLinkConfig(host=config.host, port=config.port, password=config.password, timeout_s=config.timeout_s),
            clock,
        )
        self._why: str | None = None  # empty when it answered last; None before it was asked
        self._errors = ""
        self._was_on = False
        self._shall_be_on = config.on_at_start

    def do(self, request: Message, turn_ns: int) -> str:
        """What a command asks, when its turn has come; why not, where it can't be done."""
        self._wait_for(turn_ns)
        try:
            self._link.open()
            if request["type"] == "power":
                self._shall_be_on = False  # from here on it is an operator who says
                self._link.power(request["request"]["on"])
            elif request["type"] == "shutter":
                self._link.shut(request["request"]["closed"])
            else:
                self._link.select(request["request"]["input"])
        except (DeviceLost, Refused) as error:
            return f"{self._config.name}: {error}"
        finally:
            self._link.close()
        return ""

    def poll(self) -> None:
        """Ask how it is and tell; switch it on where the room began with that, and to its input once it is on."""
        try:
            self._link.open()
            state = self._link.state()
            self._keep(state)
        except DeviceLost as error:
            self._answered(str(error))
            return
        finally:
            self._link.close()
        self._answered("")
        errors = ", ".join(f"{part} {level}" for part, level in state.errors.items())
        if errors != self._errors:
            self._errors = errors
            self._tell("alert", projector=self._config.name, about="errors", why=errors)
        self._tell(
            "stats", projector=self._config.name, power=state.power, input=state.input, shut=state.is_shut,
            errors=state.errors, lamp_hours=list(state.lamp_hours), filter_hours=state.filter_hours,
            device=" ".join(filter(None, (state.model, state.serial, state.name))),
        )  # fmt: skip

    def _keep(self, state: ProjectorState) -> None:
        """Bring it to where the configuration wants it. What it refuses now is tried at the next poll."""
        self._was_on = self._was_on and state.power == "on"
        try:
            if self._shall_be_on and state.power == "standby":
                self._wait_for(self._stagger.reserve())
                self._link.power(True)
            if state.power == "on" and not self._was_on:
                if self._config.input is not None and state.input != self._config.input:
                    self._link.select(self._config.input)
                self._was_on, self._shall_be_on = True, False
        except Refused as error:
            self._tell("alert", projector=self._config.name, about="switching", why=str(error))
        else:
            self._tell("alert", projector=self._config.name, about="switching", why="")

    def _answered(self, why: str) -> None:
        if why != self._why:
            self._why = why
            if why:
                self._tell("lost", projector=self._config.name, why=why)
            else:
                self._tell("back", projector=self._config.name)

    def _wait_for(self, turn_ns: int) -> None:
        self._clock.sleep(max(turn_ns - self._clock.now_ns(), 0) / 1e9)


class Fleet:
    """All projectors with their threads, and the commands that several of them must have done."""

    def __init__(self, configs: Sequence[ProjectorConfig], stagger_s: float, clock: Clock, tell: Tell) -> None:
        self._clock = clock
        self._tell = tell
        self._stagger = Stagger(clock, stagger_s)
        self._configs = {config.name: config for config in configs}
        self._switched = {config.name: Switched(config, self._stagger, clock, tell) for config in configs}
        self._requests: dict[str, queue.Queue[tuple[Message, int]]] = {name: queue.Queue() for name in self._switched}
        self._answers: dict[str, list[str]] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin to ask all of them."""
        for name in self._switched:
            threading.Thread(target=self._look_after, args=(name,), name=f"projector {name}", daemon=True).start()

    def asked(self, message: Message) -> None:
        """Pass a command on to the projector it names, or to all, in the configuration's order; answers come later."""
        named = message["request"].get("projector")
        names = list(self._switched) if named is None else [named]
        for name in names:
            # Only what draws much current needs a turn.
            turn_ns = self._stagger.reserve() if message["type"] == "power" else 0
            self._requests[name].put(({**message, "of": len(names)}, turn_ns))

    def _look_after(self, name: str) -> None:
        switched, poll_ns = self._switched[name], round(self._configs[name].poll_s * 1e9)
        next_ns = self._clock.now_ns()
        while True:
            try:
                wait_s = max(next_ns - self._clock.now_ns(), 0) / 1e9
                message, turn_ns = self._requests[name].get(timeout=wait_s)
            except queue.Empty:
                next_ns = self._clock.now_ns() + poll_ns
            else:
                self._done(message, switched.do(message, turn_ns))
                next_ns = self._clock.now_ns()  # what it did is seen at once
            switched.poll()

    def _done(self, message: Message, why: str) -> None:
        with self._lock:
            answers = self._answers.setdefault(message["id"], [])
            answers.append(why)
            if len(answers) < message["of"]:
                return
            del self._answers[message["id"]]
        failures = "; ".join(filter(None, answers))
        if failures:
            self._tell("failed", id=message["id"], why=failures)
        else:
            self._tell("applied", id=message["id"])
