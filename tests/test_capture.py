"""Inputs in their own processes: a real clip, virtual devices, and devices that are not there or go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from clips import write_clip
from hand_clock import HandClock
from parts import wait_until

from drivers.base import NotReady, Readings
from model.conditions import GRID
from oysterd.bus import Bus, Message
from oysterd.capture import BACK_OFF_S, MOST_PER_S, Capture, run_capture
from oysterd.clock import MonotonicClock
from oysterd.config import InputConfig
from oysterd.gathered import MOST_SAMPLES, Gathered
from oysterd.supervisor import Child, Supervisor


@pytest.fixture
def bus() -> Iterator[Bus]:
    made = Bus()
    yield made
    made.close()


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    made = Supervisor(MonotonicClock())
    yield made
    made.stop()


def write_visitor_clip(path: Path) -> None:
    """Two seconds of an empty grey room, then a dark figure that walks from left to right for one and a half."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 200, "yuv420p"
        for index in range(88):
            picture = np.full((200, 320, 3), 150, np.uint8)
            if index >= 50:
                left = (index - 50) * 7
                picture[60:, left : left + 50] = 30
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def test_a_clip_in_a_process_of_its_own_tells_where_the_visitor_is(
    bus: Bus, supervisor: Supervisor, tmp_path: Path
) -> None:
    write_visitor_clip(tmp_path / "visitor.mp4")
    options = {"device": str(tmp_path / "visitor.mp4"), "loop": False}
    config = InputConfig(name="door", kind="camera", use="presence", options=options)
    supervisor.start(
        Child("input.door", run_capture, (config, bus.events, bus.open("input.door"), tmp_path / "room.npz"), 5.0, 30.0)
    )
    messages: list[Message] = []

    def has_ended() -> bool:
        messages.extend(bus.receive(0.05))
        return any(message["type"] == "lost" for message in messages)

    wait_until(has_ended, "the clip's end", 30)
    assert {message["from"] for message in messages} == {"input.door"}
    assert [m["type"] for m in messages if m["type"] in ("back", "lost")] == ["back", "lost"]
    assert "has ended" in next(message["why"] for message in messages if message["type"] == "lost")
    told = [message for message in messages if message["type"] == "presence"]
    maps = np.array([message["map"] for message in told])
    assert maps.shape[1:] == (*GRID, 2) and len(maps) <= 4 * MOST_PER_S
    times_ns = [message["captured_ns"] for message in told]
    assert times_ns == sorted(times_ns)
    assert maps[:15].max() == 0.0  # the room is empty for two seconds
    near = maps[-15:, :, :, 0].max(axis=1)  # the strongest of each column
    columns = near.argmax(axis=1)[near.max(axis=1) > 0.5]
    assert len(columns) > 7 and columns[0] < 3 < columns[-1] and (np.diff(columns) >= 0).all()
    assert maps[-15:, :, :, 1].max() > 0.5
    # What leaves is numbers of the grid: no message is as large as even a thumbnail of the picture.
    assert all(
        set(message) <= {"from", "type", "map", "people", "captured_ns", "why", "patience_s"} for message in messages
    )


