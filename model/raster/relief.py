"""How high the land stands along the rays of a picture's columns, and which of their points are seen."""

from __future__ import annotations

import math

import numpy as np

from model.camera import BODIES_M, SHADOW_AHEAD_M, SHADOW_M, SHADOWS_TO_M, SUN_AZIMUTH_RAD, WAVE_PER_M
from model.field import DETAIL_CELL_M, LAND_CELL_M, SIZE, TOWN_CELL_M
from model.land import SHORE_M, SHORE_SHARE
from model.looking import AT, FROM_M, NEARER_THAN_FAR_M
from model.raster.texture import clamp, inlined, kernel, nearest, put, sample_land, sample_of, sine, texel, whole

_HALVINGS = 5  # by which a wall is found between two points of a ray
_LAND_M = 0.9 * BODIES_M[0]  # nearer no height of the land tells what grows
_HOUSES_M = 420.0  # farther off a wall's place is exact enough


@kernel
def look(thing, x0, y0, dx, dy, fine, rings, things, most, slender, out):  # type: ignore[no-untyped-def]
    """Distances (C, K) of looks along rays into `out`. See `model.looking`.

    x0, y0: m, the detail's shift counted in; dx, dy (C,): m a metre of distance; fine: the places that are searched,
    in m; rings (C, F): looks far off; things: at how many a ray may look; most, slender: the highest rank that may
    stand, and how near the middle of a crown it is solid.
    """
    places, looks, far = len(fine), out.shape[1], rings.shape[1]
    own = np.zeros(things * len(AT), np.float32)
    for i in range(out.shape[0]):
        square = dx[i] * dx[i] + dy[i] * dy[i]
        last_u = last_v = np.float64(-1e9)
        found = 0
        for n in range(places):
            d = fine[n]
            if found == things:
                break
            u, v = (x0 + dx[i] * d) / DETAIL_CELL_M, (y0 + dy[i] * d) / DETAIL_CELL_M
            ui, vi = whole(u + 0.5), whole(v + 0.5)
            of = thing[(vi & (SIZE - 1)) * SIZE + (ui & (SIZE - 1))]
            middle_u, middle_v = ui + np.float64(of[0]), vi + np.float64(of[1])
            new = abs(middle_u - last_u) + abs(middle_v - last_v) > 0.1
            last_u, last_v = middle_u, middle_v
            if not new or of[3] > most:
                continue
            along = ((middle_u - u) * dx[i] + (middle_v - v) * dy[i]) / square
            beside_u, beside_v = middle_u - u - along * dx[i], middle_v - v - along * dy[i]
            solid = of[2] * (1 - slender)
            inside = solid * solid - beside_u * beside_u - beside_v * beside_v
            passes = d + along * DETAIL_CELL_M
            if not (inside > 0 and passes > FROM_M):
                continue
            half = math.sqrt(inside / square) * DETAIL_CELL_M
            for part in range(len(AT)):
                # Things overlap: nearly in order, so that few have to move.
                value = np.float32(clamp(passes - half * AT[part], fine[0], NEARER_THAN_FAR_M))
                at = found * len(AT) + part
                while at > 0 and own[at - 1] > value:
                    own[at] = own[at - 1]
                    at -= 1
                own[at] = value
            found += 1
        held, others = 0, looks - things * len(AT)
        number, k = 0, (things - found) * len(AT)
        out[i, :k] = fine[0]
        while k < looks:
            even = np.float32(1e9)
            if number < others - far:
                at_fine = number * (places - 1) / (others - far - 1)
                low = min(int(at_fine), places - 2)
                even = fine[low] + np.float32(at_fine - low) * (fine[low + 1] - fine[low])
            elif number < others:
                even = rings[i, number - others + far]
            if held < found * len(AT) and own[held] <= even:
                out[i, k] = own[held]
                held += 1
            else:
                out[i, k] = even
                number += 1
            k += 1


