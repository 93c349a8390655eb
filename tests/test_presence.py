"""Presence from colour and depth: a room at rest is exactly zero, and a visitor is where the visitor stands."""

from __future__ import annotations

import numpy as np
import pytest
from hand_clock import HandClock
from numpy.typing import NDArray

from drivers.base import Depth
from drivers.virtual import VirtualDepth, VirtualDepthConfig
from oysterd.presence import NEAR, STIR, fuse
from oysterd.presence_colour import PresenceFromColour
from oysterd.presence_config import ColourPresenceConfig
from oysterd.presence_depth import PresenceFromDepth

GRID = (9, 16)
WIDTH, HEIGHT = 320, 180  # a cell is 20 × 20 pixels


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.fixture
def room(random: np.random.Generator) -> NDArray[np.float64]:
    """Levels of a room of smooth walls with some texture."""
    slope = np.linspace(60, 160, WIDTH)[None, :, None]
    return slope + random.normal(0, 15, (HEIGHT, WIDTH, 3))


def seen(room: NDArray[np.float64], random: np.random.Generator, noise: float = 4.0) -> NDArray[np.uint8]:
    """The room as a noisy camera sees it; 4 levels is a cheap camera in the evening."""
    return np.clip(room + random.normal(0, noise, room.shape), 0, 255).astype(np.uint8)


def with_visitor(room: NDArray[np.float64], left: int) -> NDArray[np.float64]:
    visited = room.copy()
    visited[60:180, left : left + 40] = (30, 30, 90)
    return visited


def test_an_empty_room_is_exactly_zero(room: NDArray[np.float64], random: np.random.Generator) -> None:
    presence = PresenceFromColour(GRID)
    for index in range(150):
        daylight = 8.0 * np.sin(index / 150)  # the light and the exposure drift
        zones = presence.update(seen(room + daylight, random))
        assert zones.shape == (*GRID, 2) and zones.dtype == np.float32
        assert not zones.any()


