"""Stamps of a device on the monotonic clock: jitter of the way is taken out, and clocks that disagree are noticed."""

from __future__ import annotations

import numpy as np
from hand_clock import HandClock

from drivers.device_clock import DeviceClock

START_MS = 5_000.0  # what the device's clock says in the beginning


def play(clock: HandClock, stamps: DeviceClock, arrivals_s: list[float], stamps_s: list[float]) -> list[float | None]:
    """Moments in seconds since the start, of samples that arrive and are stamped then."""
    start_ns, moments = clock.now_ns(), list[float | None]()
    for arrival_s, stamp_s in zip(arrivals_s, stamps_s, strict=True):
        clock.advance(start_ns / 1e9 + arrival_s - clock.now_ns() / 1e9)
        moment_ns = stamps.moment_ns(START_MS + 1000 * stamp_s)
        assert moment_ns is None or moment_ns <= clock.now_ns()
        moments.append(None if moment_ns is None else (moment_ns - start_ns) / 1e9)
    return moments


def test_jitter_of_the_way_is_taken_out() -> None:
    clock = HandClock()
    taken_s = [n / 30 for n in range(90)]
    jitter_s = np.random.default_rng(0).uniform(0.0, 0.03, 90)
    jitter_s[0] = 0.0
    arrivals_s = [taken + 0.01 + float(late) for taken, late in zip(taken_s, jitter_s, strict=True)]
    moments = play(clock, DeviceClock("camera", clock), arrivals_s, taken_s)
    np.testing.assert_allclose(np.array(moments, float), np.array(taken_s) + 0.01, atol=2e-3)  # the jitter is 30 ms


def test_a_sample_from_before_the_last_is_none() -> None:
    clock = HandClock()
    moments = play(clock, DeviceClock("camera", clock), [0.0, 0.1, 0.11, 0.12, 0.2], [0.0, 0.1, 0.05, 0.1, 0.2])
    assert [moment is None for moment in moments] == [False, False, True, True, False]


def test_a_clock_that_runs_away_slowly_is_followed() -> None:
    clock, hours = HandClock(), [float(s) for s in range(0, 7200, 2)]
    stamps = DeviceClock("camera", clock)
    moments = play(clock, stamps, hours, [s * (1 - 100e-6) for s in hours])
    np.testing.assert_allclose(np.array(moments, float), hours, atol=2e-3)
    assert stamps.resets == 0


def test_a_clock_that_jumps_is_taken_anew() -> None:
    clock = HandClock()
    stamps = DeviceClock("camera", clock)
    moments = play(clock, stamps, [0.0, 0.1, 0.2, 0.3], [0.0, 0.1, -60.0, -59.9])
    np.testing.assert_allclose(np.array(moments, float), [0.0, 0.1, 0.2, 0.3], atol=1e-6)
    assert stamps.resets == 1
    moments = play(clock, stamps, [0.4, 3.0, 3.1], [-59.8, -59.7, -59.6])  # two seconds late, and so is the next
    assert moments[0] is not None and stamps.resets == 2
