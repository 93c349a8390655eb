"""Where the visitor stands in the world and how its running phases go on: the same motion in diorama and dream."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from model.camera import EYE_M, STRAFE_M_S, WALK_M_S
from model.conditions import ENVIRONMENT, STEPS_PER_S
from model.field import PERIOD_M, SIZE

_STRIDE_HZ = 0.9
_WIND, _ENERGY = ENVIRONMENT.index("wind"), ENVIRONMENT.index("energy")
GUST = 0.35  # share by which a gust raises the wind


@dataclass
class Walker:
    """Position in metres, bearing and pitch in rad, and phases; float64, for a world may run for days.

    shore_x, shore_y, shore_rad: the line, and the bearing from it, beyond which a sea lies where there is one.
    drift: of the clouds, texels; swash and stride: turns; moving: how fast, 0..1.
    """

    x: float = 0.0
    y: float = 0.0
    z: float = math.nan  # of the eyes; not a number before the first step
    yaw: float = 0.0
    pitch: float = 0.0
    shore_x: float = 0.0
    shore_y: float = 25.0
    shore_rad: float = 0.0
    clock_s: float = 0.0
    drift: float = 0.0
    swash: float = 0.0
    stride: float = 0.0
    moving: float = 0.0

    def advanced(
        self,
        motion: NDArray[np.float32],
        pitch: float,
        environment: NDArray[np.float32],
        gust: float,
        stand_at: Callable[[float, float], float],
        lift_m: float = 0.0,
    ) -> Walker:
        """This walker a step later. `stand_at` tells the height in m, of ground or water, at a point in m.

        lift_m: how high the camera floats above the walker's eyes.
        """
        dt = 1 / STEPS_PER_S
        other = copy.copy(self)
        forward, strafe, yaw_rad_s, _ = (float(v) for v in motion)
        other.yaw = math.remainder(self.yaw + yaw_rad_s * dt, 2 * math.pi)
        other.pitch = float(pitch)
        along, aside = forward * WALK_M_S, strafe * STRAFE_M_S
        dx = math.sin(other.yaw) * along + math.cos(other.yaw) * aside
        dy = math.cos(other.yaw) * along - math.sin(other.yaw) * aside
        other.x, other.y = self.x + dx * dt, self.y + dy * dt
        # All textures repeat: kept small, a position stays exact for ever. The shore is moved along.
        for axis, shore in (("x", "shore_x"), ("y", "shore_y")):
            turn = math.floor(getattr(other, axis) / PERIOD_M) * PERIOD_M
            setattr(other, axis, getattr(other, axis) - turn)
            setattr(other, shore, getattr(other, shore) - turn)
        other.moving = min(1.0, math.hypot(dx, dy) / WALK_M_S)
        if other.moving > 0.08:
            other.stride = (self.stride + _STRIDE_HZ * (0.6 + 0.4 * other.moving) * dt) % 1.0
        blowing = blown(environment, gust)[_WIND]
        other.clock_s = self.clock_s + dt
        other.drift = (self.drift + (0.3 + 1.3 * float(blowing)) * dt) % SIZE
        other.swash = (self.swash + dt / (4.4 - 1.2 * float(environment[_ENERGY]))) % 1.0
        bob = 0.07 * abs(math.sin(other.stride * 2 * math.pi)) * other.moving
        target = stand_at(other.x, other.y) + EYE_M + lift_m + bob
        other.z = target if math.isnan(self.z) else self.z + (target - self.z) * 0.25
        return other

    def with_shore(self, ahead_m: float, bearing: float) -> Walker:
        """This walker with a shore that lies so far away in a direction."""
        other = copy.copy(self)
        other.shore_x, other.shore_y = self.x + ahead_m * math.sin(bearing), self.y + ahead_m * math.cos(bearing)
        other.shore_rad = bearing
        return other

    @property
    def camera(self) -> NDArray[np.float64]:
        """(5,): x, y, z, yaw, pitch."""
        return np.array([self.x, self.y, self.z, self.yaw, self.pitch])

    @property
    def shore(self) -> NDArray[np.float64]:
        """(3,): a point of the shore and its bearing."""
        return np.array([self.shore_x, self.shore_y, self.shore_rad])

    @property
    def phases(self) -> NDArray[np.float64]:
        """(5,): seconds, drift, swash, stride, moving."""
        return np.array([self.clock_s, self.drift, self.swash, self.stride, self.moving])

    def sea(self) -> NDArray[np.float64]:
        """(2,): on which side the sea lies, −1 left .. 1 right, and how near it is, 0..1."""
        seaward = (self.x - self.shore_x) * math.sin(self.shore_rad) + (self.y - self.shore_y) * math.cos(
            self.shore_rad
        )
        return np.array([math.sin(self.shore_rad - self.yaw), math.exp(-max(0.0, -seaward) / 60)])

    def numbers(self) -> NDArray[np.float64]:
        """All of it, in order, to be kept."""
        return np.array([getattr(self, f.name) for f in fields(self)])


def blown(environment: NDArray[np.float32], gust: float) -> NDArray[np.float32]:
    """The environment (7,) with the wind as it blows at a gust, −1..1."""
    now = np.array(environment, np.float32)
    now[_WIND] = np.clip(now[_WIND] * (1 + GUST * gust), 0, 1)
    return now
