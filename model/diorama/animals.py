"""Animals as the teacher draws them: what walks, flies and swims; as in model.diorama.figures."""

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
    of_hue,
    path,
    round_shade,
    smooth,
    wedge,
)

Pose = tuple[Array, Array, Array, Array, Array]  # gait (turns), moving, act, hue (turns), look, each (S, 1)
_TURN = 2 * math.pi
_DARK: Colour = (0.07, 0.06, 0.07)


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


def _choose(hue: Array, *colours: Colour) -> Colour:
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
    fur = _choose(hue, (0.93, 0.56, 0.24), (0.52, 0.51, 0.53), (0.16, 0.15, 0.17), (0.94, 0.84, 0.68))
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
        tone = blend(fur, _DARK, 0.35 * (1 - near) / 0.4)
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
    eye = _choose((hue * 7.3) % 1, (0.35, 0.72, 0.30), (0.93, 0.75, 0.20), (0.30, 0.62, 0.92))
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
    c.lay(limb(x, y, hx - 0.06, hy - 0.21, hx, hy - 0.18, 0.010, 0.010), _DARK, 0.4, opacity=0.7)
    c.lay(limb(x, y, hx + 0.06, hy - 0.21, hx, hy - 0.18, 0.010, 0.010), _DARK, 0.4, opacity=0.7)


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
        tone = blend(fur, _DARK, 0.75 * (1 - near))
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
    c.lay(ellipse(x, y, mx + 0.045, my + 0.005, 0.025, 0.022), _DARK, 0.3)
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
    c.lay(disc(x, y, hx + 0.40, hy - 0.105, 0.036), _DARK, 0.4)
    c.lay(ellipse(x, y, hx + 0.10, hy + 0.035, 0.040, 0.030, 0.3), (0.95, 0.72, 0.20), 0.8, 0.1)
    c.lay(disc(x, y, hx + 0.105, hy + 0.035, 0.022), _DARK, 0.4)


def bird(c: Canvas, pose: Pose) -> None:
    """A bird on the wing, wings up and down with the gait."""
    gait, _, _, hue, _ = pose
    x, y = c.x, c.y
    beat = np.sin(_TURN * gait)
    body = _choose(hue, (0.93, 0.94, 0.96), (0.17, 0.19, 0.25), (0.45, 0.36, 0.28))
    under = blend(body, (1.0, 0.98, 0.94), 0.35)
    tip = blend(body, _DARK, 0.65)

    def wing(root_x: float, far: bool) -> None:
        lean, up = (0.24, 0.85) if far else (-0.24, 1.0)
        tone = blend(body, _DARK, 0.30) if far else body
        ex, ey = root_x + lean * 0.6, 0.03 + 0.38 * beat * up + 0.10
        wx, wy = root_x + lean * 2.1, 0.05 + 0.74 * beat * up + 0.06
        c.lay(
            path(x, y, [(root_x, 0.05, 0.15), (ex, ey, 0.145), (wx, wy, 0.030)]),
            tone,
            0.5 + 0.25 * beat * (0.4 if far else 1),
        )
        c.paint(disc(x, y, wx, wy, 0.24), tip, 0.9, 0.2)

    wing(0.06, True)
    c.lay(wedge(x, y, (-0.44, 0.02), (-0.92, 0.10), (-0.86, -0.10), (-0.44, -0.08)), blend(body, _DARK, 0.25), 0.55)
    c.lay(ellipse(x, y, -0.02, -0.02, 0.50, 0.155, 0.05), under, round_shade(x, y, 0, 0, 0.5, 0.19))
    c.lay(disc(x, y, 0.50, 0.06, 0.145), body, round_shade(x, y, 0.5, 0.06, 0.15, 0.15))
    c.lay(wedge(x, y, (0.60, 0.00), (0.84, 0.02), (0.60, 0.11)), (0.95, 0.66, 0.20), 0.7)
    c.lay(disc(x, y, 0.54, 0.095, 0.030), _DARK, 0.4)
    wing(-0.02, False)


