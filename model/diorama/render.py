"""The diorama's picture: a landscape looked at column by column, drawn in numba from a latent field.

Each picture column walks a ray front to back over the land and fills pixels as the horizon of what it has seen rises;
the sky is computed for what stays open. The method is the classic one of height-field flight simulators; nothing is
taken from another implementation. What visitors stir and what falls is laid over it.
"""

from __future__ import annotations

import math
from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from model.camera import (
    FALL_LAYERS,
    FARTHEST_M,
    FIELD_OF_VIEW_RAD,
    GRASS_RAD_S,
    GRASS_X,
    GRASS_Y,
    HORIZON,
    MOON_AZIMUTH_RAD,
    MOON_RAD,
    PULSE_RAD_S,
    RAIN_HEIGHTS_S,
    SNOW_HEIGHTS_S,
    SUN_AZIMUTH_RAD,
    SWAY_RAD_S,
    SWAY_X,
    WAVE_PER_M,
    focal,
)
from model.diorama.places import COLUMN
from model.field import DETAIL_CELL_M, FINE_CELL_M, LAND_CELL_M, Field

TREE_LINE_M = 70.0

_HILL, _RIDGE, _RIDGE_FAR, _DUNE, _SEA = (COLUMN[k] for k in ("hill_m", "ridge_m", "ridge_far_m", "dune_m", "sea"))
_WATER, _BASE, _TREE, _COVER = (COLUMN[k] for k in ("water", "base_m", "tree_m", "tree_cover"))
_SLENDER, _ROUND, _CLEAR, _FLOWERS = (COLUMN[k] for k in ("slender", "round", "clear_m", "flowers"))
_SNOW_GROUND, _SNOW_LINE, _GRAIN = (COLUMN[k] for k in ("snow_ground", "snow_line_m", "grain"))
_GROUND, _GROUND2, _TREE_RGB, _HAZE = (COLUMN[k] for k in ("ground_r", "ground2_r", "tree_r", "haze_r"))


@nb.njit(fastmath=True, inline="always")
def _sample(texture, channel, u, v):  # type: ignore[no-untyped-def]
    """Bilinear sample of a tileable texture at (u, v) texels."""
    uf, vf = math.floor(u), math.floor(v)
    fu, fv = np.float32(u - uf), np.float32(v - vf)
    u0, v0 = int(uf) & 511, int(vf) & 511
    u1, v1 = (u0 + 1) & 511, (v0 + 1) & 511
    one = np.float32(1)
    top = texture[v0, u0, channel] * (one - fu) + texture[v0, u1, channel] * fu
    low = texture[v1, u0, channel] * (one - fu) + texture[v1, u1, channel] * fu
    return top * (one - fv) + low * fv


@nb.njit(fastmath=True, inline="always")
def _clamp(value, low, high):  # type: ignore[no-untyped-def]
    return min(high, max(low, value))


@nb.njit(fastmath=True, inline="always")
def _smooth(value):  # type: ignore[no-untyped-def]
    t = min(1.0, max(0.0, value))
    return t * t * (3 - 2 * t)


@nb.njit(fastmath=True, cache=True)
def ground_height(land, place, shore, x, y, distance):  # type: ignore[no-untyped-def]
    """Height in metres of bare ground at (x, y), which may lie under water.

    shore: x, y and bearing (rad) of the line beyond which a sea lies. Mountains rise only some distance away: the
    walker has a valley.
    """
    u, v = x / LAND_CELL_M, y / LAND_CELL_M
    hills = _sample(land, 0, u, v)
    height = place[_BASE] + place[_HILL] * hills
    if place[_RIDGE] > 1:
        away = (distance - place[_RIDGE_FAR]) / (place[_RIDGE_FAR] * 4)
        if away > 0:
            height += place[_RIDGE] * _sample(land, 1, u, v) * _smooth(away)
    if place[_DUNE] > 0.1:
        height += place[_DUNE] * _sample(land, 2, u, v)
    if place[_SEA] > 0.001:
        seaward = (x - shore[0]) * math.sin(shore[2]) + (y - shore[1]) * math.cos(shore[2])
        seaward += 14 * hills + 3 * _sample(land, 3, u, v)
        beach = -seaward * 0.055 if seaward < 0 else -seaward * 0.04
        flat = 1 if seaward < 0 else 0.1
        beach = _clamp(beach, -9.0, 4.0)
        height = height * (1 - place[_SEA]) + (beach + 0.25 * (height - place[_BASE]) * flat) * place[_SEA]
    return height


