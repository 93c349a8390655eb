"""A sheet of samples: `python -m model.training.sheet --data DIR --work DIR --out sheet.png`, or `--model NAME`.

Each row is one world from nothing but its conditions, a frame every second: every place, then weather, night,
walking and turning.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from safetensors.torch import load_file

from model.conditions import Conditions
from model.diorama.places import PLACES
from model.figures import Figures
from model.preset import PRESETS
from model.text import TextHead
from model.world import WorldModel, load

_FAIR = {"rain": 0.0, "snow": 0.0, "fog": 0.0}
# place, environment, motion
ROWS: tuple[tuple[str, dict[str, float], tuple[float, float, float, float]], ...] = (
    ("coast", {**_FAIR, "sun_rad": 0.9, "cloud": 0.3}, (0, 0, 0, 0)),
    ("meadow", {**_FAIR, "sun_rad": 0.8, "cloud": 0.4}, (0.9, 0, 0, 0)),
    ("mountains", {**_FAIR, "sun_rad": 0.8, "cloud": 0.3}, (0, 0, 0.4, 0)),
    ("desert", {**_FAIR, "sun_rad": 0.5, "cloud": 0.2}, (0.9, 0, -0.2, 0)),
    ("snowfield", {**_FAIR, "sun_rad": 0.5, "cloud": 0.8, "snow": 0.8}, (0, 0, 0, 0)),
    ("forest", {**_FAIR, "sun_rad": 0.6, "cloud": 0.2}, (0.7, 0, 0, 0)),
    ("lake", {**_FAIR, "sun_rad": 0.3, "cloud": 0.4}, (0, 0, -0.3, 0)),
    ("bamboo", {**_FAIR, "sun_rad": 0.7, "cloud": 0.2, "fog": 0.3}, (0.7, 0, 0, 0)),
    ("coast", {**_FAIR, "sun_rad": 0.04, "cloud": 0.3}, (0, 0, 0, 0)),
    ("meadow", {**_FAIR, "sun_rad": 0.5, "cloud": 0.95, "rain": 0.9}, (0, 0, 0, 0)),
    ("desert", {**_FAIR, "sun_rad": -0.6, "cloud": 0.0}, (0, 0, 0.3, 0)),
    ("mountains", {**_FAIR, "sun_rad": 0.6, "cloud": 0.4, "fog": 0.6}, (0.9, 0, 0, 0)),
)


def roll_out(model: WorldModel, row: int, seconds: float, every: int = 12) -> NDArray[np.uint8]:
    """Frames (n, H, W, 3) of one row's world, one in `every` steps."""
    place, environment, motion = ROWS[row]
    world = model.begin("a " + place, seed=row)
    world.wish = replace(world.wish, place=PLACES.index(place))
    asked = Conditions(environment=environment, motion=np.array(motion, np.float32))
    chunks = [world.step(asked) for _ in range(round(seconds * 12))]
    return np.stack([chunk.frames[0] for chunk in chunks[::every]])


def model_of_run(data: Path, run: Path, preset_name: str) -> WorldModel:
    """The averaged weights of a run as a model; without a text head it knows no words, without figures shows none."""
    head, drawn = data / "head.safetensors", run / "figures.safetensors"
    parts = {
        "network": load_file(run / "average.safetensors"),
        "view": load_file(run / "view.safetensors"),
        "figures": load_file(run / "figures.safetensors") if drawn.exists() else dict(Figures().state_dict()),
        "sound": load_file(data / "sound.safetensors"),
        "head": load_file(head) if head.exists() else dict(TextHead().state_dict()),
    }
    return WorldModel(PRESETS[preset_name], parts, "sheet")


def sheet(model: WorldModel, out: Path, seconds: float = 5.0) -> None:
    """Write the sheet as a PNG, pictures at two fifths of their size."""
    rows = [np.hstack(list(roll_out(model, row, seconds))) for row in range(len(ROWS))]
    picture = cv2.resize(np.vstack(rows), None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(out), picture[..., ::-1])


def main() -> None:
    """Parse the command line and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="a packed model, by name or path, in place of --data and --work")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--preset", default="nacre", choices=sorted(PRESETS))
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    if options.model is None and (options.data is None or options.work is None):
        parser.error("give --model, or both --data and --work")
    model = load(options.model) if options.model else model_of_run(options.data, options.work, options.preset)
    sheet(model, options.out, options.seconds)


if __name__ == "__main__":
    main()
