"""The world's own process: steps the model a little ahead of what is heard, and answers for every change.

The only process that loads torch. It takes changes one a step, in order, and the newest conditions; it saves the
world every `snapshot_s` and goes on from there when it is started again.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np

from model.conditions import STEPS_PER_S, Conditions
from oysterd.asking import Refused, conditions_of, read_image, style_weights
from oysterd.bus import Events, Inbox
from oysterd.changes import Change
from oysterd.child import be_ahead, become_child
from oysterd.config import WorldConfig
from oysterd.detail import Detail
from oysterd.ring import ChunkRing

logger = logging.getLogger(__name__)

NOBODY_ASKS: dict[str, Any] = {"motion": None, "environment": {}, "presence": None, "loudness_dbfs": None}
REMEMBERED_STEPS = 240  # 20 s: what p50 and p99 are taken over


def snapshot_path(config: WorldConfig) -> Path:
    """Where this world is kept: worlds that begin otherwise have another file, so a new scene begins afresh."""
    begins = f"{config.model}|{config.scene}|{config.image}|{config.seed}|{config.view}"
    return Path(config.state_dir) / f"world-{hashlib.sha256(begins.encode()).hexdigest()[:12]}.safetensors"


class _Beat:
    """How long steps take, and how many there are a second."""

    def __init__(self) -> None:
        self._took_s: deque[float] = deque(maxlen=REMEMBERED_STEPS)
        self._ended: deque[float] = deque(maxlen=REMEMBERED_STEPS)
        self._told_s = 0.0

    def step(self, began_s: float, ended_s: float) -> None:
        self._took_s.append(ended_s - began_s)
        self._ended.append(ended_s)

    def due(self, now_s: float) -> bool:
        """Whether a second has passed since the last report."""
        if now_s - self._told_s < 1.0:
            return False
        self._told_s = now_s
        return True

    def stats(self) -> dict[str, float]:
        span_s = self._ended[-1] - self._ended[0] if len(self._ended) > 1 else 0.0
        rate = (len(self._ended) - 1) / span_s if span_s > 0 else 0.0
        p50, p99 = np.percentile(np.array(self._took_s) * 1000, [50, 99]) if self._took_s else (0.0, 0.0)
        mean_s = float(np.mean(self._took_s)) if self._took_s else 0.0
        return {
            "steps_per_s": round(rate, 2),
            "rtf": round(rate / STEPS_PER_S, 3),
            "headroom": round(1 / (mean_s * STEPS_PER_S), 2) if mean_s > 0 else 0.0,
            "step_ms_p50": round(float(p50), 2),
            "step_ms_p99": round(float(p99), 2),
            "slice_ms": round(1000 / STEPS_PER_S, 2),
        }


def run_world(config: WorldConfig, ring_name: str, events: str, inbox: str) -> None:
    """The process's main: load, begin or resume, step until ended by SIGTERM."""
    become_child()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    import torch

    from model.world import WorldError, load

    torch.set_num_threads(config.threads)
    be_ahead()
    ring, out, ear = ChunkRing.attach(ring_name), Events(events, "world"), Inbox(inbox)
    try:
        began = time.monotonic()
        model = load(config.model, config.device, config.height_px)
        load_s, path = time.monotonic() - began, snapshot_path(config)
        began, world, notes = time.monotonic(), None, []
        if path.exists():
            try:
                world = model.resume(path)
            except WorldError as error:
                notes.append(f"world.state_dir: {error}; the world begins afresh")
                path.replace(path.with_suffix(".bad"))
        resumed = world is not None
        if world is None:
            image = style = None
            try:
                image = None if config.image is None else read_image(config.image, "world.image")
                style = None if config.style is None else style_weights(config.style, model)
            except Refused as error:
                notes.append(f"{error}; the world begins without it")
            scene = None if image is not None else config.scene
            world = model.begin(scene, image, config.seed, config.view, style)
        begin_s = time.monotonic() - began
        model.embed(config.scene)  # the text encoder loads now, not at the first directive
        out.tell("ready", begin_s=begin_s, load_s=load_s, resumed=resumed, notes=notes, step=world.index)
        _live(config, model, world, ring, out, ear, path)
    finally:
        out.close()
        ear.close()
        ring.close()


def _live(config: WorldConfig, model: Any, world: Any, ring: ChunkRing, out: Events, ear: Inbox, path: Path) -> None:
    """Step for ever."""
    from model.world import WorldError

    asked, changes, beat = dict(NOBODY_ASKS), deque[tuple[str, Change]](), _Beat()
    detail = Detail()
    model.seeing.deep = False  # nobody in the daemon looks at it
    saved_s, failures, last = time.monotonic(), 0, None
    while True:
        ahead = ring.newest - max(ring.taken, ring.playing)
        for message in ear.receive(0.0 if ahead < config.ahead_chunks else 0.004):
            if message["type"] == "conditions":
                asked = message
            elif message["type"] == "change":
                changes.append((message["id"], Change.model_validate(message["change"], strict=False)))
            elif message["type"] == "snapshot":
                world.save(path)
                saved_s = time.monotonic()
                out.tell("applied", id=message["id"], step=world.index, time_s=world.time_s)
        if beat.due(time.monotonic()) and last is not None:
            out.tell(
                "stats",
                step=world.index,
                asked=last,
                clamped=last["clamped"],
                detail=detail.share,
                **beat.stats(),
            )
        if ahead >= config.ahead_chunks:
            continue
        identifier, change = changes.popleft() if changes else (None, None)
        try:
            conditions = conditions_of(asked, change, model)
        except Refused as error:
            out.tell("failed", id=identifier, why=str(error))
            identifier, conditions = None, conditions_of(asked, None, model)
        began = time.monotonic()
        try:
            chunk = world.step(conditions)
            failures = 0
        except WorldError as error:
            # The state is as it was: go on without what was asked, and give up when that fails too.
            failures += 1
            logger.error("world: %s", error)
            if identifier is not None:
                out.tell("failed", id=identifier, why=str(error))
            if failures > 3:
                path.unlink(missing_ok=True)  # what can't go on must not be resumed
                raise
            asked = dict(NOBODY_ASKS)
            chunk = world.step(Conditions())
        ended = time.monotonic()
        beat.step(began, ended)
        if why := detail.step(ended - began, ended):
            model.seeing.share = detail.share
            logger.warning("world: %s", why)
        ring.write(chunk.frames[0], chunk.audio)
        last = dict(chunk.applied)
        if identifier is not None:
            out.tell("applied", id=identifier, step=chunk.index, time_s=chunk.index / STEPS_PER_S)
        if time.monotonic() - saved_s > config.snapshot_s:
            world.save(path)
            saved_s = time.monotonic()
