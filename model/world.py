"""The running world: `load` a model, `begin` a world, `step` it without end; `save`, `resume`, `fork` it bit for bit.

A step denoises pulse and sound of the next twelfth of a second on a frozen cache, sees the picture from where the
walker then stands, and only then commits: a step that fails leaves the world as it was. All randomness is drawn from
(seed, step), so the state needs no generator, and two worlds with the same state go on alike.
"""

from __future__ import annotations

import copy
import json
from dataclasses import asdict, fields, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from model import checkpoint, outlook
from model.acting import visible
from model.brush import Brush
from model.cache import Committed, StepCache
from model.cast import GROUND, Cast, heard
from model.condition_vector import condition_vector
from model.conditions import ENVIRONMENT, STEPS_PER_S, STYLES, Array, Chunk, Conditions, Easing
from model.diorama.places import COLUMN, TABLE
from model.field import field_of, shared
from model.figures import Figures
from model.plan import Plan, own_place, planned, wandering
from model.precision import reducing
from model.preset import Preset
from model.pulse import FLASH_UNIT, Pulse
from model.quick_step import QuickBlock
from model.seeing import Look, Seeing
from model.shading import Moment, Textures
from model.sound_codec import SoundCodec, SynthState, synthesise
from model.sprites import seen_walker
from model.styles import named
from model.text import TextHead, embed
from model.transformer import Nacre, Seen, rotary_table
from model.view import View
from model.walker import Walker, blown
from model.wish import Wish

# A place changes at this share of its pace while water that comes, or goes, stands so near the height of one's feet, in
# m, and faster up to the other.
FLOOD_PACE, EBB_PACE, FLOOD_M = 0.2, 0.6, (0.5, 3.5)
WADES_M = 0.3  # deep in the water that comes, and who is on feet leaves
SNAPSHOT_FORMAT = "oysterd-world-6"
CONTEXT_LEVEL = 0.05  # noise on committed steps: the model was trained to see through it, so small errors don't pile up
SHIFT = 2.0  # spends more of the few sampling steps at high noise, where a step decides the most
REACH = 6.0  # deviations a latent may stray: of the diorama's, none strays further
DISSOLVE_STEPS = 48  # in which a picture that a world begins with passes into what it is taken for
MOOD_SIZE = (144, 256)  # pixels, in which the dream's colours are told from a given picture's
MOOD = 0.7  # share of a picture's colours that its world keeps
_SEA = TABLE[:, COLUMN["sea"]] > 0.5  # places with a shore
_WATER = TABLE[:, COLUMN["water"]]


class WorldError(Exception):
    """A world can't begin, resume or step; the message names what was wrong."""


def _times(steps: int) -> list[float]:
    t = torch.linspace(1, 0, steps + 1, dtype=torch.float64)
    return (SHIFT * t / (1 + (SHIFT - 1) * t)).tolist()  # type: ignore[no-any-return]


