"""The running world: `load` a model, `begin` a world, `step` it without end; `save`, `resume`, `fork` it bit for bit.

A step denoises all tokens of the next twelfth of a second on a frozen cache, decodes picture and sound from them, and
only then commits: a step that fails leaves the world as it was. All randomness is drawn from (seed, step), so the
state needs no generator, and two worlds with the same state go on alike.
"""

from __future__ import annotations

import copy
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from model import checkpoint
from model.cache import Committed, StepCache
from model.condition_vector import Asked
from model.conditions import (
    ENVIRONMENT,
    ENVIRONMENT_RANGE,
    FAIR,
    GRID,
    MOTION,
    MOTION_RANGE,
    Array,
    Chunk,
    Conditions,
    Easing,
)
from model.diorama.places import PLACES
from model.egomotion import carried
from model.picture_codec import PictureCodec
from model.preset import Preset
from model.sound_codec import SoundCodec, SynthState, synthesise
from model.text import TextHead, embed
from model.transformer import Nacre, Seen, rotary_table
from model.wish import Wish

SNAPSHOT_FORMAT = "oysterd-world-2"
CONTEXT_LEVEL = 0.05  # noise on committed steps: the model was trained to see through it, so small errors don't pile up
SHIFT = 2.0  # spends more of the few sampling steps at high noise, where a step decides the most
PAST_LEVEL = 0.02  # the carried last step is doubted, and scaled, as if it had this much noise; none is added
FIRST_PASSES = 12  # sampling passes of a world's first step, which has nothing to start from
PATCH_NOISE = 0.7  # of the deviation the patches' noise was trained with: fewer streaks, a little less detail
SPREAD = 1.5  # deviations a number of a latent may stray from its climate; arbitrary
IMAGE_STEPS = 4  # how many steps a starting picture is held, to fill the attention with it


class WorldError(Exception):
    """A world can't begin, resume or step; the message names what was wrong."""


def _times(steps: int) -> list[float]:
    t = torch.linspace(1, 0, steps + 1, dtype=torch.float64)
    return (SHIFT * t / (1 + (SHIFT - 1) * t)).tolist()  # type: ignore[no-any-return]


