"""What is told of a view pixel by pixel where one looks closely: windows, and what water mirrors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from model.camera import FLOOR_M, HOUSE_M, RIPPLE_RAD, WINDOW_M
from model.points import STANDS_M, Points
from model.shading import Moment, Shader, of_some

_MIRRORS = 0.02  # less than this is no mirror


@dataclass
class _Met:
    """Pixels (B, C, R) that are looked at closely, their numbers (N,), those of the points they show, and how far off
    and how high above the ground they are met, in m.
    """

    where: Tensor
    index: Tensor
    at: Tensor
    distance: Tensor
    height: Tensor

    def there(self, values: Tensor) -> Tensor:
        """Of the points that the pixels show, (N,)."""
        return values.reshape(-1).take(self.at)


def _hash(i: Tensor, j: Tensor, k: Tensor) -> Tensor:
    """Whole numbers to a number in 0..1 that looks like chance."""
    return (((i * 73856093) ^ (j * 19349663) ^ (k * 83492791)) & 1023).float() / 1023


def with_fronts(
    fronts: Shader,
    moment: Moment,
    picture: Tensor,
    points: Points,
    at: Tensor,
    cover: Tensor,
    slope: Tensor,
    told: Tensor,
) -> Tensor:
    """Picture (B, C, R, 3) with doors and windows in the fronts of its houses; `at` and `cover` as `meet` gives."""
    met = _met((points.house > STANDS_M).gather(2, at) & (cover > 0.5), moment, points, at, slope)
    if met is None:
        return picture
    there = met.there
    house = there(points.house)
    parts = front_of(there(points.distance), there(points.hue), house, met.height, there(points.x) + there(points.y))
    given = of_some(fronts, parts, met.where, met.index, told)
    own = picture.reshape(-1, 3)
    under = own.index_select(0, met.index)
    shown = torch.sigmoid(given[:, 3:]) * (house / HOUSE_M).clamp(0, 1)[:, None]
    lit = under + shown * (given[:, :3] - under)
    return own.index_copy(0, met.index, lit.to(own)).view(picture.shape)


def front_of(distance: Tensor, hue: Tensor, house: Tensor, h: Tensor, along: Tensor) -> list[Tensor]:
    """What the network of fronts is told of points (N,) `h` m high on houses of `house` m, `along` m along the wall."""
    cells, floors = along / WINDOW_M, h / FLOOR_M
    i, j, k = cells.floor().long(), floors.floor().long(), (hue * 255).long()
    fx, fy = 4 * (cells - cells.floor() - 0.5).abs(), floors - floors.floor() - 0.5
    shop, zero = (j == 0).float(), torch.zeros_like(i)
    wheel = hue * (6 * math.pi)
    return [
        fx, 4 * fy.abs(), 2 * fy, _hash(i, j, k), _hash(i, zero + 7, k) * shop, shop,
        _hash(k, zero + 3, zero + 5), (h / 4).clamp(-1, 2), (house - h).clamp(-1, 2), hue, wheel.sin(), wheel.cos(),
        (1.5 - distance / 70).clamp(0, 1), 1 / (1 + distance * 0.02), (distance / 300).clamp(max=2),
        fx * (1 - shop), 4 * fy.abs() * (1 - shop), (hue > 0.7).float(),
    ]  # fmt: skip


def _met(where: Tensor, moment: Moment, points: Points, at: Tensor, slope: Tensor) -> _Met | None:
    """Pixels `where` (B, C, R) something that is looked at closely is met; None if nowhere."""
    index = where.flatten().nonzero()[:, 0]
    if not len(index):
        return None
    c, r = where.shape[1:]
    column, row = index // r, index % r
    shown = column * points.distance.shape[-1] + at.flatten().take(index)
    distance, ground = (values.reshape(-1).take(shown) for values in (points.distance, points.ground))
    line = slope.reshape(-1).take(column // c * r + row)
    height = moment.camera[:, 2].float().take(column // c) + line * distance - ground
    return _Met(where, index, shown, distance, height)


def mirrored(
    picture: Tensor, shown: Tensor, distance: Tensor, v: Tensor, horizon: Tensor, focal: float,
    above: Tensor, above_distance: Tensor,
) -> Tensor:  # fmt: skip
    """Picture (B, C, R, 3) with what water and wet ground mirror of the rows `above` (B, C, H, 3).

    shown as `meet` gives, distance in m (B, C, R), 0 for sky; above_distance (B, C, H); v (R,) rows in 0..1;
    horizon (B,), and focal length in heights of the picture. A mirrored line of sight goes up as steeply as it
    came down: what it meets at a distance d stands so much lower in the picture. Two looks find it well enough.
    """
    b, c, r, _ = picture.shape
    low = v[None, None] - horizon.view(-1, 1, 1)
    where = (shown[..., 3] > _MIRRORS) & (low > 0) & (distance > 0)
    index = where.flatten().nonzero()[:, 0]
    if not len(index):
        return picture
    rows = above.shape[2]
    column = index // r
    row, low = v.take(index % r), low.expand(b, 1, r).reshape(-1).take(column // c * r + index % r)
    z = distance.reshape(-1).take(index)
    base = column * rows

    def row_of(at: Tensor) -> Tensor:
        return at * rows - 0.5

    with torch.no_grad():
        at = row - 2 * low
        for _ in range(2):
            d = above_distance.reshape(-1).take(base + row_of(at).long().clamp(0, rows - 1))
            at = row - 2 * low + torch.where(d > 0, 2 * low * z / torch.maximum(d, z), 0.0)
        tremor = shown[..., 4].reshape(-1).take(index)
        # No ripple shows what is lower than both its mirror image and the horizon.
        least = torch.maximum(row_of(at), row_of(horizon.take(column // c)) - 0.5)
        # What lies above the picture is not known: what is as far below its top stands for it.
        at = torch.minimum(row_of(at + tremor * RIPPLE_RAD * focal), least).abs()
        at = torch.minimum(at, row_of(row) - 1).clamp(0, rows - 1)
        first = at.long()
    flat = above.reshape(-1, 3)
    seen = torch.lerp(
        flat.index_select(0, base + first),
        flat.index_select(0, base + (first + 1).clamp(max=rows - 1)),
        (at - first)[:, None],
    )
    own = picture.reshape(-1, 3)
    mirror = shown[..., 3].reshape(-1).take(index)[:, None]
    under = own.index_select(0, index)
    return own.index_copy(0, index, under + mirror * (seen - under)).view(picture.shape)
