"""`oysterd devices`: what is found is a configuration that uses it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from oysterd import cli, devices
from oysterd.config import Settings, load


def plugged_in(dev: Path, stable: dict[str, str]) -> None:
    """Nodes, and the links that udev makes to them."""
    for link, node in stable.items():
        (dev / node).touch()
        (dev / link).parent.mkdir(parents=True, exist_ok=True)
        (dev / link).symlink_to(dev / node)


def test_cameras_are_named_by_what_stays_with_them(tmp_path: Path) -> None:
    plugged_in(
        tmp_path,
        {
            "v4l/by-id/usb-Maker_Cam_7-video-index0": "video4",
            "v4l/by-id/usb-Maker_Cam_7-video-index1": "video5",  # describes its pictures and gives none
            "v4l/by-id/usb-Intel_R__RealSense_TM__Depth_Camera_435-video-index0": "video0",  # is its SDK's
        },
    )
    text = "\n".join(devices.list_devices(tmp_path))
    (camera,) = tomllib.loads(text)["inputs"]
    device = str(tmp_path / "v4l/by-id/usb-Maker_Cam_7-video-index0")
    assert camera == {"name": "camera-1", "kind": "camera", "use": "presence", "options": {"device": device}}
    assert f"# {device} → {tmp_path / 'video4'}" in text


def test_cameras_without_a_stable_name_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (10, 2, 0):
        (tmp_path / f"video{number}").touch()
    inputs = tomllib.loads("\n".join(devices.list_devices(tmp_path)))["inputs"]
    assert [source["options"]["device"] for source in inputs] == [str(tmp_path / f"video{n}") for n in (0, 2, 10)]


def test_serial_ports_are_listed(tmp_path: Path) -> None:
    plugged_in(tmp_path, {"serial/by-id/usb-Arduino_Uno-if00": "ttyACM0"})
    port = str(tmp_path / "serial/by-id/usb-Arduino_Uno-if00")
    lines = devices.list_devices(tmp_path)
    assert f"# {port} → {tmp_path / 'ttyACM0'}" in lines
    (board,) = Settings(**tomllib.loads("\n".join(lines))).inputs
    assert (board.kind, board.use, board.options) == ("serial_lines", "sensors", {"port": port})
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare/ttyUSB0").touch()
    assert f"# {tmp_path / 'bare/ttyUSB0'}" in devices.list_devices(tmp_path / "bare")


def test_what_is_found_is_a_configuration_that_can_be_run(
    pulse_server: dict[str, str], x_display: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["devices"]) == 0
    room = tmp_path / "room.toml"
    room.write_text(capsys.readouterr().out, encoding="utf-8")
    settings = load(room)
    assert [output.kind for output in settings.outputs] == ["window", "speaker"]  # one speaker is driven
    screen, speaker = settings.outputs
    assert screen.options == {"display": "screen", "fullscreen": True}
    lines = room.read_text(encoding="utf-8").splitlines()
    own = next(at for at, line in enumerate(lines) if line.endswith("; the machine's own"))
    assert lines[own + 1] == "[[outputs]]" and f'"{speaker.options["device"]}"' in lines[own + 4]
    assert '# options = { device = "room" }' in lines or '# options = { device = "hall" }' in lines


def test_without_anything_it_says_so_and_is_still_a_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "PULSE_SERVER", "ALSA_CONFIG_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PULSE_RUNTIME_PATH", str(tmp_path))  # where no server is
    lines = devices.list_devices(tmp_path)
    assert capfd.readouterr().err == ""  # where ALSA would write a screenful
    assert "# cameras: none found" in lines and "# monitors: none: DISPLAY is not set" in lines
    Settings(**tomllib.loads("\n".join(lines)))
