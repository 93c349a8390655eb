"""The table of `make bench`: a row for each figure, what is to be reached, and whether it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import bench_sensors
from bench_eyes import eye_rows

from model.conditions import STEPS_PER_S

Row = tuple[str, str, str, bool]
Result = Mapping[str, Any]

SLICE_MS = 1000 / STEPS_PER_S


def rows(result: Result) -> list[Row]:
    """All rows of what was measured; parts that were not are told as such."""
    made: list[Row] = []
    for part, rows_of in PARTS.items():
        try:
            made += rows_of(result)
        except KeyError:
            made.append((part, "not measured", "", False))
    return made


def _world(of: Result) -> list[Row]:
    underruns = f"{of['underruns']} / {of['device_underruns']} in {of['memory_seconds']} s"
    growth = f"{of['memory_growth_mb']:+.0f} MB in {of['memory_seconds']} s"
    step, directive = (
        f"{of['step_ms_p99']:.0f} / {SLICE_MS:.0f} ms",
        f"{of['directive_ms_p50']} / {of['directive_ms_p99']} ms",
    )
    return [
        ("world against real time", f"{of['rtf']:.3f} over {of['seconds']:.0f} s", "≥ 1.0", of["rtf"] >= 0.999),
        ("step p99 against its slice", step, "< 1", of["step_ms_p99"] < SLICE_MS),
        ("sound underruns, world / card", underruns, "0 in 600 s", of["underruns"] + of["device_underruns"] == 0),
        ("directive to step, p50 / p99", directive, "next step", True),
        ("memory, all processes", f"{of['rss_mb']:.0f} MB", "< 2500 MB", of["rss_mb"] < 2500),
        ("memory growth", growth, "flat in 600 s", abs(of["memory_growth_mb"]) < 30),
        ("weights", f"{of['weights_mb']:.1f} MB", "< 25 MB", of["weights_mb"] < 25),
        ("first picture", f"{of['first_picture_s']:.1f} s", "< 10 s", of["first_picture_s"] < 10),
        ("end after SIGTERM", f"{of['stop_s']:.1f} s", "< 3 s", of["stop_s"] < 3 and of["exit_code"] == 0),
    ]


def _offset(of: Result) -> list[Row]:
    p50, p99, underruns = of["av_offset_ms_abs_p50"], of["av_offset_ms_abs_p99"], of["av_underruns"]
    drift, own = of["av_drift_ppm"], of["av_sink_ppm"]
    dry = f"{underruns} / {of['av_device_underruns']} in {of['av_seconds']} s"
    return [
        ("A/V offset, median / p99", f"{p50} / {p99} ms", "≤ 20 / 45 ms", p50 <= 20 and p99 <= 45),
        ("underruns of a test world, world / card", dry, "0", underruns + of["av_device_underruns"] == 0),
        ("drift found / the sink's own", f"{drift} / {own} ppm", "within 20", abs(drift - own) <= 20),
    ]


def _projectors(of: Result) -> list[Row]:
    made: list[Row] = []
    for label in ("plain", "calibrated"):
        share, core = of[f"projector_{label}_presented_share"], of[f"projector_{label}_core_share"]
        words = f"{share:.1%}, {core:.0%} of a core"
        made.append((f"projector 720p 20 Hz, {label}, presented", words, "≥ 99 %", share >= 0.99))
    return made


def _begin(of: Result) -> list[Row]:
    text, image = of["begin_text_s"], of["begin_image_s"]
    return [
        ("world from text", f"{text:.2f} s", "< 1 s", text < 1),
        ("world from an image", f"{image:.2f} s", "< 1 s", image < 1),
    ]


def _cost(of: Result) -> list[Row]:
    step = f"{of['alone_step_ms_p50']:.0f} ms, {of['step_gflop']:.1f} GFLOP, {of['step_weights_mb']:.0f} MB"
    return [("a step alone: time, products, weights read", step, "< 83 ms", of["alone_step_ms_p50"] < SLICE_MS)]


def _large(of: Result) -> list[Row]:
    step = f"{of['large_step_ms']} ms, {of['large_step_gflop']:.0f} GFLOP, {of['large_parameters_m']:.0f} M"
    return [("nacre-gpu 1080p, random weights, a step", step, "on a GPU", True)]


def _training(of: Result) -> list[Row]:
    rate = f"{of['training_frames_per_s']} frames/s, {of['training_columns_per_s']} columns"
    return [("training the view, one core", rate, "told", True)]


def _jump(of: Result) -> list[Row]:
    return [("jump at a directive", f"{of['directive_jump_ratio']:.2f}x", "< 2x", of["directive_jump_ratio"] < 2)]


def _diorama(of: Result) -> list[Row]:
    rate = of["diorama_frames_per_s"]
    return [("diorama, one core", f"{rate:.0f} frames/s", "≥ 100", rate >= 100)]


PARTS: dict[str, Callable[[Any], list[Row]]] = {
    "the running daemon": _world,
    "picture against sound": _offset,
    "projectors": _projectors,
    "sensors and lamps": bench_sensors.rows,
    "eyes": eye_rows,
    "beginning a world": _begin,
    "a step's cost": _cost,
    "the larger preset": _large,
    "training": _training,
    "a directive's jump": _jump,
    "the diorama": _diorama,
}
