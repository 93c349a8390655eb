"""What is asked of the next step, what a step gives back, and how asked-for values ease in.

No torch here: the diorama's workers, the daemon and the tests share these without loading a network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

STEPS_PER_S = 12
GRID = (5, 8)  # rows, cols of the presence map
ENVIRONMENT = ("sun_rad", "cloud", "fog", "rain", "snow", "wind", "energy")
MOTION = ("forward", "strafe", "yaw_rad_s", "pitch_rad_s")
STYLES = ("photograph", "watercolour", "ink", "oil", "animation", "woodblock", "neon", "paper")
# What may come into a world, act in it and leave again.
FIGURES = (
    "kitten", "deer", "fox", "person", "birds", "butterflies", "fireflies", "lanterns", "boat", "whale", "fireworks",
    "balloon", "meteor", "fish",
)  # fmt: skip
CHARACTERS = ("wanderer", "child", "robot", "knight", "cat", "deer")  # who walks, in third person
LOUDNESS_DBFS = (-55.0, -10.0)  # what the microphone hears of a silent room, and of a loud one
LIFT_M = 25.0  # how high above a walker's eyes a camera may rise
# The ranges the diorama teaches; the world clamps what it is asked to them and says so.
ENVIRONMENT_RANGE: dict[str, tuple[float, float]] = {"sun_rad": (-0.7, 1.3)} | dict.fromkeys(
    ENVIRONMENT[1:], (0.0, 1.0)
)
MOTION_RANGE: dict[str, tuple[float, float]] = {
    "forward": (-1.0, 1.0),
    "strafe": (-1.0, 1.0),
    "yaw_rad_s": (-0.9, 0.9),
    "pitch_rad_s": (-0.4, 0.4),
}
PITCH_LIMIT_RAD = 0.3
# What an environment key is taken to have been when it is first asked for: a fair, quiet day.
FAIR = np.array([0.6, 0.3, 0.05, 0.0, 0.0, 0.3, 0.5], np.float32)


@dataclass(frozen=True)
class Conditions:
    """What the room and the operators ask of one step. An absent field leaves the choice to the world.

    scene, directive, character: text embeddings float32 (E,), acted on once, at the step they are given; style: weights
    of the STYLES float32 (8,), or a text's embedding too.
    view: first or third person. motion: float32 (4,), as MOTION. environment: any subset of ENVIRONMENT.
    release: keys that go back to the world, whatever asked for them before.
    presence: float32 (rows, cols, 2), near and stir in 0..1. loudness_dbfs: what the microphone hears.
    """

    scene: Array | None = None
    directive: Array | None = None
    character: Array | None = None
    style: Array | None = None
    view: Literal["first", "third"] | None = None
    motion: Array | None = None
    environment: Mapping[str, float] = field(default_factory=dict)
    release: tuple[str, ...] = ()
    presence: Array | None = None
    loudness_dbfs: float | None = None


@dataclass(frozen=True)
class Chunk:
    """One slice of the world: picture and sound of exactly the same twelfth of a second.

    frames: uint8 (1, H, W, 3). audio: float32 (samples, 2), −1..1. index: the step that made it.
    applied: what the step was conditioned on, in plain numbers; `clamped` inside it lists what was out of range.
    depth: float16 (H, W), in m, of the land in the picture; 0 where the sky is. None where `Seeing.deep` says so.
    """

    frames: NDArray[np.uint8]
    audio: Array
    index: int
    applied: Mapping[str, Any]
    depth: NDArray[np.float16] | None = None


class Easing:
    """Moves asked-for values towards their targets, so that a change is a transition and never a cut.

    The rates are arbitrary but shared: the diorama eases with them too, so the model knows how change looks.
    """

    PLACE_STEP = 1 / 48  # a change of place takes 4 s, and longer where water rises to one's feet
    SUN_STEP_RAD = 0.010  # from noon to night in 14 s
    ENVIRONMENT_STEP = 1 / 56
    STYLE_STEP = 1 / 24
    LIFT_STEP_M = 0.25
    LOUD_SHARE = 0.2
    MOTION_SHARE = 0.5  # share of the remaining difference a step closes
    PRESENCE_SHARE = 0.6

    def __init__(self, place: Array, environment: Array) -> None:
        self.place = np.asarray(place, np.float32).copy()
        self.environment = np.asarray(environment, np.float32).copy()
        self.motion = np.zeros(4, np.float32)
        self.presence = np.zeros((*GRID, 2), np.float32)
        self.pitch_rad = np.float32(0)
        self.style = np.eye(len(STYLES), dtype=np.float32)[0]
        self.lift_m = np.float32(0)
        self.loud = np.float32(0)
        self.pace = np.float32(1)  # of a change of place

    def towards(self, place: Array, environment: Array, motion: Array) -> tuple[Array, Array, Array]:
        """Advance one step towards the targets; the eased place (8,), environment (7,) and motion (4,)."""
        step = self.PLACE_STEP * float(self.pace)
        self.place = self.place + np.clip(place - self.place, -step, step)
        limit = np.full(len(ENVIRONMENT), self.ENVIRONMENT_STEP, np.float32)
        limit[0] = self.SUN_STEP_RAD
        self.environment = self.environment + np.clip(environment - self.environment, -limit, limit)
        self.motion = self.motion + np.float32(self.MOTION_SHARE) * (motion - self.motion)
        pitch = np.clip(self.pitch_rad + self.motion[3] / STEPS_PER_S, -PITCH_LIMIT_RAD, PITCH_LIMIT_RAD)
        moved = self.motion.copy()
        moved[3] = (pitch - self.pitch_rad) * STEPS_PER_S  # nothing pitches past the limit
        self.pitch_rad = np.float32(pitch)
        return self.place, self.environment, moved

    def presence_towards(self, presence: Array) -> Array:
        """Advance the presence map one step; float32 (rows, cols, 2)."""
        self.presence = self.presence + np.float32(self.PRESENCE_SHARE) * (presence - self.presence)
        return self.presence

    def style_towards(self, style: Array) -> Array:
        """Advance the weights of the styles one step; float32 (8,)."""
        self.style = self.style + np.clip(style - self.style, -self.STYLE_STEP, self.STYLE_STEP)
        return self.style

    def lift_towards(self, lift_m: float) -> float:
        """Advance the camera's height above a walker's eyes one step; m."""
        self.lift_m = np.float32(self.lift_m + np.clip(lift_m - self.lift_m, -self.LIFT_STEP_M, self.LIFT_STEP_M))
        return float(self.lift_m)

    def loud_towards(self, loud: float) -> float:
        """Advance how loud the room is one step; 0..1."""
        self.loud = np.float32(self.loud + self.LOUD_SHARE * (loud - self.loud))
        return float(self.loud)
