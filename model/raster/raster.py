"""The raster: a view's picture of one moment on a CPU, walk by walk.

Between the walks the view's own networks say what points are and what they look like. A large picture casts rays for
every second of its columns, knows the soft sky at every fourth pixel, and asks for the ground's height, and for what
stands towards the sun, at half as many distances as there are looks, of every second ray; all else is told for each row
of each ray.

With several threads each walks a strip of the picture (`model.raster.strip`), and what falls lies over the whole.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from model.camera import FALL_LAYERS, PULSE_RAD_S
from model.overlay import LEAST, Overlay
from model.raster import air, finish
from model.raster.room import Array, Now, Room
from model.raster.strip import Frame, Strip
from model.shading import Moment, Textures
from model.view import View

_NARROWEST = 64  # rays that are worth a strip of their own
_MARGIN = 4  # rays that a strip has beyond its own, so that what lies between two of them is known alike on both sides

Between = Callable[[Tensor, Tensor], Tensor]  # picture (1, C, R, 3) and depth (1, C, R) to picture


class Raster:
    """Pictures of moments of one world, float32, on a CPU; what it works in is kept from one to the next.

    It works in as many threads as PyTorch is set to when a picture is asked for.
    """

    def __init__(self, view: View) -> None:
        self._view, self._room, self._strips = view, Room(), [Strip(view)]
        self._threads: ThreadPoolExecutor | None = None

    def picture(
        self, textures: Textures, moment: Moment, height: int, width: int, between: Between | None = None,
        coarse: bool = False,
    ) -> tuple[Array, Array]:  # fmt: skip
        """A picture (width, height, 3), column by column, in about 0..1 and its depth in m (width, height), 0 for sky.

        Both are overwritten by the next. As `View.picture` for one moment, whose arguments these are. coarse: with
        rays for every second column only, as large ones have, also if it is small.
        """
        now, told = Now.of(moment, textures), self._view.told_of(moment)
        frame = Frame.of(height, width, float(now.camera[4]), coarse)
        picture, depth = self._walked(textures, moment, now, told, frame)
        if frame.stretched > 1:
            wide_picture, wide_depth = self._room("wide", width, height, 3), self._room("far", width, height)
            finish.widen(picture, depth, wide_picture, wide_depth)
            picture, depth = wide_picture, wide_depth
        if between is not None:
            changed = between(torch.from_numpy(picture)[None], torch.from_numpy(depth)[None])[0]
            if changed.data_ptr() != torch.from_numpy(picture).data_ptr():
                picture[:] = changed.float().numpy()
        self._air(textures, moment, now, told, picture, width / height, frame.stretched)
        return picture, depth

    def _walked(self, textures: Textures, moment: Moment, now: Now, told: Tensor, frame: Frame) -> tuple[Array, Array]:
        """What all rays show, (C, R, 3), and how far off it is, (C, R)."""
        across, rows = frame.across(), len(frame.slope)
        count = max(1, min(torch.get_num_threads(), frame.rays // _NARROWEST))
        if count == 1:
            return self._strips[0].picture(textures, moment, now, told, frame, across)
        while len(self._strips) < count:
            self._strips.append(Strip(self._view))
        if self._threads is None:
            self._threads = ThreadPoolExecutor(initializer=torch.set_num_threads, initargs=(1,))
        picture, depth = self._room("walked", frame.rays, rows, 3), self._room("walked depth", frame.rays, rows)
        borders = [frame.rays * n // count // _MARGIN * _MARGIN for n in range(count)] + [frame.rays]
        reduced, kind, inferring = (
            torch.is_autocast_enabled("cpu"),
            torch.get_autocast_dtype("cpu"),
            torch.is_inference_mode_enabled(),
        )

        def walk(n: int) -> None:
            first, last = borders[n], borders[n + 1]
            begin, end = max(first - _MARGIN, 0), min(last + _MARGIN, frame.rays)
            # What a thread is told of networks' bits and gradients holds for itself alone.
            with torch.inference_mode(inferring), torch.no_grad(), torch.autocast("cpu", kind, enabled=reduced):
                shown, far = self._strips[n].picture(textures, moment, now, told, frame, across[begin:end])
            picture[first:last], depth[first:last] = (
                shown[first - begin : last - begin],
                far[first - begin : last - begin],
            )

        for done in [self._threads.submit(walk, n) for n in range(count)]:
            done.result()
        return picture, depth

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
