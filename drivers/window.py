"""A projector: a window that shows a blend of two pictures, scaled by the graphics card (GLFW and ModernGL)."""

from __future__ import annotations

import os
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from drivers.base import Clock, DeviceLost, DriverConfig

_VERTEX_SHADER = """
#version 330
in vec2 corner;
out vec2 place;
void main() {
    place = vec2(corner.x * 0.5 + 0.5, 0.5 - corner.y * 0.5);  // pictures start at the top, OpenGL at the bottom
    gl_Position = vec4(corner, 0.0, 1.0);
}
"""

# Catmull-Rom in nine linear reads instead of sixteen (the two middle weights of an axis share one read).
# What a draw does not need is compiled out: software renderers compute both sides of a branch.
_FRAGMENT_SHADER = """
#version 330
#define BICUBIC IS_BICUBIC
#define BLENDED IS_BLENDED
uniform sampler2D now;
uniform sampler2D next;
uniform float blend;
in vec2 place;
out vec4 colour;

vec3 catmull_rom(sampler2D picture) {
    vec2 size = vec2(textureSize(picture, 0));
    vec2 position = place * size;
    vec2 centre = floor(position - 0.5) + 0.5;
    vec2 f = position - centre;
    vec2 w0 = f * (-0.5 + f * (1.0 - 0.5 * f));
    vec2 w1 = 1.0 + f * f * (-2.5 + 1.5 * f);
    vec2 w2 = f * (0.5 + f * (2.0 - 1.5 * f));
    vec2 w3 = f * f * (-0.5 + 0.5 * f);
    vec2 w12 = w1 + w2;
    vec2 p0 = (centre - 1.0) / size;
    vec2 p12 = (centre + w2 / w12) / size;
    vec2 p3 = (centre + 2.0) / size;
    vec3 sum = vec3(0.0);
    sum += texture(picture, vec2(p0.x, p0.y)).rgb * w0.x * w0.y;
    sum += texture(picture, vec2(p12.x, p0.y)).rgb * w12.x * w0.y;
    sum += texture(picture, vec2(p3.x, p0.y)).rgb * w3.x * w0.y;
    sum += texture(picture, vec2(p0.x, p12.y)).rgb * w0.x * w12.y;
    sum += texture(picture, vec2(p12.x, p12.y)).rgb * w12.x * w12.y;
    sum += texture(picture, vec2(p3.x, p12.y)).rgb * w3.x * w12.y;
    sum += texture(picture, vec2(p0.x, p3.y)).rgb * w0.x * w3.y;
    sum += texture(picture, vec2(p12.x, p3.y)).rgb * w12.x * w3.y;
    sum += texture(picture, vec2(p3.x, p3.y)).rgb * w3.x * w3.y;
    return clamp(sum, 0.0, 1.0);
}

vec3 look_up(sampler2D picture) {
#if BICUBIC
    return catmull_rom(picture);
#else
    return texture(picture, place).rgb;
#endif
}

void main() {
    vec3 shown = look_up(now);
#if BLENDED
    shown = mix(shown, look_up(next), blend);
#endif
    colour = vec4(shown, 1.0);
}
"""


class WindowConfig(DriverConfig):
    """Options of the kind `window`."""

    display: str | None = Field(
        default=None, description="the monitor's name, as `xrandr --listmonitors` has it; else first"
    )
    fullscreen: bool = Field(default=False, description="fill the monitor at its own size and rate")
    width: int = Field(default=1280, ge=16, description="pixels of a window that is not full screen")
    height: int = Field(default=720, ge=16, description="pixels of a window that is not full screen")
    title: str = Field(default="oysterd", description="what a window manager shows")
    upscale: Literal["linear", "bicubic"] = Field(default="bicubic", description="bicubic is sharper, linear cheaper")
    vsync: bool = Field(default=True, description="a write waits for the projector's next picture")


