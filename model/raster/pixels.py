"""From points that are seen to pixels: what each shows, leaves and windows close by, and what water mirrors.

Pictures lie here column by column: (C, R, …), as rays do.
"""

from __future__ import annotations

import math

import numpy as np

from model.camera import (
    BLOOM_SCALE,
    BUMP_M,
    CRAGS_M,
    FLOOR_M,
    HOUSE_M,
    RIPPLE_RAD,
    ROCK_HIGH,
    ROCK_M,
    ROCK_SHARE,
    SAND_BEND,
    SAND_JAG,
    SAND_X,
    SAND_Y,
    SHADE_TO_M,
    WALL_FROM_M,
    WALL_ROCK_M,
    WINDOW_M,
    wall_of,
)
from model.field import DETAIL_CELL_M, FINE_CELL_M, GRIT_CELL_M, LAND_CELL_M
from model.litter import BLOOM_M, CLOSED, DARKEST, FINE_M, GRIT_M, SAND_M, SHADE
from model.points import STANDS_M
from model.raster.surfaces import SUN_X, SUN_Y
from model.raster.texture import (
    clamp,
    inlined,
    kernel,
    put,
    sample,
    sample_land,
    sample_of,
    sigmoid,
    sine,
    smooth,
    whole,
)

_ONE = np.float32(1)
_MIRRORS = 0.02  # less than this is no mirror
_SHADES = 0.01  # and less than this no shade
FRONTS = 18  # features
_DARKEST = np.float32(DARKEST)
_BUMP_U, _BUMP_V = BUMP_M * SUN_X / FINE_CELL_M, BUMP_M * SUN_Y / FINE_CELL_M


@kernel
def paint(  # type: ignore[no-untyped-def]
    first, rises, joined, points, shown, slope, eye, focal_px, picture, at, depth, mirror, tremor
):
    """Land into `picture` (C, R, 3); at (C, R): which point a pixel shows; depth in m, 0 for the sky; mirror, tremor.

    slope (R,): of lines of sight, falling. What the land leaves to the sky is not drawn.
    """
    flat_eye, least = max(eye, 0.5), 1.0 / focal_px
    for c in range(picture.shape[0]):
        begin, end, r = first[c], first[c + 1], picture.shape[1] - 1
        low = np.float32(-1e9)
        for n in range(begin, end):
            high, d = rises[n], points[n, 0]
            on = joined[n]
            before = n - 1 if on else n
            d0 = points[before, 0]
            over = 1e-6
            if on:
                flat = max(flat_eye * (1 / d0 - 1 / d), 1e-6)
                over = high - low
                # What stands is one body from its foot to its top, and so is a slope; not what stands before a slope.
                if (points[before, 4] + points[before, 5] > STANDS_M) != (points[n, 4] + points[n, 5] > STANDS_M):
                    over = min(over, max(1.5 * flat, least))
                over = max(over, 1e-6)
            while r >= 0 and slope[r] <= high:
                share = np.float32(1)
                if on:
                    share = min(max((slope[r] - low) / over, np.float32(0)), np.float32(1))
                for j in range(3):
                    picture[c, r, j] = shown[before, j] + share * (shown[n, j] - shown[before, j])
                mirror[c, r] = shown[before, 3] + share * (shown[n, 3] - shown[before, 3])
                tremor[c, r] = points[before, 9] + share * (points[n, 9] - points[before, 9])
                depth[c, r] = d0 + share * (d - d0)
                at[c, r] = n
                r -= 1
            low = high
        # The soft border over the last edge has its colour; above it there is sky.
        n = end - 1
        while r >= 0 and (low - slope[r]) * focal_px + 0.5 > 0:
            for j in range(3):
                picture[c, r, j] = shown[n, j]
            seen = (low - slope[r]) * focal_px + 0.5 > 0.5
            mirror[c, r], tremor[c, r] = (shown[n, 3], points[n, 9]) if seen else (np.float32(0), np.float32(0))
            depth[c, r] = points[n, 0] if seen else np.float32(0)
            at[c, r] = n
            r -= 1
        for y in range(r + 1):
            depth[c, y] = mirror[c, y] = 0


