"""The shade of what grows, on bare ground: told where a line of sight meets it, as what lies there is (`model.litter`).

What stands towards the sun is looked for in steps; how much of its light that takes is geometry
(`model.camera.shade_of`), how high it stands its network tells, and what shade does to the ground's colours is learnt.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from model.camera import (
    SHADE_AT_M,
    SHADE_FOOT,
    SHADE_LONGEST_M,
    SHADE_SIDE,
    SHADE_SOFT,
    SHADE_TO_M,
    SLIM,
    SUN_AZIMUTH_RAD,
)
from model.conditions import ENVIRONMENT
from model.field import DETAIL_CELL_M, LAND_CELL_M, SIZE, TOWN_CELL_M
from model.looking import standing_of
from model.shading import Moment, Shader, Textures, cleared, nearest, of_some, sample, texels, weight_of

_SUN = ENVIRONMENT.index("sun_rad")


def tangent_of(sun_rad: Tensor) -> Tensor:
    """The tangent of the sun's height, for shadows: of no less than a little."""
    return sun_rad.sin().clamp(min=0.02) / sun_rad.cos().clamp(min=0.05)


@torch.no_grad()
def shade_on(
    stands: Shader, textures: Textures, moment: Moment, bare: Tensor, distance: Tensor, across: Tensor, slope: Tensor,
    told: Tensor,
) -> Tensor:  # fmt: skip
    """How much of the sun's light things take, 0..1, where lines of sight meet `bare` ground (B, C, R), `distance` m
    off; 0 elsewhere.

    across (B, C): of the columns, in focal lengths; slope (B, R): of lines of sight.
    """
    found = torch.zeros_like(distance, dtype=torch.float32)
    near = bare & (distance > 0) & (distance < SHADE_TO_M[0])
    index = near.flatten().nonzero()[:, 0]
    if not len(index):
        return found
    columns, rows = distance.shape[1:]
    which, column = index // (columns * rows), index // rows
    d = distance.reshape(-1).take(index).float()
    x0, y0, eye, yaw = (moment.camera[:, k].float().take(which) for k in range(4))
    ahead_x, ahead_y, aside = yaw.sin(), yaw.cos(), across.reshape(-1).take(column)
    x, y = x0 + (ahead_x + ahead_y * aside) * d, y0 + (ahead_y - ahead_x * aside) * d
    ground = eye + slope.reshape(-1).take(which * rows + index % rows) * d
    shift_x, shift_y = (textures.shift[moment.world, k].take(which) for k in (0, 1))
    base = moment.world.take(which) * (SIZE * SIZE)
    most, slender = (values.flatten().take(which) for values in standing_of(moment))
    tangent = tangent_of(moment.environment[:, _SUN].float()).take(which)
    sun_x, sun_y = math.sin(SUN_AZIMUTH_RAD), math.cos(SUN_AZIMUTH_RAD)
    shade = torch.zeros_like(x)
    built = None if weight_of(moment, "block_m") is None else cleared(moment).flatten()

    def taken(ahead: Tensor, beside: Tensor, high: Tensor, wide: Tensor, tangent: Tensor) -> Tensor:
        """As `model.camera.shade_of`."""
        long = 0.5 * (high / tangent).clamp(max=SHADE_LONGEST_M)
        along, to_side = (ahead - long) / (long + SHADE_FOOT * wide), beside / (SHADE_SIDE * wide)
        t = (SHADE_SOFT * (1 - along.square() - to_side.square())).clamp(0, 1)
        return t * t * (3 - 2 * t) * high.clamp(max=1)

    with torch.autocast(x.device.type, enabled=False):
        for at in SHADE_AT_M:
            u, v = (x + at * sun_x + shift_x) / DETAIL_CELL_M, (y + at * sun_y + shift_y) / DETAIL_CELL_M
            to_u, to_v, size, rank = nearest(textures.thing, u, v).unbind(-1)
            right = ((u + 0.5).floor() + to_u - u) * DETAIL_CELL_M + at * sun_x
            down = ((v + 0.5).floor() + to_v - v) * DETAIL_CELL_M + at * sun_y
            ahead, beside = right * sun_x + down * sun_y, right * sun_y - down * sun_x
            radius = size * DETAIL_CELL_M * (1 - slender)
            reach = SHADE_FOOT * radius
            some = (rank <= most) & (beside.abs() < SHADE_SIDE * radius)
            some &= (ahead > -reach) & (ahead < SHADE_LONGEST_M + reach)
            chosen = some.nonzero()[:, 0]
            if not len(chosen):
                continue
            right, down, rank, ahead, beside, radius = (
                values.take(chosen) for values in (right, down, rank, ahead, beside, radius)
            )
            mx, my = x.take(chosen) + right, y.take(chosen) + down
            away = (d.take(chosen) + right * ahead_x.take(chosen) + down * ahead_y.take(chosen)).clamp(min=1)
            grove = sample(textures.land, base.take(chosen), mx / LAND_CELL_M, my / LAND_CELL_M)[:, 3]
            to = (mx + shift_x.take(chosen)) / DETAIL_CELL_M, (my + shift_y.take(chosen)) / DETAIL_CELL_M
            parts = [torch.ones_like(rank), rank, grove, ground.take(chosen) / 40, away.log() / 4,
                     (away / 40).clamp(max=2), sample(textures.grain, 0, *to)]  # fmt: skip
            where = torch.zeros(near.numel(), dtype=torch.bool, device=x.device)
            where[index.take(chosen)] = True
            high = 10 * of_some(stands, parts, where.view(near.shape), index.take(chosen), told.float())[:, 0]
            high = high.clamp(min=0)
            if built is not None:
                row, column = (
                    (p / TOWN_CELL_M).floor().long() & (SIZE - 1)
                    for p in (my + shift_y.take(chosen), mx + shift_x.take(chosen))
                )
                inside = texels(textures.town, row * SIZE + column)[:, 0] > 0
                high = torch.where(inside, high * built.take(which.take(chosen)), high)
            wide = torch.minimum(radius, SLIM * high).clamp(min=1e-3)
            more = taken(ahead, beside, high, wide, tangent.take(chosen))
            shade[chosen] = torch.maximum(shade.take(chosen), more)
    fade = ((SHADE_TO_M[0] - d) / (SHADE_TO_M[0] - SHADE_TO_M[1])).clamp(0, 1)
    return found.flatten().index_copy(0, index, shade * fade).view_as(found)
