"""Judge a model by its own rollouts: `python -m model.training.evaluate MODEL --out DIR`.

Nothing here asks the model what it meant: pictures are read by optical flow and by a small judge that was fitted on
the diorama alone, sound by its bands' loudness. Every judge is tried first on diorama clips it never saw, and its own
accuracy is printed beside the figure it gives. The method of each figure is in docs/nacre.md.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from model.conditions import ENVIRONMENT, GRID, STEPS_PER_S, Conditions
from model.diorama.captions import scene
from model.diorama.places import PLACES
from model.diorama.sound import THUNDER_DELAY_STEPS
from model.sound_codec import BANDS, SUBFRAMES, analyse
from model.training.prepare import HELD_OUT_SEED
from model.world import World, WorldModel, load

Pictures = NDArray[np.uint8]
MOVES: dict[str, tuple[int, float]] = {"forward": (0, 1.0), "strafe": (1, 1.0), "yaw": (2, 0.5), "pitch": (3, 0.25)}
FAIR_DAY = {"sun_rad": 0.9, "cloud": 0.25, "fog": 0.0, "rain": 0.0, "snow": 0.0, "wind": 0.2}
JUDGE_SEED = 30_000_000  # episodes the judge is fitted on
_SIZE = (180, 320)  # of the diorama's pictures that judges look at


@dataclass(frozen=True)
class Figure:
    """A measured figure, how many samples it rests on, and how its judge did on diorama clips (None: no judge)."""

    value: float
    samples: int
    judge: float | None = None


# --- movement, from optical flow ---


def movement(pictures: Pictures) -> dict[str, float]:
    """Mean movement between pictures (T, H, W, 3), by name of the command that would cause it, in pixels a step.

    Farnebäck's (2003) flow at half size. Turning moves the band about the horizon sideways, pitching moves it up and
    down, strafing moves the foreground against that band, and walking forward spreads the foreground.
    """
    grey = [cv2.resize(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), None, fx=0.5, fy=0.5) for p in pictures]
    found = []
    for a, b in itertools.pairwise(grey):
        flow = cv2.calcOpticalFlowFarneback(a, b, np.zeros((*a.shape, 2), np.float32), 0.5, 4, 25, 3, 7, 1.5, 0) * 2
        height, width = a.shape
        middle, low = flow[height * 25 // 100 : height * 60 // 100], flow[height * 72 // 100 : height * 96 // 100]
        across = np.linspace(-1, 1, width)[None]
        found.append(
            (
                (low[..., 0] * across).mean(),
                -(low[..., 0].mean() - middle[..., 0].mean()),
                -middle[..., 0].mean(),
                middle[..., 1].mean(),
            )
        )
    return dict(zip(MOVES, np.mean(found, 0).tolist(), strict=True))


def _sign_right(clip: Callable[[NDArray[np.float32], int], Pictures], tries: int) -> tuple[float, float, int]:
    """Share of commands whose movement has the right sign, and correlation, over `tries` clips a command."""
    right, correlations, count = 0, [], 0
    for name, (at, most) in MOVES.items():
        asked, seen = [], []
        for number in range(tries):
            strength = most * (1 if number % 2 else -1) * (0.5 + 0.5 * (number // 2) / max(1, tries // 2 - 1))
            motion = np.zeros(4, np.float32)
            motion[at] = strength
            # A camera that pitches on ends at its limit: one second is what it has.
            seen.append(movement(clip(motion, number)[8:] if name != "pitch" else clip(motion, number)[3:12])[name])
            asked.append(strength)
        right += int((np.sign(seen) == np.sign(asked)).sum())
        correlations.append(float(np.corrcoef(asked, seen)[0, 1]))
        count += tries
    return right / count, float(np.mean(correlations)), count


def _dreamt_clip(model: WorldModel, motion: NDArray[np.float32], number: int) -> Pictures:
    world = model.begin("a " + PLACES[number % len(PLACES)], seed=100 + number)
    asked = Conditions(motion=motion, environment=FAIR_DAY)
    return np.stack([world.step(asked).frames[0] for _ in range(20)])


def _diorama_clip(motion: NDArray[np.float32], number: int) -> Pictures:
    from model.diorama import episode

    seed = HELD_OUT_SEED + 500 + number
    script = episode.random_script(seed, 20, place=number % len(PLACES))
    script.environment[:] = [FAIR_DAY.get(key, 0.5) for key in ENVIRONMENT]
    script.motion[:] = motion
    script.presence[:] = 0
    return np.stack(list(episode.pictures(episode.walk(replace(script, third=False, cues=()), seed), _SIZE)))


def follow_actions(model: WorldModel, tries: int) -> dict[str, Figure]:
    """Whether commands move the picture their way, and how strongly: sign and correlation."""
    sign, r, count = _sign_right(lambda motion, number: _dreamt_clip(model, motion, number), tries)
    true_sign, true_r, _ = _sign_right(_diorama_clip, min(tries, 6))
    return {"action_sign": Figure(sign, count, true_sign), "action_r": Figure(r, count, true_r)}


# --- what a picture shows, from a judge fitted on the diorama ---


class Judge:
    """Reads place and environment from a picture: ridge regression on random features of what is seen in it, small."""

    def __init__(self, episodes: int = 120) -> None:
        seen, place, environment = self._clips(range(JUDGE_SEED, JUDGE_SEED + episodes))
        generator = torch.Generator().manual_seed(0)
        self.mean, self.deviation = seen.mean(0), seen.std(0).clamp(min=1e-3)
        width = seen.shape[1]
        self.mix = torch.randn(width, 1500, generator=generator) / width**0.5
        self.bias = torch.randn(1500, generator=generator)
        features = self._features(seen)
        wanted = torch.cat([place, environment], 1)
        gram = features.T @ features + 3.0 * torch.eye(features.shape[1])
        self.weights = torch.linalg.solve(gram, features.T @ wanted)

    def _features(self, seen: Tensor) -> Tensor:
        x = ((seen - self.mean) / self.deviation).clamp(-4, 4)
        return torch.cat([torch.relu(x @ self.mix + self.bias), x, torch.ones(len(x), 1)], 1)

    def _see(self, pictures: Pictures) -> Tensor:
        """A thumbnail of 24 x 14, and how fine the detail is in each of 8 x 5 cells: (N, features)."""
        rows = []
        for picture in pictures:
            small = cv2.resize(picture, _SIZE[::-1], interpolation=cv2.INTER_AREA)
            thumb = cv2.resize(small, (24, 14), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
            edges = np.abs(cv2.Laplacian(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), cv2.CV_32F))
            fine = cv2.resize(edges, (8, 5), interpolation=cv2.INTER_AREA)
            rows.append(np.concatenate([thumb.ravel(), np.log1p(fine).ravel() / 4]))
        return torch.from_numpy(np.stack(rows))

    def _clips(self, seeds: range) -> tuple[Tensor, Tensor, Tensor]:
        from model.diorama import episode

        seen, place, environment = [], [], []
        for seed in tqdm(seeds, desc="the judge looks at the diorama", unit="episode"):
            walked = episode.walk(replace(episode.random_script(seed, 36), cues=()), seed)
            seen.append(self._see(np.stack(list(episode.pictures(walked, _SIZE, 4)))))
            place.append(torch.from_numpy(walked.place[::4]))
            environment.append(torch.from_numpy(walked.environment[::4]))
        return torch.cat(seen), torch.cat(place), torch.cat(environment)

    def read(self, pictures: Pictures) -> tuple[Tensor, Tensor]:
        """Place weights (N, 8) and environment (N, 7) of pictures uint8 (N, H, W, 3)."""
        given = self._features(self._see(pictures)) @ self.weights
        return given[:, : len(PLACES)], given[:, len(PLACES) :]

    def accuracy(self) -> tuple[float, dict[str, float]]:
        """On held-out diorama clips: share of places named, and of weathers told apart, by key."""
        seen, place, environment = self._clips(range(HELD_OUT_SEED + 900, HELD_OUT_SEED + 940))
        given = self._features(seen) @ self.weights
        sure = place.max(1).values > 0.9
        named = (given[:, : len(PLACES)].argmax(1) == place.argmax(1))[sure].float().mean()
        told = {}
        for key, (low, high) in WEATHERS.items():
            at = ENVIRONMENT.index(key)
            value, read = environment[:, at], given[:, len(PLACES) + at]
            clear = (value <= low) | (value >= high)
            told[key] = float(((read > (low + high) / 2) == (value >= high))[clear].float().mean())
        return float(named), told


# Below the first an environment counts as absent, above the second as present; between, nobody could say.
WEATHERS = {"sun_rad": (-0.25, 0.3), "rain": (0.05, 0.5), "snow": (0.05, 0.5), "fog": (0.25, 0.6)}


def name_scenes(model: WorldModel, judge: Judge, scenes: int) -> dict[str, Figure]:
    """Whether scenes in wordings never trained on are recognised in the picture, place, weather and time of day."""
    rng = np.random.default_rng([5, 1])
    place_judge, weather_judge = judge.accuracy()
    places, weathers = [], {key: [] for key in WEATHERS}  # type: ignore[var-annotated]
    while len(places) < scenes:
        text, meaning = scene(rng, judging=True)
        world = model.begin(text, seed=len(places))
        pictures = np.stack([world.step(Conditions(motion=np.zeros(4, np.float32))).frames[0] for _ in range(30)])
        place, environment = (values[-12:].mean(0) for values in judge.read(pictures))
        places.append(int(place.argmax()) == meaning.place)
        for key, (low, high) in WEATHERS.items():
            asked = meaning.environment.get(key)
            if asked is None or asked[0] != "set" or low < asked[1] < high:
                continue
            read = float(environment[ENVIRONMENT.index(key)])
            weathers[key].append((read > (low + high) / 2) == (asked[1] >= high))
    told = [right for key in WEATHERS for right in weathers[key]]
    return {
        "place_named": Figure(float(np.mean(places)), len(places), place_judge),
        "weather_named": Figure(float(np.mean(told)), len(told), float(np.mean(list(weather_judge.values())))),
    }


# --- the view, directives, drift, sound, visitors ---


def view_psnr(model: WorldModel, batches: int) -> dict[str, Figure]:
    """Peak signal to noise of the view against the diorama on fields that neither learnt from, in dB over moments."""
    from model.training.view import psnrs_db

    found = np.array(psnrs_db(model.view, range(1000, 1024), batches))
    return {
        "view_psnr_db": Figure(float(found.mean()), len(found)),
        "view_psnr_median_db": Figure(float(np.median(found)), len(found)),
    }


DIRECTED = (
    ("a calm coast at noon", "a thick fog rolls in from the sea"),
    ("a meadow in the morning", "night falls"),
    ("a desert at noon", "take us to a snowfield"),
    ("高山，晴天", "开始下雪"),
)


def continuity(model: WorldModel) -> dict[str, Figure]:
    """Largest change between frames within 2 s of a directive over the clip's median, walking; the worst of four."""
    worst = 0.0
    for seed, (text, directive) in enumerate(DIRECTED):
        world = model.begin(text, seed=seed)
        motion = np.array([0.7, 0, 0.1, 0], np.float32)
        frames = []
        for step in range(96):
            told = model.embed(directive) if step == 48 else None
            frames.append(world.step(Conditions(directive=told, motion=motion)).frames[0].astype(np.float32))
        jumps = np.array([np.abs(b - a).mean() for a, b in itertools.pairwise(frames)])
        worst = max(worst, float(jumps[46:72].max() / np.median(jumps)))
    return {"continuity_ratio": Figure(worst, len(DIRECTED))}


