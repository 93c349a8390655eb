"""Where a world begins: a spot of its field with something to see, and what a given picture is taken for.

Both are found by looking: the view is asked for small pictures of many spots, or of many places and hours, and the
best is kept. No other network is needed, and whatever the view can show can be found.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.camera import EYE_M, MOON_AZIMUTH_RAD, SUN_AZIMUTH_RAD, distances
from model.conditions import ENVIRONMENT, FAIR, GRID, Array
from model.diorama.places import COLUMN, PLACES, TABLE
from model.field import PERIOD_M, SIZE, TOWN_CELL_M
from model.points import Land
from model.shading import Moment, Textures
from model.view import View
from model.walker import Walker

SPOTS, COLUMNS, ROWS = 20, 32, 24
PROFILE_ROWS, PROFILE_COLUMNS = 18, 10
STREET_AHEAD_M = 70.0
SHORE_AHEAD_M = 22.0  # where a sea begins when a coast is asked for in a running world
_LOOKS = 56  # points of a small picture's rays
_FAR_M = 4000.0  # what counts as the sky's distance
# Hours and weathers that a picture is compared with.
_SKIES: tuple[dict[str, float], ...] = (
    {"sun_rad": 1.0, "cloud": 0.1}, {"sun_rad": 0.8, "cloud": 0.6}, {"sun_rad": 0.5, "cloud": 1.0},
    {"sun_rad": 0.3, "cloud": 0.2}, {"sun_rad": 0.1, "cloud": 0.2}, {"sun_rad": 0.0, "cloud": 0.5},
    {"sun_rad": -0.25, "cloud": 0.2}, {"sun_rad": -0.6, "cloud": 0.1}, {"sun_rad": 0.5, "fog": 0.8, "cloud": 0.5},
)  # fmt: skip


def moments(walkers: list[Walker], places: Array, environments: Array, device: torch.device) -> Moment:
    """Moments of walkers (B) in one field, under places (B, 8) and environments (B, 7): no flash, nobody about."""
    b = len(walkers)

    def tensor(rows: object) -> Tensor:
        return torch.as_tensor(np.array(rows)).to(device)

    return Moment(
        world=torch.zeros(b, dtype=torch.long, device=device), place=tensor(places), environment=tensor(environments),
        flash=torch.zeros(b, device=device), camera=tensor([w.camera for w in walkers]),
        shore=tensor([w.shore for w in walkers]), phases=tensor([w.phases for w in walkers]),
        presence=torch.zeros(b, *GRID, 2, device=device),
    )  # fmt: skip


def stand(
    view: View, textures: Textures, walkers: list[Walker], places: Array, environments: Array
) -> tuple[Tensor, Tensor]:
    """Put walkers on the ground, or on the water, where they are; heights of both there, (B,) each."""
    device = textures.land.device
    moment = moments([*walkers], places, environments, device)
    x, y = moment.camera[:, 0:1].float(), moment.camera[:, 1:2].float()
    ground, level = view.ground_at(textures, moment, x, y)
    for walker, height in zip(walkers, torch.maximum(ground[:, 0], level).tolist(), strict=True):
        walker.z = height + EYE_M
    return ground[:, 0], level


def _looks(device: torch.device) -> Tensor:
    """Where the rays of small pictures look at the land, in m: their few rows need no more."""
    return torch.from_numpy(distances(_LOOKS)).to(device)


def _look(view: View, textures: Textures, moment: Moment, columns: int, rows: int) -> tuple[Tensor, Tensor, Land]:
    """Small pictures (B, rows, columns, 3), their depth in m (B, rows, columns) and the land that they show."""
    device = moment.camera.device
    u = ((torch.arange(columns, device=device) + 0.5) / columns).expand(len(moment.camera), -1)
    v = (torch.arange(rows, device=device) + 0.5) / rows
    aspect = view.preset.width / view.preset.height
    distance = _looks(device)
    shown, land, depth = view.columns(textures, moment, u, v, aspect, 1 / rows, distance=distance)
    return shown.transpose(1, 2), depth.transpose(1, 2), land


def _light(sun_rad: float) -> tuple[float, float]:
    """The bearing of the sun, or by night of the moon, and how much a view towards it is worth: most when it is low."""
    if sun_rad < -0.25:
        return MOON_AZIMUTH_RAD, 1.0
    return SUN_AZIMUTH_RAD, 1.5 * math.exp(-(((sun_rad - 0.05) / 0.3) ** 2))


def _street(textures: Textures, rng: np.random.Generator) -> tuple[float, float, float]:
    """A spot in a street of the first field, in m, and a bearing along it: free of houses as far as can be seen."""
    town, shift = textures.town[:, 0].cpu().numpy(), textures.shift[0].cpu().numpy()
    ahead = np.arange(-4.0, STREET_AHEAD_M, 2.0)
    for _ in range(400):
        x, y = rng.uniform(0, PERIOD_M, 2)
        yaw = float(rng.integers(4) * np.pi / 2 + rng.normal(0, 0.12))
        u = ((x + shift[0] + ahead * np.sin(yaw)) / TOWN_CELL_M).astype(int) % SIZE
        v = ((y + shift[1] + ahead * np.cos(yaw)) / TOWN_CELL_M).astype(int) % SIZE
        if not town[v * SIZE + u].any():
            break
    return float(x), float(y), yaw


def find_spot(view: View, textures: Textures, place: Array, environment: Array, seed: int) -> Walker:
    """A walker somewhere in the field with a view: near and far things, colours, nothing right before the eyes."""
    rng = np.random.default_rng([seed, 6])
    bearing, pull = _light(float(environment[0]))
    built = float(place @ TABLE[:, COLUMN["block_m"]]) > 1
    walkers = []
    for number in range(SPOTS):
        yaw = float(rng.uniform(-np.pi, np.pi))
        if number % 2:  # half of them towards the light
            yaw = bearing + float(rng.normal(0, 0.4))
        x, y = float(rng.uniform(0, PERIOD_M)), float(rng.uniform(0, PERIOD_M))
        if built:
            x, y, yaw = _street(textures, rng)
        walker = Walker(
            x, y, yaw=yaw, clock_s=float(rng.uniform(0, 600)), drift=float(rng.uniform(0, SIZE)),
            swash=float(rng.random()),
        )  # fmt: skip
        walkers.append(walker.with_shore(float(rng.uniform(10, 30)), yaw + float(rng.normal(0, 0.4))))
    places, environments = np.tile(place, (SPOTS, 1)), np.tile(environment, (SPOTS, 1))
    environments[:, 0], environments[:, 1:5] = 0.7, (0.3, 0, 0, 0)  # judged by day
    ground, level = stand(view, textures, walkers, places, environments)
    moment = moments(walkers, places, environments, textures.land.device)
    shown, depth, land = _look(view, textures, moment, COLUMNS, ROWS)
    depth = torch.where(depth > 0, depth, _FAR_M)
    # What stands between the eyes and the distance, in the middle of the picture.
    ahead = depth[:, ROWS // 4 : ROWS * 5 // 8, COLUMNS // 5 : -COLUMNS // 5]
    blocked = (ahead < 18).float().mean((1, 2))
    spread = depth[:, : ROWS * 3 // 4].log().std((1, 2))
    sky = (depth >= _FAR_M).float().mean((1, 2))
    colours = shown.std((1, 2)).mean(1)
    # Where there is water it is to be seen, from dry ground.
    near = _looks(land.ground.device) < 200
    wet = (land.ground < level[:, None, None])[..., near].float().mean((1, 2))
    dry = (ground > level + 0.3).float()
    off = torch.tensor([math.remainder(w.yaw - bearing, 2 * math.pi) for w in walkers], device=wet.device)
    lit = pull * (-3 * off.square()).exp()
    score = lit + spread + 3 * colours - 4 * blocked - 3 * (0.35 - sky).clamp(min=0) + dry + 3 * wet.clamp(max=0.4)
    return walkers[int(score.argmax())]


@dataclass(frozen=True)
class Likeness:
    """What a picture is taken for: a place (8,) and an environment (7,)."""

    place: Array
    environment: Array


def profile(picture: Tensor) -> Tensor:
    """Mean and deviation of a picture's colours row by row: (H, W, 3) in 0..1 to (PROFILE_ROWS, 6)."""
    small = torch.nn.functional.interpolate(
        picture.permute(2, 0, 1)[None], (PROFILE_ROWS, PROFILE_COLUMNS * 2), mode="area"
    )[0]
    return torch.cat([small.mean(2), small.std(2)]).T


