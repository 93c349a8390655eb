"""What bare ground is rough with, pixel by pixel: `model.litter` on a CPU.

Column by column: the pixels of one that show bare ground are gathered, nearest first, and each texture then is a loop
over them, so that eight are looked at at once. Positions are counted in texels from where a ray begins.
"""

from __future__ import annotations

import math

import numpy as np

from model.camera import (
    BLOOM_SCALE,
    BUMP_M,
    CRAGS_M,
    GRASS_RAD_S,
    GRASS_X,
    GRASS_Y,
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
    wall_of,
)
from model.field import DETAIL_CELL_M, FINE_CELL_M, GRIT_CELL_M, LAND_CELL_M, SIZE, TOWN_CELL_M
from model.grass import (
    BENT_M,
    FLATTEST,
    FULL_M,
    GRASS_CELL_M,
    GRASS_TO_M,
    GROUND_GAP,
    JITTER,
    JITTER_CELL_M,
    JITTER_SHARE,
    MEAN,
    REACH_M,
    STEPS,
    STILL,
    TUFT,
    UNEVEN,
)
from model.litter import BLADE, BLOOM_M, CLOSED, DARKEST, FINE_M, GLINT, GRIT_M, LAMP, SAND_M, SHADE, WAVE
from model.points import STANDS_M
from model.raster.lanes import samples
from model.raster.surfaces import SUN_X, SUN_Y
from model.raster.texture import clamp, inlined, kernel, sample_land, sample_of, sigmoid, sine, smooth
from model.waves import CALM, EACH, MOST, PER_M, STORM, TREMBLE, WAVELETS, WAVES_TO_M

_ONE, _NONE = np.float32(1), np.float32(0)
_SHADES = 0.01  # less than this is no shade
_LIT = 0.002  # and less than this no light
_DARKEST = np.float32(DARKEST)
_BUMP_U, _BUMP_V = np.float32(BUMP_M * SUN_X / FINE_CELL_M), np.float32(BUMP_M * SUN_Y / FINE_CELL_M)
_TURN = 2 * math.pi
_wall_of = inlined(wall_of)


@inlined
def _nearer(distance, count, than):  # type: ignore[no-untyped-def]
    """How many of the first pixels are nearer than that."""
    n = 0
    while n < count and distance[n] < than:
        n += 1
    return n


@inlined
def _fade(distance, to):  # type: ignore[no-untyped-def]
    return min(max((np.float32(to[0]) - distance) * np.float32(1 / (to[0] - to[1])), _NONE), _ONE)


@inlined
def _along(distance, count, begins, by, cell, out):  # type: ignore[no-untyped-def]
    """Texels (…,) of a texture whose cells are so many m wide: begins, by: of a ray, in m and m a metre of distance."""
    first, step = np.float32((begins / cell) % SIZE), np.float32(by / cell)
    for i in range(count):
        out[i] = first + step * distance[i]


@inlined
def _rock(grain_of, distance, high, x0, y0, dx, dy, count, room, out):  # type: ignore[no-untyped-def]
    """See `model.litter.rock`. high (…,): height in m of what is met; room (5, …)."""
    texels, beyond, u, v = room[0], room[1], room[2], room[3]
    for i in range(count):
        octave = math.log2(clamp(distance[i] * ROCK_SHARE, ROCK_M[0], 0.999 * ROCK_M[1]))
        fine = math.floor(octave)
        texels[i], beyond[i], out[i] = 2.0**-fine, np.float32(octave - fine), 0
    seen = room[4]
    for coarser in range(2):
        for of_y in range(2):
            begins, by, off = (y0, dy, np.float32(50)) if of_y else (x0, dx, _NONE)
            for i in range(count):
                scale = texels[i] * np.float32(0.5) if coarser else texels[i]
                u[i] = np.float32(begins + by * distance[i]) * scale + off
                v[i] = high[i] * np.float32(ROCK_HIGH) * scale
            samples(grain_of, u, v, count, seen)
            for i in range(count):
                out[i] += np.float32(0.5) * seen[i] * (beyond[i] if coarser else _ONE - beyond[i])


