"""Where each part of a picture is drawn: corner pin and mesh as vertices for the graphics card."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.calibration import Crop, Mesh

# Between two points of a mesh the curve is drawn as this many straight pieces.
PIECES = 8

Rectangle = tuple[float, float, float, float]  # left, top, right, bottom, in shares of the raster


@dataclass(frozen=True)
class Surface:
    """What to draw. `vertices` float32 (n, 7): spot x·w, y·w, w in clip space; place x, y in this projector's
    picture; at x, y in the world's picture (both 0..1 from the top left). `triangles` int32 (m, 3) of vertices.
    """

    vertices: NDArray[np.float32]
    triangles: NDArray[np.int32]


def surface(corners: NDArray[np.float64], mesh: Mesh | None, crop: Crop, rotation_degrees: int) -> Surface:
    """The surface of a picture whose corners lie at `corners` (4, 2), clockwise from top left, in shares of the raster.

    The picture is turned clockwise by `rotation_degrees` (a multiple of 90) before it is laid on the corners. Straight
    lines stay straight as on a flat wall seen from aside: the vertices carry w, by which the card interpolates.
    """
    across, down, bent = _bent(mesh)
    place = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)  # (n, 2)
    spots = np.column_stack([bent, np.ones(len(bent))]) @ homography(corners).T  # (n, 3)
    w = spots[:, 2:]
    clip = np.column_stack([2 * spots[:, :1] - w, w - 2 * spots[:, 1:2], w])  # OpenGL's y goes up
    at = _turned_back(place, rotation_degrees) * (crop.width, crop.height) + (crop.x, crop.y)
    vertices = np.column_stack([clip, place, at]).astype(np.float32)
    return Surface(vertices, _triangles(len(across), len(down)))


def homography(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """The (3, 3) matrix that takes the unit square's corners, clockwise from the top left, to `corners` (4, 2).

    After Heckbert, "Fundamentals of Texture Mapping and Image Warping" (1989), section 2.2.3.
    """
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = corners
    (dx1, dy1), (dx2, dy2) = corners[1] - corners[2], corners[3] - corners[2]
    sx, sy = x0 - x1 + x2 - x3, y0 - y1 + y2 - y3
    g, h = np.linalg.solve(np.array([[dx1, dx2], [dy1, dy2]]), np.array([sx, sy]))
    return np.array([
        [x1 - x0 + g * x1, x3 - x0 + h * x3, x0],
        [y1 - y0 + g * y1, y3 - y0 + h * y3, y0],
        [g, h, 1.0],
    ])  # fmt: skip


def fitted(raster: tuple[int, int], picture: tuple[float, float]) -> Rectangle:
    """The largest rectangle of the picture's shape in the middle of a raster, both (width, height), in whole pixels."""
    width, height = raster
    scale = min(width / picture[0], height / picture[1])
    shown = round(picture[0] * scale), round(picture[1] * scale)
    left, top = (width - shown[0]) // 2, (height - shown[1]) // 2
    return left / width, top / height, (left + shown[0]) / width, (top + shown[1]) / height


def corners_of(rectangle: Rectangle) -> NDArray[np.float64]:
    """A rectangle's corners (4, 2), clockwise from the top left."""
    left, top, right, bottom = rectangle
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


def _turned_back(place: NDArray[np.float64], degrees: int) -> NDArray[np.float64]:
    """Where in the picture (n, 2), before it is turned clockwise, each place (n, 2) of the turned one lies."""
    x, y = place[:, 0], place[:, 1]
    turned = {0: (x, y), 90: (y, 1 - x), 180: (1 - x, 1 - y), 270: (1 - y, x)}
    return np.stack(turned[degrees], axis=-1)


def _bent(mesh: Mesh | None) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Places across and down, and where the mesh moves each of them (n, 2), row by row, in shares of the picture."""
    if mesh is None:
        return np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    columns, rows = _weights(mesh.columns), _weights(mesh.rows)
    points = np.array(mesh.points).reshape(mesh.rows, mesh.columns, 2)
    bent = np.einsum("ir,rcd,jc->ijd", rows, points, columns).reshape(-1, 2)
    return np.linspace(0.0, 1.0, len(columns)), np.linspace(0.0, 1.0, len(rows)), bent


def _weights(count: int) -> NDArray[np.float64]:
    """The share ((count - 1) · PIECES + 1, count) that each of `count` even points has in a Catmull-Rom curve.

    Beyond its ends the row of points goes on straight, so that even points give a straight, even curve.
    """
    pieces = (count - 1) * PIECES + 1
    position = np.linspace(0.0, count - 1, pieces)
    index = np.minimum(position.astype(int), count - 2)
    t = position - index
    cubic = 0.5 * np.stack([-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2], -1)
    padded = np.zeros((pieces, count + 2))  # with one point more at either end
    for step in range(4):
        padded[np.arange(pieces), index + step] += cubic[:, step]
    weights = padded[:, 1:-1]
    weights[:, 0] += 2 * padded[:, 0]
    weights[:, 1] -= padded[:, 0]
    weights[:, -1] += 2 * padded[:, -1]
    weights[:, -2] -= padded[:, -1]
    return weights


def _triangles(columns: int, rows: int) -> NDArray[np.int32]:
    """Two triangles for each cell of a grid of vertices that goes row by row."""
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).reshape(-1, 1)
    cells = corner + np.array([[0, 1, columns, 1, columns + 1, columns]])
    return cells.reshape(-1, 3).astype(np.int32)
