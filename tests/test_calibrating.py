"""A projector calibrated by commands and by real keys in its real window, and the file that keeps it."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import children
import numpy as np
import pytest
from conftest import require
from parts import wait_until
from test_window import screen

from drivers.calibration import Calibration, Mesh
from oysterd.bus import Bus, Message
from oysterd.calibration_file import CalibrationError, load, save
from oysterd.clock import MonotonicClock
from oysterd.config import OutputConfig
from oysterd.projector import run_projector
from oysterd.ring import ChunkRing
from oysterd.supervisor import Child, Supervisor

HEIGHT, WIDTH = 90, 160


class Wall:
    """A projector's process on a display, with its calibration file and what it tells."""

    def __init__(self, folder: Path, display: str) -> None:
        self.file = folder / "calibration" / "wall.json"
        self.ring = ChunkRing.create(f"oysterd-test-{uuid.uuid4().hex[:12]}", 12, HEIGHT, WIDTH, 2000)
        self.bus, self.supervisor = Bus(), Supervisor(MonotonicClock())
        self._inbox = self.bus.open("output.wall")
        self._display = display
        self.heard: list[Message] = []

    def start(self, **options: Any) -> None:
        size = {"width": 2 * WIDTH, "height": 2 * HEIGHT}
        output = OutputConfig(name="wall", kind="window", options={**size, **options})
        arguments = (output, str(self.ring._memory.name), self.bus.events, self._inbox, self.file)  # type: ignore[union-attr]
        self.supervisor.start(Child("output.wall", run_projector, arguments, 30, 30))

    def restart(self, **options: Any) -> None:
        self.supervisor.stop()
        self.heard.clear()
        self.start(**options)

    def told(self, kind: str) -> list[Message]:
        self.heard.extend(self.bus.receive(0.02))
        return [message for message in self.heard if message["type"] == kind]

    def ask(self, kind: str, **request: Any) -> Message:
        """Send a command and give its answer."""
        identifier = uuid.uuid4().hex
        message = {"type": kind, "id": identifier, "request": {"output": "wall", **request}}
        wait_until(lambda: self.bus.send("output.wall", message), "the projector takes commands")
        answers: list[Message] = []

        def is_answered() -> bool:
            both = self.told("applied") + self.told("failed")
            answers[:] = [answer for answer in both if answer["id"] == identifier]
            return bool(answers)

        wait_until(is_answered, f"an answer to {kind} {request}")
        return answers[0]

    def press(self, *keys: str) -> None:
        subprocess.run(["xdotool", "key", *keys], check=True, timeout=10)

    def lit(self) -> np.ndarray:
        """Which pixels of the window are not black."""
        lit: np.ndarray = screen(self._display)[: 2 * HEIGHT, : 2 * WIDTH].max(axis=-1) > 0
        return lit

    def pattern(self) -> Any:
        stats = self.told("stats")
        return stats[-1]["pattern"] if stats else None

    def kept(self) -> dict[str, Any]:
        return json.loads(self.file.read_text()) if self.file.exists() else {}

    def close(self) -> None:
        self.supervisor.stop()
        self.bus.close()
        self.ring.close()
        self.ring.unlink()


@pytest.fixture
def wall(tmp_path: Path, x_display: str) -> Iterator[Wall]:
    made = Wall(tmp_path, x_display)
    yield made
    made.close()


