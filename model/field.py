"""The latent field of a world: a few numbers at every point of an endless ground and an endless sky.

A field is drawn from a seed once and never changes: it is what makes one world differ from another, and what makes a
world the same again when one comes back to a place. It says nothing by itself. What landscape these numbers are, under
which weather and light, the network has learnt (`model.view`); the diorama, which taught it, reads the same numbers.

Textures repeat: the ground's after two kilometres, what stands on it after a quarter of one, each at its own pace, so
that no place ever has quite the same surroundings again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

SIZE = 512  # texels of a texture, a power of two
LAND_CELL_M, DETAIL_CELL_M, FINE_CELL_M, TOWN_CELL_M = 4.0, 0.5, 0.125, 1.0
GRIT_CELL_M = 0.02  # of the bloom once more: blades and stones at one's feet
PERIOD_M = SIZE * LAND_CELL_M  # all textures repeat after it: a walker's position may be wrapped there
LAND = ("hills", "ridges", "dunes", "patches")  # channels: two Gaussian, two in 0..1
DETAIL = ("crown", "rank", "grain", "bloom")
THING = ("u", "v", "size", "rank")  # of what may stand nearest: from a texel to its middle, and its radius, in texels
THING_TEXELS = 3.2, 6.4  # radii of the slightest and the largest
# Texels of the town: a lamp to a square so wide, how far its light goes, and that of lit windows.
LAMP_EVERY, LAMP_REACH, LIT_REACH = 16, 3.4, 2.0
TOWN = ("rank", "edge", "hue", "lamp")  # of houses, all 0 where streets run, but lamps and lit windows lay light there
SKY = ("cloud", "wisp", "star", "mote")
FALL = ("streak", "flake")


@dataclass(frozen=True)
class Field:
    """Tileable textures float32 (512, 512, channels): LAND of the world's own seed, the others shared by all worlds.

    `shift_m` (2,) sets detail and town against the land, in each world otherwise.
    """

    land: Array
    detail: Array
    thing: Array
    town: Array
    sky: Array
    fall: Array
    shift_m: Array


def _grid() -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Frequencies of a texture in cycles a texel: (512, 257) across x and y."""
    return np.fft.rfftfreq(SIZE)[None, :], np.fft.fftfreq(SIZE)[:, None]


def noise(rng: np.random.Generator, longest: float, shortest: float, slope: float) -> NDArray[np.float64]:
    """Tileable Gaussian noise (512, 512) of unit deviation, its waves `shortest` to `longest` texels long.

    Amplitude falls with frequency to the power `slope`; 1 gives hills, 0.5 grit.
    """
    fx, fy = _grid()
    f = np.hypot(fx, fy)
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.where(f > 0, f ** -(slope + 1), 0)
    gain *= 1 / (1 + (f * shortest) ** 6) * (1 - np.exp(-((f * longest) ** 3)))
    texture = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((SIZE, SIZE))) * gain, s=(SIZE, SIZE))
    return texture / texture.std()


def _ridges(rng: np.random.Generator) -> NDArray[np.float64]:
    """Ridged fractal noise in 0..1 (Musgrave's multifractal): sharp crests that branch, smooth valley floors."""
    total, weight, amplitude = np.zeros((SIZE, SIZE)), np.ones((SIZE, SIZE)), 1.0
    for longest in (230.0, 95.0, 45.0, 21.0, 10.0):
        crest = (1 - np.clip(np.abs(noise(rng, longest, longest / 2.2, 1.0)), 0, 1.6) / 1.6) ** 1.3
        total += amplitude * crest * weight
        weight, amplitude = np.clip(crest * 1.2, 0, 1), amplitude * 0.38
    return (total / total.max()) ** 1.6


def _dunes(rng: np.random.Generator) -> NDArray[np.float64]:
    """Wind-blown dunes in 0..1: long crests that wander, gentle to windward and steep to lee."""
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE
    bend = noise(rng, 200, 60, 1.0)
    phase = (20 * x + 7 * y + 0.62 * bend) % 1.0
    crest = np.where(phase < 0.7, phase / 0.7, (1 - phase) / 0.3)
    crest = crest * crest * (3 - 2 * crest)
    return np.clip(crest * (0.55 + 0.30 * noise(rng, 160, 50, 1.0)), 0, 1)


