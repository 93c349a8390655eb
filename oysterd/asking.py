"""From what operators and the room say to what the model is asked: the one place where words become conditions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from model.conditions import ENVIRONMENT, GRID, Conditions
from oysterd.changes import Change

if TYPE_CHECKING:
    from model.world import WorldModel

# What this version of the model can draw; other styles are refused, not passed over.
STYLES = ("photograph", "photo", "photographic", "照片", "摄影")


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


def check_style(style: str | None) -> None:
    """Raises Refused for a style that the model does not know."""
    if style is not None and style.strip().lower() not in STYLES:
        raise Refused(f"style: this model knows {STYLES[0]} only, not {style[:60]!r}")


def check_change(change: Change) -> None:
    """Raises Refused for a change that no running world can take, before anything of it is kept."""
    if change.image is not None:
        raise Refused("image: this model takes a picture to begin with, not while the world runs")
    check_style(change.style)


def conditions_of(asked: Mapping[str, Any], change: Change | None, model: WorldModel) -> Conditions:
    """Conditions of one step: the room's (`asked`, as Conditioning gives them) and at most one change.

    The change must have passed `check_change`.
    """
    texts: dict[str, Any] = {}
    release: tuple[str, ...] = ()
    if change is not None:
        for field in ("scene", "directive", "character"):
            text = getattr(change, field)
            if text is not None:
                texts[field] = model.embed(text)
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
