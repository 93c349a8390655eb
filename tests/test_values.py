"""What is read out of the payloads that devices really send, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from drivers.values import BadPayload, ValueConfig, read_value


def value(**options: Any) -> ValueConfig:
    return ValueConfig(**{"name": "v", **options})


@pytest.mark.parametrize(
    ("payload", "options", "expected"),
    [
        (b"3.5", {}, 3.5),
        (b" -2e1\n", {}, -20.0),
        (b'"21.5"', {}, 21.5),
        (b"ON", {}, 1.0),
        (b"false", {}, 0.0),
        (b"closed", {}, 0.0),
        (b'{"wind": {"speed": 4}}', {"path": "$.wind.speed"}, 4.0),
        (b'{"a": [{"SI 1": 7}]}', {"path": "$.a[0]['SI 1']"}, 7.0),
        (b'[{"n": "roof", "v": 1}, {"n": "hall", "v": 2}]', {"path": "$[?@.n == 'hall'].v"}, 2.0),
        (b'{"action": "press"}', {"path": "$.action", "words": {"press": 1, "release": 0}}, 1.0),
        ("夜".encode(), {"words": {"夜": -1.0}}, -1.0),
        (b"0", {"least": 0.0, "most": 1.0}, 0.0),
    ],
)
def test_a_value_is_read(payload: bytes, options: dict[str, Any], expected: float) -> None:
    assert read_value(payload, value(**options)) == expected


@pytest.mark.parametrize(
    ("payload", "options", "why"),
    [
        (b"", {}, "neither a number nor a known word"),
        (b"wet", {}, "neither a number nor a known word"),
        (b"ON", {"words": {"press": 1}}, "neither a number nor a known word"),
        (b"\xff\xfe", {}, "not UTF-8"),
        (b"{", {"path": "$.a"}, "not valid JSON"),
        (b"{}", {"path": "$.a"}, r"nothing at \$\.a"),
        (b'{"a": {}}', {"path": "$.a"}, "no number"),
        (b'{"a": null}', {"path": "$.a"}, "no number"),
        (b"NaN", {}, "not a finite number"),
        (b"Infinity", {}, "not a finite number"),
        (b"1" * 400, {}, "too large a number"),
        (b"-1", {"least": 0.0}, "below the least possible, 0"),
        (b"9999", {"most": 250.0}, "above the most possible, 250"),
        (b"1" * 70_000, {}, "more than 65536 bytes"),
        (b"[" * 60_000, {"path": "$.a"}, "not valid JSON"),
        (b"[" * 60_000, {}, "neither a number nor a known word"),
    ],
)
def test_a_bad_payload_is_refused_in_words(payload: bytes, options: dict[str, Any], why: str) -> None:
    with pytest.raises(BadPayload, match=why):
        read_value(payload, value(**options))


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"path": "$.["}, "is no JSONPath"),
        ({"least": 2.0, "most": 1.0}, "least = 2 must be less than most = 1"),
        ({"name": "a b"}, "pattern"),
        ({"pth": "$.a"}, "Extra inputs"),
    ],
)
def test_a_wrong_value_is_refused_by_the_configuration(options: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        value(**options)
