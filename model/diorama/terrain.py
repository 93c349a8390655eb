"""How high the diorama's land stands: ground, water, trees and houses."""

from __future__ import annotations

import math
from typing import Any

import numba as nb

from model.camera import (
    BODIES_M,
    CLEARED_M,
    OPEN_M,
    ROOF_M,
    SHADE_AT_M,
    SHADE_TO_M,
    SHADOW_AHEAD_M,
    SHADOW_M,
    SHADOW_SOFT,
    SHADOWS_TO_M,
    SLIM,
    SUN_AZIMUTH_RAD,
    WALL_FADE_M,
    WALL_FROM_M,
    WAVE_PER_M,
    focal,
)
from model.camera import shade_of as plain_shade
from model.camera import wall_of as plain_wall
from model.diorama.places import COLUMN
from model.diorama.sampling import clamp, sample, smooth
from model.field import DETAIL_CELL_M, LAND_CELL_M, TOWN_CELL_M

_HILL, _RIDGE, _RIDGE_FAR, _DUNE, _SEA = (COLUMN[k] for k in ("hill_m", "ridge_m", "ridge_far_m", "dune_m", "sea"))
_WATER, _BASE, _TREE, _COVER, _SLENDER = (COLUMN[k] for k in ("water", "base_m", "tree_m", "tree_cover", "slender"))
_ROUND, _CLEAR, _BLOCK, _PITCHED = (COLUMN[k] for k in ("round", "clear_m", "block_m", "pitched"))
_WALL, _ROOF = COLUMN["wall_m"], COLUMN["roof"]


TREE_LINE_M = 70.0
_WIDEST_M = 5.0  # from the border of a crown to its middle at most


wall_of: Any = nb.njit(fastmath=True, inline="always")(plain_wall)
shade_of: Any = nb.njit(fastmath=True, inline="always")(plain_shade)


@nb.njit(fastmath=True, inline="always")
def ceiling(place, eye):  # type: ignore[no-untyped-def]
    """How high, in m, the ceiling of a place lies, above which nothing stands; far up where it has none."""
    return eye + ROOF_M + (1 - place[_ROOF]) * OPEN_M


@nb.njit(fastmath=True, cache=True)
def ground_height(land, place, shore, x, y, distance):  # type: ignore[no-untyped-def]
    """Height in metres of bare ground at (x, y), which may lie under water.

    shore: x, y and bearing (rad) of the line beyond which a sea lies. Mountains rise only some distance away: the
    walker has a valley.
    """
    return ground_along(land, place, shore, math.sin(shore[2]), math.cos(shore[2]), x, y, distance)


@nb.njit(fastmath=True, cache=True)
def ground_along(land, place, shore, sea_x, sea_y, x, y, distance):  # type: ignore[no-untyped-def]
    """The same where the way to the sea, (sea_x, sea_y), is known already."""
    u, v = x / LAND_CELL_M, y / LAND_CELL_M
    hills = sample(land, 0, u, v)
    height = place[_BASE] + place[_HILL] * hills
    if place[_RIDGE] > 1:
        away = (distance - place[_RIDGE_FAR]) / (place[_RIDGE_FAR] * 4)
        if away > 0:
            height += place[_RIDGE] * sample(land, 1, u, v) * smooth(away)
    if place[_DUNE] > 0.1:
        height += place[_DUNE] * sample(land, 2, u, v)
    if place[_WALL] > 0.1 and distance > WALL_FROM_M:
        height += place[_WALL] * wall_of(hills, sample(land, 3, u, v)) * smooth((distance - WALL_FROM_M) / WALL_FADE_M)
    if place[_SEA] > 0.001:
        seaward = (x - shore[0]) * sea_x + (y - shore[1]) * sea_y
        seaward += 14 * hills + 3 * sample(land, 3, u, v)
        beach = -seaward * 0.055 if seaward < 0 else -seaward * 0.04
        flat = 1 if seaward < 0 else 0.1
        beach = clamp(beach, -9.0, 4.0)
        height = height * (1 - place[_SEA]) + (beach + 0.25 * (height - place[_BASE]) * flat) * place[_SEA]
    return height


@nb.njit(fastmath=True, inline="always")
def grown_at(land, place, x, y, rank, ground, away):  # type: ignore[no-untyped-def]
    """How much of its full size a thing has, 0..1, whose middle stands at (x, y), `away` m off.

    Nothing stands so near that it walls the view up: trees shrink as one comes near. Where a grove thins out, and
    towards the tree line, the last ones are small.
    """
    dense = place[_COVER] * (1 + 0.6 * sample(land, 3, x / LAND_CELL_M, y / LAND_CELL_M))
    dense *= smooth((TREE_LINE_M - ground) / 25)
    near = smooth((away - place[_CLEAR]) / (0.6 * place[_CLEAR]))
    return near * smooth((dense - rank) / (0.3 * place[_COVER]))


@nb.njit(fastmath=True, inline="always")
def full_height(place, rank, grain):  # type: ignore[no-untyped-def]
    """Height in m of a thing that has grown; grain: of the field there."""
    ragged = 1 + 0.22 * clamp(grain, -1.5, 1.5) * (1 - place[_SLENDER])
    return place[_TREE] * (0.75 + 0.25 * (1 - rank)) * ragged


