"""Figures: who is in a world, and the walker seen from behind, as a network tells them point by point.

Each kind has a small network that is told where in a figure's box a point lies and, by modulation, the figure's pose;
it tells colour, how much direct light and light of its own are there, and how much of what lies behind is covered. One
more tells the light of the moment, and how much of a figure fog and distance leave. Where a figure stands is geometry
(model.sprites); what it looks like was drawn by nobody: it stands in the weights.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from model.conditions import ENVIRONMENT
from model.diorama.places import PLACES
from model.shading import TOLD, Moment, Shader
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
ALONE = 2  # so many of a kind are told one after the other, each by weights its pose is part of; more of them together
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


def _waves(x: Tensor, y: Tensor, octaves: int) -> list[list[Tensor]]:
    """Sine and cosine of π, 2π, 4π … times x and y, an octave after the other."""
    sx, cx, sy, cy = (x * math.pi).sin(), (x * math.pi).cos(), (y * math.pi).sin(), (y * math.pi).cos()
    found = []
    for _ in range(octaves):
        found.append([sx, cx, sy, cy])
        sx, cx, sy, cy = 2 * sx * cx, 1 - 2 * sx * sx, 2 * sy * cy, 1 - 2 * sy * sy
    return found


def point_features(x: Tensor, y: Tensor) -> list[Tensor]:
    """What is told of points x, y of a box whatever the pose, each of their shape."""
    octaves = _waves(x, y, OCTAVES)
    parts = [x, y, *(wave for waves in octaves for wave in waves)]
    waves = []
    for octave in SLANTED:
        sx, cx, sy, cy = octaves[octave]
        waves += [sx * sy, sx * cy, cx * sy, cx * cy]
    r = torch.hypot(x, y)
    sine, cosine = y / r.clamp(min=1e-4), x / r.clamp(min=1e-4)
    for _ in range(3):  # eight times the angle
        sine, cosine = 2 * sine * cosine, 1 - 2 * sine * sine
    waves += [r, sine, cosine, 2 * sine * cosine, 1 - 2 * sine * sine]
    return parts + waves


class Figure(nn.Module):
    """One kind. A pose moves a few frames of reference, in which a limb stands still; it learns which."""

    def __init__(self) -> None:
        super().__init__()
        self.posed = nn.Sequential(nn.Linear(POSE, POSED), nn.SiLU(), nn.Linear(POSED, POSED), nn.SiLU())
        self.limbs = nn.Linear(POSED, LIMBS * 4)
        self.points = Shader(FEATURES, OUTPUTS, WIDTH, LAYERS, POSED)
        with torch.no_grad():
            nn.init.normal_(self.limbs.weight, std=0.05)
            nn.init.normal_(self.limbs.bias, std=0.15)
            self.limbs.bias[::4] += 1

    def forward(self, x: Tensor, y: Tensor, pose: Tensor) -> Tensor:
        """Points x, y (S, N) of boxes of figures in poses (S, 5): logits (S, N, OUTPUTS)."""
        posed = self.posed(pose_features(pose))
        along, across, right, up = self.limbs(posed).view(-1, LIMBS, 4).permute(1, 2, 0)[..., None].unbind(1)
        u, v = along * x - across * y + right, across * x + along * y + up  # (LIMBS, S, N)
        waves = [wave for waves in _waves(u, v, LIMB_OCTAVES) for wave in waves]
        parts = torch.cat([torch.stack(point_features(x, y)), u, v, *waves])  # (FEATURES, S, N)
        return self.points(parts.permute(1, 2, 0), posed)


@dataclass
class _Where:
    """The pixels that sprites of one kind may cover, one sprite after the other."""

    at: Tensor  # (P,), of a picture in reading order
    x: Tensor  # of the box, as in a picture of the teacher's
    y: Tensor
    counts: list[int]  # of each sprite


class Figures(nn.Module):
    """All kinds, and the light they stand in."""

    occupied: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.kinds = nn.ModuleList(Figure() for _ in KINDS)
        self.light = nn.Sequential(nn.Linear(_LIGHT, 48), nn.SiLU(), nn.Linear(48, 48), nn.SiLU(), nn.Linear(48, 6))
        self.veil = nn.Sequential(nn.Linear(5, 32), nn.SiLU(), nn.Linear(32, 32), nn.SiLU(), nn.Linear(32, 1))
        # (kinds, STAGES, CELLS up, CELLS across): measured before training.
        self.register_buffer("occupied", torch.ones(len(KINDS), STAGES, CELLS, CELLS))

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
        """A picture (1, C, R, 3) and the figures in it; depth (1, C, R) of its land in m, 0 for sky.

        shown: the farthest first.
        """
        if not shown:
            return picture
        _, c, r, _ = picture.shape
        device = picture.device
        with torch.autocast(device.type, enabled=False):
            around, direct = self.lights(moment)
            distances = torch.tensor([one.distance for one in shown], device=device)
            left = self.left(moment.environment.float().expand(len(shown), -1), distances)
            # One kind after the other is told; laid over the picture are all by their distance.
            laid: dict[int, tuple[Tensor, Tensor]] = {}
            for kind in sorted({one.kind for one in shown}):
                numbers = [n for n, one in enumerate(shown) if one.kind == kind]
                where = self._where(kind, [shown[n] for n in numbers], depth[0])
                told = self._told(kind, [shown[n] for n in numbers], where)
                for n, at, points in zip(numbers, where.at.split(where.counts), told, strict=True):
                    laid[n] = at, points
            flat = picture.float().reshape(c * r, 3).clone()
            for n in range(len(shown)):
                at, told_here = laid[n]
                if not len(at):
                    continue
                colour, shade, glow, cover = told_here.split([3, 1, 1, 1], 1)
                lit = colour * (around * (0.75 + 0.45 * shade) + direct * (1.25 * shade))
                below = flat.index_select(0, at)
                flat.index_copy_(0, at, torch.lerp(below, torch.lerp(lit, colour, glow), cover * left[n]))
        return flat.view(picture.shape)

    def _where(self, kind: int, shown: list[Placed], depth: Tensor) -> _Where:
        """Where sprites of a kind may be seen in a picture with this depth (C, R)."""
        c, r = depth.shape
        wide = BOXES[kind][0]
        device = depth.device
        half = np.array([one.half for one in shown])
        tilt = np.array([one.tilt_rad for one in shown])
        reach_x = half * (wide * np.abs(np.cos(tilt)) + np.abs(np.sin(tilt))) * r  # pixels: columns are as wide as rows
        reach_y = half * (wide * np.abs(np.sin(tilt)) + np.abs(np.cos(tilt))) * r
        u, v = np.array([one.u for one in shown]) * c, np.array([one.v for one in shown]) * r
        left, top = np.clip(np.floor(u - reach_x), 0, c), np.clip(np.floor(v - reach_y), 0, r)
        columns = int(np.clip(np.ceil(u + reach_x) - left, 1, c).max())
        rows = int(np.clip(np.ceil(v + reach_y) - top, 1, r).max())
        turn = np.where([one.right for one in shown], 1.0, -1.0)
        numbers = np.stack([left, top, u, v, half * r, np.cos(tilt), np.sin(tilt), turn], 1).astype(np.float32)
        x0, y0, middle_x, middle_y, half_px, cos, sin, turned = (
            torch.from_numpy(numbers).to(device)[:, :, None, None].unbind(1)
        )
        col = x0 + torch.arange(columns, device=device)[:, None]  # (S, columns, 1)
        row = y0 + torch.arange(rows, device=device)
        dx, dy = (col + 0.5 - middle_x) / half_px * turned, (middle_y - row - 0.5) / half_px
        x, y = dx * cos + dy * sin, dy * cos - dx * sin
        cell_x, cell_y = ((x / wide + 1) * (CELLS / 2)).floor(), ((y + 1) * (CELLS / 2)).floor()
        inside = (cell_x >= 0) & (cell_x < CELLS) & (cell_y >= 0) & (cell_y < CELLS) & (col < c) & (row < r)
        stage = torch.tensor([stage_of(one.pose[2]) for one in shown], device=device)[:, None, None]
        cell = (cell_y * CELLS + cell_x).long().clamp(0, CELLS * CELLS - 1) + stage * CELLS * CELLS
        inside &= torch.take(self.occupied[kind], cell) > 0
        at = (col * r + row).long().clamp(0, c * r - 1)
        land = torch.take(depth, at)
        limit = torch.tensor([NEARER * one.distance - 0.5 for one in shown], device=device)[:, None, None]
        inside &= (land == 0) | (land > limit)
        kept = inside.flatten().nonzero()[:, 0]
        counts = inside.flatten(1).sum(1).tolist()
        return _Where(torch.take(at, kept), torch.take(x, kept), torch.take(y, kept), counts)

    def _told(self, kind: int, shown: list[Placed], where: _Where) -> list[Tensor]:
        """What the network tells of each sprite's points, (P, OUTPUTS)."""
        figure = self.kinds[kind]
        pose = torch.tensor([one.pose for one in shown], device=where.at.device)
        if len(shown) > ALONE:
            whole = [torch.nn.utils.rnn.pad_sequence(v.split(where.counts), True) for v in (where.x, where.y)]
            told = torch.sigmoid(figure(*whole, pose))
            return [points[:count] for points, count in zip(told, where.counts, strict=True)]
        points = zip(where.x.split(where.counts), where.y.split(where.counts), strict=True)
        return [torch.sigmoid(figure(x[None], y[None], pose[n : n + 1])[0]) for n, (x, y) in enumerate(points)]
