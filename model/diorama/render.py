"""The diorama's picture: a landscape looked at column by column, drawn in numba from a latent field.

Each picture column walks a ray front to back over the land and fills pixels as the horizon of what it has seen rises;
the sky is computed for what stays open. The method is the classic one of height-field flight simulators; nothing is
taken from another implementation. What visitors stir and what falls is laid over it.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np
from numpy.typing import NDArray

from model.camera import (
    BLOOM_SCALE,
    BUMP_M,
    CRAGS_M,
    EYE_M,
    FARTHEST_M,
    GRASS_RAD_S,
    GRASS_X,
    GRASS_Y,
    HORIZON,
    HOUSE_M,
    MOON_AZIMUTH_RAD,
    MOON_RAD,
    OVER,
    RIPPLE_RAD,
    RIPPLE_SCALE,
    ROOF_M,
    SAND_BEND,
    SAND_JAG,
    SAND_X,
    SAND_Y,
    SHALLOW_M,
    SIDE_M,
    SLIM,
    STARS_FINER,
    SUN_AZIMUTH_RAD,
    SWAY,
    SWAY_RAD_S,
    SWAY_X,
    THINGS,
    UNDER_M,
    WALL_FROM_M,
    WALL_ROCK_M,
    WAVE_PER_M,
    WEB_SCALE,
)
from model.diorama.bodies import body_at, sunlight, white_of
from model.diorama.places import COLUMN
from model.diorama.sampling import clamp, hue_of, sample, smooth
from model.diorama.surfaces import ROCK_RIDGE, ROCK_WALL, front, grass, lamp_at, lights, rock, tilt
from model.diorama.terrain import (
    ceiling,
    cleared,
    focal_of,
    from_afar,
    full_height,
    ground_along,
    grown_at,
    house_at,
    nearest_m,
    shade_at,
    shadow_at,
    tree_at,
    wall_of,
    water_level,
)
from model.field import DETAIL_CELL_M, FINE_CELL_M, GRIT_CELL_M, LAND_CELL_M, Field
from model.grass import FULL_M, GRASS_TO_M, MEAN
from model.passing import passed
from model.waves import MOST, TREMBLE

_RIDGE, _SEA, _COVER, _CLEAR, _FLOWERS = (COLUMN[k] for k in ("ridge_m", "sea", "tree_cover", "clear_m", "flowers"))
_SNOW_GROUND, _SNOW_LINE, _GRAIN, _GROUND, _GROUND2 = (
    COLUMN[k] for k in ("snow_ground", "snow_line_m", "grain", "ground_r", "ground2_r")
)
_TREE_RGB, _BLOCK, _PITCHED, _MIRROR, _ROOF = (COLUMN[k] for k in ("tree_r", "block_m", "pitched", "mirror", "roof"))
_WALL, _GRASS = COLUMN["wall_m"], COLUMN["grass_m"]
_SUNKEN, _SPACE, _WARM, _GLOW, _FLOAT = (COLUMN[k] for k in ("sunken", "space", "warm", "glow", "float"))
_DUNE, _SLENDER, _TREE, _BASE, _HILL = (COLUMN[k] for k in ("dune_m", "slender", "tree_m", "base_m", "hill_m"))


@nb.njit(fastmath=True, nogil=True, cache=True)
def render(  # type: ignore[no-untyped-def]
    image, far_off, width, columns, land, detail, thing, town, sky, shift, place, shore, camera, weather, times, flash,
    steps,
):  # fmt: skip
    """Draw `columns` (n,) of a picture `width` pixels wide into `image` float32 (H, n, 3), 0..1.

    far_off (H, n) becomes the distance in m of what is seen, 0 for the sky.

    camera: x m, y m, z m, yaw rad, pitch rad. weather: sun_rad, cloud, fog, rain, snow, wind, energy. times: seconds,
    how far the clouds have drifted (texels), phase of the breaking wave (turns). `flash` 0..1 lights sky and land;
    `steps`: looks at the land, 200 are fine; 600 look near by as often as there are rows.
    """
    height = image.shape[0]
    px, py, pz, yaw, pitch = camera[0], camera[1], camera[2], camera[3], camera[4]
    sun, cloud, fog, rain, snow, wind = weather[0], weather[1], weather[2], weather[3], weather[4], weather[5]
    clock_s, drift, swash = times[0], times[1], times[2]
    f = focal_of(width)
    horizon = height * HORIZON + math.tan(pitch) * f
    colours = np.zeros((8, 3))
    lights(weather, flash, place, colours)
    day, night, dusk = colours[7, 0], colours[7, 1], colours[7, 2]
    rise, low = math.sin(sun), math.cos(sun)
    roof, sunken, space, warm = place[_ROOF], place[_SUNKEN], place[_SPACE], place[_WARM]
    open_air = (1 - roof) * (1 - sunken) * (1 - space)
    cloud *= open_air
    clear_sky = (1 - 0.85 * cloud) * (1 - 0.6 * fog) * open_air
    density = 0.00032 + 0.05 * fog * fog * fog + 0.006 * fog + (0.0022 * rain + 0.004 * snow) * open_air
    density += 0.024 * sunken + 0.009 * roof
    white_ground = white_of(place, snow)
    # A column of the picture: what is seen, how far off, how much it mirrors and trembles.
    column, depths, mirrors, ripples = np.zeros((height, 3)), np.zeros(height), np.zeros(height), np.zeros(height)
    left, own, before = np.zeros(height), np.zeros(height), np.zeros((height, 3))
    things, passes_by = thing.reshape(-1, 4), np.zeros((THINGS, 4))
    sun_x, sun_y = math.sin(SUN_AZIMUTH_RAD), math.cos(SUN_AZIMUTH_RAD)
    cy, sy = math.cos(yaw), math.sin(yaw)
    level = water_level(place)
    sea_x, sea_y = math.sin(shore[2]), math.cos(shore[2])
    # The most that trees and houses rise above the ground, and all of it above 0 m: what is hidden needs no look.
    highest = max(1.33 * place[_TREE], 1.55 * place[_BLOCK])
    summit = place[_BASE] + 2.5 * place[_HILL] + place[_RIDGE] + place[_DUNE]
    summit = max(0.0, summit) + place[_WALL] + 4 * place[_SEA] + 1 + highest
    roof_m = ceiling(place, pz)
    tangent = max(rise, 0.02) / max(low, 0.05)
    sand = 0.5 * clamp(place[_DUNE] / 0.8, 0.0, 1.0) + 0.5 * clamp(place[_DUNE] / 20, 0.0, 1.0)
    row_m = 600 / steps / (EYE_M * f)  # of level ground, at a metre, in the rows a look is to be for near by
    growth = math.exp(math.log(FARTHEST_M / 2.0) / steps)
    # What is hidden below the picture needs no look, but for houses and dunes that rise before one.
    begins = (
        2.0
        if place[_BLOCK] > 0.5 or place[_DUNE] > 4
        else clamp(0.6 * EYE_M * f / max(1.0, height - horizon), 2.0, 6.0)
    )
    glowing = clear_sky * (0.6 * day + dusk)
    falls = clamp(fog * 1.6 + (0.5 * rain + 0.4 * snow) * open_air, 0.0, 1.0)
    veil_fog = 0.92 * clamp(fog * 1.5 - 0.25, 0.0, 1.0)
    for index in range(len(columns)):
        across = (columns[index] + 0.5 - width * 0.5) / f
        dx, dy = sy + cy * across, cy - sy * across
        stretch = 1 / math.sqrt(1 + across * across)
        azimuth = yaw + math.atan(across)
        off_sun = math.atan2(math.sin(azimuth - SUN_AZIMUTH_RAD), math.cos(azimuth - SUN_AZIMUTH_RAD))
        towards_sun = math.exp(-off_sun * off_sun * 1.6)
        for y in range(height):
            column[y, 0] = column[y, 1] = column[y, 2] = 0
            depths[y] = mirrors[y] = 0
        # What is far takes the colour of the sky just above the horizon.
        far = (
            colours[1, 0] + colours[2, 0] * towards_sun * 0.8,
            colours[1, 1] + colours[2, 1] * towards_sun * 0.8,
            colours[1, 2] + colours[2, 2] * towards_sun * 0.8,
        )
        # --- land, front to back ---
        top = np.float64(height)
        z = regular = begins
        regular += max(0.02, min(max(0.10, z * (growth - 1)), z * z * row_m))
        while z < FARTHEST_M and top > 0:
            if pz < summit and horizon + (pz - summit) / z * f >= top:
                break
            wx, wy = px + dx * z, py + dy * z
            ground = ground_along(land, place, shore, sea_x, sea_y, wx, wy, z)
            wet = ground < level
            tree = tall = house = hue = mirror = tremble = rocky = built = 0.0
            surface = ground
            if wet:
                surface, wave = level, 0.0
                if place[_SEA] > 0.001:
                    seaward = (wx - shore[0]) * sea_x + (wy - shore[1]) * sea_y
                    bend = sample(land, 3, wx / LAND_CELL_M, wy / LAND_CELL_M)
                    wave = math.sin(seaward * WAVE_PER_M + swash * 6.2831853 + 1.3 * bend)
                    swell = (0.06 + 0.42 * wind) * place[_SEA] * min(1.0, (level - ground) * 0.5)
                    surface = level + swell * wave
            elif horizon + (pz - ground - highest) / z * f < top:
                if place[_BLOCK] > 0.5:
                    house, hue = house_at(town, shift, place, wx, wy, z)
                    surface = ground + house
                if place[_COVER] > 0.005 and z > place[_CLEAR]:
                    crown, tall, away = tree_at(land, detail, thing, shift, place, wx, wy, ground, z, sy, cy)
                    tall *= from_afar(away) * cleared(town, shift, place, wx, wy)
                    if tall > 0:
                        tree = crown
                        surface = ground + house + tall
            surface = min(surface, roof_m)
            row = horizon + (pz - surface) / z * f
            if row < 0:
                row = 0.0
            if row < top:
                if wet:
                    depth = level - ground
                    graze = 1 / (1 + z * 0.028)
                    mirror = clamp(1 - 0.85 * graze, 0.12, 0.92)
                    spread = 1 / (1 + z * 0.012)
                    ripple_x, ripple_y = wx * RIPPLE_SCALE + clock_s * 1.5, wy * RIPPLE_SCALE - clock_s * 0.8
                    ripple = sample(detail, 2, ripple_x, ripple_y) * spread
                    chop = 0.09 * (0.5 + wind)
                    tremble = ripple * (0.4 + 1.2 * wind)
                    deep = clamp(depth / 5, 0.0, 1.0)
                    light = colours[4, 1] + colours[3, 1] * 0.5
                    shallow_r, shallow_g, shallow_b = 0.32, 0.52, 0.47
                    r = (shallow_r * (1 - deep) + 0.02 * deep) * light
                    g = (shallow_g * (1 - deep) + 0.16 * deep) * light
                    b = (shallow_b * (1 - deep) + 0.27 * deep) * light
                    tilted = tilt(detail, wx, wy, z, clock_s, wind)
                    mirror = clamp(mirror * (1 + 0.9 * tilted), 0.0, MOST)
                    tremble += TREMBLE * tilted
                    shade = 1 + chop * ripple * 2.2
                    r, g, b = r * shade, g * shade, b * shade
                    # Glitter towards the sun.
                    spark = math.exp(-off_sun * off_sun * 14) * clamp(
                        ripple * 1.1 - 0.15 + 0.5 * (1 - spread), 0.0, 1.0
                    )
                    spark *= (
                        clear_sky * (1.1 * dusk + 0.5 * day * clamp(1.3 - rise, 0.0, 1.0)) * clamp(z / 14, 0.0, 1.0)
                    )
                    r += spark * 1.0
                    g += spark * (0.86 - 0.26 * dusk)
                    b += spark * (0.66 - 0.42 * dusk)
                    if place[_SEA] > 0.01:
                        # Breakers run to the beach with the swash; the last metres are foam.
                        foam = smooth((wave - 0.55 + 0.3 * wind) * 2.2 + 0.25 * ripple)
                        foam *= clamp(1.7 - depth * 0.85 + 1.2 * wind * wind, 0.0, 1.0)
                        reach = 0.28 + 0.26 * math.sin(swash * 6.2831853)
                        if depth < reach:
                            foam = max(foam, 1 - 0.7 * depth / reach)
                        foam *= 0.85 * place[_SEA]
                        mirror *= 1 - foam
                        r += (0.95 * (colours[4, 0] + colours[3, 0] * 0.6) - r) * foam
                        g += (0.97 * (colours[4, 1] + colours[3, 1] * 0.6) - g) * foam
                        b += (0.99 * (colours[4, 2] + colours[3, 2] * 0.6) - b) * foam
                    r, g, b = r * (1 + 0.35 * tilted), g * (1 + 0.35 * tilted), b * (1 + 0.35 * tilted)
                else:
                    patch = sample(land, 3, wx / LAND_CELL_M, wy / LAND_CELL_M)
                    du, dv = (wx + shift[0]) / DETAIL_CELL_M, (wy + shift[1]) / DETAIL_CELL_M
                    grain = sample(detail, 2, du, dv) * clamp(1.4 - z / 160, 0.0, 1.0)
                    wall = 0.0
                    if place[_RIDGE] > 1:
                        rocky = ROCK_RIDGE * clamp((ground - place[_BASE] - CRAGS_M[0]) / CRAGS_M[1], 0.0, 1.0)
                    if place[_WALL] > 0.1:
                        hills = sample(land, 0, wx / LAND_CELL_M, wy / LAND_CELL_M)
                        wall = clamp(8 * wall_of(hills, patch), 0.0, 1.0) * smooth((z - WALL_FROM_M) / WALL_ROCK_M)
                        wall *= min(1.0, place[_WALL] / 10)
                        rocky = rocky * (1 - wall) + ROCK_WALL * wall
                    shade = foot = 0.0
                    gx, gy = wx, wy
                    fine = bump = grit = blade = 0.0
                    if z < 45:
                        near = clamp(1.2 - z / 38, 0.0, 1.0) * (1 - wall)
                        fine = sample(detail, 2, wx / FINE_CELL_M, wy / FINE_CELL_M)
                        if place[_GRASS] > 0.005 and z < GRASS_TO_M[0] and tree == 0.0:
                            line = (ground - pz) / z
                            blade, gx, gy = grass(detail, wx, wy, dx, dy, line, place[_GRASS], fine, clock_s, wind)
                            blade = blade - MEAN
                            blade *= clamp((GRASS_TO_M[0] - z) / (GRASS_TO_M[0] - GRASS_TO_M[1]), 0.0, 1.0)
                            blade *= min(place[_GRASS] / FULL_M, 1.0) * (1 - wall)
                        bump = sample(
                            detail, 2, (wx + BUMP_M * sun_x) / FINE_CELL_M, (wy + BUMP_M * sun_y) / FINE_CELL_M
                        )
                        bump, fine = (bump - fine) * near, fine * near
                        if z < 17:
                            grit = sample(detail, 3, gx / GRIT_CELL_M, gy / GRIT_CELL_M)
                            grit *= clamp(1.4 - z / 12, 0.0, 1.0) * (1 - wall)
                    k = smooth(0.5 + 0.33 * patch + 0.16 * grain + 0.10 * fine + 0.06 * grit)
                    shine = 0.0
                    r = place[_GROUND] * (1 - k) + place[_GROUND2] * k
                    g = place[_GROUND + 1] * (1 - k) + place[_GROUND2 + 1] * k
                    b = place[_GROUND + 2] * (1 - k) + place[_GROUND2 + 2] * k
                    if place[_FLOWERS] > 0.02 and tree == 0.0 and z < 120:
                        bu, bv = (gx + shift[0]) / DETAIL_CELL_M, (gy + shift[1]) / DETAIL_CELL_M
                        bloom = sample(detail, 3, bu * BLOOM_SCALE, bv * BLOOM_SCALE)
                        shown = smooth((bloom - 2.3 + 1.5 * place[_FLOWERS]) * 2.5 + 0.5 * patch)
                        shown *= 0.85 * clamp(1.25 - z / 90, 0.0, 1.0) * (1 - wall)
                        kind = smooth(0.5 + 1.3 * patch)
                        r += ((0.95 * kind + 0.88 * (1 - kind)) - r) * shown
                        g += ((0.80 * kind + 0.32 * (1 - kind)) - g) * shown
                        b += ((0.18 * kind + 0.52 * (1 - kind)) - b) * shown
                        shine = shown * place[_GLOW]
                    # The slope towards the sun, of the land in the large.
                    gap = 6.0 + 0.02 * z
                    slope = (
                        ground_along(land, place, shore, sea_x, sea_y, wx + gap * sun_x, wy + gap * sun_y, z) - ground
                    )
                    slope /= gap
                    white = white_ground
                    if place[_RIDGE] > 1:
                        white = max(white, smooth((ground - place[_SNOW_LINE] + 16 * patch) / 30) * 0.97)
                    texture = 1 + place[_GRAIN] * (0.26 * grain + 0.44 * fine + 0.42 * grit) * (1 - 0.6 * white)
                    lambert = clamp((rise - slope * low) / math.sqrt(1 + slope * slope) * 1.15 + 0.1, 0.0, 1.3)
                    lambert = max(0.0, lambert - bump * (0.10 + 0.25 * place[_GRAIN]) * (0.4 + 0.6 * low))
                    around = 1.0
                    if house == 0.0 and tree == 0.0 and open_air > 0:  # no sun comes in under a ceiling or water
                        if place[_BLOCK] > 0.5:
                            shade, foot = shadow_at(town, shift, place, wx, wy, z, sy, cy, tangent)
                        if place[_COVER] > 0.005:
                            shade = max(
                                shade,
                                shade_at(land, detail, thing, town, shift, place, wx, wy, ground, z, sy, cy, tangent)
                                * (1 - 0.5 * place[_SLENDER]),
                            )
                        shade *= open_air
                    if house > 0.0:
                        # One that begins to rise has the ground's look.
                        built = clamp(house / HOUSE_M, 0.0, 1.0)
                        white *= 1 - built
                        shift_hue = 0.45 * (hue - 0.5)
                        r += ((0.47 - 0.02 * place[_PITCHED]) * (1 + shift_hue) - r) * built
                        g += (0.42 - 0.12 * place[_PITCHED] - g) * built
                        b += ((0.38 - 0.18 * place[_PITCHED]) * (1 - shift_hue) - b) * built
                        texture += (0.92 + 0.10 * fine - texture) * built
                        lambert += (0.35 + 0.3 * max(0.0, rise) - lambert) * built
                    elif tree > 0.0:
                        white *= 0.55 * tree
                        # No two trees are quite the same green.
                        du, dv = (wx + shift[0]) / DETAIL_CELL_M, (wy + shift[1]) / DETAIL_CELL_M
                        ui, vi = int(math.floor(du + 0.5)) & 511, int(math.floor(dv + 0.5)) & 511  # noqa: RUF046
                        kind = detail[vi, ui, 1] / max(place[_COVER], 0.05)
                        r = place[_TREE_RGB] * (0.75 + 0.75 * kind)
                        g, b = place[_TREE_RGB + 1] * (0.85 + 0.35 * kind), place[_TREE_RGB + 2]
                        if sunken > 0.01:  # corals have every colour
                            turn = 9 * detail[vi, ui, 1]
                            r += (0.20 + 0.95 * hue_of(turn, 0) - r) * sunken
                            g += (0.14 + 0.55 * hue_of(turn, 1) - g) * sunken
                            b += (0.20 + 0.75 * hue_of(turn, 2) - b) * sunken
                        texture = 0.50 + 0.75 * tree + 0.14 * grain
                        lambert = 0.30 + 0.70 * tree * max(0.4, rise)
                        # The side that turns to the sun is the brighter one.
                        su, sv = du + SIDE_M * sun_x / DETAIL_CELL_M, dv + SIDE_M * sun_y / DETAIL_CELL_M
                        turned = sample(detail, 0, du, dv) - sample(detail, 0, su, sv)
                        lambert *= 1 + 0.65 * low * clamp(5 * turned, -1.0, 1.0)
                    elif place[_FLOWERS] > 0.02:
                        texture *= 1 + 0.22 * wind * math.sin(clock_s * GRASS_RAD_S + wx * GRASS_X + wy * GRASS_Y) * (
                            1 - white
                        )
                    if tree == 0.0 and house == 0.0:
                        lambert *= 1 - 0.88 * shade
                        around = 1 - 0.30 * foot - 0.12 * shade
                        if sand > 0.01 and z < 34:
                            wave = wx * SAND_X + wy * SAND_Y + SAND_BEND * patch + SAND_JAG * grain
                            wave = math.sin(wave) * clamp(0.6 + 0.3 * patch + 0.3 * grain, 0.0, 1.0)
                            wave *= clamp(1.3 - z / 26, 0.0, 1.0)
                            texture *= 1 + 0.18 * sand * wave * (1 - 0.5 * white)
                        # Deep in grass it is dark; its tips are lighter, and yellower.
                        blade *= 1 - 0.85 * white
                        texture *= max(0.25, 1 + 1.5 * blade)
                        r *= 1 + 0.40 * blade
                        b *= 1 - 0.50 * blade
                    wet_dark = 1 - 0.22 * rain
                    if sunken > 0.01 and z < 60:
                        # Light that the waves above gather runs over the ground.
                        run = sample(detail, 2, wx * WEB_SCALE + clock_s * 0.7, wy * WEB_SCALE - clock_s * 0.5)
                        web = math.exp(-run * run * 9) * (0.35 + 0.65 * day) * clamp(1.1 - z / 55, 0.0, 1.0)
                        texture *= 1 + 0.85 * web * sunken
                    if place[_MIRROR] > 0.005 and tree == 0.0 and house == 0.0:
                        graze = 1 / (1 + z * 0.05)
                        mirror = place[_MIRROR] * clamp(1.05 - 0.75 * graze, 0.0, 1.0)
                        mirror *= clamp(0.72 + 0.45 * patch + 0.55 * space, 0.0, 1.0) * (1 - white)
                        tremble = 0.35 * grain * (1 + rain)
                    if place[_SEA] > 0.01 and tree == 0.0:
                        wet_dark *= 1 - 0.30 * place[_SEA] * clamp(1.4 - (ground - level) * 1.6, 0.0, 1.0)
                    rocky *= 1 - 0.5 * white
                    r += (0.82 - r) * white
                    g += (0.86 - g) * white
                    b += (0.93 - b) * white
                    texture *= wet_dark
                    red, green, blue = r, g, b
                    r *= texture * (colours[4, 0] * around + colours[3, 0] * lambert)
                    g *= texture * (colours[4, 1] * around + colours[3, 1] * lambert)
                    b *= texture * (colours[4, 2] * around + colours[3, 2] * lambert)
                    if shine > 0:
                        gleam = (0.6 + 0.4 * math.sin(clock_s * 1.1 + 5 * patch)) * shine * (1 - 0.8 * day * (1 - roof))
                        kind = smooth(0.5 + 1.3 * patch)
                        r += gleam * ((0.20 + 0.55 * kind) * (1 - warm) + 1.0 * warm)
                        g += gleam * ((0.95 - 0.50 * kind) * (1 - warm) + 0.55 * warm)
                        b += gleam * (1.00 * (1 - warm) + 0.18 * warm)
                    if place[_BLOCK] > 0.5 and day < 1 and tree == 0.0 and house == 0.0:
                        lamp = lamp_at(town, shift, place, wx, wy) * (1 - day) * texture
                        r += red * lamp
                        g += green * lamp * (0.80 - 0.10 * warm)
                        b += blue * lamp * (0.58 - 0.24 * warm)
                haze = 1 - math.exp(-z * density)
                r += (far[0] - r) * haze
                g += (far[1] - g) * haze
                b += (far[2] - b) * haze
                for y in range(int(row), min(height, int(math.ceil(top)))):  # noqa: RUF046
                    share = min(top, y + 1.0) - max(row, y * 1.0)
                    if house > 0.0:
                        h = pz - (y + 0.5 - horizon) * z / f - ground
                        fade = clamp(1.5 - z / 70, 0.0, 1.0)
                        for k in range(3):
                            tone, lamp = front(k, h, house, wx + wy, hue, day, warm, fade)
                            tone, lamp = 1 + (tone - 1) * built, lamp * built
                            painted = (r, g, b)[k]
                            hazy = far[k] * haze
                            column[y, k] += ((painted - hazy) * tone + hazy + lamp * (1 - haze)) * share
                    elif rocky > 0.0 and tree == 0.0:
                        tone = 1 + rocky * rock(detail, wx, wy, pz - (y + 0.5 - horizon) * z / f, z)
                        for k in range(3):
                            hazy = far[k] * haze
                            column[y, k] += (((r, g, b)[k] - hazy) * max(tone, 0.25) + hazy) * share
                    else:
                        column[y, 0] += r * share
                        column[y, 1] += g * share
                        column[y, 2] += b * share
                    if share > 0.5 or depths[y] == 0:
                        depths[y] = z
                        mirrors[y], ripples[y] = mirror * (1 - haze), tremble
                top = row
            # Regular steps, the same in every column, and the top of a tree where it is passed between two of them.
            passes = z + nearest_m(thing, shift, wx, wy, dx, dy) if tree > 0 else 0.0
            if z + 0.02 < passes < regular:
                z = passes
            else:
                z = regular
                regular += max(0.02, min(max(0.10, z * (growth - 1)), z * z * row_m))
        # --- sky above ---
        off_moon = math.atan2(math.sin(azimuth - MOON_AZIMUTH_RAD), math.cos(azimuth - MOON_AZIMUTH_RAD))
        east, north, shaft = math.sin(azimuth), math.cos(azimuth), 0.0
        if sunken > 0.01:
            shaft = smooth(sample(sky, 1, azimuth * 162.974661 + 0.25 * clock_s, 40.0) - 0.2)
            shaft *= 0.30 * day * sunken * math.exp(-off_sun * off_sun * 0.7)
        for y in range(int(math.ceil(top))):  # noqa: RUF046
            share = min(top, y + 1.0) - y
            elevation = (horizon - y - 0.5) / f * stretch
            e = math.sqrt(clamp(elevation * 1.25, 0.0, 1.0))
            r = far[0] + (colours[0, 0] - far[0]) * e
            g = far[1] + (colours[0, 1] - far[1]) * e
            b = far[2] + (colours[0, 2] - far[2]) * e
            if night > 0.03:
                d = off_moon * off_moon + (elevation - MOON_RAD) ** 2
                moon = (smooth((0.0022 - d) * 1500) * 1.0 + math.exp(-d * 28) * 0.20) * night * (1 - 0.8 * cloud)
                moon *= (1 - space) * (1 - roof) * (1 - sunken)
                r, g, b = r + moon, g + moon, b + moon * 0.95
            starry = (
                max(night * (1 - cloud) * clamp(elevation * 6 + space, 0.0, 1.0), space) * (1 - roof) * (1 - sunken)
            )
            if starry > 0.03:
                star = sample(sky, 2, azimuth * (162.974661 * STARS_FINER), elevation * (160 * STARS_FINER)) * starry
                r, g, b = r + star, g + star, b + star * 0.95
            if space > 0.01:
                gas = sample(sky, 0, azimuth * 81.4873305, elevation * 130)
                veins = sample(sky, 1, azimuth * 162.974661 + 40, elevation * 190)
                lit = smooth(0.46 + 0.42 * gas + 0.16 * veins) * space
                tint = smooth(0.5 + 0.45 * veins - 0.25 * gas)
                r += lit * (0.46 * tint + 0.03 * (1 - tint))
                g += lit * (0.10 * tint + 0.34 * (1 - tint))
                b += lit * (0.52 * tint + 0.48 * (1 - tint))
                d = off_moon * off_moon + (elevation - MOON_RAD) ** 2
                globe = smooth((0.042 - d) * 500) * space
                limb = clamp(0.28 + 3.4 * off_moon + 2.2 * (elevation - MOON_RAD), 0.02, 1.0)
                band = 0.5 + 0.5 * math.sin(55 * (elevation - MOON_RAD) + 1.5 * gas)
                r += ((0.95 * band + 0.62 * (1 - band)) * limb - r) * globe
                g += ((0.66 * band + 0.36 * (1 - band)) * limb - g) * globe
                b += ((0.45 * band + 0.42 * (1 - band)) * limb - b) * globe
                ring = off_moon + 0.35 * (elevation - MOON_RAD)
                d = ring * ring + ((elevation - MOON_RAD - 0.22 * off_moon) * 6.5) ** 2
                belt = smooth((0.21 - d) * 14) * smooth((d - 0.085) * 30) * space * 0.75
                if globe > 0.3 * space and elevation - MOON_RAD - 0.22 * off_moon > 0:
                    belt = 0.0
                r, g, b = r + (0.86 - r) * belt, g + (0.78 - g) * belt, b + (0.70 - b) * belt
            if sunken > 0.01:
                over = 1 / (max(0.0, elevation) + 0.16)
                sx, sy2 = east * over * 20, north * over * 20
                web = sample(sky, 1, sx + clock_s * 2.2, sy2) - sample(sky, 1, sx - clock_s * 1.7, sy2 + 77)
                web = math.exp(-web * web * 3.0) * smooth(elevation * 2.6) * (0.15 + 0.85 * day) * sunken
                r += 0.42 * web + 0.10 * shaft
                g += 0.55 * web + 0.30 * shaft
                b += 0.52 * web + 0.30 * shaft
            if place[_FLOAT] > 0.01 and elevation > 0:
                # Two layers of lanterns rise, those near by faster.
                s = 0.0
                for layer in range(2):
                    scale = 162.974661 - 81.4873305 * layer
                    v = elevation * scale - clock_s * (2.2 + 2.0 * layer) + 60 * layer
                    mote = sample(sky, 3, azimuth * scale + 31 * layer, v)
                    s += smooth((mote - 0.05) * 2.0) * (0.8 + 0.2 * layer)
                s = min(1.1, s) * place[_FLOAT] * (1 - 0.95 * day) * clamp(elevation * 14, 0.0, 1.0)
                r += s * (1.0 - 0.4 * r)
                g += s * (0.58 - 0.3 * g)
                b += s * (0.20 - 0.2 * b)
            if roof > 0.01:
                # A ceiling of rock, as far off as this line of sight meets it.
                away = ROOF_M / max(elevation, 0.012)
                hx, hy = px + dx * away * stretch, py + dy * away * stretch
                patch = sample(land, 3, hx / LAND_CELL_M * 3, hy / LAND_CELL_M * 3)
                rough = sample(detail, 2, hx / DETAIL_CELL_M * 0.5, hy / DETAIL_CELL_M * 0.5)
                crystal = sample(detail, 3, hx / DETAIL_CELL_M, hy / DETAIL_CELL_M)
                gleam = smooth((crystal - 1.7) * 2.0) * math.exp(-away * 0.02) * 0.8
                near = math.exp(-away * 0.022)
                tone = clamp(0.62 + 0.22 * patch + 0.20 * rough * near, 0.1, 1.4) * near
                r += (0.42 * tone * colours[4, 0] + 0.35 * gleam + far[0] * (1 - near) - r) * roof
                g += (0.37 * tone * colours[4, 1] + 0.75 * gleam + far[1] * (1 - near) - g) * roof
                b += (0.36 * tone * colours[4, 2] + 0.95 * gleam + far[2] * (1 - near) - b) * roof
            up = elevation - math.tan(sun) * 0.9 if sun < 1.2 else 9.0
            d = off_sun * off_sun + up * up
            if glowing > 0.001 and d < 2:
                disc = smooth((0.0034 - d) * 900) * (1 - cloud) * smooth((rise + 0.10) / 0.12) * open_air
                glow = (math.exp(-d * 30) * 0.45 + math.exp(-d * 5) * 0.30) * glowing
                r += disc * 1.2 + glow
                g += disc * 1.05 + glow * (0.82 - 0.34 * dusk)
                b += disc * 0.8 + glow * (0.58 - 0.42 * dusk)
            if cloud > 0.02 and elevation > 0.004:
                over = 1 / (elevation + 0.09)
                cu, cv = east * over * 15 + drift, north * over * 15
                flat = clamp(elevation * 5, 0.0, 1.0)
                body = sample(sky, 0, cu, cv) + 0.34 * flat * sample(sky, 1, cu * 2.3 + 90, cv * 2.3)
                thick = body - 1.35 + 2.7 * cloud
                c = smooth(thick * 0.9) * smooth(elevation * 9) * 0.94
                lining = smooth(1.2 - 0.75 * thick)
                glare = math.exp(-d * 4) * (1 - cloud) * (day + dusk) * 0.35 if d < 2.5 else 0.0
                r += (colours[6, 0] + (colours[5, 0] - colours[6, 0]) * lining + glare - r) * c
                g += (colours[6, 1] + (colours[5, 1] - colours[6, 1]) * lining + glare * 0.8 - g) * c
                b += (colours[6, 2] + (colours[5, 2] - colours[6, 2]) * lining + glare * 0.5 - b) * c
            # The low sky takes the fog's colour.
            veil = max(veil_fog, math.exp(-max(0.0, elevation) * 9) * falls) if falls > 0 else 0.0
            column[y, 0] += (r + (far[0] - r) * veil) * share
            column[y, 1] += (g + (far[1] - g) * veil) * share
            column[y, 2] += (b + (far[2] - b) * veil) * share
        # --- what stands close by, the nearest first ---
        if place[_COVER] > 0.005:
            for y in range(height):
                left[y], own[y] = 1, 0
            long = math.sqrt(dx * dx + dy * dy)
            right_x, right_y = dy / long, -dx / long
            most = passed(things, px + shift[0], py + shift[1], dx, dy, place[_COVER] * 2.5, place[_SLENDER], passes_by)
            for n in range(most):
                z, beside, radius, rank = passes_by[n]
                mx, my = px + dx * z - beside * right_x, py + dy * z - beside * right_y
                away = z - beside * (right_x * sy + right_y * cy)
                ground = ground_along(land, place, shore, sea_x, sea_y, mx, my, away)
                dry = clamp(1 - (level - ground) / SHALLOW_M, 0.0, 1.0)
                there = 1 - from_afar(away)
                dry *= cleared(town, shift, place, mx, my)
                if dry <= 0 or there <= 0:
                    continue
                du, dv = (mx + shift[0]) / DETAIL_CELL_M, (my + shift[1]) / DETAIL_CELL_M
                high = full_height(place, rank, sample(detail, 2, du, dv)) * dry
                high = min(high * grown_at(land, place, mx, my, rank, ground, away), roof_m - ground)
                wide = min(radius, SLIM * high)
                if abs(beside) >= wide:
                    continue
                haze = 1 - math.exp(-z * density)
                phase = clock_s * SWAY_RAD_S + mx * SWAY_X
                swayed = SWAY * wind * (1 - roof) * math.sin(phase)
                foot = int(math.ceil(horizon + (pz - ground + UNDER_M) / z * f))  # noqa: RUF046
                for y in range(max(0, int(horizon + (pz - ground - OVER * high) / z * f)), min(height, foot)):
                    if left[y] < 0.01 or 0 < depths[y] < z:
                        continue
                    h = pz - (y + 0.5 - horizon) * z / f - ground
                    q = beside / wide + swayed * (h / high) * abs(h / high)
                    if abs(q) >= 1:
                        continue
                    front_by = math.sqrt(1 - q * q)
                    n_x, n_y = q * right_x - front_by * dx / long, q * right_y - front_by * dy / long
                    cover, r, g, b = body_at(detail, place, q, h, high, wide, rank, z, white_ground)
                    cover *= there * left[y]
                    if cover <= 0:
                        continue
                    lit = sunlight(rise, low, n_x * sun_x + n_y * sun_y)
                    for k in range(3):
                        value = (r, g, b)[k] * (1 - 0.22 * rain) * (colours[4, k] + colours[3, k] * lit)
                        before[y, k] += cover * (value + (far[k] - value) * haze)
                    left[y] -= cover
                    if own[y] == 0 and left[y] < 0.5:
                        own[y] = z
            for y in range(height):
                if left[y] < 1:
                    for k in range(3):
                        column[y, k] = column[y, k] * left[y] + before[y, k]
                        before[y, k] = 0
                    mirrors[y] *= left[y]
                    depths[y] = own[y] if own[y] > 0 else depths[y]
        # --- what water and wet ground mirror ---
        for y in range(height):
            far_off[y, index] = depths[y]
            if mirrors[y] > 0.02 and y > horizon:
                below, z = y + 0.5 - horizon, depths[y]
                # The mirrored line of sight goes up as steeply; what it meets at distance d stands so much lower in
                # the picture. Two looks find it well enough.
                at = y - 2 * below
                for _ in range(2):
                    d = depths[int(clamp(at, 0.0, y))]
                    at = y - 2 * below + (2 * below * z / max(d, z) if d > 0 else 0.0)
                # No ripple shows what is lower than both its mirror image and the horizon.
                # What lies above the picture is not known: what is as far below its top stands for it.
                at = abs(min(at + ripples[y] * RIPPLE_RAD * f, max(at, horizon - 1)))
                at = clamp(at, 0.0, y - 1.0)
                y0 = int(at)
                y1, part = min(height - 1, y0 + 1), at - y0
                for k in range(3):
                    seen = column[y0, k] + (column[y1, k] - column[y0, k]) * part
                    image[y, index, k] = column[y, k] + (seen - column[y, k]) * mirrors[y]
            else:
                for k in range(3):
                    image[y, index, k] = column[y, k]


def draw(
    field: Field, place: NDArray[np.float32], shore: NDArray[np.float64], camera: NDArray[np.float64],
    weather: NDArray[np.float64], times: NDArray[np.float64], flash: float, size: tuple[int, int], steps: int = 200,
) -> NDArray[np.float32]:  # fmt: skip
    """A whole picture of land and sky, float32 (height, width, 3), about 0..1."""
    return draw_deep(field, place, shore, camera, weather, times, flash, size, steps)[0]


def draw_deep(
    field: Field, place: NDArray[np.float32], shore: NDArray[np.float64], camera: NDArray[np.float64],
    weather: NDArray[np.float64], times: NDArray[np.float64], flash: float, size: tuple[int, int], steps: int = 200,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:  # fmt: skip
    """The same and its depth in m (height, width), 0 for the sky."""
    height, width = size
    image, depth = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32)
    render(
        image, depth, width, np.arange(width), field.land, field.detail, field.thing, field.town, field.sky,
        field.shift_m, place, shore, camera, weather, times, flash, steps,
    )  # fmt: skip
    return image, depth
