"""A sheet of samples from a training run: `python -m model.training.sheet --data DIR --run DIR --out sheet.png`.

Each row is one world, rolled out by the averaged weights from nothing but its conditions, a frame every half second:
every place by day, then weather, night, walking and turning.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from safetensors.torch import load_file

from model.conditions import FAIR, Conditions, Easing
from model.diorama.places import PLACES
from model.preset import PRESETS
from model.text import TextHead
from model.training.prepare import Codecs
from model.world import World, WorldModel, load

# place, environment, motion
ROWS: tuple[tuple[str, dict[str, float], tuple[float, float, float, float]], ...] = (
    ("coast", {"sun_rad": 0.9, "cloud": 0.2, "rain": 0.0, "snow": 0.0, "fog": 0.0}, (0, 0, 0, 0)),
    ("meadow", {"sun_rad": 0.9, "cloud": 0.3, "rain": 0.0, "snow": 0.0, "fog": 0.0}, (0.9, 0, 0, 0)),
    ("mountains", {"sun_rad": 0.8, "cloud": 0.3, "rain": 0.0, "snow": 0.0, "fog": 0.0}, (0, 0, 0.4, 0)),
    ("desert", {"sun_rad": 0.9, "cloud": 0.1, "rain": 0.0, "snow": 0.0, "fog": 0.0}, (0.9, 0, -0.2, 0)),
    ("snowfield", {"sun_rad": 0.5, "cloud": 0.8, "rain": 0.0, "snow": 0.8, "fog": 0.1}, (0, 0, 0, 0)),
    ("coast", {"sun_rad": 0.05, "cloud": 0.2, "rain": 0.0, "snow": 0.0, "fog": 0.0}, (0, 0, 0, 0)),
    ("meadow", {"sun_rad": 0.5, "cloud": 0.95, "rain": 0.9, "snow": 0.0, "fog": 0.1}, (0, 0, 0, 0)),
    ("desert", {"sun_rad": -0.6, "cloud": 0.0, "rain": 0.0, "snow": 0.0, "fog": 0.0}, (0, 0, 0, 0)),
    ("mountains", {"sun_rad": 0.6, "cloud": 0.4, "rain": 0.0, "snow": 0.0, "fog": 0.85}, (0.9, 0, 0, 0)),
)


def roll_out(model: WorldModel, row: int, seconds: float, every: int = 6) -> NDArray[np.uint8]:
    """Frames (n, H, W, 3) of one row's world, one in `every` steps."""
    place, environment, motion = ROWS[row]
    world = World(model, seed=row)
    world.wish = replace(world.wish, place=PLACES.index(place))
    weights = world.wish.place_weights()
    assert weights is not None
    world.easing = Easing(weights, FAIR)
    asked = Conditions(environment=environment, motion=np.array(motion, np.float32))
    chunks = [world.step(asked) for _ in range(round(seconds * 12))]
    return np.stack([chunk.frames[0] for chunk in chunks[::every]])


def model_of_run(data: Path, run: Path, preset_name: str) -> WorldModel:
    """The averaged weights of a run as a model; its text head knows nothing, and is not asked."""
    codecs = Codecs(PRESETS[preset_name])
    codecs.load_state_dict(load_file(data / "codecs.safetensors"))
    parts = {
        "network": load_file(run / "average.safetensors"),
        "picture": dict(codecs.picture.state_dict()),
        "sound": dict(codecs.sound.state_dict()),
        "head": dict(TextHead().state_dict()),
    }
    return WorldModel(PRESETS[preset_name], parts, "sheet")


def sheet(model: WorldModel, out: Path, seconds: float = 5.0) -> None:
    """Write the sheet as a PNG, pictures at a quarter of their size."""
    rows = [np.hstack(list(roll_out(model, row, seconds))) for row in range(len(ROWS))]
    picture = cv2.resize(np.vstack(rows), None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(out), picture[..., ::-1])


def main() -> None:
    """Parse the command line and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="a packed model, by name or path, in place of --data and --run")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--preset", default="nacre", choices=sorted(PRESETS))
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    if options.model is None and (options.data is None or options.run is None):
        parser.error("give --model, or both --data and --run")
    model = load(options.model) if options.model else model_of_run(options.data, options.run, options.preset)
    sheet(model, options.out, options.seconds)


if __name__ == "__main__":
    main()
