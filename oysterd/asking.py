"""From what operators and the room say to what the model is asked: the one place where words become conditions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from model.conditions import ENVIRONMENT, GRID, STYLES, Array, Conditions
from model.styles import named
from oysterd.changes import Change

if TYPE_CHECKING:
    from model.world import WorldModel


class Refused(Exception):
    """A change that the running world can't take; the message begins with the field's name."""


def read_image(path: str, field: str = "image") -> NDArray[np.uint8]:
    """A picture file of any size and mode as uint8 (H, W, 3) RGB. Raises Refused naming `field`."""
    if not Path(path).is_file():
        raise Refused(f"{field}: there is no file {path}")
    bgr = cv2.imread(path, cv2.IMREAD_COLOR)
    if bgr is None:
        raise Refused(f"{field}: {path} can't be read as a picture")
    if min(bgr.shape[:2]) < 8:
        raise Refused(f"{field}: {path} is {bgr.shape[1]}x{bgr.shape[0]} pixels; 8x8 is the least")
    return np.ascontiguousarray(bgr[..., ::-1])


def style_weights(style: str, model: WorldModel) -> Array:
    """Weights of the styles (8,) that a text asks for. Raises Refused for a text that means none of them."""
    weights = model.style_of(style)
    if weights is None:
        raise Refused(f"style: {style[:60]!r} is none of those the model paints in: {', '.join(STYLES)}")
    return weights


def check_change(change: Change, model: WorldModel | None = None) -> None:
    """Raises Refused for a change that no running world can take, before anything of it is kept.

    Without the model, which alone can read them, styles in other words than their names must come by themselves.
    """
    if change.image is not None:
        raise Refused("image: this model takes a picture to begin with, not while the world runs")
    if change.style is not None and model is not None:
        style_weights(change.style, model)
    elif change.style is not None and named(change.style) is None and change != Change(style=change.style):
        raise Refused(f"style: {change.style[:60]!r} is no style's name ({', '.join(STYLES)}); describe it by itself")


def conditions_of(asked: Mapping[str, Any], change: Change | None, model: WorldModel) -> Conditions:
    """Conditions of one step: the room's (`asked`, as Conditioning gives them) and at most one change.

    The change must have passed `check_change`. Raises Refused for a style that the model does not know.
    """
    texts: dict[str, Any] = {}
    release: tuple[str, ...] = ()
    if change is not None:
        for field in ("scene", "directive", "character"):
            text = getattr(change, field)
            if text is not None:
                texts[field] = model.embed(text)
        if change.style is not None:
            texts["style"] = style_weights(change.style, model)
        if change.environment is not None:
            release = tuple(k for k in ENVIRONMENT if getattr(change.environment, k) == "release")
    motion, presence = asked["motion"], asked["presence"]
    return Conditions(
        **texts,
        view=None if change is None else change.view,
        motion=None if motion is None else np.asarray(motion, np.float32),
        environment=asked["environment"],
        release=release,
        presence=None if presence is None else np.asarray(presence, np.float32).reshape(*GRID, 2),
        loudness_dbfs=asked["loudness_dbfs"],
    )
