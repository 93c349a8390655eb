"""The judge of pictures: a small convolutional network that reads place, weather, hour and view from a short clip.

A clip is four pictures of a slow turn, most of a second apart: one picture of a coast may show dunes only.
It learns from diorama clips of all places, weathers and hours, a fifth of them mixtures of two places, and is tried on
clips of fields, seeds and walks it never saw. What it learnt is kept on disk under a hash of the diorama's code and of
this file, so that only the first run has to train it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from tqdm import tqdm

from model.conditions import ENVIRONMENT
from model.diorama import episode
from model.diorama.places import PLACES
from model.training.evaluation import clips
from model.training.evaluation.cached import code_of
from model.training.evaluation.figure import Pictures

READ = ("sun_rad", "cloud", "fog", "rain", "snow")  # what can be seen of the environment
LOOK = (90, 160)  # what the network is shown
PICTURES = 4  # of a clip
TURN_RAD_S, EVERY = 0.6, 10  # of the turn, and steps between its pictures
CLIPS_A_PLACE, EPOCHS, BATCH = 260, 14, 24
# Below the first an environment counts as absent, above the second as present; between, nobody could say.
PRESENT = {"sun_rad": (-0.25, 0.3), "cloud": (0.3, 0.7), "fog": (0.25, 0.6), "rain": (0.1, 0.5), "snow": (0.1, 0.5)}
ROOFED = ("reef", "cave", "starfield")  # places where no weather is seen
# Fair visibility: beyond these, what a place is cannot be seen.
FAIR_SUN_RAD, FAIR_MOST = -0.05, {"fog": 0.45, "rain": 0.8, "snow": 0.35}
_CHANNELS = (16, 24, 40, 56, 56)


class ReaderNet(nn.Module):
    """Clips (B, T, 3, 90, 160) in 0..1 to logits of places, environment in deviations, and a logit of third."""

    def __init__(self, places: int = len(PLACES)) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for number, channels in enumerate(_CHANNELS):
            size, stride = (5 if number == 0 else 3), (1 if number == len(_CHANNELS) - 1 else 2)
            layers += [nn.Conv2d(before, channels, size, stride, size // 2), nn.GroupNorm(8, channels), nn.SiLU()]
            before = channels
        self.trunk = nn.Sequential(*layers)
        self.picture = nn.Linear(2 * 3 * before, 56)  # mean and most of an upper, a middle and a lower band
        self.place = nn.Linear(2 * 56, places)
        self.environment = nn.Linear(2 * 56, len(READ))
        self.third = nn.Linear(2 * 56, 1)

    def forward(self, clip: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        b, t = clip.shape[:2]
        x = self.trunk((clip.flatten(0, 1) - 0.45) * 4)
        bands = torch.cat([F.adaptive_avg_pool2d(x, (3, 1)), F.adaptive_max_pool2d(x, (3, 1))], 1).flatten(1)
        each = F.silu(self.picture(bands)).view(b, t, -1)
        whole = torch.cat([each.mean(1), each.max(1).values], 1)
        return self.place(whole), self.environment(whole), self.third(whole)[:, 0]


@dataclass(frozen=True)
class Reading:
    """What clips show: place (N, places) as probabilities, environment (N, 5) as READ, third (N,) as a probability."""

    place: NDArray[np.float32]
    environment: NDArray[np.float32]
    third: NDArray[np.float32]

    def value(self, key: str) -> NDArray[np.float32]:
        """The environment of one key, (N,)."""
        return self.environment[:, READ.index(key)]


@dataclass(frozen=True)
class Labelled:
    """Clips uint8 (N, T, 3, 90, 160) and what they show: place (N, places), environment (N, 5), third (N,)."""

    pictures: Tensor
    place: Tensor
    environment: Tensor
    third: Tensor


def shrink(pictures: Pictures) -> NDArray[np.uint8]:
    """Pictures of any size as the network is shown them, (T, 3, 90, 160)."""
    small = [cv2.resize(p, LOOK[::-1], interpolation=cv2.INTER_AREA) for p in pictures]
    return np.ascontiguousarray(np.stack(small).transpose(0, 3, 1, 2))


def is_fair(environment: NDArray[np.float32]) -> bool:
    """Whether a place can be told under an environment (7,): neither by night nor in thick weather."""
    thick = any(environment[ENVIRONMENT.index(key)] > most for key, most in FAIR_MOST.items())
    return not thick and environment[0] >= FAIR_SUN_RAD


def labelled(seeds: range, mixed: bool) -> Labelled:
    """Diorama clips of these seeds, each place equally often; `mixed`: a fifth of them of two places."""
    pictures, place, environment, third = [], [], [], []
    columns = [ENVIRONMENT.index(key) for key in READ]
    for seed in tqdm(seeds, desc="the judge looks at the diorama", unit="clip", mininterval=5):
        rng = np.random.default_rng([seed, 8])
        motion = np.array(
            [rng.choice([0, 0.8]), 0, TURN_RAD_S * rng.choice([-1, 1]) * rng.uniform(0.7, 1.2), 0], np.float32
        )
        steps = PICTURES * EVERY
        script = clips.script_of(seed, steps, clips.place_of(seed), episode.random_environment(rng), motion)
        if mixed and rng.random() < 0.2:
            share = rng.uniform(0.2, 0.8)
            script.place[:] *= 1 - share
            script.place[:, int(rng.integers(len(PLACES)))] += share
        walked = episode.walk(replace(script, third=bool(rng.random() < 0.2)), seed)
        pictures.append(shrink(clips.seen(walked, range(EVERY - 1, steps, EVERY))))
        place.append(script.place[0])
        environment.append(script.environment[0, columns])
        third.append(float(walked.third))
    return Labelled(
        torch.from_numpy(np.stack(pictures)), torch.from_numpy(np.stack(place)),
        torch.from_numpy(np.stack(environment)), torch.tensor(third),
    )  # fmt: skip


def _varied(clip: Tensor, generator: torch.Generator) -> Tensor:
    """Clips (B, T, 3, h, w) in 0..1 mirrored, softened and speckled by chance: judges must not hang on pixels."""

    def chance() -> float:
        return float(torch.rand((), generator=generator))

    if chance() < 0.5:
        clip = clip.flip(-1)
    if chance() < 0.5:
        flat = clip.flatten(0, 1)
        soft = F.avg_pool2d(F.pad(flat, (1, 1, 1, 1), mode="replicate"), 3, 1)
        clip = torch.lerp(flat, soft, chance()).view_as(clip)
    if chance() < 0.3:
        clip = clip + 0.02 * torch.randn(clip.shape, generator=generator)
    return clip * (0.97 + 0.06 * torch.rand(len(clip), 1, 3, 1, 1, generator=generator))


class Reader:
    """The trained judge."""

    def __init__(self, net: ReaderNet, mean: Tensor, deviation: Tensor) -> None:
        self.net, self.mean, self.deviation = net.eval(), mean, deviation

    @torch.inference_mode()
    def _read(self, clip: Tensor) -> Reading:
        place, environment, third = self.net(clip.float() / 255)
        return Reading(
            place.softmax(1).numpy(), (environment * self.deviation + self.mean).numpy(), third.sigmoid().numpy()
        )

    def read(self, pictures: Pictures) -> Reading:
        """What one clip (T, H, W, 3) shows, as a reading of one row."""
        return self._read(torch.from_numpy(shrink(pictures))[None])

    def read_all(self, pictures: Tensor) -> Reading:
        """What labelled clips (N, T, 3, 90, 160) show."""
        parts = [self._read(chunk) for chunk in pictures.split(64)]
        return Reading(
            *(np.concatenate([getattr(p, name) for p in parts]) for name in ("place", "environment", "third"))
        )


def fit(data: Labelled, epochs: int = EPOCHS, batch: int = BATCH) -> Reader:
    """Train a judge on labelled clips; a few minutes on one core."""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    net = ReaderNet(data.place.shape[1]).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    mean, deviation = data.environment.mean(0), data.environment.std(0).clamp(min=0.05)
    optimiser = torch.optim.AdamW(net.parameters(), 3e-3, weight_decay=0.01)
    updates = epochs * (len(data.place) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, max(updates, 4))
    with tqdm(total=updates, desc="the judge learns", unit="update", mininterval=5) as bar:
        for _ in range(epochs):
            order = torch.randperm(len(data.place), generator=generator)
            for index in order[: len(order) // batch * batch].split(batch):
                place, environment, third = net(_varied(data.pictures[index].float() / 255, generator))
                wanted = (data.environment[index] - mean) / deviation
                loss = F.cross_entropy(place, data.place[index]) + F.smooth_l1_loss(environment, wanted)
                loss = loss + 0.3 * F.binary_cross_entropy_with_logits(third, data.third[index])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
                bar.update()
                bar.set_postfix(loss=f"{float(loss.detach()):.3f}")
    return Reader(net, mean, deviation)


def tried(reader: Reader, data: Labelled) -> dict[str, float]:
    """How often a judge is right on clips it never saw: place where it can be seen and anywhere, presence by key."""
    reading = reader.read_all(data.pictures)
    columns = [ENVIRONMENT.index(key) for key in READ]
    whole = np.zeros((len(data.place), len(ENVIRONMENT)), np.float32)
    whole[:, columns] = data.environment.numpy()
    fair = np.array([is_fair(row) for row in whole])
    named = reading.place.argmax(1) == data.place.numpy().argmax(1)
    open_air = ~np.isin(data.place.numpy().argmax(1), [k for k, name in enumerate(PLACES) if name in ROOFED])
    right = {"place": float(named[fair].mean()), "place_anyhow": float(named.mean())}
    for key, (low, high) in PRESENT.items():
        value = data.environment[:, READ.index(key)].numpy()
        clear = ((value <= low) | (value >= high)) & open_air
        right[key] = float(((reading.value(key) > (low + high) / 2) == (value >= high))[clear].mean())
    right["third"] = float(((reading.third > 0.5) == (data.third.numpy() > 0.5)).mean())
    return right


def reader_of(cache: Path) -> tuple[Reader, dict[str, float]]:
    """The judge and how it did on held-out clips: from `cache` if it is there, else trained now and kept there."""
    path = cache / f"reader-{code_of(Path(__file__))}.safetensors"
    if path.exists():
        with safe_open(path, framework="pt") as file:
            right = json.loads(file.metadata()["right"])
        kept = load_file(path)
        net = ReaderNet()
        net.load_state_dict({name[4:]: value for name, value in kept.items() if name.startswith("net.")})
        return Reader(net, kept["mean"], kept["deviation"]), right
    count = len(PLACES) * CLIPS_A_PLACE
    reader = fit(labelled(range(clips.FIT_SEED, clips.FIT_SEED + count), mixed=True))
    right = tried(reader, labelled(range(clips.TRY_SEED, clips.TRY_SEED + 40 * len(PLACES)), mixed=False))
    keep(reader, right, path)
    return reader, right


def keep(reader: Reader, right: dict[str, float], path: Path) -> None:
    """Write a judge and how it did to `path`, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {f"net.{name}": value.contiguous() for name, value in reader.net.state_dict().items()}
    tensors |= {"mean": reader.mean, "deviation": reader.deviation}
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, metadata={"right": json.dumps(right)})
    partial.replace(path)
