"""Hours of the day in which a room is to be quieter, by the clock on its wall."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from oysterd.changes import Strict
from oysterd.errors import refusal

TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class QuietConfig(Strict):
    """From `begins` until `ends`, in local time and through midnight where that lies between, nothing is louder."""

    begins: TimeOfDay
    ends: TimeOfDay
    ceiling_dbfs: Annotated[float, Field(ge=-80.0, le=0.0)]

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.begins == self.ends:
            raise refusal(f"begins and ends are both {self.begins}: for the whole day set sound.ceiling_dbfs")
        return self


def ceiling_dbfs(usual: float, quiet: Sequence[QuietConfig], now: time) -> float:
    """The lowest ceiling that holds at that local time of day."""
    at = f"{now:%H:%M}"  # two digits each: as text they are in the order of the day
    holding = [hours.ceiling_dbfs for hours in quiet if _is_within(hours, at)]
    return min([usual, *holding])


def _is_within(hours: QuietConfig, at: str) -> bool:
    if hours.begins < hours.ends:
        return hours.begins <= at < hours.ends
    return at >= hours.begins or at < hours.ends
