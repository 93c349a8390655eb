"""The land of a picture: what its rays meet, point by point."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.camera import SHADOW_M, SUN_AZIMUTH_RAD
from model.land import FEATURES, HEIGHT_M, WALL_M, ceiling, of_water
from model.looking import CLOSER, FINER, far_looks, has_mountains, rings, searched, standing_of
from model.raster import relief, surfaces
from model.raster.room import Array, Now, Room, asked, asked_rows, grown
from model.shading import Moment, Textures, cleared, weight_of
from model.shadow import LEAST_BLOCKS
from model.view import View, nearest_of


class Land:
    """What the rays of a picture meet, point by point."""

    def __init__(
        self, view: View, room: Room, textures: Textures, moment: Moment, now: Now, told: Tensor,
        across: NDArray[np.float64], step: int, lowest: float, least: float,
    ) -> None:  # fmt: skip
        self._room, self._terrain = room, view.terrain
        looks, columns, self.eye = view.preset.view_looks, len(across), float(moment.camera[0, 2])
        nearest = nearest_of(moment, lowest)
        x, y, eye, yaw = now.camera[:4]
        self._x, self._y = float(x), float(y)
        self._dx, self._dy = math.sin(yaw) + math.cos(yaw) * across, math.cos(yaw) - math.sin(yaw) * across
        azimuth = yaw + np.arctan(across) - SUN_AZIMUTH_RAD
        off_sun = np.arctan2(np.sin(azimuth), np.cos(azimuth)) ** 2
        self._off_sun = np.exp(np.outer(off_sun, [-1.6, -14])).astype(np.float32)
        shape = columns, looks
        self._distance = room("distance", *shape)
        town = textures.town.numpy()
        blocks = weight_of(moment, "block_m")
        shifted = self._x + now.shift[0], self._y + now.shift[1]
        self._standing = tuple(float(value) for value in standing_of(moment))
        near, (far, things) = searched(looks, nearest), (int(number) for number in far_looks(moment, looks))
        self._rays(step)
        self._beyond = room("beyond", len(self._some_dx), far)
        if bool(has_mountains(moment)):
            fine = rings(far * CLOSER)
            relief.crests(textures.land.numpy(), self._x, self._y, self._some_dx, self._some_dy, fine, self._beyond)
        else:
            self._beyond[:] = rings(far)
        far_off = room("far off", columns, far)
        relief.between_rays(self._beyond, step, far_off)
        relief.look(
            textures.thing.numpy(), *shifted, self._dx, self._dy, near, far_off, things, *self._standing, self._distance
        )
        every = FINER * step // (1 if weight_of(moment, "wall_m") is None else 2)  # walls of rock are steep
        along = np.append(near[:-1:every], near[-1]).astype(np.float64)
        if blocks is not None:
            relief.to_walls(town, *shifted, self._dx, self._dy, self._distance)
        with torch.autocast("cpu", enabled=False):  # a mountain's height needs more than eight bits
            self._relief(textures, moment, now, told.float(), along, step, blocks)
        self.first = np.zeros(columns + 1, np.int64)
        self.places = room("places", columns * looks, kind="i4")
        self.rises = room("rises", columns * looks)
        self.joined = room("joined", columns * looks, kind="?")
        self.count = relief.seen(
            self._distance, self._ground, self._tall, self._house, self._crest, float(eye), self._level, self._swell,
            float(ceiling(moment)), least, self.first, self.places, self.rises, self.joined,
        )  # fmt: skip
        self.last_rise = self.rises[self.first[1:] - 1]

    def _rays(self, step: int) -> None:
        """Every `step`-th ray, and one beyond the last: of these the ground is asked for."""
        dx, dy = self._dx, self._dy
        if step > 1:
            dx, dy = np.append(dx[::step], 2 * dx[-1] - dx[-2]), np.append(dy[::step], 2 * dy[-1] - dy[-2])
        self._some_dx, self._some_dy = dx, dy

    def _relief(
        self, textures: Textures, moment: Moment, now: Now, told: Tensor, at: NDArray[np.float64], step: int,
        blocks: Tensor | None,
    ) -> None:  # fmt: skip
        """Heights of ground, of what grows, of houses and of waves."""
        terrain, room, shape = self._terrain, self._room, self._distance.shape
        columns, looks = shape
        self._level, self._swell = (float(value) for value in terrain.water(told))
        from_here, rays = (self._x, self._y), (self._some_dx, self._some_dy)
        self._ground, self._after = room("ground", *shape), room("after", *shape, kind="u1")
        parts, lie, walls = [], terrain.lie(told)[0].numpy(), weight_of(moment, "wall_m")
        near = np.ascontiguousarray(np.broadcast_to(at.astype(np.float32), (len(rays[0]), len(at))))
        for network, here in ((terrain.ground, near), (terrain.ridges, self._beyond)):
            out = room("ground features", 8, here.size)
            relief.ground_features(textures.land.numpy(), *from_here, *rays, now.shore, here, out)
            high = (asked(network, out, here.size, told)[:, 0] + lie @ out[:4]) * HEIGHT_M
            if walls is not None:
                high += float(walls) * WALL_M * asked(terrain.walls, out, here.size, told)[:, 0]
            parts.append(high.reshape(here.shape))
        coarse = np.concatenate(parts, 1)
        relief.ground_between(coarse, at, step, self._distance, self._ground, self._after)
        if of_water(moment):
            relief.to_shores(self._distance, self._ground, np.float32(self._level), at, self._after)
        self._at, self._step, self._coarse = at, step, np.ascontiguousarray(coarse[:, : len(at)])
        self._shadows(textures, moment, now, told, *rays)
        dx, dy = self._dx, self._dy
        self._tall, self._house, self._hue = room("tall", *shape), room("house", *shape), room("hue", *shape)
        self._tall[:], self._house[:], self._hue[:] = 0, 0, 0
        some = room("some", columns * looks, kind="i4")
        if weight_of(moment, "tree_cover") is not None:
            far, from_afar = self._room.rows("far trees", columns * looks, 7), room("from afar", columns * looks)
            count = relief.tree_features(
                textures.land.numpy(), textures.detail.numpy(), textures.thing.numpy(), *from_here, now.shift, dx, dy,
                *now.ahead, self._distance, self._ground, *self._standing, far, some, from_afar,
            )  # fmt: skip
            if count:
                tall = grown(asked_rows(terrain.stands, far, count, told)[:count, 0] * 10)
                self._tall.reshape(-1)[some[:count]] = tall * from_afar[:count]
        if blocks is not None:
            out, hues = room("house features", 4, columns * looks), room("hues", columns * looks)
            count = relief.house_features(
                textures.town.numpy(), *from_here, now.shift, dx, dy, self._distance, some, hues, out
            )
            if count:
                self._tall.reshape(-1)[some[:count]] *= float(cleared(moment))
            if count and float(blocks) > LEAST_BLOCKS:
                self._house.reshape(-1)[some[:count]] = grown(asked(terrain.houses, out, count, told)[:, 0] * 20)
                self._hue.reshape(-1)[some[:count]] = hues[:count]
        waving = weight_of(moment, "sea") is not None
        self._crest, self._trough = (room(name, *(shape if waving else (0, 0))) for name in ("crest", "trough"))
        if waving:
            relief.waves(
                textures.land.numpy(), *from_here, dx, dy, now.shore, now.swash, self._distance, self._ground,
                self._level, self._crest, self._trough,
            )  # fmt: skip

    def _shadows(
        self, textures: Textures, moment: Moment, now: Now, told: Tensor, dx: NDArray[np.float64],
        dy: NDArray[np.float64],
    ) -> None:  # fmt: skip
        """How high houses towards the sun of points of the rays stand, at every `step`-th column and point.

        dx, dy (C',): m a metre. See `model.shadow.looming`.
        """
        room, blocks = self._room, weight_of(moment, "block_m")
        self.tangent = max(math.sin(now.sun), 0.02) / max(math.cos(now.sun), 0.05)
        if blocks is None or float(blocks) <= LEAST_BLOCKS:
            self._sunward = room("sunward", 0, 0, 0)
            return
        self._sunward = room("sunward", len(SHADOW_M), len(dx), len(self._at))
        flat = self._sunward.reshape(-1)
        flat[:] = 0
        houses, places = room("shadow features", 4, len(flat)), room("shadow places", len(flat), kind="i4")
        count = relief.sunward_features(
            textures.town.numpy(), self._x, self._y, now.shift, dx, dy, *now.ahead, self._at, houses, places
        )
        if count:
            flat[places[:count]] = grown(asked(self._terrain.houses, houses, count, told)[:, 0] * 20)

    @property
    def level(self) -> float:
        """Height of the water in m."""
        return self._level

    @property
    def coarse(self) -> tuple[NDArray[np.float64], Array, int]:
        """Distances near by (K,), heights of the ground there (C', K), both in m, and of every how many rays."""
        return self._at, self._coarse, self._step

    @property
    def rays(self) -> tuple[float, float, NDArray[np.float64], NDArray[np.float64]]:
        """Where rays begin, x and y in m, and how far each goes along either a metre of distance, (C,)."""
        return self._x, self._y, self._dx, self._dy

    def colour(self, textures: Textures, moment: Moment, now: Now, told: Tensor, far: Array) -> None:
        """Colours of the points that are seen; far (C, 3): what each column fades into."""
        room, terrain, count = self._room, self._terrain, self.count
        most = self._distance.size
        self.points, self.shown = room("points", most, len(surfaces.POINT)), room("shown", most, 4)
        out = self._room.rows("surface features", most, FEATURES)
        asked, between = room("asked", most, kind="i4"), room("between", most, 2, kind="i4")
        every = self._step == 1 or self._crest.size > 0
        number = surfaces.chosen(
            self.first, self.places, self._distance.shape[1], self._distance, self._tall, self._house, self._ground,
            self._level, every, asked, between,
        )  # fmt: skip
        surfaces.surface_features(
            textures.land.numpy(), textures.detail.numpy(), textures.grain.numpy(), self._x, self._y, now.shift,
            self._dx, self._dy, self._off_sun, self._distance, self._ground, self._tall, self._house, self._hue,
            self._crest, self._trough, self._sunward, self._at, self._after, self._step, self.tangent, self.places,
            asked, number, now.clock, self._level, weight_of(moment, "sunken") is not None, now.wind, now.rain,
            self.points, out,
        )  # fmt: skip
        given = asked_rows(terrain.surface, out, number, told)
        light, density = terrain.light(told)[0].float().numpy(), float(terrain.density(told))
        looks = self._distance.shape[1]
        surfaces.lit(given, self.places, asked, number, looks, light, density, far, self.points, self.shown)
        surfaces.mix(between, count, self._distance, self.places, self.points, self.shown)
