"""Train a model from nothing, `oysterd train`, or move one towards a venue's own films, `oysterd train --footage DIR`.

Every step goes on from where it was left, by the same command.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

# Memory that training frees and takes again at once is kept: fetched anew, it costs as much as the work.
TUNED = {
    "MALLOC_TOP_PAD_": "268435456",
    "MALLOC_MMAP_THRESHOLD_": "8589934592",
    "MALLOC_TRIM_THRESHOLD_": "17179869184",
}


def recipe(data: Path, work: Path, minutes: float) -> list[list[str]]:
    """The tools to run in order with their arguments: episodes, text head, view, figures, brush, dynamics, one file."""
    head, packed = str(data / "head.safetensors"), str(work / "nacre.safetensors")
    steps = [["prepare", "--out", str(data)]]
    if not Path(head).exists():
        steps.append(["text", "--out", head])
    return [
        *steps,
        ["view", "--work", str(work), "--minutes", str(minutes)],
        ["figures", "--work", str(work), "--minutes", str(minutes / 3)],
        ["brush", "--work", str(work), "--minutes", str(minutes / 3)],
        ["train", "--data", str(data), "--work", str(work), "--minutes", str(minutes)],
        ["pack", "--data", str(data), "--work", str(work), "--head", head, "--out", packed],
    ]


def main() -> int:
    """Run the recipe; the exit code of the first tool that fails."""
    if any(word.split("=")[0] == "--footage" for word in sys.argv[1:]):
        return _run("footage", sys.argv[1:])
    parser = argparse.ArgumentParser(prog="oysterd train", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("work/data"), help="folder of episodes (work/data)")
    parser.add_argument("--work", type=Path, default=Path("work/run"), help="folder of checkpoints (work/run)")
    parser.add_argument("--minutes", type=float, default=60.0, help="for the view, and as many for the dynamics (60)")
    options = parser.parse_args()
    for tool, *arguments in recipe(options.data, options.work, options.minutes):
        code = _run(tool, arguments)
        if code:
            return code
    return 0


def _run(tool: str, arguments: list[str]) -> int:
    command = [sys.executable, "-m", f"model.training.{tool}", *arguments]
    return subprocess.run(command, env=os.environ | TUNED, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
