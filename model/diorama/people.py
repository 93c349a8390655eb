"""People as the teacher draws them: someone who comes along; as in model.diorama.figures."""

from __future__ import annotations

import math

import numpy as np

from model.diorama.animals import DARK, Pose
from model.diorama.shapes import (
    Array,
    Canvas,
    Colour,
    blend,
    disc,
    ellipse,
    limb,
    mix,
    of_hue,
    path,
    round_shade,
)

_TURN = 2 * math.pi
SKIN: Colour = (0.86, 0.62, 0.47)


def person(c: Canvas, pose: Pose) -> None:
    """Someone in a coat and a scarf, from the side; crouches down (act) to look at something."""
    gait, moving, act, hue, look = pose
    x, y = c.x, c.y
    swing = np.sin(_TURN * gait) * 0.52 * moving
    bob = np.abs(np.cos(_TURN * gait)) * 0.020 * moving
    coat = blend(of_hue(hue, 0.55, 0.62), (0.30, 0.25, 0.22), 0.25)
    scarf = of_hue((hue + 0.45) % 1, 0.70, 0.90)
    hair = blend((0.14, 0.09, 0.06), (0.55, 0.36, 0.16), look)
    trousers: Colour = (0.17, 0.19, 0.26)
    hip_x, hip_y = mix(0.0, -0.14, act), mix(-0.14, -0.58, act) + bob

    def leg(angle: Array, shade: float) -> None:
        kx = hip_x + mix(0.36 * np.sin(angle), 0.32, act)
        ky = hip_y - mix(0.36 * np.cos(angle), -0.02, act)
        back = angle - 0.55 * np.maximum(0, -angle) - 0.25 * moving
        fx = mix(kx + 0.38 * np.sin(back), 0.06 + 0.10 * (angle > 0), act)
        fy = mix(ky - 0.38 * np.cos(back), -0.90, act)
        c.lay(
            path(x, y, [(hip_x, hip_y, 0.105), (kx, ky, 0.080), (fx, fy, 0.058)]),
            blend(trousers, DARK, 0.3 * (1 - shade)),
            shade,
        )
        c.lay(limb(x, y, fx - 0.03, fy - 0.02, fx + 0.11, fy - 0.03, 0.055, 0.042), (0.22, 0.13, 0.08), shade)

    def arm(angle: Array, shade: float) -> None:
        sx, sy = mix(0.02, 0.08, act), mix(0.42, -0.02, act) + bob
        ex, ey = sx + 0.25 * np.sin(mix(angle, 0.5, act)), sy - 0.25 * np.cos(mix(angle, 0.5, act))
        wx, wy = ex + 0.24 * np.sin(mix(angle + 0.35, 1.2, act)), ey - 0.24 * np.cos(mix(angle + 0.35, 1.2, act))
        c.lay(
            path(x, y, [(sx, sy, 0.085), (ex, ey, 0.075), (wx, wy, 0.055)]),
            blend(coat, DARK, 0.45 * (1 - shade)),
            shade,
        )
        c.lay(disc(x, y, wx + 0.02, wy - 0.03, 0.048), SKIN, shade)

    arm(-swing * 0.9, 0.4)
    leg(-swing, 0.35)
    leg(swing, 0.7)
    sx, sy = mix(0.0, 0.08, act), mix(0.40, -0.06, act) + bob
    torso = path(
        x,
        y,
        [
            (hip_x, hip_y - mix(0.16, 0.0, act), 0.185),
            (mix(hip_x, sx, 0.5), mix(hip_y, sy, 0.5), 0.165),
            (sx, sy, 0.145),
        ],
    )
    c.lay(torso, coat, np.clip(0.62 - 1.1 * (x - sx), 0.15, 1))
    c.paint(np.maximum(torso + 0.02, np.abs(x - mix(hip_x, sx, 0.5) - 0.10) - 0.010), blend(coat, DARK, 0.6), 0.6)
    arm(swing * 0.9, 0.75)
    hx, hy = mix(0.03, 0.20, act), mix(0.70, 0.20, act) + bob
    c.lay(limb(x, y, sx, sy + 0.10, hx, hy - 0.08, 0.07, 0.065), SKIN, 0.5)
    c.lay(ellipse(x, y, hx, hy, 0.128, 0.155), SKIN, round_shade(x, y, hx, hy, 0.16, 0.2))
    c.lay(disc(x, y, hx + 0.125, hy - 0.015, 0.028), SKIN, 0.7)
    c.lay(
        path(x, y, [(hx + 0.06, hy + 0.115, 0.055), (hx - 0.05, hy + 0.09, 0.095), (hx - 0.09, hy - 0.04, 0.075)]),
        hair,
        0.6,
    )
    c.lay(disc(x, y, hx + 0.075, hy + 0.015, 0.018), DARK, 0.4)
    c.lay(limb(x, y, sx - 0.10, sy + 0.125, sx + 0.13, sy + 0.13, 0.060, 0.060), scarf, 0.7)
    flutter = 0.05 * np.sin(_TURN * gait * 2) * moving
    c.lay(
        path(
            x,
            y,
            [(sx - 0.10, sy + 0.10, 0.05), (sx - 0.24, sy + flutter, 0.055), (sx - 0.34, sy - 0.10 - flutter, 0.045)],
        ),
        scarf,
        0.55,
    )