class WorldModel:
    """A loaded model: networks, sound codec and text head on a device. Worlds share it and hold only their state."""

    def __init__(self, preset: Preset, parts: dict[str, dict[str, Tensor]], code: str, device: str = "cpu") -> None:
        self.preset, self.code, self.device = preset, code, torch.device(device)
        self.network, self.view = Nacre(preset), View(preset)
        self.figures, self.brush = Figures(), Brush()
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
        self.view.to(self.device)
        self.figures.to(self.device)
        self.brush.to(self.device).textures(self.device)  # made now, not at the first painted step
        shared()  # drawn now, not when somebody waits for a world
        on_cpu = self.device.type == "cpu"
        self.quick = [QuickBlock(block) if on_cpu else None for block in self.network.layers]
        self.seeing = Seeing(preset, self.view, self.brush, self.device)

    def parts(self) -> dict[str, torch.nn.Module]:
        """What a checkpoint holds, by name."""
        return {
            "network": self.network, "view": self.view, "figures": self.figures, "brush": self.brush,
            "sound": self.sound, "head": self.head,
        }  # fmt: skip

    def own_place(self, seed: int) -> Array:
        """The place (places,) a world begins in when nobody names one: the venue's, if the model was made for one."""
        place = self.view.own_place.cpu().numpy()
        return place.copy() if place.any() else own_place(seed)

    def embed(self, text: str) -> Array:
        """A text's embedding float32 (E,), for the text fields of Conditions."""
        return embed([text])[0]

    def style_of(self, text: str) -> Array | None:
        """Weights (8,) of the style that a text names or, as the text head reads it, means; None where it is none."""
        name = named(text)
        if name is None and not any(letter.isalpha() for letter in text):
            return None
        style = self.head.style(self.embed(text)) if name is None else STYLES.index(name)
        return None if style is None else np.eye(len(STYLES), dtype=np.float32)[style]

    @torch.inference_mode()
    def begin(
        self,
        scene: str | Array | None = None,
        image: NDArray[np.uint8] | None = None,
        seed: int = 0,
        view: Literal["first", "third"] = "first",
        style: str | Array | None = None,
    ) -> World:
        """A new world from a scene (text or embedding), a picture uint8 (H, W, 3) of any size, or nothing at all.

        A picture stands at the beginning, and passes into the place, hour and colours that it is taken for. style:
        a text or weights (8,). Raises WorldError for a picture that is not one and for a style that is none.
        """
        world = World(self, seed)
        if scene is not None:
            embedding = self.embed(scene) if isinstance(scene, str) else scene
            world.wish = world.wish.asked(self.head.read(embedding), world.easing.environment)
        if view == "third":
            world.wish = replace(world.wish, third=True)
        if style is not None:
            weights = self.style_of(style) if isinstance(style, str) else style
            if weights is None:
                raise WorldError(f"style: {style!r} names none of {', '.join(STYLES)}")
            try:
                world.wish = world.wish.styled(weights)
            except ValueError as error:
                raise WorldError(str(error)) from error
        picture = None if image is None else self._sized(image)
        environment = world.easing.environment.copy()
        place = world.wish.place_weights()
        if picture is not None:
            with reducing(self.device.type):
                like = outlook.likeness(self.view, world.textures, picture, seed)
            environment = like.environment
            place = like.place if place is None else place
            # What the picture shows is as if it had been asked for; words come first.
            shown = dict(zip(ENVIRONMENT, environment.tolist(), strict=True))
            world.wish = replace(world.wish, place=int(place.argmax()), environment=shown | world.wish.environment)
        for key, value in world.wish.environment.items():
            environment[ENVIRONMENT.index(key)] = value
        world.easing = Easing(world.easing.place if place is None else place, environment)
        with reducing(self.device.type):
            world.walker = outlook.find_spot(self.view, world.textures, world.easing.place, environment, seed)
            if picture is not None:
                moment = outlook.moments([world.walker], world.easing.place[None], environment[None], self.device)
                shown_now, _ = self.view.picture(world.textures, moment, *MOOD_SIZE)
                world.mood = MOOD * outlook.mood_of(picture, shown_now[0].float())
                world.photo = picture.mul(255).round().to(torch.uint8).cpu().numpy()
        return world

    def _sized(self, image: NDArray[np.uint8]) -> Tensor:
        """A picture cropped to the world's shape about its centre and resized: (H, W, 3) in 0..1."""
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or min(image.shape[:2]) < 8:
            raise WorldError(
                f"image: must be uint8 (height, width, 3) of 8 pixels or more, not {image.dtype} {image.shape}"
            )
        height, width = self.preset.height, self.preset.width
        rows, cols = image.shape[:2]
        scale = min(rows / height, cols / width)
        h, w = max(1, round(height * scale)), max(1, round(width * scale))
        top, left = (rows - h) // 2, (cols - w) // 2
        cut = torch.from_numpy(np.ascontiguousarray(image[top : top + h, left : left + w])).permute(2, 0, 1)[None]
        sized = F.interpolate(cut.float(), (height, width), mode="bilinear", align_corners=False, antialias=True)
        return (sized[0].permute(1, 2, 0) / 255).clamp(0, 1).to(self.device)

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
        world = World(self, about["field_seed"])
        world.seed, world.index, world.gust = about["seed"], about["index"], about["gust"]
        world.wish = Wish.of(about["wish"])
        parts: dict[str, dict[str, Tensor]] = {"cache": {}, "easing": {}, "synth": {}, "own": {}}
        for full, value in tensors.items():
            part, _, name = full.partition(".")
            parts[part][name] = value
        try:
            world.cache.load(parts["cache"])
        except ValueError as error:
            raise WorldError(f"{path}: {error}") from error
        for name, value in parts["easing"].items():
            setattr(world.easing, name, np.float32(value.item()) if value.ndim == 0 else value.numpy())
        world.synth = SynthState(**{name: value.numpy() for name, value in parts["synth"].items()})
        world.walker = Walker(*parts["own"]["walker"].tolist())
        world.cast = Cast.of(parts["own"]["cast"].numpy())
        world.mood, world.photo = (
            parts["own"][name].numpy() if name in parts["own"] else None for name in ("mood", "photo")
        )
        return world


