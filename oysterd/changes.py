"""What can be asked of the running world, as types: a change, and a timeline of changes."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    StringConstraints,
    ValidationError,
    model_validator,
)

from oysterd.errors import ConfigError, Location, explain, refusal, reworded

LONGEST_TIMELINE_S = 86_400.0

Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"\S")]
View = Literal["first", "third"]
Unit = Annotated[float, Field(ge=0.0, le=1.0)]
EnvironmentKey = Literal["sun_rad", "cloud", "fog", "rain", "snow", "wind", "energy"]


class Strict(BaseModel):
    """A frozen model which takes no unknown key, no number in text and no number that is not finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Motion(Strict):
    """How the viewer moves: `forward` and `strafe` -1..1 of walking speed, turning in rad/s (yaw to the right)."""

    forward: Annotated[float, Field(ge=-1.0, le=1.0)] = 0.0
    strafe: Annotated[float, Field(ge=-1.0, le=1.0)] = 0.0
    yaw_rad_s: Annotated[float, Field(ge=-2.0, le=2.0)] = 0.0
    pitch_rad_s: Annotated[float, Field(ge=-2.0, le=2.0)] = 0.0


class _Within:
    """Refuses with one line what is neither a number in the range nor "release": a union would give two."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high

    def __call__(self, value: Any) -> Any:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if value == "release" or value is None or (is_number and self.low <= value <= self.high):
            return value
        given = f", not {value}" if is_number else ""
        raise refusal(f'must be a number from {self.low:g} to {self.high:g}, or "release"{given}')


Sun = Annotated[float | Literal["release"] | None, BeforeValidator(_Within(-1.6, 1.6))]
Level = Annotated[float | Literal["release"] | None, BeforeValidator(_Within(0.0, 1.0))]


class Environment(Strict):
    """Any subset of the weather: the sun's elevation in rad (-1.6..1.6), the others 0..1.

    "release" gives a key back to the world; None, or a key that is not there, leaves it as it is.
    """

    sun_rad: Sun = None
    cloud: Level = None
    fog: Level = None
    rain: Level = None
    snow: Level = None
    wind: Level = None
    energy: Level = None


class PresencePoint(Strict):
    """A visitor: `x`, `y` across the picture from its top left, `near` and how much it moves (`stir`), all 0..1."""

    x: Unit
    y: Unit
    near: Unit
    stir: Unit


class Change(Strict):
    """One change of the world; at least one field is set, and a field that is None leaves the world as it is.

    `image` is the path of a picture file. An empty `presence` says that nobody is there. `release` gives motion or
    presence, once set, back to the sensors and the world; keys of the environment are released by themselves.
    """

    CHANGE_FIELDS: ClassVar[tuple[str, ...]] = (
        "scene", "image", "directive", "style", "character", "view", "motion", "environment", "presence", "release",
    )  # fmt: skip

    scene: Text | None = None
    image: Text | None = None
    directive: Text | None = None
    style: Text | None = None
    character: Text | None = None
    view: View | None = None
    motion: Motion | None = None
    environment: Environment | None = None
    presence: Annotated[list[PresencePoint], Field(max_length=64)] | None = None
    release: Annotated[list[Literal["motion", "presence"]], Field(min_length=1, max_length=2)] | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if all(getattr(self, name) is None for name in self.CHANGE_FIELDS):
            raise refusal(f"changes nothing: set at least one of {', '.join(self.CHANGE_FIELDS)}")
        return self

    def change(self) -> Change:
        """The bare change, without what a subclass adds (a time, an id)."""
        return Change(**{name: getattr(self, name) for name in self.CHANGE_FIELDS})


class Entry(Change):
    """A change at `t` seconds after the start of its timeline."""

    t: Annotated[float, Field(ge=0.0, le=LONGEST_TIMELINE_S)]


class Timeline(Strict):
    """A whole show: how it begins (exactly one of `scene` and `image`), how long it is and what happens when."""

    seconds: Annotated[float, Field(gt=0.0, le=LONGEST_TIMELINE_S)]
    seed: Annotated[int, Field(ge=0)] = 0
    scene: Text | None = None
    image: Text | None = None
    style: Text | None = None
    view: View | None = None
    character: Text | None = None
    at: list[Entry] = []

    @model_validator(mode="wrap")
    @classmethod
    def _all_at_once(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Checks across fields too, even when single fields are wrong, so that all is refused in one go."""
        across = _across(data) if isinstance(data, dict) else []
        try:
            timeline = handler(data)
        except ValidationError as error:
            raise reworded(error, cls, across) from error
        if across:
            raise reworded(None, cls, across)
        return timeline


def _across(data: dict[str, Any]) -> list[tuple[Location, str]]:
    """What is wrong between fields of a timeline that may be wrong in itself too."""
    problems: list[tuple[Location, str]] = []
    if ("scene" in data) == ("image" in data):
        problems.append(((), "needs exactly one of scene and image, to begin with"))
    seconds, entries = data.get("seconds"), data.get("at")
    if isinstance(seconds, (int, float)) and isinstance(entries, list):
        for index, entry in enumerate(entries):
            t = entry.get("t") if isinstance(entry, dict) else None
            if isinstance(t, (int, float)) and seconds < t <= LONGEST_TIMELINE_S:
                problems.append((("at", index, "t"), f"must be at most seconds = {seconds:g}, not {t:g}"))
    return problems


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; raises ConfigError with the file's name when it can't be read as such."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError([f"{path}: can't be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: is not UTF-8 text (byte {error.start})"]) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: is not valid TOML: {error}"]) from error


def load_timeline(path: Path) -> Timeline:
    """The timeline in a TOML file; raises ConfigError with every problem at once, as `path.of.field: what`."""
    data = read_toml(path)
    try:
        return Timeline.model_validate(data)
    except ValidationError as error:
        raise ConfigError(explain(error, Timeline)) from error
