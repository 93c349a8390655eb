"""What lies over a picture of the land: what visitors stir, and what falls; small networks for each."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.camera import (
    FALL_LAYERS,
    FIELD_OF_VIEW_RAD,
    PULSE_RAD_S,
    RAIN_HEIGHTS_S,
    SNOW_HEIGHTS_S,
)
from model.conditions import ENVIRONMENT
from model.field import SIZE
from model.shading import Moment, Shader, Textures, lay, sample, weight_of

_SNOW, _RAIN, _WIND = (ENVIRONMENT.index(k) for k in ("snow", "rain", "wind"))
LEAST = 0.01  # less rain, snow or nearness than this is none


class Overlay(nn.Module):
    """Lays over pictures what visitors stir and what falls, in this order."""

    def __init__(self, told: int) -> None:
        super().__init__()
        self.falls = Shader(4, 2, 16, 2, told)
        self.stirs = Shader(5, 4, 16, 2, told)

    def forward(
        self, textures: Textures, moment: Moment, picture: Tensor, u: Tensor, v: Tensor, told: Tensor, aspect: float
    ) -> Tensor:
        """Picture (B, C, R, 3) and what lies over it; u (B, C) and v (R,): its columns and rows in 0..1."""
        if bool((moment.presence[..., 0] > 2 * LEAST).any()):
            picture = self._visitors(textures, moment, picture, u, v, told, aspect)
        if bool((self.open_air(moment) * moment.environment[:, [_RAIN, _SNOW]] > LEAST).any()):
            picture = self._falling(textures, moment, picture, u, v, told, aspect)
        return picture

    @staticmethod
    def open_air(moment: Moment) -> Tensor:
        """How much of rain and snow reaches each moment, (B, 1): none under a ceiling, in water or in space."""
        share = torch.ones(len(moment.flash), 1, device=moment.flash.device)
        for name in ("roof", "sunken", "space"):
            weight = weight_of(moment, name)
            share = share if weight is None else share * (1 - weight[:, 0])
        return share

    def _visitors(
        self, textures: Textures, moment: Moment, picture: Tensor, u: Tensor, v: Tensor, told: Tensor, aspect: float
    ) -> Tensor:
        b, c, r, _ = picture.shape
        across, down = (u * aspect)[:, :, None], v[None, None, :]
        rows, cols = moment.presence.shape[1:3]
        grid = torch.stack(
            [
                ((u[:, :, None] * cols - 0.5) / (cols - 1) * 2 - 1).expand(b, c, r),
                ((down * rows - 0.5) / (rows - 1) * 2 - 1).expand(b, c, r),
            ],
            -1,
        )
        visits = F.grid_sample(moment.presence.permute(0, 3, 1, 2), grid, align_corners=True, padding_mode="border")
        near, stir = visits[:, 0], visits[:, 1]
        sway = (6 + 26 * stir) * (_phase(moment, 1.7) + 9 * down).sin()
        lift = ((moment.phases[:, 0] * 20) % SIZE).float()[:, None, None]
        mote = sample(textures.mote, 0, across * 210 + sway, (down * 210 + lift).expand_as(sway))
        parts = [near, stir, mote, _phase(moment, PULSE_RAD_S).sin(), near * mote]
        return lay(picture, near > LEAST, parts, self.stirs, told, False)

    def _falling(
        self, textures: Textures, moment: Moment, picture: Tensor, u: Tensor, v: Tensor, told: Tensor, aspect: float
    ) -> Tensor:
        rain, snow, wind = (moment.environment[:, k, None, None] for k in (_RAIN, _SNOW, _WIND))
        open_air = self.open_air(moment)[..., None]
        rain, snow = rain * open_air, snow * open_air
        turn = moment.camera[:, 3, None, None].float() / FIELD_OF_VIEW_RAD * aspect
        clock = moment.phases[:, 0]
        fallen = [((clock * rate) % 4096).double()[:, None, None] for rate in (RAIN_HEIGHTS_S, SNOW_HEIGHTS_S)]
        across, down = (u * aspect)[:, :, None], v[None, None, :]
        none = torch.zeros(*u.shape, len(v), device=picture.device)
        for layer, (scale, begins) in enumerate(FALL_LAYERS):
            drop = flake = none
            if bool((rain > LEAST).any()):
                tu = (across + turn + (0.06 + 0.40 * wind) * down) * scale + begins
                tv = ((down - fallen[0]) * scale % SIZE).float()
                drop = sample(textures.streak, 0, tu, tv.expand_as(tu)) * (rain > LEAST)
            if bool((snow > LEAST).any()):
                fell = down - fallen[1]
                sway = 0.03 * (_phase(moment, 1.3) + 7 * down + 2 * layer).sin() + (0.16 * wind * fell).float()
                tu = ((across + turn + sway) * scale * 0.85 + begins) % SIZE
                tv = (fell * scale * 0.85 % SIZE).float()
                flake = sample(textures.flake, 0, tu, tv.expand_as(tu)) * (snow > LEAST)
            parts = [drop, flake, none + layer, drop * flake]
            picture = lay(picture, (drop > 0) | (flake > 0), parts, self.falls, told, True)
        return picture


def _phase(moment: Moment, rate: float) -> Tensor:
    """Where a running wave of so many rad/s stands, (B, 1, 1)."""
    return ((moment.phases[:, 0] * rate) % (2 * math.pi)).float()[:, None, None]
