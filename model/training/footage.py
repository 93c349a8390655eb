"""Fit a model to a venue's own footage: `python -m model.training.footage --footage DIR --name NAME --minutes 10`.

Nobody knows the latent field of a film, so its pictures can't be told point by point, as the diorama's are. What can be
compared is how they look: colours and textures at every height of the picture, in patches of several sizes, as sliced
Wasserstein distances (Bonneel et al. 2015; for texture: Heitz et al. 2021). A vector that all networks of the view are
told besides the moment, and the networks of surfaces, bodies and sky, are moved until views from random spots of random
fields look like the footage in that sense. Place and hour of each clip are those of its caption (CLIP.txt beside
CLIP.mp4), or what it is taken for. The sound codec is moved by what the footage sounds like on average.

The result is a whole checkpoint: `[world] model = "DIR/NAME.safetensors"`, or NAME when it lies in model/weights.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from model import checkpoint, outlook
from model.camera import EYE_M
from model.conditions import ENVIRONMENT
from model.diorama.places import PLACES
from model.diorama.waveforms import SAMPLE_RATE_HZ, SLICE_SAMPLES
from model.field import PERIOD_M, field_of
from model.precision import reducing
from model.shading import Textures
from model.sound_codec import analyse
from model.walker import Walker
from model.world import World, WorldModel, load

SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v")
STILLS = 48  # pictures that are looked at of a clip
SIZE = (72, 128)  # of the pictures that are compared, rows and columns
PATCHES = (3, 7)  # edges of the patches, pixels
SLICES = 96  # directions along which patches are compared
HEIGHT_WEIGHT = 2.5  # of a patch's height in the picture beside its colours
VIEWS = 6  # pictures of the view in an update
FIELDS = 8
LOUDEST_SHIFT = 2.0  # deviations by which a number of the sound may be moved


@dataclass(frozen=True)
class Clip:
    """What is known of a clip: pictures uint8 (N, H, W, 3), sound float32 (samples, 2) or None, its caption or None."""

    path: Path
    pictures: NDArray[np.uint8]
    audio: NDArray[np.float32] | None
    caption: str | None


def read_clip(path: Path) -> Clip:
    """Read a film: pictures evenly over its length, and its sound at 24 kHz. Raises ValueError naming the file."""
    try:
        with av.open(str(path)) as film:
            if not film.streams.video:
                raise ValueError(f"{path}: has no pictures")
            stream = film.streams.video[0]
            length = stream.frames or round(float((film.duration or 0) / 1e6 * float(stream.average_rate or 25)))
            every = max(1, length // STILLS)
            pictures = [
                frame.to_ndarray(format="rgb24")
                for number, frame in enumerate(film.decode(stream))
                if number % every == 0
            ][:STILLS]
        audio = _sound(path)
    except (av.FFmpegError, OSError) as error:
        raise ValueError(f"{path}: can't be read: {error}") from error
    if not pictures:
        raise ValueError(f"{path}: has no pictures that can be read")
    words = path.with_suffix(".txt")
    caption = words.read_text(encoding="utf-8").strip() if words.is_file() else None
    return Clip(path, np.stack(pictures), audio, caption or None)


def _sound(path: Path) -> NDArray[np.float32] | None:
    with av.open(str(path)) as film:
        if not film.streams.audio:
            return None
        resampler = av.AudioResampler(format="fltp", layout="stereo", rate=SAMPLE_RATE_HZ)
        parts = [out.to_ndarray() for frame in film.decode(audio=0) for out in resampler.resample(frame)]
    if not parts:
        return None
    audio = np.concatenate(parts, 1).T
    steps = len(audio) // SLICE_SAMPLES
    return np.ascontiguousarray(audio[: steps * SLICE_SAMPLES], np.float32) if steps else None


def read_folder(folder: Path) -> list[Clip]:
    """All films of a folder; those that can't be read are named and left out. Raises SystemExit when none remains."""
    if not folder.is_dir():
        raise SystemExit(f"--footage {folder}: is not a folder")
    clips = []
    for path in sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES):
        try:
            clips.append(read_clip(path))
        except ValueError as error:
            print(f"left out: {error}")
    if not clips:
        raise SystemExit(f"--footage {folder}: holds no film that can be read ({', '.join(SUFFIXES)})")
    return clips