def load(name: str = "nacre", device: str = "cpu", height: int | None = None) -> WorldModel:
    """Load a model by name or path, its pictures `height` pixels high if that is given.

    Raises model.checkpoint.CheckpointError.
    """
    preset, parts, code = checkpoint.load(name)
    return WorldModel(preset if height is None else preset.sized(height), parts, code, device)


class World:
    """One living world. `step` advances it by a twelfth of a second."""

    def __init__(self, model: WorldModel, seed: int) -> None:
        self.model, self.seed, self.field_seed, self.index = model, seed, seed, 0
        self.wish, self.walker, self.cast = Wish(), Walker(), Cast()
        self.easing = Easing(model.own_place(seed), wandering(seed, 0.0))
        self.synth = SynthState.silent()
        self.cache = StepCache(model.preset, model.device)
        self.textures = Textures.of([field_of(seed)], model.device)
        self.gust = 0.0
        self.mood: NDArray[np.float32] | None = None  # (rows, 3): what a given picture's colours add
        self.photo: NDArray[np.uint8] | None = None  # (H, W, 3): a given picture, until it has passed into the dream

    @property
    def time_s(self) -> float:
        """The world's own time, in seconds since it began."""
        return self.index / STEPS_PER_S

    @torch.inference_mode()
    def step(self, conditions: Conditions | None = None) -> Chunk:
        """Advance one step. Raises WorldError, and leaves the world as it was, when the step can't be made."""
        try:
            plan = planned(
                conditions or Conditions(), self.wish, self.easing, self.seed, self.index, self.time_s,
                self.model.head.read,
            )  # fmt: skip
        except ValueError as error:
            raise WorldError(str(error)) from error
        walker = self._moved(plan)
        cast = self.cast.advanced(self._driven_off(plan, walker) | plan.cues, walker, self.seed, self.index)
        plan.applied["figures"] = cast.present()
        vector = condition_vector(
            plan.place, plan.environment, walker, plan.presence, plan.flash, heard(cast, walker), plan.loud
        )
        latents, committed = self._denoised(torch.from_numpy(vector).to(self.model.device), plan.flash)
        if not bool(torch.isfinite(latents).all()):
            raise WorldError(f"step {self.index}: the network gave numbers that are not finite; the step was not made")
        pulse_tokens = self.model.preset.pulse_tokens
        pulse = Pulse.of(latents[0].float().cpu().numpy())
        features = self.model.sound.decode(latents[None, pulse_tokens:].float().cpu())[0].numpy()
        audio, synth = synthesise(features, self.synth, np.random.default_rng([self.seed, self.index, 3]))
        frame, depth = self._seen(plan, walker, cast, pulse)
        chunk = Chunk(frame[None], audio, self.index, plan.applied, depth)
        # Everything that can fail is done: commit.
        self.cache.commit(self.index, committed)
        self.synth, self.wish, self.easing, self.gust = synth, plan.wish, plan.easing, pulse.gust
        self.walker, self.cast = walker, cast
        self.index += 1
        if self.index >= DISSOLVE_STEPS:
            self.photo = None
        return chunk

    def _moment(self, plan: Plan, walker: Walker, environment: Array, flash: float) -> Moment:
        moment = outlook.moments([walker], plan.place[None], environment[None], self.model.device)
        moment.flash = moment.flash + flash
        moment.presence = torch.from_numpy(plan.presence.copy())[None].to(self.model.device)
        return moment

    def _moved(self, plan: Plan) -> Walker:
        """The walker a step later, and the shore where a coast has just been asked for."""
        walker = self.walker
        asked = plan.wish.place
        if self.index and asked is not None and _SEA[asked] and self.easing.place[_SEA].sum() < 1e-3:
            walker = walker.with_shore(outlook.SHORE_AHEAD_M, walker.yaw)

        def stand_at(x: float, y: float) -> float:
            return self._heights(self._moment(plan, walker, plan.environment, 0.0), [x], [y])[0]

        walker = walker.advanced(
            plan.motion, float(plan.easing.pitch_rad), plan.environment, self.gust, stand_at, plan.lift_m
        )
        plan.easing.pace = self._pace(plan, walker)
        return walker

    def _pace(self, plan: Plan, walker: Walker) -> np.float32:
        """How fast a place may change now: water that comes or goes floods level ground in a moment."""
        if plan.place.max() >= 1:
            return np.float32(1)
        ground, level = self._ground(self._moment(plan, walker, plan.environment, 0.0), [walker.x], [walker.y])
        away_m = abs(float(ground[0] - level))
        asked = plan.wish.place
        comes = asked is not None and _WATER[asked] > plan.place @ _WATER
        least, (near_m, far_m) = FLOOD_PACE if comes else EBB_PACE, FLOOD_M
        return np.float32(np.clip(least + (1 - least) * (away_m - near_m) / (far_m - near_m), least, 1))

    def _driven_off(self, plan: Plan, walker: Walker) -> dict[str, str]:
        """Who has to leave: while a place changes, those on their feet to whom its water has risen."""
        dry = [actor for actor in self.cast.actors if actor.name in GROUND]
        if plan.place.max() >= 1 or not dry or plan.place @ _WATER <= self.easing.place @ _WATER:
            return {}
        moment = self._moment(plan, walker, plan.environment, 0.0)
        ground, level = self._ground(moment, [actor.x for actor in dry], [actor.y for actor in dry])
        return {actor.name: "leave" for actor, at in zip(dry, ground, strict=True) if level - at > WADES_M}

    def _ground(self, moment: Moment, x: list[float], y: list[float]) -> tuple[Tensor, Tensor]:
        """Heights in m of ground at points in m, and of water."""
        at = (torch.tensor([values], device=self.model.device) for values in (x, y))
        ground, level = self.model.view.ground_at(self.textures, moment, *at)
        return ground[0], level

    def _heights(self, moment: Moment, x: list[float], y: list[float]) -> list[float]:
        """Heights in m of ground, or of the water over it, at points in m."""
        return torch.maximum(*self._ground(moment, x, y)).tolist()  # type: ignore[no-any-return]

    def _denoised(self, vector: Tensor, flash: float | None) -> tuple[Tensor, list[Committed]]:
        """Latents (S, Z) of the step, and what its layers are to remember of it."""
        p, network, device = self.model.preset, self.model.network, self.model.device
        generator = torch.Generator().manual_seed((self.seed * 1_000_003 + self.index) % 2**63)
        x, again = torch.randn(2, p.tokens, p.channels, generator=generator).to(device)
        here = rotary_table(torch.tensor([self.index]), p.dim // p.heads // 2).to(device)
        near_bias, far_bias = self.cache.prepare(self.index)
        times = _times(p.sampling_steps)
        committed: list[Committed] = []
        latents = x
        # A step's few tokens gain nothing from sixteen bits: on a CPU conversions would cost more than products.
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type != "cpu"):
            levels = torch.tensor([*times[:-1], CONTEXT_LEVEL], device=device)
            told = network.told(levels, vector)
            for number, (level, added, modulation) in enumerate(zip(levels.tolist(), *told, strict=True)):
                last = number == len(times) - 1
                if last:
                    latents = x.clamp(-REACH * network.spread, REACH * network.spread)
                    if flash is not None:  # what is asked for comes, whatever was dreamt
                        latents = latents.clone()
                        latents[0, 0] = flash / FLASH_UNIT
                    x = latents * (1 - level) + again * level
                seen = Seen(x, levels[number], vector)
                h = network.tokens(x, levels[number], added)
                for block, quick, cache in zip(network.layers, self.model.quick, self.cache.layers, strict=True):
                    bias = far_bias if block.far else near_bias
                    if quick is None:
                        h, kept = block.step(h, modulation, here, cache.keys, cache.values, bias)
                        new = Committed(*kept)
                    else:
                        h, new = quick.step(h, modulation, here, cache, bias)
                    if last:
                        committed.append(new)
                if not last:
                    clean, _ = network.estimate(seen, network.unembed(h))
                    x = clean + times[number + 1] / level * (x - clean)
        return latents, committed

    def _seen(
        self, plan: Plan, walker: Walker, cast: Cast, pulse: Pulse
    ) -> tuple[NDArray[np.uint8], NDArray[np.float16] | None]:
        """The picture uint8 (H, W, 3) from where the walker stands, and its land's depth in m (H, W), 0 for sky."""
        p = self.model.preset
        moment = self._moment(plan, walker, blown(plan.environment, pulse.gust), pulse.flash)
        shown = visible(cast, walker, plan.place, p.width / p.height, partial(self._heights, moment))
        if plan.wish.third:
            shown = [*shown, seen_walker(walker, plan.wish.character)]

        def between(land: Tensor, depth: Tensor) -> Tensor:
            return self.model.figures(land, depth, moment, shown)  # type: ignore[no-any-return]

        x, y, _, yaw, pitch = walker.camera.tolist()
        t = self.index / DISSOLVE_STEPS
        look = Look(plan.style, (x, y, yaw, pitch), self.mood, self.photo, t * t * (3 - 2 * t))
        try:
            return self.model.seeing.see(self.textures, moment, between, look)
        except ValueError as error:
            raise WorldError(f"step {self.index}: {error}; the step was not made") from error

    # --- keeping, and going on twice ---

    def save(self, path: Path | str) -> None:
        """Write the whole state to `path`, atomically."""
        tensors = {f"cache.{name}": value for name, value in self.cache.tensors().items()}
        for name in ("place", "environment", "motion", "presence", "style"):
            tensors[f"easing.{name}"] = torch.from_numpy(np.array(getattr(self.easing, name)))
        for name in ("pitch_rad", "lift_m", "loud", "pace"):
            tensors[f"easing.{name}"] = torch.tensor(float(getattr(self.easing, name)))
        for field in fields(SynthState):
            tensors[f"synth.{field.name}"] = torch.from_numpy(np.array(getattr(self.synth, field.name)))
        tensors["own.walker"] = torch.from_numpy(self.walker.numbers())
        tensors["own.cast"] = torch.from_numpy(self.cast.numbers())
        for name, value in (("mood", self.mood), ("photo", self.photo)):
            if value is not None:
                tensors[f"own.{name}"] = torch.from_numpy(value.copy())
        about = {
            "seed": self.seed, "field_seed": self.field_seed, "index": self.index, "gust": self.gust,
            "wish": asdict(self.wish),
        }  # fmt: skip
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
        if seed is not None:
            other.seed = seed
        return other
