"""The process that switches and watches projectors, with PJLink servers on the loopback for the machines."""

from __future__ import annotations

import os
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from hand_clock import HandClock
from parts import free_port, wait_until
from pjlink_server import PJLinkServer

from oysterd.bus import Bus, Message
from oysterd.clock import MonotonicClock
from oysterd.config import ProjectorConfig, Settings
from oysterd.health import Health
from oysterd.projectors import CHILD, Stagger, Switched, run_projectors
from oysterd.screen import start_screen
from oysterd.supervisor import Child, Supervisor

TIMEOUT_S, POLL_S = 0.4, 0.2


class Booth:
    """Two projectors and the process that looks after them."""

    def __init__(self) -> None:
        self.servers = {name: PJLinkServer() for name in ("left", "right")}
        self.on_at: dict[str, float] = {}
        for name, server in self.servers.items():
            server.heard_of = lambda command, name=name: self._heard(name, command)  # type: ignore[misc]
        self.bus, self.supervisor = Bus(), Supervisor(MonotonicClock())
        self.health: Health | None = None
        self._events: list[Message] = []

    def _heard(self, name: str, command: str) -> None:
        if command.startswith("POWR ") and command != "POWR ?":
            self.on_at.setdefault(name, time.monotonic())

    def start(self, stagger_s: float = 0.0, more: list[dict[str, Any]] | None = None, **options: Any) -> None:
        common = {"host": "127.0.0.1", "poll_s": POLL_S, "timeout_s": TIMEOUT_S}
        ours = [{"name": name, "port": server.port, **common, **options} for name, server in self.servers.items()]
        settings = Settings.model_validate({"projectors": ours + [{**common, **one} for one in more or []]})
        self.health = Health(settings, MonotonicClock())
        arguments = (settings.projectors, stagger_s, self.bus.events, self.bus.open(CHILD))
        self.supervisor.start(Child(CHILD, run_projectors, arguments, 5, 30))

    def state(self) -> dict[str, Any]:
        assert self.health is not None
        for message in self.bus.receive(0.02):
            self._events.append(message)
            self.health.event(message)
        return self.health.state({}, {})

    def ask(self, kind: str, **request: Any) -> Message:
        identifier = uuid.uuid4().hex
        message = {"type": kind, "id": identifier, "request": request}
        wait_until(lambda: self.bus.send(CHILD, message), "the process takes commands")

        def answers() -> list[Message]:
            self.state()
            return [event for event in self._events if event.get("id") == identifier]

        wait_until(answers, f"an answer to {kind}")
        return answers()[0]

    def close(self) -> None:
        self.supervisor.stop()
        self.bus.close()
        for server in self.servers.values():
            server.close()


@pytest.fixture
def booth() -> Iterator[Booth]:
    made = Booth()
    yield made
    made.close()


def test_projectors_are_watched_switched_shut_and_told_of(booth: Booth) -> None:
    booth.servers["left"].state.answers |= {"ERST": "020000"}
    booth.start()
    wait_until(lambda: all(one["ok"] for one in booth.state()["projectors"].values()), "both answer")
    left = booth.state()["projectors"]["left"]
    assert (left["power"], left["lamp_hours"], left["device"]) == ("standby", [1234], "House P-1 Left")
    assert booth.state()["alerts"] == ["projectors[0] left: lamp error"]
    assert booth.ask("power", on=True)["type"] == "applied"
    wait_until(lambda: {p["power"] for p in booth.state()["projectors"].values()} == {"warming"}, "both warm up")
    assert booth.ask("shutter", projector="right", closed=True)["type"] == "applied"
    wait_until(lambda: booth.state()["projectors"]["right"]["shut"], "the shutter")
    assert booth.state()["projectors"]["left"]["shut"] is False
    assert booth.ask("input", projector="left", input="32")["type"] == "applied"
    wait_until(lambda: booth.state()["projectors"]["left"]["input"] == "32", "the input")
    booth.servers["left"].state.answers |= {"ERST": "000000"}
    wait_until(lambda: booth.state()["alerts"] == [], "the lamp was changed")


@pytest.mark.parametrize("on", [True, False])
def test_they_are_switched_one_after_another_in_their_order(booth: Booth, on: bool) -> None:
    booth.start(stagger_s=0.5)
    wait_until(lambda: all(one["ok"] for one in booth.state()["projectors"].values()), "both answer")
    assert booth.ask("power", on=on)["type"] == "applied"
    assert booth.on_at["right"] - booth.on_at["left"] > 0.4