def _look(picture: Pictures, audio: NDArray[np.float32]) -> NDArray[np.float64]:
    small = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    saturation = cv2.cvtColor(small, cv2.COLOR_RGB2HSV)[..., 1].mean() / 255
    loudness = 20 * np.log10(np.sqrt((audio**2).mean()) + 1e-6)
    return np.array([np.abs(cv2.Laplacian(grey, cv2.CV_32F)).mean(), grey.std(), saturation, grey.mean(), loudness])


def drift(model: WorldModel, minutes: float) -> dict[str, Figure]:
    """Change of sharpness, contrast, saturation and brightness of a walk's last 20 s against its first, largest share.

    The first three seconds, in which a world eases into what was asked, are not counted. Loudness in dB.
    """
    world = model.begin("a meadow at noon", seed=3)
    rng = np.random.default_rng(0)
    steps, looks = round(minutes * 720), []
    motion = np.zeros(4, np.float32)
    for step in tqdm(range(steps), desc="walking", unit="step", mininterval=5):
        if step % 48 == 0:
            motion = np.array([rng.choice([0, 1.0]), 0, rng.choice([0, 0, 0.3, -0.3]), 0], np.float32)
        chunk = world.step(Conditions(motion=motion, environment=FAIR_DAY))
        if 36 <= step < 276 or step >= steps - 240:
            looks.append(_look(chunk.frames[0], chunk.audio))
    first, last = np.mean(looks[:240], 0), np.mean(looks[-240:], 0)
    names = ("sharpness", "contrast", "saturation", "brightness")
    change = {f"drift_{n}": Figure(float(last[i] / first[i] - 1), 1) for i, n in enumerate(names)}
    return {**change, "drift_loudness_db": Figure(float(last[4] - first[4]), 1)}


