"""What is heard: does rain, wind, surf grow as it is asked for, and is the sound free of clicks and jumps?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.conditions import STEPS_PER_S, Conditions
from model.diorama import episode
from model.diorama.places import PLACES
from model.sound_codec import BANDS, SLICE_SAMPLES, SUBFRAMES, analyse
from model.training.evaluation import clips
from model.training.evaluation.figure import Figure, Findings, Settings, Sound
from model.training.evaluation.rollouts import FAIR_DAY, STILL, roll, world_of
from model.world import WorldModel

# what grows, where, and the bands of the sound codec that it fills
GROWING: dict[str, tuple[str, slice]] = {
    "rain": ("meadow", slice(8, BANDS)),
    "wind": ("desert", slice(2, 12)),
    "energy": ("coast", slice(6, 20)),  # of the surf
}
SETTLE_STEPS, WAVE_STEPS = STEPS_PER_S, 4 * STEPS_PER_S


def level_db(audio: Sound, bands: slice = slice(0, BANDS)) -> float:
    """Mean level of some bands of a sound, in dB."""
    levels = analyse(audio)[:, : SUBFRAMES * BANDS].reshape(-1, BANDS)
    return float(levels[:, bands].mean())


def rank_correlation(a: list[float], b: list[float]) -> float:
    """Spearman's, of lists without ties."""
    ranks = np.argsort(np.argsort([a, b]))
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _asked(key: str, strength: float) -> dict[str, float]:
    return {**FAIR_DAY, "wind": 0.1, "energy": 0.5, key: strength}


def _dreamt(model: WorldModel, key: str, strength: float, seed: int, steps: int) -> Sound:
    world = world_of(model, GROWING[key][0], seed, _asked(key, strength))
    roll(world, SETTLE_STEPS, Conditions(motion=STILL), 0)
    return roll(world, steps, Conditions(motion=STILL), 0)[1]


def diorama_sound(place: str, environment: dict[str, float], seed: int, steps: int) -> Sound:
    """What the diorama sounds like where somebody stands still."""
    script = clips.script_of(seed, steps, PLACES.index(place), clips.environment_of(environment), STILL)
    return clips.heard(episode.walk(script, seed), seed)


def sound_rank(model: WorldModel, settings: Settings) -> Findings:
    """Spearman's correlation of asked-for rain, wind, waves with their bands' level over whole waves; the mean."""
    strengths = np.linspace(0, 1, settings.of(5, 8)).tolist()
    steps = WAVE_STEPS * settings.of(2, 3)
    seeds = range(settings.of(2, 5))
    parts, judges, curves = {}, [], {}
    for key, (place, bands) in GROWING.items():
        levels = [
            [level_db(_dreamt(model, key, s, 50 + k + 1000 * settings.seed, steps), bands) for s in strengths]
            for k in seeds
        ]
        taught = [
            [level_db(diorama_sound(place, _asked(key, s), clips.TRY_SEED + k, steps), bands) for s in strengths]
            for k in seeds
        ]
        parts[key] = float(np.mean([rank_correlation(strengths, row) for row in levels]))
        judges += [rank_correlation(strengths, row) for row in taught]
        curves[key] = {"asked": strengths, "dreamt": levels, "diorama": taught}
    figure = Figure(float(np.mean(list(parts.values()))), len(GROWING) * len(seeds), float(np.mean(judges)), parts)
    return Findings({"sound_rank": figure}, {"loudness": curves})


# place, environment: a quiet one, a loud one, one that sings, one that swells
EDGES: tuple[tuple[str, dict[str, float]], ...] = (
    ("meadow", FAIR_DAY),
    ("desert", {**FAIR_DAY, "wind": 0.8}),
    ("forest", {**FAIR_DAY, "rain": 0.8, "cloud": 0.9}),
    ("coast", {**FAIR_DAY, "sun_rad": -0.5}),
)


def click_ratio(audio: Sound) -> float:
    """How sharply a sound bends at chunk edges against elsewhere: 1 where edges can't be heard.

    The second difference of samples, the larger of the two that span a cut: its 95th percentile over all edges against
    that over cuts a quarter, a half and three quarters of a chunk further on.
    """
    bend = np.abs(np.diff(audio.astype(np.float64), 2, axis=0)).max(1)

    def at(offset: int) -> NDArray[np.float64]:
        cut = np.arange(SLICE_SAMPLES + offset, len(bend), SLICE_SAMPLES)
        return np.maximum(bend[cut - 2], bend[cut - 1])

    inner = np.concatenate([at(SLICE_SAMPLES * k // 4 + 7) for k in (1, 2, 3)])
    return float(np.quantile(at(0), 0.95) / max(np.quantile(inner, 0.95), 1e-9))


def loudness_jump_db(audio: Sound) -> float:
    """The largest change of loudness from one window of 400 ms to the next, in dB."""
    power = np.square(audio.astype(np.float64)).mean(1)
    window = SLICE_SAMPLES * 12 * 2 // 5
    levels = 10 * np.log10(power[: len(power) // window * window].reshape(-1, window).mean(1) + 1e-9)
    return float(np.abs(np.diff(levels)).max())


def seams(model: WorldModel, settings: Settings) -> Findings:
    """Clicks at chunk edges, and jumps of loudness while nothing is asked; the worst world, the diorama's beside."""
    seconds = settings.of(10, 40)
    clicks, steps, taught = {}, {}, {}
    for number, (place, environment) in enumerate(EDGES):
        world = world_of(model, place, 80 + number + 1000 * settings.seed, {**environment, "energy": 0.5})
        roll(world, SETTLE_STEPS, Conditions(motion=STILL), 0)
        _, audio = roll(world, seconds * STEPS_PER_S, Conditions(motion=STILL), 0)
        clicks[place], steps[place] = click_ratio(audio), loudness_jump_db(audio)
        theirs = diorama_sound(place, environment, clips.TRY_SEED + number, seconds * STEPS_PER_S)
        taught[f"diorama {place}"] = loudness_jump_db(theirs)
    return Findings(
        {
            "click_ratio": Figure(max(clicks.values()), len(clicks), parts=clicks),
            "loudness_jump_db": Figure(max(steps.values()), len(steps), parts={**steps, **taught}),
        }
    )
