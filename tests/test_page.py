import json
import socket
import struct
from collections.abc import Iterator
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from parts import PATIENCE_S, TestCard, free_port, wait_until
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from oysterd.changes import Motion
from oysterd.clock import MonotonicClock
from oysterd.commands import Command
from oysterd.control_config import PageConfig
from oysterd.director import Director
from oysterd.live import MOST_MISSED, PICTURE, SOUND
from oysterd.page import Page, PageError


class Room:
    def __init__(self, port: int) -> None:
        self.card = TestCard()
        self.port = port
        self.motions: list[Motion] = []
        self.director = Director(MonotonicClock(), self._apply, lambda receipt: self.page.publish_receipt(receipt))
        self.page = Page(PageConfig(port=port), self.director, self.card, self.motions.append, self.card.sample_rate_hz)

    def _apply(self, command: Command) -> None:
        self.director.applied(command.id, 7, 0.5)


@pytest.fixture
def room() -> Iterator[Room]:
    started = Room(free_port())
    started.page.start()
    yield started
    started.page.stop()
    started.page.stop()


@pytest.fixture
def http(room: Room) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=room.page.address, timeout=PATIENCE_S, trust_env=False) as client:
        yield client


def live(room: Room, **options: Any) -> Connection:
    """An open page that has been greeted, so that chunks from now on reach it."""
    page = connect(room.page.address.replace("http", "ws") + "/live", proxy=None, **options)
    hello = json.loads(page.recv(PATIENCE_S))["hello"]
    assert hello["sample_rate_hz"] == 24_000 and "ink" in hello["styles"] and "kitten" in hello["figures"]
    assert "state" in json.loads(page.recv(PATIENCE_S))
    return page


def binary(page: Connection) -> tuple[int, int, bytes]:
    """The next binary message: its type, chunk and content."""
    while isinstance(message := page.recv(PATIENCE_S), str):
        continue
    return message[0], struct.unpack(">Q", message[1:9])[0], message[9:]


def pump(room: Room, page: Connection) -> None:
    """Make chunks until the first picture comes, so that the follower is known to follow."""
    while True:
        room.card.newest += 1
        try:
            if isinstance(page.recv(0.2), bytes):
                return
        except TimeoutError:
            continue


def test_a_command_is_posted_and_answered(room: Room, http: httpx.Client) -> None:
    def post(name: str, content: str, **headers: str) -> tuple[int, dict[str, Any]]:
        answer = http.post(f"/command/{name}", content=content, headers=headers)
        return answer.status_code, answer.json()

    status, receipt = post("direct", '{"id": "k1", "text": "rain"}')
    assert (status, receipt["status"], receipt["id"]) == (202, "accepted", "k1")
    room.director.tick()
    status, receipt = post("direct", '{"id": "k1", "text": "rain"}', origin=room.page.address)
    assert (status, receipt["status"], receipt["duplicate"]) == (409, "applied", True)
    status, receipt = post("direct", '{"text": 5}')
    assert (status, receipt["why"]) == (422, ["text: must be text, not 5"])
    assert post("direct", json.dumps({"text": "a" * 100_000}))[0] == 413
    assert post("drect", "{}")[0] == 404
    assert post("direct", "{}", origin="http://evil.example")[0] == 403
    assert post("direct", '{"text": "a"}', host="evil.example")[0] == 403
    assert http.get("/state", headers={"host": "evil.example"}).status_code == 403


def test_state_health_and_the_page_itself_are_served(room: Room, http: httpx.Client) -> None:
    assert http.get("/healthz").status_code == 503
    room.card.newest = 3
    assert http.get("/healthz").json() == {"newest": 3, "playing": -1}
    room.page.publish_state({"rtf": 1.1})
    assert http.get("/state").json() == {"rtf": 1.1}
    page = http.get("/")
    assert page.status_code == 200 and "default-src 'self'" in page.headers["content-security-policy"]
    assert "http://" not in page.text and "https://" not in page.text


def test_pages_hear_of_state_telemetry_and_receipts(room: Room) -> None:
    with live(room) as page:
        room.page.publish_state({"rtf": 1.1})
        room.page.publish_telemetry({"step_ms": 40})
        room.director.receive("direct", b'{"id": "k1"}', "mqtt")
        said = [json.loads(page.recv(PATIENCE_S)) for _ in range(3)]
    assert said[:2] == [{"state": {"rtf": 1.1}}, {"telemetry": {"step_ms": 40}}]
    assert said[2]["receipt"]["why"] == ["text: is missing"] and said[2]["receipt"]["by"] == "mqtt"
    with live(room) as later:
        assert json.loads(later.recv(PATIENCE_S)) == said[2]


