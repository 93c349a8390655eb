"""Training goes on from its checkpoint, and what it leaves becomes a model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from worlds import tiny_checkpoint, tiny_model

from model.brush import Brush
from model.condition_vector import FLASH_AT, WIDTH
from model.preset import PRESETS
from model.training import brush, pack, prepare, train, view
from model.world import load

PRESET = PRESETS["tiny"]
STEPS = 16


def _episodes(folder: Path, count: int = 3) -> Path:
    """Prepared episodes of the tiny preset, as `model.training.prepare` lays them out; a random codec beside them."""
    rng = np.random.default_rng(0)
    # Each number goes round with the steps, so that there is something to learn beyond the past.
    phase = rng.random((count, 1, PRESET.tokens, PRESET.channels)) + np.arange(STEPS)[:, None, None] / STEPS
    conditions = rng.random((count, STEPS, WIDTH)).astype(np.float32)
    np.savez(folder / "00000000.npz", latents=np.sin(2 * np.pi * phase).astype(np.float16), conditions=conditions)
    save_file({k: v.contiguous() for k, v in tiny_model().sound.state_dict().items()}, folder / "sound.safetensors")
    return folder


def _arguments(data: Path, run: Path, updates: int) -> list[str]:
    sizes = ["--crops", "2", "--steps", "8", "--no-compile", "--plan-minutes", "600"]
    return ["--data", str(data), "--work", str(run), "--preset", "tiny", "--updates", str(updates), *sizes]


def _train(data: Path, run: Path, updates: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["train", *_arguments(data, run, updates)])
    train.main()


def _train_view(run: Path, updates: int, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["--work", str(run), "--preset", "tiny", "--updates", str(updates), "--plan-minutes", "30"]
    monkeypatch.setattr("sys.argv", ["view", *arguments, "--rate", "0.03"])
    monkeypatch.setattr(view, "PICTURES", 12)
    monkeypatch.setattr(view, "WORLDS", 2)
    view.main()


def test_training_goes_on_from_its_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, run = _episodes(tmp_path), tmp_path / "run"
    _train(data, run, 3, monkeypatch)
    before = load_file(run / "model.safetensors")
    assert json.loads((run / "position.json").read_text())["update"] == 3
    _train(data, run, 5, monkeypatch)
    after, optimiser = load_file(run / "model.safetensors"), load_file(run / "optimiser.safetensors")
    assert json.loads((run / "position.json").read_text())["update"] == 5
    assert not torch.equal(before["sound_in.weight"], after["sound_in.weight"])
    assert {float(v) for k, v in optimiser.items() if k.endswith("/step")} == {5.0}


def test_the_loss_falls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, run = _episodes(tmp_path, 1), tmp_path / "run"
    _train(data, run, 100, monkeypatch)
    losses = [float(line.split("\t")[2]) for line in (run / "loss.tsv").read_text().splitlines()]
    assert len(losses) == 2 and losses[1] < 0.97 * losses[0]


def test_two_processes_train_one_model(tmp_path: Path) -> None:
    """Under torchrun, on gloo: both draw crops of their own, and gradients are averaged."""
    data, run = _episodes(tmp_path), tmp_path / "run"
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*torchrun, "-m", "model.training.train", *_arguments(data, run, 2)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=150, cwd=Path(__file__).parent.parent)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads((run / "position.json").read_text())["update"] == 2


def test_the_view_goes_on_from_its_checkpoint_and_learns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _train_view(tmp_path, 10, monkeypatch)
    _train_view(tmp_path, 60, monkeypatch)
    assert json.loads((tmp_path / "view.json").read_text())["update"] == 60
    (_, colours, _, _), (_, later, _, _) = (
        map(float, line.split("\t")) for line in (tmp_path / "view.tsv").read_text().splitlines()
    )
    assert later < 0.93 * colours


def test_the_brush_goes_on_from_its_checkpoint_and_learns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"DRAWN": 3, "SEEN": 1, "HELD_OUT": 2, "POOL": 4, "BATCH": 2, "PART": 300, "PIXELS": 600, "SIZE": (90, 160)}
    for name, value in small.items():
        monkeypatch.setattr(brush, name, value)
    model = str(tiny_checkpoint(tmp_path))
    found = []
    for updates in (3, 45):
        arguments = ["--work", str(tmp_path), "--model", model, "--updates", str(updates), "--plan-minutes", "30"]
        monkeypatch.setattr("sys.argv", ["brush", *arguments])
        brush.main()
        assert json.loads((tmp_path / "brush.json").read_text())["update"] == updates
        trained = Brush()
        trained.load_state_dict(load_file(tmp_path / "brush.safetensors"))
        _, judged = brush.pictures(tmp_path, model)
        found.append(np.mean(list(brush.psnrs_db(trained.eval(), judged).values())))
    assert found[1] > found[0] + 0.5


def test_a_run_is_packed_into_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, run, head = _episodes(tmp_path), tmp_path / "run", tmp_path / "head.safetensors"
    _train(data, run, 1, monkeypatch)
    save_file({k: v.half().contiguous() for k, v in tiny_model().head.state_dict().items()}, head)
    with pytest.raises(SystemExit, match=r"view.json.*model\.training\.view"):
        pack.pack(data, run, head, tmp_path / "mine.safetensors", "tiny")
    save_file({k: v.contiguous() for k, v in tiny_model().view.state_dict().items()}, run / "view.safetensors")
    save_file({k: v.contiguous() for k, v in tiny_model().figures.state_dict().items()}, run / "figures.safetensors")
    save_file({k: v.contiguous() for k, v in tiny_model().brush.state_dict().items()}, run / "brush.safetensors")
    for name in ("view", "figures", "brush"):
        (run / f"{name}.json").write_text('{"update": 1, "seconds": 1.0}')
    pack.pack(data, run, head, tmp_path / "mine.safetensors", "tiny")
    assert load(str(tmp_path / "mine.safetensors")).begin(None).step().index == 0


def test_no_episodes_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match=r"no episodes.*--data"):
        _train(tmp_path, tmp_path / "run", 1, monkeypatch)


def test_context_is_almost_clean_and_the_rest_is_not() -> None:
    now, context = train.levels(400, 32, torch.Generator().manual_seed(0))
    assert now[context].max() <= train.QUIET_LEVEL and now[~context].min() > 0
    assert 0.2 < context.float().mean() < 0.6 and (now == 1).float().mean() > 0.05


def test_flashes_are_named_in_some_crops_only(tmp_path: Path) -> None:
    episodes = train.Episodes([_episodes(tmp_path) / "00000000.npz"])
    _, conditions = episodes.batch(200, 8, torch.Generator().manual_seed(0))
    named = (conditions[..., FLASH_AT + 1] != 0).float().mean(1)
    assert (named == 1).any() and (named == 0).any() and ((named > 0) & (named < 1)).any()


def test_a_played_episode_is_latents_and_conditions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _episodes(tmp_path)
    monkeypatch.setattr(prepare, "SHARD", 2)
    monkeypatch.setattr(prepare, "STEPS", STEPS)
    path = prepare.encode_shard(32, "tiny", str(tmp_path))
    with np.load(path) as made:
        assert made["latents"].shape == (2, prepare.play_episode(32)["flash"].shape[0], PRESET.tokens, PRESET.channels)
        assert made["conditions"].shape[2] == WIDTH and np.isfinite(made["latents"]).all()
