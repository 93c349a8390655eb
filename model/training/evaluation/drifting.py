"""Drift: does a world look and sound after ten and sixty minutes as it did in its first?

Like is compared with like: hour and place are held under a clear sky, and the walker goes round a circle that takes a
minute, so that every lap passes the same places with the same bearings. What differs is the world's own doing.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from model.conditions import STEPS_PER_S, Conditions
from model.training.evaluation.figure import Figure, Findings, Pictures, Settings, Sound
from model.training.evaluation.rollouts import FAIR_DAY, roll, world_of
from model.world import World, WorldModel

LAP_STEPS = 60 * STEPS_PER_S
LOOKS = 60  # pictures a lap
PLACE = "coast"  # waves, wind, birds and steps: the most there is to hear
CLEAR = {**FAIR_DAY, "cloud": 0.0, "energy": 0.5}  # clouds come by as they like, and weigh 20 % of a lap's sharpness
NAMES = ("sharpness", "contrast", "saturation", "brightness", "loudness")
COUNTED = ("sharpness", "contrast", "saturation", "loudness")  # of which the largest change is the drift


def look(pictures: Pictures) -> NDArray[np.float64]:
    """Mean sharpness, contrast, saturation and brightness (4,) of pictures."""
    rows = []
    for picture in pictures:
        small = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
        saturation = cv2.cvtColor(small, cv2.COLOR_RGB2HSV)[..., 1].mean() / 255
        rows.append((np.abs(cv2.Laplacian(grey, cv2.CV_32F)).mean(), grey.std(), saturation, grey.mean()))
    return np.mean(rows, 0)


def loudness(audio: Sound) -> float:
    """Root mean square of a sound."""
    return float(np.sqrt(np.square(audio, dtype=np.float64).mean()))


def lap(world: World, steps: int = LAP_STEPS, looks: int = LOOKS) -> list[float]:
    """What a walk round the circle looks and sounds like: NAMES."""
    motion = np.array([1.0, 0, 2 * math.pi / (steps / STEPS_PER_S), 0], np.float32)
    seen, heard = [], []
    for _ in range(looks):
        pictures, audio = roll(world, steps // looks, Conditions(motion=motion), steps // looks)
        seen.append(look(pictures))
        heard.append(loudness(audio) ** 2)
    return [*np.mean(seen, 0).tolist(), math.sqrt(float(np.mean(heard)))]


def change(laps: list[list[float]], at: int) -> dict[str, float]:
    """By how much, as a share, lap `at` differs from the first, by name."""
    return {name: laps[at][k] / laps[0][k] - 1 for k, name in enumerate(NAMES)}


def walked(model: WorldModel, settings: Settings, keep: Path) -> list[list[float]]:
    """Laps of a long walk. World and laps are kept in `keep` after each, and the same call goes on from there."""
    keep.mkdir(parents=True, exist_ok=True)
    notes, snapshot = keep / "laps.json", keep / "world.safetensors"
    told = {"model": model.code, "seed": settings.seed}
    laps: list[list[float]] = []
    world: World | None = None
    if notes.exists() and snapshot.exists():
        kept = json.loads(notes.read_text())
        if kept["of"] == told:
            laps, world = kept["laps"], model.resume(snapshot)
    if world is None:
        world = world_of(model, PLACE, 700 + settings.seed, CLEAR)
        roll(world, 3 * STEPS_PER_S, Conditions(motion=np.array([1.0, 0, 0, 0], np.float32)), 0)
    wanted = 1 + round(settings.minutes)
    for _ in tqdm(range(len(laps), wanted), desc="laps of a minute", unit="lap"):
        laps.append(lap(world))
        world.save(snapshot)
        partial = notes.with_suffix(".partial")
        partial.write_text(json.dumps({"of": told, "names": NAMES, "laps": laps}))
        partial.replace(notes)
    return laps[:wanted]


def drift(model: WorldModel, settings: Settings) -> Findings:
    """Largest change, as a share, of sharpness, contrast, saturation and loudness of the laps at 10 and 60 minutes."""
    found = Findings()
    if settings.quick:
        return found
    laps = walked(model, settings, settings.out / "walk")
    for minute in (10, 60):
        if len(laps) > minute:
            parts = change(laps, minute)
            worst = max(abs(parts[name]) for name in COUNTED)
            found.figures[f"drift_{minute}min"] = Figure(worst, LOOKS, parts=parts)
    found.curves["drift"] = {name: [row[k] for row in laps] for k, name in enumerate(NAMES)}
    return found
