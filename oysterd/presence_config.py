"""How presence is read from a camera's pictures. Without OpenCV, so that what only reads settings need not load it."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from oysterd.changes import Strict
from oysterd.errors import refusal

# Corners of the projected picture may lie outside of what the camera sees, by a picture's size at the most.
Corner = Annotated[list[Annotated[float, Field(ge=-1.0, le=2.0)]], Field(min_length=2, max_length=2)]
# Four points on a line make no picture: twice the area that a corner's triangle must have, in shares. Arbitrary.
LEAST_TRIANGLE = 1e-3


class ColourPresenceConfig(Strict):
    """How presence is read from colour. Levels are of 8 bits, times in seconds of pictures at `pictures_per_s`."""

    pictures_per_s: float = Field(
        default=30.0, gt=0, description="the camera's rate, which turns the times into pictures"
    )
    warm_up_s: float = Field(
        default=1.0, ge=0, description="after the first picture all that is seen counts as empty room"
    )
    background_s: float = Field(
        default=20.0, gt=0, description="how slowly the empty room is learned: daylight is slower"
    )
    absorbed_s: float = Field(
        default=180.0, gt=0, description="how slowly what stands still becomes room: chairs, not people"
    )
    learned_absorbed_s: float = Field(default=1800.0, gt=0, description="the same, of a room learned by command")
    # Sensor noise after averaging is 1 to 2 levels, codec shimmer up to 5; clothes against a wall differ by 20 or more.
    silhouette_levels: float = Field(
        default=12.0, gt=0, description="difference from the empty room that begins a silhouette"
    )
    motion_levels: float = Field(
        default=6.0, gt=0, description="difference from the picture before that begins a motion"
    )
    relearn_share: float = Field(
        default=0.7, gt=0, le=1, description="of the picture changed at once: lights, not visitors"
    )
    # Plain clothes change at their edges only: a walker's edge crosses about a quarter of a cell between pictures.
    moving_full: float = Field(default=0.25, gt=0, le=1, description="share of a cell that counts as all of it moving")
    stir_fade_s: float = Field(default=0.4, gt=0, description="how long a motion rings on")


class DepthPresenceConfig(Strict):
    """How presence is read from depth. Times in seconds of pictures at `pictures_per_s`."""

    pictures_per_s: float = Field(
        default=30.0, gt=0, description="the camera's rate, which turns the times into pictures"
    )
    absorbed_s: float = Field(default=180.0, gt=0, description="how slowly what stands still becomes room")
    learned_absorbed_s: float = Field(default=1800.0, gt=0, description="the same, of a room learned by command")
    # A stereo camera's error grows with the square of distance; Intel's D400 data sheet allows 2 % at 2 m.
    margin_m: float = Field(default=0.10, gt=0, description="nearer than the empty room by this is a visitor, at 0 m")
    margin_per_m2: float = Field(default=0.02, ge=0, description="and by this more for each square metre of distance")
    coverage_full: float = Field(default=0.5, gt=0, le=1, description="share of a cell that counts as all of it")
    stir_fade_s: float = Field(default=0.4, gt=0, description="how long a motion rings on")


class PresenceConfig(Strict):
    """What of a camera's picture is the wall's, and how visitors are told from the room.

    `corners` are where the camera sees the top left, top right, bottom right and bottom left corner of the projected
    picture (or whatever quadrilateral of wall or floor is to be laid over it), as shares of the camera's picture. A
    camera that faces the visitors names them mirrored. Unset, the camera's whole picture is the wall's.
    """

    corners: Annotated[list[Corner], Field(min_length=4, max_length=4)] | None = None
    near_m: Annotated[float, Field(ge=0.0, le=20.0)] = 0.5
    far_m: Annotated[float, Field(gt=0.0, le=20.0)] = 4.0
    use_colour: bool = False
    colour: ColourPresenceConfig = ColourPresenceConfig()
    depth: DepthPresenceConfig = DepthPresenceConfig()

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.near_m >= self.far_m:
            raise refusal(f"near_m = {self.near_m:g} must be less than far_m = {self.far_m:g}")
        if self.corners is not None and not _is_convex(self.corners):
            raise refusal(
                "corners: must go round a convex shape, from the picture's top left: not crossing, not in line"
            )
        return self


def _is_convex(corners: list[list[float]]) -> bool:
    """Whether all four turns go the same way round, each by a triangle worth the name."""
    turns = []
    for at in range(4):
        (x0, y0), (x1, y1), (x2, y2) = (corners[(at + step) % 4] for step in range(3))
        turns.append((x1 - x0) * (y2 - y1) - (y1 - y0) * (x2 - x1))
    return all(turn > LEAST_TRIANGLE for turn in turns) or all(turn < -LEAST_TRIANGLE for turn in turns)
