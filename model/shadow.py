"""What takes the sun's light from a point of the land: how far houses stand above the ray to it."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from model.camera import SHADOW_AHEAD_M, SHADOW_M, SHADOWS_TO_M, SUN_AZIMUTH_RAD
from model.conditions import ENVIRONMENT
from model.field import SIZE, TOWN_CELL_M
from model.points import Points
from model.shade import tangent_of
from model.shading import Moment, Shader, Textures, of_some, texels, weight_of

LEAST_BLOCKS = 0.015  # fewer houses than this are none
LEAK = 0.1  # so that what stands too low, most stands nowhere, can still grow
_SUN = ENVIRONMENT.index("sun_rad")


@torch.no_grad()
def looming(houses: Shader, textures: Textures, moment: Moment, at: Points, told: Tensor) -> list[Tensor]:
    """How far houses at each of SHADOW_M towards the sun rise above the ray to it, as numbers (B, …) in 0..2.

    1 where one just meets the ray, 0 where none stands or none is looked for: on water and houses, and far off.
    """
    shape = at.ground.shape
    blocks = weight_of(moment, "block_m")
    near = (at.distance < SHADOWS_TO_M) & (at.depth <= 0) & (at.house < 0.3)
    index = near.flatten().nonzero()[:, 0]
    if blocks is None or not len(index):
        return [torch.zeros(shape, device=at.ground.device)] * len(SHADOW_M)
    which = index // near[0].numel()  # moment

    def there(values: Tensor) -> Tensor:
        return values.expand(shape).reshape(-1).take(index)

    x, y, distance = (there(p) for p in (at.x, at.y, at.distance))
    own = there(at.tall).clamp(min=0)
    tangent = tangent_of(moment.environment[:, _SUN].float()).take(which)
    towards = (moment.camera[:, 3].float() - SUN_AZIMUTH_RAD).cos().take(which)
    fade = (1.4 - distance * (1.4 / SHADOWS_TO_M)).clamp(0, 1)
    shift = textures.shift[moment.world].index_select(0, which)
    found = []
    with torch.autocast(x.device.type, enabled=False):
        for step in SHADOW_M:
            dx, dy = step * math.sin(SUN_AZIMUTH_RAD), step * math.cos(SUN_AZIMUTH_RAD)
            z = (distance + step * towards + SHADOW_AHEAD_M).clamp(min=1)
            high = torch.zeros_like(x)
            row, column = (((p + s) / TOWN_CELL_M).floor().long() & (SIZE - 1) for p, s in (
                (y + dy, shift[:, 1]), (x + dx, shift[:, 0])))  # fmt: skip
            town = texels(textures.town, row * SIZE + column)
            chosen = ((town[:, 0] > 0) & (blocks.flatten().take(which) > LEAST_BLOCKS)).nonzero()[:, 0]
            if len(chosen):
                where = torch.zeros(near.numel(), dtype=torch.bool, device=x.device)
                where[index.take(chosen)] = True
                parts = [
                    p.take(chosen)
                    for p in (
                        town[:, 0].contiguous(),
                        town[:, 1].contiguous(),
                        (z / 4).clamp(max=2),
                        (z / 40).clamp(max=2),
                    )
                ]
                given = of_some(houses, parts, where.view(shape), index.take(chosen), told.float())
                high = high.index_copy(0, chosen, 20 * F.leaky_relu(given[:, 0], LEAK))
            above = ((high - own - step * tangent) / 3 + 1).clamp(0, 2) * high.clamp(0, 1) * fade
            found.append(torch.zeros(near.numel(), device=x.device).index_copy(0, index, above).view(shape))
    return found
