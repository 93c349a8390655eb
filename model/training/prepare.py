"""Play episodes of the diorama and keep them as latents: `python -m model.training.prepare --out DIR`.

Nothing is drawn here: the view learns from pictures of its own (`model.training.view`), the dynamics from what moves
and sounds. The sound codec is fitted first, on episodes nobody trains on, and saved in DIR/sound.safetensors; then
episodes become shards of latents and conditions. Finished shards are never made twice.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from tqdm import tqdm

from model import pulse
from model.preset import PRESETS, Preset
from model.sound_codec import SoundCodec, analyse

STEPS = 144  # of an episode: 12 s
SHARD = 16  # episodes in a file
WORLDS = 24  # fields the episodes take place on
FIT_SEED = 10_000_000  # episodes the codec is fitted on lie above, held-out ones above that
HELD_OUT_SEED = 20_000_000


def play_episode(seed: int, steps: int = STEPS) -> dict[str, NDArray[np.float32]]:
    """Sound (T * 2000, 2), flash and gust (T,) and condition vectors (T, WIDTH) of one random episode."""
    from dataclasses import replace

    from model.diorama import episode  # numba is slow to load: only who plays pays

    script = replace(episode.random_script(seed, steps), world=seed % WORLDS)
    walked = episode.walk(script, seed)
    return {
        "audio": episode.sound_of(walked, seed), "flash": walked.flash, "gust": walked.gust,
        "conditions": walked.vectors,
    }  # fmt: skip


def _one_thread() -> None:
    torch.set_num_threads(1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # and not as the parent ends


def _features(seed: int) -> NDArray[np.float32]:
    return analyse(play_episode(seed)["audio"])


def fit_sound(preset: Preset, episodes: int, workers: int) -> SoundCodec:
    """Fit the sound codec of `preset` on `episodes` fresh episodes."""
    with ProcessPoolExecutor(workers, initializer=_one_thread) as pool:
        seeds = range(FIT_SEED, FIT_SEED + episodes)
        found = list(tqdm(pool.map(_features, seeds), total=episodes, desc="episodes to fit on", unit="episode"))
    codec = SoundCodec(preset.sound_tokens, preset.channels)
    codec.fit(torch.from_numpy(np.concatenate(found)))
    return codec


_loaded: dict[str, SoundCodec] = {}


@torch.no_grad()
def encode_shard(first_seed: int, preset_name: str, out: str) -> str:
    """Play SHARD episodes from `first_seed` on, encode them and write OUT/SEED.npz; the path."""
    path = Path(out) / f"{first_seed:08d}.npz"
    if path.exists():
        return str(path)
    preset = PRESETS[preset_name]
    if out not in _loaded:
        codec = SoundCodec(preset.sound_tokens, preset.channels)
        codec.load_state_dict(load_file(Path(out) / "sound.safetensors"))
        _loaded[out] = codec
    latents, conditions = [], []
    for seed in range(first_seed, first_seed + SHARD):
        made = play_episode(seed)
        heard = _loaded[out].encode(torch.from_numpy(analyse(made["audio"])))
        moved = torch.from_numpy(pulse.tokens(made["flash"], made["gust"], preset.channels))
        latents.append(torch.cat([moved, heard], 1))
        conditions.append(made["conditions"])
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, latents=torch.stack(latents).half().numpy(), conditions=np.stack(conditions))
    os.replace(partial, path)
    return str(path)


def main() -> None:
    """Fit the codec if need be, then play until there are enough episodes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--preset", default="nacre", choices=sorted(PRESETS))
    parser.add_argument("--episodes", type=int, default=1600)
    parser.add_argument("--held-out", type=int, default=32, help="episodes kept apart for judging")
    parser.add_argument("--fit-episodes", type=int, default=120)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    codec_path = options.out / "sound.safetensors"
    if not codec_path.exists():
        codec = fit_sound(PRESETS[options.preset], options.fit_episodes, options.workers)
        save_file({k: v.contiguous() for k, v in codec.state_dict().items()}, codec_path)
    seeds = [HELD_OUT_SEED + k for k in range(0, options.held_out, SHARD)]
    seeds += list(range(0, options.episodes, SHARD))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended; the same command goes on from here"))
    with ProcessPoolExecutor(options.workers, initializer=_one_thread) as pool:
        jobs = [pool.submit(encode_shard, seed, options.preset, str(options.out)) for seed in seeds]
        try:
            for job in tqdm(jobs, desc="episodes", unit="shard"):
                job.result()
        finally:
            pool.shutdown(cancel_futures=True)  # stopped early, the workers end with the shard they are at


if __name__ == "__main__":
    main()
