"""In how many bits networks work on a device: sixteen where it has instructions for them, else thirty-two.

A CPU without them, as most desktop PCs have, is twenty times slower in sixteen bits, or has no kernel at all.
"""

from __future__ import annotations

from functools import cache

import torch


@cache
def reduced(kind: str) -> torch.dtype:
    """What networks of many points work in on devices of a kind, such as "cpu"."""
    if kind == "cpu" and not (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()):
        return torch.float32
    return torch.bfloat16


def reducing(kind: str) -> torch.autocast:
    """Networks within work in that."""
    return torch.autocast(kind, torch.bfloat16, enabled=reduced(kind) == torch.bfloat16)