def test_what_one_refuses_is_the_answer_with_its_name(booth: Booth) -> None:
    booth.servers["right"].refuse = {"POWR 1": "ERR3"}
    booth.start()
    answer = booth.ask("power", on=True)
    assert answer["type"] == "failed"
    assert answer["why"].startswith("right: POWR: it can't do this now") and "left" not in answer["why"]


def test_one_that_does_not_answer_is_an_alert_and_holds_up_no_other(booth: Booth) -> None:
    nowhere = free_port()
    booth.servers["right"].behave = "silent"
    booth.start(more=[{"name": "far", "port": nowhere}])
    wait_until(lambda: len(booth.state()["alerts"]) == 2, "two alerts")
    state = booth.state()
    assert state["projectors"]["left"]["ok"] and not state["projectors"]["right"]["ok"]
    assert "does not answer: timed out" in state["projectors"]["right"]["why"]
    far = f"projectors[2] far: host: 127.0.0.1:{nowhere} does not answer"
    assert any(alert.startswith(far) for alert in state["alerts"])
    assert booth.ask("power", projector="left", on=True)["type"] == "applied"
    assert "far: host" in booth.ask("power", on=True)["why"]
    assert booth.supervisor.pids().keys() == {CHILD}
    booth.servers["right"].behave = ""
    wait_until(lambda: booth.state()["projectors"]["right"]["ok"], "the right one is back")
    assert booth.health is not None
    screen = start_screen(Settings(), {}, [], booth.health)
    assert "projectors left (pjlink) works" in screen
    assert f"projectors[2] far: host: 127.0.0.1:{nowhere} does not answer" in screen


def test_a_process_that_dies_is_noticed_and_begins_anew(booth: Booth) -> None:
    booth.start()
    wait_until(lambda: booth.state()["projectors"]["left"]["ok"], "it answers")
    before = booth.supervisor.pids()[CHILD]
    os.kill(before, signal.SIGKILL)

    def is_new() -> bool:
        booth.state()
        booth.supervisor.tick()
        return booth.supervisor.pids().get(CHILD, before) != before

    wait_until(is_new, "another process")
    assert booth.ask("shutter", closed=True)["type"] == "applied"


def test_the_room_switches_on_retries_what_is_refused_and_chooses_the_input_once() -> None:
    server, clock = PJLinkServer(), HandClock()
    told: list[tuple[str, dict[str, Any]]] = []
    config = ProjectorConfig(name="left", host="127.0.0.1", port=server.port, on_at_start=True, input="32")
    stagger = Stagger(clock, 3.0)
    stagger.reserve()
    switched = Switched(config, stagger, clock, lambda kind, **content: told.append((kind, content)))
    try:
        server.refuse = {"POWR 1": "ERR3"}  # it cools down, though it says standby
        switched.poll()
        assert clock.slept_s[-1] == pytest.approx(3.0)  # after the one before it
        assert any("it can't do this now" in content.get("why", "") for _, content in told)
        server.refuse = {}
        switched.poll()
        assert server.state.answers["POWR"] == "3"
        switched.poll()
        assert "INPT 32" not in server.received  # not while it warms up
        server.state.answers |= {"POWR": "1", "INPT": "11"}
        switched.poll()
        switched.poll()
        assert server.received.count("INPT 32") == 1 and server.received.count("POWR 1") == 2
        server.state.answers |= {"INPT": "11"}  # somebody chose another by hand: it is left alone
        switched.poll()
        server.state.answers |= {"POWR": "0"}  # and switched it off
        switched.poll()
        assert server.received.count("INPT 32") == 1 and server.received.count("POWR 1") == 2
        server.state.answers |= {"POWR": "1"}
        switched.poll()
        assert server.received.count("INPT 32") == 2
    finally:
        server.close()


def test_turns_are_apart_whoever_takes_them() -> None:
    clock = HandClock()
    stagger = Stagger(clock, 2.0)
    now_ns, taken = clock.now_ns(), list[int]()
    threads = [threading.Thread(target=lambda: taken.append(stagger.reserve())) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [now_ns + turn * 2_000_000_000 for turn in range(5)]
    clock.advance(60.0)
    assert stagger.reserve() == clock.now_ns()
