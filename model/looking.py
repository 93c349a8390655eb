"""Where the rays of a view look at the land: at every thing that they pass, and evenly in between.

Even ground needs few looks, between which heights and colours are blended. What stands on it needs them where it begins
and where its middle is passed: its sides are steep, so that half a metre beside it a tree would be metres too low.
Where things may stand the field says; which do, and how high, the view's networks.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.camera import BODIES_M, FARTHEST_M, NEAREST_M, distances
from model.field import DETAIL_CELL_M, LAND_CELL_M, SIZE
from model.shading import Moment, Textures, nearest, of_places, sample

FINER = 4  # places that are searched for things, for each look
AT = (1.05, 0.85, 0.45, 0.0)  # looks at a thing, from just before its edge to its middle
LOOKS_FOR_ONE = 16  # of all looks there are so many for each thing that can be looked at, the nearest first,
NEAR_FOR_ONE = 12  # and of those that don't lie far off
STANDING_TO_M = 180.0  # farther off things are too small to be looked at apart
NEARER_THAN_FAR_M = 0.999 * STANDING_TO_M
FROM_M = 0.95 * BODIES_M[0]  # nearer things are told pixel by pixel
FAR = 5 / 28, 3 / 8  # share of the looks that lie farther off than that: on level land, and where mountains rise
MOUNTAINS_M = 50.0  # high, at least
CLOSER = 8  # places that are searched for a crest, for each of the looks at mountains
DENSEST = 2.5  # times a place's mean share of what stands: there is more in no grove


def standing_of(moment: Moment) -> tuple[Tensor, Tensor]:
    """What the moments' places have of things: the highest rank that may stand, and how near the middle of a crown
    it is solid, each (B, 1, 1).
    """
    most, slender = of_places(moment, "tree_cover"), of_places(moment, "slender")
    return torch.where(most > 0.005, DENSEST * most, -1.0), slender


def searched(count: int, nearest_m: float) -> NDArray[np.float32]:
    """Distances in m, growing, of the places that are searched for things, for `count` looks."""
    fine = distances(FINER * count, nearest_m)
    return fine[fine < STANDING_TO_M]


def middles(textures: Textures, u: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """The way in m, along x and y, from points (u, v), texels of the detail, to the middle of what may stand there."""
    right, down, _, _ = nearest(textures.thing, u, v).unbind(-1)
    return ((u + 0.5).floor() + right - u) * DETAIL_CELL_M, ((v + 0.5).floor() + down - v) * DETAIL_CELL_M


def far_looks(moment: Moment, count: int) -> tuple[Tensor, Tensor]:
    """How many of `count` looks lie farther off than things are looked at, and at how many things a ray may look, each
    (B, 1, 1).
    """
    plain, mountains = (round(share * count) for share in FAR)
    far = torch.where(has_mountains(moment), mountains, plain)
    things = ((count - far) // NEAR_FOR_ONE).clamp(max=count // LOOKS_FOR_ONE)
    return far, torch.where(standing_of(moment)[0] > 0, things, 0)


def has_mountains(moment: Moment) -> Tensor:
    """Whether mountains rise about, (B, 1, 1)."""
    return of_places(moment, "ridge_m") > MOUNTAINS_M


def rings(far: int) -> NDArray[np.float32]:
    """Distances in m (far,) at which all rays look alike at level land far off."""
    return np.asarray(np.geomspace(STANDING_TO_M, FARTHEST_M, far + 1)[1:], np.float32)


def crests(textures: Textures, moment: Moment, dx: Tensor, dy: Tensor, far: int) -> Tensor:
    """Where rays look at mountains, in m (B, C, far): between one ring and the next where the field's ridge is highest.

    Peaks are narrower than the way from ring to ring: with rings alone a quarter of what is far off would be sky, or
    what lies behind. dx, dy (B, C, 1): how far a ray goes along x and y in a metre of distance.
    """
    fine = torch.from_numpy(rings(far * CLOSER)).to(dx.device)
    x, y = (moment.camera[:, k, None, None].float() + d * fine for k, d in ((0, dx), (1, dy)))
    base = moment.world.view(-1, 1, 1) * SIZE * SIZE
    ridge = sample(textures.land, base, x / LAND_CELL_M, y / LAND_CELL_M)[..., 1].unflatten(2, (far, CLOSER))
    return fine.view(far, CLOSER).expand_as(ridge).gather(3, ridge.argmax(3, keepdim=True))[..., 0]


@torch.no_grad()
def looks_along(textures: Textures, moment: Moment, across: Tensor, count: int, nearest_m: float = NEAREST_M) -> Tensor:
    """Distances in m (B, C, count), growing, of the looks along rays of columns `across` (B, C)."""
    near = torch.from_numpy(searched(count, nearest_m)).to(across.device)
    yaw = moment.camera[:, 3:4].float()
    dx, dy = (yaw.sin() + yaw.cos() * across)[..., None], (yaw.cos() - yaw.sin() * across)[..., None]
    x0, y0 = ((moment.camera[:, k].float() + textures.shift[moment.world, k])[:, None, None] for k in (0, 1))
    u, v = (x0 + dx * near) / DETAIL_CELL_M, (y0 + dy * near) / DETAIL_CELL_M
    right, down, size, rank = nearest(textures.thing, u, v).unbind(-1)
    u_middle, v_middle = (u + 0.5).floor() + right, (v + 0.5).floor() + down
    # Where the ray passes the middle, how far beside it, and how much of the way lies inside.
    square = dx * dx + dy * dy
    along = ((u_middle - u) * dx + (v_middle - v) * dy) / square
    beside = (u_middle - u - along * dx).square() + (v_middle - v - along * dy).square()
    most, slender = standing_of(moment)
    inside = (size * (1 - slender)).square() - beside
    passes, half = near + along * DETAIL_CELL_M, (inside.clamp(min=0) / square).sqrt() * DETAIL_CELL_M
    other = (u_middle.diff(dim=-1).abs() + v_middle.diff(dim=-1).abs()) > 0.1
    found = (inside > 0) & (rank <= most) & (passes > FROM_M)
    found[..., 1:] &= other
    far, things = far_looks(moment, count)
    most_things = count // LOOKS_FOR_ONE
    place = found.cumsum(-1) - 1
    counted = found.sum(-1, keepdim=True).minimum(things)
    place = torch.where(found & (place < things), place, most_things)
    tops, halves = (
        torch.zeros(*across.shape, most_things + 1, device=across.device).scatter(-1, place, values)[..., :most_things]
        for values in (passes, half)
    )
    looks = torch.cat([tops - halves * part for part in AT], -1).clamp(nearest_m, NEARER_THAN_FAR_M)
    held = (torch.arange(most_things, device=across.device) < counted).repeat(1, 1, len(AT))
    # All others lie evenly, on every ray alike, so that borders on the ground are smooth; far off on rings or crests.
    others = count - len(AT) * things
    number = torch.arange(count, device=across.device).expand(*across.shape, count)
    at = (number * (len(near) - 1) / (others - far - 1)).clamp(max=len(near) - 1)
    low = at.long().clamp(max=len(near) - 2)
    even = torch.lerp(near[low], near[low + 1], at - low)
    ring = number - others + far
    beyond = STANDING_TO_M * ((ring + 1) / far * math.log(FARTHEST_M / STANDING_TO_M)).exp()
    mountains = has_mountains(moment)
    if bool(mountains.any()):
        at_crests = crests(textures, moment, dx, dy, round(FAR[1] * count))
        on_crest = at_crests.gather(2, ring.clamp(0, at_crests.shape[2] - 1))
        beyond = torch.where(mountains, on_crest, beyond)
    even = torch.where(number < others - far, even, beyond)
    none = even.new_tensor(nearest_m)  # looks that are left over see what the first does
    both = torch.cat([torch.where(number < others, even, none), torch.where(held, looks, none)], -1)
    return both.sort(-1).values[..., -count:].contiguous()
