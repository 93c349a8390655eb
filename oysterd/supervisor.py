"""Keeps the daemon's child processes running: starts them, starts the dead anew, ends the hung, and ends them all."""

from __future__ import annotations

import logging
import multiprocessing
import signal
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.context import SpawnProcess
from typing import Any

from oysterd.clock import Clock

logger = logging.getLogger(__name__)

# The pause before a restart doubles from the first to the second; a child that ran well for RAN_WELL_S begins anew at
# once, and its pauses with the first.
BACK_OFF_S = (0.5, 10.0)
RAN_WELL_S = 30.0
# Of the three seconds that ending may take, children get this long to put their things away.
PATIENCE_S = 1.5


@dataclass(frozen=True)
class Child:
    """A process to keep: `target(*arguments)`, importable by name and with arguments that can be pickled.

    It is hung when `Supervisor.heard` was not told of it for `hung_after_s`, and until it was first heard, for
    `start_within_s`.
    """

    name: str
    target: Callable[..., None]
    arguments: tuple[Any, ...]
    hung_after_s: float
    start_within_s: float


class _Kept:
    """A child and the process that is it now."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.process: SpawnProcess | None = None
        self.started_s = 0.0
        self.heard_s: float | None = None  # None until the present process was heard
        self.patience_s = 0.0  # how long it may be silent beyond `hung_after_s`, as it last said itself
        self.restart_at_s: float | None = None
        self.back_off_s = BACK_OFF_S[0]
        self.starts = 0


class Supervisor:
    """Has no thread of its own: whoever owns it calls `tick()` often.

    Children die with the *thread* that started them, as Linux has it, so all of this is called on one thread that
    lives as long as the daemon: the main one.
    """

    def __init__(self, clock: Clock, restarted: Callable[[str], None] | None = None) -> None:
        """`restarted(name)` is called when a child has died or was ended for hanging, before it begins anew."""
        self._clock = clock
        self._restarted = restarted
        self._context = multiprocessing.get_context("spawn")
        self._kept: dict[str, _Kept] = {}

    def start(self, child: Child) -> None:
        """Begin to keep a child."""
        kept = self._kept[child.name] = _Kept(child)
        self._spawn(kept)

    def heard(self, name: str, patience_s: float | None = None) -> None:
        """Tell that a child shows life; with `patience_s`, that it may be silent for so much longer from now on."""
        if name in self._kept and self._kept[name].process is not None:
            self._kept[name].heard_s = self._clock.now_s()
            if patience_s is not None:
                self._kept[name].patience_s = patience_s

    def tick(self) -> None:
        """Look after all children; returns at once."""
        now_s = self._clock.now_s()
        for kept in self._kept.values():
            if kept.process is None:
                if kept.restart_at_s is not None and now_s >= kept.restart_at_s:
                    self._spawn(kept)
            elif not kept.process.is_alive():
                self._bury(kept, f"ended with {_named(kept.process.exitcode)}")
            elif (silence := self._hung(kept, now_s)) is not None:
                # Nothing less than SIGKILL moves a process that hangs in a driver, or is stopped.
                kept.process.kill()
                kept.process.join(PATIENCE_S)
                self._bury(kept, f"hung: {silence}")

    def restarts(self) -> dict[str, int]:
        """How often each child was started anew."""
        return {name: max(kept.starts - 1, 0) for name, kept in self._kept.items()}

    def pids(self) -> dict[str, int]:
        """The processes that run now, by child."""
        running = {}
        for name, kept in self._kept.items():
            if kept.process is not None and kept.process.pid is not None and kept.process.is_alive():
                running[name] = kept.process.pid
        return running

    def ask_to_stop(self) -> None:
        """Send SIGTERM to all children, the last started first, and look after none of them any more."""
        for kept in reversed(self._kept.values()):
            kept.restart_at_s = None
            if kept.process is not None:
                kept.process.terminate()

    def stop(self) -> None:
        """End all children: SIGTERM, then SIGKILL. Takes at most about two seconds."""
        self.ask_to_stop()
        running = [kept.process for kept in reversed(self._kept.values()) if kept.process is not None]
        end_s = self._clock.now_s() + PATIENCE_S
        for process in running:
            process.join(max(end_s - self._clock.now_s(), 0.0))
        for process in running:
            if process.is_alive():
                logger.warning("process %s (%d) did not end by itself and was killed", process.name, process.pid or 0)
                process.kill()
                process.join(PATIENCE_S)
        for process in running:
            if not process.is_alive():
                process.close()
        self._kept.clear()

    def _hung(self, kept: _Kept, now_s: float) -> str | None:
        if kept.heard_s is None:
            limit_s = kept.child.start_within_s
            return f"not heard within {limit_s:g} s of its start" if now_s - kept.started_s > limit_s else None
        limit_s = kept.child.hung_after_s + kept.patience_s
        return f"not heard for {limit_s:g} s" if now_s - kept.heard_s > limit_s else None

    def _spawn(self, kept: _Kept) -> None:
        process = self._context.Process(
            target=kept.child.target, args=kept.child.arguments, name=f"oysterd {kept.child.name}", daemon=True
        )
        # The child inherits the mask, and so is deaf to Ctrl-C also before it could choose to be.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        kept.process = process
        kept.started_s, kept.heard_s, kept.restart_at_s = self._clock.now_s(), None, None
        kept.patience_s = 0.0
        kept.starts += 1

    def _bury(self, kept: _Kept, why: str) -> None:
        assert kept.process is not None
        now_s = self._clock.now_s()
        if not kept.process.is_alive():
            kept.process.close()
        kept.process = None
        pause_s = kept.back_off_s
        if kept.heard_s is not None and kept.heard_s - kept.started_s > RAN_WELL_S:
            pause_s, kept.back_off_s = 0.0, BACK_OFF_S[0]
        else:
            kept.back_off_s = min(2 * kept.back_off_s, BACK_OFF_S[1])
        kept.restart_at_s = now_s + pause_s
        logger.warning("%s %s; it begins anew in %g s", kept.child.name, why, pause_s)
        if self._restarted is not None:
            self._restarted(kept.child.name)


def _named(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return signal.Signals(-exit_code).name
    return f"exit code {exit_code}"
