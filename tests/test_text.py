"""Phrases and what they mean, and what the text encoder does with strange ones."""

from __future__ import annotations

import numpy as np
import pytest

from model.conditions import FAIR
from model.diorama.captions import NO_PLACE, Meaning, caption, held_out
from model.diorama.places import PLACES
from model.text import WIDTH, TextHead, embed, targets
from model.wish import Wish


def test_embeddings_tell_stop_from_harder() -> None:
    stop, harder, stop_zh = embed(["stop the rain", "rain harder", "让雨停下来"])
    assert stop.shape == (WIDTH,) and float(stop @ harder) < 0.9 * float(stop @ stop)
    assert float(stop[:512] @ stop_zh[:512]) > 0.4  # one meaning in two languages


@pytest.mark.parametrize("text", ["", "  \n", "x" * 100_000, "🦪🌊", "\x00\x01", "ж" * 50, "مطر", "1234"])
def test_any_text_has_a_finite_embedding(text: str) -> None:
    assert np.isfinite(embed([text])).all()


def test_captions_are_told_by_their_seed_and_keep_wordings_apart() -> None:
    one, other = (caption(np.random.default_rng(4)) for _ in range(2))
    assert one == other
    assert held_out("stop the rain") == held_out("stop the rain")


def test_every_place_time_and_amount_is_spoken_of() -> None:
    rng = np.random.default_rng(0)
    meanings = [caption(rng)[1] for _ in range(3000)]
    assert {m.place for m in meanings} == {*range(len(PLACES)), NO_PLACE}
    operations = {(key, op) for m in meanings for key, (op, _) in m.environment.items()}
    assert {("rain", "more"), ("rain", "less"), ("rain", "set"), ("sun_rad", "more"), ("energy", "less")} <= operations


def test_targets_hold_the_meaning() -> None:
    wanted = targets([Meaning(place=2, environment={"rain": ("set", 0.5), "fog": ("less", 0.0)}, view="third")])
    assert wanted["place"].item() == 2 and wanted["view"].item() == 2
    assert wanted["operation"][0, 3].item() == 1 and wanted["value"][0, 3].item() == 0.5
    assert wanted["operation"][0, 2].item() == 3


def test_a_head_reads_a_meaning_from_any_embedding() -> None:
    assert isinstance(TextHead().read(embed(["hello"])[0]), Meaning)


def test_a_wish_grows_by_what_is_said() -> None:
    wish = Wish().asked(Meaning(place=1, environment={"rain": ("set", 0.6)}), FAIR)
    harder = wish.asked(Meaning(environment={"rain": ("more", 0.0)}), FAIR)
    stopped = harder.asked(Meaning(environment={"rain": ("set", 0.0)}, motion="forward", slow=True), FAIR)
    assert harder.environment["rain"] == pytest.approx(0.95) and harder.place == 1
    assert stopped.environment["rain"] == 0.0 and stopped.motion is not None and 0.3 < stopped.motion[0] < 0.4
    assert stopped.released(("rain",)).environment == {}


def test_less_starts_from_the_weather_as_it_is() -> None:
    windy = FAIR.copy()
    windy[5] = 0.9
    assert Wish().asked(Meaning(environment={"wind": ("less", 0.0)}), windy).environment["wind"] == pytest.approx(0.55)