def _crowns(rng: np.random.Generator, across: int, least: float, most: float) -> tuple[Array, Array, Array]:
    """Things that stand, one to each of across² jittered cells: how near the middle of one is, 0..1, and its rank 0..1.

    Radii are `least` to `most` texels; larger ones have the higher rank, which their size follows. And (…, 4) as THING.
    """
    cell = SIZE / across
    jitter = rng.random((across, across, 2)) * 0.8 + 0.1
    rank = rng.random((across, across))
    size = least + (most - least) * (0.35 + 0.65 * (1 - rank))
    yy, xx = np.mgrid[:SIZE, :SIZE] + 0.5
    claimed, crown, thing = np.full((SIZE, SIZE), -np.inf), np.zeros((SIZE, SIZE)), np.zeros((SIZE, SIZE, len(THING)))
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            row, col = (yy // cell).astype(int) + dy, (xx // cell).astype(int) + dx
            at = row % across, col % across
            down, right = (row + jitter[at][..., 0]) * cell - yy, (col + jitter[at][..., 1]) * cell - xx
            inside = 1 - np.hypot(down, right) / size[at]
            here = np.stack([right, down, size[at], rank[at]], -1)
            # Of two that overlap the one of the lower rank, which stands in more places, is the less cut into.
            claim = np.where(inside > 0, inside * (1.2 - rank[at]), inside)
            thing = np.where((claim > claimed)[..., None], here, thing)
            crown = np.where(claim > claimed, inside, crown)
            claimed = np.maximum(claimed, claim)
    return np.clip(crown, 0, 1).astype(np.float32), thing[..., 3].astype(np.float32), thing.astype(np.float32)


def _dots(rng: np.random.Generator, count: int, least: float, most: float, long: float = 1.0) -> NDArray[np.float64]:
    """Soft dots (or, `long` times as tall, streaks) in 0..1; the value of each falls with its rank."""
    texture = np.zeros((SIZE, SIZE))
    for _ in range(count):
        x, y = rng.random(2) * SIZE
        radius = least + (most - least) * rng.random() ** 2
        bright = 1 - 0.85 * rng.random()
        rows = np.arange(int(y - radius * long), int(y + radius * long) + 2)
        cols = np.arange(int(x - radius), int(x + radius) + 2)
        d = ((rows + 0.5 - y) / (radius * long))[:, None] ** 2 + ((cols + 0.5 - x) / radius)[None] ** 2
        part = np.ix_(rows % SIZE, cols % SIZE)
        texture[part] = np.maximum(texture[part], bright * np.clip(1 - d, 0, 1))
    return texture


def _cuts(rng: np.random.Generator, least: int, most: int) -> list[int]:
    """Where pieces of `least` to `most` texels follow one another over a texture: their borders, 0 and 512 included."""
    cuts = [0]
    while SIZE - cuts[-1] >= least + most:
        cuts.append(cuts[-1] + int(rng.integers(least, most + 1)))
    return [*cuts, SIZE]


def _town(rng: np.random.Generator) -> Array:
    """A town (512, 512, 4) as TOWN: straight streets, blocks of houses wall to wall, now and then a square.

    edge grows from 0 at a house's walls to 1 at 4 texels from them. lamp: light on the ground, about 0..1.
    """
    town = np.zeros((SIZE, SIZE, len(TOWN)), np.float32)
    columns, rows = _cuts(rng, 30, 52), _cuts(rng, 30, 52)
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            if rng.random() < 0.10:
                continue
            street = int(rng.integers(5, 7))  # half of one
            x0, x1, y0, y1 = left + street, right - street, top + street, bottom - street
            middle = (y0 + y1) // 2
            for row0, row1 in ((y0, middle), (middle, y1)):
                at = x0
                while at < x1:
                    wide = int(rng.integers(7, 14))
                    end = x1 if x1 - at - wide < 7 else at + wide
                    yy, xx = np.mgrid[row0:row1, at:end]
                    inside = np.minimum.reduce([xx - at + 0.5, end - xx - 0.5, yy - row0 + 0.5, row1 - yy - 0.5])
                    house = town[row0:row1, at:end]
                    house[..., 0] = 0.15 + 0.85 * rng.random() ** 1.5
                    house[..., 1] = np.clip(inside / 4, 0, 1)
                    house[..., 2] = rng.random()
                    at = end
    town[..., 3] = _lamps(rng, town)
    return town


def _spread(texture: NDArray[np.floating], reach: float) -> NDArray[np.float64]:
    """A texture whose every texel gives its neighbours of its own, falling by e in so many texels."""
    away = np.minimum(np.arange(SIZE), SIZE - np.arange(SIZE))
    kernel = np.exp(-np.hypot(away[:, None], away[None]) / reach)
    return np.fft.irfft2(np.fft.rfft2(texture) * np.fft.rfft2(kernel), s=(SIZE, SIZE))


def _lamps(rng: np.random.Generator, town: Array) -> NDArray[np.float64]:
    """Light (512, 512) that lies on the ground of a town: before the houses, each as bright as it will, under lamps."""
    houses = town[..., 0] > 0
    wall = _spread(houses.astype(np.float32), LIT_REACH)
    lit = np.where(houses, np.clip(2.6 * (town[..., 2] * 7.31 % 1) - 0.7, 0, 1), 0)
    before = _spread(lit, LIT_REACH) / wall.max()
    # A lamp to a square of the town: on a pavement, neither at a wall nor far from one, or where it is wide open.
    lamps, share = np.zeros((SIZE, SIZE)), wall / wall.max()
    pavement, wide = ~houses & (share > 0.10) & (share < 0.22), ~houses & (share <= 0.10)
    for row in range(0, SIZE, LAMP_EVERY):
        for column in range(0, SIZE, LAMP_EVERY):
            square = slice(row, row + LAMP_EVERY), slice(column, column + LAMP_EVERY)
            places = np.argwhere(pavement[square] if pavement[square].any() else wide[square])
            if len(places):
                down, right = places[rng.integers(len(places))]
                lamps[row + down, column + right] = 1
    away = np.minimum(np.arange(SIZE), SIZE - np.arange(SIZE))
    pool = 1 / (1 + (np.hypot(away[:, None], away[None]) / LAMP_REACH) ** 2) ** 2
    pools = np.fft.irfft2(np.fft.rfft2(lamps) * np.fft.rfft2(pool), s=(SIZE, SIZE))
    return np.clip(1.2 * before + pools, 0, 1.2)


@lru_cache(1)
def shared() -> tuple[Array, Array, Array, Array, Array]:
    """Detail, things, town, sky and fall: the same for every world; about a second, once."""
    rng = np.random.default_rng(20)
    crown, rank, thing = _crowns(rng, 44, *THING_TEXELS)
    detail = np.stack([crown, rank, noise(rng, 60, 2, 0.45), noise(rng, 9, 2.5, 0.2)], -1)
    cloud = noise(rng, 170, 3, 0.75)
    wisp = noise(rng, 60, 2, 0.6)
    sky = np.stack([cloud, wisp, _dots(rng, 900, 0.9, 2.0), _dots(rng, 300, 2.0, 5.5)], -1)
    town = _town(np.random.default_rng(21))
    fall = np.stack([_dots(rng, 520, 0.8, 1.8, 26), _dots(rng, 900, 1.8, 6.0)], -1)
    return tuple(np.ascontiguousarray(t, np.float32) for t in (detail, thing, town, sky, fall))  # type: ignore[return-value]


@lru_cache(32)
def field_of(seed: int) -> Field:
    """The field of a seed; a third of a second."""
    rng = np.random.default_rng([seed, 10])
    hills = np.clip(noise(rng, 170, 16, 1.15), -2.5, 2.5)
    patches = np.clip(noise(rng, 30, 3, 0.6), -2.5, 2.5)
    land = np.stack([hills, _ridges(rng), _dunes(rng), patches], -1)
    common = shared()
    shift = rng.random(2) * SIZE * DETAIL_CELL_M
    return Field(np.ascontiguousarray(land, np.float32), *common, shift.astype(np.float32))
