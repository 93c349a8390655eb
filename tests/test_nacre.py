"""The shipped weights do what the model card says: seen, heard and measured on their own rollouts."""

from __future__ import annotations

import itertools
from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from model import checkpoint
from model.conditions import Conditions
from model.training.evaluation.actions import MOVES
from model.training.text import accuracy, embed_all, phrases
from model.world import World, WorldModel, load

STILL = np.zeros(4, np.float32)
DRY = {"rain": 0.0, "snow": 0.0, "fog": 0.0, "cloud": 0.2}


def movement(pictures: NDArray[np.uint8]) -> dict[str, float]:
    """Movement between pictures (T, H, W, 3) by command, in pixels: a band at the horizon, and the ground."""
    grey = [cv2.resize(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), None, fx=0.5, fy=0.5) for p in pictures]
    found = []
    for a, b in itertools.pairwise(grey):
        flow = cv2.calcOpticalFlowFarneback(a, b, np.zeros((*a.shape, 2), np.float32), 0.5, 4, 25, 3, 7, 1.5, 0)
        height, width = a.shape
        middle, low = flow[height * 25 // 100 : height * 60 // 100], flow[height * 72 // 100 : height * 96 // 100]
        outward = (low[..., 0] * np.linspace(-1, 1, width)[None]).mean()
        aside = -(low[..., 0].mean() - middle[..., 0].mean())
        found.append((outward, aside, -middle[..., 0].mean(), middle[..., 1].mean()))
    return dict(zip(MOVES, np.mean(found, 0).tolist(), strict=True))


@cache
def nacre() -> WorldModel:
    return load("nacre")


def _world(
    scene: str, steps: int = 20, seed: int = 1, **environment: float
) -> tuple[World, NDArray[np.float32], NDArray[np.float32]]:
    """A world after some steps: itself, its last picture 0..255 and the sound of its last second."""
    world = nacre().begin(scene, seed=seed)
    asked = Conditions(motion=STILL, environment={**DRY, **environment})
    chunks = [world.step(asked) for _ in range(steps)]
    return world, chunks[-1].frames[0].astype(np.float32), np.concatenate([c.audio for c in chunks[-12:]])


def test_the_weights_are_small_and_real_time_sized() -> None:
    assert sum(file.stat().st_size for file in checkpoint.files_of("nacre")) < 25e6
    preset = checkpoint.describe("nacre")
    assert (preset.width, preset.height) == (1280, 720)


def test_night_is_darker_than_day() -> None:
    day, night = (_world("a meadow", sun_rad=sun)[1].mean() for sun in (1.0, -0.6))
    assert day > 1.5 * night


def test_places_have_their_colours() -> None:
    """The lower third: sand is red before blue, grass is green, snow is bright and colourless."""
    ground = {name: _world(name, sun_rad=0.9)[1][180:].mean((0, 1)) for name in ("a desert", "a meadow", "a snowfield")}
    assert ground["a desert"][0] > ground["a desert"][2] + 25
    assert ground["a meadow"][1] > ground["a meadow"][[0, 2]].max() + 5
    assert ground["a snowfield"].min() > ground["a meadow"].mean() + 20


@pytest.mark.parametrize("name", ["yaw", "pitch", "forward", "strafe"])
def test_commands_move_the_picture_their_way(name: str) -> None:
    at, most = MOVES[name]
    for sign in (1, -1):
        motion = np.zeros(4, np.float32)
        motion[at] = sign * most
        world = nacre().begin("a meadow at noon", seed=2)
        pictures = np.stack([world.step(Conditions(motion=motion)).frames[0] for _ in range(14)])
        assert np.sign(movement(pictures[3:])[name]) == sign


def test_rain_is_heard() -> None:
    dry, wet = (_world("a meadow at noon", rain=rain, wind=0.1)[2] for rain in (0.0, 0.9))
    assert wet.std() > 2 * dry.std()


def test_a_directive_leads_the_world_elsewhere_without_a_cut() -> None:
    world, before, _ = _world("a desert at noon", 24)
    embedding = nacre().embed("night falls")
    frames = [before]
    for step in range(150):
        asked = Conditions(motion=STILL, directive=embedding if step == 0 else None)
        frames.append(world.step(asked).frames[0].astype(np.float32))
    assert frames[-1].mean() < 0.6 * before.mean()
    assert max(np.abs(b - a).mean() for a, b in itertools.pairwise(frames)) < 25


def test_looking_away_and_back_shows_the_same_place() -> None:
    """By 90 degrees and back; meanwhile clouds and grass have moved on."""
    world = nacre().begin("a forest in the morning", seed=5)

    def look(rate: float, steps: int) -> NDArray[np.float32]:
        motion = np.array([0, 0, rate, 0], np.float32)
        asked = Conditions(motion=motion, environment={**DRY, "wind": 0.1, "sun_rad": 0.6})
        return [world.step(asked) for _ in range(steps)][-1].frames[0].astype(np.float32)

    before = look(0.0, 3)
    away = look(0.8, 24)
    look(0.0, 8), look(-0.8, 24)
    back = look(0.0, 8)
    assert 10 * np.log10(255**2 / np.square(back - before).mean()) > 22
    assert np.abs(away - before).mean() > 4 * np.abs(back - before).mean()


def test_held_out_wordings_are_understood() -> None:
    texts, meanings = phrases(2, 300, judging=True)
    right = accuracy(nacre().head, embed_all(texts), meanings)
    assert right["place"] > 0.9 and right["operations"] > 0.85


@pytest.mark.parametrize(
    ("more", "less"), [("rain harder", "stop the rain"), ("雨下得更大", "让雨停下来"), ("more fog please", "no fog")]
)
def test_opposite_directives_go_opposite_ways(more: str, less: str) -> None:
    levels = []
    for text in (more, less):
        world = nacre().begin("a meadow in the rain and in the fog", seed=4)
        key = "rain" if "rain" in text or "雨" in text else "fog"
        world.step(Conditions(environment={"rain": 0.5, "fog": 0.5}))
        for step in range(20):
            chunk = world.step(Conditions(directive=nacre().embed(text) if step == 0 else None))
        levels.append(chunk.applied["environment"][key])
    assert levels[0] > levels[1] + 0.3


@pytest.mark.parametrize(("seed", "floods"), [(11, True), (12, False)], ids=["in a valley", "on a hill"])
def test_a_kitten_leaves_when_a_lake_rises_over_its_feet(seed: int, floods: bool) -> None:
    model = load("nacre", height=144)
    world = model.begin("a meadow at noon", seed=seed)
    world.step(Conditions(directive=model.embed("a kitten runs up")))
    for _ in range(30):
        assert "kitten" in world.step().applied["figures"]
    world.step(Conditions(directive=model.embed("go to a lake")))
    for _ in range(90):
        chunk = world.step()
    assert ("kitten" in chunk.applied["figures"]) != floods
