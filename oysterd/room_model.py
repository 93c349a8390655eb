"""The empty room, learned by command: what a camera sees when nobody is there, and how much that flickers by itself.

It is kept in a file, so that a process which is started anew does not take its visitors for furniture. The file holds
the working picture of 64 × 40 pixels of the empty room, and nothing of any visitor.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

Array = NDArray[np.float32]

# Fewer pictures say nothing of the noise.
LEAST_PICTURES = 20
# From the median distance to the median to a standard deviation, for normal noise.
MAD_TO_DEVIATION = 1.4826
# A pixel further than these from its median (twice the noise of a poor camera) for a fifth of the time shows somebody
# who moves. One in twenty of them is more than a curtain or a screen. All four numbers are arbitrary.
RESTLESS_LEVELS, RESTLESS_M = 10.0, 0.25
RESTLESS_TIME, RESTLESS_SHARE = 0.2, 0.05


class NotLearned(Exception):
    """The room could not be learned: why, in words for the operator."""


@dataclass(frozen=True)
class LearnedRoom:
    """float32 arrays of one shape: (h, w) of metres, 0 where depth was never known, or (h, w, 3) of colour levels.

    `deviation` is each pixel's own, in the same unit.
    """

    room: Array
    deviation: Array


def learn(pictures: list[Array], is_depth: bool) -> LearnedRoom:
    """The room in working pictures of some seconds; medians, so that who crosses it leaves no trace.

    Raises NotLearned where there are too few, or where somebody stayed and moved.
    """
    if len(pictures) < LEAST_PICTURES:
        raise NotLearned(f"only {len(pictures)} pictures came in that time, {LEAST_PICTURES} are needed")
    stack = np.stack(pictures)  # (T, h, w[, 3])
    if is_depth:
        stack = np.where(stack > 0.0, stack, np.nan)
    known = ~np.isnan(stack).all(axis=0)
    room, deviation = np.zeros(known.shape, np.float32), np.zeros(known.shape, np.float32)
    values = stack[:, known]  # (T, n)
    room[known] = np.nanmedian(values, axis=0)
    distances = np.abs(values - room[known])
    deviation[known] = MAD_TO_DEVIATION * np.nanmedian(distances, axis=0)
    # What is not a number is not further away.
    is_away = (distances > (RESTLESS_M if is_depth else RESTLESS_LEVELS)).mean(axis=0)
    restless = float((is_away > RESTLESS_TIME).sum() / known.size)
    if restless > RESTLESS_SHARE:
        raise NotLearned(f"{restless:.0%} of what the camera sees would not keep still: is the room empty?")
    return LearnedRoom(room, deviation)


def save(path: Path, rooms: dict[str, LearnedRoom], seen_by: str) -> None:
    """Write atomically; `seen_by` says how the camera is set up, for which alone the rooms hold. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {f"{name}_{part}": getattr(room, part) for name, room in rooms.items() for part in ("room", "deviation")}
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as file:
        np.savez_compressed(file, seen_by=np.array(seen_by), **arrays)  # type: ignore[arg-type]
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)


def load(path: Path, seen_by: str) -> dict[str, LearnedRoom]:
    """The rooms in a file by name; empty where there is none, or one of another set-up, which is said in the log."""
    if not path.is_file():
        return {}
    try:
        with np.load(path, allow_pickle=False) as file:
            if str(file["seen_by"]) != seen_by:
                logger.warning("%s: the camera is set up otherwise now: learn the room anew", path)
                return {}
            names = {key.removesuffix("_room") for key in file.files if key.endswith("_room")}
            return {name: LearnedRoom(file[f"{name}_room"], file[f"{name}_deviation"]) for name in sorted(names)}
    except (OSError, ValueError, KeyError, EOFError) as error:
        logger.warning("%s: can't be read, so the room is learned as it goes: %s", path, error)
        return {}
