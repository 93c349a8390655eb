"""Child processes for tests of what keeps and joins processes. They stand in tests only, and never in a room."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable

import numpy as np

from oysterd.bus import Events, Inbox
from oysterd.child import become_child
from oysterd.ring import ChunkRing

RATE_HZ = 24_000


def beat(events: str) -> None:
    """Says that it lives, twenty times a second."""
    become_child()
    told = Events(events, "child")
    while True:
        told.tell("alive")
        time.sleep(0.05)


def stubborn(events: str) -> None:
    """Lives, and does not hear SIGTERM."""
    import signal

    become_child()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    told = Events(events, "stubborn")
    while True:
        told.tell("alive")
        time.sleep(0.05)


def fails(events: str) -> None:
    """Tells that it began, and ends with 3."""
    told = Events(events, "fails")
    told.tell("alive")
    told.close()
    raise SystemExit(3)


def dies(answers: object) -> None:
    """Ends as a process does whose driver crashes: with nothing said."""
    os._exit(3)


def moving_picture(ring: ChunkRing, index: int) -> np.ndarray:
    """uint8 (H, W, 3): grey of level 16 + 8 n, so that two chunks and their mixes can be told apart."""
    return np.full((ring.height, ring.width, 3), 16 + 8 * (index % 28), np.uint8)


def tone(ring: ChunkRing, index: int) -> np.ndarray:
    """float32 (samples, 2): 440 Hz that goes through all chunks, the right side inverted."""
    samples = index * ring.samples + np.arange(ring.samples)
    left = 0.3 * np.sin(2 * math.pi * 440 * samples / RATE_HZ)
    return np.stack([left, -left], axis=1).astype(np.float32)


def test_card_world(world: object, ring_name: str, events: str, inbox: str) -> None:
    """In place of the network where the plumbing is tested: writes moving pictures and a tone, applies every change."""
    become_child()
    ring, told, heard = ChunkRing.attach(ring_name), Events(events, "world"), Inbox(inbox)
    told.tell("ready", begin_s=0.0, resumed=False)
    step, told_s = ring.newest, 0.0
    while True:
        for message in heard.receive(0.01):
            if message["type"] == "change" and message["change"].get("directive") == "fail":
                told.tell("failed", id=message["id"], why="asked to fail")
            elif message["type"] == "change" and message["change"].get("directive") == "die":
                raise SystemExit(5)
            elif message["type"] in ("change", "snapshot"):
                told.tell("applied", id=message["id"], step=step + 1, time_s=(step + 1) / 12)
        if ring.newest - max(ring.taken, ring.playing) < 2:
            step = ring.write(moving_picture(ring, ring.newest + 1), tone(ring, ring.newest + 1))
        if time.monotonic() - told_s > 0.5:
            told_s = time.monotonic()
            told.tell("stats", step=step, steps_per_s=12.0, rtf=1.0, step_ms_p50=1.0, step_ms_p99=2.0,
                      slice_ms=83.3, asked={}, clamped=[])  # fmt: skip


def flash_and_click(ring: ChunkRing, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Once a second a white picture among black ones, and a click at the very moment that is the picture's own."""
    is_flash = index % 12 == 0
    audio = np.zeros((ring.samples, 2), np.float32)
    audio[:24] = 0.8 if is_flash else 0.0  # 1 ms
    return np.full((ring.height, ring.width, 3), 255 if is_flash else 0, np.uint8), audio


def noise(ring: ChunkRing, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Sound like which there is no other, below 3 kHz, so that less than a sample's shift hardly changes it."""
    white = np.random.default_rng(index).uniform(-0.9, 0.9, (ring.samples, 2))
    return moving_picture(ring, index), np.mean([np.roll(white, by, axis=0) for by in range(8)], 0).astype(np.float32)


def world_of(
    make: Callable[[ChunkRing, int], tuple[np.ndarray, np.ndarray]], ring_name: str, events: str, inbox: str
) -> None:
    """A world whose chunks are what `make` gives, two ahead of what is played."""
    become_child()
    ring, told, heard = ChunkRing.attach(ring_name), Events(events, "world"), Inbox(inbox)
    told.tell("ready", begin_s=0.0, resumed=False)
    while True:
        heard.receive(0.01)
        told.tell("alive")
        if ring.newest - max(ring.taken, ring.playing) < 2:
            ring.write(*make(ring, ring.newest + 1))


test_card_world.__test__ = False  # type: ignore[attr-defined]
