"""Tries a room's devices without its world: a pattern or a sound on every output in turn, then all inputs at once.

Each device is tried in a process of its own, which is ended when it does not answer: a driver that hangs is a result.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from drivers import make_sink, make_source
from drivers.base import UMASKS, Depth, DeviceLost, NotReady, Picture, Sample, Sink, SoundSink
from drivers.stream import Stream, StreamConfig
from drivers.window import Window
from model.conditions import STEPS_PER_S
from oysterd.child import become_child
from oysterd.config import InputConfig, OutputConfig, Settings
from oysterd.lamps import LAMP_KINDS
from oysterd.playout import SAMPLE_RATE_HZ, SOUND_KINDS
from oysterd.sounding import quiet
from oysterd.voice import SoundConfig, local_time, quiet_ceiling_dbfs

# Opening a device may take long: a RealSense camera's SDK looks for 15 s, a network camera's time-out is its own.
OPEN_WITHIN_S = 25.0
TONE_DBFS, TONE_HZ, BLOCK_S, FADE_S = -20.0, 440.0, 0.02, 0.02
PATTERN_SIZE = (360, 640)
# How often what takes pictures is given one a second; of those that hold a write back themselves more than they take.
PICTURES_HZ = {"window": 60.0, "frame_ring": 30.0, "v4l2_output": 30.0, **dict.fromkeys(LAMP_KINDS, 60.0)}

Say = Callable[[str], None]


@dataclass(frozen=True)
class Result:
    """How a device does; `words` are for people."""

    is_well: bool
    words: str


def selftest(settings: Settings, seconds: float = 3.0, say: Say = lambda words: print(words, flush=True)) -> bool:
    """Try all devices of a configuration, for `seconds` each; whether all work that are not optional."""
    failed: list[str] = []
    for output in settings.outputs:
        say(f"output {output.name} ({output.kind})")
        result = Trial(_try_output, (output, settings.sound, seconds)).result(seconds, lambda words: say(f"  {words}"))
        missed = not result.is_well and not output.optional
        say(f"  {'works' if result.is_well else 'FAILS' if missed else 'missing, but optional'}: {result.words}")
        failed += [output.name] if missed else []
    trials = [(source, Trial(_try_input, (source, seconds))) for source in settings.inputs]
    for source, trial in trials:
        result = trial.result(seconds, say)
        say(f"input {source.name} ({source.kind})")
        say(f"  {'works' if result.is_well else 'FAILS'}: {result.words}")
        failed += [] if result.is_well else [source.name]
    count = len(settings.outputs) + len(settings.inputs)
    if count == 0:
        say("there is nothing to try: no device is configured or found")
        return False
    say(f"{len(failed)} of {count} fail: {', '.join(failed)}" if failed else f"all {count} work or are optional")
    return not failed


class Trial:
    """A function that runs in a process of its own, begun at once."""

    def __init__(self, target: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        context = multiprocessing.get_context("spawn")
        self._answers, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=target, args=(*arguments, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self._end_s = time.monotonic() + OPEN_WITHIN_S

    def result(self, seconds: float, say: Say) -> Result:
        """What it answers at last; what it says before is passed on. Ends it when it hangs."""
        try:
            while self._answers.poll(max(self._end_s + 2 * seconds - time.monotonic(), 0.0)):
                answer = self._answers.recv()
                if isinstance(answer, Result):
                    return answer
                self._end_s = max(self._end_s, time.monotonic() + seconds)
                say(answer)
            return Result(False, "hangs: no answer in time, its process was ended")
        except EOFError:
            self._process.join()
            return Result(False, f"its process ended with exit code {self._process.exitcode}")
        finally:
            self._process.kill()
            self._process.join()
            self._answers.close()


def _try_output(output: OutputConfig, sound: SoundConfig, seconds: float, answers: Connection) -> None:
    become_child(at_once=True)
    if output.kind == "stream":  # what it leaves in its folder is read by whom it is for, as while the room runs
        os.umask(UMASKS[StreamConfig.model_validate(output.options).readable_by])
    sink = make_sink(output.kind, output.options)
    try:
        with quiet():
            sink.open()
        if output.kind in SOUND_KINDS:
            answers.send(_play(cast(SoundSink, sink), sound, seconds, answers.send))
        elif isinstance(sink, Stream):
            answers.send(_stream(sink, seconds))
        else:
            if isinstance(sink, Window):
                sink.show("grid")  # as large as its raster, cropped and laid on its wall as its options say
            answers.send(_show(sink, seconds, PICTURES_HZ[output.kind]))
    except DeviceLost as error:
        answers.send(Result(False, str(error)))
    finally:
        with suppress(DeviceLost):
            sink.close()


def _play(sink: SoundSink, sound: SoundConfig, seconds: float, say: Say) -> Result:
    """A tone on each channel in turn, under the ceiling of this hour."""
    ceiling_dbfs = quiet_ceiling_dbfs(sound, local_time())
    each_s = max(seconds / sink.channels, 0.3)
    tone = _tone(sink.sample_rate_hz, each_s) * 10 ** (min(TONE_DBFS, ceiling_dbfs) / 20)
    for channel in range(1, sink.channels + 1):
        zones = " and ".join(zone.name for zone in sound.zones if channel in zone.channels)
        say(f"channel {channel} of {sink.channels}: {f'zone {zones}' if zones else 'in no zone'}")
        samples = np.zeros((len(tone), sink.channels), np.float32)
        samples[:, channel - 1] = tone
        for block in np.array_split(samples, max(round(each_s / BLOCK_S), 1)):
            sink.write(block)
    silence = np.zeros((round(sink.latency_s * sink.sample_rate_hz), sink.channels), np.float32)
    sink.write(silence)  # closing lets go of what still waits
    words = f"{sink.channels} channels played, {1000 * sink.latency_s:.0f} ms of sound wait in it"
    return Result(sink.underruns == 0, f"{words}, it ran dry {sink.underruns} times")


def _tone(rate_hz: int, seconds: float) -> NDArray[np.float32]:
    at_s = np.arange(round(rate_hz * seconds)) / rate_hz
    envelope = np.clip(np.minimum(at_s, seconds - at_s) / FADE_S, 0.0, 1.0)
    return (np.sin(2 * np.pi * TONE_HZ * at_s) * envelope).astype(np.float32)


def _stream(sink: Stream, seconds: float) -> Result:
    """A pattern with a tone, slice by slice as the world makes them."""
    picture, samples = pattern(*PATTERN_SIZE), SAMPLE_RATE_HZ // STEPS_PER_S
    count = max(round(seconds * STEPS_PER_S), 1)
    tone = _tone(SAMPLE_RATE_HZ, count * samples / SAMPLE_RATE_HZ) * np.float32(10 ** (TONE_DBFS / 20))
    begun_s = time.monotonic()
    for number in range(count):
        at = number * samples
        sink.write(picture, np.repeat(tone[at : at + samples, None], 2, axis=1), SAMPLE_RATE_HZ)
        time.sleep(max(begun_s + (number + 1) / STEPS_PER_S - time.monotonic(), 0.0))
    return Result(True, f"{count} slices of a pattern with a tone were sent")


def _show(sink: Sink, seconds: float, rate_hz: float) -> Result:
    picture, shown = pattern(*PATTERN_SIZE), 0
    sink.write(picture)  # a first one may wait for a driver to be loaded
    begun_s = time.monotonic()
    while (passed_s := time.monotonic() - begun_s) < seconds:
        sink.write(picture)
        shown += 1
        time.sleep(max((shown + 1) / rate_hz - passed_s, 0.0))  # where no refresh holds it back
    return Result(True, f"a pattern was shown, {shown / passed_s:.0f} pictures/s")


def pattern(height: int, width: int) -> NDArray[np.uint8]:
    """uint8 (height, width, 3): the eight colour bars over a ramp of grey, and a white frame at the very edge."""
    picture = np.zeros((height, width, 3), np.uint8)
    bar = 7 - np.arange(width) * 8 // width  # white, yellow, cyan, green, magenta, red, blue, black
    for channel, bit in enumerate((2, 4, 1)):
        picture[: 3 * height // 4, :, channel] = np.where(bar & bit, 255, 0)
    picture[3 * height // 4 :] = np.linspace(0, 255, width, dtype=np.uint8)[:, None]
    picture[[0, -1]] = picture[:, [0, -1]] = 255
    return picture


def _try_input(source: InputConfig, seconds: float, answers: Connection) -> None:
    become_child(at_once=True)
    device = make_source(source.kind, source.options)
    try:
        device.open()
        sample, ages_s, times_s = None, list[float](), list[float]()
        begun_s = time.monotonic()
        while time.monotonic() - begun_s < seconds:
            try:
                sample = device.read()
            except NotReady:
                continue
            times_s.append(time.monotonic())
            ages_s.append(times_s[-1] - sample.captured_ns / 1e9)
        answers.send(_heard(source, sample, ages_s, times_s))
    except DeviceLost as error:
        answers.send(Result(False, str(error)))
    finally:
        with suppress(DeviceLost):
            device.close()


def _heard(source: InputConfig, sample: Sample | None, ages_s: list[float], times_s: list[float]) -> Result:
    if sample is None:
        if source.use == "sensors":  # a button is not pressed all day
            return Result(True, "connected, and silent all the time")
        return Result(False, "opened, and gave nothing")
    # Of the spaces between samples, since the first may have waited.
    rate = f"{(len(times_s) - 1) / (times_s[-1] - times_s[0]):.1f}/s" if len(times_s) > 1 else "one sample"
    age_s = float(np.median(ages_s))
    words = f"{rate}, {1000 * age_s:.0f} ms old, {_described(sample)}"
    if age_s > source.max_age_s:
        return Result(False, f"{words}: older than max_age_s = {source.max_age_s:g}")
    return Result(True, words)


def _described(sample: Sample) -> str:
    if isinstance(sample, Picture):
        return f"pictures of {sample.rgb.shape[1]}×{sample.rgb.shape[0]}"
    if isinstance(sample, Depth):
        known = float((sample.depth_m > 0).mean())
        colour = "with" if sample.rgb is not None else "without"
        return f"depth of {sample.depth_m.shape[1]}×{sample.depth_m.shape[0]} {colour} colour, {known:.0%} known"
    return ", ".join(f"{name} {value:.4g}" for name, value in sample.values.items()) or "no values"
