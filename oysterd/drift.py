"""How far a sound card's clock is off the machine's, found from what it has played, and what to do about it."""

from __future__ import annotations

from oysterd.resample import LARGEST_PPM

# Cards tell what they have played in lumps, so the error is smoothed first; a loop must not follow what is faster.
SMOOTH_S = 1.0
# Before it begins to steer, the loop learns where the card stands; that is no drift.
LEARN_S = 2.0
# The loop's natural frequency, critically damped: within two minutes it knows a new card to a few parts of a million,
# and lumps of 10 ms move the pitch by less than 50. Both follow from this number, which is a compromise between them.
OMEGA_RAD_S = 0.05
# How long after it a loss is found at the latest, smoothed as the error is.
TRUST_S = 2.0
# Farther off than this it is no drift: sound was lost without a word (a sound server does that), or a machine was
# asleep. A card that is off by the most that is corrected comes to 5 ms before the loop has it.
LARGEST_ERROR_S = 0.01


class Drift:
    """A phase-locked loop of second order (proportional and integral; F. M. Gardner, Phaselock Techniques, ch. 2).

    Its phase is the world's time that was played, less the time that has passed. Positive `ppm`: the card is fast.
    """

    def __init__(self) -> None:
        self._integral = 0.0
        self._integral_before = [0.0, 0.0]  # as it was two and one of TRUST_S ago, or a little longer
        self.begin_anew()

    def lost(self) -> None:
        """Sound was lost: what was taken for drift until it was noticed is forgotten."""
        self._integral = self._integral_before[0]
        self.begin_anew()

    def begin_anew(self) -> None:
        """The card was opened: where it stands is learned again, its rate is kept."""
        self._written_s = 0.0
        self._began_ns: int | None = None
        self._before_s = 0.0
        self._trusted_s = 0.0
        self._phase_s = 0.0  # smoothed
        self._reference_s: float | None = None

    @property
    def ppm(self) -> float:
        """How much faster the card runs than the machine's clock, in parts of a million, as known by now."""
        return 1e6 * self._integral

    def wrote(self, now_ns: int, duration_s: float, waiting_s: float) -> float:
        """A block of `duration_s` was written, and `waiting_s` of sound wait in the card now.

        Gives the correction for the next blocks, in parts of a million.
        """
        if self._began_ns is None:
            self._began_ns = now_ns
        passed_s = (now_ns - self._began_ns) / 1e9
        self._written_s += duration_s
        step_s, self._before_s = passed_s - self._before_s, passed_s
        phase_s = self._written_s - waiting_s - passed_s
        share = 1.0 if passed_s == 0.0 else min(step_s / min(SMOOTH_S, passed_s), 1.0)
        self._phase_s += share * (phase_s - self._phase_s)
        if passed_s < LEARN_S:
            return self.ppm
        if self._reference_s is None:
            self._reference_s = self._phase_s
        error_s = self._phase_s - self._reference_s
        if abs(error_s) > LARGEST_ERROR_S:
            self.lost()
            return self.ppm
        if passed_s - self._trusted_s > TRUST_S:
            self._trusted_s, self._integral_before = passed_s, [self._integral_before[1], self._integral]
        limit = 1e-6 * LARGEST_PPM
        self._integral = _within(self._integral + OMEGA_RAD_S**2 * error_s * step_s, limit)
        return 1e6 * _within(self._integral + 2 * OMEGA_RAD_S * error_s, limit)


def _within(value: float, limit: float) -> float:
    return min(max(value, -limit), limit)
