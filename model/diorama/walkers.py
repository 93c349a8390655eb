"""Who walks before us, seen from behind, as the teacher draws him; as in model.diorama.figures."""

from __future__ import annotations

import math

import numpy as np

from model.diorama.animals import DARK, Pose
from model.diorama.people import SKIN
from model.diorama.shapes import (
    Array,
    Canvas,
    Colour,
    Rod,
    blend,
    box,
    disc,
    ellipse,
    limb,
    mix,
    path,
    round_shade,
    wedge,
)

_TURN = 2 * math.pi


def _legs(
    c: Canvas, pose: Pose, hip_y: float, apart: float, radius: tuple[float, float], colour: Colour, boot: Colour,
    foot_y: float = -0.92,
) -> Array:  # fmt: skip
    """Two legs seen from behind, lifted in turn; how the walk sways to and fro."""
    gait, moving = pose[0], pose[1]
    swing = np.sin(_TURN * gait) * moving
    for side in (-1, 1):
        up = np.maximum(0, side * swing) * 0.13
        down = np.maximum(0, -side * swing)
        fx, fy = side * apart * (1 - 0.25 * down), foot_y + up
        kx, ky = side * apart * 1.1, (hip_y + foot_y) / 2 + 0.4 * up
        shade = 0.55 - 0.2 * up / 0.13
        c.lay(
            path(
                c.x,
                c.y,
                [
                    (side * apart * 0.9, hip_y, radius[0]),
                    (kx, ky, (radius[0] + radius[1]) / 2),
                    (fx, fy + 0.05, radius[1]),
                ],
            ),
            colour,
            shade,
        )
        c.lay(ellipse(c.x, c.y, fx, fy + 0.02, radius[1] + 0.025, 0.055), boot, shade)
    return swing


def wanderer(c: Canvas, pose: Pose) -> None:
    """A red cloak, a broad hat, a staff."""
    x, y = c.x, c.y
    swing = _legs(c, pose, -0.45, 0.105, (0.095, 0.065), (0.20, 0.16, 0.14), (0.17, 0.10, 0.07))
    bob = 0.025 * np.abs(swing)
    red: Colour = (0.76, 0.16, 0.13)
    stick = 0.36 + 0.03 * swing
    c.lay(
        limb(x, y, stick + 0.03, -0.90 + 0.06 * np.maximum(0, swing), stick, 0.42, 0.020, 0.024),
        (0.42, 0.27, 0.14),
        0.6,
    )
    hem = 0.30 + 0.03 * swing * np.sign(x)
    half = mix(0.15, hem, np.clip((0.46 + bob - y) / 1.05, 0, 1) ** 0.8)
    wavy = -0.60 + 0.035 * np.sin(x * 17 + 2.0 * swing)
    cloak = np.maximum(np.abs(x - 0.015 * swing) - half, np.maximum(wavy - y, y - 0.50 - bob)) * 0.9
    folds = 0.16 * np.sin(x * 19 / (0.55 + half * 1.6) + 0.8 * swing) * np.clip((0.35 - y), 0, 1)
    c.lay(limb(x, y, 0.16, 0.26 + bob, stick, 0.10 + bob, 0.075, 0.045), red, 0.6)
    c.lay(disc(x, y, stick, 0.11 + bob, 0.048), SKIN, 0.6)
    c.lay(cloak, red, np.clip(0.55 + folds - 0.5 * x, 0.12, 1))
    c.lay(ellipse(x, y, 0.0, 0.45 + bob, 0.175, 0.10), blend(red, DARK, 0.25), np.clip(0.6 - x, 0, 1))
    c.lay(ellipse(x, y, 0.0, 0.62 + bob, 0.115, 0.13), (0.24, 0.15, 0.09), 0.5)
    c.lay(
        ellipse(x, y, 0.0, 0.70 + bob, 0.29, 0.065),
        (0.62, 0.49, 0.29),
        np.clip(0.6 - 0.8 * x + 2 * (y - 0.70), 0.15, 1),
    )
    c.lay(
        np.maximum(ellipse(x, y, 0.0, 0.74 + bob, 0.145, 0.17), 0.70 + bob - y),
        (0.66, 0.52, 0.31),
        np.clip(0.65 - 1.5 * x, 0.2, 1),
    )
    c.paint(np.maximum(np.abs(y - 0.745 - bob) - 0.020, np.abs(x) - 0.142), (0.30, 0.12, 0.09), 0.9)