def compared(pictures: NDArray[np.uint8]) -> Tensor:
    """Pictures uint8 (N, H, W, 3) cropped to the shape of SIZE and shrunk: (N, 3, rows, columns) in 0..1."""
    rows, columns = SIZE
    height, width = pictures.shape[1:3]
    scale = min(height / rows, width / columns)
    h, w = round(rows * scale), round(columns * scale)
    top, left = (height - h) // 2, (width - w) // 2
    cut = torch.from_numpy(np.ascontiguousarray(pictures[:, top : top + h, left : left + w])).permute(0, 3, 1, 2)
    return F.interpolate(cut.float() / 255, SIZE, mode="bilinear", antialias=True, align_corners=False)


def patches(pictures: Tensor, edge: int) -> Tensor:
    """All patches of pictures (N, 3, rows, columns) with their height: (patches, 3 * edge² + 1)."""
    rows = pictures.shape[2] - edge + 1
    found = F.unfold(pictures, edge)  # (N, 3 * edge², places)
    high = torch.linspace(0, HEIGHT_WEIGHT, rows, device=pictures.device)
    high = high[:, None].expand(rows, found.shape[2] // rows).reshape(1, 1, -1).expand(len(found), 1, -1)
    return torch.cat([found / edge, high], 1).transpose(1, 2).flatten(0, 1)


def sliced(a: Tensor, b: Tensor, directions: Tensor) -> Tensor:
    """Sliced Wasserstein distance of order 2, squared, between two sets of vectors (n, d), (m, d)."""
    count = min(len(a), len(b))
    a, b = (x[torch.linspace(0, len(x) - 1, count, device=x.device).long()] for x in (a, b))
    return ((a @ directions).sort(0).values - (b @ directions).sort(0).values).square().mean()


def distance(pictures: Tensor, wanted: Tensor, generator: torch.Generator) -> Tensor:
    """How differently two sets of pictures (N, 3, rows, columns) look, at full and at a third of the size."""
    total = pictures.new_zeros(())
    for scale in (1, 3):
        p, w = (F.avg_pool2d(x, scale) if scale > 1 else x for x in (pictures, wanted))
        for edge in PATCHES:
            directions = torch.randn(3 * edge * edge + 1, SLICES, generator=generator).to(pictures)
            total = total + sliced(patches(p, edge), patches(w, edge), F.normalize(directions, dim=0))
    return total


@dataclass
class Venue:
    """What a clip is taken for, and its pictures (N, 3, rows, columns) as they are compared."""

    place: NDArray[np.float32]
    environment: NDArray[np.float32]
    pictures: Tensor


def taken_for(model: WorldModel, clip: Clip) -> Venue:
    """Place and environment of a clip: from its caption, else from its pictures."""
    textures = Textures.of([field_of(0)], model.device)
    pictures = compared(clip.pictures)
    with torch.inference_mode(), reducing(model.device.type):
        middle = pictures[len(pictures) // 2].permute(1, 2, 0).to(model.device)
        like = outlook.likeness(model.view, textures, middle, 0)
    place, environment = like.place, like.environment.copy()
    if clip.caption is not None:
        meaning = model.head.read(model.embed(clip.caption))
        if meaning.place < len(place):
            place = np.eye(len(place), dtype=np.float32)[meaning.place]
        for key, (operation, value) in meaning.environment.items():
            if operation == "set":
                environment[ENVIRONMENT.index(key)] = value
    return Venue(place, environment, pictures.to(model.device))


def look(model: WorldModel, textures: Textures, venue: Venue, views: int, rng: np.random.Generator) -> Tensor:
    """Pictures (views, 3, rows, columns) of the view from random spots under what a venue is taken for."""
    walkers = []
    for _ in range(views):
        yaw = float(rng.uniform(-math.pi, math.pi))
        walker = Walker(
            float(rng.uniform(0, PERIOD_M)), float(rng.uniform(0, PERIOD_M)), EYE_M, yaw,
            clock_s=float(rng.uniform(0, 600)), drift=float(rng.uniform(0, 512)), swash=float(rng.random()),
        )  # fmt: skip
        walkers.append(walker.with_shore(float(rng.uniform(8, 40)), yaw + float(rng.normal(0, 0.5))))
    places, environments = np.tile(venue.place, (views, 1)), np.tile(venue.environment, (views, 1))
    with torch.no_grad():
        outlook.stand(model.view, textures, walkers, places, environments)
    moment = outlook.moments(walkers, places, environments, model.device)
    moment.world = torch.as_tensor(rng.integers(FIELDS, size=views), device=model.device)
    with reducing(model.device.type):
        shown, _ = model.view.picture(textures, moment, *SIZE)
    return shown.float().permute(0, 3, 1, 2)


def fit_view(model: WorldModel, venues: list[Venue], minutes: float, updates: int | None, rate: float) -> list[float]:
    """Move the view towards the venues; the distance at every update."""
    view = model.view.train()
    textures = Textures.of([field_of(1000 + seed) for seed in range(FIELDS)], model.device)
    view.requires_grad_(False)
    view.venue.requires_grad_(True)
    terrain = view.terrain
    parts = (terrain.surface, terrain.light, terrain.haze, view.bodies, view.sky)
    learnt = [p for part in parts for p in part.parameters()]
    for parameter in learnt:
        parameter.requires_grad_(True)
    optimiser = torch.optim.Adam([{"params": [view.venue], "lr": 10 * rate}, {"params": learnt, "lr": rate}])
    rng, generator = np.random.default_rng(0), torch.Generator().manual_seed(0)
    began = time.monotonic()
    found: list[float] = []
    bar = tqdm(total=updates or round(minutes * 60), unit="" if updates else "s", desc="the venue", mininterval=5)
    while (time.monotonic() - began < minutes * 60) if updates is None else (len(found) < updates):
        venue = venues[int(rng.integers(len(venues)))]
        chosen = torch.as_tensor(rng.integers(len(venue.pictures), size=VIEWS), device=model.device)
        missed = distance(look(model, textures, venue, VIEWS, rng), venue.pictures[chosen], generator)
        value = float(missed.detach())
        if not math.isfinite(value):
            raise SystemExit(f"the distance is {value} at update {len(found)}: nothing was saved")
        missed.backward()
        torch.nn.utils.clip_grad_norm_([view.venue, *learnt], 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        found.append(value)
        bar.n = len(found) if updates else min(bar.total, round(time.monotonic() - began))
        bar.set_postfix(update=len(found), distance=f"{np.mean(found[-20:]):.5f}")
    bar.close()
    view.requires_grad_(False).eval()
    return found


def fit_sound(model: WorldModel, clips: list[Clip], venues: list[Venue]) -> bool:
    """Move the sound codec by what the footage sounds like on average; whether there was any sound."""
    heard = [analyse(clip.audio) for clip in clips if clip.audio is not None]
    if not heard:
        return False
    made = []
    for number, venue in enumerate(venues):
        world = World(model, number)
        world.easing.place, world.easing.environment = venue.place.copy(), venue.environment.copy()
        world.walker = Walker(yaw=0.0)
        made.append(analyse(np.concatenate([world.step().audio for _ in range(48)])))
    wanted, given = (torch.from_numpy(np.concatenate(parts)).mean(0) for parts in (heard, made))
    spread = torch.from_numpy(np.concatenate(heard + made)).std(0).clamp(min=1e-3)
    shift = (wanted - given).clamp(-LOUDEST_SHIFT * spread, LOUDEST_SHIFT * spread)
    model.sound.mean += shift.to(model.sound.mean).view_as(model.sound.mean)
    return True


def main() -> None:
    """Parse the command line, fit, write the checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--footage", type=Path, required=True, help="a folder of films, captions beside them as .txt")
    parser.add_argument(
        "--name", required=True, help="of the model that is made: NAME, or a path ending in .safetensors"
    )
    parser.add_argument("--model", default="nacre", help="the model to begin from")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--updates", type=int, help="so many updates instead of minutes")
    parser.add_argument("--rate", type=float, default=1e-3)
    options = parser.parse_args()
    out = (
        Path(options.name)
        if options.name.endswith(".safetensors")
        else checkpoint.WEIGHTS / f"{options.name}.safetensors"
    )
    if out.stem == "nacre":
        raise SystemExit("--name: nacre is the model that is shipped; choose another name")
    clips = read_folder(options.footage)
    model = load(options.model)
    venues = [taken_for(model, clip) for clip in clips]
    for clip, venue in zip(clips, venues, strict=True):
        best = PLACES[int(venue.place.argmax())]
        print(
            f"{clip.path.name}: {len(clip.pictures)} pictures, taken for {best}"
            + ("" if clip.audio is None else ", with sound")
        )
    found = fit_view(model, venues, options.minutes, options.updates, options.rate)
    sounded = fit_sound(model, clips, venues)
    model.view.own_place.copy_(torch.from_numpy(np.mean([v.place for v in venues], 0)))
    about = {
        "footage_clips": str(len(clips)), "footage_updates": str(len(found)), "footage_sound": str(sounded),
        "begun_from": model.code,
    }  # fmt: skip
    parts = {name: module.state_dict() for name, module in model.parts().items()}
    code = checkpoint.save(out, model.preset, parts, about)
    print(f"{out}: distance {np.mean(found[:5]):.5f} to {np.mean(found[-5:]):.5f}, sha256 {code[:16]}…")


if __name__ == "__main__":
    main()
