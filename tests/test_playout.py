"""The room's clock: every sample in its order, silence without clicks, and time told by what is heard."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import children
import numpy as np
import pytest
from conftest import stop
from hand_clock import HandClock
from numpy.typing import NDArray
from parts import wait_until

from drivers.base import DeviceLost, SoundSink
from oysterd.bus import Bus
from oysterd.clock import MonotonicClock
from oysterd.config import OutputConfig
from oysterd.playout import BLOCK_SAMPLES, FADE_SAMPLES, SAMPLE_RATE_HZ, Playout, run_playout
from oysterd.ring import ChunkRing
from oysterd.sounding import Sounding
from oysterd.supervisor import Child, Supervisor
from oysterd.voice import SoundConfig

CHUNK_S = 2000 / SAMPLE_RATE_HZ
LATENCY_S = 0.1


@pytest.fixture
def ring() -> Iterator[ChunkRing]:
    made = ChunkRing.create(f"oysterd-test-{uuid.uuid4().hex[:12]}", 6, 18, 32, 2000)
    yield made
    made.close()
    made.unlink()


class Card:
    """A sound card on a hand clock that keeps what it was given, and can be pulled out."""

    def __init__(self, clock: HandClock, sample_rate_hz: int = SAMPLE_RATE_HZ) -> None:
        from drivers.virtual import SilentSpeaker, SilentSpeakerConfig

        config = SilentSpeakerConfig(sample_rate_hz=sample_rate_hz, latency_s=LATENCY_S)
        self._pace = SilentSpeaker(config, clock)
        self.written: list[NDArray[np.float32]] = []
        self.is_there = True

    sample_rate_hz = property(lambda self: self._pace.sample_rate_hz)
    channels = property(lambda self: self._pace.channels)
    latency_s = property(lambda self: self._pace.latency_s)
    waiting_s = property(lambda self: self._pace.waiting_s)
    underruns = property(lambda self: self._pace.underruns)

    def open(self) -> None:
        if not self.is_there:
            raise DeviceLost("card: not there")
        self._pace.open()

    def write(self, samples: NDArray[np.float32]) -> None:
        if not self.is_there:
            raise DeviceLost("card: pulled out")
        self.written.append(samples.copy())
        self._pace.write(samples)

    def close(self) -> None:
        self._pace.close()

    @property
    def sound(self) -> NDArray[np.float32]:
        return np.concatenate(self.written)


class Room:
    """A playout on a hand clock, with a world that is written by hand."""

    def __init__(self, ring: ChunkRing) -> None:
        self.ring, self.clock, self.told = ring, HandClock(), list[tuple[str, dict[str, Any]]]()
        self.card: SoundSink = Card(self.clock)  # stands where the silent clock does, and keeps what it hears
        tell = lambda kind, **content: self.told.append((kind, content))  # noqa: E731
        self.sounding = Sounding(None, self.card, SAMPLE_RATE_HZ, self.clock, tell)
        self.playout = Playout(ring, self.sounding, self.clock, tell)

    @property
    def sound(self) -> NDArray[np.float32]:
        assert isinstance(self.card, Card)
        return self.card.sound

    def make(self, count: int) -> None:
        for _ in range(count):
            index = self.ring.newest + 1
            self.ring.write(children.moving_picture(self.ring, index), children.tone(self.ring, index))

    def play(self, seconds: float) -> None:
        end_ns = self.clock.now_ns() + round(seconds * 1e9)
        while self.clock.now_ns() < end_ns:
            self.playout.turn()


def largest_step(sound: NDArray[np.float32]) -> float:
    return float(np.abs(np.diff(sound, axis=0)).max())


# The largest step between two samples of the tone itself.
TONE_STEP = 0.3 * 2 * np.pi * 440 / SAMPLE_RATE_HZ


def test_chunks_are_played_whole_and_in_order_at_the_clock_s_pace(ring: ChunkRing) -> None:
    room = Room(ring)
    start_ns = room.clock.now_ns()
    for _ in range(24):
        room.make(1)
        while room.playout._index < ring.newest or len(room.playout._rest):
            room.playout.turn()
    expected = np.concatenate([children.tone(ring, index) for index in range(24)])
    np.testing.assert_array_equal(room.sound[FADE_SAMPLES:], expected[FADE_SAMPLES:])
    assert room.playout.underruns == 0
    assert (room.clock.now_ns() - start_ns) / 1e9 == pytest.approx(24 * CHUNK_S - LATENCY_S, abs=1e-6)
    assert ring.taken == 23


def test_playing_is_what_is_heard_not_what_is_written(ring: ChunkRing) -> None:
    room = Room(ring)
    heard_s: dict[int, float] = {}
    written_s: dict[int, float] = {}
    while ring.playing < 40:
        room.make(min(2 - (ring.newest - ring.taken), 1))
        room.playout.turn()
        now_s = room.clock.now_ns() / 1e9
        heard_s.setdefault(ring.playing, now_s)
        written_s.setdefault(ring.taken, now_s)
    block_s = BLOCK_SAMPLES / SAMPLE_RATE_HZ
    for index in range(12, 40):  # in the first second the playout learns when its device sounds
        assert heard_s[index + 1] - heard_s[index] == pytest.approx(CHUNK_S, abs=1.01 * block_s)
        assert heard_s[index] - written_s[index] == pytest.approx(LATENCY_S, abs=1.5 * block_s)
    assert room.playout.underruns == 0


def test_a_late_world_is_silence_counted_once_and_nothing_clicks(ring: ChunkRing) -> None:
    room = Room(ring)
    room.make(2)
    room.play(0.5)
    assert room.playout.underruns == 1 and ring.playing == 1
    assert np.abs(room.sound[-BLOCK_SAMPLES:]).max() == 0.0
    room.make(2)
    room.play(0.5)
    assert room.playout.underruns == 2 and ring.playing == 3
    assert largest_step(room.sound) < 1.5 * TONE_STEP
    assert ("stats", room.told[-1][1]) == room.told[-1] and room.told[-1][1]["underruns"] >= 1


def test_before_the_first_chunk_there_is_silence_which_is_nobody_s_fault(ring: ChunkRing) -> None:
    room = Room(ring)
    room.play(1.0)
    assert room.playout.underruns == 0 and ring.playing == -1
    assert np.abs(room.sound).max() == 0.0


def test_a_playout_that_fell_behind_goes_on_with_the_newest(ring: ChunkRing) -> None:
    room = Room(ring)
    room.make(1)
    while len(room.playout._rest) or ring.taken < 0:
        room.playout.turn()
    room.make(10)  # the ring holds six
    while ring.taken < 10:
        room.playout.turn()
    assert ring.taken == 10 and largest_step(room.sound) < 1.5 * TONE_STEP


def test_a_playout_that_is_started_anew_goes_on_where_it_was(ring: ChunkRing) -> None:
    room = Room(ring)
    room.make(4)
    while ring.playing < 1:
        room.playout.turn()
    playing = ring.playing
    again = Room(ring)
    again.playout.turn()
    assert ring.taken == playing + 1


def test_a_card_that_is_pulled_out_is_taken_back_while_time_goes_on(ring: ChunkRing) -> None:
    clock, told = HandClock(), list[str]()
    card, silent = Card(clock, 48_000), Card(clock)
    sounding = Sounding(card, silent, SAMPLE_RATE_HZ, clock, lambda kind, **content: told.append(kind))
    playout = Playout(ring, sounding, clock, lambda kind, **content: None)

    def play_until(works: bool) -> None:
        def turned() -> bool:
            while ring.newest - max(ring.taken, ring.playing) < 2:
                index = ring.newest + 1
                ring.write(children.moving_picture(ring, index), children.tone(ring, index))
            playout.turn()
            return sounding.works == works

        wait_until(turned, f"works = {works}")

    play_until(True)
    card.is_there = False
    play_until(False)
    before = ring.playing
    wait_until(lambda: playout.turn() or len(told) == 3, "it is looked for")
    assert told == ["back", "lost", "lost"]  # pulled out; then not there
    assert ring.playing > before
    card.is_there = True
    play_until(True)
    assert told == ["back", "lost", "lost", "back"]
    sounding.close()


def test_a_card_of_an_odd_rate_plays_the_world_at_its_own_pace(ring: ChunkRing) -> None:
    clock = HandClock()
    card = Card(clock, 44_100)
    sound = SoundConfig(behind_card_ms=40.0)
    sounding = Sounding(card, Card(clock), SAMPLE_RATE_HZ, clock, lambda kind, **content: None, sound)
    wait_until(lambda: sounding.write(np.zeros((BLOCK_SAMPLES, 2), np.float32)) or sounding.works, "it is open")
    start_ns, before = clock.now_ns(), len(card.sound) if card.written else 0
    for index in range(24):
        for block in np.split(children.tone(ring, index), 5):
            sounding.write(block)
    assert (clock.now_ns() - start_ns) / 1e9 == pytest.approx(2.0, abs=LATENCY_S)
    second = card.sound[before:][-44_100:, 0]
    assert int(np.abs(np.fft.rfft(second * np.hanning(len(second)))).argmax()) == 440
    # The resampler's and the limiter's come to the card's, and then what is behind it.
    assert sounding.latency_s == pytest.approx(LATENCY_S + 0.015 + 0.04, abs=0.001)
    assert sounding.until_heard_s == pytest.approx(sounding.latency_s, abs=0.001)
    sounding.close()


def test_a_real_sound_server_plays_what_the_world_makes(
    pulse_server: dict[str, str], ring: ChunkRing, tmp_path: Path
) -> None:
    bus, supervisor = Bus(), Supervisor(MonotonicClock())
    heard_file = tmp_path / "heard.f32"
    name = str(ring._memory.name)  # type: ignore[union-attr]
    output = OutputConfig(name="stereo", kind="speaker", options={"device": "room", "sample_rate_hz": 48_000})
    command = ["parec", "-d", "room.monitor", "--rate=48000", "--channels=2", "--format=float32le", "--latency-msec=20"]
    with heard_file.open("wb") as file:
        recorder = subprocess.Popen(command, stdout=file)
    try:
        supervisor.start(Child("world", children.test_card_world, (None, name, bus.events, bus.open("world")), 30, 30))
        supervisor.start(Child("output.stereo", run_playout, (output, name, bus.events), 30, 30))
        stats: list[dict[str, Any]] = []

        def has_played() -> bool:
            events = bus.receive(0.05)
            assert not [event for event in events if event["type"] == "lost"]
            stats.extend(event for event in events if event["from"] == "output.stereo" and event["type"] == "stats")
            return len(stats) >= 4 and stats[-1]["sounding"]

        wait_until(has_played, "three seconds of sound", 30)
    finally:
        supervisor.stop()
        bus.close()
        stop(recorder)
    assert ring.playing > 12
    heard = np.fromfile(heard_file, np.float32)
    heard = heard[: len(heard) // 2 * 2].reshape(-1, 2)
    loud = np.flatnonzero(np.abs(heard).max(axis=1) > 0.25)
    second = heard[loud[-1] - 48_000 : loud[-1]]
    spectrum = np.abs(np.fft.rfft(second[:, 0] * np.hanning(len(second))))
    assert int(spectrum.argmax()) == 440
    np.testing.assert_allclose(second[:, 0], -second[:, 1], atol=0.001)  # the sides keep their places
