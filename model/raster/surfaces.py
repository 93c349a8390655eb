"""What the points that are seen tell the network of surfaces, and the colours it gives."""

from __future__ import annotations

import math

import numpy as np

from model.camera import (
    GRASS_RAD_S,
    GRASS_X,
    GRASS_Y,
    HOUSE_M,
    RIPPLE_SCALE,
    SHADOW_M,
    SHADOWS_TO_M,
    SIDE_M,
    SUN_AZIMUTH_RAD,
    SWAY_RAD_S,
    SWAY_X,
    WEB_SCALE,
)
from model.field import DETAIL_CELL_M, LAND_CELL_M, SIZE
from model.land import FEATURES, GAP_M
from model.points import MIRRORS_TO_M
from model.raster.texture import clamp, inlined, kernel, nearest, put, sample, sample_land, sample_of, sigmoid, sine

SUN_X, SUN_Y = math.sin(SUN_AZIMUTH_RAD), math.cos(SUN_AZIMUTH_RAD)
_SIDE_U, _SIDE_V = SIDE_M / DETAIL_CELL_M * SUN_X, SIDE_M / DETAIL_CELL_M * SUN_Y
_TURN = 2 * math.pi
_CLOSE_M, _ALIKE = 150.0, 0.01  # how near, and how alike in distance, what is not asked about
# Of a point that is seen: distance in m, x and y in m, height in m of ground, of what grows and of a house there, the
# house's hue, crown, rank, ripples times what they are to a mirror, and how deep it lies under water.
POINT = ("distance", "x", "y", "ground", "tall", "house", "hue", "crown", "rank", "tremor", "depth")


@kernel
def chosen(first, places, looks, distance, tall, house, ground, level, every, asked, between):  # type: ignore[no-untyped-def]
    """Which of the points `places` (count,) the network is asked about: their numbers into asked; how many.

    The others are even ground close by, of every second column, and as far off as points to both of their sides: the
    numbers of these stand in between (count, 2), where -1 is for all that are asked about. first (C + 1,): where each
    column's points begin. every: whether all are asked about.
    """
    count = 0
    for i in range(len(first) - 1):
        mixed = not every and i % 2 == 1 and i + 2 < len(first)
        left, right = (first[i - 1], first[i + 1]) if mixed else (0, 0)
        for n in range(first[i], first[i + 1]):
            between[n, 0] = between[n, 1] = -1
            k = places[n] % looks
            if mixed and _even(distance, tall, house, ground, level, i, k):
                d, near = distance[i, k], distance[i, k] * np.float32(1 - _ALIKE)
                while left < first[i] and distance[i - 1, places[left] % looks] < near:
                    left += 1
                while right < first[i + 2] and distance[i + 1, places[right] % looks] < near:
                    right += 1
                if (
                    left < first[i]
                    and right < first[i + 2]
                    and distance[i - 1, places[left] % looks] < d * np.float32(1 + _ALIKE)
                    and distance[i + 1, places[right] % looks] < d * np.float32(1 + _ALIKE)
                    and _even(distance, tall, house, ground, level, i - 1, places[left] % looks)
                    and _even(distance, tall, house, ground, level, i + 1, places[right] % looks)
                ):
                    between[n, 0], between[n, 1] = left, right
                    continue
            asked[count] = n
            count += 1
    return count


@inlined
def _even(distance, tall, house, ground, level, i, k):  # type: ignore[no-untyped-def]
    """Whether a point is dry ground close by."""
    return distance[i, k] < _CLOSE_M and tall[i, k] <= 0 and house[i, k] <= 0 and ground[i, k] > level