@kernel
def to_walls(town, x0, y0, dx, dy, out):  # type: ignore[no-untyped-def]
    """Move the two distances next to each wall, of `out` (C, K) along rays, to it.

    x0, y0: m, the town's shift counted in; dx, dy (C,): m a metre of distance.
    """
    c, looks = out.shape
    for i in range(c):
        before, last = False, np.float32(0)
        for k in range(looks):
            d = out[i, k]
            here = town[texel((x0 + dx[i] * d) / TOWN_CELL_M, (y0 + dy[i] * d) / TOWN_CELL_M), 0] > 0
            if k > 0 and here and not before and d < _HOUSES_M:
                near, far = last, d
                for _ in range(_HALVINGS):
                    middle = (near + far) / 2
                    at = texel((x0 + dx[i] * middle) / TOWN_CELL_M, (y0 + dy[i] * middle) / TOWN_CELL_M)
                    if town[at, 0] > 0:
                        far = middle
                    else:
                        near = middle
                out[i, k - 1], out[i, k] = near, far
            before, last = here, d


@kernel
def crests(land, x0, y0, dx, dy, fine, out):  # type: ignore[no-untyped-def]
    """Where rays look at mountains, in m, into `out` (C, F), of the places `fine` (F * n,). See `model.looking`."""
    closer = len(fine) // out.shape[1]
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            highest = np.float32(-1e9)
            for n in range(j * closer, (j + 1) * closer):
                d = fine[n]
                ridge = sample_of(land, 1, (x0 + dx[i] * d) / LAND_CELL_M, (y0 + dy[i] * d) / LAND_CELL_M)
                if ridge > highest:
                    highest, out[i, j] = ridge, d


@kernel
def between_rays(coarse, step, out):  # type: ignore[no-untyped-def]
    """What all rays have, (C, F), of what every `step`-th has, coarse (C', F)."""
    for i in range(out.shape[0]):
        i0 = i // step
        i1 = min(i0 + 1, coarse.shape[0] - 1)
        a = np.float32(i - i0 * step) / np.float32(step)
        for j in range(out.shape[1]):
            out[i, j] = coarse[i0, j] + a * (coarse[i1, j] - coarse[i0, j])


@kernel
def ground_features(land, x0, y0, dx, dy, shore, distance, out):  # type: ignore[no-untyped-def]
    """What the ground's network is told of points of rays, at distances (C, K) in m: into `out` (8, C * K)."""
    sin, cos = math.sin(shore[2]), math.cos(shore[2])
    looks = distance.shape[1]
    for i in range(len(dx)):
        for k in range(looks):
            n, d = i * looks + k, distance[i, k]
            look, far = math.log(d) / 4, min(d / 1000, 2.0)
            x, y = x0 + dx[i] * d, y0 + dy[i] * d
            a, b, c, e = sample_land(land, x / LAND_CELL_M, y / LAND_CELL_M)
            sea = (x - shore[0]) * sin + (y - shore[1]) * cos + 14 * a + 3 * e
            out[0, n], out[1, n], out[2, n], out[3, n] = a, b, c, e
            out[4, n], out[5, n] = sea / 40, clamp(sea / 100, -1.2, 2.5)
            out[6, n], out[7, n] = look, far


@kernel
def ground_between(coarse, at, step, distance, out, after):  # type: ignore[no-untyped-def]
    """Heights (C, K) in m from those of every `step`-th column: coarse (C', K') at distances `at` (K',).

    after (C, K): which of those distances each point lies beyond. The last looks, far off, are told apart: of coarse
    there are more columns than distances by their number.
    """
    looks, apart = out.shape[1], coarse.shape[1] - len(at)
    for i in range(out.shape[0]):
        i0 = i // step
        i1 = min(i0 + 1, coarse.shape[0] - 1)
        a = np.float32(i - i0 * step) / step
        k0 = 0
        for k in range(looks - apart, looks):
            n = len(at) + k - looks + apart
            out[i, k], after[i, k] = coarse[i0, n] + a * (coarse[i1, n] - coarse[i0, n]), len(at) - 2
        for k in range(looks - apart):
            while k0 < len(at) - 2 and at[k0 + 1] < distance[i, k]:
                k0 += 1
            after[i, k] = k0
            b = clamp((distance[i, k] - at[k0]) / (at[k0 + 1] - at[k0]), 0.0, 1.0)
            near = coarse[i0, k0] + a * (coarse[i1, k0] - coarse[i0, k0])
            far = coarse[i0, k0 + 1] + a * (coarse[i1, k0 + 1] - coarse[i0, k0 + 1])
            out[i, k] = near + b * (far - near)


