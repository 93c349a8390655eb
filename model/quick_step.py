"""A block's step on a CPU in one kernel: its few tokens cost PyTorch more in calls than in products.

The same function of the same weights as `model.transformer.Block.step`, in 32 bits.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.cache import Committed, LayerCache
from model.raster.texture import inlined, kernel
from model.transformer import Block

Array = NDArray[np.float32]
_EPS = np.float32(np.finfo(np.float32).eps)  # as PyTorch's rms_norm has it


@inlined
def _linear(x, weight, out):  # type: ignore[no-untyped-def]
    """x (S, n) by weight (m, n) into out (S, m); each row of weights is read once for three tokens."""
    tokens, n = x.shape
    for at in range(0, tokens - tokens % 3, 3):
        p, q, r = x[at], x[at + 1], x[at + 2]
        for o in range(weight.shape[0]):
            row = weight[o]
            a = b = c = np.float32(0)
            for i in range(n):
                w = row[i]
                a += w * p[i]
                b += w * q[i]
                c += w * r[i]
            out[at, o], out[at + 1, o], out[at + 2, o] = a, b, c
    for at in range(tokens - tokens % 3, tokens):
        for o in range(weight.shape[0]):
            a = np.float32(0)
            for i in range(n):
                a += weight[o, i] * x[at, i]
            out[at, o] = a


@inlined
def _rms(x):  # type: ignore[no-untyped-def]
    total = np.float32(0)
    for i in range(len(x)):
        total += x[i] * x[i]
    return np.float32(1) / math.sqrt(total / len(x) + _EPS)


@inlined
def _normed(x, scale, shift, out):  # type: ignore[no-untyped-def]
    for s in range(len(x)):
        gain = _rms(x[s])
        for i in range(x.shape[1]):
            out[s, i] = shift[i] + x[s, i] * gain * (1 + scale[i])


@inlined
def _softmax(score):  # type: ignore[no-untyped-def]
    most = score.max()
    total = np.float32(0)
    for i in range(len(score)):
        score[i] = math.exp(score[i] - most) if score[i] > most - 80 else np.float32(0)
        total += score[i]
    for i in range(len(score)):
        score[i] /= total


@kernel
def _step(  # type: ignore[no-untyped-def]
    x, m, cos, sin, keys, values, bias, space_in, space_out, time_in, time_out, feed_in, feed_out, key, raw, value
):
    """x (S, d) becomes what the block makes of it; key, raw, value (S, heads, head_dim): what it is to remember."""
    tokens, dim = x.shape
    heads, slots, wide = keys.shape[1], keys.shape[2], keys.shape[3]
    half, scale = wide // 2, np.float32(1 / math.sqrt(wide))
    h, projected, mixed = np.empty((tokens, dim), np.float32), np.empty((tokens, 3 * dim), np.float32), np.empty(
        (tokens, dim), np.float32
    )  # fmt: skip
    _normed(x, m[0], m[1], h)
    _linear(h, space_in, projected)
    # q and k of each head, normalised in their place.
    for s in range(tokens):
        for part in range(2 * heads):
            row = projected[s, part * wide : (part + 1) * wide]
            row *= _rms(row)
    score = np.empty(tokens, np.float32)
    for s in range(tokens):
        for head in range(heads):
            at = head * wide
            for t in range(tokens):
                a = np.float32(0)
                for i in range(wide):
                    a += projected[s, at + i] * projected[t, dim + at + i]
                score[t] = a * scale
            _softmax(score)
            for i in range(wide):
                a = np.float32(0)
                for t in range(tokens):
                    a += score[t] * projected[t, 2 * dim + at + i]
                mixed[s, at + i] = a
    _linear(mixed, space_out, h)
    for s in range(tokens):
        for i in range(dim):
            x[s, i] += m[2, i] * h[s, i]
    _normed(x, m[3], m[4], h)
    _linear(h, time_in, projected)
    seen, q = np.empty(slots + 1, np.float32), np.empty(wide, np.float32)
    for s in range(tokens):
        for head in range(heads):
            at = head * wide
            gain_q, gain_k = _rms(projected[s, at : at + wide]), _rms(projected[s, dim + at : dim + at + wide])
            for i in range(half):
                a, b = projected[s, at + i] * gain_q, projected[s, at + half + i] * gain_q
                q[i], q[half + i] = a * cos[i] - b * sin[i], a * sin[i] + b * cos[i]
                a, b = projected[s, dim + at + i] * gain_k, projected[s, dim + at + half + i] * gain_k
                raw[s, head, i], raw[s, head, half + i] = a, b
                key[s, head, i], key[s, head, half + i] = a * cos[i] - b * sin[i], a * sin[i] + b * cos[i]
            for i in range(wide):
                value[s, head, i] = projected[s, 2 * dim + at + i]
            for t in range(slots + 1):
                if bias[t] < 0:
                    seen[t] = -np.inf
                    continue
                other = keys[s, head, t] if t < slots else key[s, head]
                a = np.float32(0)
                for i in range(wide):
                    a += q[i] * other[i]
                seen[t] = a * scale
            _softmax(seen)
            for i in range(wide):
                mixed[s, at + i] = seen[slots] * value[s, head, i]
            for t in range(slots):
                if seen[t] > 0:
                    for i in range(wide):
                        mixed[s, at + i] += seen[t] * values[s, head, t, i]
    _linear(mixed, time_out, h)
    for s in range(tokens):
        for i in range(dim):
            x[s, i] += m[5, i] * h[s, i]
    _normed(x, m[6], m[7], h)
    inner = np.empty((tokens, feed_in.shape[0]), np.float32)
    _linear(h, feed_in, inner)
    for s in range(tokens):
        for i in range(inner.shape[1]):
            a = inner[s, i]
            inner[s, i] = (
                np.float32(0.5) * a * (1 + math.tanh(np.float32(0.7978845608) * (a + np.float32(0.044715) * a * a * a)))
            )
    _linear(inner, feed_out, h)
    for s in range(tokens):
        for i in range(dim):
            x[s, i] += m[8, i] * h[s, i]


class QuickBlock:
    """One block's weights, as the kernel reads them."""

    def __init__(self, block: Block) -> None:
        self._modulation = block.modulation
        layers = block.space_in, block.space_out, block.time_in, block.time_out, block.feed_in, block.feed_out
        self._weights = [layer.weight.detach().numpy() for layer in layers]

    def step(
        self, x: Tensor, modulation: Tensor, here: Tensor, cache: LayerCache, bias: Tensor
    ) -> tuple[Tensor, Committed]:
        """As `Block.step`, which says what all of these are; x is left as it is."""
        out, m = x.numpy().copy(), (modulation + self._modulation).numpy()
        tokens, heads, _, wide = cache.keys.shape
        key, raw, value = np.empty((3, tokens, heads, wide), np.float32)
        cos, sin = here[:, 0].numpy()
        past = cache.keys.numpy(), cache.values.numpy()
        _step(out, m, cos, sin, *past, bias.numpy(), *self._weights, key, raw, value)
        committed = (torch.from_numpy(part)[:, :, None] for part in (key, raw, value))
        return torch.from_numpy(out), Committed(*committed)