@kernel
def surface_features(  # type: ignore[no-untyped-def]
    land, detail, grain_of, x0, y0, shift, dx, dy, off_sun, distance, ground, tall, house, hue, crest, trough,
    sunward, at, after, step, tangent, places, asked, count, clock, level, sunken, wind, rain, points, out,
):  # fmt: skip
    """Of the points `places` those `asked` (count,) into `points` (…, POINT) and what the network is told of them into
    `out`, one after the other.

    off_sun (C, 2): how near each column's bearing is to the sun's. crest, trough (C, K): of waves; empty where no sea
    is. sunward (SHADOW_M, C', K'): how high what lies towards the sun of every `step`-th column and point stands, at
    distances `at` (K',); empty where nothing does. after (C, K): which of those a point lies beyond. tangent: of the
    sun's height. clock: s. out: uint16 (…, FEATURES), bfloat16 by its bits.
    """
    looks = distance.shape[1]
    row = np.zeros(FEATURES, np.float32)
    bits = row.view(np.uint32)
    ripple_x, ripple_y = (clock * 1.5) % SIZE, (clock * 0.8) % SIZE
    web_x, web_y = (clock * 0.7) % SIZE, (clock * 0.5) % SIZE
    gleam_at, sway_at, grass_at = (clock * 1.1) % _TURN, (clock * SWAY_RAD_S) % _TURN, (clock * GRASS_RAD_S) % _TURN
    mirror_gain, has_sea = 0.4 + 1.2 * wind, crest.size > 0
    for m in range(count):
        n = asked[m]
        i, k = places[n] // looks, places[n] % looks
        d = distance[i, k]
        x, y = x0 + dx[i] * d, y0 + dy[i] * d
        u, v = (x + shift[0]) / DETAIL_CELL_M, (y + shift[1]) / DETAIL_CELL_M
        a, b, c, e = sample_land(land, x / LAND_CELL_M, y / LAND_CELL_M)
        crown, rank = sample_of(detail, 0, u, v), detail[nearest(u, v), 1]
        gap = GAP_M[0] + GAP_M[1] * d
        a1, b1, c1, e1 = sample_land(land, (x + gap * SUN_X) / LAND_CELL_M, (y + gap * SUN_Y) / LAND_CELL_M)
        side = 0.0
        if tall[i, k] > 0:
            side = clamp(5 * (crown - sample_of(detail, 0, u + _SIDE_U, v + _SIDE_V)), -1.0, 1.0)
        fade = clamp(1.4 - d / 160, 0.0, 1.0)
        grain = sample(grain_of, u, v) * fade if fade > 0 else 0.0
        high = ground[i, k]
        depth = max(level - high, 0.0)
        wet = depth > 0
        ripple = 0.0
        if wet:
            ripple = sample(grain_of, x * RIPPLE_SCALE + ripple_x, y * RIPPLE_SCALE - ripple_y) / (1 + d * 0.012)
        row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7] = a, b, c, e, crown, rank, grain, side
        row[8] = ripple
        if has_sea:
            row[9], row[10] = crest[i, k], trough[i, k]
        row[11] = 1.0 if wet else 0.0
        row[12] = min(depth, 8.0) / 4
        row[13] = math.exp(-depth * 2) if wet else 1.0
        row[14], row[15], row[16] = clamp((high - level) / 2, -2.0, 2.0), high / 40, tall[i, k] / 10
        turned = 8 / gap
        row[17], row[18], row[19], row[20] = (a1 - a) * turned, (b1 - b) * turned, (c1 - c) * turned, (e1 - e) * turned
        row[21], row[22] = off_sun[i, 0], off_sun[i, 1]
        row[23], row[24] = math.log(d) / 4, 1 / (1 + d * 0.028)
        row[25], row[26] = sine(sway_at + x * SWAY_X), sine(grass_at + x * GRASS_X + y * GRASS_Y)
        row[27] = clamp(house[i, k] / HOUSE_M, 0.0, 1.0)
        row[28] = hue[i, k] * row[27]
        row[29] = sine(gleam_at + 5 * e)
        if sunken:
            run = sample(grain_of, x * WEB_SCALE + web_x, y * WEB_SCALE - web_y)
            row[30] = math.exp(-9 * run * run) * clamp(1.1 - d / 55, 0.0, 1.0)
            row[31], row[32] = sine(rank * 9 * _TURN), sine(rank * 9 * _TURN + _TURN / 4)
        row[33] = row[34] = row[35] = 0
        if sunward.size and d < SHADOWS_TO_M and not wet and house[i, k] < 0.3:
            i0, k0 = i // step, after[i, k]
            i1, beside = min(i0 + 1, sunward.shape[1] - 1), (i - i0 * step) / step
            beyond = clamp((d - at[k0]) / (at[k0 + 1] - at[k0]), 0.0, 1.0)
            own, dim = max(tall[i, k], 0.0), clamp(1.4 - d * (1.4 / SHADOWS_TO_M), 0.0, 1.0)
            for s in range(len(SHADOW_M)):
                stands = (sunward[s, i0, k0] * (1 - beside) + sunward[s, i1, k0] * beside) * (1 - beyond)
                stands += (sunward[s, i0, k0 + 1] * (1 - beside) + sunward[s, i1, k0 + 1] * beside) * beyond
                above = clamp((stands - own - SHADOW_M[s] * tangent) / 3 + 1, 0.0, 2.0)
                row[33 + s] = above * clamp(stands, 0.0, 1.0) * dim
        put(bits, out[m])
        p = points[n]
        p[0], p[1], p[2], p[3], p[4] = d, x, y, high, tall[i, k]
        p[5], p[6], p[7], p[8] = house[i, k], hue[i, k], crown, rank
        p[10] = depth
        p[9] = ripple * mirror_gain if wet else 0.35 * grain * (1 + rain)


@kernel
def lit(given, places, asked, count, looks, light, density, far, points, shown):  # type: ignore[no-untyped-def]
    """What the network gave (…, SURFACE) of points asked (count,) as colours in the light (6,) of the moment, veiled
    towards far (C, 3) by the air's density, and how much each mirrors: into `shown` (…, 4).
    """
    for m in range(count):
        n = asked[m]
        i = places[n] // looks
        veil, direct = np.float32(1 - math.exp(-density * points[n, 0])), given[m, 3]
        for j in range(3):
            colour = (given[m, j] + np.float32(0.4)) * (light[j] + light[3 + j] * direct)
            shown[n, j] = colour + veil * (far[i, j] - colour)
        shown[n, 3] = sigmoid(given[m, 4] - np.float32(2)) if points[n, 5] < MIRRORS_TO_M else np.float32(0)


@kernel
def mix(between, count, distance, places, points, shown):  # type: ignore[no-untyped-def]
    """Points that lie `between` (count, 2) others, and what they show: half of either; distance (C, K) is their own."""
    half, looks = np.float32(0.5), distance.shape[1]
    for n in range(count):
        left, right = between[n]
        if left >= 0:
            for j in range(points.shape[1]):
                points[n, j] = half * (points[left, j] + points[right, j])
            points[n, 0] = distance[places[n] // looks, places[n] % looks]
            for j in range(4):
                shown[n, j] = half * (shown[left, j] + shown[right, j])
