"""The file in which a projector's calibration lives, beside the world's snapshots: `calibration/<output>.json`."""

from __future__ import annotations

import json
import os
from pathlib import Path

from pydantic import ValidationError

from drivers.calibration import Calibration
from oysterd.errors import explain


class CalibrationError(Exception):
    """A file can't be read or written; the message names it, and every key that is wrong."""


def path_of(state_dir: str, output: str) -> Path:
    """Where the calibration of an output stands."""
    return Path(state_dir) / "calibration" / f"{output}.json"


def load(path: Path) -> Calibration:
    """What a file holds, with only those fields set; empty when there is none. Raises CalibrationError."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Calibration()
    except (OSError, UnicodeDecodeError) as error:
        raise CalibrationError(f"{path}: can't be read: {error}") from error
    try:
        data = json.loads(text)
    except ValueError as error:
        raise CalibrationError(f"{path}: is not valid JSON: {error}") from error
    try:
        return Calibration.model_validate(data)
    except ValidationError as error:
        raise CalibrationError("; ".join(f"{path}: {line}" for line in explain(error, Calibration))) from error


def save(path: Path, calibration: Calibration) -> None:
    """Write the fields that are set, so that the file holds all of it or is as before. Raises CalibrationError."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("w", encoding="utf-8") as file:
            file.write(calibration.model_dump_json(exclude_unset=True, indent=1) + "\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise CalibrationError(f"{path}: can't be written: {error}") from error


def put_aside(path: Path) -> None:
    """Keep a file that can't be read as `.bad`, to be mended, when another takes its place. Raises CalibrationError."""
    try:
        path.replace(path.with_suffix(".bad"))
    except OSError as error:
        raise CalibrationError(f"{path}: can't be put aside: {error}") from error


def overlaid(below: Calibration, above: Calibration) -> Calibration:
    """`below`, with the fields that are set in `above` in place of its own. Raises pydantic's ValidationError."""
    return Calibration.model_validate({**below.model_dump(exclude_unset=True), **above.model_dump(exclude_unset=True)})
