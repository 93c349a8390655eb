"""A venue's own footage moves a model, and what is made of it is a model like any other."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from worlds import tiny_model

from model import checkpoint
from model.preset import PRESETS
from model.training import footage
from model.world import load


def _film(path: Path, colour: tuple[int, int, int], hertz: float) -> None:
    """Two seconds of an even colour above a dark ground, with a tone."""
    picture = np.zeros((90, 160, 3), np.uint8)
    picture[:42] = colour
    tone = np.sin(np.arange(48_000) * (2 * np.pi * hertz / 24_000)).astype(np.float32) * 0.3
    with av.open(str(path), "w") as film:
        seen = film.add_stream("libx264", 12)
        seen.width, seen.height, seen.pix_fmt = 160, 90, "yuv420p"
        heard = film.add_stream("aac", 24_000)
        for _ in range(24):
            film.mux(seen.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        film.mux(seen.encode())
        sound = av.AudioFrame.from_ndarray(np.stack([tone, tone]), format="fltp", layout="stereo")
        sound.sample_rate, sound.time_base, sound.pts = 24_000, Fraction(1, 24_000), 0
        film.mux(heard.encode(sound))
        film.mux(heard.encode())


def _base(folder: Path) -> Path:
    model = tiny_model()
    parts = {name: module.state_dict() for name, module in model.parts().items()}
    checkpoint.save(folder / "base.safetensors", PRESETS["tiny"], parts, {})
    return folder / "base.safetensors"


def _fit(folder: Path, monkeypatch: pytest.MonkeyPatch, *more: str) -> None:
    monkeypatch.setattr(footage, "VIEWS", 2)
    monkeypatch.setattr(footage, "FIELDS", 1)
    monkeypatch.setattr(footage, "SIZE", (36, 64))
    options = ["--footage", str(folder / "films"), "--name", str(folder / "venue.safetensors"), *more]
    monkeypatch.setattr("sys.argv", ["footage", *options])
    footage.main()


def test_a_venue_takes_the_colours_of_its_footage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "films").mkdir()
    _film(tmp_path / "films" / "red.mp4", (220, 40, 30), 440.0)
    base = _base(tmp_path)
    _fit(tmp_path, monkeypatch, "--model", str(base), "--updates", "20", "--rate", "0.015")
    before, after = (
        load(str(p)).begin(seed=1).step().frames[0].astype(float) for p in (base, tmp_path / "venue.safetensors")
    )
    red, was = (float((f[:30, :, 0] - f[:30, :, 2]).mean()) for f in (after, before))
    assert red > was + 25


def test_films_are_read_with_sound_and_caption(tmp_path: Path) -> None:
    _film(tmp_path / "a.mp4", (10, 200, 10), 440.0)
    (tmp_path / "a.txt").write_text("a meadow at noon\n", encoding="utf-8")
    clip = footage.read_clip(tmp_path / "a.mp4")
    assert clip.caption == "a meadow at noon" and clip.pictures.shape == (24, 90, 160, 3)
    assert clip.audio is not None and abs(len(clip.audio) - 48_000) < 4_000 and np.abs(clip.audio).max() > 0.2


def test_what_is_no_film_is_named_and_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no film")
    with pytest.raises(SystemExit, match="holds no film"):
        footage.read_folder(tmp_path)
    assert "broken.mp4" in capsys.readouterr().out


def test_the_distance_of_a_picture_to_itself_is_least() -> None:
    generator = torch.Generator().manual_seed(0)
    a, b = torch.rand(2, 3, 24, 40, generator=generator), torch.rand(2, 3, 24, 40, generator=generator) * 0.3
    same, other = (footage.distance(a, x, torch.Generator().manual_seed(1)) for x in (a, b))
    assert float(same) < 1e-8 < float(other)
