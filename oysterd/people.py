"""How many people there are, coarsely: each camera's silhouettes, and those of several cameras brought together."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

# (x, y) of a silhouette's middle, as shares of the wall's picture.
Place = tuple[float, float]

# Of the working picture; less is an arm, a bag or noise. Somebody at the far end of a room covers about 2 %.
LEAST_SHARE = 0.008
# A step in depth between neighbours that parts who stands before from who stands behind.
STEP_M = 0.4
# Silhouettes of two cameras nearer to each other than this share of the picture are of one visitor. Arbitrary: about a
# shoulder's width at a wall three metres wide.
SAME_WITHIN = 0.15


def places_of(visitor: NDArray[np.bool_], depth_m: NDArray[np.float32] | None = None) -> list[Place]:
    """The silhouettes in working pixels (h, w), largest first; with depth (h, w) who stands behind whom is parted."""
    height, width = visitor.shape
    # Holes and slits of a pixel do not make two of one.
    solid = cv2.morphologyEx(visitor.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    if depth_m is not None:
        solid[_steps(depth_m)] = 0
    count, _, figures, middles = cv2.connectedComponentsWithStats(solid, connectivity=4)
    found = [
        (int(figures[label, cv2.CC_STAT_AREA]), (float(middles[label][0]), float(middles[label][1])))
        for label in range(1, count)
    ]
    large = sorted((entry for entry in found if entry[0] >= LEAST_SHARE * visitor.size), reverse=True)
    return [((x + 0.5) / width, (y + 0.5) / height) for _, (x, y) in large]


def count(places: Sequence[Sequence[Place]]) -> int:
    """How many people the silhouettes of several cameras are: what one sees where another does counts once."""
    people: list[Place] = []
    for seen in places:
        # Against those of the other cameras only: one camera has parted its own already.
        new = [place for place in seen if not any(_is_same(place, other) for other in people)]
        people += new
    return len(people)


def _is_same(one: Place, other: Place) -> bool:
    return (one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2 < SAME_WITHIN**2


def _steps(depth_m: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Pixels (h, w) just right of, or just below, a step in depth."""
    known = depth_m > 0.0
    steps = np.zeros(depth_m.shape, np.bool_)
    steps[:, 1:] |= (np.abs(np.diff(depth_m, axis=1)) > STEP_M) & known[:, 1:] & known[:, :-1]
    steps[1:] |= (np.abs(np.diff(depth_m, axis=0)) > STEP_M) & known[1:] & known[:-1]
    return steps
