"""A card of any rate, whose clock is a little off: the same tone, and the world keeps the machine's time."""

from __future__ import annotations

import numpy as np
import pytest
from hand_clock import HandClock
from numpy.typing import NDArray

from drivers.virtual import SilentSpeaker, SilentSpeakerConfig
from oysterd.drift import Drift
from oysterd.resample import Resampler

WORLD_HZ, BLOCK = 24_000, 400


def tones(samples: int) -> NDArray[np.float32]:
    at = np.arange(samples) / WORLD_HZ
    return np.stack([0.5 * np.sin(2 * np.pi * 3000 * at), 0.5 * np.cos(2 * np.pi * 500 * at)], 1).astype(np.float32)


@pytest.mark.parametrize("card_hz", [24_000, 44_100, 48_000, 96_000])
def test_a_tone_is_the_same_tone_at_another_rate(card_hz: int) -> None:
    resample = Resampler(WORLD_HZ, card_hz)
    made = np.concatenate([resample(block) for block in np.array_split(tones(3 * WORLD_HZ), 211)])
    second = made[-card_hz:]
    spectrum = np.abs(np.fft.rfft(second * np.kaiser(card_hz, 12.0)[:, None], axis=0))
    assert spectrum.argmax(axis=0).tolist() == [3000, 500]
    beside = spectrum.copy()
    for channel, peak in enumerate((3000, 500)):
        beside[peak - 10 : peak + 11, channel] = 0
    assert (beside.max(axis=0) < spectrum.max(axis=0) / 1e5).all()  # 100 dB
    assert np.abs(second).max() == pytest.approx(0.5, abs=0.002)


def test_what_it_holds_back_is_what_it_says() -> None:
    resample = Resampler(WORLD_HZ, 48_000)
    click = np.zeros((WORLD_HZ, 2), np.float32)
    click[1000] = 1.0
    given, heard_at = 0, None
    made = np.zeros((0, 2), np.float32)
    for block in np.split(click, WORLD_HZ // 40):
        given += len(block)
        made = np.concatenate([made, resample(block)])
        if heard_at is None and len(made) and np.abs(made).max() > 0.45:
            heard_at = given
    assert int(np.abs(made[:, 0]).argmax()) == 2000  # nothing is put before the sound
    # What goes in last has its end heard that much later than its time.
    assert given / WORLD_HZ - len(made) / 48_000 == pytest.approx(resample.latency_s, abs=41 / WORLD_HZ)
    assert heard_at is not None and (heard_at - 1000) / WORLD_HZ == pytest.approx(resample.latency_s, abs=41 / WORLD_HZ)


def test_a_change_of_the_correction_is_not_heard() -> None:
    resample, sound = Resampler(WORLD_HZ, 48_000), tones(4 * WORLD_HZ)
    made = [resample(block, 300.0 if at % 2 else -300.0) for at, block in enumerate(np.split(sound, 240))]
    second = np.concatenate(made)[-72_000:-24_000, 0]
    spectrum = np.abs(np.fft.rfft(second * np.kaiser(48_000, 12.0)))
    far = np.concatenate([spectrum[:2700], spectrum[3300:]])  # a click would be everywhere
    assert far.max() < spectrum.max() / 10 ** (85 / 20)
    assert np.abs(np.diff(second)).max() < 1.001 * 0.5 * 2 * np.pi * 3000 / 48_000


class FastClock:
    """A card's quartz: it counts `ppm` more than the clock on the wall."""

    def __init__(self, wall: HandClock, ppm: float) -> None:
        self._wall, self._speed, self._start_ns = wall, 1 + 1e-6 * ppm, wall.now_ns()

    def now_ns(self) -> int:
        return round((self._wall.now_ns() - self._start_ns) * self._speed)

    def sleep(self, seconds: float) -> None:
        self._wall.sleep(seconds / self._speed)


def play(ppm: float, seconds: float, corrects: bool = True, stalls: bool = False) -> tuple[Drift, list[float]]:
    """The loop, and by how much the world's sound was ahead of the wall after each second, from the third on."""
    wall = HandClock()
    card = SilentSpeaker(SilentSpeakerConfig(sample_rate_hz=48_000, latency_s=0.05), FastClock(wall, ppm))
    card.open()
    resample, drift, correction = Resampler(WORLD_HZ, 48_000), Drift(), 0.0
    random, start_ns, ahead_s = np.random.default_rng(5), wall.now_ns(), list[float]()
    block = np.zeros((BLOCK, 2), np.float32)
    for written in range(1, round(seconds * WORLD_HZ / BLOCK) + 1):
        card.write(resample(block, correction if corrects else 0.0))
        if stalls and written % 20 == 0:
            wall.advance(0.03)  # the world was late, and the card played on
        # The card plays in lumps, so that it can't say exactly.
        waiting_s = card.waiting_s + random.uniform(-0.006, 0.006)
        correction = drift.wrote(wall.now_ns(), BLOCK / WORLD_HZ, waiting_s)
        if written % 60 == 0 and written > 180:
            ahead_s.append(written * BLOCK / WORLD_HZ - card.waiting_s - (wall.now_ns() - start_ns) / 1e9)
    assert card.underruns == 0
    return drift, ahead_s


@pytest.mark.parametrize("ppm", [200.0, -200.0])
def test_the_world_keeps_its_time_on_a_card_that_does_not(ppm: float) -> None:
    _, free_s = play(ppm, 60, corrects=False)
    assert free_s[-1] - free_s[0] == pytest.approx(1e-6 * ppm * 57, abs=0.001)  # the fault is real
    drift, ahead_s = play(ppm, 300)
    assert drift.ppm == pytest.approx(ppm, abs=20)
    late = np.array(ahead_s)
    assert np.abs(late - late[0]).max() < 0.006  # 60 ms without correction
    assert np.ptp(late[-100:]) < 0.002


def test_a_good_card_is_left_alone() -> None:
    drift, ahead_s = play(0.0, 120)
    assert abs(drift.ppm) < 20 and np.ptp(ahead_s) < 0.002


def test_a_world_that_is_late_now_and_then_is_no_drift() -> None:
    drift, ahead_s = play(80.0, 180, stalls=True)
    assert drift.ppm == pytest.approx(80.0, abs=20) and np.ptp(ahead_s[-60:]) < 0.002


@pytest.mark.parametrize("lost_s", [0.02, 1.5])
def test_lost_sound_is_no_drift(lost_s: float) -> None:
    wall, drift, found = HandClock(), Drift(), list[float]()
    for turn in range(1, 120 * 60):
        wall.advance(1 / 60)
        if turn % 600 == 0:
            wall.advance(lost_s)  # nothing was played in this time, whatever was written
        drift.wrote(wall.now_ns(), 1 / 60, 0.05)
        found.append(drift.ppm)
    assert np.abs(found).max() < 20  # 2000 and more, if it were
