"""Are directives followed within three seconds, in words never trained on, and do their opposites go opposite ways?

A directive is given to a fork of a world that looks about slowly, or stands. What has become of it after three seconds
the judges say: the picture's reader for place, weather, hour and view, the flow of pictures for moves, the picture's
light for lightning, the level of low bands for wind. Each aspect of a meaning is a row of ASPECTS; a phrase that asks
for something that no row covers (a style, a figure) is left out until a row is added. The same is played in the
diorama, where the change that was asked for happens for certain: the share of it that is seen is the judge's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from model.conditions import ENVIRONMENT, MOTION_RANGE, Conditions, Easing
from model.diorama import episode
from model.diorama.captions import NO_PLACE, Meaning
from model.diorama.places import PLACES
from model.sound_codec import SLICE_SAMPLES
from model.training.evaluation import clips
from model.training.evaluation.figure import Figure, Findings, Pictures, Settings, Sound
from model.training.evaluation.hearing import level_db
from model.training.evaluation.movement import Mover, mover_of
from model.training.evaluation.reader import READ, TURN_RAD_S, Reader, Reading, reader_of
from model.training.evaluation.rollouts import STILL, roll
from model.training.evaluation.wordings import FREE, directives, is_chinese
from model.wish import Wish
from model.world import World, WorldModel

BEFORE, WITHIN = 24, 36  # steps; three seconds
LATE = (24, 28, 32, 36)  # steps after which the change is looked at
HEARD_FROM = 18 * SLICE_SAMPLES  # samples after which the change is listened to
EARLY = range(5, 15)  # and steps in which movement is: a camera that tilts is at its limit after
WIND_BANDS, WIND_DB = slice(2, 12), 15.0  # what a full wind is louder by than none
ENOUGH, HELD = 0.4, 0.25  # share of the change due by then that must be seen; how far what stays may seem to stray
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
    """What was seen and heard of a directive: readings before and after, and what is due by then.

    place and environment, before and due, as eased numbers (P,) and (7,); motion (4,) as asked; moved (4,) as measured.
    brightness (T,): the mean light of pictures from the last before the directive on. wind_db: levels before and after.
    """

    before: Reading
    after: Reading
    place: tuple[NDArray[np.float32], NDArray[np.float32]]
    environment: tuple[NDArray[np.float32], NDArray[np.float32]]
    motion: NDArray[np.float32]
    moved: NDArray[np.float64]
    brightness: NDArray[np.float64]
    wind_db: tuple[float, float]


def change_seen(trial: Trial, key: str) -> tuple[float, float]:
    """The change of a key that is due, and the one that is seen or, of wind, heard."""
    at = ENVIRONMENT.index(key)
    due = float(trial.environment[1][at] - trial.environment[0][at])
    if key == "wind":
        return due, (trial.wind_db[1] - trial.wind_db[0]) / WIND_DB
    return due, float(trial.after.value(key)[0] - trial.before.value(key)[0])


def environment_followed(trial: Trial, meaning: Meaning) -> bool:
    """Every key that can be judged went its way, or stayed where it is as it should."""
    for key in meaning.environment:
        if key not in (*READ, "wind"):
            continue
        due, seen = change_seen(trial, key)
        if abs(due) >= 0.2:
            if seen * np.sign(due) < ENOUGH * abs(due):
                return False
        elif key != "wind" and abs(seen) > HELD:
            return False
    return True


def place_followed(trial: Trial, meaning: Meaning) -> bool:
    """By three seconds half of the way is gone: that much of the asked place, or nearly, the judge must see."""
    gained = trial.after.place[0] - trial.before.place[0]
    due = trial.place[1] - trial.place[0]
    return bool(gained[meaning.place] >= ENOUGH * due[meaning.place])


def motion_followed(trial: Trial, meaning: Meaning) -> bool:
    """The picture moves as asked: the strongest command has its sign and a third of its strength; or it stands."""
    unit = np.array([high for _, high in MOTION_RANGE.values()])
    asked, moved = trial.motion / unit, trial.moved / unit
    at = int(np.abs(asked).argmax())
    if asked[at] == 0:
        return bool(np.abs(moved).max() < 0.3)
    return bool(moved[at] * np.sign(asked[at]) > abs(asked[at]) / 3)


def view_followed(trial: Trial, meaning: Meaning) -> bool:
    """The walker is seen, or not."""
    return bool((trial.after.third[0] > 0.5) == (meaning.view == "third"))


def flash_followed(trial: Trial, meaning: Meaning) -> bool:
    """The whole picture lights up at once."""
    return bool(np.diff(trial.brightness).max() > 12)


@dataclass(frozen=True)
class Aspect:
    """Part of a meaning that can be judged: the fields of Meaning it covers, if it is asked for, if it was done."""

    fields: tuple[str, ...]
    asked: Callable[[Meaning], bool]
    followed: Callable[[Trial, Meaning], bool]


ASPECTS: dict[str, Aspect] = {
    "environment": Aspect(
        ("environment",), lambda m: any(k in READ or k == "wind" for k in m.environment), environment_followed
    ),
    "place": Aspect(("place",), lambda m: m.place != NO_PLACE, place_followed),
    "motion": Aspect(("motion", "slow"), lambda m: m.motion != "none", motion_followed),
    "view": Aspect(("view",), lambda m: m.view != "none", view_followed),
    "flash": Aspect(("flash",), lambda m: m.flash, flash_followed),
}
_COVERED = {name for aspect in ASPECTS.values() for name in aspect.fields}


def asked_of(meaning: Meaning) -> list[str]:
    """The aspects that a meaning asks for; none if it asks for anything that can't be judged, or for nothing."""
    nothing = Meaning()
    others = set(vars(meaning)) - _COVERED
    if any(getattr(meaning, name) != getattr(nothing, name) for name in others):
        return []
    return [name for name, aspect in ASPECTS.items() if aspect.asked(meaning)]


