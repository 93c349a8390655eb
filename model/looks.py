"""What the brush looks at: for every pixel of a picture, what stands at it, beside it and behind it.

Colours of flat areas and of brush strokes, edges of depth and of light, layers by distance, what casts a shadow, paper
under it all. Only where to look stands here; what it looks like when painted, the brush has learnt.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from model.camera import FIELD_OF_VIEW_RAD, HORIZON
from model.field import SIZE
from model.paint import BROAD_REACH, FINE_REACH, TEXELS, paint
from model.paint import Strokes as PaintedStrokes

_TURN_TEXELS = 3 * SIZE / (2 * math.pi)  # a whole turn is three textures, about what the picture itself moves
_GRID_M = 16.0  # of the lines on the land
LAYERS = 7  # of cut paper, the sky's two among them
_NEAREST_LAYER_M, _FARTHEST_LAYER_M = 5.0, 700.0


def _blurred(x: Tensor, step: int, doublings: int) -> Tensor:
    """Means (C, H, W) over 2^doublings samples each way, `step` pixels apart."""
    reach = step * (2**doublings - 1)
    before = reach // 2
    x = F.pad(x[None], (before, reach - before, before, reach - before), mode="replicate")[0]
    for dim in (1, 2):
        for k in range(doublings):
            away = step * 2**k
            length = x.shape[dim] - away
            x = x.narrow(dim, 0, length) + x.narrow(dim, away, length)
    return x * 0.25**doublings


def smooth(x: Tensor, low: float, high: float) -> Tensor:
    """0 below `low`, 1 above `high`, smooth between."""
    t = ((x - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)


def luminance(rgb: Tensor) -> Tensor:
    """Brightness (H, W) of colours (3, …)."""
    return 0.30 * rgb[0] + 0.59 * rgb[1] + 0.11 * rgb[2]


@dataclass
class Strokes:
    """A tile of strokes (`model.paint.Strokes`) on a device."""

    down: Tensor
    right: Tensor
    relief: Tensor
    rank: Tensor
    _beside: dict[tuple[float, int], Tensor] = field(default_factory=dict)

    def beside(self, scale: float, wide: int) -> Tensor:
        """How far from each texel its stroke's middle lies in a picture `wide` pixels across, in reading order."""
        if (scale, wide) not in self._beside:
            self._beside.clear()
            down, right = (self.down * scale).round().long(), (self.right * scale).round().long()
            self._beside[scale, wide] = down * wide + right
        return self._beside[scale, wide]


@dataclass(frozen=True)
class Stroke:
    """Of the stroke over each pixel: the colour at its middle (3, H, W), relief, rank; and how much nearer or farther
    than the pixel its middle is, (H, W) each.
    """

    colour: Tensor
    relief: Tensor
    rank: Tensor
    away: Tensor


@dataclass(frozen=True)
class Textures:
    """`model.paint` on a device."""

    grit: Tensor
    hand: Tensor
    blot: Tensor
    bleed: Tensor
    wood: Tensor
    fibre: Tensor
    broad: Strokes
    fine: Strokes

    @staticmethod
    def on(device: torch.device) -> Textures:
        """The textures, made once."""
        made = paint()

        def to(texture: NDArray[np.generic]) -> Tensor:
            return torch.from_numpy(texture).to(device)

        def strokes(s: PaintedStrokes) -> Strokes:
            return Strokes(to(s.down), to(s.right), to(s.relief), to(s.rank))

        return Textures(
            to(made.grit), to(made.hand), to(made.blot), to(made.bleed), to(made.wood), to(made.fibre),
            strokes(made.broad), strokes(made.fine),
        )  # fmt: skip


