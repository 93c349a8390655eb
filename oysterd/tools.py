"""The tools that train and judge models, each started as a program of its own: the daemon never loads them."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Sequence

from oysterd.errors import ConfigError

TOOLS = {"evaluate": "model.training.evaluation", "train": "model.training"}
NEEDED = ("numba", "matplotlib")  # of the extra `train`


def run_tool(name: str, arguments: Sequence[str]) -> int:
    """Run a tool to its end; its exit code. Raises ConfigError if the extra that it needs is not installed."""
    missing = [module for module in NEEDED if importlib.util.find_spec(module) is None]
    if missing:
        needs = f"oysterd {name}: needs {' and '.join(missing)}"
        raise ConfigError([f"{needs}, which the extra `train` brings: pip install 'oysterd[train]'"])
    return subprocess.run([sys.executable, "-m", TOOLS[name], *arguments], check=False).returncode