def base_of(meaning: Meaning, number: int) -> Base:
    """A world in which a directive has something to change: fog where it is to go, little where there is to be more."""
    environment = {"sun_rad": 0.6, "cloud": 0.3, "fog": 0.05, "rain": 0.0, "snow": 0.0, "wind": 0.3, "energy": 0.5}
    rises = any(op == "set" and value > 0.3 for key, (op, value) in meaning.environment.items() if key != "sun_rad")
    for key, (operation, value) in meaning.environment.items():
        if key == "sun_rad":
            environment[key] = 0.5 if operation in ("more", "less") else (-0.4 if value > 0.2 else 0.6)
        elif operation in ("more", "less"):
            environment[key] = 0.3 if operation == "more" else 0.65
        elif value <= 0.3 and not rises and (len(meaning.environment) == 1 or key == "cloud"):
            environment[key] = 0.65
    if environment["rain"] > 0.2 or environment["snow"] > 0.2:
        environment["cloud"] = max(environment["cloud"], 0.8)
    if tuple(meaning.environment) == ("wind",):
        place = "desert" if "desert" in PLACES else PLACES[0]  # where little else is heard
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
    """Judge what was seen before, late and early, and heard before and after."""
    wish, eased_before, eased = due(base, meaning)
    before, late, early = pictures
    return Trial(
        reader.read(before), reader.read(late), (eased_before.place, eased.place),
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
        self._bases: dict[Base, tuple[World, Pictures, Sound]] = {}

    def _begun(self, base: Base) -> tuple[World, Pictures, Sound]:
        """A world as a directive finds it, pictures and sound of its two seconds before."""
        if base not in self._bases:
            world = self.model.begin("a " + base.place, seed=len(self._bases) + 1000 * self.seed)
            world.wish = base.wish
            asked = Conditions(motion=TURN if base.motion is None else None)
            frames, audio = roll(world, BEFORE, asked, BEFORE // 6)
            self._bases[base] = world, frames[2:], audio
        return self._bases[base]

    def given(self, phrase: str, meaning: Meaning, number: int) -> tuple[Trial, Pictures]:
        """What becomes of a phrase, and pictures of it."""
        base = base_of(meaning, number)
        begun, before, heard = self._begun(base)
        world = begun.fork()
        asked = Conditions(motion=TURN if base.motion is None else None)
        told = replace(asked, directive=self.model.embed(phrase))
        moves, flashes = meaning.motion != "none", meaning.flash
        early, audio = roll(world, EARLY.stop, asked, 1 if moves or flashes else 0, first=told)
        light = np.array([frame.mean() for frame in (before[-1], *early)])
        parts, sounds, at = [], [audio], EARLY.stop
        for step in LATE:
            frames, audio = roll(world, step - at, asked, step - at)
            parts.append(frames)
            sounds.append(audio)
            at = step
        late, after = np.concatenate(parts), [np.concatenate(sounds)[HEARD_FROM:]]
        others = []
        if "wind" in meaning.environment:  # gusts come and go: heard three times, in other dreams of the same world
            for more in (1, 2):
                other = begun.fork(seed=1000 * self.seed + 77 * more)
                others.append(roll(other.fork(), BEFORE, asked, 0)[1])
                after.append(roll(other, WITHIN, asked, 0, first=told)[1][HEARD_FROM:])
        trial = _trial(
            self.reader,
            self.mover,
            base,
            meaning,
            (before, late, early[EARLY.start :]),
            ([heard, *others], after),
            light,
        )
        return trial, np.concatenate([before[-1:], late])


def in_diorama(reader: Reader, mover: Mover, meaning: Meaning, number: int) -> Trial:
    """The same in the diorama, where what is asked for happens."""
    base = base_of(meaning, number)
    wish, _, _ = due(base, meaning)
    seed = clips.TRY_SEED + 5000 + number
    motion = TURN if base.motion is None else np.array(base.motion, np.float32)
    script = clips.script_of(
        seed, BEFORE + WITHIN, PLACES.index(base.place), clips.environment_of(dict(base.environment)), motion
    )
    script.environment[BEFORE:] = clips.environment_of(wish.environment)
    if wish.place is not None:
        script.place[BEFORE:] = 0
        script.place[BEFORE:, wish.place] = 1
    if meaning.motion != "none":
        script.motion[BEFORE:] = wish.motion
    walked = episode.walk(script, seed)
    after = replace(walked, third=wish.third)
    before = clips.seen(replace(walked, third=base.third), range(11, BEFORE, 4))
    late = clips.seen(after, [BEFORE - 1 + step for step in LATE])
    early = clips.seen(after, [BEFORE + step for step in EARLY]) if meaning.motion != "none" else late
    sounds: tuple[list[Sound], list[Sound]] = ([], [])
    for more in range(3 if "wind" in meaning.environment else 1):
        again = walked if more == 0 else episode.walk(script, seed + 77 * more)
        audio = clips.heard(again, seed + more)
        sounds[0].append(audio[: BEFORE * SLICE_SAMPLES])
        sounds[1].append(audio[BEFORE * SLICE_SAMPLES + HEARD_FROM :])
    return _trial(reader, mover, base, meaning, (before, late, early), sounds, np.zeros(0))


def is_followed(trial: Trial, meaning: Meaning) -> bool:
    """Whether all aspects that were asked for are seen."""
    return all(ASPECTS[name].followed(trial, meaning) for name in asked_of(meaning))


def _chosen(seed: int, count: int) -> list[tuple[str, Meaning, str]]:
    """Phrases that can be judged, half of them held-out wordings and half free ones, and which they are."""
    held = ((p, m, "held-out wording") for p, m in directives(seed) if asked_of(m))
    free = [(p, m, "free phrase") for p, m in FREE]
    order = np.random.default_rng([seed, 12]).permutation(len(free))
    return list(islice(held, count - min(len(free), count // 2))) + [free[k] for k in order[: count // 2]]


def following(model: WorldModel, settings: Settings) -> Findings:
    """Share of unseen phrases whose whole meaning is seen or heard within three seconds."""
    (reader, _), (mover, _) = reader_of(settings.cache), mover_of(settings.cache)
    dreams = Dreams(model, reader, mover, settings.seed)
    right: dict[str, list[bool]] = {}
    own: list[bool] = []
    rows: list[tuple[str, Pictures]] = []
    done: list[dict[str, object]] = []
    for number, (phrase, meaning, origin) in enumerate(_chosen(settings.seed, settings.of(30, 60))):
        trial, pictures = dreams.given(phrase, meaning, number)
        followed = is_followed(trial, meaning)
        if not meaning.flash:  # lightning comes in the diorama when it will
            own.append(is_followed(in_diorama(reader, mover, meaning, number), meaning))
        for part in ("all", "Chinese" if is_chinese(phrase) else "English", origin, *asked_of(meaning)):
            right.setdefault(part, []).append(followed)
        rows.append((f"{'+' if followed else '-'} {phrase}", pictures))
        done.append({"phrase": phrase, "followed": followed})
    parts = {name: float(np.mean(values)) for name, values in right.items()}
    figure = Figure(parts.pop("all"), len(rows), float(np.mean(own)), parts)
    return Findings({"directive_following": figure}, {"phrases": done}, {"following": rows})


OPERATIONS = ("more", "less", "stop", "start")
JUDGED = (*READ, "wind")


def operation_of(meaning: Meaning) -> tuple[str, str] | None:
    """The one key that a phrase is about and what is to become of it; None if it is about more, or about none."""
    keys = [k for k in meaning.environment if k in JUDGED]
    if not keys or len(asked_of(meaning)) != 1 or meaning.place != NO_PLACE:
        return None
    main = keys[0]
    operation, value = meaning.environment[main]
    if operation != "set":
        return (main, operation) if len(meaning.environment) == 1 else None
    if len(keys) > 1 and not (main in ("rain", "snow") and value > 0.3):
        return None
    return main, "start" if value > 0.3 else "stop"


def _polar(phrases: Iterable[tuple[str, Meaning]], each: int) -> list[tuple[str, Meaning, str, str]]:
    """`each` phrases of every key and operation in each language, if there are so many wordings."""
    wanted = {(k, o, zh): each for k in JUDGED for o in OPERATIONS for zh in (False, True)}
    chosen = []
    for phrase, meaning in islice(phrases, 4_000):
        about = operation_of(meaning)
        if about is None or not wanted[(*about, is_chinese(phrase))]:
            continue
        wanted[(*about, is_chinese(phrase))] -= 1
        chosen.append((phrase, meaning, *about))
    return chosen


def polarity(model: WorldModel, settings: Settings) -> Findings:
    """Share of unseen start, stop, more and less phrases after which the thing is seen or heard to go the right way."""
    (reader, _), (mover, _) = reader_of(settings.cache), mover_of(settings.cache)
    dreams = Dreams(model, reader, mover, settings.seed)
    right: dict[str, list[bool]] = {}
    own: list[bool] = []
    for number, (phrase, meaning, key, operation) in enumerate(
        _polar(directives(settings.seed + 500), settings.of(1, 2))
    ):

        def went(trial: Trial, key: str = key) -> bool:
            wanted, seen = change_seen(trial, key)
            return bool(seen * np.sign(wanted) >= ENOUGH / 2 * abs(wanted))

        trial, _ = dreams.given(phrase, meaning, number)
        own.append(went(in_diorama(reader, mover, meaning, number)))
        for part in ("all", operation, key, "Chinese" if is_chinese(phrase) else "English"):
            right.setdefault(part, []).append(went(trial))
    parts = {name: float(np.mean(values)) for name, values in right.items()}
    return Findings({"directive_polarity": Figure(parts.pop("all"), len(own), float(np.mean(own)), parts)})
