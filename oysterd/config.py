"""The configuration of a room: its sections, and how a file and the environment become one."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_origin

from pydantic import (
    BaseModel,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import from_json
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from oysterd.changes import EnvironmentKey, Strict, Text, View, read_toml
from oysterd.errors import ConfigError, Location, bare, did_you_mean, explain, refusal, reworded
from oysterd.presence_config import PresenceConfig

PREFIX = "OYSTERD_"

# Site, room and device names become levels of MQTT topics.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0.0, le=86_400.0)]


def is_loopback(host: str) -> bool:
    """Whether a host name or address can be reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class SiteConfig(Strict):
    """Which room of which house this is: it names the MQTT topics and the world's snapshots."""

    name: Name = "site"
    room: Name = "room"


class WorldConfig(Strict):
    """The world model, and how the world begins when there is no snapshot to go on from."""

    model: Name = "nacre"
    device: Annotated[str, StringConstraints(pattern=r"^(cpu|cuda(:\d+)?)$")] = "cpu"
    scene: Text = "a calm coast at dawn"
    image: Text | None = None
    style: Text | None = None
    view: View = "first"
    character: Text | None = None
    seed: Annotated[int, Field(ge=0)] = 0
    ahead_chunks: Annotated[int, Field(ge=1, le=64)] = 2
    threads: Annotated[int, Field(ge=1, le=256)] = 2
    snapshot_s: Seconds = 60.0
    state_dir: Text = "work/state"


