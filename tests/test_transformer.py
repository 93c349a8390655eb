"""The network seen two ways, over whole sequences and step by step on its cache, is one function."""

from __future__ import annotations

import pytest
import torch
from worlds import random_network

from model.cache import Committed, StepCache
from model.condition_vector import PRESENCE_WIDTH, WIDTH
from model.preset import PRESETS
from model.transformer import Nacre, rotary_table, rotate, time_bias

PRESET = PRESETS["tiny"]


def _by_steps(network: Nacre, latents: torch.Tensor, level: torch.Tensor, conditions: torch.Tensor) -> torch.Tensor:
    cache = StepCache(PRESET, torch.device("cpu"))
    presence = torch.zeros(PRESET.rows * PRESET.cols, PRESENCE_WIDTH)
    given = []
    for step in range(len(latents)):
        here = rotary_table(torch.tensor([step]), PRESET.dim // PRESET.heads // 2)
        near, far = cache.prepare(step)
        x, modulation = network.embed(latents[step], level[step], conditions[step], presence)
        committed = []
        for block, layer in zip(network.layers, cache.layers, strict=True):
            x, kept = block.step(x, modulation, here, layer.keys, layer.values, far if block.far else near)
            committed.append(Committed(*kept))
        cache.commit(step, committed)
        given.append(network.unembed(x))
    return torch.stack(given)


def test_steps_on_the_cache_equal_the_whole_sequence() -> None:
    """Over as many steps as the far window reaches: rings wrap, far steps and the sink come into sight."""
    steps = PRESET.local_window + PRESET.far_stride * PRESET.far_count
    network = random_network(PRESET).eval()
    torch.manual_seed(1)
    latents, level = torch.randn(steps, PRESET.tokens, PRESET.channels), torch.rand(steps)
    conditions = torch.randn(steps, WIDTH)
    presence = torch.zeros(steps, PRESET.rows * PRESET.cols, PRESENCE_WIDTH)
    with torch.no_grad():
        whole = network(latents[None], level[None], conditions[None], presence[None])[0]
        stepped = _by_steps(network, latents, level, conditions)
    assert whole.std() > 0.1
    torch.testing.assert_close(stepped, whole, atol=2e-4, rtol=1e-3)


def test_the_future_is_not_seen() -> None:
    network = random_network(PRESET).eval()
    torch.manual_seed(2)
    latents, level = torch.randn(1, 8, PRESET.tokens, PRESET.channels), torch.rand(1, 8)
    conditions, presence = torch.randn(1, 8, WIDTH), torch.zeros(1, 8, PRESET.rows * PRESET.cols, PRESENCE_WIDTH)
    changed = latents.clone()
    changed[:, 5:] += 1
    with torch.no_grad():
        before, after = (network(x, level, conditions, presence) for x in (latents, changed))
    torch.testing.assert_close(before[:, :5], after[:, :5])
    assert (before[:, 5] - after[:, 5]).abs().max() > 1e-3


@pytest.mark.parametrize("far", [False, True])
def test_windows_see_what_they_should(far: bool) -> None:
    seen = time_bias(PRESET, 12, far)[11] == 0  # window 4; one in 2 further back for 2 * 2 steps; the first
    expected = [8, 9, 10, 11] + ([0, 4, 6] if far else [])
    assert seen.nonzero().flatten().tolist() == sorted(expected)


def test_rotary_positions_stay_exact_for_days() -> None:
    """Only the distance of two steps counts, also a month into the world's life."""
    month = 30 * 24 * 3600 * 12
    q, k = torch.randn(1, 16), torch.randn(1, 16)
    scores = [
        (rotate(q, rotary_table(torch.tensor([at + 7]), 8)) * rotate(k, rotary_table(torch.tensor([at]), 8))).sum()
        for at in (0, month)
    ]
    torch.testing.assert_close(scores[0], scores[1], atol=1e-5, rtol=1e-5)
