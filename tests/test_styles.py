"""Styles: told apart, steady, understood by name, painted in a running world and in a film."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from worlds import tiny_checkpoint, tiny_model

from model.brush import Brush
from model.conditions import STYLES, Conditions, Easing
from model.diorama.captions import Meaning
from model.diorama.styles import FILTERS
from model.looks import Looks
from model.plan import own_place, planned, wandering
from model.styles import named
from model.training.brush import drawn
from model.wish import Wish
from model.world import WorldError
from oysterd.asking import Refused, check_change, conditions_of
from oysterd.changes import Change, Environment
from oysterd.cli import main

CAMERA = (3.0, 5.0, 0.4, 0.05)
NOBODY: dict[str, Any] = {"motion": None, "presence": None, "environment": {}, "loudness_dbfs": None}


def _hills(height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A picture of blue sky over green land that comes nearer, and its depth."""
    rows = torch.arange(height)[:, None].expand(-1, width) / height
    ridge = 0.4 + 0.1 * torch.sin(torch.arange(width) / width * 9)
    land = rows > ridge
    depth = torch.where(land, 2.6 / (rows - 0.25).clamp(min=0.01), 0.0)
    sky, grass = torch.tensor([0.4, 0.6, 0.9]), torch.tensor([0.3, 0.5, 0.2])
    picture = torch.where(land[..., None], grass * (0.6 + rows[..., None] * 0.6), sky * (1.1 - rows[..., None]))
    return picture, depth


def _weights(style: str) -> np.ndarray:
    return np.eye(len(STYLES), dtype=np.float32)[STYLES.index(style)]


@pytest.mark.parametrize("size", [(90, 160), (216, 384), (271, 400)])
def test_the_brush_paints_pictures_of_any_size_and_leaves_photographs_alone(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    brush = Brush().eval().requires_grad_(False)
    picture, depth = _hills(*size)
    assert brush(picture, depth, CAMERA, _weights("photograph")) is picture
    for style in STYLES[1:]:
        painted = brush(picture, depth, CAMERA, _weights(style))
        assert painted.shape == (*size, 3) and bool(torch.isfinite(painted).all())


def test_a_mixture_lies_between_its_styles_whatever_they_weigh_together() -> None:
    torch.manual_seed(0)
    brush = Brush().eval().requires_grad_(False)
    scene = _hills(90, 160)
    one, other = (brush(*scene, CAMERA, _weights(s)) for s in ("ink", "neon"))
    mixed = brush(*scene, CAMERA, 0.3 * _weights("ink") + 0.3 * _weights("neon"))
    assert torch.allclose(mixed, (one + other) / 2, atol=1e-5)
    half = brush(*scene, CAMERA, 0.5 * _weights("ink") + 0.5 * _weights("photograph"))
    assert torch.allclose(half, (one + scene[0]) / 2, atol=1e-5)


def test_what_the_filters_paint_is_told_apart_and_holds_still() -> None:
    picture, depth, camera = drawn(60_000_003)
    shown, far = torch.from_numpy(picture).float() / 255, torch.from_numpy(depth)
    textures = Brush().textures(torch.device("cpu"))
    seen = (float(camera[0]), float(camera[1]), float(camera[3]), float(camera[4]))
    painted = {name: paint(Looks(shown, far, seen, textures)) for name, paint in FILTERS.items()}
    again = {name: paint(Looks(shown, far, seen, textures)) for name, paint in FILTERS.items()}
    for name, one in painted.items():
        assert one.shape == (3, *far.shape) and bool(torch.isfinite(one).all())
        assert float(one.min()) >= 0 and float(one.max()) < 1.05
        assert torch.equal(one, again[name])
        assert all(float((one - other).abs().mean()) > 0.05 for at, other in painted.items() if at != name)


def test_strokes_keep_their_place_on_what_is_far_while_the_camera_turns() -> None:
    picture, depth = torch.full((216, 384, 3), 0.5), torch.full((216, 384), 500.0)
    textures = Brush().textures(torch.device("cpu"))
    turned = 8 / (3 * 512 / (2 * np.pi))  # eight texels, here pixels, to the right
    before, after = (Looks(picture, depth, (0.0, 0.0, yaw, 0.0), textures).stroke.rank for yaw in (0.0, turned))
    assert torch.equal(before[:, 8:], after[:, :-8])


def test_a_style_eases_in_without_a_jump_and_the_first_is_there_at_once() -> None:
    easing, wish = Easing(own_place(1), wandering(1, 0.0)), Wish()
    found = []
    for index in range(40):
        asked = Conditions(style=_weights("oil") if index == 5 else None)
        plan = planned(asked, wish, easing, 1, index, index / 12, lambda _: Meaning())
        wish, easing = plan.wish, plan.easing
        found.append(plan.style)
    steps = np.abs(np.diff(found, axis=0)).max(1)
    assert steps.max() < 0.05 and np.allclose(np.sum(found, 1), 1, atol=1e-5)
    assert np.array_equal(found[4], _weights("photograph")) and np.allclose(found[-1], _weights("oil"), atol=1e-5)
    first = planned(Conditions(style=_weights("ink")), Wish(), easing, 1, 0, 0.0, lambda _: Meaning())
    assert np.allclose(first.style, _weights("ink"), atol=1e-5)
    kept = Wish.of(json.loads(json.dumps(dataclasses.asdict(wish))))
    assert kept == wish


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("photograph", "photograph"), ("照片", "photograph"), ("Watercolor", "watercolour"), ("水彩画", "watercolour"),
        ("a water-colour", "watercolour"), ("ink wash on paper", "ink"), ("水墨", "ink"), ("in oils, please", "oil"),
        ("油画风格", "oil"), ("anime", "animation"), ("动画", "animation"), ("ukiyo-e", "woodblock"),
        ("版画", "woodblock"), ("NEON night", "neon"), ("霓虹", "neon"),
        ("paper", "paper"), ("a paper cut-out", "paper"), ("剪纸", "paper"),
        ("pink", None), ("cubism", None), ("ink or neon", None), ("", None),
    ],
)  # fmt: skip
def test_names_of_styles_are_understood_in_two_languages(text: str, style: str | None) -> None:
    assert named(text) == style