class Looks:
    """Looks at one picture (H, W, 3) in about 0..1 with its depth in m (H, W), 0 for sky; each (H, W) or (3, H, W).

    camera: x, y, yaw, pitch, as the view has it. Every look is made when it is first asked for. Lengths go by the
    picture's height, so pictures of all sizes are painted alike.
    """

    def __init__(
        self, picture: Tensor, depth: Tensor, camera: tuple[float, float, float, float], textures: Textures
    ) -> None:
        self.rgb = picture.permute(2, 0, 1).clamp(0, 1).contiguous()
        self.depth, self.camera, self.textures = depth.contiguous(), camera, textures
        self.height, self.width = depth.shape
        self.unit = max(1, round(self.height / TEXELS))  # pixels, of a line's width
        device = depth.device
        scale = TEXELS / self.height
        turn, pitch = round(camera[2] * _TURN_TEXELS), round(math.tan(camera[3]) * TEXELS * self._focal / self.height)
        rows = ((torch.arange(self.height, device=device) + 0.5) * scale).floor().long()
        cols = ((torch.arange(self.width, device=device) + 0.5) * scale).floor().long()
        self._rows, self._cols = (rows - pitch) & (SIZE - 1), (cols + turn) & (SIZE - 1)

    @property
    def _focal(self) -> float:
        return self.width / 2 / math.tan(FIELD_OF_VIEW_RAD / 2)

    # --- textures ---

    def texture(self, values: Tensor) -> Tensor:
        """A texture (512, 512) as it lies over the picture: far things keep it when the camera turns."""
        return values.index_select(0, self._rows).index_select(1, self._cols)

    @cached_property
    def grit(self) -> Tensor:
        return self.texture(self.textures.grit)

    @cached_property
    def hand(self) -> Tensor:
        return self.texture(self.textures.hand)

    @cached_property
    def blot(self) -> Tensor:
        return self.texture(self.textures.blot)

    @cached_property
    def bleed(self) -> Tensor:
        return self.texture(self.textures.bleed)

    @cached_property
    def wood(self) -> Tensor:
        return self.texture(self.textures.wood)

    @cached_property
    def fibre(self) -> Tensor:
        return self.texture(self.textures.fibre)

    def _stroke(self, strokes: Strokes, reach: int) -> Stroke:
        """`reach`: texels within which a stroke's middle lies."""
        scale = self.height / TEXELS
        edge = math.ceil(reach * scale)
        wide = self.width + 2 * edge
        beside = self.texture(strokes.beside(scale, wide))
        rows = torch.arange(self.height, device=beside.device)[:, None] + edge
        at = beside + (rows * wide + torch.arange(self.width, device=beside.device) + edge)
        seen = F.pad(torch.cat([self.soft, self.near[None]])[None], (edge,) * 4, mode="replicate")[0]
        *colour, near = (torch.take(channel, at) for channel in seen)
        away = (near - self.near).abs_()
        return Stroke(torch.stack(colour), self.texture(strokes.relief), self.texture(strokes.rank), away)

    @cached_property
    def stroke(self) -> Stroke:
        """The stroke each pixel shows: a broad one, a fine one where detail is, none where even that reaches over."""
        broad, fine = self._stroke(self.textures.broad, BROAD_REACH), self._stroke(self.textures.fine, FINE_REACH)
        detail = smooth(self.slope, 0.05, 0.16).maximum(smooth(broad.away, 0.03, 0.07))
        colour = torch.lerp(fine.colour, self.rgb, smooth(fine.away, 0.04, 0.09))
        return Stroke(
            torch.lerp(broad.colour, colour, detail), torch.lerp(broad.relief, 0.8 * fine.relief, detail),
            torch.lerp(broad.rank, fine.rank, detail), broad.away,
        )  # fmt: skip

    # --- colours ---

    @cached_property
    def light(self) -> Tensor:
        return luminance(self.rgb)

    @cached_property
    def soft(self) -> Tensor:
        return _blurred(self.rgb, self.unit, 1)

    @cached_property
    def mean(self) -> Tensor:
        """The whole picture's colour, (3,), and the sky's share of it: what each network is told of it, (1, 4)."""
        return torch.cat([self.rgb.mean((1, 2)), (self.depth == 0).float().mean()[None]])[None]

    @cached_property
    def gain(self) -> Tensor:
        """What brings the picture's brightness near a middling one, a number: nights stay darker, but are seen."""
        return (0.56 / (0.10 + 0.9 * luminance(self.mean[0, :3]))).clamp(0.6, 2.2)

    @cached_property
    def _flat(self) -> Tensor:
        """Of four windows about each pixel, the mean colour and nearness of the most even (Kuwahara et al. 1976)."""
        u, n = self.unit, 4
        x = torch.cat([self.rgb, self.near[None], (self.light.square() + self.near.square())[None], self.light[None]])
        reach = u * n - u
        x = F.pad(x[None], (reach, reach, reach, reach), mode="replicate")[0]
        for dim in (1, 2):
            for k in range(2):
                away = u * 2**k
                x = x.narrow(dim, 0, x.shape[dim] - away) + x.narrow(dim, away, x.shape[dim] - away)
        x = x / (n * n)
        h, w = self.height, self.width
        uneven = x[4] - x[5].square() - x[3].square()
        uneven = (uneven.clamp(min=0) + 4e-5).pow(-4)
        total, weight = torch.zeros(4, h, w, device=x.device), torch.zeros(h, w, device=x.device)
        for dy in (0, reach):
            for dx in (0, reach):
                part = uneven[dy : dy + h, dx : dx + w]
                total.addcmul_(x[:4, dy : dy + h, dx : dx + w], part)
                weight.add_(part)
        return total / weight

    @property
    def flat(self) -> Tensor:
        """Colours of even areas with crisp borders."""
        return self._flat[:3]

    @property
    def flat_near(self) -> Tensor:
        """The same of nearness."""
        return self._flat[3]

    @cached_property
    def flat_light(self) -> Tensor:
        return luminance(self.flat)

    @cached_property
    def wide(self) -> Tensor:
        """Brightness of a wide neighbourhood."""
        return self._spread(self.light)

    @cached_property
    def cloud(self) -> Tensor:
        """How much brighter an even area of the sky is than the sky about it."""
        return self.flat_light - self._spread(self.light * self.sky) / self._spread(self.sky).clamp(min=1e-3)

    def _spread(self, x: Tensor) -> Tensor:
        """Means over a tenth of the picture's height, (H, W)."""
        f = 4 * self.unit
        small = F.avg_pool2d(x[None, None], f, ceil_mode=True)[0]
        small = _blurred(_blurred(small, 1, 2), 1, 1)
        return F.interpolate(small[None], scale_factor=f, mode="bilinear")[0, 0, : self.height, : self.width]

    # --- depth ---

    @cached_property
    def near(self) -> Tensor:
        """Logarithm of the distance, 0 near by, 1 in the sky."""
        return torch.where(self.depth > 0, torch.log1p(self.depth) / 8, 1.0)

    @cached_property
    def sky(self) -> Tensor:
        return (self.depth == 0).float()

    @cached_property
    def up(self) -> Tensor:
        """Heights over the horizon, of the picture's height, the same along a row."""
        rows = (torch.arange(self.height, device=self.depth.device) + 0.5) / self.height
        horizon = HORIZON + math.tan(self.camera[3]) * self._focal / self.height
        return (horizon - rows)[:, None].expand(-1, self.width)

    @cached_property
    def rim(self) -> Tensor:
        """Distance from the picture's border, of its height."""
        rows = (torch.arange(self.height, device=self.depth.device) + 0.5) / self.height
        cols = (torch.arange(self.width, device=self.depth.device) + 0.5) / self.height
        return torch.minimum(
            torch.minimum(rows, 1 - rows)[:, None], torch.minimum(cols, self.width / self.height - cols)[None]
        )

    @cached_property
    def outline(self) -> Tensor:
        """Where something stands before something farther, 0..1: how suddenly 1 / distance changes its slope."""
        u = self.unit
        inverse = torch.where(self.depth > 0, 1 / self.depth.clamp(min=1), 0.0)
        x = F.pad(inverse[None, None], (u, u, u, u), mode="replicate")[0, 0]
        here = 2 * inverse + 2e-5
        found = torch.zeros_like(inverse)
        for one, other in (
            (x[u:-u, : -2 * u], x[u:-u, 2 * u :]),
            (x[: -2 * u, u:-u], x[2 * u :, u:-u]),
        ):
            both = one + other
            found = torch.maximum(found, (both - 2 * inverse).abs() / (both + here))
        return found

    @cached_property
    def edge(self) -> Tensor:
        """How much the brightness of even areas changes about a pixel."""
        return self._change(self.flat_light)

    def _change(self, light: Tensor) -> Tensor:
        u = self.unit
        x = F.pad(light[None, None], (u, u, u, u), mode="replicate")[0, 0]
        across = x[u:-u, 2 * u :] - x[u:-u, : -2 * u]
        return across.abs_() + (x[2 * u :, u:-u] - x[: -2 * u, u:-u]).abs_()

    @cached_property
    def slope(self) -> Tensor:
        """The same of the picture itself, a little softened."""
        return self._change(luminance(self.soft))

    @cached_property
    def ridge(self) -> Tensor:
        """Brightness beside that of a small neighbourhood: negative in dark lines."""
        return self.light - _blurred(self.light[None], self.unit, 2)[0]

    @cached_property
    def glow(self) -> Tensor:
        """Outlines as they shine about, near and wide, (2, H, W)."""
        lit = smooth(self.outline, 0.12, 0.4)
        return torch.stack([_blurred(_blurred(lit[None], self.unit, 2), self.unit, 1)[0], self._spread(lit)])

    @cached_property
    def edge_glow(self) -> Tensor:
        """The same of edges of brightness, near."""
        return _blurred(smooth(self.edge, 0.06, 0.22)[None], self.unit, 2)[0]

    @cached_property
    def lines(self) -> Tensor:
        """Lines of a grid on the land, 0..1, as wide as a line: they stay where they lie when the visitor walks."""
        x, y, yaw, _ = self.camera
        across = (torch.arange(self.width, device=self.depth.device) + 0.5 - self.width / 2) / self._focal
        found = torch.zeros_like(self.depth)
        for own, ray in (
            (x, math.sin(yaw) + math.cos(yaw) * across), (y, math.cos(yaw) - math.sin(yaw) * across),
        ):  # fmt: skip
            at = (own % _GRID_M + ray * self.depth) / _GRID_M
            # Turns of the grid from pixel to pixel tell how wide a line is.
            padded = F.pad(at[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
            wide = (padded[1:-1, 2:] - padded[1:-1, :-2]).abs() + (padded[2:, 1:-1] - padded[:-2, 1:-1]).abs()
            off = (at - at.round()).abs() / (wide * (0.75 * self.unit)).clamp(min=1e-4)
            found = torch.maximum(found, (1.25 - off).clamp(0, 1) * (1 - 2.2 * wide).clamp(0, 1))
        return found * (self.depth > 0)

    # --- cut paper ---

    @cached_property
    def layer(self) -> Tensor:
        """Which sheet of paper, nearest first, cut by distance along a wavering hand; the last two are the sky's."""
        low, high = (math.log1p(m) / 8 for m in (_NEAREST_LAYER_M, _FARTHEST_LAYER_M))
        cut = (self.flat_near + 0.012 * self.hand - low) / (high - low) * (LAYERS - 3)
        cut = cut.ceil().clamp(0, LAYERS - 3)
        clouds = (self.cloud > 0.02).float()
        return torch.where(self.sky > 0, LAYERS - 1 - clouds, cut)

    @cached_property
    def sheet(self) -> Tensor:
        """The mean colour of each pixel's sheet."""
        sheets = torch.arange(LAYERS, device=self.depth.device)[:, None]
        here = (1 - (self.layer.flatten() - sheets).abs_()).clamp_(min=0)  # (LAYERS, N), 1 or 0
        colours = here @ self.rgb.flatten(1).T / here.sum(1, keepdim=True).clamp(min=1)
        return (colours.T @ here).view(3, self.height, self.width)

    @cached_property
    def shade(self) -> Tensor:
        """How much of a soft shadow nearer sheets throw on each pixel, 0..1, and how much of its rim is lit."""
        u, layer = self.unit, self.layer
        reach = 4 * u
        x = F.pad(layer[None, None], (reach, reach, reach, reach), mode="replicate")[0, 0]
        shadow = torch.zeros_like(layer)
        for k in range(1, 5):
            nearer = x[reach + k * u : reach + k * u + self.height, reach - k * u // 2 :][:, : self.width]
            shadow += (layer - nearer).clamp_(0, 1)
        above = x[reach - u : reach - u + self.height, reach : reach + self.width]
        return torch.stack([shadow / 4, (above - layer).clamp_(0, 1)])
