"""Small networks over many points in one kernel against PyTorch's layers."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from model.quick_points import through
from model.shading import Shader

SIZES = [(36, 40, 40, 40, 5), (7, 24, 24, 1), (14, 24, 24, 1), (8, 16, 3), (1, 3, 2), (19, 30, 9)]


def layers_of(sizes: tuple[int, ...]) -> list[tuple[Tensor, Tensor]]:
    return [(torch.randn(b, a) / a**0.5, torch.randn(b)) for a, b in pairwise(sizes)]


def plain(x: Tensor, layers: list[tuple[Tensor, Tensor]]) -> Tensor:
    x = x.float()
    for weight, bias in layers[:-1]:
        x = F.linear(x, weight, bias).relu()
    return F.linear(x, *layers[-1])


def laid(x: Tensor, layout: str) -> Tensor:
    """The same numbers, as they may lie in memory."""
    if layout == "rows":
        return x.contiguous()
    if layout == "columns":
        return x.T.contiguous().T
    wide = x.new_full((x.shape[1], len(x) + 5), torch.nan)  # the first points of more
    wide[:, : len(x)] = x.T
    return wide[:, : len(x)].T


@torch.inference_mode()
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("layout", ["rows", "columns", "some columns"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_the_kernel_is_the_same_function_as_the_layers(sizes: tuple[int, ...], layout: str, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    layers = layers_of(sizes)
    for count in (1, 2, 23, 24, 25, 97, 1001):
        x = torch.randn(count, sizes[0]).to(dtype)
        told = through(laid(x, layout), layers)
        assert told.is_contiguous()
        torch.testing.assert_close(told, plain(x, layers), rtol=1e-4, atol=1e-5)
    assert through(laid(x[:0], layout), layers).shape == (0, sizes[-1])


@torch.inference_mode()
@pytest.mark.parametrize("layout", ["rows", "columns"])
def test_a_point_is_told_the_same_wherever_it_stands(layout: str) -> None:
    torch.manual_seed(0)
    layers, x = layers_of((7, 24, 24, 1)), torch.randn(211, 7).bfloat16()
    told = through(laid(x, layout), layers)
    for first in (1, 13, 100, 210):
        assert torch.equal(through(laid(x[first:], layout), layers), told[first:])


@torch.inference_mode()
@pytest.mark.parametrize("layout", ["rows", "columns"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_what_is_not_finite_stays_so_and_by_itself(layout: str, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    layers, x = layers_of((7, 24, 24, 3)), torch.randn(100, 7).to(dtype)
    x[3, 2], x[40, 6], x[99, 0] = torch.nan, torch.inf, -torch.inf
    told, expected = through(laid(x, layout), layers), plain(x, layers)
    assert told[3].isnan().all()
    assert torch.equal(told.isfinite(), expected.isfinite())
    assert not told[[3, 40, 99]].isfinite().any()
    layers[0][1][5] = torch.nan
    assert through(laid(x, layout), layers).isnan().all()


@torch.no_grad()
@pytest.mark.parametrize("layout", ["rows", "columns"])
def test_a_shader_says_the_same_without_gradients(layout: str) -> None:
    """With them, it goes through PyTorch's layers."""
    torch.manual_seed(0)
    shader, x, told = Shader(9, 3, 16, 2, 4), torch.randn(150, 7), torch.randn(1, 4)
    quick = shader(laid(x, layout)[None], told)[0]
    with torch.enable_grad():
        torch.testing.assert_close(quick, shader(x[None], told)[0].detach(), rtol=1e-4, atol=1e-5)
