"""What a step shows: the view's picture with its figures, a given picture's colours, a style, as bytes.

On a CPU the raster walks the picture; elsewhere the view itself tells it. A painted picture is told at half the size of
a large one and enlarged: a brush costs more than the land it paints, and is broader than a pixel. Every large one may
be told at a share of its size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from model.brush import Brush, is_painted
from model.conditions import Array
from model.precision import reducing
from model.preset import SHARES, Preset
from model.raster import finish
from model.raster.raster import Between, Raster
from model.raster.strip import LARGE
from model.shading import Moment, Textures
from model.view import View


@dataclass(frozen=True)
class Look:
    """What changes a picture after the view has told it.

    style (8,): weights. camera: x, y in m, yaw, pitch in rad. mood (rows, 3), and photo (H, W, 3): a given picture's
    colours and itself; share, 0..1: how much of the dream has come through the photo.
    """

    style: Array
    camera: tuple[float, float, float, float]
    mood: Array | None
    photo: NDArray[np.uint8] | None
    share: float


class Seeing:
    """A model's eyes.

    share: of their size, one of SHARES, at which large pictures are told. Whoever steps the world sets it.
    """

    def __init__(self, preset: Preset, view: View, brush: Brush, device: torch.device) -> None:
        self._size = preset.height, preset.width
        self.share = SHARES[0]
        self._view, self._brush = view, brush
        self._raster = Raster(view) if device.type == "cpu" else None

    def see(
        self, textures: Textures, moment: Moment, between: Between, look: Look
    ) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
        """A picture uint8 (H, W, 3) and its land's depth in m (H, W), 0 for sky.

        Raises ValueError when the networks give numbers that are not finite.
        """
        height, width = self._size
        painted = is_painted(look.style)
        share = min(self.share, SHARES[-1]) if painted else self.share
        reduced = share < 1 and width >= 2 * LARGE and height % 4 == 0 and width % 4 == 0
        if reduced:
            height, width = round(height * share), round(width * share)
        with reducing(moment.camera.device.type):
            if self._raster is not None:
                told, far = self._raster.picture(textures, moment, height, width, between)
                picture, depth = torch.from_numpy(told), torch.from_numpy(far)  # column by column
            else:
                shown, far_off = self._view.picture(textures, moment, height, width, between)
                picture, depth = shown[0].float().transpose(0, 1), far_off[0].float().T
        if painted:
            picture = self._painted(picture, depth, look).transpose(0, 1)
            mood, photo = None, None
        else:
            mood, photo = look.mood, look.photo
        frame = _bytes(picture, mood, photo, look.share)
        deep = depth.T.to(torch.float16).cpu()
        if reduced:
            frame = F.interpolate(frame.permute(2, 0, 1)[None], self._size, mode="bilinear")[0].permute(1, 2, 0)
            deep = F.interpolate(deep[None, None], self._size, mode="nearest")[0, 0]
        return frame.contiguous().numpy(), deep.contiguous().numpy()

    def _painted(self, columns: Tensor, depth: Tensor, look: Look) -> Tensor:
        """A picture (W, H, 3), with the mood and the photo laid over it, as a painter would have it: (H, W, 3)."""
        picture = columns.transpose(0, 1).contiguous()
        height, width = picture.shape[:2]
        if look.mood is not None:
            picture = picture + _rows(look.mood, height).to(picture.device)[:, None]
        if look.photo is not None:
            given = torch.from_numpy(look.photo).to(picture.device).permute(2, 0, 1)[None].float() / 255
            given = F.interpolate(given, (height, width), mode="bilinear", antialias=True)[0].permute(1, 2, 0)
            picture = torch.lerp(given, picture, look.share)
        with torch.autocast(picture.device.type, enabled=False):
            return self._brush(picture, depth.T.contiguous(), look.camera, look.style)  # type: ignore[no-any-return]


def _rows(mood: Array, height: int) -> Tensor:
    """What a mood adds to each row of a picture, (height, 3)."""
    return F.interpolate(torch.from_numpy(mood).T[None], height, mode="linear")[0].T.contiguous()


def _bytes(columns: Tensor, mood: Array | None, photo: NDArray[np.uint8] | None, share: float) -> Tensor:
    """A picture (W, H, 3) in 0..1 as bytes (H, W, 3); raises ValueError when it isn't finite."""
    width, height = columns.shape[:2]
    if photo is not None:
        if mood is not None:
            columns, mood = columns + _rows(mood, height).to(columns.device), None
        given = torch.from_numpy(photo).to(columns.device).transpose(0, 1)
        columns = torch.lerp(given / 255, columns, share)
    values = columns.contiguous().cpu().numpy().reshape(width, -1)
    if not np.isfinite(values.sum()):
        raise ValueError("the view gave numbers that are not finite")
    added = np.zeros(height * 3, np.float32) if mood is None else _rows(mood, height).flatten().numpy()
    out = np.empty((height, width * 3), np.uint8)
    finish.to_bytes(values, added, out)
    return torch.from_numpy(out).view(height, width, 3)