@nb.njit(fastmath=True, cache=True)
def tree_at(land, detail, thing, shift, place, x, y, ground, distance, ahead_x, ahead_y):  # type: ignore[no-untyped-def]
    """Of the tree at (x, y): how near its middle, 0..1, its height in metres there, and how far off its middle is, in
    m; zeros where none stands.

    ahead_x, ahead_y: the way along which distances are counted.
    """
    if distance + _WIDEST_M < place[_CLEAR]:
        return 0.0, 0.0, 0.0
    du, dv = (x + shift[0]) / DETAIL_CELL_M, (y + shift[1]) / DETAIL_CELL_M
    ui, vi = math.floor(du + 0.5), math.floor(dv + 0.5)
    of = thing[int(vi) & 511, int(ui) & 511]
    rank = of[3]
    if rank > place[_COVER] * 2.5:  # more than the densest grove has
        return 0.0, 0.0, 0.0
    crown = sample(detail, 0, du, dv)
    if crown <= place[_SLENDER]:
        return 0.0, 0.0, 0.0
    right, down = (ui + of[0] - du) * DETAIL_CELL_M, (vi + of[1] - dv) * DETAIL_CELL_M
    away = distance + right * ahead_x + down * ahead_y
    grown = grown_at(land, place, x + right, y + down, rank, ground, away)
    wide = (1 - place[_SLENDER]) * grown
    if crown <= 1 - wide:
        return 0.0, 0.0, 0.0
    crown = clamp((crown - 1 + wide) / wide, 0.0, 1.0)
    rounded = math.sqrt(1 - (1 - crown) * (1 - crown))
    crown = crown * (1 - place[_ROUND]) + rounded * place[_ROUND]
    return crown, crown * grown * full_height(place, rank, sample(detail, 2, du, dv)), away


@nb.njit(fastmath=True, inline="always")
def from_afar(away):  # type: ignore[no-untyped-def]
    """How much of a thing whose middle is `away` m off the land's own height tells; the rest is told as a body."""
    return clamp((away - BODIES_M[0]) / (BODIES_M[1] - BODIES_M[0]), 0.0, 1.0)


@nb.njit(fastmath=True, cache=True)
def nearest_m(thing, shift, x, y, dx, dy):  # type: ignore[no-untyped-def]
    """How many metres of distance a ray on its way (dx, dy) a metre is from where it passes the middle of what stands
    at (x, y).
    """
    u, v = (x + shift[0]) / DETAIL_CELL_M, (y + shift[1]) / DETAIL_CELL_M
    ui, vi = math.floor(u + 0.5), math.floor(v + 0.5)
    of = thing[int(vi) & 511, int(ui) & 511]
    return ((ui + of[0] - u) * dx + (vi + of[1] - v) * dy) * DETAIL_CELL_M / (dx * dx + dy * dy)


@nb.njit(fastmath=True, cache=True)
def house_at(town, shift, place, x, y, distance):  # type: ignore[no-untyped-def]
    """Height in metres of the house at (x, y) and the hue of its front; zeros in a street.

    Houses sink as one comes so near that one would walk into them.
    """
    u, v = int(math.floor((x + shift[0]) / TOWN_CELL_M)) & 511, int(math.floor((y + shift[1]) / TOWN_CELL_M)) & 511  # noqa: RUF046
    rank = town[v, u, 0]
    if rank == 0:
        return 0.0, 0.0
    high = place[_BLOCK] * (0.3 + 0.7 * rank) * (1 + 0.55 * place[_PITCHED] * town[v, u, 1])
    return high * smooth((distance - 3.0) / 4.0), town[v, u, 2]


@nb.njit(fastmath=True, cache=True)
def cleared(town, shift, place, x, y):  # type: ignore[no-untyped-def]
    """How much of what would grow at (x, y) houses leave, 0..1."""
    left = clamp(1 - place[_BLOCK] / CLEARED_M, 0.0, 1.0)
    if left == 1.0:
        return 1.0
    u, v = int(math.floor((x + shift[0]) / TOWN_CELL_M)) & 511, int(math.floor((y + shift[1]) / TOWN_CELL_M)) & 511  # noqa: RUF046
    return left if town[v, u, 0] > 0 else 1.0


@nb.njit(fastmath=True, cache=True)
def shadow_at(town, shift, place, x, y, distance, ahead_x, ahead_y, tangent):  # type: ignore[no-untyped-def]
    """How much of the sunlight houses take from the ground at (x, y), and how near their foot is on the sun's side,
    each 0..1.

    ahead_x, ahead_y: the way along which distances are counted. tangent: of the sun's height.
    """
    fade = clamp(1.4 - distance * (1.4 / SHADOWS_TO_M), 0.0, 1.0)
    shade = foot = 0.0
    if fade == 0.0:
        return 0.0, 0.0
    for at in SHADOW_M:
        soft = SHADOW_SOFT[0] + SHADOW_SOFT[1] * at
        sx, sy = x + at * math.sin(SUN_AZIMUTH_RAD), y + at * math.cos(SUN_AZIMUTH_RAD)
        z = distance + (sx - x) * ahead_x + (sy - y) * ahead_y + SHADOW_AHEAD_M
        stands = house_at(town, shift, place, sx, sy, z)[0]
        if stands > 0.0:
            shade = max(shade, smooth(0.5 + (stands - at * tangent) / soft) * min(1.0, stands))
            if at < 2.0:
                foot = min(1.0, stands / 3)
    return shade * fade, foot * fade


