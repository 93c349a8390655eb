"""The evaluator's estimators on input whose truth is known, and its command line on a tiny model."""

from __future__ import annotations

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from worlds import tiny_checkpoint, tiny_model

from model.conditions import ENVIRONMENT, Conditions
from model.diorama import figures
from model.diorama.captions import Meaning, directive, scene
from model.diorama.places import PLACES
from model.sound_codec import SAMPLE_RATE_HZ, SLICE_SAMPLES
from model.sprites import KINDS, Placed
from model.training.evaluation import (
    company,
    continuity,
    directing,
    drifting,
    hearing,
    movement,
    reader,
    timing,
    trials,
    wordings,
)
from model.training.evaluation.cached import code_of
from model.training.evaluation.rollouts import roll, world_of
from oysterd import cli, tools


def _noise(samples: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, 1, (samples, 2)).astype(np.float32)


# --- pictures ---


def _standing(kind: str, look: float, hour: float) -> NDArray[np.float32] | None:
    """What is seen of a figure that stands in an even picture."""
    bare = np.full((180, 320, 3), 0.3 + 0.3 * hour, np.float32)
    shown, size = bare.copy(), 0.2 + 0.1 * look
    pose = (look, 0.0, 0.0, look, look)
    placed = Placed(KINDS.index(kind), 0.4 + 0.2 * look, 0.5, size, 10.0, look > 0.5, 0.0, pose)
    weather = np.array([hour, 0.2, 0, 0, 0, 0.2, 0.5])
    figures.lay(shown, 320, np.arange(320), None, [placed], weather, 0.0)
    told, untold = ((picture.clip(0, 1) * 255).astype(np.uint8) for picture in (shown, bare))
    assert company.seen_of(untold, untold) is None
    return company.seen_of(told, untold)


def test_figures_are_told_apart_by_what_they_change() -> None:
    names, looks = ("kitten", "balloon", "boat"), np.linspace(0, 1, 12)
    seen = [[_standing(name, look, 1 - look)] for name in names for look in looks]
    kinds = [company.NAMES.index(name) for name in names for _ in looks]
    judge = company.CompanyJudge.fitted(seen, kinds)  # type: ignore[arg-type]
    for name in names:
        assert judge.name([_standing(name, 0.33, 0.4)]) == company.NAMES.index(name)  # type: ignore[list-item]
    assert judge.name([]) is None


def test_worlds_that_are_not_looked_at_sound_and_go_the_same() -> None:
    one, other = (world_of(tiny_model(), PLACES[0], 3) for _ in range(2))
    asked = Conditions(motion=np.array([1, 0, 0.2, 0], np.float32))
    seen, heard = roll(one, 6, asked)
    few, heard_too = roll(other, 6, asked, 3)
    assert np.array_equal(heard, heard_too) and np.array_equal(one.walker.numbers(), other.walker.numbers())
    assert len(few) == 2 and np.array_equal(few, seen[[2, 5]])


def _shifted(across: float, down: float) -> NDArray[np.uint8]:
    """Three pictures of a texture that moves so many pixels a step."""
    base = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 255, (260, 420), np.uint8), (0, 0), 2)
    shifts = [np.array([[1, 0, k * across], [0, 1, k * down]], np.float64) for k in range(3)]
    moved = [cv2.warpAffine(base, shift, (420, 260)) for shift in shifts]
    return np.stack([cv2.cvtColor(p[40:220, 50:370], cv2.COLOR_GRAY2RGB) for p in moved])


def test_movement_is_read_back_from_flow() -> None:
    truth = [(x, y) for x in (-6, -3, 0, 3, 6) for y in (-4, 0, 4)]
    commands = np.array([(0, 0, -x / 10, y / 20) for x, y in truth])
    mover = movement.fit(
        np.concatenate([movement.statistics(_shifted(*xy)) for xy in truth]), np.repeat(commands, 2, axis=0)
    )
    read = mover.read(_shifted(5, 2))
    assert read[2] == pytest.approx(-0.5, abs=0.1) and read[3] == pytest.approx(0.1, abs=0.05)


