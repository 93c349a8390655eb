"""Who comes into a world acts there and leaves on cue, the same every time, and never too many at once."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from model.acting import BURST, SPRITES, SWARMS, sprites, visible
from model.cast import ACTORS, ACTS, LAUNCH_STEPS, Cast, firework, heard
from model.conditions import FAIR, FIGURES, STEPS_PER_S
from model.diorama.places import PLACES
from model.field import PERIOD_M
from model.sprites import BOXES, KINDS, Placed, Sprite, ahead, offset, placed, seen_walker
from model.walker import Walker

MEADOW = np.eye(len(PLACES), dtype=np.float32)[PLACES.index("meadow")]
COAST = np.eye(len(PLACES), dtype=np.float32)[PLACES.index("coast")]
WALKER = Walker(100.0, 200.0, 2.6, yaw=0.4)
ASPECT = 16 / 9


def _level(x: list[float], y: list[float]) -> list[float]:
    return [0.0] * len(x)


def _played(name: str, steps: int, leaves: int | None = None, walker: Walker = WALKER, seed: int = 1) -> list[Cast]:
    """A cast step by step, with one who enters at the first and may be told to leave."""
    cast, casts = Cast(), []
    for step in range(steps):
        cues = {name: "enter"} if step == 0 else {name: "leave"} if step == leaves else {}
        cast = cast.advanced(cues, walker, seed, step)
        casts.append(cast)
    return casts


def _seen(cast: Cast, walker: Walker = WALKER) -> list[Placed]:
    return visible(cast, walker, MEADOW, ASPECT, _level)


@pytest.mark.parametrize("name", [name for name in FIGURES if name != "meteor"])
def test_who_enters_is_seen_and_leaves_when_told(name: str) -> None:
    casts = _played(name, 400, leaves=180)
    assert casts[0].present() == [name] and casts[170].present() == [name]
    assert sum(bool(_seen(cast)) for cast in casts[40:170]) > 60
    assert {KINDS[one.kind] for one in _seen(casts[120])} <= {name}
    assert casts[-1].present() == [] and not sprites(casts[-1], WALKER, MEADOW)


def test_a_meteor_crosses_the_sky_and_is_gone() -> None:
    casts = _played("meteor", 40)
    across = [one.u for cast in casts for one in _seen(cast)]
    assert len(across) > 10 and abs(across[-1] - across[0]) > 0.4
    assert casts[-1].present() == []


def test_the_same_seed_is_the_same_cast() -> None:
    one, other, third = (_played("fish", 60, seed=seed)[-1] for seed in (1, 1, 2))
    assert one == other and one != third
    assert sprites(one, WALKER, MEADOW) == sprites(other, WALKER, MEADOW)


def test_a_cast_is_kept_in_plain_numbers() -> None:
    cast = Cast()
    for step in range(50):
        cast = cast.advanced(
            dict.fromkeys(("kitten", "lanterns", "whale"), "enter") if not step else {}, WALKER, 7, step
        )
    assert Cast.of(cast.numbers()) == cast and Cast.of(Cast().numbers()) == Cast()


def test_a_kitten_stays_with_who_walks() -> None:
    walker, cast, seen = WALKER, Cast(), 0
    for step in range(240):
        walker = walker.advanced(np.array([0.9, 0, 0.3, 0], np.float32), 0.0, FAIR, 0.0, lambda _x, _y: 0.0)
        cast = cast.advanced({"kitten": "enter"} if step == 0 else {}, walker, 1, step)
        seen += bool(_seen(cast, walker)) and step >= 60
    assert seen > 170
    forward, aside = offset(walker, cast.actors[0].x, cast.actors[0].y)
    assert 5 < forward < 11 and abs(aside) < 4


def test_a_person_comes_crouches_and_gets_up() -> None:
    acts = [sprites(cast, WALKER, MEADOW)[0].act for cast in _played("person", 300) if cast.actors]
    down = next(at for at, act in enumerate(acts) if act > 0.95)
    assert max(acts[: down // 2]) == 0 and min(acts[down:]) < 0.05


def test_lanterns_rise_in_number() -> None:
    counts = [len(sprites(cast, WALKER, MEADOW)) for cast in _played("lanterns", 260)]
    assert counts[20] == 1 and counts[-1] == SWARMS["lanterns"]


def test_no_more_come_than_there_is_room_for() -> None:
    cast = Cast()
    for step in range(120):
        cast = cast.advanced(
            {FIGURES[step // 8]: "enter"} if step < 8 * len(FIGURES) and step % 8 == 0 else {}, WALKER, 1, step
        )
        assert len(cast.actors) <= ACTORS and len(_seen(cast)) <= SPRITES


def test_a_cue_that_names_nothing_known_is_none() -> None:
    assert Cast().advanced({"dragon": "enter", "kitten": "leave"}, WALKER, 1, 0) == Cast()


def test_who_comes_back_before_it_has_gone_stays() -> None:
    cast = _played("kitten", 100, leaves=98)[-1]
    cast = cast.advanced({"kitten": "enter"}, WALKER, 1, 100)
    for step in range(101, 220):
        cast = cast.advanced({}, WALKER, 1, step)
    assert cast.present() == ["kitten"] and cast.actors[0].phase == ACTS


def test_the_bang_is_heard_at_the_step_of_the_burst() -> None:
    at = FIGURES.index("fireworks")
    before = 0.0
    for cast in _played("fireworks", 80):
        level = float(heard(cast, WALKER)[0][at])
        bursts = [s for s in sprites(cast, WALKER, MEADOW) if s.act == pytest.approx(BURST)]
        assert bool(bursts) == (level > 0.5 >= before)
        before = level
        _, since = firework(cast.actors[0])
        assert since >= -LAUNCH_STEPS


def test_no_rocket_is_lit_after_the_last() -> None:
    casts = _played("fireworks", 120, leaves=60)
    lit = max(firework(cast.actors[0])[0] for cast in casts[:60])
    assert all(firework(c.actors[0], back)[0] <= lit for c in casts[60:] if c.actors for back in (0, 1, 2))


def test_a_whale_swims_where_a_sea_lies_and_flies_elsewhere() -> None:
    ashore = WALKER.with_shore(20.0, WALKER.yaw)
    casts = _played("whale", 200, walker=ashore)
    sea = [sprites(cast, ashore, COAST)[0].height for cast in casts[60:]]
    sky = [sprites(cast, ashore, MEADOW)[0].height for cast in casts[60:]]
    assert min(sea) < -10 and max(sea) < 10 < min(sky)


def test_who_is_on_the_left_is_heard_there() -> None:
    cast = _played("boat", 40)[-1]
    for aside, sign in ((-30.0, -1), (30.0, 1)):
        x, y = ahead(WALKER, 30.0, aside)
        moved = Cast((replace(cast.actors[0], x=x, y=y),))
        assert np.sign(heard(moved, WALKER)[1]) == sign


def test_a_sprite_is_placed_where_geometry_puts_it() -> None:
    kind = KINDS.index("person")
    x, y = ahead(WALKER, 10.0, 0.0)
    near = placed(Sprite(kind, x, y), WALKER, 0.0, ASPECT)
    far = placed(Sprite(kind, *ahead(WALKER, 20.0, 0.0)), WALKER, 0.0, ASPECT)
    assert near and far and near.u == pytest.approx(0.5) and near.half == pytest.approx(2 * far.half)
    assert placed(Sprite(kind, *ahead(WALKER, -5.0, 0.0)), WALKER, 0.0, ASPECT) is None
    assert placed(Sprite(kind, *ahead(WALKER, 10.0, 40.0)), WALKER, 0.0, ASPECT) is None
    assert placed(Sprite(kind, x, y, size=0.0), WALKER, 0.0, ASPECT) is None  # a lantern that is only just lit
    right = placed(Sprite(kind, *ahead(WALKER, 10.0, 2.0)), WALKER, 0.0, ASPECT)
    assert right and right.u > 0.5


def test_the_way_round_the_world_is_the_shorter_one() -> None:
    edge = replace(WALKER, x=PERIOD_M - 1, y=PERIOD_M - 1, yaw=math.pi / 4)
    x, y = ahead(edge, 5.0, 0.0)
    assert 0 <= x < 10 and offset(edge, x, y) == pytest.approx((5.0, 0.0), abs=1e-9)


def test_every_kind_has_a_box() -> None:
    assert len(BOXES) == len(KINDS) == len(set(KINDS))
    assert seen_walker(WALKER, 2).kind == KINDS.index("robot seen from behind")
    assert STEPS_PER_S == 12  # what lasts so many steps was chosen for it
