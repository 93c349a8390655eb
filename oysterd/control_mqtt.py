"""Serves the commands, the fast inputs and the state of a room over MQTT."""

from __future__ import annotations

import json
import logging
import re
import socket
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from oysterd.changes import Motion
from oysterd.clock import Clock
from oysterd.commands import CommandError, Receipt, parse_motion, parse_reading
from oysterd.config import SiteConfig
from oysterd.control_config import MqttConfig
from oysterd.director import Director
from oysterd.home_assistant import discovery
from oysterd.log_once import LogOnce
from oysterd.refusals import Refusals

logger = logging.getLogger(__name__)

ORIGIN = "mqtt"
# From "measured while choosing": with these a restarted broker is back within 1.5 s.
RECONNECT_S = (0.2, 2.0)
GOODBYE_S = 1.0
_SENSOR = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class ControlMqtt:
    """The room's topics under `oysterd/<site>/<room>/`.

    `on_sensor(name, value)` and `on_motion(motion)` are called on the MQTT thread and must not block. A broker that is
    absent or goes away is logged once and tried again for ever; nothing here raises because of it.
    """

    def __init__(
        self,
        config: MqttConfig,
        site: SiteConfig,
        director: Director,
        on_sensor: Callable[[str, float], None],
        on_motion: Callable[[Motion], None],
        clock: Clock,
    ) -> None:
        self._config = config.resolved()
        self._site = site
        self._director = director
        self._on_sensor = on_sensor
        self._on_motion = on_motion
        self._clock = clock
        self._base = f"oysterd/{site.name}/{site.room}"
        self._last_state: bytes | None = None
        self._troubles = LogOnce(logger)
        self.refusals = Refusals(clock)  # of the fast inputs
        self._where = f"{self._config.host}:{self._config.port}"
        self._lost_s: float | None = None
        self._client = self._make_client()

    @property
    def connected(self) -> bool:
        """Whether the broker has taken us."""
        return self._client.is_connected()

    def start(self) -> None:
        """Begin to connect, in the background. A `tls_ca` that can't be read is logged, and there is no MQTT then."""
        if self._config.tls_ca is not None:
            try:
                self._client.tls_set(ca_certs=self._config.tls_ca)
            except (OSError, ValueError) as error:
                logger.error("mqtt.tls_ca: %s can't be used: %s", self._config.tls_ca, error)
                return
        assert self._config.host is not None  # resolved() gave one
        self._client.connect_async(self._config.host, self._config.port, keepalive=self._config.keepalive_s)
        self._client.loop_start()

    def stop(self) -> None:
        """Say goodbye and end; at most a second or two without a broker."""
        if self.connected:
            goodbye = self._client.publish(f"{self._base}/availability", b"offline", qos=1, retain=True)
            try:
                goodbye.wait_for_publish(GOODBYE_S)
            except (RuntimeError, ValueError) as error:  # the connection broke meanwhile: the last will says it
                logger.debug("mqtt: no goodbye: %s", error)
        self._client.disconnect()
        self._client.loop_stop()

    def publish_state(self, state: dict[str, Any]) -> None:
        """Publish the retained state; without a broker the newest is kept until there is one."""
        self._last_state = json.dumps(state).encode()
        self._publish("state", self._last_state, retain=True)

    def publish_telemetry(self, telemetry: dict[str, Any]) -> None:
        """Publish figures that nobody needs later."""
        self._publish("telemetry", json.dumps(telemetry).encode())

    def publish_receipt(self, receipt: Receipt) -> None:
        """Publish a receipt to its topic, and to the response topic of who asked over MQTT 5."""
        payload = receipt.model_dump_json().encode()
        self._publish(f"receipt/{receipt.id}", payload, qos=1)
        if receipt.origin.startswith(ORIGIN + ":") and self.connected:
            answer = json.loads(receipt.origin.removeprefix(ORIGIN + ":"))
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            if answer["correlation"] is not None:
                properties.CorrelationData = bytes.fromhex(answer["correlation"])
            self._client.publish(answer["topic"], payload, qos=1, properties=properties)

    def _publish(self, topic: str, payload: bytes, qos: int = 0, retain: bool = False) -> None:
        # paho would keep what it can't send and bring it late; nobody wants old figures.
        if self.connected:
            self._client.publish(f"{self._base}/{topic}", payload, qos=qos, retain=retain)

    def _make_client(self) -> paho.Client:
        is_5 = self._config.version == "5"
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"oysterd-{self._site.name}-{self._site.room}",
            protocol=MQTTProtocolVersion.MQTTv5 if is_5 else MQTTProtocolVersion.MQTTv311,
            # A clean session: commands that were sent while we were away are never replayed.
            clean_session=None if is_5 else True,
        )
        if self._config.username is not None:
            password = self._config.password
            client.username_pw_set(self._config.username, password.get_secret_value() if password else None)
        client.will_set(f"{self._base}/availability", b"offline", qos=1, retain=True)
        # paho writes `int` but only adds and compares.
        client.reconnect_delay_set(*RECONNECT_S)  # type: ignore[arg-type]
        client.on_socket_open = self._socket_opened
        client.on_connect = self._connected
        client.on_connect_fail = self._connect_failed
        client.on_disconnect = self._disconnected
        client.message_callback_add(f"{self._base}/command/+", self._command)
        client.message_callback_add(f"{self._base}/motion", self._motion)
        client.message_callback_add(f"{self._base}/sensor/+", self._sensor)
        return client

    def _socket_opened(self, client: paho.Client, userdata: Any, opened: Any) -> None:
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _connected(
        self, client: paho.Client, userdata: Any, flags: Any, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            settings = "mqtt.host, mqtt.username"
            self._troubles.begins("broker", f"{settings}: the broker at {self._where} refuses us: {reason}; trying on")
            return
        self._troubles.ends("broker")
        away = "" if self._lost_s is None else f", after {self._clock.now_s() - self._lost_s:.1f} s"
        logger.info("mqtt: connected to %s%s", self._where, away)
        self._lost_s = None
        for topic, qos in (("command/+", 1), ("motion", 0), ("sensor/+", 0)):
            client.subscribe(f"{self._base}/{topic}", qos=qos)
        client.publish(f"{self._base}/availability", b"online", qos=1, retain=True)
        if self._config.home_assistant:
            topic, message = discovery(self._site, self._base)
            client.publish(topic, json.dumps(message), qos=1, retain=True)
        if self._last_state is not None:
            client.publish(f"{self._base}/state", self._last_state, retain=True)

    def _connect_failed(self, client: paho.Client, userdata: Any) -> None:
        self._troubles.begins("broker", f"mqtt.host: no broker at {self._where}; the world goes on, and we keep trying")

    def _disconnected(
        self, client: paho.Client, userdata: Any, flags: Any, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            if self._lost_s is None:
                self._lost_s = self._clock.now_s()
            self._troubles.begins("broker", f"mqtt.host: lost the broker at {self._where} ({reason}); we keep trying")

    def _command(self, client: paho.Client, userdata: Any, message: paho.MQTTMessage) -> None:
        if message.retain:
            self._troubles.begins(f"retained {message.topic}", f"mqtt: ignored the retained command on {message.topic}")
            return
        self._director.receive(message.topic.rpartition("/")[2], bytes(message.payload), _origin(message))

    def _motion(self, client: paho.Client, userdata: Any, message: paho.MQTTMessage) -> None:
        if message.retain:
            return  # who sent it is long gone
        try:
            self._on_motion(parse_motion(bytes(message.payload)))
        except CommandError as error:
            self._refused("motion", "; ".join(error.lines))
        else:
            self.refusals.read_well(["motion"])

    def _sensor(self, client: paho.Client, userdata: Any, message: paho.MQTTMessage) -> None:
        name = message.topic.rpartition("/")[2]
        if _SENSOR.fullmatch(name) is None:
            self._refused("sensor", f"{message.topic[:200]}: a sensor's name has 1-64 letters, digits, _ . -")
            return
        try:
            self._on_sensor(name, parse_reading(bytes(message.payload)))
        except CommandError as error:
            self._refused(f"sensor/{name}", "; ".join(error.lines))
        else:
            self.refusals.read_well([f"sensor/{name}"])

    def _refused(self, topic: str, why: str) -> None:
        for line in self.refusals.met({topic: why}):
            logger.warning("mqtt: %s/%s", self._base, line)


def _origin(message: paho.MQTTMessage) -> str:
    """Whom to answer: the MQTT 5 response topic and correlation data where they were given."""
    # 3.1.1 has no properties; as JSON, correlation data comes in hexadecimal.
    properties: dict[str, Any] = {}
    if message.properties is not None:
        properties = message.properties.json()  # type: ignore[no-untyped-call]
    topic = properties.get("ResponseTopic")
    if not topic or "+" in topic or "#" in topic:
        return ORIGIN
    return f"{ORIGIN}:{json.dumps({'topic': topic, 'correlation': properties.get('CorrelationData')})}"
