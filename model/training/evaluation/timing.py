"""Picture and sound in time: thunder after its flash, a footfall at its step, a wave's crash at its swash.

Each is measured on the dream and on the diorama by the same estimator, and the error of a dream is how far it lies from
what the diorama's clips give in the median. Steps and waves are seen where the walker's phases stand, which move the
picture; a flash is seen in the picture's light.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from model.conditions import STEPS_PER_S, Conditions
from model.diorama import episode
from model.diorama.places import PLACES
from model.sound_codec import BANDS, SUBFRAMES, analyse
from model.training.evaluation import clips
from model.training.evaluation.figure import Figure, Findings, Settings, Sound
from model.training.evaluation.rollouts import FAIR_DAY, STILL, blind, roll, world_of
from model.world import WorldModel

HZ = STEPS_PER_S * SUBFRAMES  # of the sound's frames
WALKING = np.array([1.0, 0, 0, 0], np.float32)
STORM = {"sun_rad": 0.5, "cloud": 0.95, "fog": 0.0, "rain": 0.9, "snow": 0.0, "wind": 0.3, "energy": 0.9}
QUIET = {**FAIR_DAY, "wind": 0.0, "sun_rad": 0.4, "energy": 0.3}
STEPS = 12 * STEPS_PER_S
Phase = NDArray[np.float64]  # in turns, of each step, growing


def envelope(audio: Sound, bands: slice) -> NDArray[np.float64]:
    """Level of some bands in dB, smoothed over 60 ms, at HZ frames a second."""
    level = analyse(audio)[:, : SUBFRAMES * BANDS].reshape(-1, BANDS)[:, bands].mean(1)
    return np.convolve(level, np.ones(3) / 3, "same")


def peak(values: NDArray[np.float64]) -> float:
    """Where a curve is highest, between its points, by a parabola through the three about it."""
    at = int(np.clip(values.argmax(), 1, len(values) - 2))
    a, b, c = values[at - 1 : at + 2]
    return at + float(np.clip(0.5 * (a - c) / min(a - 2 * b + c, -1e-9), -0.5, 0.5))


def thunder_s(audio: Sound, flash_step: int) -> float:
    """Seconds from a flash to its thunder: where the low bands rise most within three seconds after it."""
    low = envelope(audio, slice(0, 4))
    first = (flash_step + 1) * SUBFRAMES
    rise = (low[3:] - low[:-3])[first : first + 3 * HZ]
    return (peak(rise) + 1.5 + first) / HZ - flash_step / STEPS_PER_S


def footfall_s(audio: Sound, stride: Phase) -> float:
    """Seconds from a step (two a turn of the stride) to its footfall: the peak of the mean envelope about all steps."""
    level = envelope(audio, slice(2, BANDS))
    turns = np.interp(np.arange(len(level)) / SUBFRAMES, np.arange(len(stride)), stride) * 2
    falls = np.flatnonzero(np.diff(np.floor(turns)) > 0)
    reach = np.arange(-HZ // 8, HZ // 3)
    falls = falls[(falls + reach[0] >= 0) & (falls + reach[-1] < len(level))]
    if not len(falls):
        return float("nan")
    # When within its frame a step passes, so that the mean is not blurred.
    share = (np.ceil(turns[falls]) - turns[falls]) / np.maximum(turns[falls + 1] - turns[falls], 1e-9)
    around = np.mean(
        [np.interp(f + s + reach, np.arange(len(level)), level) for f, s in zip(falls, share, strict=True)], 0
    )
    return float((peak(around) + reach[0]) / HZ)


def crash_s(audio: Sound, swash: Phase) -> float:
    """Seconds from the swash's zero to the crash: by the phase of the surf's loudness at the period of the waves."""
    level = 10 ** (envelope(audio, slice(8, 20)) / 20)
    turns = np.interp(np.arange(len(level)) / SUBFRAMES, np.arange(len(swash)), swash)
    whole = turns < turns[0] + np.floor(turns[-1] - turns[0])  # whole waves only
    phase = np.angle(((level[whole] - level[whole].mean()) * np.exp(-2j * np.pi * turns[whole])).sum()) / (2 * np.pi)
    period_s = (len(swash) - 1) / STEPS_PER_S / (swash[-1] - swash[0])
    return float(-phase % 1 * period_s)


Offset = Callable[[int], float]  # seconds, by seed


def _dreamt_phase(
    model: WorldModel, place: str, environment: dict[str, float], name: str, seed: int
) -> tuple[Sound, Phase]:
    world = world_of(blind(model), place, seed, environment)
    asked = Conditions(motion=WALKING if name == "stride" else STILL)
    roll(world, STEPS_PER_S, asked, 0)
    audio, phase = [], []
    for _ in range(STEPS):
        audio.append(world.step(asked).audio)
        phase.append(float(getattr(world.walker, name)))
    return np.concatenate(audio), np.unwrap(phase, period=1.0)


def _diorama_phase(place: str, environment: dict[str, float], name: str, seed: int) -> tuple[Sound, Phase]:
    motion = WALKING if name == "stride" else STILL
    script = clips.script_of(seed, STEPS, PLACES.index(place), clips.environment_of(environment), motion)
    walked = episode.walk(script, seed)
    return clips.heard(walked, seed), np.unwrap([float(getattr(w, name)) for w in walked.walkers], period=1.0)


def _dreamt_thunder(model: WorldModel, seed: int) -> float:
    world = world_of(blind(model), "coast", seed, STORM)
    still = Conditions(motion=STILL)
    roll(world, 24, still, 0)
    strike = Conditions(motion=STILL, directive=model.embed("lightning strikes"))
    chunks = [world.step(strike if step == 0 else still) for step in range(48)]
    light = np.array([c.frames.mean() for c in chunks])
    flash = 1 + int(np.diff(light[:8]).argmax()) if np.diff(light[:8]).max() > 5 else 0
    return thunder_s(np.concatenate([c.audio for c in chunks]), flash)


def _diorama_thunder(seed: int) -> float:
    for more in range(60):  # until a storm strikes once, in time
        script = clips.script_of(seed + 1000 * more, 72, PLACES.index("coast"), clips.environment_of(STORM), STILL)
        walked = episode.walk(script, seed + 1000 * more)
        flashes = np.flatnonzero(walked.flash == 1.0)
        if len(flashes) and 12 < flashes[0] < 36 and not (flashes[1:] < flashes[0] + 36).any():
            return thunder_s(clips.heard(walked, seed), int(flashes[0]))
    return float("nan")


def av_error(model: WorldModel, settings: Settings) -> Findings:
    """How far, in ms, sounds come from where the diorama has them; median over thunder, footfalls and crashes."""
    base = 400 + 1000 * settings.seed
    kinds: dict[str, tuple[Offset, Offset]] = {
        "thunder": (lambda k: _dreamt_thunder(model, base + k), lambda k: _diorama_thunder(clips.TRY_SEED + k)),
        "footfall": (
            lambda k: footfall_s(*_dreamt_phase(model, "snowfield", QUIET, "stride", base + k)),
            lambda k: footfall_s(*_diorama_phase("snowfield", QUIET, "stride", clips.TRY_SEED + k)),
        ),
        "crash": (
            lambda k: crash_s(*_dreamt_phase(model, "coast", QUIET, "swash", base + k)),
            lambda k: crash_s(*_diorama_phase("coast", QUIET, "swash", clips.TRY_SEED + k)),
        ),
    }
    errors, own, parts = {}, [], {}
    for name, (dreamt, taught) in kinds.items():
        truth = np.array([taught(k) for k in range(6)])
        middle = float(np.nanmedian(truth))
        own.append(np.abs(truth - middle))
        offsets = np.array([dreamt(k) for k in range(settings.of(4, 16))])
        errors[name] = ((offsets - middle) * 1000).tolist()
        parts[name] = float(np.nanmedian(np.abs(errors[name])))
        parts[f"{name} in the diorama, after ms"] = middle * 1000
    every = np.abs(np.concatenate(list(errors.values())))
    figure = Figure(
        float(np.nanmedian(every)),
        len(every),
        parts=parts | {"judge_ms": float(np.nanmedian(np.concatenate(own)) * 1000)},
    )
    return Findings({"av_error_ms": figure}, {"av": errors})
