"""The styles as the brush learns them: a painted picture from what `model.looks` sees at each pixel of one.

Each is a fixed function: no chance, no memory, so what is painted holds still when the picture does. Colours and
thresholds are arbitrary: they were tried until each style could be told at a glance in every place and weather.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from model.conditions import STYLES
from model.looks import LAYERS, Looks, luminance, smooth

Colour = tuple[float, float, float]


def _rgb(colour: Colour, like: Tensor) -> Tensor:
    return torch.tensor(colour, device=like.device)[:, None, None].expand(3, *like.shape[-2:])


def _mixed(under: Tensor, over: Tensor, share: Tensor) -> Tensor:
    return under + (over - under) * share


def _saturated(rgb: Tensor, by: float) -> Tensor:
    grey = luminance(rgb)
    return grey + (rgb - grey) * by


def _steps(x: Tensor, steps: int, sharp: float) -> Tensor:
    """x in `steps` + 1 levels, borders `sharp` times as steep as x itself."""
    x = x * steps
    floor = x.floor()
    return (floor + ((x - floor - 0.5) * sharp + 0.5).clamp(0, 1)) / steps


def photograph(looks: Looks) -> Tensor:
    """As it is."""
    return looks.rgb


def watercolour(looks: Looks) -> Tensor:
    """Thin washes on white paper: darker at their edges, grained by the paper, run out towards the rim."""
    paper = _rgb((0.985, 0.975, 0.95), looks.light) * (1 - 0.012 * looks.grit)
    wash = looks.flat * looks.gain
    wash = _saturated(wash.clamp(0, 1), 1.8).clamp(0, 1)
    # Pigment pools at the edges of a wash and in the paper's hollows.
    pigment = 0.72 + 0.14 * looks.hand + 0.09 * looks.blot - 0.045 * looks.grit
    pigment = pigment + 0.55 * smooth(looks.edge, 0.02, 0.16) + 0.8 * smooth(looks.outline, 0.10, 0.35)
    # A wash that ran into a wet one dries with a rim of its own.
    pigment = pigment + 0.22 * (1 - (looks.hand + 0.25 * looks.blot - 0.8).abs() * 7).clamp(0, 1)
    # Where light is brightest no paint was laid.
    pigment = pigment * (1 - 0.8 * smooth(luminance(wash), 0.78, 0.98))
    laid = smooth(looks.rim + 0.022 * looks.hand + 0.008 * looks.blot, 0.012, 0.045)
    pigment = (pigment + 0.6 * laid * (1 - laid)).clamp(0.15, 2.0)
    painted = (0.06 + 0.94 * wash) ** pigment
    shown = _mixed(paper, paper * painted, laid)
    pencil = smooth(looks.outline, 0.18, 0.5) * smooth(looks.grit, -1.6, 0.6) * 0.30 * laid
    return _mixed(shown, _rgb((0.28, 0.25, 0.28), looks.light), pencil)


def ink(looks: Looks) -> Tensor:
    """Sumi on warm paper: a few washes, dry strokes along outlines, and what is far fades into the paper."""
    paper = _rgb((0.945, 0.905, 0.825), looks.light) * (1 - 0.014 * looks.grit - 0.05 * looks.fibre)
    tone = looks.gain * looks.flat_light
    dark = 1 - _steps((tone + 0.02 * looks.blot).clamp(0, 1), 4, 1.8)
    land = 1 - looks.sky
    fade = 1 - smooth(looks.flat_near, 0.36, 0.92)
    # Mist lies at the feet of what is far.
    wash = dark * dark * (0.16 + 1.15 * fade) * land * (1 + 0.12 * looks.hand)
    wash = wash + 0.30 * looks.sky * smooth(0.10 - looks.cloud + 0.03 * looks.hand, 0.06, 0.22) * smooth(
        looks.up, 0.05, 0.35
    )
    pool = smooth(looks.edge, 0.03, 0.16) * (0.06 + 0.30 * fade) * (1 - 0.6 * looks.sky)
    dry = smooth(looks.bleed + 0.5 * looks.grit, -1.7, 0.1)
    line = smooth(looks.outline, 0.10, 0.36) * (0.35 + 0.65 * dry) * (0.34 + 0.62 * fade)
    stroke = smooth(-looks.ridge, 0.02, 0.10) * land * dry * (0.10 + 0.55 * fade)
    density = 1 - (1 - wash.clamp(0, 1)) * (1 - pool) * (1 - line.clamp(0, 1)) * (1 - stroke)
    return _mixed(paper, _rgb((0.07, 0.07, 0.085), looks.light), density.clamp(0, 1))


def oil(looks: Looks) -> Tensor:
    """Thick strokes along a swirling flow, each of one colour, bristles catching the light; finer at outlines."""
    stroke = looks.stroke
    rank = stroke.rank - 0.5
    colour = _saturated(stroke.colour * looks.gain, 1.6)
    # No two strokes have quite the same paint: some warmer, some cooler, some lighter.
    colour = colour + torch.stack([0.15 * rank, 0.03 * rank, -0.17 * rank]) + 0.07 * (rank * 12.566).sin()
    return (0.02 + colour * (1 + 0.26 * stroke.relief)).clamp(0, 1)


def animation(looks: Looks) -> Tensor:
    """Hand-drawn: clean tones in a few steps, vivid and bright, crisp white clouds, lines of the colour beneath."""
    tone = looks.gain * looks.flat_light
    level = _steps(tone.clamp(0, 1.25), 4, 5.0)
    colour = looks.flat * looks.gain / tone.clamp(min=0.03)
    colour = _saturated(colour, 1.5).clamp(0.02, 2.4) * (0.14 + 0.98 * level)
    # Light is warm, shade is cool.
    warm = (level - 0.5)[None] * torch.tensor([0.14, 0.05, -0.14], device=level.device)[:, None, None]
    colour = colour + warm
    # A sky deep above and pale below, with clouds cut out of it.
    cloud = smooth(looks.cloud, 0.0, 0.03) * smooth(looks.up, 0.0, 0.06)
    body = looks.flat * looks.gain
    height = smooth(looks.up, 0.0, 0.45)
    deep = _saturated(body, 1.6) * (1.22 - 0.42 * height)
    deep = torch.stack([deep[0] * (1.04 - 0.34 * height), deep[1], deep[2] * 1.08])
    white = 0.25 * body + 0.75 * (0.36 + 0.74 * level)
    shown = _mixed(colour, _mixed(deep, white, 0.9 * cloud), looks.sky)
    line = smooth(looks.outline, 0.10, 0.30) * (1 - 0.5 * smooth(looks.flat_near, 0.5, 0.95))
    line = line.maximum(0.7 * smooth(looks.edge, 0.12, 0.24) * (1 - looks.sky))
    return _mixed(shown, shown * 0.18 + _rgb((0.03, 0.015, 0.05), tone), line).clamp(0, 1)


_BLUE: tuple[Colour, ...] = ((0.06, 0.10, 0.24), (0.13, 0.28, 0.50), (0.50, 0.68, 0.76), (0.95, 0.90, 0.79))
_GREEN: tuple[Colour, ...] = ((0.07, 0.15, 0.16), (0.20, 0.40, 0.26), (0.56, 0.69, 0.36), (0.95, 0.90, 0.79))
_WARM: tuple[Colour, ...] = ((0.22, 0.10, 0.13), (0.62, 0.27, 0.20), (0.89, 0.66, 0.42), (0.95, 0.90, 0.79))


def _ramp(colours: tuple[Colour, ...], level: Tensor) -> Tensor:
    """Colours by level 0..1."""
    at = level * (len(colours) - 1)
    shown = _rgb(colours[0], level)
    for number, colour in enumerate(colours[1:]):
        shown = _mixed(shown, _rgb(colour, level), (at - number).clamp(0, 1))
    return shown


def woodblock(looks: Looks) -> Tensor:
    """A print: three inks in four flat tones, bokashi at the sky's top and over the horizon, dark key lines."""
    tone = looks.gain * looks.flat_light
    level = _steps((tone * 1.08).clamp(0, 1), 3, 6.0)
    hue = looks.flat / looks.flat_light.clamp(min=0.05)
    warm, green = hue[0] - hue[2], hue[1] - 0.5 * (hue[0] + hue[2])
    is_warm = smooth(warm - 1.5 * green.clamp(min=0), 0.04, 0.16)
    is_green = smooth(green - 0.4 * warm.clamp(min=0), 0.03, 0.12) * (1 - is_warm)
    shown = _ramp(_BLUE, level)
    shown = _mixed(shown, _ramp(_GREEN, level), is_green)
    shown = _mixed(shown, _ramp(_WARM, level), is_warm)
    # The printer wipes ink off the block by hand: a band that fades.
    wiped = looks.up + 0.006 * looks.blot
    sky = _mixed(shown, _rgb(_BLUE[1], level), 0.80 * smooth(wiped, 0.26, 0.47))
    sky = _mixed(sky, _rgb((0.90, 0.52, 0.40), level), 0.60 * (1 - smooth(wiped, 0.0, 0.13)))
    shown = _mixed(shown, sky, looks.sky)
    shown = shown * (1 + 0.035 * looks.wood * (1 - 0.5 * level))
    key = smooth(looks.outline, 0.12, 0.30).maximum(0.9 * smooth(looks.edge, 0.13, 0.22) * (1 - looks.sky))
    return _mixed(shown, _rgb((0.07, 0.08, 0.16), level), key).clamp(0, 1)


