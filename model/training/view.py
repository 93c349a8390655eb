"""Train the view: `python -m model.training.view --work DIR --minutes 60`.

The diorama draws columns of pictures of random places, moments and weathers as fast as they are learnt from; no column
is seen twice. What is learnt is their colours, and how high the land stands along their rays. Checkpoints every few
minutes; the same command goes on from the last.
"""

from __future__ import annotations

import copy
import math
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from queue import Queue
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.bodies import LEAST_M, Front, lit, told_of
from model.camera import BODIES_M, EYE_M, FIELD_OF_VIEW_RAD, FLOOR_M, OVER, SLIM, SUN_AZIMUTH_RAD
from model.closer import front_of
from model.conditions import GRID, PITCH_LIMIT_RAD
from model.diorama import figures, overlay, places, render, surfaces, terrain
from model.diorama.bodies import lit_at
from model.diorama.episode import random_environment
from model.diorama.places import COLUMN
from model.field import DETAIL_CELL_M, PERIOD_M, THING_TEXELS, field_of
from model.looking import DENSEST, looks_along
from model.passing import passed_by
from model.precision import reducing
from model.preset import PRESETS, Preset
from model.shading import Moment, Textures
from model.training.course import Course, Rates, options_of
from model.view import View

WORLDS = 24  # fields that are learnt from
PICTURES, COLUMNS, ROWS = 128, 3, 140  # of a batch: many moments, a little of each
HEIGHT, WIDTH = 360, 640
FRONTS, WALLS = 160, 240  # points of what stands close by, and of houses, for each moment
# What tells heights, which must be right to a hand's breadth, and what tells that of the moment.
EXACT = ("tell", *(f"terrain.{part}" for part in ("ground", "ridges", "lie", "level", "stands", "houses")))
# What there is much to learn of in few pixels is shown more often.
_ALIKE: Mapping[str, float] = MappingProxyType({})
OFTEN = {
    "mountains": 2.0, "cave": 2.0, "forest": 2.0, "bamboo": 2.0, "reef": 2.0,
    "street": 2.0, "snowfield": 1.5, "meadow": 1.5, "lake": 1.5, "lanterns": 1.5,
}  # fmt: skip
AIR = 0.02  # weight of how dense the air is
FINE = 0.5  # weight of what changes between neighbouring rows
SELDOM, FAIR = 0.2, 0.4  # of the moments
LOOKS = 112  # at most, on a ray that is learnt from


def random_place(rng: np.random.Generator, often: Mapping[str, float] = _ALIKE) -> NDArray[np.float32]:
    """Mostly one place, at times a mixture of two; some so much more often than others."""
    weights = np.zeros(len(places.PLACES), np.float32)
    chances = np.array([often.get(name, 1.0) for name in places.PLACES])
    one, other = rng.choice(len(weights), 2, replace=False, p=chances / chances.sum())
    share = rng.beta(0.5, 0.5) if rng.random() < 0.3 else 1.0  # places that begin or end change the most
    weights[one], weights[other] = share, 1 - share
    return weights


def random_presence(rng: np.random.Generator) -> NDArray[np.float32]:
    """Visitors somewhere in the picture: (rows, cols, 2), near and stir."""
    rows, cols = GRID
    presence = np.zeros((rows, cols, 2), np.float32)
    yy, xx = np.mgrid[:rows, :cols]
    for _ in range(int(rng.integers(1, 4))):
        d = (xx - rng.uniform(-0.5, cols - 0.5)) ** 2 + (yy - rng.uniform(0, rows)) ** 2
        blob = np.exp(-d / (2 * rng.uniform(0.4, 1.1) ** 2))
        presence[..., 0] = np.maximum(presence[..., 0], rng.uniform(0.3, 1) * blob)
        presence[..., 1] = np.maximum(presence[..., 1], rng.random() * blob)
    return presence


@lru_cache(2)
def _textures(worlds: range) -> Textures:
    return Textures.of([field_of(seed) for seed in worlds], torch.device("cpu"))


def _air(weather: NDArray[np.float64], place: NDArray[np.float32]) -> float:
    """How much light 100 m of the diorama's air take, as a logarithm; not a number under a roof or water."""
    if place[COLUMN["roof"]] + place[COLUMN["sunken"]] + place[COLUMN["space"]] > 0:
        return math.nan
    return math.log(-math.log(figures.unveiled(weather, 100.0)))


