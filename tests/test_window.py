"""The kind `window`: real OpenGL on a real X server, and what its screen then shows."""

from __future__ import annotations

import struct
import subprocess
import time
from collections.abc import Iterator
from typing import Literal

import numpy as np
import pytest
from conftest import wait_until
from numpy.typing import NDArray

from drivers.base import DeviceLost, MonotonicClock, Sink
from drivers.window import Window, WindowConfig

WIDTH, HEIGHT = 320, 180


def screen(display: str) -> NDArray[np.uint8]:
    """The X root window as RGB (H, W, 3), read from an XWD dump; see its header in XWDFile.h."""
    dump = subprocess.run(
        ["xwd", "-root", "-silent", "-display", display], capture_output=True, check=True, timeout=10
    ).stdout
    header = struct.unpack(">25I", dump[:100])
    header_size, width, height, bytes_per_line, colours = header[0], header[4], header[5], header[12], header[19]
    bytes_per_pixel = header[11] // 8
    pixels = np.frombuffer(dump, np.uint8, bytes_per_line * height, header_size + colours * 12)
    pixels = pixels.reshape(height, bytes_per_line)[:, : width * bytes_per_pixel]
    return pixels.reshape(height, width, bytes_per_pixel)[:, :, 2::-1]


def pattern(width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """Every pixel unlike its neighbours, and no side like another."""
    down, across = np.mgrid[:height, :width]
    channels = [across * 255 // width, down * 255 // height, ((across // 3 + down // 5) % 2) * 200]
    return np.stack(channels, axis=-1).astype(np.uint8)


def shown(display: str, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.int16]:
    return screen(display)[:height, :width].astype(np.int16)


@pytest.fixture
def window(x_display: str) -> Iterator[Window]:
    sink = Window(WindowConfig(width=WIDTH, height=HEIGHT), MonotonicClock())
    assert isinstance(sink, Sink)
    sink.open()
    yield sink
    sink.close()


def test_a_picture_at_its_own_size_is_shown_pixel_for_pixel(x_display: str, window: Window) -> None:
    picture = pattern()

    def is_there() -> bool:
        window.write(picture)
        return int(np.abs(shown(x_display) - picture).max()) <= 2

    wait_until(is_there, 5, "the picture is on the screen")


def test_a_blend_lies_between_its_pictures(x_display: str) -> None:
    window = Window(WindowConfig(width=WIDTH, height=HEIGHT, between="blend"), MonotonicClock())
    window.open()
    picture, next_picture = pattern(), np.ascontiguousarray(pattern()[::-1, ::-1])
    for mix in (0.25, 0.5, 1.0, 0.0):
        blended = picture * (1.0 - mix) + next_picture * mix

        def is_there(mix: float = mix, blended: NDArray[np.float64] = blended) -> bool:
            window.write(picture, next_picture, mix)
            return float(np.abs(shown(x_display) - blended).max()) <= 2

        wait_until(is_there, 5, f"the blend {mix} is on the screen")
    window.close()


@pytest.mark.parametrize("upscale", ["linear", "bicubic"])
def test_a_small_picture_is_scaled_without_shifting(x_display: str, upscale: Literal["linear", "bicubic"]) -> None:
    window = Window(WindowConfig(width=WIDTH, height=HEIGHT, upscale=upscale), MonotonicClock())
    window.open()
    small = np.zeros((HEIGHT // 4, WIDTH // 4, 3), np.uint8)
    small[:, : WIDTH // 8, 0] = 200
    small[: HEIGHT // 8, :, 1] = 120
    expected = np.repeat(np.repeat(small, 4, axis=0), 4, axis=1)
    flat = np.ones((HEIGHT, WIDTH), bool)  # away from the two edges, where the interpolation is at work
    flat[HEIGHT // 2 - 9 : HEIGHT // 2 + 9, :] = flat[:, WIDTH // 2 - 9 : WIDTH // 2 + 9] = False

    def is_there() -> bool:
        window.write(small)
        return int(np.abs(shown(x_display) - expected)[flat].max()) <= 2

    wait_until(is_there, 5, "the scaled picture is on the screen")
    edge = shown(x_display)[HEIGHT // 4, WIDTH // 2 - 4 : WIDTH // 2 + 4, 0]
    assert (np.diff(edge) <= 0).all() and edge[0] > 150 and edge[-1] < 50  # falls across the edge, in its middle
    assert abs(int(edge[3]) + int(edge[4]) - 200) <= 6
    window.close()


def test_a_picture_of_another_shape_keeps_its_shape(x_display: str, window: Window) -> None:
    square = np.full((90, 90, 3), 180, np.uint8)
    expected = np.zeros((HEIGHT, WIDTH, 3), np.int16)
    expected[:, (WIDTH - HEIGHT) // 2 : (WIDTH + HEIGHT) // 2] = 180

    def is_there() -> bool:
        window.write(square)
        return int(np.abs(shown(x_display) - expected).max()) <= 2

    wait_until(is_there, 5, "the square with its black sides is on the screen")


def test_full_screen_fills_the_named_monitor(x_display: str) -> None:
    monitors = subprocess.run(["xrandr", "--query"], capture_output=True, text=True, check=True, timeout=10).stdout
    name = next(line.split()[0] for line in monitors.splitlines() if " connected" in line)
    sink = Window(WindowConfig(display=name, fullscreen=True), MonotonicClock())
    sink.open()
    picture = pattern(800, 600)

    def is_there() -> bool:
        sink.write(picture)
        return int(np.abs(shown(x_display, 800, 600) - picture).max()) <= 2

    wait_until(is_there, 5, "the picture fills the screen")
    sink.close()


def test_a_closed_window_is_a_lost_device(window: Window) -> None:
    import glfw

    window.write(pattern())
    glfw.set_window_should_close(glfw.get_current_context(), True)  # what the window manager's cross does
    with pytest.raises(DeviceLost, match=r"window\.display: the window was closed"):
        window.write(pattern())
    window.close()
    window.close()
    window.open()  # again, as after a lost device
    window.write(pattern())


def test_a_monitor_that_is_not_there_is_named(x_display: str) -> None:
    sink = Window(WindowConfig(display="NO-SUCH-HEAD"), MonotonicClock())
    with pytest.raises(DeviceLost, match=r"window\.display: NO-SUCH-HEAD not found; present are "):
        sink.open()
    sink.close()


@pytest.mark.parametrize("display", [None, ":4711"])
def test_no_display_is_told_at_once(display: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    if display is not None:
        monkeypatch.setenv("DISPLAY", display)
    sink = Window(WindowConfig(), MonotonicClock())
    began_s = time.monotonic()
    with pytest.raises(DeviceLost, match=f"window\\.display: no display .*{display or 'is set'}"):
        sink.open()
    assert time.monotonic() - began_s < 3.0
    with pytest.raises(DeviceLost, match="not open"):
        sink.write(pattern())
