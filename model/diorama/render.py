"""The diorama's picture: a column-by-column (voxel-space) landscape renderer in numba.

Each picture column walks a ray front to back over a procedural height field and fills pixels as the horizon of
what it has seen rises; the sky is computed for what stays open. The method is the classic one of height-field
flight simulators; nothing is taken from another implementation.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np
from numpy.typing import NDArray

from model.diorama.places import COLUMN
from model.egomotion import FIELD_OF_VIEW_RAD, HORIZON

MAP = 1024  # texels of a tileable noise map; one texel is one metre of ground
WATER_M = 0.0
SUN_AZIMUTH_RAD = 1.2

_HILL, _RIDGE, _RIDGE_FAR, _DUNE, _SEA = (COLUMN[k] for k in ("hill_m", "ridge_m", "ridge_far_m", "dune_m", "sea"))
_TREE, _COVER, _FLOWERS, _SNOW_GROUND = (COLUMN[k] for k in ("tree_m", "tree_cover", "flowers", "snow_ground"))
_SNOW_LINE, _GRAIN, _GROUND, _GROUND2 = (COLUMN[k] for k in ("snow_line_m", "grain", "ground_r", "ground2_r"))
_TREE_RGB, _HAZE = COLUMN["tree_r"], COLUMN["haze_r"]


def noise_map(seed: int, base: int, octaves: int, persistence: float) -> NDArray[np.float32]:
    """Tileable fractal noise (1024, 1024) in 0..1: octaves of cubic-interpolated white noise, `base` cells wide."""
    rng = np.random.default_rng(seed)
    total = np.zeros((MAP, MAP), np.float32)
    amplitude = 1.0
    for octave in range(octaves):
        cells = base * 2**octave
        if cells > MAP:
            break
        # Band-limit white noise in the Fourier domain: tileable by construction.
        spectrum = np.zeros((MAP, MAP // 2 + 1), np.complex64)
        grid = np.fft.rfft2(rng.standard_normal((cells, cells)))
        half = cells // 2
        keep = np.hanning(cells + 1)[half:]  # taper, so no ringing
        spectrum[:half, :half] = grid[:half, :half] * np.outer(keep[:half], keep[:half])
        spectrum[-half:, :half] = grid[-half:, :half] * np.outer(keep[:half][::-1], keep[:half])
        layer = np.fft.irfft2(spectrum, s=(MAP, MAP)).astype(np.float32)
        total += amplitude * layer / layer.std()
        amplitude *= persistence
    low, high = np.percentile(total, [0.5, 99.5])
    return np.clip((total - low) / (high - low), 0, 1).astype(np.float32)


@nb.njit(fastmath=True, inline="always")
def _sample(texture, x, y):  # type: ignore[no-untyped-def]
    xf = math.floor(x)
    yf = math.floor(y)
    fx = np.float32(x - xf)
    fy = np.float32(y - yf)
    x0 = int(xf) & 1023
    y0 = int(yf) & 1023
    x1 = (x0 + 1) & 1023
    y1 = (y0 + 1) & 1023
    one = np.float32(1)
    top = texture[y0, x0] * (one - fx) + texture[y0, x1] * fx
    low = texture[y1, x0] * (one - fx) + texture[y1, x1] * fx
    return top * (one - fy) + low * fy


@nb.njit(fastmath=True, inline="always")
def _clamp(value, low, high):  # type: ignore[no-untyped-def]
    return min(high, max(low, value))


@nb.njit(fastmath=True)
def ground_height(land, place, x, y, distance):  # type: ignore[no-untyped-def]
    """Height in metres of bare ground at (x, y); ridges rise only `distance` metres away: the walker has a valley."""
    n = _sample(land, x, y)
    height = place[_HILL] * (n - 0.45) * 2
    if place[_RIDGE] > 1:
        ridge = 1 - abs(2 * _sample(land, x * 1.7 + 311, y * 1.7 + 97) - 1)
        rise = _clamp((distance - place[_RIDGE_FAR]) / (place[_RIDGE_FAR] * 4), 0.0, 1.0)
        height += place[_RIDGE] * ridge * ridge * rise
    if place[_DUNE] > 0.1:
        u = x * 0.8 + y * 0.35 + 26 * n
        phase = u / 84 - math.floor(u / 84)
        # A dune climbs gently on the windward side and falls steeply on the other.
        crest = phase / 0.72 if phase < 0.72 else (1 - phase) / 0.28
        crest = crest * crest * (3 - 2 * crest)
        height += place[_DUNE] * crest * (0.45 + 0.9 * n)
    if place[_SEA] > 0.001:
        bay = 26 * (_sample(land, 500 + x * 0.3, y * 0.8) - 0.5)
        east = x - 512 - bay
        beach = -east * 0.075 if east < 0 else -east * 0.045
        beach = _clamp(beach, -9.0, 5.0) + 0.25
        height = height * (1 - 0.75 * place[_SEA]) * (1 if east < 0 else 0.1) + beach * place[_SEA]
    elif height < 0.3:
        height = 0.3 + 0.15 * (height - 0.3)
    return height


@nb.njit(fastmath=True, nogil=True)
def render(image, land, detail, place, camera, weather, clock_s, flash, swash):  # type: ignore[no-untyped-def]
    """Draw one picture into `image` float32 (H, W, 3), 0..1.

    camera: x m, y m, z m, yaw rad, pitch rad. weather: sun_rad, cloud, fog, rain, snow, wind, energy (0..1).
    `flash` 0..1 lights sky and land; `swash` is the phase of the breaking wave, in turns.
    """
    height, width, _ = image.shape
    px, py, pz, yaw, pitch = camera[0], camera[1], camera[2], camera[3], camera[4]
    sun, cloud, fog, rain, snow, wind = weather[0], weather[1], weather[2], weather[3], weather[4], weather[5]
    focal = width * 0.5 / math.tan(FIELD_OF_VIEW_RAD * 0.5)
    horizon = height * HORIZON + math.tan(pitch) * focal
    rise = math.sin(sun)
    day = _clamp((rise + 0.10) / 0.55, 0.0, 1.0)
    night = 1 - _clamp((rise + 0.22) / 0.25, 0.0, 1.0)
    dusk = math.exp(-((rise - 0.02) ** 2) * 30) * (1 - 0.75 * cloud)
    grey = cloud * (0.55 + 0.35 * max(rain, snow))
    # Zenith and horizon colours: night blue, day blue, gold and rose at dusk; clouds pull both to grey.
    zr = 0.03 + 0.17 * day + 0.10 * dusk
    zg = 0.07 + 0.345 * day + 0.05 * dusk
    zb = 0.19 + 0.60 * day + 0.12 * dusk
    hr = 0.08 + 0.59 * day + 0.62 * dusk
    hg = 0.11 + 0.65 * day + 0.24 * dusk
    hb = 0.24 + 0.66 * day - 0.06 * dusk
    lum = 0.07 + 0.50 * day * (1 - 0.45 * max(rain, snow * 0.4))
    zr = zr * (1 - grey) + grey * lum * 0.95
    zg = zg * (1 - grey) + grey * lum * 1.0
    zb = zb * (1 - grey) + grey * lum * 1.1
    hr = hr * (1 - grey) + grey * lum * 1.25
    hg = hg * (1 - grey) + grey * lum * 1.27
    hb = hb * (1 - grey) + grey * lum * 1.3
    hr += place[_HAZE] * day
    hg += place[_HAZE + 1] * day
    hb += place[_HAZE + 2] * day
    zr += flash * 0.45
    zg += flash * 0.45
    zb += flash * 0.55
    hr += flash * 0.5
    hg += flash * 0.5
    hb += flash * 0.6
    # Light on the land: warm from the sun, blue from the sky, a little moon.
    direct = day * (1 - 0.8 * cloud)
    lr = 0.20 + 0.36 * day + direct * 0.48 + dusk * 0.30 + flash * 0.8
    lg = 0.24 + 0.36 * day + direct * 0.44 + dusk * 0.10 + flash * 0.8
    lb = 0.38 + 0.34 * day + direct * 0.36 - dusk * 0.04 + flash * 0.9
    dim = 1 - 0.28 * max(rain, 0.5 * snow)
    lr *= dim
    lg *= dim
    lb *= dim
    density = 0.0009 + 0.045 * fog * fog + 0.008 * fog + 0.004 * rain + 0.006 * snow
    white_ground = _clamp(place[_SNOW_GROUND] + snow * 0.85, 0.0, 1.0)
    sun_x = math.sin(SUN_AZIMUTH_RAD)
    sun_y = math.cos(SUN_AZIMUTH_RAD)
    cy, sy = math.cos(yaw), math.sin(yaw)
    for column in range(width):
        across = (column + 0.5 - width * 0.5) / focal
        dx = sy + cy * across
        dy = cy - sy * across
        # --- land, front to back ---
        top = height
        z = 1.6
        dz = 0.16
        while z < 620 and top > 0:
            wx = px + dx * z
            wy = py + dy * z
            ground = ground_height(land, place, wx, wy, z)
            wet = place[_SEA] > 0.5 and ground < WATER_M
            tree = 0.0
            surface = ground
            if wet:
                depth = WATER_M - ground
                swell = (0.10 + 0.5 * wind) * min(1.0, depth * 0.5)
                surface = WATER_M + swell * math.sin(
                    wx * 0.42 + swash * 6.2831853 + 2 * _sample(detail, wy * 0.5, wx * 0.1)
                )
            elif place[_COVER] > 0.005 and z > 9:
                t = _sample(detail, wx * 2.3 + 77, wy * 2.3 + 31)
                edge = 0.93 - place[_COVER] * 2.0
                if t > edge:
                    # Nothing stands so near that it walls the view up.
                    tree = _clamp((t - edge) * 9, 0.0, 1.0) * _clamp((z - 9) / 14, 0.0, 1.0)
                    surface = ground + place[_TREE] * tree * (0.6 + 0.4 * _sample(land, wx * 5, wy * 5))
            row = int(horizon + (pz - surface) / z * focal)
            if row < 0:
                row = 0
            if row < top:
                if wet:
                    depth = WATER_M - ground
                    fresnel = 0.35 + 0.5 * min(1.0, z / 90)
                    ripple = _sample(detail, wx * 2.2 + clock_s * 1.7, wy * 2.2 - clock_s * 0.9) - 0.5
                    r = (hr * fresnel + 0.02 * lr) * (0.92 + 0.35 * ripple)
                    g = (hg * fresnel + 0.20 * lg * (1 - fresnel)) * (0.92 + 0.35 * ripple)
                    b = (hb * fresnel + 0.30 * lb * (1 - fresnel)) * (0.92 + 0.35 * ripple)
                    # Sun glitter along the sun's azimuth.
                    aim = (dx * sun_x + dy * sun_y) / math.sqrt(dx * dx + dy * dy)
                    if aim > 0.9 and rise > -0.05:
                        spark = (aim - 0.9) * 10
                        spark = spark * spark * _clamp(ripple * 4 + 0.45, 0.0, 1.0) * (direct + dusk)
                        r += spark
                        g += spark * 0.8
                        b += spark * 0.55
                    # Breaking lines travel to the beach with the swash; the last metres are foam.
                    line = math.sin(wx * 0.42 + swash * 6.2831853 + 2 * _sample(detail, wy * 0.5, wx * 0.1))
                    foam = _clamp((line - 0.72 + 0.35 * wind) * 3.0, 0.0, 1.0) * _clamp(
                        1.5 - depth * 0.55 + 0.8 * wind, 0.0, 1.0
                    )
                    reach = 0.35 + 0.30 * math.sin(swash * 6.2831853)
                    if depth < reach:
                        foam = max(foam, 1 - depth / reach * 0.6)
                    foam *= 0.75
                    r = r * (1 - foam) + foam * 0.93 * lr
                    g = g * (1 - foam) + foam * 0.95 * lg
                    b = b * (1 - foam) + foam * 0.97 * lb
                else:
                    fine = _sample(detail, wx * 6.1, wy * 6.1)
                    broad = _sample(detail, wx * 0.35 + 200, wy * 0.35)
                    k = _clamp(broad * 1.6 - 0.3, 0.0, 1.0)
                    r = place[_GROUND] * (1 - k) + place[_GROUND2] * k
                    g = place[_GROUND + 1] * (1 - k) + place[_GROUND2 + 1] * k
                    b = place[_GROUND + 2] * (1 - k) + place[_GROUND2 + 2] * k
                    if place[_FLOWERS] > 0.02 and tree == 0.0:
                        bloom = _sample(detail, wx * 9 + 400, wy * 9 + 150)
                        if bloom > 0.90 - 0.36 * place[_FLOWERS]:
                            hue = _sample(detail, wx * 1.1 + 90, wy * 1.1)
                            f = 0.75
                            if hue < 0.42:
                                r, g, b = r * (1 - f) + 0.95 * f, g * (1 - f) + 0.78 * f, b * (1 - f) + 0.12 * f
                            elif hue < 0.58:
                                r, g, b = r * (1 - f) + 0.85 * f, g * (1 - f) + 0.20 * f, b * (1 - f) + 0.25 * f
                            else:
                                r, g, b = r * (1 - f) + 0.62 * f, g * (1 - f) + 0.40 * f, b * (1 - f) + 0.85 * f
                    rock = ground_height(land, place, wx + 2.0 * sun_x, wy + 2.0 * sun_y, z) - ground
                    shade = _clamp(1 - rock * 0.30, 0.40, 1.35)
                    white = white_ground
                    if ground > place[_SNOW_LINE] and place[_RIDGE] > 1:
                        white = max(white, _clamp((ground - place[_SNOW_LINE] + 18 * (fine - 0.5)) / 12, 0.0, 0.95))
                    if tree > 0.0:
                        white *= 0.45
                        r = place[_TREE_RGB]
                        g = place[_TREE_RGB + 1]
                        b = place[_TREE_RGB + 2]
                        shade = 0.55 + 0.75 * tree * fine
                        sway = math.sin(clock_s * 2.4 + wx * 0.3) * wind
                        shade *= 1 + 0.25 * sway
                    r = r * (1 - white) + 0.93 * white
                    g = g * (1 - white) + 0.95 * white
                    b = b * (1 - white) + 1.00 * white
                    wet_dark = 1 - 0.25 * rain
                    if place[_SEA] > 0.5 and ground < 0.7:
                        wet_dark *= 0.72  # the strip the last wave wetted
                    grass = (
                        1 + 0.3 * wind * math.sin(clock_s * 3.0 + wx * 0.25 + wy * 0.12) * (1 - white) * place[_FLOWERS]
                    )
                    shade *= (1 - place[_GRAIN] * 0.5 + place[_GRAIN] * fine) * wet_dark * grass
                    r *= shade * lr
                    g *= shade * lg
                    b *= shade * lb
                haze = 1 - math.exp(-z * density)
                r = r * (1 - haze) + hr * haze
                g = g * (1 - haze) + hg * haze
                b = b * (1 - haze) + hb * haze
                for y in range(row, top):
                    image[y, column, 0] = r
                    image[y, column, 1] = g
                    image[y, column, 2] = b
                top = row
            z += dz
            dz *= 1.028
        # --- sky above ---
        stretch = 1 / math.sqrt(1 + across * across)
        azimuth = yaw + math.atan(across)
        off_sun = math.atan2(math.sin(azimuth - SUN_AZIMUTH_RAD), math.cos(azimuth - SUN_AZIMUTH_RAD))
        off_moon = math.atan2(math.sin(azimuth + 0.4), math.cos(azimuth + 0.4))
        for y in range(top):
            elevation = (horizon - y) / focal * stretch
            e = _clamp(elevation * 1.7, 0.0, 1.0)
            e = math.sqrt(e)
            r = hr + (zr - hr) * e
            g = hg + (zg - hg) * e
            b = hb + (zb - hb) * e
            if night > 0.05 and cloud < 0.9 and elevation > 0:
                cell_a = math.floor(azimuth * 24)
                cell_e = math.floor(elevation * 24)
                hashed = math.sin(cell_a * 127.1 + cell_e * 311.7) * 43758.5453
                hashed -= math.floor(hashed)
                if hashed > 0.55:
                    # One star in a cell, off its centre by more of the same hash.
                    su = azimuth * 24 - cell_a - (0.25 + 0.5 * ((hashed * 91.7) % 1.0))
                    sv = elevation * 24 - cell_e - (0.25 + 0.5 * ((hashed * 57.3) % 1.0))
                    s = math.exp(-(su * su + sv * sv) * 60) * (hashed - 0.4) * 1.7 * night * (1 - cloud)
                    r += s
                    g += s
                    b += s
                d = off_moon * off_moon + (elevation - 0.33) ** 2
                s = (math.exp(-d * 900) * 1.1 + math.exp(-d * 40) * 0.18) * night * (1 - 0.85 * cloud)
                r += s
                g += s
                b += s * 0.95
            up = elevation - 0.85 * rise
            d = off_sun * off_sun + up * up * 1.3
            if d < 0.6:
                disc = math.exp(-d * 420) * (1 - cloud * 0.95) * (1 - night)
                glow = math.exp(-d * 11) * (1 - cloud) * (0.30 * day + 0.55 * dusk)
                r += disc * 1.3 + glow
                g += disc * 1.1 + glow * 0.66
                b += disc * 0.8 + glow * 0.30
            if cloud > 0.03 and elevation > 0.015:
                over = 1 / (elevation + 0.10)
                cu = math.sin(azimuth) * over * 34 + clock_s * (0.8 + 4 * wind)
                cv = math.cos(azimuth) * over * 34
                body = _sample(detail, cu, cv) * 0.65 + _sample(detail, cu * 2.7 + 90, cv * 2.7) * 0.35
                c = _clamp((body - 0.80 + 0.62 * cloud) * 3.4, 0.0, 1.0) * _clamp(elevation * 9, 0.0, 1.0)
                lit = 0.10 + (0.86 - 0.42 * cloud * max(rain, 0.45 * cloud)) * day
                shade = 1 - 0.35 * _clamp((body - 0.55) * 2.2, 0.0, 1.0)
                c *= 0.85
                r = r * (1 - c) + c * (lit * shade + 0.45 * dusk + flash * 0.6)
                g = g * (1 - c) + c * (lit * shade * 0.99 + 0.17 * dusk + flash * 0.6)
                b = b * (1 - c) + c * (lit * shade * 1.02 + 0.12 * dusk + flash * 0.7)
            # The low sky takes the fog's colour.
            veil = math.exp(-max(0.0, elevation) * 9) * _clamp(fog * 1.8 + 0.5 * rain, 0.0, 1.0)
            veil = max(veil, 0.75 * _clamp(fog * 1.5 - 0.6, 0.0, 1.0))
            image[y, column, 0] = r * (1 - veil) + hr * veil
            image[y, column, 1] = g * (1 - veil) + hg * veil
            image[y, column, 2] = b * (1 - veil) + hb * veil


@nb.njit(fastmath=True, nogil=True)
def _blob(image, x, y, radius_x, radius_y, r, g, b, alpha):  # type: ignore[no-untyped-def]
    """Blend a soft ellipse of colour (r, g, b) into `image` at pixel (x, y)."""
    height, width, _ = image.shape
    for row in range(max(0, int(y - radius_y)), min(height, int(y + radius_y) + 1)):
        v = (row - y) / radius_y
        for column in range(max(0, int(x - radius_x)), min(width, int(x + radius_x) + 1)):
            u = (column - x) / radius_x
            d = u * u + v * v
            if d < 1:
                a = (1 - d) * (1 - d) * alpha
                image[row, column, 0] += (r - image[row, column, 0]) * a
                image[row, column, 1] += (g - image[row, column, 1]) * a
                image[row, column, 2] += (b - image[row, column, 2]) * a


@nb.njit(fastmath=True, nogil=True)
def draw_rain(image, drops, rain, wind, light):  # type: ignore[no-untyped-def]
    """Slanted streaks; `drops` (n, 3) in 0..1: x, y, size. Broad and long, so that a coarse codec keeps them."""
    height, width, _ = image.shape
    count = int(rain * len(drops))
    for index in range(count):
        x = drops[index, 0] * width
        y = drops[index, 1] * height
        length = (0.10 + 0.14 * drops[index, 2]) * height
        half = 1.6 + 2.2 * drops[index, 2]
        slant = 0.10 + 0.55 * wind
        tone = 0.30 + 0.45 * light
        for step in range(int(length)):
            row = int(y) + step
            if row < 0 or row >= height:
                continue
            centre = x - slant * step
            fade = math.sin(3.14159 * step / length)
            for column in range(int(centre - half), int(centre + half) + 2):
                if 0 <= column < width:
                    a = max(0.0, 1 - abs(column - centre) / (half + 0.5)) * 0.42 * fade
                    for channel in range(3):
                        image[row, column, channel] += (tone * (1 + 0.06 * channel) - image[row, column, channel]) * a


def draw_snow(image: NDArray[np.float32], flakes: NDArray[np.float32], snow: float, light: float) -> None:
    """Soft flakes; `flakes` (n, 3): x, y, size in 0..1."""
    height, width, _ = image.shape
    tone = 0.40 + 0.55 * light
    for index in range(int(snow * len(flakes))):
        x, y, size = flakes[index]
        radius = 3.0 + 4.5 * size
        _blob(image, x * width, y * height, radius, radius, tone, tone, tone * 1.04, 0.9)


def draw_walker(image: NDArray[np.float32], stride: float, moving: float, light: float) -> None:
    """The character of the third person, seen from behind: a cloaked figure; `stride` in turns, `moving` 0..1."""
    height, width, _ = image.shape
    x, foot = width * 0.5, height * 0.90
    tall = height * 0.34
    bob = math.sin(stride * 12.566) * 0.012 * tall * moving
    swing = math.sin(stride * 6.2832) * moving
    shade = 0.25 + 0.75 * light
    for side in (-1, 1):
        lift = max(0.0, side * swing) * 0.07 * tall
        _blob(image, x + side * 0.07 * tall, foot - 0.13 * tall - lift, 0.07 * tall, 0.19 * tall,
              0.12 * shade, 0.11 * shade, 0.13 * shade, 1.6)  # fmt: skip
    _blob(image, x, foot - 0.48 * tall - bob, 0.19 * tall, 0.34 * tall, 0.72 * shade, 0.16 * shade, 0.12 * shade, 2.2)
    _blob(image, x, foot - 0.86 * tall - bob, 0.105 * tall, 0.12 * tall, 0.30 * shade, 0.20 * shade, 0.14 * shade, 2.2)


def draw_presence(
    image: NDArray[np.float32], presence: NDArray[np.float32], motes: NDArray[np.float32], clock_s: float
) -> None:
    """Where visitors stand the air glows and motes of light circle, faster the more they stir.

    presence (rows, cols, 2): near, stir in 0..1. motes (n, 4): x, y in 0..1, phase in turns, radius in cells.
    """
    rows, cols, _ = presence.shape
    if presence[..., 0].max() < 0.03:
        return
    height, width, _ = image.shape
    for row in range(rows):
        for col in range(cols):
            near, stir = presence[row, col]
            if near > 0.05:
                pulse = 0.75 + 0.25 * math.sin(clock_s * (2 + 6 * stir) + row + 2 * col)
                _blob(image, (col + 0.5) * width / cols, (row + 0.5) * height / rows, 1.25 * width / cols,
                      1.25 * height / rows, 1.0, 0.78, 0.42, 0.34 * near * pulse)  # fmt: skip
    for x, y, phase, radius in motes:
        near, stir = presence[min(rows - 1, int(y * rows)), min(cols - 1, int(x * cols))]
        if near > 0.1:
            turn = 6.2832 * (phase + clock_s * (0.12 + 0.9 * stir))
            mx = x * width + math.cos(turn) * radius * width / cols
            my = y * height + math.sin(turn) * radius * height / rows * 0.8
            size = 5.0 + 4.0 * near
            _blob(image, mx, my, size, size, 1.0, 0.93, 0.70, 0.95 * near)
