"""What directions tell the network of the sky, and the sky laid into a picture."""

from __future__ import annotations

import math

import numpy as np

from model.camera import MOON_AZIMUTH_RAD, MOON_RAD, ROOF_M, STARS_FINER, SUN_AZIMUTH_RAD
from model.field import DETAIL_CELL_M, LAND_CELL_M, SIZE
from model.raster.texture import clamp, inlined, kernel, put, sample, sample_of, smooth
from model.sky import CRYSTAL

PLAIN, ALL = 15, 32  # features of an open sky, and of every other
_TURN = SIZE / math.pi  # texels to a radian
_SPARKLES = 0.004  # less than this adds nothing


@inlined
def _off(azimuth, bearing):  # type: ignore[no-untyped-def]
    return math.atan2(math.sin(azimuth - bearing), math.cos(azimuth - bearing))


@kernel
def sky_features(  # type: ignore[no-untyped-def]
    cloud_of, wisp_of, mote_of, land, grain_of, across, counts, tangents, camera, sun, drift, clock,
    space, sunken, lanterns, roof, out,
):  # fmt: skip
    """Into `out` uint16 (…, features), bfloat16 by its bits: for each column `across` (C,) its first `counts` (C,)
    tangents (R,) upwards. How many there are.

    space, sunken, lanterns, roof: whether the place has any of it.
    """
    n, yaw = 0, camera[3]
    row = np.zeros(out.shape[1], np.float32)
    bits = row.view(np.uint32)
    risen = math.tan(min(sun, 1.2)) * 0.9
    fast, slow = (clock * 2.2) % SIZE, (clock * 1.7) % SIZE
    for c in range(len(across)):
        azimuth = yaw + math.atan(across[c])
        stretch = 1 / math.sqrt(1 + across[c] * across[c])
        off_sun, off_moon = _off(azimuth, SUN_AZIMUTH_RAD), _off(azimuth, MOON_AZIMUTH_RAD)
        sin, cos = math.sin(azimuth), math.cos(azimuth)
        towards = math.exp(-1.6 * off_sun * off_sun)
        for r in range(counts[c]):
            up = tangents[r] * stretch
            high = max(up, 0.0)
            over_sun = up - risen if sun < 1.2 else 9.0
            d = off_sun * off_sun + over_sun * over_sun
            over_moon = up - MOON_RAD
            m = off_moon * off_moon + over_moon * over_moon
            over = 1 / (max(up, 0.004) + 0.09)
            cu, cv = sin * over * 15 + drift, cos * over * 15
            cloud = sample(cloud_of, cu, cv)
            wisp = sample(wisp_of, cu * 2.3 + 90, cv * 2.3) * clamp(up * 5, 0.0, 1.0)
            near = math.exp(-min(d, 20.0))
            near5 = near * near * near * near * near
            near30 = near5 * near5 * near5
            near30 *= near30
            row[0], row[1] = up, math.sqrt(min(high * 1.25, 1.0))
            row[2], row[3] = math.exp(-9 * high), clamp(up * 9, 0.0, 1.0)
            row[4], row[5] = cloud + 0.34 * wisp, wisp
            row[6] = towards
            row[7], row[8], row[9] = near30, near5, near * near * near * near * cloud
            row[10], row[11] = clamp((0.0034 - d) * 900, 0.0, 1.0), math.exp(-300 * d) if d < 0.2 else 0.0
            row[12], row[13] = clamp((0.0022 - m) * 1500, 0.0, 1.0), math.exp(-28 * m) if m < 2 else 0.0
            row[14] = 1.0 if up < 0.004 else 0.0
            if space:
                gas = sample(cloud_of, azimuth * (_TURN / 2), up * 130)
                veins = sample(wisp_of, azimuth * _TURN + 40, up * 190)
                globe = clamp((0.042 - m) * 500, 0.0, 1.0)
                tilt = over_moon - 0.22 * off_moon
                ring = (off_moon + 0.35 * over_moon) ** 2 + (tilt * 6.5) ** 2
                belt = clamp((0.21 - ring) * 14, 0.0, 1.0) * clamp((ring - 0.085) * 30, 0.0, 1.0)
                row[15], row[16], row[17] = gas, veins, globe
                row[18] = clamp(0.28 + 3.4 * off_moon + 2.2 * over_moon, 0.0, 1.0) * globe
                row[19] = math.sin(55 * over_moon + 1.5 * gas) * globe
                row[20] = belt * (1 - globe * (1.0 if tilt > 0 else 0.0))
                row[21] = gas + 0.4 * veins
            if sunken:
                far = 1 / (high + 0.16)
                su, sv = sin * far * 20, cos * far * 20
                web = sample(wisp_of, su + fast, sv) - sample(wisp_of, su - slow, sv + 77)
                web = math.exp(-3 * web * web)
                row[22], row[23] = web, web * clamp(up * 2.6, 0.0, 1.0)
                row[24] = sample(wisp_of, azimuth * _TURN + (clock * 0.25) % SIZE, 40.0)
            if lanterns:
                row[25] = row[26] = row[27] = 0
            if lanterns and up > 0:
                row[25] = sample(mote_of, azimuth * _TURN, up * _TURN - fast)
                row[26] = sample(mote_of, azimuth * (_TURN / 2) + 31, up * (_TURN / 2) - (clock * 4.2) % SIZE + 60)
                row[27] = clamp(up * 14, 0.0, 1.0)
            if roof:
                away = ROOF_M / max(up, 0.012)
                reach = away * stretch
                hx = camera[0] + (math.sin(yaw) + math.cos(yaw) * across[c]) * reach
                hy = camera[1] + (math.cos(yaw) - math.sin(yaw) * across[c]) * reach
                veil = math.exp(-0.022 * away)
                row[28] = sample_of(land, 3, hx / LAND_CELL_M * 3, hy / LAND_CELL_M * 3) * veil
                row[29] = sample(grain_of, hx / DETAIL_CELL_M * 0.5, hy / DETAIL_CELL_M * 0.5) * veil
                row[30], row[31] = veil, 1.0
            put(bits, out[n])
            n += 1
    return n