def test_the_reader_learns_what_colours_mean() -> None:
    rng = np.random.default_rng(2)
    place = rng.integers(0, 2, 48)
    cloud = rng.random(48).astype(np.float32)
    pictures = rng.integers(0, 40, (48, 2, 3, *reader.LOOK))
    pictures[np.arange(48), :, place * 2] += 120  # the first is red, the second is blue
    pictures[:, :, 1] += (cloud * 150).astype(int)[:, None, None, None]
    environment = torch.zeros(48, len(reader.READ))
    environment[:, reader.READ.index("cloud")] = torch.from_numpy(cloud)
    data = reader.Labelled(
        torch.from_numpy(pictures.astype(np.uint8)), torch.eye(2)[place], environment, torch.zeros(48)
    )
    judge = reader.fit(data, epochs=8, batch=8)
    read = judge.read_all(data.pictures)
    assert (read.place.argmax(1) == place).mean() > 0.95
    assert np.corrcoef(read.value("cloud"), cloud)[0, 1] > 0.8


def test_a_kept_judge_reads_as_it_did(tmp_path: Path) -> None:
    net = reader.ReaderNet()
    judge = reader.Reader(net, torch.zeros(len(reader.READ)), torch.ones(len(reader.READ)))
    name = f"reader-{code_of(Path(reader.__file__))}.safetensors"
    reader.keep(judge, {"place": 0.5}, tmp_path / name)
    again, right = reader.reader_of(tmp_path)
    clip = np.random.default_rng(0).integers(0, 255, (4, 180, 320, 3), np.uint8)
    assert np.array_equal(again.read(clip).place, judge.read(clip).place) and right == {"place": 0.5}


def test_a_jump_counts_and_a_flash_does_not() -> None:
    frames = np.stack([np.full((9, 16, 3), 100 + k, np.uint8) for k in range(40)])
    cut, flash = frames.copy(), frames.copy()
    cut[20:] += 30
    flash[20] += 60
    flash[21] += 20
    assert continuity.ratio(continuity.jumps(frames), 10) == pytest.approx(1)
    assert continuity.ratio(continuity.jumps(cut), 10) == pytest.approx(31)
    assert continuity.ratio(continuity.jumps(flash), 10) == pytest.approx(1)


def test_a_lap_leads_back_to_where_it_began() -> None:
    world = world_of(tiny_model(), "meadow", 1)
    roll(world, 10, Conditions(motion=np.array([1, 0, 2 * math.pi / 10, 0], np.float32)), 0)
    before = world.walker
    looks = drifting.lap(world, 120, 4)
    assert math.hypot(world.walker.x - before.x, world.walker.y - before.y) < 0.02
    assert len(looks) == len(drifting.NAMES) and np.isfinite(looks).all()
    assert drifting.change([looks, looks], 1) == dict.fromkeys(drifting.NAMES, 0.0)


# --- sound ---


def test_a_footfall_is_found_where_it_falls() -> None:
    stride = np.arange(96) * 0.9 / 12
    audio = 0.001 * _noise(96 * SLICE_SAMPLES)
    for turn in np.arange(0.5, stride[-1], 0.5):
        at = round(turn / 0.9 * SAMPLE_RATE_HZ) + 2400  # a tenth of a second later
        audio[at : at + 1500] += 0.2 * _noise(1500)[: len(audio) - at]
    assert timing.footfall_s(audio, stride) == pytest.approx(0.13, abs=0.03)


def test_a_later_crash_is_found_later() -> None:
    swash = np.arange(192) / 48  # four seconds a wave
    time_s = np.arange(192 * SLICE_SAMPLES) / SAMPLE_RATE_HZ

    def heard(delay_s: float) -> float:
        loud = 1 + 0.9 * np.cos(2 * np.pi * (time_s - delay_s) / 4)
        return timing.crash_s((0.05 * loud[:, None] * _noise(len(time_s))).astype(np.float32), swash)

    assert heard(1.5) - heard(1.0) == pytest.approx(0.5, abs=0.05)


