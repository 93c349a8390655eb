"""Phrases that no training has seen: held-out wordings of the grammar, and free ones that no grammar made."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from model.diorama.captions import AFTER, BEFORE, Meaning, directive, scene
from model.diorama.places import PLACES


def _environment(**asked: str | float) -> Meaning:
    return Meaning(
        environment={k: (v, 0.0) if isinstance(v, str) else ("set", v) for k, v in asked.items()}  # type: ignore[misc]
    )


def _falling(**asked: float) -> Meaning:
    """Rain or snow, which bring their clouds, as in the grammar."""
    return _environment(**({"rain": 0.0, "snow": 0.0} | asked), cloud=0.85)


def _go(place: str) -> Meaning:
    return Meaning(place=PLACES.index(place))


# As a visitor might say it; none of these sentences is in the grammar.
FREE: tuple[tuple[str, Meaning], ...] = (
    ("could we have some rain?", _falling(rain=0.65)),
    ("it should rain cats and dogs", _falling(rain=0.9)),
    ("I am tired of the rain, make it go away", _environment(rain=0.0)),
    ("let snow fall from the sky", _falling(snow=0.65)),
    ("enough snow for today", _environment(snow=0.0)),
    ("I would like to see mist everywhere", _environment(fog=0.7)),
    ("drive the fog away", _environment(fog=0.0)),
    ("hide the sun behind thick clouds", _environment(cloud=0.9)),
    ("show me a blue sky without a single cloud", _environment(cloud=0.05)),
    ("let it become night", _environment(sun_rad=-0.55)),
    ("bring back the daylight", _environment(sun_rad=0.7)),
    ("let the wind howl", _environment(wind=0.85)),
    ("I wish to be at the seaside", _go("coast")),
    ("let us wander among snowy plains", _go("snowfield")),
    ("bring me to the high mountains", _go("mountains")),
    ("let me see a desert with dunes", _go("desert")),
    ("please walk a few steps ahead", Meaning(motion="forward")),
    ("turn around to the left", Meaning(motion="turn_left")),
    ("希望下一场大雨", _falling(rain=0.9)),
    ("我不喜欢雨，让它停下", _environment(rain=0.0)),
    ("天上飘下雪花来", _falling(snow=0.65)),
    ("雪不要再下了", _environment(snow=0.0)),
    ("让四周都是雾", _environment(fog=0.7)),
    ("把雾都吹走", _environment(fog=0.0)),
    ("让天黑下来", _environment(sun_rad=-0.55)),
    ("我想看到蓝天，一朵云也没有", _environment(cloud=0.05)),
    ("我们到大海边走走", _go("coast")),
    ("带我到沙漠里去看看", _go("desert")),
    ("我想在森林里散步", _go("forest")),
    ("往右边转过去", Meaning(motion="turn_right")),
)


def bare(phrase: str) -> str:
    """A phrase without what the grammar decorates it with."""
    phrase, before = phrase.casefold().strip(), None
    while phrase != before:
        before = phrase
        for word in sum(BEFORE, ()):
            phrase = phrase.removeprefix(word)
        for word in sum(AFTER, ()):
            phrase = phrase.removesuffix(word)
    return phrase


def is_chinese(phrase: str) -> bool:
    """Whether a phrase is in Chinese."""
    return any("㐀" <= letter <= "鿿" for letter in phrase)


def _unseen(
    make: Callable[[np.random.Generator, bool], tuple[str, Meaning]], seed: int
) -> Iterator[tuple[str, Meaning]]:
    """Phrases of the grammar that it can't have made for training: some of its parts have no held-out wording."""
    rng = np.random.default_rng([seed, 9])
    known = {bare(make(np.random.default_rng([11, k]), False)[0]) for k in range(6000)}
    told: set[str] = set()
    while True:
        phrase, meaning = make(rng, True)
        if bare(phrase) not in known and phrase not in told:
            told.add(phrase)
            yield phrase, meaning


def directives(seed: int) -> Iterator[tuple[str, Meaning]]:
    """Held-out directives and what they mean, without end."""
    return _unseen(directive, seed)


def scenes(seed: int) -> Iterator[tuple[str, Meaning]]:
    """Held-out scenes and what they mean, without end."""
    return _unseen(scene, seed)
