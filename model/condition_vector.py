"""Conditions as the network sees them: numbers with a presence mask beside each group, so that absent is not zero."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from model.conditions import ENVIRONMENT, MOTION, PITCH_LIMIT_RAD
from model.diorama.places import PLACES

# place + mask, environment + masks, motion + pitch + mask, third person + mask, flash + mask
WIDTH = len(PLACES) + 1 + 2 * len(ENVIRONMENT) + len(MOTION) + 2 + 2 + 2
PRESENCE_WIDTH = 3  # near, stir, mask


@dataclass
class Asked:
    """Eased conditions of steps, float32 with any leading shape (…): values and, where they can be absent, masks."""

    place: Tensor  # (…, 5)
    place_mask: Tensor  # (…, 1)
    environment: Tensor  # (…, 7)
    environment_mask: Tensor  # (…, 7)
    motion: Tensor  # (…, 4)
    pitch_rad: Tensor  # (…, 1): where the camera's pitch is at the end of the step
    motion_mask: Tensor  # (…, 1): of motion and pitch
    third: Tensor  # (…, 1): 1 third person, 0 first
    third_mask: Tensor  # (…, 1)
    flash: Tensor  # (…, 1)
    flash_mask: Tensor  # (…, 1)
    presence: Tensor  # (…, rows, cols, 2)
    presence_mask: Tensor  # (…, 1)

    def vectors(self) -> tuple[Tensor, Tensor]:
        """The condition vector (…, WIDTH) and the presence tokens (…, rows * cols, PRESENCE_WIDTH)."""
        vector = torch.cat(
            [
                self.place * self.place_mask,
                self.place_mask,
                self.environment * self.environment_mask,
                self.environment_mask,
                self.motion * self.motion_mask,
                self.pitch_rad / PITCH_LIMIT_RAD * self.motion_mask,
                self.motion_mask,
                (2 * self.third - 1) * self.third_mask,
                self.third_mask,
                self.flash * self.flash_mask,
                self.flash_mask,
            ],
            -1,
        )
        flat = self.presence.flatten(-3, -2)
        mask = self.presence_mask[..., None, :].expand(*flat.shape[:-1], 1)
        return vector, torch.cat([flat * mask, mask], -1)
