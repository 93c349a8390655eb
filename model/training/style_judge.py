"""Whether a world looks as the style that was asked for: a small judge, fitted on the diorama in all styles."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from model.conditions import STYLES, Conditions
from model.diorama.places import PLACES
from model.diorama.styles import FILTERS
from model.looks import Looks, Textures
from model.training.brush import SIZE, drawn
from model.world import WorldModel

_FITTED, _HELD_OUT = range(70_000_000, 70_000_048), range(71_000_000, 71_000_024)  # episodes


def _seen(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What a picture of any size is judged by: its colours' histogram, and how much it changes at several scales."""
    small = cv2.resize(picture, SIZE[::-1], interpolation=cv2.INTER_AREA)
    bins = (small // 64).reshape(-1, 3).astype(np.int64) @ np.array([16, 4, 1])
    colours = np.sqrt(np.bincount(bins, minlength=64) / bins.size)
    hsv = cv2.cvtColor(small, cv2.COLOR_RGB2HSV).reshape(-1, 3) / np.array([180, 255, 255])
    found: list[NDArray[Any]] = [colours, hsv.mean(0), hsv.std(0)]
    grey: NDArray[Any] = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    for _ in range(4):
        edges = np.abs(cv2.Laplacian(grey, cv2.CV_32F))
        found.append(np.log(np.array([edges.mean(), edges.std(), np.median(edges)], np.float64) + 1e-3))
        grey = cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    border = np.concatenate([small[:5].reshape(-1, 3), small[:, :5].reshape(-1, 3)]) / 255
    return np.concatenate([*found, border.mean(0), border.std(0)]).astype(np.float32)


class StyleJudge:
    """Names the style of a picture: ridge regression on random features of it."""

    def __init__(self) -> None:
        self._textures = Textures.on(torch.device("cpu"))
        seen, style = self._examples(_FITTED)
        generator = torch.Generator().manual_seed(0)
        self._mean, self._deviation = seen.mean(0), seen.std(0).clamp(min=1e-3)
        self._mix = torch.randn(seen.shape[1], 600, generator=generator) / seen.shape[1] ** 0.5
        features = self._features(seen)
        gram = features.T @ features + 2.0 * torch.eye(features.shape[1])
        self._weights = torch.linalg.solve(gram, features.T @ torch.nn.functional.one_hot(style, len(STYLES)).float())
        held, right = self._examples(_HELD_OUT)
        self.accuracy = float((self._named(held) == right).float().mean())

    def _examples(self, episodes: range) -> tuple[Tensor, Tensor]:
        seen, style = [], []
        for seed in tqdm(episodes, desc="the judge of styles looks", unit="picture"):
            picture, depth, camera = drawn(seed)
            shown = torch.from_numpy(picture).float() / 255
            x, y, _, yaw, pitch = camera.tolist()
            looks = Looks(shown, torch.from_numpy(depth), (x, y, yaw, pitch), self._textures)
            for number, name in enumerate(STYLES):
                painted = FILTERS[name](looks).clamp(0, 1).permute(1, 2, 0).mul(255).byte().numpy()
                seen.append(torch.from_numpy(_seen(painted)))
                style.append(number)
        return torch.stack(seen), torch.tensor(style)

    def _features(self, seen: Tensor) -> Tensor:
        x = ((seen - self._mean) / self._deviation).clamp(-4, 4)
        return torch.cat([torch.relu(x @ self._mix), x, torch.ones(len(x), 1)], 1)

    def _named(self, seen: Tensor) -> Tensor:
        return (self._features(seen) @ self._weights).argmax(1)

    def name(self, picture: NDArray[np.uint8]) -> str:
        """The style of a picture uint8 (H, W, 3)."""
        return STYLES[int(self._named(torch.from_numpy(_seen(picture))[None])[0])]


def style_named(model: WorldModel, worlds: int = 8, judge: StyleJudge | None = None) -> tuple[float, int, float]:
    """Share of worlds, `worlds` in each style, whose style the judge names; how many; its accuracy on the diorama."""
    judge = judge or StyleJudge()
    right = 0
    for number in tqdm(range(worlds), desc="worlds in all styles", unit="world"):
        for style in STYLES:
            world = model.begin("a " + PLACES[number % len(PLACES)], seed=700 + number, style=style)
            right += judge.name(world.step(Conditions()).frames[0]) == style
    return right / (worlds * len(STYLES)), worlds * len(STYLES), judge.accuracy
