from pathlib import Path

import pytest
from pydantic import ValidationError

from oysterd.changes import Change, Environment, Motion, PresencePoint, load_timeline
from oysterd.errors import ConfigError

GOOD = """
seconds = 20
seed = 7
scene = "宁静的海岸,黎明"
view = "third"
character = "a fox"
[[at]]
t = 5
directive = "a storm rolls in from the sea"
[[at]]
t = 8.0
motion = { forward = 1.0, yaw_rad_s = 0.3 }
environment = { rain = 0.8, fog = "release" }
presence = [ { x = 0.2, y = 0.6, near = 1.0, stir = 0.5 } ]
[[at]]
t = 20
image = "photo.jpg"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "timeline.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_timeline(written(folder, text))
    assert str(caught.value) == "\n".join(caught.value.lines)
    return caught.value.lines


def test_timeline_is_read_with_all_it_says(tmp_path: Path) -> None:
    timeline = load_timeline(written(tmp_path, GOOD))
    assert (timeline.seconds, timeline.seed, timeline.scene) == (20, 7, "宁静的海岸,黎明")
    assert [entry.t for entry in timeline.at] == [5, 8, 20]
    second = timeline.at[1].change()
    assert second == Change(
        motion=Motion(forward=1.0, yaw_rad_s=0.3),
        environment=Environment(rain=0.8, fog="release"),
        presence=[PresencePoint(x=0.2, y=0.6, near=1.0, stir=0.5)],
    )
    assert second.environment is not None and second.environment.model_dump(exclude_none=True) == {
        "rain": 0.8,
        "fog": "release",
    }


def test_all_problems_come_at_once_with_their_paths(tmp_path: Path) -> None:
    lines = problems(
        tmp_path,
        """
        seconds = 10
        seed = -1
        colour = "red"
        at = [
          { t = 1.0, environment = { rian = 0.5, snow = 1.5, fog = "thick" } },
          { t = 11.0, motion = { forward = "1" } },
          { t = 2.0 },
          { t = nan, directive = "" },
          { t = 3.0, view = "thrid", presence = [ { x = 0.1, y = 2, near = 0.0 } ] },
        ]
        """,
    )
    assert sorted(lines) == sorted(
        [
            "needs exactly one of scene and image, to begin with",
            "seed: must be at least 0, not -1",
            "colour: unknown key",
            'at[0].environment.rian: unknown key (did you mean "rain"?)',
            'at[0].environment.snow: must be a number from 0 to 1, or "release", not 1.5',
            'at[0].environment.fog: must be a number from 0 to 1, or "release"',
            "at[1].t: must be at most seconds = 10, not 11",
            'at[1].motion.forward: must be a number, not the text "1"',
            "at[2]: changes nothing: set at least one of scene, image, directive, style, character, view, motion, "
            "environment, presence, release",
            "at[3].t: must be a finite number",
            "at[3].directive: must have at least 1 characters, has 0",
            "at[4].view: must be 'first' or 'third', not the text \"thrid\" (did you mean \"third\"?)",
            "at[4].presence[0].y: must be at most 1, not 2",
            "at[4].presence[0].stir: is missing",
        ]
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('seconds = 0\nscene = "sea"', "seconds: must be more than 0, not 0"),
        ('seconds = 90000\nscene = "sea"', "seconds: must be at most 86400, not 90000"),
        ('seconds = true\nscene = "sea"', "seconds: must be a number, not true"),
        ('seconds = 1\nscene = "sea"\nimage = "a.png"', "needs exactly one of scene and image, to begin with"),
        ('seconds = 1\nscene = "sea"\nat = 3', "at: must be a list, not 3"),
        ('seconds = 1\nscene = "   "', "scene: "),
    ],
)
def test_a_wrong_timeline_names_the_field(tmp_path: Path, text: str, line: str) -> None:
    assert any(found.startswith(line) for found in problems(tmp_path, text))


def test_files_that_are_no_timeline_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.toml: can't be read: No such file"):
        load_timeline(tmp_path / "absent.toml")
    assert "is not valid TOML" in problems(tmp_path, "seconds = = 3")[0]
    path = tmp_path / "latin.toml"
    path.write_bytes(b'scene = "caf\xe9"')
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        load_timeline(path)


def test_a_presence_is_bounded_and_may_be_empty() -> None:
    assert Change(presence=[]).presence == []
    crowd = [PresencePoint(x=0.5, y=0.5, near=1.0, stir=0.0)] * 65
    with pytest.raises(ValidationError, match="at most 64"):
        Change(presence=crowd)
