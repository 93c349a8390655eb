"""Figures: who is in a world, and the walker seen from behind, as a network tells them point by point.

Each kind has small weights of its own. A network is told where in a figure's box a point lies and, by modulation, the
figure's pose; it tells colour, how much direct light and light of its own are there, and how much of what lies behind
is covered. Another tells the light of the moment, and how much of a figure fog and distance leave. Where a figure
stands is geometry (model.sprites); what it looks like was drawn by nobody: it stands in the weights.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.conditions import ENVIRONMENT
from model.diorama.places import PLACES
from model.precision import reduced
from model.shading import TOLD, Moment
from model.sprites import BOXES, KINDS, Placed

WIDTH, LAYERS, POSED = 56, 3, 64
OCTAVES, SLANTED = 4, (1, 2)  # of waves across and up the box, and which of them also run aslant
LIMBS, LIMB_OCTAVES = 6, 2  # frames of reference that a pose turns, shifts and stretches, and waves in each
FEATURES = 2 + 4 * OCTAVES + 4 * len(SLANTED) + 5 + LIMBS * (2 + 4 * LIMB_OCTAVES)
ACT_BUMPS = 10  # along an act, by which its moments are told apart
POSE = 9 + ACT_BUMPS
OUTPUTS = 6  # colour, share of direct light, of light of its own, cover
# Cells of a box, across and up, of which is known whether a figure is ever there in a stage of its act.
CELLS, STAGES = 32, 8
_ROUND, _FEW = 128, 2048  # points are made up to a multiple of the one; above the other, of four times as many
ALIKE = 1.7  # sprites whose boxes' areas differ by no more than this are told together
NEARER = 0.86  # land nearer than this share of a figure's distance stands before it
_FOG, _RAIN, _SNOW = (ENVIRONMENT.index(k) for k in ("fog", "rain", "snow"))
_LIGHT = TOLD - len(PLACES)


def pose_features(pose: Tensor) -> Tensor:
    """Poses (S, 5), gait (turns), moving, act, hue (turns), look, as a network is told them: (S, POSE)."""
    gait, moving, act, hue, look = pose.unbind(1)
    waves = [f(n * 2 * math.pi * v) for v, n in ((gait, 1), (gait, 2), (hue, 1)) for f in (torch.sin, torch.cos)]
    at = torch.linspace(0, 1, ACT_BUMPS, device=pose.device)
    bumps = (-((act[:, None] - at) * ACT_BUMPS * 0.8).square()).exp()
    return torch.cat([torch.stack([*waves, moving, act, look], 1), bumps], 1)


def stage_of(act: float) -> int:
    """Which of STAGES an act 0..1 is in."""
    return min(STAGES - 1, int(act * STAGES))


def point_features(x: Tensor, y: Tensor, frames: Tensor) -> Tensor:
    """Points x, y (S, N) of boxes, seen in frames (S, 1 + LIMBS, 4), as a network is told them: (S, FEATURES, N).

    A frame, the first of which is the box's own, turns and stretches by two of its numbers and shifts by the others.
    """
    along, across, right, up = frames.unbind(2)
    rows = torch.stack([along, -across, right, across, along, up], 2).unflatten(2, (2, 3)).flatten(1, 2)
    at = rows @ torch.stack([x, y, torch.ones_like(x)], 1)  # (S, 2 * frames, N)
    sine, cosine = (at * math.pi).sin(), (at * math.pi).cos()
    parts = [at, sine, cosine]
    for octave in range(1, OCTAVES):
        if octave == LIMB_OCTAVES:  # what is finer is told in the box's own frame alone
            sine, cosine = sine[:, :2], cosine[:, :2]
        sine, cosine = 2 * sine * cosine, 1 - 2 * sine * sine
        parts += [sine, cosine]
        if octave in SLANTED:
            both = torch.stack([sine[:, :2], cosine[:, :2]], 1)  # (S, sine and cosine, x and y, N)
            parts.append((both[:, :, None, 0] * both[:, None, :, 1]).flatten(1, 2))
    z = torch.complex(x, y)
    r = z.abs()
    z = z / (r + 1e-6)
    for _ in range(3):  # eight times the angle
        z = z * z
    for turned in (z, z * z):
        parts.append(torch.view_as_real(turned).movedim(-1, 1))
    return torch.cat([*parts, r[:, None]], 1)


class Each(nn.Module):
    """A linear layer with weights of its own for each kind."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.empty(len(KINDS), outputs, inputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(len(KINDS), outputs, 1).uniform_(-bound, bound))

    def of(self, kinds: Tensor) -> tuple[Tensor, Tensor]:
        """Weights (S, outputs, inputs) and biases (S, outputs, 1) of sprites of these kinds (S,)."""
        return self.weight.index_select(0, kinds), self.bias.index_select(0, kinds)

    def forward(self, x: Tensor, kinds: Tensor) -> Tensor:
        """x (S, inputs, N), a sprite of one of the kinds (S,) after the other: (S, outputs, N)."""
        weight, bias = self.of(kinds)
        return torch.baddbmm(bias, weight, x)


