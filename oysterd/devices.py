"""What this machine has for a room, as far as it can be told without opening it: as the configuration that uses it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from drivers import SINKS, SOURCES
from drivers.base import DeviceLost
from drivers.realsense import list_cameras
from drivers.speaker import SoundDevice, list_inputs, list_outputs
from drivers.v4l2_output import list_outputs as list_v4l2_outputs
from oysterd.sounding import quiet

PROGRAM_TIMEOUT_S = 5
DEV = Path("/dev")


@dataclass(frozen=True)
class Found:
    """A device, and what to write for it: the options of the kind that drives it."""

    what: str
    options: dict[str, str | int | bool] = field(default_factory=dict)


class Unknown(Exception):
    """It can't be told whether there are such devices, and why."""


def list_devices(dev: Path = DEV) -> list[str]:
    """Lines of TOML: what is found now, each as the table that uses it, and in comments what else there is.

    As a file it is a configuration that can be run. Only the first of the sound outputs is driven, so that the others
    are comments.
    """
    lines = ["# What is found on this machine. As it stands it is a configuration: oysterd devices > room.toml", ""]
    lines += _section("cameras", "inputs", "camera", lambda: _cameras(dev))
    lines += _section("RealSense cameras", "inputs", "realsense", _realsenses)
    lines += _section("serial ports", "inputs", "serial_lines", lambda: _serial_ports(dev))
    lines += _section("V4L2 outputs", "outputs", "v4l2_output", lambda: _v4l2_outputs(dev))
    lines += _section("monitors", "outputs", "window", _monitors)
    lines += _section("sound outputs", "outputs", "speaker", lambda: _sounds(list_outputs), driven=1)
    lines += _section("sound inputs", "inputs", "microphone", lambda: _sounds(list_inputs), driven=1)
    lines.append(f"# kinds of inputs: {', '.join(SOURCES)}")
    lines.append(f"# kinds of outputs: {', '.join(SINKS)}")
    return lines


def _section(
    title: str, table: str, kind: str, find: Callable[[], list[Found]], driven: int | None = None
) -> list[str]:
    try:
        found = find()
    except (Unknown, DeviceLost) as error:
        return [f"# {title}: {error}", ""]
    if not found:
        return [f"# {title}: none found", ""]
    lines = [f"# {title}: {len(found)} found", ""]
    known = kind in (SOURCES if table == "inputs" else SINKS)
    for number, device in enumerate(found, 1):
        lines.append(f"# {' '.join(device.what.split())}")
        if known:
            is_used = driven is None or number <= driven
            written = _table(table, kind, f"{kind}-{number}", device.options)
            lines += written if is_used else [f"# {line}" for line in written]
        lines.append("")
    return lines


def _table(table: str, kind: str, name: str, options: dict[str, str | int | bool]) -> list[str]:
    lines = [f"[[{table}]]", f'name = "{name}"', f'kind = "{kind}"']
    if table == "inputs":
        lines.append(f'use = "{"presence" if kind in ("camera", "realsense") else "sensors"}"')
    # Strings of JSON are strings of TOML, too.
    written = ", ".join(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in options.items())
    return [*lines, f"options = {{ {written} }}"]


def _cameras(dev: Path) -> list[Found]:
    # Stable names first: indices change with the order of plugging in. A camera's first node gives its pictures,
    # others describe them; a RealSense camera's are its SDK's.
    stable = sorted((dev / "v4l/by-id").glob("*")) or sorted((dev / "v4l/by-path").glob("*"))
    paths = [path for path in stable if path.name.endswith("-video-index0") and "RealSense" not in path.name]
    if not stable:
        taken = {output.path for output in list_v4l2_outputs(dev)}
        paths = sorted(dev.glob("video*"), key=lambda path: (len(path.name), path.name))
        paths = [path for path in paths if str(path) not in taken]
    return [Found(_node(path), {"device": str(path)}) for path in paths]


def _v4l2_outputs(dev: Path) -> list[Found]:
    return [Found(f"{output.name}, {output.path}", {"device": output.name}) for output in list_v4l2_outputs(dev)]


def _serial_ports(dev: Path) -> list[Found]:
    paths = sorted((dev / "serial/by-id").glob("*")) or sorted([*dev.glob("ttyUSB*"), *dev.glob("ttyACM*")])
    return [Found(_node(path), {"port": str(path)}) for path in paths]


def _node(path: Path) -> str:
    return f"{path} → {path.resolve()}" if path.is_symlink() else str(path)


def _realsenses() -> list[Found]:
    return [Found(name, {"serial": serial}) for name, serial in list_cameras()]


def _monitors() -> list[Found]:
    if "DISPLAY" not in os.environ:
        raise Unknown("none: DISPLAY is not set")
    if shutil.which("xrandr") is None:
        raise Unknown("unknown: xrandr is not installed (Debian package x11-xserver-utils)")
    command = ["xrandr", "--listmonitors"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, timeout=PROGRAM_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise Unknown(f"unknown: the display did not answer within {PROGRAM_TIMEOUT_S} s") from None
    if listed.returncode != 0:
        raise Unknown(f"none: {' '.join(listed.stderr.split())}")
    lines = [line.split() for line in listed.stdout.splitlines()[1:] if line.strip()]
    return [Found(f"monitor {words[-1]}, {words[2]}", {"display": words[-1], "fullscreen": True}) for words in lines]


def _sounds(find: Callable[[], list[SoundDevice]]) -> list[Found]:
    # The machine's own first, for the first is the one that is driven.
    with quiet():
        found = find()
    devices = sorted(found, key=lambda device: not device.is_default)
    return [_sound(device) for device in devices]


def _sound(device: SoundDevice) -> Found:
    own = "; the machine's own" if device.is_default else ""
    what = f"{device.name}: up to {device.channels} channels{own}"
    return Found(what, {"device": device.name})
