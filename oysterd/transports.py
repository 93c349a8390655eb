"""All that serves commands and publishes what the room does: MQTT, ZeroMQ, OSC and the operator page."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from functools import partial
from typing import Any, Protocol, TypeVar

from oysterd.clock import Clock
from oysterd.commands import Receipt
from oysterd.conditioning import Conditioning
from oysterd.config import Settings
from oysterd.control_config import MqttConfig
from oysterd.control_mqtt import ControlMqtt
from oysterd.control_osc import ControlOsc, OscError
from oysterd.control_zmq import ControlZmq, ZmqError
from oysterd.director import Director
from oysterd.embedded_broker import BrokerError, EmbeddedBroker
from oysterd.errors import ConfigError
from oysterd.live import Media
from oysterd.page import Page, PageError
from oysterd.playout import SAMPLE_RATE_HZ

logger = logging.getLogger(__name__)


class Publisher(Protocol):
    """What every transport does beside taking commands."""

    def publish_state(self, state: dict[str, Any]) -> None: ...
    def publish_telemetry(self, telemetry: dict[str, Any]) -> None: ...
    def publish_receipt(self, receipt: Receipt) -> None: ...


class Transport(Publisher, Protocol):
    """What also has a life of its own."""

    def start(self) -> None: ...
    def stop(self) -> None: ...


Served = TypeVar("Served", bound=Transport)


class Transports:
    """Those that the configuration enables, as one publisher."""

    def __init__(self) -> None:
        self._serving: list[Publisher] = []
        self._mqtt: ControlMqtt | None = None
        self._zmq: ControlZmq | None = None
        self._osc: ControlOsc | None = None
        self.addresses: dict[str, str] = {}  # by what they are for: page, mqtt, zmq.command, …
        self.missing: list[str] = []  # what does not work, as `setting: why`

    def start(
        self,
        settings: Settings,
        director: Director,
        media: Media,
        conditioning: Conditioning,
        clock: Clock,
        stack: ExitStack,
    ) -> None:
        """Start all, pushing each stop to `stack`. Raises ConfigError for an address of one of ours that is in use."""
        motion = conditioning.fast_motion
        if settings.zmq.enabled:
            on_sensor = partial(_sensor, conditioning, "zmq")
            self._zmq = self._serve(ControlZmq(settings.zmq, director, on_sensor, motion, clock), stack)
            self.addresses |= {f"zmq.{key}": address for key, address in self._zmq.endpoints.items()}
        if settings.osc.enabled:
            on_sensor = partial(_sensor, conditioning, "osc")
            self._osc = self._serve(ControlOsc(settings.osc, director, on_sensor, motion, clock), stack)
            self.addresses["osc"] = self._osc.address
        if settings.page.enabled:
            page = self._serve(Page(settings.page, director, media, motion, SAMPLE_RATE_HZ), stack)
            self.addresses["page"] = page.address
        if settings.mqtt.enabled and self._has_broker(settings.mqtt, stack):
            on_sensor = partial(_sensor, conditioning, "mqtt")
            control = ControlMqtt(settings.mqtt, settings.site, director, on_sensor, motion, clock)
            self._mqtt = self._serve(control, stack)
            broker = settings.mqtt.resolved()
            ours = "" if settings.mqtt.host is not None else " (our own)"
            self.addresses["mqtt"] = f"{broker.host}:{broker.port}{ours}"

    def links(self) -> dict[str, Any]:
        """How the transports are, for the published state."""
        return {"mqtt": _link(self._mqtt), "zmq": _link(self._zmq), "osc": _link(self._osc)}

    def alerts(self) -> list[str]:
        """A broker that is away, and what was sent to us that can't be read, as `transport: name: why`."""
        serving = {"mqtt": self._mqtt, "zmq.input": self._zmq, "osc": self._osc}
        lines = [f"{name}: {why}" for name, served in serving.items() if served for why in served.refusals.alerts()]
        if self._mqtt is not None and not self._mqtt.connected:
            lines.insert(0, f"mqtt.host: no broker at {self.addresses['mqtt']}; we keep trying")
        return lines

    def publish_state(self, state: dict[str, Any]) -> None:
        for serving in self._serving:
            serving.publish_state(state)

    def publish_telemetry(self, telemetry: dict[str, Any]) -> None:
        for serving in self._serving:
            serving.publish_telemetry(telemetry)

    def publish_mappings(self, mappings: dict[str, Any]) -> None:
        """Over ZeroMQ only: `oysterd mappings` is who asks."""
        if self._zmq is not None:
            self._zmq.publish_mappings(mappings)

    def publish_receipt(self, receipt: Receipt) -> None:
        """Thread-safe, as all the transports are."""
        for serving in self._serving:
            serving.publish_receipt(receipt)

    def _serve(self, served: Served, stack: ExitStack) -> Served:
        """Start one and have it publish; its stop is pushed to `stack`. Raises ConfigError, naming the setting."""
        try:
            served.start()
        except (ZmqError, OscError, PageError) as error:
            raise ConfigError([str(error)]) from error
        stack.callback(served.stop)
        self._serving.append(served)
        return served

    def _has_broker(self, config: MqttConfig, stack: ExitStack) -> bool:
        """Start our own broker where none is configured; False, and said, where that can't be."""
        if config.host is not None:
            return True
        host = config.resolved().host
        assert host is not None  # resolved() gave one
        broker = EmbeddedBroker(host, config.port)
        stack.callback(broker.stop)
        try:
            broker.start()
        except BrokerError as error:
            self.missing.append(str(error))
            return False
        return True


def _link(served: ControlMqtt | ControlOsc | ControlZmq | None) -> dict[str, Any]:
    if served is None:
        return {"enabled": False, "connected": False}
    refused = {"refused": served.refusals.count} if served.refusals.count else {}
    return {"enabled": True, "connected": served.connected, **refused}


def _sensor(conditioning: Conditioning, source: str, name: str, value: float) -> None:
    conditioning.readings(source, {name: value})
