"""Intel RealSense depth cameras, or a recording of one played in its place, through pyrealsense2."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from drivers.base import Clock, Depth, DeviceLost, NotReady
from drivers.device_clock import DeviceClock
from drivers.framing import Framing, FramingConfig

logger = logging.getLogger(__name__)

# A reset camera leaves the USB and comes back within about this; asking for it in between has crashed the SDK.
RESET_SETTLES_S = 4.0


class RealSenseConfig(FramingConfig):
    """Options of the kind `realsense`."""

    serial: str | None = Field(default=None, description="serial number; the first camera found if unset")
    width: int = Field(default=640, ge=16, description="pixels of depth and colour; a recording keeps its own")
    height: int = Field(default=480, ge=16, description="pixels of depth and colour; a recording keeps its own")
    fps: int = Field(default=30, ge=1, description="of depth and colour; a recording keeps its own")
    recording: Path | None = Field(default=None, description="a .db3 or .bag to play in place of a camera")
    loop: bool = Field(
        default=True, description="a recording starts again at its end; otherwise its end is a lost device"
    )
    preset: Literal["custom", "default", "hand", "high_accuracy", "high_density", "medium_density"] | None = Field(
        default=None, description="the camera's own visual preset; left as it is if unset, and on a recording"
    )
    colour: bool = Field(default=True, description="take colour too, and align depth to it")
    decimation: bool = Field(default=False, description="halve the depth picture before anything else")
    spatial: bool = Field(default=False, description="smooth inside surfaces, keep edges")
    temporal: bool = Field(default=False, description="smooth over time; moving visitors leave short trails")
    hole_filling: bool = Field(
        default=False, description="fill unknown depth from what lies about it, the farthest first"
    )
    timeout_ms: int = Field(default=1000, ge=10, le=10_000, description="how long a read waits before it is NotReady")
    lost_after_s: float = Field(default=2.0, gt=0, le=60, description="a camera silent for so long is lost")

    @property
    def open_patience_s(self) -> float:
        # Querying the USB, firmware and a first start: seconds. A reset takes place before an opening.
        return 8.0 + RESET_SETTLES_S

    @property
    def read_patience_s(self) -> float:
        return self.timeout_ms / 1000


def list_cameras() -> list[tuple[str, str]]:
    """Name and serial number of each camera that is plugged in now.

    Raises DeviceLost when the SDK is not installed, or can't look.
    """
    try:
        import pyrealsense2
    except ImportError as error:
        raise DeviceLost(f"realsense: pyrealsense2 is not installed: {error}") from error
    name, serial = pyrealsense2.camera_info.name, pyrealsense2.camera_info.serial_number
    try:
        found = pyrealsense2.context().query_devices()
        return [(str(camera.get_info(name)), str(camera.get_info(serial))) for camera in found]
    except RuntimeError as error:
        raise DeviceLost(f"realsense: cannot look for cameras: {error}") from error


class RealSense:
    """A source of Depth; with colour, depth is aligned to it and both have its shape."""

    def __init__(self, config: RealSenseConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._framing = Framing(config)
        self._stamps = DeviceClock("realsense", clock)
        self._silent_since_ns = 0
        self._context: Any = None  # pyrealsense2.context
        self._pipeline: Any = None  # pyrealsense2.pipeline, running
        self._playback: Any = None  # pyrealsense2.playback, of a recording
        self._serial = ""
        self._filters: list[Any] = []
        self._align: Any = None

    def open(self) -> None:
        """Raises DeviceLost, naming the setting, when there is no such camera or recording."""
        self.close()
        import pyrealsense2

        self._context = pyrealsense2.context()
        if self._config.recording is not None:
            self._load_recording(self._config.recording)
        # Asked before starting: with no camera `pipeline.start()` blocks 15 s and holds the interpreter's lock.
        self._serial = self._find_serial()
        request = pyrealsense2.config()
        request.enable_device(self._serial)
        if self._config.recording is None:
            size_and_rate = (self._config.width, self._config.height)
            request.enable_stream(pyrealsense2.stream.depth, *size_and_rate, pyrealsense2.format.z16, self._config.fps)
            if self._config.colour:
                request.enable_stream(
                    pyrealsense2.stream.color, *size_and_rate, pyrealsense2.format.rgb8, self._config.fps
                )
            self._apply_preset()
        self._start(request)
        self._filters = self._make_filters()
        self._align = pyrealsense2.align(pyrealsense2.stream.color)
        self._stamps = DeviceClock(f"realsense {self._serial}", self._clock)
        self._silent_since_ns = self._clock.now_ns()

    def reset(self) -> None:
        """Have the camera reset itself, and give it the time; a recording and a camera that is not there have none."""
        import pyrealsense2

        self.close()
        if self._config.recording is not None:
            return
        number = pyrealsense2.camera_info.serial_number
        for device in pyrealsense2.context().query_devices():
            if device.supports(number) and self._config.serial in (None, device.get_info(number)):
                logger.warning("realsense: %s is reset", device.get_info(number))
                device.hardware_reset()
                self._clock.sleep(RESET_SETTLES_S)
                return

    def read(self) -> Depth:
        """Block up to `timeout_ms` for the next depth picture.

        Raises NotReady on a time-out and for a picture older than the last; DeviceLost when the camera is unplugged or
        silent for `lost_after_s`, or the recording has ended.
        """
        if self._pipeline is None:
            raise DeviceLost("realsense.serial: not open")
        frames = self._next_frames()
        stamped = frames.get_depth_frame()
        if not stamped:
            raise NotReady("realsense: a set of frames without depth")
        captured_ns = self._stamps.moment_ns(stamped.get_timestamp())
        if captured_ns is None:
            raise NotReady("realsense: a picture from before the last one")
        for step in self._filters:
            frames = step.process(frames).as_frameset()
        has_colour = self._config.colour and bool(frames.get_color_frame())
        if has_colour:
            frames = self._align.process(frames)
        depth_frame = frames.get_depth_frame()
        raw: NDArray[np.uint16] = np.asanyarray(depth_frame.get_data())
        # Multiplied into a fresh array: the SDK reuses the memory behind the frame.
        depth_m = self._framing.apply(raw * np.float32(depth_frame.get_units()))
        rgb = self._framing.apply(_colour_of(frames)) if has_colour else None
        return Depth(depth_m, captured_ns, rgb, self._framing.hidden)

    def close(self) -> None:
        if self._pipeline is not None:
            pipeline, self._pipeline = self._pipeline, None
            try:
                pipeline.stop()
            except RuntimeError as error:
                logger.warning("realsense: %s did not stop in good order: %s", self._serial, error)
        self._playback = None
        self._context = None
        self._filters = []

    def _load_recording(self, recording: Path) -> None:
        if not recording.is_file():
            raise DeviceLost(f"realsense.recording: cannot open {recording}: no such file")
        try:
            self._playback = self._context.load_device(str(recording))
        except RuntimeError as error:
            raise DeviceLost(f"realsense.recording: cannot play {recording}: {error}") from error

    def _find_serial(self) -> str:
        import pyrealsense2

        if self._playback is not None:
            return str(self._playback.get_info(pyrealsense2.camera_info.serial_number))
        found = self._serials_present()
        if not found:
            raise DeviceLost("realsense.serial: no RealSense found on this machine's USB")
        if self._config.serial is None:
            return found[0]
        if self._config.serial not in found:
            raise DeviceLost(f"realsense.serial: {self._config.serial} not found; present are {', '.join(found)}")
        return self._config.serial

    def _serials_present(self) -> list[str]:
        import pyrealsense2

        number = pyrealsense2.camera_info.serial_number
        return [str(device.get_info(number)) for device in self._context.query_devices() if device.supports(number)]

    def _apply_preset(self) -> None:
        """Before the start: changed while it streams, a preset has stopped cameras."""
        import pyrealsense2

        if self._config.preset is None:
            return
        number = pyrealsense2.camera_info.serial_number
        for device in self._context.query_devices():
            if device.supports(number) and device.get_info(number) == self._serial:
                apply_preset(device.first_depth_sensor(), self._config.preset)

    def _start(self, request: Any) -> None:
        import pyrealsense2

        pipeline = pyrealsense2.pipeline(self._context)
        try:
            profile = pipeline.start(request)
        except RuntimeError as error:
            raise DeviceLost(f"realsense: {self._serial} cannot start as asked: {error}") from error
        self._pipeline = pipeline
        if self._playback is not None:
            self._playback = profile.get_device().as_playback()

    def _make_filters(self) -> list[Any]:
        """Intel's recommended order; the smoothing filters work on disparity, where noise is even."""
        import pyrealsense2

        smoothing = [
            *([pyrealsense2.spatial_filter()] if self._config.spatial else []),
            *([pyrealsense2.temporal_filter()] if self._config.temporal else []),
        ]
        if smoothing:
            smoothing = [pyrealsense2.disparity_transform(True), *smoothing, pyrealsense2.disparity_transform(False)]
        return [
            *([pyrealsense2.decimation_filter()] if self._config.decimation else []),
            *smoothing,
            *([pyrealsense2.hole_filling_filter()] if self._config.hole_filling else []),
        ]

    def _next_frames(self) -> Any:
        try:
            arrived, frames = self._pipeline.try_wait_for_frames(self._config.timeout_ms)
        except RuntimeError as error:
            raise DeviceLost(f"realsense: {self._serial} failed: {error}") from error
        if arrived:
            self._silent_since_ns = self._clock.now_ns()
            return frames
        if self._playback is None:
            if self._serial not in self._serials_present():
                raise DeviceLost(f"realsense.serial: {self._serial} was unplugged")
        elif self._has_ended():
            if not self._config.loop:
                raise DeviceLost(f"realsense.recording: {self._config.recording} has ended")
            self.open()
        silent_s = (self._clock.now_ns() - self._silent_since_ns) / 1e9
        if silent_s >= self._config.lost_after_s:
            raise DeviceLost(f"realsense: {self._serial} gave no frames for {silent_s:.1f} s (lost_after_s)")
        raise NotReady(f"realsense: no frames within {self._config.timeout_ms} ms")

    def _has_ended(self) -> bool:
        import pyrealsense2

        return bool(self._playback.current_status() == pyrealsense2.playback_status.stopped)


def apply_preset(sensor: Any, preset: str) -> None:
    """Set a depth sensor's visual preset by its name. Raises DeviceLost, naming `realsense.preset`, if it has none."""
    import pyrealsense2

    option = pyrealsense2.option.visual_preset
    value = float(int(getattr(pyrealsense2.rs400_visual_preset, preset)))
    if not sensor.supports(option):
        raise DeviceLost(f"realsense.preset: this camera has no presets, so no {preset}")
    try:
        sensor.set_option(option, value)
    except RuntimeError as error:
        raise DeviceLost(f"realsense.preset: this camera does not take {preset}: {error}") from error


def _colour_of(frames: Any) -> NDArray[np.uint8]:
    rgb: NDArray[np.uint8] = np.array(frames.get_color_frame().get_data(), dtype=np.uint8)
    return rgb
