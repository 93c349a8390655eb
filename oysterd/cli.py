"""The command `oysterd`: run, check, command and render a room, see its sensors, try its devices, judge its model."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

# Nothing of ours is imported up here: every child process imports this file too, and should not wait for it.

OK, FAILED, REFUSED = 0, 1, 2
_TOOLS = {"evaluate": "judge a model by its own rollouts", "train": "train a model from nothing"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the process's exit code. What is wrong is said in lines on the standard error."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    from oysterd.errors import ConfigError

    try:
        if words and words[0] in _TOOLS:  # their options are their own
            from oysterd.tools import run_tool

            return run_tool(words[0], words[1:])
        options = _parser().parse_args(words)
        return int(options.do(options))
    except ConfigError as error:
        for line in error.lines:
            print(line, file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        return 130  # as shells have it: 128 + SIGINT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="oysterd", description="Turns a room into a living world.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="run a room until Ctrl-C")
    run.add_argument("--config", type=Path, required=True, metavar="FILE.toml", help="the room's configuration")
    run.set_defaults(do=_run)

    check = commands.add_parser("check", help="say all that is wrong with a configuration")
    check.add_argument("--config", type=Path, required=True, metavar="FILE.toml")
    check.set_defaults(do=_check)

    direct = commands.add_parser("direct", help="say to a running world what shall happen")
    direct.add_argument("text", metavar="TEXT", help='such as "a storm rolls in from the sea"')
    direct.add_argument("--config", type=Path, metavar="FILE.toml", help="the room's, if zmq.command is not the usual")
    direct.add_argument("--wait", type=float, default=10.0, metavar="SECONDS", help="for the answer (10)")
    direct.set_defaults(do=_direct)

    mappings = commands.add_parser("mappings", help="show live what each sensor does to a running world")
    mappings.add_argument("--config", type=Path, metavar="FILE.toml", help="the room's, if zmq.state is not the usual")
    mappings.add_argument("--once", action="store_true", help="print it once and end, as where there is no terminal")
    mappings.add_argument("--json", action="store_true", help="print it once, as JSON")
    mappings.add_argument("--wait", type=float, default=5.0, metavar="SECONDS", help="for the daemon (5)")
    mappings.add_argument("--key", type=Path, metavar="FILE.key_secret", help="our certificate, where CURVE is served")
    mappings.set_defaults(do=_mappings)

    send = commands.add_parser("send", help="send any command to a running room")
    send.add_argument("name", metavar="COMMAND", help="such as pattern")
    send.add_argument("payload", nargs="?", default="{}", metavar="JSON", help="""such as '{"pattern": "grid"}'""")
    send.add_argument("--config", type=Path, metavar="FILE.toml", help="the room's, if zmq.command is not the usual")
    send.add_argument("--wait", type=float, default=10.0, metavar="SECONDS", help="for the answer (10)")
    send.set_defaults(do=_send)

    learn = commands.add_parser("learn-room", help="have the cameras of a running room learn it while it is empty")
    learn.add_argument("--seconds", type=float, default=10.0, metavar="SECONDS", help="how long they look (10)")
    learn.add_argument("--input", action="append", metavar="NAME", help="this camera only; may be given again")
    learn.add_argument("--config", type=Path, metavar="FILE.toml", help="the room's, if zmq.command is not the usual")
    learn.set_defaults(do=_learn_room)

    render = commands.add_parser("render", help="render a timeline into a film, offline")
    render.add_argument("timeline", type=Path, metavar="TIMELINE.toml")
    render.add_argument("--out", type=Path, required=True, metavar="CLIP.mp4")
    render.add_argument("--receipts", type=Path, metavar="RECEIPTS.json", help="what became of every entry")
    render.add_argument("--model", default="nacre", metavar="NAME", help="a name, or a .safetensors file (nacre)")
    render.set_defaults(do=_render)

    devices = commands.add_parser("devices", help="list what is found here, as a configuration: > room.toml")
    devices.set_defaults(do=_devices)

    selftest = commands.add_parser("selftest", help="try every output in turn and every input; the room must not run")
    selftest.add_argument("--config", type=Path, metavar="FILE.toml", help="the room's; else what `devices` finds")
    selftest.add_argument("--seconds", type=float, default=3.0, metavar="SECONDS", help="for each output, inputs (3)")
    selftest.set_defaults(do=_selftest)
    for name, about in _TOOLS.items():
        commands.add_parser(name, help=about)
    return parser


def _run(options: argparse.Namespace) -> int:
    from oysterd.config import load

    settings = load(options.config)
    from oysterd.daemon import run

    run(settings)
    return OK


def _check(options: argparse.Namespace) -> int:
    from oysterd.config import check

    problems = check(options.config)
    for line in problems:
        print(line, file=sys.stderr)
    if not problems:
        print(f"{options.config}: can be run")
    return REFUSED if problems else OK


def _direct(options: argparse.Namespace) -> int:
    from oysterd.client import direct
    from oysterd.config import load

    settings = load(options.config)
    return direct(options.text, settings.zmq, options.wait)


def _mappings(options: argparse.Namespace) -> int:
    from oysterd.config import load
    from oysterd.mappings_view import show

    settings = load(options.config)
    return show(settings.zmq, options.once, options.json, options.wait, client_secret_file=options.key)


def _send(options: argparse.Namespace) -> int:
    from oysterd.client import send
    from oysterd.commands import CommandError, parse
    from oysterd.config import load
    from oysterd.errors import ConfigError

    settings = load(options.config)
    try:
        command = parse(options.name, options.payload)
    except CommandError as error:
        raise ConfigError(error.lines) from error
    payload = command.model_dump(mode="json", exclude_unset=True)
    return send(command.name, payload, settings.zmq, options.wait)


def _learn_room(options: argparse.Namespace) -> int:
    from oysterd.client import send
    from oysterd.config import load
    from oysterd.room_learning import PATIENCE_S

    settings = load(options.config)
    asked = {"seconds": options.seconds, **({"inputs": options.input} if options.input else {})}
    return send("learn_room", asked, settings.zmq, options.seconds + PATIENCE_S + 1.0)


def _render(options: argparse.Namespace) -> int:
    from model.checkpoint import CheckpointError
    from oysterd.errors import ConfigError
    from oysterd.render import render

    try:
        render(options.timeline, options.out, options.receipts, options.model)
    except CheckpointError as error:
        raise ConfigError([f"--model: {error}"]) from error
    return OK


def _devices(options: argparse.Namespace) -> int:
    from oysterd.devices import list_devices

    print("\n".join(list_devices()))
    return OK


def _selftest(options: argparse.Namespace) -> int:
    import tempfile

    from oysterd.config import load
    from oysterd.selftest import selftest

    if options.config is not None:
        settings = load(options.config)
    else:
        from oysterd.devices import list_devices

        with tempfile.NamedTemporaryFile("w", suffix=".toml", encoding="utf-8") as file:
            file.write("\n".join(list_devices()))
            file.flush()
            settings = load(Path(file.name))
    return OK if selftest(settings, options.seconds) else FAILED