@inlined
def _grass(bloom_of, u, v, du, dv, distance, slope, fine, count, high, turn, turning, bent, room, hit, right, down):  # type: ignore[no-untyped-def]
    """How high in grass lines of sight are met, and how far from where they would meet the ground, in m: into hit,
    right and down. See `model.litter.grass`.

    u, v (…,): texels of tufts at the ground; du, dv: m a metre of distance; turn, turning: rad at the eyes and a metre
    further on; bent: m. room (7, …).
    """
    reach, sway, later, gap, at_u, at_v, seen = room[0], room[1], room[2], room[3], room[4], room[5], room[6]
    finer, texel = np.float32(GRASS_CELL_M / JITTER_CELL_M), np.float32(1 / GRASS_CELL_M)
    for i in range(count):
        at_u[i], at_v[i] = u[i] * finer, v[i] * finer
    samples(bloom_of, at_u, at_v, count, seen)
    for i in range(count):
        loose = np.float32(0.5) + np.float32(JITTER_SHARE) * seen[i]
        later[i] = np.float32(JITTER) * (min(max(loose, _NONE), _ONE) - np.float32(0.5))
        reach[i] = min(np.float32(high) / max(-slope[i], np.float32(FLATTEST)), np.float32(REACH_M))
        sway[i] = np.float32(bent * sine(turn + turning * distance[i]))
        gap[i], hit[i] = np.float32(-0.5), np.float32(-1)
    before = np.float32(STEPS[0] + JITTER)
    for number in range(len(STEPS)):
        step = np.float32(STEPS[number])
        for i in range(count):
            here = step - later[i]
            aside = sway[i] * here * here
            at_u[i] = u[i] + texel * (aside - du * reach[i] * here)
            at_v[i] = v[i] - texel * (dv * reach[i] * here)
        samples(bloom_of, at_u, at_v, count, seen)
        for i in range(count):
            here = step - later[i]
            over = np.float32(0.5) + np.float32(UNEVEN) * fine[i] + np.float32(TUFT) * seen[i] - here
            crossed = here + (before - step) * over / max(over - gap[i], np.float32(1e-6))
            hit[i] = crossed if hit[i] < 0 and over > 0 else hit[i]
            gap[i] = over
        before = step
    for i in range(count):
        under = np.float32(GROUND_GAP)
        ground = (before - later[i]) * under / max(under - gap[i], under)
        hit[i] = ground if hit[i] < 0 else hit[i]
        right[i] = sway[i] * hit[i] * hit[i] - du * reach[i] * hit[i]
        down[i] = -dv * reach[i] * hit[i]


@inlined
def _tilt(bloom_of, distance, count, x0, y0, dx, dy, clock, wind, u, v, seen, out):  # type: ignore[no-untyped-def]
    """See `model.litter.tilt`: into out (…,)."""
    for i in range(count):
        out[i] = _NONE
    for train in range(len(WAVELETS)):
        cell_x, cell_y, run_x, run_y = WAVELETS[train]
        _along(distance, count + 8, x0 + run_x * clock, dx, cell_x, u)
        _along(distance, count + 8, y0 + run_y * clock, dy, cell_y, v)
        samples(bloom_of, u, v, count, seen)
        for i in range(count):
            out[i] += seen[i]
    strong = np.float32(EACH * (CALM + STORM * wind))
    for i in range(count):
        out[i] *= strong * _fade(distance[i], WAVES_TO_M) / (_ONE + np.float32(PER_M) * distance[i])


@inlined
def _add(tone, part, count, red, green, blue):  # type: ignore[no-untyped-def]
    """Add to three tones (3, …) so much of a part each."""
    for i in range(count):
        tone[0, i] += red * part[i]
        tone[1, i] += green * part[i]
        tone[2, i] += blue * part[i]


