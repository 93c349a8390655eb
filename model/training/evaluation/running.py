"""Measures run side by side, each on a core of its own."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing.process import BaseProcess
from typing import Any

import torch

from model.training.evaluation.figure import Findings, Settings
from model.training.evaluation.measures import MEASURES, train_judges
from model.world import WorldModel, load

TEACHER_HEIGHT = 216  # pixels, of the pictures that judges learn from

_loaded: list[WorldModel] = []


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def _ready(name: str) -> None:
    # A pool's processes don't notice when whoever evaluates is killed, and would work on for minutes.
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    torch.set_num_threads(1)
    _loaded.append(load(name, height=TEACHER_HEIGHT))  # judges know the diorama at this size


def _measured(name: str, settings: Settings) -> tuple[Findings, float]:
    started = time.process_time()
    with torch.inference_mode():
        found = MEASURES[name].do(_loaded[0], settings)
    return found, time.process_time() - started


def measure(model: str, names: list[str], settings: Settings, workers: int) -> Iterator[tuple[str, Findings, float]]:
    """Measures as they are done: name, findings, and the processor's seconds it took.

    Measures run side by side; those that need a judge wait until it is trained, while the others go ahead.
    """
    # Spawned: a fork of a process that has run torch may hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _ready, (model,)) as pool:
        later = [name for name in names if MEASURES[name].is_judged]
        running: dict[Future[Any], str] = {}
        if later:
            running[pool.submit(train_judges, settings.cache)] = ""
        running |= {pool.submit(_measured, n, settings): n for n in names if n not in later}
        while running:
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                name = running.pop(future)
                if not name:
                    future.result()
                    running |= {pool.submit(_measured, n, settings): n for n in later}
                    continue
                yield name, *future.result()