@nb.njit(fastmath=True, cache=True)
def tree_at(land, detail, shift, place, x, y, ground, distance):  # type: ignore[no-untyped-def]
    """Of the tree at (x, y): how near its middle, 0..1, and its height in metres there; zeros where none stands."""
    du, dv = (x + shift[0]) / DETAIL_CELL_M, (y + shift[1]) / DETAIL_CELL_M
    # The rank of the nearest thing, not between two.
    ui, vi = int(math.floor(du + 0.5)) & 511, int(math.floor(dv + 0.5)) & 511  # noqa: RUF046
    grove = _sample(land, 3, x / LAND_CELL_M, y / LAND_CELL_M)
    rank = detail[vi, ui, 1]
    if rank > place[_COVER] * (1 + 0.6 * grove) * _smooth((TREE_LINE_M - ground) / 25):
        return 0.0, 0.0
    # Nothing stands so near that it walls the view up: trees sink as one comes near, and are gone before they are low.
    grown = _smooth((distance - place[_CLEAR]) / (0.6 * place[_CLEAR]))
    if grown < 0.35:
        return 0.0, 0.0
    crown = _sample(detail, 0, du, dv)
    crown = _clamp((crown - place[_SLENDER]) / (1 - place[_SLENDER]), 0.0, 1.0)
    rounded = math.sqrt(1 - (1 - crown) * (1 - crown))
    crown = crown * (1 - place[_ROUND]) + rounded * place[_ROUND]
    return crown, place[_TREE] * crown * grown * (0.75 + 0.25 * (1 - rank))


@nb.njit(fastmath=True, inline="always")
def water_level(place):  # type: ignore[no-untyped-def]
    """Height of the water in metres: it rises out of the ground as a place with water comes near."""
    return -14.0 * (1 - place[_WATER])


@nb.njit(fastmath=True, cache=True)
def _light(weather, flash, place, out):  # type: ignore[no-untyped-def]
    """Colours of a moment into out (7, 3): zenith, horizon, sunward glow, direct light, light from all round, cloud's
    lit side, cloud's shaded side; and into out[7]: day, night, dusk.
    """
    sun, cloud, fog, rain, snow = weather[0], weather[1], weather[2], weather[3], weather[4]
    rise = math.sin(sun)
    day = _smooth((rise + 0.12) / 0.5)
    night = 1 - _smooth((rise + 0.30) / 0.30)
    dusk = math.exp(-((rise - 0.03) ** 2) * 26) * (1 - 0.8 * cloud)
    grey = cloud * cloud * (0.45 + 0.45 * max(rain, snow))
    falling = max(rain, 0.5 * snow)
    tone = 0.06 + 0.52 * day * (1 - 0.42 * falling) + 0.05 * dusk
    zenith = (0.035 + 0.11 * day + 0.10 * dusk, 0.065 + 0.285 * day + 0.06 * dusk, 0.18 + 0.50 * day + 0.13 * dusk)
    horizon = (0.10 + 0.55 * day + 0.42 * dusk, 0.15 + 0.62 * day + 0.13 * dusk, 0.28 + 0.62 * day - 0.02 * dusk)
    overcast = (0.96, 1.0, 1.08)
    # Sunlight reddens as it sinks; clouds take it away, and the sky's own light stays.
    clear = (1 - 0.85 * cloud) * (1 - 0.6 * fog) * (1 - 0.7 * falling)
    strength = _smooth((rise + 0.04) / 0.25) * clear
    low_sun = _clamp(1 - rise / 0.45, 0.0, 1.0)
    sunlight = (1.02, 0.96 - 0.42 * low_sun, 0.84 - 0.62 * low_sun)
    around = (
        0.125 + 0.28 * day + 0.13 * dusk + 0.16 * day * cloud,
        0.165 + 0.30 * day + 0.06 * dusk + 0.15 * day * cloud,
        0.29 + 0.27 * day + 0.03 * dusk + 0.13 * day * cloud,
    )
    lit = (0.10 + 0.84 * day, 0.12 + 0.83 * day, 0.20 + 0.78 * day)
    dusk_lit = (0.62, 0.22, 0.10)
    haze_day = day * (1 - 0.5 * cloud)
    for k in range(3):
        out[0, k] = zenith[k] * (1 - grey) + grey * tone * overcast[k] + flash * 0.45
        out[1, k] = (
            horizon[k] * (1 - grey) + grey * tone * 1.22 * overcast[k] + place[_HAZE + k] * haze_day + flash * 0.5
        )
        out[2, k] = (0.95, 0.50, 0.18)[k] * dusk + (0.30, 0.24, 0.14)[k] * day * clear
        out[3, k] = sunlight[k] * strength * 0.78 + flash * 0.5
        out[4, k] = around[k] * (1 - 0.38 * falling) + flash * 0.55
        out[5, k] = lit[k] * (1 - 0.42 * falling * cloud) + dusk_lit[k] * dusk + flash * 0.5
        out[6, k] = out[5, k] * (0.80 - 0.30 * falling - 0.12 * cloud) + (0.0, 0.01, 0.03)[k]
    out[7, 0], out[7, 1], out[7, 2] = day, night, dusk


