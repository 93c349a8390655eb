"""What is asked of the next step: who wins, how long, and how sensors become weather."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from model.conditions import GRID
from oysterd.changes import Change, Environment, Motion, PresencePoint
from oysterd.clock import ManualClock
from oysterd.conditioning import Conditioning, presence_of
from oysterd.config import Settings
from oysterd.sensors import REMOTE_MAX_AGE_S

CELLS = GRID[0] * GRID[1]


def room(**sections: Any) -> tuple[Conditioning, ManualClock]:
    inputs = [
        {"name": "left", "kind": "virtual_depth", "use": "presence", "max_age_s": 1.0},
        {"name": "right", "kind": "virtual_depth", "use": "presence", "max_age_s": 2.0},
        {"name": "roof", "kind": "virtual_sensors", "use": "sensors", "max_age_s": 5.0},
    ]
    clock = ManualClock(1000.0)
    return Conditioning(Settings(**{"inputs": inputs, **sections}), clock), clock


def mapping(**changed: Any) -> dict[str, Any]:
    return {"sensor": "roof.wind_m_s", "key": "wind", "low": 0.0, "high": 10.0, "smooth_s": 0.0, **changed}


def presence(level: float, row: int, col: int) -> np.ndarray:
    made = np.zeros((*GRID, 2), np.float32)
    made[row, col] = level
    return made


def test_nothing_said_asks_for_nothing() -> None:
    conditioning, _ = room()
    assert conditioning.conditions() == {
        "type": "conditions",
        "motion": None,
        "environment": {},
        "presence": None,
        "loudness_dbfs": None,
    }


def test_maps_of_several_inputs_become_one_and_stale_ones_vanish() -> None:
    conditioning, clock = room()
    conditioning.presence("left", presence(0.5, 0, 0), clock.now_ns())
    conditioning.presence("right", presence(1.0, 4, 7), clock.now_ns())
    both = np.array(conditioning.conditions()["presence"])
    assert both.shape == (CELLS, 2)
    assert both[0].tolist() == [0.5, 0.5] and both[-1].tolist() == [1.0, 1.0] and both.sum() == 3.0
    clock.advance(1.5)
    assert np.array(conditioning.conditions()["presence"]).sum() == 2.0
    clock.advance(1.0)
    assert conditioning.conditions()["presence"] is None


def test_a_map_of_another_shape_is_refused() -> None:
    conditioning, clock = room()
    with pytest.raises(ValueError, match="left: a presence map must be"):
        conditioning.presence("left", np.zeros((2, 2, 2), np.float32), clock.now_ns())


@pytest.mark.parametrize(
    ("changed", "value", "expected"),
    [
        ({}, 2.5, 0.25),
        ({}, -3.0, 0.0),
        ({}, 99.0, 1.0),
        ({"low": 10.0, "high": 0.0}, 2.5, 0.75),
        ({"key": "sun_rad"}, 5.0, 0.0),
        ({"key": "sun_rad"}, 0.0, -1.6),
        ({"key": "sun_rad"}, 10.0, 1.6),
    ],
)
def test_a_sensor_drives_its_key(changed: dict[str, Any], value: float, expected: float) -> None:
    conditioning, _ = room(mappings=[mapping(**changed)])
    conditioning.readings("roof", {"wind_m_s": value, "unmapped": 1.0})
    conditioning.readings("elsewhere", {"wind_m_s": 7.0})
    assert conditioning.conditions()["environment"] == {changed.get("key", "wind"): pytest.approx(expected)}


def test_a_sensor_is_followed_smoothly_and_forgotten_when_stale() -> None:
    conditioning, clock = room(mappings=[mapping(smooth_s=2.0)])
    conditioning.readings("roof", {"wind_m_s": 0.0})
    assert conditioning.conditions()["environment"] == {"wind": 0.0}
    conditioning.readings("roof", {"wind_m_s": 10.0})
    clock.advance(2.0)
    assert conditioning.conditions()["environment"]["wind"] == pytest.approx(1 - np.exp(-1))
    clock.advance(2.0)
    assert conditioning.conditions()["environment"]["wind"] == pytest.approx(1 - np.exp(-2))
    clock.advance(1.1)
    assert conditioning.conditions()["environment"] == {}
    conditioning.readings("roof", {"wind_m_s": 10.0})
    assert conditioning.conditions()["environment"]["wind"] == 1.0


def test_sensors_over_mqtt_hold_between_their_reports() -> None:
    conditioning, clock = room(mappings=[mapping(sensor="mqtt.station")])
    conditioning.readings("mqtt", {"station": 5.0})
    clock.advance(REMOTE_MAX_AGE_S)
    assert conditioning.conditions()["environment"] == {"wind": 0.5}
    clock.advance(1.0)
    assert conditioning.conditions()["environment"] == {}


def test_an_operator_wins_over_a_sensor_until_the_key_is_released() -> None:
    conditioning, clock = room(mappings=[mapping()])
    conditioning.readings("roof", {"wind_m_s": 10.0})
    conditioning.change(Change(environment=Environment(wind=0.2, rain=0.7)))
    clock.advance(3.0)
    assert conditioning.conditions()["environment"] == {"wind": 0.2, "rain": 0.7}
    conditioning.change(Change(environment=Environment(wind="release")))
    assert conditioning.conditions()["environment"] == {"wind": 1.0, "rain": 0.7}
    conditioning.change(Change(environment=Environment(rain="release", fog=0.1)))
    assert conditioning.conditions()["environment"] == {"wind": 1.0, "fog": 0.1}


def test_fast_motion_ends_soon_stands_still_and_gives_the_lead_back() -> None:
    conditioning, clock = room()
    conditioning.fast_motion(Motion(forward=1.0, yaw_rad_s=0.5))
    assert conditioning.conditions()["motion"] == [1.0, 0.0, 0.5, 0.0]
    clock.advance(0.41)
    assert conditioning.conditions()["motion"] == [0.0, 0.0, 0.0, 0.0]
    clock.advance(5.0)
    assert conditioning.conditions()["motion"] is None


def test_a_commanded_motion_holds_below_the_fast_one_and_the_last_word_wins() -> None:
    conditioning, clock = room()
    conditioning.change(Change(motion=Motion(forward=0.5)))
    clock.advance(60.0)
    assert conditioning.conditions()["motion"] == [0.5, 0.0, 0.0, 0.0]
    conditioning.fast_motion(Motion(strafe=-1.0))
    assert conditioning.conditions()["motion"] == [0.0, -1.0, 0.0, 0.0]
    conditioning.change(Change(motion=Motion()))
    assert conditioning.conditions()["motion"] == [0.0, 0.0, 0.0, 0.0]
    conditioning.fast_motion(Motion(strafe=1.0))
    clock.advance(1.0)
    assert conditioning.conditions()["motion"] == [0.0, 0.0, 0.0, 0.0]


def test_presence_set_by_an_operator_wins_and_an_empty_list_says_that_nobody_is_there() -> None:
    conditioning, clock = room()
    conditioning.presence("left", presence(1.0, 0, 0), clock.now_ns())
    conditioning.change(Change(presence=[PresencePoint(x=1.0, y=1.0, near=0.8, stir=0.4)]))
    cells = np.array(conditioning.conditions()["presence"])
    assert cells[0].tolist() == [0.0, 0.0]
    assert cells[-1] == pytest.approx([0.8, 0.4])
    conditioning.change(Change(presence=[]))
    assert np.array(conditioning.conditions()["presence"]).sum() == 0.0


def test_other_parts_of_a_change_are_not_kept() -> None:
    conditioning, _ = room()
    before = conditioning.conditions()
    conditioning.change(Change(scene="a desert", directive="snow", style="ink"))
    assert conditioning.conditions() == before


def test_points_stand_where_they_are_and_do_not_fill_the_room() -> None:
    made = presence_of([PresencePoint(x=0.2, y=0.6, near=1.0, stir=0.5)])
    assert made.shape == (*GRID, 2) and made.dtype == np.float32
    row, col = np.unravel_index(int(made[..., 0].argmax()), GRID)
    assert (int(row), int(col)) == (3, 1)
    assert made[3, 1].tolist() == [1.0, 0.5]
    assert (made[..., 0] > 0).sum() <= 9
    assert presence_of([]).sum() == 0.0
