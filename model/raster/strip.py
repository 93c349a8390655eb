"""A strip of a picture: columns side by side, from their rays to what water mirrors of them.

Nothing of it follows from other columns than its own, so that strips can be walked by several threads at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from model.camera import CRAGS_M, FIELD_OF_VIEW_RAD, HORIZON
from model.land import of_water
from model.litter import LIT_M, WALLS_M
from model.raster import bodies, ground, heaven, pixels, shade
from model.raster.land import Land
from model.raster.lanes import PADDED, padded_of
from model.raster.room import Array, Now, Room, asked_rows
from model.shading import Moment, Textures, of_places, weight_of
from model.view import View

LARGE = 640  # columns that make a picture a large one
_SMALL = 320  # at most so many, and it knows its sky at each of its pixels
_NOWHERE, _NO_SHADE = np.zeros(1, np.float32), np.zeros(PADDED, np.float32)
_LEAST_RISE_PX = 0.7  # points nearer to one another than this are not both told


@dataclass(frozen=True)
class Frame:
    """The geometry of a picture `width` pixels wide, of which a strip has some of the rays.

    slope (R,): of lines of sight, falling; pitch: its tangent; heights: of the picture, in focal lengths; stretched:
    columns of the picture to one ray; sky_step: pixels from one of which the sky is known to the next.
    """

    width: int
    heights: float
    pitch: float
    slope: Array
    stretched: int
    sky_step: int

    @staticmethod
    def of(height: int, width: int, pitch_rad: float, coarse: bool = False) -> Frame:
        """coarse: as large ones are, whatever its size."""
        large = (coarse or width >= LARGE) and width % 8 == 0
        stretched, sky_step = (2, 4) if large else (1, 2 if width > _SMALL else 1)
        heights = 2 * math.tan(FIELD_OF_VIEW_RAD / 2) * height / width
        pitch = math.tan(pitch_rad)
        slope = ((HORIZON - (np.arange(height) + 0.5) / height) * heights + pitch).astype(np.float32)
        return Frame(width, heights, pitch, slope, stretched, sky_step)

    @property
    def rays(self) -> int:
        """How many the whole picture has."""
        return self.width // self.stretched

    @property
    def wide(self) -> int:
        """Rays to a column of the sky as far as that is known."""
        return self.sky_step // self.stretched

    def across(self) -> NDArray[np.float64]:
        """Of all rays, in focal lengths."""
        return (2 * (np.arange(self.rays) + 0.5) / self.rays - 1) * math.tan(FIELD_OF_VIEW_RAD / 2)


class Strip:
    """Walks strips of pictures of one world; what it works in is kept from one to the next."""

    def __init__(self, view: View) -> None:
        self._view, self._room = view, Room()

    def picture(
        self, textures: Textures, moment: Moment, now: Now, told: Tensor, frame: Frame, across: NDArray[np.float64]
    ) -> tuple[Array, Array]:
        """The strip whose rays are `across` (C,): (C, R, 3) and its depth in m (C, R), 0 for sky.

        Both are overwritten by the next.
        """
        view, room, slope = self._view, self._room, frame.slope
        rows, columns, terrain = len(slope), len(across), view.terrain
        focal_px, eye = rows / frame.heights, float(now.camera[2])
        least = _LEAST_RISE_PX / focal_px
        land = Land(view, room, textures, moment, now, told, across, frame.stretched, float(slope[-1]), least)
        # Pixels just under the last edge are open to the sky by the part of them that stands over it.
        open_rows = np.asarray(np.searchsorted(-slope, -(land.last_rise - 0.5 / focal_px)), np.int64)
        sky, far = self._sky(textures, moment, now, told, frame, across, open_rows)
        land.colour(textures, moment, now, told, far)
        picture, depth = room("picture", columns, rows, 3), room("depth", columns, rows)
        mirror, tremor = room("mirror", columns, rows), room("tremor", columns, rows)
        at = room("at", columns, rows, kind="i4")
        pixels.paint(
            land.first, land.rises, land.joined, land.points, land.shown, slope, eye, focal_px, picture, at, depth,
            mirror, tremor,
        )  # fmt: skip
        grows = weight_of(moment, "tree_cover") is not None
        things, shaded = _NOWHERE, _NO_SHADE
        if grows:
            things = shade.about(terrain, room, textures, moment, now, told, land)
            shaded = shade.cast(room, now, land, things)
        gains, blossoms = (part[0].numpy() for part in view.litter.gains(told))
        grass = weight_of(moment, "grass_m")
        ground.strew(
            picture, at, depth, mirror, tremor, land.points, *land.rays, slope, eye, now.shift, now.clock, now.wind,
            textures.land.numpy(), padded_of(textures, "grain"), padded_of(textures, "bloom"), shaded,
            padded_of(textures, "lamp"), gains, blossoms, float(terrain.density(told)), of_water(moment),
            weight_of(moment, "dune_m") is not None, weight_of(moment, "flowers") is not None, grows,
            0.0 if grass is None else float(of_places(moment, "grass_m")), float(of_places(moment, "block_m")) > LIT_M,
            *_rocks(moment), room("ground", 24, rows + 16),
        )  # fmt: skip
        if weight_of(moment, "block_m") is not None:
            number, out = room("pixels", columns * rows, kind="i4"), room.rows("fronts", columns * rows, pixels.FRONTS)
            count = pixels.front_features(picture, at, depth, land.points, slope, eye, number, out)
            if count:
                given = asked_rows(terrain.fronts, out, count, told)
                pixels.furnish(picture.reshape(-1, 3), at.reshape(-1), land.points, number, count, given)
        heaven.over(
            picture, sky, open_rows, frame.wide, frame.sky_step, land.last_rise, slope, focal_px,
            textures.star.numpy(), textures.bloom.numpy(), across, now.camera, float(of_places(moment, "roof")),
        )  # fmt: skip
        if grows:
            bodies.stand(view, room, textures, moment, now, told, land, things, slope, far, picture, depth, mirror)
        pixels.reflect(picture, depth, mirror, tremor, HORIZON + frame.pitch / frame.heights, 1 / frame.heights)
        return picture, depth

    def _sky(
        self, textures: Textures, moment: Moment, now: Now, told: Tensor, frame: Frame, across: NDArray[np.float64],
        open_rows: NDArray[np.int64],
    ) -> tuple[Array, Array]:  # fmt: skip
        """The sky (C', R', 6) where it is seen, at one in frame.sky_step pixels; what land fades into, (C, 3)."""
        slope, step, wide = frame.slope, frame.sky_step, frame.wide
        columns, rows = len(across), len(slope)
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


def _rocks(moment: Moment) -> tuple[float, float]:
    """Over what height in m mountains are rock, infinite where none is; and how much of walls is, 0 where none are."""
    ridge, base, wall = (float(of_places(moment, name)) for name in ("ridge_m", "base_m", "wall_m"))
    return base + CRAGS_M[0] if ridge > 1 else math.inf, min(wall / WALLS_M, 1.0)