def test_thunder_is_timed_from_its_flash() -> None:
    audio = 0.001 * _noise(72 * SLICE_SAMPLES)
    t = np.arange(2 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    start = (20 + 12) * SLICE_SAMPLES
    audio[start : start + len(t)] += (0.5 * np.sin(2 * np.pi * 80 * t) * np.exp(-t))[:, None].astype(np.float32)
    assert timing.thunder_s(audio, 20) == pytest.approx(1.0, abs=0.04)


def test_clicks_at_chunk_edges_are_heard() -> None:
    t = np.arange(40 * SLICE_SAMPLES) / SAMPLE_RATE_HZ
    tone = np.stack([np.sin(2 * np.pi * 331 * t)] * 2, 1).astype(np.float32) + 0.01 * _noise(len(t))
    clicking = tone.copy()
    clicking[::SLICE_SAMPLES] += 0.3
    assert hearing.click_ratio(tone) == pytest.approx(1, abs=0.3)
    assert hearing.click_ratio(clicking) > 3


def test_a_jump_of_loudness_is_measured_in_decibels() -> None:
    audio = 0.1 * _noise(60 * SLICE_SAMPLES)
    assert hearing.loudness_jump_db(audio) < 1
    audio[28_800:] *= 2  # three windows on
    assert hearing.loudness_jump_db(audio) == pytest.approx(6, abs=0.5)


def test_ranks_are_compared_and_not_sizes() -> None:
    assert hearing.rank_correlation([0, 1, 2, 3], [-50, -40, -39.9, 12]) == pytest.approx(1)
    assert hearing.rank_correlation([0, 1, 2, 3], [4, 3, 2, 1]) == pytest.approx(-1)


# --- words ---


def test_free_phrases_are_not_of_the_grammar() -> None:
    rngs = [np.random.default_rng(k) for k in range(1500)]
    made = {wordings.bare(make(rng, j)[0]) for rng in rngs for make in (directive, scene) for j in (False, True)}
    assert not made & {wordings.bare(phrase) for phrase, _ in wordings.FREE}
    assert {wordings.is_chinese(phrase) for phrase, _ in wordings.FREE} == {True, False}


def test_only_what_can_be_judged_is_asked() -> None:
    assert directing.asked_of(Meaning(environment={"rain": ("more", 0.0)})) == ["environment"]
    assert directing.asked_of(Meaning(environment={"rain": ("more", 0.0)}, style=2)) == []
    assert directing.asked_of(Meaning()) == []


@pytest.mark.parametrize(
    ("asked", "sign"), [(("more", 0.0), 1), (("less", 0.0), -1), (("set", 0.0), -1), (("set", 0.65), 1)]
)
def test_a_directive_finds_something_to_change(asked: tuple[str, float], sign: int) -> None:
    meaning = Meaning(environment={"fog": asked})
    _, before, after = trials.due(trials.base_of(meaning, 1), meaning)
    assert sign * (after.environment[2] - before.environment[2]) > 0.25


@pytest.mark.parametrize(("share", "followed"), [(0.0, False), (-1.0, False), (1.0, True)])
def test_a_directive_that_the_world_does_not_follow_fails(share: float, followed: bool) -> None:
    meaning = Meaning(place=3, environment={"fog": ("set", 0.7)})
    _, before, after = trials.due(trials.base_of(meaning, 1), meaning)
    columns = [ENVIRONMENT.index(key) for key in reader.READ]

    def reading(at: float) -> reader.Reading:
        place = before.place + at * (after.place - before.place)
        environment = before.environment + at * (after.environment - before.environment)
        return reader.Reading(place[None], environment[None, columns], np.zeros(1, np.float32))

    trial = trials.Trial(
        reading(0), reading(share), (before.place, after.place), (before.environment, after.environment),
        np.zeros(4, np.float32), np.zeros(4), np.zeros(3), (0.0, 0.0),
    )  # fmt: skip
    assert directing.is_followed(trial, meaning) == followed


# --- the command line ---


def test_the_command_line_measures_and_reports(tmp_path: Path) -> None:
    model = tiny_checkpoint(tmp_path)
    out = tmp_path / "report"
    asked = ["--quick", "--only", "presence", "--workers", "1", "--out", str(out), "--cache", str(tmp_path)]
    assert cli.main(["evaluate", str(model), *asked]) == 0
    report = json.loads((out / "report.json").read_text())
    assert report["presence_ratio"]["samples"] == len(PLACES) and report["about"]["quick"]
    assert "presence_ratio" in (out / "report.md").read_text()
    assert (out / "sheet_presence.png").exists()


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(tools, "NEEDED", ("numba", "no_such_module"))
    assert cli.main(["evaluate", "--quick"]) == cli.REFUSED
    assert "no_such_module" in (said := capsys.readouterr().err) and "oysterd[train]" in said
