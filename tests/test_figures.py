"""Figures stand in the picture where they are placed, before what is behind them, and nowhere else."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from model import outlook
from model.conditions import CHARACTERS, FAIR, FIGURES
from model.diorama import figures as teacher
from model.diorama.places import PLACES
from model.figures import OUTPUTS, Figures, stage_of
from model.shading import Moment
from model.sprites import BOXES, KINDS, Placed, seen_walker
from model.training import figures as training
from model.walker import Walker

COLUMNS, ROWS = 96, 54
WALKER = Walker(10.0, 20.0, 2.6)


@cache
def _figures() -> Figures:
    torch.manual_seed(3)
    return Figures().eval().requires_grad_(False)


def _moment() -> Moment:
    place = np.eye(len(PLACES), dtype=np.float32)[:1]
    return outlook.moments([WALKER], place, FAIR[None].copy(), torch.device("cpu"))


def _one(
    kind: str, u: float = 0.5, v: float = 0.5, half: float = 0.2, distance: float = 10.0, **other: float
) -> Placed:
    return Placed(KINDS.index(kind), u, v, half, distance, True, other.get("tilt", 0.0), (0.2, 1.0, 0.0, 0.3, 0.5))


def _laid(shown: list[Placed], depth: float | torch.Tensor = 0.0) -> torch.Tensor:
    """How much figures change of an even picture, (C, R)."""
    land = depth if isinstance(depth, torch.Tensor) else torch.full((1, COLUMNS, ROWS), depth)
    with torch.inference_mode():
        picture = _figures()(torch.full((1, COLUMNS, ROWS, 3), 0.5), land, _moment(), shown)
    return (picture - 0.5).abs().amax(-1)[0]


def test_nothing_is_changed_outside_of_the_box() -> None:
    change = _laid([_one("kitten", u=0.3, half=0.15)])
    wide = BOXES[0][0] * 0.15 * ROWS / COLUMNS
    columns = (torch.arange(COLUMNS) + 0.5) / COLUMNS
    outside = (columns < 0.3 - wide - 1 / COLUMNS) | (columns > 0.3 + wide + 1 / COLUMNS)
    assert change[outside].max() == 0 and change[~outside].max() > 0.01
    assert change[:, : int(ROWS * 0.33)].max() == 0 and change[:, int(ROWS * 0.68) :].max() == 0


def test_land_hides_what_stands_behind_it() -> None:
    assert _laid([_one("deer", distance=20.0)], 8.0).max() == 0
    assert _laid([_one("deer", distance=20.0)], 40.0).max() > 0.01
    depth = torch.full((1, COLUMNS, ROWS), 0.0)
    depth[:, : COLUMNS // 2] = 5.0
    half = _laid([_one("deer", distance=20.0)], depth)
    assert half[: COLUMNS // 2].max() == 0 and half[COLUMNS // 2 :].max() > 0.01


def test_the_walker_stands_before_everything() -> None:
    for character in range(len(CHARACTERS)):
        assert _laid([seen_walker(WALKER, character)], 2.3).max() > 0.01


def test_many_together_are_what_each_is_alone() -> None:
    """Of all sizes and kinds at once, told in groups and padded."""
    shown = [_one(kind, u=0.1 + 0.06 * n, half=0.03 + 0.012 * (n % 5)) for n, kind in enumerate(FIGURES)]
    apart = [one for n, one in enumerate(shown) if n in (0, 6, 12)]
    together, alone = _laid(apart), torch.stack([_laid([one]) for one in apart]).amax(0)
    torch.testing.assert_close(together, alone, atol=3e-3, rtol=0)
    assert torch.isfinite(_laid(shown)).all()


@pytest.mark.parametrize("u", [-0.05, 0.0, 1.0, 1.05])
def test_a_figure_may_stand_at_the_edge(u: float) -> None:
    assert torch.isfinite(_laid([_one("whale", u=u, v=0.02, half=0.4, tilt=0.5)])).all()


def test_no_figures_no_change() -> None:
    assert _laid([]).max() == 0


def test_where_nothing_ever_is_nothing_is_asked_for() -> None:
    figures = Figures().eval().requires_grad_(False)
    figures.occupied[KINDS.index("fox"), stage_of(0.0)] = 0
    picture = torch.full((1, COLUMNS, ROWS, 3), 0.5)
    with torch.inference_mode():
        figures(picture, torch.zeros(1, COLUMNS, ROWS), _moment(), [_one("fox")])
    assert (picture == 0.5).all()


@pytest.mark.parametrize("kind", range(len(KINDS)), ids=KINDS)
def test_the_teacher_draws_every_kind_inside_its_box(kind: int) -> None:
    rng = np.random.default_rng(kind)
    wide = BOXES[kind][0]
    x, y = np.meshgrid(np.linspace(-wide, wide, 48, dtype=np.float32), np.linspace(-1, 1, 48, dtype=np.float32))
    poses = training.random_poses(rng, kind, 6)
    if KINDS[kind] in ("fireflies", "fireworks", "meteor"):  # at their brightest
        poses[:, 2] = np.clip(poses[:, 2], 0.5, 0.8)
    told = teacher.tell(kind, np.tile(x.ravel(), (6, 1)), np.tile(y.ravel(), (6, 1)), poses)
    assert told.shape == (6, 48 * 48, OUTPUTS) and np.isfinite(told).all() and told.min() >= 0 and told.max() <= 1
    cover = told[..., 5].reshape(6, 48, 48)
    assert cover.max((1, 2)).min() > 0.3 and cover[:, [0, -1]].max() < 1e-3 and cover[:, :, [0, -1]].max() < 1e-3


def test_a_step_moves_the_legs() -> None:
    x, y = np.meshgrid(np.linspace(-1, 1, 40, dtype=np.float32), np.linspace(-1, 1, 40, dtype=np.float32))
    poses = np.array([[gait, moving, 0, 0.3, 0.5] for moving in (0, 1) for gait in (0.0, 0.25)], np.float32)
    points = np.tile(x.ravel(), (4, 1)), np.tile(y.ravel(), (4, 1))
    still, same, one, other = teacher.tell(KINDS.index("deer"), points[0], points[1], poses)[..., 5]
    assert np.abs(one - other).mean() > 0.02 > np.abs(still - same).mean()


def test_night_is_darker_and_lanterns_shine_in_it() -> None:
    day, night = (np.array([sun, 0.2, 0, 0, 0, 0.2, 0.5]) for sun in (0.9, -0.6))
    told = np.array([[0.9, 0.6, 0.3, 0.7, 0.0, 1.0], [0.9, 0.6, 0.3, 0.7, 1.0, 1.0]], np.float32)
    (dull_day, lamp_day), (dull_night, lamp_night) = (teacher.lit(told, *teacher.light(w, 0.0)) for w in (day, night))
    assert dull_night.mean() < 0.4 * dull_day.mean() and lamp_night == pytest.approx(lamp_day)
    assert teacher.unveiled(np.array([0.5, 0, 0.8, 0, 0, 0, 0]), 60.0) < 0.3 < teacher.unveiled(day, 60.0)


def test_training_goes_on_from_its_checkpoint_and_learns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "POSES", 3)
    monkeypatch.setattr(training, "POINTS", 24)
    monkeypatch.setattr(training, "occupied", lambda _kind: np.ones((8, 32, 32), np.float32))
    for updates in (3, 18):
        arguments = ["figures", "--work", str(tmp_path), "--updates", str(updates), "--plan-minutes", "30"]
        monkeypatch.setattr("sys.argv", [*arguments, "--rate", "0.1"])
        training.main()
    first, last = ((tmp_path / "figures.tsv").read_text().splitlines()[k].split("\t") for k in (0, 1))
    assert (first[0], last[0]) == ("3", "18") and float(last[1]) < 0.97 * float(first[1])