class WorldModel:
    """A loaded model: network, codecs and text head on a device. Worlds share it and hold only their own state."""

    def __init__(self, preset: Preset, parts: dict[str, dict[str, Tensor]], code: str, device: str = "cpu") -> None:
        self.preset, self.code, self.device = preset, code, torch.device(device)
        self.network = Nacre(preset)
        self.picture = PictureCodec(
            preset.height, preset.width, preset.rows, preset.cols, preset.channels, preset.thumb_tokens
        )
        self.sound = SoundCodec(preset.sound_tokens, preset.channels)
        self.head = TextHead()
        for name, module in self.parts().items():
            if name not in parts:
                raise checkpoint.CheckpointError(f"the checkpoint has no part {name!r}")
            try:
                module.load_state_dict(parts[name])
            except RuntimeError as error:
                raise checkpoint.CheckpointError(f"the checkpoint's part {name!r} does not fit: {error}") from error
            module.eval().requires_grad_(False)
        self.network.to(self.device)
        self.picture.to(self.device)
        self.small = self.picture.reduced(preset.reduction).to(self.device)
        # No number of the picture strays further than a few of its deviations, whatever a rollout adds up.
        reach = SPREAD * self.network.spread.clone()
        reach[preset.picture_tokens :] = float("inf")
        self.reach = reach
        # Sixteen-bit weights once, instead of a conversion in every product.
        for name, module in self.network.named_modules():
            if isinstance(module, torch.nn.Linear) and not name.startswith("climate"):
                module.to(torch.bfloat16)

    def parts(self) -> dict[str, torch.nn.Module]:
        """What a checkpoint holds, by name."""
        return {"network": self.network, "picture": self.picture, "sound": self.sound, "head": self.head}

    def embed(self, text: str) -> Array:
        """A text's embedding float32 (E,), for the text fields of Conditions."""
        return embed([text])[0]

    def begin(
        self,
        scene: str | Array | None = None,
        image: NDArray[np.uint8] | None = None,
        seed: int = 0,
        view: Literal["first", "third"] = "first",
    ) -> World:
        """A new world from a scene (text or embedding), a picture uint8 (H, W, 3) of any size, or nothing at all.

        Raises WorldError for a picture that is not one.
        """
        world = World(self, seed)
        if scene is not None:
            embedding = self.embed(scene) if isinstance(scene, str) else scene
            world.wish = world.wish.asked(self.head.read(embedding), FAIR)
        world.wish = replace(world.wish, third=view == "third")
        environment = FAIR.copy()
        for key, value in world.wish.environment.items():
            environment[ENVIRONMENT.index(key)] = value
        place = world.wish.place_weights()
        world.easing = Easing(
            np.full(len(PLACES), 1 / len(PLACES), np.float32) if place is None else place, environment
        )
        if image is not None:
            held = self._encode(image)
            for _ in range(IMAGE_STEPS):
                world._advance(Conditions(motion=np.zeros(4, np.float32)), held)
        return world

    def _encode(self, image: NDArray[np.uint8]) -> Tensor:
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or min(image.shape[:2]) < 8:
            raise WorldError(
                f"image: must be uint8 (height, width, 3) of 8 pixels or more, not {image.dtype} {image.shape}"
            )
        height, width = self.preset.height, self.preset.width
        rows, cols = image.shape[:2]
        # Crop to the world's shape about the centre, then resize by area.
        scale = min(rows / height, cols / width)
        h, w = max(1, round(height * scale)), max(1, round(width * scale))
        top, left = (rows - h) // 2, (cols - w) // 2
        cut = (
            torch.from_numpy(np.ascontiguousarray(image[top : top + h, left : left + w])).permute(2, 0, 1)[None].float()
        )
        sized = torch.nn.functional.interpolate(
            cut, (height, width), mode="bilinear", align_corners=False, antialias=True
        )
        return self.picture.encode((sized / 127.5 - 1).to(self.device))[0]

    def resume(self, path: Path | str) -> World:
        """The world saved at `path`, bit for bit. Raises WorldError for a damaged or foreign snapshot."""
        try:
            with safe_open(path, framework="pt") as file:
                metadata = file.metadata() or {}
            tensors = load_file(path)
        except (SafetensorError, OSError) as error:
            raise WorldError(f"{path}: can't be read as a snapshot: {error}") from error
        if metadata.get("format") != SNAPSHOT_FORMAT:
            raise WorldError(f"{path}: is not a snapshot of a world")
        if metadata.get("model") != self.code:
            raise WorldError(
                f"{path}: was saved by another model ({metadata.get('model', '')[:12]}…, not {self.code[:12]}…)"
            )
        about = json.loads(metadata["about"])
        world = World(self, about["seed"])
        world.index = about["index"]
        wish = about["wish"]
        world.wish = Wish(**{**wish, "motion": None if wish["motion"] is None else tuple(wish["motion"])})
        world.place_asked, world.known = about["place_asked"], set(about["known"])
        parts: dict[str, dict[str, Tensor]] = {"cache": {}, "easing": {}, "synth": {}, "last": {}}
        for full, value in tensors.items():
            part, _, name = full.partition(".")
            parts[part][name] = value
        try:
            world.cache.load(parts["cache"])
        except ValueError as error:
            raise WorldError(f"{path}: {error}") from error
        world.latents, world.centre = (parts["last"][name].to(self.device) for name in ("latents", "centre"))
        for name, value in parts["easing"].items():
            setattr(world.easing, name, np.float32(value.item()) if value.ndim == 0 else value.numpy())
        world.synth = SynthState(**{name: value.numpy() for name, value in parts["synth"].items()})
        return world


def load(name: str = "nacre", device: str = "cpu") -> WorldModel:
    """Load a model by name or path. Raises model.checkpoint.CheckpointError."""
    preset, parts, code = checkpoint.load(name)
    return WorldModel(preset, parts, code, device)


@dataclass
class _Plan:
    """What a step would change besides the caches, held back until the step has succeeded."""

    wish: Wish
    easing: Easing
    place_asked: bool
    known: set[str]
    asked: Asked
    applied: dict[str, Any]


