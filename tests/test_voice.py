"""From the world's two sides to a card's channels: zones, filters, limit, loudness and quiet hours, by properties."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from oysterd.filters import Filter, high_pass, k_weighting, low_pass
from oysterd.limiter import LOOK_AHEAD_S, RELEASE_DB_S, Limiter
from oysterd.loudness import FADER_DB_S, Leveller, Loudness
from oysterd.quiet_hours import QuietConfig, ceiling_dbfs
from oysterd.voice import CEILING_DB_S, SoundConfig, Voice
from oysterd.zones import Zone, ZoneConfig

CARD_HZ, WORLD_HZ = 48_000, 24_000
Sound = NDArray[np.float64]


def noise(samples: int, seed: int = 4) -> Sound:
    return np.random.default_rng(seed).uniform(-1.0, 1.0, (samples, 2))


def sine(hz: float, seconds: float, rate_hz: int = CARD_HZ, amplitude: float = 1.0) -> Sound:
    wave = amplitude * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate_hz)) / rate_hz)
    return np.stack([wave, wave], axis=1)


def in_pieces(play: Callable[[Sound], Sound], sound: Sound, seed: int = 9) -> Sound:
    """What comes of it in blocks of all lengths from none to 900."""
    random, made, at = np.random.default_rng(seed), [], 0
    while at < len(sound):
        length = int(random.integers(0, 900))
        made.append(play(sound[at : at + length]))
        at += length
    return np.concatenate(made)


def zone(samples: Sound, **options: object) -> Sound:
    """What a zone of a card of four channels makes of it."""
    playing = Zone(ZoneConfig.model_validate({"name": "z", **options}), CARD_HZ)

    def play(block: Sound) -> Sound:
        made = np.zeros((len(block), 4))
        playing.add_to(made, block)
        return made

    return in_pieces(play, samples)


# --- filters ---


def test_a_filter_by_blocks_is_the_filter_by_samples() -> None:
    sections, sound = [*high_pass(80, CARD_HZ), *low_pass(9000, CARD_HZ)], noise(3000)
    expected = sound.copy()
    for s in sections:  # the recursion as it is defined
        given, made = expected, np.zeros_like(expected)
        for n in range(len(given)):
            past = [(given[n - k], made[n - k]) if n >= k else (0.0, 0.0) for k in (1, 2)]
            made[n] = s.b0 * given[n] + s.b1 * past[0][0] + s.b2 * past[1][0] - s.a1 * past[0][1] - s.a2 * past[1][1]
        expected = made
    np.testing.assert_allclose(in_pieces(Filter(sections, 2), sound), expected, rtol=0, atol=1e-11)


def level_db(sections: list, hz: float) -> float:  # type: ignore[type-arg]
    made = Filter(sections, 2)(sine(hz, 1.0))[CARD_HZ // 2 :]
    return float(20 * np.log10(np.sqrt(2 * (made[:, 0] ** 2).mean())))


@pytest.mark.parametrize("hz", [80.0, 1000.0])
def test_bands_fall_by_24_db_an_octave_and_meet_6_db_down(hz: float) -> None:
    assert level_db(low_pass(hz, CARD_HZ), hz) == pytest.approx(-6.02, abs=0.05)
    assert level_db(high_pass(hz, CARD_HZ), hz) == pytest.approx(-6.02, abs=0.05)
    assert level_db(low_pass(hz, CARD_HZ), hz / 8) == pytest.approx(0.0, abs=0.05)
    assert level_db(low_pass(hz, CARD_HZ), 8 * hz) - level_db(low_pass(hz, CARD_HZ), 4 * hz) < -23.5
    assert level_db(high_pass(hz, CARD_HZ), hz / 4) - level_db(high_pass(hz, CARD_HZ), hz / 2) < -23.5


def test_two_bands_are_as_loud_as_the_whole_at_every_frequency() -> None:
    click = np.zeros((CARD_HZ, 2))
    click[0] = 1.0
    both = Filter(low_pass(300, CARD_HZ), 2)(click) + Filter(high_pass(300, CARD_HZ), 2)(click)
    response = np.abs(np.fft.rfft(both[:, 0]))[10:20_000]
    np.testing.assert_allclose(response, 1.0, atol=1e-6)


# --- zones ---


def test_a_click_comes_out_of_its_zone_that_much_later_and_nowhere_else() -> None:
    click = np.zeros((2000, 2))
    click[100] = (1.0, 0.5)
    made = zone(click, channels=[3, 2], delay_ms=12.5, gain_db=-6.0)
    assert np.argwhere(made).tolist() == [[700, 1], [700, 2]]
    assert made[700, 2] == pytest.approx(10 ** (-6 / 20)) and made[700, 1] == pytest.approx(0.5 * 10 ** (-6 / 20))


@pytest.mark.parametrize(
    ("source", "expected"), [("left", (1.0, 1.0, 1.0)), ("right", (0.5, 0.5, 0.5)), ("mono", (0.75, 0.75, 0.75))]
)
def test_a_zone_of_one_side_sounds_alike_from_all_its_channels(source: str, expected: tuple[float, ...]) -> None:
    both = np.tile([1.0, 0.5], (10, 1))
    np.testing.assert_allclose(zone(both, channels=[1, 2, 4], source=source)[5], (*expected[:2], 0.0, expected[2]))


def test_a_subwoofer_gets_the_low_tone_alone() -> None:
    both = sine(50, 1.0, amplitude=0.25) + sine(2000, 1.0, amplitude=0.25)
    made = zone(both, channels=[3], source="mono", low_pass_hz=120.0)[CARD_HZ // 2 :, 2]
    spectrum = np.abs(np.fft.rfft(made * np.hanning(len(made))))
    assert int(spectrum.argmax()) == 25  # 50 Hz in half a second
    assert spectrum[1000] < spectrum[25] / 1e4


def test_what_is_wrong_with_a_zone_is_said() -> None:
    with pytest.raises(ValidationError, match="left and right in turn"):
        ZoneConfig(name="z", channels=[1])
    with pytest.raises(ValidationError, match="twice"):
        ZoneConfig(name="z", channels=[2, 2])
    with pytest.raises(ValidationError, match="nothing would be heard"):
        ZoneConfig(name="z", channels=[1, 2], high_pass_hz=200.0, low_pass_hz=100.0)


# --- limit ---


def limited(sound: Sound, ceiling_db: float) -> Sound:
    limit = Limiter(CARD_HZ, sound.shape[1])
    return in_pieces(lambda block: limit(block, np.full(len(block), ceiling_db)), sound)


@pytest.mark.parametrize("kind", ["noise", "clicks", "bursts", "far too loud"])
def test_no_sample_passes_the_ceiling(kind: str) -> None:
    sound = noise(CARD_HZ)
    if kind == "clicks":
        sound *= np.random.default_rng(1).random((len(sound), 1)) < 0.002
    elif kind == "bursts":
        sound *= (np.arange(len(sound)) // 3000 % 2)[:, None]
    elif kind == "far too loud":
        sound *= 1000.0
    made = limited(sound, -12.0)
    assert made.shape == sound.shape
    assert np.abs(made).max() <= 10 ** (-12 / 20)
    assert np.abs(made).max() > 0.99 * 10 ** (-12 / 20)  # and it is no lower than need be


def test_what_is_under_the_ceiling_is_left_as_it_is() -> None:
    sound = noise(20_000) / 2
    made, late = limited(sound, -0.1), round(LOOK_AHEAD_S * CARD_HZ) - 1
    np.testing.assert_array_equal(made[late:], sound[:-late])


def test_turning_down_makes_no_click_and_comes_back_as_slowly_as_it_says() -> None:
    calm = sine(440, 1.0, amplitude=0.2)
    loud = calm.copy()
    loud[CARD_HZ // 4 : CARD_HZ // 4 + 2400] *= 4.5 * np.hanning(2400)[:, None] + 1.0  # up to 1.1
    made = limited(loud, -6.0)[:, 0]
    assert np.abs(made).max() <= 10 ** (-6 / 20)
    assert np.abs(np.diff(made)).max() <= np.abs(np.diff(loud[:, 0])).max()
    # In the last half second nothing is too loud, and the gain rises evenly to where it was: no pumping, no step.
    late = round(LOOK_AHEAD_S * CARD_HZ) - 1
    peaks = np.abs(made[late + 24_000 :][: 49 * 480]).reshape(49, 480).max(axis=1)
    rise_db = np.diff(20 * np.log10(peaks))
    assert rise_db.max() < 2 * RELEASE_DB_S / 100 and rise_db.min() > -0.1
    assert peaks[-1] == pytest.approx(0.2, rel=0.01)


# --- loudness ---


@pytest.mark.parametrize("rate_hz", [24_000, 48_000])
def test_loudness_is_that_of_the_recommendation(rate_hz: int) -> None:
    # ITU-R BS.1770-4: 997 Hz at full scale on one side reads -3.01 LKFS; on both, 3.01 more.
    wave = sine(997, 3.0, rate_hz)
    for sides, lufs in ((np.array([1.0, 0.0]), -3.01), (np.array([1.0, 1.0]), 0.0)):
        loudness = Loudness(rate_hz)
        in_pieces(lambda block, loudness=loudness: loudness.heard(block) or block, wave * sides)  # type: ignore[misc]
        assert loudness.lufs == pytest.approx(lufs, abs=0.05)


def test_the_weighting_at_48_khz_has_the_recommendation_s_numbers() -> None:
    shelf, high = k_weighting(48_000)  # tables 1 and 2 of annex 1
    assert (shelf.b0, shelf.b1, shelf.b2) == pytest.approx((1.53512485958697, -2.69169618940638, 1.19839281085285))
    assert (shelf.a1, shelf.a2) == pytest.approx((-1.69065929318241, 0.73248077421585))
    assert (high.b0, high.b1, high.b2) == (1.0, -2.0, 1.0)
    assert (high.a1, high.a2) == pytest.approx((-1.99004745483398, 0.99007225036621))


@pytest.mark.parametrize(("amplitude", "wanted_db"), [(0.1, -3.0), (0.02, 6.0), (0.9, -6.0)])
def test_the_fader_moves_slowly_to_where_it_is_wanted_and_not_beyond_its_range(
    amplitude: float, wanted_db: float
) -> None:
    level = Leveller(target_lufs=-23.0, range_db=6.0, rate_hz=WORLD_HZ)
    sound = sine(997, 30.0, WORLD_HZ, amplitude)  # 0.1 is -20 LUFS
    made = in_pieces(level, sound)
    gains_db = 20 * np.log10(np.abs(made[:, 0]).reshape(-1, 2400).max(axis=1) / amplitude)
    assert gains_db[-1] == pytest.approx(wanted_db, abs=0.1)
    assert np.abs(np.diff(gains_db)).max() < 1.5 * FADER_DB_S * 0.1  # in each tenth of a second
    assert np.abs(np.diff(made[:, 0])).max() <= amplitude * 2 * np.pi * 997 / WORLD_HZ * 10 ** (max(wanted_db, 0) / 20)


def test_silence_is_not_turned_up() -> None:
    level = Leveller(-23.0, 12.0, WORLD_HZ)
    in_pieces(level, sine(997, 10.0, WORLD_HZ, 0.1))
    before = level.gain_db
    in_pieces(level, np.zeros((10 * WORLD_HZ, 2)) + 1e-6)
    assert level.gain_db == pytest.approx(before, abs=0.1)


# --- quiet hours ---


@pytest.mark.parametrize(
    ("now", "ceiling"),
    [("21:59", -1.0), ("22:00", -30.0), ("23:59", -30.0), ("00:00", -30.0), ("06:59", -30.0), ("07:00", -1.0),
     ("12:59", -1.0), ("13:00", -20.0), ("13:59", -20.0), ("14:00", -1.0)],
)  # fmt: skip
def test_quiet_hours_begin_and_end_by_the_clock_also_through_midnight(now: str, ceiling: float) -> None:
    quiet = [
        QuietConfig(begins="22:00", ends="07:00", ceiling_dbfs=-30.0),
        QuietConfig(begins="13:00", ends="14:00", ceiling_dbfs=-20.0),
    ]
    assert ceiling_dbfs(-1.0, quiet, time.fromisoformat(now)) == ceiling


def test_hours_that_are_none_are_refused() -> None:
    for begins, ends in (("24:00", "07:00"), ("7:00", "08:00"), ("07:00", "07:00")):
        with pytest.raises(ValidationError):
            QuietConfig(begins=begins, ends=ends, ceiling_dbfs=-30.0)


def test_as_quiet_hours_begin_the_room_grows_quiet_without_a_step() -> None:
    now = [time(21, 59)]
    quiet = [QuietConfig(begins="22:00", ends="07:00", ceiling_dbfs=-30.0)]
    voice = Voice(SoundConfig(quiet=quiet), WORLD_HZ, CARD_HZ, 2, lambda: now[0])
    sound = np.split(sine(440, 20.0, WORLD_HZ, 0.8).astype(np.float32), 20 * 60)
    made = []
    for at, block in enumerate(sound):
        if at == 60:
            now[0] = time(22, 0)
        made.append(voice(block))
    heard = np.concatenate(made)[: 19 * CARD_HZ, 0]
    peaks_db = 20 * np.log10(np.abs(heard).reshape(-1, 4800).max(axis=1))
    assert peaks_db[8] == pytest.approx(20 * np.log10(0.8), abs=0.01)
    assert peaks_db[-1] == pytest.approx(-30.0, abs=0.01)
    assert np.diff(peaks_db[2:]).min() > -2 * CEILING_DB_S * 0.1
    assert voice.figures["ceiling_dbfs"] == -30.0 and voice.figures["limiter_db"] == pytest.approx(-28.1, abs=0.1)


# --- the whole way ---


def test_the_way_through_is_the_sound_itself_that_much_later() -> None:
    voice = Voice(SoundConfig(), WORLD_HZ, CARD_HZ, 2)
    sound = sine(440, 2.0, WORLD_HZ, 0.5).astype(np.float32)
    made = np.concatenate([voice(block) for block in np.array_split(sound, 131)])
    late_s = 2.0 - len(made) / CARD_HZ + (round(LOOK_AHEAD_S * CARD_HZ) - 1) / CARD_HZ
    assert late_s == pytest.approx(voice.latency_s, abs=0.005)
    ahead = round(LOOK_AHEAD_S * CARD_HZ) - 1
    expected = sine(440, 2.0, CARD_HZ, 0.5)[: len(made) - ahead]
    np.testing.assert_allclose(made[ahead:][1000:], expected[1000:], atol=1e-4)


def test_with_everything_on_no_channel_passes_the_ceiling_and_the_level_is_kept() -> None:
    zones = [
        ZoneConfig(name="front", channels=[1, 2], high_pass_hz=100.0, gain_db=6.0),
        ZoneConfig(name="back", channels=[3, 4], high_pass_hz=100.0, delay_ms=9.0),
        ZoneConfig(name="all", channels=[1, 4, 6], source="mono", low_pass_hz=100.0),  # zones may share channels
    ]
    config = SoundConfig(ceiling_dbfs=-9.0, loudness_lufs=-20.0, loudness_range_db=12.0, zones=zones)
    voice = Voice(config, WORLD_HZ, CARD_HZ, 6)
    random = np.random.default_rng(8)
    made = []
    for _ in range(20 * 60):
        made.append(voice(random.normal(0.0, 0.02, (400, 2)).astype(np.float32), 100 * float(random.normal())))
    sound = np.concatenate(made)
    assert np.abs(sound).max() <= np.float32(10 ** (-9 / 20))
    assert np.abs(sound[:, [0, 1, 2, 3, 5]]).max(axis=0).min() > 0.01 and np.abs(sound[:, 4]).max() == 0.0
    # Noise of -34 dBFS on both sides is about -30 LUFS; ten seconds bring 5 dB of what is missing, twenty 10.
    assert 5.0 < voice.figures["level_db"] <= 10.0
    assert len(sound) / CARD_HZ == pytest.approx(20.0, abs=0.02)
