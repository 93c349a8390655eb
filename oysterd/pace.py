"""When a projector's next picture is due, and how many came late or not at all."""

from __future__ import annotations

from drivers.base import Clock

# Displays that wait for the projector's refresh set the pace; others are held to this.
SHORTEST_FRAME_S = 1 / 75
# Where pictures are drawn by the processor, drawing takes at most this share of one core from the world.
MOST_CPU_SHARE = 0.25
# A display's refreshes are never quite as far apart as it says: a picture that missed one must not pass for late only.
JITTER = 0.25


class Pace:
    """Counts presents since the start: `asked` for, `presented`, of these `late` (by half a period), and `dropped`.

    With a rate of its own it keeps to a grid of even times; without, the display's refresh sets the pace, or what
    drawing costs where that is slower.
    """

    def __init__(self, clock: Clock, rate_hz: float | None) -> None:
        self._clock = clock
        self._rate_hz = rate_hz
        self._due_ns: float | None = None
        self.presented = 0
        self.late = 0
        self.dropped = 0

    @property
    def asked(self) -> int:
        """Presents there should have been."""
        return self.presented + self.dropped

    def counts(self) -> dict[str, int]:
        """All four, for telemetry."""
        return {"asked": self.asked, "presented": self.presented, "late": self.late, "dropped": self.dropped}

    def pause(self) -> None:
        """There is nothing to show, or nowhere to show it: what is not presented now is not asked for."""
        self._due_ns = None

    def presented_one(self, began_ns: int, cpu_s: float, refresh_hz: float) -> float:
        """Count a picture whose drawing began then and took so much of a processor; seconds to wait before the next.

        `refresh_hz` is the display's, 0 where it is not known.
        """
        now_ns = self._clock.now_ns()
        shortest_s = max(SHORTEST_FRAME_S, cpu_s / MOST_CPU_SHARE)
        if self._rate_hz is not None:
            period_ns = 1e9 / self._rate_hz
            self._due_ns = self._count(began_ns, period_ns, 0.0) + period_ns
            return max((self._due_ns - now_ns) / 1e9, 0.0)
        period_ns = 1e9 * max(1 / refresh_hz if refresh_hz else 0.0, shortest_s)
        self._count(now_ns, period_ns, JITTER)
        self._due_ns = now_ns + period_ns
        return max(shortest_s - (now_ns - began_ns) / 1e9, 0.0)

    def _count(self, moment_ns: float, period_ns: float, slack: float) -> float:
        """Count a present of that moment; the moment it was due, after those that were dropped before it."""
        due_ns = moment_ns if self._due_ns is None else self._due_ns
        behind = (moment_ns - due_ns) / period_ns
        missed = max(int(behind + slack), 0)
        self.presented += 1
        self.dropped += missed
        self.late += behind - missed > 0.5
        return due_ns + missed * period_ns
