"""Animals as the teacher draws them: who goes on four feet; as in model.diorama.figures."""

from __future__ import annotations

import math

import numpy as np

from model.diorama.shapes import (
    Array,
    Canvas,
    Colour,
    Number,
    Rod,
    blend,
    disc,
    ellipse,
    limb,
    mix,
    path,
    round_shade,
    smooth,
    wedge,
)

Pose = tuple[Array, Array, Array, Array, Array]  # gait (turns), moving, act, hue (turns), look, each (S, 1)
_TURN = 2 * math.pi
DARK: Colour = (0.07, 0.06, 0.07)


def _leg(
    c: Canvas, hip: tuple[Number, Number], swing: Array, long: Number, radius: tuple[float, float], fur: Colour,
    paw: Colour, bend: float, shade: float, foot: float,
) -> None:  # fmt: skip
    """A leg of two parts from the hip, swung forward by an angle; it bends as it is lifted."""
    lifted = bend * np.maximum(0, swing)
    upper = swing * 0.9 + 0.5 * lifted
    kx, ky = hip[0] + 0.5 * long * np.sin(upper), hip[1] - 0.5 * long * np.cos(upper)
    lower = swing * 0.9 - lifted
    fx, fy = kx + 0.5 * long * np.sin(lower), ky - 0.5 * long * np.cos(lower)
    c.lay(
        path(c.x, c.y, [(hip[0], hip[1], radius[0]), (kx, ky, (radius[0] + radius[1]) / 2), (fx, fy, radius[1])]),
        fur,
        shade,
    )
    c.lay(ellipse(c.x, c.y, fx + foot * 0.5, fy, radius[1] + foot, radius[1] * 1.05), paw, shade)


def choose(hue: Array, *colours: Colour) -> Colour:
    """One of several colours by the hue."""
    at = np.minimum((hue * len(colours)).astype(np.int32), len(colours) - 1)
    r, g, b = (np.asarray([col[k] for col in colours], np.float32)[at] for k in range(3))
    return r, g, b


