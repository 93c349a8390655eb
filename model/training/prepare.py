"""Render episodes of the diorama and keep them as latents: `python -m model.training.prepare --out DIR`.

The codecs are fitted first, on a subsample of episodes nobody trains on, and saved in DIR/codecs.safetensors; then
every episode becomes one .npz of latents, the same carried along with the camera to the next step, and conditions.
Finished episodes are never made twice.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from tqdm import tqdm

from model.egomotion import carried
from model.picture_codec import PictureCodec
from model.preset import PRESETS, Preset
from model.sound_codec import SoundCodec, analyse

STEPS = 96  # of an episode: 8 s
FIT_SEED = 10_000_000  # episodes the codecs are fitted on lie above, held-out ones above that
HELD_OUT_SEED = 20_000_000


class Codecs(torch.nn.Module):
    """Both codecs of a preset, saved and loaded together."""

    def __init__(self, preset: Preset) -> None:
        super().__init__()
        self.picture = PictureCodec(
            preset.height, preset.width, preset.rows, preset.cols, preset.channels, preset.thumb_tokens
        )
        self.sound = SoundCodec(preset.sound_tokens, preset.channels)


def as_picture_tensor(pictures: NDArray[np.uint8]) -> torch.Tensor:
    """uint8 (N, H, W, 3) to float32 (N, 3, H, W) in −1..1."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float().div(127.5).sub(1)


def render_episode(seed: int, steps: int = STEPS) -> dict[str, NDArray[np.generic]]:
    """Pictures (T, 270, 480, 3), audio and eased conditions of one random episode, by name."""
    from model.diorama import episode  # its noise maps take seconds: only who renders pays

    script = episode.random_script(seed, steps)
    taken: list[episode.Step] = []
    audio = None
    for item in episode.play(script, seed):
        if isinstance(item, episode.Step):
            taken.append(item)
        else:
            audio = item
    assert audio is not None
    return {
        "picture": np.stack([s.picture for s in taken]),
        "audio": audio,
        "place": np.stack([s.place for s in taken]),
        "environment": np.stack([s.environment for s in taken]),
        "motion": np.stack([s.motion for s in taken]),
        "presence": np.stack([s.presence for s in taken]).astype(np.float16),
        "flash": np.array([s.flash for s in taken], np.float32),
        "pitch": np.array([s.camera[4] for s in taken], np.float32),
        "third": np.full(steps, script.third, np.float32),
    }


def _one_thread() -> None:
    torch.set_num_threads(1)


def _sample_for_fit(seed: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    made = render_episode(seed)
    return made["picture"][seed % 4 :: 4], analyse(made["audio"])  # type: ignore[return-value, arg-type]


def fit_codecs(preset: Preset, episodes: int, workers: int) -> Codecs:
    """Fit both codecs of `preset` on `episodes` fresh episodes."""
    pictures, features = [], []
    with ProcessPoolExecutor(workers, initializer=_one_thread) as pool:
        seeds = range(FIT_SEED, FIT_SEED + episodes)
        for p, f in tqdm(pool.map(_sample_for_fit, seeds), total=episodes, desc="episodes to fit on", unit="episode"):
            pictures.append(p)
            features.append(f)
    codecs = Codecs(preset)
    codecs.picture.fit(torch.from_numpy(np.concatenate(pictures)))
    codecs.sound.fit(torch.from_numpy(np.concatenate(features)))
    return codecs


_loaded: dict[str, Codecs] = {}


@torch.no_grad()
def encode_episode(seed: int, preset_name: str, out: str) -> str:
    """Render episode `seed`, encode it and write OUT/SEED.npz; the path."""
    path = Path(out) / f"{seed:08d}.npz"
    if path.exists():
        return str(path)
    if out not in _loaded:
        codecs = Codecs(PRESETS[preset_name])
        codecs.load_state_dict(load_file(Path(out) / "codecs.safetensors"))
        _loaded[out] = codecs
    codecs = _loaded[out]
    made = render_episode(seed)
    pictures: NDArray[np.uint8] = made.pop("picture")  # type: ignore[assignment]
    features = torch.from_numpy(analyse(made.pop("audio")))  # type: ignore[arg-type]
    # A few pictures at a time: large buffers cost more to get than to fill.
    seen = torch.cat([codecs.picture.encode(as_picture_tensor(pictures[i : i + 8])) for i in range(0, STEPS, 8)])
    heard = codecs.sound.encode(features)
    motion, pitch_rad = (torch.from_numpy(made[name][1:]) for name in ("motion", "pitch"))
    small = codecs.picture.reduced(PRESETS[preset_name].reduction)
    latents = torch.cat([seen, heard], 1)
    few = zip(latents[:-1].split(8), motion.split(8), pitch_rad.split(8), strict=True)
    past = torch.cat([latents[:1], *(carried(small, *parts) for parts in few)])  # the first has none: itself
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, latents=latents.half().numpy(), past=past.half().numpy(), **made)  # type: ignore[arg-type]
    os.replace(partial, path)
    return str(path)


def main() -> None:
    """Fit the codecs if need be, then render until there are enough episodes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--preset", default="nacre", choices=sorted(PRESETS))
    parser.add_argument("--episodes", type=int, default=700)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--held-out", type=int, default=16, help="episodes kept apart for judging")
    parser.add_argument("--fit-episodes", type=int, default=90)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    codec_path = options.out / "codecs.safetensors"
    if not codec_path.exists():
        codecs = fit_codecs(PRESETS[options.preset], options.fit_episodes, options.workers)
        save_file({k: v.contiguous() for k, v in codecs.state_dict().items()}, codec_path)
    seeds = [HELD_OUT_SEED + k for k in range(options.held_out)]
    seeds += list(range(options.first_seed, options.first_seed + options.episodes))
    with ProcessPoolExecutor(options.workers, initializer=_one_thread) as pool:
        jobs = [pool.submit(encode_episode, seed, options.preset, str(options.out)) for seed in seeds]
        for job in tqdm(jobs, desc="episodes", unit="episode"):
            job.result()


if __name__ == "__main__":
    main()
