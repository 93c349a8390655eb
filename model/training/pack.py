"""Pack a training run into a checkpoint: `python -m model.training.pack --data D --run R --head FILE --out FILE`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from safetensors.torch import load_file

from model import checkpoint
from model.preset import PRESETS
from model.training.prepare import Codecs


def pack(data: Path, run: Path, head: Path, out: Path, preset_name: str) -> str:
    """Write averaged weights, codecs and text head as one checkpoint; its hash."""
    preset = PRESETS[preset_name]
    codecs = Codecs(preset)
    codecs.load_state_dict(load_file(data / "codecs.safetensors"))
    position = json.loads((run / "position.json").read_text())
    parts = {
        "network": load_file(run / "average.safetensors"),
        "picture": dict(codecs.picture.state_dict()),
        "sound": dict(codecs.sound.state_dict()),
        "head": load_file(head),
    }
    about = {
        "updates": str(position["update"]),
        "training_seconds": f"{position['seconds']:.0f}",
        "licence": "Apache-2.0",
    }
    return checkpoint.save(out, preset, parts, about)


def main() -> None:
    """Parse the command line and pack."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--head", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--preset", default="nacre", choices=sorted(PRESETS))
    options = parser.parse_args()
    code = pack(options.data, options.run, options.head, options.out, options.preset)
    print(f"{options.out}: {options.out.stat().st_size / 2**20:.1f} MiB, sha256 {code[:16]}…")


if __name__ == "__main__":
    main()
