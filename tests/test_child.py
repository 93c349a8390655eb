"""What children of the daemon do when they are to end."""

from __future__ import annotations

import os
import signal
from multiprocessing import get_context
from multiprocessing.connection import Connection

from oysterd.child import become_child


class _Swallows:
    """Python throws away what destructors raise."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)


def _lose_the_exit(ready: Connection) -> None:
    become_child()
    thing = _Swallows()
    del thing
    ready.send("still here")
    while True:
        signal.pause()


def test_a_child_whose_exit_was_lost_ends_all_the_same() -> None:
    here, there = get_context("spawn").Pipe()
    child = get_context("spawn").Process(target=_lose_the_exit, args=(there,))
    child.start()
    assert here.poll(30) and here.recv() == "still here"
    child.join(15)
    assert child.exitcode == -signal.SIGALRM
