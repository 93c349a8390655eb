"""The configuration of a room: its sections, and how a file and the environment become one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_origin

from pydantic import (
    BaseModel,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import from_json
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from oysterd.changes import Strict, Text, View, read_toml
from oysterd.control_config import MqttConfig, PageConfig, Port, ZmqConfig
from oysterd.device_requests import ProjectorInput
from oysterd.errors import ConfigError, Location, bare, did_you_mean, explain, refusal, reworded
from oysterd.mapped import SensorMapping
from oysterd.osc_config import OscConfig
from oysterd.presence_config import PresenceConfig
from oysterd.triggers import SensorTrigger
from oysterd.voice import SoundConfig

PREFIX = "OYSTERD_"

# Site, room and device names become levels of MQTT topics.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
# What readings may come from beside the configured inputs: what is sent to us, and the time of day.
REMOTE_INPUTS = ("mqtt", "zmq", "osc", "clock")
Seconds = Annotated[float, Field(gt=0.0, le=86_400.0)]


class SiteConfig(Strict):
    """Which room of which house this is: it names the MQTT topics and the world's snapshots."""

    name: Name = "site"
    room: Name = "room"


class WorldConfig(Strict):
    """The world model, and how the world begins when there is no snapshot to go on from."""

    model: Name = "nacre"
    height_px: Annotated[int, Field(ge=90, le=2160)] | None = None  # of the picture; the model's own
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


class ProjectorConfig(Strict):
    """A projector as a machine, switched and watched over the network by PJLink; its picture is an output's."""

    name: Name
    kind: Literal["pjlink"] = "pjlink"
    host: Text
    port: Port = 4352
    password: SecretStr | None = None
    # Chosen each time it comes on: such as "31", the first digital one; unset, it stays as it was.
    input: ProjectorInput | None = None
    on_at_start: bool = False
    poll_s: Seconds = 10.0
    timeout_s: Annotated[float, Field(gt=0.0, le=10.0)] = 3.0


class SwitchingConfig(Strict):
    """How projectors are switched: the pause between one and the next, for lamps that strike at once trip fuses."""

    stagger_s: Annotated[float, Field(ge=0.0, le=600.0)] = 3.0


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


def _values_of(device: InputConfig) -> list[str]:
    """The names of an input's values, where its options list them; empty where it gives what it gives."""
    return [value["name"] for value in device.options.get("values", [])]


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
    projectors: list[ProjectorConfig] = []
    switching: SwitchingConfig = SwitchingConfig()
    sound: SoundConfig = SoundConfig()
    mappings: list[SensorMapping] = []
    triggers: list[SensorTrigger] = []
    mqtt: MqttConfig = MqttConfig(enabled=False)
    zmq: ZmqConfig = ZmqConfig()
    osc: OscConfig = OscConfig()
    page: PageConfig = PageConfig()
    log: LogConfig = LogConfig()

    @field_validator("inputs", "outputs", "projectors")
    @classmethod
    def _differ_in_name(cls, devices: list[Any], info: ValidationInfo) -> list[Any]:
        names = [device.name for device in devices]
        twice: list[tuple[Location, str]] = [
            ((index, "name"), f"{name} is taken already") for index, name in enumerate(names) if name in names[:index]
        ]
        if info.field_name == "inputs":
            twice += [
                ((index, "name"), f"{name} stands for what is sent to us: choose another")
                for index, name in enumerate(names)
                if name in REMOTE_INPUTS
            ]
        if twice:
            raise reworded(None, cls, twice)
        return devices

    @field_validator("sound")
    @classmethod
    def _has_the_channels(cls, sound: SoundConfig, info: ValidationInfo) -> SoundConfig:
        from drivers import SINKS
        from drivers.speaker import SpeakerConfig
        from drivers.virtual import SilentSpeakerConfig

        for at, output in enumerate(info.data.get("outputs", [])):
            options = SINKS[output.kind].config.model_validate(output.options)
            if isinstance(options, SpeakerConfig | SilentSpeakerConfig):  # the first of them is the one that is played
                beyond: list[tuple[Location, str]] = [
                    (("zones", zone, "channels"), f"{channel} is beyond the {options.channels} of outputs[{at}]")
                    for zone, channel in enumerate(max(zone.channels) for zone in sound.zones)
                    if channel > options.channels
                ]
                if beyond:
                    raise reworded(None, SoundConfig, beyond)
                break
        return sound

    @field_validator("mappings", "triggers")
    @classmethod
    def _name_an_input(cls, users: list[Any], info: ValidationInfo) -> list[Any]:
        if "inputs" not in info.data:
            return users  # the inputs are wrong themselves, and said to be
        known = [*(device.name for device in info.data["inputs"]), *REMOTE_INPUTS]
        values = {"clock": ["hour"], **{device.name: _values_of(device) for device in info.data["inputs"]}}
        unknown: list[tuple[Location, str]] = []
        for index, user in enumerate(users):
            source, _, value = user.sensor.partition(".")
            if source not in known:
                unknown.append(((index, "sensor"), f'there is no input "{source}"{did_you_mean(source, known)}'))
            elif values.get(source) and value not in values[source]:
                hint = did_you_mean(value, values[source])
                unknown.append(((index, "sensor"), f'{source} has no value "{value}"{hint}'))
        if unknown:
            raise reworded(None, cls, unknown)
        return users

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


def load(path: Path | None) -> Settings:
    """The configuration in a TOML file, under the environment's. Raises ConfigError with every problem at once.

    Without a file it is what commands to a daemon need: the defaults, with no broker.
    """
    data = {"mqtt": {"enabled": False}} if path is None else read_toml(path)
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
