"""A lost device is told of once for each reason, and tried ever more seldom until it works."""

from __future__ import annotations

from typing import Any

from oysterd.losses import Losses


def test_each_reason_is_told_once_and_pauses_double_until_it_works() -> None:
    told: list[tuple[str, dict[str, Any]]] = []
    losses = Losses(lambda kind, **content: told.append((kind, content)), (0.5, 3.0))
    assert [losses.lost(why) for why in ("no card", "no card", "busy", "busy")] == [0.5, 1.0, 2.0, 3.0]
    assert told == [("lost", {"why": "no card"}), ("lost", {"why": "busy"})]
    losses.works()
    assert losses.lost("busy") == 0.5 and len(told) == 3
