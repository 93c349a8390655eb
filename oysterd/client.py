"""Sends a command to a running daemon over ZeroMQ and tells how it went: what `oysterd direct "…"` does."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zmq
import zmq.auth

from oysterd.commands import Receipt
from oysterd.control_config import ZmqConfig

APPLIED, REFUSED, NO_ANSWER = 0, 1, 2


def direct(text: str, config: ZmqConfig, wait_s: float = 10.0, say: Callable[[str], None] = print) -> int:
    """Send a directive and print its receipts; an exit code as of `send`."""
    return send("direct", {"text": text}, config, wait_s, say)


def send(
    name: str,
    payload: dict[str, Any],
    config: ZmqConfig,
    wait_s: float = 10.0,
    say: Callable[[str], None] = print,
    client_secret_file: Path | None = None,
) -> int:
    """Send any command to `config.command` and tell its receipts to `say` until the last one.

    `client_secret_file` is a CURVE certificate of ours, needed where the daemon serves CURVE. Returns 0 when the
    command was applied, 1 when it was rejected or expired, 2 when no answer came within `wait_s`.
    """
    identifier = str(payload.get("id", uuid.uuid4().hex))
    message = json.dumps({**payload, "id": identifier}).encode()
    end_s = time.monotonic() + wait_s
    with zmq.Context() as context, context.socket(zmq.DEALER) as dealer:
        dealer.linger = 0
        secure(dealer, config, client_secret_file)
        dealer.connect(config.command)
        dealer.send_multipart([name.encode(), message])
        while (left_ms := round((end_s - time.monotonic()) * 1000)) > 0 and dealer.poll(left_ms):
            receipt = Receipt.model_validate_json(dealer.recv_multipart()[-1])
            say(_line(receipt))
            if receipt.status != "accepted":
                return APPLIED if receipt.status == "applied" else REFUSED
    say(f"no answer within {wait_s:g} s at {config.command} (zmq.command): is oysterd running?")
    return NO_ANSWER


def secure(socket: zmq.Socket[bytes], config: ZmqConfig, client_secret_file: Path | None) -> None:
    """Speak CURVE on a socket, before it connects, where both sides have a certificate."""
    if client_secret_file is not None and config.server_secret_file is not None:
        socket.curve_publickey, socket.curve_secretkey = zmq.auth.load_certificate(client_secret_file)
        socket.curve_serverkey = zmq.auth.load_certificate(config.server_secret_file)[0]


def _line(receipt: Receipt) -> str:
    when = f" at step {receipt.step}, {receipt.time_s:.2f} s" if receipt.time_s is not None else ""
    why = ": " + "; ".join(receipt.why) if receipt.why else ""
    return f"{receipt.status} {receipt.name} {receipt.id}{when}{why}{' (sent before)' if receipt.duplicate else ''}"
