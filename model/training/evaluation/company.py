"""Do figures come and go when they are asked for, and is who is seen who was asked for? And who walks before us?

A figure is seen by what it changes: a fork of a world that was told something beside one that was told nothing, at the
same steps of the same walk. What has changed a judge names, from its shape, its colours and where it stands. It learns
from pairs of diorama pictures with and without a figure, and is tried on others, of fields and walks it never saw. What
it learnt is kept on disk under a hash of the diorama's code and of this file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor
from tqdm import tqdm

from model.cast import Cast
from model.conditions import CHARACTERS, FIGURES, STEPS_PER_S, Conditions
from model.diorama import episode
from model.diorama.captions import NO_CHARACTER, Meaning
from model.diorama.places import PLACES
from model.training.evaluation import clips
from model.training.evaluation.cached import code_of
from model.training.evaluation.figure import Figure, Findings, Pictures, Settings
from model.training.evaluation.rollouts import STILL, roll, world_of
from model.training.evaluation.trials import OPEN
from model.training.evaluation.wordings import directives, is_chinese
from model.world import World, WorldModel

NAMES = (*FIGURES, *(f"{name} seen from behind" for name in CHARACTERS))
WITHIN, EVERY = 8 * STEPS_PER_S, 8  # steps in which a figure is to be seen, and between two looks
SETTLE = 2 * STEPS_PER_S
GONE_AFTER = 7 * STEPS_PER_S  # steps after which one who was sent away is to be gone
FIT, TRY = 24, 8  # clips of each kind that are learnt from, and tried on
CHANGED, LEAST = 12, 5  # of 255 by which a pixel has changed, and pixels that are something
PATCH = 20  # pixels across of what is looked at
ABOUT = 12  # numbers of a figure's size, place and light, which count as much as many pixels
MIXED, RIDGE = 1200, 10.0
_BY_NIGHT = frozenset({"fireworks", "fireflies", "lanterns", "meteor"})


def seen_of(told: NDArray[np.uint8], untold: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    """What a figure looks like that is in the one picture (H, W, 3) and not in the other; None where nothing is."""
    size = clips.SIZE[::-1]
    shown, bare = (cv2.resize(p, size, interpolation=cv2.INTER_AREA).astype(np.float32) for p in (told, untold))
    change = (shown - bare).max(2), (bare - shown).max(2)
    mask = (np.maximum(*change) > CHANGED).astype(np.uint8)
    if mask.sum() < LEAST:
        return None
    rows, columns = np.nonzero(mask)
    (top, bottom), (left, right) = (np.quantile(part, (0.01, 0.99)) for part in (rows, columns))
    side = max(bottom - top, right - left, 3) * 1.15
    middle = (left + right) / 2, (top + bottom) / 2
    scale = PATCH / side
    to_patch = np.array(
        [[scale, 0, PATCH / 2 - scale * middle[0]], [0, scale, PATCH / 2 - scale * middle[1]]], np.float32
    )

    def cut(picture: NDArray[np.float32]) -> NDArray[np.float32]:
        blurred = cv2.blur(picture, (max(1, round(1 / scale)),) * 2) if scale < 1 else picture
        return np.asarray(cv2.warpAffine(blurred, to_patch, (PATCH, PATCH), flags=cv2.INTER_LINEAR), np.float32)

    cover = cut(mask.astype(np.float32))
    colours = cut(shown) * cover[..., None] / 255
    pieces = cv2.connectedComponents(mask)[0] - 1
    on = mask > 0
    about = [
        np.log(side / 40), middle[1] / 90 - 1, np.log((right - left + 2) / (bottom - top + 2)),
        4 * mask.sum() / max(1.0, (right - left + 1) * (bottom - top + 1)) - 2, np.log(pieces),
        float(bare.mean()) / 64 - 2, *(shown[on].mean(0) / 64 - 2), *((shown - bare)[on].mean(0) / 32),
    ]  # fmt: skip
    return np.concatenate([2 * cover.ravel() - 0.5, 3 * colours.ravel(), np.array(about)]).astype(np.float32)


def _diorama(kind: int, seed: int) -> list[NDArray[np.float32]]:
    """What is seen of a figure of a kind that comes into a diorama walk."""
    rng = np.random.default_rng([seed, 61])
    night = NAMES[kind] in _BY_NIGHT if rng.random() < 0.7 else rng.random() < 0.5
    weather = {"sun_rad": rng.uniform(-0.6, -0.3) if night else rng.uniform(0.2, 1.0), "cloud": rng.uniform(0, 0.7)}
    weather |= {"fog": rng.uniform(0, 0.1), "wind": rng.uniform(0, 0.5)}
    motion = np.array([0, 0, rng.uniform(-0.1, 0.1), 0], np.float32)
    script = clips.script_of(seed, WITHIN, PLACES.index(OPEN[seed % len(OPEN)]), clips.environment_of(weather), motion)
    if kind < len(FIGURES):
        script = replace(script, cues=tuple({FIGURES[kind]: "enter"} if step == 0 else {} for step in range(WITHIN)))
    walked = episode.walk(script, seed)
    at = range(EVERY - 1, WITHIN, EVERY)
    without = clips.seen(replace(walked, casts=[Cast()] * WITHIN), at)
    if kind >= len(FIGURES):
        walked = replace(walked, third=True, character=kind - len(FIGURES))
    return [s for s in map(seen_of, clips.seen(walked, at), without) if s is not None]


class CompanyJudge:
    """Names who is seen: ridge regression on random features of what changed."""

    def __init__(self, mean: Tensor, deviation: Tensor, mix: Tensor, weights: Tensor) -> None:
        self.mean, self.deviation, self.mix, self.weights = mean, deviation, mix, weights

    def _features(self, seen: Tensor) -> Tensor:
        x = ((seen - self.mean) / self.deviation).clamp(-4, 4)
        x = torch.cat([x[:, :-ABOUT], 4 * x[:, -ABOUT:]], 1)
        return torch.cat([torch.relu(x @ self.mix), x, torch.ones(len(x), 1)], 1)

    def name(self, seen: list[NDArray[np.float32]]) -> int | None:
        """Who is seen in several looks at one, as a place in NAMES; None where nobody is."""
        if not seen:
            return None
        return int((self._features(torch.from_numpy(np.stack(seen))) @ self.weights).mean(0).argmax())

    @staticmethod
    def fitted(looks: list[list[NDArray[np.float32]]], kinds: list[int]) -> CompanyJudge:
        """A judge that learnt from looks at figures of these kinds."""
        seen = torch.from_numpy(np.stack([s for part in looks for s in part]))
        kind = torch.tensor([k for part, k in zip(looks, kinds, strict=True) for _ in part])
        mix = torch.randn(seen.shape[1], MIXED, generator=torch.Generator().manual_seed(0)) / seen.shape[1] ** 0.5
        judge = CompanyJudge(seen.mean(0), seen.std(0).clamp(min=0.05), mix, torch.zeros(0))
        features = judge._features(seen)
        counts = torch.bincount(kind, minlength=len(NAMES)).clamp(min=1)
        weight = (len(kind) / len(NAMES) / counts)[kind][:, None].sqrt()  # each kind as much as any other
        wanted = torch.nn.functional.one_hot(kind, len(NAMES)).float()
        gram = (features * weight).T @ (features * weight) + RIDGE * torch.eye(features.shape[1])
        judge.weights = torch.linalg.solve(gram, (features * weight).T @ (wanted * weight))
        return judge


def _looks(seeds: range, each: int) -> tuple[list[list[NDArray[np.float32]]], list[int]]:
    kinds = [k for k in range(len(NAMES)) for _ in range(each)]
    bar = tqdm(list(zip(seeds, kinds, strict=True)), desc="the judge looks at figures", unit="clip", mininterval=5)
    return [_diorama(kind, seed) for seed, kind in bar], kinds


def company_of(cache: Path) -> tuple[CompanyJudge, float]:
    """The judge and how often it is right of held-out clips: from `cache` if it is there, else trained now."""
    path = cache / f"company-{code_of(Path(__file__))}.safetensors"
    if path.is_file():
        with safe_open(path, "pt") as file:
            return CompanyJudge(**load_file(path)), float(json.loads(file.metadata()["tried"]))
    judge = CompanyJudge.fitted(*_looks(range(clips.FIT_SEED, clips.FIT_SEED + FIT * len(NAMES)), FIT))
    looks, kinds = _looks(range(clips.TRY_SEED, clips.TRY_SEED + TRY * len(NAMES)), TRY)
    right = float(np.mean([judge.name(seen) == kind for seen, kind in zip(looks, kinds, strict=True)]))
    cache.mkdir(parents=True, exist_ok=True)
    save_file(
        {name: value.contiguous() for name, value in vars(judge).items()}, path, metadata={"tried": json.dumps(right)}
    )
    return judge, right


def _wanted(meaning: Meaning) -> tuple[int, str] | None:
    """Who a phrase is about, as a place in NAMES, and whether he comes or goes; None if it is about more or less."""
    if meaning == Meaning(figures=meaning.figures) and len(meaning.figures) == 1:
        ((name, cue),) = meaning.figures.items()
        return NAMES.index(name), cue
    if meaning.character != NO_CHARACTER and meaning == Meaning(view="third", character=meaning.character):
        return len(FIGURES) + meaning.character, "enter"
    return None


def _phrases(seed: int, each: int) -> Iterator[tuple[str, int, str]]:
    """Held-out phrases, `each` of every kind, cue and language, if there are so many: with who is meant and the cue."""
    given: dict[tuple[int, str, bool], int] = {}
    for phrase, meaning in islice(directives(seed + 900), 6_000):
        wanted = _wanted(meaning)
        if wanted is None:
            continue
        key = (*wanted, is_chinese(phrase))
        given[key] = given.get(key, 0) + 1
        if given[key] <= each:
            yield phrase, *wanted


class _Visits:
    """Worlds that figures are asked into, and pictures of them when nobody is; kept for the next who is."""

    def __init__(self, model: WorldModel, seed: int) -> None:
        self.model, self.seed = model, seed
        self._kept: dict[tuple[str, bool], tuple[World, Pictures]] = {}
        self._alone: dict[tuple[str, bool], Pictures] = {}  # when somebody would have gone again

    def pictures(self, kind: int, number: int, ask: Callable[[Conditions], Conditions]) -> tuple[Pictures, Pictures]:
        """Pictures of a fork that is asked and of one that is not."""
        place, night = OPEN[number % len(OPEN)], NAMES[kind] in _BY_NIGHT
        if (place, night) not in self._kept:
            # Still air: gusts are dreamt otherwise once somebody is heard, and grass and crowns would have changed too.
            weather = {"sun_rad": -0.45 if night else 0.6, "cloud": 0.3, "wind": 0.0}
            world = world_of(self.model, place, 300 + len(self._kept) + 1000 * self.seed, weather)
            roll(world, SETTLE, Conditions(motion=STILL), 0)
            self._kept[(place, night)] = world, roll(world.fork(), WITHIN, Conditions(motion=STILL), EVERY)[0]
        world, bare = self._kept[(place, night)]
        asked = Conditions(motion=STILL)
        return roll(world.fork(), WITHIN, asked, EVERY, first=ask(asked))[0], bare

    def left(self, kind: int, number: int, ask: Callable[[Conditions], Conditions]) -> tuple[Pictures, Pictures]:
        """Pictures of when one who had come has been sent away for GONE_AFTER steps, and of when nobody had come."""
        self.pictures(kind, number, lambda asked: asked)
        where = OPEN[number % len(OPEN)], NAMES[kind] in _BY_NIGHT
        world, _ = self._kept[where]
        asked, visited = Conditions(motion=STILL), world.fork()
        visited.wish = replace(visited.wish, cues={NAMES[kind]: "enter"})
        roll(visited, WITHIN, asked, 0)
        roll(visited, GONE_AFTER, asked, 0, first=ask(asked))
        if where not in self._alone:
            alone = world.fork()
            roll(alone, WITHIN + GONE_AFTER, asked, 0)
            self._alone[where] = roll(alone, EVERY, asked, EVERY)[0]
        return roll(visited, EVERY, asked, EVERY)[0], self._alone[where]


def company(model: WorldModel, settings: Settings) -> Findings:
    """Share of unseen phrases after which who was asked for is seen, and named, or is gone; characters apart."""
    judge, tried = company_of(settings.cache)
    visits = _Visits(model, settings.seed)
    right: dict[str, list[bool]] = {}
    rows: list[tuple[str, Pictures]] = []
    for number, (phrase, kind, cue) in enumerate(_phrases(settings.seed, settings.of(1, 3))):

        def ask(asked: Conditions, phrase: str = phrase) -> Conditions:
            return replace(asked, directive=model.embed(phrase))

        if cue == "leave":
            if NAMES[kind] == "meteor":  # gone by itself before anybody could send it away
                continue
            told, bare = visits.left(kind, number, ask)
            good = all(seen_of(a, b) is None for a, b in zip(told, bare, strict=True))
        else:
            told, bare = visits.pictures(kind, number, ask)
            good = judge.name([s for s in map(seen_of, told, bare) if s is not None]) == kind
        part = "leaves" if cue == "leave" else "comes" if kind < len(FIGURES) else "walks"
        for name in (part, NAMES[kind], "Chinese" if is_chinese(phrase) else "English"):
            right.setdefault(name, []).append(good)
        right.setdefault("character_named" if kind >= len(FIGURES) else "figure_named", []).append(good)
        rows.append((f"{'+' if good else '-'} {phrase}", told[:: max(1, len(told) // 4)][:4]))
    figures = {}
    for name in ("figure_named", "character_named"):
        found = right.pop(name)
        of_it = {k: float(np.mean(v)) for k, v in right.items()} if name == "figure_named" else {}
        figures[name] = Figure(float(np.mean(found)), len(found), tried, of_it)
    return Findings(figures, sheets={"company": rows})
