"""A directive tried: given to a dream, or played in the diorama, and what was seen and heard of it in three seconds.

What changed is read against a second fork of the same world, on the same walk, that was told nothing: what comes into
sight by turning is then no change, as in a paired trial.

A directive is given to a fork of a world that looks about slowly, or stands, and has something to change. In the
diorama what was asked for happens for certain: how often that is seen is the judges' own accuracy.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from model.conditions import Conditions, Easing
from model.diorama import episode
from model.diorama.captions import Meaning
from model.diorama.places import PLACES
from model.sound_codec import SLICE_SAMPLES
from model.training.evaluation import clips
from model.training.evaluation.figure import Pictures, Sound
from model.training.evaluation.hearing import level_db
from model.training.evaluation.movement import Mover
from model.training.evaluation.reader import TURN_RAD_S, Reader, Reading
from model.training.evaluation.rollouts import STILL, roll
from model.wish import Wish
from model.world import World, WorldModel

BEFORE, WITHIN = 24, 36  # steps; three seconds
LATE = (24, 28, 32, 36)  # steps after which the change is looked at
HEARD_FROM = 18 * SLICE_SAMPLES  # samples after which the change is listened to
EARLY = range(5, 15)  # and steps in which movement is: a camera that tilts is at its limit after
WIND_BANDS = slice(2, 12)
OPEN = tuple(p for p in ("meadow", "coast", "mountains", "lake") if p in PLACES)  # where weather is seen best
TURN = np.array([0, 0, TURN_RAD_S, 0], np.float32)


@dataclass(frozen=True)
class Base:
    """What a directive is given to. motion: None is a slow turn. third: in third person."""

    place: str
    environment: tuple[tuple[str, float], ...]
    motion: tuple[float, float, float, float] | None = None
    third: bool = False

    @property
    def wish(self) -> Wish:
        """It as if it had been asked for in words."""
        return Wish(
            place=PLACES.index(self.place), environment=dict(self.environment), motion=self.motion, third=self.third
        )


@dataclass(frozen=True)
class Trial:
    """What was seen and heard of a directive: readings without it and with it, at the same steps, and what is due then.

    place and environment, before and due, as eased numbers (P,) and (7,); motion (4,) as asked; moved (4,) as measured.
    brightness (T,): the mean light of pictures from the last before the directive on. wind_db: levels without, with.
    """

    beside: Reading
    after: Reading
    place: tuple[NDArray[np.float32], NDArray[np.float32]]
    environment: tuple[NDArray[np.float32], NDArray[np.float32]]
    motion: NDArray[np.float32]
    moved: NDArray[np.float64]
    brightness: NDArray[np.float64]
    wind_db: tuple[float, float]


def base_of(meaning: Meaning, number: int) -> Base:
    """A world in which a directive has something to change: fog where it is to go, little where there is to be more."""
    environment = {"sun_rad": 0.6, "cloud": 0.3, "fog": 0.05, "rain": 0.0, "snow": 0.0, "wind": 0.3, "energy": 0.5}
    rises = any(op == "set" and value > 0.3 for key, (op, value) in meaning.environment.items() if key != "sun_rad")
    for key, (operation, value) in meaning.environment.items():
        if key == "sun_rad":
            # Where a change of the sun by 0.36 rad shows: about the horizon.
            environment[key] = 0.2 if operation in ("more", "less") or value < -0.2 else (-0.15 if value > 0.2 else 0.4)
        elif operation in ("more", "less"):
            environment[key] = 0.3 if operation == "more" else 0.65
        elif value <= 0.3 and not rises and (len(meaning.environment) == 1 or key == "cloud"):
            environment[key] = 0.65
    if environment["rain"] > 0.2 or environment["snow"] > 0.2:
        environment["cloud"] = max(environment["cloud"], 0.8)
    if tuple(meaning.environment) == ("wind",):
        place = "desert" if "desert" in PLACES else PLACES[0]  # where little else is heard
    elif meaning.motion != "none":
        place = OPEN[0] if OPEN else PLACES[0]  # where things stand that one can be seen to pass
    else:
        place = next(
            p
            for p in (OPEN or PLACES)[number % len(OPEN or PLACES) :] + (OPEN or PLACES)
            if PLACES.index(p) != meaning.place
        )
    motion = None
    if meaning.motion != "none":
        motion = (0.9, 0.0, 0.0, 0.0) if meaning.motion == "still" else (0.0, 0.0, 0.0, 0.0)
    return Base(place, tuple(environment.items()), motion, meaning.view == "first")


def due(base: Base, meaning: Meaning) -> tuple[Wish, Easing, Easing]:
    """The wish after the directive, were it read right, and the eased state before it and three seconds after."""
    environment = clips.environment_of(dict(base.environment))
    place = base.wish.place_weights()
    assert place is not None
    wish = base.wish.asked(meaning, environment)
    easing = Easing(place, environment)
    before = Easing(place, environment)
    target = clips.environment_of(wish.environment)
    to = wish.place_weights()
    for _ in range(WITHIN):
        easing.towards(place if to is None else to, target, STILL)
    return wish, before, easing


def _trial(
    reader: Reader, mover: Mover, base: Base, meaning: Meaning, pictures: tuple[Pictures, Pictures, Pictures],
    sound: tuple[list[Sound], list[Sound]], brightness: NDArray[np.float64],
) -> Trial:  # fmt: skip
    """Judge what was seen late without the directive, late and early with it, and heard without and with it."""
    wish, eased_before, eased = due(base, meaning)
    beside, late, early = pictures
    return Trial(
        reader.read(beside), reader.read(late), (eased_before.place, eased.place),
        (eased_before.environment, eased.environment),
        np.array(wish.motion if wish.motion is not None else (0, 0, 0, 0), np.float32),
        mover.read(early) if meaning.motion != "none" else np.zeros(4), brightness,
        (level_of(sound[0]), level_of(sound[1])),
    )  # fmt: skip


def level_of(sounds: list[Sound]) -> float:
    """The mean level of the bands that wind fills, in dB."""
    return float(np.mean([level_db(sound, WIND_BANDS) for sound in sounds]))


class Dreams:
    """Directives given to dreams; the worlds that they are given to are kept, and forked for each."""

    def __init__(self, model: WorldModel, reader: Reader, mover: Mover, seed: int) -> None:
        self.model, self.reader, self.mover, self.seed = model, reader, mover, seed
        self._bases: dict[Base, tuple[World, Pictures, Pictures, Sound]] = {}

    def _begun(self, base: Base) -> tuple[World, Pictures, Pictures, Sound]:
        """A world as a directive finds it, its last picture before; late pictures and sound of it if told nothing."""
        if base not in self._bases:
            world = self.model.begin("a " + base.place, seed=len(self._bases) + 1000 * self.seed)
            world.wish = base.wish
            asked = Conditions(motion=TURN if base.motion is None else None)
            last, _ = roll(world, BEFORE, asked, BEFORE)
            beside, audio = self._late(world.fork(), asked, 0)
            self._bases[base] = world, last, beside, audio[HEARD_FROM:]
        return self._bases[base]

    @staticmethod
    def _late(world: World, asked: Conditions, at: int) -> tuple[Pictures, Sound]:
        """Pictures after LATE steps of a world that has gone `at` of them, and all sound until then."""
        parts, sounds = [], []
        for step in LATE:
            frames, audio = roll(world, step - at, asked, step - at)
            parts.append(frames)
            sounds.append(audio)
            at = step
        return np.concatenate(parts), np.concatenate(sounds)

    def given(self, phrase: str, meaning: Meaning, number: int) -> tuple[Trial, Pictures]:
        """What becomes of a phrase, and pictures of it."""
        base = base_of(meaning, number)
        begun, last, beside, heard = self._begun(base)
        world = begun.fork()
        asked = Conditions(motion=TURN if base.motion is None else None)
        told = replace(asked, directive=self.model.embed(phrase))
        moves, flashes = meaning.motion != "none", meaning.flash
        early, audio = roll(world, EARLY.stop, asked, 1 if moves or flashes else 0, first=told)
        light = np.array([frame.mean() for frame in (last[-1], *early)])
        late, sound = self._late(world, asked, EARLY.stop)
        after = [np.concatenate([audio, sound])[HEARD_FROM:]]
        others = []
        if "wind" in meaning.environment:  # gusts come and go: heard three times, in other dreams of the same world
            for more in (1, 2):
                other = begun.fork(seed=1000 * self.seed + 77 * more)
                others.append(roll(other.fork(), WITHIN, asked, 0)[1][HEARD_FROM:])
                after.append(roll(other, WITHIN, asked, 0, first=told)[1][HEARD_FROM:])
        trial = _trial(
            self.reader,
            self.mover,
            base,
            meaning,
            (beside, late, early[EARLY.start :]),
            ([heard, *others], after),
            light,
        )
        return trial, np.concatenate([last, late])


def in_diorama(reader: Reader, mover: Mover, meaning: Meaning, number: int) -> Trial:
    """The same in the diorama, where what is asked for happens."""
    base = base_of(meaning, number)
    wish, _, _ = due(base, meaning)
    seed = clips.TRY_SEED + 5000 + number
    motion = TURN if base.motion is None else np.array(base.motion, np.float32)
    script = clips.script_of(
        seed, BEFORE + WITHIN, PLACES.index(base.place), clips.environment_of(dict(base.environment)), motion
    )
    untold = episode.walk(copy.deepcopy(script), seed)
    script.environment[BEFORE:] = clips.environment_of(wish.environment)
    if wish.place is not None:
        script.place[BEFORE:] = 0
        script.place[BEFORE:, wish.place] = 1
    if meaning.motion != "none":
        script.motion[BEFORE:] = wish.motion
    walked = episode.walk(script, seed)
    after = replace(walked, third=wish.third)
    at = [BEFORE - 1 + step for step in LATE]
    beside, late = clips.seen(replace(untold, third=base.third), at), clips.seen(after, at)
    early = clips.seen(after, [BEFORE + step for step in EARLY]) if meaning.motion != "none" else late
    sounds: tuple[list[Sound], list[Sound]] = ([], [])
    for more in range(3 if "wind" in meaning.environment else 1):
        for heard, walk in zip(sounds, (untold, walked), strict=True):
            audio = clips.heard(walk, seed + more)
            heard.append(audio[BEFORE * SLICE_SAMPLES + HEARD_FROM :])
    return _trial(reader, mover, base, meaning, (beside, late, early), sounds, np.zeros(0))
