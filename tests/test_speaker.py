"""The kind `speaker`: PortAudio into a real sound server, and what its sink was heard to play."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from conftest import stop, wait_until
from numpy.typing import NDArray

from drivers.base import DeviceLost, MonotonicClock, SoundSink
from drivers.speaker import Speaker, SpeakerConfig, list_outputs

RATE_HZ = 48000


@contextmanager
def recorded(path: Path) -> Iterator[None]:
    """Records the sink's monitor to `path` as float32 (n, 2), from when sound reaches the file on."""
    command = ["parec", "-d", "room.monitor", f"--rate={RATE_HZ}", "--channels=2", "--format=float32le"]
    with path.open("wb") as output:
        recorder = subprocess.Popen([*command, "--latency-msec=20"], stdout=output)
        try:
            wait_until(lambda: path.stat().st_size > 0, 10, "parec records")
            yield
        finally:
            stop(recorder)


def noise(seconds: float) -> NDArray[np.float32]:
    samples = np.random.default_rng(11).uniform(-0.5, 0.5, (round(seconds * RATE_HZ), 2))
    return samples.astype(np.float32)


def test_what_is_written_is_what_is_heard(pulse_server: dict[str, str], tmp_path: Path) -> None:
    written = noise(1.5)
    heard_file = tmp_path / "heard.f32"
    speaker = Speaker(SpeakerConfig(device="room", sample_rate_hz=RATE_HZ, latency_s=0.1), MonotonicClock())
    assert isinstance(speaker, SoundSink)
    with recorded(heard_file):
        speaker.open()
        for start in range(0, len(written), 2000):  # a world's chunk of 1/24 s
            speaker.write(written[start : start + 2000])
        assert speaker.underruns == 0
        assert 0.01 < speaker.latency_s < 0.5
        expected_bytes = written.nbytes
        wait_until(lambda: _sounding_bytes(heard_file) >= expected_bytes, 10, "the sound is heard whole")
        speaker.close()
        speaker.close()
    heard = np.fromfile(heard_file, np.float32)
    heard = heard[: len(heard) // 2 * 2].reshape(-1, 2)
    begin = int(np.argmax(np.abs(heard).max(axis=1) > 0))
    # The sink is of 16 bits: one of its steps is lost on the way.
    np.testing.assert_allclose(heard[begin : begin + len(written)], written, rtol=0, atol=1 / 32768)


def _sounding_bytes(path: Path) -> int:
    """Bytes of whole frames from the first sound on."""
    samples = np.fromfile(path, np.float32)
    sounding = np.nonzero(samples)[0]
    return 0 if len(sounding) == 0 else (len(samples) - int(sounding[0])) * 4


def test_a_writer_that_stops_is_counted_as_run_dry(pulse_server: dict[str, str]) -> None:
    speaker = Speaker(SpeakerConfig(device="room", sample_rate_hz=RATE_HZ, latency_s=0.05), MonotonicClock())
    speaker.open()
    block = noise(0.05)
    for _ in range(6):
        speaker.write(block)
    assert speaker.underruns == 0
    MonotonicClock().sleep(10 * speaker.latency_s)  # the fault itself: nothing to write for long
    for _ in range(6):
        speaker.write(block)
    assert speaker.underruns >= 1
    speaker.close()


def test_outputs_are_listed_by_the_names_that_open(pulse_server: dict[str, str]) -> None:
    outputs = {output.name: output for output in list_outputs()}
    assert "room" in outputs
    assert outputs["room"].channels >= 2
    assert outputs["room"].default_sample_rate_hz >= 8000


def test_an_output_that_is_not_there_is_named(pulse_server: dict[str, str]) -> None:
    speaker = Speaker(SpeakerConfig(device="no such hall"), MonotonicClock())
    with pytest.raises(DeviceLost, match=r"speaker\.device: cannot open no such hall"):
        speaker.open()
    with pytest.raises(DeviceLost, match="not open"):
        speaker.write(noise(0.01))
    speaker.close()


def test_a_machine_without_sound_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if Path("/dev/snd").exists():
        pytest.skip("this machine has a sound card")
    for name in ("PULSE_SERVER", "ALSA_CONFIG_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PULSE_RUNTIME_PATH", str(tmp_path))  # where no server is
    speaker = Speaker(SpeakerConfig(), MonotonicClock())
    with pytest.raises(DeviceLost, match=r"speaker\.device: cannot open the machine's own output"):
        speaker.open()
