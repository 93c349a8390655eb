"""Serves the commands, the fast inputs and the state of a room over ZeroMQ.

`command` (ROUTER): frames `name, json`, from a DEALER or, with an empty frame before, a REQ; every receipt of a command
goes back to who sent it. `state` (XPUB): frames `topic, json` with the topics state, receipt, telemetry and mappings; a
new subscriber gets the last state at once. `input` (SUB): frames `topic, json` with the topics motion and
sensor/<name>; of several waiting messages on a topic the newest counts.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zmq
import zmq.auth
from zmq.auth.thread import ThreadAuthenticator

from oysterd.changes import Motion
from oysterd.clock import Clock
from oysterd.commands import LARGEST_PAYLOAD_BYTES, CommandError, Receipt, parse_motion, parse_reading
from oysterd.control_config import ZmqConfig
from oysterd.director import Director
from oysterd.refusals import Refusals

logger = logging.getLogger(__name__)

ORIGIN = "zmq"
# Messages beyond this are cut off by libzmq unread, with their connection. Larger than a payload may be, so that a
# payload which is only somewhat too large is answered with a receipt instead.
LARGEST_MESSAGE_BYTES = 16 * LARGEST_PAYLOAD_BYTES
# A subscriber that is this many messages behind loses the rest: nobody waits for it.
HIGH_WATER = 200
STOP = b"stop"


class ZmqError(Exception):
    """ZeroMQ can't be served; the message names the setting."""


