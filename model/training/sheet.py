"""A sheet of samples: `python -m model.training.sheet --data DIR --work DIR --out sheet.png`, or `--model NAME`.

Each row is one world from nothing but its conditions, a frame every second: every place, then every style.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from tqdm import tqdm

from model.brush import Brush
from model.conditions import ENVIRONMENT, FAIR, Conditions
from model.diorama.places import PLACES
from model.figures import Figures
from model.outlook import find_spot
from model.precision import reducing
from model.preset import PRESETS
from model.text import TextHead
from model.world import WorldModel, load

TILE = 256, 144  # pixels across and down, of a picture on the sheet
_FAIR = {"rain": 0.0, "snow": 0.0, "fog": 0.0}
_DAY, _DUSK, _NIGHT = ({**_FAIR, "sun_rad": sun, "cloud": 0.35} for sun in (0.7, 0.05, -0.55))
# place, environment, motion, style, and what is said after a second
ROWS: tuple[tuple[str, dict[str, float], tuple[float, float, float, float], str, str], ...] = (
    ("coast", _DUSK, (0, 0, 0, 0), "photograph", "a whale surfaces"),
    ("meadow", _DAY, (0.9, 0, 0, 0), "photograph", "butterflies come"),
    ("mountains", _DAY, (0, 0, 0.4, 0), "photograph", ""),
    ("desert", {**_DAY, "sun_rad": 0.3}, (0.9, 0, -0.2, 0), "photograph", ""),
    ("snowfield", {**_DAY, "cloud": 0.8, "snow": 0.8}, (0, 0, 0, 0), "photograph", "a fox comes near"),
    ("forest", _DAY, (0.5, 0, 0, 0), "photograph", "third person"),
    ("lake", _NIGHT, (0, 0, 0, 0), "photograph", "fireworks burst in the sky"),
    ("bamboo", {**_DAY, "fog": 0.2}, (0.7, 0, 0, 0), "photograph", ""),
    ("street", _NIGHT, (0.7, 0, 0, 0), "photograph", ""),
    ("reef", _DAY, (0.5, 0, 0.2, 0), "photograph", "a school of fish swims by"),
    ("cave", _DAY, (0.7, 0, 0, 0), "photograph", ""),
    ("lanterns", _NIGHT, (0.5, 0, 0, 0), "photograph", ""),
    ("starfield", _NIGHT, (0, 0, 0.3, 0), "photograph", ""),
    ("lake", _DAY, (0, 0, 0.1, 0), "watercolour", "a boat sails by"),
    ("mountains", _DAY, (0.5, 0, 0, 0), "ink", "birds fly over"),
    ("meadow", _DAY, (0.5, 0, 0, 0), "oil", ""),
    ("forest", _DAY, (0.5, 0, 0, 0), "animation", "a deer steps out"),
    ("coast", _DAY, (0, 0, 0.1, 0), "woodblock", "a boat sails by"),
    ("street", _NIGHT, (0.7, 0, 0, 0), "neon", ""),
    ("mountains", _DUSK, (0, 0, 0.2, 0), "paper", "a balloon rises"),
)


def _sky(environment: dict[str, float]) -> NDArray[np.float32]:
    """An environment by name as (7,), what is not named being fair."""
    return np.array([environment.get(key, fair) for key, fair in zip(ENVIRONMENT, FAIR, strict=True)], np.float32)


def roll_out(model: WorldModel, row: int, seconds: float, every: int = 12) -> NDArray[np.uint8]:
    """Frames (n, H, W, 3) of one row's world, one in `every` steps."""
    place, environment, motion, style, said = ROWS[row]
    world = model.begin(None, seed=row, style=style)
    world.wish = replace(world.wish, place=PLACES.index(place))
    weights = np.eye(len(PLACES), dtype=np.float32)[PLACES.index(place)]
    with torch.inference_mode(), reducing(model.device.type):
        world.walker = find_spot(model.view, world.textures, weights, _sky(environment), row)
    asked = Conditions(environment=environment, motion=np.array(motion, np.float32))
    directed = replace(asked, directive=model.embed(said)) if said else asked
    chunks = [world.step(directed if step == 12 else asked) for step in range(round(seconds * 12))]
    return np.stack([chunk.frames[0] for chunk in chunks[::every]])


def model_of_run(data: Path, run: Path, preset_name: str) -> WorldModel:
    """The averaged weights of a run as a model; without a text head it knows no words, without figures shows none."""
    head, drawn, brushed = data / "head.safetensors", run / "figures.safetensors", run / "brush.safetensors"
    parts = {
        "network": load_file(run / "average.safetensors"),
        "view": load_file(run / "view.safetensors"),
        "figures": load_file(run / "figures.safetensors") if drawn.exists() else dict(Figures().state_dict()),
        "brush": load_file(run / "brush.safetensors") if brushed.exists() else dict(Brush().state_dict()),
        "sound": load_file(data / "sound.safetensors"),
        "head": load_file(head) if head.exists() else dict(TextHead().state_dict()),
    }
    return WorldModel(PRESETS[preset_name], parts, "sheet")


def sheet(model: WorldModel, out: Path, seconds: float = 5.0) -> None:
    """Write the sheet as a picture, of the kind that its name says."""
    rows = [
        np.hstack([cv2.resize(frame, TILE, interpolation=cv2.INTER_AREA) for frame in roll_out(model, row, seconds)])
        for row in tqdm(range(len(ROWS)), desc="worlds", unit="world")
    ]
    cv2.imwrite(str(out), np.vstack(rows)[..., ::-1])


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
