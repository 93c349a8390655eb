"""Picture and sound for other screens: HLS and RTSP, really played back, and what is seen and heard there."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import children
import numpy as np
import pytest
from hand_clock import HandClock
from numpy.typing import NDArray
from parts import free_port, wait_until

from drivers.base import DeviceLost, MonotonicClock
from drivers.stream import Stream, StreamConfig
from oysterd.bus import Bus, Message
from oysterd.clock import MonotonicClock as DaemonClock
from oysterd.config import OutputConfig
from oysterd.playout import run_playout
from oysterd.ring import ChunkRing
from oysterd.streaming import HOLD_AFTER, MOST_MISSED, Streaming, run_stream
from oysterd.supervisor import Child, Supervisor

RATE_HZ, SAMPLES = 24_000, 2_000
HEIGHT, WIDTH = 96, 160
BEAT = 6  # slices from one flash to the next


def flash(index: int) -> NDArray[np.uint8]:
    """White in every sixth slice, else blue of one level."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[:] = (255, 255, 255) if index % BEAT == 0 else (20, 40, 160)
    return picture


def beep(index: int) -> NDArray[np.float32]:
    """A tone of 1000 Hz in every sixth slice, the right side half as loud, and silence else."""
    at = (index * SAMPLES + np.arange(SAMPLES)) / RATE_HZ
    loud = 0.5 if index % BEAT == 0 else 0.0
    tone = loud * np.sin(2 * np.pi * 1000 * at)
    return np.stack([tone, tone / 2], axis=1).astype(np.float32)


