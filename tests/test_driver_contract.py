"""One contract for every kind of device that can run here; real hardware joins with --hardware kind={json options}."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips import write_clip, write_depth_recording
from conftest import require
from feeders import (
    FEEDS,
    artnet_input_options,
    mqtt_topics_options,
    sacn_input_options,
    serial_lines_options,
    zmq_socket_options,
)
from hand_clock import HandClock
from pydantic import ValidationError

import drivers
from drivers.base import Depth, DeviceLost, NotReady, Picture, Readings, Sample, Sink, SoundSink, Source

READS = 5


def camera_options(folder: Path) -> dict[str, Any]:
    write_clip(folder / "clip.mp4", frames=3)
    return {"device": str(folder / "clip.mp4")}


def csi_camera_options(folder: Path) -> dict[str, Any]:
    del folder
    require("gst-launch-1.0")
    return {"source": "videotestsrc is-live=true", "width": 64, "height": 48}


def realsense_options(folder: Path) -> dict[str, Any]:
    write_depth_recording(folder / "depth.db3", frames=30)
    return {"recording": str(folder / "depth.db3")}


def microphone_options(folder: Path) -> dict[str, Any]:
    del folder
    return {"device": "ears"}


def virtual_depth_options(folder: Path) -> dict[str, Any]:
    del folder
    return {}


def virtual_sensors_options(folder: Path) -> dict[str, Any]:
    del folder
    return {"readings_hz": 50.0}


RUNNABLE: dict[str, Callable[[Path], dict[str, Any]]] = {
    "camera": camera_options,
    "csi_camera": csi_camera_options,
    "microphone": microphone_options,
    "realsense": realsense_options,
    "virtual_depth": virtual_depth_options,
    "virtual_sensors": virtual_sensors_options,
    "mqtt_topics": mqtt_topics_options,
    "zmq_socket": zmq_socket_options,
    "serial_lines": serial_lines_options,
    "artnet_input": artnet_input_options,
    "sacn_input": sacn_input_options,
}
CHANNEL: dict[str, Any] = {"values": [{"name": "a", "universe": 1, "channel": 1}]}
LAMP: dict[str, Any] = {"fixtures": [{"name": "a", "zone": (0, 0, 1, 1), "universe": 1, "address": 1}]}

BAD_OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "camera": ({"rotation_degrees": 45}, "rotation_degrees"),
    "csi_camera": ({"width": 17}, "width"),
    "microphone": ({"window_s": 5}, "window_s"),
    "realsense": ({"timeout_ms": "soon"}, "timeout_ms"),
    "virtual_depth": ({"visitors": 99}, "visitors"),
    "virtual_sensors": ({"readings_hz": 0}, "readings_hz"),
    "mqtt_topics": ({"values": [{"name": "a", "topic": "b"}], "port": 0}, "port"),
    "zmq_socket": ({"values": [{"name": "a"}], "address": "udp://127.0.0.1:1"}, "address"),
    "serial_lines": ({"baud": 1}, "baud"),
    "artnet_input": ({**CHANNEL, "port": 0}, "port"),
    "sacn_input": ({**CHANNEL, "multicast": "often"}, "multicast"),
    "artnet_lamps": ({**LAMP, "host": "127.0.0.1", "rate_hz": 99}, "rate_hz"),
    "sacn_lamps": ({**LAMP, "priority": 201}, "priority"),
    "speaker": ({"latency_s": -1}, "latency_s"),
    "silent_speaker": ({"latency_s": 0}, "latency_s"),
    "window": ({"upscale": "magic"}, "upscale"),
    "stream": ({"url": "x.m3u8", "width": 17}, "width"),
    "frame_ring": ({"slots": 1}, "slots"),
    "v4l2_output": ({"pixel_format": "JPEG"}, "pixel_format"),
}


@pytest.fixture
def feeds() -> Iterator[None]:
    yield
    FEEDS.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "source_case" not in metafunc.fixturenames:
        return
    hardware = [case.partition("=") for case in metafunc.config.getoption("--hardware")]
    cases = [(kind, None) for kind in RUNNABLE] + [(kind, json.loads(text or "{}")) for kind, _, text in hardware]
    names = [kind if options is None else f"{kind}-hardware" for kind, options in cases]
    metafunc.parametrize("source_case", cases, ids=names)


def read_ready(source: Source) -> Sample:
    """The next sample; a device may ask for patience a few times, as one that warms up does."""
    for _ in range(10):
        try:
            return source.read()
        except NotReady:
            continue
    pytest.fail("ten reads in a row were NotReady")


def assert_well_formed(sample: Sample) -> None:
    assert sample.captured_ns > 0
    if isinstance(sample, Picture):
        assert sample.rgb.dtype == np.uint8 and sample.rgb.ndim == 3 and sample.rgb.shape[2] == 3
    elif isinstance(sample, Depth):
        assert sample.depth_m.dtype == np.float32 and sample.depth_m.ndim == 2
        assert 0.0 <= float(sample.depth_m.min()) and 0.1 < float(sample.depth_m.max()) < 20.0
    else:
        assert isinstance(sample, Readings) and sample.values


def test_every_source_keeps_the_contract(
    source_case: tuple[str, dict[str, Any] | None], tmp_path: Path, feeds: None, request: pytest.FixtureRequest
) -> None:
    kind, options = source_case
    if kind == "microphone" and options is None:
        request.getfixturevalue("pulse_server")
    source = drivers.make_source(kind, RUNNABLE[kind](tmp_path) if options is None else options)
    assert isinstance(source, Source)
    source.close()  # before opening: nothing to do
    with pytest.raises(DeviceLost, match="not open"):
        source.read()

    source.open()
    samples = [read_ready(source) for _ in range(READS)]
    for sample in samples:
        assert_well_formed(sample)
    times = [sample.captured_ns for sample in samples]
    assert times == sorted(set(times))

    source.close()
    source.close()
    with pytest.raises(DeviceLost, match="not open"):
        source.read()
    source.open()  # again, as after a lost device
    assert read_ready(source).captured_ns > times[-1]
    source.close()


def test_every_source_kind_is_run_here() -> None:
    assert set(RUNNABLE) == set(drivers.SOURCES)
    assert set(BAD_OPTIONS) == set(drivers.SOURCES) | set(drivers.SINKS)


@pytest.mark.parametrize("kind", BAD_OPTIONS)
def test_bad_options_are_refused_all_at_once_with_their_paths(kind: str) -> None:
    options, path = BAD_OPTIONS[kind]
    make: Callable[[str, dict[str, Any]], Source | Sink] = (
        drivers.make_source if kind in drivers.SOURCES else drivers.make_sink
    )
    with pytest.raises(ValidationError) as refusal:
        make(kind, {**options, "colur": True})
    errors = {error["loc"][0]: error["type"] for error in refusal.value.errors()}
    assert set(errors) == {path, "colur"}
    assert errors["colur"] == "extra_forbidden"


def test_an_unknown_kind_names_the_nearest() -> None:
    with pytest.raises(drivers.UnknownKind, match="did you mean 'camera'"):
        drivers.make_source("camra", {})
    with pytest.raises(drivers.UnknownKind, match=r"known are .*speaker"):
        drivers.make_sink("zzz", {})


def test_importing_the_drivers_imports_no_sdk() -> None:
    sdks = ["cv2", "pyrealsense2", "sounddevice", "glfw", "moderngl", "torch", "oysterd", "model"]
    sdks += ["paho", "zmq", "serial", "jsonpath"]
    program = f"import sys, drivers; print([name for name in {sdks} if name in sys.modules])"
    root = Path(drivers.__file__).parent.parent
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, cwd=root, check=True)
    assert done.stdout.strip() == "[]"


def test_virtual_devices_depend_on_seed_and_time_alone() -> None:
    def first_pictures(seed: int) -> list[Sample]:
        source = drivers.make_source("virtual_depth", {"seed": seed}, HandClock())
        source.open()
        return [source.read() for _ in range(3)]

    for once, again in zip(first_pictures(1), first_pictures(1), strict=True):
        assert isinstance(once, Depth) and isinstance(again, Depth)
        np.testing.assert_array_equal(once.depth_m, again.depth_m)
        assert once.captured_ns == again.captured_ns
    one, other = first_pictures(1)[0], first_pictures(2)[0]
    assert isinstance(one, Depth) and isinstance(other, Depth)
    assert not np.array_equal(one.depth_m, other.depth_m)


def test_virtual_depth_is_paced_at_its_rate_and_its_visitors_walk() -> None:
    clock = HandClock()
    source = drivers.make_source("virtual_depth", {"visitors": 1}, clock)
    source.open()
    opened_ns = clock.now_ns()
    pictures = [source.read() for _ in range(91)]
    assert clock.now_ns() - opened_ns == pytest.approx(3e9, abs=1e5)  # 90 periods of 1/30 s
    first, last = pictures[0], pictures[-1]
    assert isinstance(first, Depth) and isinstance(last, Depth)
    assert (np.abs(first.depth_m - last.depth_m) > 0.2).mean() > 0.02

    clock.advance(10.0)  # a reader that was away
    clock.slept_s.clear()
    source.read()
    assert clock.slept_s == []  # gets the newest at once and not the 300 that it missed
    source.read()
    assert len(clock.slept_s) == 1


def test_virtual_sensors_give_every_reading_in_its_range() -> None:
    source = drivers.make_source("virtual_sensors", {}, HandClock())
    source.open()
    samples = [source.read() for _ in range(1200)]  # ten minutes
    ranges = {"wind_m_s": (0, 8), "illuminance_lux": (3, 3200), "temperature_c": (19, 23), "people_count": (0, 3)}
    for name, (low, high) in ranges.items():
        curve = np.array([sample.values[name] for sample in samples if isinstance(sample, Readings)])
        assert len(curve) == 1200
        assert low <= curve.min() and curve.max() <= high
        assert curve.max() - curve.min() > 0.5 * (high - low)


def test_the_silent_speaker_takes_sound_at_a_cards_pace() -> None:
    clock = HandClock()
    sink = drivers.make_sink("silent_speaker", {"sample_rate_hz": 24000, "latency_s": 0.1}, clock)
    assert isinstance(sink, SoundSink)
    with pytest.raises(DeviceLost, match="not open"):
        sink.write(np.zeros((10, 2), np.float32))
    sink.open()
    assert (sink.sample_rate_hz, sink.latency_s, sink.underruns) == (24000, 0.1, 0)
    began_ns = clock.now_ns()
    for _ in range(100):
        sink.write(np.zeros((2400, 2), np.float32))  # 0.1 s each
    assert clock.now_ns() - began_ns == pytest.approx(9.9e9, abs=1e6)  # 10 s, less what it holds
    assert sink.underruns == 0
    clock.advance(1.0)
    sink.write(np.zeros((2400, 2), np.float32))
    assert sink.underruns == 1
    sink.close()
    sink.close()
