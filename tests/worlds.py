"""Small world models for tests: the shipped code at small sizes, with random weights, made in a moment."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch

from model import checkpoint
from model.brush import Brush
from model.conditions import GRID
from model.diorama.places import PLACES
from model.figures import Figures
from model.preset import PRESETS, Preset
from model.shading import Moment
from model.sound_codec import SoundCodec
from model.text import TextHead
from model.transformer import Nacre
from model.view import View
from model.world import WorldModel


def moment_in(place: str) -> Moment:
    """A moment somewhere in the first of the fields, level and with nothing asked for."""
    return Moment(
        world=torch.zeros(1, dtype=torch.long), place=torch.eye(len(PLACES))[PLACES.index(place)][None],
        environment=torch.zeros(1, 7), flash=torch.zeros(1),
        camera=torch.tensor([[700.0, 300.0, 3.0, 0.4, 0.0]], dtype=torch.float64),
        shore=torch.zeros(1, 3, dtype=torch.float64), phases=torch.zeros(1, 5, dtype=torch.float64),
        presence=torch.zeros(1, *GRID, 2),
    )  # fmt: skip


def random_network(preset: Preset) -> Nacre:
    """A network whose every weight matters: what training starts at zero is random here."""
    torch.manual_seed(5)
    network = Nacre(preset)
    for parameter in network.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.2)
    return network


def random_view(preset: Preset) -> View:
    """A view that shows something: its land lies near level, its colours are random."""
    torch.manual_seed(7)
    view = View(preset)
    with torch.no_grad():
        view.terrain.ground.out.weight.mul_(0.2)
        view.terrain.surface.out.weight.mul_(3)
        view.sky.shader.out.weight.mul_(3)
    return view


@cache
def tiny_model() -> WorldModel:
    """A world model of the `tiny` preset with random weights and codec."""
    return random_model(PRESETS["tiny"])


def random_model(preset: Preset) -> WorldModel:
    """The same of any preset."""
    network, view = random_network(preset), random_view(preset)
    torch.manual_seed(6)
    sound = SoundCodec(preset.sound_tokens, preset.channels)
    sound.fit(torch.randn(300, sound.mean.numel()) * 8 - 60)
    torch.manual_seed(8)
    parts = {
        "network": network.state_dict(),
        "view": view.state_dict(),
        "figures": Figures().state_dict(),
        "brush": Brush().state_dict(),
        "sound": sound.state_dict(),
        "head": TextHead().state_dict(),
    }
    return WorldModel(preset, {k: dict(v) for k, v in parts.items()}, "tiny-test")


def tiny_checkpoint(folder: Path) -> Path:
    """The tiny model as a checkpoint file in `folder`."""
    path = folder / "tiny.safetensors"
    if not path.exists():
        model = tiny_model()
        parts = {name: dict(module.state_dict()) for name, module in model.parts().items()}
        checkpoint.save(path, model.preset, parts, {"updates": "0"})
    return path
