"""Things as the teacher draws them: what floats, sails and burns; as in model.diorama.figures."""

from __future__ import annotations

import math

import numpy as np

from model.acting import BURST
from model.diorama.animals import Pose
from model.diorama.shapes import (
    Canvas,
    Colour,
    blend,
    box,
    disc,
    ellipse,
    limb,
    mix,
    of_hue,
    smooth,
    wedge,
)

_TURN = 2 * math.pi
RAYS = 16  # of a firework
_WOOD: Colour = (0.45, 0.27, 0.15)


def lantern(c: Canvas, pose: Pose) -> None:
    """A sky lantern of paper over its flame: lit as far as `act`, flickering with `look`."""
    _, _, act, hue, look = pose
    x, y = c.x, c.y
    warm = blend((1.0, 0.62, 0.22), (1.0, 0.47, 0.24), hue)
    bright = (0.72 + 0.28 * look) * act
    r = np.hypot(x * 1.15, (y + 0.12))
    c.lay(r - 1.4, warm, 0.0, 1.0, 0.34 * np.exp(-((r / 0.50) ** 2)) * bright, 0.6)
    # Wide at the shoulders, narrow at its mouth.
    half = 0.30 + 0.21 * smooth((y + 0.62) / 0.75) - 0.52 * np.clip((y - 0.38) / 0.42, 0, 1) ** 2.4
    paper = np.maximum(np.abs(x) - half, np.maximum(-0.62 - y, y - 0.80)) * 0.8
    inner = np.exp(-((x / 0.34) ** 2 + ((y + 0.42) / 0.55) ** 2))
    tone = blend(blend(warm, (0.86, 0.30, 0.14), 0.55), (1.0, 0.90, 0.58), np.clip(inner * 1.25, 0, 1))
    c.lay(paper, tone, 0.7, 0.30 + 0.68 * bright, 1.0, 0.05)
    for at in (-0.62, -0.22, 0.22, 0.62):
        c.paint(np.abs(x - at * half) - 0.010, (0.78, 0.34, 0.14), np.where(paper < -0.02, 0.45, 0.0), 0.03)
    c.paint(np.abs(y + 0.59) - 0.028, (0.45, 0.20, 0.10), np.where(paper < 0.01, 0.85, 0.0))
    c.lay(ellipse(x, y, 0.0, -0.66, 0.075, 0.10), (1.0, 0.95, 0.72), 0.5, 1.0, act)
    c.lay(ellipse(x, y, 0.0, -0.63, 0.035, 0.05), (1.0, 1.0, 1.0), 0.5, 1.0, act)


def boat(c: Canvas, pose: Pose) -> None:
    """A sailing boat with a lamp at its stern."""
    _, _, _, hue, look = pose
    x, y = c.x, c.y
    cloth = blend((0.96, 0.93, 0.84), (0.80, 0.30, 0.20), smooth(hue * 4 - 2))
    hull_colour = blend((0.50, 0.20, 0.14), (0.14, 0.27, 0.42), smooth(look * 4 - 2))
    c.lay(limb(x, y, -0.02, -0.62, 0.00, 0.97, 0.030, 0.018), _WOOD, 0.6)
    c.lay(wedge(x, y, (0.015, 0.97), (-0.20, 0.925), (0.015, 0.88)), (0.85, 0.22, 0.18), 0.7)
    # Mainsail and jib, full of wind.
    belly = 0.16 * np.sin(math.pi * np.clip((y + 0.45) / 1.30, 0, 1))
    edge = -0.72 * (1 - np.clip((y + 0.45) / 1.30, 0, 1)) ** 0.92 - belly
    main = np.maximum(np.maximum(edge - x, x + 0.035), np.maximum(-0.45 - y, y - 0.86))
    c.lay(main, cloth, np.clip(0.80 + 0.55 * x + 0.1 * y, 0.2, 1))
    c.paint(np.maximum(np.abs((y + 0.45) % 0.32 - 0.16) - 0.006, main + 0.02), blend(cloth, (0.3, 0.25, 0.2), 0.5), 0.6)
    lead = 0.66 * (1 - np.clip((y + 0.50) / 1.22, 0, 1)) + 0.05 * np.sin(math.pi * np.clip((y + 0.5) / 1.22, 0, 1))
    jib = np.maximum(
        np.maximum(x - lead, 0.06 + 0.10 * np.sin(math.pi * np.clip((y + 0.5) / 1.22, 0, 1)) - x),
        np.maximum(-0.50 - y, y - 0.72),
    )
    c.lay(jib, blend(cloth, (1, 1, 1), 0.25), np.clip(0.95 - 0.5 * x, 0.3, 1))
    c.lay(limb(x, y, -0.78, -0.46, 0.0, -0.47, 0.022, 0.026), _WOOD, 0.5)
    # Hull: a curved deck line, a rounded keel.
    deck = -0.60 + 0.13 * x * x + 0.05 * x
    keel = -0.90 + 0.26 * np.abs(x / 0.9) ** 3
    hull = np.maximum(np.maximum(y - deck, keel - y), np.abs(x - 0.02) - 0.92) * 0.9
    c.lay(hull, hull_colour, np.clip(0.30 + (y + 0.9) * 1.5, 0.1, 1))
    c.paint(np.maximum(np.abs(y - deck + 0.045) - 0.022, hull), (0.95, 0.88, 0.72), 0.9)
    c.paint(np.maximum(np.abs(y - deck + 0.17) - 0.008, hull), (0.2, 0.12, 0.08), 0.5)
    c.lay(limb(x, y, -0.84, -0.50, -0.84, -0.30, 0.014, 0.012), _WOOD, 0.5)
    r = np.hypot(x + 0.84, y + 0.25)
    c.lay(r - 0.5, (1.0, 0.75, 0.35), 0.0, 1.0, 0.45 * np.exp(-((r / 0.13) ** 2)), 0.5)
    c.lay(disc(x, y, -0.84, -0.25, 0.045), (1.0, 0.88, 0.55), 0.5, 1.0)


