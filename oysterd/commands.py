"""The one table of commands that every transport serves, how they are read, and the receipt that answers them."""

from __future__ import annotations

import time
import uuid
from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError, model_validator
from pydantic_core import from_json

from oysterd.changes import LONGEST_TIMELINE_S, Change, Environment, Motion, PresencePoint, Strict, Text, View
from oysterd.device_requests import CalibrationRequest, InputRequest, PatternRequest, PowerRequest, ShutterRequest
from oysterd.errors import did_you_mean, explain, refusal

LARGEST_PAYLOAD_BYTES = 64 * 1024

# An id becomes a level of an MQTT topic, so it must hold neither its separators nor its wildcards.
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]
_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)

Status = Literal["accepted", "applied", "rejected", "expired"]


class CommandError(Exception):
    """A command that can't be read: every problem in `lines`, and the `id` it came with where that could be read."""

    def __init__(self, lines: list[str], identifier: str | None = None) -> None:
        self.lines = lines
        self.id = identifier
        super().__init__("\n".join(lines))


class Command(Strict):
    """What all commands carry: an `id`, how long after receipt it stays valid, and how long it waits until due."""

    name: ClassVar[str]

    id: Identifier = Field(default_factory=lambda: uuid.uuid4().hex)
    not_after_s: Annotated[float, Field(gt=0.0, le=LONGEST_TIMELINE_S)] | None = None
    at_s: Annotated[float, Field(ge=0.0, le=LONGEST_TIMELINE_S)] = 0.0

    @model_validator(mode="after")
    def _due_while_valid(self) -> Self:
        if self.not_after_s is not None and self.at_s > self.not_after_s:
            raise refusal(f"at_s = {self.at_s:g} is after not_after_s = {self.not_after_s:g}: it would never be due")
        return self

    @abstractmethod
    def to_change(self) -> Change | None:
        """What it changes in the world, or None for a command that asks something of the daemon."""


class Direct(Command):
    """Say what shall happen, in words."""

    name = "direct"
    text: Text

    def to_change(self) -> Change:
        return Change(directive=self.text)


class SetScene(Command):
    """Lead the world to another place, without a reset."""

    name = "scene"
    text: Text

    def to_change(self) -> Change:
        return Change(scene=self.text)


class Move(Command, Motion):
    """Walk and look; all zero stands still."""

    name = "motion"

    def to_change(self) -> Change:
        return Change(motion=Motion(**{key: getattr(self, key) for key in Motion.model_fields}))


class SetEnvironment(Command, Environment):
    """Set any subset of sun and weather, or release keys to the world."""

    name = "environment"

    @model_validator(mode="after")
    def _sets_something(self) -> Self:
        if all(getattr(self, key) is None for key in Environment.model_fields):
            raise refusal(f"changes nothing: set at least one of {', '.join(Environment.model_fields)}")
        return self

    def to_change(self) -> Change:
        return Change(environment=Environment(**{key: getattr(self, key) for key in Environment.model_fields}))


class SetPresence(Command):
    """Say where visitors are; an empty list says that nobody is there."""

    name = "presence"
    points: Annotated[list[PresencePoint], Field(max_length=64)]

    def to_change(self) -> Change:
        return Change(presence=self.points)


class Release(Command):
    """Give motion or presence, once set, back to the sensors and the world."""

    name = "release"
    what: Annotated[list[Literal["motion", "presence"]], Field(min_length=1, max_length=2)]

    def to_change(self) -> Change:
        return Change(release=self.what)


class SetView(Command):
    """First or third person."""

    name = "view"
    view: View

    def to_change(self) -> Change:
        return Change(view=self.view)


class SetStyle(Command):
    """How the world looks, in words."""

    name = "style"
    text: Text

    def to_change(self) -> Change:
        return Change(style=self.text)


class SetCharacter(Command):
    """Who is seen in third person, in words."""

    name = "character"
    text: Text

    def to_change(self) -> Change:
        return Change(character=self.text)


class ApplyChange(Command, Change):
    """Several fields of a change at once, in the same step."""

    name = "change"

    def to_change(self) -> Change:
        return self.change()


class Snapshot(Command):
    """Save the world now."""

    name = "snapshot"

    def to_change(self) -> None:
        return None


class LearnRoom(Command):
    """Learn what the cameras see when nobody is there, in the next `seconds`; of all inputs for presence, or some."""

    name = "learn_room"
    seconds: Annotated[float, Field(ge=3.0, le=60.0)] = 10.0
    inputs: Annotated[list[Identifier], Field(min_length=1, max_length=64)] | None = None

    def to_change(self) -> None:
        return None


