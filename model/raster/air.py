"""What lies over a picture: what visitors stir and what falls, as tables of what the view's networks say of them."""

from __future__ import annotations

import math

import numpy as np

from model.camera import FALL_LAYERS, FIELD_OF_VIEW_RAD, RAIN_HEIGHTS_S, SNOW_HEIGHTS_S
from model.field import SIZE
from model.raster.texture import clamp, kernel, sample, sine

_LAYERS = len(FALL_LAYERS)
_SCALES = np.array([scale for scale, _ in FALL_LAYERS])
_BEGINS = np.array([begins for _, begins in FALL_LAYERS])
STEPS = 33  # of the table of what falls, along both sides; it ends at 1, as drops and flakes do
NEAR, STIR, MOTE = 17, 9, 33  # steps of the table of visitors


@kernel
def fall(picture, block, aspect, yaw, clock, rain, snow, wind, streak_of, flake_of, tables):  # type: ignore[no-untyped-def]
    """Rain and snow over picture (C, R, 3), `block` by `block` pixels at a time.

    tables (layers, STEPS, STEPS, 2): tone and cover by drop and flake.
    """
    columns, rows = picture.shape[0], picture.shape[1]
    turn = yaw / FIELD_OF_VIEW_RAD * aspect
    rained, snowed = (clock * RAIN_HEIGHTS_S) % 4096, (clock * SNOW_HEIGHTS_S) % 4096
    lean, waved = 0.06 + 0.40 * wind, (clock * 1.3) % (2 * math.pi)
    for c in range(0, columns, block):
        across = (c + block / 2) / columns * aspect + turn
        for layer in range(_LAYERS):
            scale, begins = _SCALES[layer], _BEGINS[layer]
            for r in range(0, rows, block):
                down = (r + block / 2) / rows
                drop = flake = np.float32(0)
                if rain:
                    drop = sample(streak_of, (across + lean * down) * scale + begins, (down - rained) * scale)
                if snow:
                    fell = down - snowed
                    sway = 0.03 * sine(waved + 7 * down + 2 * layer) + 0.16 * wind * fell
                    flake = sample(flake_of, (across + sway) * scale * 0.85 + begins, fell * scale * 0.85)
                if drop <= 0 and flake <= 0:
                    continue
                x, y = clamp(drop, 0.0, 1.0) * (STEPS - 1), clamp(flake, 0.0, 1.0) * (STEPS - 1)
                i, j = min(int(x), STEPS - 2), min(int(y), STEPS - 2)
                a, b = np.float32(x - i), np.float32(y - j)
                table = tables[layer]
                tone = (table[i, j, 0] * (1 - a) + table[i + 1, j, 0] * a) * (1 - b) + (
                    table[i, j + 1, 0] * (1 - a) + table[i + 1, j + 1, 0] * a
                ) * b
                cover = (table[i, j, 1] * (1 - a) + table[i + 1, j, 1] * a) * (1 - b) + (
                    table[i, j + 1, 1] * (1 - a) + table[i + 1, j + 1, 1] * a
                ) * b
                tones = (tone, np.float32(1.03) * tone, np.float32(1.06) * tone)
                for cc in range(c, min(c + block, columns)):
                    for rr in range(r, min(r + block, rows)):
                        for k in range(3):
                            picture[cc, rr, k] += cover * (tones[k] - picture[cc, rr, k])


@kernel
def stir(picture, block, aspect, clock, presence, mote_of, least, table):  # type: ignore[no-untyped-def]
    """What visitors stir, over picture (C, R, 3), `block` by `block` pixels at a time.

    presence (rows, cols, 2); table (near, stir, mote, 4), (NEAR, STIR, MOTE) steps: colour and cover; where nearness
    is at most `least` nothing is stirred.
    """
    columns, rows = picture.shape[0], picture.shape[1]
    most_x, most_y = presence.shape[1] - 1, presence.shape[0] - 1
    waved, lift = (clock * 1.7) % (2 * math.pi), (clock * 20) % SIZE
    given = np.zeros(4, np.float32)
    for c in range(0, columns, block):
        u = (c + block / 2) / columns
        x = clamp(u * (most_x + 1) - 0.5, 0.0, float(most_x))
        i = min(int(x), most_x - 1)
        a = np.float32(x - i)
        for r in range(0, rows, block):
            v = (r + block / 2) / rows
            y = clamp(v * (most_y + 1) - 0.5, 0.0, float(most_y))
            j = min(int(y), most_y - 1)
            b = np.float32(y - j)
            w00, w01, w10, w11 = (1 - a) * (1 - b), a * (1 - b), (1 - a) * b, a * b
            p, q, s, t = presence[j, i], presence[j, i + 1], presence[j + 1, i], presence[j + 1, i + 1]
            near = w00 * p[0] + w01 * q[0] + w10 * s[0] + w11 * t[0]
            if near <= least:
                continue
            moved = w00 * p[1] + w01 * q[1] + w10 * s[1] + w11 * t[1]
            swayed = (6 + 26 * moved) * sine(waved + 9 * v)
            mote = sample(mote_of, u * aspect * 210 + swayed, v * 210 + lift)
            f, g, h = (
                min(max(near, 0.0), 1.0) * (NEAR - 1), min(max(moved, 0.0), 1.0) * (STIR - 1),
                min(max(mote, 0.0), 1.0) * (MOTE - 1),
            )  # fmt: skip
            e0, m, n = min(int(f), NEAR - 2), min(int(g), STIR - 2), min(int(h), MOTE - 2)
            f, g, h = f - e0, g - m, h - n
            given[:] = 0
            for e in range(8):
                el, em, en = e >> 2, (e >> 1) & 1, e & 1
                weight = (f if el else 1 - f) * (g if em else 1 - g) * (h if en else 1 - h)
                cell = table[e0 + el, m + em, n + en]
                for k in range(4):
                    given[k] += np.float32(weight) * cell[k]
            for cc in range(c, min(c + block, columns)):
                for rr in range(r, min(r + block, rows)):
                    for k in range(3):
                        picture[cc, rr, k] += given[3] * (given[k] - picture[cc, rr, k])
