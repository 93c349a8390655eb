"""The network seen two ways, over whole sequences and step by step on its cache, is one function."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from worlds import random_network

from model.cache import Committed, StepCache
from model.condition_vector import WIDTH
from model.preset import PRESETS
from model.transformer import Nacre, Seen, rotary_table, rotate, time_bias

PRESET = PRESETS["tiny"]


def _random_sequence(steps: int, seed: int) -> Seen:
    torch.manual_seed(seed)
    latents = torch.randn(1, steps, PRESET.tokens, PRESET.channels)
    return Seen(latents, torch.rand(1, steps), torch.randn(1, steps, WIDTH))


def _at(seen: Seen, step: int) -> Seen:
    return Seen(*(getattr(seen, field.name)[0, step] for field in dataclasses.fields(Seen)))


def _by_steps(network: Nacre, seen: Seen) -> torch.Tensor:
    cache = StepCache(PRESET, torch.device("cpu"))
    given = []
    for step in range(seen.level.shape[1]):
        here = rotary_table(torch.tensor([step]), PRESET.dim // PRESET.heads // 2)
        near, far = cache.prepare(step)
        x, modulation = network.embed(_at(seen, step))
        committed = []
        for block, layer in zip(network.layers, cache.layers, strict=True):
            x, kept = block.step(x, modulation, here, layer.keys, layer.values, far if block.far else near)
            committed.append(Committed(*kept))
        cache.commit(step, committed)
        given.append(network.unembed(x))
    return torch.stack(given)


def test_steps_on_the_cache_equal_the_whole_sequence() -> None:
    """Over as many steps as the far window reaches: rings wrap, far steps and the sink come into sight."""
    network = random_network(PRESET).eval()
    seen = _random_sequence(PRESET.local_window + PRESET.far_stride * PRESET.far_count, 1)
    with torch.no_grad():
        whole = network(seen)[0]
        stepped = _by_steps(network, seen)
    assert whole.std() > 0.1
    torch.testing.assert_close(stepped, whole, atol=2e-4, rtol=1e-3)


def test_the_future_is_not_seen() -> None:
    network = random_network(PRESET).eval()
    seen = _random_sequence(8, 2)
    changed = seen.latents.clone()
    changed[:, 5:] += 1
    with torch.no_grad():
        before, after = network(seen), network(dataclasses.replace(seen, latents=changed))
    torch.testing.assert_close(before[:, :5], after[:, :5])
    assert (before[:, 5] - after[:, 5]).abs().max() > 1e-3


def test_the_linear_guess_is_the_posterior_of_a_gaussian_world() -> None:
    """In a world that is Gaussian the guess is as near as can be, and its deviation is its error's."""
    network = Nacre(PRESET)
    network.spread.fill_(0.7)
    torch.manual_seed(3)
    shape, level = (4000, PRESET.tokens, PRESET.channels), 0.4
    now = 0.7 * torch.randn(shape)
    latents = now * (1 - level) + torch.randn(shape) * level
    guess, deviation = network.estimate(Seen(latents, torch.full(shape[:1], level), torch.zeros(1)), torch.zeros(shape))
    error = guess - now
    torch.testing.assert_close(error.std(), deviation.mean(), rtol=0.01, atol=0)
    # Nothing that was seen is left in the error.
    assert abs(float((error * latents).mean())) < 2e-3


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