@nb.njit(fastmath=True, nogil=True, cache=True)
def render(image, width, columns, land, detail, sky, shift, place, shore, camera, weather, times, flash, steps):  # type: ignore[no-untyped-def]
    """Draw `columns` (n,) of a picture `width` pixels wide into `image` float32 (H, n, 3), 0..1.

    camera: x m, y m, z m, yaw rad, pitch rad. weather: sun_rad, cloud, fog, rain, snow, wind, energy. times: seconds,
    how far the clouds have drifted (texels), phase of the breaking wave (turns). `flash` 0..1 lights sky and land;
    `steps`: looks at the land, 200 are fine.
    """
    height = image.shape[0]
    px, py, pz, yaw, pitch = camera[0], camera[1], camera[2], camera[3], camera[4]
    sun, cloud, fog, rain, snow, wind = weather[0], weather[1], weather[2], weather[3], weather[4], weather[5]
    clock_s, drift, swash = times[0], times[1], times[2]
    f = focal_of(width)
    horizon = height * HORIZON + math.tan(pitch) * f
    colours = np.zeros((8, 3))
    _light(weather, flash, place, colours)
    day, night, dusk = colours[7, 0], colours[7, 1], colours[7, 2]
    rise, low = math.sin(sun), math.cos(sun)
    clear_sky = (1 - 0.85 * cloud) * (1 - 0.6 * fog)
    density = 0.00032 + 0.05 * fog * fog * fog + 0.006 * fog + 0.0022 * rain + 0.004 * snow
    white_ground = _clamp(place[_SNOW_GROUND] + snow * 0.85, 0.0, 1.0)
    sun_x, sun_y = math.sin(SUN_AZIMUTH_RAD), math.cos(SUN_AZIMUTH_RAD)
    cy, sy = math.cos(yaw), math.sin(yaw)
    level = water_level(place)
    growth = math.exp(math.log(FARTHEST_M / 2.0) / steps)
    for index in range(len(columns)):
        across = (columns[index] + 0.5 - width * 0.5) / f
        dx, dy = sy + cy * across, cy - sy * across
        stretch = 1 / math.sqrt(1 + across * across)
        azimuth = yaw + math.atan(across)
        off_sun = math.atan2(math.sin(azimuth - SUN_AZIMUTH_RAD), math.cos(azimuth - SUN_AZIMUTH_RAD))
        towards_sun = math.exp(-off_sun * off_sun * 1.6)
        for y in range(height):
            image[y, index, 0] = image[y, index, 1] = image[y, index, 2] = 0
        # What is far takes the colour of the sky just above the horizon.
        far = (
            colours[1, 0] + colours[2, 0] * towards_sun * 0.8,
            colours[1, 1] + colours[2, 1] * towards_sun * 0.8,
            colours[1, 2] + colours[2, 2] * towards_sun * 0.8,
        )
        # --- land, front to back ---
        top = np.float64(height)
        z = 2.0
        while z < FARTHEST_M and top > 0:
            wx, wy = px + dx * z, py + dy * z
            ground = ground_height(land, place, shore, wx, wy, z)
            wet = ground < level
            tree = 0.0
            surface = ground
            if wet:
                seaward = (wx - shore[0]) * math.sin(shore[2]) + (wy - shore[1]) * math.cos(shore[2])
                bend = _sample(land, 3, wx / LAND_CELL_M, wy / LAND_CELL_M)
                wave = math.sin(seaward * WAVE_PER_M + swash * 6.2831853 + 1.3 * bend)
                swell = (0.06 + 0.42 * wind) * place[_SEA] * min(1.0, (level - ground) * 0.5)
                surface = level + swell * wave
            elif place[_COVER] > 0.005 and z > place[_CLEAR]:
                crown, tall = tree_at(land, detail, shift, place, wx, wy, ground, z)
                if crown > 0:
                    tree = crown
                    surface = ground + tall
            row = horizon + (pz - surface) / z * f
            if row < 0:
                row = 0.0
            if row < top:
                if wet:
                    depth = level - ground
                    graze = 1 / (1 + z * 0.028)
                    mirror = _clamp(1 - 0.85 * graze, 0.12, 0.92)
                    spread = 1 / (1 + z * 0.012)
                    ripple = _sample(detail, 2, wx * 1.1 + clock_s * 1.5, wy * 1.1 - clock_s * 0.8) * spread
                    chop = 0.09 * (0.5 + wind)
                    r = far[0] * 0.55 + colours[0, 0] * 0.45
                    g = far[1] * 0.55 + colours[0, 1] * 0.45
                    b = far[2] * 0.55 + colours[0, 2] * 0.45
                    below = _clamp(depth / 5, 0.0, 1.0)
                    light = colours[4, 1] + colours[3, 1] * 0.5
                    shallow_r, shallow_g, shallow_b = 0.32, 0.52, 0.47
                    r = r * mirror + (shallow_r * (1 - below) + 0.02 * below) * light * (1 - mirror)
                    g = g * mirror + (shallow_g * (1 - below) + 0.16 * below) * light * (1 - mirror)
                    b = b * mirror + (shallow_b * (1 - below) + 0.27 * below) * light * (1 - mirror)
                    shade = 1 + chop * ripple * 2.2
                    r, g, b = r * shade, g * shade, b * shade
                    # Glitter towards the sun.
                    spark = math.exp(-off_sun * off_sun * 14) * _clamp(
                        ripple * 1.1 - 0.15 + 0.5 * (1 - spread), 0.0, 1.0
                    )
                    spark *= (
                        clear_sky * (1.1 * dusk + 0.5 * day * _clamp(1.3 - rise, 0.0, 1.0)) * _clamp(z / 14, 0.0, 1.0)
                    )
                    r += spark * 1.0
                    g += spark * (0.86 - 0.26 * dusk)
                    b += spark * (0.66 - 0.42 * dusk)
                    if place[_SEA] > 0.01:
                        # Breakers run to the beach with the swash; the last metres are foam.
                        foam = _smooth((wave - 0.55 + 0.3 * wind) * 2.2 + 0.25 * ripple)
                        foam *= _clamp(1.7 - depth * 0.85 + 1.2 * wind * wind, 0.0, 1.0)
                        reach = 0.28 + 0.26 * math.sin(swash * 6.2831853)
                        if depth < reach:
                            foam = max(foam, 1 - 0.7 * depth / reach)
                        foam *= 0.85 * place[_SEA]
                        r += (0.95 * (colours[4, 0] + colours[3, 0] * 0.6) - r) * foam
                        g += (0.97 * (colours[4, 1] + colours[3, 1] * 0.6) - g) * foam
                        b += (0.99 * (colours[4, 2] + colours[3, 2] * 0.6) - b) * foam
                else:
                    patch = _sample(land, 3, wx / LAND_CELL_M, wy / LAND_CELL_M)
                    du, dv = (wx + shift[0]) / DETAIL_CELL_M, (wy + shift[1]) / DETAIL_CELL_M
                    grain = _sample(detail, 2, du, dv) * _clamp(1.4 - z / 160, 0.0, 1.0)
                    fine = 0.0
                    if z < 45:
                        fine = _sample(detail, 2, wx / FINE_CELL_M, wy / FINE_CELL_M) * _clamp(1.2 - z / 38, 0.0, 1.0)
                    k = _smooth(0.5 + 0.33 * patch + 0.16 * grain)
                    r = place[_GROUND] * (1 - k) + place[_GROUND2] * k
                    g = place[_GROUND + 1] * (1 - k) + place[_GROUND2 + 1] * k
                    b = place[_GROUND + 2] * (1 - k) + place[_GROUND2 + 2] * k
                    if place[_FLOWERS] > 0.02 and tree == 0.0 and z < 120:
                        bloom = _sample(detail, 3, du * 2.3, dv * 2.3)
                        shown = _smooth((bloom - 2.3 + 1.5 * place[_FLOWERS]) * 2.5 + 0.5 * patch)
                        shown *= 0.85 * _clamp(1.25 - z / 90, 0.0, 1.0)
                        hue = _smooth(0.5 + 1.3 * patch)
                        r += ((0.95 * hue + 0.88 * (1 - hue)) - r) * shown
                        g += ((0.80 * hue + 0.32 * (1 - hue)) - g) * shown
                        b += ((0.18 * hue + 0.52 * (1 - hue)) - b) * shown
                    # The slope towards the sun, of the land in the large.
                    gap = 3.0 + 0.02 * z
                    slope = ground_height(land, place, shore, wx + gap * sun_x, wy + gap * sun_y, z) - ground
                    slope /= gap
                    white = white_ground
                    if place[_RIDGE] > 1:
                        white = max(white, _smooth((ground - place[_SNOW_LINE] + 16 * patch) / 30) * 0.97)
                    texture = 1 + place[_GRAIN] * (0.22 * grain + 0.22 * fine) * (1 - 0.6 * white)
                    lambert = _clamp((rise - slope * low) / math.sqrt(1 + slope * slope) * 1.15 + 0.1, 0.0, 1.3)
                    if tree > 0.0:
                        white *= 0.55 * tree
                        r, g, b = place[_TREE_RGB], place[_TREE_RGB + 1], place[_TREE_RGB + 2]
                        sway = 1 + 0.22 * math.sin(clock_s * SWAY_RAD_S + wx * SWAY_X) * wind
                        texture = (0.50 + 0.75 * tree + 0.14 * grain) * sway
                        lambert = 0.30 + 0.70 * tree * max(0.4, rise)
                    elif place[_FLOWERS] > 0.02:
                        texture *= 1 + 0.22 * wind * math.sin(clock_s * GRASS_RAD_S + wx * GRASS_X + wy * GRASS_Y) * (
                            1 - white
                        )
                    wet_dark = 1 - 0.22 * rain
                    if place[_SEA] > 0.01 and tree == 0.0:
                        wet_dark *= 1 - 0.30 * place[_SEA] * _clamp(1.4 - (ground - level) * 1.6, 0.0, 1.0)
                    r += (0.93 - r) * white
                    g += (0.96 - g) * white
                    b += (1.00 - b) * white
                    texture *= wet_dark
                    r *= texture * (colours[4, 0] + colours[3, 0] * lambert)
                    g *= texture * (colours[4, 1] + colours[3, 1] * lambert)
                    b *= texture * (colours[4, 2] + colours[3, 2] * lambert)
                haze = 1 - math.exp(-z * density)
                r += (far[0] - r) * haze
                g += (far[1] - g) * haze
                b += (far[2] - b) * haze
                for y in range(int(row), min(height, int(math.ceil(top)))):  # noqa: RUF046
                    share = min(top, y + 1.0) - max(row, y * 1.0)
                    image[y, index, 0] += r * share
                    image[y, index, 1] += g * share
                    image[y, index, 2] += b * share
                top = row
            z = max(z + 0.10, z * growth)
        # --- sky above ---
        off_moon = math.atan2(math.sin(azimuth - MOON_AZIMUTH_RAD), math.cos(azimuth - MOON_AZIMUTH_RAD))
        veil_fog = _clamp(fog * 1.5 - 0.25, 0.0, 1.0)
        for y in range(int(math.ceil(top))):  # noqa: RUF046
            share = min(top, y + 1.0) - y
            elevation = (horizon - y - 0.5) / f * stretch
            e = math.sqrt(_clamp(elevation * 1.25, 0.0, 1.0))
            r = far[0] + (colours[0, 0] - far[0]) * e
            g = far[1] + (colours[0, 1] - far[1]) * e
            b = far[2] + (colours[0, 2] - far[2]) * e
            if night > 0.03:
                star = _sample(sky, 2, azimuth * 162.974661, elevation * 160)
                s = star * 0.95 * night * (1 - cloud) * _clamp(elevation * 6, 0.0, 1.0)
                d = off_moon * off_moon + (elevation - MOON_RAD) ** 2
                s += (_smooth((0.0022 - d) * 1500) * 1.0 + math.exp(-d * 28) * 0.20) * night * (1 - 0.8 * cloud)
                r, g, b = r + s, g + s, b + s * 0.95
            up = elevation - math.tan(sun) * 0.9 if sun < 1.2 else 9.0
            d = off_sun * off_sun + up * up
            disc = _smooth((0.0034 - d) * 900) * (1 - cloud) * _smooth((rise + 0.10) / 0.12)
            glow = (math.exp(-d * 30) * 0.45 + math.exp(-d * 5) * 0.30) * clear_sky * (0.6 * day + dusk)
            r += disc * 1.2 + glow
            g += disc * 1.05 + glow * (0.82 - 0.34 * dusk)
            b += disc * 0.8 + glow * (0.58 - 0.42 * dusk)
            if cloud > 0.02 and elevation > 0.004:
                over = 1 / (elevation + 0.09)
                cu, cv = math.sin(azimuth) * over * 15 + drift, math.cos(azimuth) * over * 15
                flat = _clamp(elevation * 5, 0.0, 1.0)
                body = _sample(sky, 0, cu, cv) + 0.34 * flat * _sample(sky, 1, cu * 2.3 + 90, cv * 2.3)
                thick = body - 1.35 + 2.7 * cloud
                c = _smooth(thick * 0.9) * _smooth(elevation * 9) * 0.94
                lining = _smooth(1.2 - 0.75 * thick)
                glare = math.exp(-d * 4) * (1 - cloud) * (day + dusk) * 0.35
                r += (colours[6, 0] + (colours[5, 0] - colours[6, 0]) * lining + glare - r) * c
                g += (colours[6, 1] + (colours[5, 1] - colours[6, 1]) * lining + glare * 0.8 - g) * c
                b += (colours[6, 2] + (colours[5, 2] - colours[6, 2]) * lining + glare * 0.5 - b) * c
            # The low sky takes the fog's colour.
            veil = math.exp(-max(0.0, elevation) * 9) * _clamp(fog * 1.6 + 0.5 * rain + 0.4 * snow, 0.0, 1.0)
            veil = max(veil, 0.92 * veil_fog)
            image[y, index, 0] += (r + (far[0] - r) * veil) * share
            image[y, index, 1] += (g + (far[1] - g) * veil) * share
            image[y, index, 2] += (b + (far[2] - b) * veil) * share


