"""What rays of a view meet: points of the field, and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

STANDS_M = 0.3  # what is lower than this is bare ground
MIRRORS_TO_M = 0.1  # high a house may be, and the ground there mirrors yet


@dataclass
class Land:
    """What the rays meet: each (B, C, K) over columns and distances."""

    distance: Tensor  # m
    ground: Tensor  # m, be it under water
    grown: Tensor  # m, of what grows there, be it told as a body
    tall: Tensor  # m, of what grows or is built there and belongs to the land
    surface: Tensor  # m, of what is seen
    shown: Tensor  # (B, C, K, 5): colour, how much it mirrors, how it trembles


@dataclass
class Points:
    """Points of the rays and what the field and the networks say of them so far, each (B, …)."""

    x: Tensor  # m
    y: Tensor
    u: Tensor  # texels of the detail
    v: Tensor
    distance: Tensor  # m
    off_sun: Tensor  # bearing from the sun's, squared
    land: Tensor  # (B, …, 4), samples of the field
    crown: Tensor
    rank: Tensor
    grain: Tensor
    house: Tensor  # m, height of a house that stands there
    hue: Tensor  # of its front
    ground: Tensor  # m
    grown: Tensor  # m, of what grows there, be it told as a body
    tall: Tensor  # m, of what of that belongs to the land
    depth: Tensor  # m, under water
    crest: Tensor  # sine and cosine of the waves that run to a shore
    trough: Tensor
