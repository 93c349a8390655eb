"""Two projector processes, full screen on the two monitors of one real X server, share one wide world."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

import numpy as np
import pytest
from heads import HEADS, connect, two_heads
from parts import wait_until
from test_window import pattern, screen

from oysterd.bus import Bus, Message
from oysterd.clock import MonotonicClock
from oysterd.config import OutputConfig
from oysterd.projector import run_projector
from oysterd.ring import ChunkRing
from oysterd.supervisor import Child, Supervisor

WIDTH, HEIGHT, OVERLAP = 640, 480, 160
WORLD = 2 * WIDTH - OVERLAP


def test_two_outputs_show_their_parts_of_a_wide_world_and_blend_into_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with two_heads(tmp_path) as display:
        monkeypatch.setenv("DISPLAY", display)
        ring = ChunkRing.create(f"oysterd-test-{uuid.uuid4().hex[:12]}", 3, HEIGHT, WORLD, 2000)
        bus, supervisor = Bus(), Supervisor(MonotonicClock())
        share = OVERLAP / WIDTH
        for name, head, x, side in (("left", 0, 0, "right"), ("right", 1, WIDTH - OVERLAP, "left")):
            options = {
                "display": HEADS[head],
                "fullscreen": True,
                "crop": {"x": x / WORLD, "width": WIDTH / WORLD},
                "soft_edges": {side: share},
            }
            output, child = OutputConfig(name=name, kind="window", options=options), f"output.{name}"
            name_of_ring = str(ring._memory.name)  # type: ignore[union-attr]
            arguments = (output, name_of_ring, bus.events, bus.open(child), tmp_path / f"{name}.json")
            supervisor.start(Child(child, run_projector, arguments, 30, 30))
        try:
            picture = pattern(WORLD, HEIGHT)
            ring.write(picture, np.zeros((2000, 2), np.float32))
            ring.playing = 0

            def parts() -> tuple[np.ndarray, np.ndarray]:
                both = screen(display)
                return both[:HEIGHT, :WIDTH], both[:HEIGHT, WIDTH : 2 * WIDTH]

            def are_exact() -> bool:
                bus.receive(0.0)
                left, right = parts()
                alone = WIDTH - OVERLAP
                return bool(
                    (left[:, :alone] == picture[:, :alone]).all() and (right[:, OVERLAP:] == picture[:, WIDTH:]).all()
                )

            wait_until(are_exact, "both parts, with no pixel differing", 30)

            ring.write(np.full_like(picture, 200), np.zeros((2000, 2), np.float32))
            ring.playing = 1
            full = (200 / 255) ** 2.2

            def unevenness() -> float:
                bus.receive(0.0)
                left, right = ((part / 255.0) ** 2.2 for part in parts())
                wall = np.zeros((HEIGHT, WORLD, 3))
                wall[:, :WIDTH] += left
                wall[:, WORLD - WIDTH :] += right
                return float(np.abs(wall - full).max())

            # Half a step of 255 from each of the two, in light.
            wait_until(lambda: unevenness() < 1.2 * 2.2 / 255, "the wall is evenly lit", 30)

            # The right one is unplugged: it says so, and does not cover the left one.
            told: list[Message] = []

            def hears(kind: str) -> bool:
                told.extend(message for message in bus.receive(0.02) if message["from"] == "output.right")
                return any(message["type"] == kind for message in told)

            connect(display, HEADS[1], False)
            wait_until(lambda: hears("lost"), "the loss is told")
            assert "window.display: DUMMY1 was disconnected" in next(m["why"] for m in told if m["type"] == "lost")
            wait_until(lambda: (screen(display)[:HEIGHT, : WIDTH - OVERLAP] == 200).all(), "the left one goes on")
            told.clear()
            connect(display, HEADS[1], True)
            plugged_s = time.monotonic()
            wait_until(lambda: hears("back") and unevenness() < 1.2 * 2.2 / 255, "both again")
            assert time.monotonic() - plugged_s < 5.0
        finally:
            supervisor.stop()
            bus.close()
            ring.close()
            ring.unlink()