@dataclass
class _Where:
    """The pixels that sprites may cover, padded to the same count of points."""

    at: Tensor  # (S, N), of a picture in reading order
    x: Tensor  # (S, N), of the sprite's box
    y: Tensor
    counts: list[int]  # of each sprite's points


def _through(layers: list[tuple[Tensor, Tensor]], h: Tensor) -> Tensor:
    """Points (S, features, N) through layers of biases and weights, all but the last rectified."""
    for bias, weight in layers[:-1]:
        h = torch.baddbmm(bias, weight, h).relu()
    bias, weight = layers[-1]
    return torch.baddbmm(bias, weight, h)


class Figures(nn.Module):
    """All kinds, and the light they stand in."""

    occupied: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.posed = nn.ModuleList([Each(POSE, POSED), Each(POSED, POSED)])
        self.limbs = Each(POSED, LIMBS * 4)  # a pose moves frames of reference in which a limb stands still
        self.tells = Each(POSED, LAYERS * 2 * WIDTH)
        self.layers = nn.ModuleList(Each(a, b) for a, b in pairwise([FEATURES] + [WIDTH] * LAYERS))
        self.out = Each(WIDTH, OUTPUTS)
        with torch.no_grad():
            nn.init.normal_(self.limbs.weight, std=0.05)
            nn.init.normal_(self.limbs.bias, std=0.15)
            self.limbs.bias[:, ::4] += 1
            self.tells.weight.mul_(0.3)
            self.tells.bias.zero_()
        self.light = nn.Sequential(nn.Linear(_LIGHT, 48), nn.SiLU(), nn.Linear(48, 48), nn.SiLU(), nn.Linear(48, 6))
        self.veil = nn.Sequential(nn.Linear(5, 32), nn.SiLU(), nn.Linear(32, 32), nn.SiLU(), nn.Linear(32, 1))
        # (kinds, STAGES, CELLS up, CELLS across): measured before training.
        self.register_buffer("occupied", torch.ones(len(KINDS), STAGES, CELLS, CELLS))

    def told(self, kinds: Tensor, x: Tensor, y: Tensor, pose: Tensor) -> Tensor:
        """Points x, y (S, N) of boxes of sprites of kinds (S,) in poses (S, 5): logits (S, OUTPUTS, N)."""
        posed = pose_features(pose)[:, :, None]
        for layer in self.posed:
            posed = F.silu(layer(posed, kinds))
        own = pose.new_tensor([1.0, 0.0, 0.0, 0.0]).expand(len(pose), 1, 4)
        frames = torch.cat([own, self.limbs(posed, kinds).view(-1, LIMBS, 4)], 1)
        # Sixteen bits halve what many points cost, and tell them as well; training needs more.
        to = torch.float32 if torch.is_grad_enabled() else reduced(x.device.type)
        h = point_features(x, y, frames).to(to)
        turned = self.tells(posed, kinds).view(-1, LAYERS, 2, WIDTH, 1)
        layers = []
        for at, layer in enumerate(self.layers):
            # A pose scales and shifts what a layer gives: there are fewer weights than points.
            assert isinstance(layer, Each)
            weight, bias = layer.of(kinds)
            gain, shift = 1 + turned[:, at, 0], turned[:, at, 1]
            layers.append(((bias * gain + shift).to(to), (weight * gain).to(to)))
        weight, bias = self.out.of(kinds)
        layers.append((bias.to(to), weight.to(to)))
        if torch.is_grad_enabled():
            return _through(layers, h)
        # One sprite after the other: what a layer gives stays in the second cache, and oneDNN meets fewer shapes.
        each = (_through([(b[n : n + 1], w[n : n + 1]) for b, w in layers], h[n : n + 1]) for n in range(len(h)))
        return torch.cat(list(each)).float()

    def lights(self, moment: Moment) -> tuple[Tensor, Tensor]:
        """Light from all round and direct light of moments, (B, 3) each."""
        around, direct = self.light(moment.told()[:, len(PLACES) :].float()).chunk(2, 1)
        return around, direct

    def left(self, environment: Tensor, distance: Tensor) -> Tensor:
        """How much (S,) of figures at distances in m (S,) the air of environments (S, 7) leaves."""
        air = environment[:, [_FOG, _RAIN, _SNOW]]
        x = torch.cat([air, distance[:, None].log() / 4, distance[:, None] / 100], 1)
        return torch.sigmoid(self.veil(x))[:, 0]

    def forward(self, picture: Tensor, depth: Tensor, moment: Moment, shown: list[Placed]) -> Tensor:
        """A picture (1, C, R, 3), in which figures are laid, and which is given back; depth (1, C, R) of its land in m,
        0 for sky. shown: the farthest first.
        """
        if not shown:
            return picture
        _, c, r, _ = picture.shape
        device = picture.device
        with torch.autocast(device.type, enabled=False):
            around, direct = self.lights(moment)
            distances = torch.tensor([one.distance for one in shown], device=device)
            left = self.left(moment.environment.float().expand(len(shown), -1), distances)
            # Sprites of about the same size are told together; laid over the picture are all by their distance.
            laid: dict[int, tuple[Tensor, Tensor]] = {}
            for numbers in _alike(shown):
                some = [shown[n] for n in numbers]
                where = self._where(some, depth[0])
                kinds, poses = torch.tensor([one.kind for one in some]), torch.tensor([one.pose for one in some])
                told = torch.sigmoid(self.told(kinds.to(device), where.x, where.y, poses.to(device)))
                for row, (n, count) in enumerate(zip(numbers, where.counts, strict=True)):
                    laid[n] = where.at[row, :count], told[row, :, :count].T
            flat = picture.view(c * r, 3)
            for n in range(len(shown)):
                at, told_here = laid[n]
                if not len(at):
                    continue
                colour, shade, glow, cover = told_here.split([3, 1, 1, 1], 1)
                lit = colour * (around * (0.75 + 0.45 * shade) + direct * (1.25 * shade))
                below = flat.index_select(0, at)
                flat.index_copy_(0, at, torch.lerp(below, torch.lerp(lit, colour, glow), cover * left[n]))
        return picture

    def _where(self, shown: list[Placed], depth: Tensor) -> _Where:
        """Where sprites may be seen in a picture with this depth (C, R)."""
        c, r = depth.shape
        device = depth.device
        wide, half = np.array([BOXES[one.kind][0] for one in shown]), np.array([one.half for one in shown])
        cos, sin = (np.array([f(one.tilt_rad) for one in shown]) for f in (math.cos, math.sin))
        reach_x = half * (wide * np.abs(cos) + np.abs(sin)) * r  # pixels: columns are as wide as rows are high
        reach_y = half * (wide * np.abs(sin) + np.abs(cos)) * r
        u, v = np.array([one.u for one in shown]) * c, np.array([one.v for one in shown]) * r
        left, top = np.clip(np.floor(u - reach_x), 0, c), np.clip(np.floor(v - reach_y), 0, r)
        columns = int(np.clip(np.ceil(u + reach_x) - left, 1, c).max())
        rows = int(np.clip(np.ceil(v + reach_y) - top, 1, r).max())
        turned = np.array([1.0 if one.right else -1.0 for one in shown])
        # From pixels to the box: x and y grow by so much a column and a row.
        px = half * r
        by = np.stack([turned * cos / px, -sin / px, -turned * sin / px, -cos / px])
        begin_x, begin_y = left + 0.5 - u, top + 0.5 - v
        first = np.stack([by[0] * begin_x + by[1] * begin_y, by[2] * begin_x + by[3] * begin_y])
        land_m = np.array([NEARER * one.distance - 0.5 for one in shown])
        cells = [(one.kind * STAGES + stage_of(one.pose[2])) * CELLS * CELLS for one in shown]
        table = np.concatenate([by, first, [wide, left, top, land_m]]).astype(np.float32)
        x_col, x_row, y_col, y_row, x0, y0, wide_t, col0, row0, limit = (
            torch.from_numpy(table).to(device)[:, :, None, None].unbind(0)
        )
        col = torch.arange(columns, device=device, dtype=torch.float32)[:, None]
        row = torch.arange(rows, device=device, dtype=torch.float32)
        x, y = (x0 + x_col * col) + x_row * row, (y0 + y_col * col) + y_row * row  # (S, columns, rows)
        inside = (x.abs() < wide_t) & (y.abs() < 1) & (col0 + col < c) & (row0 + row < r)
        cell_x, cell_y = (x / wide_t + 1).mul_(CELLS / 2).int(), (y + 1).mul_(CELLS / 2).int()
        base = torch.tensor(cells, device=device, dtype=torch.int32)[:, None, None]
        cell = (cell_y * CELLS + cell_x).clamp_(0, CELLS * CELLS - 1) + base
        at = ((col0 + col) * r + (row0 + row)).clamp_(max=c * r - 1).long()
        land = torch.take(depth, at)
        inside &= (torch.take(self.occupied, cell.long()) > 0) & ((land == 0) | (land > limit))
        inside = inside.flatten(1)
        counts = inside.sum(1)
        # oneDNN makes, and keeps, a kernel for every count of points it meets: it is to meet few.
        most = max(1, int(counts.max()))
        most += -most % (_ROUND if most <= _FEW else 4 * _ROUND)
        sprite, pixel = inside.nonzero().unbind(1)
        # A sprite's points come first in its row; what fills it up is asked for in vain.
        place = torch.arange(len(sprite), device=device) - (counts.cumsum(0) - counts).index_select(0, sprite)
        chosen = torch.zeros(len(shown) * most, dtype=torch.long, device=device)
        chosen.index_copy_(0, sprite * most + place, pixel)
        chosen = chosen.view(-1, most)
        at, x, y = (v.flatten(1).gather(1, chosen) for v in (at, x, y))
        return _Where(at, x, y, counts.tolist())


def _alike(shown: list[Placed]) -> list[list[int]]:
    """Places in `shown` of sprites that have boxes of about the same area in the picture, together."""
    areas = [one.half**2 * BOXES[one.kind][0] for one in shown]
    groups: list[list[int]] = []
    for n in sorted(range(len(shown)), key=areas.__getitem__):
        if not groups or areas[n] > ALIKE * areas[groups[-1][0]]:
            groups.append([])
        groups[-1].append(n)
    return groups
