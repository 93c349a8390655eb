"""Logs a trouble when it begins and when it ends, however often it is met in between."""

from __future__ import annotations

import logging
import threading


class LogOnce:
    """Troubles by name; thread-safe."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._lock = threading.Lock()
        self._open: set[str] = set()

    def begins(self, trouble: str, message: str) -> None:
        """Warn with `message`, unless this trouble is known already."""
        with self._lock:
            known = trouble in self._open
            self._open.add(trouble)
        if not known:
            self._logger.warning(message)

    def ends(self, trouble: str, message: str | None = None) -> None:
        """Forget the trouble, and say so with `message` if there was one."""
        with self._lock:
            known = trouble in self._open
            self._open.discard(trouble)
        if known and message is not None:
            self._logger.info(message)
