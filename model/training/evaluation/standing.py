"""What a place is worth: the view against its teacher, the place seen again, and visitors who stir where they stand."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from model.conditions import GRID, Conditions
from model.diorama.places import PLACES
from model.training.evaluation.figure import Figure, Findings, Pictures, Settings
from model.training.evaluation.rollouts import STILL, roll, world_of
from model.training.view import psnrs_db
from model.world import WorldModel


def psnr_db(a: Pictures, b: Pictures) -> float:
    """Peak signal to noise of two pictures, in dB."""
    return float(10 * np.log10(255**2 / max(1e-6, np.square(a.astype(np.float32) - b).mean())))


def view_psnr(model: WorldModel, settings: Settings) -> Findings:
    """The view against the diorama on fields it never learnt from, in dB over random moments, as a codec is judged."""
    first = 1000 + 24 * settings.seed
    found = np.array(psnrs_db(model.view, range(first, first + 24), settings.of(2, 8)))
    parts = {"median": float(np.median(found)), "worst_tenth": float(np.quantile(found, 0.1))}
    return Findings({"codec_psnr_db": Figure(float(found.mean()), len(found), parts=parts)})


def revisit(model: WorldModel, settings: Settings) -> Findings:
    """A view after looking away by 90 degrees and back within 10 s against the view before, in dB, the median.

    As published for long-term memory of video models; time goes on meanwhile, so clouds and water have moved.
    """
    found, rows = {}, []
    for number in range(settings.of(len(PLACES), 3 * len(PLACES))):
        place = PLACES[number % len(PLACES)]
        world = world_of(model, place, 300 + number + 1000 * settings.seed)
        shown = [roll(world, 12, Conditions(motion=STILL), 12)[0]]
        for rate, steps in ((0.7, 27), (0.0, 8), (-0.7, 27), (0.0, 8)):
            shown.append(roll(world, steps, Conditions(motion=np.array([0, 0, rate, 0], np.float32)), steps)[0])
        found[f"{place} {number // len(PLACES)}"] = psnr_db(shown[0], shown[-1])
        rows.append((place, np.concatenate(shown)))
    figure = Figure(float(np.median(list(found.values()))), len(found), parts=found)
    return Findings({"revisit_psnr_db": figure}, sheets={"revisit": rows[: len(PLACES)]})


def presence(model: WorldModel, settings: Settings) -> Findings:
    """How much more a world changes inside a touched cell than elsewhere, against its untouched fork; the median."""
    ratios, rows = {}, []
    for number in range(settings.of(len(PLACES), 3 * len(PLACES))):
        place = PLACES[number % len(PLACES)]
        world = world_of(model, place, number + 1000 * settings.seed)
        still = Conditions(motion=STILL)
        roll(world, 12, still, 0)
        other = world.fork()
        touched = np.zeros((*GRID, 2), np.float32)
        row, col = 1 + number % 3, 1 + (3 * number) % 6
        touched[row, col] = 1.0
        (a,), _ = roll(world, 12, replace(still, presence=np.zeros_like(touched)), 12)
        (b,), _ = roll(other, 12, replace(still, presence=touched), 12)
        change = np.abs(a.astype(np.float32) - b).mean(2)
        cells = cv2.resize(change, GRID[::-1], interpolation=cv2.INTER_AREA)
        far = np.ones(GRID, bool)
        far[max(0, row - 1) : row + 2, max(0, col - 1) : col + 2] = False
        ratios[f"{place} {number // len(PLACES)}"] = float(cells[row, col] / max(cells[far].mean(), 1e-3))
        rows.append((place, np.stack([a, b])))
    figure = Figure(float(np.median(list(ratios.values()))), len(ratios), parts=ratios)
    return Findings({"presence_ratio": figure}, sheets={"presence": rows[: len(PLACES)]})
