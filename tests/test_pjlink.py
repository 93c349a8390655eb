"""PJLink against a projector on the loopback: what it says, what it refuses, and all that is no answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from parts import free_port
from pjlink_server import PJLinkServer
from pydantic import SecretStr

from drivers.base import DeviceLost, MonotonicClock
from drivers.pjlink import PJLink, PJLinkConfig, ProjectorState, Refused

TIMEOUT_S = 0.4
Start = Callable[..., PJLinkServer]


@pytest.fixture
def start() -> Iterator[Start]:
    servers: list[PJLinkServer] = []

    def started(password: str = "", greeting: str = "") -> PJLinkServer:
        servers.append(PJLinkServer(password, greeting))
        return servers[-1]

    yield started
    for server in servers:
        server.close()


def link(port: int, password: str | None = None) -> PJLink:
    secret = None if password is None else SecretStr(password)
    return PJLink(PJLinkConfig(host="127.0.0.1", port=port, password=secret, timeout_s=TIMEOUT_S), MonotonicClock())


def opened(server: PJLinkServer, password: str | None = None) -> PJLink:
    made = link(server.port, password)
    made.open()
    return made


def test_everything_a_projector_says_is_read(start: Start) -> None:
    server = start()
    server.state.answers |= {"POWR": "1", "AVMT": "11", "ERST": "012020", "LAMP": "1234 1 56 0"}
    projector = opened(server)
    assert projector.state() == ProjectorState(
        power="on", input="31", is_shut=True, errors={"lamp": "warning", "temperature": "error", "filter": "error"},
        lamp_hours=(1234, 56), name="Left", model="House P-1",
    )  # fmt: skip
    assert "SNUM ?" not in server.received  # a class 1 projector is asked nothing of class 2
    server.state.answers |= {"CLSS": "2", "POWR": "2", "AVMT": "21"}
    state = projector.state()
    assert (state.power, state.is_shut, state.filter_hours, state.serial) == ("cooling", False, 77, "A-42")
    projector.close()


def test_a_projector_in_standby_keeps_things_to_itself(start: Start) -> None:
    server = start()
    server.refuse = {"INPT": "ERR3", "AVMT": "ERR3", "LAMP": "ERR1", "ERST": "ERR4", "NAME": "ERR2", "INF1": "ERR1"}
    projector = opened(server)
    assert projector.state() == ProjectorState(power="standby", model="P-1")
    projector.close()


def test_it_is_switched_and_its_shutter_and_input_follow(start: Start) -> None:
    server = start()
    projector = opened(server)
    projector.power(True)
    projector.shut(True)
    projector.select("32")
    assert server.received == ["POWR 1", "AVMT 31", "INPT 32"]
    assert projector.state().power == "warming"
    projector.power(False)
    projector.shut(False)
    projector.select("3A")  # a letter is class 2's
    assert server.received[-3:] == ["POWR 0", "AVMT 30", "INPT 3A"]
    projector.close()


@pytest.mark.parametrize("code", ["ERR1", "ERR2", "ERR3", "ERR4", "err3"])
def test_a_refusal_says_why_and_the_conversation_goes_on(start: Start, code: str) -> None:
    server = start()
    server.refuse = {"POWR 1": code}
    projector = opened(server)
    with pytest.raises(Refused, match=rf"POWR: it .*\({code.upper()}\)") as refusal:
        projector.power(True)
    assert refusal.value.code == code.upper()
    assert projector.ask("POWR") == "0"
    projector.close()


def test_a_password_is_sent_as_a_digest_with_the_first_command_only(start: Start) -> None:
    server = start(password="JBMIAProjectorLink")
    projector = opened(server, "JBMIAProjectorLink")
    assert projector.ask("POWR") == "0" and projector.ask("INPT") == "31"
    assert server.digests == ["5d8409bc1c3fa39749434aa3a5c38682"]  # as the specification has it
    projector.close()
    projector.open()
    assert projector.ask("POWR") == "0"
    projector.close()


def test_a_wrong_password_and_a_missing_one_are_named(start: Start) -> None:
    server = start(password="secret")
    projector = opened(server, "wrong")
    with pytest.raises(DeviceLost, match=r"^password: 127\.0\.0\.1:\d+ refused it"):
        projector.ask("POWR")
    with pytest.raises(DeviceLost, match=r"^password: 127\.0\.0\.1:\d+ asks for one"):
        opened(server)
    open_server = start()
    assert opened(open_server, "needless").ask("POWR") == "0"


@pytest.mark.parametrize(
    ("behave", "words"),
    [
        ("silent", "does not answer: timed out"),
        ("slow", "does not answer: timed out"),
        ("hang up", "ended the conversation|does not answer"),
        ("garbage", "speaks no PJLink: it said 'HTTP/1.1 400 Bad Request'"),
        ("endless", "speaks no PJLink: it said 'xxxxx"),
    ],
)
def test_what_is_no_answer_is_a_lost_device_in_good_time(start: Start, behave: str, words: str) -> None:
    server = start()
    server.behave = behave
    projector = link(server.port)
    began_s = time.monotonic()
    with pytest.raises(DeviceLost, match=words):
        projector.open()
        projector.ask("POWR")
    assert time.monotonic() - began_s < 2.5 * TIMEOUT_S
    with pytest.raises(DeviceLost, match="is not open"):
        projector.ask("POWR")


@pytest.mark.parametrize("greeting", ["PJLINK 2", "PJLINK 1 xyz", "PJLINK ERRA", "hello"])
def test_another_greeting_is_none(start: Start, greeting: str) -> None:
    with pytest.raises(DeviceLost, match="speaks no PJLink"):
        opened(start(greeting=greeting))


@pytest.mark.parametrize("answer", ["%1INPT=31", "%1POWR", "%2POWR=1", "%1POWR=7", "%1POWR=\xff"])
def test_an_answer_to_another_question_is_none(start: Start, answer: str) -> None:
    server = start()
    server.refuse = {"POWR ?": answer}
    with pytest.raises(DeviceLost, match="speaks no PJLink"):
        opened(server).state()


def test_nobody_there_is_said_with_the_address() -> None:
    port = free_port()
    with pytest.raises(DeviceLost, match=rf"^host: 127\.0\.0\.1:{port} does not answer: "):
        link(port).open()
