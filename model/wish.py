"""What has been asked for and still holds: text directives and scenes become lasting targets here.

Explicit numbers (sensors, operators) win over a wish for as long as they are given; a key that neither names is left
to the world.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from model.conditions import ENVIRONMENT, ENVIRONMENT_RANGE, Array
from model.diorama.captions import NO_PLACE, Meaning
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
    """Lasting targets: place index or None, environment values, motion or None, person, flashes still to come."""

    place: int | None = None
    environment: dict[str, float] = field(default_factory=dict)
    motion: tuple[float, float, float, float] | None = None
    third: bool = False
    flashes: int = 0

    def asked(self, meaning: Meaning, now: Array) -> Wish:
        """The wish after a directive of that meaning, with the environment (7,) as it is now."""
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
        )

    def released(self, keys: tuple[str, ...]) -> Wish:
        """The wish without those environment keys."""
        return replace(self, environment={k: v for k, v in self.environment.items() if k not in keys})

    def place_weights(self) -> Array | None:
        """The asked-for place as weights (5,), or None."""
        if self.place is None:
            return None
        weights = np.zeros(len(PLACES), np.float32)
        weights[self.place] = 1
        return weights
