"""What readings do: dead band, points, ages and the time of day for mappings; edges for triggers; what people see."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from oysterd.changes import Change
from oysterd.clock import ManualClock
from oysterd.commands import Command, Receipt
from oysterd.config import Settings
from oysterd.director import Director
from oysterd.mapped import SensorMapping
from oysterd.refusals import FORGOTTEN_AFTER_S, MOST_NAMES, Refusals
from oysterd.sensors import Sensors
from oysterd.triggers import SensorTrigger, as_command

WIND: dict[str, Any] = {"sensor": "mqtt.wind", "key": "wind", "low": 0.0, "high": 10.0, "smooth_s": 0.0}
BUTTON: dict[str, Any] = {"sensor": "mqtt.button", "above": 0.5, "hold_off_s": 0.0, "directive": "a storm"}


class Room:
    def __init__(self, **sections: Any) -> None:
        self.clock = ManualClock(1000.0)
        self.fired: list[tuple[str, Change]] = []
        self.hour = 12.0
        fire = lambda sensor, change: self.fired.append((sensor, change))  # noqa: E731
        self.sensors = Sensors(Settings(**sections), self.clock, fire, lambda: self.hour)

    def read(self, *values: float, name: str = "wind") -> float | None:
        for value in values:
            self.sensors.readings("mqtt", {name: value})
        return self.sensors.environment().get("wind")


def test_small_changes_are_passed_over_and_larger_ones_taken_whole() -> None:
    room = Room(mappings=[{**WIND, "hysteresis": 1.0}])
    assert room.read(5.0) == 0.5
    assert room.read(5.9, 4.1, 6.0) == 0.5
    assert room.read(6.1) == 0.61
    assert room.read(5.5) == 0.61
    assert room.read(0.0) == 0.0


def test_after_an_absence_the_dead_band_holds_nothing_back() -> None:
    room = Room(mappings=[{**WIND, "hysteresis": 1.0, "max_age_s": 5.0}])
    assert room.read(5.0) == 0.5
    room.clock.advance(5.1)
    assert room.read() is None
    assert room.read(5.5) == 0.55


def test_a_steady_sensor_within_the_dead_band_stays_fresh() -> None:
    room = Room(mappings=[{**WIND, "hysteresis": 1.0, "max_age_s": 5.0}])
    for value in (5.0, 5.5, 4.5, 5.2):
        room.read(value)
        room.clock.advance(4.0)
    assert room.read() == 0.5


def test_points_are_joined_by_straight_lines_and_hold_beyond_their_ends() -> None:
    lux = {"sensor": "mqtt.wind", "key": "wind", "points": [[1, 0.0], [10, 0.5], [100, 1.0]], "smooth_s": 0.0}
    room = Room(mappings=[lux])
    assert [room.read(value) for value in (0.0, 1.0, 5.5, 10.0, 55.0, 1e6)] == [0.0, 0.0, 0.25, 0.5, 0.75, 1.0]


def test_the_time_of_day_moves_the_sun() -> None:
    points = [[0, -1.2], [6, 0], [12, 1.2], [18, 0], [24, -1.2]]
    room = Room(mappings=[{"sensor": "clock.hour", "key": "sun_rad", "points": points, "smooth_s": 0.0}])
    for hour, sun_rad in ((12.0, 1.2), (15.0, 0.6), (0.0, -1.2), (6.0, 0.0)):
        room.hour = hour
        assert room.sensors.environment() == {"sun_rad": pytest.approx(sun_rad)}
        room.clock.advance(60.0)


def test_a_button_says_its_line_once_a_press() -> None:
    room = Room(triggers=[BUTTON])
    room.read(1.0, 1.0, name="button")  # down when the daemon starts
    assert room.fired == []
    room.read(0.0, 1.0, 1.0, 1.0, name="button")
    assert room.fired == [("mqtt.button", Change(directive="a storm"))]
    room.read(0.0, 1.0, name="button")
    room.sensors.readings("zmq", {"button": 0.0})
    assert len(room.fired) == 2


def test_a_limit_that_is_jittered_about_is_crossed_once_and_not_again_too_soon() -> None:
    dusk = {"sensor": "mqtt.lux", "below": 50.0, "hysteresis": 20.0, "hold_off_s": 60.0, "scene": "a harbour at night"}
    room = Room(triggers=[dusk])
    room.read(100.0, 51.0, 49.0, 55.0, 49.0, 70.0, 49.0, name="lux")
    assert len(room.fired) == 1
    room.read(71.0, 49.0, name="lux")  # back far enough, but too soon
    assert len(room.fired) == 1
    room.clock.advance(60.0)
    room.read(71.0, 50.0, name="lux")
    assert room.fired[1:] == [("mqtt.lux", Change(scene="a harbour at night"))]


def test_a_trigger_is_a_command_like_any_other_with_receipts() -> None:
    clock = ManualClock(5.0)
    submitted: list[Command] = []
    receipts: list[Receipt] = []
    director = Director(clock, submitted.append, receipts.append)
    sections: dict[str, Any] = {"triggers": [{**BUTTON, "environment": {"rain": 0.8, "wind": "release"}}]}
    fire = lambda sensor, change: director.receive(*as_command(sensor, change))  # noqa: E731
    sensors = Sensors(Settings(**sections), clock, fire)
    for value in (0.0, 1.0):
        sensors.readings("mqtt", {"button": value})
    director.tick()
    assert [(receipt.name, receipt.status, receipt.origin) for receipt in receipts] == [
        ("change", "accepted", "sensor:mqtt.button")
    ]
    change = submitted[0].to_change()
    assert change is not None and change.directive == "a storm" and change.environment is not None
    assert (change.environment.rain, change.environment.wind, change.environment.fog) == (0.8, "release", None)


def test_what_each_input_does_is_told_for_people() -> None:
    mappings = [
        {**WIND, "sensor": "mqtt.slow", "unit": "m/s", "smooth_s": 10.0, "max_age_s": 60.0},
        {**WIND, "sensor": "mqtt.never"},
        {**WIND, "key": "sun_rad", "sensor": "mqtt.lux"},
        {**WIND, "key": "rain", "sensor": "mqtt.rain"},
        {**WIND, "key": "rain", "sensor": "zmq.rain"},
    ]
    room = Room(mappings=mappings, triggers=[BUTTON])
    room.sensors.readings("mqtt", {"slow": 0.0, "lux": 5.0, "rain": 3.0, "button": 0.0})
    room.sensors.environment()
    room.clock.advance(2.0)
    room.sensors.readings("mqtt", {"slow": 10.0})
    room.sensors.readings("zmq", {"rain": 9.0})
    room.clock.advance(3.0)
    room.sensors.environment()
    told = json.loads(json.dumps(room.sensors.rows({"sun_rad"})))
    slow, never, lux, over, rain = told["mappings"]
    assert (slow["value"], slow["unit"], slow["age_s"], slow["acts"]) == (10.0, "m/s", 3.0, "yes")
    assert slow["strength"] == pytest.approx(0.3935, abs=1e-3)  # 1 - exp(-5 s / 10 s)
    assert (never["value"], never["age_s"], never["acts"]) == (None, None, "no reading yet")
    assert (lux["asks"], lux["strength"], lux["acts"]) == (0.0, 0.5, "operator")
    assert (over["acts"], rain["acts"], rain["strength"]) == ("later line", "yes", 0.9)
    assert told["triggers"] == [
        {"sensor": "mqtt.button", "value": 0.0, "does": "directive a storm", "armed": True, "made": 0, "age_s": 5.0}
    ]
    room.clock.advance(60.0)
    room.sensors.environment()
    assert room.sensors.rows(())["mappings"][0]["acts"] == "too old"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"low": None}, "needs low and high, or points"),
        ({"points": [[0, 0], [1, 1]]}, "give one or the other"),
        ({"low": None, "high": None, "points": [[1, 0], [1, 1]]}, "a larger sensor value than the one before"),
        ({"low": None, "high": None, "points": [[0, 0], [1, 2]]}, "wind is from 0 to 1, not 2"),
    ],
)
def test_a_mapping_without_a_clear_range_is_refused(change: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        SensorMapping(**{**WIND, **change})


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"below": 1.0}, "exactly one of above and below"),
        ({"above": None}, "exactly one of above and below"),
        ({"directive": None}, "changes nothing"),
        ({"image": "a.jpg"}, "not while the world runs"),
    ],
)
def test_a_trigger_that_can_do_nothing_is_refused(change: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        SensorTrigger(**{**BUTTON, **change})


def test_refused_payloads_are_counted_and_named_once_until_they_were_well_for_long() -> None:
    clock = ManualClock()
    refusals = Refusals(clock)
    assert refusals.met({"wind": "no number"}) == ["wind: no number"]
    assert refusals.met({"wind": "no JSON"}, 7) == []
    assert (refusals.count, refusals.alerts()) == (8, ["wind: no JSON"])
    refusals.read_well(["wind", "rain"])
    assert refusals.alerts() == []
    assert refusals.met({"wind": "no number"}) == [] and refusals.alerts() == ["wind: no number"]
    clock.advance(FORGOTTEN_AFTER_S + 1)
    assert refusals.alerts() == []
    assert refusals.met({"wind": "no number"}) == ["wind: no number"]
    for number in range(2 * MOST_NAMES):  # a stranger who makes up names
        refusals.met({f"n{number}": "?"})
    assert len(refusals.alerts()) == MOST_NAMES and refusals.count == 10 + 2 * MOST_NAMES
