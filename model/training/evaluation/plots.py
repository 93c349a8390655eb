"""Plots and contact sheets of an evaluation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import matplotlib
import numpy as np
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray

from model.training.evaluation.figure import Pictures

matplotlib.use("Agg")
_WIDE, _LABEL = 200, 16  # pixels of a sheet's picture, and of the line under a row
_LONGEST = 24  # rows of a sheet


def _save(canvas: Canvas, path: Path) -> None:
    canvas.tight_layout()
    canvas.savefig(path, dpi=110)


def drift(curve: dict[str, list[float]], path: Path) -> None:
    """Change against the first minute over time."""
    canvas = Canvas(figsize=(8, 4))
    axes = canvas.subplots()
    for name, values in curve.items():
        axes.plot(np.arange(len(values)), 100 * (np.array(values) / values[0] - 1), label=name)
    axes.axhspan(-10, 10, color="0.93", zorder=0)
    axes.set(xlabel="minutes", ylabel="against the first minute, %", title="drift round the same circle")
    axes.legend(loc="upper left", ncols=3, fontsize=8)
    _save(canvas, path)


def response(curve: dict[str, dict[str, list[float]]], path: Path) -> None:
    """Movement measured over movement asked for, a panel a command."""
    canvas = Canvas(figsize=(3 * len(curve), 3))
    for axes, (name, pair) in zip(np.atleast_1d(canvas.subplots(1, len(curve))), curve.items(), strict=True):
        axes.scatter(pair["asked"], pair["seen"], s=14)
        most = max(map(abs, pair["asked"]))
        axes.plot([-most, most], [-most, most], color="0.8", zorder=0)
        axes.set(xlabel="asked", ylabel="measured", title=name)
    _save(canvas, path)


def loudness(curve: dict[str, dict[str, Any]], path: Path) -> None:
    """Level heard over strength asked for: dream and diorama."""
    canvas = Canvas(figsize=(3.4 * len(curve), 3))
    for axes, (name, of) in zip(np.atleast_1d(canvas.subplots(1, len(curve))), curve.items(), strict=True):
        axes.plot(of["asked"], np.array(of["dreamt"]).T, "o-", color="C0", ms=3)
        axes.plot(of["asked"], np.array(of["diorama"]).T, color="0.7")
        axes.set(xlabel=f"{name} asked", ylabel="dB", title=f"{name}: dream (blue), diorama (grey)")
        axes.title.set_fontsize(9)
    _save(canvas, path)


def av(curve: dict[str, list[float]], path: Path) -> None:
    """How many sounds come by how much too early or too late."""
    canvas = Canvas(figsize=(7, 3.2))
    axes = canvas.subplots()
    whole = np.concatenate([np.array(v)[np.isfinite(v)] for v in curve.values()])
    most = 1.05 * max(100.0, float(np.abs(whole).max(initial=0.0)))
    bins = np.linspace(-most, most, 41)
    axes.hist(list(curve.values()), bins.tolist(), stacked=True, label=list(curve))
    axes.axvspan(-45, 45, color="0.93", zorder=0)
    axes.set(xlabel="sound after where the diorama has it, ms", ylabel="clips", title="picture and sound")
    axes.legend()
    _save(canvas, path)


def jumps(curve: dict[str, list[float]], path: Path) -> None:
    """Change from picture to picture before and after a directive, over the clip's median."""
    canvas = Canvas(figsize=(8, 1.5 * len(curve) + 0.6))
    for axes, (name, values) in zip(
        np.atleast_1d(canvas.subplots(len(curve), 1, sharex=True)), curve.items(), strict=True
    ):
        axes.plot(np.arange(len(values)) / 12, np.array(values) / max(1e-6, float(np.median(values))), lw=1)
        axes.axvline(47 / 12, color="0.7")
        axes.axhline(2, color="C3", lw=0.6)
        axes.set_ylabel("/ median", fontsize=7)
        axes.text(0.01, 0.82, name, transform=axes.transAxes, fontsize=8, fontfamily=["DejaVu Sans"])
    _save(canvas, path)


PLOTS: dict[str, Callable[[Any, Path], None]] = {
    "drift": drift,
    "response": response,
    "loudness": loudness,
    "av": av,
    "jumps": jumps,
}


def sheet(rows: list[tuple[str, Pictures]], path: Path) -> None:
    """A contact sheet, a row of pictures a label; what the drawing font lacks is left out of a label."""
    strips: list[NDArray[np.uint8]] = []
    most = max(len(pictures) for _, pictures in rows)
    for label, pictures in rows[:_LONGEST]:
        height = round(_WIDE * pictures.shape[1] / pictures.shape[2])
        row = np.zeros((height + _LABEL, _WIDE * most, 3), np.uint8)
        for k, picture in enumerate(pictures):
            row[:height, k * _WIDE : (k + 1) * _WIDE] = cv2.resize(
                picture, (_WIDE, height), interpolation=cv2.INTER_AREA
            )
        plain = label.encode("ascii", "ignore").decode().strip()
        cv2.putText(row, plain, (4, height + 12), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1, cv2.LINE_AA)
        strips.append(row)
    cv2.imwrite(str(path), np.vstack(strips)[..., ::-1])


def draw(curves: dict[str, Any], sheets: dict[str, list[tuple[str, Pictures]]], out: Path) -> None:
    """Write every plot and sheet there is data for, as PNG files in `out`."""
    for name, plot in PLOTS.items():
        if curves.get(name):
            plot(curves[name], out / f"{name}.png")
    for name, rows in sheets.items():
        if rows:
            sheet(rows, out / f"sheet_{name}.png")
