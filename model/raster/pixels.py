"""From points that are seen to pixels: what each shows, leaves and windows close by, and what water mirrors.

Pictures lie here column by column: (C, R, …), as rays do.
"""

from __future__ import annotations

import math

import numpy as np

from model.camera import (
    BUMP_M,
    FLOOR_M,
    HOUSE_M,
    RIPPLE_RAD,
    WINDOW_M,
)
from model.field import FINE_CELL_M
from model.litter import DARKEST
from model.points import STANDS_M
from model.raster.surfaces import SUN_X, SUN_Y
from model.raster.texture import (
    clamp,
    inlined,
    kernel,
    put,
    sigmoid,
    sine,
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
