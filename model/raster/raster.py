"""The raster: a view's picture of one moment on a CPU, walk by walk.

Between the walks the view's own networks say what points are and what they look like. A large picture casts rays for
every second of its columns, knows the soft sky at every fourth pixel, and asks for the ground's height, and for what
stands towards the sun, at half as many distances as there are looks, of every second ray; all else is told for each row
of each ray.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.camera import CRAGS_M, FALL_LAYERS, FIELD_OF_VIEW_RAD, HORIZON, PULSE_RAD_S
from model.litter import WALLS_M
from model.overlay import LEAST, Overlay
from model.raster import air, bodies, finish, heaven, pixels, shade
from model.raster.land import Land
from model.raster.room import Array, Now, Room, asked_rows
from model.shading import Moment, Textures, of_places, weight_of
from model.view import View

LARGE = 640  # columns that make a picture a large one
_NOWHERE = np.zeros(1, np.float32)
_SMALL = 320  # at most so many, and it knows its sky at each of its pixels
_LEAST_RISE_PX = 0.7  # points nearer to one another than this are not both told

Between = Callable[[Tensor, Tensor], Tensor]  # picture (1, C, R, 3) and depth (1, C, R) to picture


class Raster:
    """Pictures of moments of one world, float32, on a CPU; what it works in is kept from one to the next."""

    def __init__(self, view: View) -> None:
        self._view, self._room = view, Room()

    def picture(
        self, textures: Textures, moment: Moment, height: int, width: int, between: Between | None = None
    ) -> tuple[Array, Array]:
        """A picture (width, height, 3), column by column, in about 0..1 and its depth in m (width, height), 0 for sky.

        Both are overwritten by the next. As `View.picture` for one moment, whose arguments these are.
        """
        view, now = self._view, Now.of(moment, textures)
        told = view.told_of(moment)
        large = width >= LARGE and width % 8 == 0
        columns, step, sky_step = (width // 2, 2, 4) if large else (width, 1, 2 if width > _SMALL else 1)
        aspect, tangent = width / height, math.tan(FIELD_OF_VIEW_RAD / 2)
        heights = 2 * tangent / aspect
        pitch = math.tan(float(now.camera[4]))
        across = (2 * (np.arange(columns) + 0.5) / columns - 1) * tangent
        slope = ((HORIZON - (np.arange(height) + 0.5) / height) * heights + pitch).astype(np.float32)
        focal_px = float(height / heights)
        eye = float(now.camera[2])
        land = Land(
            view, self._room, textures, moment, now, told, across, step, float(slope[-1]), _LEAST_RISE_PX / focal_px
        )
        # Pixels just under the last edge are open to the sky by the part of them that stands over it.
        open_rows = np.asarray(np.searchsorted(-slope, -(land.last_rise - 0.5 / focal_px)), np.int64)
        sky, far = self._sky(textures, moment, now, told, across, open_rows, slope, sky_step, width // columns)
        land.colour(textures, moment, now, told, far)
        shape = (columns, height)
        picture, depth = self._room("picture", *shape, 3), self._room("depth", *shape)
        mirror, tremor = self._room("mirror", *shape), self._room("tremor", *shape)
        at = self._room("at", *shape, kind="i4")
        pixels.paint(
            land.first, land.rises, land.joined, land.points, land.shown, slope, eye, focal_px, picture, at, depth,
            mirror, tremor,
        )  # fmt: skip
        grows = weight_of(moment, "tree_cover") is not None
        shaded = shade.cast(view.terrain, self._room, textures, moment, now, told, land) if grows else _NOWHERE
        gains, blossoms = (part[0].numpy() for part in view.litter.gains(told))
        pixels.strew(
            picture, at, depth, land.points, *land.rays, slope, eye, now.shift, textures.land.numpy(),
            textures.grain.numpy(), textures.bloom.numpy(), shaded, gains, blossoms, float(view.terrain.density(told)),
            weight_of(moment, "dune_m") is not None, weight_of(moment, "flowers") is not None, grows, *_rocks(moment),
        )  # fmt: skip
        flat, number = picture.reshape(-1, 3), self._room("pixels", columns * height, kind="i4")
        terrain = view.terrain
        if weight_of(moment, "block_m") is not None:
            out = self._room.rows("fronts", columns * height, pixels.FRONTS)
            count = pixels.front_features(picture, at, depth, land.points, slope, eye, number, out)
            if count:
                given = asked_rows(terrain.fronts, out, count, told)
                pixels.furnish(flat, at.reshape(-1), land.points, number, count, given)
        wide = sky_step * columns // width
        heaven.over(
            picture, sky, open_rows, wide, sky_step, land.last_rise, slope, focal_px, textures.star.numpy(),
            textures.bloom.numpy(), across, now.camera, float(of_places(moment, "roof")),
        )  # fmt: skip
        if grows:
            bodies.stand(view, self._room, textures, moment, now, told, land, slope, far, picture, depth, mirror)
        horizon = HORIZON + pitch / heights
        pixels.reflect(picture, depth, mirror, tremor, horizon, 1 / heights)
        if columns < width:
            wide_picture, wide_depth = self._room("wide", width, height, 3), self._room("far", width, height)
            finish.widen(picture, depth, wide_picture, wide_depth)
            picture, depth = wide_picture, wide_depth
        if between is not None:
            changed = between(torch.from_numpy(picture)[None], torch.from_numpy(depth)[None])[0]
            if changed.data_ptr() != torch.from_numpy(picture).data_ptr():
                picture[:] = changed.float().numpy()
        self._air(textures, moment, now, told, picture, aspect, 2 if large else 1)
        return picture, depth

    def _sky(
        self, textures: Textures, moment: Moment, now: Now, told: Tensor, across: NDArray[np.float64],
        open_rows: NDArray[np.int64], slope: Array, step: int, stretched: int,
    ) -> tuple[Array, Array]:  # fmt: skip
        """The sky (C', R', 6) at one in `step` of a picture's pixels where it is seen; what land fades into, (C, 3).

        stretched: columns of the picture to one of `across`.
        """
        columns, rows, wide = len(across), len(slope), step // stretched
        coarse = across.reshape(-1, wide).mean(1)
        counts = np.zeros(len(coarse), np.int64)
        heaven.rows_wanted(open_rows, wide, step, counts)
        counts = counts.clip(max=-(-rows // step))
        most = int(counts.max())
        tangents = slope[: most * step]
        tangents = np.pad(tangents, (0, most * step - len(tangents)), "edge").reshape(most, step).mean(1)
        has = [weight_of(moment, name) is not None for name in ("space", "sunken", "float", "roof")]
        features = heaven.ALL if any(has) else heaven.PLAIN
        out = self._room.rows("sky features", columns + len(coarse) * -(-rows // step), features)
        textured = (
            textures.cloud.numpy(), textures.wisp.numpy(), textures.mote.numpy(), textures.land.numpy(),
            textures.grain.numpy(),
        )  # fmt: skip
        moved = now.camera, now.sun, now.drift, now.clock, *has
        just_over = np.ones(columns, np.int64), np.full(1, 0.003)
        heaven.sky_features(*textured, across, *just_over, *moved, out)
        heaven.sky_features(*textured, coarse, counts, tangents, *moved, out[columns:])
        given = asked_rows(self._view.sky.shader, out, columns + int(counts.sum()), told)
        sky = self._room("sky", len(coarse), -(-rows // step), 6)
        heaven.spread(given[columns:], counts, sky)
        return sky, np.ascontiguousarray(given[:columns, :3])

    def _air(
        self, textures: Textures, moment: Moment, now: Now, told: Tensor, picture: Array, aspect: float, block: int
    ) -> None:
        """Lay over a picture what visitors stir and what falls."""
        overlay = self._view.overlay
        presence = moment.presence[0].numpy()
        if presence[..., 0].max() > 2 * LEAST:
            table = _visitors(overlay, math.sin((now.clock * PULSE_RAD_S) % (2 * math.pi)), told)
            air.stir(picture, block, aspect, now.clock, presence, textures.mote.numpy(), LEAST, table)
        open_air = float(overlay.open_air(moment))
        rain, snow = now.rain * open_air > LEAST, now.snow * open_air > LEAST
        if rain or snow:
            falling = textures.streak.numpy(), textures.flake.numpy()
            yaw = float(now.camera[3])
            air.fall(picture, block, aspect, yaw, now.clock, rain, snow, now.wind, *falling, _falls(overlay, told))


def _rocks(moment: Moment) -> tuple[float, float]:
    """Over what height in m mountains are rock, infinite where none is; and how much of walls is, 0 where none are."""
    ridge, base, wall = (float(of_places(moment, name)) for name in ("ridge_m", "base_m", "wall_m"))
    return base + CRAGS_M[0] if ridge > 1 else math.inf, min(wall / WALLS_M, 1.0)


def _falls(overlay: Overlay, told: Tensor) -> Array:
    """What the network of what falls says of every drop and flake: (layers, STEPS, STEPS, 2), tone and cover."""
    side = torch.linspace(0, 1, air.STEPS)
    layers = torch.arange(len(FALL_LAYERS), dtype=torch.float32)
    layer, drop, flake = torch.meshgrid(layers, side, side, indexing="ij")
    given = overlay.falls.of_one(torch.stack([drop, flake, layer, drop * flake]).flatten(1).T, told).float()
    return torch.stack([given[:, 0], given[:, 1].sigmoid()], 1).view(*layer.shape, 2).numpy()


def _visitors(overlay: Overlay, pulse: float, told: Tensor) -> Array:
    """What the network of visitors says at every nearness, motion and mote: (NEAR, STIR, MOTE, 4)."""
    sides = [torch.linspace(0, 1, count) for count in (air.NEAR, air.STIR, air.MOTE)]
    near, stir, mote = torch.meshgrid(*sides, indexing="ij")
    asked = torch.stack([near, stir, mote, torch.full_like(near, pulse), near * mote])
    given = overlay.stirs.of_one(asked.flatten(1).T, told).float()
    return torch.cat([given[:, :3], given[:, 3:].sigmoid()], 1).view(*near.shape, 4).contiguous().numpy()
