"""What flies and swims, as the teacher draws it; as in model.diorama.figures."""

from __future__ import annotations

import math

import numpy as np

from model.diorama.animals import DARK, Pose, choose
from model.diorama.shapes import (
    Canvas,
    Colour,
    blend,
    disc,
    ellipse,
    limb,
    of_hue,
    path,
    round_shade,
    smooth,
    wedge,
)

_TURN = 2 * math.pi


def bird(c: Canvas, pose: Pose) -> None:
    """A bird on the wing, wings up and down with the gait."""
    gait, _, _, hue, _ = pose
    x, y = c.x, c.y
    beat = np.sin(_TURN * gait)
    body = choose(hue, (0.93, 0.94, 0.96), (0.17, 0.19, 0.25), (0.45, 0.36, 0.28))
    under = blend(body, (1.0, 0.98, 0.94), 0.35)
    tip = blend(body, DARK, 0.65)

    def wing(root_x: float, far: bool) -> None:
        lean, up = (0.24, 0.85) if far else (-0.24, 1.0)
        tone = blend(body, DARK, 0.30) if far else body
        ex, ey = root_x + lean * 0.6, 0.03 + 0.38 * beat * up + 0.10
        wx, wy = root_x + lean * 2.1, 0.05 + 0.74 * beat * up + 0.06
        c.lay(
            path(x, y, [(root_x, 0.05, 0.15), (ex, ey, 0.145), (wx, wy, 0.030)]),
            tone,
            0.5 + 0.25 * beat * (0.4 if far else 1),
        )
        c.paint(disc(x, y, wx, wy, 0.24), tip, 0.9, 0.2)

    wing(0.06, True)
    c.lay(wedge(x, y, (-0.44, 0.02), (-0.92, 0.10), (-0.86, -0.10), (-0.44, -0.08)), blend(body, DARK, 0.25), 0.55)
    c.lay(ellipse(x, y, -0.02, -0.02, 0.50, 0.155, 0.05), under, round_shade(x, y, 0, 0, 0.5, 0.19))
    c.lay(disc(x, y, 0.50, 0.06, 0.145), body, round_shade(x, y, 0.5, 0.06, 0.15, 0.15))
    c.lay(wedge(x, y, (0.60, 0.00), (0.84, 0.02), (0.60, 0.11)), (0.95, 0.66, 0.20), 0.7)
    c.lay(disc(x, y, 0.54, 0.095, 0.030), DARK, 0.4)
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
    body = choose(hue, (0.98, 0.45, 0.12), (0.98, 0.93, 0.86), (0.98, 0.75, 0.20), (0.25, 0.52, 0.90))
    patch = choose(hue, (1.0, 0.96, 0.90), (0.92, 0.22, 0.12), (0.95, 0.35, 0.10), (0.75, 0.93, 1.0))
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
    c.lay(limb(x, y, 0.44, 0.14, 0.42, -0.16, 0.014, 0.010), blend(body, DARK, 0.4), 0.5, opacity=0.7)
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
        tone = blend(back, DARK, 0.30) if far else back
        dy = 0.30 * beat + (0.13 if far else -0.07)
        c.lay(
            path(x, y, [(-1.42, 0.02, 0.085), (-1.66, 0.06 + dy * 0.6, 0.105), (-1.90, 0.10 + dy * 1.35, 0.025)]),
            tone,
            0.6,
        )
    fin_tip = -0.62 - 0.10 * beat
    c.lay(
        path(x, y, [(0.50, -0.16, 0.13), (0.34, -0.42, 0.10), (0.10, fin_tip - 0.02, 0.03)]),
        blend(back, DARK, 0.4),
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