def test_a_visitor_is_seen_where_the_visitor_stands(room: NDArray[np.float64], random: np.random.Generator) -> None:
    presence = PresenceFromColour(GRID)
    for _ in range(60):
        presence.update(seen(room, random))
    for left in range(0, 200, 4):
        zones = presence.update(seen(with_visitor(room, left), random))
    standing = slice(196 // 20 + 1, 236 // 20)
    assert zones[4:, standing, NEAR].min() > 0.8
    assert zones[4:, standing, STIR].max() > 0.5
    assert not zones[:2].any()
    assert not zones[:, :5, NEAR].any()
    assert not zones[:, 13:].any()


def test_stillness_settles_and_the_visitor_stays(room: NDArray[np.float64], random: np.random.Generator) -> None:
    presence = PresenceFromColour(GRID)
    for _ in range(60):
        presence.update(seen(room, random))
    for _ in range(300):  # ten seconds without a step
        zones = presence.update(seen(with_visitor(room, 200), random))
    assert zones[5:8, 10:12, NEAR].min() > 0.8
    assert not zones[..., STIR].any()
    for _ in range(60):  # and gone
        zones = presence.update(seen(room, random))
    assert not zones.any()


def test_a_light_switched_on_is_no_visitor(room: NDArray[np.float64], random: np.random.Generator) -> None:
    presence = PresenceFromColour(GRID)
    for _ in range(60):
        presence.update(seen(room, random))
    bright = 255.0 - room  # every wall differs, each by its own amount
    for _ in range(30):
        assert not presence.update(seen(bright, random)).any()


def test_what_is_left_standing_becomes_room(room: NDArray[np.float64], random: np.random.Generator) -> None:
    config = ColourPresenceConfig(absorbed_s=2.0)
    presence = PresenceFromColour(GRID, config)
    for _ in range(60):
        presence.update(seen(room, random))
    visited = with_visitor(room, 100)
    assert presence.update(seen(visited, random))[..., NEAR].any()
    for _ in range(600):
        zones = presence.update(seen(visited, random))
    assert not zones.any()


def test_depth_of_an_empty_noisy_room_is_exactly_zero(random: np.random.Generator) -> None:
    presence = PresenceFromDepth(GRID, near_m=0.5, far_m=4.0)
    for _ in range(90):
        depth_m = (3.0 + random.normal(0, 0.03, (HEIGHT, WIDTH))).astype(np.float32)
        depth_m[random.random((HEIGHT, WIDTH)) < 0.1] = 0.0  # holes come and go
        assert not presence.update(depth_m).any()


def test_depth_tells_how_near(random: np.random.Generator) -> None:
    presence = PresenceFromDepth(GRID, near_m=0.5, far_m=4.0)
    wall = np.full((HEIGHT, WIDTH), 4.0, np.float32)
    for _ in range(10):
        presence.update(wall + random.normal(0, 0.02, wall.shape).astype(np.float32))
    for distance_m, near in ((3.0, 2 / 7), (1.0, 6 / 7), (0.4, 1.0)):
        visited = wall.copy()
        visited[60:180, 100:160] = distance_m
        zones = presence.update(visited)
        np.testing.assert_allclose(zones[3:, 5:8, NEAR], near, atol=0.02)
        assert zones[3:, 5:8, STIR].min() == 1.0
        assert not zones[:, 9:].any()
    for _ in range(120):
        zones = presence.update(visited)
    assert zones[3:, 5:8, NEAR].min() > 0.95
    assert not zones[..., STIR].any()


def test_a_visitor_at_the_start_is_learned_away_when_leaving() -> None:
    presence = PresenceFromDepth(GRID, near_m=0.5, far_m=4.0)
    wall = np.full((HEIGHT, WIDTH), 4.0, np.float32)
    visited = wall.copy()
    visited[60:180, 100:160] = 2.0
    presence.update(visited)
    for _ in range(60):
        zones = presence.update(wall)
    assert not zones.any()
    assert presence.update(visited)[3:, 5:8, NEAR].min() > 0.5


def test_the_virtual_visitors_are_found() -> None:
    """The nearest thing in the room, by the depth itself, is in a cell that presence marks."""
    camera = VirtualDepth(VirtualDepthConfig(visitors=1, seed=3), HandClock())
    empty = VirtualDepth(VirtualDepthConfig(visitors=0), HandClock())
    camera.open()
    empty.open()
    presence = PresenceFromDepth(GRID, near_m=0.5, far_m=4.0)
    room = empty.read()
    assert isinstance(room, Depth)
    presence.update(room.depth_m)
    for _ in range(150):
        picture = camera.read()
        zones = presence.update(picture.depth_m)
        columns = np.nonzero((room.depth_m - picture.depth_m > 0.5).any(axis=0))[0]
        middle = int(columns.mean()) * GRID[1] // picture.depth_m.shape[1]
        assert zones[:, middle, NEAR].max() > 0.1
    assert zones[..., STIR].max() > 0.0


def test_fuse_takes_the_strongest() -> None:
    one, other = np.zeros((*GRID, 2), np.float32), np.zeros((*GRID, 2), np.float32)
    one[2, 3, NEAR], other[2, 3, NEAR], other[4, 5, STIR] = 0.2, 0.7, 0.4
    fused = fuse([one, other])
    assert fused[2, 3, NEAR] == np.float32(0.7) and fused[4, 5, STIR] == np.float32(0.4)
    assert np.count_nonzero(fused) == 2
    with pytest.raises(ValueError, match="at least one"):
        fuse([])
    with pytest.raises(ValueError, match="different shapes"):
        fuse([one, np.zeros((2, 2, 2), np.float32)])


def test_depth_limits_are_checked() -> None:
    with pytest.raises(ValueError, match="near_m"):
        PresenceFromDepth(GRID, near_m=4.0, far_m=1.0)
