"""The kind `microphone`: what is played into a real sound server's null sink is heard at its monitor, as loud."""

from __future__ import annotations

import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest
from parts import end, wait_until

from drivers.base import DeviceLost, MonotonicClock
from drivers.microphone import FLOOR_DBFS, Microphone, MicrophoneConfig, loudness_dbfs
from oysterd.clock import ManualClock
from oysterd.conditioning import Conditioning
from oysterd.config import Settings

RATE_HZ = 48_000


def write_tone(path: Path, amplitude: float, seconds: int) -> None:
    """A sine of 440 Hz, stereo, 16 bit."""
    tone = amplitude * np.sin(2 * np.pi * 440 * np.arange(RATE_HZ * seconds) / RATE_HZ)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((np.stack([tone, tone], axis=1) * 32767).astype("<i2").tobytes())


def test_what_is_played_is_heard_as_loud_as_it_is(pulse_server: dict[str, str], tmp_path: Path) -> None:
    microphone = Microphone(MicrophoneConfig(device="ears"), MonotonicClock())
    microphone.open()
    assert microphone.read().values["loudness_dbfs"] == FLOOR_DBFS
    write_tone(tmp_path / "tone.wav", 0.1, 20)  # −23.01 dBFS
    player = subprocess.Popen(["paplay", "--device=room", str(tmp_path / "tone.wav")])
    heard: list[float] = []

    def is_steady() -> bool:
        heard.append(microphone.read().values["loudness_dbfs"])
        return len(heard) > 5 and max(heard[-5:]) - min(heard[-5:]) < 0.2 and heard[-1] > -90

    try:
        wait_until(is_steady, "the tone")
        assert heard[-1] == pytest.approx(20 * np.log10(0.1 / np.sqrt(2)), abs=0.3)
    finally:
        end(player)
    wait_until(lambda: microphone.read().values["loudness_dbfs"] == FLOOR_DBFS, "silence")
    first_ns, second_ns = microphone.read().captured_ns, microphone.read().captured_ns
    assert second_ns > first_ns
    microphone.close()
    with pytest.raises(DeviceLost, match="not open"):
        microphone.read()


def test_an_input_that_is_not_there_is_named(pulse_server: dict[str, str]) -> None:
    microphone = Microphone(MicrophoneConfig(device="no such ear"), MonotonicClock())
    with pytest.raises(DeviceLost, match=r"microphone\.device: cannot open no such ear"):
        microphone.open()
    microphone.close()


def test_loudness_in_numbers() -> None:
    assert loudness_dbfs(np.ones((100, 1), np.float32)) == 0.0
    assert loudness_dbfs(np.full((100, 1), 0.1, np.float32)) == pytest.approx(-20.0, abs=1e-5)
    assert loudness_dbfs(np.zeros((100, 1), np.float32)) == FLOOR_DBFS


def test_the_world_is_told_while_the_microphone_hears() -> None:
    clock = ManualClock(100.0)
    ear = {"name": "ear", "kind": "microphone", "use": "sensors", "max_age_s": 1.0}
    conditioning = Conditioning(Settings.model_validate({"inputs": [ear]}), clock)
    conditioning.readings("ear", {"loudness_dbfs": -30.0}, clock.now_ns())
    conditioning.readings("mqtt", {"loudness_dbfs": -3.0}, clock.now_ns())  # not of this room's microphone
    assert conditioning.conditions()["loudness_dbfs"] == -30.0
    clock.advance(1.5)
    assert conditioning.conditions()["loudness_dbfs"] is None