class Told:
    """Collects what a capture tells."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, kind: str, **content: Any) -> None:
        self.messages.append((kind, content))

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.messages if kind != "alive"]

    def whys(self) -> list[str]:
        return [content["why"] for kind, content in self.messages if kind == "lost"]


def test_a_device_that_is_not_there_is_tried_ever_more_seldom_and_found_when_it_comes(tmp_path: Path) -> None:
    clock, told = HandClock(), Told()
    options = {"device": str(tmp_path / "later.mp4")}
    capture = Capture(
        InputConfig(name="door", kind="camera", use="presence", options=options), clock, told, tmp_path / "room.npz"
    )
    for _ in range(6):
        capture.turn()
    assert clock.slept_s == [0.2, 0.4, 0.8, 1.6, 2.0, 2.0] and BACK_OFF_S == (0.2, 2.0)
    assert told.kinds() == ["lost"]  # said once, however often it is met
    assert told.whys()[0].startswith("camera.device: cannot open")
    write_clip(tmp_path / "later.mp4", 5)
    capture.turn()
    assert told.kinds() == ["lost", "back", "presence"]
    capture.close()


def test_virtual_depth_is_told_no_more_often_than_the_world_steps(tmp_path: Path) -> None:
    clock, told = HandClock(), Told()
    config = InputConfig(name="depth", kind="virtual_depth", use="presence", options={"seed": 1})
    capture = Capture(config, clock, told, tmp_path / "room.npz")
    start_ns = clock.now_ns()
    while clock.now_ns() - start_ns < 5e9:
        capture.turn()
    capture.close()
    maps = np.array([content["map"] for kind, content in told.messages if kind == "presence"])
    assert 40 <= len(maps) <= 5 * MOST_PER_S + 1
    assert maps.min() >= 0.0 and maps.max() <= 1.0 and maps[..., 0].max() > 0.3


def test_sensors_are_told_as_they_come(tmp_path: Path) -> None:
    clock, told = HandClock(), Told()
    config = InputConfig(name="roof", kind="virtual_sensors", use="sensors", options={"readings_hz": 2.0})
    capture = Capture(config, clock, told, tmp_path / "room.npz")
    for _ in range(4):
        capture.turn()
    capture.close()
    readings = [sample for kind, content in told.messages if kind == "readings" for sample in content["samples"]]
    assert len(readings) == 4 and set(readings[0][1]) >= {"wind_m_s", "illuminance_lux"}
    assert np.diff([captured_ns for captured_ns, _ in readings]).tolist() == [500_000_000] * 3


@pytest.mark.parametrize(
    ("kind", "use", "why"),
    [
        ("virtual_sensors", "presence", 'inputs.odd.use: virtual_sensors gives readings: use = "sensors"'),
        ("virtual_depth", "sensors", 'inputs.odd.use: virtual_depth gives pictures: use = "presence"'),
    ],
)
def test_an_input_used_for_what_it_does_not_give_says_which_setting_is_wrong(
    kind: str, use: Any, why: str, tmp_path: Path
) -> None:
    clock, told = HandClock(), Told()
    capture = Capture(InputConfig(name="odd", kind=kind, use=use), clock, told, tmp_path / "room.npz")
    capture.turn()
    capture.turn()
    capture.close()
    assert told.kinds() == ["lost"] and told.whys() == [why]


class Scripted:
    """A source that gives what a test lays out: a sample, or None for "nothing yet", each after `step_s`."""

    def __init__(self, clock: HandClock, step_s: float, script: list[Readings | None]) -> None:
        self._clock, self._step_s, self._script = clock, step_s, script

    def open(self) -> None:
        return

    def read(self) -> Readings:
        self._clock.advance(self._step_s)
        sample = self._script.pop(0) if self._script else None
        if sample is None:
            raise NotReady
        return Readings(sample.values, self._clock.now_ns(), sample.refused)

    def close(self) -> None:
        return


def sensing(monkeypatch: pytest.MonkeyPatch, step_s: float, script: list[Readings | None]) -> Told:
    clock, told = HandClock(), Told()
    monkeypatch.setattr("oysterd.capture.make_source", lambda *_: Scripted(clock, step_s, script))
    capture = Capture(InputConfig(name="panel", kind="virtual_sensors", use="sensors"), clock, told, Path("unused"))
    for _ in range(40):
        capture.turn()
    return told


def test_no_press_of_a_button_is_passed_over_however_short(monkeypatch: pytest.MonkeyPatch) -> None:
    presses = [Readings({"button": float(turn % 2)}) for turn in range(30)]
    told = sensing(monkeypatch, 0.01, [*presses])
    readings = [content for kind, content in told.messages if kind == "readings"]
    assert [values["button"] for content in readings for _, values in content["samples"]] == [0.0, 1.0] * 15
    assert len(readings) <= 0.4 * MOST_PER_S + 1


def test_a_sensor_that_says_nothing_is_well_and_what_is_refused_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = Readings(refused={"wind": "no number"})
    told = sensing(monkeypatch, 0.1, [None, None, bad, bad, Readings({"rain": 1.0}), bad])
    assert told.kinds()[0] == "back" and told.kinds().count("back") == 1
    readings = [content for kind, content in told.messages if kind == "readings"]
    assert sum(content.get("refusals", 0) for content in readings) == 3
    assert next(content["refused"] for content in readings if "refused" in content) == {"wind": "no number"}
    assert [values for content in readings for _, values in content["samples"]] == [{"rain": 1.0}]


def test_a_flood_of_readings_loses_its_oldest() -> None:
    gathered = Gathered()
    for count in range(MOST_SAMPLES + 10):
        gathered.add(Readings({"n": float(count)}, count, {f"name{count}": "no number"}))
    taken = gathered.take()
    assert taken["samples"][0][0] == 10 and len(taken["samples"]) == MOST_SAMPLES
    assert taken["refusals"] == MOST_SAMPLES + 10 and len(taken["refused"]) == 64
    assert gathered.is_empty
