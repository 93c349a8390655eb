"""Checkpoints are strict: what is damaged, foreign or of other sizes never becomes a model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from worlds import tiny_checkpoint

from model import checkpoint, world
from model.checkpoint import CheckpointError
from model.preset import PRESETS


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return tiny_checkpoint(tmp_path)


def test_a_checkpoint_becomes_a_model(saved: Path) -> None:
    assert checkpoint.describe(str(saved)) == PRESETS["tiny"]
    chunk = world.load(str(saved)).begin(None, seed=2).step()
    assert chunk.frames.std() > 0


def test_a_name_that_is_none_lists_what_there_is() -> None:
    with pytest.raises(CheckpointError, match=r"no model 'nacer'.*known are"):
        checkpoint.load("nacer")


def test_a_changed_byte_is_noticed(saved: Path) -> None:
    content = bytearray(saved.read_bytes())
    content[-5] ^= 1
    saved.write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged: its hash"):
        checkpoint.load(str(saved))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04" + b"x" * 100, b"\x80\x04pickle" + b"\x00" * 200])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"other\.safetensors"):
        checkpoint.load(str(path))


def test_a_foreign_safetensors_file_is_refused(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(3)}, tmp_path / "foreign.safetensors")
    with pytest.raises(CheckpointError, match="not an oysterd model"):
        checkpoint.describe(str(tmp_path / "foreign.safetensors"))


def test_weights_that_do_not_fit_their_sizes_are_refused(saved: Path, tmp_path: Path) -> None:
    _, parts, _ = checkpoint.load(str(saved))
    parts["network"].pop("sound_out.bias")
    checkpoint.save(tmp_path / "less.safetensors", PRESETS["tiny"], parts, {})
    with pytest.raises(CheckpointError, match=r"(?s)'network' does not fit.*sound_out.bias"):
        world.load(str(tmp_path / "less.safetensors"))


def test_sizes_of_another_version_are_refused(tmp_path: Path) -> None:
    sizes = json.dumps({**PRESETS["tiny"].as_dict(), "eyes": 3})
    save_file({"x": torch.zeros(1)}, tmp_path / "new.safetensors", {"format": checkpoint.FORMAT, "preset": sizes})
    with pytest.raises(CheckpointError, match="eyes"):
        checkpoint.describe(str(tmp_path / "new.safetensors"))


def test_a_part_that_was_trained_again_stands_in_the_place_of_the_old_one(tmp_path: Path) -> None:
    model = tmp_path / "world.safetensors"
    old = {"view": {"a": torch.zeros(2), "gone": torch.zeros(2)}, "head": {"b": torch.zeros(2)}}
    whole = checkpoint.save(model, PRESETS["tiny"], old, {})
    larger = replace(PRESETS["tiny"], height=180, width=320)
    beside = checkpoint.save_part(model, "view", larger, {"a": torch.ones(2)}, {})
    preset, parts, code = checkpoint.load(str(model))
    assert beside.name == "world.view.safetensors"
    assert preset == checkpoint.describe(str(model)) == larger
    assert parts["view"].keys() == {"a"} and bool(parts["view"]["a"].all()) and not bool(parts["head"]["b"].any())
    assert code != whole
    beside.write_bytes(beside.read_bytes()[:-1] + b"\x01")
    with pytest.raises(checkpoint.CheckpointError, match=r"world\.view\.safetensors"):
        checkpoint.load(str(model))