def butterfly(c: Canvas, pose: Pose) -> None:
    """Two pairs of wings that fold and unfold with the gait."""
    gait, _, _, hue, _ = pose
    open_ = 0.25 + 0.75 * np.abs(np.cos(math.pi * gait))
    y = c.y
    x = c.x
    colour, inner = of_hue(hue, 0.75, 1.0), of_hue((hue + 0.10) % 1, 0.65, 1.0)
    border: Colour = (0.10, 0.07, 0.09)
    for side in (-1, 1):
        wide = open_ if side > 0 else open_ * 0.85
        u = x * side / wide  # of a wing that lies open
        hind = ellipse(u, y, 0.40, -0.40, 0.34, 0.36, 0.5) * wide
        fore = ellipse(u, y, 0.48, 0.30, 0.50, 0.34, 0.65) * wide
        shade = 0.55 + 0.35 * open_ * (1 if side < 0 else 0.7)
        for part, cx, cy in ((hind, 0.36, -0.34), (fore, 0.40, 0.24)):
            c.lay(part, border, shade)
            c.lay(part + 0.075, blend(inner, colour, np.clip(np.hypot(u - 0.1, y) / 0.8, 0, 1)), shade, 0.06)
            c.paint(limb(u, y, 0.05, 0.0, cx * 1.7, cy * 2.0, 0.018, 0.010), border, 0.6)
        for dx, dy, r in ((0.82, 0.60, 0.045), (0.88, 0.42, 0.040), (0.62, -0.58, 0.04)):
            c.paint(disc(u, y, dx, dy, r), (1.0, 0.98, 0.92), 0.9)
        c.lay(
            path(x, y, [(0.02 * side, 0.30, 0.014), (0.13 * side, 0.55, 0.012), (0.20 * side, 0.66, 0.026)]),
            border,
            0.5,
        )
    c.lay(path(x, y, [(0.0, 0.30, 0.060), (0.0, 0.0, 0.068), (0.0, -0.46, 0.035)]), border, 0.55)


def firefly(c: Canvas, pose: Pose) -> None:
    """A light that comes and goes (act), and hardly more."""
    _, _, act, hue, _ = pose
    r = np.hypot(c.x, c.y)
    light = blend((0.80, 1.00, 0.30), (1.0, 0.86, 0.35), hue)
    halo = np.exp(-((r / 0.36) ** 2)) * act
    c.lay(r - 1.0, light, 0.0, 1.0, 0.75 * halo, 0.5)
    c.lay(ellipse(c.x, c.y, 0.0, 0.10, 0.055, 0.085), (0.14, 0.11, 0.07), 0.5, 0.2, 0.8)
    c.lay(disc(c.x, c.y, 0.0, 0.0, 0.085 + 0.05 * act), blend(light, (1, 1, 0.9), 0.7), 0.0, 1.0, act, 0.12)


def fish(c: Canvas, pose: Pose) -> None:
    """A koi, which bends as it swims."""
    gait, _, _, hue, look = pose
    x = c.x
    y = c.y - 0.16 * np.sin(_TURN * gait - 2.2 * (x + 0.2)) * np.clip(0.75 - x, 0, 1.6) * 0.6
    body = _choose(hue, (0.98, 0.45, 0.12), (0.98, 0.93, 0.86), (0.98, 0.75, 0.20), (0.25, 0.52, 0.90))
    patch = _choose(hue, (1.0, 0.96, 0.90), (0.92, 0.22, 0.12), (0.95, 0.35, 0.10), (0.75, 0.93, 1.0))
    fin = blend(body, (1, 1, 1), 0.35)
    flick = 0.14 * np.sin(_TURN * gait)
    for up in (1, -1):
        c.lay(
            path(x, y, [(-0.55, 0.0, 0.10), (-0.88, 0.22 * up + flick, 0.115), (-1.14, 0.40 * up + flick, 0.03)]),
            fin,
            0.65,
            0.05,
            0.9,
        )
    c.lay(wedge(x, y, (-0.35, 0.20), (0.22, 0.24), (-0.05, 0.56), (-0.32, 0.50)), fin, 0.7, 0.05, 0.9)
    c.lay(wedge(x, y, (0.05, -0.26), (-0.28, -0.55), (-0.05, -0.54), (0.28, -0.24)), fin, 0.5, 0.05, 0.9)
    c.lay(ellipse(x, y, 0.12, 0.0, 0.72, 0.315), body, round_shade(x, y, 0.1, 0, 0.75, 0.36))
    c.lay(limb(x, y, -0.2, 0.0, -0.60, 0.0, 0.27, 0.09), body, round_shade(x, y, -0.4, 0, 0.5, 0.32), opacity=0.95)
    blotch = np.sin(x * 6.1 + 6 * look) * np.cos(y * 5.3 - 2 * look) + 0.35 * np.sin(x * 11)
    c.paint(np.maximum(ellipse(x, y, 0.02, 0.08, 0.66, 0.27), 0.25 - blotch), patch, 0.9, 0.3)
    scale = np.sin(x * 40) * np.sin(y * 40)
    c.paint(np.maximum(ellipse(x, y, 0.0, 0.0, 0.5, 0.25), 0.3 - scale), blend(body, (1, 1, 1), 0.5), 0.25, 0.5)
    c.paint(ellipse(x, y, 0.1, -0.28, 0.6, 0.13), (1.0, 0.97, 0.92), 0.7, 0.12)
    c.lay(limb(x, y, 0.44, 0.14, 0.42, -0.16, 0.014, 0.010), blend(body, _DARK, 0.4), 0.5, opacity=0.7)
    c.lay(ellipse(x, y, 0.28, -0.09, 0.17, 0.07, 0.5 + flick * 2), fin, 0.6, 0.05, 0.9)
    c.lay(disc(x, y, 0.62, 0.08, 0.070), (0.98, 0.98, 0.92), 0.8)
    c.lay(disc(x, y, 0.635, 0.08, 0.042), (0.02, 0.02, 0.03), 0.4)