def child(c: Canvas, pose: Pose) -> None:
    """A yellow raincoat, red boots, a small rucksack."""
    x, y = c.x, c.y
    swing = _legs(c, pose, -0.60, 0.11, (0.085, 0.075), (0.22, 0.30, 0.48), (0.80, 0.15, 0.13), -0.91)
    bob = 0.035 * np.abs(swing)
    coat: Colour = (0.97, 0.76, 0.12)
    for side in (-1, 1):
        ay = -0.32 + 0.10 * side * swing + bob
        c.lay(
            path(
                x, y, [(side * 0.17, 0.02 + bob, 0.085), (side * 0.29, (ay - 0.05) / 2, 0.08), (side * 0.32, ay, 0.065)]
            ),
            coat,
            0.55 - 0.12 * side,
        )
        c.lay(disc(x, y, side * 0.325, ay - 0.07, 0.052), SKIN, 0.6)
    half = mix(0.17, 0.30, np.clip((0.10 + bob - y) / 0.65, 0, 1))
    c.lay(
        np.maximum(np.abs(x) - half, np.maximum(-0.58 - y, y - 0.14 - bob)) * 0.9,
        coat,
        np.clip(0.62 - 0.9 * x, 0.15, 1),
    )
    c.paint(np.maximum(np.abs(y + 0.53) - 0.012, np.abs(x) - 0.29), (0.80, 0.58, 0.08), 0.8)
    c.lay(box(x, y, 0.0, -0.14 + bob, 0.165, 0.20, 0.07), (0.22, 0.50, 0.62), np.clip(0.62 - 1.2 * x, 0.15, 1))
    c.lay(box(x, y, 0.0, -0.21 + bob, 0.11, 0.085, 0.04), (0.17, 0.40, 0.52), 0.6)
    c.lay(box(x, y, 0.0, 0.00 + bob, 0.17, 0.05, 0.04), (0.26, 0.58, 0.70), 0.7)
    c.lay(disc(x, y, 0.0, -0.06 + bob, 0.022), (0.95, 0.90, 0.75), 0.8)
    c.lay(ellipse(x, y, 0.0, 0.36 + bob, 0.25, 0.265), coat, round_shade(x, y, 0.0, 0.36, 0.28, 0.30))
    c.lay(wedge(x, y, (-0.10, 0.56 + bob), (0.10, 0.56 + bob), (0.03 * swing, 0.70 + bob)), coat, 0.75, edge=0.06)
    c.paint(limb(x, y, 0.0, 0.66 + bob, 0.0, 0.14 + bob, 0.008, 0.010), (0.78, 0.56, 0.06), 0.7)


