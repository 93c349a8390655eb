"""The cast of a world: who has come, how each acts, and how he leaves; the same in diorama and running world.

An actor is a few numbers and goes on by a step at a time, from its own seed and its age alone, so a cast can be kept
and goes on alike. What is seen of it stands in model.acting, what is heard of it in `heard`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.camera import WALK_M_S
from model.conditions import FIGURES, STEPS_PER_S
from model.field import PERIOD_M
from model.sprites import ahead, offset
from model.walker import Walker

Array = NDArray[np.float32]

ACTORS = 6  # at most; who comes to a full world takes the place of who has been there longest
ENTERS, ACTS, LEAVES = 0, 1, 2
COMING_S = 4.0  # in which what flies, floats or glows comes and goes
BURST_STEPS = 16  # from one firework to the next
LAUNCH_STEPS = 10  # a rocket's way up
SPARK_STEPS = 24  # in which its sparks go out
_FOLLOW_S = 0.35  # in which who follows would be where it wants to be
_LEAD_S = 0.6  # of the walker's way, by which who is near keeps farther ahead of one who walks
_ASTRAY_RAD, _TURN_RAD = 0.5, 0.015  # who is off the walker's bearing by so much turns after it by so much a step
_LOST_M = 90.0  # who stands on the ground and is so far away has been left behind


@dataclass(frozen=True)
class Manner:
    """How a kind keeps to the walker: where it wants to be, how fast it goes there and how long it stays.

    ahead_m, aside_m: of the walker (aside to either side); slack_m: how far off is near enough; speed in m/s; stay_s:
    until it leaves by itself (0: never).
    """

    ahead_m: float
    aside_m: float
    slack_m: float
    speed: float
    stay_s: float = 0.0


MANNERS = {
    "kitten": Manner(7.0, 1.7, 0.5, 7.5), "deer": Manner(12.0, 4.2, 0.5, 3.2, 50),
    "fox": Manner(9.0, 3.0, 0.5, 4.0, 35), "person": Manner(9.5, 2.8, 0.5, 1.8, 40),
    "birds": Manner(34.0, 0.0, 14.0, 3.0, 45), "butterflies": Manner(7.0, 0.0, 1.0, 7.0),
    "fireflies": Manner(8.0, 0.0, 1.5, 7.0), "lanterns": Manner(26.0, 0.0, 8.0, 3.5),
    "boat": Manner(40.0, 0.0, 25.0, 3.5, 120), "whale": Manner(95.0, 0.0, 50.0, 4.0, 70),
    "fireworks": Manner(115.0, 0.0, 40.0, 4.5), "balloon": Manner(85.0, 6.0, 30.0, 4.0, 150),
    "meteor": Manner(700.0, 0.0, 300.0, 0.0, 1.6), "fish": Manner(10.0, 0.0, 1.5, 7.0),
}  # fmt: skip
_COMPANIONS = frozenset({"kitten", "butterflies", "fireflies", "fish"})  # stay near, wherever the walker goes
GROUND = frozenset({"kitten", "deer", "fox", "person"})  # go on feet
_VISITING = GROUND - {"kitten"}  # choose a spot once and do not follow


@dataclass(frozen=True)
class Actor:
    """One who is there. kind: place in FIGURES; ages in steps; x, y in m; speed in m/s; gait in turns.

    phase: ENTERS, ACTS or LEAVES, `since` so many steps. goal_x, goal_y: where it goes, in m. right: whether it looks
    there. bearing in rad: what is ahead for it, as for the walker when it came.
    """

    kind: int
    seed: int
    x: float
    y: float
    goal_x: float
    goal_y: float
    age: int = 0
    phase: int = ENTERS
    since: int = 0
    speed: float = 0.0
    gait: float = 0.0
    right: int = 1
    bearing: float = 0.0

    @property
    def name(self) -> str:
        """Of its kind."""
        return FIGURES[self.kind]

    @property
    def there(self) -> float:
        """How much it has come, or not yet gone, 0..1."""
        share = min(1.0, self.since / (COMING_S * STEPS_PER_S))
        return (share, 1.0, 1.0 - share)[self.phase]


def chance(seed: int, at: int) -> float:
    """A number in 0..1 that belongs to a seed and a count: always the same, and unlike its neighbours."""
    mixed = (seed * 0x9E3779B1 + at * 0x85EBCA77 + 0x165667B1) & 0xFFFFFFFF
    mixed = ((mixed ^ (mixed >> 15)) * 0x2C1B3C6D) & 0xFFFFFFFF
    mixed = ((mixed ^ (mixed >> 12)) * 0x297A2D39) & 0xFFFFFFFF
    return (mixed ^ (mixed >> 15)) / 2**32


def event(seed: int, age: int, every: int, long: int) -> tuple[int, int]:
    """Something that happens about every so many steps: how long it has been on, −1 while it is not, and its number."""
    number = max(0, age) // every
    begins = number * every + int(chance(seed, 1000 + number) * (every - long))
    return (age - begins if begins <= age < begins + long else -1), number


@dataclass(frozen=True)
class Cast:
    """All actors, in the order they came."""

    actors: tuple[Actor, ...] = ()

    def advanced(self, cues: Mapping[str, str], walker: Walker, seed: int, index: int) -> Cast:
        """The cast a step later. cues: figures by name that "enter" or "leave"; seed and index of the step."""
        actors = [_cued(actor, cues.get(actor.name), walker) for actor in self.actors]
        here = {actor.name for actor in actors}
        for name, cue in cues.items():
            if cue == "enter" and name in FIGURES and name not in here:
                actors.append(_entering(FIGURES.index(name), walker, seed, index))
        moved = (_moved(actor, walker) for actor in actors[-ACTORS:])
        return Cast(tuple(actor for actor in moved if actor is not None))

    def present(self) -> list[str]:
        """Who is there, by name."""
        return [actor.name for actor in self.actors]

    def numbers(self) -> NDArray[np.float64]:
        """All of it as (actors, numbers), to be kept; exact, being whole numbers below 2^53 and floats."""
        rows = [astuple(actor) for actor in self.actors]
        return np.array(rows, np.float64).reshape(len(rows), len(fields(Actor)))

    @staticmethod
    def of(numbers: NDArray[np.float64]) -> Cast:
        """The cast that `numbers` told of."""
        names = [(field.name, float if field.type == "float" else int) for field in fields(Actor)]
        rows: list[dict[str, Any]] = [
            {name: kind(v) for (name, kind), v in zip(names, row, strict=True)} for row in numbers.tolist()
        ]
        return Cast(tuple(Actor(**row) for row in rows))


def _side(seed: int) -> int:
    return 1 if chance(seed, 0) < 0.5 else -1


def _entering(kind: int, walker: Walker, seed: int, index: int) -> Actor:
    own = int(np.random.default_rng([seed, index, 40 + kind]).integers(2**31))
    manner, side = MANNERS[FIGURES[kind]], _side(own)
    goal = ahead(walker, manner.ahead_m, -side * manner.aside_m * (0.55 + 0.45 * chance(own, 1)))
    start = goal
    if FIGURES[kind] in GROUND:  # from beyond the picture's edge
        start = ahead(walker, manner.ahead_m + 1.5, side * (0.85 * manner.ahead_m + 1.0))
    return Actor(kind, own, *start, *goal, right=int(side < 0), bearing=walker.yaw)


def _cued(actor: Actor, cue: str | None, walker: Walker) -> Actor:
    if cue == "leave" and actor.phase != LEAVES:
        return _leaving(actor, walker)
    if cue == "enter" and actor.phase == LEAVES:
        manner = MANNERS[actor.name]
        x, y = ahead(walker, manner.ahead_m, manner.aside_m * _side(actor.seed))
        return replace(actor, phase=ENTERS, since=0, goal_x=x, goal_y=y)
    return actor


def _leaving(actor: Actor, walker: Walker) -> Actor:
    forward, aside = offset(walker, actor.x, actor.y)
    side = 1 if aside >= 0 else -1
    x, y = ahead(walker, max(4.0, forward) + 2.0, side * (1.0 * max(4.0, forward) + 4.0))
    return replace(actor, phase=LEAVES, since=0, goal_x=x, goal_y=y)


def _moved(actor: Actor, walker: Walker) -> Actor | None:
    """The actor a step later, or None when it has gone."""
    manner, name = MANNERS[actor.name], actor.name
    actor = replace(actor, age=actor.age + 1, since=actor.since + 1)
    forward, aside = offset(walker, actor.x, actor.y)
    if actor.phase == LEAVES:
        out_of_sight = forward < 1 or abs(aside) > 0.9 * forward + 1.5
        if actor.since > 12 * STEPS_PER_S or (name in GROUND and out_of_sight):
            return None
        if name not in GROUND and actor.since > _leaves_for_s(name) * STEPS_PER_S:
            return None
    elif manner.stay_s and actor.age > manner.stay_s * STEPS_PER_S:
        return None if name == "meteor" else _leaving(actor, walker)
    elif name in GROUND and math.hypot(forward, aside) > _LOST_M:
        return None
    lead_m = _LEAD_S * WALK_M_S * walker.moving if name in _COMPANIONS else 0.0
    if name == "kitten" and actor.phase != LEAVES:
        # It weaves before the walker's feet.
        weave = manner.aside_m * math.sin(2 * math.pi * (actor.age / 110 + chance(actor.seed, 2)))
        aside_m = weave if walker.moving > 0.2 else _side(actor.seed) * 1.5
        goal_x, goal_y = ahead(walker, manner.ahead_m + lead_m, aside_m)
        actor = replace(actor, goal_x=goal_x, goal_y=goal_y)
    elif name not in _VISITING and actor.phase != LEAVES:
        goal_x, goal_y = ahead(walker, manner.ahead_m + lead_m, manner.aside_m * _side(actor.seed))
        turned = math.remainder(walker.yaw - actor.bearing, 2 * math.pi)
        follows = max(-_TURN_RAD, min(_TURN_RAD, turned)) if abs(turned) > _ASTRAY_RAD else 0.0
        actor = replace(actor, goal_x=goal_x, goal_y=goal_y, bearing=actor.bearing + follows)
    if name in GROUND or actor.phase != LEAVES:
        actor = _gone_on(actor, manner, walker)
    if actor.phase == ENTERS and (actor.speed < 0.2 if name in GROUND else actor.there >= 1):
        actor = replace(actor, phase=ACTS, since=0)
    return actor


def _leaves_for_s(name: str) -> float:
    """How long a kind that does not go on feet takes to leave, in s; what is in the air goes on to its end."""
    return {"lanterns": 9.0, "fireworks": (LAUNCH_STEPS + SPARK_STEPS) / STEPS_PER_S, "birds": 6.0}.get(name, COMING_S)


def _gone_on(actor: Actor, manner: Manner, walker: Walker) -> Actor:
    """A step towards the goal, stopping where it is near enough."""
    half = PERIOD_M / 2
    dx, dy = (actor.goal_x - actor.x + half) % PERIOD_M - half, (actor.goal_y - actor.y + half) % PERIOD_M - half
    far = math.hypot(dx, dy)
    wanted = min(manner.speed, max(0.0, far - manner.slack_m) / _FOLLOW_S)
    speed = actor.speed + 0.35 * (wanted - actor.speed)
    if speed < 0.05 or far < 1e-6:
        return replace(actor, speed=0.0)
    step = speed / STEPS_PER_S
    x, y = (actor.x + dx / far * step) % PERIOD_M, (actor.y + dy / far * step) % PERIOD_M
    across = (dx * math.cos(walker.yaw) - dy * math.sin(walker.yaw)) / far
    right = actor.right if abs(across) < 0.25 or speed < 0.4 else (1 if across > 0 else 0)
    stride_m = 0.45 * manner.speed + 0.3  # a turn's way: who is fast takes long strides
    return replace(actor, x=x, y=y, speed=speed, gait=(actor.gait + step / stride_m) % 1.0, right=right)


def firework(actor: Actor, back: int = 0) -> tuple[int, int]:
    """The `back`-th last rocket: its number, and steps since its burst (negative while it rises).

    A rocket that would be lit after its pyrotechnist was told to leave is none: number −1.
    """
    number = actor.age // BURST_STEPS - back
    since = actor.age - number * BURST_STEPS - LAUNCH_STEPS
    late = actor.phase == LEAVES and since + LAUNCH_STEPS < actor.since
    return (-1 if number < 0 or late else number), since


def heard(cast: Cast, walker: Walker) -> tuple[Array, float]:
    """How much is heard of each kind, (figures,) 0..1, and on which side, −1 left .. 1 right.

    Below 0.4 lasts what lasts (a purr, steps, a chord); above 0.5 stands what happens now (a meow, a bang), and it
    begins with the step at which the level rises past 0.5.
    """
    levels, side, weight = np.zeros(len(FIGURES), np.float32), 0.0, 1e-6
    for actor in cast.actors:
        level = _level(actor)
        forward, aside = offset(walker, actor.x, actor.y)
        near = 1 / (1 + math.hypot(forward, aside) / (2.5 * MANNERS[actor.name].ahead_m + 10))
        levels[actor.kind] = max(levels[actor.kind], level)
        share = level * near
        side, weight = side + share * aside / max(1.0, math.hypot(forward, aside)), weight + share
    return levels, float(np.clip(side / weight * 1.4, -1, 1))


# Of each kind: what lasts, how often something happens, and for how long, in steps.
_SOUNDING = {
    "kitten": (0.0, 44, 6), "deer": (0.0, 60, 8), "fox": (0.0, 50, 5), "person": (0.0, 72, 30), "birds": (0.0, 14, 4),
    "butterflies": (0.12, 18, 3), "fireflies": (0.10, 16, 3), "lanterns": (0.3, 40, 5), "boat": (0.3, 40, 7),
    "whale": (0.15, 60, 22), "balloon": (0.12, 66, 14), "fish": (0.15, 16, 4),
}  # fmt: skip


def _level(actor: Actor) -> float:
    if actor.name == "fireworks":
        return max(_rocket_level(actor, back) for back in (0, 1, 2))
    if actor.name == "meteor":
        return 0.9 if actor.age < 14 else 0.0
    lasts, every, long = _SOUNDING[actor.name]
    on, number = event(actor.seed, actor.age, every, long)
    if on >= 0 and actor.phase != LEAVES:
        return (0.6 + 0.4 * chance(actor.seed, 2000 + number)) * (0.5 + 0.5 * actor.there if lasts else 1.0)
    if actor.name in GROUND and actor.speed > 0.3:  # a footfall, twice a turn
        return 0.32 if (actor.gait * 2) % 1 < 0.5 else 0.05
    if actor.name == "kitten" and actor.phase == ACTS:
        return 0.18  # it purrs
    return lasts * actor.there


def _rocket_level(actor: Actor, back: int) -> float:
    number, since = firework(actor, back)
    if number < 0:
        return 0.0
    if since < 0:
        return 0.10 + 0.25 * (since + LAUNCH_STEPS) / LAUNCH_STEPS  # the whistle rises with it
    return (0.75 + 0.25 * chance(actor.seed, 300 + number)) * math.exp(-since / 5)