def neon(looks: Looks) -> Tensor:
    """Night: the land dark under a glowing grid, outlines shining cyan near by and magenta far off."""
    tone = looks.gain * looks.light
    height = smooth(looks.up, 0.0, 0.32)
    ground = _mixed(_rgb((0.17, 0.010, 0.20), tone), _rgb((0.012, 0.014, 0.075), tone), height)
    ground = _mixed(ground, _rgb((0.020, 0.010, 0.075), tone), 1 - looks.sky)
    shown = ground + tone * _rgb((0.07, 0.03, 0.15), tone)
    far = smooth(looks.near, 0.46, 0.74)
    tube = _mixed(_rgb((0.02, 0.95, 1.0), tone), _rgb((1.0, 0.10, 0.78), tone), far)
    core = smooth(looks.outline, 0.12, 0.34)
    near, wide = looks.glow
    shown = shown + tube * (0.9 * core + 0.85 * near + 0.75 * wide) + 0.5 * core
    grid = _mixed(_rgb((0.02, 0.75, 1.0), tone), _rgb((1.0, 0.10, 0.85), tone), smooth(looks.near, 0.30, 0.66))
    shown = shown + grid * 0.85 * looks.lines
    edges = 0.50 * smooth(looks.edge, 0.06, 0.22) + 0.40 * looks.edge_glow
    shown = shown + _mixed(_rgb((0.75, 0.08, 0.75), tone), _rgb((0.45, 0.20, 1.0), tone), looks.sky) * edges
    hot = smooth(looks.light, 0.86, 1.0) * smooth(looks.light - looks.wide, 0.02, 0.16)
    shown = shown + hot * _rgb((1.0, 0.45, 0.75), tone)
    return 1 - (-1.25 * shown.clamp(min=0)).exp()


def paper(looks: Looks) -> Tensor:
    """Sheets of coloured paper, one behind the other, each throwing its shadow on the next."""
    sheet = _saturated(looks.sheet * looks.gain, 1.7)
    # Sheets alternate a little, or two of one colour would be one.
    shown = (0.06 + 0.94 * sheet) * (1 + 0.09 * (looks.layer * 3.14159265).cos() * (1 - looks.sky))
    shadow, rim = looks.shade
    shown = shown * (1 - 0.55 * shadow) + 0.13 * rim
    return (shown * (1 + 0.022 * looks.grit + 0.05 * looks.fibre)).clamp(0, 1)


FILTERS: dict[str, Callable[[Looks], Tensor]] = {
    f.__name__: f for f in (photograph, watercolour, ink, oil, animation, woodblock, neon, paper)
}
assert tuple(FILTERS) == STYLES and LAYERS == 7