class InputConfig(Strict):
    """A device that is listened to; `options` are those of its kind. Samples older than `max_age_s` count as absent."""

    name: Name
    kind: str
    use: Literal["presence", "sensors"]
    max_age_s: Seconds = 1.0
    presence: PresenceConfig = PresenceConfig()
    options: dict[str, Any] = Field(default={}, validate_default=True)

    @field_validator("kind")
    @classmethod
    def _known(cls, kind: str) -> str:
        from drivers import SOURCES

        return _known_kind(kind, SOURCES)

    @field_validator("options")
    @classmethod
    def _fit_the_kind(cls, options: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        from drivers import SOURCES

        return _checked(options, SOURCES, info)


class OutputConfig(Strict):
    """A device that the room is driven by; without an `optional` one the room runs on, and says so."""

    name: Name
    kind: str
    optional: bool = False
    options: dict[str, Any] = Field(default={}, validate_default=True)

    @field_validator("kind")
    @classmethod
    def _known(cls, kind: str) -> str:
        from drivers import SINKS

        return _known_kind(kind, SINKS)

    @field_validator("options")
    @classmethod
    def _fit_the_kind(cls, options: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        from drivers import SINKS

        return _checked(options, SINKS, info)


def _known_kind(kind: str, kinds: Mapping[str, Any]) -> str:
    if kind not in kinds:
        raise refusal(f'unknown kind "{kind[:40]}"{did_you_mean(kind, kinds)}; known are {", ".join(kinds)}')
    return kind


def _checked(options: dict[str, Any], kinds: Mapping[str, Any], info: ValidationInfo) -> dict[str, Any]:
    """Options that the kind's own configuration accepts; they stay as written, since the kind reads them itself."""
    kind = info.data.get("kind")
    if kind is not None:
        config: type[BaseModel] = kinds[kind].config
        try:
            config.model_validate(options)
        except ValidationError as error:
            raise reworded(error, config) from error
    return options


class SensorMapping(Strict):
    """A sensor that drives a key of the environment.

    `sensor` is `<input>.<value>`, where the inputs `mqtt` and `zmq` stand for what arrives over them. The key is at the
    low end of its range where the sensor reads `low`, and at the high end at `high` (which may be the smaller number).
    """

    sensor: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_.-]+$")]
    key: EnvironmentKey
    low: float
    high: float
    smooth_s: Annotated[float, Field(ge=0.0, le=3600.0)] = 2.0

    @model_validator(mode="after")
    def _has_a_range(self) -> Self:
        if self.low == self.high:
            raise refusal(f"low and high are both {self.low:g}: the sensor would have no range")
        return self


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


class LogConfig(Strict):
    """What is logged."""

    level: Literal["debug", "info", "warning", "error"] = "info"


class Settings(BaseSettings):
    """A whole configuration. Environment variables such as `OYSTERD_PAGE__PORT=9000` win over the file."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", strict=True, frozen=True, allow_inf_nan=False
    )

    site: SiteConfig = SiteConfig()
    world: WorldConfig = WorldConfig()
    inputs: list[InputConfig] = []
    outputs: list[OutputConfig] = []
    mappings: list[SensorMapping] = []
    mqtt: MqttConfig = MqttConfig(enabled=False)
    zmq: ZmqConfig = ZmqConfig()
    page: PageConfig = PageConfig()
    log: LogConfig = LogConfig()

    @field_validator("inputs", "outputs")
    @classmethod
    def _differ_in_name(cls, devices: list[Any]) -> list[Any]:
        names = [device.name for device in devices]
        twice: list[tuple[Location, str]] = [
            ((index, "name"), f"{name} is taken already") for index, name in enumerate(names) if name in names[:index]
        ]
        if twice:
            raise reworded(None, cls, twice)
        return devices

    @field_validator("mappings")
    @classmethod
    def _name_an_input(cls, mappings: list[SensorMapping], info: ValidationInfo) -> list[SensorMapping]:
        if "inputs" not in info.data:
            return mappings  # the inputs are wrong themselves, and said to be
        known = [*(device.name for device in info.data["inputs"]), "mqtt", "zmq"]
        sources = [mapping.sensor.partition(".")[0] for mapping in mappings]
        unknown: list[tuple[Location, str]] = [
            ((index, "sensor"), f'there is no input "{source}"{did_you_mean(source, known)}')
            for index, source in enumerate(sources)
            if source not in known
        ]
        if unknown:
            raise reworded(None, cls, unknown)
        return mappings

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return _Environment(settings_cls), init_settings


class _Environment(EnvSettingsSource):
    """Environment variables are text: what is to be a number or a truth value is read as one, for strict models."""

    def __call__(self) -> dict[str, Any]:
        read = _typed(super().__call__(), self.settings_cls)
        assert isinstance(read, dict)
        return read


def _typed(value: Any, annotation: Any) -> Any:
    annotation = bare(annotation)
    if isinstance(value, dict) and isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields
        return {key: _typed(item, fields[key].annotation) if key in fields else item for key, item in value.items()}
    if isinstance(value, str) and annotation not in (str, SecretStr) and get_origin(annotation) is not Literal:
        try:
            return from_json(value)
        except ValueError:
            return value  # the model says what it should have been
    return value


def _unknown_variables() -> list[str]:
    """Variables with our prefix that name no section: pydantic-settings passes over them in silence."""
    lines = []
    for variable in os.environ:
        if variable.upper().startswith(PREFIX):
            section = variable[len(PREFIX) :].split("__")[0].lower()
            if section not in Settings.model_fields:
                hint = did_you_mean(section, Settings.model_fields)
                lines.append(f"{variable} (environment): unknown section {section}{hint}")
    return lines


def load(path: Path) -> Settings:
    """The configuration in a TOML file, under the environment's. Raises ConfigError with every problem at once."""
    data = read_toml(path)
    problems = _unknown_variables()
    try:
        settings = Settings(**data)
    except ValidationError as error:
        raise ConfigError([*problems, *explain(error, Settings)]) from error
    except SettingsError as error:
        raise ConfigError([*problems, f"environment: {error}"]) from error
    if problems:
        raise ConfigError(problems)
    return settings


def check(path: Path) -> list[str]:
    """Every problem of a configuration file, one line each; empty when it can be run."""
    try:
        load(path)
    except ConfigError as error:
        return error.lines
    return []