@inlined
def _fade(d, to):  # type: ignore[no-untyped-def]
    return min(max((np.float32(to[0]) - d) * np.float32(1 / (to[0] - to[1])), np.float32(0)), np.float32(1))


@inlined
def _rock(grain_of, x, y, h, d):  # type: ignore[no-untyped-def]
    """See `model.litter.rock`."""
    octave = math.log2(clamp(d * ROCK_SHARE, ROCK_M[0], 0.999 * ROCK_M[1]))
    fine = math.floor(octave)
    texels, beyond = 2.0**-fine, np.float32(octave - fine)
    high = h * ROCK_HIGH * texels
    rough = sample(grain_of, x * texels, high) + sample(grain_of, y * texels + 50, high)
    texels, high = 0.5 * texels, 0.5 * high
    coarse = sample(grain_of, x * texels, high) + sample(grain_of, y * texels + 50, high)
    return np.float32(0.5) * (rough + beyond * (coarse - rough))


_wall_of = inlined(wall_of)


@inlined
def _wall(hills, patch, d, walls):  # type: ignore[no-untyped-def]
    """How much of the ground is a wall; walls: of those that are about, the share that are rock and nothing else."""
    wall = min(8 * _wall_of(hills, patch), 1.0)
    return np.float32(wall * smooth((d - WALL_FROM_M) / WALL_ROCK_M) * walls)


