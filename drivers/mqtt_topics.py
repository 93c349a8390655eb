"""Sensors on any topics of an MQTT broker: the house's weather station, the buttons of its home automation."""

from __future__ import annotations

import secrets
from collections import deque
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from drivers.base import Clock, DeviceLost, DriverConfig, Readings
from drivers.values import READ_TIMEOUT_S, BadPayload, ValueConfig, differ_in_name, read_value, readings_or_not_ready

# How long a broker may take to take the connection, and again to accept us: less in all than what counts as hung.
CONNECT_TIMEOUT_S = 2.0
# A name server that does not answer is waited for so long: the usual of resolv.conf.
RESOLVE_TIMEOUT_S = 5.0
# Messages that wait to be read; beyond this the oldest are dropped. The number is arbitrary: seconds of a busy house.
MOST_WAITING = 1024


class TopicValue(ValueConfig):
    """A value and the topic that it comes on."""

    topic: str = Field(min_length=1, max_length=512, description="may hold the wildcards + and #")


class MqttTopicsConfig(DriverConfig):
    """Options of the kind `mqtt_topics`."""

    host: str = Field(default="localhost", min_length=1, description="the broker")
    port: int = Field(default=1883, ge=1, le=65535)
    version: Literal["5", "3.1.1"] = Field(default="5", description="of the protocol")
    username: str | None = None
    password_file: str | None = Field(default=None, description="a file that holds the password and nothing else")
    tls_ca: str | None = Field(default=None, description="speak TLS, and trust this file's certificates")
    keepalive_s: int = Field(default=5, ge=1, le=3600, description="a frozen broker is noticed after about twice this")
    retained: bool = Field(default=True, description="take what the broker kept, however old; it counts as of now")
    values: list[TopicValue] = Field(min_length=1)

    @property
    def open_patience_s(self) -> float:
        return RESOLVE_TIMEOUT_S + 2 * CONNECT_TIMEOUT_S  # to connect, and until the broker answers

    @field_validator("values")
    @classmethod
    def _named_once(cls, values: list[TopicValue]) -> list[TopicValue]:
        differ_in_name(values)
        return values


class MqttTopics:
    """A source of Readings: the configured values of each message, as it comes.

    A payload that holds no such value is told in `Readings.refused`.
    """

    def __init__(self, config: MqttTopicsConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._client: Any = None  # paho.mqtt.client.Client
        self._answer: Any = None  # the broker's reason code, once it answered
        self._waiting: deque[tuple[int, str, bytes]] = deque(maxlen=MOST_WAITING)
        self._refused: dict[str, str] = {}

    def open(self) -> None:
        """Connect and subscribe. Raises DeviceLost, naming the option, where the broker is not there or refuses us."""
        self.close()
        where = f"{self._config.host}:{self._config.port}"
        client = self._make_client()
        try:
            client.connect(self._config.host, self._config.port, keepalive=self._config.keepalive_s)
        except (OSError, ValueError) as error:
            raise DeviceLost(f"mqtt_topics.host: no broker at {where}: {error}") from error
        end_ns = self._clock.now_ns() + round(CONNECT_TIMEOUT_S * 1e9)
        while self._answer is None:
            if int(client.loop(READ_TIMEOUT_S)) != 0 or self._clock.now_ns() > end_ns:
                break
        if self._answer is None or self._answer.is_failure:
            client.disconnect()
            why = "it does not answer" if self._answer is None else str(self._answer)
            raise DeviceLost(f"mqtt_topics.host, mqtt_topics.username: the broker at {where} refuses us: {why}")
        self._client = client

    def read(self) -> Readings:
        """The values of the next message. Raises NotReady when none came, DeviceLost when the broker went."""
        if self._client is None:
            raise DeviceLost("mqtt_topics.host: not open")
        if not self._waiting:
            status = self._client.loop(READ_TIMEOUT_S)
            if int(status) != 0:
                where = f"{self._config.host}:{self._config.port}"
                raise DeviceLost(f"mqtt_topics.host: lost the broker at {where} ({_words(status)})")
        refused, self._refused = self._refused, {}
        if not self._waiting:
            return readings_or_not_ready({}, refused, self._clock.now_ns())
        captured_ns, topic, payload = self._waiting.popleft()
        values: dict[str, float] = {}
        for value in self._config.values:
            if _matches(value.topic, topic):
                try:
                    values[value.name] = read_value(payload, value)
                except BadPayload as error:
                    refused[value.name] = f"{value.topic}: the payload {error}"
        return readings_or_not_ready(values, refused, captured_ns)

    def close(self) -> None:
        client, self._client, self._answer = self._client, None, None
        self._waiting.clear()
        if client is not None:
            client.disconnect()

    def _make_client(self) -> Any:
        import paho.mqtt.client as paho
        from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

        config = self._config
        is_5 = config.version == "5"
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"oysterd-sensors-{secrets.token_hex(6)}",
            protocol=MQTTProtocolVersion.MQTTv5 if is_5 else MQTTProtocolVersion.MQTTv311,
            clean_session=None if is_5 else True,
        )
        client.connect_timeout = CONNECT_TIMEOUT_S
        try:
            if config.username is not None:
                client.username_pw_set(config.username, self._password())
            if config.tls_ca is not None:
                client.tls_set(ca_certs=config.tls_ca)
        except (OSError, ValueError) as error:
            raise DeviceLost(f"mqtt_topics.password_file, mqtt_topics.tls_ca: can't be used: {error}") from error
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_message = self._arrived
        return client

    def _password(self) -> str | None:
        if self._config.password_file is None:
            return None
        return Path(self._config.password_file).read_text(encoding="utf-8").strip()

    def _connected(self, client: Any, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        self._answer = reason
        if not reason.is_failure:
            # One subscription a topic filter, however many values come on it.
            client.subscribe([(topic, 0) for topic in dict.fromkeys(value.topic for value in self._config.values)])

    def _subscribed(self, client: Any, userdata: Any, mid: int, reasons: Any, properties: Any) -> None:
        topics = dict.fromkeys(value.topic for value in self._config.values)
        for topic, reason in zip(topics, reasons, strict=False):
            if reason.is_failure:
                for value in self._config.values:
                    if value.topic == topic:
                        self._refused[value.name] = f"{topic}: the broker refuses the subscription: {reason}"

    def _arrived(self, client: Any, userdata: Any, message: Any) -> None:
        if message.retain and not self._config.retained:
            return
        self._waiting.append((self._clock.now_ns(), message.topic, bytes(message.payload)))


def _matches(topic_filter: str, topic: str) -> bool:
    import paho.mqtt.client as paho

    return bool(paho.topic_matches_sub(topic_filter, topic))


def _words(status: Any) -> str:
    import paho.mqtt.client as paho

    return paho.error_string(status).rstrip(".").lower()