class World:
    """One living world. `step` advances it by a twelfth of a second."""

    def __init__(self, model: WorldModel, seed: int) -> None:
        p = model.preset
        self.model, self.seed, self.index = model, seed, 0
        self.wish = Wish()
        self.easing = Easing(np.full(len(PLACES), 1 / len(PLACES), np.float32), FAIR)
        self.place_asked = False
        self.known: set[str] = set()  # environment keys that were conditioned on at the last step
        self.synth = SynthState.silent()
        self.cache = StepCache(p, model.device)
        self.latents = torch.zeros(p.tokens, p.channels, device=model.device)  # of the last step, before its noise
        self.centre = torch.zeros_like(self.latents)  # the climate of the last step

    @property
    def time_s(self) -> float:
        """The world's own time, in seconds since it began."""
        return self.index / 12

    def step(self, conditions: Conditions | None = None) -> Chunk:
        """Advance one step. Raises WorldError, and leaves the world as it was, when the step can't be made."""
        return self._advance(conditions or Conditions(), None)

    # --- one step ---

    @torch.inference_mode()
    def _advance(self, conditions: Conditions, held: Tensor | None) -> Chunk:
        p, network = self.model.preset, self.model.network
        plan = self._plan(conditions)
        vector, presence = plan.asked.vectors()
        device = self.model.device
        vector, presence = vector[0].to(device), presence[0].to(device)
        generator = torch.Generator().manual_seed((self.seed * 1_000_003 + self.index) % 2**63)
        noise = torch.randn(p.tokens, p.channels, generator=generator).to(device)
        noise[p.thumb_tokens : p.picture_tokens] *= PATCH_NOISE
        again = torch.randn(p.tokens, p.channels, generator=generator).to(device)
        half = p.dim // p.heads // 2
        here = rotary_table(torch.tensor([self.index]), half).to(device)
        near_bias, far_bias = self.cache.prepare(self.index)
        times = _times(p.sampling_steps if self.index else FIRST_PASSES)
        x = noise
        past, past_level = self._past(plan.asked)
        centre = network.centre_of(vector)
        past_centre = self.centre if self.index else centre
        committed: list[Committed] = []
        with torch.autocast(device.type, torch.bfloat16):
            for number, level in enumerate([*times[:-1], CONTEXT_LEVEL]):
                last = number == len(times) - 1
                if held is not None:
                    kept = held if last else held * (1 - level) + noise[: p.picture_tokens] * level
                    x = torch.cat([kept, x[p.picture_tokens :]])
                if last:
                    if held is None:  # what was given is not bent to what the diorama shows
                        x = x.clamp(centre - self.model.reach, centre + self.model.reach)
                    latents = x
                    x = x * (1 - level) + again * level
                seen = Seen(
                    x, torch.tensor(level, device=device), past, past_level, vector, presence, centre, past_centre
                )
                h, modulation = network.embed(seen)
                for block, cache in zip(network.layers, self.cache.layers, strict=True):
                    bias = far_bias if block.far else near_bias
                    h, (key, raw, value) = block.step(h, modulation, here, cache.keys, cache.values, bias)
                    if last:
                        committed.append(Committed(key, raw, value))
                if not last:
                    clean, _ = network.estimate(seen, network.unembed(h))
                    x = clean + times[number + 1] / level * (x - clean)
        if not bool(torch.isfinite(latents).all()):
            raise WorldError(f"step {self.index}: the network gave numbers that are not finite; the step was not made")
        frame = self.model.picture.decode_uint8(latents[None, : p.picture_tokens].float())
        features = self.model.sound.decode(latents[None, p.picture_tokens :].float().cpu())[0].numpy()
        audio, synth = synthesise(features, self.synth, np.random.default_rng([self.seed, self.index, 3]))
        chunk = Chunk(frame.cpu().numpy(), audio, self.index, plan.applied)
        # Everything that can fail is done: commit.
        self.cache.commit(self.index, committed)
        self.latents, self.centre = latents, centre
        self.synth, self.wish, self.easing = synth, plan.wish, plan.easing
        self.place_asked, self.known = plan.place_asked, plan.known
        self.index += 1
        return chunk

    def _past(self, asked: Asked) -> tuple[Tensor, Tensor]:
        """The last step's latents (S, Z) as the camera has moved since, and how far to doubt them."""
        if self.index == 0:
            return self.latents, torch.tensor(1.0, device=self.model.device)
        motion, pitch_rad = asked.motion * asked.motion_mask, (asked.pitch_rad * asked.motion_mask)[..., 0]
        device = self.model.device
        moved = carried(self.model.small, self.latents[None], motion.to(device), pitch_rad.to(device))[0]
        return moved * (1 - PAST_LEVEL), torch.tensor(PAST_LEVEL, device=device)

    def _plan(self, conditions: Conditions) -> _Plan:
        """Turn what is asked into eased, masked numbers, without touching the world."""
        clamped: list[str] = []
        ignored = [k for k in ("character", "style", "loudness_dbfs") if getattr(conditions, k) is not None]
        wish, easing = self.wish.released(conditions.release), copy.copy(self.easing)
        for text in (conditions.scene, conditions.directive):
            if text is not None:
                wish = wish.asked(self.model.head.read(text), easing.environment)
        if conditions.view is not None:
            wish = replace(wish, third=conditions.view == "third")
        wanted = dict(wish.environment)
        for key, value in conditions.environment.items():
            number = _within(key, value, ENVIRONMENT_RANGE[key], clamped)
            if number is not None:
                wanted[key] = number
        target = easing.environment.copy()
        mask = np.zeros(len(ENVIRONMENT), np.float32)
        for key, number in wanted.items():
            at = ENVIRONMENT.index(key)
            target[at], mask[at] = number, 1
            if key not in self.known and self.index == 0:
                easing.environment = easing.environment.copy()
                easing.environment[at] = number  # a world begins as asked, it does not ease in from a fair day
        for at, key in enumerate(ENVIRONMENT):
            if key not in wanted:
                target[at] = FAIR[at]
        place = wish.place_weights()
        if place is not None and not self.place_asked:
            easing.place = place.copy()
        motion, motion_mask = np.zeros(4, np.float32), 0.0
        if conditions.motion is not None:
            motion_mask = 1.0
            for at, key in enumerate(MOTION):
                motion[at] = _within(key, float(conditions.motion[at]), MOTION_RANGE[key], clamped) or 0.0
        elif wish.motion is not None:
            motion, motion_mask = np.array(wish.motion, np.float32), 1.0
        eased_place, eased_environment, eased_motion = easing.towards(
            easing.place if place is None else place, target, motion
        )
        presence = np.zeros((*GRID, 2), np.float32)
        if conditions.presence is not None:
            if conditions.presence.shape != presence.shape:
                raise WorldError(f"presence: must be {presence.shape}, not {conditions.presence.shape}")
            finite = np.nan_to_num(conditions.presence.astype(np.float32), nan=0.0, posinf=1.0, neginf=0.0)
            presence = np.clip(finite, 0, 1)
            if not np.array_equal(presence, conditions.presence):
                clamped.append("presence")
        presence = easing.presence_towards(presence)
        flash = 1.0 if wish.flashes == 2 else 0.55
        asked = Asked(
            _row(eased_place), _row([place is not None]), _row(eased_environment), _row(mask),
            _row(eased_motion), _row([easing.pitch_rad]), _row([motion_mask]), _row([wish.third]), _row([1]),
            _row([flash if wish.flashes else 0]), _row([wish.flashes > 0]),
            torch.from_numpy(presence)[None], _row([conditions.presence is not None]),
        )  # fmt: skip
        applied = {
            "place": {n: round(float(w), 3) for n, w in zip(PLACES, eased_place, strict=True) if w > 0.01}
            if place is not None
            else {},
            "environment": {k: round(float(eased_environment[ENVIRONMENT.index(k)]), 4) for k in wanted},
            "motion": [round(float(v), 4) for v in eased_motion] if motion_mask else None,
            "view": "third" if wish.third else "first",
            "clamped": clamped,
            "ignored": ignored,
        }
        wish = replace(wish, flashes=max(0, wish.flashes - 1))
        return _Plan(wish, easing, place is not None, set(wanted), asked, applied)

    # --- keeping, and going on twice ---

    def save(self, path: Path | str) -> None:
        """Write the whole state to `path`, atomically."""
        tensors = {f"cache.{name}": value for name, value in self.cache.tensors().items()}
        for name in ("place", "environment", "motion", "presence"):
            tensors[f"easing.{name}"] = torch.from_numpy(np.array(getattr(self.easing, name)))
        tensors["last.latents"], tensors["last.centre"] = self.latents, self.centre
        tensors["easing.pitch_rad"] = torch.tensor(float(self.easing.pitch_rad))
        for name in ("overlap", "phases", "tones", "whistle"):
            tensors[f"synth.{name}"] = torch.from_numpy(np.array(getattr(self.synth, name)))
        about = {
            "seed": self.seed,
            "index": self.index,
            "wish": asdict(self.wish),
            "place_asked": self.place_asked,
            "known": sorted(self.known),
        }
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        metadata = {"format": SNAPSHOT_FORMAT, "model": self.model.code, "about": json.dumps(about)}
        save_file(tensors, partial, metadata=metadata)
        partial.replace(path)

    def fork(self, seed: int | None = None) -> World:
        """A second world that goes on from here exactly alike, or differently with another `seed`."""
        other = copy.copy(self)
        other.cache = self.cache.copy()
        other.easing = copy.copy(self.easing)
        other.known = set(self.known)
        if seed is not None:
            other.seed = seed
        return other


def _row(values: Any) -> Tensor:
    return torch.as_tensor(np.asarray(values, np.float32))[None]


def _within(name: str, value: float, allowed: tuple[float, float], clamped: list[str]) -> float | None:
    """The number inside its range, noting in `clamped` if it was not; None if it is no number at all."""
    if not np.isfinite(value):
        clamped.append(name)
        return None
    low, high = allowed
    if not low <= value <= high:
        clamped.append(name)
    return float(np.clip(value, low, high))