@kernel
def strew(  # type: ignore[no-untyped-def]
    picture, at, depth, points, x0, y0, dx, dy, slope, eye, shift, land, grain_of, bloom_of, shade_of, gains, blossoms,
    density, sandy, flowers, shaded, valley, walls,
):  # fmt: skip
    """Lay what bare ground is rough with over picture (C, R, 3). See `model.litter`.

    gains (KINDS, 3): how much each of the textures shows; blossoms (BLOSSOM,): what is told of them; shade_of (512²,):
    see `model.raster.shade`; density: of the air; valley: m, over which a mountain is rock, infinite where none is;
    walls: as `_wall` has it.
    """
    dark_r, dark_g, dark_b = gains[SHADE]
    shaded = shaded and max(abs(dark_r), abs(dark_g), abs(dark_b)) > _SHADES
    to_m = max(BLOOM_M[0] if flowers else FINE_M[0], SHADE_TO_M[0] if shaded else 0.0)
    fine_r, fine_g, fine_b = gains[0]
    bump_r, bump_g, bump_b = gains[1]
    grit_r, grit_g, grit_b = gains[2]
    sand_r, sand_g, sand_b = gains[3]
    crag_r, crag_g, crag_b = gains[4]
    wall_r, wall_g, wall_b = gains[5]
    opens, patchy, closed, kind, first, haze = blossoms[:6]
    # A patch adds or takes little: most of the ground need not ask for it.
    shut = -(closed + 2.5 * abs(patchy) + CLOSED) / opens if opens > 0 else -1e9
    rocky = walls > 0 or valley < 1e9
    for c in range(picture.shape[0]):
        point, covered = -1, False
        for r in range(picture.shape[1] - 1, -1, -1):
            d = depth[c, r]
            if d <= 0 or (d >= to_m and not rocky):
                break  # what is higher in the picture is farther off, or stands
            if at[c, r] != point:
                point = at[c, r]
                p = points[point]
                covered = p[10] > 0 or p[4] >= STANDS_M or p[5] >= STANDS_M
            if covered:
                continue
            h = eye + slope[r] * d
            crag = np.float32(clamp((h - valley) / CRAGS_M[1], 0.0, 1.0))
            if d >= to_m and not (crag > 0 or walls > 0):
                continue
            x, y = x0 + dx[c] * d, y0 + dy[c] * d
            red = green = blue = ground = np.float32(1)
            if walls > 0:
                hills, _, _, patch = sample_land(land, x / LAND_CELL_M, y / LAND_CELL_M)
                wall = _wall(hills, patch, d, walls)
                ground = np.float32(1) - wall
                crag *= ground
            else:
                wall = np.float32(0)
            if crag + wall > 0:
                rough = _rock(grain_of, x, y, h, d) * np.float32(math.exp(-density * d))
                crag, wall = crag * rough, wall * rough
                red += crag_r * crag + wall_r * wall
                green += crag_g * crag + wall_g * wall
                blue += crag_b * crag + wall_b * wall
            near = _fade(d, FINE_M) * ground
            if near > 0:
                u, v = x / FINE_CELL_M, y / FINE_CELL_M
                fine = sample(grain_of, u, v)
                bump = (sample(grain_of, u + _BUMP_U, v + _BUMP_V) - fine) * near
                fine *= near
                red += fine_r * fine + bump_r * bump
                green += fine_g * fine + bump_g * bump
                blue += fine_b * fine + bump_b * bump
            near = _fade(d, GRIT_M) * ground
            if near > 0:
                grit = sample(bloom_of, x / GRIT_CELL_M, y / GRIT_CELL_M) * near
                red += grit_r * grit
                green += grit_g * grit
                blue += grit_b * grit
            u, v = (x + shift[0]) / DETAIL_CELL_M, (y + shift[1]) / DETAIL_CELL_M
            near = _fade(d, SAND_M) if sandy else np.float32(0)
            if near > 0:
                patch = sample_of(land, 3, x / LAND_CELL_M, y / LAND_CELL_M)
                grain = sample(grain_of, u, v)
                sand = sine(x * SAND_X + y * SAND_Y + SAND_BEND * patch + SAND_JAG * grain)
                sand *= clamp(0.6 + 0.3 * patch + 0.3 * grain, 0.0, 1.0) * near
                red += sand_r * sand
                green += sand_g * sand
                blue += sand_b * sand
            red, green, blue = max(red, _DARKEST), max(green, _DARKEST), max(blue, _DARKEST)
            near = _fade(d, BLOOM_M) * ground if flowers else np.float32(0)
            if near > 0:
                bloom = sample(bloom_of, u * BLOOM_SCALE, v * BLOOM_SCALE)
                if bloom > shut:
                    patch = sample_of(land, 3, x / LAND_CELL_M, y / LAND_CELL_M)
                    open_by = opens * bloom + patchy * patch + closed
                    if open_by > -CLOSED:
                        shown = sigmoid(open_by) * near * math.exp(-haze * d / 30)
                        share = sigmoid(kind * patch + first)
                        red += shown * (blossoms[9] + share * (blossoms[6] - blossoms[9]))
                        green += shown * (blossoms[10] + share * (blossoms[7] - blossoms[10]))
                        blue += shown * (blossoms[11] + share * (blossoms[8] - blossoms[11]))
            near = _fade(d, SHADE_TO_M) if shaded else np.float32(0)
            if near > 0:
                near *= sample(shade_of, u, v)
                red *= max(1 + dark_r * near, np.float32(0))
                green *= max(1 + dark_g * near, np.float32(0))
                blue *= max(1 + dark_b * near, np.float32(0))
            picture[c, r, 0] *= red
            picture[c, r, 1] *= green
            picture[c, r, 2] *= blue


@inlined
def _chance(i, j, k):  # type: ignore[no-untyped-def]
    return np.float32(((i * 73856093) ^ (j * 19349663) ^ (k * 83492791)) & 1023) / 1023


