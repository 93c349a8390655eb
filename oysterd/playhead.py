"""Where in the world's time a projector stands: between two chunks, by the sound that is heard."""

from __future__ import annotations

from oysterd.clock import Clock

# How fast a difference from the sound is made up for: by this share of it in a slice. Small, so that the playout's
# grain (a sixtieth of a second) is not seen; but a second later nothing of it is left.
FOLLOW = 0.15
# Of the last slice before the newest chunk, from here on the picture slows, and never quite arrives: it holds.
SLOW_FROM = 0.5
# Farther from the sound than this many slices, the picture jumps: after a stall it must not run after the sound.
JUMP = 2.0


class Playhead:
    """A position in chunks, which moves on by the clock, follows the sound and slows where the world stalls."""

    def __init__(self, clock: Clock, slice_s: float) -> None:
        self._clock = clock
        self._slice_s = slice_s
        self._position: float | None = None
        self._moved_ns = 0

    def move(self, playing: int, playing_since_ns: int, newest: int) -> float:
        """The position now, from 0 up to `newest`; never less than before, but where the sound went back.

        `playing` is the chunk that has been heard since `playing_since_ns`. A chunk's picture belongs to its
        beginning, so that half of its slice later the picture stands half way to the next.
        """
        now_ns = self._clock.now_ns()
        passed = (now_ns - self._moved_ns) / 1e9 / self._slice_s
        self._moved_ns = now_ns
        sound = playing + min(max((now_ns - playing_since_ns) / 1e9 / self._slice_s, 0.0), 1.0)
        if self._position is None or abs(sound - self._position) > JUMP:
            self._position = float(min(sound, newest))
            return self._position
        step = passed * max(1.0 + FOLLOW * (sound - self._position), 0.0)
        left = max(newest - self._position, 0.0)
        if step > 0.0 and left - step < SLOW_FROM:
            # Straight up to where it slows, then by an ever smaller share of what is left.
            straight = max(left - SLOW_FROM, 0.0)
            rest = step - straight
            left = min(left, SLOW_FROM)
            step = straight + left * rest / (rest + SLOW_FROM)
        self._position = min(self._position + step, float(newest))
        return self._position