@nb.njit(fastmath=True, cache=True)
def shade_at(  # type: ignore[no-untyped-def]
    land, detail, thing, town, shift, place, x, y, ground, distance, ahead_x, ahead_y, tangent
):
    """How much of the sunlight what grows takes from the ground at (x, y), 0..1."""
    fade = clamp((SHADE_TO_M[0] - distance) / (SHADE_TO_M[0] - SHADE_TO_M[1]), 0.0, 1.0)
    shade = 0.0
    if fade == 0.0:
        return 0.0
    sun_x, sun_y = math.sin(SUN_AZIMUTH_RAD), math.cos(SUN_AZIMUTH_RAD)
    for at in SHADE_AT_M:
        u, v = (x + at * sun_x + shift[0]) / DETAIL_CELL_M, (y + at * sun_y + shift[1]) / DETAIL_CELL_M
        ui, vi = math.floor(u + 0.5), math.floor(v + 0.5)
        of = thing[int(vi) & 511, int(ui) & 511]
        if of[3] > place[_COVER] * 2.5:
            continue
        right, down = (ui + of[0] - u) * DETAIL_CELL_M + at * sun_x, (vi + of[1] - v) * DETAIL_CELL_M + at * sun_y
        ahead, beside = right * sun_x + down * sun_y, right * sun_y - down * sun_x
        radius = of[2] * DETAIL_CELL_M * (1 - place[_SLENDER])
        most = 1.33 * place[_TREE]
        if shade_of(ahead, beside, most, radius, tangent) <= shade:
            continue
        mx, my = x + right, y + down
        grain = sample(detail, 2, (mx + shift[0]) / DETAIL_CELL_M, (my + shift[1]) / DETAIL_CELL_M)
        away = distance + right * ahead_x + down * ahead_y
        high = full_height(place, of[3], grain) * grown_at(land, place, mx, my, of[3], ground, away)
        high *= cleared(town, shift, place, mx, my)
        if high > 0:
            shade = max(shade, shade_of(ahead, beside, high, min(radius, SLIM * high), tangent))
    return shade * fade


@nb.njit(fastmath=True, inline="always")
def water_level(place):  # type: ignore[no-untyped-def]
    """Height of the water in metres: it rises out of the ground as a place with water comes near, slower and slower."""
    return -14.0 * (1 - place[_WATER]) ** 2


focal_of: Any = nb.njit(focal)


@nb.njit(fastmath=True, nogil=True, cache=True)
def heights(  # type: ignore[no-untyped-def]
    out, width, columns, distances, land, detail, thing, town, shift, place, shore, camera, swash, wind
):
    """Heights in metres along the rays of `columns` (n,), at `distances` (n, K), into `out` (n, K, 3): of the ground,
    be it under water; of what is seen of land there; and of what grows there, above the ground, be it told as a body.
    """
    px, py, yaw = camera[0], camera[1], camera[3]
    f = focal_of(width)
    cy, sy = math.cos(yaw), math.sin(yaw)
    level, roof = water_level(place), ceiling(place, camera[2])
    for index in range(len(columns)):
        across = (columns[index] + 0.5 - width * 0.5) / f
        dx, dy = sy + cy * across, cy - sy * across
        for k in range(distances.shape[1]):
            z = distances[index, k]
            wx, wy = px + dx * z, py + dy * z
            ground = ground_height(land, place, shore, wx, wy, z)
            surface, tall, away = ground, 0.0, 0.0
            if ground < level:
                seaward = (wx - shore[0]) * math.sin(shore[2]) + (wy - shore[1]) * math.cos(shore[2])
                bend = sample(land, 3, wx / LAND_CELL_M, wy / LAND_CELL_M)
                wave = math.sin(seaward * WAVE_PER_M + swash * 6.2831853 + 1.3 * bend)
                swell = (0.06 + 0.42 * wind) * place[_SEA] * min(1.0, (level - ground) * 0.5)
                surface = level + swell * wave
            else:
                house = 0.0
                if place[_BLOCK] > 0.5:
                    house = house_at(town, shift, place, wx, wy, z)[0]
                if place[_COVER] > 0.005 and z > place[_CLEAR]:
                    _, tall, away = tree_at(land, detail, thing, shift, place, wx, wy, ground, z, sy, cy)
                    tall *= cleared(town, shift, place, wx, wy)
                surface = ground + house + tall * from_afar(away)
            out[index, k, 0], out[index, k, 1], out[index, k, 2] = ground, min(surface, roof), tall