def kitten(c: Canvas, pose: Pose) -> None:
    """It runs with its tail up, or sits (act) and looks at us."""
    gait, moving, act, hue, look = pose
    x, y = c.x, c.y
    swing = np.sin(_TURN * gait) * 0.75 * moving
    bob = np.abs(np.cos(_TURN * gait)) * 0.05 * moving
    fur = choose(hue, (0.93, 0.56, 0.24), (0.52, 0.51, 0.53), (0.16, 0.15, 0.17), (0.94, 0.84, 0.68))
    dark = blend(fur, (0.05, 0.03, 0.03), 0.45)
    white: Colour = (0.97, 0.94, 0.90)
    sway = np.sin(_TURN * gait + 1) * 0.12 * moving + 0.05 * np.sin(_TURN * look)
    # Tail: up while it runs, round its feet while it sits.
    tail: Rod = [
        (mix(-0.52, -0.42, act), mix(-0.12, -0.72, act), 0.10),
        (mix(-0.78, -0.72, act), mix(0.10, -0.80, act) + bob, 0.10),
        (mix(-0.80 + sway, -0.88, act), mix(0.42, -0.66, act) + bob, 0.095),
        (mix(-0.66 + 1.6 * sway, -0.80, act), mix(0.70, -0.50, act) + bob, 0.075),
    ]
    c.lay(path(x, y, tail), fur, 0.55)
    c.paint(disc(x, y, tail[-1][0], tail[-1][1], 0.13), white)
    hip_y, shoulder_y = mix(-0.40, -0.62, act) + bob, -0.36 + bob
    for near, lag in ((0.6, 0.5), (1.0, 0.0)):
        s = swing if lag == 0 else -swing
        tone = blend(fur, DARK, 0.35 * (1 - near) / 0.4)
        _leg(
            c,
            (mix(-0.38, -0.18, act) - 0.06 * (1 - near), hip_y),
            -s * (1 - act),
            mix(0.50, 0.26, act),
            (0.15, 0.095),
            tone,
            white,
            0.7,
            0.35 * near,
            0.05,
        )
        _leg(
            c,
            (mix(0.26, 0.16, act) + 0.12 * (1 - near), mix(shoulder_y, -0.4, act)),
            s * (1 - act),
            mix(0.52, 0.48, act),
            (0.13, 0.09),
            tone,
            white,
            0.5,
            0.4 * near,
            0.05,
        )
    bx, by = mix(-0.08, -0.10, act), mix(-0.26, -0.38, act) + bob
    rx, ry, turn = mix(0.52, 0.36, act), mix(0.29, 0.50, act), mix(0.0, -0.25, act)
    c.lay(ellipse(x, y, bx, by, rx, ry, turn), fur, round_shade(x, y, bx, by, rx, ry))
    c.lay(
        ellipse(x, y, mix(-0.34, -0.26, act), mix(-0.38, -0.66, act) + bob, 0.24, 0.26),
        fur,
        round_shade(x, y, -0.3, -0.5, 0.4, 0.34),
        opacity=0.9,
    )
    stripes = np.sin(x * 19 + y * 4)
    inside = np.maximum(ellipse(x, y, bx, by, rx * 0.96, ry * 0.96, turn), by - 0.02 - y)
    c.paint(np.maximum(inside, 0.25 - stripes), dark, 0.75, 0.25)
    c.lay(
        ellipse(x, y, mix(0.34, 0.17, act), mix(-0.30, -0.36, act) + bob, mix(0.15, 0.16, act), mix(0.17, 0.26, act)),
        white,
        0.6,
        edge=0.10,
    )
    hx, hy = mix(0.46, 0.20, act), mix(0.20, 0.32, act) + bob
    for side in (-1, 1):
        ex = hx + side * 0.21
        c.lay(wedge(x, y, (ex - 0.15, hy + 0.16), (ex + 0.15, hy + 0.16), (ex + 0.075 * side, hy + 0.56)), fur, 0.7)
        c.lay(
            wedge(x, y, (ex - 0.075, hy + 0.2), (ex + 0.075, hy + 0.2), (ex + 0.06 * side, hy + 0.45)),
            (0.93, 0.62, 0.60),
            0.6,
        )
    c.lay(ellipse(x, y, hx, hy, 0.39, 0.335), fur, round_shade(x, y, hx, hy, 0.39, 0.335))
    for at in (-0.10, 0.0, 0.10):
        c.paint(limb(x, y, hx + at, hy + 0.32, hx + at * 0.9, hy + 0.18, 0.028, 0.012), dark, 0.8)
    c.lay(ellipse(x, y, hx, hy - 0.15, 0.20, 0.145), white, 0.75, edge=0.06)
    eye = choose((hue * 7.3) % 1, (0.35, 0.72, 0.30), (0.93, 0.75, 0.20), (0.30, 0.62, 0.92))
    for side in (-1, 1):
        ex = hx + side * 0.165
        c.lay(ellipse(x, y, ex, hy + 0.02, 0.098, 0.105), eye, 0.8, 0.12)
        c.lay(ellipse(x, y, ex, hy + 0.02, 0.050, 0.088), (0.02, 0.02, 0.03), 0.4)
        c.lay(disc(x, y, ex - 0.03, hy + 0.06, 0.027), (1.0, 1.0, 1.0), 1.0, 0.3)
        for drop in (0.0, 0.05):
            c.lay(
                limb(x, y, hx + side * 0.17, hy - 0.13 - drop, hx + side * 0.44, hy - 0.10 - 2 * drop, 0.008, 0.004),
                (0.9, 0.9, 0.9),
                0.8,
                opacity=0.5,
            )
    c.lay(wedge(x, y, (hx, hy - 0.15), (hx + 0.05, hy - 0.09), (hx - 0.05, hy - 0.09)), (0.90, 0.45, 0.47), 0.6)
    c.lay(limb(x, y, hx - 0.06, hy - 0.21, hx, hy - 0.18, 0.010, 0.010), DARK, 0.4, opacity=0.7)
    c.lay(limb(x, y, hx + 0.06, hy - 0.21, hx, hy - 0.18, 0.010, 0.010), DARK, 0.4, opacity=0.7)


