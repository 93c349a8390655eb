"""A child process for the sound, the room's master clock: chunk after chunk, at the pace of the device that plays it.

It says in the ring which chunk is heard now; pictures follow that, and the world steps ahead of it. It never stops:
where the world is late there is silence, faded so that nothing clicks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import cast

import numpy as np
from numpy.typing import NDArray

from drivers import make_sink
from drivers.base import Clock, MonotonicClock, SoundSink
from drivers.virtual import SilentSpeaker, SilentSpeakerConfig
from oysterd.bus import Events
from oysterd.child import be_prompt, become_child
from oysterd.config import OutputConfig
from oysterd.ring import ChunkRing
from oysterd.sounding import Sounding
from oysterd.voice import SoundConfig

SOUND_KINDS = ("speaker", "silent_speaker")  # of outputs
SAMPLE_RATE_HZ = 24_000  # of the world's sound
BLOCK_SAMPLES = 400  # a sixtieth of a second: how finely the time is told to the pictures
FADE_SAMPLES = 120  # 5 ms
# Sound that waits in the silent clock: little, since nobody hears it, but more than the system's own jitter.
SILENT_LATENCY_S = 0.04
STATS_S = 1.0
# Devices take sound in lumps, so when it is heard is known only about: each block corrects the time by this share,
# and an error above the limit at once. Both numbers are arbitrary.
CORRECTION, LARGEST_ERROR_S = 0.1, 0.25
# How long the world is waited for at a time, while the device still has sound.
NAP_S = 0.002


def run_playout(output: OutputConfig | None, ring_name: str, events: str, sound: SoundConfig | None = None) -> None:
    """The life of the process: to be the target of a child. Without an output a silent clock keeps the pace."""
    become_child()
    be_prompt()
    told = Events(events, "sound" if output is None else f"output.{output.name}")
    told.tell("alive")
    clock = MonotonicClock()
    ring = ChunkRing.attach(ring_name)
    wanted: SoundSink | None = None
    if output is not None:
        wanted = cast(SoundSink, make_sink(output.kind, output.options, clock))
    silent = SilentSpeaker(SilentSpeakerConfig(sample_rate_hz=SAMPLE_RATE_HZ, latency_s=SILENT_LATENCY_S), clock)
    sounding = Sounding(wanted, silent, SAMPLE_RATE_HZ, clock, told.tell, sound)
    playout = Playout(ring, sounding, clock, told.tell)
    try:
        while True:
            playout.turn()
    finally:
        sounding.close()
        ring.close()
        told.close()


class Playout:
    """Takes chunks from the ring in order and writes them to the device."""

    def __init__(self, ring: ChunkRing, sounding: Sounding, clock: Clock, tell: Callable[..., None]) -> None:
        self._ring = ring
        self._sounding = sounding
        self._clock = clock
        self._tell = tell
        # A playout that was started anew goes on where the one before it stopped.
        self._index = ring.playing
        self._rest = np.zeros((0, 2), np.float32)  # of the chunk, not yet written
        # What would follow if nothing came: the last samples backwards, so that a fade begins without a step.
        self._tail = np.zeros((FADE_SAMPLES, 2), np.float32)
        self._is_silent = True
        self._heard_at: deque[tuple[int, int]] = deque()  # (moment in ns, chunk heard from then on)
        self._written_out_ns: float | None = None  # when all that is written will have been heard
        self._told_ns = 0
        self.underruns = 0

    def turn(self) -> None:
        """Write one block; blocks for as long as the device takes."""
        before = self._index
        block = self._next_block()
        self._sounding.write(block)
        now_ns = self._clock.now_ns()
        begins_ns = self._heard_from(now_ns, len(block) / SAMPLE_RATE_HZ)
        if self._index != before:
            self._heard_at.append((begins_ns, self._index))
        while self._heard_at and self._heard_at[0][0] <= now_ns:
            self._ring.playing = self._heard_at.popleft()[1]
        if now_ns - self._told_ns >= STATS_S * 1e9:
            self._told_ns = now_ns
            self._tell(
                "stats",
                underruns=self.underruns,
                device_underruns=self._sounding.underruns,
                latency_s=round(self._sounding.latency_s, 4),
                sounding=self._sounding.works,
                **self._sounding.figures,
            )

    def _heard_from(self, now_ns: int, duration_s: float) -> int:
        """When the block just written begins to be heard, in ns."""
        estimate_ns = now_ns + self._sounding.until_heard_s * 1e9
        expected_ns = estimate_ns if self._written_out_ns is None else self._written_out_ns + duration_s * 1e9
        error_ns = estimate_ns - expected_ns
        share = CORRECTION if abs(error_ns) < LARGEST_ERROR_S * 1e9 else 1.0
        self._written_out_ns = expected_ns + share * error_ns
        return round(self._written_out_ns - duration_s * 1e9)

    def _next_block(self) -> NDArray[np.float32]:
        """float32 (n, 2): the next of the chunk, the first of the next one, or silence."""
        if len(self._rest) == 0 and not self._take_chunk():
            return self._silence()
        block, self._rest = self._rest[:BLOCK_SAMPLES], self._rest[BLOCK_SAMPLES:]
        return block

    def _take_chunk(self) -> bool:
        """Take the next chunk of the ring, or the newest where that is gone; False when there is none in time."""
        self._wait_for_world()
        newest, wanted = self._ring.newest, self._index + 1
        if newest < wanted:
            return False
        chunk = self._ring.read(wanted)
        follows = chunk is not None and not self._is_silent
        if chunk is None:
            wanted, chunk = newest, self._ring.read(newest)
        if chunk is None:
            return False
        samples = chunk[1]
        if not follows:
            fade_in = np.linspace(0.0, 1.0, FADE_SAMPLES, dtype=np.float32)[:, None]
            samples[:FADE_SAMPLES] = fade_in * samples[:FADE_SAMPLES] + (1.0 - fade_in) * self._tail
        self._index, self._rest, self._is_silent = wanted, samples, False
        self._tail = samples[-FADE_SAMPLES:][::-1].copy()
        self._ring.taken = wanted
        return True

    def _wait_for_world(self) -> None:
        """While the device has half of its sound left, a late world is waited for."""
        while (
            not self._is_silent
            and self._ring.newest <= self._index
            and self._sounding.waiting_s > self._sounding.holds_s / 2
        ):
            self._clock.sleep(NAP_S)

    def _silence(self) -> NDArray[np.float32]:
        block = np.zeros((BLOCK_SAMPLES, 2), np.float32)
        if not self._is_silent:
            self.underruns += 1
            self._is_silent = True
            block[:FADE_SAMPLES] = self._tail * np.linspace(1.0, 0.0, FADE_SAMPLES, dtype=np.float32)[:, None]
            self._tail = np.zeros((FADE_SAMPLES, 2), np.float32)
        return block
