"""Serves the commands, the fast inputs and the state of a room over OSC (UDP), for show control and tablets.

In: `/oysterd/motion` with forward, strafe, yaw and pitch (the first of them or all), or `/oysterd/motion/<axis>` with
one; `/oysterd/sensor/<name>` with a number; `/oysterd/<command>` with its text (`/oysterd/direct "more wind"`),
`/oysterd/<command>/<field>` with a value (`/oysterd/environment/rain 0.8`), or `/oysterd/command/<name>` with JSON.
Out, to every target: `/oysterd/state/…` and `/oysterd/telemetry/…` once a second, and `/oysterd/receipt` with id, name,
status and why, which also goes back to who asked. Truth values are sent as 1 and 0, for every tool reads those.
"""

from __future__ import annotations

import logging
import math
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.osc_packet import OscPacket, ParseError

from oysterd.changes import Motion
from oysterd.clock import Clock
from oysterd.commands import COMMANDS, Command, CommandError, Receipt, parse_motion
from oysterd.director import Director
from oysterd.osc_config import OscConfig
from oysterd.refusals import Refusals

logger = logging.getLogger(__name__)

ORIGIN = "osc"
PREFIX = "/oysterd/"
AXES = tuple(Motion.model_fields)
LARGEST_DATAGRAM_BYTES = 65_536
# How often a held motion is said again, and how soon the thread sees that it shall end.
TURN_S = 0.1
# What python-osc raises for what is no OSC; found by 200,000 broken datagrams, and one of bundles nested 3,000 deep.
MALFORMED = (ParseError, ValueError, RecursionError)


class OscError(Exception):
    """OSC can't be served; the message names the setting."""