class DeviceCommand(Command):
    """Asks something of devices of the room, and nothing of the world."""

    names_device_in: ClassVar[str]  # the field that holds a device's name; None there means all of them
    takes_s: ClassVar[float] = 0.0  # what the devices may need, beyond the usual, to answer

    def to_change(self) -> None:
        return None

    def request(self) -> dict[str, Any]:
        """What was asked, without what all commands carry, as JSON."""
        return self.model_dump(mode="json", exclude_unset=True, exclude=set(Command.model_fields))


class ShowPattern(DeviceCommand, PatternRequest):
    """Show a test pattern on an output, or on all windows."""

    name = "pattern"
    names_device_in = "output"


class Calibrate(DeviceCommand, CalibrationRequest):
    """Lay an output's picture on its wall: corners, mesh, soft edges, black and gain."""

    name = "calibrate"
    names_device_in = "output"


class SwitchPower(DeviceCommand, PowerRequest):
    """Switch a projector, or all of them one after another, on or off."""

    name = "power"
    names_device_in = "projector"
    takes_s = 300.0  # many, one after another


class MoveShutter(DeviceCommand, ShutterRequest):
    """Close or open the shutter of a projector, or of all."""

    name = "shutter"
    names_device_in = "projector"
    takes_s = 30.0  # it may just be asked how it is, and be slow to answer


class SelectInput(DeviceCommand, InputRequest):
    """Choose the input of a projector, or of all."""

    name = "input"
    names_device_in = "projector"
    takes_s = 30.0  # as above


COMMANDS: dict[str, type[Command]] = {
    kind.name: kind
    for kind in (
        Direct, SetScene, Move, SetEnvironment, SetPresence, Release, SetView, SetStyle, SetCharacter, ApplyChange,
        Snapshot, LearnRoom, ShowPattern, Calibrate, SwitchPower, MoveShutter, SelectInput,
    )
}  # fmt: skip


class Receipt(Strict):
    """The answer to a command: at which `step` and world time it was applied, or `why` not.

    `origin` tells the transport whom to answer and stays inside: it is no part of the JSON.
    """

    id: str
    name: str
    status: Status
    step: int | None = None
    time_s: float | None = None
    unix_ms: int = Field(default_factory=lambda: time.time_ns() // 1_000_000)
    why: list[str] = []
    duplicate: bool = False
    origin: str = Field(default="", exclude=True)


def parse(name: str, payload: bytes | str | Mapping[str, Any]) -> Command:
    """Read a command; an empty payload is an empty object. Raises CommandError with every problem at once."""
    kind = COMMANDS.get(name)
    if kind is None:
        shown = name if len(name) <= 64 else name[:64] + "…"
        known = ", ".join(COMMANDS)
        raise CommandError([f'unknown command "{shown}"{did_you_mean(shown, COMMANDS)}; known are {known}'])
    data = _object(payload)
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise CommandError(explain(error, kind), _identifier(data)) from error


def parse_motion(payload: bytes | str | Mapping[str, Any]) -> Motion:
    """Read a message of the fast motion input: a motion without an id. Raises CommandError."""
    try:
        return Motion.model_validate(_object(payload))
    except ValidationError as error:
        raise CommandError(explain(error, Motion)) from error


class Reading(Strict):
    """A message of the sensor input, in the unit that the sensor's name ends with."""

    value: float


def parse_reading(payload: bytes | str) -> float:
    """Read a message of the sensor input: a bare number or `{"value": number}`. Raises CommandError."""
    value = _json(payload)
    try:
        return Reading.model_validate(value if isinstance(value, dict) else {"value": value}).value
    except ValidationError as error:
        raise CommandError(explain(error, Reading)) from error


def _json(payload: bytes | str) -> Any:
    if len(payload) > LARGEST_PAYLOAD_BYTES:
        raise CommandError([f"payload: must have at most {LARGEST_PAYLOAD_BYTES} bytes, has {len(payload)}"])
    if not payload.strip():
        return {}
    try:
        return from_json(payload, allow_inf_nan=False)
    except ValueError as error:
        raise CommandError([f"payload: is not valid JSON: {error}"]) from error


def _object(payload: bytes | str | Mapping[str, Any]) -> dict[str, Any]:
    value = dict(payload) if isinstance(payload, Mapping) else _json(payload)
    if not isinstance(value, dict):
        raise CommandError([f'payload: must be a JSON object such as {{"text": "…"}}, not {type(value).__name__}'])
    return value


def _identifier(data: Mapping[str, Any]) -> str | None:
    try:
        return _IDENTIFIER.validate_python(data.get("id"), strict=True)
    except ValidationError:
        return None  # what is wrong with it already stands among the lines
