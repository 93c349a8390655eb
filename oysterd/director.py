"""Takes commands from all transports, holds them until they are due and answers each with receipts."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from oysterd.clock import Clock
from oysterd.commands import Command, CommandError, Receipt, Status, parse

logger = logging.getLogger(__name__)

# Both numbers are arbitrary: minutes of busy directing, in about a megabyte.
REMEMBERED_IDS = 4096
MOST_WAITING = 1024


class Director:
    """The schedule of commands. Thread-safe; it has no thread of its own: whoever owns it calls `tick()` every step.

    `submit` hands a due command to the world, which reports back by `applied` or `failed`. `publish` gets every
    receipt. Neither is ever called under the lock, so both may call back; a receipt `accepted` is always published
    before its command is submitted.
    """

    def __init__(self, clock: Clock, submit: Callable[[Command], None], publish: Callable[[Receipt], None]) -> None:
        self._clock = clock
        self._submit = submit
        self._publish = publish
        self._lock = threading.Lock()
        self._order = itertools.count()
        self._receipts: dict[str, Receipt] = {}
        # (due_s, order of receipt, last valid moment or None, command)
        self._waiting: list[tuple[float, int, float | None, Command]] = []
        self._unfinished = 0

    def receive(self, name: str, payload: bytes | str | Mapping[str, Any], origin: str) -> Receipt:
        """Read a command and answer it at once, `accepted` or `rejected`; never raises for what the payload holds.

        A repeated id is answered with its last receipt, marked `duplicate`, and changes nothing.
        """
        received_s = self._clock.now_s()
        command: Command | None = None
        try:
            command = parse(name, payload)
            answer = Receipt(id=command.id, name=name, status="accepted", origin=origin)
        except CommandError as error:
            identifier = error.id or uuid.uuid4().hex
            answer = Receipt(id=identifier, name=name[:64], status="rejected", why=error.lines, origin=origin)
        with self._lock:
            answer = self._enter(answer)
        if answer.status == "rejected":
            logger.info("command %s from %s rejected: %s", answer.name, origin, "; ".join(answer.why))
        self._publish(answer)
        if command is not None and answer.status == "accepted" and not answer.duplicate:
            last_s = None if command.not_after_s is None else received_s + command.not_after_s
            with self._lock:
                heapq.heappush(self._waiting, (received_s + command.at_s, next(self._order), last_s, command))
        return answer

    def tick(self) -> None:
        """Submit what is due, and expire what is too late."""
        for command, expired in self._take(self._clock.now_s()):
            if expired:
                why = [f"not_after_s = {command.not_after_s:g} passed before it was due"]
                self._finish(command.id, "expired", why=why)
            else:
                self._submit(command)

    def applied(self, identifier: str, step: int | None = None, time_s: float | None = None) -> None:
        """The world took the command at `step`, at `time_s` of its own time; without both it was a device."""
        self._finish(identifier, "applied", step=step, time_s=time_s)

    def failed(self, identifier: str, why: str) -> None:
        """The world refused the command, and went on unchanged."""
        self._finish(identifier, "rejected", why=[why])

    def _enter(self, answer: Receipt) -> Receipt:
        """Remember a first receipt, under the lock; gives what is to be answered instead where it must be another."""
        known = self._receipts.get(answer.id)
        if known is not None:
            return known.model_copy(update={"duplicate": True, "origin": answer.origin})
        if answer.status == "accepted":
            if self._unfinished >= MOST_WAITING:
                # Not remembered: the same command may be sent again once there is room.
                why = [f"{MOST_WAITING} commands are waiting already: send it again later"]
                return answer.model_copy(update={"status": "rejected", "why": why})
            self._unfinished += 1
        self._receipts[answer.id] = answer
        if len(self._receipts) > REMEMBERED_IDS:
            # Dictionaries keep their order. An unfinished one stays, since its last receipt is still to come.
            oldest = next(key for key, receipt in self._receipts.items() if receipt.status != "accepted")
            del self._receipts[oldest]
        return answer

    def _take(self, now_s: float) -> list[tuple[Command, bool]]:
        """What is due or too late now, in order, each with whether it is too late."""
        taken: list[tuple[Command, bool]] = []
        with self._lock:
            while self._waiting and self._waiting[0][0] <= now_s:
                _, _, last_s, command = heapq.heappop(self._waiting)
                taken.append((command, last_s is not None and now_s > last_s))
        return taken

    def _finish(
        self,
        identifier: str,
        status: Status,
        step: int | None = None,
        time_s: float | None = None,
        why: list[str] | None = None,
    ) -> None:
        with self._lock:
            first = self._receipts.get(identifier)
            if first is None or first.status != "accepted":
                logger.warning("a command reported as %s is not waiting for it: %s", status, identifier)
                return
            last = Receipt(
                id=identifier,
                name=first.name,
                status=status,
                step=step,
                time_s=time_s,
                why=why or [],
                origin=first.origin,
            )
            self._receipts[identifier] = last
            self._unfinished -= 1
        self._publish(last)
