"""Memory that the raster's walks share, a moment as plain numbers, and asking the view's networks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.conditions import ENVIRONMENT
from model.field import SIZE
from model.precision import reducing
from model.shading import Moment, Shader, Textures
from model.shadow import LEAK

Array = NDArray[np.float32]
_RAIN, _SNOW, _WIND, _SUN = (ENVIRONMENT.index(k) for k in ("rain", "snow", "wind", "sun_rad"))
_ROUND = 2048  # oneDNN makes, and keeps, a kernel for every count of points it meets: it is to meet few


@dataclass
class Now:
    """A moment as plain numbers."""

    camera: NDArray[np.float64]
    shore: NDArray[np.float64]
    clock: float
    drift: float
    swash: float  # rad
    rain: float
    snow: float
    wind: float
    sun: float
    shift: NDArray[np.float64]

    @property
    def ahead(self) -> tuple[float, float]:
        """The way along which distances are counted, along x and y."""
        return math.sin(self.camera[3]), math.cos(self.camera[3])

    @staticmethod
    def of(moment: Moment, textures: Textures) -> Now:
        phases, weather = moment.phases[0].tolist(), moment.environment[0].tolist()
        return Now(
            moment.camera[0].double().numpy(), moment.shore[0].double().numpy(), phases[0], phases[1] % SIZE,
            (phases[2] % 1) * 2 * math.pi, weather[_RAIN], weather[_SNOW], weather[_WIND], weather[_SUN],
            textures.shift[int(moment.world[0])].double().numpy(),
        )  # fmt: skip


class Room:
    """Memory to work in, by name and shape, kept from one picture to the next."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, tuple[int, ...], str], NDArray[Any]] = {}

    def __call__(self, name: str, *shape: int, kind: str = "f4") -> NDArray[Any]:
        """Memory of that name; what it holds is what was last written to it."""
        key = (name, shape, kind)
        if key not in self._kept:
            self._kept[key] = np.zeros(shape, kind)
        return self._kept[key]

    def rows(self, name: str, count: int, features: int) -> NDArray[np.uint16]:
        """For features of points, row by row, bfloat16 by their bits."""
        return self(name, count + -count % _ROUND, features, kind="u2")


def grown(heights: Array) -> Array:
    """Heights in m, those below the ground a tenth as deep, as in training (`model.land`)."""
    return np.where(heights < 0, np.float32(LEAK) * heights, heights)


def asked(shader: Shader, features: Array, count: int, told: Tensor) -> Array:
    """What a network says, (count, outputs), of the first points of features (features, …)."""
    return shader.of_one(torch.from_numpy(features[:, :count]).T, told).float().numpy()


def asked_rows(shader: Shader, rows: NDArray[np.uint16], count: int, told: Tensor) -> Array:
    """The same of rows of features, bfloat16 by their bits; more rows than `count` may come back."""
    given = torch.from_numpy(rows.view(np.int16)).view(torch.bfloat16)[: count + -count % _ROUND]
    with reducing("cpu"):
        return shader.of_one(given, told).float().numpy()
