"""What lies over a picture of the diorama: what visitors stir, and what falls."""

from __future__ import annotations

import math

import numba as nb

from model.camera import FALL_LAYERS, FIELD_OF_VIEW_RAD, PULSE_RAD_S, RAIN_HEIGHTS_S, SNOW_HEIGHTS_S
from model.diorama.places import COLUMN
from model.diorama.sampling import clamp, sample, smooth

_ROOF, _SUNKEN, _SPACE = (COLUMN[k] for k in ("roof", "sunken", "space"))


@nb.njit(fastmath=True, nogil=True, cache=True)
def overlay(image, width, columns, sky, fall, camera, weather, times, presence, place):  # type: ignore[no-untyped-def]
    """Lay over `columns` of a picture what visitors stir and what falls.

    presence (rows, cols, 2): near, stir in 0..1. times: seconds, drift, swash, stride (turns), how fast the walker
    moves 0..1.
    """
    height = image.shape[0]
    rows, cols = presence.shape[0], presence.shape[1]
    # Nothing falls under a ceiling, in water or in space.
    open_air = (1 - place[_ROOF]) * (1 - place[_SUNKEN]) * (1 - place[_SPACE])
    rain, snow, wind = weather[3] * open_air, weather[4] * open_air, weather[5]
    clock_s = times[0]
    day = smooth((math.sin(weather[0]) + 0.12) / 0.5)
    turn = camera[3] / FIELD_OF_VIEW_RAD * width / height
    pulse = 0.8 + 0.2 * math.sin(clock_s * PULSE_RAD_S)
    visited = presence[:, :, 0].max() > 0.02
    if not visited and rain <= 0.01 and snow <= 0.01:
        return
    for y in range(height):
        v = (y + 0.5) / height
        gy = clamp(v * rows - 0.5, 0.0, rows - 1.001)
        r0 = int(gy)
        fy = gy - r0
        blown = 0.16 * wind * (v - clock_s * SNOW_HEIGHTS_S)
        sways = (0.03 * math.sin(clock_s * 1.3 + 7 * v) + blown, 0.03 * math.sin(clock_s * 1.3 + 7 * v + 2) + blown)
        for index in range(len(columns)):
            # Columns and rows in picture heights: the same at every size.
            across = (columns[index] + 0.5) / height
            if visited:
                gx = clamp((columns[index] + 0.5) / width * cols - 0.5, 0.0, cols - 1.001)
                c0 = int(gx)
                fx = gx - c0
                near = (presence[r0, c0, 0] * (1 - fx) + presence[r0, c0 + 1, 0] * fx) * (1 - fy)
                near += (presence[r0 + 1, c0, 0] * (1 - fx) + presence[r0 + 1, c0 + 1, 0] * fx) * fy
                stir = (presence[r0, c0, 1] * (1 - fx) + presence[r0, c0 + 1, 1] * fx) * (1 - fy)
                stir += (presence[r0 + 1, c0, 1] * (1 - fx) + presence[r0 + 1, c0 + 1, 1] * fx) * fy
                if near > 0.01:
                    a = 0.34 * smooth(near) * pulse
                    image[y, index, 0] += (1.00 - image[y, index, 0]) * a
                    image[y, index, 1] += (0.78 - image[y, index, 1]) * a
                    image[y, index, 2] += (0.42 - image[y, index, 2]) * a
                    sway = (6 + 26 * stir) * math.sin(clock_s * 1.7 + 9 * v)
                    mote = sample(sky, 3, across * 210 + sway, v * 210 + 20 * clock_s)
                    a = smooth(mote * 1.5) * smooth(near * 1.4) * 0.95
                    image[y, index, 0] += (1.00 - image[y, index, 0]) * a
                    image[y, index, 1] += (0.93 - image[y, index, 1]) * a
                    image[y, index, 2] += (0.70 - image[y, index, 2]) * a
            for layer in range(2):
                scale, begins = FALL_LAYERS[layer]
                if rain > 0.01:
                    tu = (across + turn + (0.06 + 0.40 * wind) * v) * scale + begins
                    drop = sample(fall, 0, tu, (v - clock_s * RAIN_HEIGHTS_S) * scale)
                    a = smooth((drop - 0.75 * (1 - rain)) * 3.5) * (0.46 - 0.16 * layer)
                    if a > 0:
                        tone = 0.34 + 0.44 * day
                        image[y, index, 0] += (tone - image[y, index, 0]) * a
                        image[y, index, 1] += (tone * 1.04 - image[y, index, 1]) * a
                        image[y, index, 2] += (tone * 1.08 - image[y, index, 2]) * a
                if snow > 0.01:
                    tu = (across + turn + sways[layer]) * scale * 0.85 + begins
                    flake = sample(fall, 1, tu, (v - clock_s * SNOW_HEIGHTS_S) * scale * 0.85)
                    a = smooth((flake - 0.8 * (1 - snow)) * 3.0) * (0.80 - 0.25 * layer)
                    if a > 0:
                        tone = 0.46 + 0.50 * day
                        image[y, index, 0] += (tone - image[y, index, 0]) * a
                        image[y, index, 1] += (tone - image[y, index, 1]) * a
                        image[y, index, 2] += (tone * 1.04 - image[y, index, 2]) * a