def test_picture_and_sound_come_as_they_are(room: Room) -> None:
    with live(room) as page:
        page.send('{"sound": true}')
        pump(room, page)
        start = room.card.newest
        room.card.newest = start + 2
        seen: dict[tuple[int, int], bytes] = {}
        while (PICTURE, start + 2) not in seen:
            kind, chunk, content = binary(page)
            seen[kind, chunk] = content
        bgr = cv2.imdecode(np.frombuffer(seen[PICTURE, start + 2], np.uint8), cv2.IMREAD_COLOR)
        assert bgr is not None
        read = room.card.read(start + 2)
        assert read is not None
        assert np.abs(bgr[..., ::-1].astype(int) - read[0]).mean() < 3
        # Pictures may be skipped; sound is not, and comes before its picture.
        for chunk in (start + 1, start + 2):
            wanted = room.card.read(chunk)
            assert wanted is not None
            heard = np.frombuffer(seen[SOUND, chunk], "<i2").reshape(-1, 2) / 32767
            assert np.abs(heard - wanted[1]).max() < 1e-4


def test_a_chunk_is_encoded_once_for_all_and_only_while_somebody_looks(room: Room) -> None:
    room.card.newest = 100
    wait_until(lambda: room.page.live, "the page")
    assert room.page.live is not None
    with live(room) as first, live(room) as second:
        pump(room, first)
        binary(second)
        before, room.card.playing = room.page.live.encoded_pictures, room.card.newest
        room.card.newest += 50  # made ahead, not yet heard: nobody sees it
        room.card.playing += 1
        for page in (first, second):
            while binary(page)[1] != room.card.playing:
                continue
        assert room.page.live.encoded_pictures == before + 1
        room.card.playing += 40  # after a stall only the last few are made up for
        while binary(first)[1] != room.card.playing:
            continue
        assert room.page.live.encoded_pictures <= before + 2 + MOST_MISSED
    following = room.page.live
    wait_until(lambda: not following._clients, "both to be gone")
    before = room.page.live.encoded_pictures
    room.card.newest += 1
    room.card.playing += 1
    with live(room) as third:
        third.send('{"motion": {}}')
        wait_until(lambda: room.motions, "an answer")
    assert room.page.live.encoded_pictures == before


def test_a_slow_page_skips_pictures_and_holds_up_nobody(room: Room) -> None:
    # Noise, since it makes large JPEGs; and a narrow line for the page that does not read, so that it fills soon.
    room.card.noise = np.random.default_rng(0).integers(0, 256, (360, 640, 3), dtype=np.uint8)
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect(("127.0.0.1", room.port))
    with live(room) as quick, live(room, sock=narrow, max_queue=1, close_timeout=0.2) as slow:
        pump(room, quick)
        assert room.page.live is not None
        for _ in range(200):
            room.card.newest += 1
            while binary(quick)[1] != room.card.newest:
                continue
            if max(client.skipped_pictures for client in room.page.live._clients) > 5:
                break
        else:
            pytest.fail("the page that does not read was never skipped")
        assert slow.recv(PATIENCE_S)


def test_keys_become_motion(room: Room) -> None:
    with live(room) as page:
        page.send('{"motion": {"forward": 1.0, "yaw_rad_s": -0.8}}')
        wait_until(lambda: room.motions, "the motion")
    assert room.motions == [Motion(forward=1.0, yaw_rad_s=-0.8)]


@pytest.mark.parametrize(
    "message", ["{", "[]", '{"motion": {"forward": 9}}', '{"motion": 3}', '{"delete": 1}', b"\xff"]
)
def test_a_page_that_talks_nonsense_is_closed(room: Room, message: str | bytes) -> None:
    with live(room) as page:
        page.send(message)
        with pytest.raises(ConnectionClosed):
            while True:
                page.recv(PATIENCE_S)
    with live(room) as other:
        assert other.state.name == "OPEN"


def test_other_sites_pages_are_refused(room: Room) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        live(room, origin="http://evil.example")
    with live(room, origin=room.page.address) as own:
        assert own.state.name == "OPEN"


def test_a_port_in_use_names_its_setting(room: Room) -> None:
    with pytest.raises(PageError, match=f"page.port: {room.port} on 127.0.0.1 can't be used: Address already in use"):
        Room(room.port).page.start()
