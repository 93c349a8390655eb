"""Which of the things that the field has close by rays pass, and how near their middles: geometry for teacher and view.

What stands close by is told pixel by pixel (`model.bodies`): each thing stands in an upright cylinder about its middle,
whose front a line of sight meets. From BODIES_M[0] on it passes into heights of the land, as which it is told farther
off.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.camera import BODIES_M, NEAREST_M, THINGS
from model.field import DETAIL_CELL_M, SIZE
from model.looking import standing_of
from model.shading import Moment, Textures, nearest

STEP_M = DETAIL_CELL_M  # between two looks for things: no texel is left out where slender ones stand,
BROAD = 0.5  # and every second one where things are less slender than that
AT, BESIDE, RADIUS, RANK = range(4)  # columns of a thing that is passed
_SAME = 3e-3  # m; two whose middles are passed so nearly at one place are one


def searched() -> NDArray[np.float32]:
    """Distances in m at which rays look for things."""
    return np.arange(NEAREST_M, BODIES_M[1], STEP_M).astype(np.float32)


@nb.njit(fastmath=True, nogil=True, cache=True)
def passed(thing, x0, y0, dx, dy, most, slender, out):  # type: ignore[no-untyped-def]
    """The first things that a ray passes, into rows of out (THINGS, 4), the nearest first; how many there are.

    thing (512², 4) as model.field.THING; x0, y0: m, where the ray begins, the detail's shift counted in; dx, dy: m a
    metre of distance; most, slender: the highest rank that may stand, and how near the middle of a crown it is solid.
    Rows: distance in m where the middle is passed, how far to the right of it in m, the thing's radius in m, its rank.
    """
    count, square = 0, dx * dx + dy * dy
    long = math.sqrt(square)
    for n in range(0, int((BODIES_M[1] - NEAREST_M) / STEP_M), 2 if slender < BROAD else 1):
        d = NEAREST_M + n * STEP_M
        u, v = (x0 + dx * d) / DETAIL_CELL_M, (y0 + dy * d) / DETAIL_CELL_M
        ui, vi = math.floor(u + 0.5), math.floor(v + 0.5)
        of = thing[(int(vi) & (SIZE - 1)) * SIZE + (int(ui) & (SIZE - 1))]
        if of[3] > most:
            continue
        right, down = (ui + of[0] - u) * DETAIL_CELL_M, (vi + of[1] - v) * DETAIL_CELL_M
        along, beside = (right * dx + down * dy) / square, (down * dx - right * dy) / long
        radius, passes = of[2] * DETAIL_CELL_M * (1 - slender), d + along
        if not (abs(beside) < radius and NEAREST_M < passes < BODIES_M[1]):
            continue
        new, at = True, count
        for k in range(count):
            if abs(out[k, 0] - passes) + abs(out[k, 1] - beside) < _SAME:
                new = False
        if not new:
            continue
        while at > 0 and out[at - 1, 0] > passes:
            if at < len(out):
                out[at] = out[at - 1]
            at -= 1
        if at < len(out):
            out[at, 0], out[at, 1], out[at, 2], out[at, 3] = passes, beside, radius, of[3]
            count = min(count + 1, len(out))
    return count


@torch.no_grad()
def passed_by(textures: Textures, moment: Moment, across: Tensor) -> Tensor:
    """The same of rays of columns `across` (B, C): (B, C, THINGS, 4); distance 0 in rows where there is none."""
    fine = torch.from_numpy(searched()).to(across.device)
    yaw = moment.camera[:, 3:4].float()
    dx, dy = (yaw.sin() + yaw.cos() * across)[..., None], (yaw.cos() - yaw.sin() * across)[..., None]
    x0, y0 = ((moment.camera[:, k].float() + textures.shift[moment.world, k])[:, None, None] for k in (0, 1))
    u, v = (x0 + dx * fine) / DETAIL_CELL_M, (y0 + dy * fine) / DETAIL_CELL_M
    right, down, size, rank = nearest(textures.thing, u, v).unbind(-1)
    right = ((u + 0.5).floor() + right - u) * DETAIL_CELL_M
    down = ((v + 0.5).floor() + down - v) * DETAIL_CELL_M
    square = dx * dx + dy * dy
    passes, beside = fine + (right * dx + down * dy) / square, (down * dx - right * dy) / square.sqrt()
    most, slender = standing_of(moment)
    radius = size * DETAIL_CELL_M * (1 - slender)
    found = (rank <= most) & (beside.abs() < radius) & (passes > NEAREST_M) & (passes < BODIES_M[1])
    found &= (torch.arange(len(fine), device=fine.device) % 2 == 0) | (slender >= BROAD)
    # Sorted by distance those of one thing are neighbours.
    order = torch.where(found, passes, torch.inf).sort(-1)
    at = order.values
    told = torch.stack([at, *(values.gather(2, order.indices) for values in (beside, radius, rank))], -1)
    new = torch.ones_like(found)
    new[..., 1:] = at.diff(dim=-1).abs() > _SAME
    new &= at < torch.inf
    place = torch.where(new, new.cumsum(-1) - 1, THINGS).clamp(max=THINGS)
    out = torch.zeros(*across.shape, THINGS + 1, 4, device=across.device)
    return out.scatter_(2, place[..., None].expand(-1, -1, -1, 4), told.nan_to_num(posinf=0.0))[:, :, :THINGS]


def from_afar(away: Tensor) -> Tensor:
    """How much of a thing whose middle is `away` m off the land's own height tells; the rest is told as a body."""
    return ((away - BODIES_M[0]) / (BODIES_M[1] - BODIES_M[0])).clamp(0, 1)
