"""What the model itself costs: beginning and stepping a world, learning, and the diorama that it learns from."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def measure_begin() -> dict[str, float]:
    """How long a world takes to begin, and to step with the machine to itself, the model being loaded."""
    import torch

    from model import world

    torch.set_num_threads(2)
    model = world.load("nacre")
    model.embed("warm")
    began = time.perf_counter()
    model.begin("a calm coast at dawn").step()
    text_s = time.perf_counter() - began
    image = np.random.default_rng(0).integers(0, 255, (720, 1280, 3)).astype(np.uint8)
    began = time.perf_counter()
    living = model.begin(image=image)
    living.step()
    image_s = time.perf_counter() - began
    took = []
    for _ in range(60):
        began = time.perf_counter()
        living.step()
        took.append(time.perf_counter() - began)
    with _counted() as products:
        living.step()
    passes = model.preset.sampling_steps + 1
    dreamt = sum(q.numel() for q in model.network.blocks.parameters())
    return {
        "begin_text_s": round(text_s, 3),
        "begin_image_s": round(image_s, 3),
        "alone_step_ms_p50": round(float(np.median(took)) * 1000, 2),
        "step_gflop": round(2 * (sum(products) + dreamt * model.preset.tokens * passes) / 1e9, 2),
        "step_weights_mb": round(4 * dreamt * passes / 1e6, 1),
        "parameters_m": round(sum(q.numel() for m in (model.network, model.view) for q in m.parameters()) / 1e6, 2),
    }


@contextmanager
def _counted() -> Iterator[list[int]]:
    """How many weights are multiplied by how many points, for every time a network of the view is asked."""
    from model.shading import Shader

    products: list[int] = []
    asked = Shader.of_one

    def counting(self: Shader, x: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        weights = sum(layer.weight.numel() for layer in (*self.layers, self.out))  # type: ignore[union-attr, misc]
        products.append(len(x) * weights)
        return asked(self, x, told)

    Shader.of_one = counting  # type: ignore[method-assign]
    try:
        yield products
    finally:
        Shader.of_one = asked  # type: ignore[method-assign]


def measure_large() -> dict[str, float]:
    """A step of the larger preset, with random weights, on these cores."""
    import torch
    from worlds import random_model

    from model.preset import PRESETS

    torch.set_num_threads(2)
    preset = PRESETS["nacre-gpu"]
    model = random_model(preset)
    living = model.begin(seed=1)
    living.step()
    with _counted() as products:
        began = time.perf_counter()
        for _ in range(3):
            living.step()
        took_s = (time.perf_counter() - began) / 3
    dreamt = sum(q.numel() for q in model.network.blocks.parameters()) * preset.tokens * (preset.sampling_steps + 1)
    return {
        "large_step_ms": round(1000 * took_s),
        "large_step_gflop": round(2 * (sum(products) / 3 + dreamt) / 1e9, 1),
        "large_parameters_m": round(
            sum(q.numel() for m in (model.network, model.view) for q in m.parameters()) / 1e6, 1
        ),
    }


def measure_training() -> dict[str, float]:
    """Columns that the view learns from, as pictures a second of one core, drawing them not counted."""
    import torch

    from model.field import field_of
    from model.preset import PRESETS
    from model.shading import Textures
    from model.training import view as course
    from model.view import View

    torch.set_num_threads(1)
    torch.manual_seed(0)
    view = View(replace(PRESETS["nacre"], view_looks=course.LOOKS))
    textures = Textures.of([field_of(0)], torch.device("cpu"))
    drawn = course.random_batch(np.random.default_rng(0), course.LOOKS, course.PICTURES, course.COLUMNS, range(1))
    batch = {name: torch.from_numpy(value) for name, value in drawn.items()}
    rows = torch.arange(0, course.HEIGHT, 3)[: course.ROWS]
    took = []
    for _ in range(4):
        began = time.perf_counter()
        colours, heights = course.loss_of(view, textures, batch, rows)
        (colours + heights).backward()
        took.append(time.perf_counter() - began)
    columns = course.PICTURES * course.COLUMNS / min(took)
    return {"training_frames_per_s": round(columns / course.WIDTH, 2), "training_columns_per_s": round(columns)}


def measure_jump() -> dict[str, float]:
    """The largest jump between frames within 2 s of a directive, against the median jump of the walk, worst of five."""
    from model.training.evaluation.continuity import continuity
    from model.training.evaluation.figure import Settings
    from model.world import load

    found = continuity(load("nacre"), Settings(quick=True)).figures["continuity_ratio"]
    return {"directive_jump_ratio": round(found.value, 2)}


def measure_diorama() -> dict[str, float]:
    """Pictures a second of one core at 320x180, mean over random walks."""
    from model.diorama import episode

    rates = []
    for seed in range(6):
        walked = episode.walk(episode.random_script(seed, 40), seed)
        played = episode.pictures(walked, (180, 320))
        next(played)
        began = time.perf_counter()
        for _ in range(39):
            next(played)
        rates.append(39 / (time.perf_counter() - began))
    return {"diorama_frames_per_s": round(float(np.mean(rates[1:])), 1)}