@kernel
def to_shores(distance, ground, level, at, after):  # type: ignore[no-untyped-def]
    """Move the two distances next to each shore, of distance (C, K) in m, to it, and their ground (C, K) to the water's
    `level`. after (C, K): which of the distances `at` each lies beyond. See `model.land`.
    """
    for i in range(distance.shape[0]):
        d0, h0 = np.float32(0), np.float32(0)
        for k in range(distance.shape[1]):
            d1, h1 = distance[i, k], ground[i, k] - level
            if k > 0 and (h0 > 0) != (h1 > 0) and d1 > d0:
                shore = d0 + (d1 - d0) * clamp(h0 / (h0 - h1), 0.0, 1.0)
                distance[i, k - 1], distance[i, k] = shore, shore * (1 + SHORE_SHARE)
                ground[i, k - 1] = level + SHORE_M if h0 > 0 else level - SHORE_M
                ground[i, k] = level + SHORE_M if h1 > 0 else level - SHORE_M
                while after[i, k - 1] < len(at) - 2 and at[after[i, k - 1] + 1] < shore:
                    after[i, k - 1] += 1
                while after[i, k] > 0 and at[after[i, k]] > shore:
                    after[i, k] -= 1
            d0, h0 = d1, h1


@inlined
def _tell(land, detail, of, u, v, x, y, distance, ahead_x, ahead_y, crown, ground, row):  # type: ignore[no-untyped-def]
    """Into `row` (7,) what is told of a point (x, y), texels (u, v), of the thing `of` (4,): as model.field.THING."""
    right = (whole(u + 0.5) + of[0] - u) * DETAIL_CELL_M
    down = (whole(v + 0.5) + of[1] - v) * DETAIL_CELL_M
    away = max(distance + right * ahead_x + down * ahead_y, 1.0)
    row[0], row[1] = crown, of[3]
    row[2] = sample_of(land, 3, (x + right) / LAND_CELL_M, (y + down) / LAND_CELL_M)
    row[3], row[4], row[5] = ground / 40, math.log(away) / 4, min(away / 40, 2.0)
    row[6] = sample_of(detail, 2, u, v)
    return away


@kernel
def tree_features(  # type: ignore[no-untyped-def]
    land, detail, thing, x0, y0, shift, dx, dy, ahead_x, ahead_y, distance, ground, most, slender, out, places, shares
):  # fmt: skip
    """What the network of what stands is told of the points far off where something may: into out, uint16 (…, 7),
    bfloat16 by its bits; their numbers, column by column, into places, and how much of each the land's own height tells
    into shares; how many there are.
    """
    looks, n = distance.shape[1], 0
    row = np.zeros(7, np.float32)
    bits = row.view(np.uint32)
    for i in range(distance.shape[0]):
        for k in range(looks):
            d = distance[i, k]
            if d < _LAND_M:
                continue
            x, y = x0 + dx[i] * d, y0 + dy[i] * d
            u, v = (x + shift[0]) / DETAIL_CELL_M, (y + shift[1]) / DETAIL_CELL_M
            of = thing[nearest(u, v)]
            if of[3] > most:
                continue
            crown = sample_of(detail, 0, u, v)
            if crown > slender:
                away = _tell(land, detail, of, u, v, x, y, d, ahead_x, ahead_y, crown, ground[i, k], row)
                if away > BODIES_M[0]:
                    shares[n] = min((away - BODIES_M[0]) / (BODIES_M[1] - BODIES_M[0]), 1.0)
                    put(bits, out[n])
                    places[n] = i * looks + k
                    n += 1
    return n


