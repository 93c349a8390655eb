"""Continuity: does the picture jump when something is asked for, more than it changes anyhow as one walks?"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from model.conditions import Conditions
from model.training.evaluation.figure import Figure, Findings, Pictures, Settings
from model.training.evaluation.rollouts import roll
from model.world import WorldModel

DIRECTED = (
    ("a desert at noon", "take us to a snowfield"),
    ("a calm coast at noon", "a thick fog rolls in from the sea"),
    ("a meadow in the morning", "night falls"),
    ("高山，晴天", "开始下雪"),
    ("a forest in the morning", "go to a lake"),
    ("a lake at noon", "take us to the desert"),
    ("a snowfield in the morning", "带我们去海边"),
    ("a meadow at noon", "make it rain"),
    ("a bamboo grove at noon", "go to the mountains"),
    ("a coast in the afternoon", "clear the sky"),
)
BEFORE, CHANGE, AFTER = 48, 76, 48  # steps: as was, while it changes, as is then


def jumps(frames: Pictures) -> NDArray[np.float64]:
    """Mean absolute difference between neighbouring pictures (T, H, W, 3), (T - 1,), of 255; a lightning flash mended.

    A flash brightens the whole picture at once and fades within three steps: its steps get the clip's median.
    """
    moved = np.array([np.abs(b.astype(np.float32) - a).mean() for a, b in itertools.pairwise(frames)])
    light = np.array([f.mean() for f in frames])
    for step in np.flatnonzero(np.diff(light) > 12):
        after = light[step + 2 : step + 5]
        if len(after) and after.min() < (light[step] + light[step + 1]) / 2:
            moved[max(0, step - 1) : step + 4] = np.median(moved)
    return moved


def ratio(moved: NDArray[np.float64], told: int, done: int | None = None) -> float:
    """The largest jump from step `told` until step `done` against the median of the whole clip."""
    return float(moved[told - 1 : done].max() / max(np.median(moved), 1e-6))


def continuity(model: WorldModel, settings: Settings) -> Findings:
    """Largest jump after a directive over the clip's median, walking; each directive, and the worst of them.

    What comes after the change has had its time is the new world's own: it counts for the median alone.
    """
    found, curves, rows = {}, {}, []
    for number, (text, directive) in enumerate(DIRECTED[: settings.of(5, len(DIRECTED))]):
        world = model.begin(text, seed=number + 1000 * settings.seed)
        walking = np.array([0.7, 0, 0.1, 0], np.float32)
        before, _ = roll(world, BEFORE, Conditions(motion=walking))
        told = Conditions(motion=walking, directive=model.embed(directive))
        after, _ = roll(world, CHANGE + AFTER, Conditions(motion=walking), first=told)
        frames = np.concatenate([before, after])
        moved = jumps(frames)
        found[directive] = ratio(moved, BEFORE, BEFORE + CHANGE)
        found[f"{directive}, with what comes after"] = ratio(moved, BEFORE)
        curves[directive] = moved.tolist()
        at = BEFORE - 1 + int(moved[BEFORE - 1 : BEFORE + CHANGE].argmax())
        rows.append((directive, frames[[0, BEFORE - 1, at, at + 1, BEFORE + 36, -1]]))
    return Findings(
        {"continuity_ratio": Figure(max(found[d] for d in curves), len(curves), parts=found)},
        {"jumps": curves},
        {"directives": rows},
    )