def test_a_projector_is_calibrated_by_commands_and_remembers_it(wall: Wall) -> None:
    wall.start()
    assert wall.ask("pattern", pattern="blend")["type"] == "applied"  # before there is a world
    wait_until(lambda: wall.lit()[HEIGHT:].all(), "the pattern fills the window")
    corners = [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]]
    assert wall.ask("calibrate", set={"corners": corners})["type"] == "applied"
    assert wall.kept() == {"corners": corners}
    wait_until(lambda: not wall.lit()[:, WIDTH:].any() and wall.lit()[HEIGHT:, :WIDTH].all(), "the left half")
    for corner in ("top_right", "bottom_right"):
        assert wall.ask("calibrate", move={"corner": corner, "x": 0.25})["type"] == "applied"
    assert wall.kept()["corners"][1:3] == [[0.75, 0.0], [0.75, 1.0]]
    wait_until(lambda: wall.lit()[HEIGHT:, : WIDTH * 3 // 2].all(), "three quarters")

    refused = wall.ask("calibrate", move={"corner": "top_left", "x": 0.9})  # beyond its neighbour, so a bow tie
    assert refused["type"] == "failed" and "no side bent inwards" in refused["why"]
    refused = wall.ask("calibrate", move={"column": 0, "row": 0, "x": 0.1})
    assert refused["type"] == "failed" and "there is no mesh" in refused["why"]
    assert wall.kept()["corners"][0] == [0.0, 0.0]

    assert wall.ask("calibrate", set={"mesh": Mesh.even(3, 3).model_dump(mode="json")})["type"] == "applied"
    assert wall.ask("calibrate", move={"column": 1, "row": 2, "y": -0.25})["type"] == "applied"
    assert wall.kept()["mesh"]["points"][7] == [0.5, 0.75]
    refused = wall.ask("calibrate", move={"column": 3, "row": 0, "x": 0.1})
    assert "the mesh has 3 columns and 3 rows" in refused["why"]

    wall.restart()
    wall.ask("pattern", pattern="blend")
    wait_until(lambda: wall.lit()[HEIGHT : HEIGHT + 30, :WIDTH].all(), "the pattern again")
    assert not wall.lit()[:, WIDTH * 3 // 2 :].any()  # the corners were kept
    assert not wall.lit()[-20:, WIDTH * 3 // 4 - 5 : WIDTH * 3 // 4 + 5].any()  # and the mesh
    assert wall.ask("calibrate", clear=["mesh", "corners"])["type"] == "applied"
    assert wall.kept() == {}
    wait_until(lambda: wall.lit()[HEIGHT:].all(), "the whole window")


def test_a_projector_is_calibrated_by_keys_in_its_window(wall: Wall) -> None:
    require("xdotool")
    wall.start()
    wait_until(lambda: wall.told("back"), "the window")
    wall.press("1", "Right", "r")  # while the room is at work keys do nothing
    assert not wall.lit().any()
    wall.press("g")
    wait_until(lambda: wall.pattern() == "grid" and wall.lit().any(), "the grid")
    assert wall.kept() == {}
    wall.press("3", "Left", "shift+Up", "ctrl+Left")
    expected = [1 - 1.1 / (2 * WIDTH), 1 - 10 / (2 * HEIGHT)]
    wait_until(lambda: wall.kept().get("corners"), "the file")
    wait_until(lambda: wall.kept()["corners"][2] == pytest.approx(expected), f"{wall.kept()}")
    assert wall.kept()["corners"][:2] == [[0.0, 0.0], [1.0, 0.0]]
    wall.press("m", "Tab", "Tab", "shift+Tab", "Down")  # a mesh of five by five, its second point
    wait_until(lambda: "mesh" in wall.kept(), "the mesh")
    wait_until(lambda: wall.kept()["mesh"]["points"][1] == pytest.approx([0.25, 1 / (2 * HEIGHT)]), f"{wall.kept()}")
    wall.press("r")
    wait_until(lambda: "mesh" not in wall.kept() and "corners" in wall.kept(), "the mesh is gone")
    wall.press("Escape")
    wait_until(lambda: wall.pattern() is None, "the world again")


def test_a_ring_marks_the_chosen_corner(wall: Wall) -> None:
    require("xdotool")
    wall.start()
    wait_until(lambda: wall.told("back"), "the window")

    def is_ringed() -> bool:
        corner = screen(wall._display)[2 * HEIGHT - 40 : 2 * HEIGHT, 2 * WIDTH - 40 : 2 * WIDTH].astype(int)
        return bool((np.abs(corner - (255, 76, 0)).max(axis=-1) < 4).sum() > 20)

    wall.ask("pattern", pattern="focus")
    assert not is_ringed()
    wall.press("3")
    wait_until(is_ringed, "the ring")


def test_a_file_that_is_wrong_is_named_with_its_key_kept_and_the_projector_works(wall: Wall) -> None:
    wall.file.parent.mkdir()
    wall.file.write_text('{"gain": [1, 1, 7], "cornrs": []}')
    wall.start()
    wait_until(lambda: wall.told("alert"), "the alert")
    why = wall.told("alert")[0]["why"]
    assert f"{wall.file}: gain[2]: must be at most 1, not 7" in why
    assert f'{wall.file}: cornrs: unknown key (did you mean "corners"?)' in why
    wall.ask("pattern", pattern="blend")
    wait_until(lambda: wall.lit()[HEIGHT:].all(), "it shows as it is configured")
    wall.ask("calibrate", set={"black_lift": 0.001})
    assert wall.kept() == {"black_lift": 0.001}
    assert "cornrs" in wall.file.with_suffix(".bad").read_text()
    assert wall.told("alert")[-1]["why"] == ""


def test_the_configuration_holds_where_the_file_says_nothing(wall: Wall) -> None:
    save(wall.file, Calibration.model_validate({"gain": (1.0, 1.0, 0.0)}))
    wall.ring.write(children.moving_picture(wall.ring, 20), np.zeros((2000, 2), np.float32))
    wall.ring.playing = 0
    wall.start(corners=[[0.5, 0], [1, 0], [1, 1], [0.5, 1]], gain=[0.0, 1.0, 1.0])

    def green_on_the_right() -> bool:
        shown = screen(wall._display)[: 2 * HEIGHT, : 2 * WIDTH]
        right, blue = shown[:, WIDTH + 1 :], shown[..., 2]
        return bool(right[..., :2].all() and not blue.any() and not shown[:, : WIDTH - 1].any())

    wait_until(green_on_the_right, "the file's gain on the configuration's corners")


def test_a_file_is_whole_or_as_before(tmp_path: Path) -> None:
    file = tmp_path / "state" / "wall.json"
    assert load(file) == Calibration()
    save(file, Calibration(black_lift=0.01))
    assert load(file).model_fields_set == {"black_lift"} and sorted(path.name for path in file.parent.iterdir()) == [
        "wall.json"
    ]
    (tmp_path / "taken").write_text("")
    with pytest.raises(CalibrationError, match=r"taken/wall\.json: can't be written"):
        save(tmp_path / "taken" / "wall.json", Calibration())
    file.write_text('{"black_lift": ')
    with pytest.raises(CalibrationError, match=r"wall\.json: is not valid JSON"):
        load(file)
