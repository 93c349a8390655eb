"""The operator page in a real browser."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Tab, chromium
from parts import TestCard, free_port, wait_until

from oysterd.changes import Change, Environment, Motion
from oysterd.clock import MonotonicClock
from oysterd.commands import Command, DeviceCommand
from oysterd.control_config import PageConfig
from oysterd.director import Director
from oysterd.page import Page

SLICE_S = TestCard.chunk_samples / TestCard.sample_rate_hz


class Room:
    """A page whose test card goes on in real time, and whose world applies commands in the step they come."""

    def __init__(self) -> None:
        self.card = TestCard()
        self.motions: list[Motion] = []
        self.changes: list[Change | None] = []
        self.requests: list[dict[str, Any]] = []
        self.environment: dict[str, dict[str, Any]] = {"sun_rad": {"value": 0.31, "held_by": "world"}}
        self.director = Director(MonotonicClock(), self._apply, lambda receipt: self.page.publish_receipt(receipt))
        self.page = Page(
            PageConfig(port=free_port()), self.director, self.card, self.motions.append, self.card.sample_rate_hz
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _apply(self, command: Command) -> None:
        if isinstance(command, DeviceCommand):
            self.requests.append({"name": command.name, **command.request()})
            self.director.applied(command.id)
            return
        self.changes.append(command.to_change())
        self.director.applied(command.id, self.card.newest, self.card.newest * SLICE_S)

    def _run(self) -> None:
        while not self._stop.wait(SLICE_S):
            self.card.newest += 1
            self.director.tick()
            if self.card.newest % 12 == 0:
                self.page.publish_state(
                    {"steps_per_s": 12.0, "rtf": 1.04, "place": "coast", "inputs": {"camera": {"age_s": 0.04}},
                     "environment": self.environment, "asked": {"style": {"ink": 1.0}, "view": "third"},
                     "outputs": {"left": {"kind": "window"}, "right": {"kind": "window"}, "front": {"kind": "speaker"}}}
                )  # fmt: skip

    def start(self) -> None:
        self.page.start()
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        self.page.stop()


@pytest.fixture(scope="module")
def room() -> Iterator[Room]:
    started = Room()
    started.start()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def tab(room: Room, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with chromium(tmp_path_factory.mktemp("chromium")) as opened:
        opened.open(room.page.address)
        wait_until(lambda: opened.value("figures.drawn") > 0, "the first picture")
        yield opened


def test_frames_are_drawn_as_they_are_made(room: Room, tab: Tab) -> None:
    drawn = tab.value("figures.drawn")
    wait_until(lambda: tab.value("figures.drawn") >= drawn + 12, "twelve more pictures")
    # In one go, or the next picture comes between: the chunk drawn, and the pixel in the middle.
    chunk, pixel = tab.value("[figures.chunk, Array.from(pen.getImageData(80, 45, 1, 1).data)]")
    read = room.card.read(chunk)
    assert read is not None
    assert [abs(int(wanted) - seen) for wanted, seen in zip(read[0][45, 80], pixel, strict=False)] < [12, 12, 12]
    assert room.card.newest - tab.value("figures.chunk") <= 6


def test_a_directive_typed_arrives_and_its_receipt_is_shown(room: Room, tab: Tab) -> None:
    tab.value("byId('text').focus()")
    tab.type_line("let the wind rise 风")
    wait_until(lambda: room.changes, "the directive")
    assert room.changes.pop() == Change(directive="let the wind rise 风")
    wait_until(lambda: "applied direct at step" in tab.value("byId('list').textContent"), "its receipt")
    assert tab.value("byId('text').value") == ""


def test_keys_move_until_they_are_let_go(room: Room, tab: Tab) -> None:
    tab.value("byId('text').focus()")
    tab.key("rawKeyDown", "w", "KeyW", 87)
    tab.key("keyUp", "w", "KeyW", 87)
    tab.value("canvas.focus()")
    tab.key("rawKeyDown", "w", "KeyW", 87)
    tab.key("rawKeyDown", "ArrowLeft", "ArrowLeft", 37)
    wait_until(lambda: len(room.motions) >= 6, "repeated motion")
    tab.key("keyUp", "w", "KeyW", 87)
    tab.key("keyUp", "ArrowLeft", "ArrowLeft", 37)
    wait_until(lambda: room.motions[-1] == Motion(), "standing still")
    assert room.motions[0] == Motion(forward=1.0)  # what was typed into the text box moved nothing
    assert Motion(forward=1.0, yaw_rad_s=-0.8) in room.motions


def test_sliders_set_the_environment_and_release_it(room: Room, tab: Tab) -> None:
    tab.value("(s => { s.value = 0.8; s.dispatchEvent(new Event('input')); })(byId('env-rain'))")
    wait_until(lambda: room.changes, "rain")
    assert room.changes.pop() == Change(environment=Environment(rain=0.8))
    tab.value("document.querySelector('[aria-label=\"Release Rain to the world\"]').click()")
    wait_until(lambda: room.changes, "the release")
    assert room.changes.pop() == Change(environment=Environment(rain="release"))


def test_sliders_follow_the_world_and_say_who_holds_a_key(room: Room, tab: Tab) -> None:
    shown = "[byId('env-sun_rad').value, byId('env-sun_rad').parentElement.innerText.replace(/\\s+/g, ' ')]"
    wait_until(lambda: tab.value(shown) == ["0.31", "Sun 0.31 free release"], "the world's sun")
    room.environment = {"sun_rad": {"value": -0.4, "held_by": "sensor"}}
    wait_until(lambda: tab.value(shown) == ["-0.4", "Sun -0.40 sensor release"], "the sensor's sun")
    room.environment = {"sun_rad": {"value": -0.2, "held_by": "operator"}}
    wait_until(lambda: tab.value(shown) == ["-0.2", "Sun -0.20 held release"], "another operator's sun")
    assert tab.value("byId('env-sun_rad').parentElement.classList.contains('set')")


def test_style_view_character_and_figures_are_commands(room: Room, tab: Tab) -> None:
    wait_until(lambda: tab.value("[byId('style').value, byId('view').value]") == ["ink", "third"], "what holds")
    for element, value, change in (
        ("style", "woodblock", Change(style="woodblock")),
        ("view", "first", Change(view="first")),
        ("character", "a red fox", Change(character="a red fox")),
    ):
        tab.value(f"(e => {{ e.value = '{value}'; e.dispatchEvent(new Event('change')); }})(byId('{element}'))")
        wait_until(lambda: room.changes, element)
        assert room.changes.pop() == change
    named = "[...byId('figures').children].find(b => b.textContent === '{}').click()"
    for name, text in (("kitten", "a kitten comes by"), ("lanterns", "lanterns rise into the sky")):
        tab.value(named.format(name))
        wait_until(lambda: room.changes, name)
        assert room.changes.pop() == Change(directive=text)


def test_receipts_of_others_are_shown_also_on_a_page_opened_later(room: Room, tab: Tab) -> None:
    listed = "byId('list').textContent"
    room.director.receive("direct", {"id": "by-mqtt", "text": "more wind"}, "mqtt:{}")
    wait_until(lambda: room.changes, "the directive")
    room.changes.pop()
    wait_until(lambda: " by mqtt" in tab.value(listed), "its receipt")
    tab.open(room.page.address)
    wait_until(lambda: "applied direct at step" in tab.value(listed) and " by mqtt" in tab.value(listed), "it again")
    assert tab.value("byId('log').clientHeight") > 60


def test_projectors_show_patterns_and_their_corners_are_moved(room: Room, tab: Tab) -> None:
    wait_until(lambda: tab.value("[...byId('wall').options].map(o => o.value)") == ["left", "right"], "the outputs")
    tab.value("byId('patterns').children[0].click()")
    wait_until(lambda: room.requests, "the pattern")
    assert room.requests.pop() == {"name": "pattern", "pattern": "grid"}
    tab.value("byId('wall').value = 'right'; byId('corner').value = 'bottom_left'")
    tab.value("document.querySelector('[aria-label=\"Move the corner up\"]').click()")
    wait_until(lambda: room.requests, "the corner")
    moved = {"corner": "bottom_left", "x": 0, "y": -0.001}
    assert room.requests.pop() == {"name": "calibrate", "output": "right", "move": moved}
    tab.value("byId('uncorner').click()")
    wait_until(lambda: room.requests, "the reset")
    assert room.requests.pop() == {"name": "calibrate", "output": "right", "clear": ["corners"]}
    wait_until(lambda: "applied calibrate" in tab.value("byId('list').textContent"), "its receipt")


def test_sound_plays_and_pictures_keep_to_it(room: Room, tab: Tab) -> None:
    tab.value("byId('sound').click()")
    wait_until(lambda: tab.value("figures.sounds") >= 12, "a second of sound")
    assert 0.25 < tab.value("figures.peak") < 0.35
    assert 0.0 < tab.value("figures.ahead_s") <= 0.7
    drawn = tab.value("figures.drawn")
    wait_until(lambda: tab.value("figures.drawn") > drawn + 6, "pictures with sound")
    tab.value("byId('sound').click()")
    assert tab.value("byId('sound').textContent") == "Sound on"


def test_the_page_shows_the_state_and_fits_its_window(room: Room, tab: Tab, tmp_path: Path) -> None:
    wait_until(lambda: "coast" in tab.value("byId('rows').textContent"), "the state")
    assert tab.value("document.documentElement.scrollHeight <= innerHeight && document.body.scrollWidth <= innerWidth")
    unnamed = tab.value(
        "[...document.querySelectorAll('button, input')]"
        ".filter(e => !(e.ariaLabel || e.textContent.trim() || (e.labels && e.labels.length))).length"
    )
    assert unnamed == 0
    tab.screenshot(tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 10_000
