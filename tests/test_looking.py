"""Where the rays of a view look."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from worlds import moment_in

from model.camera import BODIES_M, FARTHEST_M, NEAREST_M, THINGS
from model.field import DETAIL_CELL_M, LAND_CELL_M, SIZE, field_of
from model.looking import CLOSER, STANDING_TO_M, far_looks, has_mountains, looks_along, rings, searched, standing_of
from model.passing import AT, BESIDE, RADIUS, passed, passed_by
from model.raster import relief
from model.shading import Moment, Textures, sample

FIELD = field_of(3)
TEXTURES = Textures.of([FIELD], torch.device("cpu"))
ACROSS = torch.linspace(-0.6, 0.6, 40)[None]
LOOKS = 112
NEAR = searched(LOOKS, NEAREST_M)


def _far(moment: Moment, far: int) -> np.ndarray:
    """Where rays look far off, (40, far)."""
    out, yaw = np.tile(rings(far), (40, 1)), float(moment.camera[0, 3])
    if bool(has_mountains(moment)):
        x, y, across = float(moment.camera[0, 0]), float(moment.camera[0, 1]), ACROSS[0].double().numpy()
        dx, dy = np.sin(yaw) + np.cos(yaw) * across, np.cos(yaw) - np.sin(yaw) * across
        relief.crests(TEXTURES.land.numpy(), x, y, dx, dy, rings(far * CLOSER), out)
    return out


def test_looks_reach_from_near_to_far() -> None:
    looks = looks_along(TEXTURES, moment_in("forest"), ACROSS, LOOKS)
    assert looks.shape == (1, 40, LOOKS) and bool((looks.diff(dim=-1) >= 0).all())
    assert float(looks[..., 0].max()) < 1.01 * NEAREST_M and float(looks[..., -1].min()) > 0.99 * FARTHEST_M


def test_where_nothing_stands_they_are_those_of_every_ray() -> None:
    looks = looks_along(TEXTURES, moment_in("desert"), ACROSS, LOOKS)
    assert torch.allclose(looks, looks[:, :1].expand_as(looks))
    assert float((looks[..., 1:] / looks[..., :-1]).max()) < 1.2


def test_what_is_far_off_is_looked_at_on_every_ray_alike() -> None:
    looks = looks_along(TEXTURES, moment_in("forest"), ACROSS, LOOKS)[0]
    far = int(far_looks(moment_in("forest"), LOOKS)[0])
    assert torch.allclose(looks[:, -far:], looks[:1, -far:].expand(-1, far)) and float(looks[0, -far]) > STANDING_TO_M
    assert float(looks[0, -far - 1]) < 1.1 * STANDING_TO_M


def test_mountains_are_looked_at_more_often() -> None:
    looks = looks_along(TEXTURES, moment_in("mountains"), ACROSS, LOOKS)[0]
    beyond = looks > STANDING_TO_M * 1.001
    assert int(beyond.sum(1).min()) == 42
    assert float((looks[:, -41:] / looks[:, -42:-1]).max()) < 1.15


def test_crests_are_looked_at() -> None:
    moment = moment_in("mountains")
    yaw = float(moment.camera[0, 3])
    looks = looks_along(TEXTURES, moment, ACROSS, LOOKS)[0]
    fine = torch.linspace(300, 1500, 4000)

    def ridge(column: int, z: torch.Tensor) -> torch.Tensor:
        dx = np.sin(yaw) + np.cos(yaw) * float(ACROSS[0, column])
        dy = np.cos(yaw) - np.sin(yaw) * float(ACROSS[0, column])
        return sample(TEXTURES.land, 0, (700 + dx * z) / LAND_CELL_M, (300 + dy * z) / LAND_CELL_M)[..., 1]

    for column in range(40):
        high = ridge(column, fine)
        top = fine[int(high.argmax())]
        near = looks[column][(looks[column] / top - 1).abs() < 0.07]
        assert float(ridge(column, near).max()) > 0.9 * float(high.max())


def test_the_top_of_what_a_ray_crosses_is_looked_at_where_it_belongs_to_the_land() -> None:
    moment = moment_in("forest")
    yaw, found = float(moment.camera[0, 3]), 0
    looks = looks_along(TEXTURES, moment, ACROSS, LOOKS)[0].double()
    at = torch.linspace(BODIES_M[0], BODIES_M[0] + 35, 3500, dtype=torch.float64)
    crown = TEXTURES.detail[:, 0].view(SIZE, SIZE).numpy()

    def height(column: int, z: torch.Tensor) -> np.ndarray:
        dx = np.sin(yaw) + np.cos(yaw) * float(ACROSS[0, column])
        dy = np.cos(yaw) - np.sin(yaw) * float(ACROSS[0, column])
        u = (700 + dx * z.numpy() + FIELD.shift_m[0]) / DETAIL_CELL_M
        v = (300 + dy * z.numpy() + FIELD.shift_m[1]) / DETAIL_CELL_M
        return crown[np.floor(v + 0.5).astype(int) & (SIZE - 1), np.floor(u + 0.5).astype(int) & (SIZE - 1)]

    for column in range(40):
        seen = height(column, at)
        top = float(at[int(seen.argmax())])
        if seen.max() > 0.7:  # no other's edge
            found += 1
            assert height(column, looks[column][(looks[column] - top).abs() < 2]).max() > seen.max() - 0.15
    assert found > 20


def test_the_raster_looks_where_the_view_does() -> None:
    for place in ("forest", "meadow", "bamboo", "desert", "mountains"):
        moment = moment_in(place)
        looks = looks_along(TEXTURES, moment, ACROSS, LOOKS)[0].numpy()
        x, y, yaw = (float(moment.camera[0, k]) for k in (0, 1, 3))
        across = ACROSS[0].double().numpy()
        found = np.zeros((40, LOOKS), np.float32)
        far, things = (int(number) for number in far_looks(moment, LOOKS))
        relief.look(
            TEXTURES.thing.numpy(), x + float(FIELD.shift_m[0]), y + float(FIELD.shift_m[1]),
            np.sin(yaw) + np.cos(yaw) * across, np.cos(yaw) - np.sin(yaw) * across, NEAR,
            _far(moment, far), things,
            *(float(value) for value in standing_of(moment)), found,
        )  # fmt: skip
        # Where a ray all but touches something, the one may find it and the other not.
        same = np.abs(found - looks).max(1) < 1e-3 * FARTHEST_M
        assert same.mean() > 0.9
        assert np.abs(found - looks)[same].max() < 0.05 * FARTHEST_M
        assert np.median(np.abs(found - looks)[same] / looks[same]) < 1e-5


def _passed(moment: Moment) -> list[np.ndarray]:
    """What each ray passes, found one ray after the other."""
    x, y, yaw = (float(moment.camera[0, k]) for k in (0, 1, 3))
    most, slender = (float(value) for value in standing_of(moment))
    out, found = np.zeros((THINGS, 4)), []
    for across in ACROSS[0].double().numpy():
        count = passed(
            TEXTURES.thing.numpy(), x + float(FIELD.shift_m[0]), y + float(FIELD.shift_m[1]),
            np.sin(yaw) + np.cos(yaw) * across, np.cos(yaw) - np.sin(yaw) * across, most, slender, out,
        )  # fmt: skip
        found.append(out[:count].copy())
    return found


@pytest.mark.parametrize("place", ["forest", "bamboo", "reef"])
def test_one_ray_passes_the_same_things_as_among_many(place: str) -> None:
    many = passed_by(TEXTURES, moment_in(place), ACROSS)[0].numpy()
    same = []
    for one, row in zip(_passed(moment_in(place)), many, strict=True):
        row = row[row[:, AT] > 0]
        same.append(len(one) == len(row) and np.allclose(one, row, atol=0.02))
    assert np.mean(same) > 0.9  # what a ray all but touches the one may find and the other not


def test_things_that_are_passed_lie_one_behind_another_and_within_reach() -> None:
    for one in _passed(moment_in("forest")):
        assert len(one) > 0
        assert (np.diff(one[:, AT]) >= 0).all() and (np.abs(one[:, BESIDE]) < one[:, RADIUS]).all()
        assert one[0, AT] > NEAREST_M and one[-1, AT] < BODIES_M[1]
        apart = np.abs(np.diff(one[:, AT])) + np.abs(np.diff(one[:, BESIDE]))
        assert (apart > 0.003).all()  # none twice


def test_nothing_is_passed_where_nothing_stands() -> None:
    assert not bool(passed_by(TEXTURES, moment_in("desert"), ACROSS).any())
