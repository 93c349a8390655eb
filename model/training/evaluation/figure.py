"""What a measure gives: figures, curves to be plotted and sheets to be looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.uint8]  # (N, H, W, 3)
Sound = NDArray[np.float32]  # (samples, 2)


@dataclass(frozen=True)
class Figure:
    """A measured figure, how many samples it rests on, and how its judge did on diorama clips (None: no judge).

    parts: what it is made of, by name.
    """

    value: float
    samples: int
    judge: float | None = None
    parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Settings:
    """How to measure. seed: moves every world's and every phrase's. minutes: of the walk that drift is measured on.

    out: folder of the report and of what long measures keep, to go on from. cache: folder of trained judges.
    """

    quick: bool = False
    seed: int = 0
    minutes: float = 10.0
    out: Path = Path("work/evaluation")
    cache: Path = Path("work/judges")

    def of(self, quick: int, whole: int) -> int:
        """A number of samples: fewer when it has to be quick."""
        return quick if self.quick else whole


@dataclass
class Findings:
    """figures by name; curves: data of a plot, by name, plain numbers; sheets: rows of pictures, each (N, H, W, 3)."""

    figures: dict[str, Figure] = field(default_factory=dict)
    curves: dict[str, Any] = field(default_factory=dict)
    sheets: dict[str, list[tuple[str, Pictures]]] = field(default_factory=dict)