def robot(c: Canvas, pose: Pose) -> None:
    """Plates of metal, an antenna with a lamp, a core that glows through its back."""
    x, y = c.x, c.y
    steel: Colour = (0.66, 0.70, 0.74)
    dark: Colour = (0.24, 0.27, 0.31)
    swing = _legs(c, pose, -0.36, 0.155, (0.075, 0.070), dark, steel)
    bob = 0.015 * np.abs(swing)
    for side in (-1, 1):
        up = np.maximum(0, side * swing) * 0.13
        c.lay(box(x, y, side * 0.16, -0.86 + up, 0.125, 0.075, 0.03), steel, 0.55)
        c.lay(box(x, y, side * 0.165, -0.56 + 0.4 * up, 0.085, 0.085, 0.03), steel, 0.6)
        ay = -0.24 + 0.12 * side * swing + bob
        c.lay(
            path(
                x,
                y,
                [(side * 0.36, 0.28 + bob, 0.065), (side * 0.42, (ay + 0.28) / 2, 0.055), (side * 0.42, ay, 0.055)],
            ),
            dark,
            0.5,
        )
        c.lay(box(x, y, side * 0.42, ay - 0.04, 0.070, 0.095, 0.03), steel, 0.62 - 0.12 * side)
        c.lay(disc(x, y, side * 0.36, 0.29 + bob, 0.098), (0.85, 0.50, 0.15), 0.6 - 0.15 * side)
    c.lay(box(x, y, 0.0, 0.03 + bob, 0.29, 0.37, 0.09), steel, np.clip(0.60 - 1.1 * x + 0.25 * y, 0.12, 1))
    c.lay(box(x, y, 0.0, 0.05 + bob, 0.20, 0.22, 0.06), dark, 0.5)
    r = np.hypot(x, y - 0.08 - bob)
    c.lay(r - 0.4, (0.35, 0.95, 1.0), 0.0, 1.0, 0.40 * np.exp(-((r / 0.17) ** 2)), 0.3)
    c.lay(disc(x, y, 0.0, 0.08 + bob, 0.085), (0.55, 0.98, 1.0), 0.0, 1.0)
    c.lay(disc(x, y, 0.0, 0.08 + bob, 0.045), (0.95, 1.0, 1.0), 0.0, 1.0)
    for at in (-0.09, -0.125):
        c.paint(box(x, y, 0.0, at + bob, 0.14, 0.009), (0.55, 0.60, 0.64), 0.9)
    c.lay(box(x, y, 0.0, -0.36 + bob, 0.20, 0.055, 0.02), dark, 0.4)
    c.lay(box(x, y, 0.0, 0.44 + bob, 0.09, 0.06), dark, 0.5)
    c.lay(box(x, y, 0.0, 0.62 + bob, 0.22, 0.165, 0.07), steel, np.clip(0.64 - 1.3 * x + 0.4 * (y - 0.6), 0.12, 1))
    for at in (0.56, 0.62, 0.68):
        c.paint(box(x, y, 0.0, at + bob, 0.12, 0.011), dark, 0.9)
    for side in (-1, 1):
        c.lay(box(x, y, side * 0.245, 0.62 + bob, 0.035, 0.075, 0.02), (0.85, 0.50, 0.15), 0.6)
    c.lay(limb(x, y, 0.08, 0.78 + bob, 0.12, 0.90 + bob, 0.013, 0.010), dark, 0.5)
    c.lay(disc(x, y, 0.122, 0.92 + bob, 0.038), (1.0, 0.30, 0.20), 0.0, 0.9)


def knight(c: Canvas, pose: Pose) -> None:
    """Armour, a red plume, a blue cloak, a sword across the back."""
    x, y = c.x, c.y
    steel: Colour = (0.72, 0.74, 0.79)
    swing = _legs(c, pose, -0.36, 0.125, (0.105, 0.075), (0.56, 0.58, 0.64), (0.46, 0.48, 0.54))
    bob = 0.02 * np.abs(swing)
    blue: Colour = (0.15, 0.25, 0.62)
    for side in (-1, 1):
        up = np.maximum(0, side * swing) * 0.13
        c.lay(disc(x, y, side * 0.135, -0.62 + 0.4 * up, 0.085), steel, 0.65 - 0.12 * side)
        ay = -0.20 + 0.09 * side * swing + bob
        c.lay(
            path(x, y, [(side * 0.27, 0.30 + bob, 0.085), (side * 0.36, 0.05 + bob, 0.075), (side * 0.35, ay, 0.06)]),
            steel,
            0.58 - 0.14 * side,
        )
        c.lay(ellipse(x, y, side * 0.35, ay - 0.05, 0.065, 0.075), (0.36, 0.24, 0.16), 0.5)
    half = mix(0.20, 0.31, np.clip((0.40 - y) / 1.05, 0, 1)) + 0.02 * swing * np.sign(x)
    wavy = -0.64 + 0.03 * np.sin(x * 15 + 2.4 * swing)
    folds = 0.20 * np.sin(x * 21 / (0.6 + half) + 0.9 * swing) * np.clip(0.45 - y, 0, 1)
    cloak = np.maximum(np.abs(x - 0.02 * swing) - half, np.maximum(wavy - y, y - 0.42 - bob)) * 0.9
    c.lay(cloak, blue, np.clip(0.55 + folds - 0.5 * x, 0.12, 1))
    c.paint(np.maximum(cloak, np.abs(y - wavy - 0.03) - 0.018), (0.93, 0.76, 0.30), 0.95)
    cross = np.minimum(box(x, y, 0.0, -0.08 + bob, 0.030, 0.19), box(x, y, 0.0, -0.02 + bob, 0.115, 0.030))
    c.paint(cross, (0.95, 0.80, 0.36), 0.9)
    c.lay(limb(x, y, 0.30, -0.36 + bob, -0.22, 0.46 + bob, 0.030, 0.030), (0.34, 0.20, 0.12), 0.5)
    c.lay(limb(x, y, -0.14, 0.44 + bob, -0.31, 0.33 + bob, 0.022, 0.022), (0.90, 0.74, 0.32), 0.7)
    c.lay(limb(x, y, -0.23, 0.43 + bob, -0.33, 0.59 + bob, 0.024, 0.024), (0.30, 0.16, 0.10), 0.6)
    c.lay(disc(x, y, -0.345, 0.615 + bob, 0.036), (0.93, 0.76, 0.32), 0.8)
    for side in (-1, 1):
        c.lay(
            ellipse(x, y, side * 0.27, 0.36 + bob, 0.135, 0.105),
            steel,
            np.clip(0.65 - 0.15 * side + 1.5 * (y - 0.36), 0.15, 1),
        )
    c.lay(limb(x, y, 0.0, 0.40 + bob, 0.0, 0.50 + bob, 0.13, 0.12), (0.50, 0.52, 0.58), 0.5)
    c.lay(ellipse(x, y, 0.0, 0.64 + bob, 0.165, 0.185), steel, round_shade(x, y, 0.0, 0.64, 0.18, 0.2))
    c.paint(np.maximum(np.abs(y - 0.57 - bob) - 0.012, np.abs(x) - 0.16), (0.40, 0.42, 0.48), 0.9)
    plume: Rod = [
        (0.0, 0.80 + bob, 0.06),
        (0.10 + 0.03 * swing, 0.90 + bob, 0.075),
        (0.25 + 0.06 * swing, 0.84 + bob, 0.07),
        (0.31 + 0.09 * swing, 0.66 + bob, 0.035),
    ]
    c.lay(path(x, y, plume), (0.86, 0.12, 0.12), np.clip(0.7 - 1.2 * x, 0.2, 1))