class ControlOsc:
    """One socket and one thread. `on_sensor` and `on_motion` are called on it and must not block; publishing is
    thread-safe.

    Tablets say a fader's position once, when it moves: a motion is held for `osc.motion_hold_s` after it was last said,
    so that a lost datagram makes nobody walk for ever.
    """

    def __init__(
        self,
        config: OscConfig,
        director: Director,
        on_sensor: Callable[[str, float], None],
        on_motion: Callable[[Motion], None],
        clock: Clock,
    ) -> None:
        self._config = config
        self._director = director
        self._on_sensor = on_sensor
        self._on_motion = on_motion
        self._clock = clock
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._motion = Motion()
        self._moved_s: float | None = None
        self._targets = [(host, int(port)) for host, _, port in (target.rpartition(":") for target in config.targets)]
        self.refusals = Refusals(clock)
        self.address = f"{config.host}:{config.port}"

    @property
    def connected(self) -> bool:
        """Whether the socket is served."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Bind and serve. Raises OscError naming the setting."""
        served = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            served.bind((self._config.host, self._config.port))
        except OSError as error:
            served.close()
            raise OscError(f"osc.port: {self.address} can't be used: {error.strerror}") from error
        served.settimeout(TURN_S)
        self._socket = served
        self._thread = threading.Thread(target=self._serve, args=(served,), name="control-osc", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and release the port; harmless when it does not run."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def publish_state(self, state: dict[str, Any]) -> None:
        """Send every value of the state by its own address."""
        self._publish("state", state)

    def publish_telemetry(self, telemetry: dict[str, Any]) -> None:
        """Send every figure by its own address."""
        self._publish("telemetry", telemetry)

    def publish_receipt(self, receipt: Receipt) -> None:
        """Send a receipt to all targets, and to who asked over OSC."""
        message = _message("receipt", [receipt.id, receipt.name, receipt.status, "; ".join(receipt.why)])
        kind, _, asker = receipt.origin.partition(":")
        to = list(self._targets)
        if kind == ORIGIN:
            host, _, port = asker.rpartition(":")
            to += [(host, int(port))] if (host, int(port)) not in to else []
        self._send(message, to)

    def _publish(self, topic: str, content: dict[str, Any]) -> None:
        if self._targets:
            for path, arguments in _flat(topic, content):
                self._send(_message(path, arguments), self._targets)

    def _send(self, message: bytes, to: list[tuple[str, int]]) -> None:
        for target in to:
            if self._socket is None:
                return
            try:
                self._socket.sendto(message, target)
            except OSError as error:  # nobody there, or no way to it
                self._refused(f"target {target[0]}:{target[1]}", f"can't be sent to: {error.strerror}")

    def _serve(self, served: socket.socket) -> None:
        while not self._stop.is_set():
            try:
                datagram, sender = served.recvfrom(LARGEST_DATAGRAM_BYTES)
            except TimeoutError:
                self._hold_motion()
                continue
            except OSError as error:  # Linux reports here that a target's port is closed
                logger.debug("osc: %s", error)
                continue
            self._take(datagram, sender)
            self._hold_motion()

    def _take(self, datagram: bytes, sender: tuple[str, int]) -> None:
        if self._config.allow and sender[0] not in self._config.allow:
            self._refused("sender", f"{sender[0]} is not among osc.allow")
            return
        try:
            messages = [timed.message for timed in OscPacket(datagram).messages]
            said = [(message.address, list(message.params)) for message in messages if isinstance(message, OscMessage)]
        except MALFORMED:
            self._refused("datagram", "is no OSC")
            return
        for address, arguments in said:
            try:
                self._heard(address, arguments, f"{ORIGIN}:{sender[0]}:{sender[1]}")
            except CommandError as error:
                self._refused(address[:100], "; ".join(error.lines))
            else:
                self.refusals.read_well([address[:100]])

    def _heard(self, address: str, arguments: list[Any], origin: str) -> None:
        topic, _, rest = address.removeprefix(PREFIX).partition("/")
        if not address.startswith(PREFIX) or not topic:
            raise CommandError([f"unknown address: all begin with {PREFIX}"])
        if topic == "motion":
            self._move(rest, arguments)
        elif topic == "sensor" and rest:
            value = arguments[0] if len(arguments) == 1 else None
            if not isinstance(value, (bool, int, float)) or not math.isfinite(value):
                raise CommandError(["must be one number"])
            self._on_sensor(rest[:64], float(value))
        elif topic == "command":
            payload = arguments[0] if arguments and isinstance(arguments[0], (str, bytes)) else b""
            self._director.receive(rest, payload, origin)
        else:
            # A command that is not in the table is refused by the director, so that its sender hears why.
            self._director.receive(topic, _payload(topic, rest, arguments), origin)

    def _move(self, axis: str, arguments: list[Any]) -> None:
        if axis:
            said = {axis: arguments[0] if len(arguments) == 1 else None}
            said = {**self._motion.model_dump(), **said}
        elif len(arguments) > len(AXES):
            raise CommandError([f"has more than {len(AXES)} numbers: {', '.join(AXES)}"])
        else:
            said = dict(zip(AXES, arguments, strict=False))
        self._motion = parse_motion(said)
        self._moved_s = self._clock.now_s()
        self._on_motion(self._motion)

    def _hold_motion(self) -> None:
        if self._moved_s is None:
            return
        if self._clock.now_s() - self._moved_s <= self._config.motion_hold_s and self._motion != Motion():
            self._on_motion(self._motion)
        else:
            self._motion, self._moved_s = Motion(), None

    def _refused(self, name: str, why: str) -> None:
        for line in self.refusals.met({name: why}):
            logger.warning("osc: %s", line)


def _payload(name: str, field: str, arguments: list[Any]) -> dict[str, Any]:
    """A command's fields from an address and its arguments: a named field, the only one there is, or none."""
    if field:
        return {field: arguments[0] if len(arguments) == 1 else arguments}
    kind = COMMANDS.get(name)
    fields = [] if kind is None else [key for key in kind.model_fields if key not in Command.model_fields]
    if not arguments:
        return {}
    return {fields[0] if len(fields) == 1 else "text": arguments[0] if len(arguments) == 1 else arguments}


def _flat(path: str, content: Any) -> Iterator[tuple[str, list[Any]]]:
    """Each value below `path` with the address it is sent to; None, which OSC tools seldom know, is left out."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from _flat(f"{path}/{key}", value)
    elif isinstance(content, list):
        if all(isinstance(item, (str, int, float)) for item in content):
            yield path, content
    elif content is not None:
        yield path, [content]


def _message(path: str, arguments: list[Any]) -> bytes:
    builder = OscMessageBuilder(PREFIX + path)
    for argument in arguments:
        builder.add_arg(int(argument) if isinstance(argument, bool) else argument)
    return builder.build().dgram
