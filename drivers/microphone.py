"""A microphone through PortAudio (sounddevice), as a sensor of loudness and voice; sound itself goes no further."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from drivers.base import Clock, DeviceLost, DriverConfig, Readings
from drivers.speaker import _portaudio  # one process, one count of the holds on PortAudio
from drivers.voice_activity import VoiceActivity

# Silence in numbers is minus infinity decibels; below this no microphone hears.
FLOOR_DBFS = -100.0


class MicrophoneConfig(DriverConfig):
    """Options of the kind `microphone`."""

    device: str | None = Field(
        default=None, description="name of the input, or a part of it; the machine's own if unset"
    )
    sample_rate_hz: int = Field(default=48000, ge=8000, le=192000)
    window_s: float = Field(default=0.1, ge=0.02, le=0.9, description="loudness is the mean over so long, and as often")
    voice_activity: bool = Field(default=False, description="tell whether somebody speaks: needs oysterd[voice]")


class Microphone:
    """A source of Readings: `loudness_dbfs`, the mean square of samples in −1..1 in decibels, at least −100.

    A sine of full scale reads −3.01. With `voice_activity` there is `voice` as well, 1 while somebody speaks, else 0.
    """

    def __init__(self, config: MicrophoneConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._stream: Any = None  # sounddevice.InputStream, running
        self._voice: VoiceActivity | None = None

    def open(self) -> None:
        """Raises DeviceLost, naming the setting, when there is no such input, no PortAudio or no voice detector."""
        self.close()
        if self._config.voice_activity:
            try:
                self._voice = VoiceActivity(self._config.sample_rate_hz)
            except ImportError as error:
                raise DeviceLost(f"microphone.voice_activity: needs oysterd[voice]: {error}") from error
        sounddevice = _portaudio()
        sounddevice._initialize()
        try:
            self._stream = sounddevice.InputStream(
                samplerate=self._config.sample_rate_hz, channels=1, dtype="float32", device=self._config.device
            )
            self._stream.start()
        except (sounddevice.PortAudioError, ValueError) as error:
            self._let_go()
            wanted = self._config.device or "the machine's own input"
            raise DeviceLost(f"microphone.device: cannot open {wanted}: {error}") from error

    def read(self) -> Readings:
        """Block for a window of sound. Raises DeviceLost when the card fails."""
        if self._stream is None:
            raise DeviceLost("microphone.device: not open")
        try:
            samples, _ = self._stream.read(round(self._config.window_s * self._config.sample_rate_hz))
        except _portaudio().PortAudioError as error:
            raise DeviceLost(f"microphone.device: the input failed: {error}") from error
        captured_ns = self._clock.now_ns()
        values = {"loudness_dbfs": loudness_dbfs(samples)}
        if self._voice is not None:
            values["voice"] = float(self._voice.hear(samples[:, 0]))
        return Readings(values, captured_ns)

    def close(self) -> None:
        if self._stream is not None:
            self._let_go()

    def _let_go(self) -> None:
        """End the stream, if there is one, and the hold on PortAudio that was taken for it."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close(ignore_errors=True)  # a lost card cannot be closed in good order
        _portaudio()._terminate()


def loudness_dbfs(samples: NDArray[np.float32]) -> float:
    """The mean square of samples in −1..1 in decibels, at least FLOOR_DBFS."""
    mean_square = float(np.mean(np.square(samples, dtype=np.float64)))
    return max(10.0 * float(np.log10(max(mean_square, 1e-12))), FLOOR_DBFS)