@inlined
def _times(tone, part, count, red, green, blue, least):  # type: ignore[no-untyped-def]
    """Multiply three tones (3, …) by one and so much of a part each, but by no less than `least`."""
    for i in range(count):
        tone[0, i] *= max(_ONE + red * part[i], least)
        tone[1, i] *= max(_ONE + green * part[i], least)
        tone[2, i] *= max(_ONE + blue * part[i], least)


@kernel
def strew(  # type: ignore[no-untyped-def]
    picture, at, depth, mirror, tremor, points, x0, y0, dx, dy, slopes, eye, shift, clock, wind, land, grain_of,
    bloom_of, shade_of, lamp_of, gains, blossoms, density, water, sandy, flowers, shaded, grass_m, lamps, valley, walls,
    room,
):  # fmt: skip
    """Lay what bare ground is rough with over picture (C, R, 3). See `model.litter`.

    at (C, R): which of the points each pixel shows, depth (C, R) in m; mirror and tremor (C, R) of water become what
    wavelets make of them. slopes (R,): of lines of sight. grain_of,
    bloom_of, shade_of, lamp_of: textures, padded. gains (KINDS, 3): how much each of them shows; blossoms (BLOSSOM,):
    what is told of them; density: of the air; grass_m: high, 0 for none; valley: m, over which a mountain is rock,
    infinite where none is; walls: of those that are about, the share that are rock and nothing else, 0 for none.
    room (24, R + 16): to work in.
    """
    dark = max(abs(gains[SHADE, 0]), abs(gains[SHADE, 1]), abs(gains[SHADE, 2]))
    light = max(abs(gains[LAMP, 0]), abs(gains[LAMP, 1]), abs(gains[LAMP, 2]))
    shaded, lamps = shaded and dark > _SHADES, lamps and light > _LIT
    rocky = walls > 0 or valley < 1e9
    to_m = max(BLOOM_M[0] if flowers else FINE_M[0], SHADE_TO_M[0] if shaded else 0.0)
    if rocky or lamps:
        to_m = 1e9
    if water:
        to_m = max(to_m, WAVES_TO_M[0])
    opens, patchy, closed, kind, first, haze = blossoms[:6]
    # A patch adds or takes little: most of the ground need not ask for it.
    shut = -(closed + 2.5 * abs(patchy) + CLOSED) / opens if opens > 0 else -1e9
    full, swayed = np.float32(min(grass_m / FULL_M, 1.0)), BENT_M * (STILL + wind)
    rows, wet_rows = np.zeros(picture.shape[1] + 8, np.int32), np.zeros(picture.shape[1] + 8, np.int32)
    wet_distance = np.zeros(picture.shape[1] + 8, np.float32)
    distance, slope, high, ground, part, clear = room[0], room[1], room[2], room[3], room[4], room[5]
    u, v, fine, seen, right, down, hit = room[6], room[7], room[8], room[9], room[10], room[11], room[12]
    tone, spare = room[13:16], room[16:24]
    for c in range(picture.shape[0]):
        point, covered, wet, n, waves = -1, False, False, 0, 0
        for r in range(picture.shape[1] - 1, -1, -1):
            d = depth[c, r]
            if d <= 0 or d >= to_m:
                break  # what is higher in the picture is farther off, or stands
            if at[c, r] != point:
                point = at[c, r]
                p = points[point]
                wet = p[10] > 0
                covered = wet or p[4] >= STANDS_M or p[5] >= STANDS_M
            if not covered:
                rows[n], distance[n], slope[n] = r, d, slopes[r]
                n += 1
            elif wet:
                wet_rows[waves], wet_distance[waves] = r, d
                waves += 1
        waves = _nearer(wet_distance, waves, WAVES_TO_M[0])
        if waves:
            for i in range(waves, waves + 8):
                wet_distance[i] = wet_distance[waves - 1]
            _tilt(bloom_of, wet_distance, waves, x0, y0, dx[c], dy[c], clock, wind, u, v, seen, part)
            for i in range(waves):
                r, tilted = wet_rows[i], part[i]
                mirror[c, r] = min(max(mirror[c, r] * (_ONE + gains[GLINT, 0] * tilted), _NONE), np.float32(MOST))
                tremor[c, r] += np.float32(TREMBLE) * tilted
                for k in range(3):
                    picture[c, r, k] *= _ONE + gains[WAVE, k] * tilted
        if n == 0:
            continue
        for i in range(n, n + 8):  # looked at, as eight always are, and forgotten
            distance[i], slope[i] = distance[n - 1], slope[n - 1]
        wx, wy = np.float32(dx[c]), np.float32(dy[c])
        for i in range(n + 8):
            ground[i] = tone[0, i] = tone[1, i] = tone[2, i] = _ONE
            right[i] = down[i] = _NONE
        if rocky or lamps:
            for i in range(n):
                clear[i] = math.exp(-density * distance[i])
        if rocky:
            for i in range(n + 8):
                high[i] = eye + slope[i] * distance[i]
            _rock(grain_of, distance, high, x0, y0, dx[c], dy[c], n + 8, spare, part)
            for i in range(n):
                wall = _NONE
                if walls > 0:
                    x, y = x0 + dx[c] * distance[i], y0 + dy[c] * distance[i]
                    hills, _, _, patch = sample_land(land, x / LAND_CELL_M, y / LAND_CELL_M)
                    wall = np.float32(min(8 * _wall_of(hills, patch), 1.0) * walls)
                    wall *= np.float32(smooth((distance[i] - WALL_FROM_M) / WALL_ROCK_M))
                ground[i] = _ONE - wall
                crag = np.float32(clamp((high[i] - valley) / CRAGS_M[1], 0.0, 1.0)) * ground[i]
                rough = part[i] * clear[i]
                for k in range(3):
                    tone[k, i] += rough * (gains[4, k] * crag + gains[5, k] * wall)
        near = _nearer(distance, n, FINE_M[0])
        blades = _nearer(distance, near, GRASS_TO_M[0]) if full > 0 else 0
        _along(distance, near + 8, x0, dx[c], FINE_CELL_M, u)
        _along(distance, near + 8, y0, dy[c], FINE_CELL_M, v)
        samples(grain_of, u, v, near, fine)
        for i in range(near):
            u[i] += _BUMP_U
            v[i] += _BUMP_V
        samples(grain_of, u, v, near, seen)
        for i in range(near):
            share = _fade(distance[i], FINE_M) * ground[i]
            seen[i] = (seen[i] - fine[i]) * share
            part[i] = fine[i] * share
        _add(tone, part, near, gains[0, 0], gains[0, 1], gains[0, 2])
        _add(tone, seen, near, gains[1, 0], gains[1, 1], gains[1, 2])
        if blades:
            _along(distance, blades + 8, x0, dx[c], GRASS_CELL_M, u)
            _along(distance, blades + 8, y0, dy[c], GRASS_CELL_M, v)
            turn = (clock * GRASS_RAD_S + x0 * GRASS_X + y0 * GRASS_Y) % _TURN
            turning = dx[c] * GRASS_X + dy[c] * GRASS_Y
            _grass(
                bloom_of, u, v, wx, wy, distance, slope, fine, blades, grass_m, turn, turning, swayed, spare, hit,
                right, down,
            )  # fmt: skip
        grit = _nearer(distance, near, GRIT_M[0])
        if grit:
            _along(distance, grit + 8, x0, dx[c], GRIT_CELL_M, u)
            _along(distance, grit + 8, y0, dy[c], GRIT_CELL_M, v)
            for i in range(grit):
                u[i] += right[i] * np.float32(1 / GRIT_CELL_M)
                v[i] += down[i] * np.float32(1 / GRIT_CELL_M)
            samples(bloom_of, u, v, grit, part)
            for i in range(grit):
                part[i] *= _fade(distance[i], GRIT_M) * ground[i]
            _add(tone, part, grit, gains[2, 0], gains[2, 1], gains[2, 2])
        if sandy:
            sand = _nearer(distance, near, SAND_M[0])
            _along(distance, sand + 8, x0 + shift[0], dx[c], DETAIL_CELL_M, u)
            _along(distance, sand + 8, y0 + shift[1], dy[c], DETAIL_CELL_M, v)
            samples(grain_of, u, v, sand, seen)
            turn, turning = (x0 * SAND_X + y0 * SAND_Y) % _TURN, dx[c] * SAND_X + dy[c] * SAND_Y
            for i in range(sand):
                d = distance[i]
                patch = sample_of(land, 3, (x0 + dx[c] * d) / LAND_CELL_M, (y0 + dy[c] * d) / LAND_CELL_M)
                wave = sine(turn + turning * d + SAND_BEND * patch + SAND_JAG * seen[i])
                part[i] = wave * clamp(0.6 + 0.3 * patch + 0.3 * seen[i], 0.0, 1.0) * _fade(d, SAND_M)
            _add(tone, part, sand, gains[3, 0], gains[3, 1], gains[3, 2])
        for k in range(3):
            for i in range(n):
                tone[k, i] = max(tone[k, i], _DARKEST)
        if blades:
            for i in range(blades):
                part[i] = (hit[i] - np.float32(MEAN)) * _fade(distance[i], GRASS_TO_M) * full * ground[i]
            _times(tone, part, blades, gains[BLADE, 0], gains[BLADE, 1], gains[BLADE, 2], _DARKEST)
        if flowers:
            opened = _nearer(distance, n, BLOOM_M[0])
            cell = DETAIL_CELL_M / BLOOM_SCALE
            _along(distance, opened + 8, x0 + shift[0], dx[c], cell, u)
            _along(distance, opened + 8, y0 + shift[1], dy[c], cell, v)
            for i in range(opened):
                u[i] += right[i] * np.float32(1 / cell)
                v[i] += down[i] * np.float32(1 / cell)
            samples(bloom_of, u, v, opened, seen)
            for i in range(opened):
                if seen[i] > shut:
                    d = distance[i]
                    patch = sample_of(land, 3, (x0 + dx[c] * d) / LAND_CELL_M, (y0 + dy[c] * d) / LAND_CELL_M)
                    open_by = opens * seen[i] + patchy * patch + closed
                    if open_by > -CLOSED:
                        shown = sigmoid(open_by) * _fade(d, BLOOM_M) * ground[i] * math.exp(-haze * d / 30)
                        share = sigmoid(kind * patch + first)
                        for k in range(3):
                            tone[k, i] += shown * (blossoms[9 + k] + share * (blossoms[6 + k] - blossoms[9 + k]))
        if lamps:
            _along(distance, n + 8, x0 + shift[0] - TOWN_CELL_M / 2, dx[c], TOWN_CELL_M, u)
            _along(distance, n + 8, y0 + shift[1] - TOWN_CELL_M / 2, dy[c], TOWN_CELL_M, v)
            samples(lamp_of, u, v, n, part)
            for i in range(n):
                part[i] *= clear[i]
                for k in range(3):
                    spare[k, i] = part[i] * gains[LAMP, k] * tone[k, i]
        if shaded:
            dim = _nearer(distance, n, SHADE_TO_M[0])
            _along(distance, dim + 8, x0 + shift[0], dx[c], DETAIL_CELL_M, u)
            _along(distance, dim + 8, y0 + shift[1], dy[c], DETAIL_CELL_M, v)
            samples(shade_of, u, v, dim, part)
            for i in range(dim):
                part[i] *= _fade(distance[i], SHADE_TO_M)
            _times(tone, part, dim, gains[SHADE, 0], gains[SHADE, 1], gains[SHADE, 2], _NONE)
        column = picture[c]
        for i in range(n):
            r = rows[i]
            for k in range(3):
                column[r, k] *= tone[k, i]
        if lamps:
            for i in range(n):
                r = rows[i]
                for k in range(3):
                    column[r, k] += spare[k, i]