def firework(c: Canvas, pose: Pose) -> None:
    """A rocket that rises until BURST of its act, then rays of sparks, a ring within, which fall and go out."""
    _, _, act, hue, look = pose
    x, y = c.x, c.y
    colour, second = of_hue(hue, 0.85, 1.0), of_hue((hue + 0.22 + 0.4 * look) % 1, 0.75, 1.0)
    gold: Colour = (1.0, 0.80, 0.42)
    # On its way up.
    rise = np.clip(act / BURST, 0, 1)
    head = -1.0 + (1 - (1 - rise) ** 1.7)
    before = smooth((BURST - act) * 60)
    tail = np.clip((head - y) / 0.42, 0, 1)
    wobble = 0.012 * np.sin(34 * y) * tail
    trail = np.exp(-(((x - wobble) / (0.016 + 0.03 * tail)) ** 2)) * smooth((head - y) * 40 + 0.5) * (1 - tail) ** 1.2
    c.lay(np.full_like(trail, -1.0), gold, 0.0, 1.0, 0.85 * trail * before)
    c.lay(disc(x, y, 0.0, head, 0.030), (1.0, 0.98, 0.85), 0.0, 1.0, before, 0.06)
    # Burst: fast at first, then slowing; what falls has fallen by the square of time.
    t = np.clip((act - BURST) / (1 - BURST), 0, 1)
    lit = 1 - before
    reach = 0.92 * (1 - np.exp(-5.0 * t)) + 0.02
    drop = 0.26 * t * t
    fade = np.clip(1.5 * (1 - t), 0, 1)
    r, angle = np.hypot(x, y + drop), np.arctan2(y + drop, x)
    share = np.clip(r / np.maximum(reach, 1e-3), 0, 2)
    near = np.abs((angle * RAYS / _TURN) % 1 - 0.5) * 2  # 1 on a ray
    off = (1 - near) * math.pi / RAYS * r  # aside of the nearest ray
    thin = 0.022 + 0.016 * share
    ray = (
        np.exp(-((off / thin) ** 2)) * smooth((1.0 - share) * 14 + 0.5) * np.clip((share - 0.10 - 0.50 * t) / 0.5, 0, 1)
    )
    tip = np.exp(-((off / 0.038) ** 2) - (((r - reach) / 0.042) ** 2))
    inner_r = reach * 0.55
    ring_near = np.abs((angle * RAYS / _TURN + 0.5) % 1 - 0.5) * 2
    ring_off = (1 - ring_near) * math.pi / RAYS * r
    ring = np.exp(-((ring_off / 0.024) ** 2) - (((r - inner_r) / 0.040) ** 2))
    glow = np.exp(-((r / (0.20 + 0.75 * t)) ** 2)) * np.clip(1 - 3.2 * t, 0, 1)
    full = np.full_like(ray, -1.0)
    c.lay(full, blend(colour, (1, 1, 1), 0.25), 0.0, 1.0, 0.55 * glow * lit)
    c.lay(full, colour, 0.0, 1.0, 0.95 * ray * fade * lit)
    c.lay(full, second, 0.0, 1.0, ring * fade * lit)
    c.lay(full, blend(colour, (1, 1, 0.92), 0.75), 0.0, 1.0, tip * np.clip(fade * 1.3, 0, 1) * lit)
    c.lay(full, (1.0, 1.0, 0.95), 0.0, 1.0, np.exp(-((r / 0.13) ** 2)) * np.clip(1 - 7 * t, 0, 1) * lit)


