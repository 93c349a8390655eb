"""What a technician sets on a projector so that its picture fits the wall: corners, mesh, soft edges, black and gain.

Points are (x, y) from the top left, in shares: of the projector's whole raster for corners, of the picture for a mesh.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from drivers.base import DriverConfig

# A point may lie outside: a picture may be larger than the raster it is drawn on.
Coordinate = Annotated[float, Field(ge=-1.0, le=2.0)]
Point = tuple[Coordinate, Coordinate]
Share = Annotated[float, Field(ge=0.0, le=1.0)]

CORNERS = ("top_left", "top_right", "bottom_right", "bottom_left")
MOST_MESH_POINTS = 33  # of one side


class Crop(DriverConfig):
    """The part of the world's picture that a projector shows, in shares of its width and height."""

    x: Share = 0.0
    y: Share = 0.0
    width: float = Field(default=1.0, gt=0.0, le=1.0)
    height: float = Field(default=1.0, gt=0.0, le=1.0)

    @model_validator(mode="after")
    def _lies_within(self) -> Self:
        # A little more than 1 is what 0.6 + 0.4 may be in binary.
        if self.x + self.width > 1.0 + 1e-6 or self.y + self.height > 1.0 + 1e-6:
            raise ValueError("x + width and y + height must be at most 1: a crop lies within the picture")
        return self


class Mesh(DriverConfig):
    """Points that a grid on the picture is drawn through, row by row from the top left: for walls that are not flat."""

    columns: int = Field(ge=2, le=MOST_MESH_POINTS)
    rows: int = Field(ge=2, le=MOST_MESH_POINTS)
    points: tuple[Point, ...]

    @model_validator(mode="after")
    def _is_full(self) -> Self:
        if len(self.points) != self.columns * self.rows:
            wanted = f"{self.columns} x {self.rows} = {self.columns * self.rows}"
            raise ValueError(f"points must have {wanted} entries, has {len(self.points)}")
        return self

    @classmethod
    def even(cls, columns: int, rows: int) -> Mesh:
        """A mesh that bends nothing."""
        points = ((x / (columns - 1), y / (rows - 1)) for y in range(rows) for x in range(columns))
        return cls(columns=columns, rows=rows, points=tuple(points))


class SoftEdges(DriverConfig):
    """How wide the picture fades at each side, where the next projector's fades in, in shares of this picture."""

    left: float = Field(default=0.0, ge=0.0, le=0.5)
    right: float = Field(default=0.0, ge=0.0, le=0.5)
    top: float = Field(default=0.0, ge=0.0, le=0.5)
    bottom: float = Field(default=0.0, ge=0.0, le=0.5)
    gamma: float = Field(default=2.2, ge=1.0, le=4.0, description="of the projector: light is value to this power")


class Calibration(DriverConfig):
    """All of it; the defaults change nothing."""

    corners: tuple[Point, Point, Point, Point] | None = Field(
        default=None, description="where the picture's corners go, clockwise from the top left; unset: as it fits"
    )
    mesh: Mesh | None = None
    soft_edges: SoftEdges = SoftEdges()
    black_lift: float = Field(
        default=0.0, ge=0.0, le=0.2, description="light of the projector's black, as a share of its white"
    )
    gain: tuple[Share, Share, Share] = Field(default=(1.0, 1.0, 1.0), description="share of red, green and blue light")

    @model_validator(mode="after")
    def _makes_a_picture(self) -> Self:
        if self.corners is not None and not is_convex(self.corners):
            raise ValueError("corners must go around a picture with no side bent inwards, clockwise or mirrored")
        return self


def is_convex(corners: tuple[Point, Point, Point, Point]) -> bool:
    """Whether the four points go around an area without a bend inwards, either way round."""
    turns = []
    for at in range(4):
        (ax, ay), (bx, by), (cx, cy) = (corners[(at + step) % 4] for step in range(3))
        turns.append((bx - ax) * (cy - by) - (by - ay) * (cx - bx))
    return all(turn > 1e-6 for turn in turns) or all(turn < -1e-6 for turn in turns)
