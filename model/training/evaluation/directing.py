"""Are directives followed within three seconds, in words never trained on, and do their opposites go opposite ways?

What has become of a directive (`trials.py`) the judges say: the pictures' reader for place, weather, hour and view, the
flow of pictures for moves, the picture's light for lightning, the level of low bands for wind. Each aspect of a meaning
is a row of ASPECTS; a phrase that asks for something that no row covers (a style, a figure) is left out until a row is
added.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np

from model.conditions import ENVIRONMENT, MOTION_RANGE
from model.diorama.captions import NO_PLACE, Meaning
from model.training.evaluation.figure import Figure, Findings, Pictures, Settings
from model.training.evaluation.movement import mover_of
from model.training.evaluation.reader import READ, reader_of
from model.training.evaluation.trials import Dreams, Trial, in_diorama
from model.training.evaluation.wordings import FREE, directives, is_chinese
from model.world import WorldModel

WIND_DB = 15.0  # what a full wind is louder by than none, in the bands that it fills
ENOUGH, HELD = 0.4, 0.25  # share of the change due by then that must be seen; how far what stays may seem to stray


def change_seen(trial: Trial, key: str) -> tuple[float, float]:
    """The change of a key that is due, and the one that is seen or, of wind, heard."""
    at = ENVIRONMENT.index(key)
    due = float(trial.environment[1][at] - trial.environment[0][at])
    if key == "wind":
        return due, (trial.wind_db[1] - trial.wind_db[0]) / WIND_DB
    return due, float(trial.after.value(key)[0] - trial.beside.value(key)[0])


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
    """By three seconds most of the way is gone: the asked place is read, or has become more likely by the most."""
    before, after = (reading.place[0] for reading in (trial.beside, trial.after))
    if before.argmax() != meaning.place == after.argmax():
        return True
    return int((np.log(after.clip(1e-6)) - np.log(before.clip(1e-6))).argmax()) == meaning.place


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
