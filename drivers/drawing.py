"""Draws pictures onto a window's raster by OpenGL (ModernGL), as its projector's calibration says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from drivers.calibration import Calibration, Crop
from drivers.flow import Flow
from drivers.geometry import corners_of, fitted, surface
from drivers.patterns import Pattern, pattern
from drivers.shaders import VERTEX_SHADER, fragment_shader
from drivers.upscaling import Upscaling

Picture = NDArray[np.uint8]
Size = tuple[int, int]  # width, height


class _Uploaded:
    """A picture on the card, and the same scaled up once that was asked for."""

    def __init__(self, context: Any) -> None:
        self._context = context
        self._target: Any = None  # a framebuffer
        self._is_scaled = False
        self.picture: Picture | None = None
        self.texture: Any = None

    def take(self, picture: Picture) -> None:
        """Upload a picture in place of the one before."""
        self.picture, self._is_scaled = picture, False
        height, width, _ = picture.shape
        if self.texture is None or self.texture.size != (width, height):
            if self.texture is not None:
                self.texture.release()
            self.texture = self._texture((width, height), 3)
        self.texture.write(np.ascontiguousarray(picture))

    def scaled(self, size: Size, upscaling: Upscaling) -> Any:
        """A texture of that size with the crop of the picture."""
        if self._target is None or self._target.size != size:
            if self._target is not None:
                self._target.color_attachments[0].release()
                self._target.release()
            self._target = self._context.framebuffer([self._texture(size, 4)])
            self._is_scaled = False
        if not self._is_scaled:
            upscaling.scale(self.texture, self._target)
            self._is_scaled = True
        return self._target.color_attachments[0]

    def _texture(self, size: Size, channels: int) -> Any:
        made = self._context.texture(size, channels, alignment=1)
        made.repeat_x = made.repeat_y = False
        return made


def _composed(pictures: Sequence[Picture], mix: float, scaled_to: Size | None) -> Picture:
    """A picture, or two mixed, scaled by cubic interpolation; mixed first, for there are fewer pixels then."""
    import cv2

    picture = pictures[0]
    if mix > 0.0:
        picture = np.asarray(cv2.addWeighted(pictures[0], 1.0 - mix, pictures[1], mix, 0.0), np.uint8)
    if scaled_to is not None:
        picture = np.asarray(cv2.resize(picture, scaled_to, interpolation=cv2.INTER_CUBIC), np.uint8)
    return picture


class Drawing:
    """All that lives on the card for one window: textures, programs and the surface that is drawn."""

    def __init__(
        self,
        context: Any,
        upscale: Literal["linear", "bicubic"],
        between: Literal["auto", "motion", "blend"],
        crop: Crop,
        rotation_degrees: int,
    ) -> None:
        self._context = context  # moderngl.Context
        self._upscale = upscale
        self._crop = crop
        self._rotation_degrees = rotation_degrees
        self._calibration = Calibration()
        self._programs: dict[frozenset[str], Any] = {}
        # Surfaces by what they depend on, each as (vertex buffer, index buffer, vertex arrays by program's flags).
        self._surfaces: dict[tuple[Size, Size, bool, bool], tuple[Any, Any, dict[frozenset[str], Any]]] = {}
        self._upscaling = Upscaling(context, crop) if upscale == "bicubic" else None
        is_moving = between == "motion" or (between == "auto" and not self._is_software)
        self._flow = Flow() if is_moving else None
        # Where the processor draws, OpenCV mixes and scales for a tenth of what the same costs as programs of a card.
        self._composed = _Uploaded(context) if self._is_software and not is_moving and crop == Crop() else None
        self._flow_of: tuple[Picture, Picture] | None = None  # the pictures whose flow is on the card
        self._flow_texture: Any = None
        # The arrays are held with what is on the card, so that their identity stays theirs.
        self._uploaded: list[_Uploaded] = []
        self._patterns: dict[tuple[Pattern, Size, Size], Picture] = {}

    @property
    def _is_software(self) -> bool:
        """Whether the processor draws, which has better things to do than to seek motion."""
        renderer = str(self._context.info["GL_RENDERER"]).lower()
        return any(name in renderer for name in ("llvmpipe", "softpipe", "swiftshader", "software"))

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
            pictures, mix = [self._pattern(shown, area, size)], 0.0
        scaled_to = self._scaled_to(area, size) if shown is None else None
        is_cut = shown is not None or scaled_to is not None  # what is looked up is the crop alone
        if shown is None and self._composed is not None:
            self._composed.take(_composed(pictures, mix, scaled_to))
            textures, mix = [self._composed.texture], 0.0
        else:
            textures = self._textures(pictures, scaled_to)
        for unit, texture in enumerate(textures):
            texture.use(unit)
        is_exact = is_cut or self._is_one_to_one(area, size)
        is_moved = mix > 0.0 and self._flow is not None
        if is_moved:
            self._use_flow(pictures[0], pictures[1])
        flags = self._flags(is_exact, mix > 0.0, is_moved, marker is not None)
        drawn = self._vertex_array(raster, size, is_cut, shown is not None, flags)
        self._set_uniforms(drawn.program, flags, mix, is_cut, marker)
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

    def _scaled_to(self, area: Size, picture: Size) -> Size | None:
        """The size that the crop is scaled to before it is drawn; None where it is drawn as it is."""
        if self._upscaling is None or self._is_one_to_one(area, picture):
            return None
        return area if self._rotation_degrees % 180 == 0 else (area[1], area[0])

    def _flags(self, is_exact: bool, is_blended: bool, is_moved: bool, is_marked: bool) -> frozenset[str]:
        wanted = self._calibration
        edges = wanted.soft_edges
        is_soft = any((edges.left, edges.right, edges.top, edges.bottom))
        flags = {
            # Pixel for pixel no interpolation is needed, and one read gives it exactly.
            "EXACT": is_exact and not is_moved and wanted.corners is None and wanted.mesh is None,
            "BLENDED": is_blended,
            "MOVED": is_moved,
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
        self, program: Any, flags: frozenset[str], mix: float, is_cut: bool, marker: tuple[float, float] | None
    ) -> None:
        edges = self._calibration.soft_edges
        program["now"] = 0
        if "BLENDED" in flags:
            program["next"] = 1
            program["blend"] = mix
        if "MOVED" in flags:
            program["flow"] = 2
            seen = self._crop if is_cut else Crop()
            program["seen"] = (seen.x, seen.y, seen.width, seen.height)
        if "GRADED" in flags:
            program["gain"] = tuple(share ** (1.0 / edges.gamma) for share in self._calibration.gain)
        if "SOFT" in flags:
            program["soft"] = (edges.left, edges.right, edges.top, edges.bottom)
            program["gamma"] = edges.gamma
        if "LIFTED" in flags:
            program["black"] = self._calibration.black_lift
        if marker is not None:
            program["marker"] = marker

    def _pattern(self, name: Pattern, area: Size, world: Size) -> Picture:
        key = (name, area, world)
        if key not in self._patterns:
            edges = self._calibration.soft_edges
            self._patterns = {key: pattern(name, area, world, self._crop, self._rotation_degrees, edges)}
        return self._patterns[key]

    def _use_flow(self, first: Picture, second: Picture) -> None:
        """Have the motion between two pictures on the card; sought once for all the times they are drawn."""
        assert self._flow is not None  # asked for only where motion is
        if self._flow_of is None or self._flow_of[0] is not first or self._flow_of[1] is not second:
            motion = self._flow.between(first, second)
            size = motion.shape[1], motion.shape[0]
            if self._flow_texture is None or self._flow_texture.size != size:
                self._flow_texture = self._context.texture(size, 2, dtype="f4")
                self._flow_texture.repeat_x = self._flow_texture.repeat_y = False
            self._flow_texture.write(motion)
            self._flow_of = (first, second)
        self._flow_texture.use(2)

    def _textures(self, pictures: Sequence[Picture], scaled_to: Size | None) -> list[Any]:
        """The pictures' textures, scaled where asked; those of pictures not shown now are used for what is new."""
        spare = [held for held in self._uploaded if not any(held.picture is picture for picture in pictures)]
        kept = [held for held in self._uploaded if any(held.picture is picture for picture in pictures)]
        for picture in pictures:
            if any(held.picture is picture for held in kept):
                continue
            held = spare.pop() if spare else _Uploaded(self._context)
            held.take(picture)
            kept.append(held)
        self._uploaded = kept + spare
        shown = [next(held for held in kept if held.picture is picture) for picture in pictures]
        if scaled_to is None or self._upscaling is None:
            return [held.texture for held in shown]
        return [held.scaled(scaled_to, self._upscaling) for held in shown]

    def _vertex_array(self, raster: Size, picture: Size, is_cut: bool, is_turned: bool, flags: frozenset[str]) -> Any:
        """The surface for a picture; `is_cut` where the crop was taken already, `is_turned` where it was turned too."""
        key = (raster, picture, is_cut, is_turned)
        if key not in self._surfaces:
            if len(self._surfaces) > 4:
                self._forget_surfaces()
            crop, degrees = Crop() if is_cut else self._crop, 0 if is_turned else self._rotation_degrees
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
