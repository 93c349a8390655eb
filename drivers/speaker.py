"""Loudspeakers through PortAudio (sounddevice): blocks of sound on one or more channels, taken at the card's pace."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from drivers.base import Clock, DeviceLost, DriverConfig


class SpeakerConfig(DriverConfig):
    """Options of the kind `speaker`."""

    device: str | None = Field(
        default=None, description="name of the output, or a part of it; the machine's own if unset"
    )
    channels: int = Field(default=2, ge=2, le=64, description="that the output is opened with")
    sample_rate_hz: int = Field(default=48000, ge=8000, le=192000)
    latency_s: float = Field(
        default=0.05, gt=0, le=2.0, description="asked of the device; `latency_s` tells what it gives"
    )


@dataclass(frozen=True)
class SoundDevice:
    """A sound output or input that this machine has."""

    name: str
    channels: int
    default_sample_rate_hz: float
    is_default: bool  # the one that is taken where none is named


def list_outputs() -> list[SoundDevice]:
    """The outputs of this moment, as `device` may name them; empty where there is no sound card.

    Raises DeviceLost when PortAudio is not installed.
    """
    return _list("output")


def list_inputs() -> list[SoundDevice]:
    """The same for inputs: microphones and line inputs."""
    return _list("input")


def _list(way: Literal["output", "input"]) -> list[SoundDevice]:
    with _held_portaudio() as sounddevice:
        chosen = sounddevice.default.device[way]
        return [
            SoundDevice(device["name"], channels, device["default_samplerate"], device["index"] == chosen)
            for device in sounddevice.query_devices()
            if (channels := device[f"max_{way}_channels"]) > 0
        ]


class Speaker:
    """A sink of float32 (n, channels) blocks in -1..1. Open, it is the clock that everything else follows."""

    def __init__(self, config: SpeakerConfig, clock: Clock) -> None:
        del clock  # the card is its own clock
        self._config = config
        self._stream: Any = None  # sounddevice.OutputStream, running
        self._underruns = 0
        self._holds = 0  # samples that the device takes when it is empty

    @property
    def sample_rate_hz(self) -> int:
        return self._config.sample_rate_hz

    @property
    def channels(self) -> int:
        return self._config.channels

    @property
    def latency_s(self) -> float:
        """What the device gives, as it reports it; what is asked of it while it is not open."""
        return self._config.latency_s if self._stream is None else float(self._stream.latency)

    @property
    def waiting_s(self) -> float:
        if self._stream is None or self._stream.stopped:
            return 0.0
        return max(self._holds - self._free(), 0) / self._config.sample_rate_hz

    @property
    def underruns(self) -> int:
        return self._underruns

    def open(self) -> None:
        """Raises DeviceLost, naming `speaker.device`, when there is no such output."""
        self.close()
        sounddevice = _portaudio()
        sounddevice._initialize()
        self._underruns = 0
        try:
            self._stream = sounddevice.OutputStream(
                samplerate=self._config.sample_rate_hz,
                channels=self._config.channels,
                dtype="float32",
                device=self._config.device,
                latency=self._config.latency_s,
            )
        except (sounddevice.PortAudioError, ValueError) as error:
            wanted = self._config.device or "the machine's own output"
            why = f"speaker.device: cannot open {wanted}: {error}"  # an error of PortAudio's asks it for its words
            sounddevice._terminate()
            raise DeviceLost(why) from error

    def write(self, samples: NDArray[np.float32], /) -> None:
        """Block until the card has taken float32 (n, channels). Raises DeviceLost when the card fails."""
        if self._stream is None:
            raise DeviceLost("speaker.device: not open")
        sounddevice = _portaudio()
        try:
            if self._stream.stopped:
                # Started with the first block at hand: an idle running stream would count as run dry.
                self._stream.start()
                # Where PortAudio itself has filled the device before, it says that none are taken.
                self._holds = max(self._free(), round(self.latency_s * self._config.sample_rate_hz))
                self._stream.write(samples)
            elif self._stream.write(samples):
                self._underruns += 1
        except sounddevice.PortAudioError as error:
            raise DeviceLost(f"speaker.device: the output failed: {error}") from error

    def _free(self) -> int:
        try:
            return int(self._stream.write_available)
        except _portaudio().PortAudioError as error:
            raise DeviceLost(f"speaker.device: the output failed: {error}") from error

    def close(self) -> None:
        if self._stream is not None:
            stream, self._stream = self._stream, None
            stream.close(ignore_errors=True)  # a lost card cannot be closed in good order
            _portaudio()._terminate()


@functools.cache
def _portaudio() -> ModuleType:
    """sounddevice, without the hold on PortAudio that importing it takes.

    PortAudio looks for cards only when its first hold is taken. So it is held while a stream is open and not
    otherwise, and each opening sees the cards of that moment. Raises DeviceLost when PortAudio is missing.
    """
    try:
        import sounddevice
    except OSError as error:
        raise DeviceLost(f"speaker: PortAudio is missing (Debian package libportaudio2): {error}") from error
    sounddevice._terminate()
    module: ModuleType = sounddevice
    return module


@contextmanager
def _held_portaudio() -> Iterator[ModuleType]:
    sounddevice = _portaudio()
    sounddevice._initialize()
    try:
        yield sounddevice
    finally:
        sounddevice._terminate()
