"""A world steps, is kept, goes on twice the same, and is never harmed by what it is asked."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from worlds import tiny_model

from model.conditions import GRID, Chunk, Conditions
from model.diorama.places import PLACES
from model.text import WIDTH
from model.world import DISSOLVE_STEPS, EBB_PACE, FLOOD_PACE, World, WorldError

STEPS = 20  # the tiny preset's rings hold 3 and 4 steps: both wrap several times


def _asked(step: int) -> Conditions:
    return Conditions(
        motion=np.array([1, 0, 0.3 * np.sin(step), 0], np.float32),
        environment={"rain": 0.5, "sun_rad": 0.4} if step % 3 else {},
        presence=np.full((*GRID, 2), 0.3, np.float32) if step % 2 else None,
    )


def _same(one: Chunk, other: Chunk) -> bool:
    return (
        np.array_equal(one.frames, other.frames)
        and np.array_equal(one.audio, other.audio)
        and one.index == other.index
        and one.applied == other.applied
    )


def _alive(seed: int = 3, steps: int = STEPS) -> World:
    world = tiny_model().begin(None, seed=seed)
    for step in range(steps):
        world.step(_asked(step))
    return world


def test_a_chunk_is_one_slice_of_picture_and_sound() -> None:
    world = tiny_model().begin(None, seed=1)
    chunk = world.step()
    assert chunk.frames.shape == (1, 90, 160, 3) and chunk.frames.dtype == np.uint8
    assert chunk.audio.shape == (2000, 2) and chunk.audio.dtype == np.float32
    assert np.abs(chunk.audio).max() <= 1 and chunk.index == 0
    assert world.step().index == 1 and world.time_s == pytest.approx(2 / 12)


def test_the_same_seed_gives_the_same_world_and_another_another() -> None:
    assert _same(_alive().step(), _alive().step())
    assert not np.array_equal(_alive(3).step().frames, _alive(4).step().frames)


def test_resume_is_bit_exact_over_cache_wrap_around(tmp_path: Path) -> None:
    world = _alive()
    world.save(tmp_path / "snapshot.safetensors")
    again = tiny_model().resume(tmp_path / "snapshot.safetensors")
    for step in range(STEPS, 2 * STEPS):
        assert _same(world.step(_asked(step)), again.step(_asked(step)))


def test_resume_and_fork_are_bit_exact_with_a_cast(tmp_path: Path) -> None:
    """Who is there goes on as if nothing had happened: seen, heard and told."""
    world = tiny_model().begin(None, seed=3, view="third")
    for step in range(30):
        if step in (0, 12):
            cues = {"kitten": "enter", "fireworks": "enter"} if step == 0 else {"fish": "enter", "kitten": "leave"}
            world.wish = replace(world.wish, cues=cues, character=3)
        world.step(_asked(step))
    assert set(world.step(_asked(30)).applied["figures"]) >= {"fireworks", "fish"}
    world.save(tmp_path / "snapshot.safetensors")
    again, twin = tiny_model().resume(tmp_path / "snapshot.safetensors"), world.fork()
    for step in range(31, 45):
        chunk = world.step(_asked(step))
        assert _same(chunk, again.step(_asked(step))) and _same(chunk, twin.step(_asked(step)))


def test_figures_and_the_walker_are_seen() -> None:
    worlds = [tiny_model().begin(None, seed=3) for _ in range(3)]
    worlds[1].wish = replace(worlds[1].wish, cues={"fireflies": "enter", "birds": "enter", "whale": "enter"})
    worlds[2].wish = replace(worlds[2].wish, third=True)
    for _ in range(30):
        chunks = [world.step() for world in worlds]
    assert [chunk.applied["figures"] for chunk in chunks] == [[], ["fireflies", "birds", "whale"], []]
    plain, cast, third = (chunk.frames[0].astype(int) for chunk in chunks)
    assert np.abs(cast - plain).max() > 5 and np.abs(third - plain)[50:80, 70:90].max() > 5


def test_fork_is_bit_exact_and_independent() -> None:
    world = _alive()
    twin, third = world.fork(), world.fork()
    third.step(_asked(1))
    for step in range(STEPS, 2 * STEPS):
        assert _same(world.step(_asked(step)), twin.step(_asked(step)))


def test_a_fork_with_another_seed_goes_another_way() -> None:
    world = _alive()
    other = world.fork(seed=99)
    assert not np.array_equal(world.step().frames, other.step().frames)


def test_a_failing_step_leaves_the_world_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """The failure comes as late as one can, after the network ran and the picture was decoded."""
    world, untouched = _alive(), _alive()
    with monkeypatch.context() as patch:
        patch.setattr("model.world.synthesise", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            world.step(Conditions(directive=np.ones(WIDTH, np.float32), environment={"snow": 1.0}, view="third"))
    for step in range(8):
        assert _same(world.step(_asked(step)), untouched.step(_asked(step)))


@pytest.mark.parametrize("part", ["dynamics", "view"])
def test_numbers_that_are_not_finite_are_never_committed(part: str) -> None:
    model = tiny_model()
    world, untouched = _alive(), _alive()
    weight = model.network.sound_out.bias if part == "dynamics" else model.view.sky.shader.out.bias
    kept = weight.clone()
    try:
        weight.fill_(float("nan"))
        with pytest.raises(WorldError, match="not finite"):
            world.step()
    finally:
        weight.copy_(kept)
    assert _same(world.step(), untouched.step())


def test_what_is_out_of_range_is_clamped_and_said() -> None:
    world = tiny_model().begin(None)
    presence = np.full((*GRID, 2), np.nan, np.float32)
    motion = np.array([5, np.inf, 0, 0], np.float32)
    chunk = world.step(Conditions(environment={"rain": 7.0, "wind": float("nan")}, motion=motion, presence=presence))
    assert sorted(chunk.applied["clamped"]) == ["forward", "presence", "rain", "strafe", "wind"]
    assert chunk.applied["environment"] == {"rain": 1.0}  # a world begins as asked


def test_a_presence_map_of_another_shape_is_refused() -> None:
    world = tiny_model().begin(None)
    with pytest.raises(WorldError, match="presence"):
        world.step(Conditions(presence=np.zeros((3, 3, 2), np.float32)))
    assert world.index == 0


def test_a_change_eases_in_and_a_release_gives_the_key_back() -> None:
    world = tiny_model().begin(None)
    world.step(Conditions(environment={"rain": 0.0}))
    rain = [world.step(Conditions(environment={"rain": 1.0})).applied["environment"]["rain"] for _ in range(60)]
    assert 0 < rain[0] < 0.1 and rain[-1] == 1.0 and all(b - a < 0.05 for a, b in itertools.pairwise(rain))
    world.wish = replace(world.wish, environment={"fog": 0.7})
    assert "fog" in world.step().applied["environment"]
    assert "fog" not in world.step(Conditions(release=("fog",))).applied["environment"]


@pytest.mark.parametrize("shape", [(8, 8), (1000, 60), (60, 1000), (721, 1283)])
def test_a_world_begins_from_a_picture_of_any_shape(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    image = np.full((*shape, 3), rng.integers(40, 200, 3), np.uint8)
    chunk = tiny_model().begin(image=image, seed=1).step()
    assert chunk.frames.shape == (1, 90, 160, 3)


@pytest.mark.parametrize(
    "image", [np.zeros((90, 160), np.uint8), np.zeros((90, 160, 4), np.uint8), np.zeros((4, 4, 3), np.uint8)]
)
def test_a_picture_that_is_none_is_refused(image: np.ndarray) -> None:
    with pytest.raises(WorldError, match="image"):
        tiny_model().begin(image=image)


def test_snapshots_that_can_not_be_resumed_are_refused(tmp_path: Path) -> None:
    model = tiny_model()
    torn = tmp_path / "torn.safetensors"
    _alive(steps=1).save(torn)
    torn.write_bytes(torn.read_bytes()[:500])
    with pytest.raises(WorldError, match="can't be read"):
        model.resume(torn)
    foreign = tmp_path / "foreign.safetensors"
    _alive(steps=1).save(foreign)
    foreign.write_bytes(foreign.read_bytes().replace(b"tiny-test", b"tiny-tesu"))
    with pytest.raises(WorldError, match="another model"):
        model.resume(foreign)
    with pytest.raises(WorldError, match="can't be read"):
        model.resume(tmp_path / "missing.safetensors")


def test_randomness_is_a_matter_of_seed_and_step_alone() -> None:
    """Whatever else draws random numbers in the process, the world does not notice."""
    world, other = _alive(), _alive()
    torch.manual_seed(1234)
    np.random.default_rng(1).random(100)
    assert _same(world.step(), other.step())


def test_a_given_picture_stands_at_the_beginning_and_passes_into_the_dream() -> None:
    image = np.full((90, 160, 3), (200, 40, 90), np.uint8)
    world = tiny_model().begin(image=image, seed=1)
    first = world.step().frames[0]
    np.testing.assert_array_equal(first, image)
    distances = [np.abs(world.step().frames[0].astype(float) - image).mean() for _ in range(DISSOLVE_STEPS)]
    assert distances[-1] > 2 * distances[len(distances) // 4] and world.photo is None


def test_a_fork_keeps_its_land() -> None:
    """Another seed goes another way, over the same ground."""
    world = _alive()
    other = world.fork(seed=99)
    assert other.textures is world.textures and other.field_seed == world.field_seed


def test_what_nobody_asks_for_the_world_chooses() -> None:
    chosen = [tiny_model().begin(None, seed=seed).step().applied["place"] for seed in range(12)]
    assert len({next(iter(place)) for place in chosen}) > 3


@pytest.mark.parametrize(
    ("above_m", "to", "pace"),
    [(0.0, "coast", FLOOD_PACE), (-2.0, "coast", 0.6), (10.0, "coast", 1.0), (0.0, "meadow", EBB_PACE)],
)
def test_a_place_changes_slower_while_water_stands_near_ones_feet(
    above_m: float, to: str, pace: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = _alive(steps=1)
    monkeypatch.setattr(World, "_ground", lambda *_: (torch.tensor([above_m]), torch.tensor([0.0])))
    world.wish = replace(world.wish, place=PLACES.index(to))
    world.easing.place = np.eye(len(PLACES), dtype=np.float32)[:2].mean(0)
    before = world.easing.place.copy()
    world.step()
    assert float(world.easing.pace) == pytest.approx(pace)
    moved = np.abs(world.easing.place - before).max()
    assert moved == pytest.approx(world.easing.PLACE_STEP, rel=1e-4)
    before = world.easing.place.copy()
    world.step()
    assert np.abs(world.easing.place - before).max() == pytest.approx(pace * moved, rel=1e-3)
