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
from model.raster.lanes import padded_of, samples
from model.raster.room import Array, Now, Room, asked, asked_rows
from model.raster.shade import ground_there
from model.raster.surfaces import SUN_X, SUN_Y
from model.raster.texture import clamp, inlined, kernel, sample, sample_of, sigmoid, sine, texel
from model.shading import Moment, Textures, cleared, of_places
from model.view import View

# Numbers of 32 bits: with those of 64 a walk takes a third longer.
_NONE, _ONE, _TWO, _SIX, _SEVEN, _HALF, _TENTH = (np.float32(value) for value in (0, 1, 2, 6, 7, 0.5, 0.1))
_LEAST, _APART, _MOST, _FAN = (np.float32(value) for value in (0.02, APART_M, MOST_CLUMP, FAN))
_PER_TIER, _PER_KNOT, _SUN_X, _SUN_Y = (np.float32(value) for value in (1 / TIER_M, 1 / KNOT_M, SUN_X, SUN_Y))
_DROOP, _UNEVEN, _LEAN, _FOOT, _BENT = (np.float32(value) for value in (DROOP, UNEVEN, LEAN, FAN_FOOT, BENT))
_OF_THINGS = (6, 7, 8, 17, 19, 20, 21, 22, 23)  # features that all points of one share
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
_DONE = 255  # for the first thing that is not behind those laid: there is none
_LAID = 100  # more, and it has just been laid: there are fewer things on a ray
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
def _look_closely(texture, texel_m, share, along, h, count, u, v, out):  # type: ignore[no-untyped-def]
    """How rough points are by a padded texture with texels so wide, so much of it: into out (…,)."""
    if share <= _NONE:
        out[:count] = _NONE
        return
    texels = np.float32(1 / texel_m)
    for j in range(count + 8):
        u[j], v[j] = along[j] * texels, h[j] * texels
    samples(texture, u, v, count, out)
    for j in range(count):
        out[j] *= share * np.float32(ROUGH)


@inlined
def _tell_thing(d, rank, wide, high, row, leans):  # type: ignore[no-untyped-def]
    """What is told of all points of a thing alike, into row (FEATURES,) and leans (CULMS,)."""
    row[6], row[7], row[8], row[17] = high / 10, wide / 3, rank, math.sin(40 * rank)
    row[19], row[20], row[21] = 1 / (1 + d * 0.028), d / 100, 16 / (d + 4)
    row[22], row[23] = sine(rank * 18 * math.pi), sine(rank * 18 * math.pi + math.pi / 2)
    for c in range(len(_STEMS)):
        leans[c] = _LEAN * sine(9 * rank + _STEMS[c, 1])


@inlined
def _tell_points(count, q, h, up, clump, f_x, f_y, row, leans, block):  # type: ignore[no-untyped-def]
    """What is told of points of the front of a thing (…,), into block (FEATURES, …), where leaf and twig stand already;
    f_x, f_y: the way one looks; row, leans: as `_tell_thing` gives. See `model.bodies.told_of`.
    """
    off, front, leaf = block[1], block[3], block[9]
    for j in range(count):
        block[0, j], off[j] = q[j], abs(q[j])
        block[2, j], front[j] = q[j] * q[j], math.sqrt(max(_ONE - q[j] * q[j], _NONE))
    for j in range(count):
        block[4, j], block[5, j], block[11, j] = up[j], h[j] * _TENTH, clump[j]
    for j in range(count):
        level = h[j] * _PER_TIER + _SEVEN * row[8] + _DROOP * off[j] + _UNEVEN * clump[j]
        block[12, j] = level - np.floor(level)
    for j in range(count):
        knots = h[j] * _PER_KNOT + row[8]
        block[13, j] = _SEVEN * max(_TWO * abs(knots - np.floor(knots) - _HALF) - _KNOT, _NONE)
    for j in range(count):
        culm = np.float32(9)
        for c in range(len(_STEMS)):
            beside_it = q[j] - _STEMS[c, 0] - leans[c] * up[j]
            culm = beside_it if abs(beside_it) < abs(culm) else culm
        block[14, j], block[15, j] = culm, abs(culm)
    for j in range(count):
        turn = _FAN * q[j] / (off[j] + max(up[j], _NONE) + _FOOT) + _BENT * clump[j]
        block[16, j] = np.float32(sine(turn))
    for j in range(count):
        block[18, j] = (q[j] * f_y - front[j] * f_x) * _SUN_X - (q[j] * f_x + front[j] * f_y) * _SUN_Y
    for j in range(count):
        block[24, j] = min(max(_SIX * up[j], _NONE), _ONE)
        block[25, j] = math.sqrt(max(_ONE - up[j], _NONE))
    for j in range(count):
        block[26, j], block[27, j] = leaf[j] * off[j], clump[j] * off[j]
    for f in _OF_THINGS:
        for j in range(count):
            block[f, j] = row[f]


@inlined
def _put(block, bits, half, count, out, first):  # type: ignore[no-untyped-def]
    """Features (FEATURES, …) of points, bits being theirs, into rows of out from `first` on, bfloat16 by its bits."""
    for f in range(FEATURES):
        for j in range(count):
            half[f, j] = np.uint16((bits[f, j] + np.uint32(0x8000)) >> np.uint32(16))
    for j in range(count):
        for f in range(FEATURES):
            out[first + j, f] = half[f, j]


