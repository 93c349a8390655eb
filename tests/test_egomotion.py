"""Turning and walking carry the last picture to where the diorama's own camera sees it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from model.diorama import episode
from model.egomotion import before, carried
from model.picture_codec import PictureCodec
from model.training.prepare import as_picture_tensor


def _walk(motion: tuple[float, float, float, float]) -> list[episode.Step]:
    script = episode.random_script(77, 14, place=1)
    script.environment[:] = [0.9, 0.3, 0.05, 0, 0, 0.2, 0.5]
    script.motion[:] = motion
    script.presence[:] = 0
    steps = episode.play(replace(script, third=False), 77)
    return [step for step in steps if isinstance(step, episode.Step)][8:]


def _error(a: torch.Tensor, b: torch.Tensor) -> float:
    """Mean squared, away from the edges where new land comes into view."""
    inner = (..., slice(20, -20), slice(60, -60))
    return float((a - b)[inner].square().mean())


@pytest.mark.parametrize(
    ("motion", "share"),
    [
        ((0, 0, 0.6, 0), 0.4),
        ((0, 0, -0.6, 0), 0.4),
        ((0, 0, 0, 0.3), 0.1),
        ((1, 0, 0, 0), 0.8),
        ((-1, 0, 0, 0), 0.8),
        ((0, 1, 0, 0), 0.8),
        ((1, 0, -0.4, -0.2), 0.5),
    ],
)
def test_the_moved_picture_is_nearer_to_what_the_camera_sees(
    motion: tuple[float, float, float, float], share: float
) -> None:
    steps = _walk(motion)
    pictures = as_picture_tensor(np.stack([step.picture for step in steps]))
    moves = torch.from_numpy(np.stack([step.motion for step in steps[1:]]))
    pitch_rad = torch.tensor([float(step.camera[4]) for step in steps[1:]])
    grid = before(270, 480, moves, pitch_rad)
    moved = F.grid_sample(pictures[:-1], grid, padding_mode="border", align_corners=False)
    assert _error(moved, pictures[1:]) < share * _error(pictures[:-1], pictures[1:])


def test_standing_still_carries_latents_unchanged() -> None:
    codec = PictureCodec(270, 480, 5, 8, 16, 2)
    steps = _walk((1, 0, 0.3, 0))
    codec.fit(torch.from_numpy(np.stack([step.picture for step in steps])))
    latents = codec.encode(as_picture_tensor(steps[0].picture[None]))
    still = carried(codec.reduced(3), latents, torch.zeros(1, 4), torch.zeros(1))
    assert _error(codec.decode(still), codec.decode(latents)) < 1e-3 * float(codec.decode(latents).var())
