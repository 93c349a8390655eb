"""What is seen of a cast: each actor as one sprite or, if it is a swarm, as several."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from model.cast import (
    ACTS,
    ENTERS,
    LAUNCH_STEPS,
    LEAVES,
    SPARK_STEPS,
    Actor,
    Cast,
    chance,
    event,
    firework,
)
from model.conditions import STEPS_PER_S, Array
from model.diorama.places import COLUMN, TABLE
from model.sprites import Placed, Sprite, ahead, offset, placed
from model.walker import Walker

SPRITES = 24  # at most, the nearest
SWARMS = {"birds": 9, "butterflies": 5, "fireflies": 8, "lanterns": 9, "fish": 9}
BURST = 0.3  # of a firework's act, at which it bursts; before, it rises
_SEA = TABLE[:, COLUMN["sea"]]
_TURN = 2 * math.pi

Stand = Callable[[list[float], list[float]], list[float]]


def sprites(cast: Cast, walker: Walker, place: Array) -> list[Sprite]:
    """All sprites of a cast as a walker comes upon them; place (places,): weights, for a whale swims where a sea is."""
    return [sprite for actor in cast.actors for sprite in _SHOWN[actor.name](actor, walker, place)]


def visible(cast: Cast, walker: Walker, place: Array, aspect: float, stand_at: Stand) -> list[Placed]:
    """What a walker's camera sees of a cast, the farthest first. `stand_at`: heights in m of ground or water at points.

    aspect: the picture's width over its height.
    """
    # Most of what the camera can't see is told without asking for the ground.
    shown = [sprite for sprite in sprites(cast, walker, place) if offset(walker, sprite.x, sprite.y)[0] > 0]
    if not shown:
        return []
    heights = stand_at([s.x for s in shown], [s.y for s in shown])
    found = (placed(sprite, walker, height, aspect) for sprite, height in zip(shown, heights, strict=True))
    nearest = sorted((p for p in found if p is not None), key=lambda p: p.distance)[:SPRITES]
    return nearest[::-1]


def _wave(actor: Actor, period_s: float, at: int = 0) -> float:
    """A sine of the actor's own that takes so long."""
    return math.sin(_TURN * (actor.age / (period_s * STEPS_PER_S) + chance(actor.seed, 60 + at)))


def _eased(share: float) -> float:
    share = min(1.0, max(0.0, share))
    return share * share * (3 - 2 * share)


def _own(actor: Actor) -> dict[str, float]:
    return {"hue": chance(actor.seed, 50), "look": chance(actor.seed, 51)}


def _on_feet(actor: Actor, act: float) -> Iterator[Sprite]:
    moving = min(1.0, actor.speed / 1.2)
    yield Sprite(
        actor.kind, actor.x, actor.y, 0.0, actor.right == 1, 0.0, actor.gait, moving, act * (1 - moving), **_own(actor)
    )


def _kitten(actor: Actor, _walker: Walker, _place: Array) -> Iterator[Sprite]:
    yield from _on_feet(actor, _eased(actor.since / 12) if actor.phase == ACTS else 0.0)  # it sits down


def _grazing(actor: Actor, _walker: Walker, _place: Array) -> Iterator[Sprite]:
    on, _ = event(actor.seed + 5, actor.age, 110, 60)
    act = _eased(on / 8) * _eased((60 - on) / 8) if on >= 0 and actor.phase == ACTS else 0.0
    yield from _on_feet(actor, act)


def _person(actor: Actor, _walker: Walker, _place: Array) -> Iterator[Sprite]:
    t = actor.since / STEPS_PER_S
    act = _eased(t - 1.5) * _eased(8.5 - t) if actor.phase == ACTS else 0.0  # crouches, and gets up
    yield from _on_feet(actor, act)


