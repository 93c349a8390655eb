"""What systemd is told, read from a real socket."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from oysterd.notify import Notifier


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A socket as systemd opens it, and its address as `NOTIFY_SOCKET` has it."""
    name = f"@oysterd-test-{uuid.uuid4().hex}" if request.param == "abstract" else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + name[1:] if name.startswith("@") else name)
        listener.settimeout(5)
        yield listener, name


def test_systemd_is_told_each_thing_as_often_as_it_needs(systemd: tuple[socket.socket, str]) -> None:
    listener, name = systemd
    notifier = Notifier({"NOTIFY_SOCKET": name})
    notifier.status("the world begins")
    notifier.status("the world begins")
    notifier.ready()
    notifier.ready()
    notifier.alive()
    notifier.alive()
    notifier.stopping()
    notifier.close()
    said = [listener.recv(200).decode() for _ in range(5)]
    assert said == ["STATUS=the world begins", "READY=1", "WATCHDOG=1", "WATCHDOG=1", "STOPPING=1"]
    listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        listener.recv(200)


def test_without_systemd_nothing_happens(tmp_path: Path) -> None:
    for environment in ({}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": str(tmp_path / "nobody")}):
        notifier = Notifier(environment)
        notifier.ready()
        notifier.alive()
        notifier.close()
        notifier.stopping()
    assert list(tmp_path.iterdir()) == []
