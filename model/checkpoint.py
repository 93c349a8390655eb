"""Checkpoints: a safetensors file with every weight of a model, its sizes, and a hash over both.

Files NAME.PART.safetensors beside NAME.safetensors hold parts that have been trained again since and stand in the place
of its own: git keeps every file that it was ever given, so a part that changes should not bring the others along.

`describe` reads only the header and needs no torch, so any process can learn a model's sizes cheaply.
"""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.preset import Preset

if TYPE_CHECKING:
    from torch import Tensor

FORMAT = "oysterd-nacre-2"
WEIGHTS = Path(__file__).parent / "weights"
_STEP = ".step"
_LONGEST_HEADER = 4 * 2**20


class CheckpointError(Exception):
    """A checkpoint is missing, damaged, or of another kind than asked for."""


def path_of(name: str) -> Path:
    """The file of a model: a name in `model/weights`, or a path ending in .safetensors."""
    path = Path(name) if name.endswith(".safetensors") else WEIGHTS / f"{name}.safetensors"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in WEIGHTS.glob("*.safetensors"))) or "none"
        raise CheckpointError(f"there is no model {name!r} ({path} is not a file; known are: {known})")
    return path


def files_of(name: str) -> list[Path]:
    """All files of a model: the whole first, then parts that were trained again, by name."""
    path = path_of(name)
    return [path, *sorted(path.parent.glob(f"{path.stem}.*.safetensors"))]


def _header(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > _LONGEST_HEADER:
                raise CheckpointError(f"{path}: is not a safetensors file")
            header = json.loads(file.read(length))
    except (OSError, struct.error, ValueError) as error:
        raise CheckpointError(f"{path}: can't be read as safetensors: {error}") from error
    metadata = header.get("__metadata__", {}) if isinstance(header, dict) else {}
    if metadata.get("format") != FORMAT:
        raise CheckpointError(f"{path}: is not an oysterd model ({FORMAT}); it says format = {metadata.get('format')}")
    return metadata  # type: ignore[no-any-return]


def describe(name: str) -> Preset:
    """The sizes of a model, from its header. Raises CheckpointError naming the file."""
    path = files_of(name)[-1]
    try:
        return Preset(**json.loads(_header(path)["preset"]))
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: its sizes can't be read: {error}") from error


def digest(tensors: dict[str, Tensor]) -> str:
    """SHA-256 over names, shapes and bytes of all tensors, in order of their names."""
    import torch

    total = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        total.update(f"{name}:{tuple(tensor.shape)}:{tensor.dtype}".encode())
        total.update(tensor.view(-1).view(torch.uint8).numpy().tobytes())
    return total.hexdigest()


def save(path: Path, preset: Preset, parts: dict[str, dict[str, Tensor]], about: dict[str, str]) -> str:
    """Write a checkpoint of named parts; floating weights are kept in 16 bits. Returns its hash."""
    import torch
    from safetensors.torch import save_file

    tensors: dict[str, Tensor] = {}
    for part, values in parts.items():
        for name, value in values.items():
            full, value = f"{part}.{name}", value.float().contiguous()
            # Small tables stay exact, they are a hundredth of the file; and the view, which measures mountains.
            if value.ndim < 2 or value.numel() < 1024 or part == "view":
                tensors[full] = value
            elif part == "network":
                # Each row in steps of a 127th of its largest number: a rounding of about a hundredth of its deviation.
                step = value.flatten(1).abs().amax(1).clamp(min=1e-12) / 127
                tensors[full] = (value / step.view(-1, *[1] * (value.ndim - 1))).round().to(torch.int8)
                tensors[full + _STEP] = step
            else:
                tensors[full] = value.half()
    code = digest(tensors)
    metadata = {"format": FORMAT, "preset": json.dumps(preset.as_dict()), "sha256": code, **about}
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, metadata=metadata)
    partial.replace(path)
    return code


def save_part(path: Path, part: str, preset: Preset, values: dict[str, Tensor], about: dict[str, str]) -> Path:
    """Write a part that was trained again beside the model at `path`, whose own it replaces; gives its file."""
    beside = path.with_suffix(f".{part}.safetensors")
    save(beside, preset, {part: values}, about)
    return beside


def _tensors(path: Path) -> dict[str, Tensor]:
    """What a file holds. Raises CheckpointError if it is damaged."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    metadata = _header(path)
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: is damaged: {error}") from error
    code = digest(tensors)
    if code != metadata.get("sha256"):
        raise CheckpointError(
            f"{path}: is damaged: its hash is {code[:12]}…, it should be {metadata.get('sha256', '')[:12]}…"
        )
    return tensors


def load(name: str) -> tuple[Preset, dict[str, dict[str, Tensor]], str]:
    """A checkpoint's sizes, parts (float32) and hash. Raises CheckpointError if it is damaged or foreign."""
    preset = describe(name)
    tensors: dict[str, Tensor] = {}
    for path in files_of(name):
        again = _tensors(path)
        trained = {full.partition(".")[0] for full in again}
        tensors = {full: tensor for full, tensor in tensors.items() if full.partition(".")[0] not in trained} | again
    code = digest(tensors)
    parts: dict[str, dict[str, Tensor]] = {}
    for full, tensor in tensors.items():
        if full.endswith(_STEP):
            continue
        part, _, rest = full.partition(".")
        value = tensor.float()
        if full + _STEP in tensors:
            value = value * tensors[full + _STEP].view(-1, *[1] * (value.ndim - 1))
        parts.setdefault(part, {})[rest] = value
    return preset, parts, code
