"""A projector: between two pictures by the time of the sound, held when the world stalls, on a real X display."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import children
import numpy as np
import pytest
from hand_clock import HandClock
from parts import wait_until
from test_window import screen

from drivers.base import MonotonicClock as DeviceClock
from drivers.window import Window, WindowConfig
from oysterd.bus import Bus, Message
from oysterd.clock import ManualClock, MonotonicClock
from oysterd.config import OutputConfig
from oysterd.playhead import Playhead
from oysterd.playout import run_playout
from oysterd.processes import HUNG_AFTER_S
from oysterd.projector import Pictures, Projector, run_projector
from oysterd.ring import ChunkRing
from oysterd.supervisor import Child, Supervisor

SLICE_S = 1 / 12
HEIGHT, WIDTH = 90, 160


@pytest.fixture
def ring() -> Iterator[ChunkRing]:
    made = ChunkRing.create(f"oysterd-test-{uuid.uuid4().hex[:12]}", 12, HEIGHT, WIDTH, 2000)
    yield made
    made.close()
    made.unlink()


def write(ring: ChunkRing, count: int) -> None:
    for _ in range(count):
        ring.write(children.moving_picture(ring, ring.newest + 1), np.zeros((2000, 2), np.float32))


def test_the_playhead_goes_evenly_through_chunks_whose_times_are_told_unevenly() -> None:
    clock = ManualClock(50.0)
    playhead = Playhead(clock, SLICE_S)
    random = np.random.default_rng(3)
    start_ns = clock.now_ns()
    late_ns = random.integers(0, 16_000_000, 200)
    positions, playing, since_ns = [], 0, start_ns
    for _ in range(600):
        clock.advance(1 / 60)
        heard = int((clock.now_ns() - start_ns) / 1e9 / SLICE_S)
        told_ns = start_ns + round((playing + 1) * SLICE_S * 1e9) + int(late_ns[playing + 1])
        if heard > playing and clock.now_ns() >= told_ns:
            playing, since_ns = playing + 1, clock.now_ns()
        positions.append(playhead.move(playing, since_ns, playing + 2))
    steps = np.diff(positions)[60:]
    even = 1 / 60 / SLICE_S
    assert (np.abs(steps - even) < 0.2 * even).all()
    real = (clock.now_ns() - start_ns) / 1e9 / SLICE_S
    assert positions[-1] == pytest.approx(real, abs=0.4)


def test_the_playhead_slows_and_holds_when_the_world_stalls_and_finds_the_sound_again() -> None:
    clock = ManualClock(50.0)
    playhead = Playhead(clock, SLICE_S)
    since_ns = clock.now_ns()
    positions = [playhead.move(4, since_ns, 5)]
    for _ in range(120):
        clock.advance(1 / 60)
        positions.append(playhead.move(4, since_ns, 5))
    steps = np.diff(positions)
    assert (steps >= 0).all() and positions[-1] <= 5.0 and positions[-1] > 4.9
    assert steps[0] > steps[6] > steps[12] > steps[60]
    # The world and its sound go on after a second, and so does the picture, from where it stood.
    playing = 5
    for turn in range(120):
        clock.advance(1 / 60)
        if turn % 5 == 0:
            playing, since_ns = playing + 1, clock.now_ns()
        positions.append(playhead.move(playing, since_ns, playing + 2))
    assert (np.diff(positions) >= 0).all() and abs(positions[-1] - playing) < 1.5


def test_the_playhead_jumps_where_it_would_have_to_run_and_goes_back_with_the_sound() -> None:
    clock = ManualClock(50.0)
    playhead = Playhead(clock, SLICE_S)
    assert playhead.move(3, clock.now_ns(), 5) == 3.0
    clock.advance(1.0)
    assert playhead.move(15, clock.now_ns(), 17) == 15.0
    clock.advance(0.1)
    assert playhead.move(2, clock.now_ns(), 4) == 2.0


def test_pictures_are_the_two_about_a_position_and_the_same_arrays_each_time(ring: ChunkRing) -> None:
    pictures = Pictures(ring)
    assert pictures.at(0.0) is None
    write(ring, 3)
    first = pictures.at(1.25)
    assert first is not None and first[1] is not None
    assert (first[0] == 24).all() and (first[1] == 32).all() and first[2] == 0.25
    again = pictures.at(1.5)
    assert again is not None and again[0] is first[0] and again[1] is first[1]
    last = pictures.at(2.0)
    assert last is not None and last[0] is first[1] and last[1] is None
    beyond = pictures.at(7.5)  # not made yet: what was shown last is held
    assert beyond is not None and beyond[0] is first[1] and beyond[1:] == (None, 0.0)


class Screen:
    """A projector's process with what it tells."""

    def __init__(self, ring: ChunkRing) -> None:
        self.bus, self.supervisor = Bus(), Supervisor(MonotonicClock())
        self.events: list[Message] = []
        self._ring_name = str(ring._memory.name)  # type: ignore[union-attr]

    def project(self, optional: bool = False) -> None:
        options = {"width": WIDTH, "height": HEIGHT}
        output = OutputConfig(name="wall", kind="window", optional=optional, options=options)
        arguments = (output, self._ring_name, self.bus.events, self.bus.open("output.wall"), Path("/nonexistent"))
        self.supervisor.start(Child("output.wall", run_projector, arguments, 30, 30))

    def play_a_world(self) -> None:
        address = self.bus.open("world")
        arguments = (None, self._ring_name, self.bus.events, address)
        self.supervisor.start(Child("world", children.test_card_world, arguments, 30, 30))
        self.supervisor.start(Child("sound", run_playout, (None, self._ring_name, self.bus.events), 30, 30))

    def told(self, kind: str) -> list[Message]:
        self.events.extend(self.bus.receive(0.02))
        return [event for event in self.events if event["type"] == kind and event["from"] == "output.wall"]


