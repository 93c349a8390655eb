"""Tells systemd how the daemon is, by the protocol of sd_notify(3); silent where nobody asked for it."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping

logger = logging.getLogger(__name__)


class Notifier:
    """Sends to the socket that `NOTIFY_SOCKET` names. Nothing here raises: the world goes on without systemd."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        # A leading @ stands for the zero byte of Linux's abstract addresses.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) if address else None
        if self._socket is not None:
            self._socket.setblocking(False)
        self._is_ready = False
        self._status = ""

    def ready(self) -> None:
        """The first picture is shown; said once."""
        if not self._is_ready:
            self._is_ready = True
            self._send("READY=1")

    def status(self, words: str) -> None:
        """One line for `systemctl status`; sent when it changes."""
        if words != self._status:
            self._status = words
            self._send(f"STATUS={words}")

    def alive(self) -> None:
        """Feed the watchdog: to be called for progress of the world alone."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """The daemon is about to end."""
        self._send("STOPPING=1")

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, words: str) -> None:
        if self._socket is None:
            return
        try:
            self._socket.sendto(words.encode(), self._address)
        except OSError as error:
            logger.debug("systemd did not take %s: %s", words, error)
