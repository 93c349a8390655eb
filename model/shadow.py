"""What takes the sun's light from a point of the land: how far trees and houses stand above the ray to it."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from model.camera import SHADOW_AHEAD_M, SHADOW_M, SHADOWS_TO_M, SUN_AZIMUTH_RAD
from model.conditions import ENVIRONMENT
from model.field import DETAIL_CELL_M, LAND_CELL_M, SIZE, TOWN_CELL_M
from model.looking import middles, standing_of
from model.points import Points
from model.shading import Moment, Shader, Textures, nearest, of_some, sample, texels, weight_of

LEAST_BLOCKS = 0.015  # fewer houses than this are none
LEAK = 0.1  # so that trees which stand too low, most stand nowhere, can still grow
_SUN = ENVIRONMENT.index("sun_rad")


@torch.no_grad()
def looming(
    stands: Shader, houses: Shader, textures: Textures, moment: Moment, at: Points, told: Tensor
) -> list[Tensor]:
    """How far what stands at each of SHADOW_M towards the sun rises above the ray to it, as numbers (B, …) in 0..2.

    1 where it just meets the ray, 0 where nothing stands or nothing is looked for: on water and houses, and far off.
    """
    shape = at.ground.shape
    trees, blocks = weight_of(moment, "tree_cover"), weight_of(moment, "block_m")
    near = (at.distance < SHADOWS_TO_M) & (at.depth <= 0) & (at.house < 0.3)
    index = near.flatten().nonzero()[:, 0]
    if (trees is None and blocks is None) or not len(index):
        return [torch.zeros(shape, device=at.ground.device)] * len(SHADOW_M)
    which = index // near[0].numel()  # moment

    def there(values: Tensor) -> Tensor:
        return values.expand(shape).reshape(-1).take(index)

    def told_by(shader: Shader, parts: list[Tensor], some: Tensor) -> Tensor:
        """Of those of the points that `some` says, (N,); 0 of the others."""
        chosen = some.nonzero()[:, 0]
        if not len(chosen):
            return torch.zeros_like(x)
        where = torch.zeros(near.numel(), dtype=torch.bool, device=some.device)
        where[index.take(chosen)] = True
        given = of_some(shader, [p.take(chosen) for p in parts], where.view(shape), index.take(chosen), told.float())
        return torch.zeros_like(x).index_copy(0, chosen, F.leaky_relu(given[:, 0], LEAK))

    x, y, u, v, distance, ground = (there(p) for p in (at.x, at.y, at.u, at.v, at.distance, at.ground))
    yaw = moment.camera[:, 3].float().take(which)
    ahead_x, ahead_y, base = yaw.sin(), yaw.cos(), moment.world.take(which) * (SIZE * SIZE)
    own = there(at.tall).clamp(min=0)
    most, slender = (values.flatten().take(which) for values in standing_of(moment))
    sun = moment.environment[:, _SUN].float()
    tangent = (sun.sin().clamp(min=0.02) / sun.cos().clamp(min=0.05)).take(which)
    towards = (moment.camera[:, 3].float() - SUN_AZIMUTH_RAD).cos().take(which)
    fade = (1.4 - distance * (1.4 / SHADOWS_TO_M)).clamp(0, 1)
    found = []
    with torch.autocast(x.device.type, enabled=False):
        for step in SHADOW_M:
            dx, dy = step * math.sin(SUN_AZIMUTH_RAD), step * math.cos(SUN_AZIMUTH_RAD)
            z = (distance + step * towards + SHADOW_AHEAD_M).clamp(min=1)
            high = torch.zeros_like(x)
            if trees is not None:
                du, dv = u + dx / DETAIL_CELL_M, v + dy / DETAIL_CELL_M
                detail, rank = sample(textures.detail, 0, du, dv), nearest(textures.detail, du, dv)[:, 1]
                right, down = middles(textures, du, dv)
                away = (z + right * ahead_x + down * ahead_y).clamp(min=1)
                looks = [away.log() / 4, (away / 40).clamp(max=2)]
                grove = sample(textures.land, base, (x + dx + right) / LAND_CELL_M, (y + dy + down) / LAND_CELL_M)[:, 3]
                parts = [detail[:, 0], rank, grove, ground / 40, *looks, detail[:, 2]]
                high = 10 * told_by(stands, parts, (detail[:, 0] > slender) & (rank <= most))
            if blocks is not None:
                shift = textures.shift[moment.world].index_select(0, which)
                row, column = (((p + s) / TOWN_CELL_M).floor().long() & (SIZE - 1) for p, s in (
                    (y + dy, shift[:, 1]), (x + dx, shift[:, 0])))  # fmt: skip
                town = texels(textures.town, row * SIZE + column)
                parts = [town[:, 0], town[:, 1], (z / 4).clamp(max=2), (z / 40).clamp(max=2)]
                built = (town[:, 0] > 0) & (blocks.flatten().take(which) > LEAST_BLOCKS)
                high = torch.maximum(high, 20 * told_by(houses, parts, built))
            above = ((high - own - step * tangent) / 3 + 1).clamp(0, 2) * high.clamp(0, 1) * fade
            found.append(torch.zeros(near.numel(), device=x.device).index_copy(0, index, above).view(shape))
    return found