focal_of: Any = nb.njit(focal)


@nb.njit(fastmath=True, nogil=True, cache=True)
def heights(out, width, columns, distances, land, detail, shift, place, shore, camera, swash, wind):  # type: ignore[no-untyped-def]
    """Heights in metres along the rays of `columns` (n,), at `distances` (K,), into `out` (n, K, 2): of the ground,
    be it under water, and of what is seen there.
    """
    px, py, yaw = camera[0], camera[1], camera[3]
    f = focal_of(width)
    cy, sy = math.cos(yaw), math.sin(yaw)
    level = water_level(place)
    for index in range(len(columns)):
        across = (columns[index] + 0.5 - width * 0.5) / f
        dx, dy = sy + cy * across, cy - sy * across
        for k in range(len(distances)):
            z = distances[k]
            wx, wy = px + dx * z, py + dy * z
            ground = ground_height(land, place, shore, wx, wy, z)
            surface = ground
            if ground < level:
                seaward = (wx - shore[0]) * math.sin(shore[2]) + (wy - shore[1]) * math.cos(shore[2])
                bend = _sample(land, 3, wx / LAND_CELL_M, wy / LAND_CELL_M)
                wave = math.sin(seaward * WAVE_PER_M + swash * 6.2831853 + 1.3 * bend)
                swell = (0.06 + 0.42 * wind) * place[_SEA] * min(1.0, (level - ground) * 0.5)
                surface = level + swell * wave
            elif place[_COVER] > 0.005 and z > place[_CLEAR]:
                surface = ground + tree_at(land, detail, shift, place, wx, wy, ground, z)[1]
            out[index, k, 0], out[index, k, 1] = ground, surface


