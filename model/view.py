"""The view: what a world's latent field looks like from where the visitor stands, learnt from the diorama's pictures.

Every column of a picture is a ray over the field. A network tells, for a hundred and more points along it, how high
something stands there and what it looks like under the conditions of the moment; what hides what follows from the
heights, as in volume rendering of neural fields (Mildenhall et al. 2020; over a ground plan: Chai et al. 2023,
"Persistent Nature"). Other networks tell the colours of the sky, what falls through the picture and what visitors
stir. All of it is a function of field, camera, conditions and a few running phases: the same
place looks the same when one comes back to it, and a picture may have any size.

Nothing here was drawn by hand: no height, colour or shape stands in this file, only where to look.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from model.bodies import Bodies
from model.camera import EYE_M, FIELD_OF_VIEW_RAD, HORIZON, NEAREST_M
from model.closer import mirrored, with_fronts
from model.diorama.places import PLACES
from model.land import Terrain
from model.litter import Litter
from model.looking import looks_along
from model.overlay import Overlay
from model.passing import passed_by
from model.points import STANDS_M, Land
from model.preset import Preset
from model.shade import shade_on
from model.shading import LITTLE, TOLD, Moment, Textures, weight_of
from model.sky import Sky

_TOLD = 128  # numbers that all networks are told of a moment
NEAREST_AT_MOST_M = 6.0  # where a view begins that looks at the sky
_NEARLY = 0.1  # of a distance by which a known one may differ from it
STEEP_DUNES = 0.15  # share of the highest dunes from which on they hide what is below the picture


Between = Callable[[Tensor, Tensor], Tensor]  # picture (B, C, R, 3) and depth (B, C, R) to picture


def nearest_of(moment: Moment, lowest: float) -> float:
    """Where the rays of one view begin, in m, whose lowest line of sight rises by `lowest` a metre.

    No nearer than that meets the ground, should it rise a little towards the eyes; but from the nearest on where houses
    and dunes rise before one.
    """
    dunes = weight_of(moment, "dune_m")
    if weight_of(moment, "block_m") is not None or (dunes is not None and float(dunes) > STEEP_DUNES):
        return NEAREST_M
    return min(max(round(0.7 * EYE_M / max(1e-3, -lowest), 1), NEAREST_M), NEAREST_AT_MOST_M)


class View(nn.Module):
    """Field, camera and conditions to pictures."""

    own_place: Tensor
    terrain: Terrain
    sky: Sky

    def __init__(self, preset: Preset) -> None:
        super().__init__()
        self.preset = preset
        self.tell = nn.Sequential(nn.Linear(TOLD + LITTLE, _TOLD), nn.SiLU(), nn.Linear(_TOLD, _TOLD), nn.SiLU())
        # A venue's own: what its footage taught beside the moment, and its place; nothing in the model that is shipped.
        self.venue = nn.Parameter(torch.zeros(_TOLD), requires_grad=False)
        self.register_buffer("own_place", torch.zeros(len(PLACES)))
        self.terrain, self.sky = Terrain(preset, _TOLD), Sky(preset, _TOLD)
        self.overlay = Overlay(_TOLD)
        self.bodies = Bodies(preset.ground_width, _TOLD)
        self.litter = Litter(_TOLD)

    def told_of(self, moment: Moment) -> Tensor:
        """What all networks are told of moments, (B, _TOLD)."""
        return self.tell(torch.cat([moment.told(), moment.little()], 1).float()) + self.venue  # type: ignore[no-any-return]

    def columns(
        self, textures: Textures, moment: Moment, u: Tensor, v: Tensor, aspect: float, pixel: float,
        above: tuple[Tensor, Tensor] | None = None, between: Between | None = None, distance: Tensor | None = None,
        things: Tensor | None = None, known: Tensor | None = None,
    ) -> tuple[Tensor, Land, Tensor]:  # fmt: skip
        """Columns of pictures, (B, C, R, 3) in about 0..1; the land they show; distances in m (B, C, R), 0 for sky.

        u (B, C) and v (R,): columns and rows in 0..1 of the picture; aspect: width over height; pixel: height of one,
        of the picture. `above`: all rows of the same columns, (B, C, H, 3), and their distances in m, (B, C, H),
        for water to mirror; without them rows are those of a whole picture, which mirrors itself. `between` changes
        what is seen of land and sky before anything falls over it. distance (K,) or (B, C, K): where rays look at the
        land, in m; without it as `looks_along` has it. things (B, C, T, 4): what they pass, else as `passed_by` has it.
        known (B, C, R): how far off in m what pixels show is known to be: what ground is rough with is looked at there.
        """
        b, c = u.shape
        told = self.told_of(moment)
        tangent_half = math.tan(FIELD_OF_VIEW_RAD / 2)
        across = (2 * u - 1) * tangent_half
        heights = 2 * tangent_half / aspect  # of the picture, in focal lengths
        pitch = moment.camera[:, 4:5].float()
        slope = (HORIZON - v)[None] * heights + pitch.tan()  # (B, R)
        far = self.sky(textures, moment, across, torch.full_like(across, 0.003), told, sparkles=False)
        if distance is None:
            nearest = nearest_of(moment, float(slope[0, -1])) if b == 1 else NEAREST_M
            distance = looks_along(textures, moment, across, self.preset.view_looks, nearest)
        land, points = self.terrain(textures, moment, across, distance, told, far)
        focal_px = 1 / (pixel * heights)
        shown, at, met, cover = self.terrain.meet(land, moment.camera[:, 2].float(), slope, focal_px)
        met = torch.where(cover > 0.5, met, 0.0)
        lies = met if known is None else torch.where((known - met).abs() < _NEARLY * met, known, met)
        wet = (points.depth > 0).gather(2, at) & (met > 0)
        if bool(wet.any()):
            shown = self.litter.on_water(textures, moment, shown, wet, lies, across, told)
        colour = shown[..., :3]
        bare = (points.depth <= 0) & (points.tall < STANDS_M) & (points.house < STANDS_M)
        density = self.terrain.density(told)
        bare, shade = bare.gather(2, at), None
        if weight_of(moment, "tree_cover") is not None:
            shade = shade_on(self.terrain.stands, textures, moment, bare, met, across, slope, told)
        colour = self.litter(textures, moment, colour, bare, lies, across, slope, density, shade, told)
        if weight_of(moment, "block_m") is not None:
            colour = with_fronts(self.terrain.fronts, moment, colour, points, at, cover, slope, told)
        open_sky = cover < 1
        picture = colour
        rows = open_sky.any(0).any(0).nonzero()[:, 0]
        if len(rows):
            # The sky is asked for only down to the lowest row that shows any.
            top = int(rows[-1]) + 1
            wide, high = across[:, :, None].expand(b, c, top), slope[:, None, :top].expand(b, c, top)
            sky = self.sky(textures, moment, wide.flatten(1), high.flatten(1), told).view(b, c, top, 3)
            upper = torch.lerp(sky, colour[:, :, :top], cover[:, :, :top, None])
            picture = torch.cat([upper, colour[:, :, top:]], 2)
        if weight_of(moment, "tree_cover") is not None:
            things = passed_by(textures, moment, across) if things is None else things
            picture, met, left = self.bodies(
                self.terrain, textures, moment, picture, met, things, across, slope, far, told
            )
            shown = torch.cat([shown[..., :3], shown[..., 3:4] * left[..., None], shown[..., 4:]], -1)
        horizon, focal = HORIZON + pitch[:, 0].tan() / heights, 1 / heights
        picture = mirrored(picture, shown, met, v, horizon, focal, *(above or (picture, met)))
        if between is not None:
            picture = between(picture, met)
        picture = self.overlay(textures, moment, picture, u, v, told, aspect)
        return picture, land, met

    def picture(
        self, textures: Textures, moment: Moment, height: int, width: int, between: Between | None = None
    ) -> tuple[Tensor, Tensor]:
        """A picture (B, height, width, 3) in about 0..1 and its depth in m (B, height, width), 0 for sky."""
        device = moment.camera.device
        u = ((torch.arange(width, device=device) + 0.5) / width).expand(len(moment.camera), -1)
        v = (torch.arange(height, device=device) + 0.5) / height
        shown, _, depth = self.columns(textures, moment, u, v, width / height, 1 / height, None, between)
        return shown.transpose(1, 2), depth.transpose(1, 2)

    def ground_at(self, textures: Textures, moment: Moment, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Heights in m (B, N) of ground at points near the walker (B, N), and of the water (B,)."""
        return self.terrain.ground_at(textures, moment, x, y, self.told_of(moment))
