import re
from pathlib import Path
from typing import get_args, get_origin

import pytest
from pydantic import BaseModel

from drivers import SINKS, SOURCES
from oysterd.config import Settings, check, load
from oysterd.errors import ConfigError

CONFIGS = Path(__file__).parent.parent / "configs"
OPTIONS: dict[str, type[BaseModel]] = {
    **{name: kind.config for name, kind in SOURCES.items()},
    **{name: kind.config for name, kind in SINKS.items()},
}


def written(folder: Path, text: str) -> Path:
    path = folder / "room.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["example", "demo", "gallery"])
def test_our_own_configurations_are_right(name: str) -> None:
    assert check(CONFIGS / f"{name}.toml") == []


def test_what_the_page_on_sensors_shows_can_be_used(tmp_path: Path) -> None:
    page = (CONFIGS.parent / "docs/sensors.md").read_text(encoding="utf-8")
    shown = re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    others = """
        [[inputs]]
        name = "board"
        kind = "serial_lines"
        use = "sensors"
        [[inputs]]
        name = "counter"
        kind = "zmq_socket"
        use = "sensors"
        options = { address = "tcp://127.0.0.1:5600", values = [{ name = "people" }] }
        """
    assert len(shown) == 2 and check(written(tmp_path, others + "\n".join(shown))) == []


def test_the_demo_needs_no_hardware() -> None:
    demo = load(CONFIGS / "demo.toml")
    assert all(output.optional for output in demo.outputs)
    assert demo.mqtt.resolved().host == "127.0.0.1" and demo.mqtt.resolved().version == "3.1.1"
    assert demo.mappings[0].smooth_s == 2.0


def keys_in(text: str) -> set[str]:
    return set(re.findall(r"^(?:# )?([a-z0-9_]+) = ", text, re.MULTILINE))


def check_shown(section: str, model: type[BaseModel], shown: dict[str, set[str]]) -> None:
    """A section shows all its keys; those that are tables, or lists of them, show theirs the first time below it."""
    kinds = {
        key: get_args(kind)[0] if get_origin(kind) is list else kind
        for key, kind in ((key, field.annotation) for key, field in model.model_fields.items())
    }
    below = {key: kind for key, kind in kinds.items() if isinstance(kind, type) and issubclass(kind, BaseModel)}
    assert shown[section] == set(model.model_fields) - {"options"} - set(below), section
    for key, kind in below.items():
        check_shown(f"{section}.{key}", kind, shown)


def test_the_example_shows_every_key_of_every_section_and_kind() -> None:
    parts = re.split(r"^(?:# )?\[+([a-z_.]+)\]+", (CONFIGS / "example.toml").read_text(), flags=re.MULTILINE)
    shown: dict[str, set[str]] = {}
    kinds: dict[str, set[str]] = {}
    kind = ""
    for section, text in zip(parts[1::2], parts[2::2], strict=True):
        shown.setdefault(section, set()).update(keys_in(text))
        if found := re.search(r'^kind = "([a-z0-9_]+)"', text, re.MULTILINE):
            kind = found[1]
        if section.endswith(".options"):
            kinds[kind] = keys_in(text)
    for section, field in Settings.model_fields.items():
        model = next(iter(get_args(field.annotation)), field.annotation)
        assert isinstance(model, type) and issubclass(model, BaseModel)
        check_shown(section, model, shown)
    assert kinds == {name: set(config.model_fields) for name, config in OPTIONS.items()}


def test_the_example_shows_the_defaults() -> None:
    example, default = load(CONFIGS / "example.toml"), Settings()
    for section in ("site", "world", "zmq", "osc", "page", "log"):
        assert getattr(example, section) == getattr(default, section)
    for device in example.inputs + example.outputs:
        config = OPTIONS[device.kind]
        shown_options = config.model_validate(device.options)
        for name, option in config.model_fields.items():
            assert option.is_required() or getattr(shown_options, name) == option.get_default(), (device.kind, name)


