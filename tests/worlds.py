"""Small world models for tests: the shipped code at small sizes, with random weights, made in a moment."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch

from model import checkpoint
from model.picture_codec import PictureCodec
from model.preset import PRESETS, Preset
from model.sound_codec import SoundCodec
from model.text import TextHead
from model.transformer import Nacre
from model.world import WorldModel


def random_network(preset: Preset) -> Nacre:
    """A network whose every weight matters: what training starts at zero is random here."""
    torch.manual_seed(5)
    network = Nacre(preset)
    for parameter in network.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.2)
    return network


@cache
def tiny_model() -> WorldModel:
    """A world model of the `tiny` preset with random weights and codecs."""
    preset = PRESETS["tiny"]
    network = random_network(preset)
    torch.manual_seed(6)
    picture = PictureCodec(preset.height, preset.width, preset.rows, preset.cols, preset.channels, preset.thumb_tokens)
    pictures = torch.randint(0, 255, (80, preset.height // 10, preset.width // 10, 3), dtype=torch.uint8)
    picture.fit(pictures.repeat_interleave(10, 1).repeat_interleave(10, 2))
    sound = SoundCodec(preset.sound_tokens, preset.channels)
    sound.fit(torch.randn(300, sound.mean.numel()) * 8 - 60)
    parts = {
        "network": network.state_dict(),
        "picture": picture.state_dict(),
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