class Window:
    """A sink of uint8 (H, W, 3) pictures. One in a process: GLFW's state is the process's own."""

    def __init__(self, config: WindowConfig, clock: Clock) -> None:
        del clock  # the projector's refresh is its clock
        self._config = config
        self._window: Any = None
        self._context: Any = None  # moderngl.Context
        self._corners: Any = None
        self._drawers: dict[tuple[bool, bool], Any] = {}  # (bicubic, blended) → vertex array with its program
        # The pictures on the card with their textures; the arrays are held, so that identity stays theirs.
        self._uploaded: list[tuple[NDArray[np.uint8], Any]] = []

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
            self._corners = self._context.buffer(np.array([-1, -1, 1, -1, -1, 1, 1, 1], dtype=np.float32))
        except DeviceLost:
            glfw.terminate()
            self._window = None
            raise

    def write(self, rgb: NDArray[np.uint8], /, next_rgb: NDArray[np.uint8] | None = None, mix: float = 0.0) -> None:
        """Show uint8 (H, W, 3), blended with `next_rgb` by `mix` (0..1), black beside it where shapes differ.

        An array is uploaded when it is not the object of a former write: change a picture by giving a new array.
        Raises DeviceLost when the window was closed.
        """
        if self._window is None:
            raise DeviceLost("window.display: not open")
        import glfw

        glfw.poll_events()
        if glfw.window_should_close(self._window):
            raise DeviceLost("window.display: the window was closed")
        has_next = next_rgb is not None and mix > 0.0
        wanted = [rgb, next_rgb] if has_next and next_rgb is not None else [rgb]
        textures = self._textures(wanted)
        self._draw(textures, mix if has_next else 0.0)
        glfw.swap_buffers(self._window)

    def close(self) -> None:
        if self._window is None:
            return
        import glfw

        self._uploaded = []
        self._drawers = {}
        self._context.release()
        glfw.destroy_window(self._window)
        glfw.terminate()
        self._window = None

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
        glfw.set_input_mode(window, glfw.CURSOR, glfw.CURSOR_HIDDEN)
        return window

    def _create_context(self) -> Any:
        import moderngl

        try:
            return moderngl.create_context(require=330)
        except Exception as error:  # moderngl raises its own Error or a bare Exception, by what is missing
            raise DeviceLost(f"window.display: no OpenGL 3.3 on {_display_name()}: {error}") from error

    def _textures(self, pictures: list[NDArray[np.uint8]]) -> list[Any]:
        """The pictures' textures; those of pictures not shown now are used for what is new."""
        spare = [entry for entry in self._uploaded if not any(entry[0] is picture for picture in pictures)]
        kept = [entry for entry in self._uploaded if any(entry[0] is picture for picture in pictures)]
        for picture in pictures:
            if any(entry[0] is picture for entry in kept):
                continue
            height, width, _ = picture.shape
            texture = spare.pop()[1] if spare else None
            if texture is None or texture.size != (width, height):
                if texture is not None:
                    texture.release()
                texture = self._context.texture((width, height), 3, alignment=1)
                texture.repeat_x = texture.repeat_y = False
            texture.write(np.ascontiguousarray(picture))
            kept.append((picture, texture))
        self._uploaded = kept + spare
        return [next(texture for array, texture in kept if array is picture) for picture in pictures]

    def _draw(self, textures: list[Any], blend: float) -> None:
        import glfw

        width, height = glfw.get_framebuffer_size(self._window)
        picture_width, picture_height = textures[0].size
        scale = min(width / picture_width, height / picture_height)
        shown = (round(picture_width * scale), round(picture_height * scale))
        self._context.screen.use()
        self._context.viewport = (0, 0, width, height)
        self._context.clear(0.0, 0.0, 0.0)
        self._context.viewport = ((width - shown[0]) // 2, (height - shown[1]) // 2, *shown)
        # At its own size a picture needs no interpolation, and one read gives it exactly.
        bicubic = self._config.upscale == "bicubic" and shown != textures[0].size
        drawer = self._drawer(bicubic, blended=blend > 0.0)
        textures[0].use(0)
        drawer.program["now"] = 0
        if blend > 0.0:
            textures[-1].use(1)
            drawer.program["next"] = 1
            drawer.program["blend"] = blend
        drawer.render(mode=self._context.TRIANGLE_STRIP)

    def _drawer(self, bicubic: bool, blended: bool) -> Any:
        if (bicubic, blended) not in self._drawers:
            fragment_shader = _FRAGMENT_SHADER.replace("IS_BICUBIC", str(int(bicubic)))
            fragment_shader = fragment_shader.replace("IS_BLENDED", str(int(blended)))
            program = self._context.program(vertex_shader=_VERTEX_SHADER, fragment_shader=fragment_shader)
            self._drawers[bicubic, blended] = self._context.simple_vertex_array(program, self._corners, "corner")
        return self._drawers[bicubic, blended]


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