def test_all_problems_come_at_once_with_their_paths(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        wrold = 3
        [site]
        name = "a/b"
        [world]
        seed = "7"
        thread = 2
        [[inputs]]
        name = "camera"
        kind = "camra"
        use = "presence"
        [[inputs]]
        name = "depth"
        kind = "virtual_depth"
        use = "sensor"
        options = { visitors = 99, sead = 1 }
        [[outputs]]
        kind = "speaker"
        [mqtt]
        port = 99999
        password = 5
        [zmq]
        command = "tcp://0.0.0.0:5571"
        server_secret_file = "absent.key"
        [page]
        host = "0.0.0.0"
        [log]
        level = "loud"
        """,
    )
    lines = check(path)
    paths = [line.partition(":")[0] for line in lines]
    assert sorted(paths) == sorted(
        [
            "wrold",
            "site.name",
            "world.seed",
            "world.thread",
            "inputs[0].kind",
            "inputs[1].use",
            "inputs[1].options.visitors",
            "inputs[1].options.sead",
            "outputs[0].name",
            "mqtt.port",
            "mqtt.password",
            "zmq",
            "zmq.server_secret_file",
            "page.host",
            "log.level",
        ]
    ), lines
    text = "\n".join(lines)
    for hint in ("world", "threads", "camera", "sensors", "seed"):
        assert f'(did you mean "{hint}"?)' in text
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert caught.value.lines == lines


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[mqtt]\nenabled = true", "mqtt: needs a host, or embedded = true, or enabled = false"),
        ('[mqtt]\nhost = "h"\npassword = "p"', "mqtt: has a password without a username"),
        ('[zmq]\ninput = "tcp://*:5573"', "zmq.input: tcp://*:5573 is off the loopback"),
        ('[zmq]\nstate = "udp://127.0.0.1:1"', "zmq.state: "),
        ("[page]\nport = 0", "page.port: must be at least 1, not 0"),
        (
            '[[mappings]]\nsensor = "camera.wind"\nkey = "wind"\nlow = 0.0\nhigh = 1.0',
            'mappings[0].sensor: there is no input "camera"',
        ),
        (
            '[[mappings]]\nsensor = "mqtt.wind"\nkey = "wnd"\nlow = 0.0\nhigh = 1.0',
            "mappings[0].key: must be 'sun_rad', 'cloud'",
        ),
        ('[[mappings]]\nsensor = "mqtt.wind"\nkey = "wind"\nlow = 1\nhigh = 1', "mappings[0]: low and high are both 1"),
        (
            '[[outputs]]\nname = "a"\nkind = "window"\n[[outputs]]\nname = "a"\nkind = "window"',
            "outputs[1].name: a is taken already",
        ),
        (
            '[[inputs]]\nname = "desk"\nkind = "artnet_input"\nuse = "sensors"\n'
            'options = { values = [{ name = "fader", universe = 0, channel = 1 }] }\n'
            '[[mappings]]\nsensor = "desk.fadr"\nkey = "wind"\nlow = 0.0\nhigh = 255.0',
            'mappings[0].sensor: desk has no value "fadr" (did you mean "fader"?)',
        ),
        (
            '[[triggers]]\nsensor = "clock.time"\nabove = 22.0\ndirective = "night"',
            'triggers[0].sensor: clock has no value "time"',
        ),
        (
            '[[inputs]]\nname = "mqtt"\nkind = "virtual_sensors"\nuse = "sensors"',
            "inputs[0].name: mqtt stands for what is sent to us",
        ),
        ("[site\n", ""),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, line: str) -> None:
    lines = check(written(tmp_path, text))
    assert len(lines) == 1 and lines[0].startswith(line), lines


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, '[page]\nport = 9000\njpeg_quality = 70\n[mqtt]\nhost = "h"\nusername = "u"')
    monkeypatch.setenv("OYSTERD_PAGE__PORT", "9001")
    monkeypatch.setenv("OYSTERD_MQTT__PASSWORD", "12345")
    monkeypatch.setenv("OYSTERD_WORLD__SCENE", "2001")
    monkeypatch.setenv("OYSTERD_ZMQ__ENABLED", "false")
    settings = load(path)
    assert (settings.page.port, settings.page.jpeg_quality) == (9001, 70)
    assert settings.mqtt.password is not None and settings.mqtt.password.get_secret_value() == "12345"
    assert "12345" not in repr(settings)
    assert settings.world.scene == "2001"
    assert settings.zmq.enabled is False


def test_wrong_environment_variables_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, "")
    for name, value in (("PAGE__PORT", "high"), ("PAGE__PROT", "1"), ("WRLD__SEED", "1")):
        monkeypatch.setenv(f"OYSTERD_{name}", value)
    assert sorted(check(path)) == [
        'OYSTERD_WRLD__SEED (environment): unknown section wrld (did you mean "world"?)',
        'page.port: must be a whole number, not the text "high"',
        'page.prot: unknown key (did you mean "port"?)',
    ]


def test_a_password_never_shows_in_a_message(tmp_path: Path) -> None:
    lines = check(written(tmp_path, '[mqtt]\nhost = "h"\nusername = "u"\npassword = 987654'))
    assert lines == ["mqtt.password: must be text"]


def test_a_zone_on_a_channel_that_the_card_has_not_is_named(tmp_path: Path) -> None:
    lines = check(
        written(
            tmp_path,
            """
            [[outputs]]
            name = "projector"
            kind = "window"
            [[outputs]]
            name = "card"
            kind = "speaker"
            options = { channels = 4 }
            [sound]
            zones = [ { name = "front", channels = [1, 2] }, { name = "back", channels = [5, 6] } ]
            """,
        )
    )
    assert lines == ["sound.zones[1].channels: 6 is beyond the 4 of outputs[1]"]


def test_what_is_wrong_in_a_zone_is_told_by_its_path(tmp_path: Path) -> None:
    text = """
    [[sound.zones]]
    name = "front"
    channels = [1, 2]
    dely_ms = 3.0
    [[sound.zones]]
    name = "back"
    channels = [1]
    [[sound.quiet]]
    begins = "22:00"
    ends = "22:00"
    ceiling_dbfs = 3.0
    """
    lines = check(written(tmp_path, text))
    assert 'sound.zones[0].dely_ms: unknown key (did you mean "delay_ms"?)' in lines
    assert 'sound.zones[1].channels: stereo needs left and right in turn; or set source = "mono"' in lines
    assert "sound.quiet[0].ceiling_dbfs: must be at most 0, not 3.0" in lines


def test_a_command_needs_no_file_and_takes_its_addresses_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OYSTERD_MQTT__PORT", "1999")
    monkeypatch.setenv("OYSTERD_ZMQ__COMMAND", "tcp://127.0.0.1:5999")
    assert load(None).zmq.command == "tcp://127.0.0.1:5999"
    monkeypatch.setenv("OYSTERD_MQTT__PORT", "many")
    with pytest.raises(ConfigError, match=r"mqtt\.port"):
        load(None)
