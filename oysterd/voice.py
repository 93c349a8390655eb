"""What becomes of the world's sound on its way to a card: level, rate, zones, limit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from oysterd.changes import Strict
from oysterd.limiter import Limiter
from oysterd.loudness import Leveller
from oysterd.quiet_hours import QuietConfig, ceiling_dbfs
from oysterd.resample import Resampler
from oysterd.zones import Zone, ZoneConfig

# How fast one ceiling becomes another as quiet hours begin and end; the number is arbitrary.
CEILING_DB_S = 3.0
# Where sound begins in the midst of it, it is faded in over this.
FADE_S = 0.01


class SoundConfig(Strict):
    """How the room's one sound output is played: zones, ceiling, loudness, quiet hours.

    `behind_card_ms` is what amplifiers and processors behind the card add, which the machine can't see: pictures wait.
    """

    ceiling_dbfs: Annotated[float, Field(ge=-80.0, le=0.0)] = -0.1
    loudness_lufs: Annotated[float, Field(ge=-60.0, le=-5.0)] | None = None
    loudness_range_db: Annotated[float, Field(gt=0.0, le=30.0)] = 6.0
    behind_card_ms: Annotated[float, Field(ge=0.0, le=1000.0)] = 0.0
    zones: Annotated[list[ZoneConfig], Field(min_length=1)] = [ZoneConfig(name="room", channels=[1, 2])]
    quiet: list[QuietConfig] = []


def quiet_ceiling_dbfs(config: SoundConfig, now: time) -> float:
    """What no sample may pass at that time of day, quiet hours included."""
    return ceiling_dbfs(config.ceiling_dbfs, config.quiet, now)


def local_time() -> time:
    """The time of day on the room's wall."""
    return datetime.now().time()  # the machine's time zone is the room's


class Voice:
    """The whole way, going on from block to block; a new one is made for each opening of the card."""

    def __init__(
        self, config: SoundConfig, world_hz: int, card_hz: int, channels: int, wall: Callable[[], time] = local_time
    ) -> None:
        self._config = config
        self._wall = wall
        self._channels = channels
        self._level = None
        if config.loudness_lufs is not None:
            self._level = Leveller(config.loudness_lufs, config.loudness_range_db, world_hz)
        self._resample = Resampler(world_hz, card_hz)
        self._zones = [Zone(zone, card_hz) for zone in config.zones]
        self._limit = Limiter(card_hz, channels)
        self._ceiling_db = self._wanted_ceiling_db()
        self._card_hz = card_hz
        self._given = 0  # samples, up to the end of the fade

    @property
    def latency_s(self) -> float:
        """Seconds that the way itself takes; zones that are delayed are later still, as they are meant to be."""
        return self._resample.latency_s + self._limit.latency_s

    @property
    def figures(self) -> dict[str, float]:
        """What it does to the sound now: the fader, the limiter and the ceiling, in dB."""
        return {
            "level_db": round(self._level.gain_db, 1) if self._level is not None else 0.0,
            "limiter_db": round(self._limit.lowest_db, 1),
            "ceiling_dbfs": round(self._ceiling_db, 1),
        }

    def __call__(self, samples: NDArray[np.float32], ppm: float = 0.0) -> NDArray[np.float32]:
        """float32 (n, 2) at the world's rate → float32 (m, channels) at the card's, which is `ppm` fast."""
        if self._level is not None:
            samples = self._level(samples.astype(np.float64)).astype(np.float32)
        stereo = self._resample(samples, ppm).astype(np.float64)
        self._fade_in(stereo)
        made = np.zeros((len(stereo), self._channels))
        for zone in self._zones:
            zone.add_to(made, stereo)
        return self._limit(made, self._ceilings_db(len(made))).astype(np.float32)

    def _fade_in(self, stereo: NDArray[np.float64]) -> None:
        length = round(FADE_S * self._card_hz)
        if self._given < length:
            at = self._given + np.arange(len(stereo))
            stereo *= np.minimum(at / length, 1.0)[:, None]
            self._given += len(stereo)

    def _ceilings_db(self, n: int) -> NDArray[np.float64]:
        before, step = self._ceiling_db, CEILING_DB_S * n / self._card_hz
        self._ceiling_db += float(np.clip(self._wanted_ceiling_db() - before, -step, step))
        return before + (self._ceiling_db - before) * np.arange(1, n + 1) / max(n, 1)

    def _wanted_ceiling_db(self) -> float:
        return quiet_ceiling_dbfs(self._config, self._wall())
