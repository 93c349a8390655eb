"""What this machine has for a room, as far as it can be told without opening it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from drivers import SINKS, SOURCES
from drivers.base import DeviceLost
from drivers.speaker import list_outputs

PROGRAM_TIMEOUT_S = 5


def list_devices() -> list[str]:
    """Lines: the kinds there are, then what is found of cameras, monitors, ports and sounds, as settings have it."""
    lines = [f"kinds of inputs: {', '.join(SOURCES)}", f"kinds of outputs: {', '.join(SINKS)}"]
    lines += _titled("cameras (camera.device)", _cameras())
    lines += _titled("monitors (window.display)", _monitors())
    lines += _titled("serial ports (serial_lines.port)", _serial_ports())
    return lines + _titled("sound outputs (speaker.device)", _sounds())


def _titled(title: str, found: list[str]) -> list[str]:
    return [f"{title}:", *(f"  {name}" for name in found or ["none found"])]


def _cameras() -> list[str]:
    # Stable names first: indices change with the order of plugging in.
    stable = sorted(Path("/dev/v4l/by-id").glob("*"))
    return [str(path) for path in stable or sorted(Path("/dev").glob("video*"))]


def _serial_ports() -> list[str]:
    # Stable names first, as of cameras.
    stable = sorted(Path("/dev/serial/by-id").glob("*"))
    return [str(path) for path in stable or sorted([*Path("/dev").glob("ttyUSB*"), *Path("/dev").glob("ttyACM*")])]


def _monitors() -> list[str]:
    if "DISPLAY" not in os.environ:
        return ["none: DISPLAY is not set"]
    if shutil.which("xrandr") is None:
        return ["unknown: xrandr is not installed (Debian package x11-xserver-utils)"]
    command = ["xrandr", "--listmonitors"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, timeout=PROGRAM_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return [f"unknown: the display did not answer within {PROGRAM_TIMEOUT_S} s"]
    if listed.returncode != 0:
        return [f"none: {listed.stderr.strip()}"]
    return [line.split()[-1] for line in listed.stdout.splitlines()[1:] if line.strip()]


def _sounds() -> list[str]:
    try:
        return [f"{output.name} ({output.channels} channels)" for output in list_outputs()]
    except DeviceLost as error:
        return [f"unknown: {error}"]
