"""What operators ask of projectors and other devices, as types: patterns, calibration, power, input, shutter."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from drivers.calibration import Calibration
from oysterd.changes import Strict
from oysterd.errors import refusal

DeviceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Corner = Literal["top_left", "top_right", "bottom_right", "bottom_left"]
# How far a point moves at once, in shares of the raster or the picture.
Step = Annotated[float, Field(ge=-1.0, le=1.0)]


# Two characters of PJLink: the kind (1 analogue, 2 video, 3 digital, 4 storage, 5 network, 6 internal) and which.
ProjectorInput = Annotated[str, StringConstraints(pattern=r"^[1-6][1-9A-Z]$")]


class PatternRequest(Strict):
    """A test pattern on an output, or on all windows; "none" shows the world again."""

    output: DeviceName | None = None
    pattern: Literal["grid", "blend", "focus", "none"]


class PointMove(Strict):
    """Moves a corner, or a point of the mesh by its column and row counted from 0, by `x` and `y`."""

    corner: Corner | None = None
    column: Annotated[int, Field(ge=0)] | None = None
    row: Annotated[int, Field(ge=0)] | None = None
    x: Step = 0.0
    y: Step = 0.0

    @model_validator(mode="after")
    def _names_one_point(self) -> Self:
        has_mesh_point = self.column is not None and self.row is not None
        if (self.corner is not None) == has_mesh_point or (self.column is None) != (self.row is None):
            raise refusal("needs a corner, or column and row of a point of the mesh")
        return self


class CalibrationRequest(Strict):
    """Exactly one of: fields of the calibration to set, a point to move, fields to give back to the configuration."""

    output: DeviceName
    set: Calibration | None = None
    move: PointMove | None = None
    clear: Annotated[
        list[Literal["corners", "mesh", "soft_edges", "black_lift", "gain"]] | None, Field(min_length=1, max_length=5)
    ] = None

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Self:
        asked: list[Any] = [self.set, self.move, self.clear]
        if sum(part is not None for part in asked) != 1:
            raise refusal("needs exactly one of set, move and clear")
        return self


class PowerRequest(Strict):
    """Switches a projector, or all of them one after another, on or off."""

    projector: DeviceName | None = None
    on: bool


class ShutterRequest(Strict):
    """Closes or opens the shutter of a projector, or of all."""

    projector: DeviceName | None = None
    closed: bool


class InputRequest(Strict):
    """Chooses the input of a projector, or of all, by PJLink's two characters."""

    projector: DeviceName | None = None
    input: ProjectorInput
