"""The kinds of device oysterd can speak to: one explicit table, no scanning, no registration.

Importing this package imports no device SDK: each driver imports its own in `open()`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Generic, TypeVar

from drivers.base import Clock, DriverConfig, MonotonicClock, Sink, Source
from drivers.camera import Camera, CameraConfig
from drivers.csi_camera import CsiCamera, CsiCameraConfig
from drivers.dmx_input import ArtNetInput, ArtNetInputConfig, SacnInput, SacnInputConfig
from drivers.frame_ring import FrameRing, FrameRingConfig
from drivers.lamps import ArtNetLamps, ArtNetLampsConfig, SacnLamps, SacnLampsConfig
from drivers.microphone import Microphone, MicrophoneConfig
from drivers.mqtt_topics import MqttTopics, MqttTopicsConfig
from drivers.realsense import RealSense, RealSenseConfig
from drivers.serial_lines import SerialLines, SerialLinesConfig
from drivers.speaker import Speaker, SpeakerConfig
from drivers.stream import Stream, StreamConfig
from drivers.v4l2_output import V4l2Output, V4l2OutputConfig
from drivers.virtual import (
    SilentSpeaker,
    SilentSpeakerConfig,
    VirtualDepth,
    VirtualDepthConfig,
    VirtualSensors,
    VirtualSensorsConfig,
)
from drivers.window import Window, WindowConfig
from drivers.zmq_socket import ZmqSocket, ZmqSocketConfig

Device = TypeVar("Device", Source, Sink)


class UnknownKind(ValueError):
    """The configuration names a kind of device that is not in the table."""


@dataclass(frozen=True)
class Kind(Generic[Device]):
    """A kind of device: the class of its options and the class that drives it, made as `driver(config, clock)`."""

    config: type[DriverConfig]
    driver: Callable[[Any, Clock], Device]


SOURCES: dict[str, Kind[Source]] = {
    "camera": Kind(CameraConfig, Camera),
    "csi_camera": Kind(CsiCameraConfig, CsiCamera),
    "realsense": Kind(RealSenseConfig, RealSense),
    "microphone": Kind(MicrophoneConfig, Microphone),
    "virtual_depth": Kind(VirtualDepthConfig, VirtualDepth),
    "virtual_sensors": Kind(VirtualSensorsConfig, VirtualSensors),
    "mqtt_topics": Kind(MqttTopicsConfig, MqttTopics),
    "zmq_socket": Kind(ZmqSocketConfig, ZmqSocket),
    "serial_lines": Kind(SerialLinesConfig, SerialLines),
    "artnet_input": Kind(ArtNetInputConfig, ArtNetInput),
    "sacn_input": Kind(SacnInputConfig, SacnInput),
}

SINKS: dict[str, Kind[Sink]] = {
    "speaker": Kind(SpeakerConfig, Speaker),
    "silent_speaker": Kind(SilentSpeakerConfig, SilentSpeaker),
    "window": Kind(WindowConfig, Window),
    "stream": Kind(StreamConfig, Stream),
    "frame_ring": Kind(FrameRingConfig, FrameRing),
    "v4l2_output": Kind(V4l2OutputConfig, V4l2Output),
    "artnet_lamps": Kind(ArtNetLampsConfig, ArtNetLamps),
    "sacn_lamps": Kind(SacnLampsConfig, SacnLamps),
}


def make_source(kind: str, options: Mapping[str, Any], clock: Clock | None = None) -> Source:
    """A source of that kind, not yet open; it lives by `clock`, the machine's monotonic one if None.

    Raises UnknownKind, or pydantic's ValidationError, untouched, for options the kind does not know or allow.
    """
    return _make(SOURCES, kind, options, clock)


def make_sink(kind: str, options: Mapping[str, Any], clock: Clock | None = None) -> Sink:
    """A sink of that kind, not yet open; clock and errors as for `make_source`."""
    return _make(SINKS, kind, options, clock)


def _make(table: dict[str, Kind[Device]], kind: str, options: Mapping[str, Any], clock: Clock | None) -> Device:
    if kind not in table:
        close = get_close_matches(kind, table, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(sorted(table))}"
        raise UnknownKind(f"kind: {kind!r} is unknown; {hint}")
    entry = table[kind]
    return entry.driver(entry.config.model_validate(dict(options)), clock or MonotonicClock())
