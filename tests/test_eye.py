"""One camera's sight: its empty room learned and remembered, its picture laid on the wall, depth helped by colour."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from drivers.base import Depth, Picture
from oysterd import room_model
from oysterd.eye import COLOUR_HOLDS_S, KEPT_EVERY_S, Eye
from oysterd.presence import NEAR, STIR
from oysterd.presence_config import PresenceConfig

GRID = (5, 8)
WIDTH, HEIGHT = 320, 200  # a cell is 40 × 40 pixels
PERIOD_NS = 33_333_333


class Camera:
    """Depth and colour of a room with a wall at 4 m, and a visitor at 2 m where one is asked for."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(3)
        self.now_ns = 10**12

    def depth(self, left: int | None = None, noise_m: float = 0.02, rgb: NDArray[np.uint8] | None = None) -> Depth:
        self.now_ns += PERIOD_NS
        depth_m = 4.0 + self.random.normal(0, noise_m, (HEIGHT, WIDTH))
        if left is not None:
            depth_m[60:200, left : left + 60] = 2.0
        return Depth(depth_m.astype(np.float32), self.now_ns, rgb)

    def colour(self, left: int | None = None, noise: float = 3.0) -> Picture:
        self.now_ns += PERIOD_NS
        levels = 120 + self.random.normal(0, noise, (HEIGHT, WIDTH, 3))
        if left is not None:
            levels[60:200, left : left + 60] = 30
        return Picture(np.clip(levels, 0, 255).astype(np.uint8), self.now_ns)


def made(tmp_path: Path, seen_by: str = "camera", **config: Any) -> Eye:
    return Eye(GRID, PresenceConfig(**config), tmp_path / "door.room.npz", seen_by)


def learn(eye: Eye, seconds: float, *samples: Any) -> list[str | None]:
    """Have it learn from these, given again and again until it is done."""
    done: list[str | None] = []
    eye.learn(seconds, done.append)
    for _ in range(round(seconds * 30) + 10):
        for sample in samples:
            if not done:
                eye.see(sample())
    return done


@pytest.mark.parametrize("sense", ["depth", "colour"])
def test_a_visitor_at_the_start_of_a_learned_room_is_a_visitor_also_after_a_restart(tmp_path: Path, sense: str) -> None:
    camera = Camera()
    see = getattr(camera, sense)
    eye = made(tmp_path)
    assert learn(eye, 10.0, see) == [None]
    assert not (tmp_path / "door.room.npz").exists()  # nothing changes until it is kept
    eye.keep(True)
    again = made(tmp_path)
    seen = again.see(see(left=200))  # its first picture: without a learned room that would be the empty one
    assert seen.presence[2:, 5, NEAR].min() > 0.4 and not seen.presence[:, :4].any()
    assert [pytest.approx((230 / 320, 130 / 200), abs=0.03)] == seen.people
    assert not made(tmp_path, seen_by="another lens").see(see(left=200)).presence.any()


def test_a_learned_visitor_does_not_fade_in_minutes(tmp_path: Path) -> None:
    camera = Camera()
    eye = made(tmp_path, depth={"pictures_per_s": 3.0})
    learn(eye, 3.0, camera.depth)
    eye.keep(True)
    for _ in range(3 * 60 * 3):
        seen = eye.see(camera.depth(left=200, noise_m=0.0))
    assert seen.presence[2:, 5, NEAR].min() > 0.4 and len(seen.people) == 1


def test_somebody_who_crosses_the_room_leaves_no_trace_and_who_stays_spoils_it(tmp_path: Path) -> None:
    camera, places = Camera(), iter(range(0, 300, 10))
    eye = made(tmp_path)
    assert learn(eye, 10.0, lambda: camera.depth(left=next(places, None))) == [None]
    eye.keep(True)
    assert not eye.see(camera.depth()).presence[..., NEAR].any()
    sway = np.random.default_rng(0)
    (why,) = learn(eye, 5.0, lambda: camera.depth(left=int(sway.integers(60, 200))))
    assert why is not None and "would not keep still: is the room empty?" in why


def test_a_camera_that_gives_next_to_nothing_has_learned_nothing(tmp_path: Path) -> None:
    camera = Camera()
    eye, done = made(tmp_path), list[str | None]()
    eye.learn(5.0, done.append)
    for _ in range(6):
        camera.now_ns += 10**9
        eye.see(camera.depth())
    assert done == ["only 6 pictures came in that time, 20 are needed"]
    eye.learn(5.0, done.append)
    eye.give_up("unplugged")
    assert done[1:] == ["unplugged"]


