"""How the picture moves from one to the next, so that what is shown between them moves too and does not fade over."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Pictures are looked at this wide: what moves in a world is larger than a few pixels, and more would cost too much.
WIDTH = 192
# Of the difference that a plain blend has, warping must leave less than this share to be trusted wholly, and more than
# the second not at all. These numbers, and the next two, are arbitrary.
TRUSTED, DOUBTED = 0.4, 0.8
# Differences below this, of 255, are no reason to doubt.
NOISE = 2.0
# There and back again, one may end up so many pixels from where one began, and by this share of the way.
ASTRAY_PX, ASTRAY = 1.0, 0.25

Grey = NDArray[np.uint8]
Field = NDArray[np.float32]


class Flow:
    """Finds the motion between pictures, by OpenCV's dense inverse search (Kroeger et al., 2016)."""

    def __init__(self) -> None:
        import cv2

        cv2.setNumThreads(1)  # the world needs the other cores
        self._search: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        # The last two pictures, and what they became.
        self._greys: list[tuple[NDArray[np.uint8], Grey]] = []

    def between(self, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Field:
        """float32 (h, w, 2): how far what is seen half way between two pictures uint8 (H, W, 3) moves, in x and y.

        In shares of the picture's width and height, from the first to the second. Nought where no motion explains the
        difference better than none: there a blend is the best that can be done.
        """
        import cv2

        one, other = self._grey(first), self._grey(second)
        self._greys = [(first, one), (second, other)]
        there: Field = self._search.calc(one, other, None)
        back: Field = self._search.calc(other, one, None)
        there, back = there * _sureness(there, back), back * _sureness(back, there)
        # Half way, what moves stands neither where the one picture has it nor where the other has: the larger motion
        # of the two is that of what passes over.
        is_there = np.square(there).sum(-1, keepdims=True) > np.square(back).sum(-1, keepdims=True)
        motion = np.asarray(cv2.GaussianBlur(np.where(is_there, there, -back), (5, 5), 0), np.float32)
        height, width = one.shape
        return np.ascontiguousarray(motion * _trust(one, other, motion) / np.array([width, height], np.float32))

    def _grey(self, picture: NDArray[np.uint8]) -> Grey:
        import cv2

        for known, grey in self._greys:
            if known is picture:
                return grey
        height, width, _ = picture.shape
        size = (min(WIDTH, width), max(round(height * min(WIDTH, width) / width), 16))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)


def _moved(seen: NDArray[Any], motion: Field) -> NDArray[Any]:
    """What lies where the motion leads."""
    import cv2

    height, width, _ = motion.shape
    down, across = np.mgrid[:height, :width].astype(np.float32)
    x, y = across + motion[..., 0], down + motion[..., 1]
    return np.asarray(cv2.remap(seen, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _sureness(there: Field, back: Field) -> Field:
    """float32 (h, w, 1), 0 or 1: whether the way back leads to where the way there began, as real motion does."""
    astray = np.linalg.norm(there + _moved(back, there), axis=-1, keepdims=True)
    length = np.linalg.norm(there, axis=-1, keepdims=True)
    return np.asarray(astray < ASTRAY_PX + ASTRAY * length, np.float32)


def _trust(one: Grey, other: Grey, motion: Field) -> Field:
    """float32 (h, w, 1), 0..1: how much less two pictures differ half way along the motion than where they stand."""
    import cv2

    differences = cv2.absdiff(_moved(one, -0.5 * motion), _moved(other, 0.5 * motion)), cv2.absdiff(one, other)
    # Over a neighbourhood, for single pixels agree by chance.
    warped, plain = (cv2.boxFilter(difference.astype(np.float32), -1, (9, 9)) for difference in differences)
    left = (warped - NOISE).clip(0) / np.maximum(plain, 1e-3)
    return np.asarray(((DOUBTED - left) / (DOUBTED - TRUSTED)).clip(0.0, 1.0), np.float32)[..., None]
