"""What stands close by, into pixels, layer by layer: of the things that a pixel may show the nearest first, and what
lies behind it only where that leaves something open. See `model.bodies`.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from model.bodies import FEATURES, LEAST_M
from model.camera import (
    APART_M,
    BENT,
    BODIES_M,
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
    SWAY,
    SWAY_RAD_S,
    SWAY_X,
    THINGS,
    TIER_M,
    TWIG_M,
    TWIG_TO_M,
    UNDER_M,
    UNEVEN,
)
from model.field import DETAIL_CELL_M, LAND_CELL_M, TOWN_CELL_M
from model.land import ceiling
from model.looking import standing_of
from model.passing import passed
from model.raster.land import Land
from model.raster.room import Array, Now, Room, asked, asked_rows
from model.raster.shade import ground_there
from model.raster.surfaces import SUN_X, SUN_Y
from model.raster.texture import clamp, inlined, kernel, put, sample, sample_of, sigmoid, sine, texel
from model.shading import Moment, Textures, cleared, of_places
from model.view import View

# Numbers of 32 bits: with those of 64 a walk takes a third longer.
_NONE, _ONE, _TWO, _SIX, _SEVEN, _HALF, _TENTH = (np.float32(value) for value in (0, 1, 2, 6, 7, 0.5, 0.1))
_LEAST, _APART, _MOST, _FAN = (np.float32(value) for value in (0.02, APART_M, MOST_CLUMP, FAN))
_PER_TIER, _PER_KNOT, _SUN_X, _SUN_Y = (np.float32(value) for value in (1 / TIER_M, 1 / KNOT_M, SUN_X, SUN_Y))
_DROOP, _UNEVEN, _LEAN, _FOOT, _BENT = (np.float32(value) for value in (DROOP, UNEVEN, LEAN, FAN_FOOT, BENT))
_KNOT, _STEMS = np.float32(0.86), np.array(CULMS, np.float32)
# Cells of a thing's box: from LOW of its height below its foot, HIGH of that in all, from its middle to a side, and of
# how full its crown is there.
UPS, OFFS, CLUMPS, LOW, HIGH = 40, 20, 3, 0.15, 1.25
_LOW, _UPS, _CLUMPS = np.float32(LOW), np.float32(UPS / HIGH), np.float32(0.5 * CLUMPS / MOST_CLUMP)
_SOUNDINGS = 3  # points of a cell that are asked whether anything shows there
_STRIDE = 7919  # from thing to thing that is asked about, so that they lie all over a picture
_CHANCES = np.random.default_rng(0).random((UPS * OFFS * CLUMPS * _SOUNDINGS, 5), np.float32)
_SHOWS = np.float32(math.log(0.02))  # less cover than this is none; as a logit
_PAIRS_M = 16.0  # from here on a large picture's columns, two pixels wide, are told two pixels high
_LAYERS = 4  # of what stands behind one another no more is seen
# Of a thing on a ray: distance in m, how far beside its middle and its radius in m, rank, ground at its foot in m, its
# middle's x in m, how much of it is told as a body, and its height in m.
THING = ("distance", "beside", "radius", "rank", "ground", "x", "there", "high")
_AS_ABOUT = [THING.index(name) for name in ("x", "ground", "radius", "high", "distance", "rank")]


@kernel
def things_along(  # type: ignore[no-untyped-def]
    land, grain_of, thing, town, x0, y0, shift, dx, dy, ahead_x, ahead_y, at, ground, step, level, left, most, slender,
    things, counts, places, out,
):  # fmt: skip
    """What rays pass into things (C, THINGS, THING) and counts (C,); what the network of what stands is told of each
    into out (7, …), and which they are into places; how many.

    at (K,): distances, ground (C', K) in m there, of every `step`-th ray; left: how much houses leave of what
    would stand in them.
    """
    n, found = 0, np.zeros((THINGS, 4))
    for i in range(len(dx)):
        long = math.sqrt(dx[i] * dx[i] + dy[i] * dy[i])
        right_x, right_y = dy[i] / long, -dx[i] / long
        counts[i] = passed(thing, x0 + shift[0], y0 + shift[1], dx[i], dy[i], most, slender, found)
        for t in range(counts[i]):
            d, beside = found[t, 0], found[t, 1]
            x, y = x0 + dx[i] * d - beside * right_x, y0 + dy[i] * d - beside * right_y
            away = max(d - beside * (right_x * ahead_x + right_y * ahead_y), 1.0)
            high = ground_there(x, y, x0, y0, dx, dy, ahead_x, ahead_y, at, ground, step)
            there = clamp((BODIES_M[1] - away) / (BODIES_M[1] - BODIES_M[0]), 0.0, 1.0)
            share = left
            if left == 1 or town[texel((x + shift[0]) / TOWN_CELL_M, (y + shift[1]) / TOWN_CELL_M), 0] <= 0:
                share = 1.0
            if high <= level - SHALLOW_M or share == 0:
                there = 0.0
            one = things[i, t]
            one[0], one[1], one[2], one[3], one[4] = d, beside, found[t, 2], found[t, 3], high
            one[5], one[6], one[7] = x, there, share
            if there > 0:
                out[0, n], out[1, n] = 1, found[t, 3]
                out[2, n] = sample_of(land, 3, x / LAND_CELL_M, y / LAND_CELL_M)
                out[3, n], out[4, n], out[5, n] = high / 40, math.log(away) / 4, min(away / 40, 2.0)
                out[6, n] = sample(grain_of, (x + shift[0]) / DETAIL_CELL_M, (y + shift[1]) / DETAIL_CELL_M)
                places[n] = i * THINGS + t
                n += 1
    return n


@inlined
def _fade(d, to):  # type: ignore[no-untyped-def]
    return min(max((np.float32(to[0]) - d) * np.float32(1 / (to[0] - to[1])), np.float32(0)), np.float32(1))


@inlined
def _rough(texture, texel_m, along, h):  # type: ignore[no-untyped-def]
    return np.float32(ROUGH) * sample(texture, along / np.float32(texel_m), h / np.float32(texel_m))


@inlined
def _tell_thing(d, rank, wide, high, row, leans):  # type: ignore[no-untyped-def]
    """What is told of all points of a thing alike, into row (FEATURES,) and leans (CULMS,)."""
    row[6], row[7], row[8], row[17] = high / 10, wide / 3, rank, math.sin(40 * rank)
    row[19], row[20], row[21] = 1 / (1 + d * 0.028), d / 100, 16 / (d + 4)
    row[22], row[23] = sine(rank * 18 * math.pi), sine(rank * 18 * math.pi + math.pi / 2)
    for c in range(len(_STEMS)):
        leans[c] = _LEAN * sine(9 * rank + _STEMS[c, 1])


@inlined
def _tell_point(q, h, up, clump, leaf, twig, f_x, f_y, row, leans):  # type: ignore[no-untyped-def]
    """What is told of a point of its front, into row; f_x, f_y: the way one looks. See `model.bodies.told_of`."""
    off, front = abs(q), math.sqrt(max(_ONE - q * q, _NONE))
    level, knots = h * _PER_TIER + _SEVEN * row[8] + _DROOP * off + _UNEVEN * clump, h * _PER_KNOT + row[8]
    culm = np.float32(9)
    for c in range(len(_STEMS)):
        beside_it = q - _STEMS[c, 0] - leans[c] * up
        if abs(beside_it) < abs(culm):
            culm = beside_it
    row[0], row[1], row[2], row[3], row[4], row[5] = q, off, q * q, front, up, h * _TENTH
    row[9], row[10], row[11], row[12] = leaf, twig, clump, level - np.floor(level)
    row[13] = _SEVEN * max(_TWO * abs(knots - np.floor(knots) - _HALF) - _KNOT, _NONE)
    row[14], row[15] = culm, abs(culm)
    row[16] = sine(_FAN * q / (off + max(up, _NONE) + _FOOT) + _BENT * clump)
    row[18] = (q * f_y - front * f_x) * _SUN_X - (q * f_x + front * f_y) * _SUN_Y
    row[24], row[25] = min(max(_SIX * up, _NONE), _ONE), math.sqrt(max(_ONE - up, _NONE))
    row[26], row[27] = leaf * off, clump * off


@kernel
def sounding_features(things, chances, out):  # type: ignore[no-untyped-def]
    """What the network is told of points all over boxes of things of a picture, cell by cell (UPS, OFFS, CLUMPS,
    _SOUNDINGS): into out uint16 (…, FEATURES), bfloat16 by its bits. things (…, ABOUT), which are asked about in
    turn; chances (…, 5): where in its cell each point is, and its textures.
    """
    row, leans, n = np.zeros(FEATURES, np.float32), np.zeros(len(_STEMS), np.float32), 0
    bits = row.view(np.uint32)
    for a in range(UPS):
        for b in range(OFFS):
            for k in range(CLUMPS * _SOUNDINGS):
                _, _, radius, high, d, rank = things[n * _STRIDE % len(things)]
                wide = min(radius, np.float32(SLIM) * high)
                _tell_thing(d, rank, wide, high, row, leans)
                chance = chances[n]
                up = (a + chance[0]) * np.float32(HIGH / UPS) - _LOW
                q = (b + chance[1]) * np.float32(1 / OFFS) * (1 if n % 2 else -1)
                clump = (2 * (k // _SOUNDINGS + chance[2]) / CLUMPS - 1) * _MOST
                leaf, twig = (2 * chance[3] - 1) * _fade(d, LEAF_TO_M), (2 * chance[4] - 1) * _fade(d, TWIG_TO_M)
                _tell_point(q, up * high, up, clump, leaf, twig, _NONE, _ONE, row, leans)
                put(bits, out[n])
                n += 1
    return n


@kernel
def sounded(given, shows):  # type: ignore[no-untyped-def]
    """In which cells (UPS, OFFS, CLUMPS) of boxes something shows, by what the network gave of points there or next to
    them.
    """
    shows[:] = False
    n = 0
    for a in range(UPS):
        for b in range(OFFS):
            for c in range(CLUMPS):
                for _ in range(_SOUNDINGS):
                    if given[n, 4] > _SHOWS:
                        for above in range(max(a - 1, 0), min(a + 2, UPS)):
                            for beside in range(max(b - 1, 0), min(b + 2, OFFS)):
                                shows[above, beside, c] = True
                    n += 1


@kernel
def body_features(  # type: ignore[no-untyped-def]
    things, counts, shows, depth, left, after, slope, eye, dx, dy, turn, wind, pairs_from, grain_of, bloom_of, pixels,
    whose, out,
):  # fmt: skip
    """What the network is told of the nearest thing that each pixel may show and that was not yet laid: into out uint16
    (…, FEATURES), bfloat16 by its bits; which pixels and things (…,) they are; how many. From pairs_from m on two
    pixels, one above the other, are told as one: of these pixels holds the lower one's number n as -1 - n.

    shows (UPS, OFFS, CLUMPS): where in their boxes something shows. depth (C, R): of the land, in m; left (C, R): how
    much of it is open yet; after (C, R): the first thing that is not behind those laid; it becomes the next one. turn:
    rad, of the swaying; wind 0..1.
    """
    n, rows = 0, depth.shape[1]
    row, leans = np.zeros(FEATURES, np.float32), np.zeros(len(_STEMS), np.float32)
    bits = row.view(np.uint32)
    falls = slope[0] - slope[1]
    taken, eye = np.zeros(rows, np.bool_), np.float32(eye)
    for i in range(len(dx)):
        taken[:] = False
        long = math.sqrt(dx[i] * dx[i] + dy[i] * dy[i])
        f_x, f_y = np.float32(dx[i] / long), np.float32(dy[i] / long)
        for t in range(counts[i]):
            d, beside, radius, rank, ground, mx, there, high = things[i, t]
            wide = min(radius, np.float32(SLIM) * high)
            if there <= 0 or high <= LEAST_M or abs(beside) >= wide:
                continue
            aside = beside / wide
            swayed = np.float32(SWAY * wind) * np.float32(sine(turn + mx * SWAY_X))
            leafs, twigs, begins = _fade(d, LEAF_TO_M), _fade(d, TWIG_TO_M), _APART * rank
            _tell_thing(d, rank, wide, high, row, leans)
            foot, per_m = eye - ground, _ONE / high
            first = max(0, int(math.ceil((slope[0] + (foot - OVER * high) / d) / falls)))  # noqa: RUF046
            last = min(rows - 1, int(math.floor((slope[0] + (foot + UNDER_M) / d) / falls)))  # noqa: RUF046
            r = first - 1
            while r < last:
                r += 1
                if taken[r] or after[i, r] > t or left[i, r] < _LEAST or _NONE < depth[i, r] < d:
                    continue
                two = (
                    d > pairs_from
                    and r < last
                    and not (
                        taken[r + 1] or after[i, r + 1] > t or left[i, r + 1] < _LEAST or _NONE < depth[i, r + 1] < d
                    )
                )
                h = foot + (slope[r] - _HALF * falls if two else slope[r]) * d
                up = h * per_m
                q = aside + swayed * up * abs(up)
                cell = int(abs(q) * OFFS)
                if cell >= OFFS:
                    continue
                along = q * wide + begins
                clump = min(max(_rough(grain_of, CLUMP_M, along, h), -_MOST), _MOST)
                full = min(int((clump + _MOST) * _CLUMPS), CLUMPS - 1)
                if not shows[min(max(int((up + _LOW) * _UPS), 0), UPS - 1), cell, full]:
                    continue
                taken[r], after[i, r] = True, t + 1
                if two:
                    r += 1
                    taken[r], after[i, r] = True, t + 1
                leaf = leafs * _rough(grain_of, LEAF_M, along, h) if leafs > _NONE else _NONE
                twig = twigs * _rough(bloom_of, TWIG_M, along, h) if twigs > _NONE else _NONE
                _tell_point(q, h, up, clump, leaf, twig, f_x, f_y, row, leans)
                put(bits, out[n])
                pixels[n], whose[n] = -1 - (i * rows + r) if two else i * rows + r, i * THINGS + t
                n += 1
    return n


@kernel
def lay(given, pixels, whose, count, things, rows, light, density, far, left, own, before):  # type: ignore[no-untyped-def]
    """What the network gave (…, 5) before what is left open of pixels: into before (…, 3); own (…,): how far off.

    things (…, THING); light (6,): of the moment; density: of the air; far (C, 3): what colours fade into.
    """
    for n in range(count):
        last, thing = pixels[n], things[whose[n]]
        first = last
        if last < 0:
            last = -1 - last
            first = last - 1
        own_cover = sigmoid(given[n, 4]) * thing[6]
        veil, i = np.float32(1 - math.exp(-density * thing[0])), last // rows
        for at in range(first, last + 1):
            cover = own_cover * left[at]
            for j in range(3):
                colour = (given[n, j] + np.float32(0.4)) * (light[j] + light[3 + j] * given[n, 3])
                before[at, j] += cover * (colour + veil * (far[i, j] - colour))
            left[at] -= cover
            if own[at] == 0 and left[at] < np.float32(0.5):
                own[at] = thing[0]


@kernel
def over(picture, depth, mirror, left, own, before):  # type: ignore[no-untyped-def]
    """Lay what stands over flat pictures (…, 3), their depths, and how much they mirror."""
    for at in range(len(left)):
        if left[at] < 1:
            for j in range(3):
                picture[at, j] = picture[at, j] * left[at] + before[at, j]
            mirror[at] *= left[at]
            if own[at] > 0:
                depth[at] = own[at]


def stand(
    view: View, room: Room, textures: Textures, moment: Moment, now: Now, told: torch.Tensor, land: Land, about: Array,
    slope: Array, far: Array, picture: Array, depth: Array, mirror: Array,
) -> None:  # fmt: skip
    """Lay what stands close by over a picture (C, R, 3), its depth in m (C, R) and what it mirrors (C, R).

    about (N, ABOUT): the things about the walker, on which it is tried where anything shows; slope (R,): of lines of
    sight, falling; far (C, 3): what colours fade into.
    """
    columns, rows = depth.shape
    x0, y0, dx, dy = land.rays
    most, slender = (float(value) for value in standing_of(moment))
    things, counts = room("things", columns, THINGS, len(THING)), room("passed", columns, kind="i4")
    places, out = room("thing places", columns * THINGS, kind="i4"), room("thing features", 7, columns * THINGS)
    count = things_along(
        textures.land.numpy(), textures.grain.numpy(), textures.thing.numpy(), textures.town.numpy(), x0, y0, now.shift,
        dx, dy, *now.ahead, *land.coarse, land.level, float(cleared(moment)), most, slender,
        things, counts, places, out,
    )  # fmt: skip
    if not count:
        return
    terrain, flat = view.terrain, things.reshape(-1, len(THING))
    with torch.autocast("cpu", enabled=False):
        high = 10 * asked(terrain.stands, out, count, told.float())[:, 0]
    at = places[:count]
    foot = flat[at, 4]
    high *= flat[at, 7] * (1 - (land.level - foot) / SHALLOW_M).clip(0, 1)
    flat[at, 7] = np.minimum(high, float(ceiling(moment)) - foot)
    tried = about[about[:, 3] > LEAST_M]
    if not (flat[at, 7] > LEAST_M).any():
        return
    if not len(tried):  # nothing stands nearer than what throws no shade any more
        tried = flat[at][flat[at, 7] > LEAST_M][:, _AS_ABOUT]
    left, own = room("left", columns, rows), room("own", columns, rows)
    before, after = room("before", columns, rows, 3), room("after things", columns, rows, kind="u1")
    left[:], own[:], before[:], after[:] = 1, 0, 0, 0
    light, density = terrain.light(told)[0].float().numpy(), float(terrain.density(told))
    wind = now.wind * (1 - float(of_places(moment, "roof")))
    pixels, whose = (room(name, columns * rows, kind="i4") for name in ("body pixels", "body things"))
    told_of, shows = room.rows("body features", columns * rows, FEATURES), room("shows", UPS, OFFS, CLUMPS, kind="?")
    shader, sounding = view.bodies.shader, room.rows("soundings", len(_CHANCES), FEATURES)
    sounded(asked_rows(shader, sounding, sounding_features(tried, _CHANCES, sounding), told), shows)
    pairs_from = np.float32(_PAIRS_M if land.coarse[2] > 1 else math.inf)
    turn = (now.clock * SWAY_RAD_S) % (2 * math.pi)
    for _ in range(_LAYERS):
        count = body_features(
            things, counts, shows, depth, left, after, slope, land.eye, dx, dy, turn, wind, pairs_from,
            textures.grain.numpy(), textures.bloom.numpy(), pixels, whose, told_of,
        )  # fmt: skip
        if not count:
            break
        given: NDArray[np.float32] = asked_rows(shader, told_of, count, told)
        lay(
            given, pixels, whose, count, flat, rows, light, density, far, left.reshape(-1), own.reshape(-1),
            before.reshape(-1, 3),
        )  # fmt: skip
    over(
        picture.reshape(-1, 3), depth.reshape(-1), mirror.reshape(-1), left.reshape(-1), own.reshape(-1),
        before.reshape(-1, 3),
    )  # fmt: skip
