"""The kind `realsense` when frames drop out, come out of order or stop: recordings of it, through the real pipeline."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pyrealsense2
import pytest
from clips import depth_pattern, write_depth_recording
from parts import wait_until
from test_capture import Told

from drivers.base import Depth, DeviceLost, MonotonicClock, NotReady
from drivers.realsense import RealSense, RealSenseConfig, apply_preset
from oysterd.bus import Bus, Message
from oysterd.capture import Capture, run_capture
from oysterd.clock import MonotonicClock as DaemonClock
from oysterd.config import InputConfig
from oysterd.supervisor import Child, Supervisor

FRAMES = 24


def indices(pictures: list[Depth]) -> list[int]:
    """Which frames of the pattern they are."""
    patterns = [depth_pattern(index) * np.float32(0.001) for index in range(FRAMES)]
    return [
        next(at for at, pattern in enumerate(patterns) if np.array_equal(picture.depth_m, pattern))
        for picture in pictures
    ]


def read_all(camera: RealSense) -> tuple[list[Depth], list[str]]:
    """All pictures until it is lost, and why reads in between were not ready."""
    pictures, reasons = list[Depth](), list[str]()
    with pytest.raises(DeviceLost):
        while True:
            try:
                pictures.append(camera.read())
            except NotReady as error:
                reasons.append(str(error))
    return pictures, reasons


def test_a_drop_out_is_waited_through(tmp_path: Path) -> None:
    write_depth_recording(tmp_path / "gap.db3", FRAMES, pauses_s={12: 0.6})
    options = RealSenseConfig(recording=tmp_path / "gap.db3", loop=False, timeout_ms=200, lost_after_s=5.0)
    camera = RealSense(options, MonotonicClock())
    camera.open()
    pictures, reasons = read_all(camera)
    camera.close()
    seen = indices(pictures)
    assert seen == sorted(seen) and min(seen) < 12 <= max(seen)
    assert any("no frames within 200 ms" in reason for reason in reasons)


def test_frames_out_of_order_are_passed_over(tmp_path: Path) -> None:
    order = [*range(8), 10, 9, 8, 11, *range(12, FRAMES)]
    write_depth_recording(tmp_path / "shuffled.db3", FRAMES, order=order)
    camera = RealSense(
        RealSenseConfig(recording=tmp_path / "shuffled.db3", loop=False, timeout_ms=300), MonotonicClock()
    )
    camera.open()
    pictures, reasons = read_all(camera)
    camera.close()
    seen = indices(pictures)
    assert seen == sorted(set(seen)) and len(seen) >= FRAMES // 2
    moments = [picture.captured_ns for picture in pictures]
    assert moments == sorted(moments)
    if 10 in seen:  # the pipeline keeps the newest: a slow machine may miss some
        assert 9 not in seen and 8 not in seen
        assert not reasons or any("from before the last one" in reason for reason in reasons)


def test_the_ladder_is_climbed_rung_by_rung(tmp_path: Path) -> None:
    """A recording that stops after half a second, again after each reopening and reset: then only a new process."""
    write_depth_recording(tmp_path / "stops.db3", FRAMES, pauses_s={12: 1.5})
    options = {"recording": str(tmp_path / "stops.db3"), "timeout_ms": 100, "lost_after_s": 0.4}
    told = Told()
    config = InputConfig(name="depth", kind="realsense", use="presence", options=options)
    capture = Capture(config, MonotonicClock(), told, tmp_path / "room.npz")
    wait_until(lambda: capture.turn() or capture.is_stuck, "it asks for a new process", 20)
    capture.close()
    changes = [kind for kind in told.kinds() if kind in ("back", "lost")]
    assert changes == ["back", "lost"] * 3
    first, second, third = told.whys()
    assert re.search(r"gave no frames for 0\.[4-9] s \(lost_after_s\)$", first)
    assert second.endswith("; its hardware is reset") and third.endswith("; its process is started anew")


def test_a_lost_camera_gets_a_new_process_and_then_the_room_runs_without_it_until_it_is_back(tmp_path: Path) -> None:
    recording = tmp_path / "visitor.db3"
    write_depth_recording(recording, FRAMES)
    options = {"recording": str(recording), "timeout_ms": 100, "loop": False}
    config = InputConfig(name="depth", kind="realsense", use="presence", options=options)
    bus, supervisor, messages = Bus(), Supervisor(DaemonClock()), list[Message]()
    arguments = (config, bus.events, bus.open("input.depth"), tmp_path / "room.npz")
    supervisor.start(Child("input.depth", run_capture, arguments, 1.0, 30.0))

    def hears(kind: str, words: str = "") -> bool:
        heard = bus.receive(0.02)
        for message in heard:
            supervisor.heard(message["from"], message.get("patience_s"))
        supervisor.tick()
        messages.extend(heard)
        return any(message["type"] == kind and words in message.get("why", "") for message in heard)

    try:
        wait_until(lambda: hears("presence"), "depth is seen", 30)
        recording.rename(tmp_path / "unplugged.db3")
        wait_until(lambda: hears("lost", "its process is started anew"), "a new process is asked for", 20)
        wait_until(lambda: hears("lost", "the room runs without it"), "it is done without", 20)
        assert supervisor.restarts() == {"input.depth": 1}
        (tmp_path / "unplugged.db3").rename(recording)
        wait_until(lambda: hears("presence"), "it is back", 10)
        assert supervisor.restarts() == {"input.depth": 1}
    finally:
        supervisor.stop()
        bus.close()


def test_presets_are_set_on_the_sensor_by_name() -> None:
    device = pyrealsense2.software_device()
    plain, sensor = device.add_sensor("Plain"), device.add_sensor("Depth")
    levels = pyrealsense2.option_range()
    levels.min, levels.max, levels.step, levels.default = 0.0, 5.0, 1.0, 0.0
    sensor.add_option(pyrealsense2.option.visual_preset, levels, True)
    apply_preset(sensor, "high_accuracy")
    assert sensor.get_option(pyrealsense2.option.visual_preset) == 3.0  # as librealsense's rs_option.h numbers them
    with pytest.raises(DeviceLost, match=r"realsense\.preset: this camera has no presets"):
        apply_preset(plain, "high_accuracy")
