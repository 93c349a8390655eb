"""What the diorama's rocks and fronts look like, and the light of a moment."""

from __future__ import annotations

import math
from typing import Any

import numba as nb
import numpy as np

from model.camera import CLEARED_M, FLOOR_M, ROCK_HIGH, ROCK_M, ROCK_SHARE, WINDOW_M
from model.diorama.places import COLUMN
from model.diorama.sampling import chance, clamp, hue_of, sample, smooth
from model.field import TOWN_CELL_M
from model.grass import (
    GRASS_CELL_M,
    GROUND_GAP,
    JITTER,
    JITTER_CELL_M,
    JITTER_SHARE,
    STEPS,
    TUFT,
    UNEVEN,
    bend_of,
    reach_of,
)
from model.waves import CALM, EACH, PER_M, STORM, WAVELETS, WAVES_TO_M

_HAZE, _BLOCK, _ROOF, _SUNKEN = (COLUMN[k] for k in ("haze_r", "block_m", "roof", "sunken"))
_SPACE, _WARM = (COLUMN[k] for k in ("space", "warm"))
ROCK_RIDGE, ROCK_WALL = 0.45, 0.55  # how much light rock gives or takes: of mountains, of walls

_reach_of: Any = nb.njit(reach_of)
_bend_of: Any = nb.njit(bend_of)


@nb.njit(fastmath=True, inline="always")
def rock(detail, x, y, h, distance):  # type: ignore[no-untyped-def]
    """How light or dark rock is at (x, y), h m high: rough at every distance alike, about 0 on average."""
    octave = math.log2(clamp(distance * ROCK_SHARE, ROCK_M[0], 0.999 * ROCK_M[1]))
    fine = math.floor(octave)
    texel, beyond, rough = 2.0**fine, octave - fine, 0.0
    for share in (1 - beyond, beyond):
        high = h * ROCK_HIGH / texel
        rough += share * (sample(detail, 2, x / texel, high) + sample(detail, 2, y / texel + 50, high))
        texel *= 2
    return 0.5 * rough


@nb.njit(fastmath=True, inline="always")
def front(channel, h, high, along, hue, day, warm, fade):  # type: ignore[no-untyped-def]
    """What a house's front has at height h of `high` m: how dark (1: as painted) and what light it gives, of a channel.

    along: metres along the wall. fade: 1 near .. 0 where windows can't be told apart any more.
    """
    cells = along / WINDOW_M
    floors = h / FLOOR_M
    i, j = int(math.floor(cells)), int(math.floor(floors))  # noqa: RUF046
    fx, fy = cells - i, floors - j
    k = int(hue * 255)
    if j == 0:
        window = smooth((0.46 - abs(fx - 0.5)) * 20) * smooth((0.36 - abs(fy - 0.42)) * 20)
        lit = 0.25 + 0.75 * chance(i, 7, k)
    else:
        window = smooth((0.16 + 0.18 * chance(k, 3, 5) - abs(fx - 0.5)) * 20) * smooth((0.30 - abs(fy - 0.52)) * 20)
        likely = chance(i, j, k)
        lit = 0.5 + 0.5 * likely if likely < 0.5 + 0.3 * warm else 0.0
    window = window * fade + 0.24 * (1 - fade)
    if h > high - 0.5:
        return 0.62, 0.0
    lit = lit * fade + 0.38 * (1 - fade)
    lamp = (1.0, 0.72, 0.36)[channel]
    if j == 0:  # shops, each in a colour of its own
        lamp = lamp * (0.35 + 0.65 * warm) + (0.65 - 0.65 * warm) * hue_of(hue * 3, channel)
    elif hue > 0.7:
        lamp = 0.45 * lamp + 0.55 * (0.75, 0.88, 1.0)[channel]
    return 1 - 0.62 * window, window * lit * lamp * (1 - 0.88 * day) * 1.05


@nb.njit(fastmath=True, nogil=True, cache=True)
def fronts_at(place, weather, flash, fronts, out):  # type: ignore[no-untyped-def]
    """What lies over the walls of houses at points `fronts` (N, 6): how much it covers, and its colour by as much, into
    out (N, 4).

    Each: height and height of the house in m, m along the wall, hue, distance in m, and how much air leaves of that.
    """
    colours = np.zeros((8, 3))
    lights(weather, flash, place, colours)
    for n in range(len(fronts)):
        h, high, along, hue, distance, left = fronts[n]
        for k in range(3):
            tone, lamp = front(
                k, h, high, along, hue, colours[7, 0], place[_WARM], clamp(1.5 - distance / 70, 0.0, 1.0)
            )
            out[n, 0] = 1 - tone
            out[n, 1 + k] = lamp * left + (1 - tone) * colours[1, k] * (1 - left)


@nb.njit(fastmath=True, cache=True)
def grass(detail, x, y, dx, dy, line, high, fine, clock_s, wind):  # type: ignore[no-untyped-def]
    """How high in grass, 0..1 of its height, a line of sight is met that would meet the ground at (x, y), and where.

    dx, dy: its way a metre of distance; line: by how much it rises on that; high: of the grass, in m; fine: the grain
    there. See `model.grass`.
    """
    reach, bent, uneven = _reach_of(line, high), _bend_of(x, y, clock_s, wind), 0.5 + UNEVEN * fine
    loose = sample(detail, 3, x / JITTER_CELL_M, y / JITTER_CELL_M)
    later = JITTER * (clamp(0.5 + JITTER_SHARE * loose, 0.0, 1.0) - 0.5)
    before, gap, hit = STEPS[0] + JITTER - later, -0.5, -1.0
    for number in range(len(STEPS)):
        step = STEPS[number] - later
        px, py = x - dx * reach * step + bent * step * step, y - dy * reach * step
        over = uneven + TUFT * sample(detail, 3, px / GRASS_CELL_M, py / GRASS_CELL_M) - step
        if over > 0:
            hit = step + (before - step) * over / max(over - gap, 1e-6)
            break
        before, gap = step, over
    if hit < 0:
        hit = before * GROUND_GAP / max(GROUND_GAP - gap, GROUND_GAP)
    return hit, x - dx * reach * hit + bent * hit * hit, y - dy * reach * hit


