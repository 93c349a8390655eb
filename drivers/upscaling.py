"""Scales a picture up by Catmull-Rom on the graphics card, once for all the times it is drawn.

First across, then down: four reads a pixel and pass instead of sixteen. Drawn anew for each refresh of the display the
same would cost a software renderer several times as much.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from drivers.calibration import Crop

Size = tuple[int, int]  # width, height

_VERTEX_SHADER = """
#version 330
in vec2 corner;
void main() { gl_Position = vec4(corner, 0.0, 1.0); }
"""

# Rows of a target stand as those of its source do, the first at OpenGL's bottom, so nothing is turned over.
_FRAGMENT_SHADER = """
#version 330
uniform sampler2D source;
uniform int axis;
uniform float start;  // where the target begins, in pixels of the source along the axis
uniform float scale;  // pixels of the source to one of the target
out vec4 colour;

vec3 fetch(int along, int beside, int last) {
    along = clamp(along, 0, last);
    return texelFetch(source, axis == 0 ? ivec2(along, beside) : ivec2(beside, along), 0).rgb;
}

void main() {
    float position = start + gl_FragCoord[axis] * scale - 0.5;
    int first = int(floor(position));
    float f = position - floor(position);
    int beside = int(gl_FragCoord[1 - axis]);
    int last = textureSize(source, 0)[axis] - 1;
    vec3 sum = fetch(first - 1, beside, last) * (f * (-0.5 + f * (1.0 - 0.5 * f)));
    sum += fetch(first, beside, last) * (1.0 + f * f * (-2.5 + 1.5 * f));
    sum += fetch(first + 1, beside, last) * (f * (0.5 + f * (2.0 - 1.5 * f)));
    sum += fetch(first + 2, beside, last) * (f * f * (-0.5 + 0.5 * f));
    colour = vec4(sum, 1.0);
}
"""


class Upscaling:
    """The passes, for one context and one crop."""

    def __init__(self, context: Any, crop: Crop) -> None:
        self._context = context  # moderngl.Context
        self._crop = crop
        self._program = context.program(vertex_shader=_VERTEX_SHADER, fragment_shader=_FRAGMENT_SHADER)
        corners = context.buffer(np.array([-1, -1, 1, -1, -1, 1, 1, 1], dtype=np.float32).tobytes())
        self._quad = context.vertex_array(self._program, [(corners, "2f", "corner")])
        self._across: Any = None  # the framebuffer between the passes; signed, for what overshoots is needed

    def scale(self, texture: Any, target: Any) -> None:
        """Draw the crop of a texture over the whole of `target`, a framebuffer."""
        width, height = texture.size
        between = (target.size[0], height)
        if self._across is None or self._across.size != between:
            if self._across is not None:
                self._across.color_attachments[0].release()
                self._across.release()
            self._across = self._context.framebuffer([self._context.texture(between, 4, dtype="f2")])
        self._pass(0, texture, self._across, self._crop.x * width, self._crop.width * width)
        self._pass(1, self._across.color_attachments[0], target, self._crop.y * height, self._crop.height * height)

    def _pass(self, axis: int, source: Any, target: Any, start: float, length: float) -> None:
        target.use()
        self._context.viewport = (0, 0, *target.size)
        source.use(0)
        self._program["source"] = 0
        self._program["axis"] = axis
        self._program["start"] = start
        self._program["scale"] = length / target.size[axis]
        self._quad.render(mode=self._context.TRIANGLE_STRIP)
