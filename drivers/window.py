"""A projector: a window that shows a blend of two pictures, laid on its wall by the graphics card (GLFW, ModernGL)."""

from __future__ import annotations

import os
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from drivers.base import Clock, DeviceLost
from drivers.calibration import Calibration, Crop, Point
from drivers.drawing import Drawing
from drivers.patterns import Pattern

# Keys by which a projector is calibrated, as GLFW numbers them (see its input reference) and as they are told.
_KEYS = {
    256: "escape", 258: "tab", 262: "right", 263: "left", 264: "down", 265: "up",
    **{ord(letter): letter.lower() for letter in "BFGMR1234"},
}  # fmt: skip


class Key(NamedTuple):
    """A key that was pressed, or is held, in a window."""

    name: str
    shift: bool = False
    control: bool = False


class WindowConfig(Calibration):
    """Options of the kind `window`; those of Calibration hold until the projector is calibrated."""

    display: str | None = Field(
        default=None, description="the monitor's name, as `xrandr --listmonitors` has it; else first"
    )
    fullscreen: bool = Field(default=False, description="fill the monitor at its own size and rate")
    width: int = Field(default=1280, ge=16, description="pixels of a window that is not full screen")
    height: int = Field(default=720, ge=16, description="pixels of a window that is not full screen")
    title: str = Field(default="oysterd", description="what a window manager shows")
    upscale: Literal["linear", "bicubic"] = Field(default="bicubic", description="bicubic is sharper, linear cheaper")
    between: Literal["auto", "motion", "blend"] = Field(
        default="auto", description="between two pictures things move, or are blended; auto: move on a graphics card"
    )
    vsync: bool = Field(default=True, description="a write waits for the projector's next picture")
    rate_hz: float | None = Field(
        default=None, ge=1, le=240, description="pictures a second; as the display has it if unset"
    )
    rotation_degrees: Literal[0, 90, 180, 270] = Field(default=0, description="clockwise, for a projector on its side")
    crop: Crop = Field(default=Crop(), description="the part of the world's picture that is shown")