class ControlZmq:
    """The three sockets, in one thread that sleeps until one of them, or the daemon, has something to say.

    `on_sensor(name, value)` and `on_motion(motion)` are called on that thread and must not block.
    """

    def __init__(
        self,
        config: ZmqConfig,
        director: Director,
        on_sensor: Callable[[str, float], None],
        on_motion: Callable[[Motion], None],
        clock: Clock,
    ) -> None:
        self._config = config
        self._director = director
        self._on_sensor = on_sensor
        self._on_motion = on_motion
        self.refusals = Refusals(clock)  # of the fast inputs
        self._context = zmq.Context()
        self._wake_address = f"inproc://control-{id(self)}"
        self._wake: zmq.Socket[bytes] | None = None
        # PAIR sockets belong to one thread at a time, and everybody may publish.
        self._wake_lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._authenticator: ThreadAuthenticator | None = None
        self._last_state: bytes | None = None
        self.endpoints: dict[str, str] = {}

    @property
    def connected(self) -> bool:
        """Whether the sockets are served."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Bind and serve; `endpoints` then holds the real addresses by setting. Raises ZmqError naming the setting."""
        try:
            self._start_authenticator()
            router = self._bound(zmq.ROUTER, "command")
            publisher = self._bound(zmq.XPUB, "state")
            publisher.xpub_verbose = True
            inputs = self._bound(zmq.SUB, "input")
            inputs.subscribe(b"")
        except ZmqError:
            self._release()
            raise
        woken = self._context.socket(zmq.PAIR)
        woken.bind(self._wake_address)
        self._wake = self._context.socket(zmq.PAIR)
        self._wake.linger = 0
        self._wake.connect(self._wake_address)
        self._thread = threading.Thread(
            target=self._serve, args=(woken, router, publisher, inputs), name="control-zmq", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End the thread and release the addresses; harmless when it does not run."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._tell(STOP)
            thread.join()
        self._release()

    def publish_state(self, state: dict[str, Any]) -> None:
        """Publish the state, and keep it for subscribers to come."""
        self._tell(b"state", json.dumps(state).encode())

    def publish_telemetry(self, telemetry: dict[str, Any]) -> None:
        """Publish figures that nobody needs later."""
        self._tell(b"telemetry", json.dumps(telemetry).encode())

    def publish_mappings(self, mappings: dict[str, Any]) -> None:
        """Publish what each sensor does to the world; see `Conditioning.mappings`."""
        self._tell(b"mappings", json.dumps(mappings).encode())

    def publish_receipt(self, receipt: Receipt) -> None:
        """Publish a receipt, and send it to who asked over ZeroMQ."""
        asker = receipt.origin if receipt.origin.startswith(ORIGIN + ":") else ""
        self._tell(b"receipt", receipt.model_dump_json().encode(), asker.encode())

    def _tell(self, *frames: bytes) -> None:
        with self._wake_lock:
            if self._wake is not None:
                self._wake.send_multipart(frames)

    def _start_authenticator(self) -> None:
        if self._config.clients_dir is None:
            return
        self._authenticator = ThreadAuthenticator(self._context)
        self._authenticator.start()
        self._authenticator.configure_curve(domain="*", location=self._config.clients_dir)

    def _bound(self, kind: int, setting: str) -> zmq.Socket[bytes]:
        endpoint: str = {
            "command": self._config.command,
            "state": self._config.state,
            "input": self._config.input,
        }[setting]
        bound = self._context.socket(kind)
        bound.linger = 0
        bound.sndhwm = bound.rcvhwm = HIGH_WATER
        bound.maxmsgsize = LARGEST_MESSAGE_BYTES
        if self._config.server_secret_file is not None:
            bound.curve_publickey, bound.curve_secretkey = _server_keys(Path(self._config.server_secret_file))
            bound.curve_server = True
        try:
            bound.bind(endpoint)
        except zmq.ZMQError as error:
            bound.close()
            raise ZmqError(f"zmq.{setting}: {endpoint} can't be used: {error}") from error
        last = bound.getsockopt(zmq.LAST_ENDPOINT)
        assert isinstance(last, bytes)  # of all options, some are numbers
        self.endpoints[setting] = last.decode().rstrip("\0")
        return bound

    def _release(self) -> None:
        if self._authenticator is not None:
            self._authenticator.stop()
            self._authenticator = None
        with self._wake_lock:
            if self._wake is not None:
                self._wake.close()
                self._wake = None
        self._context.destroy(linger=0)

    def _serve(
        self,
        woken: zmq.Socket[bytes],
        router: zmq.Socket[bytes],
        publisher: zmq.Socket[bytes],
        inputs: zmq.Socket[bytes],
    ) -> None:
        sockets = (woken, router, publisher, inputs)
        poller = zmq.Poller()
        for served in sockets:
            poller.register(served, zmq.POLLIN)
        running = True
        while running:
            ready = dict(poller.poll())
            if router in ready:
                self._command(router.recv_multipart())
            if inputs in ready:
                self._newest(inputs)
            if publisher in ready and publisher.recv()[:1] == b"\x01" and self._last_state is not None:
                publisher.send_multipart([b"state", self._last_state])
            if woken in ready:
                running = self._pass_on(woken.recv_multipart(), router, publisher)
        for served in sockets:
            served.close()

    def _pass_on(self, frames: list[bytes], router: zmq.Socket[bytes], publisher: zmq.Socket[bytes]) -> bool:
        """Send what the daemon said; False when it said to stop."""
        if frames[0] == STOP:
            return False
        if frames[0] == b"state":
            self._last_state = frames[1]
        publisher.send_multipart(frames[:2])
        if frames[0] == b"receipt" and frames[2]:
            _, identity, delimiter = frames[2].decode().split(":")
            # A ROUTER drops what it can't deliver: who is gone needs no answer.
            router.send_multipart([bytes.fromhex(identity), *([b""] if delimiter else []), frames[1]])
        return True

    def _command(self, frames: list[bytes]) -> None:
        identity, *rest = frames
        with_delimiter = bool(rest) and rest[0] == b""
        if with_delimiter:
            rest = rest[1:]
        # A missing or odd frame becomes a command that the director refuses, so that its sender hears why.
        name = rest[0].decode(errors="replace") if rest else ""
        payload = rest[1] if len(rest) == 2 else b"" if len(rest) < 2 else b"[]"
        self._director.receive(name, payload, f"{ORIGIN}:{identity.hex()}:{'e' if with_delimiter else ''}")

    def _newest(self, inputs: zmq.Socket[bytes]) -> None:
        """Take all that waits and keep the newest of each topic: ZMQ_CONFLATE keeps one message of all topics."""
        newest: dict[bytes, bytes] = {}
        for _ in range(HIGH_WATER):
            try:
                frames = inputs.recv_multipart(zmq.DONTWAIT)
            except zmq.Again:
                break
            if len(frames) == 2:
                newest.pop(frames[0], None)
                newest[frames[0]] = frames[1]
            else:
                self._refused("frames", "a message needs two frames, topic and JSON")
        for raw, payload in newest.items():
            self._input(raw.decode(errors="replace")[:100], payload)

    def _input(self, topic: str, payload: bytes) -> None:
        try:
            if topic == "motion":
                self._on_motion(parse_motion(payload))
            elif topic.startswith("sensor/") and len(topic) > len("sensor/"):
                self._on_sensor(topic.removeprefix("sensor/"), parse_reading(payload))
            else:
                raise CommandError([f'unknown topic "{topic}": motion and sensor/<name> are known'])
        except CommandError as error:
            # One name for all unknown topics, or a stranger could use up the names.
            is_known = topic == "motion" or topic.startswith("sensor/")
            self._refused(topic if is_known else "topic", "; ".join(error.lines))
        else:
            self.refusals.read_well([topic])

    def _refused(self, topic: str, why: str) -> None:
        for line in self.refusals.met({topic: why}):
            logger.warning("zmq.input: %s", line)


def _server_keys(path: Path) -> tuple[bytes, bytes]:
    try:
        public, secret = zmq.auth.load_certificate(path)
    except (OSError, ValueError) as error:
        raise ZmqError(f"zmq.server_secret_file: {path} can't be used: {error}") from error
    if secret is None:
        raise ZmqError(f"zmq.server_secret_file: {path} holds no secret key")
    return public, secret