@kernel
def rows_wanted(open_rows, wide, high, out):  # type: ignore[no-untyped-def]
    """How many rows of a coarse sky its columns (C',) must know, each `wide` columns and `high` rows of the picture."""
    last = len(open_rows) - 1
    for i in range(len(out)):
        most = 0
        for c in range(max(0, (i - 1) * wide), min(last, (i + 2) * wide - 1) + 1):
            most = max(most, open_rows[c])
        out[i] = (most + high - 1) // high + 1 if most > 0 else 0


@kernel
def spread(given, counts, sky):  # type: ignore[no-untyped-def]
    """Colours (…, 6) as the network gave them, of the sky and of what sparkles there, into columns: sky (C', R', 6)."""
    n = 0
    for c in range(len(counts)):
        for r in range(counts[c]):
            if r < sky.shape[1]:
                for k in range(6):
                    sky[c, r, k] = given[n, k]
            n += 1


@kernel
def over(  # type: ignore[no-untyped-def]
    picture, sky, open_rows, wide, high, last_rise, slope, focal_px, star_of, bloom_of, across, camera, roof
):
    """A coarse sky (C', R', 6), between whose points colours blend, behind the land of a picture (C, R, 3), and what
    sparkles in it at each pixel: see `model.sky`.

    last_rise (C,): slope of each column's last edge. across (C,): tangents. roof 0..1: how much a ceiling covers.
    """
    most_i, most_j = sky.shape[0] - 1, sky.shape[1] - 1
    sin, cos = math.sin(camera[3]), math.cos(camera[3])
    column = np.zeros((sky.shape[1], 6), np.float32)  # of the picture, where the sky is known
    for c in range(picture.shape[0]):
        x = clamp((c + 0.5) / wide - 0.5, 0.0, float(most_i))
        i0 = int(x)
        i1, a = min(i0 + 1, most_i), np.float32(x - i0)
        stretch = 1 / math.sqrt(1 + across[c] * across[c])
        turned = (camera[3] + math.atan(across[c])) * (_TURN * STARS_FINER)
        way_x, way_y = sin + cos * across[c], cos - sin * across[c]
        most = np.float32(0)
        for j in range(min(open_rows[c] // high + 2, most_j + 1) if open_rows[c] else 0):
            for k in range(6):
                column[j, k] = sky[i0, j, k] + a * (sky[i1, j, k] - sky[i0, j, k])
            most = max(most, abs(column[j, 3]), abs(column[j, 4]), abs(column[j, 5]))
        for r in range(open_rows[c]):
            y = clamp((r + 0.5) / high - 0.5, 0.0, float(most_j))
            j0 = int(y)
            j1, b = min(j0 + 1, most_j), np.float32(y - j0)
            cover = min(max((last_rise[c] - slope[r]) * focal_px + np.float32(0.5), np.float32(0)), np.float32(1))
            one, other = column[j0], column[j1]
            sparkle = np.float32(0)
            if most > _SPARKLES:
                up = slope[r] * stretch
                if roof < 1:
                    sparkle = sample(star_of, turned, up * (160 * STARS_FINER)) * np.float32(1 - roof)
                if roof > 0:
                    away = ROOF_M / max(up, 0.012)
                    reach = away * stretch
                    hx, hy = camera[0] + way_x * reach, camera[1] + way_y * reach
                    crystal = sample(bloom_of, hx / DETAIL_CELL_M, hy / DETAIL_CELL_M)
                    sparkle += smooth(2 * (crystal - CRYSTAL)) * math.exp(-0.022 * away) * roof
            for k in range(3):
                seen = one[k] + b * (other[k] - one[k])
                if sparkle != 0:
                    seen += np.float32(sparkle) * (one[3 + k] + b * (other[3 + k] - one[3 + k]))
                picture[c, r, k] = seen + cover * (picture[c, r, k] - seen) if cover > 0 else seen
