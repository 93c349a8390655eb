"""The configuration of what a room is directed over: MQTT, ZeroMQ and the operator page."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator

from oysterd.changes import Strict, Text
from oysterd.errors import Location, refusal, reworded

Port = Annotated[int, Field(ge=1, le=65535)]


def is_loopback(host: str) -> bool:
    """Whether a host name or address can be reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class MqttConfig(Strict):
    """The MQTT broker; with no `host`, `embedded` starts a small one on the loopback."""

    enabled: bool = True
    host: Text | None = None
    port: Port = 1883
    version: Literal["5", "3.1.1"] = "5"
    username: Text | None = None
    password: SecretStr | None = None
    embedded: bool = False
    keepalive_s: Annotated[int, Field(ge=1, le=3600)] = 5
    tls_ca: Text | None = None
    home_assistant: bool = True

    @model_validator(mode="after")
    def _has_a_broker(self) -> Self:
        if self.enabled and self.host is None and not self.embedded:
            raise refusal("needs a host, or embedded = true, or enabled = false")
        if self.password is not None and self.username is None:
            raise refusal("has a password without a username")
        return self

    def resolved(self) -> MqttConfig:
        """The broker to connect to: itself, or the embedded one, which speaks MQTT 3.1.1 without TLS."""
        if self.host is not None:
            return self
        return self.model_copy(update={"host": "127.0.0.1", "version": "3.1.1", "tls_ca": None})


Endpoint = Annotated[str, StringConstraints(pattern=r"^(tcp://[^/\s]+:([0-9]{1,5}|\*)|ipc://\S+)$")]


class ZmqConfig(Strict):
    """Where ZeroMQ is served. Off the loopback it needs CURVE: a secret key and the clients' public keys."""

    enabled: bool = True
    command: Endpoint = "tcp://127.0.0.1:5571"
    state: Endpoint = "tcp://127.0.0.1:5572"
    input: Endpoint = "tcp://127.0.0.1:5573"
    server_secret_file: Text | None = None
    clients_dir: Text | None = None

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        problems: list[tuple[Location, str]] = []
        if (self.server_secret_file is None) != (self.clients_dir is None):
            problems.append(((), "server_secret_file and clients_dir go together: set both or none"))
        if self.server_secret_file is not None and not Path(self.server_secret_file).is_file():
            problems.append((("server_secret_file",), f"there is no file {self.server_secret_file}"))
        if self.clients_dir is not None and not Path(self.clients_dir).is_dir():
            problems.append((("clients_dir",), f"there is no folder {self.clients_dir}"))
        for key in ("command", "state", "input"):
            endpoint: str = getattr(self, key)
            host = endpoint.removeprefix("tcp://").rpartition(":")[0]
            if self.server_secret_file is None and endpoint.startswith("tcp://") and not is_loopback(host):
                problems.append(((key,), f"{endpoint} is off the loopback: set server_secret_file and clients_dir"))
        if problems:
            raise reworded(None, ZmqConfig, problems)
        return self


class PageConfig(Strict):
    """The operator page. It asks for no password, so it is served on the loopback only: tunnel to it from elsewhere."""

    enabled: bool = True
    host: Text = "127.0.0.1"
    port: Port = 8484
    jpeg_quality: Annotated[int, Field(ge=10, le=100)] = 80

    @field_validator("host")
    @classmethod
    def _stays_here(cls, host: str) -> str:
        if not is_loopback(host):
            raise refusal(f"{host} is off the loopback, and the page asks for no password")
        return host