def random_batch(
    rng: np.random.Generator, looks: int, pictures: int, columns: int, worlds: range,
    often: Mapping[str, float] = _ALIKE,
) -> dict[str, NDArray[np.generic]]:  # fmt: skip
    """Columns of random pictures, (B, C, HEIGHT, 3), where their rays look, (B, C, looks), and the heights there,
    (B, C, looks, 3), in m, what they pass, and the moments, by name.

    `worlds`: seeds of the fields; a moment's world is a place in this range. often: as `random_place` has it.
    """
    out: dict[str, list[NDArray[np.generic]]] = {}
    textures = _textures(worlds)
    for _ in range(pictures):
        world = int(rng.integers(len(worlds)))
        field, weights = field_of(worlds[world]), random_place(rng, often)
        place, weather = places.mix(weights), random_environment(rng).astype(np.float64)
        kind = rng.random()
        if kind < SELDOM:  # and what seldom goes together
            weather[1:] = rng.random(6) * (rng.random(6) < 0.5)
        elif kind < SELDOM + FAIR:  # clear air, in which most of a world is seen
            weather[1:5] = rng.random() * 0.7, rng.random() * 0.1 * (rng.random() < 0.5), 0.0, 0.0
        x, y, yaw = rng.uniform(0, PERIOD_M), rng.uniform(0, PERIOD_M), rng.uniform(-math.pi, math.pi)
        bearing = yaw + rng.normal(0, 0.8)
        inland = rng.uniform(-5, 60)
        shore = np.array([x + inland * math.sin(bearing), y + inland * math.cos(bearing), bearing])
        ground = terrain.ground_height(field.land, place, shore, x, y, 0.0)
        z = max(ground, terrain.water_level(place)) + EYE_M + rng.uniform(-0.3, 0.6)
        if rng.random() < 0.12:
            z += rng.uniform(0, 30)
        pitch = rng.uniform(-PITCH_LIMIT_RAD, PITCH_LIMIT_RAD) * (rng.random() < 0.6)
        camera = np.array([x, y, z, yaw, pitch])
        times = np.array(
            [rng.uniform(0, 4000), rng.uniform(0, 512), rng.random(), rng.random(), rng.random() * (rng.random() < 0.7)]
        )
        flash = float(rng.random() * (rng.random() < 0.08))
        presence = random_presence(rng) * np.float32(rng.random() < 0.35)
        chosen = np.sort(rng.choice(WIDTH, columns, replace=False))
        image, far_off = np.zeros((HEIGHT, columns, 3), np.float32), np.zeros((HEIGHT, columns), np.float32)
        high = np.zeros((columns, looks, 3), np.float32)
        render.render(
            image, far_off, WIDTH, chosen, field.land, field.detail, field.thing, field.town, field.sky,
            field.shift_m, place, shore, camera, weather, times, flash, 600,
        )  # fmt: skip
        bare = image.copy()
        u = ((chosen + 0.5) / WIDTH).astype(np.float32)
        moment = {
            "world": np.array(world), "place": weights, "environment": weather.astype(np.float32),
            "flash": np.array(flash, np.float32), "camera": camera, "shore": shore, "phases": times,
            "presence": presence,
        }  # fmt: skip
        one = Moment(**{name: torch.from_numpy(value)[None] for name, value in moment.items()})
        across = torch.from_numpy(2 * u - 1)[None] * math.tan(FIELD_OF_VIEW_RAD / 2)
        at = looks_along(textures, one, across, looks)[0].numpy()
        overlay.overlay(image, WIDTH, chosen, field.sky, field.fall, camera, weather, times, presence, place)
        terrain.heights(
            high, WIDTH, chosen, at, field.land, field.detail, field.thing, field.town, field.shift_m, place, shore,
            camera, times[2], weather[5],
        )  # fmt: skip
        fronts, bodies = random_fronts(rng, place, FRONTS), np.zeros((FRONTS, 4), np.float32)
        if place[COLUMN["tree_cover"]] > 0.005:
            lit_at(field.detail, place, weather, flash, fronts, bodies)
        walls, windows = random_walls(rng, place, weather, WALLS), np.zeros((WALLS, 4), np.float32)
        surfaces.fronts_at(place, weather, flash, walls, windows)
        made = {
            "walls": walls, "windows": windows, "built": np.array(place[COLUMN["block_m"]] > 0.5),
            "fronts": fronts, "bodies": bodies, "stands": np.array(place[COLUMN["tree_cover"]] > 0.005),
            "image": image.clip(0, 1.1).transpose(1, 0, 2), "heights": high,
            "bare": bare.clip(0, 1.1).transpose(1, 0, 2), "far_off": far_off.T,
            "u": u, "distance": at, "things": passed_by(textures, one, across)[0].numpy(),
            "air": np.array(_air(weather, place), np.float32), **moment,
        }  # fmt: skip
        for name, value in made.items():
            out.setdefault(name, []).append(value)
    return {name: np.stack(values) for name, values in out.items()}


