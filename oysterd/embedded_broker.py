"""A small MQTT broker inside the daemon, for rooms that have none: MQTT 3.1.1, loopback, no password."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading

from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig

from oysterd.control_config import is_loopback

logger = logging.getLogger(__name__)

START_TIMEOUT_S = 10.0


class BrokerError(Exception):
    """The embedded broker can't start; the message names the setting."""


class EmbeddedBroker:
    """amqtt, on an event loop in a thread of its own."""

    def __init__(self, host: str, port: int) -> None:
        """Raises ValueError for a host off the loopback: this broker asks nobody who they are."""
        if not is_loopback(host):
            raise ValueError(f"the embedded broker stays on the loopback, not on {host}")
        self._host = host
        self._port = port
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None

    def start(self) -> None:
        """Serve until `stop()`. Returns when connections are taken; raises BrokerError when the port is in use."""
        self._refuse_a_port_in_use()
        # amqtt tells of every packet and every client that leaves; only what is broken matters here.
        logging.getLogger("amqtt").setLevel(logging.ERROR)
        logging.getLogger("transitions").setLevel(logging.ERROR)
        self._thread = threading.Thread(target=self._run, name="embedded-broker", daemon=True)
        self._thread.start()
        if not self._ready.wait(START_TIMEOUT_S):
            raise BrokerError(f"mqtt.embedded: the broker did not start within {START_TIMEOUT_S:g} s")
        if self._failure is not None:
            raise BrokerError(f"mqtt.port: no broker on {self._host}:{self._port}: {self._failure}") from self._failure

    def stop(self) -> None:
        """End the broker and its thread; harmless when it does not run."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        if self._loop is not None and self._stop is not None and thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        thread.join(START_TIMEOUT_S)

    def _refuse_a_port_in_use(self) -> None:
        """amqtt itself hides the reason, so the port is tried first."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self._host, self._port))
            except OSError as error:
                raise BrokerError(f"mqtt.port: {self._port} on {self._host} can't be used: {error.strerror}") from error

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:  # noqa: BLE001 - reported by start(), or logged where that has returned already
            if self._ready.is_set():
                logger.error("mqtt.embedded: the broker ended: %s", error)
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        broker = Broker(
            BrokerConfig.from_dict(
                {
                    "listeners": {"default": {"type": "tcp", "bind": f"{self._host}:{self._port}"}},
                    "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
                }
            )
        )
        await broker.start()
        self._ready.set()
        await self._stop.wait()
        await broker.shutdown()
