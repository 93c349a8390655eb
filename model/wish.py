"""What has been asked for and still holds: text directives and scenes become lasting targets here.

Explicit numbers (sensors, operators) win over a wish for as long as they are given; a key that neither names is left
to the world.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from model.conditions import ENVIRONMENT, ENVIRONMENT_RANGE, LIFT_M, STYLES, Array
from model.diorama.captions import NO_CHARACTER, NO_PLACE, NO_STYLE, Meaning
from model.diorama.places import PLACES

MORE = 0.35  # of a key's range, by which "more" and "less" move it; arbitrary, and audible in one go
NONE = 0.08  # what is asked for at less than this is not wanted at all
_SPEED = {
    "still": (0.0, 0.0, 0.0, 0.0),
    "forward": (0.9, 0.0, 0.0, 0.0),
    "back": (-0.8, 0.0, 0.0, 0.0),
    "left": (0.0, -0.8, 0.0, 0.0),
    "right": (0.0, 0.8, 0.0, 0.0),
    "turn_left": (0.0, 0.0, -0.45, 0.0),
    "turn_right": (0.0, 0.0, 0.45, 0.0),
    "look_up": (0.0, 0.0, 0.0, 0.2),
    "look_down": (0.0, 0.0, 0.0, -0.2),
}


@dataclass(frozen=True)
class Wish:
    """Lasting targets: place index or None, environment values, motion or None, person, style, who walks, how high.

    style: an index, or weights where several are mixed.

    flashes: still to come. cues: figures that are to enter or leave, until the next step has done so. before: what
    held before the last directive, without what that held before.
    """

    place: int | None = None
    environment: dict[str, float] = field(default_factory=dict)
    motion: tuple[float, float, float, float] | None = None
    third: bool = False
    flashes: int = 0
    style: int | tuple[float, ...] = 0
    character: int = 0
    lift_m: float = 0.0
    cues: dict[str, str] = field(default_factory=dict)
    before: Wish | None = None

    def asked(self, meaning: Meaning, now: Array) -> Wish:
        """The wish after a directive of that meaning, with the environment (7,) as it is now."""
        if meaning.back and self.before is not None:
            return replace(self.before, before=replace(self, before=None))
        environment = dict(self.environment)
        for key, (operation, value) in meaning.environment.items():
            low, high = ENVIRONMENT_RANGE[key]
            if operation == "set":
                # The head gives "none" as a number near 0, and a drop now and then is not none.
                environment[key] = float(np.clip(value, low, high)) if key == "sun_rad" or value > NONE else 0.0
                continue
            from_here = environment.get(key, float(now[ENVIRONMENT.index(key)]))
            step = MORE * (high - low) * (1 if operation == "more" else -1)
            environment[key] = float(np.clip(from_here + step, low, high))
        motion = self.motion
        if meaning.motion != "none":
            share = 0.4 if meaning.slow else 1.0
            forward, strafe, yaw, pitch = (share * v for v in _SPEED[meaning.motion])
            motion = (forward, strafe, yaw, pitch)
        return replace(
            self,
            place=self.place if meaning.place == NO_PLACE else meaning.place,
            environment=environment,
            motion=motion,
            third=self.third if meaning.view == "none" else meaning.view == "third",
            flashes=self.flashes + (2 if meaning.flash else 0),
            style=self.style if meaning.style == NO_STYLE else meaning.style,
            character=self.character if meaning.character == NO_CHARACTER else meaning.character,
            lift_m={"none": self.lift_m, "rise": LIFT_M, "sink": 0.0}[meaning.lift],
            cues={**self.cues, **meaning.figures},
            before=replace(self, before=None),
        )

    def released(self, keys: tuple[str, ...]) -> Wish:
        """The wish without those environment keys."""
        return replace(self, environment={k: v for k, v in self.environment.items() if k not in keys})

    def place_weights(self) -> Array | None:
        """The asked-for place as weights (places,), or None."""
        if self.place is None:
            return None
        weights = np.zeros(len(PLACES), np.float32)
        weights[self.place] = 1
        return weights

    def style_weights(self) -> Array:
        """The asked-for style as weights (styles,), 1 together."""
        if isinstance(self.style, tuple):
            return np.array(self.style, np.float32)
        return np.eye(len(STYLES), dtype=np.float32)[self.style]

    def styled(self, weights: Array) -> Wish:
        """The wish with styles mixed by weights (styles,). Raises ValueError for what are none."""
        shares = np.nan_to_num(np.asarray(weights, np.float64), posinf=0.0).clip(min=0)
        if shares.shape != (len(STYLES),) or shares.sum() <= 0:
            raise ValueError(f"style: must be {len(STYLES)} weights, not all zero")
        return replace(self, style=tuple((shares / shares.sum()).tolist()), before=replace(self, before=None))

    @staticmethod
    def of(kept: dict[str, Any]) -> Wish:
        """The wish that `dataclasses.asdict` made these plain values of, be it by way of JSON."""
        motion, before, style = kept["motion"], kept["before"], kept["style"]
        exact = {
            "motion": None if motion is None else tuple(motion),
            "before": before and Wish.of(before),
            "style": style if isinstance(style, int) else tuple(style),
        }
        return Wish(**{**kept, **exact})