@kernel
def front_features(picture, at, depth, points, slope, eye, pixels, out):  # type: ignore[no-untyped-def]
    """What the network of fronts is told of pixels that show houses: into `out` uint16 (…, FRONTS), bfloat16 by its
    bits; how many there are.
    """
    count, rows = 0, picture.shape[1]
    row = np.zeros(FRONTS, np.float32)
    bits = row.view(np.uint32)
    for c in range(picture.shape[0]):
        for r in range(rows):
            if depth[c, r] <= 0:
                continue
            p = points[at[c, r]]
            house = p[5]
            if not house > STANDS_M:
                continue
            distance, hue = p[0], p[6]
            h = eye + slope[r] * distance - p[3]
            cells, floors = (p[1] + p[2]) / WINDOW_M, h / FLOOR_M
            i, j, k = whole(cells), whole(floors), np.int64(hue * 255)
            fx, fy = 4 * abs(cells - i - 0.5), floors - j - 0.5
            shop = 1.0 if j == 0 else 0.0
            wheel = hue * (6 * math.pi)
            row[0], row[1], row[2], row[3] = fx, 4 * abs(fy), 2 * fy, _chance(i, j, k)
            row[4], row[5] = _chance(i, 7, k) * shop, shop
            row[6], row[7] = _chance(k, 3, 5), clamp(h / 4, -1.0, 2.0)
            row[8], row[9] = clamp(house - h, -1.0, 2.0), hue
            row[10], row[11] = sine(wheel), sine(wheel + math.pi / 2)
            row[12], row[13] = clamp(1.5 - distance / 70, 0.0, 1.0), 1 / (1 + distance * 0.02)
            row[14], row[15] = min(distance / 300, 2.0), fx * (1 - shop)
            row[16], row[17] = 4 * abs(fy) * (1 - shop), 1.0 if hue > 0.7 else 0.0
            put(bits, out[count])
            pixels[count] = c * rows + r
            count += 1
    return count


@kernel
def furnish(flat, at, points, pixels, count, given):  # type: ignore[no-untyped-def]
    """Lay colours over pixels of a flat picture (…, 3): given (count, 4), the last being how much of each.

    at (…,): which of the points each pixel shows.
    """
    for n in range(count):
        cover = sigmoid(given[n, 3]) * min(max(points[at[pixels[n]], 5] / np.float32(HOUSE_M), np.float32(0)), _ONE)
        for j in range(3):
            under = flat[pixels[n], j]
            flat[pixels[n], j] = under + cover * (given[n, j] - under)


@kernel
def reflect(picture, depth, mirror, tremor, horizon, focal):  # type: ignore[no-untyped-def]
    """Lay over picture (C, R, 3) what its water and wet ground mirror; horizon in 0..1 of the picture, focal length in
    its heights. See `model.closer.mirrored`.
    """
    rows = picture.shape[1]
    top = max(0, whole(horizon * rows))
    for c in range(picture.shape[0]):
        # From below, so that nothing is mirrored that has itself been changed.
        for r in range(rows - 1, top - 1, -1):
            share, z = mirror[c, r], depth[c, r]
            v = (r + 0.5) / rows
            low = v - horizon
            if not (share > _MIRRORS and low > 0 and z > 0):
                continue
            at = v - 2 * low
            for _ in range(2):
                d = depth[c, int(clamp(at * rows - 0.5, 0.0, rows - 1.0))]
                at = v - 2 * low
                if d > 0:
                    at += 2 * low * z / max(d, z)
            least = max(at, horizon - 0.5 / rows)
            y = abs(min(at + tremor[c, r] * RIPPLE_RAD * focal, least) * rows - 0.5)
            y = clamp(min(y, r - 1.0), 0.0, rows - 1.0)
            y0 = int(y)
            y1, part = min(y0 + 1, rows - 1), np.float32(y - y0)
            for j in range(3):
                seen = picture[c, y0, j] + part * (picture[c, y1, j] - picture[c, y0, j])
                picture[c, r, j] += share * (seen - picture[c, r, j])