class Window:
    """A sink of uint8 (H, W, 3) pictures. One in a process: GLFW's state is the process's own."""

    def __init__(self, config: WindowConfig, clock: Clock) -> None:
        del clock  # the projector's refresh is its clock
        self._config = config
        self._window: Any = None
        self._context: Any = None  # moderngl.Context
        self._drawing: Drawing | None = None
        self._calibration = Calibration(**{key: getattr(config, key) for key in Calibration.model_fields})
        self._pattern: Pattern | None = None
        self._marker: tuple[float, float] | None = None
        self._pressed: list[Key] = []
        self._refresh_hz = 0.0

    @property
    def refresh_hz(self) -> float:
        """Pictures a second of the monitor; 0 where it does not say, and while not open."""
        return self._refresh_hz

    @property
    def raster(self) -> tuple[int, int]:
        """Width and height in pixels, as asked for while not open."""
        if self._window is None:
            return self._config.width, self._config.height
        import glfw

        width, height = glfw.get_framebuffer_size(self._window)
        return width, height

    def open(self) -> None:
        """Raises DeviceLost, naming `window.display`, when there is no display, monitor or OpenGL 3.3."""
        self.close()
        import glfw

        glfw.ERROR_REPORTING = "ignore"  # what went wrong is asked for, and told in DeviceLost
        if not glfw.init():
            raise DeviceLost(f"window.display: no display ({_display_name()}): {_glfw_error()}")
        try:
            self._window = self._create_window(self._find_monitor())
            glfw.make_context_current(self._window)
            glfw.swap_interval(1 if self._config.vsync else 0)
            self._context = self._create_context()
            options = self._config
            self._drawing = Drawing(
                self._context, options.upscale, options.between, options.crop, options.rotation_degrees
            )
            self._drawing.calibrate(self._calibration)
        except DeviceLost:
            glfw.terminate()
            self._window = None
            raise

    def write(self, rgb: NDArray[np.uint8], /, next_rgb: NDArray[np.uint8] | None = None, mix: float = 0.0) -> None:
        """Show uint8 (H, W, 3), or what lies between it and `next_rgb` at `mix` (0..1), with black beside it.

        An array is uploaded when it is not the object of a former write: change a picture by giving a new array.
        Raises DeviceLost when the window was closed, or its monitor disconnected.
        """
        if self._window is None:
            raise DeviceLost("window.display: not open")
        import glfw

        glfw.poll_events()
        if glfw.window_should_close(self._window):
            raise DeviceLost("window.display: the window was closed")
        if self._config.fullscreen and not glfw.get_window_monitor(self._window):
            # GLFW leaves a window behind, on whatever monitor is left, where it would cover another projector's.
            raise DeviceLost(f"window.display: {self._config.display or 'the monitor'} was disconnected")
        assert self._drawing is not None  # the window is open
        has_next = next_rgb is not None and mix > 0.0
        pictures = [rgb, next_rgb] if has_next and next_rgb is not None else [rgb]
        self._drawing.draw(self.raster, pictures, mix if has_next else 0.0, self._pattern, self._marker)
        glfw.swap_buffers(self._window)

    def close(self) -> None:
        if self._window is None:
            return
        import glfw

        self._drawing = None
        self._context.release()
        glfw.destroy_window(self._window)
        glfw.terminate()
        self._window = None

    def calibrate(self, calibration: Calibration) -> None:
        """Draw so from the next write on, also after closing and opening."""
        self._calibration = calibration
        if self._drawing is not None:
            self._drawing.calibrate(calibration)

    def show(self, pattern: Pattern | None, marker: tuple[float, float] | None = None) -> None:
        """Draw a test pattern in place of what is written, and a ring about a place (0..1) in this picture."""
        self._pattern, self._marker = pattern, marker

    @property
    def pattern(self) -> Pattern | None:
        """The test pattern that is drawn in place of what is written."""
        return self._pattern

    def corners(self, picture: tuple[int, int]) -> tuple[Point, Point, Point, Point]:
        """Where the corners of a picture (width, height) are drawn, in shares of the raster, also where none are set.

        Raises DeviceLost when not open.
        """
        if self._drawing is None:
            raise DeviceLost("window.display: not open")
        a, b, c, d = ((float(x), float(y)) for x, y in self._drawing.corners(self.raster, picture))
        return a, b, c, d

    def pressed(self) -> list[Key]:
        """The keys pressed in the window since last asked, oldest first."""
        if self._window is not None:
            import glfw

            glfw.poll_events()  # there may be no picture to write, and so no other occasion
        pressed, self._pressed = self._pressed, []
        return pressed

    def _find_monitor(self) -> Any:
        import glfw

        monitors = {_text(glfw.get_monitor_name(monitor)): monitor for monitor in glfw.get_monitors()}
        if not monitors:
            raise DeviceLost(f"window.display: no monitor at {_display_name()}")
        if self._config.display is None:
            return next(iter(monitors.values()))
        if self._config.display not in monitors:
            raise DeviceLost(f"window.display: {self._config.display} not found; present are {', '.join(monitors)}")
        return monitors[self._config.display]

    def _create_window(self, monitor: Any) -> Any:
        import glfw

        mode = glfw.get_video_mode(monitor)
        for hint, value in (
            (glfw.CONTEXT_VERSION_MAJOR, 3),
            (glfw.CONTEXT_VERSION_MINOR, 3),
            (glfw.OPENGL_PROFILE, glfw.OPENGL_CORE_PROFILE),
            (glfw.REFRESH_RATE, mode.refresh_rate),
            (glfw.AUTO_ICONIFY, False),  # a projector stays on when the operator works on another screen
        ):
            glfw.window_hint(hint, value)
        full = self._config.fullscreen
        width, height = mode.size if full else (self._config.width, self._config.height)
        window = glfw.create_window(width, height, self._config.title, monitor if full else None, None)
        if not window:
            raise DeviceLost(f"window.display: no OpenGL 3.3 window on {_display_name()}: {_glfw_error()}")
        if not full:
            glfw.set_window_pos(window, *glfw.get_monitor_pos(monitor))
        self._refresh_hz = float(mode.refresh_rate)
        glfw.set_input_mode(window, glfw.CURSOR, glfw.CURSOR_HIDDEN)
        glfw.set_key_callback(window, self._key)
        return window

    def _create_context(self) -> Any:
        import moderngl

        try:
            return moderngl.create_context(require=330)
        except Exception as error:  # moderngl raises its own Error or a bare Exception, by what is missing
            raise DeviceLost(f"window.display: no OpenGL 3.3 on {_display_name()}: {error}") from error

    def _key(self, window: Any, key: int, scancode: int, action: int, modifiers: int) -> None:
        del window, scancode
        import glfw

        if action in (glfw.PRESS, glfw.REPEAT) and key in _KEYS:
            self._pressed.append(Key(_KEYS[key], bool(modifiers & glfw.MOD_SHIFT), bool(modifiers & glfw.MOD_CONTROL)))


def _display_name() -> str:
    named = [f"{name}={os.environ[name]}" for name in ("DISPLAY", "WAYLAND_DISPLAY") if os.environ.get(name)]
    return " ".join(named) or "neither DISPLAY nor WAYLAND_DISPLAY is set"


def _glfw_error() -> str:
    import glfw

    _, description = glfw.get_error()
    return _text(description) or "no reason given"


def _text(from_glfw: object) -> str:
    """GLFW's bytes (or nothing), whose stubs say they are strings already."""
    return from_glfw.decode(errors="replace") if isinstance(from_glfw, bytes) else str(from_glfw or "")
