"""What lies at the visitor's feet: blades, clods, stones and ripples, told for each pixel and not for points between.

Points of a ray stand several rows of a picture apart near by, which is all that hills and shadows need and far too wide
for grass. So the field's finest textures are looked at once more where a line of sight meets bare ground; how much each
of them lightens or darkens it at the moment is learnt.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from model.camera import BUMP_M, SAND_BEND, SAND_JAG, SAND_X, SAND_Y, SUN_AZIMUTH_RAD
from model.field import DETAIL_CELL_M, FINE_CELL_M, GRIT_CELL_M, LAND_CELL_M, SIZE
from model.shading import Moment, Textures, sample, weight_of

TO_M = 16.0  # farther off nothing of it is told from its mean
FULL_M = 6.0  # and nearer than this, all
KINDS = 4  # fine, bump, grit, sand
DARKEST = 0.25  # of the ground's own light


class Litter(nn.Module):
    """How much each of the finest textures shows at a moment."""

    def __init__(self, told: int) -> None:
        super().__init__()
        self.shows = nn.Linear(told, KINDS)
        nn.init.zeros_(self.shows.weight)
        nn.init.zeros_(self.shows.bias)

    def forward(
        self, textures: Textures, moment: Moment, picture: Tensor, bare: Tensor, distance: Tensor, across: Tensor,
        told: Tensor,
    ) -> Tensor:  # fmt: skip
        """Picture (B, C, R, 3) with what lies on its ground where that is `bare` (B, C, R), `distance` m off.

        across (B, C): of the columns, in focal lengths.
        """
        where = bare & (distance > 0) & (distance < TO_M)
        if not bool(where.any()):
            return picture
        yaw = moment.camera[:, 3:4].float()
        dx, dy = yaw.sin() + yaw.cos() * across, yaw.cos() - yaw.sin() * across
        x = moment.camera[:, 0, None, None].float() + dx[..., None] * distance
        y = moment.camera[:, 1, None, None].float() + dy[..., None] * distance
        fine = sample(textures.grain, 0, x / FINE_CELL_M, y / FINE_CELL_M)
        bump_x, bump_y = x + BUMP_M * math.sin(SUN_AZIMUTH_RAD), y + BUMP_M * math.cos(SUN_AZIMUTH_RAD)
        bump = sample(textures.grain, 0, bump_x / FINE_CELL_M, bump_y / FINE_CELL_M) - fine
        grit = sample(textures.bloom, 0, x / GRIT_CELL_M, y / GRIT_CELL_M) * (1.4 - distance / 12).clamp(0, 1)
        sand = torch.zeros_like(x)
        if weight_of(moment, "dune_m") is not None:
            base = moment.world.view(-1, 1, 1) * SIZE * SIZE
            patch = sample(textures.land, base, x / LAND_CELL_M, y / LAND_CELL_M)[..., 3]
            shift = textures.shift[moment.world][:, :, None, None]
            grain = sample(textures.grain, 0, (x + shift[:, 0]) / DETAIL_CELL_M, (y + shift[:, 1]) / DETAIL_CELL_M)
            sand = (x * SAND_X + y * SAND_Y + SAND_BEND * patch + SAND_JAG * grain).sin()
            sand = sand * (0.6 + 0.3 * patch + 0.3 * grain).clamp(0, 1)
        gains = self.shows(told).float().view(-1, 1, 1, KINDS)
        near = ((TO_M - distance) / (TO_M - FULL_M)).clamp(0, 1) * where
        tone = 1 + (torch.stack([fine, bump, grit, sand], -1) * gains).sum(-1) * near
        return picture * tone.clamp(min=DARKEST)[..., None]
