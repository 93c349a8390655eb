"""Sizes of the model: one table, so that a larger preset is a row and not a copy."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Preset:
    """Every size a checkpoint must agree on. Pictures in pixels, windows in steps (1/12 s)."""

    height: int = 270
    width: int = 480
    rows: int = 5
    cols: int = 8
    channels: int = 96  # numbers in a token
    thumb_tokens: int = 2
    sound_tokens: int = 2
    reduction: int = 3  # how many times smaller the picture is moved with the camera
    dim: int = 192
    layers: int = 6
    heads: int = 3
    expand: int = 4
    local_window: int = 16  # steps seen by every layer, the present one included
    far_every: int = 3  # every third layer also sees far steps
    far_stride: int = 8  # one far step in eight
    far_count: int = 6  # so the far window reaches 16 + 8 * 6 steps back
    sampling_steps: int = 3

    @property
    def picture_tokens(self) -> int:
        """Thumbnail and patch tokens of a step."""
        return self.thumb_tokens + self.rows * self.cols

    @property
    def tokens(self) -> int:
        """All tokens of a step."""
        return self.picture_tokens + self.sound_tokens

    def is_far(self, layer: int) -> bool:
        """Whether a layer also sees the far steps and the first."""
        return (layer + 1) % self.far_every == 0

    def as_dict(self) -> dict[str, int]:
        """Plain numbers, for a checkpoint's metadata."""
        return asdict(self)


PRESETS = {
    # Keeps real time on two cores without matrix units (0.4 TFLOP/s in bf16).
    "nacre": Preset(),
    # For a GPU: 1280x720 decoded directly. Random weights until it is trained.
    "nacre-gpu": Preset(
        height=720, width=1280, rows=9, cols=16, channels=128, thumb_tokens=4, reduction=4, dim=768, layers=16, heads=12
    ),
    # For tests: everything small enough to train and roll out in a second.
    "tiny": Preset(
        height=90,
        width=160,
        channels=32,
        reduction=1,
        dim=48,
        layers=3,
        heads=3,
        local_window=4,
        far_stride=2,
        far_count=2,
    ),
}
