"""What all parts of the view share: textures of the latent field, the moment that is looked at, and small networks."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from model.camera import CLEARED_M
from model.conditions import ENVIRONMENT, ENVIRONMENT_RANGE
from model.diorama.places import COLUMN, PLACES, TABLE
from model.field import FALL, SIZE, SKY, Field
from model.quick_points import through

_HOURS = 12  # bumps along the sun's height, by which the networks tell hours apart: dusk is short
LITTLE = 4  # numbers that tell a little fog, rain or snow from none
TOLD = len(PLACES) + len(ENVIRONMENT) + 4 + _HOURS  # + flash, the sun's sine and cosine, phase of the swash
_SUN, _FOG, _RAIN, _SNOW = (ENVIRONMENT.index(key) for key in ("sun_rad", "fog", "rain", "snow"))
_ROUND = 2048  # points are made up to a multiple of
_ROWS = torch.from_numpy(TABLE)
_SHARES = _ROWS / _ROWS.amax(0)  # of the most that any place has
_LEAST_WEIGHT = 0.005  # what a place has less of than this it does not have
_BLOCK = 16384  # points at a time: fewer calls cost more than what a layer gives costs out of the second cache


@dataclass
class Textures:
    """The fields of one or several worlds as rows of texels: land of each in turn, the rest shared."""

    land: Tensor  # (worlds * 512², 4)
    detail: Tensor  # (512², 4)
    thing: Tensor  # (512², 4)
    town: Tensor  # (512², 4)
    grain: Tensor  # of the detail, (512²,) like the next ones
    bloom: Tensor
    cloud: Tensor
    wisp: Tensor
    star: Tensor
    mote: Tensor
    streak: Tensor
    flake: Tensor
    lamp: Tensor
    shift: Tensor  # (worlds, 2)
    padded: dict[str, NDArray[np.float32]] = field(init=False, default_factory=dict)  # as `model.raster.lanes` has them

    @staticmethod
    def of(fields: list[Field], device: torch.device) -> Textures:
        """Take over numpy fields; all must share detail, sky and fall."""

        def rows(texture: object) -> Tensor:
            return torch.as_tensor(texture).flatten(0, 1).contiguous().to(device)

        first = fields[0]
        named = {"grain": first.detail[..., 2], "bloom": first.detail[..., 3], "lamp": first.town[..., 3]}
        named |= dict(zip(SKY, np.moveaxis(first.sky, -1, 0), strict=True))
        named |= dict(zip(FALL, np.moveaxis(first.fall, -1, 0), strict=True))
        return Textures(
            land=torch.cat([rows(f.land) for f in fields]),
            detail=rows(first.detail),
            thing=rows(first.thing),
            town=rows(first.town),
            shift=torch.stack([torch.from_numpy(f.shift_m) for f in fields]).to(device),
            **{name: rows(channel) for name, channel in named.items()},
        )


@dataclass
class Moment:
    """Where B views look from, and when: float32, or float64 where a number may grow.

    world (B,): which land of the textures. place (B, places); environment (B, 7); flash (B,).
    camera (B, 5): x, y, z in m, yaw, pitch in rad; shore (B, 3): x, y, bearing of the line a sea lies beyond.
    phases (B, 5): seconds, drift of the clouds in texels, swash, stride in turns, how fast the walker moves 0..1.
    presence (B, rows, cols, 2).
    """

    world: Tensor
    place: Tensor
    environment: Tensor
    flash: Tensor
    camera: Tensor
    shore: Tensor
    phases: Tensor
    presence: Tensor

    def told(self) -> Tensor:
        """What networks are told of a moment, (B, TOLD)."""
        sun, swash = self.environment[:, _SUN], self.phases[:, 2] * (2 * math.pi)
        more = torch.stack([self.flash, sun.sin(), sun.cos(), swash.sin().to(sun.dtype)], 1)
        low, high = ENVIRONMENT_RANGE["sun_rad"]
        at = torch.linspace(low, high, _HOURS, device=sun.device)
        hours = (-((sun[:, None] - at) * (_HOURS / (high - low)) * 0.8).square()).exp()
        return torch.cat([self.place, self.environment, more, hours], 1)

    def little(self) -> Tensor:
        """What tells a little fog, rain or snow from none, (B, LITTLE)."""
        fog, rain, snow = (self.environment[:, key].clamp(min=0) for key in (_FOG, _RAIN, _SNOW))
        return torch.stack([fog.sqrt(), (-10 * fog).exp(), rain.sqrt(), snow.sqrt()], 1)


def of_places(moment: Moment, column: str) -> Tensor:
    """What the moments' places have of something, in its own measure, (B, 1, 1)."""
    return (moment.place.float() @ _ROWS[:, COLUMN[column]].to(moment.place.device)).view(-1, 1, 1)


