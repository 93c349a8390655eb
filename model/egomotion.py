"""Where the camera's own movement takes the picture: the geometry of a walker's eyes over level ground.

The network is shown the last picture as it would look from where the camera has moved to, so that turning and walking
are where the command put them, and it has only to add what the movement brings into view. Above the horizon
everything counts as far away, below it as level ground: the network mends what stands up from it.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from model.conditions import STEPS_PER_S
from model.picture_codec import PictureCodec

FIELD_OF_VIEW_RAD = 1.25  # across the picture
HORIZON = 0.46  # height of a level camera's horizon, of the picture from its top
EYE_M = 2.6
WALK_M_S, STRAFE_M_S = 4.5, 3.0  # what forward = 1 and strafe = 1 mean


def before(height: int, width: int, motion: Tensor, pitch_rad: Tensor) -> Tensor:
    """Where each pixel was a step ago, (N, H, W, 2), x then y over −1..1 as `grid_sample` wants them.

    motion (N, 4): forward, strafe, yaw_rad_s, pitch_rad_s of this step; pitch_rad (N,): the pitch it ends at.
    """
    focal = width / 2 / math.tan(FIELD_OF_VIEW_RAD / 2)
    device = motion.device
    forward, strafe, yaw, pitch = (motion / STEPS_PER_S)[:, :, None, None].unbind(1)  # (N, 1, 1) each
    ends = pitch_rad[:, None, None]
    level = HORIZON * height
    across = ((torch.arange(width, device=device) + 0.5 - width / 2) / focal)[None, None]  # (1, 1, W)
    below = (torch.arange(height, device=device)[None, :, None] + 0.5 - level) / focal - ends.tan()  # (N, H, 1)
    near = below.clamp(min=0) / EYE_M  # the inverse of the ground's distance
    x, z = across + near * strafe * STRAFE_M_S, 1 + near * forward * WALK_M_S
    x, z = x * yaw.cos() + z * yaw.sin(), z * yaw.cos() - x * yaw.sin()
    column = x / z * focal + width / 2
    row = (below / z + (ends - pitch).tan()) * focal + level
    return torch.stack([column / width * 2 - 1, row / height * 2 - 1], -1)


def carried(small: PictureCodec, latents: Tensor, motion: Tensor, pitch_rad: Tensor) -> Tensor:
    """Latents (N, tokens, channels) of the last steps, their pictures moved as the camera moved; sound stays.

    `small` is the codec at reduced size (`PictureCodec.reduced`); motion and pitch as in `before`.
    """
    picture, sound = latents[:, : small.tokens], latents[:, small.tokens :]
    grid = before(small.height, small.width, motion, pitch_rad)
    moved = F.grid_sample(small.decode(picture), grid, mode="bilinear", padding_mode="border", align_corners=False)
    return torch.cat([small.encode(moved), sound], 1)
