import json
from typing import Any

import pytest

from oysterd.changes import Change, Environment, Motion, PresencePoint
from oysterd.commands import COMMANDS, CommandError, Receipt, parse, parse_motion, parse_reading

POINT = {"x": 0.2, "y": 0.6, "near": 1.0, "stir": 0.5}


@pytest.mark.parametrize(
    ("name", "payload", "change"),
    [
        ("direct", {"text": "let it snow"}, Change(directive="let it snow")),
        ("scene", {"text": "a desert"}, Change(scene="a desert")),
        ("motion", {"forward": 1}, Change(motion=Motion(forward=1.0))),
        ("motion", {}, Change(motion=Motion())),
        ("environment", {"rain": 0.5, "fog": "release"}, Change(environment=Environment(rain=0.5, fog="release"))),
        ("presence", {"points": [POINT]}, Change(presence=[PresencePoint(**POINT)])),
        ("view", {"view": "third"}, Change(view="third")),
        ("style", {"text": "ink"}, Change(style="ink")),
        ("character", {"text": "a fox"}, Change(character="a fox")),
        ("change", {"scene": "sea", "view": "first"}, Change(scene="sea", view="first")),
        ("snapshot", {}, None),
        ("pattern", {"pattern": "grid"}, None),
        ("calibrate", {"output": "wall", "clear": ["mesh"]}, None),
        ("power", {"on": True}, None),
        ("shutter", {"projector": "left", "closed": False}, None),
        ("input", {"input": "3A"}, None),
        ("learn_room", {"seconds": 5, "inputs": ["door"]}, None),
    ],
)
def test_every_command_becomes_its_change(name: str, payload: dict[str, Any], change: Change | None) -> None:
    command = parse(name, json.dumps(payload))
    assert command.to_change() == change
    assert command.name == name
    assert parse(name, payload).id != command.id


def test_the_table_holds_every_command_under_its_own_name() -> None:
    assert list(COMMANDS) == [
        "direct", "scene", "motion", "environment", "presence", "release", "view", "style", "character", "change",
        "snapshot", "learn_room", "pattern", "calibrate", "power", "shutter", "input",
    ]  # fmt: skip


def refused(name: str, payload: bytes | str | dict[str, Any]) -> CommandError:
    with pytest.raises(CommandError) as caught:
        parse(name, payload)
    return caught.value


@pytest.mark.parametrize(
    ("name", "payload", "line"),
    [
        ("direct", b'{"text": "x', "payload: is not valid JSON: "),
        ("direct", b'{"text": "\xff"}', "payload: is not valid JSON: "),
        ("direct", b"[1, 2]", "payload: must be a JSON object"),
        ("direct", b"[" * 60_000, "payload: is not valid JSON: recursion limit"),
        ("direct", b"", "text: is missing"),
        ("direct", b'{"text": 5}', "text: must be text, not 5"),
        ("direct", json.dumps({"text": "a" * 2001}), "text: must have at most 2000 characters, has 2001"),
        ("direct", json.dumps({"text": "a" * 100_000}), "payload: must have at most 65536 bytes, has 100012"),
        ("direct", b'{"text": "a", "txt": "b"}', 'txt: unknown key (did you mean "text"?)'),
        ("direct", b'{"text": "\\ud800"}', "payload: is not valid JSON"),
        ("direct", {"text": "\ud800"}, "text: "),
        ("motion", b'{"forward": NaN}', "payload: is not valid JSON"),
        ("motion", b'{"forward": 1e999}', "forward: "),
        ("motion", b'{"forward": 1.5}', "forward: must be at most 1, not 1.5"),
        ("environment", b"{}", "changes nothing: set at least one of sun_rad"),
        ("change", b"{}", "changes nothing: set at least one of scene"),
        ("environment", b'{"sun_rad": true}', 'sun_rad: must be a number from -1.6 to 1.6, or "release"'),
        ("presence", json.dumps({"points": [POINT] * 65}), "points: must have at most 64 entries, has 65"),
        ("view", b'{"view": "bird"}', "view: must be 'first' or 'third'"),
        ("snapshot", b'{"not_after_s": 0}', "not_after_s: must be more than 0, not 0"),
        ("snapshot", b'{"at_s": 3, "not_after_s": 2}', "at_s = 3 is after not_after_s = 2"),
        ("snapshot", b'{"id": "a/b"}', "id: "),
        ("learn_room", b'{"seconds": 1}', "seconds: must be at least 3, not 1"),
        ("snapshot", b'{"id": ""}', "id: "),
        ("pattern", b'{"pattern": "gird"}', "pattern: must be 'grid', 'blend', 'focus' or 'none', not the text"),
        ("calibrate", b'{"output": "wall"}', "needs exactly one of set, move and clear"),
        ("calibrate", b'{"output": "wall", "set": {"gian": 1}}', 'set.gian: unknown key (did you mean "gain"?)'),
        ("calibrate", b'{"output": "w", "set": {"corners": [[0, 0], [9, 0], [1, 1], [0, 1]]}}', "set.corners[1][0]: "),
        ("calibrate", b'{"output": "w", "move": {"column": 1, "x": 0.1}}', "move: needs a corner, or column and row"),
        ("power", b'{"on": 1}', "on: must be true or false, not 1"),
        ("input", b'{"input": "99"}', "input: "),
        ("drect", b"{}", 'unknown command "drect" (did you mean "direct"?)'),
    ],
)
def test_a_wrong_command_says_what_is_wrong(name: str, payload: bytes | str | dict[str, Any], line: str) -> None:
    lines = refused(name, payload).lines
    assert any(found.startswith(line) for found in lines), lines


def test_a_refused_command_keeps_the_id_it_came_with() -> None:
    assert refused("direct", b'{"id": "k-1"}').id == "k-1"
    assert refused("direct", b'{"id": "not an id", "text": "a"}').id is None


def test_the_fast_inputs_are_read_without_an_id() -> None:
    assert parse_motion(b'{"forward": 1, "yaw_rad_s": -0.5}') == Motion(forward=1.0, yaw_rad_s=-0.5)
    assert parse_reading(b" 3.5 ") == parse_reading(b'{"value": 3.5}') == 3.5
    with pytest.raises(CommandError, match="yaw_rad_s: must be at most 2"):
        parse_motion(b'{"yaw_rad_s": 9}')
    with pytest.raises(CommandError, match="value: must be a number"):
        parse_reading(b'"wet"')
    with pytest.raises(CommandError, match="value: is missing"):
        parse_reading(b"")


def test_a_receipt_keeps_its_origin_inside() -> None:
    receipt = Receipt(id="a", name="direct", status="applied", step=3, time_s=0.25, unix_ms=5, origin="zmq:00ff")
    assert json.loads(receipt.model_dump_json()) == {
        "id": "a", "name": "direct", "status": "applied", "step": 3, "time_s": 0.25, "unix_ms": 5, "why": [],
        "duplicate": False,
    }  # fmt: skip