def test_a_text_that_names_no_style_is_refused_and_says_which_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model()
    monkeypatch.setattr(model.head, "style", lambda embedding: None)
    with pytest.raises(Refused, match=r"style: 'cubism' is none of .*watercolour, ink"):
        conditions_of(NOBODY, Change(style="cubism"), model)
    check_change(Change(style="like a rainy comic"))  # the world's process reads it
    with pytest.raises(Refused, match="describe it by itself"):
        check_change(Change(style="cubism", environment=Environment(rain=1.0)))
    with pytest.raises(WorldError, match="style: 'cubism'"):
        model.begin(None, style="cubism")
    monkeypatch.setattr(model.head, "style", lambda embedding: STYLES.index("animation"))
    asked = conditions_of(NOBODY, Change(style="like a rainy comic"), model).style
    assert asked is not None and np.array_equal(asked, _weights("animation"))


def test_a_world_begins_painted_changes_its_style_and_goes_on_from_a_snapshot(tmp_path: Path) -> None:
    model = tiny_model()
    plain, painted = model.begin(None, seed=4), model.begin(None, seed=4, style="ink")
    one, other = plain.step(), painted.step()
    assert other.applied["style"] == {"ink": 1.0} and not np.array_equal(one.frames, other.frames)
    painted.step(Conditions(style=_weights("neon")))
    painted.save(tmp_path / "world")
    again = model.resume(tmp_path / "world")
    for _ in range(3):
        a, b = painted.step(), again.step()
        assert np.array_equal(a.frames, b.frames) and a.applied == b.applied
    assert set(a.applied["style"]) == {"ink", "neon"}
    with pytest.raises(WorldError, match="style"):
        painted.step(Conditions(style=np.zeros(8, np.float32)))


def test_a_film_is_painted_from_beginning_to_end(tmp_path: Path) -> None:
    (tmp_path / "film.toml").write_text(
        'seconds = 1\nscene = "a lake"\nstyle = "水彩"\n[[at]]\nt = 0.5\nstyle = "woodblock print"\n'
    )
    arguments = ["render", str(tmp_path / "film.toml"), "--out", str(tmp_path / "film.mp4")]
    arguments += ["--receipts", str(tmp_path / "film.json"), "--model", str(tiny_checkpoint(tmp_path))]
    assert main(arguments) == 0
    (receipt,) = json.loads((tmp_path / "film.json").read_text())
    assert receipt["status"] == "applied" and receipt["applied_step"] == 6
