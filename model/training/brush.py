"""Train the brush: `python -m model.training.brush --work DIR --minutes 20`.

Pictures of random places and weathers, most drawn by the diorama, some seen by the trained view, are painted by the
filters of `model.diorama.styles`; the brush learns to paint alike, every style by itself. Checkpoints every few
minutes; the same command goes on from the last. `--sheet` shows filter and brush one above the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor
from tqdm import tqdm

from model import checkpoint
from model.brush import SEES, Brush
from model.diorama import episode
from model.diorama.styles import FILTERS
from model.field import field_of
from model.looks import Looks
from model.outlook import find_spot, moments
from model.precision import reducing
from model.shading import Textures
from model.training.course import Course, Rates, options_of
from model.training.view import random_place
from model.view import View

SIZE = (216, 384)
DRAWN, SEEN, HELD_OUT = 200, 100, 24  # pictures of the diorama, of the view, and kept for judging
POOL, PIXELS = 40, 6000  # pictures at hand, and what is kept of each
BATCH, PART = 8, 1200  # of an update, for each style: pictures, and pixels of each
SEED = 60_000_000  # of the diorama's episodes
Camera = tuple[float, float, float, float]
Made = tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float64]]  # picture, depth, camera as the view has it


@dataclass
class Pictures:
    """Pictures uint8 (N, H, W, 3), depths in m float16 (N, H, W), cameras (N, 4): x, y, yaw, pitch."""

    picture: NDArray[np.uint8]
    depth: NDArray[np.float16]
    camera: NDArray[np.float64]

    def looks(self, brush: Brush, at: int, mood: NDArray[np.float32] | None = None) -> Looks:
        """Looks at one of them, its colours changed by `mood` (3,)."""
        picture = torch.from_numpy(self.picture[at]).float() / 255
        if mood is not None:
            picture = (picture + torch.from_numpy(mood)).clamp(0, 1)
        camera: Camera = tuple(self.camera[at].tolist())  # type: ignore[assignment]
        shown = torch.from_numpy(self.depth[at].astype(np.float32))
        return Looks(picture, shown, camera, brush.textures(torch.device("cpu")))


def drawn(seed: int) -> Made:
    """A picture of the diorama, from the middle of an episode."""
    walked, at = episode.walk(episode.random_script(seed, 24), seed), 12
    return *episode.picture_of(walked, at, SIZE), walked.walkers[at].camera


@torch.inference_mode()
def seen(seed: int, view: View) -> Made:
    """A picture of the view, as a running world begins."""
    rng = np.random.default_rng([seed, 50])
    textures = Textures.of([field_of(1000 + seed % 12)], torch.device("cpu"))
    place, environment = random_place(rng), episode.random_environment(rng)
    with reducing("cpu"):
        walker = find_spot(view, textures, place, environment, seed)
        moment = moments([walker], place[None], environment[None], torch.device("cpu"))
        moment.phases[:, 1] = float(rng.uniform(0, SIZE[1]))  # how far the clouds have come
        picture, far = view.picture(textures, moment, *SIZE)
    shown = (picture[0].float().clamp(0, 1) * 255).round().to(torch.uint8)
    return shown.numpy(), far[0].float().numpy(), moment.camera[0].double().numpy()


def pictures(work: Path, model: str) -> tuple[Pictures, Pictures]:
    """Pictures to learn from and to judge by, made once and kept in `work`."""
    path = work / "pictures.npz"
    if not path.exists():
        preset, parts, _ = checkpoint.load(model)
        trained = work / "view.safetensors"
        view = View(preset)
        view.load_state_dict(load_file(trained) if trained.exists() else parts["view"])
        view.eval().requires_grad_(False)
        made = []
        for number in tqdm(range(DRAWN + SEEN + HELD_OUT), desc="pictures", unit="picture"):
            of_view = DRAWN <= number < DRAWN + SEEN or number >= DRAWN + SEEN + HELD_OUT // 2
            made.append(seen(number, view) if of_view else drawn(SEED + number))
        np.savez(
            path,
            picture=np.stack([p for p, _, _ in made]),
            depth=np.stack([d.astype(np.float16) for _, d, _ in made]),
            camera=np.stack([c[[0, 1, 3, 4]] for _, _, c in made]),
        )
    with np.load(path) as file:
        whole = file["picture"], file["depth"], file["camera"]
    return Pictures(*(a[:-HELD_OUT] for a in whole)), Pictures(*(a[-HELD_OUT:] for a in whole))


@dataclass
class Sample:
    """Pixels of a picture, by style: what is seen (pixels, features) and the paint (pixels, 3); what is told (1, 4)."""

    seen: dict[str, Tensor]
    paint: dict[str, Tensor]
    told: Tensor


def sample(looks: Looks, generator: torch.Generator) -> Sample:
    """Pixels of a picture, half of them where it changes."""
    at = torch.randint(looks.height * looks.width, (PIXELS // 2,), generator=generator)
    busy = (looks.outline + 4 * looks.edge + 0.02).flatten()
    at = torch.cat([at, torch.multinomial(busy, PIXELS // 2, generator=generator)])
    shown = {s: torch.stack(see(looks)).flatten(1)[:, at].T for s, see in SEES.items()}
    return Sample(shown, {s: FILTERS[s](looks).flatten(1)[:, at].T for s in SEES}, looks.mean)


@torch.no_grad()
def psnrs_db(brush: Brush, judged: Pictures) -> dict[str, float]:
    """Peak signal to noise of the brush against the filters, in dB, by style: the mean over pictures."""
    found: dict[str, list[float]] = {style: [] for style in SEES}
    for at in range(len(judged.picture)):
        looks = judged.looks(brush, at)
        for style, values in found.items():
            wrong = (brush.painted(style, looks).clamp(0, 1) - FILTERS[style](looks).clamp(0, 1)).square().mean()
            values.append(float(-10 * wrong.clamp(min=1e-6).log10()))
    return {style: float(np.mean(values)) for style, values in found.items()}


@torch.no_grad()
def sheet(brush: Brush, judged: Pictures, out: Path, rows: int = 4) -> None:
    """Write a PNG: every style across; for each of some pictures, the filter's paint above and the brush's below."""
    strips = []
    for at in np.linspace(0, len(judged.picture) - 1, rows).astype(int).tolist():
        looks = judged.looks(brush, at)
        for paint in (lambda s, a: FILTERS[s](a), brush.painted):
            row = [looks.rgb, *(paint(style, looks) for style in SEES)]
            strips.append(torch.cat(row, 2).clamp(0, 1).permute(1, 2, 0).mul(255).byte().numpy())
    cv2.imwrite(str(out), np.vstack(strips)[..., ::-1])


def main() -> None:
    """Parse the command line and train."""
    parser = options_of(__doc__, 20.0, 6e-3, 3.0)
    parser.add_argument(
        "--model", default="nacre", help="a packed model whose view is painted, where the work has none"
    )
    parser.add_argument("--sheet", type=Path, help="write a sheet of the trained brush and stop")
    options = parser.parse_args()
    torch.manual_seed(0)
    course = Course("brush", Brush(), options, Rates(share=0.004))
    brush = course.module
    learnt, judged = pictures(options.work, options.model)
    if options.sheet is not None:
        sheet(course.average.eval(), judged, options.sheet)
        return
    rng = np.random.default_rng([course.update, 51])
    generator = torch.Generator().manual_seed(course.update)

    def look() -> Sample:
        mood = rng.normal(0, 0.04, 3).astype(np.float32) * np.float32(rng.random() < 0.3)
        return sample(learnt.looks(brush, int(rng.integers(len(learnt.picture))), mood), generator)

    pool = [look() for _ in tqdm(range(POOL), desc="a first look", unit="picture")]
    for update in course:
        if update % 3 == 0:
            pool[int(rng.integers(POOL))] = look()
        chosen = [pool[i] for i in rng.choice(POOL, BATCH, replace=False)]
        at = torch.randint(PIXELS, (PART,), generator=generator)
        told = torch.cat([c.told for c in chosen])
        losses = []
        for style in SEES:
            missed = brush.painters[style](torch.stack([c.seen[style][at] for c in chosen]), told)
            missed = missed - torch.stack([c.paint[style][at] for c in chosen])
            losses.append(missed.abs().mean() + 4 * missed.square().mean())
        torch.stack(losses).sum().backward()
        course.learn(brush.painters.values(), loss=float(torch.stack(losses).mean().detach()))
    for style, value in psnrs_db(course.average.eval(), judged).items():
        print(f"{style:12} {value:6.2f} dB")


if __name__ == "__main__":
    main()