def _hind(
    c: Canvas, pose: Pose, apart: float, hip_y: float, radius: tuple[float, float], fur: Colour, paw: Colour
) -> tuple[Array, Array]:
    """Four legs of an animal seen from behind; how the walk sways, and how far the body is lifted."""
    gait, moving = pose[0], pose[1]
    swing = np.sin(_TURN * gait) * moving
    for far in (True, False):
        tone = blend(fur, DARK, 0.40) if far else fur
        for side in (-1, 1):
            up = np.maximum(0, (-1 if far else 1) * side * swing) * 0.12
            ax = side * apart * (0.62 if far else 1.0)
            foot = -0.86 + 0.05 * far + up
            c.lay(
                path(
                    c.x,
                    c.y,
                    [
                        (ax, hip_y, radius[0]),
                        (ax * 1.06, (hip_y + foot) / 2, (radius[0] + radius[1]) / 2),
                        (ax, foot, radius[1]),
                    ],
                ),
                tone,
                0.30 if far else 0.55,
            )
            c.lay(ellipse(c.x, c.y, ax, foot - 0.03, radius[1] + 0.02, 0.05), paw, 0.4 if far else 0.6)
    return swing, 0.02 * np.abs(swing)


def cat(c: Canvas, pose: Pose) -> None:
    """A ginger cat from behind, its tail up and swaying."""
    x, y = c.x, c.y
    fur: Colour = (0.90, 0.52, 0.20)
    stripe: Colour = (0.62, 0.30, 0.10)
    white: Colour = (0.97, 0.93, 0.88)
    swing, bob = _hind(c, pose, 0.21, -0.42, (0.15, 0.075), fur, white)
    hy = 0.22 + bob
    for side in (-1, 1):
        ex = side * 0.17
        c.lay(wedge(x, y, (ex - 0.11, hy + 0.12), (ex + 0.11, hy + 0.12), (ex + 0.05 * side, hy + 0.42)), fur, 0.65)
        c.lay(
            wedge(x, y, (ex - 0.05, hy + 0.14), (ex + 0.05, hy + 0.14), (ex + 0.04 * side, hy + 0.34)),
            blend(fur, DARK, 0.45),
            0.5,
        )
    c.lay(ellipse(x, y, 0.0, hy, 0.29, 0.235), fur, round_shade(x, y, 0.0, hy, 0.3, 0.26))
    for at in (-0.12, 0.0, 0.12):
        c.paint(limb(x, y, at, hy + 0.21, at * 0.9, hy + 0.04, 0.026, 0.012), stripe, 0.8)
    c.lay(ellipse(x, y, 0.0, -0.02 + bob, 0.27, 0.25), blend(fur, DARK, 0.10), 0.55)
    c.lay(ellipse(x, y, 0.02 * swing, -0.28 + bob, 0.355, 0.32), fur, round_shade(x, y, 0.0, -0.28, 0.38, 0.35))
    bars = np.maximum(ellipse(x, y, 0.02 * swing, -0.26 + bob, 0.33, 0.29), 0.35 - np.sin(y * 26 + 5.0 * x * x))
    c.paint(np.maximum(bars, 0.10 - np.abs(x)), stripe, 0.7, 0.3)
    c.lay(ellipse(x, y, 0.0, -0.42 + bob, 0.11, 0.12), blend(fur, white, 0.6), 0.5, edge=0.1)
    sway = 0.10 * np.sin(_TURN * pose[0]) * (0.4 + 0.6 * pose[1])
    tail: Rod = [
        (0.0, -0.22 + bob, 0.085),
        (0.03 + 0.4 * sway, 0.12 + bob, 0.080),
        (sway, 0.50 + bob, 0.072),
        (0.10 + 1.7 * sway, 0.80 + bob, 0.058),
    ]
    c.lay(path(x, y, tail), fur, np.clip(0.75 - 2.2 * (x - sway * 0.6), 0.2, 1))
    rings = np.maximum(path(x, y, tail) + 0.01, 0.3 - np.sin(y * 24))
    c.paint(np.maximum(rings, 0.0 - y), stripe, 0.75, 0.3)
    c.paint(disc(x, y, tail[-1][0], tail[-1][1], 0.09), white, 1.0, 0.05)


