"""The sound device of a room when it works, and a silent one that keeps its time when it does not."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from drivers.base import Clock, DeviceLost, SoundSink
from oysterd.drift import Drift
from oysterd.losses import Losses
from oysterd.voice import SoundConfig, Voice

# A card that comes back is heard again within five seconds, opening included.
BACK_OFF_S = (0.5, 3.0)


class Sounding:
    """A sink that never fails: it writes to `wanted`, or keeps time with `silent` while that is opened again.

    Opening a sound card can take a second, so it is done aside. `tell(type, **content)` hears of `lost` and `back`.
    """

    def __init__(
        self,
        wanted: SoundSink | None,
        silent: SoundSink,
        world_rate_hz: int,
        clock: Clock,
        tell: Callable[..., None],
        sound: SoundConfig | None = None,
    ) -> None:
        self._sound = sound or SoundConfig()
        self._wanted = wanted
        self._silent = silent
        self._world_rate_hz = world_rate_hz
        self._clock = clock
        self._tell = tell
        self._voice: Voice | None = None  # there is one while the wanted device works
        self._drift = Drift()
        self._ppm = 0.0
        self._opening: threading.Thread | None = None
        self._failure: str | None = None  # of the last opening
        self._losses = Losses(tell, BACK_OFF_S)
        self._try_at_ns = 0
        self._ran_dry_before = 0
        silent.open()
        if wanted is not None:
            self._begin_to_open(wanted)

    @property
    def latency_s(self) -> float:
        """Seconds from writing to sounding, on whichever way is taken."""
        return self.holds_s + self._way_s

    @property
    def holds_s(self) -> float:
        """Seconds of sound that the device itself is to hold."""
        return self._now.latency_s

    @property
    def waiting_s(self) -> float:
        """Seconds of sound that wait in the device now."""
        try:
            return self._now.waiting_s
        except DeviceLost:
            return 0.0  # the next write finds it lost as well

    @property
    def until_heard_s(self) -> float:
        """Seconds until all that was written has been heard."""
        return self.waiting_s + self._way_s

    @property
    def underruns(self) -> int:
        """How often the wanted device ran dry, over all its openings."""
        here = self._wanted.underruns if self._wanted is not None and self.works else 0
        return self._ran_dry_before + here

    @property
    def figures(self) -> dict[str, float]:
        """How fast the wanted device's clock is found to be, and what its sound goes through."""
        voice = self._voice.figures if self._voice is not None else {}
        return {"drift_ppm": round(self._drift.ppm, 1), **voice}

    @property
    def works(self) -> bool:
        """Whether it is the wanted device that sounds."""
        return self._voice is not None

    def write(self, samples: NDArray[np.float32]) -> None:
        """Take float32 (n, 2) at the world's rate; blocks for as long as the device needs."""
        if self._wanted is not None and self._voice is None:
            self._look_after(self._wanted)
        if self._wanted is not None and self._voice is not None:
            try:
                ran_dry = self._wanted.underruns
                self._wanted.write(self._voice(samples, self._ppm))
                if self._wanted.underruns != ran_dry:
                    self._drift.lost()
                duration_s = len(samples) / self._world_rate_hz
                self._ppm = self._drift.wrote(self._clock.now_ns(), duration_s, self._wanted.waiting_s)
                return
            except DeviceLost as error:
                self._lost(self._wanted, str(error))
        self._silent.write(samples)

    def close(self) -> None:
        """Let go of the devices."""
        if self._wanted is not None and self.works:
            self._wanted.close()
        self._silent.close()

    @property
    def _now(self) -> SoundSink:
        return self._wanted if self._wanted is not None and self.works else self._silent

    @property
    def _way_s(self) -> float:
        if self._voice is None:
            return 0.0
        return self._voice.latency_s + self._sound.behind_card_ms / 1000

    def _begin_to_open(self, wanted: SoundSink) -> None:
        def open_it() -> None:
            try:
                with quiet():
                    wanted.open()
                self._failure = None
            except DeviceLost as error:
                self._failure = str(error)

        self._failure = "opening it failed in an unforeseen way"  # until it is known to have gone well
        self._opening = threading.Thread(target=open_it, name="open sound", daemon=True)
        self._opening.start()

    def _look_after(self, wanted: SoundSink) -> None:
        if self._opening is None:
            if self._clock.now_ns() >= self._try_at_ns:
                self._begin_to_open(wanted)
            return
        if self._opening.is_alive():
            return
        self._opening = None
        if self._failure is not None:
            self._say_lost(self._failure)
            return
        self._voice = Voice(self._sound, self._world_rate_hz, wanted.sample_rate_hz, wanted.channels)
        self._drift.begin_anew()
        self._losses.works()
        self._tell("back")

    def _lost(self, wanted: SoundSink, why: str) -> None:
        self._ran_dry_before += wanted.underruns
        self._voice = None
        wanted.close()
        self._say_lost(why)

    def _say_lost(self, why: str) -> None:
        self._try_at_ns = self._clock.now_ns() + round(self._losses.lost(why) * 1e9)


@contextmanager
def quiet() -> Iterator[None]:
    """ALSA writes a screenful to the standard error where there is no card; what is wrong we are told anyway."""
    before, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)
        os.close(nowhere)
