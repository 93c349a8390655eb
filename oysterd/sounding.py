"""The sound device of a room when it works, and a silent one that keeps its time when it does not."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from drivers.base import Clock, DeviceLost, SoundSink
from oysterd.upsample import Upsampler

BACK_OFF_S = (0.5, 10.0)


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
    ) -> None:
        self._wanted = wanted
        self._silent = silent
        self._world_rate_hz = world_rate_hz
        self._clock = clock
        self._tell = tell
        self._works = False
        self._upsample = Upsampler(1)
        self._opening: threading.Thread | None = None
        self._failure: str | None = None
        self._told_why = ""
        self._back_off_s = BACK_OFF_S[0]
        self._try_at_ns = 0
        self._ran_dry_before = 0
        silent.open()
        if wanted is not None:
            self._begin_to_open(wanted)

    @property
    def latency_s(self) -> float:
        """Seconds from writing to sounding, of whichever device is written to."""
        return self._now.latency_s

    @property
    def underruns(self) -> int:
        """How often the wanted device ran dry, over all its openings."""
        here = self._wanted.underruns if self._wanted is not None and self._works else 0
        return self._ran_dry_before + here

    @property
    def works(self) -> bool:
        """Whether it is the wanted device that sounds."""
        return self._works

    def write(self, samples: NDArray[np.float32]) -> None:
        """Take float32 (n, 2) at the world's rate; blocks for as long as the device needs."""
        if self._wanted is not None and not self._works:
            self._look_after(self._wanted)
        if self._wanted is not None and self._works:
            try:
                self._wanted.write(self._upsample(samples))
                return
            except DeviceLost as error:
                self._lost(self._wanted, str(error))
        self._silent.write(samples)

    def close(self) -> None:
        """Let go of the devices."""
        if self._wanted is not None and self._works:
            self._wanted.close()
        self._silent.close()

    @property
    def _now(self) -> SoundSink:
        return self._wanted if self._wanted is not None and self._works else self._silent

    def _begin_to_open(self, wanted: SoundSink) -> None:
        def open_it() -> None:
            try:
                factor, rest = divmod(wanted.sample_rate_hz, self._world_rate_hz)
                if rest or factor < 1:
                    words = f"must be a multiple of {self._world_rate_hz}, not {wanted.sample_rate_hz}"
                    raise DeviceLost(f"sample_rate_hz: {words}")
                with _quiet():
                    wanted.open()
                self._upsample = Upsampler(factor)
            except DeviceLost as error:
                self._failure = str(error)

        self._failure = None
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
        self._works, self._told_why, self._back_off_s = True, "", BACK_OFF_S[0]
        self._tell("back")

    def _lost(self, wanted: SoundSink, why: str) -> None:
        self._ran_dry_before += wanted.underruns
        self._works = False
        wanted.close()
        self._say_lost(why)

    def _say_lost(self, why: str) -> None:
        self._try_at_ns = self._clock.now_ns() + round(self._back_off_s * 1e9)
        self._back_off_s = min(2 * self._back_off_s, BACK_OFF_S[1])
        if why != self._told_why:
            self._told_why = why
            self._tell("lost", why=why)


@contextmanager
def _quiet() -> Iterator[None]:
    """ALSA writes a screenful to the standard error where there is no card; what is wrong we are told anyway."""
    before, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)
        os.close(nowhere)
