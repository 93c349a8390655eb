"""Turns what pydantic finds wrong into lines that a person can act on: `at[1].environment.rain: must be …`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

Location = tuple[int | str, ...]

# The type of an error whose words are already ours: see `reworded`.
_WORDED = "worded"

_WANTED = {
    "string_type": "text",
    "float_type": "a number",
    "float_parsing": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
_BOUNDS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}
_COUNTS = {
    "string_too_short": ("at least", "min_length", "characters"),
    "string_too_long": ("at most", "max_length", "characters"),
    "too_short": ("at least", "min_length", "entries"),
    "too_long": ("at most", "max_length", "entries"),
}
# Longer values are named by their kind alone: a message is to be read.
_SHOWN_CHARACTERS = 40


class ConfigError(Exception):
    """What is wrong with a file or a configuration: all of it, one line each in `lines`."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = list(lines)
        super().__init__("\n".join(self.lines))


def dotted(location: Location) -> str:
    """The path of a field as people write it: `at[1].environment.rain`; empty for the whole."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """` (did you mean "rain"?)` when a known name is near to the given one, else nothing."""
    near = difflib.get_close_matches(given, list(known), n=1, cutoff=0.6)
    return f' (did you mean "{near[0]}"?)' if near else ""


def explain(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Every problem in `error`, found while reading a `model`, as a line `path: what (did you mean …)`."""
    return [f"{dotted(location)}: {words}" if location else words for location, words in _problems(error, model)]


def reworded(
    error: ValidationError | None, model: type[BaseModel], more: Iterable[tuple[Location, str]] = ()
) -> ValidationError:
    """The same problems in our words, plus `more`, as an error to raise inside a validator.

    A validator that reads a nested model by hand knows which model it is; whoever explains the whole does not.
    """
    problems = [*(_problems(error, model) if error is not None else ()), *more]
    return ValidationError.from_exception_data(
        model.__name__,
        [
            InitErrorDetails(type=PydanticCustomError(_WORDED, "{words}", {"words": words}), loc=location, input=None)
            for location, words in problems
        ],
    )


def refusal(words: str) -> PydanticCustomError:
    """An error for a validator to raise, whose words are shown as they stand."""
    return PydanticCustomError(_WORDED, "{words}", {"words": words})


def _problems(error: ValidationError, model: type[BaseModel]) -> list[tuple[Location, str]]:
    return [(detail["loc"], _words(detail, model)) for detail in error.errors(include_url=False)]


def _words(detail: ErrorDetails, model: type[BaseModel]) -> str:
    kind, location, given, message = detail["type"], detail["loc"], detail["input"], detail["msg"]
    context = detail.get("ctx", {})
    annotation = _annotation(model, location)
    shown = "" if annotation is SecretStr else _shown(given)
    if kind == _WORDED:
        return str(context["words"])
    if kind == "extra_forbidden":
        parent = _annotation(model, location[:-1])
        known = parent.model_fields if isinstance(parent, type) and issubclass(parent, BaseModel) else ()
        return f"unknown key{did_you_mean(str(location[-1]), known)}"
    if kind == "missing":
        return "is missing"
    if kind in _WANTED:
        return f"must be {_WANTED[kind]}{', not ' + shown if shown else ''}"
    if kind in _BOUNDS:
        words, key = _BOUNDS[kind]
        return f"must be {words} {context[key]:g}{', not ' + shown if shown else ''}"
    if kind in _COUNTS:
        words, key, unit = _COUNTS[kind]
        has = f", has {len(given)}" if isinstance(given, (str, list)) else ""
        return f"must have {words} {context[key]} {unit}{has}"
    if kind == "literal_error":
        allowed = [str(value) for value in get_args(annotation)]
        hint = did_you_mean(given, allowed) if isinstance(given, str) else ""
        return f"must be {context['expected']}{', not ' + shown if shown else ''}{hint}"
    if kind == "finite_number":
        return "must be a finite number"
    if kind == "string_unicode":
        return "must be valid Unicode text"
    if kind == "value_error":
        return str(context["error"])
    return message[:1].lower() + message[1:]


def _shown(given: object) -> str:
    if isinstance(given, bool):
        return "true" if given else "false"
    if given is None:
        return "nothing"
    if isinstance(given, (int, float)):
        return str(given) if len(str(given)) <= _SHOWN_CHARACTERS else "so long a number"
    if isinstance(given, str):
        return f'the text "{given}"' if len(given) <= _SHOWN_CHARACTERS else "such a long text"
    return "a list" if isinstance(given, list) else "a table" if isinstance(given, Mapping) else ""


def _annotation(model: type[BaseModel], location: Location) -> Any:
    """The bare type that stands at `location` of `model`; None where the path leaves what models describe."""
    here: Any = model
    for part in location:
        if isinstance(part, int):
            here = bare(next(iter(get_args(here)), None))
        elif isinstance(here, type) and issubclass(here, BaseModel) and part in here.model_fields:
            here = bare(here.model_fields[part].annotation)
        else:
            return None
    return here


def bare(annotation: Any) -> Any:
    """The annotation without `Annotated` and without `| None`."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, UnionType):
        rest = [choice for choice in get_args(annotation) if choice is not type(None)]
        return bare(rest[0]) if len(rest) == 1 else annotation
    return annotation
