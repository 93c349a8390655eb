"""Draws pictures onto a window's raster by OpenGL (ModernGL), as its projector's calibration says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from drivers.calibration import Calibration, Crop
from drivers.geometry import corners_of, fitted, surface, world_places
from drivers.patterns import Pattern, pattern
from drivers.shaders import VERTEX_SHADER, fragment_shader

Picture = NDArray[np.uint8]
Size = tuple[int, int]  # width, height


class Drawing:
    """All that lives on the card for one window: textures, programs and the surface that is drawn."""

    def __init__(self, context: Any, upscale: Literal["linear", "bicubic"], crop: Crop, rotation_degrees: int) -> None:
        self._context = context  # moderngl.Context
        self._upscale = upscale
        self._crop = crop
        self._rotation_degrees = rotation_degrees
        self._calibration = Calibration()
        self._programs: dict[frozenset[str], Any] = {}
        # Surfaces by what they depend on, each as (vertex buffer, index buffer, vertex arrays by program's flags).
        self._surfaces: dict[tuple[Size, Size, bool], tuple[Any, Any, dict[frozenset[str], Any]]] = {}
        # The pictures on the card with their textures; the arrays are held, so that identity stays theirs.
        self._uploaded: list[tuple[Picture, Any]] = []
        self._patterns: dict[tuple[Pattern, Size], Picture] = {}

    def calibrate(self, calibration: Calibration) -> None:
        """Draw so from now on."""
        self._calibration = calibration
        self._patterns.clear()
        self._forget_surfaces()

    def draw(
        self,
        raster: Size,
        pictures: Sequence[Picture],
        mix: float = 0.0,
        shown: Pattern | None = None,
        marker: tuple[float, float] | None = None,
    ) -> None:
        """Draw one or two pictures uint8 (H, W, 3), the second mixed in by `mix` (0..1), or a pattern in their shape.

        `marker` is a place in this projector's picture, 0..1 from the top left, that is ringed.
        """
        size = pictures[0].shape[1], pictures[0].shape[0]
        area = self._area_px(raster, size)
        if shown is not None:
            pictures, mix = [self._pattern(shown, area)], 0.0
        textures = self._textures(pictures)
        flags = self._flags(raster, area, size, shown is not None, mix > 0.0, marker is not None)
        drawn = self._vertex_array(raster, size, shown is not None, flags)
        self._set_uniforms(drawn.program, flags, mix, marker)
        for unit, texture in enumerate(textures):
            texture.use(unit)
        self._context.screen.use()
        self._context.viewport = (0, 0, *raster)
        self._context.clear(0.0, 0.0, 0.0)
        drawn.render(mode=self._context.TRIANGLES)

    def corners(self, raster: Size, picture: Size) -> NDArray[np.float64]:
        """Where the corners (4, 2) of a picture of that size are drawn, in shares of the raster."""
        if self._calibration.corners is not None:
            return np.array(self._calibration.corners)
        width, height = self._shape(picture)
        return corners_of(fitted(raster, (width, height)))

    def _shape(self, picture: Size) -> tuple[float, float]:
        """Width and height in the picture's pixels of what is shown of it, turned."""
        width, height = picture[0] * self._crop.width, picture[1] * self._crop.height
        return (width, height) if self._rotation_degrees % 180 == 0 else (height, width)

    def _area_px(self, raster: Size, picture: Size) -> Size:
        """Pixels of the raster that the picture takes, bent or not."""
        if self._calibration.corners is not None:
            return raster
        left, top, right, bottom = fitted(raster, self._shape(picture))
        return max(round((right - left) * raster[0]), 16), max(round((bottom - top) * raster[1]), 16)

    def _flags(
        self, raster: Size, area: Size, picture: Size, is_pattern: bool, is_blended: bool, is_marked: bool
    ) -> frozenset[str]:
        wanted = self._calibration
        is_straight = wanted.corners is None and wanted.mesh is None
        is_exact = is_straight and (is_pattern or self._is_one_to_one(area, picture))
        edges = wanted.soft_edges
        is_soft = any((edges.left, edges.right, edges.top, edges.bottom))
        flags = {
            # At its own size a picture needs no interpolation, and one read gives it exactly.
            "EXACT": is_exact,
            "BICUBIC": self._upscale == "bicubic" and not is_exact and not is_pattern,
            "BLENDED": is_blended,
            "GRADED": wanted.gain != (1.0, 1.0, 1.0),
            "SOFT": is_soft,
            "LIFTED": is_soft and wanted.black_lift > 0.0,  # without an overlap there is nothing to level
            "MARKED": is_marked,
        }
        return frozenset(flag for flag, is_set in flags.items() if is_set)

    def _is_one_to_one(self, area: Size, picture: Size) -> bool:
        """Whether each pixel of the raster shows just one of the picture."""
        shape = self._shape(picture)
        edges = (self._crop.x * picture[0], self._crop.y * picture[1], *shape)
        return area == (round(shape[0]), round(shape[1])) and all(abs(edge - round(edge)) < 1e-3 for edge in edges)

    def _set_uniforms(
        self, program: Any, flags: frozenset[str], mix: float, marker: tuple[float, float] | None
    ) -> None:
        edges = self._calibration.soft_edges
        program["now"] = 0
        if "BLENDED" in flags:
            program["next"] = 1
            program["blend"] = mix
        if "GRADED" in flags:
            program["gain"] = tuple(share ** (1.0 / edges.gamma) for share in self._calibration.gain)
        if "SOFT" in flags:
            program["soft"] = (edges.left, edges.right, edges.top, edges.bottom)
            program["gamma"] = edges.gamma
        if "LIFTED" in flags:
            program["black"] = self._calibration.black_lift
        if marker is not None:
            program["marker"] = marker

    def _pattern(self, name: Pattern, area: Size) -> Picture:
        if (name, area) not in self._patterns:
            edges = self._calibration.soft_edges
            at = world_places(area, self._crop, self._rotation_degrees)
            self._patterns = {(name, area): pattern(name, at, (edges.left, edges.right, edges.top, edges.bottom))}
        return self._patterns[name, area]

    def _textures(self, pictures: Sequence[Picture]) -> list[Any]:
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

    def _vertex_array(self, raster: Size, picture: Size, is_pattern: bool, flags: frozenset[str]) -> Any:
        key = (raster, picture, is_pattern)
        if key not in self._surfaces:
            if len(self._surfaces) > 4:
                self._forget_surfaces()
            # A pattern is drawn for this projector alone, so that it is cropped and turned already.
            crop, degrees = (Crop(), 0) if is_pattern else (self._crop, self._rotation_degrees)
            made = surface(self.corners(raster, picture), self._calibration.mesh, crop, degrees)
            vertices = self._context.buffer(made.vertices.tobytes())
            triangles = self._context.buffer(made.triangles.tobytes())
            self._surfaces[key] = (vertices, triangles, {})
        vertices, triangles, arrays = self._surfaces[key]
        if flags not in arrays:
            if flags not in self._programs:
                self._programs[flags] = self._context.program(
                    vertex_shader=VERTEX_SHADER, fragment_shader=fragment_shader(flags)
                )
            program = self._programs[flags]
            # What a program does not read is left out of it, and must be skipped in the buffer.
            layout, names = [], []
            for name, size in (("spot", 3), ("where", 2), ("from", 2)):
                is_read = name in program
                layout.append(f"{size}f" if is_read else f"{4 * size}x")
                names += [name] if is_read else []
            arrays[flags] = self._context.vertex_array(program, [(vertices, " ".join(layout), *names)], triangles)
        return arrays[flags]

    def _forget_surfaces(self) -> None:
        for vertices, triangles, arrays in self._surfaces.values():
            for item in (*arrays.values(), vertices, triangles):
                item.release()
        self._surfaces.clear()
