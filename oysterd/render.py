"""`oysterd render`: a timeline to a film, offline and the same for the same seed, with a receipt for every entry."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.stream import VideoStream
from tqdm import tqdm

from model.conditions import STEPS_PER_S, Chunk
from oysterd.asking import Refused, check_change, conditions_of, read_image, style_weights
from oysterd.changes import Timeline, load_timeline
from oysterd.clock import ManualClock
from oysterd.conditioning import Conditioning
from oysterd.config import Settings
from oysterd.errors import ConfigError

SAMPLE_RATE_HZ = 24_000


class Film:
    """An MP4 file with H.264 pictures at the world's rate and AAC stereo sound, written chunk by chunk."""

    def __init__(self, path: Path, height: int, width: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._file = av.open(str(path), "w", format="mp4", options={"movflags": "faststart"})
        except (OSError, av.FFmpegError) as error:
            raise ConfigError([f"--out: {path} can't be written: {error}"]) from error
        self._video: VideoStream = self._file.add_stream("libx264", rate=STEPS_PER_S)
        self._video.width, self._video.height, self._video.pix_fmt = width, height, "yuv420p"
        # With several threads, or with its macroblock tree, x264 makes different files of the same pictures.
        self._video.options = {"crf": "18", "preset": "medium", "x264-params": "no-mbtree=1"}
        self._video.codec_context.thread_count = 1
        self._audio = self._file.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="stereo", bit_rate=128_000)
        self._samples = 0

    def add(self, chunk: Chunk) -> None:
        """Append a chunk's picture and sound."""
        for rgb in chunk.frames:
            self._file.mux(self._video.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        sound = av.AudioFrame.from_ndarray(np.ascontiguousarray(chunk.audio.T), format="fltp", layout="stereo")
        sound.sample_rate, sound.pts = SAMPLE_RATE_HZ, self._samples
        self._samples += len(chunk.audio)
        self._file.mux(self._audio.encode(sound))

    def close(self) -> None:
        """Write what the encoders still hold and finish the file."""
        for stream in (self._video, self._audio):
            self._file.mux(stream.encode(None))
        self._file.close()


def play(timeline: Timeline, model: Any, base: Path = Path(".")) -> Iterator[tuple[Chunk, list[dict[str, Any]]]]:
    """Run a timeline; for each step its chunk and the receipts of the entries it applied.

    An entry acts at the first step at or after its time; two entries of the same time act one step apart.
    Paths of pictures count from `base`. Raises ConfigError when the world can't begin as asked.
    """
    try:
        style = None if timeline.style is None else style_weights(timeline.style, model)
        image = None if timeline.image is None else read_image(str(base / timeline.image))
    except Refused as error:
        raise ConfigError([str(error)]) from error
    clock = ManualClock()
    conditioning = Conditioning(Settings.model_construct(inputs=[], mappings=[]), clock)
    world = model.begin(timeline.scene, image, timeline.seed, timeline.view or "first", style)
    waiting = sorted(enumerate(timeline.at), key=lambda pair: pair[1].t)
    for step in range(math.ceil(timeline.seconds * STEPS_PER_S)):
        receipts: list[dict[str, Any]] = []
        change = None
        now_s = step / STEPS_PER_S
        if waiting and waiting[0][1].t <= now_s + 1e-9:
            number, entry = waiting.pop(0)
            change = entry.change()
            asked = change.model_dump(exclude_none=True)
            receipt = {"entry": number, "t": entry.t, "change": asked, "received_s": now_s}
            try:
                check_change(change, model)
                conditioning.change(change)
                receipt |= {"status": "applied", "applied_step": step, "applied_s": round(now_s, 4)}
            except Refused as error:
                receipt |= {"status": "rejected", "why": [str(error)]}
                change = None
            receipts.append(receipt)
        chunk = world.step(conditions_of(conditioning.conditions(), change, model))
        clock.advance(1 / STEPS_PER_S)
        yield chunk, receipts


def render(
    path: Path, out: Path, receipts_path: Path | None, model_name: str = "nacre", say: Callable[[str], None] = print
) -> None:
    """Render the timeline at `path` into the film `out`, and its receipts beside it.

    Raises ConfigError for a timeline or a file that can't be used, model.checkpoint.CheckpointError for a model.
    """
    timeline = load_timeline(path)
    from model.world import load

    model = load(model_name)
    film = Film(out, model.preset.height, model.preset.width)
    receipts: list[dict[str, Any]] = []
    try:
        steps = play(timeline, model, path.parent)
        total = math.ceil(timeline.seconds * STEPS_PER_S)
        for chunk, answered in tqdm(steps, total=total, desc=out.name, unit="step"):
            film.add(chunk)
            receipts += answered
        for number in sorted(set(range(len(timeline.at))) - {receipt["entry"] for receipt in receipts}):
            why = [f"at[{number}].t: the film was over before it could act"]
            receipts.append({"entry": number, "t": timeline.at[number].t, "status": "expired", "why": why})
    finally:
        film.close()
    if receipts_path is not None:
        receipts_path.parent.mkdir(parents=True, exist_ok=True)
        receipts_path.write_text(json.dumps(receipts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    say(f"{out}: {timeline.seconds:g} s, {len(receipts)} of {len(timeline.at)} entries answered")
