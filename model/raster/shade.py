"""The shade of what grows as a texture of the ground: each thing about the walker lays its own. See `model.shade`."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from model.camera import FIELD_OF_VIEW_RAD, SHADE_FOOT, SHADE_LONGEST_M, SHADE_SIDE, SHADE_TO_M, SLIM, shade_of
from model.field import DETAIL_CELL_M, LAND_CELL_M, SIZE, TOWN_CELL_M
from model.land import Terrain
from model.looking import standing_of
from model.raster.land import Land
from model.raster.lanes import PADDED, pad
from model.raster.room import Array, Now, Room, asked
from model.raster.surfaces import SUN_X, SUN_Y
from model.raster.texture import clamp, inlined, kernel, sample, sample_of, texel
from model.shading import Moment, Textures, cleared

_MASK = SIZE - 1
_PERIOD_M = SIZE * DETAIL_CELL_M  # after which things repeat
_BESIDE_M = SHADE_LONGEST_M + 2.0  # so far beyond what is seen a thing may stand whose shade is seen
_SIDE = math.tan(FIELD_OF_VIEW_RAD / 2)
_shade_of = inlined(shade_of)
# Of a thing about the walker: how far east and north of him, its radius, its height, how far ahead, all in m; its rank.
ABOUT = ("east", "north", "radius", "high", "ahead", "rank")


@inlined
def ground_there(x, y, x0, y0, dx, dy, ahead_x, ahead_y, at, ground, step):  # type: ignore[no-untyped-def]
    """Height in m of the ground at (x, y), between those known at distances at (K,) of every `step`-th ray, (C', K)."""
    first = dx[0] * ahead_y - dy[0] * ahead_x
    apart = (dx[-1] * ahead_y - dy[-1] * ahead_x - first) / max(len(dx) - 1, 1)
    away = max((x - x0) * ahead_x + (y - y0) * ahead_y, 1.0)
    ray = clamp((((x - x0) * ahead_y - (y - y0) * ahead_x) / away - first) / apart, 0.0, len(dx) - 1.0) / step
    i0, k0 = int(ray), np.searchsorted(at, away, "right") - 1
    i0, k0 = min(i0, ground.shape[0] - 2), min(max(k0, 0), len(at) - 2)
    a, b = ray - i0, clamp((away - at[k0]) / (at[k0 + 1] - at[k0]), 0.0, 1.0)
    near = ground[i0, k0] + a * (ground[i0 + 1, k0] - ground[i0, k0])
    return near + b * (ground[i0, k0 + 1] + a * (ground[i0 + 1, k0 + 1] - ground[i0, k0 + 1]) - near)


@kernel
def own_texels(thing, out):  # type: ignore[no-untyped-def]
    """The texels that things (512², 4) have their middles in, into out; how many."""
    n = 0
    for at in range(len(thing)):
        if abs(thing[at, 0]) <= 0.5 and abs(thing[at, 1]) <= 0.5:
            out[n] = at
            n += 1
    return n


@kernel
def things_about(  # type: ignore[no-untyped-def]
    land, grain_of, thing, town, texels, x0, y0, shift, dx, dy, ahead_x, ahead_y, at, ground, step, left, most, slender,
    found, out,
):  # fmt: skip
    """Things whose shade may be seen into found (…, ABOUT), in place of their height how much of each is left, and what
    the network of what stands is told of each into out (7, …); how many. at, ground, step: as `ground_there` has them;
    left: how much houses leave of what would stand in them.
    """
    n = 0
    for t in range(len(texels)):
        of = thing[texels[t]]
        if of[3] > most:
            continue
        x = ((texels[t] & _MASK) + of[0]) * DETAIL_CELL_M - shift[0] - x0
        y = ((texels[t] >> 9) + of[1]) * DETAIL_CELL_M - shift[1] - y0
        x -= _PERIOD_M * math.floor(x / _PERIOD_M + 0.5)  # the one nearest to the walker
        y -= _PERIOD_M * math.floor(y / _PERIOD_M + 0.5)
        away, beside = x * ahead_x + y * ahead_y, abs(x * ahead_y - y * ahead_x)
        if not (-_BESIDE_M < away < SHADE_TO_M[0] + _BESIDE_M and beside < max(away, 0.0) * _SIDE + _BESIDE_M):
            continue
        one, away = found[n], max(away, 1.0)
        one[0], one[1], one[2], one[4], one[5] = x, y, of[2] * DETAIL_CELL_M * (1 - slender), away, of[3]
        x, y = x + x0, y + y0
        high = ground_there(x, y, x0, y0, dx, dy, ahead_x, ahead_y, at, ground, step)
        one[3] = left if town[texel((x + shift[0]) / TOWN_CELL_M, (y + shift[1]) / TOWN_CELL_M), 0] > 0 else 1.0
        out[0, n], out[1, n] = 1, of[3]
        out[2, n] = sample_of(land, 3, x / LAND_CELL_M, y / LAND_CELL_M)
        out[3, n], out[4, n], out[5, n] = high / 40, math.log(away) / 4, min(away / 40, 2.0)
        out[6, n] = sample(grain_of, (x + shift[0]) / DETAIL_CELL_M, (y + shift[1]) / DETAIL_CELL_M)
        n += 1
    return n


@kernel
def lay(found, x0, y0, shift, tangent, shade):  # type: ignore[no-untyped-def]
    """What each of the things found (N, ABOUT) takes of the sun's light: the most into shade (512²,), texels of the
    detail. x0, y0: m, of the walker.
    """
    for n in range(len(found)):
        high = found[n, 3]
        wide = min(found[n, 2], np.float32(SLIM) * high)
        if wide <= 0:
            continue
        long = 0.5 * min(high / tangent, SHADE_LONGEST_M)
        # Its middle lies away from the sun, its half axes along the light and across.
        middle_x, middle_y = found[n, 0] + x0 - long * SUN_X, found[n, 1] + y0 - long * SUN_Y
        along, across = long + SHADE_FOOT * wide, SHADE_SIDE * wide
        reach_x = math.sqrt((along * SUN_X) ** 2 + (across * SUN_Y) ** 2)
        reach_y = math.sqrt((along * SUN_Y) ** 2 + (across * SUN_X) ** 2)
        first_u = int(math.ceil((middle_x - reach_x + shift[0]) / DETAIL_CELL_M))  # noqa: RUF046
        first_v = int(math.ceil((middle_y - reach_y + shift[1]) / DETAIL_CELL_M))  # noqa: RUF046
        last_u, last_v = (
            (middle_x + reach_x + shift[0]) / DETAIL_CELL_M,
            (middle_y + reach_y + shift[1]) / DETAIL_CELL_M,
        )
        for v in range(first_v, int(math.floor(last_v)) + 1):  # noqa: RUF046
            down = found[n, 1] + y0 - (v * DETAIL_CELL_M - shift[1])
            for u in range(first_u, int(math.floor(last_u)) + 1):  # noqa: RUF046
                right = found[n, 0] + x0 - (u * DETAIL_CELL_M - shift[0])
                ahead, beside = right * SUN_X + down * SUN_Y, right * SUN_Y - down * SUN_X
                at = (v & _MASK) * SIZE + (u & _MASK)
                shade[at] = max(shade[at], np.float32(_shade_of(ahead, beside, high, wide, tangent)))


def about(
    terrain: Terrain, room: Room, textures: Textures, moment: Moment, now: Now, told: torch.Tensor, land: Land
) -> Array:
    """The things whose shade may be seen, ABOUT of each: the same whichever of a picture's rays are walked, but for the
    ground at those that stand beside them, which is taken for that of the nearest ray.
    """
    texels = _texels(room, textures)
    x0, y0, dx, dy = land.rays
    most, slender = (float(value) for value in standing_of(moment))
    found, out = room("things about", len(texels), len(ABOUT)), room("features of things about", 7, len(texels))
    count = things_about(
        textures.land.numpy(), textures.grain.numpy(), textures.thing.numpy(), textures.town.numpy(), texels, x0, y0,
        now.shift, dx, dy, *now.ahead, *land.coarse, float(cleared(moment)), most, slender, found, out,
    )  # fmt: skip
    if count:
        with torch.autocast("cpu", enabled=False):
            high = 10 * asked(terrain.stands, out, count, told.float())[:, 0]
        found[:count, 3] *= high.clip(min=0)
    return found[:count]


def cast(room: Room, now: Now, land: Land, things: Array) -> Array:
    """How much of the sun's light things (N, ABOUT) take from the ground: texels of the detail, padded."""
    shade: Array = room("shade", PADDED)
    shade[:] = 0
    x0, y0 = land.rays[:2]
    lay(things, x0, y0, now.shift, land.tangent, shade)
    pad(shade)
    return shade


def _texels(room: Room, textures: Textures) -> NDArray[np.int32]:
    """The texels that things have their middles in: the same for all worlds, found once."""
    kept, count = room("texels of things", SIZE * SIZE, kind="i4"), room("count of things", 1, kind="i4")
    if not count[0]:
        count[0] = own_texels(textures.thing.numpy(), kept)
    return kept[: count[0]]