def test_a_noisy_pixel_is_known_to_be_noisy(tmp_path: Path) -> None:
    """A curtain in the draught: half a metre to and fro, in one cell."""
    camera = Camera()

    def draughty() -> Depth:
        sample = camera.depth()
        sample.depth_m[80:100, 40:60] += camera.random.normal(0, 0.25)
        return sample

    eye = made(tmp_path)
    assert learn(eye, 10.0, draughty) == [None]
    eye.keep(True)
    marked = [bool(eye.see(draughty()).presence[..., NEAR].any()) for _ in range(150)]
    assert sum(marked) < 5
    naive = made(tmp_path / "none")
    assert sum(bool(naive.see(draughty()).presence[..., NEAR].any()) for _ in range(150)) > 15


def test_the_refreshed_room_is_kept_and_an_old_one_is_known_by_depth_alone(tmp_path: Path) -> None:
    camera, path = Camera(), tmp_path / "door.room.npz"
    eye = made(tmp_path, use_colour=True)
    assert learn(eye, 4.0, lambda: camera.depth(rgb=camera.colour().rgb)) == [None]
    eye.keep(True)
    written_ns = path.stat().st_mtime_ns
    eye.see(camera.depth())
    camera.now_ns += round(KEPT_EVERY_S * 1e9)
    eye.see(camera.depth())
    assert path.stat().st_mtime_ns > written_ns
    assert set(room_model.load(path, "camera")) == {"colour", "depth"}
    os.utime(path, (time.time(), time.time() - COLOUR_HOLDS_S - 60))
    old = made(tmp_path, use_colour=True)
    assert not old.see(camera.colour(left=200)).presence.any()
    assert old.see(camera.depth(left=200)).presence.any()


def test_a_spoiled_file_is_no_room(tmp_path: Path) -> None:
    (tmp_path / "door.room.npz").write_bytes(b"PK no archive")
    assert not made(tmp_path).see(Camera().depth(left=200)).presence.any()


# Where the camera sees the picture: a trapezium in its middle.
CORNERS = [[0.25, 0.2], [0.75, 0.3], [0.75, 0.8], [0.25, 1.0]]


@pytest.mark.parametrize("sense", ["depth", "colour"])
@pytest.mark.parametrize(("left", "column"), [(70, 0), (150, 3.5), (210, 7), (10, None), (260, None)])
def test_four_corners_lay_the_cameras_sight_on_the_wall(
    tmp_path: Path, sense: str, left: int, column: float | None
) -> None:
    camera = Camera()
    see = getattr(camera, sense)
    eye = made(tmp_path, corners=CORNERS)
    for _ in range(30):
        eye.see(see())
    seen = eye.see(see(left=left))
    columns = np.nonzero(seen.presence[..., NEAR].max(axis=0) > 0.3)[0]
    if column is None:  # beside the wall
        assert not len(columns) and not seen.people
    else:
        assert columns.mean() == pytest.approx(column, abs=1.0) and len(seen.people) == 1


def test_mirrored_corners_mirror_and_wrong_ones_are_refused(tmp_path: Path) -> None:
    camera = Camera()
    eye = made(tmp_path, corners=[[1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    eye.see(camera.depth())
    columns = np.nonzero(eye.see(camera.depth(left=250)).presence[..., NEAR].max(axis=0))[0]
    assert columns.max() <= 1
    for corners in (CORNERS[:3], [[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0]], [[0.0, 0.0]] * 4):
        with pytest.raises(ValidationError, match="corners"):
            PresenceConfig(corners=corners)


def test_colour_helps_depth_where_depth_is_blind_and_light_on_a_wall_is_no_visitor(tmp_path: Path) -> None:
    camera = Camera()
    eye, deaf = made(tmp_path, use_colour=True), made(tmp_path)

    def blind_right(picture: Picture) -> Depth:
        sample = camera.depth(rgb=picture.rgb)
        sample.depth_m[:, 160:] = 0.0
        return sample

    for _ in range(60):
        sample = blind_right(camera.colour())
        eye.see(sample)
        deaf.see(sample)
    visitor = blind_right(camera.colour(left=200))  # black clothes, which infrared does not see
    assert eye.see(visitor).presence[2:, 5, NEAR].min() > 0.8
    assert not deaf.see(visitor).presence.any()
    for _ in range(90):
        eye.see(blind_right(camera.colour()))
    light = eye.see(blind_right(camera.colour(left=40)))  # the projector turned dark there
    assert not light.presence[:, :4, NEAR].any() and not light.presence[:, :4, STIR].any()


def test_what_is_masked_is_nobody_however_the_light_changes(tmp_path: Path) -> None:
    camera = Camera()
    eye = made(tmp_path)
    hidden = np.zeros((HEIGHT, WIDTH), np.bool_)
    hidden[:, :160] = True
    for brighter in [0] * 60 + list(range(0, 60, 2)):
        picture = camera.colour()
        rgb = np.clip(picture.rgb.astype(np.int16) + brighter, 0, 255).astype(np.uint8)
        rgb[hidden] = 0
        seen = eye.see(Picture(rgb, picture.captured_ns, hidden))
        assert not seen.presence.any() and not seen.people
