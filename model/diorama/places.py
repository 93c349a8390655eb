"""The places of the diorama: one table of numbers, so that two places can be mixed by mixing their rows.

Every column is a length in metres, a colour in 0..1 linear-ish display RGB, or a weight in 0..1. The values
were chosen by eye; none comes from measurement.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PLACES = ("coast", "meadow", "mountains", "desert", "snowfield")

# Columns of a place's row, in the order the renderer indexes them.
COLUMNS = (
    "hill_m",  # height of the rolling hills
    "ridge_m",  # height of sharp ridges (mountains)
    "ridge_far_m",  # how far from the walker the ridges begin to rise
    "dune_m",  # height of wind-blown dunes
    "sea",  # 1: the land falls into a sea on the east side
    "tree_m",  # height of trees
    "tree_cover",  # share of ground that carries trees
    "flowers",  # share of ground that flowers
    "snow_ground",  # snow lying on the ground whatever the weather
    "snow_line_m",  # height above which slopes are white
    "grain",  # contrast of the ground's texture
    "ground_r",
    "ground_g",
    "ground_b",
    "ground2_r",
    "ground2_g",
    "ground2_b",
    "tree_r",
    "tree_g",
    "tree_b",
    "haze_r",
    "haze_g",
    "haze_b",
    "waves_sound",
    "birds_sound",
    "crickets_sound",
    "wind_sound",
    "step_bright",  # spectral centre of a footfall: 0 soft sand .. 1 crunching snow
    "root_semitone",  # root of the tonal bed above A2
)
COLUMN = {name: index for index, name in enumerate(COLUMNS)}

_ROWS = {
    "coast": (3.0, 0.0, 80, 0.6, 1.0, 0.0, 0.0, 0.00, 0.0, 999, 0.35,
              0.80, 0.70, 0.50, 0.62, 0.56, 0.36, 0.20, 0.34, 0.16, 0.00, 0.02, 0.04, 1.0, 0.35, 0.0, 0.5, 0.15, 5),
    "meadow": (14.0, 0.0, 80, 0.0, 0.0, 9.0, 0.10, 0.55, 0.0, 999, 0.45,
               0.26, 0.52, 0.13, 0.47, 0.60, 0.20, 0.08, 0.26, 0.07, 0.00, 0.02, 0.00, 0.0, 1.0, 1.0, 0.3, 0.45, 0),
    "mountains": (9.0, 125.0, 90, 0.0, 0.0, 6.0, 0.05, 0.00, 0.0, 50, 0.60,
                  0.36, 0.38, 0.27, 0.42, 0.39, 0.36, 0.10, 0.22, 0.12, 0.00, 0.01, 0.06, 0.0, 0.15, 0.2, 0.9, 0.60, 3),
    "desert": (4.0, 0.0, 80, 8.0, 0.0, 0.0, 0.0, 0.00, 0.0, 999, 0.22,
               0.90, 0.62, 0.32, 0.78, 0.46, 0.22, 0.30, 0.34, 0.15, 0.14, 0.06, -0.04, 0.0, 0.05, 0.5, 0.7, 0.20, 7),
    "snowfield": (9.0, 0.0, 80, 0.5, 0.0, 11.0, 0.07, 0.00, 1.0, 0, 0.16,
                  0.90, 0.93, 0.99, 0.76, 0.83, 0.95, 0.07, 0.15, 0.14, 0.02, 0.04, 0.08, 0.0, 0.05, 0.0, 0.7, 1.0, 10),
}  # fmt: skip

TABLE: NDArray[np.float32] = np.array([_ROWS[name] for name in PLACES], np.float32)


def mix(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Blend place rows by `weights` (5,), which sum to 1, into one row (29,)."""
    return np.asarray(weights @ TABLE, np.float32)
