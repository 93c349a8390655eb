"""Clips of the diorama: what judges learn from, and what they are tried on before they judge a dream."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from model.conditions import ENVIRONMENT
from model.diorama import episode
from model.diorama.episode import Script, Walk
from model.diorama.places import PLACES
from model.training.evaluation.figure import Pictures, Sound
from model.training.prepare import HELD_OUT_SEED

SIZE = (180, 320)  # of the pictures that judges look at
FIELDS = 32  # that judges learn on; those they are tried on come after
FIT_SEED = 30_000_000  # of clips that judges learn on
TRY_SEED = HELD_OUT_SEED + 500_000  # and of those they are tried on


def script_of(
    seed: int, steps: int, place: int, environment: NDArray[np.float32], motion: NDArray[np.float32]
) -> Script:
    """A script that holds still in all but its motion: one place, one environment (7,), motion (4,), nobody about."""
    held_out = seed >= TRY_SEED or seed < FIT_SEED
    script = episode.random_script(seed, steps, place)
    script.environment[:], script.motion[:], script.presence[:] = environment, motion, 0
    return replace(script, third=False, cues=(), loud=(), world=seed % FIELDS + (FIELDS if held_out else 0))


def seen(walked: Walk, steps: Iterable[int]) -> Pictures:
    """Pictures (N, 180, 320, 3) of a walk at some steps."""
    return np.stack([episode.picture_of(walked, step, SIZE)[0] for step in steps])


def heard(walked: Walk, seed: int) -> Sound:
    """The sound of a walk."""
    return episode.sound_of(walked, seed)


def environment_of(values: dict[str, float], energy: float = 0.5) -> NDArray[np.float32]:
    """An environment by name as (7,); keys that are not given are 0, energy as said."""
    return np.array([values.get(key, energy if key == "energy" else 0.0) for key in ENVIRONMENT], np.float32)


def place_of(seed: int) -> int:
    """A place for a clip: each as often as any other."""
    return seed % len(PLACES)