def random_fronts(rng: np.random.Generator, place: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Points of the fronts of things of a place, (count, FRONT), as model.bodies.Front; none of the things are real."""
    cover, slender = place[COLUMN["tree_cover"]], place[COLUMN["slender"]]
    rank = rng.random(count) * min(1.0, DENSEST * float(cover))
    grown = np.where(rng.random(count) < 0.7, 1.0, rng.uniform(0.1, 1, count))
    high = np.array([terrain.full_height(place, r, g) for r, g in zip(rank, rng.standard_normal(count), strict=True)])
    high = np.maximum(high * grown, LEAST_M)  # also where nothing grows
    least, most = THING_TEXELS
    radius = (least + (most - least) * (0.35 + 0.65 * (1 - rank))) * DETAIL_CELL_M * (1 - slender)
    wide, aside = np.minimum(radius, SLIM * high), rng.uniform(-1, 1, count)
    height = rng.uniform(-0.05, OVER, count) * high
    distance = np.exp(rng.uniform(math.log(5.0), math.log(BODIES_M[1]), count))
    bearing, front = rng.uniform(-math.pi, math.pi, count), np.sqrt(1 - aside**2)
    sin, cos = np.sin(bearing), np.cos(bearing)
    nx, ny = aside * cos - front * sin, -aside * sin - front * cos
    turned = nx * math.sin(SUN_AZIMUTH_RAD) + ny * math.cos(SUN_AZIMUTH_RAD)
    return np.stack([aside, height, high, wide, rank, distance, turned], 1).astype(np.float32)


def random_walls(
    rng: np.random.Generator, place: NDArray[np.float32], weather: NDArray[np.float64], count: int
) -> NDArray[np.float32]:
    """Points of the walls of houses of a place, (count, 6), as diorama.surfaces.fronts_at has them."""
    high = np.maximum(place[COLUMN["block_m"]] * (0.3 + 0.7 * rng.random(count)), 1.0)
    height = np.where(rng.random(count) < 0.5, rng.uniform(0, high), rng.uniform(0, np.minimum(high, 2 * FLOOR_M)))
    distance = np.exp(rng.uniform(math.log(3.0), math.log(250.0), count))
    left = [figures.unveiled(weather, d) for d in distance]
    along = rng.uniform(0, 2 * PERIOD_M, count)
    return np.stack([height, high, along, rng.random(count), distance, left], 1).astype(np.float32)


def moment_of(batch: dict[str, Tensor]) -> Moment:
    """The moments of a batch."""
    names = ("world", "place", "environment", "flash", "camera", "shore", "phases", "presence")
    return Moment(**{name: batch[name] for name in names})


def batches(preset: Preset, seed: int, device: torch.device) -> Iterator[dict[str, Tensor]]:
    """Endless random batches, drawn by a thread beside the training."""
    ready: Queue[dict[str, NDArray[np.generic]]] = Queue(3)

    def draw() -> None:
        rng = np.random.default_rng([seed, 40])
        while True:
            ready.put(random_batch(rng, preset.view_looks, PICTURES, COLUMNS, range(WORLDS), OFTEN))

    threading.Thread(target=draw, daemon=True).start()
    while True:
        yield {name: torch.from_numpy(value).to(device) for name, value in ready.get().items()}


def loss_of(view: View, textures: Textures, batch: dict[str, Tensor], rows: Tensor) -> tuple[Tensor, Tensor]:
    """Error of the colours of some rows, two and two neighbours, and of heights in pixels as they are seen from where
    the visitor stands.
    """
    moment = moment_of(batch)
    v = ((rows + 0.5) / HEIGHT).to(batch["u"].device)
    with reducing(batch["u"].device.type):
        shown, land, _ = view.columns(
            textures,
            moment,
            batch["u"],
            v,
            WIDTH / HEIGHT,
            1 / HEIGHT,
            above=(batch["bare"], batch["far_off"]),
            distance=batch["distance"],
            things=batch["things"],
            # Blades that lie a hand's breadth aside would be learnt as none at all.
            known=batch["far_off"][:, :, rows],
        )
    missed = shown - batch["image"][:, :, rows]
    colours = missed.abs().mean() + 4 * missed.square().mean()
    # What changes from one row to the next: blades, leaves and rock are little of a picture's light.
    colours = colours + FINE * missed.unflatten(2, (-1, 2)).diff(dim=3).abs().mean()
    # Near by, where a hand's breadth is many pixels: of what stands no more than a tree's height needs; of the ground
    # all that it takes for blades and grit to lie where they are.
    pixels = WIDTH / 2 / math.tan(FIELD_OF_VIEW_RAD / 2) / batch["distance"]
    seen = torch.stack([land.ground, land.surface, land.grown], -1)
    exact = torch.stack([pixels.clamp(max=60), pixels.clamp(max=20), pixels.clamp(max=20)], -1)
    high = (seen - batch["heights"]) * exact
    missed_air = view.terrain.haze(view.told_of(moment))[:, 0] - batch["air"].nan_to_num(0)
    colours = colours + AIR * (missed_air.square() * ~batch["air"].isnan()).mean()
    return colours, torch.nn.functional.huber_loss(high, torch.zeros_like(high), delta=1.5)


def bodies_loss(view: View, textures: Textures, batch: dict[str, Tensor]) -> Tensor:
    """Error of what stands close by, at points of its fronts: of how much it covers, and of what it covers with."""
    moment, fronts = moment_of(batch), batch["fronts"].float()
    told, wanted = view.told_of(moment), batch["bodies"]
    parts = told_of(textures, Front(*fronts.flatten(0, 1).unbind(1)))
    with reducing(batch["u"].device.type):
        given = view.bodies.shader(torch.stack(parts, 1).view(*fronts.shape[:2], -1), told).float()
    colour = lit(given, view.terrain.light(told).float()[:, None])
    cover = torch.sigmoid(given[..., 4])
    missed = cover[..., None] * colour - wanted[..., :1] * wanted[..., 1:]
    error = missed.abs().mean(2) + 4 * missed.square().mean(2) + 0.3 * (cover - wanted[..., 0]).abs()
    return (error * batch["stands"][:, None]).mean()


def windows_loss(view: View, batch: dict[str, Tensor]) -> Tensor:
    """Error of doors and windows at points of walls: of how much they cover, and of what they cover with."""
    built = batch["built"].nonzero()[:, 0]
    if not len(built):
        return batch["walls"].new_zeros(())
    walls, wanted = batch["walls"][built], batch["windows"][built]
    height, high, along, hue, distance, _ = walls.flatten(0, 1).unbind(1)
    parts = torch.stack(front_of(distance, hue, high, height, along), 1).view(*walls.shape[:2], -1)
    with reducing(walls.device.type):
        given = view.terrain.fronts(parts, view.told_of(moment_of(batch))[built]).float()
    cover = torch.sigmoid(given[..., 3:])
    missed = cover * given[..., :3] - wanted[..., 1:]
    error = missed.abs().mean(2) + 4 * missed.square().mean(2) + 0.3 * (cover[..., 0] - wanted[..., 0]).abs()
    return error.mean() * (len(built) / len(batch["built"]))


@torch.no_grad()
def psnrs_db(view: View, worlds: range, batches: int) -> list[float]:
    """Peak signal to noise of the view against the diorama, in dB, of random moments in the fields of these seeds."""
    textures = _textures(worlds)
    rng, found = np.random.default_rng([7, 41]), []
    v = (torch.arange(HEIGHT) + 0.5) / HEIGHT
    for _ in range(batches):
        made = random_batch(rng, view.preset.view_looks, PICTURES, COLUMNS, worlds)
        whole = {name: torch.from_numpy(value) for name, value in made.items()}
        for k in range(PICTURES):  # one by one, as pictures are shown: rays then look at walls too
            batch = {name: value[k : k + 1] for name, value in whole.items()}
            with reducing("cpu"):
                shown, _, _ = view.columns(textures, moment_of(batch), batch["u"], v, WIDTH / HEIGHT, 1 / HEIGHT)
            wrong = (shown.clamp(0, 1) - batch["image"].clamp(0, 1)).square().mean()
            found.append(float(-10 * wrong.clamp(min=1e-6).log10()))
    return found


def main() -> None:
    """Parse the command line and train."""
    parser = options_of(__doc__, 60.0, 4e-3, 3.0)
    parser.add_argument("--preset", default="nacre", choices=sorted(PRESETS))
    options = parser.parse_args()
    preset = replace(PRESETS[options.preset], view_looks=min(PRESETS[options.preset].view_looks, LOOKS))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(0)
    course = Course("view", View(preset).to(device), options, Rates(warm=200, decay=0.001, slow=EXACT))
    view = course.module
    textures = Textures.of([field_of(seed) for seed in range(WORLDS)], device)
    generator = torch.Generator().manual_seed(course.update)

    def log() -> str:
        seen = np.mean(psnrs_db(copy.deepcopy(course.average).cpu(), range(WORLDS), 2))
        return f"{course.losses.get('colours', 0.0):.5f}\t{course.losses.get('heights', 0.0):.4f}\t{seen:.2f}"

    course.log = log
    drawn = batches(preset, course.update, device)
    for _ in course:
        upper = 2 * torch.randperm(HEIGHT // 2, generator=generator)[: ROWS // 2].sort().values
        rows = torch.stack([upper, upper + 1], 1).flatten()
        batch = next(drawn)
        colours, heights = loss_of(view, textures, batch, rows)
        bodies, windows = bodies_loss(view, textures, batch), windows_loss(view, batch)
        (colours + 0.05 * heights + bodies + windows).backward()
        losses = {"colours": colours, "heights": heights, "bodies": bodies, "windows": windows}
        course.learn([view], **{name: float(loss.detach()) for name, loss in losses.items()})


if __name__ == "__main__":
    main()