def sound_rank(model: WorldModel) -> dict[str, Figure]:
    """Spearman's rank correlation of asked-for rain, wind and waves with the bands' loudness over a wave; the mean."""
    found = []
    for place, key in (("a meadow", "rain"), ("a desert", "wind"), ("a coast", "energy")):
        levels, strengths = [], np.linspace(0, 1, 6)
        for number, strength in enumerate(strengths):
            world = model.begin(place, seed=50 + number % 2)
            asked = Conditions(
                motion=np.zeros(4, np.float32), environment={**FAIR_DAY, "wind": 0.1, key: float(strength)}
            )
            audio = np.concatenate([world.step(asked).audio for _ in range(80)][24:])
            levels.append(float(analyse(audio)[:, :96].mean()))
        ranks = np.argsort(np.argsort(levels))
        found.append(float(np.corrcoef(ranks, np.arange(len(strengths)))[0, 1]))
    return {"sound_rank": Figure(float(np.mean(found)), 18)}


def presence_ratio(model: WorldModel) -> dict[str, Figure]:
    """How much more a world changes inside a touched cell than elsewhere, against its untouched fork; the median."""
    ratios = []
    for number, place in enumerate(PLACES):
        world = model.begin("a " + place, seed=number)
        still = Conditions(motion=np.zeros(4, np.float32), environment=FAIR_DAY)
        for _ in range(12):
            world.step(still)
        other = world.fork()
        presence = np.zeros((*GRID, 2), np.float32)
        row, col = 1 + number % 3, 1 + (3 * number) % 6
        presence[row, col] = 1.0
        for _ in range(12):
            a = world.step(replace(still, presence=np.zeros_like(presence))).frames[0]
            b = other.step(replace(still, presence=presence)).frames[0]
        change = np.abs(a.astype(np.float32) - b).mean(2)
        cells = cv2.resize(change, GRID[::-1], interpolation=cv2.INTER_AREA)
        touched = cells[row, col]
        far = np.ones(GRID, bool)
        far[max(0, row - 1) : row + 2, max(0, col - 1) : col + 2] = False
        ratios.append(float(touched / max(cells[far].mean(), 1e-3)))
    return {"presence_ratio": Figure(float(np.median(ratios)), len(ratios))}


