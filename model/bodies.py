"""What stands close by, pixel by pixel: on fronts of the things that rays pass a network tells what there is of them.

A thing stands in an upright cylinder about its middle (`model.passing`). Where a line of sight meets the cylinder's
front, textures of the field are looked at, and a network tells the colour, how much sun it has, and how much it covers
of what lies behind: crowns fray, trunks stand under them, and land and sky are seen between.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.camera import (
    APART_M,
    BENT,
    CLUMP_M,
    CULMS,
    DROOP,
    FAN,
    FAN_FOOT,
    KNOT_M,
    LEAF_M,
    LEAF_TO_M,
    LEAN,
    MOST_CLUMP,
    OVER,
    ROUGH,
    SHALLOW_M,
    SLIM,
    SUN_AZIMUTH_RAD,
    SWAY,
    SWAY_RAD_S,
    SWAY_X,
    TIER_M,
    TWIG_M,
    TWIG_TO_M,
    UNDER_M,
    UNEVEN,
)
from model.conditions import ENVIRONMENT
from model.field import DETAIL_CELL_M, LAND_CELL_M, SIZE, TOWN_CELL_M
from model.land import Terrain, ceiling
from model.litter import fade
from model.passing import from_afar
from model.shading import Moment, Shader, Textures, cleared, of_places, of_some, sample, texels, weight_of

FEATURES = 28
_WIND = ENVIRONMENT.index("wind")
LEAST_M = 0.05  # lower than this nothing is seen of a thing


@dataclass
class Standing:
    """Things that rays pass, each (B, C, T), 0 where there is none or nothing of it is met."""

    distance: Tensor  # m
    aside: Tensor  # of its width, -1..1, to the right of its middle
    wide: Tensor  # m, from its middle
    high: Tensor  # m
    ground: Tensor  # m, at its foot
    rank: Tensor
    there: Tensor  # 0..1, how much of it is told as a body
    x: Tensor  # m, of its middle


@dataclass
class Front:
    """Points on the fronts of things, each (N,)."""

    aside: Tensor  # of the thing's width, -1..1, to the right of its middle
    height: Tensor  # m, above its foot
    high: Tensor  # m, of the thing
    wide: Tensor  # m, of the thing, from its middle
    rank: Tensor
    distance: Tensor  # m
    turned: Tensor  # to the sun, -1..1


def told_of(textures: Textures, at: Front) -> list[Tensor]:
    """What the network is told of points, FEATURES of (N,)."""
    q, h, rank, distance = at.aside, at.height, at.rank, at.distance
    up, off = h / at.high, at.aside.abs()

    along = q * at.wide + APART_M * rank

    def rough(texture: Tensor, texel_m: float) -> Tensor:
        return ROUGH * sample(texture, 0, along / texel_m, h / texel_m)

    clump = rough(textures.grain, CLUMP_M).clamp(-MOST_CLUMP, MOST_CLUMP)
    leaf = rough(textures.grain, LEAF_M) * fade(distance, LEAF_TO_M)
    twig = rough(textures.bloom, TWIG_M) * fade(distance, TWIG_TO_M)
    level, knots = h / TIER_M + 7 * rank + DROOP * off + UNEVEN * clump, h / KNOT_M + rank
    culms = torch.stack([q - culm - LEAN * (9 * rank + lean).sin() * up for culm, lean in CULMS])
    culm = culms.gather(0, culms.abs().argmin(0, keepdim=True))[0]
    fan = (FAN * q / (off + up.clamp(min=0) + FAN_FOOT) + BENT * clump).sin()
    hue = rank * (18 * math.pi)
    return [
        q, off, q * q, (1 - q * q).sqrt(), up, h / 10, at.high / 10, at.wide / 3, rank, leaf, twig, clump,
        level - level.floor(), ((knots - knots.floor() - 0.5).abs() * 2 - 0.86).clamp(min=0) * 7, culm, culm.abs(), fan,
        (40 * rank).sin(), at.turned, 1 / (1 + distance * 0.028), distance / 100, 16 / (distance + 4), hue.sin(),
        hue.cos(), (up * 6).clamp(0, 1), (1 - up).clamp(min=0).sqrt(), leaf * off, clump * off,
    ]  # fmt: skip


def lit(given: Tensor, light: Tensor) -> Tensor:
    """What the network gave (N, 5) as colours (N, 3) in a light (N, 6), as far as no air takes any."""
    around, direct = light.chunk(2, -1)
    return (given[..., :3] + 0.4) * (around + direct * given[..., 3:4])


class Bodies(nn.Module):
    """The network of what stands close by."""

    def __init__(self, width: int, told: int) -> None:
        super().__init__()
        self.shader = Shader(FEATURES, 5, width, 3, told)
        with torch.no_grad():
            self.shader.out.bias[4] = -1.0

    @torch.no_grad()
    def standing(
        self, terrain: Terrain, textures: Textures, moment: Moment, things: Tensor, ways: tuple[Tensor, Tensor],
        told: Tensor,
    ) -> Standing:  # fmt: skip
        """What stands where rays pass things (B, C, T, 4), as `passed_by` gives; ways (B, C): m a metre of distance."""
        d, beside, radius, rank = things.unbind(-1)
        dx, dy = (way[..., None] for way in ways)
        long = (dx * dx + dy * dy).sqrt()
        # Of its middle.
        x = moment.camera[:, 0, None, None].float() + dx * d - beside * dy / long
        y = moment.camera[:, 1, None, None].float() + dy * d + beside * dx / long
        yaw = moment.camera[:, 3, None, None].float()
        away = (d - beside * (dy * yaw.sin() - dx * yaw.cos()) / long).clamp(min=1)
        base = moment.world.view(-1, 1, 1) * SIZE * SIZE
        land = sample(textures.land, base, x / LAND_CELL_M, y / LAND_CELL_M)
        shore = moment.shore.float()[:, :, None, None]
        seaward = (x - shore[:, 0]) * shore[:, 2].sin() + (y - shore[:, 1]) * shore[:, 2].cos()
        held, grove = d > 0, land[..., 3]
        distance = torch.where(held, d, 1.0)
        shift = textures.shift[moment.world][:, :, None, None]
        grain = sample(textures.grain, 0, (x + shift[:, 0]) / DETAIL_CELL_M, (y + shift[:, 1]) / DETAIL_CELL_M)
        with torch.autocast(x.device.type, enabled=False):
            told = told.float()
            ground = terrain.heights(moment, land, seaward, away, told)
            level = terrain.water(told)[0].view(-1, 1, 1)
            high = torch.zeros_like(d)
            index = held.flatten().nonzero()[:, 0]
            if len(index):
                parts = [torch.ones_like(d), rank, grove, ground / 40, away.log() / 4, (away / 40).clamp(max=2), grain]
                tall = of_some(terrain.stands, [p.reshape(-1).take(index) for p in parts], held, index, told)
                high = high.flatten().index_copy(0, index, 10 * tall[:, 0]).view_as(d)
        high = high * (1 - (level - ground) / SHALLOW_M).clamp(0, 1)
        high = high.minimum(ceiling(moment) - ground)
        if weight_of(moment, "block_m") is not None:
            row, column = (((p + shift[:, k]) / TOWN_CELL_M).floor().long() & (SIZE - 1) for p, k in ((y, 1), (x, 0)))
            built = texels(textures.town, row * SIZE + column)[..., 0] > 0
            high = torch.where(built, high * cleared(moment), high)
        wide = torch.minimum(radius, SLIM * high).clamp(min=1e-3)
        there = (1 - from_afar(away)) * (held & (high > LEAST_M) & (beside.abs() < wide))
        return Standing(distance, beside / wide, wide, high, ground, rank, there, x)

    def forward(
        self, terrain: Terrain, textures: Textures, moment: Moment, picture: Tensor, depth: Tensor, things: Tensor,
        across: Tensor, slope: Tensor, far: Tensor, told: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        """Picture (B, C, R, 3) and depth in m (B, C, R) with what stands before them, and how much is left (B, C, R) of
        what was there.

        things (B, C, T, 4) as `passed_by` gives; across (B, C) of the columns, slope (B, R) of lines of sight; far
        (B, C, 3): what colours fade into.
        """
        yaw = moment.camera[:, 3:4].float()
        dx, dy = yaw.sin() + yaw.cos() * across, yaw.cos() - yaw.sin() * across
        s = self.standing(terrain, textures, moment, things, (dx, dy), told)
        b, c, t = s.high.shape
        rows = slope.shape[1]
        eye = moment.camera[:, 2, None, None, None].float()
        h = eye + slope[:, None, None] * s.distance[..., None] - s.ground[..., None]  # (B, C, T, R)
        where = (s.there[..., None] > 0) & (h < OVER * s.high[..., None]) & (h > -UNDER_M)
        where &= (depth[:, :, None] <= 0) | (depth[:, :, None] >= s.distance[..., None])
        index = where.flatten().nonzero()[:, 0]
        if not len(index):
            return picture, depth, torch.ones_like(depth)
        ray = index // rows  # of (B, C, T)
        column, which = ray // t, ray // (t * c)
        pixel = column * rows + index % rows

        def there(values: Tensor) -> Tensor:  # of things
            return values.reshape(-1).take(ray)

        h = h.reshape(-1).take(index)
        distance, high, wide, rank = (there(p) for p in (s.distance, s.high, s.wide, s.rank))
        up = h / high
        wind = (moment.environment[:, _WIND].float() * (1 - of_places(moment, "roof")).flatten()).take(which)
        turn = ((moment.phases[:, 0] * SWAY_RAD_S) % (2 * math.pi)).float().take(which)
        q = there(s.aside) + SWAY * wind * (turn + there(s.x) * SWAY_X).sin() * up * up.abs()
        inside = q.abs() < 1
        q = q.clamp(-0.999, 0.999)
        front = (1 - q * q).sqrt()
        long = (dx * dx + dy * dy).sqrt()
        fx, fy = ((way / long).reshape(-1).take(column) for way in (dx, dy))
        nx, ny = q * fy - front * fx, -q * fx - front * fy
        turned = nx * math.sin(SUN_AZIMUTH_RAD) + ny * math.cos(SUN_AZIMUTH_RAD)
        parts = told_of(textures, Front(q, h, high, wide, rank, distance, turned))
        given = of_some(self.shader, parts, where, index, told)
        colour = lit(given, terrain.light(told).float().index_select(0, which))
        veil = 1 - (-terrain.density(told).take(which) * distance).exp()
        colour = colour + veil[:, None] * (far.reshape(-1, 3).index_select(0, column) - colour)
        cover = torch.sigmoid(given[:, 4]) * there(s.there) * inside
        covers = torch.zeros(where.numel(), device=cover.device).index_copy(0, index, cover).view(where.shape)
        left = (1 - covers).cumprod(2)
        before = F.pad(left[:, :, :-1], (0, 0, 1, 0), value=1.0)
        share = (covers * before).flatten().take(index)[:, None]
        laid = torch.zeros(b * c * rows, 3, device=cover.device).index_add(0, pixel, share * colour)
        own = torch.where((left < 0.5) & (before >= 0.5), s.distance[..., None], torch.inf).amin(2)
        left = left[:, :, -1]
        picture = picture * left[..., None] + laid.view(b, c, rows, 3).to(picture)
        return picture, torch.where(own < torch.inf, own, depth), left
