"""Real child processes: the dead come back, the hung are ended and come back, and all end when told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import children
import psutil
import pytest
from parts import wait_until

from oysterd.bus import Bus
from oysterd.clock import ManualClock, MonotonicClock
from oysterd.supervisor import Child, Supervisor


class Kept:
    """A supervisor with a bus, driven as the daemon drives it."""

    def __init__(self) -> None:
        self.bus = Bus()
        self.buried: list[str] = []
        self.supervisor = Supervisor(MonotonicClock(), self.buried.append)
        self.heard: list[str] = []

    def keep(self, target: Callable[[str], None], hung_after_s: float = 30.0) -> None:
        name = "child" if target is children.beat else target.__name__
        self.supervisor.start(Child(name, target, (self.bus.events,), hung_after_s, start_within_s=60.0))

    def turn(self) -> list[str]:
        """Looks after the children once; who was buried so far."""
        for message in self.bus.receive(0.02):
            self.heard.append(message["from"])
            self.supervisor.heard(message["from"])
        self.supervisor.tick()
        return self.buried

    def until_heard(self, name: str) -> int:
        """Waits for a message sent after this call, and gives the pid of who sent it."""
        self.bus.receive(0.0)
        self.heard.clear()

        def is_heard() -> bool:
            self.turn()
            return name in self.heard and name in self.supervisor.pids()

        wait_until(is_heard, f"{name} is heard", 30)
        return self.supervisor.pids()[name]


@pytest.fixture
def kept() -> Iterator[Kept]:
    made = Kept()
    yield made
    made.supervisor.stop()
    made.bus.close()


def test_a_child_that_is_killed_comes_back(kept: Kept) -> None:
    kept.keep(children.beat)
    first = kept.until_heard("child")
    os.kill(first, signal.SIGKILL)
    wait_until(kept.turn, "its death is noticed")
    second = kept.until_heard("child")
    assert second != first and kept.supervisor.restarts() == {"child": 1}


def test_a_child_that_hangs_is_ended_and_comes_back(kept: Kept) -> None:
    kept.keep(children.beat, hung_after_s=1.0)
    first = kept.until_heard("child")
    os.kill(first, signal.SIGSTOP)
    wait_until(kept.turn, "it is ended")
    assert not psutil.pid_exists(first)
    assert kept.until_heard("child") != first


def test_a_child_that_fails_again_and_again_is_given_ever_more_time(kept: Kept) -> None:
    kept.keep(children.fails)
    pauses: list[float] = []

    def failed_twice() -> bool:
        kept.turn()
        pauses[:] = [kept.supervisor._kept["fails"].back_off_s]
        return len(kept.buried) == 2

    wait_until(failed_twice, "it failed twice", 30)
    assert pauses == [2.0]  # half a second, one, and next two


def test_a_child_that_ran_well_is_started_anew_at_once_and_may_ask_for_patience() -> None:
    clock, bus, buried = ManualClock(), Bus(), list[str]()
    supervisor = Supervisor(clock, buried.append)
    supervisor.start(Child("child", children.beat, (bus.events,), 5.0, start_within_s=60.0))
    try:
        wait_until(lambda: bus.receive(0.02), "it is heard", 30)
        clock.advance(31.0)
        supervisor.heard("child", patience_s=60.0)
        first = supervisor.pids()["child"]
        clock.advance(64.0)
        supervisor.tick()
        assert supervisor.pids() == {"child": first}  # silent, as it said it might be
        clock.advance(2.0)
        supervisor.tick()
        assert buried == ["child"] and supervisor.pids() == {}
        supervisor.tick()
        assert set(supervisor.pids()) == {"child"} and supervisor.pids()["child"] != first
    finally:
        supervisor.stop()
        bus.close()


def test_all_end_within_three_seconds_even_who_does_not_listen(kept: Kept) -> None:
    kept.keep(children.beat)
    kept.keep(children.stubborn)
    pids = [kept.until_heard("child"), kept.until_heard("stubborn")]
    start_s = time.monotonic()
    kept.supervisor.stop()
    assert time.monotonic() - start_s < 3.0
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert kept.supervisor.pids() == {}


def is_gone(pid: int) -> bool:
    """Whether the process has ended, be it that nobody has asked how."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


DAEMON = """
import children, sys
from oysterd.bus import Bus
from oysterd.clock import MonotonicClock
from oysterd.supervisor import Child, Supervisor
if __name__ == "__main__":
    bus, supervisor = Bus(), Supervisor(MonotonicClock())
    supervisor.start(Child("child", children.beat, (bus.events,), 30.0, 60.0))
    while not bus.receive(1.0):
        pass
    print(supervisor.pids()["child"], bus.events, flush=True)
    while True:
        bus.receive(1.0)
"""


def test_children_end_when_the_daemon_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "daemon.py"
    script.write_text(DAEMON)
    path = os.pathsep.join([str(Path(__file__).parent.parent), str(Path(__file__).parent)])
    daemon = subprocess.Popen(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": path, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert daemon.stdout is not None
    pid = int(daemon.stdout.readline().split()[0])
    assert psutil.pid_exists(pid)
    daemon.kill()
    daemon.wait(5)
    daemon.stdout.close()
    wait_until(lambda: is_gone(pid), "the child is gone")
