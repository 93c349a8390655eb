"""Every figure has a sound of its own, begun with the step of its cause, and the sound codec carries it."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from model.conditions import FAIR, FIGURES, GRID
from model.diorama import calls, episode
from model.diorama.episode import Script, Walk
from model.diorama.places import PLACES
from model.sound_codec import SynthState, analyse, synthesise

STEPS = 60


def _script(name: str | None, loud: float = 0.0) -> Script:
    weights = np.zeros((STEPS, len(PLACES)), np.float32)
    weights[:, PLACES.index("meadow")] = 1
    environment = np.tile(FAIR, (STEPS, 1))
    environment[:, -2:] = 0.05, 0.1
    cues: list[dict[str, str]] = [{} for _ in range(STEPS)]
    if name:
        cues[0][name] = "enter"
    presence = np.zeros((STEPS, *GRID, 2), np.float32)
    return Script(
        weights, environment, np.zeros((STEPS, 4), np.float32), presence, False, 3, tuple(cues), (loud,) * STEPS
    )


@cache
def _walked(name: str) -> Walk:
    return episode.walk(_script(name), 3)


def _call(levels: np.ndarray, name: str) -> np.ndarray:
    wanted = np.zeros((len(levels), len(FIGURES)), np.float32)
    wanted[:, FIGURES.index(name)] = levels
    return calls.heard(wanted, np.zeros(len(levels), np.float32), 0.0, np.random.default_rng(0))


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_heard(name: str) -> None:
    walked = _walked(name)
    alone = calls.heard(walked.levels, walked.levels_side, 0.0, np.random.default_rng(0))
    assert np.isfinite(alone).all() and alone.std() > 1e-3 and np.abs(alone).max() < 3


def test_a_bang_begins_with_the_step_of_its_burst() -> None:
    walked = _walked("fireworks")
    level = walked.levels[:, FIGURES.index("fireworks")]
    sound = episode.sound_of(walked, 3).mean(1).reshape(STEPS, -1)
    low = np.abs(np.fft.rfft(sound, axis=1))[:, 3:20].sum(1)
    bursts = np.flatnonzero((level[1:] > 0.5) & (level[:-1] <= 0.5)) + 1
    assert len(bursts) >= 2
    for step in bursts:
        assert low[step] > 3 * low[step - 2 : step].mean()


def test_a_rocket_whistles_higher_as_it_rises() -> None:
    levels = np.concatenate([0.10 + 0.25 * np.arange(10) / 10, [0.9, 0.7]])
    spectrum = np.abs(np.fft.rfft(_call(levels, "fireworks").mean(1)[: 10 * 2000].reshape(10, 2000), axis=1))[
        :, 130:400
    ]
    peaks = spectrum.argmax(1)[2:9]
    assert (np.diff(peaks) > 0).all()


def test_an_event_happens_once_and_silence_is_silent() -> None:
    levels = np.zeros(24)
    levels[6:12] = 0.9
    heard = np.abs(_call(levels, "kitten")).max(1).reshape(24, -1).max(1)
    assert heard[:6].max() == 0 and heard[6:10].min() > 0.02 and heard[16:].max() == 0


@pytest.mark.parametrize(("name", "floor"), [("kitten", 0.6), ("birds", 0.5), ("whale", 0.6), ("fireworks", 0.8)])
def test_the_codec_carries_it(name: str, floor: float) -> None:
    """Loudness by band and step before and after coding and sounding go together."""
    sound = episode.sound_of(_walked(name), 3)
    features, state, rng = analyse(sound), SynthState.silent(), np.random.default_rng(1)
    parts = []
    for row in features:
        part, state = synthesise(row, state, rng)
        parts.append(part)
    again = analyse(np.concatenate(parts))
    before, after = features[2:-2, :96].ravel(), again[2:-2, :96].ravel()
    assert np.corrcoef(before, after)[0, 1] > floor
    assert np.concatenate(parts).std() == pytest.approx(sound.std(), rel=0.25)


def test_a_loud_room_swells_the_tones() -> None:
    heard = [analyse(episode.sound_of(episode.walk(_script(None, level), 3), 3))[24:] for level in (0.0, 1.0)]
    silent, loud = ((10 ** (features[:, 102:138] / 20)).mean(0) for features in heard)  # of the codec's tones
    assert loud.sum() > 1.4 * silent.sum()


def test_half_of_all_episodes_have_a_cast() -> None:
    rng = np.random.default_rng(0)
    having = [any(episode.random_cues(rng, 144)) for _ in range(300)]
    assert 0.4 < np.mean(having) < 0.7
