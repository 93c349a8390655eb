"""Are scenes in words never trained on recognised in the picture: place, weather, time of day?"""

from __future__ import annotations

import numpy as np

from model.conditions import ENVIRONMENT, FAIR, Conditions
from model.diorama.captions import Meaning
from model.diorama.places import PLACES
from model.training.evaluation import reader as judge
from model.training.evaluation.figure import Figure, Findings, Settings
from model.training.evaluation.reader import EVERY, PICTURES, PRESENT, ROOFED, TURN_RAD_S, reader_of
from model.training.evaluation.rollouts import roll
from model.training.evaluation.wordings import scenes
from model.training.text import accuracy, embed_all, phrases
from model.world import WorldModel


def is_fair(meaning: Meaning) -> bool:
    """Whether a place can be told in the weather and at the hour that a scene asks for."""
    environment = FAIR.copy()
    for key, (operation, value) in meaning.environment.items():
        if operation == "set":
            environment[ENVIRONMENT.index(key)] = value
    return judge.is_fair(environment)


def naming(model: WorldModel, settings: Settings) -> Findings:
    """Share of places named where they can be seen, and of weathers and hours told, from held-out scenes.

    Every place as often as any other; the clip is a slow turn, as those that the judge learnt from.
    """
    reader, tried = reader_of(settings.cache)
    told = scenes(settings.seed)
    places: list[bool] = []
    confused: list[tuple[str, str]] = []
    weathers: dict[str, list[bool]] = {key: [] for key in PRESENT}
    rows = []
    for number in range(settings.of(2, 9) * len(PLACES)):
        wanted = number % len(PLACES)
        # Two of three in fair weather: in the third the judge may fail to see the place, but reads the weather.
        text, meaning = next(
            (t, m) for t, m in told if m.place == wanted and (number // len(PLACES) % 3 == 2 or is_fair(m))
        )
        world = model.begin(text, seed=number + 1000 * settings.seed)
        turn = Conditions(motion=np.array([0, 0, TURN_RAD_S, 0], np.float32))
        pictures, _ = roll(world, PICTURES * EVERY, turn, EVERY)
        reading = reader.read(pictures)
        seen = int(reading.place[0].argmax())
        rows.append((f"{PLACES[wanted]} / {PLACES[seen]}", pictures))
        if is_fair(meaning):
            places.append(seen == wanted)
            confused.append((PLACES[wanted], PLACES[seen]))
        if PLACES[wanted] in ROOFED:
            continue
        for key, (low, high) in PRESENT.items():
            operation, value = meaning.environment.get(key, ("none", 0.0))
            if operation == "set" and not low < value < high:
                weathers[key].append((float(reading.value(key)[0]) > (low + high) / 2) == (value >= high))
    by_place = {
        p: float(np.mean([s == p for w, s in confused if w == p])) for p in PLACES if any(w == p for w, _ in confused)
    }
    by_key = {key: float(np.mean(right)) for key, right in weathers.items() if right}
    count = sum(len(right) for right in weathers.values())
    own = float(np.mean([tried[key] for key in PRESENT]))
    return Findings(
        {
            "place_named": Figure(float(np.mean(places)), len(places), tried["place"], by_place),
            "weather_named": Figure(float(sum(map(sum, weathers.values())) / max(1, count)), count, own, by_key),
        },
        sheets={"scenes": rows[: 2 * len(PLACES)]},
    )


def text_head(model: WorldModel, settings: Settings) -> Findings:
    """How many held-out wordings the text head reads right, everything in a phrase at once."""
    texts, meanings = phrases(2 + settings.seed, settings.of(300, 1500), judging=True)
    right = accuracy(model.head, embed_all(texts), meanings)
    return Findings({"text_read": Figure(right["all"], len(texts), parts=right)})
