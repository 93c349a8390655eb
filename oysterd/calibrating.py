"""Calibrates a projector while it runs: by commands and by keys in its window, kept in its calibration file.

Keys: G, B and F show a pattern (once more hides it), Escape shows the world. While a pattern is shown: 1 to 4 choose a
corner clockwise from the top left, M the mesh, Tab and Shift-Tab the next and the former point; arrows move it by a
pixel (Shift: ten, Control: a tenth); R gives the corners, or the mesh, back to the configuration.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from pydantic import ValidationError

from drivers.base import Clock, DeviceLost
from drivers.calibration import CORNERS, Calibration, Mesh, Point
from drivers.patterns import Pattern
from drivers.window import Key
from oysterd.bus import Message
from oysterd.calibration_file import CalibrationError, load, overlaid, put_aside, save
from oysterd.device_requests import CalibrationRequest, PatternRequest, PointMove
from oysterd.errors import explain

# A key that is held moves a point many times a second: the file is written when it was let go.
SAVE_AFTER_S = 0.5
# A mesh that is made by a key has so many points across and down.
NEW_MESH = (5, 5)
PATTERN_KEYS: dict[str, Pattern] = {"g": "grid", "b": "blend", "f": "focus"}
ARROWS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
CORNER_PLACES = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


class Calibrated(Protocol):
    """A sink that can be calibrated, as the kind `window` can."""

    @property
    def raster(self) -> tuple[int, int]: ...
    def calibrate(self, calibration: Calibration) -> None: ...
    def show(self, pattern: Pattern | None, marker: tuple[float, float] | None = None) -> None: ...
    def corners(self, picture: tuple[int, int]) -> tuple[Point, Point, Point, Point]: ...
    def pressed(self) -> list[Key]: ...


class Refused(Exception):
    """What is asked for can't be done; the message says why."""


