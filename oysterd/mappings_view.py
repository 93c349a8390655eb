"""Shows what each sensor does to a running world, live: what `oysterd mappings` does."""

from __future__ import annotations

import json
import shutil
import sys
import time
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

import zmq

from oysterd.client import secure
from oysterd.control_config import ZmqConfig

SHOWN, NO_ANSWER = 0, 2
BAR_CELLS = 10
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_MAPPING_TITLES = ("SENSOR", "READS", "AGE", "KEY", "ASKS", "STRENGTH", "ACTS")
_TRIGGER_TITLES = ("SENSOR", "READS", "AGE", "MADE", "NEXT", "SAYS")


def show(
    config: ZmqConfig,
    once: bool = False,
    as_json: bool = False,
    wait_s: float = 5.0,
    out: TextIO = sys.stdout,
    client_secret_file: Path | None = None,
) -> int:
    """Print what the daemon tells, in place on a terminal until Ctrl-C, else once; an exit code.

    `client_secret_file` is a CURVE certificate of ours, needed where the daemon serves CURVE. Returns 2 when nothing
    came within `wait_s`.
    """
    is_live = out.isatty() and not once and not as_json
    shown_lines = 0
    with zmq.Context() as context, context.socket(zmq.SUB) as subscriber:
        subscriber.linger = 0
        subscriber.rcvhwm = 1  # a terminal that is slow, or was stopped, goes on with what is new
        secure(subscriber, config, client_secret_file)
        subscriber.connect(config.state)
        subscriber.subscribe(b"mappings")
        while True:
            if not _waits(subscriber, wait_s):
                print(
                    f"nothing came within {wait_s:g} s from {config.state} (zmq.state): is oysterd running?", file=out
                )
                return NO_ANSWER
            told = json.loads(subscriber.recv_multipart()[1])
            if as_json:
                print(json.dumps(told, ensure_ascii=False, indent=2), file=out)
                return SHOWN
            lines = table(told)
            if is_live:
                size = shutil.get_terminal_size()
                if shown_lines:
                    out.write(f"\x1b[{shown_lines}A\x1b[J")  # up to where it began, and clear from there
                # A line that wraps or scrolls away could not be cleared again.
                lines = [_fitted(line, size.columns) for line in lines[: size.lines - 1]]
                shown_lines = len(lines)
            out.write("\n".join(lines) + "\n")
            out.flush()
            if not is_live:
                return SHOWN


def table(told: dict[str, list[dict[str, Any]]]) -> list[str]:
    """The lines of `Conditioning.mappings`."""
    mappings = [
        (
            row["sensor"],
            _reading(row["value"], row["unit"]),
            _age(row["age_s"]),
            row["key"],
            "-" if row["asks"] is None else f"{row['asks']:.2f}",
            _bar(row["strength"]),
            row["acts"],
        )
        for row in told["mappings"]
    ]
    triggers = [
        (
            row["sensor"],
            _reading(row["value"], ""),
            _age(row["age_s"]),
            f"{row['made']}x",
            "ready" if row["armed"] else "must go back",
            row["does"],
        )
        for row in told["triggers"]
    ]
    lines = _columns(_MAPPING_TITLES, mappings) if mappings else ["no mappings are configured"]
    if triggers:
        lines += ["", *_columns(_TRIGGER_TITLES, triggers)]
    return lines


def _fitted(line: str, columns: int) -> str:
    """As much of a line as a terminal shows in one row; Chinese characters are two columns wide."""
    for at, character in enumerate(line):
        columns -= 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if columns < 0:
            return line[:at]
    return line


def _waits(subscriber: zmq.Socket[bytes], wait_s: float) -> bool:
    """Whether a message came in time; in short waits, so that Ctrl-C is heard at once."""
    end_s = time.monotonic() + wait_s
    while time.monotonic() < end_s:
        if subscriber.poll(100):
            return True
    return False


def _columns(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[at]) for row in (titles, *rows)) for at in range(len(titles))]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in (titles, *rows)]  # fmt: skip


def _reading(value: float | None, unit: str) -> str:
    return "-" if value is None else f"{value:.5g} {unit}".rstrip()


def _age(age_s: float | None) -> str:
    if age_s is None:
        return "-"
    if age_s < 10.0:
        return f"{age_s:.1f} s"
    return f"{age_s:.0f} s" if age_s < 120.0 else f"{age_s / 60:.0f} min"


def _bar(strength: float | None) -> str:
    """Ten cells of a bar, and per cent."""
    if strength is None:
        return "-"
    eighths = round(strength * BAR_CELLS * 8)
    bar = "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")
    return f"{bar:·<{BAR_CELLS}} {strength:4.0%}"