def revisit(model: WorldModel, worlds: int) -> dict[str, Figure]:
    """Peak signal to noise of a view after looking away by 90 degrees and back within 10 s, in dB, the median.

    As published for long-term memory of video models; time goes on meanwhile, so clouds and water have moved.
    """
    found = []
    for number in range(worlds):
        world = model.begin("a " + PLACES[number % len(PLACES)], seed=300 + number)

        def look(rate: float, steps: int, world: World = world) -> Pictures:
            motion = np.array([0, 0, rate, 0], np.float32)
            return [world.step(Conditions(motion=motion, environment=FAIR_DAY)).frames[0] for _ in range(steps)][-1]

        before = look(0.0, 12).astype(np.float32)
        look(0.7, 27), look(0.0, 8), look(-0.7, 27)
        after = look(0.0, 8).astype(np.float32)
        found.append(float(10 * np.log10(255**2 / ((after - before) ** 2).mean())))
    return {"revisit_psnr_db": Figure(float(np.median(found)), worlds)}


def thunder_error(model: WorldModel, worlds: int) -> dict[str, Figure]:
    """How far, in ms, thunder comes from where the diorama has it, a second after its flash: the median.

    A flash is asked for; thunder is where the low bands rise most within three seconds. To a quarter of a step.
    """
    strike = model.embed("lightning strikes")
    errors = []
    for number in range(worlds):
        world = model.begin("a coast in a storm", seed=400 + number)
        chunks = [world.step(Conditions(directive=strike if step == 24 else None)) for step in range(72)]
        bands = analyse(np.concatenate([c.audio for c in chunks]))[:, : SUBFRAMES * BANDS].reshape(-1, BANDS)
        low = np.convolve(bands[:, :4].mean(1), np.ones(3) / 3, "same")
        rise = (low[3:] - low[:-3])[25 * SUBFRAMES : 60 * SUBFRAMES]
        at = (int(rise.argmax()) + 1.5) / SUBFRAMES + 25
        errors.append(abs(at - 24 - THUNDER_DELAY_STEPS) * 1000 / STEPS_PER_S)
    return {"av_error_ms": Figure(float(np.median(errors)), worlds)}


