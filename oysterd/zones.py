"""Where in a room the world's two sides sound: which channels of the card, how loud, how late and in which band."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from oysterd.changes import Strict
from oysterd.errors import Location, refusal, reworded
from oysterd.filters import Filter, Sound, high_pass, low_pass

Channel = Annotated[int, Field(ge=1, le=64)]
Hz = Annotated[float, Field(ge=10.0, le=20_000.0)]


class ZoneConfig(Strict):
    """A group of loudspeakers. `channels` are the card's, counted from 1; of `stereo` they are left, right in turn."""

    name: str
    channels: Annotated[list[Channel], Field(min_length=1)]
    source: Literal["stereo", "mono", "left", "right"] = "stereo"
    gain_db: Annotated[float, Field(ge=-60.0, le=12.0)] = 0.0
    delay_ms: Annotated[float, Field(ge=0.0, le=1000.0)] = 0.0
    high_pass_hz: Hz | None = None
    low_pass_hz: Hz | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        problems: list[tuple[Location, str]] = []
        if self.source == "stereo" and len(self.channels) % 2:
            problems.append((("channels",), 'stereo needs left and right in turn; or set source = "mono"'))
        if len(set(self.channels)) != len(self.channels):
            problems.append((("channels",), "names a channel twice"))
        if problems:
            raise reworded(None, ZoneConfig, problems)
        if self.high_pass_hz is not None and self.low_pass_hz is not None and self.high_pass_hz >= self.low_pass_hz:
            raise refusal(f"high_pass_hz {self.high_pass_hz:g} is above low_pass_hz: nothing would be heard")
        return self


class Zone:
    """One zone's sound, going on from block to block."""

    def __init__(self, config: ZoneConfig, rate_hz: int) -> None:
        self._config = config
        self._at = [channel - 1 for channel in config.channels]
        sides = 2 if config.source == "stereo" else 1
        bands = [(config.high_pass_hz, high_pass), (config.low_pass_hz, low_pass)]
        # Above half the card's rate there is nothing to be filtered.
        sections = [s for hz, design in bands if hz is not None and hz < rate_hz / 2 for s in design(hz, rate_hz)]
        self._filter = Filter(sections, sides) if sections else None
        self._gain = 10 ** (config.gain_db / 20)
        self._before = np.zeros((round(config.delay_ms / 1000 * rate_hz), sides))

    def add_to(self, channels: Sound, samples: Sound) -> None:
        """Add what the zone makes of float64 (n, 2) to its own columns of float64 (n, channels)."""
        made = self._gain * self._sides(samples)
        if self._filter is not None:
            made = self._filter(made)
        if len(self._before):
            joined = np.concatenate([self._before, made])
            made, self._before = joined[: len(made)], joined[len(made) :]
        channels[:, self._at] += np.tile(made, len(self._at) // made.shape[1])

    def _sides(self, samples: Sound) -> Sound:
        match self._config.source:
            case "stereo":
                return samples
            case "mono":
                return samples.mean(axis=1, keepdims=True)
            case "left":
                return samples[:, :1]
            case "right":
                return samples[:, 1:]
