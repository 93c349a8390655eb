"""A projector on the loopback that speaks PJLink, with all the ways in which one may answer."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Callable


class Answers:
    """What the projector is like; a test changes it."""

    def __init__(self) -> None:
        self.answers = {
            "POWR": "0", "INPT": "31", "AVMT": "30", "ERST": "000000", "LAMP": "1234 1", "CLSS": "1", "NAME": "Left",
            "INF1": "House", "INF2": "P-1", "FILT": "77", "SNUM": "A-42",
        }  # fmt: skip


class PJLinkServer:
    """Serves one connection at a time, as projectors do. `received` are the commands, without digests.

    `refuse` maps a command, with its parameter ("POWR 1") or without, to what is answered instead. `behave` says what
    it does instead of speaking PJLink: "silent" (takes the connection and says nothing), "slow" (a byte now and then),
    "garbage", "endless" (a line without end), "hang up" (ends after the greeting).
    """

    def __init__(self, password: str = "", greeting: str = "") -> None:
        self.password = password
        self.greeting = greeting
        self.behave = ""
        self.state = Answers()
        self.refuse: dict[str, str] = {}
        self.received: list[str] = []
        self.digests: list[str] = []
        self.heard_of: Callable[[str], None] = lambda command: None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        # Wakes the thread out of accept(), which closing the listener does not.
        with socket.socket() as last:
            last.connect_ex(("127.0.0.1", self.port))
        self._thread.join(5)
        self._listener.close()

    def _serve(self) -> None:
        while not self._ended.is_set():
            connection, _ = self._listener.accept()
            with connection:
                try:
                    self._talk(connection)
                except OSError:
                    continue  # who asked is gone

    def _talk(self, connection: socket.socket) -> None:
        connection.settimeout(30)
        if self.behave == "silent":
            while connection.recv(100):
                continue
            return
        if self.behave == "endless":
            connection.sendall(b"x" * 5000)
            connection.recv(100)
            return
        if self.behave == "slow":
            while not self._ended.wait(0.05):
                connection.sendall(b"P")
            return
        if self.behave == "garbage":
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            return
        random = "498e4a67"  # the specification's own example
        connection.sendall((self.greeting or (f"PJLINK 1 {random}" if self.password else "PJLINK 0")).encode() + b"\r")
        if self.behave == "hang up":
            return
        digest = hashlib.md5((random + self.password).encode()).hexdigest() if self.password else ""
        waiting = b""
        while not self._ended.is_set():
            while b"\r" not in waiting:
                received = connection.recv(200)
                if not received:
                    return
                waiting += received
            line, _, waiting = waiting.partition(b"\r")
            text = line.decode()
            if digest:
                if not text.startswith(digest):
                    connection.sendall(b"PJLINK ERRA\r")
                    return
                self.digests.append(digest)
                text, digest = text.removeprefix(digest), ""
            connection.sendall(self._answer(text).encode() + b"\r")

    def _answer(self, text: str) -> str:
        head, command, parameter = text[:2], text[2:6], text[7:]
        self.received.append(f"{command} {parameter}")
        self.heard_of(self.received[-1])
        for key in (f"{command} {parameter}", command):
            if key in self.refuse:
                return self.refuse[key] if self.refuse[key].startswith("%") else f"{head}{command}={self.refuse[key]}"
        if command not in self.state.answers:
            return f"{head}{command}=ERR1"
        if parameter == "?":
            return f"{head}{command}={self.state.answers[command]}"
        self.state.answers[command] = "3" if (command, parameter) == ("POWR", "1") else parameter
        return f"{head}{command}=OK"