def deer(c: Canvas, pose: Pose) -> None:
    """A stag from behind: a white rump, ears, antlers against the sky."""
    x, y = c.x, c.y
    fur: Colour = (0.60, 0.36, 0.19)
    bone: Colour = (0.84, 0.74, 0.56)
    for side in (-1, 1):
        beam = [(side * 0.06, 0.56, 0.030), (side * 0.25, 0.68, 0.027), (side * 0.30, 0.92, 0.014)]
        c.lay(path(x, y, beam), bone, 0.7 - 0.12 * side)
        for a, b in (
            ((0.14, 0.61), (0.12, 0.80)),
            ((0.25, 0.68), (0.44, 0.74)),
            ((0.28, 0.80), (0.42, 0.92)),
            ((0.28, 0.82), (0.20, 0.93)),
        ):
            c.lay(limb(x, y, side * a[0], a[1], side * b[0], b[1], 0.020, 0.010), bone, 0.7 - 0.12 * side)
    swing, bob = _hind(c, pose, 0.145, -0.12, (0.105, 0.036), fur, DARK)
    for side in (-1, 1):
        c.lay(ellipse(x, y, side * 0.19, 0.50 + bob, 0.125, 0.050, side * 0.35), fur, 0.6 - 0.1 * side)
        c.lay(ellipse(x, y, side * 0.20, 0.50 + bob, 0.080, 0.024, side * 0.35), (0.88, 0.66, 0.56), 0.6)
    c.lay(
        path(x, y, [(0.0, 0.10 + bob, 0.17), (0.0, 0.36 + bob, 0.105), (0.0, 0.50 + bob, 0.115)]),
        fur,
        np.clip(0.62 - 1.2 * x, 0.2, 1),
    )
    c.lay(ellipse(x, y, 0.02 * swing, 0.02 + bob, 0.275, 0.255), fur, round_shade(x, y, 0.0, 0.02, 0.3, 0.28))
    c.lay(ellipse(x, y, 0.02 * swing, -0.08 + bob, 0.165, 0.205), (0.96, 0.93, 0.86), 0.7, edge=0.05)
    flick = 0.05 * np.sin(2 * _TURN * pose[0]) * pose[1]
    c.lay(
        limb(x, y, 0.02 * swing, 0.03 + bob, 0.02 * swing + flick, -0.13 + bob, 0.052, 0.030),
        blend(fur, DARK, 0.25),
        0.6,
    )
