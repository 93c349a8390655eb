"""Corner pin, mesh and what a technician may set: the numbers alone, without a screen."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from drivers.calibration import Calibration, Crop, Mesh, SoftEdges
from drivers.geometry import corners_of, fitted, homography, surface
from drivers.patterns import PATTERNS, Pattern, pattern

UNIT = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
KEYSTONE = np.array([[0.1, 0.05], [0.9, 0.0], [1.0, 0.95], [-0.05, 1.1]])


def test_the_homography_is_that_of_opencv() -> None:
    expected = cv2.getPerspectiveTransform(UNIT.astype(np.float32), KEYSTONE.astype(np.float32))
    np.testing.assert_allclose(homography(KEYSTONE), expected, atol=1e-6)
    np.testing.assert_allclose(homography(UNIT), np.eye(3), atol=1e-12)


def test_vertices_lie_where_the_homography_takes_their_places() -> None:
    made = surface(KEYSTONE, Mesh.even(4, 3), Crop(), 0)
    spots, places = made.vertices[:, :3].astype(np.float64), made.vertices[:, 3:5]
    on_raster = np.stack([spots[:, 0] / spots[:, 2] + 1, 1 - spots[:, 1] / spots[:, 2]], axis=-1) / 2
    expected = cv2.perspectiveTransform(places[None].astype(np.float64), homography(KEYSTONE))[0]
    np.testing.assert_allclose(on_raster, expected, atol=1e-6)
    assert made.triangles.max() == len(made.vertices) - 1 and len(made.triangles) == 2 * 24 * 16


def test_a_mesh_goes_through_its_points_and_an_even_one_bends_nothing() -> None:
    even = Mesh.even(5, 4)
    flat = surface(UNIT, even, Crop(), 0).vertices
    np.testing.assert_allclose(flat[:, 0], 2 * flat[:, 3] - 1, atol=1e-6)
    np.testing.assert_allclose(flat[:, 1], 1 - 2 * flat[:, 4], atol=1e-6)
    points = list(even.points)
    points[7] = (0.6, 0.4)  # row 1, column 2, which lay at 0.5, 1/3
    bent = surface(UNIT, even.model_copy(update={"points": tuple(points)}), Crop(), 0).vertices
    moved = bent[np.hypot(bent[:, 3] - 0.5, bent[:, 4] - 1 / 3).argmin()]
    np.testing.assert_allclose(moved[:2], (0.2, 0.2), atol=1e-6)
    # Its neighbours stay where they were, as all corners do.
    for x, y in ((0.25, 1 / 3), (0.75, 1 / 3), (0.5, 2 / 3), (0.0, 0.0), (1.0, 1.0)):
        at = np.hypot(bent[:, 3] - x, bent[:, 4] - y).argmin()
        np.testing.assert_allclose(bent[at, :2], flat[at, :2], atol=1e-6)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_turned_crop_takes_its_part_of_the_world(degrees: int) -> None:
    crop = Crop(x=0.5, y=0.25, width=0.25, height=0.5)
    corners = surface(UNIT, None, crop, degrees).vertices[[0, 1, 3, 2], 5:]
    whole = np.array([[0.5, 0.25], [0.75, 0.25], [0.75, 0.75], [0.5, 0.75]])
    np.testing.assert_allclose(corners, np.roll(whole, degrees // 90, axis=0), atol=1e-6)


def test_a_picture_fits_in_whole_pixels() -> None:
    left, top, right, bottom = fitted((800, 600), (1280, 720))
    assert (left * 800, top * 600, right * 800, bottom * 600) == pytest.approx((0, 75, 800, 525))
    assert corners_of((0.0, 0.1, 1.0, 0.9)).tolist() == [[0.0, 0.1], [1.0, 0.1], [1.0, 0.9], [0.0, 0.9]]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"corners": [[0, 0], [1, 1], [1, 0], [0, 1]]}, "no side bent inwards"),  # a bow tie
        ({"corners": [[0, 0], [1, 0], [0.2, 0.2], [0, 1]]}, "no side bent inwards"),
        ({"corners": [[0, 0], [1, 0], [1, 1]]}, "corners.3"),
        ({"corners": [[0, 0], [1, 0], [1, float("nan")], [0, 1]]}, "corners.2.1"),
        ({"mesh": {"columns": 3, "rows": 2, "points": [[0, 0]]}}, "points must have 3 x 2 = 6 entries, has 1"),
        ({"mesh": {"columns": 1, "rows": 2, "points": [[0, 0]]}}, "mesh.columns"),
        ({"soft_edges": {"left": 0.6}}, "soft_edges.left"),
        ({"gain": [1, 1, 1.2]}, "gain.2"),
        ({"colour": 1}, "colour"),
    ],
)
def test_a_calibration_that_makes_no_picture_is_refused(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        Calibration.model_validate(wrong)
    assert words in str(refusal.value)


def test_a_mirrored_picture_is_one_and_a_crop_lies_within() -> None:
    Calibration.model_validate({"corners": [[1, 0], [0, 0], [0, 1], [1, 1]]})  # projected from behind
    Crop(x=0.6, width=0.4)
    with pytest.raises(ValidationError, match="at most 1"):
        Crop(x=0.61, width=0.4)


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_is_that_of_the_world_cropped_and_turned(name: Pattern) -> None:
    crop, edges = Crop(x=0.5, y=0.25, width=0.25, height=0.5), SoftEdges()
    if name == "focus":  # it belongs to the projector's own pixels
        upright = pattern(name, (80, 90), (320, 180), crop, 0, edges)
    else:
        upright = pattern(name, (320, 180), (320, 180), Crop(), 0, edges)[45:135, 160:240]
    for degrees in (0, 90, 180, 270):
        area = (80, 90) if degrees % 180 == 0 else (90, 80)
        found = pattern(name, area, (320, 180), crop, degrees, edges)
        np.testing.assert_array_equal(found[3:-3, 3:-3], np.rot90(upright, -degrees // 90)[3:-3, 3:-3])
