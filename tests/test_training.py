"""Training goes on from its checkpoint, and what it leaves becomes a model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from worlds import tiny_model

from model.conditions import GRID
from model.preset import PRESETS
from model.training import pack, train
from model.training.prepare import Codecs
from model.world import load

PRESET = PRESETS["tiny"]
STEPS = 12


def _episodes(folder: Path, count: int = 3) -> Path:
    """Prepared episodes of the tiny preset, as `model.training.prepare` lays them out; a random codec beside them."""
    rng = np.random.default_rng(0)
    for seed in range(count):
        latents = rng.standard_normal((1, PRESET.tokens, PRESET.channels)).repeat(STEPS, 0).astype(np.float16)
        np.savez(
            folder / f"{seed:08d}.npz",
            latents=latents,
            place=np.eye(5, dtype=np.float32)[[seed] * STEPS],
            environment=rng.random((STEPS, 7)).astype(np.float32),
            motion=np.zeros((STEPS, 4), np.float32),
            presence=np.zeros((STEPS, *GRID, 2), np.float16),
            flash=np.zeros(STEPS, np.float32),
            third=np.zeros(STEPS, np.float32),
        )
    save_file({k: v.contiguous() for k, v in Codecs(PRESET).state_dict().items()}, folder / "codecs.safetensors")
    return folder


def _train(data: Path, run: Path, updates: int, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["train", "--data", str(data), "--run", str(run), "--preset", "tiny", "--updates", str(updates)]
    monkeypatch.setattr("sys.argv", [*arguments, "--batch", "2", "--steps", "8", "--no-compile", "--plan-minutes", "1"])
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


def test_context_is_almost_clean_and_never_scored_alone() -> None:
    level, context = train._levels(400, 32, torch.Generator().manual_seed(0))
    assert level[context].max() <= train.QUIET_LEVEL and level[~context].min() > 0
    assert 0.2 < context.float().mean() < 0.6 and (level == 1).float().mean() > 0.1