def cleared(moment: Moment) -> Tensor:
    """How much of what would grow where houses stand they leave, 0..1, (B, 1, 1)."""
    return (1 - of_places(moment, "block_m") / CLEARED_M).clamp(0, 1)


def weight_of(moment: Moment, column: str) -> Tensor | None:
    """How much the moments' places have of something, as a share of the most any has, (B, 1, 1); None for nothing."""
    weight = moment.place @ _SHARES[:, COLUMN[column]].to(moment.place)
    weight = torch.where(weight > _LEAST_WEIGHT, weight, 0.0)
    return weight.view(-1, 1, 1) if bool(weight.any()) else None


def texels(texture: Tensor, at: Tensor) -> Tensor:
    """Rows of a texture at indices of any shape: several times faster on CPUs than plain indexing."""
    if texture.ndim == 1:
        return torch.take(texture, at)
    return texture.index_select(0, at.flatten()).view(*at.shape, -1)


def sample(texture: Tensor, base: Tensor | int, u: Tensor, v: Tensor) -> Tensor:
    """Bilinear samples of a tileable texture (512²,) or (512², channels) at (u, v) texels; as u, or with channels."""
    uf, vf = u.floor(), v.floor()
    fu, fv = u - uf, v - vf
    if texture.ndim == 2:
        fu, fv = fu[..., None], fv[..., None]
    u0, v0 = uf.long() & (SIZE - 1), vf.long() & (SIZE - 1)
    u1, v1 = (u0 + 1) & (SIZE - 1), (v0 + 1) & (SIZE - 1)
    v0, v1 = base + v0 * SIZE, base + v1 * SIZE
    top = torch.lerp(texels(texture, v0 + u0), texels(texture, v0 + u1), fu)
    low = torch.lerp(texels(texture, v1 + u0), texels(texture, v1 + u1), fu)
    return torch.lerp(top, low, fv)