def likeness(view: View, textures: Textures, picture: Tensor, seed: int) -> Likeness:
    """The place and hour whose small pictures, row by row, come nearest to a picture (H, W, 3) in 0..1."""
    pairs = list(itertools.product(range(len(PLACES)), range(len(_SKIES))))
    places = np.eye(len(PLACES), dtype=np.float32)[[p for p, _ in pairs]]
    environments = np.tile(FAIR, (len(pairs), 1))
    for row, (_, sky) in enumerate(pairs):
        for key, value in _SKIES[sky].items():
            environments[row, ENVIRONMENT.index(key)] = value
    rng = np.random.default_rng([seed, 7])
    walkers = []
    for _ in pairs:
        yaw = float(rng.uniform(-np.pi, np.pi))
        walker = Walker(float(rng.uniform(0, PERIOD_M)), float(rng.uniform(0, PERIOD_M)), yaw=yaw)
        walkers.append(walker.with_shore(SHORE_AHEAD_M, yaw))
    stand(view, textures, walkers, places, environments)
    moment = moments(walkers, places, environments, textures.land.device)
    shown, _, _ = _look(view, textures, moment, PROFILE_COLUMNS, PROFILE_ROWS)
    seen = torch.cat([shown.mean(2), shown.std(2)], 2)  # (B, rows, 6)
    weight = seen.new_tensor([1.0, 1.0, 1.0, 0.5, 0.5, 0.5])
    missed = ((seen - profile(picture)) * weight).abs().mean((1, 2))
    best = int(missed.argmin())
    return Likeness(places[best], environments[best])


def mood_of(picture: Tensor, shown: Tensor) -> NDArray[np.float32]:
    """What a picture's colours have more than those `shown`, row by row, both (H, W, 3) in 0..1: (PROFILE_ROWS, 3)."""
    return (profile(picture) - profile(shown))[:, :3].cpu().numpy()
