"""What every child process of the daemon does first: end when the daemon ends, and leave Ctrl-C to it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from contextlib import suppress
from multiprocessing import parent_process
from types import FrameType

# From Linux's include/uapi/linux/prctl.h.
PR_SET_PDEATHSIG = 1
# Of 1 to 99, below the system's own at 50 and sound servers at 5 to 20: the number is arbitrary.
AHEAD = 10  # of the world, which must have made a chunk before it is heard; nothing else is as much work
PROMPT_PRIORITY = 4
LEAVES_WITHIN_S = 4  # after SIGTERM


def become_child(at_once: bool = False) -> None:
    """Make this process a child of the daemon: SIGTERM, which also comes when the daemon dies, raises SystemExit.

    With `at_once` SIGTERM ends the process where it stands instead: for who may hang in a device's driver, where
    Python would never see the signal, and has nothing to put away. Raises OSError where the kernel refuses.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL if at_once else _leave)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    parent = parent_process()
    if parent is not None and os.getppid() != parent.pid:
        sys.exit("oysterd: the daemon died before its child began")


def be_prompt() -> None:
    """Let this thread go before all that is not as urgent, where the system allows it (root, or `LimitRTPRIO`).

    Threads that it begins later do as well, such as those in which a sound server's client hands on what was written.
    Linux stops who takes a whole core at that (sched_rt_runtime_us).
    """
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PROMPT_PRIORITY))


def be_ahead() -> None:
    """Let this process go before others that share the cores, where the system allows it (root, or `LimitNICE`)."""
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, -AHEAD)


def _leave(number: int, frame: FrameType | None) -> None:
    # A second one must not break off what the first began to put away. But where Python throws an exception away, as in
    # destructors and callbacks, this exit is lost: then the alarm ends the process.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.alarm(LEAVES_WITHIN_S)
    sys.exit(0)