def _birds(actor: Actor, walker: Walker, _place: Array) -> Iterator[Sprite]:
    """They wheel: across the view, out of it, and back."""
    gone = actor.since / STEPS_PER_S if actor.phase == LEAVES else 0.0
    come = actor.since / STEPS_PER_S if actor.phase == ENTERS else 4.0
    way = 1 if chance(actor.seed, 3) < 0.5 else -1
    for n in range(SWARMS["birds"]):
        row, wing = (n + 1) // 2, 1 if n % 2 else -1
        turn = actor.age / (13 * STEPS_PER_S) - 0.028 * row - 0.25
        aside = way * math.sin(_TURN * turn) * 30
        forward, rise = math.cos(_TURN * turn) * 10, 11 + 2.0 * math.sin(_TURN * turn * 2)
        x, y = _about(actor, forward + wing * row * 0.7, aside)
        lift = rise + wing * row * 0.55 + _wave(actor, 1.9, n) * 0.35 + 4 * gone + 6 * (1 - come / 4)
        gait = (actor.age / STEPS_PER_S * (2.1 + 0.5 * chance(actor.seed, 10 + n)) + chance(actor.seed, 30 + n)) % 1
        right = _looks_right(actor, walker, way * math.cos(_TURN * turn))
        size = 0.85 + 0.3 * chance(actor.seed, 70 + n)
        yield Sprite(
            actor.kind, x, y, lift, right, 0.08 + 0.1 * _wave(actor, 3, n), gait, 1.0, 0.0, **_own(actor), size=size
        )


def _about(actor: Actor, forward_m: float, aside_m: float) -> tuple[float, float]:
    """A point so far ahead and to the right of the actor."""
    return ahead(Walker(x=actor.x, y=actor.y, yaw=actor.bearing), forward_m, aside_m)


def _looks_right(actor: Actor, walker: Walker, way: float) -> bool:
    """Whether someone who goes to the right, or with a negative `way` to the left, of the actor is seen to do so."""
    return (way > 0) == (math.cos(walker.yaw - actor.bearing) > 0)


def _butterflies(actor: Actor, walker: Walker, _place: Array) -> Iterator[Sprite]:
    for n in range(SWARMS["butterflies"]):
        off = 1 - _eased(actor.there)
        aside = 2.4 * _wave(actor, 5.3, 3 * n) + 0.7 * _wave(actor, 1.7, 3 * n + 1) + off * (4 if n % 2 else -4)
        high = 1.25 + 0.6 * _wave(actor, 3.1, 3 * n + 2) + 0.14 * _wave(actor, 0.7, n) + off * 5
        x, y = _about(actor, 1.3 * _wave(actor, 7.7, n + 40), aside)
        gait = (actor.age / STEPS_PER_S * 2.6 + chance(actor.seed, 30 + n)) % 1
        turn = actor.age / (5.3 * STEPS_PER_S) + chance(actor.seed, 60 + 3 * n)
        right = _looks_right(actor, walker, math.cos(_TURN * turn))
        hue = (chance(actor.seed, 50) + 0.31 * n) % 1
        yield Sprite(actor.kind, x, y, high, right, 0.25 * _wave(actor, 2.3, n), gait, 1.0, 0.0, hue, 0.0)


def _fireflies(actor: Actor, walker: Walker, _place: Array) -> Iterator[Sprite]:
    for n in range(SWARMS["fireflies"]):
        aside = 3.6 * _wave(actor, 11, 3 * n) + 0.8 * _wave(actor, 3.7, 3 * n + 1)
        high = 1.2 + 0.8 * _wave(actor, 7.9, 3 * n + 2) + 0.2 * _wave(actor, 2.2, n)
        x, y = _about(actor, 2.2 * _wave(actor, 13, n + 40), aside)
        glow = max(0.0, _wave(actor, 2.6 + 0.2 * n, n + 80)) ** 0.7 * _eased(actor.there)
        if glow > 0.02:
            yield Sprite(actor.kind, x, y, high, True, 0.0, 0.0, 1.0, glow, chance(actor.seed, 50), 0.0)