@torch.inference_mode()
def evaluate(model: WorldModel, quick: bool, minutes: float) -> dict[str, Figure]:
    """All figures of a model; `quick` takes fewer samples and no drift."""
    figures = view_psnr(model, 2 if quick else 8)
    figures |= follow_actions(model, 6 if quick else 24)
    figures |= name_scenes(model, Judge(80 if quick else 200), 24 if quick else 96)
    figures |= continuity(model) | sound_rank(model) | presence_ratio(model)
    figures |= revisit(model, 6 if quick else 24) | thunder_error(model, 4 if quick else 20)
    if not quick:
        figures |= drift(model, minutes)
    return figures


def main() -> None:
    """Parse the command line, measure, print the table and write report.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", default="nacre", help="a packed model, by name or path")
    parser.add_argument("--quick", action="store_true", help="fewer samples; no drift")
    parser.add_argument("--minutes", type=float, default=10.0, help="length of the walk that drift is measured on")
    parser.add_argument("--out", type=Path, default=Path("work/evaluation"))
    options = parser.parse_args()
    figures = evaluate(load(options.model), options.quick, options.minutes)
    options.out.mkdir(parents=True, exist_ok=True)
    report: dict[str, Any] = {name: vars(figure) for name, figure in figures.items()}
    (options.out / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    for name, figure in figures.items():
        judged = "" if figure.judge is None else f"   (on diorama clips: {figure.judge:.3f})"
        print(f"{name:24} {figure.value:9.3f}   {figure.samples:4} samples{judged}")


if __name__ == "__main__":
    main()
