"""Worlds rolled out for judging. A picture is not fed back, so only those that are looked at are made at full size."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np

from model.conditions import Conditions
from model.diorama.places import PLACES
from model.seeing import Seeing
from model.training.evaluation.figure import Pictures, Sound
from model.world import World, WorldModel

FAIR_DAY = {"sun_rad": 0.9, "cloud": 0.25, "fog": 0.0, "rain": 0.0, "snow": 0.0, "wind": 0.2}
STILL = np.zeros(4, np.float32)
_UNSEEN = {"height": 9, "width": 16}


def blind(model: WorldModel) -> WorldModel:
    """The same model with pictures of a few pixels: all else is the same to the bit, at half the cost."""
    other = copy.copy(model)
    other.preset = replace(model.preset, **_UNSEEN)
    other.seeing = Seeing(other.preset, model.view, model.brush, model.device)
    return other


def roll(
    world: World, steps: int, asked: Conditions, every: int = 1, first: Conditions | None = None
) -> tuple[Pictures, Sound]:
    """Step a world on: every so manieth picture, the last one of each so many, and all of the sound.

    first: what the first step is asked in place of `asked`. every = 0 makes no pictures.
    """
    model, unseen = world.model, blind(world.model)
    frames, audio = [], []
    for step in range(steps):
        seen = every > 0 and (step + 1) % every == 0
        world.model = model if seen else unseen
        chunk = world.step(first if first is not None and step == 0 else asked)
        audio.append(chunk.audio)
        if seen:
            frames.append(chunk.frames[0])
    world.model = model
    shape = (0, model.preset.height, model.preset.width, 3)
    return np.stack(frames) if frames else np.empty(shape, np.uint8), np.concatenate(audio)


def world_of(model: WorldModel, place: str, seed: int, environment: dict[str, float] | None = None) -> World:
    """A world in a place as if place and environment had been asked for in words, read rightly."""
    world = model.begin("a " + place, seed=seed)
    asked = dict(FAIR_DAY if environment is None else environment)
    world.wish = replace(world.wish, place=PLACES.index(place), environment=asked)
    return world
