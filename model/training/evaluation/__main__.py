"""The evaluator's command line: measure on all cores, print the table, write the report, plots and sheets."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from model.checkpoint import CheckpointError, path_of
from model.training.evaluation import plots
from model.training.evaluation.figure import Findings, Settings
from model.training.evaluation.measures import MEASURES, REACH, reached
from model.training.evaluation.running import measure
from model.world import load


def table(found: Findings) -> list[str]:
    """The figures as a table in Markdown."""
    lines = ["| figure | value | reach | | judge | samples |", "|---|---|---|---|---|---|"]
    for name in [n for n in REACH if n in found.figures] + [n for n in found.figures if n not in REACH]:
        figure = found.figures[name]
        bound = "" if name not in REACH else f"{REACH[name][0]} {REACH[name][1]:g}"
        said = {True: "reached", False: "**not reached**", None: ""}[reached(name, figure.value)]
        judge = "" if figure.judge is None else f"{figure.judge:.3f}"
        lines.append(f"| {name} | {figure.value:.3f} | {bound} | {said} | {judge} | {figure.samples} |")
    return lines


def write(found: Findings, about: dict[str, Any], out: Path) -> None:
    """report.json, curves.json and report.md, in `out`."""
    out.mkdir(parents=True, exist_ok=True)
    report: dict[str, Any] = {"about": about}
    for name, figure in found.figures.items():
        report[name] = {**vars(figure), "parts": dict(figure.parts), "reached": reached(name, figure.value)}
    (out / "report.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (out / "curves.json").write_text(json.dumps(found.curves, ensure_ascii=False) + "\n", encoding="utf-8")
    parts = [
        f"- {name}: " + ", ".join(f"{part} {value:.3g}" for part, value in figure.parts.items())
        for name, figure in found.figures.items() if figure.parts
    ]  # fmt: skip
    (out / "report.md").write_text("\n".join([*table(found), "", *parts]) + "\n", encoding="utf-8")


def main() -> int:
    """Parse the command line, measure, report; 2 if there is no such model."""
    parser = argparse.ArgumentParser(prog="oysterd evaluate", description="Judge a model by its own rollouts.")
    parser.add_argument(
        "model", nargs="?", default="nacre", metavar="MODEL", help="a name, or a .safetensors file (nacre)"
    )
    parser.add_argument("--quick", action="store_true", help="fewer samples and no drift: minutes")
    parser.add_argument("--seed", type=int, default=0, help="of worlds and phrases (0)")
    parser.add_argument(
        "--minutes", type=float, default=10.0, help="of the walk that drift is measured on (10); 60 for both"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("work/evaluation"), help="folder of the report (work/evaluation)"
    )
    parser.add_argument(
        "--cache", type=Path, default=Path("work/judges"), help="folder of trained judges (work/judges)"
    )
    parser.add_argument("--only", action="append", choices=list(MEASURES), help="this measure; may be given again")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="processes (as many as there are cores)"
    )
    options = parser.parse_args()
    try:
        path_of(options.model)
        code = load(options.model).code
    except CheckpointError as error:
        print(f"MODEL: {error}", file=sys.stderr)
        return 2
    settings = Settings(options.quick, options.seed, options.minutes, options.out, options.cache)
    started, whole = time.monotonic(), Findings()
    about: dict[str, Any] = {"model": options.model, "sha256": code, "quick": options.quick, "seed": options.seed}
    about["processor_s"] = {}
    # Written after each measure: who breaks it off keeps what was found.
    for name, found, took_s in measure(options.model, options.only or list(MEASURES), settings, options.workers):
        print(f"{name}: {took_s:.0f} s", file=sys.stderr, flush=True)
        about["processor_s"][name] = round(took_s)
        about["wall_s"] = round(time.monotonic() - started)
        whole.figures |= found.figures
        whole.curves |= found.curves
        write(whole, about, options.out)
        plots.draw(found.curves, found.sheets, options.out)
    print("\n".join(table(whole)))
    print(f"in {about['wall_s']} s; {options.out / 'report.json'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