def deer(c: Canvas, pose: Pose) -> None:
    """A stag; its head goes down to graze (act)."""
    gait, moving, act, hue, look = pose
    x, y = c.x, c.y
    swing = np.sin(_TURN * gait) * 0.50 * moving
    bob = np.abs(np.cos(_TURN * gait)) * 0.025 * moving
    fur = blend((0.62, 0.36, 0.18), (0.50, 0.33, 0.20), hue)
    belly = blend(fur, (0.93, 0.84, 0.70), 0.6)
    hoof: Colour = (0.10, 0.08, 0.07)
    for near in (0.55, 1.0):
        s = swing if near == 1.0 else -swing
        tone = blend(fur, DARK, 0.75 * (1 - near))
        _leg(c, (-0.46 - 0.05 * (1 - near), -0.10 + bob), -s, 0.84, (0.115, 0.036), tone, hoof, 0.8, 0.5 * near, 0.02)
        _leg(c, (0.20 + 0.12 * (1 - near), -0.14 + bob), s, 0.80, (0.10, 0.036), tone, hoof, 0.5, 0.5 * near, 0.02)
    c.lay(limb(x, y, -0.60, 0.10 + bob, -0.68, -0.06 + bob, 0.06, 0.035), (0.95, 0.92, 0.86), 0.7)
    c.lay(ellipse(x, y, -0.14, 0.02 + bob, 0.47, 0.205), fur, round_shade(x, y, -0.14, 0.02, 0.47, 0.24))
    c.lay(ellipse(x, y, -0.42, 0.04 + bob, 0.22, 0.20), fur, round_shade(x, y, -0.42, 0.02, 0.5, 0.24))
    c.lay(ellipse(x, y, 0.20, 0.02 + bob, 0.20, 0.22), fur, round_shade(x, y, 0.2, 0.02, 0.5, 0.26))
    c.paint(ellipse(x, y, -0.14, -0.17 + bob, 0.36, 0.08), belly, 0.8, 0.10)
    spots = np.sin(x * 27 + 1.3 * np.sin(y * 21)) * np.sin(y * 29 + 0.6)
    there = np.maximum(ellipse(x, y, -0.18, 0.07 + bob, 0.40, 0.11), 0.45 - spots)
    c.paint(there, (0.97, 0.92, 0.80), 0.85 * smooth(look * 3 - 1), 0.4)
    # Neck and head: up, or down to the grass.
    hx, hy = mix(0.52, 0.66, act), mix(0.50, -0.62, act) + bob
    c.lay(
        path(
            x,
            y,
            [(0.22, 0.02 + bob, 0.185), (mix(0.38, 0.46, act), mix(0.26, -0.24, act) + bob, 0.115), (hx, hy, 0.088)],
        ),
        fur,
        mix(0.68, 0.5, act),
    )
    c.lay(
        limb(x, y, mix(0.30, 0.36, act), -0.08 + bob, mix(0.44, 0.50, act), mix(0.22, -0.34, act) + bob, 0.06, 0.04),
        belly,
        0.55,
        edge=0.08,
    )
    mx, my = hx + mix(0.22, 0.10, act), hy + mix(-0.09, -0.20, act)
    ax, ay = mix(-0.30, 0.34, act), mix(0.96, 0.72, act)  # where the antlers point
    for back in (0.05, 0.0):
        shade = 0.5 if back else 0.8
        bone: Colour = (0.83, 0.73, 0.55) if not back else (0.60, 0.51, 0.38)
        x0, y0 = hx - 0.02 + back, hy + 0.06
        x1, y1 = x0 + 0.36 * ax + back, y0 + 0.22 * ay
        x2, y2 = x0 + 0.26 * ax + 0.10 + back, y0 + 0.45 * ay
        c.lay(path(x, y, [(x0, y0, 0.030), (x1, y1, 0.026), (x2, y2, 0.014)]), bone, shade)
        for share, out_x, out_y in ((0.35, 0.16, 0.13), (0.75, 0.15, 0.15), (1.25, -0.13, 0.12)):
            sx = np.where(share < 1, mix(x0, x1, share), mix(x1, x2, share - 1))
            sy = np.where(share < 1, mix(y0, y1, share), mix(y1, y2, share - 1))
            c.lay(limb(x, y, sx, sy, sx + out_x, sy + out_y, 0.020, 0.010), bone, shade)
    c.lay(ellipse(x, y, hx - 0.10, hy + 0.05, 0.115, 0.045, mix(2.85, 2.4, act)), blend(fur, (0.9, 0.7, 0.6), 0.3), 0.6)
    c.lay(limb(x, y, hx, hy, mx, my, 0.095, 0.050), fur, 0.75)
    c.lay(limb(x, y, mx - 0.01, my - 0.012, mx + 0.01, my - 0.02, 0.045, 0.042), belly, 0.6)
    c.lay(ellipse(x, y, mx + 0.045, my + 0.005, 0.025, 0.022), DARK, 0.3)
    c.lay(disc(x, y, mix(hx, mx, 0.25), mix(hy, my, 0.25) + 0.025, 0.024), (0.03, 0.02, 0.02), 0.4)
    c.lay(disc(x, y, mix(hx, mx, 0.25) + 0.007, mix(hy, my, 0.25) + 0.033, 0.008), (1.0, 1.0, 1.0), 1.0, 0.3)