@kernel
def house_features(town, x0, y0, shift, dx, dy, distance, places, hues, out):  # type: ignore[no-untyped-def]
    """What the network of houses is told of the points in them: into `out` (4, …); how many there are."""
    looks, n = distance.shape[1], 0
    for i in range(distance.shape[0]):
        for k in range(looks):
            d = distance[i, k]
            at = texel((x0 + dx[i] * d + shift[0]) / TOWN_CELL_M, (y0 + dy[i] * d + shift[1]) / TOWN_CELL_M)
            if town[at, 0] > 0:
                out[0, n], out[1, n] = town[at, 0], town[at, 1]
                out[2, n], out[3, n] = min(d / 4, 2.0), min(d / 40, 2.0)
                places[n], hues[n] = i * looks + k, town[at, 2]
                n += 1
    return n


@kernel
def sunward_features(town, x0, y0, shift, dx, dy, ahead_x, ahead_y, at, out, places):  # type: ignore[no-untyped-def]
    """Of houses that may throw a shadow on points of rays: what their network is told of them.

    They lie at each of SHADOW_M towards the sun. at (K,): distances in m. Into `out` (4, …) and `places`, numbers in
    (SHADOW_M, C, K); how many there are.
    """
    n, looks, columns = 0, len(at), len(dx)
    for step in range(len(SHADOW_M)):
        sx, sy = SHADOW_M[step] * math.sin(SUN_AZIMUTH_RAD), SHADOW_M[step] * math.cos(SUN_AZIMUTH_RAD)
        for i in range(columns):
            for k in range(looks):
                d = at[k]
                if d > SHADOWS_TO_M:
                    break
                x, y = x0 + dx[i] * d + sx, y0 + dy[i] * d + sy
                house = texel((x + shift[0]) / TOWN_CELL_M, (y + shift[1]) / TOWN_CELL_M)
                if town[house, 0] > 0:
                    z = max(d + sx * ahead_x + sy * ahead_y + SHADOW_AHEAD_M, 1.0)
                    out[0, n], out[1, n] = town[house, 0], town[house, 1]
                    out[2, n], out[3, n] = min(z / 4, 2.0), min(z / 40, 2.0)
                    places[n] = (step * columns + i) * looks + k
                    n += 1
    return n


@kernel
def waves(land, x0, y0, dx, dy, shore, swash, distance, ground, level, crest, trough):  # type: ignore[no-untyped-def]
    """Sine and cosine, (C, K), of the waves that run to a shore, where the ground (C, K) lies lower than `level`."""
    sin, cos = math.sin(shore[2]), math.cos(shore[2])
    for i in range(distance.shape[0]):
        for k in range(distance.shape[1]):
            if ground[i, k] > level:
                crest[i, k] = trough[i, k] = 0
                continue
            d = distance[i, k]
            x, y = x0 + dx[i] * d, y0 + dy[i] * d
            seaward = (x - shore[0]) * sin + (y - shore[1]) * cos
            wave = seaward * WAVE_PER_M + swash + 1.3 * sample_of(land, 3, x / LAND_CELL_M, y / LAND_CELL_M)
            crest[i, k], trough[i, k] = sine(wave), sine(wave + math.pi / 2)


@kernel
def seen(  # type: ignore[no-untyped-def]
    distance, ground, tall, house, crest, eye, level, swell, ceiling, least, first, places, rises, joined
):
    """The points that nothing nearer hides: their numbers and how steeply one looks up to them; first (C + 1,): where
    each column's begin; joined: whether a point goes on from the one before it, nothing between them being hidden.

    Of points that rise by less than `least` one after the other, some are left out. How many there are.
    """
    looks, n = distance.shape[1], 0
    for i in range(distance.shape[0]):
        first[i], edge, on = n, np.float32(-1e9), False
        for k in range(looks):
            depth = level - ground[i, k]
            if depth > 0:
                top = np.float64(level)
                if crest.size:
                    top += swell * crest[i, k] * min(depth * 0.5, 1.0)
            else:
                top = ground[i, k] + tall[i, k] + house[i, k]
            rise = np.float32((min(top, ceiling) - eye) / distance[i, k])
            if rise < edge:
                on = False
            elif not (on and rise - edge < least):
                edge = rise
                places[n], rises[n], joined[n] = i * looks + k, rise, on
                on = True
                n += 1
    first[distance.shape[0]] = n
    return n
