"""Small real files for the tests: a clip written with PyAV and a depth recording written by librealsense."""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyrealsense2
from numpy.typing import NDArray

CLIP_FPS = 25


def write_clip(path: Path, frames: int, width: int = 64, height: int = 48) -> None:
    """An H.264 clip whose frame n is grey of level 20 + 10 n, with its upper left quarter red."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=CLIP_FPS)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": "4", "preset": "ultrafast"}
        for index in range(frames):
            picture = np.full((height, width, 3), 20 + 10 * index, np.uint8)
            picture[: height // 2, : width // 2] = (220, 20, 20)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, CLIP_FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def depth_pattern(index: int, width: int = 160, height: int = 120) -> NDArray[np.uint16]:
    """Millimetres (H, W): a slope with a block that moves right, and a hole."""
    pattern = np.tile(np.arange(1000, 1000 + width, dtype=np.uint16), (height, 1))
    pattern[40:80, index * 4 : index * 4 + 30] = 600 + index
    pattern[16:28, 80:92] = 0
    return pattern


def colour_pattern(index: int, width: int, height: int) -> NDArray[np.uint8]:
    """RGB (H, W, 3) of the same scene: the moving block is green, what is behind it blue."""
    pattern = np.zeros((height, width, 3), np.uint8)
    pattern[..., 2] = 90
    scale = width / 160
    left, right = round(index * 4 * scale), round((index * 4 + 30) * scale)
    pattern[height // 3 : 2 * height // 3, left:right] = (0, 200, 0)
    return pattern


class _SoftwareStream:
    """One stream of a software RealSense: takes pictures, gives them to the SDK as its frames."""

    def __init__(self, device: Any, kind: str, width: int, height: int, uid: int) -> None:
        is_depth = kind == "Depth"
        self._bytes_per_pixel = 2 if is_depth else 3
        self._width = width
        self.sensor = device.add_sensor(kind)
        intrinsics = pyrealsense2.intrinsics()
        intrinsics.width, intrinsics.height = width, height
        intrinsics.ppx, intrinsics.ppy = width / 2, height / 2
        intrinsics.fx = intrinsics.fy = 0.94 * width
        intrinsics.model, intrinsics.coeffs = pyrealsense2.distortion.brown_conrady, [0.0] * 5
        stream = pyrealsense2.video_stream()
        stream.type = pyrealsense2.stream.depth if is_depth else pyrealsense2.stream.color
        stream.fmt = pyrealsense2.format.z16 if is_depth else pyrealsense2.format.rgb8
        stream.index, stream.uid, stream.fps, stream.bpp = 0, uid, 30, self._bytes_per_pixel
        stream.width, stream.height, stream.intrinsics = width, height, intrinsics
        self.profile = self.sensor.add_video_stream(stream, True)
        if is_depth:
            self.sensor.add_read_only_option(pyrealsense2.option.depth_units, 0.001)

    def push(self, pixels: NDArray[Any], index: int) -> None:
        frame = pyrealsense2.software_video_frame()
        frame.stride, frame.bpp = self._width * self._bytes_per_pixel, self._bytes_per_pixel
        frame.frame_number, frame.timestamp = index + 1, (index + 1) * 1000 / 30
        frame.domain = pyrealsense2.timestamp_domain.hardware_clock
        frame.profile, frame.pixels = self.profile.as_video_stream_profile(), pixels
        if self._bytes_per_pixel == 2:
            frame.depth_units = 0.001
        self.sensor.on_video_frame(frame)


def write_depth_recording(
    path: Path,
    frames: int,
    width: int = 160,
    height: int = 120,
    colour_size: tuple[int, int] | None = None,
    order: Sequence[int] | None = None,
    pauses_s: Mapping[int, float] | None = None,
    pace_s: float = 1 / 60,
) -> None:
    """A software RealSense, recorded by the SDK's own recorder to a .db3; with colour of (width, height) if given.

    `order` is that in which the frames arrive, each with its own stamp, one every `pace_s`; `pauses_s` are silences
    before the nth arrival.
    """
    device = pyrealsense2.software_device()
    device.register_info(pyrealsense2.camera_info.name, "software depth")
    device.register_info(pyrealsense2.camera_info.serial_number, "SOFT0001")
    depth = _SoftwareStream(device, "Depth", width, height, uid=0)
    streams = [depth]
    pixels: list[list[NDArray[Any]]] = [[depth_pattern(index, width, height) for index in range(frames)]]
    if colour_size is not None:
        streams.append(_SoftwareStream(device, "Color", *colour_size, uid=1))
        pixels.append([colour_pattern(index, *colour_size) for index in range(frames)])
        same_place = pyrealsense2.extrinsics()
        same_place.rotation, same_place.translation = [1, 0, 0, 0, 1, 0, 0, 0, 1], [0, 0, 0]
        depth.profile.register_extrinsics_to(streams[1].profile, same_place)

    recorder = pyrealsense2.recorder(str(path), device)  # wraps the device: its sensors are the ones to open
    sensors = recorder.query_sensors()
    queue = pyrealsense2.frame_queue(2 * frames, True)
    for sensor in sensors:
        sensor.open(sensor.get_stream_profiles()[0])
        sensor.start(queue)
    next_s = time.monotonic()
    for arrival, index in enumerate(range(frames) if order is None else order):
        pause_s = (pauses_s or {}).get(arrival, 0.0)
        time.sleep(pause_s)
        next_s += pause_s
        for stream, pictures in zip(streams, pixels, strict=True):  # `pixels` must outlive the frames made of them
            stream.push(pictures[index], index)
            queue.wait_for_frame(2000)
        # The recorder stamps frames by arrival, and playback keeps those distances: these are the recording's pace.
        next_s += pace_s
        time.sleep(max(next_s - time.monotonic(), 0.0))
    for sensor in sensors:
        sensor.stop()
        sensor.close()
    recorder.pause()
    # The file is finished when the last reference to the recorder goes.
    del sensor, sensors, recorder
    gc.collect()
