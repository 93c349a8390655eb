"""The unit file, as systemd itself judges it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from conftest import require

UNIT = Path(__file__).parent.parent / "systemd/oysterd.service"


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that is there: the package's own is not installed where tests run."""
    require("systemd-analyze")
    copy = tmp_path / "oysterd.service"
    copy.write_text(UNIT.read_text(encoding="utf-8").replace("ExecStart=/usr/bin/oysterd", "ExecStart=/bin/true"))
    return copy


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_systemd_finds_nothing_wrong(unit: Path) -> None:
    verified = analyze("verify", str(unit))
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")


def test_it_is_sandboxed_as_far_as_devices_allow(unit: Path) -> None:
    # 30 of 100 means an exposure of 3.0; systemd calls up to 4.0 OK.
    judged = analyze("security", "--offline=true", "--threshold=30", str(unit))
    assert judged.returncode == 0, judged.stdout[-200:]
