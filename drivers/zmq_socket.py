"""Sensors on a ZeroMQ socket of somebody else: a publisher that is subscribed to, or a pusher that is pulled from."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from drivers.base import Clock, DeviceLost, DriverConfig, Readings
from drivers.values import (
    LARGEST_PAYLOAD_BYTES,
    READ_TIMEOUT_S,
    BadPayload,
    ValueConfig,
    differ_in_name,
    is_loopback,
    read_value,
    readings_or_not_ready,
)


class SocketValue(ValueConfig):
    """A value and the topic that it comes on: a message's first frame, or its first word; empty for any message."""

    topic: str = Field(default="", max_length=512)


class ZmqSocketConfig(DriverConfig):
    """Options of the kind `zmq_socket`."""

    address: str = Field(pattern=r"^(tcp://[^/\s]+:[0-9]{1,5}|ipc://\S+)$", description="tcp://host:port or ipc://path")
    bind: bool = Field(default=False, description="wait for the others there, on the loopback only; else connect")
    pattern: Literal["sub", "pull"] = Field(default="sub", description="the counterpart of their PUB or PUSH socket")
    server_key_file: str | None = Field(default=None, description="CURVE: a certificate with their public key")
    own_key_file: str | None = Field(default=None, description="CURVE: our certificate, with its secret key")
    values: list[SocketValue] = Field(min_length=1)

    @field_validator("values")
    @classmethod
    def _named_once(cls, values: list[SocketValue]) -> list[SocketValue]:
        differ_in_name(values)
        return values

    @model_validator(mode="after")
    def _stays_here(self) -> Self:
        host = self.address.removeprefix("tcp://").rpartition(":")[0]
        if self.bind and self.address.startswith("tcp://") and not is_loopback(host):
            raise ValueError(f"bind: {self.address} is off the loopback, and anybody could send there")
        if (self.server_key_file is None) != (self.own_key_file is None):
            raise ValueError("server_key_file and own_key_file go together: set both or none")
        return self


class ZmqSocket:
    """A source of Readings: the configured values of each message. ZeroMQ itself finds a peer that comes back."""

    def __init__(self, config: ZmqSocketConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._context: Any = None  # zmq.Context
        self._socket: Any = None

    def open(self) -> None:
        """Raises DeviceLost, naming `zmq_socket.address`, when it can't be used. A peer need not be there yet."""
        self.close()
        import zmq

        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.SUB if self._config.pattern == "sub" else zmq.PULL)
        self._socket.maxmsgsize = 2 * LARGEST_PAYLOAD_BYTES
        if self._config.pattern == "sub":
            for topic in {value.topic for value in self._config.values}:
                self._socket.subscribe(topic.encode())
        try:
            self._secure()
            (self._socket.bind if self._config.bind else self._socket.connect)(self._config.address)
        except (zmq.ZMQError, OSError, ValueError) as error:
            self.close()
            raise DeviceLost(f"zmq_socket.address: {self._config.address} can't be used: {error}") from error

    def _secure(self) -> None:
        """Speak CURVE where both certificates are given. Raises OSError or ValueError for those that can't be used."""
        config = self._config
        if config.server_key_file is not None and config.own_key_file is not None:
            import zmq.auth

            self._socket.curve_serverkey = zmq.auth.load_certificate(config.server_key_file)[0]
            self._socket.curve_publickey, secret = zmq.auth.load_certificate(config.own_key_file)
            if secret is None:
                raise ValueError(f"own_key_file: {config.own_key_file} holds no secret key")
            self._socket.curve_secretkey = secret

    def read(self) -> Readings:
        """The values of the next message. Raises NotReady when none came."""
        if self._socket is None:
            raise DeviceLost("zmq_socket.address: not open")
        if not self._socket.poll(round(READ_TIMEOUT_S * 1000)):
            return readings_or_not_ready({}, {}, 0)
        frames = self._socket.recv_multipart()
        values: dict[str, float] = {}
        refused: dict[str, str] = {}
        for value in self._config.values:
            payload = _payload(frames, value.topic.encode())
            if payload is not None:
                try:
                    values[value.name] = read_value(payload, value)
                except BadPayload as error:
                    refused[value.name] = f"{value.topic or 'message'}: the payload {error}"
        return readings_or_not_ready(values, refused, self._clock.now_ns())

    def close(self) -> None:
        if self._context is not None:
            self._context.destroy(linger=0)
            self._context = self._socket = None


def _payload(frames: list[bytes], topic: bytes) -> bytes | None:
    """What a message says on a topic: frames `topic, payload`, or one frame `topic payload`; None on another topic."""
    if len(frames) > 1:
        return frames[-1] if not topic or frames[0] == topic else None
    if not topic:
        return frames[0]
    first, _, rest = frames[0].partition(b" ")
    return rest if first == topic else None
