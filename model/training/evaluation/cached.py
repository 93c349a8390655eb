"""Under what name a trained judge is kept: a hash of all that it follows from."""

from __future__ import annotations

import hashlib
from pathlib import Path

import model

_SOURCES = (
    "diorama/*.py", "field.py", "walker.py", "camera.py", "grass.py", "waves.py", "passing.py", "conditions.py",
    "training/evaluation/clips.py",
)  # fmt: skip


def code_of(*files: Path) -> str:
    """A hash of the diorama's code and tables, of what it draws from, and of these files."""
    root, total = Path(model.__path__[0]), hashlib.sha256()
    for path in [path for pattern in _SOURCES for path in sorted(root.glob(pattern))] + list(files):
        total.update(path.name.encode() + path.read_bytes())
    return total.hexdigest()[:16]