def draw(
    field: Field, place: NDArray[np.float32], shore: NDArray[np.float64], camera: NDArray[np.float64],
    weather: NDArray[np.float64], times: NDArray[np.float64], flash: float, size: tuple[int, int], steps: int = 200,
) -> NDArray[np.float32]:  # fmt: skip
    """A whole picture of land and sky, float32 (height, width, 3), about 0..1."""
    height, width = size
    image = np.zeros((height, width, 3), np.float32)
    render(
        image, width, np.arange(width), field.land, field.detail, field.sky, field.shift_m, place, shore, camera,
        weather, times, flash, steps,
    )  # fmt: skip
    return image


@nb.njit(fastmath=True, nogil=True, cache=True)
def overlay(image, width, columns, sky, fall, camera, weather, times, presence):  # type: ignore[no-untyped-def]
    """Lay over `columns` of a picture what visitors stir and what falls.

    presence (rows, cols, 2): near, stir in 0..1. times: seconds, drift, swash, stride (turns), how fast the walker
    moves 0..1.
    """
    height = image.shape[0]
    rows, cols = presence.shape[0], presence.shape[1]
    rain, snow, wind = weather[3], weather[4], weather[5]
    clock_s = times[0]
    day = _smooth((math.sin(weather[0]) + 0.12) / 0.5)
    turn = camera[3] / FIELD_OF_VIEW_RAD * width / height
    pulse = 0.8 + 0.2 * math.sin(clock_s * PULSE_RAD_S)
    visited = presence[:, :, 0].max() > 0.02
    for index in range(len(columns)):
        u = (columns[index] + 0.5) / width
        # Columns and rows in picture heights: the same at every size.
        across = (columns[index] + 0.5) / height
        gx = _clamp(u * cols - 0.5, 0.0, cols - 1.001)
        c0 = int(gx)
        fx = gx - c0
        for y in range(height):
            v = (y + 0.5) / height
            if visited:
                gy = _clamp(v * rows - 0.5, 0.0, rows - 1.001)
                r0 = int(gy)
                fy = gy - r0
                near = (presence[r0, c0, 0] * (1 - fx) + presence[r0, c0 + 1, 0] * fx) * (1 - fy)
                near += (presence[r0 + 1, c0, 0] * (1 - fx) + presence[r0 + 1, c0 + 1, 0] * fx) * fy
                stir = (presence[r0, c0, 1] * (1 - fx) + presence[r0, c0 + 1, 1] * fx) * (1 - fy)
                stir += (presence[r0 + 1, c0, 1] * (1 - fx) + presence[r0 + 1, c0 + 1, 1] * fx) * fy
                if near > 0.01:
                    a = 0.34 * _smooth(near) * pulse
                    image[y, index, 0] += (1.00 - image[y, index, 0]) * a
                    image[y, index, 1] += (0.78 - image[y, index, 1]) * a
                    image[y, index, 2] += (0.42 - image[y, index, 2]) * a
                    sway = (6 + 26 * stir) * math.sin(clock_s * 1.7 + 9 * v)
                    mote = _sample(sky, 3, across * 210 + sway, v * 210 + 20 * clock_s)
                    a = _smooth(mote * 1.5) * _smooth(near * 1.4) * 0.95
                    image[y, index, 0] += (1.00 - image[y, index, 0]) * a
                    image[y, index, 1] += (0.93 - image[y, index, 1]) * a
                    image[y, index, 2] += (0.70 - image[y, index, 2]) * a
            for layer in range(2):
                scale, begins = FALL_LAYERS[layer]
                if rain > 0.01:
                    tu = (across + turn + (0.06 + 0.40 * wind) * v) * scale + begins
                    drop = _sample(fall, 0, tu, (v - clock_s * RAIN_HEIGHTS_S) * scale)
                    a = _smooth((drop - 0.75 * (1 - rain)) * 3.5) * (0.46 - 0.16 * layer)
                    tone = 0.34 + 0.44 * day
                    image[y, index, 0] += (tone - image[y, index, 0]) * a
                    image[y, index, 1] += (tone * 1.04 - image[y, index, 1]) * a
                    image[y, index, 2] += (tone * 1.08 - image[y, index, 2]) * a
                if snow > 0.01:
                    sway = 0.03 * math.sin(clock_s * 1.3 + 7 * v + 2 * layer) + 0.16 * wind * (
                        v - clock_s * SNOW_HEIGHTS_S
                    )
                    tu = (across + turn + sway) * scale * 0.85 + begins
                    flake = _sample(fall, 1, tu, (v - clock_s * SNOW_HEIGHTS_S) * scale * 0.85)
                    a = _smooth((flake - 0.8 * (1 - snow)) * 3.0) * (0.80 - 0.25 * layer)
                    tone = 0.46 + 0.50 * day
                    image[y, index, 0] += (tone - image[y, index, 0]) * a
                    image[y, index, 1] += (tone - image[y, index, 1]) * a
                    image[y, index, 2] += (tone * 1.04 - image[y, index, 2]) * a
