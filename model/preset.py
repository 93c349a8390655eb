"""Sizes of the model: one table, so that a larger preset is a row and not a copy."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

SHARES = (1.0, 0.75, 0.5, 0.375)  # of a large picture's height and width, at which it may be told
_LEAST_LOOKS = 80  # fewer points a column are not enough for any picture


@dataclass(frozen=True)
class Preset:
    """Every size a checkpoint must agree on. Pictures in pixels, windows in steps (1/12 s)."""

    height: int = 720
    width: int = 1280
    view_looks: int = 112  # points at which a picture's column looks at the land
    view_width: int = 64  # of the networks that tell colours
    ground_width: int = 40  # of those that tell heights
    channels: int = 96  # numbers in a token
    pulse_tokens: int = 1
    sound_tokens: int = 2
    dim: int = 192
    layers: int = 4
    heads: int = 3
    expand: int = 4
    local_window: int = 16  # steps seen by every layer, the present one included
    far_every: int = 2  # every second layer also sees far steps
    far_stride: int = 8  # one far step in eight
    far_count: int = 6  # so the far window reaches 16 + 8 * 6 steps back
    sampling_steps: int = 2

    @property
    def tokens(self) -> int:
        """All tokens of a step."""
        return self.pulse_tokens + self.sound_tokens

    def is_far(self, layer: int) -> bool:
        """Whether a layer also sees the far steps and the first."""
        return (layer + 1) % self.far_every == 0

    def sized(self, height: int) -> Preset:
        """The same with pictures `height` pixels high, of the same shape, and looks enough for them."""
        width = round(height * self.width / self.height / 8) * 8
        looks = (
            self.view_looks
            if height >= self.height
            else max(_LEAST_LOOKS, round(self.view_looks * (height / self.height) ** 0.5))
        )
        return replace(self, height=height, width=width, view_looks=min(self.view_looks, looks))

    def as_dict(self) -> dict[str, int]:
        """Plain numbers, for a checkpoint's metadata."""
        return asdict(self)


PRESETS = {
    # Keeps real time on two cores without matrix units (0.4 TFLOP/s in bf16).
    "nacre": Preset(),
    # For a GPU: 1920x1080. Random weights until it is trained.
    "nacre-gpu": Preset(
        height=1080, width=1920, view_looks=320, view_width=128, ground_width=96, dim=768, layers=16, heads=12
    ),
    # For tests: everything small enough to train and roll out in a second.
    "tiny": Preset(
        height=90, width=160, view_looks=48, view_width=16, ground_width=16, channels=96, dim=48, layers=4, heads=3,
        local_window=4, far_stride=2, far_count=2,
    ),
}  # fmt: skip
