"""Training goes on from its checkpoint, and what it leaves becomes a model."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from worlds import tiny_model

from model.condition_vector import Asked
from model.conditions import GRID
from model.preset import PRESETS
from model.training import pack, train
from model.training.prepare import Codecs
from model.transformer import Nacre
from model.world import load

PRESET = PRESETS["tiny"]
STEPS = 12


def _episode(folder: Path, seed: int, latents: np.ndarray, past: np.ndarray) -> None:
    """An episode as `model.training.prepare` lays it out; its place is its seed's."""
    np.savez(
        folder / f"{seed:08d}.npz",
        latents=latents.astype(np.float16),
        past=past.astype(np.float16),
        place=np.eye(5, dtype=np.float32)[[seed % 5] * STEPS],
        environment=np.random.default_rng(seed).random((STEPS, 7)).astype(np.float32),
        motion=np.zeros((STEPS, 4), np.float32),
        presence=np.zeros((STEPS, *GRID, 2), np.float16),
        pitch=np.zeros(STEPS, np.float32),
        flash=np.zeros(STEPS, np.float32),
        third=np.zeros(STEPS, np.float32),
    )


def _nothing_asked() -> Asked:
    widths = {"place": 5, "environment": 7, "environment_mask": 7, "motion": 4}
    zeros = {f.name: torch.zeros(1, widths.get(f.name, 1)) for f in dataclasses.fields(Asked)}
    return Asked(**{**zeros, "presence": torch.zeros(1, *GRID, 2)})


def _episodes(folder: Path, count: int = 3) -> Path:
    """Prepared episodes of the tiny preset, as `model.training.prepare` lays them out; a random codec beside them."""
    rng = np.random.default_rng(0)
    for seed in range(count):
        # Each number goes round with the steps, so that there is something to learn beyond the past.
        phase = rng.random((PRESET.tokens, PRESET.channels)) + np.arange(STEPS)[:, None, None] / STEPS
        latents = np.sin(2 * np.pi * phase)
        _episode(folder, seed, latents, np.roll(latents, 1, 0))
    codecs = Codecs(PRESET)
    codecs.picture, codecs.sound = tiny_model().picture, tiny_model().sound
    save_file({k: v.contiguous() for k, v in codecs.state_dict().items()}, folder / "codecs.safetensors")
    return folder


def _train(data: Path, run: Path, updates: int, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["train", "--data", str(data), "--run", str(run), "--preset", "tiny", "--updates", str(updates)]
    monkeypatch.setattr(
        "sys.argv",
        [*arguments, "--batch", "2", "--steps", "8", "--no-compile", "--plan-minutes", "1", "--climate-updates", "5"],
    )
    train.main()


def test_training_goes_on_from_its_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, run = _episodes(tmp_path), tmp_path / "run"
    _train(data, run, 3, monkeypatch)
    before = load_file(run / "model.safetensors")
    assert json.loads((run / "position.json").read_text())["update"] == 3
    _train(data, run, 5, monkeypatch)
    after, optimiser = load_file(run / "model.safetensors"), load_file(run / "optimiser.safetensors")
    assert json.loads((run / "position.json").read_text())["update"] == 5
    assert not torch.equal(before["patch_in.weight"], after["patch_in.weight"])
    assert {float(v) for k, v in optimiser.items() if k.endswith("/step")} == {5.0}


def test_the_loss_falls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, run = _episodes(tmp_path, 1), tmp_path / "run"
    _train(data, run, 100, monkeypatch)
    losses = [float(line.split("\t")[2]) for line in (run / "loss.tsv").read_text().splitlines()]
    assert len(losses) == 2 and losses[1] < 0.97 * losses[0]


def test_a_run_is_packed_into_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, run, head = _episodes(tmp_path), tmp_path / "run", tmp_path / "head.safetensors"
    _train(data, run, 1, monkeypatch)
    save_file({k: v.half().contiguous() for k, v in tiny_model().head.state_dict().items()}, head)
    pack.pack(data, run, head, tmp_path / "mine.safetensors", "tiny")
    assert load(str(tmp_path / "mine.safetensors")).begin(None).step().index == 0


def test_no_episodes_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match=r"no episodes.*--data"):
        _train(tmp_path, tmp_path / "run", 1, monkeypatch)


def test_context_is_almost_clean_and_what_is_hidden_stays_so() -> None:
    levels = train._levels(400, 32, torch.Generator().manual_seed(0))
    assert levels.now[levels.context].max() <= train.QUIET_LEVEL and levels.now[~levels.context].min() > 0
    assert 0.15 < levels.context.float().mean() < 0.6 and (levels.now == 1).float().mean() > 0.1
    shown = levels.past[:, 1:] <= train.QUIET_LEVEL
    assert 0.3 < shown.float().mean() < 0.9
    assert torch.equal(levels.past[:, 1:][~shown], levels.now[:, :-1][~shown])


def test_the_climate_and_what_it_leaves_open_are_measured(tmp_path: Path) -> None:
    """Episodes whose latents are their place's number, and beyond it follow their past by half."""
    rng = np.random.default_rng(1)
    shape = (PRESET.tokens, PRESET.channels)
    for seed in range(60):
        strayed = rng.standard_normal((STEPS, *shape))
        past = np.roll(strayed, 1, 0)
        latents = seed % 5 + 0.5 * past + 0.1 * strayed
        _episode(tmp_path, seed, latents, seed % 5 + past)
    episodes = train.Episodes(sorted(tmp_path.glob("*.npz")))
    network = Nacre(PRESET)
    train.fit_climate(network, episodes, 400)
    place = Asked(**{**vars(_nothing_asked()), "place": torch.eye(5)[None, 3], "place_mask": torch.ones(1, 1)})
    felt = network.centre_of(place.vectors()[0])[0, : PRESET.thumb_tokens].detach()
    assert abs(float(felt.mean()) - 3) < 0.5
    train.measure(network, episodes)
    assert abs(float(network.memory[: PRESET.thumb_tokens].mean()) - 0.5) < 0.15
    assert abs(float(network.spread[: PRESET.thumb_tokens].mean()) - 0.55) < 0.25