def balloon(c: Canvas, pose: Pose) -> None:
    """A hot-air balloon of coloured gores; its burner lights it from below (act)."""
    _, _, act, hue, look = pose
    x, y = c.x, c.y
    one, two = of_hue(hue, 0.80, 0.95), blend(of_hue((hue + 0.14) % 1, 0.55, 1.0), (1.0, 0.95, 0.82), 0.35 + 0.3 * look)
    up = np.clip((y - 0.28) / 0.70, -1, 1)
    down = np.clip((0.28 - y) / 0.78, 0, 1)
    half = np.where(y > 0.28, 0.68 * np.sqrt(np.maximum(1 - up * up, 0)), 0.68 * (1 - 0.80 * down**1.75))
    hang = np.maximum(np.abs(x) - half, np.maximum(-0.50 - y, y - 0.98))
    hang = np.where(y > 0.28, (np.hypot(x / 0.68, (y - 0.28) / 0.70) - 1) * 0.68, hang * 0.85)
    basket_top = -0.76
    for side in (-1, 1):
        c.lay(limb(x, y, side * 0.125, -0.48, side * 0.095, basket_top, 0.010, 0.010), (0.20, 0.16, 0.12), 0.4)
    c.lay(
        ellipse(x, y, 0.0, -0.50, 0.028 + 0.02 * act, 0.11 * act + 0.01), (1.0, 0.80, 0.35), 0.5, 1.0, smooth(act * 4)
    )
    c.lay(ellipse(x, y, 0.0, -0.54, 0.018, 0.07 * act + 0.005), (0.75, 0.88, 1.0), 0.5, 1.0, smooth(act * 4))
    side_angle = np.arcsin(np.clip(x / np.maximum(half, 1e-3), -1, 1)) / math.pi  # −½ … ½ round the front
    gore = np.sin(side_angle * _TURN * 5 + 0.6)
    tone = blend(one, two, smooth(gore * 3 + 0.5))
    shade = np.clip(0.62 - 0.55 * x / 0.68 + 0.22 * (y - 0.1), 0.12, 1)
    heat = act * np.exp(-((x / 0.40) ** 2 + ((y + 0.45) / 0.62) ** 2))
    c.lay(hang, tone, shade, np.clip(0.85 * heat, 0, 0.9))
    c.paint(np.maximum(hang + 0.01, np.abs(gore) - 0.10), blend(one, (0.1, 0.05, 0.05), 0.5), 0.35, 0.12)
    band = np.maximum(np.abs(y - 0.20 + 0.05 * (x / 0.68) ** 2) - 0.085, hang)
    c.paint(band, blend(two, (1, 1, 1), 0.3), 0.92)
    zigzag = np.abs((side_angle * 10) % 1 - 0.5) * 0.20 - 0.05
    c.paint(np.maximum(np.abs(y - 0.20 + 0.05 * (x / 0.68) ** 2 - zigzag) - 0.022, hang + 0.01), one, 0.95)
    c.paint(np.maximum(hang, 0.84 - y), blend(one, (0.1, 0.05, 0.05), 0.25), 0.8)
    c.lay(box(x, y, 0.0, -0.86, 0.115, 0.095, 0.03), (0.58, 0.38, 0.20), np.clip(0.55 - 2 * x, 0.15, 1))
    weave = np.sin(x * 95) * np.sin(y * 95)
    c.paint(np.maximum(box(x, y, 0.0, -0.86, 0.10, 0.08, 0.03), 0.1 - weave), (0.36, 0.22, 0.11), 0.5, 0.5)
    c.lay(box(x, y, 0.0, -0.765, 0.125, 0.020, 0.015), (0.36, 0.20, 0.10), 0.6)


def meteor(c: Canvas, pose: Pose) -> None:
    """A shooting star: a white head to the right and a long tail, as bright as `act`."""
    _, _, act, hue, _ = pose
    x, y = c.x, c.y
    tail_colour = blend((0.55, 0.95, 0.80), (0.65, 0.78, 1.0), hue)
    back = np.clip((2.45 - x) / 5.2, 0, 1)
    wide = 0.035 + 0.20 * back**0.7 * (1 - 0.5 * back)
    tail = np.exp(-((y / wide) ** 2)) * (1 - back) ** 1.6 * smooth((2.50 - x) * 8)
    full = np.full_like(tail, -1.0)
    c.lay(full, tail_colour, 0.0, 1.0, 0.9 * tail * act)
    core = np.exp(-((y / (0.35 * wide)) ** 2)) * (1 - np.clip(back * 1.5, 0, 1)) ** 1.3 * smooth((2.5 - x) * 8)
    c.lay(full, blend(tail_colour, (1, 1, 1), 0.8), 0.0, 1.0, core * act)
    sparks = (
        np.exp(-(((y - 0.10 * np.sin(5 * x)) / 0.045) ** 2))
        * np.clip(np.sin(9.5 * x) - 0.3, 0, 1)
        * smooth(back * 5)
        * (1 - back)
    )
    c.lay(full, (1.0, 0.85, 0.55), 0.0, 1.0, 0.8 * sparks * act)
    r = np.hypot(x - 2.45, y)
    c.lay(full, tail_colour, 0.0, 1.0, 0.7 * np.exp(-((r / 0.30) ** 2)) * act)
    c.lay(full, (1.0, 1.0, 0.97), 0.0, 1.0, np.exp(-((r / 0.13) ** 2)) * mix(0.0, 1.0, act))
