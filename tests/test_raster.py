"""The raster's pictures against the view's: the same function of the same weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from model.conditions import GRID
from model.outlook import moments
from model.precision import reducing
from model.raster.raster import Raster
from model.raster.strip import LARGE
from model.shading import Moment, Textures
from model.world import WorldModel, load


@pytest.fixture(scope="module")
def model() -> WorldModel:
    return load("nacre", height=144)


def looked_at(model: WorldModel, scene: str, **environment: float) -> tuple[Textures, Moment]:
    world = model.begin(scene, seed=3)
    moment = moments([world.walker], world.easing.place[None], world.easing.environment[None], model.device)
    for name, value in environment.items():
        moment.environment[:, ("sun_rad", "cloud", "fog", "rain", "snow", "wind", "energy").index(name)] = value
    return world.textures, moment


@torch.inference_mode()
def both(model: WorldModel, textures: Textures, moment: Moment, height: int, width: int) -> tuple[np.ndarray, ...]:
    with reducing("cpu"):
        shown, depth = model.view.picture(textures, moment, height, width)
        picture, far = Raster(model.view).picture(textures, moment, height, width)
    return shown[0].float().numpy(), depth[0].float().numpy(), picture.transpose(1, 0, 2), far.T


@pytest.mark.parametrize(
    "scene",
    ["a meadow at noon", "a coast", "a street at night", "a reef", "a cave", "lanterns at night", "a starfield"],
)
def test_the_raster_shows_what_the_view_shows(model: WorldModel, scene: str) -> None:
    shown, depth, picture, far = both(model, *looked_at(model, scene), 144, 256)
    wrong = np.abs(shown.clip(0, 1) - picture.clip(0, 1))
    assert wrong.mean() < 0.8 / 255
    assert np.quantile(wrong, 0.99) < 18 / 255  # shadows and feet of trees, which it knows at points of a grid
    assert (np.abs(depth - far) > 0.03 * np.maximum(1, depth)).mean() < 0.04


@torch.inference_mode()
def test_a_picture_does_not_depend_on_what_was_drawn_before(model: WorldModel) -> None:
    """So that a world that is resumed elsewhere is the same to the bit."""
    raster, scene = Raster(model.view), looked_at(model, "a forest at noon")
    with reducing("cpu"):
        first = raster.picture(*scene, 144, 256)[0].copy()
        for other in ("a reef", "a lake"):
            raster.picture(*looked_at(model, other), 144, 256)
        again = raster.picture(*scene, 144, 256)[0]
    assert np.array_equal(first, again)


@pytest.mark.parametrize("scene", ["a forest at noon", "a lake at dusk", "a street at night", "a cave"])
@torch.inference_mode()
def test_several_threads_draw_the_same_picture_without_a_seam(model: WorldModel, scene: str) -> None:
    drawn, before, looked = {}, torch.get_num_threads(), looked_at(model, scene)
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            with reducing("cpu"):
                drawn[threads] = [part.copy() for part in Raster(model.view).picture(*looked, 360, 640)]
    finally:
        torch.set_num_threads(before)
    (one, far), (three, farther) = drawn[1], drawn[3]
    wrong = np.abs(one - three).mean((1, 2))
    assert wrong.mean() < 0.3 / 255 and (np.abs(far - farther) > 0.01 * np.maximum(far, 1)).mean() < 0.005
    borders = [640 * n // 3 for n in (1, 2)]
    assert max(wrong[border - 3 : border + 3].mean() for border in borders) < 1.5 / 255


@pytest.mark.parametrize("falls", ["rain", "snow"])
def test_what_falls_is_the_same(model: WorldModel, falls: str) -> None:
    shown, _, picture, _ = both(model, *looked_at(model, "a meadow at noon", **{falls: 0.8}), 144, 256)
    _, _, dry, _ = both(model, *looked_at(model, "a meadow at noon", rain=0.0, snow=0.0), 144, 256)
    assert np.abs(picture - shown).mean() < 0.15 * np.abs(shown - dry).mean()


def test_visitors_stir_the_same(model: WorldModel) -> None:
    textures, moment = looked_at(model, "a meadow at noon")
    still, _, calm, _ = both(model, textures, moment, 144, 256)
    moment.presence = torch.zeros(1, *GRID, 2)
    moment.presence[0, 2:4, 3:5] = 0.7
    shown, _, picture, _ = both(model, textures, moment, 144, 256)
    assert np.abs((picture - calm) - (shown - still)).mean() < 0.1 * np.abs(shown - still).mean()


def test_a_large_picture_is_the_same_but_for_its_finest_lines(model: WorldModel) -> None:
    height, width = 480, 856
    assert width >= LARGE
    shown, _, picture, _ = both(model, *looked_at(model, "a lake at dusk"), height, width)
    # Columns two pixels wide, so is grass; and of what stands not very near pairs of rows as well.
    assert np.abs(shown.clip(0, 1) - picture.clip(0, 1)).mean() < 2.6 / 255


def test_a_world_looks_the_same_where_there_is_no_raster(model: WorldModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU, where the view itself tells a picture."""
    world = model.begin("a meadow at noon", seed=3)
    walked = world.fork().step()
    monkeypatch.setattr(model.seeing, "_raster", None)
    told = world.fork().step()
    assert np.abs(walked.frames.astype(int) - told.frames.astype(int)).mean() < 0.9
    assert told.depth is not None and walked.depth is not None
    assert told.depth.shape == walked.depth.shape == told.frames.shape[1:3]


@pytest.mark.parametrize("style", ["ink", "oil"])
def test_a_painted_picture_has_the_size_of_every_other(style: str) -> None:
    chunk = load("nacre").begin("a lake at noon", seed=3, style=style).step()
    assert chunk.frames.shape == (1, 720, 1280, 3)
    assert chunk.depth is not None and chunk.depth.shape == (720, 1280)
