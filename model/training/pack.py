"""Pack a training run into a checkpoint: `python -m model.training.pack --data D --work W --head FILE --out FILE`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from safetensors.torch import load_file

from model import checkpoint
from model.preset import PRESETS


def pack(data: Path, run: Path, head: Path, out: Path, preset_name: str) -> str:
    """Write averaged weights, codecs and text head as one checkpoint; its hash."""
    preset = PRESETS[preset_name]
    for name, command in {"position": "train", "view": "view", "figures": "figures"}.items():
        if not (run / f"{name}.json").exists():
            raise SystemExit(f"{run}: has no {name}.json: run `python -m model.training.{command}` first (--work)")
    dynamics, seen, drawn = (json.loads((run / f"{name}.json").read_text()) for name in ("position", "view", "figures"))
    parts = {
        "network": load_file(run / "average.safetensors"),
        "view": load_file(run / "view.safetensors"),
        "figures": load_file(run / "figures.safetensors"),
        "sound": load_file(data / "sound.safetensors"),
        "head": load_file(head),
    }
    about = {
        "updates": str(dynamics["update"]),
        "training_seconds": f"{dynamics['seconds']:.0f}",
        "view_updates": str(seen["update"]),
        "view_training_seconds": f"{seen['seconds']:.0f}",
        "figures_updates": str(drawn["update"]),
        "figures_training_seconds": f"{drawn['seconds']:.0f}",
        "licence": "Apache-2.0",
    }
    return checkpoint.save(out, preset, parts, about)


def main() -> None:
    """Parse the command line and pack."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--head", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--preset", default="nacre", choices=sorted(PRESETS))
    options = parser.parse_args()
    code = pack(options.data, options.work, options.head, options.out, options.preset)
    print(f"{options.out}: {options.out.stat().st_size / 2**20:.1f} MiB, sha256 {code[:16]}…")


if __name__ == "__main__":
    main()