def fox(c: Canvas, pose: Pose) -> None:
    """It trots with its brush straight out, or lowers its head (act)."""
    gait, moving, act, hue, look = pose
    x, y = c.x, c.y
    swing = np.sin(_TURN * gait) * 0.62 * moving
    bob = np.abs(np.cos(_TURN * gait)) * 0.035 * moving
    fur = blend((0.88, 0.40, 0.12), (0.78, 0.30, 0.10), hue)
    black: Colour = (0.10, 0.08, 0.08)
    white: Colour = (0.97, 0.94, 0.88)
    wave = 0.10 * np.sin(_TURN * (gait + look)) + 0.02
    tx, ty = -1.12, -0.20 + 0.20 * moving + wave
    c.lay(
        path(
            x,
            y,
            [
                (-0.48, -0.06 + bob, 0.08),
                (-0.72, -0.14 + 0.4 * wave, 0.16),
                (-0.95, ty + 0.03, 0.175),
                (tx, ty + 0.03, 0.09),
            ],
        ),
        fur,
        round_shade(x, y, -0.8, -0.1, 0.5, 0.3),
    )
    c.paint(disc(x, y, tx - 0.08, ty + 0.04, 0.26), white, 1.0, 0.08)
    for near in (0.6, 1.0):
        s = swing if near == 1.0 else -swing
        tone = blend(fur, black, 0.30 + 0.5 * (1 - near))
        _leg(c, (-0.42 - 0.05 * (1 - near), -0.22 + bob), -s, 0.68, (0.13, 0.050), tone, black, 0.8, 0.5 * near, 0.05)
        _leg(c, (0.28 + 0.12 * (1 - near), -0.24 + bob), s, 0.66, (0.10, 0.050), tone, black, 0.5, 0.5 * near, 0.05)
    c.lay(ellipse(x, y, -0.08, -0.10 + bob, 0.50, 0.215), fur, round_shade(x, y, -0.08, -0.1, 0.5, 0.24))
    c.lay(ellipse(x, y, -0.36, -0.12 + bob, 0.22, 0.23), fur, round_shade(x, y, -0.36, -0.1, 0.5, 0.25))
    c.paint(ellipse(x, y, -0.02, -0.32 + bob, 0.36, 0.09), white, 0.75, 0.10)
    hx, hy = 0.56 + 0.06 * act, mix(0.27, -0.22, act) + bob
    c.lay(path(x, y, [(0.26, -0.08 + bob, 0.22), (hx - 0.02, hy - 0.04, 0.17)]), fur, 0.62)
    c.lay(path(x, y, [(0.40, -0.20 + bob, 0.11), (hx + 0.04, hy - 0.14, 0.09)]), white, 0.6, edge=0.08)
    for side, shade in ((0.10, 0.5), (-0.09, 0.75)):
        ex = hx + side
        c.lay(wedge(x, y, (ex - 0.10, hy + 0.10), (ex + 0.10, hy + 0.12), (ex - 0.02, hy + 0.47)), fur, shade)
        c.paint(disc(x, y, ex - 0.02, hy + 0.47, 0.13), black, 0.9, 0.05)
        c.lay(
            wedge(x, y, (ex - 0.045, hy + 0.14), (ex + 0.05, hy + 0.15), (ex - 0.012, hy + 0.36)),
            (0.55, 0.38, 0.33),
            shade,
            opacity=0.7,
        )
    c.lay(ellipse(x, y, hx, hy, 0.215, 0.19), fur, round_shade(x, y, hx, hy, 0.24, 0.2))
    c.lay(limb(x, y, hx + 0.10, hy - 0.045, hx + 0.37, hy - 0.115, 0.115, 0.040), fur, 0.65)
    c.lay(
        path(x, y, [(hx + 0.02, hy - 0.135, 0.075), (hx + 0.16, hy - 0.135, 0.06), (hx + 0.34, hy - 0.145, 0.026)]),
        white,
        0.65,
        edge=0.05,
    )
    c.lay(disc(x, y, hx + 0.40, hy - 0.105, 0.036), DARK, 0.4)
    c.lay(ellipse(x, y, hx + 0.10, hy + 0.035, 0.040, 0.030, 0.3), (0.95, 0.72, 0.20), 0.8, 0.1)
    c.lay(disc(x, y, hx + 0.105, hy + 0.035, 0.022), DARK, 0.4)
