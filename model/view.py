"""The view: what a world's latent field looks like from where the visitor stands, learnt from the diorama's pictures.

Every column of a picture is a ray over the field. A network tells, for a hundred and more points along it, how high
something stands there and what it looks like under the conditions of the moment; what hides what follows from the
heights, as in volume rendering of neural fields (Mildenhall et al. 2020; over a ground plan: Chai et al. 2023,
"Persistent Nature"). Other networks tell the colours of the sky, what falls through the picture, what visitors stir
and the walker. All of it is a function of field, camera, conditions and a few running phases: the same
place looks the same when one comes back to it, and a picture may have any size.

Nothing here was drawn by hand: no height, colour or shape stands in this file, only where to look.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.camera import (
    EYE_M,
    FIELD_OF_VIEW_RAD,
    GRASS_RAD_S,
    GRASS_X,
    GRASS_Y,
    HORIZON,
    MOON_AZIMUTH_RAD,
    MOON_RAD,
    NEAREST_M,
    SUN_AZIMUTH_RAD,
    SWAY_RAD_S,
    SWAY_X,
    WAVE_PER_M,
    distances,
)
from model.conditions import ENVIRONMENT
from model.diorama.places import COLUMN, TABLE
from model.field import DETAIL_CELL_M, FINE_CELL_M, LAND_CELL_M, SIZE
from model.overlay import Overlay
from model.preset import Preset
from model.shading import TOLD, Moment, Shader, Textures, features, nearest, sample, texels

_SUN = ENVIRONMENT.index("sun_rad")
_LEAK = 0.1  # so that trees which stand too low, most stand nowhere, can still grow
_NEAREST_AT_MOST_M = 6.0  # where a view begins that looks at the sky
_SKY_COARSE = 2  # a running world's sky is soft


@dataclass
class Land:
    """What the rays meet: each (B, C, K) over columns and distances."""

    distance: Tensor  # m, (K,)
    ground: Tensor  # m, be it under water
    surface: Tensor  # m, of what is seen
    colour: Tensor  # (B, C, K, 3); in a running world only where the surface is not hidden


@dataclass
class _Points:
    """Points of the rays and what the field and the networks say of them so far, each (B, …)."""

    x: Tensor  # m
    y: Tensor
    u: Tensor  # texels of the detail
    v: Tensor
    distance: Tensor  # m
    off_sun: Tensor  # bearing from the sun's, squared
    land: Tensor  # (B, …, 4), samples of the field
    crown: Tensor
    rank: Tensor
    grain: Tensor
    ground: Tensor  # m
    tall: Tensor  # m, of what stands there
    depth: Tensor  # m, under water
    crest: Tensor  # sine and cosine of the waves that run to a shore
    trough: Tensor

    def at(self, index: Tensor) -> _Points:
        """Some points of one moment, (1, n), by their numbers in reading order."""
        taken = {}
        for name, value in vars(self).items():
            if name == "land":
                taken[name] = value.flatten(0, -2).index_select(0, index)[None]
            else:
                taken[name] = value.expand(self.x.shape).reshape(-1).take(index)[None]
        return _Points(**taken)


class View(nn.Module):
    """Field, camera and conditions to pictures."""

    distance: Tensor
    sea_places: Tensor

    def __init__(self, preset: Preset) -> None:
        super().__init__()
        self.preset = preset
        self.register_buffer("sea_places", torch.from_numpy(TABLE[:, COLUMN["sea"]].copy()), persistent=False)
        told, w = 128, preset.view_width
        self.register_buffer("distance", torch.from_numpy(distances(preset.view_looks)), persistent=False)
        self.tell = nn.Sequential(nn.Linear(TOLD, told), nn.SiLU(), nn.Linear(told, told), nn.SiLU())
        self.level = nn.Linear(told, 2)  # of the water, and how high it swells
        self.light = nn.Linear(told, 6)  # from all round, and what a surface adds of its own measure
        with torch.no_grad():
            self.light.bias.copy_(torch.tensor([0.6, 0.6, 0.6, 0.3, 0.3, 0.3]))
        self.ground = Shader(8, 1, preset.ground_width, 2, told)
        self.stands = Shader(6, 1, preset.ground_width, 2, told)
        self.surface = Shader(28, 5, w, 3, told)
        self.sky = Shader(16, 3, w, 3, told)
        self.overlay = Overlay(told)

    # --- land ---

    def _ground(self, land: Tensor, seaward: Tensor, distance: Tensor, told: Tensor) -> Tensor:
        """Height in m (B, …) of bare ground from land samples (B, …, 4), distance seaward in m (B, …)."""
        sea = seaward + 14 * land[..., 0] + 3 * land[..., 3]
        looks = [(distance.log() / 4).expand_as(sea), (distance / 1000).clamp(max=2).expand_as(sea)]
        x = features([*land.unbind(-1), sea / 40, (sea / 100).clamp(-1.2, 2.5), *looks])
        return self.ground(x, told).float().view(seaward.shape) * 40

    def _relief(
        self, textures: Textures, moment: Moment, across: Tensor, distance: Tensor, told: Tensor
    ) -> tuple[_Points, Tensor]:
        """Points along the rays of columns `across` (B, C), at distances (K,), and heights seen there, (B, C, K)."""
        yaw = moment.camera[:, 3:4].float()
        dx, dy = yaw.sin() + yaw.cos() * across, yaw.cos() - yaw.sin() * across
        x = moment.camera[:, 0, None, None].float() + dx[..., None] * distance
        y = moment.camera[:, 1, None, None].float() + dy[..., None] * distance
        shore = moment.shore.float()[:, :, None, None]
        seaward = (x - shore[:, 0]) * shore[:, 2].sin() + (y - shore[:, 1]) * shore[:, 2].cos()
        land = sample(textures.land, moment.world.view(-1, 1, 1) * SIZE * SIZE, x / LAND_CELL_M, y / LAND_CELL_M)
        shift = textures.shift[moment.world]
        u = (x + shift[:, 0, None, None]) / DETAIL_CELL_M
        v = (y + shift[:, 1, None, None]) / DETAIL_CELL_M
        detail = sample(textures.detail, 0, u, v)
        rank = nearest(textures.detail, u, v)[..., 1]
        with torch.autocast(x.device.type, enabled=False):  # a mountain's height needs more than eight bits
            told = told.float()
            ground = self._ground(land, seaward, distance, told)
            level, swell = self.level(told).unbind(1)
            level, swell = level.view(-1, 1, 1) * 10, F.softplus(swell).view(-1, 1, 1) * 0.3
            looks = [(distance.log() / 4).expand_as(ground), (distance / 40).clamp(max=2).expand_as(ground)]
            stands = features([detail[..., 0], rank, land[..., 3], ground / 40, *looks])
            height = self.stands(stands, told).float().view_as(ground)
        # Nothing stands where no crown is; under water nothing stands either.
        tall = 10 * F.leaky_relu(height, _LEAK) * (detail[..., 0] > 0)
        depth = (level - ground).clamp(min=0)
        # Waves run where a sea is, or comes; nothing else needs them.
        if bool((moment.place @ self.sea_places).any()):
            wave = seaward * WAVE_PER_M + (moment.phases[:, 2] % 1).float()[:, None, None] * (2 * math.pi)
            wave = wave + 1.3 * land[..., 3]
            sea = (moment.place @ self.sea_places > 0).float()[:, None, None]
            crest, trough = wave.sin() * sea, wave.cos() * sea
        else:
            crest = trough = torch.zeros_like(ground)
        surface = torch.where(depth > 0, level + swell * crest * (depth * 0.5).clamp(max=1), ground + tall)
        azimuth = yaw + across.atan() - SUN_AZIMUTH_RAD
        square = torch.atan2(azimuth.sin(), azimuth.cos()).square()[..., None]
        points = _Points(
            x, y, u, v, distance, square, land, detail[..., 0], rank, detail[..., 2],
            ground, tall, depth, crest, trough,
        )  # fmt: skip
        return points, surface

    def _colours(self, textures: Textures, moment: Moment, at: _Points, told: Tensor) -> tuple[Tensor, Tensor]:
        """What points look like near by, (B, …, 3), and how much of them distance veils, (B, …, 1)."""
        b, wide = len(told), at.ground.ndim - 1

        def each(values: Tensor) -> Tensor:  # (B,) beside the points
            return values.view(b, *[1] * wide)

        distance = at.distance
        gap = 3.0 + 0.02 * distance
        ahead_x, ahead_y = at.x + gap * math.sin(SUN_AZIMUTH_RAD), at.y + gap * math.cos(SUN_AZIMUTH_RAD)
        base = each(moment.world) * SIZE * SIZE
        ahead = sample(textures.land, base, ahead_x / LAND_CELL_M, ahead_y / LAND_CELL_M)
        # How the field changes towards the sun: what it means for the light the network knows.
        change = (ahead - at.land) * (8 / gap[..., None])
        fine = sample(textures.grain, 0, at.x / FINE_CELL_M, at.y / FINE_CELL_M) * (1.2 - distance / 38).clamp(0, 1)
        bloom = sample(textures.bloom, 0, at.u * 2.3, at.v * 2.3) * (1.25 - distance / 90).clamp(0, 1)
        clock, wet = moment.phases[:, 0], at.depth > 0
        if bool(wet.any()):
            run_u, run_v = each(((clock * 1.5) % SIZE).float()), each(((clock * 0.8) % SIZE).float())
            ripple = sample(textures.grain, 0, at.x * 1.1 + run_u, at.y * 1.1 - run_v)
            ripple = ripple * wet / (1 + distance * 0.012)
        else:
            ripple = torch.zeros_like(at.ground)
        sway = each(((clock * SWAY_RAD_S) % (2 * math.pi)).float()) + at.x * SWAY_X
        grass = each(((clock * GRASS_RAD_S) % (2 * math.pi)).float()) + at.x * GRASS_X + at.y * GRASS_Y
        level = each(self.level(told).float()[:, 0]) * 10
        inputs = features(
            [
                part.expand_as(at.ground)
                for part in (
                    *at.land.unbind(-1), at.crown, at.rank, at.grain * (1.4 - distance / 160).clamp(0, 1), bloom, fine,
                    ripple, at.crest, at.trough, wet.float(), at.depth.clamp(max=8) / 4,
                    (-at.depth * 2).exp(), ((at.ground - level) / 2).clamp(-2, 2), at.ground / 40, at.tall / 10,
                    *change.unbind(-1), (-1.6 * at.off_sun).exp(), (-14 * at.off_sun).exp(),
                    distance.log() / 4, 1 / (1 + distance * 0.028), sway.sin(), grass.sin(),
                )
            ]
        )  # fmt: skip
        given = self.surface(inputs, told).float().view(*at.ground.shape, 5)
        around, direct = self.light(told).float().view(b, *[1] * wide, 6).chunk(2, -1)
        return (given[..., :3] + 0.4) * (around + direct * given[..., 4:]), torch.sigmoid(given[..., 3:4])

    def land(
        self, textures: Textures, moment: Moment, across: Tensor, distance: Tensor, told: Tensor, far: Tensor
    ) -> Land:
        """What rays of columns `across` (B, C) meet at distances (K,); far (B, C, 3): the colour they fade into."""
        points, surface = self._relief(textures, moment, across, distance, told)
        far = far[:, :, None].expand(*surface.shape, 3)
        if len(told) > 1 or torch.is_grad_enabled():
            colour, veil = self._colours(textures, moment, points, told)
            return Land(distance, points.ground, surface, colour + veil * (far - colour))
        # What nearer land hides needs no colour.
        rise = (surface - moment.camera[:, 2].float()[:, None, None]) / distance
        shown = rise >= F.pad(rise.cummax(-1).values[..., :-1], (1, 0), value=-torch.inf)
        at = shown.flatten().nonzero()[:, 0]
        colour, veil = self._colours(textures, moment, points.at(at), told)
        colour = colour + veil * (far.reshape(-1, 3).index_select(0, at) - colour)
        whole = torch.zeros(surface.numel(), 3, device=surface.device).index_copy_(0, at, colour[0])
        return Land(distance, points.ground, surface, whole.view(*surface.shape, 3))

    def meet(self, land: Land, eye: Tensor, slope: Tensor, focal_px: float) -> tuple[Tensor, Tensor, Tensor]:
        """Colour (B, C, R, 3), distance in m and cover (B, C, R) of land where lines of sight `slope` (B, R) meet it.

        eye (B,): the camera's height in m. What the nearest surface that rises above the line hides is not seen.
        """
        b, c, looks = land.surface.shape
        rise = (land.surface - eye[:, None, None]) / land.distance
        edge = rise.cummax(-1).values
        wanted = slope[:, None].expand(b, c, -1).contiguous()
        with torch.no_grad():
            # Above the last edge, whose colour its soft border takes, there is sky.
            at = torch.searchsorted(edge.contiguous(), torch.minimum(wanted, edge[..., -1:]))
        before = (at - 1).clamp(min=0)
        low, high = edge.gather(2, before), edge.gather(2, at)
        # Between two neighbouring points of the same surface colours blend; across a silhouette they must not.
        flat = eye[:, None, None].clamp(min=0.5) * (1 / land.distance[before] - 1 / land.distance[at]).clamp(min=1e-6)
        over = torch.minimum(high - low, torch.maximum(1.5 * flat, flat.new_tensor(1.0 / focal_px)))
        joined = rise.gather(2, before) >= low
        share = ((wanted - low) / over.clamp(min=1e-6)).clamp(0, 1)
        share = torch.where(joined & (at > 0), share, 1.0)
        colours = land.colour.flatten(0, 2)
        row = (torch.arange(b * c, device=at.device) * looks).view(b, c, 1)
        colour = torch.lerp(texels(colours, row + before), texels(colours, row + at), share[..., None])
        # How much of the pixel's height the land's last edge leaves to the sky.
        cover = ((edge[..., -1:] - wanted) * focal_px + 0.5).clamp(0, 1)
        depth = torch.lerp(torch.take(land.distance, before), torch.take(land.distance, at), share)
        return colour, depth, cover

    # --- sky ---

    def sky_at(self, textures: Textures, moment: Moment, across: Tensor, tangent: Tensor, told: Tensor) -> Tensor:
        """Colours (B, N, 3) of the sky in directions: tangents `across` and up, both (B, N)."""
        yaw = moment.camera[:, 3:4].float()
        azimuth = yaw + across.atan()
        up = tangent / (1 + across.square()).sqrt()
        sun = moment.environment[:, _SUN : _SUN + 1]

        def away(bearing: float) -> Tensor:
            return torch.atan2((azimuth - bearing).sin(), (azimuth - bearing).cos())

        off_sun, off_moon = away(SUN_AZIMUTH_RAD), away(MOON_AZIMUTH_RAD)
        rise = torch.where(sun < 1.2, sun.clamp(max=1.2).tan() * 0.9, -9.0 + up)
        d = off_sun.square() + (up - rise).square()
        m = off_moon.square() + (up - MOON_RAD).square()
        over = 1 / (up.clamp(min=0.004) + 0.09)
        drift = (moment.phases[:, 1] % SIZE).float()[:, None]
        cu, cv = azimuth.sin() * over * 15 + drift, azimuth.cos() * over * 15
        cloud = sample(textures.cloud, 0, cu, cv)
        wisp = sample(textures.wisp, 0, cu * 2.3 + 90, cv * 2.3) * (up * 5).clamp(0, 1)
        star = sample(textures.star, 0, azimuth * (SIZE / math.pi), up * 160)
        inputs = features(
            [
                up, up.clamp(min=0).mul(1.25).clamp(max=1).sqrt(), (-9 * up.clamp(min=0)).exp(), (up * 9).clamp(0, 1),
                cloud + 0.34 * wisp, wisp, star, (-1.6 * off_sun.square()).exp(), (-30 * d).exp(), (-5 * d).exp(),
                (-4 * d).exp() * cloud, ((0.0034 - d) * 900).clamp(0, 1), (-300 * d).exp(),
                ((0.0022 - m) * 1500).clamp(0, 1), (-28 * m).exp(), (up < 0.004).float(),
            ]
        )  # fmt: skip
        return self.sky(inputs, told).float()

    # --- whole ---

    def columns(
        self, textures: Textures, moment: Moment, u: Tensor, v: Tensor, aspect: float, pixel: float, coarse: int = 1
    ) -> tuple[Tensor, Land, Tensor]:
        """Columns of pictures, (B, C, R, 3) in about 0..1; the land they show; distances in m (B, C, R), 0 for sky.

        u (B, C) and v (R,): columns and rows in 0..1 of the picture; aspect: width over height; pixel: height of one,
        of the picture. Where columns and rows are those of a whole picture, the soft sky may be asked for only at one
        in `coarse` of both.
        """
        b, c = u.shape
        told = self.tell(moment.told().float())
        tangent_half = math.tan(FIELD_OF_VIEW_RAD / 2)
        across = (2 * u - 1) * tangent_half
        heights = 2 * tangent_half / aspect  # of the picture, in focal lengths
        pitch = moment.camera[:, 4:5].float()
        slope = (HORIZON - v)[None] * heights + pitch.tan()  # (B, R)
        far = self.sky_at(textures, moment, across, torch.full_like(across, 0.003), told)
        distance = self.distance
        if b == 1 and not torch.is_grad_enabled():
            # One view looks no nearer than its lowest line of sight meets the ground, should it rise towards the eyes.
            nearest = 0.7 * EYE_M / max(1e-3, -float(slope[0, -1]))
            looks = distances(len(distance), min(max(round(nearest, 1), NEAREST_M), _NEAREST_AT_MOST_M))
            distance = torch.from_numpy(looks).to(distance.device)
        land = self.land(textures, moment, across, distance, told, far)
        focal_px = 1 / (pixel * heights)
        colour, distance, cover = self.meet(land, moment.camera[:, 2].float(), slope, focal_px)
        open_sky = cover < 1
        picture = colour
        rows = open_sky.any(0).any(0).nonzero()[:, 0]
        if len(rows):
            # The sky is asked for only down to the lowest row that shows any.
            top = min(len(v), -(-(int(rows[-1]) + 1) // coarse) * coarse)
            wide, high = across.unflatten(1, (-1, coarse)).mean(2), slope[:, :top].unflatten(1, (-1, coarse)).mean(2)
            shape = (b, wide.shape[1], high.shape[1])
            wide, high = wide[:, :, None].expand(shape).flatten(1), high[:, None].expand(shape).flatten(1)
            sky = self.sky_at(textures, moment, wide, high, told).view(*shape, 3)
            if coarse > 1:
                sky = F.interpolate(sky.permute(0, 3, 1, 2), (c, top), mode="bilinear").permute(0, 2, 3, 1)
            upper = torch.lerp(sky, colour[:, :, :top], cover[:, :, :top, None])
            picture = torch.cat([upper, colour[:, :, top:]], 2)
        picture = self.overlay(textures, moment, picture, u, v, told, aspect)
        return picture, land, torch.where(cover > 0.5, distance, 0.0)

    def picture(self, textures: Textures, moment: Moment, height: int, width: int) -> tuple[Tensor, Tensor]:
        """A picture (B, height, width, 3) in about 0..1 and its depth in m (B, height, width), 0 for sky."""
        device = moment.camera.device
        u = ((torch.arange(width, device=device) + 0.5) / width).expand(len(moment.camera), -1)
        v = (torch.arange(height, device=device) + 0.5) / height
        coarse = _SKY_COARSE if not (width % _SKY_COARSE or height % _SKY_COARSE) else 1
        shown, _, depth = self.columns(textures, moment, u, v, width / height, 1 / height, coarse)
        return shown.transpose(1, 2), depth.transpose(1, 2)

    def ground_at(self, textures: Textures, moment: Moment, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Heights in m (B, N) of ground at points near the walker (B, N), and of the water (B,)."""
        told = self.tell(moment.told().float())
        base = moment.world.view(-1, 1) * SIZE * SIZE
        here = sample(textures.land, base, x / LAND_CELL_M, y / LAND_CELL_M)
        shore = moment.shore.float()[:, :, None]
        seaward = (x - shore[:, 0]) * shore[:, 2].sin() + (y - shore[:, 1]) * shore[:, 2].cos()
        ground = self._ground(here, seaward, torch.full_like(x, 2.2), told)
        return ground, self.level(told)[:, 0] * 10
