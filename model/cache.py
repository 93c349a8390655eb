"""The persistent attention state: keys and values of committed steps in static rings, with the first step pinned.

Slots are, in this order: a ring of the steps of the local window, and in far layers a ring of one step in
`far_stride` and one slot for the first step (the sink). Nothing is ever moved or grown; a step overwrites the oldest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from model.preset import Preset
from model.transformer import rotary_table, rotate


@dataclass
class LayerCache:
    """Keys and values of one layer, float32 (tokens, heads, slots, head_dim); 32 bits, for they are read often.

    Keys are rotated to their own step. The sink's place is clamped, so its unrotated key is kept beside.
    """

    keys: Tensor
    values: Tensor
    sink: Tensor


@dataclass(frozen=True)
class Committed:
    """What a layer computed for a step: rotated key, unrotated key and value, each (tokens, heads, 1, head_dim)."""

    key: Tensor
    raw: Tensor
    value: Tensor


class StepCache:
    """All layers' rings, and which step each slot holds (−1 while empty)."""

    def __init__(self, preset: Preset, device: torch.device) -> None:
        self.preset, self.device = preset, device
        self.local = preset.local_window - 1  # the window counts the present step
        # Far steps wait in their ring until they leave the local window, and only then are seen there.
        self.far = preset.far_count + -(-preset.local_window // preset.far_stride)
        self.slots = np.full(self.local + self.far + 1, -1, np.int64)
        self.layers: list[LayerCache] = []
        head = preset.dim // preset.heads
        for index in range(preset.layers):
            slots = len(self.slots) if preset.is_far(index) else self.local
            shape = (preset.tokens, preset.heads, slots, head)
            keys, values = (torch.zeros(shape, device=device) for _ in range(2))
            self.layers.append(LayerCache(keys, values, torch.zeros_like(keys[:, :, :1])))

    def prepare(self, step: int) -> tuple[Tensor, Tensor]:
        """Attention biases of `step` over the local slots and over all, itself last: 0 where seen, −inf where not.

        Also turns the sink's keys to where this step sees it: never further off than the far window reaches, since
        further away it would look like nothing it was trained on.
        """
        p = self.preset
        reach = p.local_window + p.far_stride * p.far_count - 1
        table = rotary_table(torch.tensor([max(0, step - reach)]), p.dim // p.heads // 2).to(self.device)
        for index, layer in enumerate(self.layers):
            if p.is_far(index):
                layer.keys[:, :, -1:] = rotate(layer.sink, table)
        local, far, first = self.slots[: self.local], self.slots[self.local : -1], self.slots[-1:]
        gone = step - p.local_window
        near_seen = (local >= 0) & (local > gone)
        far_seen = (far >= 0) & (far <= gone) & (far > gone - p.far_stride * p.far_count)
        # While the first step is still one of the far ones it counts once, as in training.
        sink_seen = (first >= 0) & (first <= gone) & (not bool((far_seen & (far == 0)).any()))
        itself = np.array([True])
        return (
            self._bias(np.concatenate([near_seen, itself])),
            self._bias(np.concatenate([near_seen, far_seen, sink_seen, itself])),
        )

    def _bias(self, seen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Tensor:
        return torch.zeros(len(seen)).masked_fill(~torch.from_numpy(seen), float("-inf")).to(self.device)

    def commit(self, step: int, layers: list[Committed]) -> None:
        """Keep what every layer computed for `step`."""
        near = step % self.local
        is_far = step % self.preset.far_stride == 0
        far = self.local + (step // self.preset.far_stride) % self.far
        self.slots[near] = step
        if is_far:
            self.slots[far] = step
        if step == 0:
            self.slots[-1] = 0
        for cache, new in zip(self.layers, layers, strict=True):
            cache.keys[:, :, near : near + 1], cache.values[:, :, near : near + 1] = new.key, new.value
            if cache.keys.shape[2] > self.local:
                if is_far:
                    cache.keys[:, :, far : far + 1], cache.values[:, :, far : far + 1] = new.key, new.value
                if step == 0:
                    cache.sink, cache.values[:, :, -1:] = new.raw.clone(), new.value

    def copy(self) -> StepCache:
        """Another cache with the same content."""
        other = StepCache(self.preset, self.device)
        other.load(self.tensors())
        return other

    def tensors(self) -> dict[str, Tensor]:
        """The whole content by name, on the CPU, sharing nothing with the cache."""
        named = {"slots": torch.from_numpy(self.slots.copy())}
        for index, layer in enumerate(self.layers):
            for name in ("keys", "values", "sink"):
                named[f"{index}.{name}"] = getattr(layer, name).detach().cpu().clone()
        return named

    def load(self, named: dict[str, Tensor]) -> None:
        """Take the content that `tensors` gave. Raises ValueError when it is another preset's."""
        self.slots = named["slots"].numpy().copy()
        for index, layer in enumerate(self.layers):
            for name in ("keys", "values", "sink"):
                value = named[f"{index}.{name}"]
                if value.shape != getattr(layer, name).shape:
                    raise ValueError(f"layer {index}'s {name} are {tuple(value.shape)}, not of this model's sizes")
                setattr(layer, name, value.to(self.device, copy=True))