def _lanterns(actor: Actor, walker: Walker, _place: Array) -> Iterator[Sprite]:
    """They rise in number; each that is high enough gives way to another."""
    life = 30 * STEPS_PER_S
    lit = actor.age - (actor.since if actor.phase == LEAVES else 0)  # none is lit after that
    gone = actor.since / STEPS_PER_S if actor.phase == LEAVES else 0.0
    for n in range(SWARMS["lanterns"]):
        age = actor.age - n * 26
        if age < 0 or lit < n * 26:
            continue
        number, age = n + 9 * (age // life), age % life
        t = age / STEPS_PER_S
        first = _eased(t / 2)
        aside = (chance(actor.seed, 100 + number) * 2 - 1) * 13 + 0.25 * t + 0.5 * _wave(actor, 6, n)
        forward = (chance(actor.seed, 200 + number) * 2 - 1) * 8 - 1.5
        x, y = _about(actor, forward, aside)
        high = 1.2 + 0.55 * t * first + 0.5 * gone * gone
        tilt = 0.06 * _wave(actor, 4.5, n + 20)
        hue = chance(actor.seed, 150 + number)
        yield Sprite(actor.kind, x, y, high, True, tilt, 0.0, 1.0, first, hue, 0.5 + 0.5 * _wave(actor, 0.6, n), first)


def _boat(actor: Actor, walker: Walker, _place: Array) -> Iterator[Sprite]:
    way = 1 if chance(actor.seed, 3) < 0.5 else -1
    turn, rocks = actor.age / (60 * STEPS_PER_S) - 0.2, 0.05 * _wave(actor, 4.1)
    gone = 0.0 if actor.phase != LEAVES else actor.since / STEPS_PER_S
    aside = way * (26 * math.sin(_TURN * turn) + 9 * gone * (1 if math.cos(_TURN * turn) > 0 else -1))
    x, y = _about(actor, 0.0, aside)
    right = _looks_right(actor, walker, way * math.cos(_TURN * turn))
    up = -0.9 + 0.15 * _wave(actor, 3.4)
    yield Sprite(actor.kind, x, y, up, right, rocks, actor.age / 40 % 1, 1.0, 0.0, **_own(actor))


def _whale(actor: Actor, walker: Walker, place: Array) -> Iterator[Sprite]:
    """Where a sea lies ahead it comes up to breathe; anywhere else it swims through the sky."""
    way = 1 if chance(actor.seed, 3) < 0.5 else -1
    gait = actor.age / (3.2 * STEPS_PER_S) % 1
    seaward = math.cos(walker.shore_rad - walker.yaw) > 0.5 and float(place @ _SEA) > 0.5
    if seaward:
        swum = actor.age / (9 * STEPS_PER_S)
        number, t = int(swum), swum % 1
        arc = math.sin(math.pi * _eased(t / 0.8)) if t < 0.8 else 0.0
        up = -13 + 20 * arc
        aside = way * (-26 + 40 * t + 14 * (chance(actor.seed, 90 + number) - 0.5))
        tilt = 0.75 * math.cos(math.pi * min(1.0, t / 0.8)) * _eased(arc * 1.5)
        act = 1.0 if 0.3 < t < 0.62 else 0.0
    else:
        turn = actor.age / (44 * STEPS_PER_S) - 0.17
        aside = way * 62 * math.sin(_TURN * turn)
        way = way * (1 if math.cos(_TURN * turn) > 0 else -1)
        off = 1 - _eased(actor.there)
        up, tilt = (
            21 + 4 * _wave(actor, 12) + 45 * off,
            0.12 * math.cos(_TURN * actor.age / (12 * STEPS_PER_S)) + 0.3 * off,
        )
        on, _ = event(actor.seed + 5, actor.age, 130, 24)
        act = max(0.0, math.sin(math.pi * on / 24)) if on >= 0 else 0.0
    x, y = _about(actor, 0.0, aside)
    yield Sprite(actor.kind, x, y, up, _looks_right(actor, walker, way), tilt, gait, 1.0, act, **_own(actor))


def _fireworks(actor: Actor, walker: Walker, _place: Array) -> Iterator[Sprite]:
    for back in (2, 1, 0):
        number, since = firework(actor, back)
        if number < 0 or since >= SPARK_STEPS:
            continue
        aside = (chance(actor.seed, 400 + number) * 2 - 1) * 42
        x, y = _about(actor, 0.0, aside)
        high = 21 + 12 * chance(actor.seed, 500 + number)
        act = BURST * (1 + since / LAUNCH_STEPS) if since < 0 else BURST + (1 - BURST) * since / SPARK_STEPS
        size = 0.75 + 0.35 * chance(actor.seed, 300 + number)
        hue, look = chance(actor.seed, 600 + number), chance(actor.seed, 700 + number)
        yield Sprite(actor.kind, x, y, high, number % 2 == 0, 0.0, 0.0, 1.0, act, hue, look, size)


def _balloon(actor: Actor, walker: Walker, _place: Array) -> Iterator[Sprite]:
    way = 1 if chance(actor.seed, 3) < 0.5 else -1
    on, _ = event(actor.seed, actor.age, 66, 14)  # as it is heard
    off = 1 - _eased(actor.there)
    aside = way * (14 * math.sin(_TURN * (actor.age / (90 * STEPS_PER_S))) - 8)
    x, y = _about(actor, 0.0, aside)
    burns = _eased(on / 2) * _eased((14 - on) / 3) if on >= 0 else 0.0
    high = 22 + 2.5 * _wave(actor, 17) + 45 * off
    yield Sprite(actor.kind, x, y, high, True, 0.03 * _wave(actor, 6), 0.0, 1.0, burns, **_own(actor))


def _meteor(actor: Actor, walker: Walker, _place: Array) -> Iterator[Sprite]:
    way = 1 if chance(actor.seed, 3) < 0.5 else -1
    t = actor.age / (1.6 * STEPS_PER_S)
    aside = way * (-230 + 520 * t)
    x, y = _about(actor, 0.0, aside)
    glow = _eased(t * 4) * _eased((1.05 - t) * 4)
    yield Sprite(
        actor.kind, x, y, 235 - 115 * t, _looks_right(actor, walker, way), -0.22, 0.0, 1.0, glow, **_own(actor)
    )


def _fish(actor: Actor, walker: Walker, _place: Array) -> Iterator[Sprite]:
    way = 1 if chance(actor.seed, 3) < 0.5 else -1
    off = 1 - _eased(actor.there)
    for n in range(SWARMS["fish"]):
        turn = actor.age / (9 * STEPS_PER_S) + 0.035 * n + 0.02 * chance(actor.seed, 20 + n)
        wide = 4.2 + 0.8 * chance(actor.seed, 40 + n)
        aside = way * wide * math.sin(_TURN * turn) + off * way * (-9)
        forward = 2.2 * math.cos(_TURN * turn) + 0.8 * (chance(actor.seed, 60 + n) - 0.5)
        high = 1.9 + 1.5 * (chance(actor.seed, 80 + n) - 0.5) + 0.4 * math.sin(_TURN * turn * 2)
        x, y = _about(actor, forward, aside)
        right = _looks_right(actor, walker, way * math.cos(_TURN * turn))
        gait = (actor.age / STEPS_PER_S * 1.5 + chance(actor.seed, 30 + n)) % 1
        size = (0.75 + 0.5 * chance(actor.seed, 90 + n)) * (1 - 0.6 * off)
        yield Sprite(
            actor.kind,
            x,
            y,
            high,
            right,
            0.12 * _wave(actor, 3, n),
            gait,
            1.0,
            0.0,
            (chance(actor.seed, 50) + 0.07 * (n % 3)) % 1,
            chance(actor.seed, 51 + n),
            size,
        )


_SHOWN: dict[str, Callable[[Actor, Walker, Array], Iterator[Sprite]]] = {
    "kitten": _kitten, "deer": _grazing, "fox": _grazing, "person": _person, "birds": _birds,
    "butterflies": _butterflies, "fireflies": _fireflies, "lanterns": _lanterns, "boat": _boat, "whale": _whale,
    "fireworks": _fireworks, "balloon": _balloon, "meteor": _meteor, "fish": _fish,
}  # fmt: skip
