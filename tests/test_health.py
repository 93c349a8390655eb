"""The published state and figures, from what the parts say of themselves."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from oysterd.clock import ManualClock
from oysterd.commands import Direct, Receipt, SetScene
from oysterd.config import Settings
from oysterd.health import Health
from oysterd.screen import start_screen

SETTINGS: dict[str, Any] = {
    "site": {"name": "house", "room": "hall"},
    "inputs": [{"name": "door", "kind": "virtual_depth", "use": "presence", "max_age_s": 1.0}],
    "outputs": [
        {"name": "wall", "kind": "window", "optional": True},
        {"name": "front", "kind": "silent_speaker"},
        {"name": "rear", "kind": "silent_speaker"},
    ],
}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(100.0)


@pytest.fixture
def health(clock: ManualClock) -> Health:
    return Health(Settings(**SETTINGS), clock)


def say(health: Health, sender: str, kind: str, **content: Any) -> None:
    health.event({"from": sender, "type": kind, **content})


def test_the_state_is_json_before_anybody_has_said_anything(health: Health) -> None:
    state = json.loads(json.dumps(health.state({}, {})))
    assert state["site"] == "house" and state["ready"] is False and state["steps_per_s"] is None
    assert state["inputs"]["door"] == {"kind": "virtual_depth", "ok": False, "age_s": None, "why": "starting"}
    assert "not the first" in state["outputs"]["rear"]["why"]


def test_an_input_is_ok_while_it_gives(health: Health, clock: ManualClock) -> None:
    say(health, "input.door", "back")
    say(health, "input.door", "presence")
    clock.advance(0.5)
    assert health.state({}, {})["inputs"]["door"] == {"kind": "virtual_depth", "ok": True, "age_s": 0.5, "why": ""}
    clock.advance(1.0)
    assert health.state({}, {})["inputs"]["door"]["ok"] is False
    say(health, "input.door", "lost", why="pulled out")
    assert health.state({}, {})["inputs"]["door"]["why"] == "pulled out"


def test_what_is_missing_or_refused_is_an_alert_with_its_setting(health: Health, clock: ManualClock) -> None:
    assert health.state({}, {}, ["mqtt: sensor/wind: must be a number"])["alerts"][-1] == (
        "mqtt: sensor/wind: must be a number"
    )
    say(health, "input.door", "lost", why="pulled out")
    message = {"from": "input.door", "type": "readings", "samples": [], "refused": {"lux": "no number"}, "refusals": 3}
    assert health.event(message) == ["lux: no number"] and health.event(message) == []
    state = health.state({}, {})
    assert state["inputs"]["door"]["refused"] == 6 and state["inputs"]["door"]["age_s"] is None
    assert {"inputs[0] door: pulled out", "inputs[0] door: lux: no number"} <= set(state["alerts"])
    say(health, "input.door", "readings", samples=[(1, {"lux": 3.0})])
    assert not any("lux" in alert for alert in health.state({}, {})["alerts"])


def test_outputs_tell_figures_and_reasons(health: Health) -> None:
    say(health, "output.front", "back")
    say(health, "output.front", "stats", underruns=3, device_underruns=1, latency_s=0.05, sounding=True)
    say(health, "output.wall", "closed", why="the window was closed")
    health.died("output.front")
    state = health.state({"output.front": 1}, {"mqtt": {"connected": False}})
    assert state["underruns"] == 3 and state["outputs"]["front"]["latency_s"] == 0.05
    assert "started anew" in state["outputs"]["front"]["why"] and state["restarts"] == {"output.front": 1}
    assert state["outputs"]["wall"] == {"kind": "window", "ok": False, "why": "the window was closed"}
    assert state["mqtt"] == {"connected": False}


def test_alerts_and_presents_are_published_and_do_not_stop_an_output(health: Health) -> None:
    presents = {"asked": 100, "presented": 98, "late": 3, "dropped": 2}
    say(health, "output.wall", "back")
    say(health, "output.wall", "stats", pictures_per_s=60.0, presents=presents)
    say(health, "output.wall", "alert", about="calibration", why="wall.json: gain: must be a list")
    state = health.state({}, {})
    assert state["outputs"]["wall"]["ok"] is True and state["outputs"]["wall"]["presents"] == presents
    rear = "outputs[2] rear: one sound output is driven, and it is not the first"
    assert state["alerts"] == ["outputs[0] wall: wall.json: gain: must be a list", rear]
    assert health.telemetry([])["presents"] == {"wall": presents}
    say(health, "output.wall", "alert", about="calibration", why="")
    say(health, "input.door", "lost", why="pulled out")
    assert health.state({}, {})["alerts"] == ["inputs[0] door: pulled out", rear]


def test_directives_are_timed_from_when_they_are_due(health: Health, clock: ManualClock) -> None:
    def answer(command: Direct | SetScene, status: Any, **more: Any) -> None:
        health.answered(Receipt(id=command.id, name=command.name, status=status, **more))

    for delay_s, wait_s in ((0.05, 0.0), (0.15, 2.0)):
        command = Direct(text="rain", at_s=wait_s)
        answer(command, "accepted")
        clock.advance(wait_s)
        health.submitted(command)
        clock.advance(delay_s)
        answer(command, "accepted", duplicate=True)
        answer(command, "applied", step=1, time_s=0.1)
    refused, scene = Direct(text="no"), SetScene(text="a desert")
    for other, last in ((refused, "rejected"), (scene, "applied")):
        answer(other, "accepted")
        health.submitted(other)
        clock.advance(9.0)
        answer(other, last)
    telemetry = health.telemetry([])
    assert telemetry["directive_ms_p50"] == 100.0 and telemetry["directive_ms_p99"] == 149.0


def test_memory_counts_all_processes_that_are_there(health: Health) -> None:
    alone = health.telemetry([])["rss_mb"]
    assert alone > 10
    assert health.telemetry([os.getpid(), 2**22 + 1])["rss_mb"] == pytest.approx(2 * alone, rel=0.05)


def test_the_start_screen_shows_where_what_and_what_is_missing(health: Health) -> None:
    say(health, "input.door", "back")
    say(health, "output.wall", "lost", why="window.display: no display")
    say(health, "world", "ready", begin_s=0.42, resumed=False)
    text = start_screen(Settings(**SETTINGS), {"page": "http://127.0.0.1:1"}, ["mqtt.port: taken"], health)
    lines = text.splitlines()
    assert lines[0] == "oysterd    house/hall"
    assert lines[1] == 'world      nacre on cpu, begun in 0.4 s: "a calm coast at dawn"'
    assert "page       http://127.0.0.1:1" in lines and "mqtt       off (mqtt.enabled)" in lines
    assert "inputs     door (virtual_depth) works" in lines and "outputs    wall (window) missing" in lines
    assert "           front (silent_speaker) starting" in lines
    assert "missing    mqtt.port: taken" in lines
    assert "           outputs[0] wall: window.display: no display" in lines
