"""A block's step in one kernel against PyTorch's."""

from __future__ import annotations

import torch

from model.cache import LayerCache
from model.preset import PRESETS
from model.quick_step import QuickBlock
from model.transformer import Block, rotary_table


@torch.inference_mode()
def test_the_kernel_is_the_same_function_as_the_block() -> None:
    torch.manual_seed(0)
    preset = PRESETS["tiny"]
    block = Block(preset, far=True).eval()
    heads, wide, slots = preset.heads, preset.dim // preset.heads, 7
    block.modulation.copy_(torch.randn(9, preset.dim) * 0.3)
    shape = preset.tokens, heads, slots, wide
    cache = LayerCache(torch.randn(shape), torch.randn(shape), torch.zeros(preset.tokens, heads, 1, wide))
    x, modulation = torch.randn(preset.tokens, preset.dim), torch.randn(9, preset.dim) * 0.3
    here, bias = rotary_table(torch.tensor([12_345]), wide // 2), torch.zeros(slots + 1)
    bias[2:5] = -torch.inf
    told, kept = block.step(x, modulation, here, cache.keys, cache.values, bias)
    quick, committed = QuickBlock(block).step(x, modulation, here, cache, bias)
    for slow, fast in zip((told, *kept), (quick, committed.key, committed.raw, committed.value), strict=True):
        torch.testing.assert_close(fast, slow, rtol=2e-4, atol=2e-5)