class Calibrating:
    """The calibration of one window, and the pattern it shows. `tell(type, **content)` hears of answers and alerts."""

    def __init__(
        self,
        window: Calibrated,
        given: Calibration,
        path: Path,
        picture: tuple[int, int],
        clock: Clock,
        tell: Callable[..., None],
    ) -> None:
        """`given` is what the configuration says; `picture` the world's width and height."""
        self._window = window
        self._given = given
        self._path = path
        self._picture = picture
        self._clock = clock
        self._tell = tell
        self._is_bad = False  # the file can't be read, and must not be written over
        self._unsaved_since_ns: int | None = None
        self._chosen: int | None = None  # a corner, or a point of the mesh
        self._in_mesh = False
        self.pattern: Pattern | None = None
        self._held = self._load()
        self._window.calibrate(self._calibration)

    def asked(self, message: Message) -> None:
        """Do what a command says, and answer it by `applied` or `failed`."""
        identifier = message["id"]
        try:
            if message["type"] == "pattern":
                wanted = PatternRequest.model_validate(message["request"]).pattern
                self._show(None if wanted == "none" else wanted)
            else:
                self._take(self._wanted(CalibrationRequest.model_validate(message["request"])), is_final=True)
        except (Refused, CalibrationError) as error:
            self._tell("failed", id=identifier, why=str(error))
        else:
            self._tell("applied", id=identifier)

    def turn(self) -> None:
        """Do what keys say, and save what they changed."""
        for key in self._window.pressed():
            try:
                self._key(key)
            except Refused:
                continue  # a corner that can go no farther stays where it is
        since_ns = self._unsaved_since_ns
        if since_ns is not None and self._clock.now_ns() - since_ns >= SAVE_AFTER_S * 1e9:
            self._save()

    def close(self) -> None:
        """Save what is not saved yet."""
        if self._unsaved_since_ns is not None:
            self._save()

    @property
    def _calibration(self) -> Calibration:
        return overlaid(self._given, self._held)

    def _load(self) -> Calibration:
        try:
            return load(self._path)
        except CalibrationError as error:
            self._is_bad = True
            self._tell("alert", about="calibration", why=str(error))
            return Calibration()

    def _wanted(self, request: CalibrationRequest) -> Calibration:
        """What the file should hold after a request. Raises Refused."""
        if request.move is not None:
            return self._moved(request.move)
        if request.clear is not None:
            kept = self._held.model_dump(exclude_unset=True)
            return Calibration.model_validate({key: kept[key] for key in kept if key not in request.clear})
        assert request.set is not None  # the request has exactly one
        return overlaid(self._held, request.set)

    def _moved(self, move: PointMove) -> Calibration:
        before = self._calibration
        if move.corner is not None:
            corners = list(self._corners())
            at = CORNERS.index(move.corner)
            corners[at] = (corners[at][0] + move.x, corners[at][1] + move.y)
            return self._checked({"corners": corners})
        assert move.column is not None and move.row is not None  # a move names either
        mesh = before.mesh
        if mesh is None:
            raise Refused("move: there is no mesh: set one first")
        if move.column >= mesh.columns or move.row >= mesh.rows:
            raise Refused(f"move: the mesh has {mesh.columns} columns and {mesh.rows} rows, counted from 0")
        points = list(mesh.points)
        at = move.row * mesh.columns + move.column
        points[at] = (points[at][0] + move.x, points[at][1] + move.y)
        return self._checked({"mesh": {"columns": mesh.columns, "rows": mesh.rows, "points": points}})

    def _corners(self) -> Sequence[Point]:
        corners = self._calibration.corners
        if corners is None:
            try:
                return self._window.corners(self._picture)
            except DeviceLost as error:
                raise Refused(f"move: {error}") from error
        return corners

    def _checked(self, changed: dict[str, Any]) -> Calibration:
        try:
            return Calibration.model_validate({**self._held.model_dump(exclude_unset=True), **changed})
        except ValidationError as error:
            raise Refused("; ".join(explain(error, Calibration))) from error

    def _take(self, held: Calibration, is_final: bool) -> None:
        """Draw so; written at once where it is final, else when nothing more came for a while."""
        if is_final:
            self._write(held)  # first, so that what is refused changes nothing
            self._unsaved_since_ns = None
        else:
            self._unsaved_since_ns = self._clock.now_ns()
        self._held = held
        self._window.calibrate(self._calibration)
        self._mark()

    def _save(self) -> None:
        self._unsaved_since_ns = None
        try:
            self._write(self._held)
        except CalibrationError as error:
            self._tell("alert", about="calibration", why=str(error))

    def _write(self, held: Calibration) -> None:
        if self._is_bad:
            put_aside(self._path)
            self._is_bad = False
        save(self._path, held)
        self._tell("alert", about="calibration", why="")

    def _show(self, pattern: Pattern | None) -> None:
        self.pattern = pattern
        if pattern is None:
            self._chosen = None
        self._mark()

    def _mark(self) -> None:
        mesh, marker = self._calibration.mesh, None
        if self._chosen is not None and not self._in_mesh:
            marker = CORNER_PLACES[self._chosen]
        elif self._chosen is not None and mesh is not None:
            row, column = divmod(self._chosen, mesh.columns)
            marker = (column / (mesh.columns - 1), row / (mesh.rows - 1))
        self._window.show(self.pattern, marker)

    def _key(self, key: Key) -> None:
        if key.name in PATTERN_KEYS:
            wanted = PATTERN_KEYS[key.name]
            self._show(None if self.pattern == wanted else wanted)
        elif self.pattern is None:
            return  # no key may touch a calibration while the room is at work
        elif key.name == "escape":
            self._show(None)
        elif key.name in "1234":
            self._choose(int(key.name) - 1, in_mesh=False)
        elif key.name == "m":
            if self._calibration.mesh is None:
                self._take(overlaid(self._held, Calibration(mesh=Mesh.even(*NEW_MESH))), is_final=False)
            self._choose(0, in_mesh=True)
        elif key.name == "tab":
            self._choose((-1 if self._chosen is None else self._chosen) + (-1 if key.shift else 1), self._in_mesh)
        elif key.name == "r":
            field = "mesh" if self._in_mesh else "corners"
            self._choose(0, in_mesh=False)
            held = self._held.model_dump(exclude_unset=True, exclude={field})
            self._take(Calibration.model_validate(held), is_final=False)
        elif key.name in ARROWS and self._chosen is not None:
            self._take(self._moved(self._step(self._chosen, key)), is_final=False)

    def _choose(self, point: int, in_mesh: bool) -> None:
        mesh = self._calibration.mesh
        self._in_mesh = in_mesh and mesh is not None
        count = len(mesh.points) if self._in_mesh and mesh is not None else len(CORNERS)
        self._chosen = point % count
        self._mark()

    def _step(self, chosen: int, key: Key) -> PointMove:
        width, height = self._window.raster
        pixels = 10.0 if key.shift else 0.1 if key.control else 1.0
        x, y = (pixels * way / side for way, side in zip(ARROWS[key.name], (width, height), strict=True))
        mesh = self._calibration.mesh
        if self._in_mesh and mesh is not None:
            row, column = divmod(chosen, mesh.columns)
            return PointMove(column=column, row=row, x=x, y=y)
        return PointMove.model_validate({"corner": CORNERS[chosen], "x": x, "y": y})
