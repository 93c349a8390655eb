"""What a window shows between two pictures whose motion is known, against what would really be seen there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import cv2
import numpy as np
import pytest
from conftest import wait_until
from numpy.typing import NDArray
from test_window import screen

from drivers.base import MonotonicClock
from drivers.flow import Flow
from drivers.window import Window, WindowConfig

HEIGHT, WIDTH = 216, 384
Picture = NDArray[np.uint8]


def cloth(height: int, width: int, seed: int, grain: float = 3.0) -> Picture:
    """Soft random colours: something to hold on to everywhere, as in a landscape."""
    noise = np.random.default_rng(seed).standard_normal((height, width, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), grain)
    return np.asarray((128 + 50 * soft / soft.std()).clip(0, 255), np.uint8)


def pan(shift_px: int) -> Picture:
    """A view that turns to the left: all moves to the right."""
    return np.ascontiguousarray(cloth(HEIGHT, WIDTH + 100, 1)[:, 50 - shift_px : 50 - shift_px + WIDTH])


def passer(shift_px: int) -> Picture:
    """Something that passes before what stands still."""
    picture = cloth(HEIGHT, WIDTH, 2) // 2
    picture[70:150, 120 + shift_px : 200 + shift_px] = cloth(80, 80, 3)
    return picture


class Between:
    """Shows what lies between two pictures, in windows of such options."""

    def __init__(self, display: str) -> None:
        self._display = display
        self._window: Window | None = None

    def __call__(
        self, one: Picture, other: Picture, mix: float, between: Literal["auto", "blend", "motion"], **options: Any
    ) -> NDArray[np.int16]:
        self.close()
        config = WindowConfig.model_validate({"width": WIDTH, "height": HEIGHT, "between": between, **options})
        window = self._window = Window(config, MonotonicClock())
        window.open()
        seen: list[bytes] = []

        def is_settled() -> bool:
            window.write(one, other, mix)
            seen.append(screen(self._display)[: config.height, : config.width].tobytes())
            return len(seen) > 2 and seen[-1] == seen[-2] == seen[-3]

        wait_until(is_settled, 30, "the screen shows the same three times")
        return np.frombuffer(seen[-1], np.uint8).reshape(config.height, config.width, 3).astype(np.int16)

    def close(self) -> None:
        if self._window is not None:
            self._window.close()
            self._window = None


@pytest.fixture
def show(x_display: str) -> Iterator[Between]:
    made = Between(x_display)
    yield made
    made.close()


def error(found: NDArray[np.int16], wanted: Picture) -> float:
    """Root of the mean square, away from the sides, where something comes into view that neither picture knows."""
    away = np.s_[16:-16, 16:-16]
    return float(np.sqrt(np.square(found[away] - wanted[away].astype(np.float64)).mean()))


@pytest.mark.parametrize("mix", [0.25, 0.5, 0.75])
@pytest.mark.parametrize("scene", [pan, passer])
def test_what_moves_is_shown_where_it_is_half_way(show: Between, scene: Any, mix: float) -> None:
    one, other, wanted = scene(0), scene(16), scene(round(16 * mix))
    moved, blended = (error(show(one, other, mix, between), wanted) for between in ("motion", "blend"))
    # What passes hides and uncovers what stands behind it, at its sides, and there neither is right.
    assert moved < (0.25 if scene is pan else 0.5) * blended


def test_the_processor_does_not_seek_motion_unless_it_is_told_to(show: Between) -> None:
    by_default, blended, moved = (show(pan(0), pan(16), 0.5, between) for between in ("auto", "blend", "motion"))
    assert (by_default == blended).all() and not (by_default == moved).all()  # Xvfb has no graphics card


def test_what_stands_still_stays_as_it_is(show: Between) -> None:
    found = show(pan(0), pan(0).copy(), 0.5, "motion")
    assert np.abs(found - pan(0)).max() <= 1


def test_another_scene_is_blended_into(show: Between) -> None:
    one, other = cloth(HEIGHT, WIDTH, 4), cloth(HEIGHT, WIDTH, 5)
    moved, blended = (show(one, other, 0.5, between) for between in ("motion", "blend"))
    assert float(np.abs(moved - blended).mean()) < 6
    dark = one // 8  # the light goes out: nothing moves
    assert np.abs(show(one, dark, 0.5, "motion") - show(one, dark, 0.5, "blend")).mean() < 2


@pytest.mark.parametrize("options", [{"upscale": "bicubic"}, {"upscale": "linear"}, {"rotation_degrees": 180}])
def test_motion_fits_a_crop_that_is_scaled_and_turned(show: Between, options: dict[str, Any]) -> None:
    """A crop of the middle at twice its size: what moves by 16 pixels of the world moves by 32 here."""
    crop = {"x": 0.25, "y": 0.25, "width": 0.5, "height": 0.5}
    still = show(pan(8), pan(8), 0.0, "motion", crop=crop, **options)
    moved, blended = (
        error(show(pan(0), pan(16), 0.5, between, crop=crop, **options), still.astype(np.uint8))
        for between in ("motion", "blend")
    )
    assert moved < 0.3 * blended


def test_the_flow_is_the_motion_in_shares_of_the_picture() -> None:
    flow = Flow().between(pan(0), pan(12))
    inside = flow[20:-20, 20:-20]
    assert np.median(inside[..., 0]) * WIDTH == pytest.approx(12, abs=0.3)
    assert np.abs(inside[..., 1]).mean() * HEIGHT < 0.3
    tiny = Flow().between(np.zeros((20, 30, 3), np.uint8), np.full((20, 30, 3), 200, np.uint8))
    assert tiny.shape == (20, 30, 2) and np.abs(tiny).max() == 0.0