def whale(c: Canvas, pose: Pose) -> None:
    """A humpback: a grooved throat, long fins, flukes that beat; it blows (act)."""
    gait, _, act, hue, _ = pose
    x = c.x
    bend = 0.16 * np.sin(_TURN * gait - 1.2) * np.clip((0.2 - x) / 1.8, 0, 1) ** 1.5 * 2
    y = c.y - bend + 0.10
    back = blend((0.16, 0.25, 0.36), (0.22, 0.30, 0.46), hue)
    white: Colour = (0.88, 0.91, 0.93)
    beat = np.sin(_TURN * gait - 2.4)
    # Spray, first: it stands behind the head.
    spray = (
        np.exp(-(((x - 0.92) / (0.07 + 0.22 * np.clip(c.y - 0.25, 0, 1))) ** 2))
        * smooth((c.y - 0.18) * 6)
        * smooth((0.94 - c.y) * 4)
    )
    grain = 0.8 + 0.2 * np.sin(19 * x + 23 * c.y)
    c.lay(np.full_like(spray, -1.0), (0.93, 0.97, 1.0), 0.9, 0.15, 0.9 * act * spray * grain)
    # Flukes, half seen from above.
    for far in (True, False):
        tone = blend(back, _DARK, 0.30) if far else back
        dy = 0.30 * beat + (0.13 if far else -0.07)
        c.lay(
            path(x, y, [(-1.42, 0.02, 0.085), (-1.66, 0.06 + dy * 0.6, 0.105), (-1.90, 0.10 + dy * 1.35, 0.025)]),
            tone,
            0.6,
        )
    fin_tip = -0.62 - 0.10 * beat
    c.lay(
        path(x, y, [(0.50, -0.16, 0.13), (0.34, -0.42, 0.10), (0.10, fin_tip - 0.02, 0.03)]),
        blend(back, _DARK, 0.4),
        0.3,
    )
    outline = np.minimum(
        ellipse(x, y, 0.55, 0.0, 1.12, 0.365),
        path(x, y, [(0.20, 0.02, 0.335), (-0.60, 0.03, 0.20), (-1.45, 0.03, 0.062)]),
    )
    c.lay(outline, back, np.clip(0.55 + 1.15 * y, 0.08, 1))
    belly = np.maximum(outline + 0.015, y + 0.10 + 0.14 * np.clip(x - 0.1, -1, 1) * 0.3)
    c.paint(np.maximum(belly, -0.25 - x), white, 0.92, 0.06)
    groove = np.sin((y + 0.05 * x) * 62)
    c.paint(np.maximum(np.maximum(belly + 0.02, 0.05 - x), 0.2 - groove), (0.52, 0.58, 0.64), 0.75, 0.5)
    c.paint(path(x, y, [(1.62, -0.03, 0.012), (1.25, -0.09, 0.014), (0.98, -0.05, 0.012)]), (0.05, 0.08, 0.12), 0.9)
    c.lay(wedge(x, y, (-0.42, 0.18), (-0.10, 0.27), (-0.40, 0.44)), back, 0.7)
    for kx, ky in ((1.40, 0.10), (1.25, 0.17), (1.08, 0.22), (1.32, 0.02)):
        c.paint(disc(x, y, kx, ky, 0.022), (0.45, 0.52, 0.58), 0.8)
    c.lay(disc(x, y, 0.92, -0.02, 0.034), (0.02, 0.03, 0.04), 0.3)
    c.lay(disc(x, y, 0.928, -0.008, 0.011), (1, 1, 1), 1.0, 0.3)
    c.lay(path(x, y, [(0.62, -0.17, 0.10), (0.40, -0.44, 0.095), (0.08, fin_tip, 0.028)]), back, 0.6)
    c.paint(path(x, y, [(0.50, -0.40, 0.02), (0.16, fin_tip + 0.02, 0.02)]), white, 0.6)
