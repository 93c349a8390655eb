"""Messages between the daemon and its children: JSON objects over ZeroMQ, on sockets that only their owner may open.

The daemon binds both ends, so a child may come and go; nobody ever waits for who does not listen.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import zmq

Message = dict[str, Any]

# Messages that may wait for a process before the next are dropped. Seconds of everything at its usual rate: what is
# older than that nobody needs, and what must arrive is answered or sent again.
HIGH_WATER = 256


class Bus:
    """The daemon's side: one inbox for the events of all children, one outbox for each child that is spoken to.

    Its sockets belong to the thread that made it.
    """

    def __init__(self) -> None:
        # mkdtemp makes folders of mode 0700.
        self._folder = Path(tempfile.mkdtemp(prefix="oysterd-"))
        self._context = zmq.Context()
        self.events = f"ipc://{self._folder}/events"
        self._inbox = self._bound(zmq.PULL, self.events)
        self._outboxes: dict[str, zmq.Socket[bytes]] = {}

    def open(self, child: str) -> str:
        """Make an outbox to a child; its address, for the child's `Inbox`."""
        # Numbered, for the path of a socket may have a hundred letters only, and a camera's name sixty-four.
        address = f"ipc://{self._folder}/{len(self._outboxes)}"
        self._outboxes[child] = self._bound(zmq.PUSH, address)
        return address

    def send(self, child: str, message: Message) -> bool:
        """Send to a child; False, at once, when it is not there or too far behind."""
        try:
            self._outboxes[child].send(json.dumps(message).encode(), zmq.DONTWAIT)
        except zmq.Again:
            return False
        return True

    def receive(self, timeout_s: float) -> list[Message]:
        """All events that wait, after waiting for a first one for at most `timeout_s`."""
        if not self._inbox.poll(round(timeout_s * 1000)):
            return []
        return _waiting(self._inbox)

    def close(self) -> None:
        """Release the sockets and their folder."""
        self._context.destroy(linger=0)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _bound(self, kind: int, address: str) -> zmq.Socket[bytes]:
        bound = self._context.socket(kind)
        bound.linger = 0
        bound.sndhwm = bound.rcvhwm = HIGH_WATER
        bound.bind(address)
        return bound


class Events:
    """A child's way to tell the daemon what happens."""

    def __init__(self, address: str, sender: str) -> None:
        """`sender` is what every message carries as its `from`."""
        self._sender = sender
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.PUSH)
        self._socket.sndhwm = HIGH_WATER
        self._socket.connect(address)

    def tell(self, kind: str, **content: Any) -> None:
        """Send a message of that `type`; dropped when the daemon is far behind, for no child may wait for it."""
        try:
            self._socket.send(json.dumps({"from": self._sender, "type": kind, **content}).encode(), zmq.DONTWAIT)
        except zmq.Again:
            return

    def close(self) -> None:
        """Release the socket; what was told last still leaves, if it can at once."""
        self._context.destroy(linger=200)


class Inbox:
    """A child's ear for what the daemon sends it."""

    def __init__(self, address: str) -> None:
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.PULL)
        self._socket.rcvhwm = HIGH_WATER
        self._socket.connect(address)

    def receive(self, timeout_s: float = 0.0) -> list[Message]:
        """All messages that wait, oldest first, after waiting for a first one for at most `timeout_s`."""
        if not self._socket.poll(round(timeout_s * 1000)):
            return []
        return _waiting(self._socket)

    def close(self) -> None:
        self._context.destroy(linger=0)


def _waiting(socket: zmq.Socket[bytes]) -> list[Message]:
    messages: list[Message] = []
    while len(messages) < HIGH_WATER:
        try:
            messages.append(json.loads(socket.recv(zmq.DONTWAIT)))
        except zmq.Again:
            break
    return messages