@kernel
def sounding_features(things, chances, out):  # type: ignore[no-untyped-def]
    """What the network is told of points all over boxes of things of a picture, cell by cell (UPS, OFFS, CLUMPS,
    _SOUNDINGS): into out uint16 (…, FEATURES), bfloat16 by its bits. things (…, ABOUT), which are asked about in
    turn; chances (…, 5): where in its cell each point is, and its textures.
    """
    row, leans, n = np.zeros(FEATURES, np.float32), np.zeros(len(_STEMS), np.float32), 0
    block, half = np.zeros((FEATURES, _SOUNDINGS), np.float32), np.zeros((FEATURES, _SOUNDINGS), np.uint16)
    room = np.zeros((4, _SOUNDINGS), np.float32)
    q, h, up, clump = room[0], room[1], room[2], room[3]
    bits = block.view(np.uint32)
    for a in range(UPS):
        for b in range(OFFS):
            for c in range(CLUMPS):
                _, _, radius, high, d, rank = things[n // _SOUNDINGS * _STRIDE % len(things)]
                _tell_thing(d, rank, min(radius, np.float32(SLIM) * high), high, row, leans)
                for k in range(_SOUNDINGS):
                    chance = chances[n + k]
                    up[k] = (a + chance[0]) * np.float32(HIGH / UPS) - _LOW
                    q[k] = (b + chance[1]) * np.float32(1 / OFFS) * (1 if k % 2 else -1)
                    h[k] = up[k] * high
                    clump[k] = (2 * (c + chance[2]) / CLUMPS - 1) * _MOST
                    block[9, k] = (2 * chance[3] - 1) * _fade(d, LEAF_TO_M)
                    block[10, k] = (2 * chance[4] - 1) * _fade(d, TWIG_TO_M)
                _tell_points(_SOUNDINGS, q, h, up, clump, _NONE, _ONE, row, leans, block)
                _put(block, bits, half, _SOUNDINGS, out, n)
                n += _SOUNDINGS
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
    much of it is open yet; after (C, R): the first thing that is not behind those laid; it becomes the next one, or
    _DONE. turn: rad, of the swaying; wind 0..1.
    """
    n, rows = 0, depth.shape[1]
    row, leans = np.zeros(FEATURES, np.float32), np.zeros(len(_STEMS), np.float32)
    block, half = np.zeros((FEATURES, rows + 8), np.float32), np.zeros((FEATURES, rows + 8), np.uint16)
    room = np.zeros((7, rows + 8), np.float32)
    qs, hs, ups, clumps, along, us, vs = room[0], room[1], room[2], room[3], room[4], room[5], room[6]
    bits, leaf, twig = block.view(np.uint32), block[9], block[10]
    falls = slope[0] - slope[1]
    eye = np.float32(eye)
    somewhere = np.zeros((UPS, OFFS), np.bool_)  # in which cells anything shows, however full a crown is there
    for a in range(UPS):
        for b in range(OFFS):
            for c in range(CLUMPS):
                somewhere[a, b] |= shows[a, b, c]
    # Of a column's rows: which can yet be laid in, where in these each begins, what is laid next, how far the land is.
    still, at_row = np.zeros(rows + 1, np.int32), np.zeros(rows + 1, np.int32)
    following, land = np.zeros(rows, np.uint8), np.zeros(rows, np.float32)
    for i in range(len(dx)):
        if counts[i] == 0:
            continue
        open_rows = 0
        for r in range(rows):
            at_row[r] = open_rows
            if after[i, r] != _DONE and left[i, r] >= _LEAST:
                still[open_rows], following[r] = r, after[i, r]
                land[r] = depth[i, r] if depth[i, r] > _NONE else np.float32(1e9)
                open_rows += 1
        if open_rows == 0:
            continue
        at_row[rows], still[open_rows] = open_rows, -1
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
            if last < first:  # it stands above the picture, or below it
                continue
            count, o, end = 0, at_row[first] - 1, at_row[last + 1]
            while o + 1 < end:
                o += 1
                r = still[o]
                if following[r] > t or land[r] < d:
                    continue
                two = (
                    d > pairs_from and r < last and still[o + 1] == r + 1 and following[r + 1] <= t and land[r + 1] >= d
                )
                h = foot + (slope[r] - _HALF * falls if two else slope[r]) * d
                up = h * per_m
                q = aside + swayed * up * abs(up)
                cell = int(abs(q) * OFFS)
                above = min(max(int((up + _LOW) * _UPS), 0), UPS - 1)
                if cell >= OFFS or not somewhere[above, cell]:
                    continue
                at = q * wide + begins
                clump = min(max(_rough(grain_of, CLUMP_M, at, h), -_MOST), _MOST)
                full = min(int((clump + _MOST) * _CLUMPS), CLUMPS - 1)
                if not shows[above, cell, full]:
                    continue
                following[r] = _LAID + t + 1
                if two:
                    r, o = r + 1, o + 1
                    following[r] = _LAID + t + 1
                qs[count], hs[count], ups[count], clumps[count], along[count] = q, h, up, clump, at
                pixels[n + count], whose[n + count] = -1 - (i * rows + r) if two else i * rows + r, i * THINGS + t
                count += 1
            if count == 0:
                continue
            _look_closely(grain_of, LEAF_M, leafs, along, hs, count, us, vs, leaf)
            _look_closely(bloom_of, TWIG_M, twigs, along, hs, count, us, vs, twig)
            _tell_points(count, qs, hs, ups, clumps, f_x, f_y, row, leans, block)
            _put(block, bits, half, count, out, n)
            n += count
        # What nothing stood before now, nothing stands before.
        for o in range(open_rows):
            laid = following[still[o]]
            after[i, still[o]] = laid - _LAID if laid > _LAID else _DONE
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
            padded_of(textures, "grain"), padded_of(textures, "bloom"), pixels, whose, told_of,
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