class Played:
    """What a player saw and heard: brightness and loudness by the stream's own time, in seconds."""

    def __init__(self) -> None:
        self.pictures: list[tuple[float, NDArray[np.uint8]]] = []
        self.sounds: list[tuple[float, NDArray[np.float32]]] = []

    def take(self, frame: Any) -> None:
        if isinstance(frame, av.VideoFrame):
            self.pictures.append((float(frame.time or 0), frame.to_ndarray(format="rgb24")[HEIGHT // 2, WIDTH // 2]))
        else:
            self.sounds.append((float(frame.time or 0), frame.to_ndarray()))

    def flashes_s(self) -> list[float]:
        bright = [(at, bool(pixel.min() > 180)) for at, pixel in self.pictures]
        return [at for (at, now), (_, before) in zip(bright[1:], bright, strict=False) if now and not before]

    def beeps_s(self) -> list[float]:
        samples = np.concatenate([planes[0] for _, planes in self.sounds])
        loud = np.abs(samples) > 0.25
        starts = np.flatnonzero(loud & ~np.concatenate([[False], loud[:-1]]))
        firsts = [at for n, at in enumerate(starts) if n == 0 or at - starts[n - 1] > RATE_HZ // 20]
        return [self.sounds[0][0] + at / RATE_HZ for at in firsts]

    def assert_is_what_was_sent(self) -> None:
        flashes, beeps = self.flashes_s(), self.beeps_s()
        assert len(flashes) >= 4
        pairs = [min(abs(flash_s - beep_s) for beep_s in beeps) for flash_s in flashes[1:-1]]
        assert max(pairs) < 0.03, (flashes, beeps)  # seen and heard together
        assert np.diff(flashes) == pytest.approx(BEAT * SAMPLES / RATE_HZ, abs=0.002)
        blue = [pixel for _, pixel in self.pictures if pixel.min() < 100]
        assert np.abs(np.array(blue).astype(int) - (20, 40, 160)).max() < 12
        heard = np.concatenate([planes for _, planes in self.sounds], axis=1)
        loud = heard[:, np.abs(heard[0]) > 0.05]
        assert np.abs(loud[0]).max() == pytest.approx(0.5, abs=0.08)
        assert (np.abs(loud[1]).mean() / np.abs(loud[0]).mean()) == pytest.approx(0.5, abs=0.05)
        tone = heard[0][: len(heard[0]) // SAMPLES * SAMPLES]
        spectrum = np.abs(np.fft.rfft(tone))
        assert np.fft.rfftfreq(len(tone), 1 / RATE_HZ)[spectrum.argmax()] == pytest.approx(1000, abs=15)


def played(url: str, pictures: int = 1000) -> Played:
    seen = Played()
    with av.open(url) as container:
        for frame in container.decode(video=0, audio=0):
            seen.take(frame)
            if len(seen.pictures) >= pictures:
                break
    return seen


def test_hls_in_a_folder_plays_picture_and_sound_together(tmp_path: Path) -> None:
    playlist = tmp_path / "hls" / "room.m3u8"
    stream = Stream(StreamConfig(url=str(playlist), segment_s=1.0, segments=4), MonotonicClock())
    stream.open()
    for index in range(48):
        stream.write(flash(index), beep(index), RATE_HZ)
    text = playlist.read_text()
    assert "#EXT-X-ENDLIST" not in text and text.count(".ts") == 3  # it is live, and its fourth second is under way
    stream.close()
    assert "#EXT-X-ENDLIST" in playlist.read_text()
    played(str(playlist)).assert_is_what_was_sent()

    stream.open()  # anew, as after a restart: nothing of the old run may be left
    for index in range(120):
        stream.write(flash(index), beep(index), RATE_HZ)
    assert len(list(playlist.parent.glob("*.ts"))) <= 4 + 2  # the playlist's, one to be deleted, one under way
    stream.close()
    assert playlist.read_text().count(".ts") == 4


def test_a_picture_is_scaled_where_that_is_asked(tmp_path: Path) -> None:
    stream = Stream(StreamConfig(url=str(tmp_path / "a.m3u8"), width=320, height=180), MonotonicClock())
    stream.open()
    odd = np.full((45, 81, 3), 128, np.uint8)
    for _ in range(24):
        stream.write(odd)
    stream.close()
    with av.open(str(tmp_path / "a.m3u8")) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (320, 180)
    other = Stream(StreamConfig(url=str(tmp_path / "b.m3u8")), MonotonicClock())
    other.open()
    for _ in range(24):
        other.write(odd)
    other.close()
    with av.open(str(tmp_path / "b.m3u8")) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (80, 44)


class MediaServer(threading.Thread):
    """FFmpeg as an RTSP server that takes what is pushed to it, and plays so many pictures of it."""

    def __init__(self, pictures: int) -> None:
        super().__init__(daemon=True)
        self.port = free_port()
        self.url = f"rtsp://127.0.0.1:{self.port}/room"
        self.seen = Played()
        self._pictures = pictures

    def run(self) -> None:
        options = {"rtsp_flags": "listen", "listen_timeout": "30"}
        with av.open(self.url, options=options) as container:
            for frame in container.decode(video=0, audio=0):
                self.seen.take(frame)
                if len(self.seen.pictures) >= self._pictures:
                    return


def test_rtsp_is_pushed_to_a_server_that_plays_it() -> None:
    server = MediaServer(pictures=40)
    server.start()
    stream = Stream(StreamConfig(url=server.url), MonotonicClock())
    stream.open()
    index = 0

    def is_pushed() -> bool:
        """FFmpeg listens for one connection only, so that it can't be asked whether it does."""
        nonlocal index
        try:
            stream.write(flash(index), beep(index), RATE_HZ)
        except DeviceLost:
            return index > 0 and not server.is_alive()
        index += 1
        return not server.is_alive()

    wait_until(is_pushed, "the server has played enough")
    server.join(10)
    stream.close()
    assert not server.is_alive()
    server.seen.assert_is_what_was_sent()


def test_where_nothing_can_be_sent_is_a_lost_device(tmp_path: Path) -> None:
    nobody = Stream(StreamConfig(url=f"rtsp://127.0.0.1:{free_port()}/room"), MonotonicClock())
    nobody.open()
    with pytest.raises(DeviceLost, match=r"^stream\.url: rtsp://127\.0\.0\.1:\d+/room: .*refused"):
        nobody.write(flash(0), beep(0), RATE_HZ)
    nobody.close()
    (tmp_path / "taken").write_text("")
    with pytest.raises(DeviceLost, match=r"^stream\.url: .*taken can't be written"):
        Stream(StreamConfig(url=str(tmp_path / "taken" / "a.m3u8")), MonotonicClock()).open()


class Recorder:
    """A sink that keeps what it is sent; a test may break it."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, bool]] = []  # grey level of the picture, whether there was sound
        self.is_broken = False

    def open(self) -> None:
        return

    def write(self, rgb: NDArray[np.uint8], /, sound: NDArray[np.float32], sample_rate_hz: int) -> None:
        if self.is_broken:
            raise DeviceLost("stream.url: broken")
        self.sent.append((int(rgb[0, 0, 0]), bool(sound.any())))

    def close(self) -> None:
        return


@pytest.fixture
def ring() -> Iterator[ChunkRing]:
    made = ChunkRing.create(f"oysterd-test-{uuid.uuid4().hex[:12]}", 16, HEIGHT, WIDTH, SAMPLES)
    yield made
    made.close()
    made.unlink()


def play(ring: ChunkRing, count: int) -> None:
    for _ in range(count):
        ring.write(children.moving_picture(ring, ring.newest + 1), np.full((SAMPLES, 2), 0.1, np.float32))
    ring.playing = ring.newest


def test_slices_are_sent_in_order_held_when_the_world_stalls_and_made_up_for(ring: ChunkRing) -> None:
    clock, sink = HandClock(), Recorder()
    told: list[str] = []
    streaming = Streaming(sink, ring, clock, lambda kind, **content: told.append(kind))
    for _ in range(5):
        streaming.turn()
    assert sink.sent == []  # there is no world yet
    for _ in range(3):
        play(ring, 1)
        streaming.turn()
    assert sink.sent == [(16, True), (24, True), (32, True)]
    stalled_ns = clock.now_ns()
    while clock.now_ns() - stalled_ns < 1e9:
        streaming.turn()
    held = sink.sent[3:]
    assert set(held) == {(32, False)} and len(held) == pytest.approx(12 - HOLD_AFTER, abs=1)
    play(ring, 3)
    sink.sent.clear()
    streaming.turn()
    assert sink.sent == [(40, True), (48, True), (56, True)]
    play(ring, 14)
    sink.sent.clear()
    streaming.turn()
    assert len(sink.sent) == MOST_MISSED + 1 and sink.sent[-1][0] == 16 + 8 * 19
    assert [kind for kind in told if kind != "stats"] == ["back"]


def test_a_server_that_goes_is_told_once_and_found_again(ring: ChunkRing) -> None:
    clock, sink = HandClock(), Recorder()
    told: list[tuple[str, str]] = []
    streaming = Streaming(sink, ring, clock, lambda kind, **content: told.append((kind, content.get("why", ""))))
    play(ring, 1)
    streaming.turn()
    sink.is_broken = True
    for _ in range(40):
        play(ring, 1)
        streaming.turn()
    sink.is_broken = False
    wait_until(lambda: play(ring, 1) or streaming.turn() or len(sink.sent) > 2, "slices again")
    assert [entry for entry in told if entry[0] != "stats"] == [
        ("back", ""), ("lost", "stream.url: broken"), ("back", ""),
    ]  # fmt: skip


def test_the_process_streams_a_running_room_and_is_ended_when_a_server_hangs(tmp_path: Path, ring: ChunkRing) -> None:
    before = os.umask(0o077)  # as the service has it
    bus, supervisor = Bus(), Supervisor(DaemonClock())
    name = str(ring._memory.name)  # type: ignore[union-attr]
    events: list[Message] = []
    playlist = tmp_path / "room.m3u8"

    def start(child: str, url: str, hung_after_s: float) -> None:
        output = OutputConfig(name=child, kind="stream", options={"url": url, "segment_s": 0.5})
        supervisor.start(Child(f"output.{child}", run_stream, (output, name, bus.events), hung_after_s, 30))

    def hear() -> list[Message]:
        for message in bus.receive(0.02):
            events.append(message)
            supervisor.heard(message["from"])
        supervisor.tick()
        return events

    try:
        supervisor.start(Child("world", children.test_card_world, (None, name, bus.events, bus.open("world")), 30, 30))
        supervisor.start(Child("sound", run_playout, (None, name, bus.events), 30, 30))
        start("foyer", str(playlist), 30)
        wait_until(lambda: hear() and playlist.exists() and playlist.read_text().count(".ts") >= 3, "segments", 30)
        seen = played(str(playlist), pictures=12)
        levels = [int(pixel[0]) for _, pixel in seen.pictures]
        steps = np.diff(levels)
        assert (np.abs(steps[np.abs(steps) < 100] - 8) <= 3).all() and len(set(levels)) > 8  # the test card's greys

        with socket_that_says_nothing() as port:
            start("far", f"rtsp://127.0.0.1:{port}/room", 1.5)
            wait_until(lambda: hear() and supervisor.restarts()["output.far"] >= 1, "the hung process is ended", 30)
        assert supervisor.restarts()["output.foyer"] == 0
    finally:
        os.umask(before)
        supervisor.stop()
        bus.close()
    assert "#EXT-X-ENDLIST" in playlist.read_text()
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("room*")} == {0o644}


def socket_that_says_nothing() -> Any:
    import contextlib
    import socket

    @contextlib.contextmanager
    def listening() -> Iterator[int]:
        with socket.create_server(("127.0.0.1", 0)) as server:
            yield server.getsockname()[1]

    return listening()
