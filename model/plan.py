"""From what is asked of a step to eased numbers: words, explicit values, and what nobody asks for."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from model.conditions import (
    CHARACTERS,
    ENVIRONMENT,
    ENVIRONMENT_RANGE,
    FAIR,
    GRID,
    LOUDNESS_DBFS,
    MOTION,
    MOTION_RANGE,
    STYLES,
    Array,
    Conditions,
    Easing,
)
from model.diorama.captions import Meaning
from model.diorama.places import PLACES
from model.wish import Wish

WANDER = np.array([0.3, 0.25, 0.04, 0, 0, 0.2, 0.25], np.float32)  # how far what nobody asks for goes from FAIR
WANDER_PERIODS_S = (67.0, 157.0)
FLASHES = (0.55, 1.0)  # of a lightning asked for: its second step, and its first


@dataclass
class Plan:
    """What a step asks for, and what it leaves behind; the world takes it over when the step has succeeded.

    place (places,), environment (7,), motion (4,), presence (rows, cols, 2), style (styles,), lift_m and loud 0..1 as
    eased; flash if one is asked for; cues: figures that are to enter or leave now.
    """

    wish: Wish
    easing: Easing
    place: Array
    environment: Array
    motion: Array
    presence: Array
    style: Array
    lift_m: float
    loud: float
    cues: dict[str, str]
    flash: float | None
    applied: dict[str, Any]


def within(name: str, value: float, allowed: tuple[float, float], clamped: list[str]) -> float | None:
    """The number inside its range, noting in `clamped` if it was not; None if it is no number at all."""
    if not np.isfinite(value):
        clamped.append(name)
        return None
    low, high = allowed
    if not low <= value <= high:
        clamped.append(name)
    return float(np.clip(value, low, high))


def wandering(seed: int, time_s: float) -> Array:
    """The environment (7,) as it changes by itself: about a fair day, slowly, in each world otherwise."""
    phases = np.random.default_rng([seed, 4]).random((len(WANDER_PERIODS_S), len(ENVIRONMENT)))
    turns = time_s / np.array(WANDER_PERIODS_S)[:, None] + phases
    return (FAIR + WANDER * np.sin(2 * np.pi * turns).mean(0)).astype(np.float32)


def own_place(seed: int) -> Array:
    """The place (8,) a world begins in when nobody names one."""
    weights = np.zeros(len(PLACES), np.float32)
    weights[int(np.random.default_rng([seed, 5]).integers(len(PLACES)))] = 1
    return weights


def planned(
    conditions: Conditions, wish: Wish, easing: Easing, seed: int, index: int, time_s: float,
    read: Callable[[Array], Meaning],
) -> Plan:  # fmt: skip
    """The plan of step `index`. Raises ValueError for a presence map of another shape or styles that weigh nothing;
    clamps what is out of range.

    `read` tells what a text's embedding means. A world's first step begins as asked instead of easing in.
    """
    clamped: list[str] = []
    wish, easing = wish.released(conditions.release), copy.copy(easing)
    for text in (conditions.scene, conditions.character, conditions.style, conditions.directive):
        if text is not None:
            weights = text is conditions.style and len(text) == len(STYLES)
            wish = wish.styled(text) if weights else wish.asked(read(text), easing.environment)
    if conditions.view is not None:
        wish = replace(wish, third=conditions.view == "third")
    wanted = dict(wish.environment)
    for key, value in conditions.environment.items():
        number = within(key, value, ENVIRONMENT_RANGE[key], clamped)
        if number is not None:
            wanted[key] = number
    target = wandering(seed, time_s)
    for key, number in wanted.items():
        target[ENVIRONMENT.index(key)] = number
    place = wish.place_weights()
    if index == 0:
        easing.environment = target.copy()
        if place is not None:
            easing.place = place.copy()
        easing.style = wish.style_weights()
    motion = np.zeros(4, np.float32)
    if conditions.motion is not None:
        for at, key in enumerate(MOTION):
            motion[at] = within(key, float(conditions.motion[at]), MOTION_RANGE[key], clamped) or 0.0
    elif wish.motion is not None:
        motion = np.array(wish.motion, np.float32)
    eased_place, environment, eased_motion = easing.towards(easing.place if place is None else place, target, motion)
    presence = np.zeros((*GRID, 2), np.float32)
    if conditions.presence is not None:
        if conditions.presence.shape != presence.shape:
            raise ValueError(f"presence: must be {presence.shape}, not {conditions.presence.shape}")
        finite = np.nan_to_num(conditions.presence.astype(np.float32), nan=0.0, posinf=1.0, neginf=0.0)
        presence = np.clip(finite, 0, 1)
        if not np.array_equal(presence, conditions.presence):
            clamped.append("presence")
    presence = easing.presence_towards(presence)
    style, lift_m = easing.style_towards(wish.style_weights()), easing.lift_towards(wish.lift_m)
    loud = 0.0
    if conditions.loudness_dbfs is not None and np.isfinite(conditions.loudness_dbfs):
        silent, full = LOUDNESS_DBFS
        loud = float(np.clip((conditions.loudness_dbfs - silent) / (full - silent), 0, 1))
    loud = easing.loud_towards(loud)
    asked_to_move = conditions.motion is not None or wish.motion is not None
    applied = {
        "place": {n: round(float(w), 3) for n, w in zip(PLACES, eased_place, strict=True) if w > 0.01},
        "environment": {k: round(float(environment[ENVIRONMENT.index(k)]), 4) for k in wanted},
        "weather": {k: round(float(v), 4) for k, v in zip(ENVIRONMENT, environment, strict=True)},
        "motion": [round(float(v), 4) for v in eased_motion] if asked_to_move else None,
        "view": "third" if wish.third else "first",
        "style": {n: round(float(w), 3) for n, w in zip(STYLES, style, strict=True) if w > 0.01},
        "character": CHARACTERS[wish.character],
        "figures": wish.cues,
        "clamped": clamped,
    }
    flash = FLASHES[min(wish.flashes, 2) - 1] if wish.flashes else None
    left = replace(wish, flashes=max(0, wish.flashes - 1), cues={})
    return Plan(
        left, easing, eased_place, environment, eased_motion, presence, style, lift_m, loud, wish.cues, flash, applied
    )