def nearest(texture: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """The texel (…, channels) whose sample point lies nearest to (u, v)."""
    at = ((v + 0.5).floor().long() & (SIZE - 1)) * SIZE + ((u + 0.5).floor().long() & (SIZE - 1))
    return texels(texture, at)


def features(parts: list[Tensor]) -> Tensor:
    """Features of equal shape (B, …) as points (B, N, features), one feature after the other in memory."""
    return torch.stack(parts).flatten(2).permute(1, 2, 0)


class Shader(nn.Module):
    """A small feed-forward network over many points, each layer of which the conditions scale and shift."""

    def __init__(self, inputs: int, outputs: int, width: int, layers: int, told: int) -> None:
        super().__init__()
        self.inputs, self.width = inputs, width
        self._kept: tuple[Tensor, int, torch.dtype, list[tuple[Tensor, Tensor]]] | None = None
        sizes = [inputs] + [width] * layers
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.tells = nn.Linear(told, layers * 2 * width)
        self.out = nn.Linear(width, outputs)
        nn.init.zeros_(self.tells.bias)
        with torch.no_grad():
            self.tells.weight.mul_(0.3)

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        """x (B, N, inputs), told (B, TOLD'): (B, N, outputs). Inputs that x lacks at its end are 0."""
        if len(told) == 1 and not torch.is_grad_enabled():
            return self.of_one(x[0], told)[None]
        kind = x.device.type
        to = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else torch.float32
        turned = self.tells(told).view(len(told), -1, 2, self.width)  # (B, layers, 2, width)
        x = F.pad(x, (0, self.inputs - x.shape[-1])).to(to)
        for at, layer in enumerate(self.layers):
            # The conditions become part of each moment's weights: half the time of scaling what comes of every point.
            assert isinstance(layer, nn.Linear)
            gain = 1 + turned[:, at, 0]
            weight, bias = layer.weight * gain[..., None], layer.bias * gain + turned[:, at, 1]
            x = torch.baddbmm(bias[:, None].to(to), x, weight.transpose(1, 2).to(to)).relu()
        return self.out(x)  # type: ignore[no-any-return]

    def _folded(self, told: Tensor, inputs: int, to: torch.dtype) -> list[tuple[Tensor, Tensor]]:
        """Weights and biases of all layers, a moment's conditions in them, for points of so many features.

        A picture asks for them several times: they are kept until another moment comes, unless gradients are.
        """
        kept = self._kept  # by whichever thread
        if kept is not None and kept[0] is told and kept[1:3] == (inputs, to):
            return kept[3]
        turned, layers, wide = self.tells(told).float().view(-1, 2, self.width), [], inputs
        with torch.autocast(told.device.type, enabled=False):
            for layer, (scale, shift) in zip(self.layers, turned, strict=True):
                assert isinstance(layer, nn.Linear)
                gain = 1 + scale
                layers.append(((layer.weight[:, :wide] * gain[:, None]).to(to), (layer.bias * gain + shift).to(to)))
                wide = self.width
            layers.append((self.out.weight.to(to), self.out.bias.to(to)))
        self._kept = None if torch.is_grad_enabled() else (told, inputs, to, layers)
        return layers

    def of_one(self, x: Tensor, told: Tensor) -> Tensor:
        """The same for one moment (N, inputs), faster: its conditions become part of the weights, once for all."""
        kind = x.device.type
        to = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else torch.float32
        *weights, last = self._folded(told, x.shape[-1], to)
        with torch.autocast(kind, enabled=False):
            if to == torch.float32 and kind == "cpu" and not torch.is_grad_enabled():
                return through(x, [*weights, last])
            if to == torch.float32:
                # One feature after the other, as `features` lays them out: half the time of one point after the other.
                done = []
                for h in x.T.split(_BLOCK, 1):
                    for weight, bias in weights:
                        h = torch.addmm(bias[:, None], weight, h.to(to)).relu_()
                    done.append(torch.addmm(last[1][:, None], last[0], h))
                return torch.cat(done, 1).T
            done = []
            for part in x.split(_BLOCK):
                h = part.to(to).contiguous()
                # oneDNN makes, and keeps, a kernel for every count of points it meets: it is to meet few.
                h = F.pad(h, (0, 0, 0, -len(part) % (_ROUND if len(part) > _ROUND else _ROUND // 8)))
                for weight, bias in weights:
                    h = _linear_relu(h, weight, bias)
                done.append(F.linear(h, *last)[: len(part)])
            return torch.cat(done)


def _linear_relu(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """A linear layer and its rectifier; in one go where this torch has oneDNN's kernel for it."""
    if x.device.type == "cpu" and hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "relu", [], "")
    return F.linear(x, weight, bias).relu_()


def of_some(shader: Shader, parts: list[Tensor], where: Tensor, index: Tensor, told: Tensor) -> Tensor:
    """What a shader tells (N, outputs) of points `index` (N,), those of `where` (B, …), from their features."""
    b = len(told)
    if b == 1:
        return shader(torch.stack(parts).T[None], told)[0].float()
    # Moments have different counts of such points: each in a row of its own, filled up.
    counts = where.flatten(1).sum(1)
    moment = index // where[0].numel()
    place = torch.arange(len(index), device=index.device) - (counts.cumsum(0) - counts).take(moment)
    filled = torch.zeros(b, int(counts.max()), len(parts), device=index.device)
    filled[moment, place] = torch.stack(parts, -1)
    return shader(filled, told)[moment, place].float()


def lay(picture: Tensor, where: Tensor, parts: list[Tensor], shader: Shader, told: Tensor, grey: bool) -> Tensor:
    """Picture (B, C, R, 3) under what a shader tells of points `where` (B, C, R), from features of that shape.

    It tells colour and cover; `grey`: one tone, a little bluish, in place of a colour.
    """
    shape = where.shape
    given = shader(features([p.expand(shape) for p in parts]), told).float()
    cover = torch.sigmoid(given[..., -1:]).view(*shape, 1) * where[..., None]
    colour = given[..., :1] * given.new_tensor([1.0, 1.03, 1.06]) if grey else given[..., :3]
    return picture + cover * (colour.view(*shape, 3) - picture)