@nb.njit(fastmath=True, cache=True)
def tilt(detail, x, y, distance, clock_s, wind):  # type: ignore[no-untyped-def]
    """How much wavelets tilt water at (x, y). See `model.waves`."""
    fade = clamp((WAVES_TO_M[0] - distance) / (WAVES_TO_M[0] - WAVES_TO_M[1]), 0.0, 1.0)
    if fade == 0.0:
        return 0.0
    total = 0.0
    for cell_x, cell_y, run_x, run_y in WAVELETS:
        total += sample(detail, 3, (x + run_x * clock_s) / cell_x, (y + run_y * clock_s) / cell_y)
    return EACH * total * fade * (CALM + STORM * wind) / (1 + PER_M * distance)


@nb.njit(fastmath=True, cache=True)
def lamp_at(town, shift, place, x, y):  # type: ignore[no-untyped-def]
    """How much light of lamps and lit windows lies on the ground at (x, y)."""
    u, v = (x + shift[0]) / TOWN_CELL_M - 0.5, (y + shift[1]) / TOWN_CELL_M - 0.5
    return sample(town, 3, u, v) * clamp(place[_BLOCK] / CLEARED_M, 0.0, 1.0) * (4.0 - 2.9 * place[_WARM])


@nb.njit(fastmath=True, cache=True)
def lights(weather, flash, place, out):  # type: ignore[no-untyped-def]
    """Colours of a moment into out (7, 3): zenith, horizon, sunward glow, direct light, light from all round, cloud's
    lit side, cloud's shaded side; and into out[7]: day, night, dusk.
    """
    roof, sunken, space, warm = place[_ROOF], place[_SUNKEN], place[_SPACE], place[_WARM]
    sun, cloud, fog, rain, snow = weather[0], weather[1], weather[2], weather[3], weather[4]
    cloud *= (1 - roof) * (1 - sunken) * (1 - space)
    rise = math.sin(sun)
    day = smooth((rise + 0.12) / 0.5)
    night = 1 - smooth((rise + 0.30) / 0.30)
    dusk = math.exp(-((rise - 0.03) ** 2) * 26) * (1 - 0.8 * cloud)
    grey = cloud * cloud * (0.45 + 0.45 * max(rain, snow))
    falling = max(rain, 0.5 * snow)
    tone = 0.06 + 0.52 * day * (1 - 0.42 * falling) + 0.05 * dusk
    zenith = (0.035 + 0.11 * day + 0.10 * dusk, 0.065 + 0.285 * day + 0.06 * dusk, 0.18 + 0.50 * day + 0.13 * dusk)
    horizon = (0.10 + 0.55 * day + 0.42 * dusk, 0.15 + 0.62 * day + 0.13 * dusk, 0.28 + 0.62 * day - 0.02 * dusk)
    overcast = (0.96, 1.0, 1.08)
    # Sunlight reddens as it sinks; clouds take it away, and the sky's own light stays.
    clear = (1 - 0.85 * cloud) * (1 - 0.6 * fog) * (1 - 0.7 * falling)
    strength = smooth((rise + 0.04) / 0.25) * clear
    low_sun = clamp(1 - rise / 0.45, 0.0, 1.0)
    sunlight = (1.02, 0.96 - 0.42 * low_sun, 0.84 - 0.62 * low_sun)
    around = (
        0.17 + 0.235 * day + 0.13 * dusk + 0.16 * day * cloud,
        0.23 + 0.235 * day + 0.06 * dusk + 0.15 * day * cloud,
        0.39 + 0.17 * day + 0.03 * dusk + 0.13 * day * cloud,
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
        # Lamps light the haze and what stands in it; a ceiling, water and space have lights of their own.
        dark = warm * (1 - day)
        out[1, k] += (0.17, 0.09, 0.04)[k] * dark
        out[4, k] += (0.30, 0.18, 0.08)[k] * dark
        under = 0.36 + 0.64 * day + 0.10 * dusk
        for row, inside, deep, star in (
            (0, (0.06, 0.07, 0.11)[k], (0.16, 0.60, 0.70)[k] * under, (0.020, 0.014, 0.050)[k]),
            (1, (0.07, 0.085, 0.14)[k], (0.02, 0.25, 0.38)[k] * under, (0.085, 0.040, 0.150)[k]),
            (2, 0.0, (0.05, 0.16, 0.14)[k] * day, (0.10, 0.05, 0.12)[k]),
            (3, (0.34, 0.25, 0.18)[k], (0.26, 0.44, 0.42)[k] * day, (0.22, 0.20, 0.30)[k]),
            (4, (0.62, 0.56, 0.62)[k], (0.50, 0.56, 0.56)[k] * under, (0.30, 0.26, 0.46)[k]),
        ):
            value = out[row, k]
            value += (inside + flash * 0.3 - value) * roof
            value += (deep + flash * 0.3 - value) * sunken
            out[row, k] = value + (star + flash * 0.3 - value) * space
    night += (1 - night) * space
    out[7, 0], out[7, 1], out[7, 2] = day, night, dusk