@pytest.fixture
def projector(ring: ChunkRing) -> Iterator[Screen]:
    made = Screen(ring)
    yield made
    made.supervisor.stop()
    made.bus.close()


def grey(display: str) -> int:
    middle = screen(display)[HEIGHT // 2, WIDTH // 2]
    return int(middle[0])


def test_the_world_moves_on_a_real_screen_and_is_held_when_it_stalls(
    x_display: str, ring: ChunkRing, projector: Screen
) -> None:
    projector.project()
    projector.play_a_world()
    wait_until(lambda: projector.told("shown"), "a first picture", 30)
    seen: set[int] = set()

    def has_moved() -> bool:
        projector.told("stats")
        seen.add(grey(x_display))
        return len(seen) > 12

    wait_until(has_moved, "a moving picture", 20)
    # Greys between those of the chunks (16 + 8 n) are mixes of two.
    assert {level % 8 for level in seen} - {0}
    os.kill(projector.supervisor.pids()["world"], signal.SIGSTOP)
    newest = ring.newest
    expected = int(children.moving_picture(ring, newest)[0, 0, 0])
    wait_until(lambda: abs(grey(x_display) - expected) <= 1, "the last picture", 10)
    assert ring.newest == newest
    os.kill(projector.supervisor.pids()["world"], signal.SIGCONT)
    wait_until(lambda: ring.playing > newest + 3 and abs(grey(x_display) - expected) > 8, "it goes on", 10)


def test_without_a_display_it_says_so_and_lives_on(
    monkeypatch: pytest.MonkeyPatch, ring: ChunkRing, projector: Screen
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    projector.project()
    wait_until(lambda: projector.told("lost"), "the loss", 20)
    assert "window.display: no display" in projector.told("lost")[0]["why"]
    wait_until(lambda: len(projector.told("stats")) >= 2, "signs of life", 20)
    assert len(projector.told("lost")) == 1 and "output.wall" in projector.supervisor.pids()


def test_however_long_a_display_is_away_the_projector_says_that_it_lives(
    monkeypatch: pytest.MonkeyPatch, ring: ChunkRing
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    clock, said_at_s = HandClock(), list[float]()
    told: list[str] = []

    def tell(kind: str, **content: Any) -> None:
        told.append(kind)
        said_at_s.append(clock.now_ns() / 1e9)

    output = OutputConfig(name="wall", kind="window")
    projector = Projector(output, Window(WindowConfig(), DeviceClock()), ring, clock, tell)
    start_ns = clock.now_ns()
    while clock.now_ns() - start_ns < 40e9:
        projector.turn()
    assert np.diff(said_at_s).max() < HUNG_AFTER_S / 2
    assert told.count("lost") == 1


@pytest.mark.parametrize(("optional", "told"), [(False, ["lost", "back"]), (True, ["closed"])])
def test_a_window_that_is_closed_comes_back_where_the_room_needs_it(
    x_display: str, ring: ChunkRing, optional: bool, told: list[str]
) -> None:
    import glfw

    write(ring, 3)
    ring.playing = 0
    said: list[str] = []

    def tell(kind: str, **content: Any) -> None:
        if kind != "stats":
            said.append(kind)

    window = Window(WindowConfig(width=WIDTH, height=HEIGHT), DeviceClock())
    output = OutputConfig(name="wall", kind="window", optional=optional)
    projector = Projector(output, window, ring, DeviceClock(), tell)
    wait_until(lambda: projector.turn() or said == ["back", "shown"], "a picture")
    glfw.set_window_should_close(window._window, True)  # as the window manager's button does
    wait_until(lambda: projector.turn() or said[2:] == told, f"{told} in {said}")
    window.close()
