"""The raster: a view's picture of one moment on a CPU, walk by walk.

Between the walks the view's own networks say what points are and what they look like. A large picture casts rays for
every second of its columns, knows the soft sky at every fourth pixel, and asks for the ground's height at every second
point of every second ray; all else is told for each row of each ray.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.camera import (
    EYE_M,
    FIELD_OF_VIEW_RAD,
    HORIZON,
    NEAREST_M,
    PULSE_RAD_S,
    SHADOW_M,
    SUN_AZIMUTH_RAD,
    distances,
)
from model.conditions import ENVIRONMENT
from model.overlay import LEAST, Overlay
from model.raster import air, finish, heaven, pixels, relief, surfaces
from model.shading import Moment, Shader, Textures, weight_of
from model.shadow import LEAK, LEAST_BLOCKS
from model.view import NEAREST_AT_MOST_M, View

Array = NDArray[np.float32]
LARGE = 640  # columns from which a picture is a large one
_RAIN, _SNOW, _WIND, _SUN = (ENVIRONMENT.index(k) for k in ("rain", "snow", "wind", "sun_rad"))
_LEAST_RISE_PX = np.float32(0.7)  # points nearer to one another than this are not both told
_FAR_TREES_M = 50.0  # whose height sixteen bits tell to a pixel
_ROUND = 2048  # oneDNN makes, and keeps, a kernel for every count of points it meets: it is to meet few


@dataclass
class _Now:
    """A moment as plain numbers."""

    camera: NDArray[np.float64]
    shore: NDArray[np.float64]
    clock: float
    drift: float
    swash: float  # rad
    rain: float
    snow: float
    wind: float
    sun: float
    shift: NDArray[np.float64]

    @staticmethod
    def of(moment: Moment, textures: Textures) -> _Now:
        phases, weather = moment.phases[0].tolist(), moment.environment[0].tolist()
        return _Now(
            moment.camera[0].double().numpy(), moment.shore[0].double().numpy(), phases[0], phases[1] % 512,
            (phases[2] % 1) * 2 * math.pi, weather[_RAIN], weather[_SNOW], weather[_WIND], weather[_SUN],
            textures.shift[int(moment.world[0])].double().numpy(),
        )  # fmt: skip


Between = Callable[[Tensor, Tensor], Tensor]  # picture (1, C, R, 3) and depth (1, C, R) to picture


class Raster:
    """Pictures of moments of one world, float32, on a CPU; what it works in is kept from one to the next."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._kept: dict[tuple[str, tuple[int, ...], str], NDArray[np.generic]] = {}

    def _room(self, name: str, *shape: int, kind: str = "f4") -> NDArray[np.generic]:
        """Memory to work in, of a name and shape."""
        key = (name, shape, kind)
        if key not in self._kept:
            self._kept[key] = np.zeros(shape, kind)
        return self._kept[key]

    def _rows(self, name: str, count: int, features: int) -> NDArray[np.uint16]:
        """Memory for features of points, row by row, bfloat16 by its bits."""
        return self._room(name, count + -count % _ROUND, features, kind="u2")

    def picture(
        self, textures: Textures, moment: Moment, height: int, width: int, between: Between | None = None
    ) -> tuple[Array, Array]:
        """A picture (width, height, 3), column by column, in about 0..1 and its depth in m (width, height), 0 for sky.

        Both are overwritten by the next. As `View.picture` for one moment, whose arguments these are.
        """
        view, now = self._view, _Now.of(moment, textures)
        told = view.told_of(moment)
        large = width > LARGE
        columns, step, sky_step = (width // 2, 2, 4) if large else (width, 1, 2)
        aspect, tangent = width / height, math.tan(FIELD_OF_VIEW_RAD / 2)
        heights = 2 * tangent / aspect
        pitch = math.tan(float(now.camera[4]))
        across = (2 * (np.arange(columns) + 0.5) / columns - 1) * tangent
        slope = ((HORIZON - (np.arange(height) + 0.5) / height) * heights + pitch).astype(np.float32)
        focal_px = np.float32(height / heights)
        eye = float(now.camera[2])
        land = _Land(self, textures, moment, now, told, across, step, float(slope[-1]), _LEAST_RISE_PX / focal_px)
        # Pixels just under the last edge are open to the sky by the part of them that stands over it.
        open_rows = np.searchsorted(-slope, -(land.last_rise - 0.5 / focal_px))
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
        flat, number = picture.reshape(-1, 3), self._room("pixels", columns * height, kind="i4")
        terrain = view.terrain
        if weight_of(moment, "block_m") is not None:
            out = self._rows("fronts", columns * height, pixels.FRONTS)
            count = pixels.front_features(picture, at, depth, land.points, slope, eye, number, out)
            if count:
                pixels.furnish(flat, number, count, _asked_rows(terrain.fronts, out, count, told))
        if weight_of(moment, "tree_cover") is not None:
            out = self._rows("foliage", columns * height, pixels.FOLIAGE)
            count = pixels.foliage_features(
                picture,
                at,
                depth,
                land.points,
                slope,
                eye,
                textures.grain.numpy(),
                textures.bloom.numpy(),
                number,
                out,
            )
            if count:
                pixels.leave(flat, number, count, _asked_rows(terrain.foliage, out, count, told)[:, 0])
        wide = sky_step * columns // width
        heaven.over(picture, sky, open_rows, wide, sky_step, land.last_rise, slope, focal_px)
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
        self, textures: Textures, moment: Moment, now: _Now, told: Tensor, across: NDArray[np.float64],
        open_rows: NDArray[np.int64], slope: Array, step: int, stretched: int,
    ) -> tuple[Array, Array]:  # fmt: skip
        """The sky (C', R', 3) at one in `step` of a picture's pixels, where it is seen, and what land fades into (C, 3).

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
        out = self._rows("sky features", columns + len(coarse) * -(-rows // step), features)
        textured = (
            textures.cloud.numpy(), textures.wisp.numpy(), textures.star.numpy(), textures.mote.numpy(),
            textures.land.numpy(), textures.grain.numpy(), textures.bloom.numpy(),
        )  # fmt: skip
        moved = now.camera, now.sun, now.drift, now.clock, *has
        heaven.sky_features(*textured, across, np.ones(columns, np.int64), np.full(1, 0.003), *moved, out)
        heaven.sky_features(*textured, coarse, counts, tangents, *moved, out[columns:])
        given = _asked_rows(self._view.sky.shader, out, columns + int(counts.sum()), told)
        sky = self._room("sky", len(coarse), -(-rows // step), 3)
        heaven.spread(given[columns:], counts, sky)
        return sky, given[:columns]

    def _air(
        self, textures: Textures, moment: Moment, now: _Now, told: Tensor, picture: Array, aspect: float, block: int
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


class _Land:
    """What the rays of a picture meet, point by point."""

    def __init__(
        self, raster: Raster, textures: Textures, moment: Moment, now: _Now, told: Tensor,
        across: NDArray[np.float64], step: int, lowest: float, least: float,
    ) -> None:  # fmt: skip
        self._raster, self._terrain = raster, raster._view.terrain
        looks, columns = len(raster._view.distance), len(across)
        # One looks no nearer than the lowest line of sight meets the ground, should it rise towards the eyes.
        nearest = min(max(round(0.7 * EYE_M / max(1e-3, -lowest), 1), NEAREST_M), NEAREST_AT_MOST_M)
        along = distances(looks, nearest).astype(np.float64)
        x, y, eye, yaw = now.camera[:4]
        self._x, self._y = float(x), float(y)
        self._dx, self._dy = math.sin(yaw) + math.cos(yaw) * across, math.cos(yaw) - math.sin(yaw) * across
        azimuth = yaw + np.arctan(across) - SUN_AZIMUTH_RAD
        off_sun = np.arctan2(np.sin(azimuth), np.cos(azimuth)) ** 2
        self._off_sun = np.exp(np.outer(off_sun, [-1.6, -14])).astype(np.float32)
        shape = columns, looks
        self._distance = raster._room("distance", *shape)
        town = textures.town.numpy()
        blocks = weight_of(moment, "block_m")
        if blocks is None:
            self._distance[:] = along
        else:
            shifted = self._x + now.shift[0], self._y + now.shift[1]
            relief.to_walls(town, *shifted, self._dx, self._dy, along, self._distance)
        with torch.autocast("cpu", enabled=False):  # a mountain's height needs more than eight bits
            self._relief(textures, moment, now, told.float(), along, step, blocks)
        self.first = np.zeros(columns + 1, np.int64)
        self.places = raster._room("places", columns * looks, kind="i4")
        self.rises = raster._room("rises", columns * looks)
        self.joined = raster._room("joined", columns * looks, kind="?")
        self.count = relief.seen(
            self._distance, self._ground, self._tall, self._house, self._crest, float(eye), self._level, self._swell,
            least, self.first, self.places, self.rises, self.joined,
        )  # fmt: skip
        self.last_rise = self.rises[self.first[1:] - 1]

    def _relief(
        self, textures: Textures, moment: Moment, now: _Now, told: Tensor, along: NDArray[np.float64], step: int,
        blocks: Tensor | None,
    ) -> None:  # fmt: skip
        """Heights of ground, of what grows, of houses and of waves."""
        terrain, room, shape = self._terrain, self._raster._room, self._distance.shape
        columns, looks = shape
        level, swell = terrain.level(told)[0].tolist()
        self._level, self._swell = level * 10, math.log1p(math.exp(swell)) * 0.3
        from_here = self._x, self._y
        dx, dy = self._dx, self._dy
        self._ground, at = room("ground", *shape), along
        if step > 1:
            extra = 2 * dx[-1] - dx[-2], 2 * dy[-1] - dy[-2]
            dx, dy = np.append(dx[::step], extra[0]), np.append(dy[::step], extra[1])
            at = np.append(along[::step], along[-1])
        out = room("ground features", 8, len(dx) * len(at))
        relief.ground_features(textures.land.numpy(), *from_here, dx, dy, now.shore, at, out)
        coarse = _asked(terrain.ground, out, out.shape[1], told).reshape(len(dx), len(at)) * 40
        relief.ground_between(coarse, at, step, self._distance, self._ground)
        self._at, self._step = at, step
        self._shadows(textures, moment, now, told, dx, dy, coarse)
        dx, dy = self._dx, self._dy
        self._tall, self._house, self._hue = room("tall", *shape), room("house", *shape), room("hue", *shape)
        self._tall[:], self._house[:], self._hue[:] = 0, 0, 0
        some = room("some", columns * looks, kind="i4")
        if weight_of(moment, "tree_cover") is not None:
            near, far = room("tree features", 7, columns * looks), self._raster._rows("far trees", columns * looks, 7)
            others = room("others", columns * looks, kind="i4")
            count, count_far = relief.tree_features(
                textures.land.numpy(), textures.detail.numpy(), *from_here, now.shift, dx, dy, self._distance,
                self._ground, _FAR_TREES_M, near, some, far, others,
            )  # fmt: skip
            tall = self._tall.reshape(-1)
            if count:
                tall[some[:count]] = _grown(_asked(terrain.stands, near, count, told)[:, 0] * 10)
            if count_far:
                tall[others[:count_far]] = _grown(_asked_rows(terrain.stands, far, count_far, told)[:count_far, 0] * 10)
        if blocks is not None and float(blocks) > LEAST_BLOCKS:
            out, hues = room("house features", 4, columns * looks), room("hues", columns * looks)
            count = relief.house_features(
                textures.town.numpy(), *from_here, now.shift, dx, dy, self._distance, some, hues, out
            )
            if count:
                self._house.reshape(-1)[some[:count]] = _grown(_asked(terrain.houses, out, count, told)[:, 0] * 20)
                self._hue.reshape(-1)[some[:count]] = hues[:count]
                self._tall[np.abs(self._house) >= 0.05] = 0  # in houses nothing grows
        waving = weight_of(moment, "sea") is not None
        self._crest, self._trough = (room(name, *(shape if waving else (0, 0))) for name in ("crest", "trough"))
        if waving:
            relief.waves(
                textures.land.numpy(), *from_here, dx, dy, now.shore, now.swash, self._distance, self._ground,
                self._level, self._crest, self._trough,
            )  # fmt: skip

    def _shadows(
        self, textures: Textures, moment: Moment, now: _Now, told: Tensor, dx: NDArray[np.float64],
        dy: NDArray[np.float64], ground: Array,
    ) -> None:  # fmt: skip
        """How high what lies towards the sun of points of the rays stands, at every `step`-th column and point.

        dx, dy (C',): m a metre; ground (C', K') in m. See `model.shadow.looming`.
        """
        sun, terrain, room = now.sun, self._terrain, self._raster._room
        self._tangent = max(math.sin(sun), 0.02) / max(math.cos(sun), 0.05)
        trees, blocks = (weight_of(moment, name) for name in ("tree_cover", "block_m"))
        built = blocks is not None and float(blocks) > LEAST_BLOCKS
        if trees is None and not built:
            self._sunward = room("sunward", 0, 0, 0)
            return
        shape = len(SHADOW_M), *ground.shape
        self._sunward = room("sunward", *shape)
        most = self._sunward.size
        flat = self._sunward.reshape(-1)
        flat[:] = 0
        out, houses = self._raster._rows("shadow features", most, 7), room("shadow house features", 4, most)
        places, others = room("shadow places", most, kind="i4"), room("shadow houses", most, kind="i4")
        count, count_built = relief.sunward_features(
            textures.land.numpy(), textures.detail.numpy(), textures.town.numpy(), self._x, self._y, now.shift, dx, dy,
            self._at, ground, math.cos(now.camera[3] - SUN_AZIMUTH_RAD), trees is not None, built, out, places, houses,
            others,
        )  # fmt: skip
        if count:
            flat[places[:count]] = _grown(_asked_rows(terrain.stands, out, count, told)[:count, 0] * 10)
        if count_built:
            at = others[:count_built]
            flat[at] = np.maximum(flat[at], _grown(_asked(terrain.houses, houses, count_built, told)[:, 0] * 20))

    def colour(self, textures: Textures, moment: Moment, now: _Now, told: Tensor, far: Array) -> None:
        """Colours of the points that are seen; far (C, 3): what each column fades into."""
        room, terrain, count = self._raster._room, self._terrain, self.count
        most = self._distance.size
        self.points, self.shown = room("points", most, len(surfaces.POINT)), room("shown", most, 4)
        out = self._raster._rows("surface features", most, surfaces.FEATURES)
        surfaces.surface_features(
            textures.land.numpy(), textures.detail.numpy(), textures.grain.numpy(), textures.bloom.numpy(), self._x,
            self._y, now.shift, self._dx, self._dy, self._off_sun, self._distance, self._ground, self._tall,
            self._house, self._hue, self._crest, self._trough, self._sunward, self._at, self._step, self._tangent,
            self.places, count, now.clock, self._level, weight_of(moment, "sunken") is not None,
            weight_of(moment, "dune_m") is not None, now.wind, now.rain, self.points, out,
        )  # fmt: skip
        given = _asked_rows(terrain.surface, out, count, told)
        light = terrain.light(told)[0].float().numpy()
        surfaces.lit(given, self.places, count, self._distance.shape[1], light, far, self.shown)


def _grown(heights: Array) -> Array:
    """Heights in m, those below the ground a tenth as deep, as in training (`model.land`)."""
    return np.where(heights < 0, np.float32(LEAK) * heights, heights)


def _asked(shader: Shader, features: Array, count: int, told: Tensor) -> Array:
    """What a network says, (count, outputs), of the first points of features (features, …)."""
    return shader.of_one(torch.from_numpy(features[:, :count]).T, told).float().numpy()


def _asked_rows(shader: Shader, rows: NDArray[np.uint16], count: int, told: Tensor) -> Array:
    """The same of rows of features, bfloat16 by their bits; more rows than `count` may come back."""
    asked = torch.from_numpy(rows.view(np.int16)).view(torch.bfloat16)[: count + -count % _ROUND]
    with torch.autocast("cpu", torch.bfloat16):
        return shader.of_one(asked, told).float().numpy()


def _falls(overlay: Overlay, told: Tensor) -> Array:
    """What the network of what falls says of every drop and flake: (layers, STEPS, STEPS, 2), tone and cover."""
    side = torch.linspace(0, 1, air.STEPS)
    layers = torch.arange(len(air.FALL_LAYERS), dtype=torch.float32)
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
