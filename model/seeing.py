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

_PAINTED = 0.5  # of its size, at which a large picture is told at most if it is painted


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

    share: of their size, one of SHARES, at which large pictures are told; deep: whether their depth is told as well.
    Whoever steps the world sets both.
    """

    def __init__(self, preset: Preset, view: View, brush: Brush, device: torch.device) -> None:
        self._size = preset.height, preset.width
        self.share, self.deep = SHARES[0], True
        self._view, self._brush = view, brush
        self._raster = Raster(view) if device.type == "cpu" else None

    def see(
        self, textures: Textures, moment: Moment, between: Between, look: Look
    ) -> tuple[NDArray[np.uint8], NDArray[np.float16] | None]:
        """A picture uint8 (H, W, 3) and, if `deep`, its land's depth in m (H, W), 0 for sky.

        Raises ValueError when the networks give numbers that are not finite.
        """
        height, width = self._size
        painted = is_painted(look.style)
        share = min(self.share, _PAINTED) if painted else self.share
        reduced = share < 1 and width >= 2 * LARGE and height % 4 == 0 and width % 4 == 0
        if reduced:
            height, width = round(height * share), round(width * share)
        with reducing(moment.camera.device.type):
            if self._raster is not None:
                told, far = self._raster.picture(textures, moment, height, width, between, reduced)
                picture, depth = torch.from_numpy(told), torch.from_numpy(far)  # column by column
            else:
                shown, far_off = self._view.picture(textures, moment, height, width, between)
                picture, depth = shown[0].float().transpose(0, 1), far_off[0].float().T
        if painted:
            picture = self._painted(picture, depth, look).transpose(0, 1)
            mood, photo = None, None
        else:
            mood, photo = look.mood, look.photo
        frame = _frame(picture, self._size, mood, photo, look.share)
        if not self.deep:
            return frame, None
        deep = np.empty(self._size, np.float32)
        finish.to_deep(depth.contiguous().cpu().numpy(), self._size[1], deep)
        return frame, deep.astype(np.float16)

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


def _frame(
    columns: Tensor, size: tuple[int, int], mood: Array | None, photo: NDArray[np.uint8] | None, share: float
) -> NDArray[np.uint8]:
    """A picture (W, H, 3) in 0..1 as bytes (*size, 3), enlarged where that is more; ValueError if it isn't finite."""
    width, height = columns.shape[:2]
    if photo is not None:
        if mood is not None:
            columns, mood = columns + _rows(mood, height).to(columns.device), None
        given = torch.from_numpy(photo).to(columns.device)
        if given.shape[:2] != (height, width):
            given = F.interpolate(given.permute(2, 0, 1)[None].float(), (height, width), mode="area")[0].permute(
                1, 2, 0
            )
        columns = torch.lerp(given.transpose(0, 1) / 255, columns, share)
    added = np.zeros(height * 3, np.float32) if mood is None else _rows(mood, height).flatten().numpy()
    out = np.empty((*size, 3), np.uint8)
    if not finish.to_frame(columns.contiguous().cpu().numpy().reshape(width, -1), added, size[1], out.reshape(-1)):
        raise ValueError("the view gave numbers that are not finite")
    return out
