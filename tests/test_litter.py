"""What lies on bare ground."""

from __future__ import annotations

import torch

from model.conditions import GRID
from model.diorama.places import PLACES
from model.field import field_of
from model.litter import BLOOM_M, FINE_M, SHADE, Litter
from model.shading import Moment, Textures

TEXTURES = Textures.of([field_of(1)], torch.device("cpu"))
TOLD = torch.ones(1, 4)
ACROSS = torch.linspace(-0.5, 0.5, 200)[None]
SLOPE, DENSITY = torch.full((1, 5), 2.0), torch.zeros(1)  # steep enough for what is met to lie high
# Rows of a picture, each so far off.
DISTANCE = torch.tensor([4.0, 12.0, 30.0, 60.0, BLOOM_M[0] + 1]).expand(1, 200, 5)


def _bias(litter: Litter) -> torch.nn.Parameter:
    """What is told of every moment, the same for all that is not learnt yet."""
    last = litter.shows[-1]
    assert isinstance(last, torch.nn.Linear)
    return last.bias


def _laid(place: str, litter: Litter, bare: bool = True, shade: torch.Tensor | None = None) -> torch.Tensor:
    """How much litter changes each row of an even picture, (5, 3)."""
    moment = Moment(
        world=torch.zeros(1, dtype=torch.long), place=torch.eye(len(PLACES))[PLACES.index(place)][None],
        environment=torch.zeros(1, 7), flash=torch.zeros(1), camera=torch.zeros(1, 5, dtype=torch.float64),
        shore=torch.zeros(1, 3), phases=torch.zeros(1, 5), presence=torch.zeros(1, *GRID, 2),
    )  # fmt: skip
    picture = torch.full((1, 200, 5, 3), 0.4)
    where = torch.full((1, 200, 5), bare)
    with torch.no_grad():
        laid = litter(TEXTURES, moment, picture, where, DISTANCE, ACROSS, SLOPE, DENSITY, shade, TOLD)
        return (laid - picture).abs().mean((0, 1))


def test_blossoms_open_where_a_place_has_flowers_and_not_far_off() -> None:
    flowery, bare, covered = (
        _laid("meadow", Litter(4)),
        _laid("desert", Litter(4)),
        _laid("meadow", Litter(4), bare=False),
    )
    assert bool((flowery[:4] > 1e-4).all()) and float(flowery[4].max()) == 0
    assert float(bare.max()) == 0 and float(covered.max()) == 0


def test_the_finest_grain_fades_with_distance() -> None:
    litter = Litter(4)
    torch.nn.init.constant_(_bias(litter)[:3], 0.3)  # of the fine grain, each channel
    laid = _laid("street", litter)
    assert float(laid[0].min()) > float(laid[2].max()) > 0.01
    assert FINE_M[0] < 60 and float(laid[3:].max()) == 0


def test_rock_shows_on_mountains_and_walls_alone_at_every_distance() -> None:
    litter = Litter(4)
    torch.nn.init.constant_(_bias(litter)[12:18], 0.3)
    torch.nn.init.constant_(litter.blossoms.bias[2:3], -99)  # none opens
    mountains, cave = _laid("mountains", litter), _laid("cave", litter)
    assert float(mountains[:2].max()) < 1e-6 < 0.01 < float(mountains[3:].min())
    assert float(cave[0].max()) < 1e-6 < 0.002 < float(cave[1:].max())
    assert float(_laid("meadow", litter).max()) < 1e-6


def test_shade_darkens_as_much_as_is_told_of_each_channel() -> None:
    litter, shade = Litter(4), torch.zeros(1, 200, 5)
    torch.nn.init.constant_(litter.blossoms.bias[2:3], -99)  # none opens
    shade[:, :, 1] = 0.5
    with torch.no_grad():
        _bias(litter)[3 * SHADE :] = torch.tensor([-0.2, -0.4, -0.6])
    laid = _laid("meadow", litter, shade=shade)
    torch.testing.assert_close(laid[1], 0.4 * 0.5 * torch.tensor([0.2, 0.4, 0.6]))
    assert float(laid[[0, 2, 3]].max()) < 1e-6
