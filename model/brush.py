"""The brush: a picture of the view as a painter would have it, in any of the styles and in what lies between two.

Each style is a small network over what `model.looks` sees at every pixel, told the whole picture's colour. Styles that
pass into one another are both painted, and laid over one another by their weights; what keeps to the photograph is
not painted at all. What it looks like stands in the weights, learnt from the filters of the diorama.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from model.conditions import STYLES, Array
from model.looks import Looks, Textures
from model.shading import Shader

WIDTH, NARROW, LAYERS = 24, 16, 2
_LEAST = 0.004  # a style's weight below which nothing of it is seen
_TOLD = 4

# What each style's network sees of a pixel, all about −1..1.
SEES: dict[str, Callable[[Looks], list[Tensor]]] = {
    "watercolour": lambda a: [
        *(a.flat * a.gain), a.flat_light * a.gain, a.rim.clamp(max=0.1) * 10, a.edge * 4, a.outline * 2, a.hand / 2,
        a.blot / 2, a.grit / 3,
    ],
    "ink": lambda a: [
        a.flat_light * a.gain, a.flat_near, a.sky, a.cloud * 5, a.up * 2, a.edge * 4, a.outline * 2, a.ridge * 8,
        a.hand / 2, a.blot / 2, a.bleed / 2, a.grit / 3, a.fibre,
    ],
    "oil": lambda a: [*(a.stroke.colour * a.gain), a.stroke.relief, a.stroke.rank * 2 - 1],
    "animation": lambda a: [
        *(a.flat * a.gain), a.flat_light * a.gain, a.sky, a.cloud * 8, a.up * 2, a.flat_near, a.outline * 2, a.edge * 4,
    ],
    "woodblock": lambda a: [
        *(a.flat / a.flat_light.clamp(min=0.05) - 1), a.flat_light * a.gain, a.sky, a.up * 2, a.blot / 2, a.wood / 3,
        a.outline * 2, a.edge * 4,
    ],
    "neon": lambda a: [
        a.light, a.light - a.wide, a.up * 2, a.sky, a.near, a.outline * 2, *a.glow, a.lines, a.edge * 4, a.edge_glow,
    ],
    "paper": lambda a: [*(a.sheet * a.gain), (a.layer * math.pi).cos(), a.sky, *a.shade, a.grit / 3, a.fibre],
}  # fmt: skip
_COUNTS = {"watercolour": 10, "ink": 13, "oil": 5, "animation": 10, "woodblock": 10, "neon": 11, "paper": 9}

_EASY = ("oil", "neon", "paper")  # learnt as well by narrower networks


def is_painted(style: Array) -> bool:
    """Whether anything of a picture is painted with these weights of the styles (8,)."""
    return _weights(style)[0] <= 1 - _LEAST


def _weights(style: Array) -> list[float]:
    """The same as shares of 1."""
    return (style.clip(min=0) / max(1e-6, float(style.clip(min=0).sum()))).tolist()  # type: ignore[no-any-return]


class Brush(nn.Module):
    """Pictures to painted pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.painters = nn.ModuleDict(
            {style: Shader(n, 3, NARROW if style in _EASY else WIDTH, LAYERS, _TOLD) for style, n in _COUNTS.items()}
        )
        self._textures: Textures | None = None

    def textures(self, device: torch.device) -> Textures:
        """The shared textures there, made when they are first asked for."""
        if self._textures is None or self._textures.grit.device != device:
            self._textures = Textures.on(device)
        return self._textures

    def painted(self, style: str, looks: Looks) -> Tensor:
        """A picture (3, H, W) in one style other than the photograph."""
        seen = torch.stack(SEES[style](looks)).flatten(1).T[None]  # (1, N, features)
        # Too narrow to gain anything from sixteen bits.
        with torch.autocast(seen.device.type, enabled=False):
            painted = self.painters[style](seen, looks.mean)
        return painted[0].T.view(3, looks.height, looks.width)

    def forward(
        self, picture: Tensor, depth: Tensor, camera: tuple[float, float, float, float], style: Array
    ) -> Tensor:
        """A picture (H, W, 3) in about 0..1, its depth in m (H, W), 0 for sky, and weights of the styles (8,): painted.

        camera: x, y in m, yaw, pitch in rad, as the view was given it.
        """
        weights = _weights(style)
        if not is_painted(style):
            return picture
        looks = Looks(picture, depth, camera, self.textures(picture.device))
        seen = [(name, weight) for name, weight in zip(STYLES, weights, strict=True) if weight > _LEAST]
        total = sum(weight for _, weight in seen)
        layers = [(looks.rgb if name == STYLES[0] else self.painted(name, looks)) * (w / total) for name, w in seen]
        return torch.stack(layers).sum(0).permute(1, 2, 0)
