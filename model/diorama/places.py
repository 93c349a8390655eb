"""The places of the diorama: one table of numbers, so that two places can be mixed by mixing their rows.

Lengths are in metres, colours in 0..1 display RGB, the rest weights in 0..1 unless a comment says otherwise. The
values were chosen by eye and by ear; none comes from measurement.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PLACES = (
    "coast",
    "meadow",
    "mountains",
    "desert",
    "snowfield",
    "forest",
    "lake",
    "bamboo",
    "street",
    "reef",
    "cave",
    "lanterns",
    "starfield",
)

# Columns of a place's row, in the order the renderer indexes them.
COLUMNS = (
    "hill_m",  # deviation of the rolling hills
    "ridge_m",  # height of the mountains about
    "ridge_far_m",  # how far from the walker the mountains begin to rise
    "dune_m",  # height of wind-blown dunes
    "sea",  # 1: the land falls into a sea beyond the shore
    "water",  # 1: what lies below 0 m is under water
    "base_m",  # height of the land on average
    "tree_m",  # height of trees
    "tree_cover",  # share of ground that carries trees
    "slender",  # 0: broad crowns .. 0.9: stems
    "round",  # 0: pointed crowns .. 1: round ones
    "clear_m",  # nothing stands nearer to the walker
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
    "haze_r",  # added to the colour of what is far
    "haze_g",
    "haze_b",
    "block_m",  # height of the highest houses
    "pitched",  # 1: their roofs are pitched
    "mirror",  # how much the ground mirrors what stands on it
    "roof",  # 1: a ceiling in place of the sky, and no daylight
    "wall_m",  # height of rock that stands about in walls
    "sunken",  # 1: under water
    "space",  # 1: stars and nebulae at every hour
    "warm",  # 1: lit by warm lights when it is dark
    "glow",  # how much what flowers shines by itself
    "float",  # lanterns that float in the sky
    "waves_sound",
    "birds_sound",
    "crickets_sound",
    "wind_sound",
    "step_bright",  # spectral centre of a footfall: 0 soft sand .. 1 crunching snow
    "root_semitone",  # root of the tonal bed above A2
    "grass_m",  # height of grass
)
COLUMN = {name: index for index, name in enumerate(COLUMNS)}

_ROWS = {
    # Each: hill ridge far dune sea water base; trees: m cover slender round clear; flowers snow line grain;
    # ground, ground2, tree, haze; block pitched mirror roof wall sunken space warm glow float;
    # waves birds crickets wind step root grass.
    "coast": (2.0, 0, 90, 0.8, 1, 1, 1.0, 0, 0, 0, 0, 20, 0, 0, 999, 0.22,
              0.86, 0.76, 0.56, 0.74, 0.63, 0.42, 0.20, 0.34, 0.16, 0.00, 0.02, 0.04,
              0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1.0, 0.35, 0.0, 0.5, 0.15, 5, 0),
    "meadow": (7.0, 0, 90, 0, 0, 0, 6.0, 9, 0.10, 0, 0.7, 16, 0.60, 0, 999, 0.30,
               0.30, 0.55, 0.15, 0.53, 0.66, 0.22, 0.13, 0.36, 0.10, 0.00, 0.02, 0.00,
               0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.0, 1.0, 1.0, 0.3, 0.45, 0, 0.34),
    "mountains": (6.0, 420, 260, 0, 0, 0, 8.0, 8, 0.13, 0, 0, 18, 0.05, 0, 170, 0.42,
                  0.42, 0.46, 0.28, 0.48, 0.42, 0.34, 0.10, 0.24, 0.14, 0.00, 0.01, 0.06,
                  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.15, 0.2, 0.9, 0.60, 3, 0.16),
    "desert": (3.0, 0, 90, 22.0, 0, 0, 3.0, 0, 0, 0, 0, 20, 0, 0, 999, 0.12,
               0.93, 0.66, 0.36, 0.86, 0.53, 0.26, 0.30, 0.34, 0.15, 0.12, 0.05, -0.05,
               0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.05, 0.5, 0.7, 0.20, 7, 0),
    "snowfield": (7.0, 130, 350, 0.6, 0, 0, 6.0, 10, 0.07, 0, 0, 16, 0, 1, 0, 0.10,
                  0.90, 0.93, 0.99, 0.80, 0.86, 0.96, 0.09, 0.19, 0.17, 0.02, 0.04, 0.08,
                  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.05, 0.0, 0.7, 1.0, 10, 0),
    "forest": (4.0, 0, 90, 0, 0, 0, 6.0, 14, 0.42, 0.1, 0.25, 9, 0.15, 0, 999, 0.55,
               0.24, 0.33, 0.12, 0.38, 0.29, 0.15, 0.08, 0.26, 0.09, 0.00, 0.03, 0.01,
               0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.9, 0.4, 0.45, 0.40, 2, 0.18),
    "lake": (7.0, 190, 330, 0, 0, 1, -2.5, 9, 0.22, 0, 0.2, 16, 0.12, 0, 999, 0.32,
             0.33, 0.47, 0.20, 0.46, 0.44, 0.28, 0.09, 0.27, 0.13, 0.00, 0.02, 0.05,
             0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.22, 0.7, 0.6, 0.25, 0.35, 8, 0.26),
    "bamboo": (3.0, 0, 90, 0, 0, 0, 5.0, 17, 0.80, 0.72, 0.9, 6, 0, 0, 999, 0.45,
               0.36, 0.40, 0.15, 0.47, 0.40, 0.20, 0.34, 0.55, 0.16, 0.03, 0.07, 0.00,
               0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.6, 0.7, 0.6, 0.50, 9, 0.12),
    "street": (0.4, 0, 90, 0, 0, 0, 3.0, 0, 0, 0, 0, 20, 0, 0, 999, 0.25,
               0.17, 0.17, 0.19, 0.24, 0.23, 0.24, 0.47, 0.42, 0.38, 0.02, 0.02, 0.03,
               30, 0, 0.62, 0, 0, 0, 0, 0.35, 0, 0, 0.0, 0.12, 0.1, 0.35, 0.75, 4, 0),
    "reef": (5.0, 26, 60, 0.8, 0, 0, 4.0, 3.4, 0.42, 0.35, 0.6, 7, 0.35, 0, 999, 0.40,
             0.72, 0.70, 0.52, 0.50, 0.52, 0.40, 0.72, 0.34, 0.42, 0, 0, 0,
             0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0.12, 0.0, 0.0, 0.0, 0.05, 1, 0.1),
    "cave": (2.4, 0, 90, 0, 0, 0, 4.0, 6.5, 0.16, 0.35, 0, 9, 0.40, 0, 999, 0.60,
             0.40, 0.36, 0.35, 0.28, 0.26, 0.28, 0.42, 0.37, 0.35, 0, 0, 0,
             0, 0, 0, 1, 22, 0, 0, 0, 1, 0, 0.0, 0.0, 0.15, 0.15, 0.80, 11, 0),
    "lanterns": (1.6, 0, 90, 0, 0, 0, 4.0, 7, 0.05, 0, 0.6, 12, 0.40, 0, 999, 0.30,
                 0.42, 0.37, 0.32, 0.33, 0.30, 0.27, 0.16, 0.26, 0.12, 0.03, 0.02, 0.00,
                 7, 1, 0.20, 0, 0, 0, 0, 1, 0.9, 1, 0.0, 0.15, 0.5, 0.2, 0.55, 9, 0),
    "starfield": (2.2, 0, 90, 0.6, 0, 0, 3.0, 0, 0, 0, 0, 20, 0.05, 0, 999, 0.30,
                  0.20, 0.19, 0.28, 0.13, 0.13, 0.20, 0.2, 0.2, 0.3, 0, 0, 0,
                  0, 0, 0.72, 0, 0, 0, 1, 0, 1, 0, 0.0, 0.0, 0.0, 0.25, 0.90, 6, 0),
}  # fmt: skip

TABLE: NDArray[np.float32] = np.array([_ROWS[name] for name in PLACES], np.float32)


def mix(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Blend place rows by `weights` (places,), which sum to 1, into one row of COLUMNS."""
    return np.asarray(weights @ TABLE, np.float32)
