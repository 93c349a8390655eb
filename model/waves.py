"""Wavelets on water, pixel by pixel: how much it is tilted where a line of sight meets it. Geometry that teacher and
network share; what of its own light and of what it mirrors that gives or takes, is learnt (`model.litter`).
"""

from __future__ import annotations

# Trains of them, of the bloom once more: metres of a texel along x and y, and metres a second that they run along both.
WAVELETS = ((0.05, 0.08, 0.20, 0.30), (0.16, 0.25, 0.55, -0.35), (0.40, 0.80, -0.45, 0.60))
EACH = 0.58  # of a train, so that all together have unit deviation
CALM, STORM = 0.3, 0.7  # how strong they are without wind, and how much stronger in a storm
WAVES_TO_M = (120.0, 40.0)  # where they end, and where they begin to fade
PER_M = 0.04  # how fast they grow less from the eyes on
TREMBLE = 0.6  # how much more, by them, water trembles
MOST = 0.95  # that water mirrors
