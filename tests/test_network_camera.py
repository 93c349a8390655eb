"""Cameras in the network: a real RTSP server that is slowly read, frozen and killed, alone and under the supervisor."""

from __future__ import annotations

import http.server
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from network_camera import NetworkCamera, age_ms, network_camera
from parts import wait_until

from drivers.base import DeviceLost, MonotonicClock, Picture
from drivers.camera import Camera, CameraConfig
from oysterd.bus import Bus, Message
from oysterd.capture import run_capture
from oysterd.clock import MonotonicClock as DaemonClock
from oysterd.config import InputConfig
from oysterd.processes import INPUT_HUNG_AFTER_S
from oysterd.supervisor import Child, Supervisor

# Encoder, network and decoder hold back two pictures; a queue of a second would show.
FRESH_MS = 400


@pytest.fixture
def server() -> Iterator[NetworkCamera]:
    with network_camera() as made:
        yield made


def opened(server: NetworkCamera) -> Camera:
    """Open as soon as it answers: after a start GStreamer takes a moment."""
    camera = Camera(CameraConfig(device=server.address, open_timeout_ms=5000, read_timeout_ms=1000), MonotonicClock())

    def is_open() -> bool:
        try:
            camera.open()
        except DeviceLost:
            return False
        return True

    wait_until(is_open, "the stream opens", 20)
    return camera


def read_until_lost(camera: Camera) -> float:
    """Seconds until it was lost."""
    began_s = time.monotonic()
    with pytest.raises(DeviceLost, match="stopped giving pictures"):
        while time.monotonic() - began_s < 10:
            camera.read()
    return time.monotonic() - began_s


def test_a_slow_reader_sees_the_present_and_a_frozen_or_dead_server_is_noticed(server: NetworkCamera) -> None:
    camera = opened(server)
    first = camera.read()
    assert first.rgb.shape == (480, 640, 3) and (first.rgb[240:, :].min(axis=(1, 2)) < 60).any()
    threading.Event().wait(1.0)  # busy with something else, while thirty pictures queue up
    late = camera.read()
    assert age_ms(late.rgb) < FRESH_MS
    assert late.captured_ns - first.captured_ns > 0.9e9

    server.freeze()
    assert read_until_lost(camera) < 2.5
    camera.close()
    server.thaw()
    camera = opened(server)
    assert age_ms(camera.read().rgb) < 2000  # the first after opening may have waited for a whole one

    server.kill()
    assert read_until_lost(camera) < 2.5
    camera.close()


class Room:
    """A supervised capture of one camera, driven as the daemon's loop drives it."""

    def __init__(self, folder: Path, address: str) -> None:
        self.bus, self.messages = Bus(), list[Message]()
        self.supervisor = Supervisor(DaemonClock())
        config = InputConfig(name="door", kind="camera", use="presence", options={"device": address})
        arguments = (config, self.bus.events, self.bus.open("input.door"), folder / "door.room.npz")
        self.supervisor.start(Child("input.door", run_capture, arguments, INPUT_HUNG_AFTER_S, 30.0))

    def turn(self) -> list[Message]:
        """Once around the loop; what was heard in it."""
        heard = self.bus.receive(0.02)
        for message in heard:
            self.supervisor.heard(message["from"], message.get("patience_s"))
        self.supervisor.tick()
        self.messages += heard
        return heard

    def until(self, kind: str, patience_s: float = 20.0) -> float:
        """Seconds until that is told, from now on."""
        began_s = time.monotonic()
        wait_until(lambda: any(message["type"] == kind for message in self.turn()), kind, patience_s)
        return time.monotonic() - began_s

    def close(self) -> None:
        self.supervisor.stop()
        self.bus.close()


@pytest.fixture
def room(server: NetworkCamera, tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path, server.address)
    yield made
    made.close()


def test_a_camera_comes_back_whether_it_died_froze_or_its_process_was_killed(server: NetworkCamera, room: Room) -> None:
    room.until("presence")
    server.kill()
    room.until("lost")
    assert "stopped giving pictures" in next(message["why"] for message in room.messages if message["type"] == "lost")
    server.start()
    room.until("presence")

    server.freeze()
    room.until("lost")
    server.thaw()
    room.until("presence")

    first = room.supervisor.pids()["input.door"]
    os.kill(first, signal.SIGKILL)
    wait_until(
        lambda: room.turn() is not None and room.supervisor.pids().get("input.door", first) != first, "a new one"
    )
    room.until("presence")

    assert room.supervisor.restarts() == {"input.door": 1}


class _MotionJpeg(http.server.BaseHTTPRequestHandler):
    """What cheap cameras serve: JPEGs without end, each brighter than the last."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
        self.end_headers()
        try:
            for level in range(10, 250, 6):
                jpeg = cv2.imencode(".jpg", np.full((120, 160, 3), level, np.uint8))[1].tobytes()
                head = f"--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                self.wfile.write(head.encode() + jpeg + b"\r\n")
                threading.Event().wait(0.02)
        except (BrokenPipeError, ConnectionResetError):
            return

    def log_message(self, format: str, *arguments: object) -> None:
        return


def test_motion_jpeg_over_http_is_a_camera_too_and_its_end_a_lost_one() -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _MotionJpeg)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    camera = Camera(CameraConfig(device=f"http://127.0.0.1:{server.server_port}/eye.mjpg"), MonotonicClock())
    try:
        camera.open()
        levels: list[float] = []
        with pytest.raises(DeviceLost, match="stopped giving pictures"):
            while True:
                picture = camera.read()
                assert isinstance(picture, Picture) and picture.rgb.shape == (120, 160, 3)
                levels.append(float(picture.rgb.mean()))
        assert len(levels) > 5 and (np.diff(levels) > 0).all()
    finally:
        camera.close()
        server.shutdown()
        server.server_close()
