"""A calibrated projector on a real X server: what its screen shows against pictures made another way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from conftest import wait_until
from numpy.typing import NDArray
from test_window import HEIGHT, WIDTH, pattern, screen

from drivers.base import MonotonicClock
from drivers.calibration import Calibration, Mesh
from drivers.window import Window, WindowConfig

GAMMA = 2.2
Shown = Callable[..., NDArray[np.uint8]]


@pytest.fixture
def show(x_display: str) -> Iterator[Shown]:
    """Shows a picture, or a pattern, in a window of such options and gives what is then on the screen (H, W, 3)."""
    opened: list[Window] = []

    def shown(
        picture: NDArray[np.uint8], size: tuple[int, int] = (WIDTH, HEIGHT), drawn: Any = None, **options: Any
    ) -> NDArray[np.uint8]:
        for window in opened:
            window.close()
        width, height = size
        window = Window(WindowConfig.model_validate({"width": width, "height": height, **options}), MonotonicClock())
        window.open()
        opened[:] = [window]
        window.show(drawn)
        # A signal first, so that the screen is known to hold this window and then this picture.
        still: list[bytes] = []

        def is_settled() -> bool:
            window.write(picture)
            still.append(screen(x_display)[:height, :width].tobytes())
            return len(still) > 2 and still[-1] == still[-2] == still[-3]

        wait_until(is_settled, 30, "the screen shows the same three times")
        return np.frombuffer(still[-1], np.uint8).reshape(height, width, 3)

    yield shown
    for window in opened:
        window.close()


def differing(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> int:
    return int((one != other).any(axis=-1).sum())


def smooth(width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """A picture without sharp edges, whose interpolation hardly depends on how it is done."""
    down, across = np.mgrid[:height, :width] / (height, width)[0]
    waves = [np.sin(3 * across + 2 * down), np.cos(4 * down - across), np.sin(5 * across * down + 1)]
    return np.round(127.5 + 100 * np.stack(waves, axis=-1)).astype(np.uint8)


def test_an_uncalibrated_picture_is_shown_with_no_pixel_differing(show: Shown) -> None:
    assert differing(show(pattern()), pattern()) == 0


@pytest.mark.parametrize("upscale", ["linear", "bicubic"])
def test_corners_and_a_mesh_that_change_nothing_change_nothing(show: Shown, upscale: str) -> None:
    mesh = Mesh.even(4, 3).model_dump()
    corners = [[0, 0], [1, 0], [1, 1], [0, 1]]
    found = show(pattern(), corners=corners, mesh=mesh, upscale=upscale)
    assert np.abs(found.astype(int) - pattern()).max() <= 1


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_picture_is_turned_clockwise_pixel_for_pixel(show: Shown, degrees: int) -> None:
    expected = np.rot90(pattern(), -degrees // 90)
    height, width, _ = expected.shape
    assert differing(show(pattern(), (width, height), rotation_degrees=degrees), expected) == 0


def test_a_crop_is_its_part_of_a_wide_world_pixel_for_pixel(show: Shown) -> None:
    wide = pattern(2 * WIDTH, HEIGHT)
    found = show(wide, crop={"x": 0.25, "width": 0.5})
    assert differing(found, wide[:, WIDTH // 2 : WIDTH // 2 + WIDTH]) == 0


def test_a_corner_pin_is_the_warp_that_opencv_makes(show: Shown) -> None:
    corners = np.array([[0.1, 0.05], [0.85, 0.1], [0.95, 0.9], [0.02, 0.95]])
    size = np.array([WIDTH, HEIGHT])
    # Pixels' middles lie at halves here and at whole numbers there.
    source = np.array([[0, 0], [WIDTH, 0], [WIDTH, HEIGHT], [0, HEIGHT]], np.float32) - 0.5
    matrix = cv2.getPerspectiveTransform(source, (corners * size - 0.5).astype(np.float32))
    expected = cv2.warpPerspective(smooth(), matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
    inside = cv2.erode(cv2.warpPerspective(np.full((HEIGHT, WIDTH), 255, np.uint8), matrix, (WIDTH, HEIGHT)),
                       np.ones((5, 5), np.uint8)) == 255  # fmt: skip
    outside = cv2.dilate(cv2.warpPerspective(np.full((HEIGHT, WIDTH), 255, np.uint8), matrix, (WIDTH, HEIGHT)),
                         np.ones((5, 5), np.uint8)) == 0  # fmt: skip
    for upscale in ("linear", "bicubic"):
        found = show(smooth(), corners=corners.tolist(), upscale=upscale)
        assert np.abs(found.astype(int) - expected)[inside].max() <= 3
        assert (found[outside] == 0).all()
    assert inside.mean() > 0.5 and outside.mean() > 0.1


def test_a_point_of_the_mesh_takes_the_picture_with_it(show: Shown) -> None:
    dot = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    dot[HEIGHT // 2 - 3 : HEIGHT // 2 + 3, WIDTH // 2 - 3 : WIDTH // 2 + 3] = 255
    mesh = Mesh.even(5, 3)
    points = list(mesh.points)
    points[7] = (0.6, 0.4)  # the middle one
    found = show(dot, mesh=mesh.model_copy(update={"points": tuple(points)}).model_dump()).astype(float)
    down, across = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    weight = found[..., 0] / found[..., 0].sum()
    centre = (weight * across).sum() / WIDTH, (weight * down).sum() / HEIGHT
    assert centre == pytest.approx((0.6, 0.4), abs=0.004)  # about a pixel


def light(values: NDArray[np.uint8]) -> NDArray[np.float64]:
    return (values / 255.0) ** GAMMA


@pytest.mark.parametrize("level", [255, 180, 90])
def test_two_soft_edges_add_up_to_constant_light(show: Shown, level: int) -> None:
    """Two projectors show 60 % of a wide world each, and a third of each picture overlaps."""
    world = np.full((HEIGHT, WIDTH * 5 // 3, 3), level, np.uint8)
    left = light(show(world, crop={"x": 0.0, "width": 0.6}, soft_edges={"right": 1 / 3}))
    right = light(show(world, crop={"x": 0.4, "width": 0.6}, soft_edges={"left": 1 / 3}))
    wall = np.zeros((HEIGHT, WIDTH * 5 // 3 + 1, 3))
    at = round(0.4 * WIDTH * 5 / 3)
    wall[:, :WIDTH] += left
    wall[:, at : at + WIDTH] += right
    wall = wall[:, : at + WIDTH]
    full = light(np.array(level, np.uint8))
    # What rounding to 255 steps may do: half a step each, in light.
    assert np.abs(wall - full).max() < 1.2 * GAMMA / 255
    assert np.abs(wall - full).mean() < 0.3 * GAMMA / 255
    assert left[:, WIDTH - 5 :].max() < 0.1 * full and (np.diff(left[0, at:WIDTH, 0]) <= 0).all()


def test_black_is_as_bright_beside_an_overlap_as_in_it(show: Shown) -> None:
    black = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    native = 0.002
    edges = {"right": 0.25, "top": 0.25}
    found = light(show(black, soft_edges=edges, black_lift=native)).mean(axis=-1)
    # What the wall then gets: the black of all projectors that shine there, four of them, and what each of them adds.
    at_x, at_y = WIDTH * 3 // 4, HEIGHT // 4
    regions = {
        1: found[at_y + 1 :, : at_x - 1], 2: found[at_y + 1 :, at_x + 1 :], 4: found[: at_y - 1, at_x + 1 :],
    }  # fmt: skip
    for projectors, values in regions.items():
        assert values.max() - values.min() < 1e-9
        on_the_wall = projectors * (native + float(values.mean()))
        assert on_the_wall == pytest.approx(4 * native, rel=0.15)  # one step of 255 down here is worth a tenth


def test_gain_is_a_share_of_light_and_leaves_black_alone(show: Shown) -> None:
    white = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    found = light(show(white, gain=[1.0, 0.5, 0.25]))
    assert found[9, 9] == pytest.approx((1.0, 0.5, 0.25), abs=0.01)
    assert show(np.zeros_like(white), gain=[1.0, 0.5, 0.25]).max() == 0


def test_bicubic_scaling_comes_nearer_to_a_fine_picture_than_linear(show: Shown) -> None:
    def waves(scale: int) -> NDArray[np.uint8]:
        down, across = (np.mgrid[: HEIGHT // 4 * scale, : WIDTH // 4 * scale] + 0.5) / scale
        return np.repeat(np.round(128 + 100 * np.sin(across) * np.cos(down))[..., None], 3, axis=-1).astype(np.uint8)

    def error(upscale: str) -> float:
        found = show(waves(1), upscale=upscale)
        return float(np.sqrt(((found.astype(float) - waves(4))[8:-8, 8:-8] ** 2).mean()))

    assert error("bicubic") < 0.4 * error("linear")


def test_the_grid_of_two_projectors_meets_in_their_overlap(show: Shown) -> None:
    black = np.zeros((HEIGHT, WIDTH * 2, 3), np.uint8)
    left = show(black, drawn="grid", crop={"x": 0.0, "width": 0.5}, soft_edges={"right": 0.25})
    right = show(black, drawn="grid", crop={"x": 0.375, "width": 0.5}, soft_edges={"left": 0.25})
    assert tuple(left[0, 100]) == (255, 0, 0)  # this projector's border
    # Columns 240.. of the one and 0.. of the other show the same part of the world.
    row = HEIGHT // 36 * 1  # between two lying lines
    lines = [np.flatnonzero((strip[row, :, 0] == strip[row, :, 2]) & (strip[row, :, 0] > 0))
             for strip in (left[:, 240:318], right[:, :78])]  # fmt: skip
    of_left, of_right = (set(found.tolist()) for found in lines)
    assert of_left - {0, 1} == of_right - {0, 1} and len(of_right) >= 3


def test_patterns_for_focus_and_blend_are_what_they_should_be(show: Shown) -> None:
    black = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    focus = show(black, drawn="focus")
    assert set(np.unique(focus)) == {0, 255}
    standing = focus[4:18, 4:18, 0]  # the first tile: lines of one pixel
    assert (standing[:, 0::2] != standing[:, 1::2]).all() and (standing[0] == standing).all()
    blend = show(black, drawn="blend")
    assert set(np.unique(blend)) == {0, 32, 64, 128, 192, 255} and (blend[:, :1] == blend).all()


def test_a_calibration_takes_effect_at_once_and_outlives_the_window(x_display: str) -> None:
    window = Window(WindowConfig(width=WIDTH, height=HEIGHT), MonotonicClock())
    window.open()
    picture = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    half = Calibration(corners=((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)))

    def lit() -> float:
        window.write(picture)
        return float((screen(x_display)[:HEIGHT, :WIDTH] > 0).mean())

    wait_until(lambda: lit() == 1.0, 5, "the whole raster")
    window.calibrate(half)
    wait_until(lambda: lit() == 0.5, 5, "the left half")
    assert window.corners((WIDTH, HEIGHT)) == half.corners
    window.close()
    window.open()
    wait_until(lambda: lit() == 0.5, 5, "the left half again")
    window.close()
