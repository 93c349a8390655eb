"""A real X server with two monitors, as two projectors at one graphics card are: Xorg with its dummy driver."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import require
from parts import end, wait_until

HEADS = ("DUMMY0", "DUMMY1")
CONFIGURATION = """
Section "ServerFlags"
  Option "AutoAddDevices" "false"
  Option "AutoAddGPU" "false"
  Option "DontVTSwitch" "true"
EndSection
Section "Device"
  Identifier "d"
  Driver "dummy"
  VideoRam 64000
EndSection
Section "Monitor"
  Identifier "m"
  HorizSync 5.0-1000.0
  VertRefresh 5.0-200.0
EndSection
Section "Screen"
  Identifier "s"
  Device "d"
  Monitor "m"
  DefaultDepth 24
  SubSection "Display"
    Depth 24
    Modes "640x480"
    Virtual 1280 480
  EndSubSection
EndSection
"""


def connect(display: str, head: str, is_on: bool) -> None:
    """Plug the second monitor in or out."""
    how = ["--mode", "640x480", "--right-of", HEADS[0]] if is_on else ["--off"]
    environment = {**os.environ, "DISPLAY": display}
    subprocess.run(["xrandr", "--output", head, *how], env=environment, timeout=10, check=True, capture_output=True)


@contextmanager
def two_heads(folder: Path) -> Iterator[str]:
    """The display's name; its monitors of 640×480 stand side by side. Skips, saying why, where it can't be had."""
    require("Xorg", "xrandr", "xwd")
    if os.geteuid() != 0:
        pytest.skip("Xorg takes a configuration of ours from root only")
    configuration, log = folder / "xorg.conf", folder / "xorg.log"
    configuration.write_text(CONFIGURATION)
    reader, writer = os.pipe()
    command = ["Xorg", "-displayfd", str(writer), "-config", str(configuration), "-logfile", str(log), "-nocursor"]
    command += ["-background", "none", "-noreset", "-novtswitch", "-sharevts", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[writer], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(writer)
    try:
        with os.fdopen(reader) as numbers:
            number = numbers.readline().strip()
        if not number:
            said = log.read_text(errors="replace").splitlines()[-3:] if log.exists() else []
            pytest.skip(f"Xorg does not start here (apt: xserver-xorg-video-dummy): {' '.join(said)}")
        environment = {**os.environ, "DISPLAY": f":{number}"}

        def xrandr(*arguments: str) -> str:
            done = subprocess.run(
                ["xrandr", *arguments], env=environment, capture_output=True, text=True, timeout=10, check=False
            )
            return done.stdout

        wait_until(lambda: HEADS[0] in xrandr("--listmonitors"), "the first monitor")
        xrandr("--addmode", HEADS[1], "640x480")

        def has_both() -> bool:
            xrandr("--output", HEADS[1], "--mode", "640x480", "--right-of", HEADS[0])
            return HEADS[1] in xrandr("--listmonitors")

        wait_until(has_both, "the second monitor")
        yield f":{number}"
    finally:
        end(server)
