"""The land of a view: how high it stands along rays over the latent field, what it looks like, what hides what.

Networks tell heights and colours; where rays run, where a house's windows would be and what a wet ground mirrors is
geometry and stands in code.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.camera import (
    GRASS_RAD_S,
    GRASS_X,
    GRASS_Y,
    HOUSE_M,
    OPEN_M,
    RIPPLE_SCALE,
    ROOF_M,
    SIDE_M,
    SUN_AZIMUTH_RAD,
    SWAY_RAD_S,
    SWAY_X,
    WAVE_PER_M,
    WEB_SCALE,
)
from model.conditions import ENVIRONMENT
from model.field import DETAIL_CELL_M, LAND_CELL_M, SIZE, TOWN_CELL_M
from model.looking import STANDING_TO_M, middles, standing_of
from model.passing import from_afar
from model.points import MIRRORS_TO_M, STANDS_M, Land, Points
from model.preset import Preset
from model.shading import (
    Moment,
    Shader,
    Textures,
    cleared,
    features,
    nearest,
    of_places,
    of_some,
    sample,
    texels,
    weight_of,
)
from model.shadow import LEAK, LEAST_BLOCKS, looming

_RAIN, _WIND = ENVIRONMENT.index("rain"), ENVIRONMENT.index("wind")
FEATURES, SURFACE = 36, 5  # of a point that tell what it looks like; and of what that is: colour, sunlight, mirror
# Between two looks at the field that tell how it rises towards the sun: as far apart as a ray's looks.
GAP_M = 6.0, 0.05  # m, and m a metre of distance
HEIGHT_M = 4.0  # what the networks of the ground tell heights in: small, so that one step of training is no hill
WALL_M = 20.0  # and those of walls
SHORE_M, SHORE_SHARE = 0.005, 1e-4  # points at a shore: m above or under the water; m apart, a metre of distance
_HALVINGS = 5  # by which a wall is found between two points of a ray
_HOUSES_M = 420.0  # farther off a wall's place is exact enough


def ceiling(moment: Moment) -> Tensor:
    """Height in m (B, 1, 1) of the moments' ceilings, above which nothing stands; far up where places have none."""
    return moment.camera[:, 2, None, None].float() + ROOF_M + (1 - of_places(moment, "roof")) * OPEN_M


def of_water(moment: Moment) -> bool:
    """Whether water may meet land in the moments' places."""
    return weight_of(moment, "water") is not None or weight_of(moment, "sea") is not None


def _to_shores(distance: Tensor, above: Tensor) -> tuple[Tensor, Tensor]:
    """Distances (1, C, K) with the two next to each shore moved to it, and how far above the water these then are, 0
    for all others, in m; above (1, C, K): how far the ground is now.

    Between two points of a ray colours are blended; a shore is no blend, and would be seen in steps.
    """
    distance = distance.expand_as(above)
    d0, d1, h0, h1 = distance[..., :-1], distance[..., 1:], above[..., :-1], above[..., 1:]
    shores = ((h0 > 0) != (h1 > 0)) & (d1 > d0)
    at = d0 + (d1 - d0) * (h0 / torch.where(shores, h0 - h1, 1.0)).clamp(0, 1)
    moved, beside = distance.clone(), torch.zeros_like(above)
    moved[..., 1:] = torch.where(shores, at * (1 + SHORE_SHARE), moved[..., 1:])
    beside[..., 1:] = torch.where(shores, torch.where(h1 > 0, SHORE_M, -SHORE_M), 0.0)
    moved[..., :-1] = torch.where(shores, at, moved[..., :-1])
    beside[..., :-1] = torch.where(shores, torch.where(h0 > 0, SHORE_M, -SHORE_M), beside[..., :-1])
    return moved, beside


class Terrain(nn.Module):
    """The networks of the land."""

    ground: Shader
    ridges: Shader
    walls: Shader
    stands: Shader
    surface: Shader

    def __init__(self, preset: Preset, told: int) -> None:
        super().__init__()
        self.level = nn.Linear(told, 2)  # of the water, as a square, and how high it swells
        self.light = nn.Linear(told, 6)  # from all round, and what a surface adds of its own measure
        self.haze = nn.Linear(told, 1)  # how much of the light 100 m of air take, as a logarithm
        with torch.no_grad():
            self.haze.bias.fill_(-2)
            self.light.bias.copy_(torch.tensor([0.6, 0.6, 0.6, 0.3, 0.3, 0.3]))
        self.ground = Shader(8, 1, preset.ground_width, 2, told)  # near by, where a hand's breadth is many pixels
        self.ridges = Shader(8, 1, preset.ground_width, 2, told)  # and far off, where mountains rise
        self.lie = nn.Linear(told, 4)  # how it rises evenly with what the field says
        self.walls = Shader(8, 1, preset.ground_width, 2, told)  # of rock, where a place has them
        for layer in (self.lie, self.walls.out):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.stands = Shader(7, 1, preset.ground_width, 2, told)
        self.houses = Shader(4, 1, 16, 2, told)
        self.surface = Shader(FEATURES, SURFACE, preset.view_width, 3, told)
        self.fronts = Shader(18, 4, 32, 2, told)

    def water(self, told: Tensor) -> tuple[Tensor, Tensor]:
        """How high water stands, and how high it swells, both (B,), in m."""
        level, swell = self.level(told).float().unbind(1)
        return -10 * level.square(), F.softplus(swell) * 0.3

    def density(self, told: Tensor) -> Tensor:
        """How much of the light the air takes, (B,), a metre: what is d m off keeps exp(-d * density) of its colour."""
        return self.haze(told)[:, 0].float().exp() / 100

    def heights(self, moment: Moment, land: Tensor, seaward: Tensor, distance: Tensor, told: Tensor) -> Tensor:
        """Height in m (B, …) of bare ground from land samples (B, …, 4), distance seaward in m (B, …)."""
        sea = seaward + 14 * land[..., 0] + 3 * land[..., 3]
        looks = [(distance.log() / 4).expand_as(sea), (distance / 1000).clamp(max=2).expand_as(sea)]
        x = features([*land.unbind(-1), sea / 40, (sea / 100).clamp(-1.2, 2.5), *looks])
        near = self.ground(x, told).float().view(seaward.shape)
        far = distance.expand_as(near) >= STANDING_TO_M
        if bool(far.any()):
            near = torch.where(far, self.ridges(x, told).float().view(seaward.shape), near)
        lie = torch.einsum("bnf,bf->bn", land.flatten(1, -2), self.lie(told)).view(seaward.shape)
        high = (near + lie) * HEIGHT_M
        share = weight_of(moment, "wall_m")
        if share is None:
            return high
        rock = self.walls(x, told).float().view(seaward.shape)
        return high + share.float().view(-1, *[1] * (high.ndim - 1)) * WALL_M * rock

    def ground_at(
        self, textures: Textures, moment: Moment, x: Tensor, y: Tensor, told: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Heights in m (B, N) of ground at points near the walker (B, N), and of the water (B,)."""
        base = moment.world.view(-1, 1) * SIZE * SIZE
        here = sample(textures.land, base, x / LAND_CELL_M, y / LAND_CELL_M)
        shore = moment.shore.float()[:, :, None]
        seaward = (x - shore[:, 0]) * shore[:, 2].sin() + (y - shore[:, 1]) * shore[:, 2].cos()
        ground = self.heights(moment, here, seaward, torch.full_like(x, 2.2), told)
        return ground, self.water(told)[0]

    def _to_walls(
        self, textures: Textures, start: tuple[Tensor, Tensor], step: tuple[Tensor, Tensor], distance: Tensor
    ) -> Tensor:
        """Distances (1, C, K) along rays with the two next to each wall moved to it; start and step in texels."""

        def inside(at: Tensor, column: Tensor | None = None) -> Tensor:
            dx, dy = step if column is None else (step[0].take(column), step[1].take(column))
            u, v = start[0] + dx * at, start[1] + dy * at
            index = (v.floor().long() & (SIZE - 1)) * SIZE + (u.floor().long() & (SIZE - 1))
            return texels(textures.town, index)[..., 0] > 0

        c, k = step[0].shape[1], distance.shape[-1]
        distance = distance.expand(1, c, k).contiguous()
        built = inside(distance)
        enters = built[..., 1:] & ~built[..., :-1] & (distance[..., 1:] < _HOUSES_M)
        at = F.pad(enters, (1, 0)).flatten().nonzero()[:, 0]
        flat = distance.flatten().clone()
        near, far, column = flat.take(at - 1), flat.take(at), at // k
        for _ in range(_HALVINGS):
            middle = (near + far) / 2
            within = inside(middle, column)
            near, far = torch.where(within, near, middle), torch.where(within, middle, far)
        flat[at - 1], flat[at] = near, far
        return flat.view(1, c, k)

    def _trees(
        self, moment: Moment, detail: Tensor, rank: Tensor, grove: Tensor, ground: Tensor, distance: Tensor,
        told: Tensor,
    ) -> Tensor:  # fmt: skip
        """Height in m (B, C, K) of what grows at points; nothing does where no crown is.

        grove and distance (B, C, K): of the land's patches, and how far off, where the middle of what grows there is.
        """
        most, slender = standing_of(moment)
        where = (detail[..., 0] > slender) & (rank <= most)
        index = where.flatten().nonzero()[:, 0]
        if not len(index):
            return torch.zeros_like(ground)
        looks = [distance.log() / 4, (distance / 40).clamp(max=2)]
        parts = [detail[..., 0], rank, grove, ground / 40, *looks, detail[..., 2]]
        given = of_some(self.stands, [p.expand_as(ground).reshape(-1).take(index) for p in parts], where, index, told)
        tall = 10 * F.leaky_relu(given[:, 0], LEAK)
        return torch.zeros(ground.numel(), device=ground.device).index_copy(0, index, tall).view_as(ground)

    def relief(
        self, textures: Textures, moment: Moment, across: Tensor, distance: Tensor, told: Tensor
    ) -> tuple[Points, Tensor]:
        """Points along the rays of columns `across` (B, C), at distances (K,) or (B, C, K), and heights seen."""
        yaw = moment.camera[:, 3:4].float()
        dx, dy = (yaw.sin() + yaw.cos() * across)[..., None], (yaw.cos() - yaw.sin() * across)[..., None]
        x0, y0 = moment.camera[:, 0, None, None].float(), moment.camera[:, 1, None, None].float()
        shift = textures.shift[moment.world][:, :, None, None]
        blocks = weight_of(moment, "block_m")
        if blocks is not None and len(told) == 1 and not torch.is_grad_enabled():
            start = (x0 + shift[:, 0]) / TOWN_CELL_M, (y0 + shift[:, 1]) / TOWN_CELL_M
            distance = self._to_walls(textures, start, (dx / TOWN_CELL_M, dy / TOWN_CELL_M), distance)
        shore, base = moment.shore.float()[:, :, None, None], moment.world.view(-1, 1, 1) * SIZE * SIZE

        def along(distance: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
            """Where points lie, how far seaward, and what the field has there."""
            x, y = x0 + dx * distance, y0 + dy * distance
            seaward = (x - shore[:, 0]) * shore[:, 2].sin() + (y - shore[:, 1]) * shore[:, 2].cos()
            return x, y, seaward, sample(textures.land, base, x / LAND_CELL_M, y / LAND_CELL_M)

        level, swell = (value.view(-1, 1, 1) for value in self.water(told))
        beside = None
        if of_water(moment) and len(told) == 1 and not torch.is_grad_enabled():
            _, _, seaward, land = along(distance)
            with torch.autocast(dx.device.type, enabled=False):
                above = self.heights(moment, land, seaward, distance, told.float()) - level
            distance, beside = _to_shores(distance, above)
        x, y, seaward, land = along(distance)
        u, v = (x + shift[:, 0]) / DETAIL_CELL_M, (y + shift[:, 1]) / DETAIL_CELL_M
        detail = sample(textures.detail, 0, u, v)
        rank = nearest(textures.detail, u, v)[..., 1]
        house = hue = torch.zeros_like(x)
        with torch.autocast(x.device.type, enabled=False):  # a mountain's height needs more than eight bits
            told = told.float()
            ground = self.heights(moment, land, seaward, distance, told)
            if beside is not None:
                ground = torch.where(beside == 0, ground, level + beside)
            right, down = middles(textures, u, v)
            away = (distance + right * yaw.sin()[..., None] + down * yaw.cos()[..., None]).clamp(min=1)
            grove = sample(textures.land, base, (x + right) / LAND_CELL_M, (y + down) / LAND_CELL_M)[..., 3]
            tall = self._trees(moment, detail, rank, grove, ground, away, told)
            if blocks is not None:
                index = ((y + shift[:, 1]) / TOWN_CELL_M).floor().long() & (SIZE - 1)
                index = index * SIZE + (((x + shift[:, 0]) / TOWN_CELL_M).floor().long() & (SIZE - 1))
                town = texels(textures.town, index)
                built = (town[..., 0] > 0) & (blocks > LEAST_BLOCKS)
                near = [(distance / 4).clamp(max=2).expand_as(ground), (distance / 40).clamp(max=2).expand_as(ground)]
                rises = self.houses(features([town[..., 0], town[..., 1], *near]), told).float().view_as(ground)
                house, hue = 20 * F.leaky_relu(rises, LEAK) * built, town[..., 2] * built
        # In houses, and under water, nothing grows.
        if blocks is not None:
            tall = torch.where(town[..., 0] > 0, tall * cleared(moment), tall)
        grown, tall = tall, tall * from_afar(away)
        depth = (level - ground).clamp(min=0)
        # Waves run where a sea is, or comes; nothing else needs them.
        seas = weight_of(moment, "sea")
        if seas is not None:
            wave = seaward * WAVE_PER_M + (moment.phases[:, 2] % 1).float()[:, None, None] * (2 * math.pi)
            wave = wave + 1.3 * land[..., 3]
            sea = (seas > 0).float()
            crest, trough = wave.sin() * sea, wave.cos() * sea
        else:
            crest = trough = torch.zeros_like(ground)
        dry = ground + tall + house
        surface = torch.where(depth > 0, level + swell * crest * (depth * 0.5).clamp(max=1), dry)
        surface = surface.minimum(ceiling(moment))
        azimuth = yaw + across.atan() - SUN_AZIMUTH_RAD
        square = torch.atan2(azimuth.sin(), azimuth.cos()).square()[..., None]
        points = Points(
            x, y, u, v, distance.expand_as(x), square, land, detail[..., 0], rank, detail[..., 2], house, hue,
            ground, grown, tall, depth, crest, trough,
        )  # fmt: skip
        return points, surface

    def _colours(self, textures: Textures, moment: Moment, at: Points, told: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What points look like near by, (B, …, 3); how much distance veils of them, (B, …, 1); mirror and tremor."""
        b, wide = len(told), at.ground.ndim - 1

        def each(values: Tensor) -> Tensor:  # (B,) beside the points
            return values.view(b, *[1] * wide)

        distance = at.distance
        gap = GAP_M[0] + GAP_M[1] * distance
        ahead_x, ahead_y = at.x + gap * math.sin(SUN_AZIMUTH_RAD), at.y + gap * math.cos(SUN_AZIMUTH_RAD)
        base = each(moment.world) * SIZE * SIZE
        ahead = sample(textures.land, base, ahead_x / LAND_CELL_M, ahead_y / LAND_CELL_M)
        # How the field changes towards the sun: what it means for the light the network knows.
        change = (ahead - at.land) * (8 / gap[..., None])
        # Which side of a crown turns to the sun.
        to_u, to_v = (SIDE_M / DETAIL_CELL_M * part for part in (math.sin(SUN_AZIMUTH_RAD), math.cos(SUN_AZIMUTH_RAD)))
        side = (at.crown - sample(textures.detail, 0, at.u + to_u, at.v + to_v)[..., 0]) * 5 * (at.tall > 0)
        clock, wet = moment.phases[:, 0], at.depth > 0
        none = torch.zeros_like(at.ground)

        def running(rate: float) -> Tensor:
            return each(((clock * rate) % SIZE).float())

        ripple = web = coral_sin = coral_cos = none
        if bool(wet.any()):
            to = at.x * RIPPLE_SCALE + running(1.5), at.y * RIPPLE_SCALE - running(0.8)
            ripple = sample(textures.grain, 0, *to)
            ripple = ripple * wet / (1 + distance * 0.012)
        under = weight_of(moment, "sunken")
        if under is not None:
            under = each((under.flatten() > 0).float())
            run = sample(textures.grain, 0, at.x * WEB_SCALE + running(0.7), at.y * WEB_SCALE - running(0.5))
            web = (-9 * run.square()).exp() * (1.1 - distance / 55).clamp(0, 1) * under
            turn = at.rank * (18 * math.pi)
            coral_sin, coral_cos = turn.sin() * under, turn.cos() * under
        gleam = (each(((clock * 1.1) % (2 * math.pi)).float()) + 5 * at.land[..., 3]).sin()
        sway = each(((clock * SWAY_RAD_S) % (2 * math.pi)).float()) + at.x * SWAY_X
        grass = each(((clock * GRASS_RAD_S) % (2 * math.pi)).float()) + at.x * GRASS_X + at.y * GRASS_Y
        level = each(self.water(told)[0])
        grain = at.grain * (1.4 - distance / 160).clamp(0, 1)
        built = (at.house / HOUSE_M).clamp(0, 1)  # what begins to rise has the ground's look
        shadows = looming(self.houses, textures, moment, at, told)
        inputs = features(
            [
                part.expand_as(at.ground)
                for part in (
                    *at.land.unbind(-1), at.crown, at.rank, grain, side.clamp(-1, 1),
                    ripple, at.crest, at.trough, wet.float(), at.depth.clamp(max=8) / 4,
                    (-at.depth * 2).exp(), ((at.ground - level) / 2).clamp(-2, 2), at.ground / 40, at.tall / 10,
                    *change.unbind(-1), (-1.6 * at.off_sun).exp(), (-14 * at.off_sun).exp(),
                    distance.log() / 4, 1 / (1 + distance * 0.028), sway.sin(), grass.sin(),
                    built, at.hue * built, gleam, web, coral_sin, coral_cos,
                    *shadows,
                )
            ]
        )  # fmt: skip
        given = self.surface(inputs, told).float().view(*at.ground.shape, SURFACE)
        around, direct = self.light(told).float().view(b, *[1] * wide, 6).chunk(2, -1)
        wind, rain = each(moment.environment[:, _WIND]), each(moment.environment[:, _RAIN])
        tremor = torch.where(wet, ripple * (0.4 + 1.2 * wind), 0.35 * grain * (1 + rain))
        mirror = torch.stack([torch.sigmoid(given[..., 4] - 2) * (at.house < MIRRORS_TO_M), tremor], -1)
        veil = 1 - (-each(self.density(told)) * distance).exp()
        return (given[..., :3] + 0.4) * (around + direct * given[..., 3:4]), veil[..., None], mirror

    def forward(
        self, textures: Textures, moment: Moment, across: Tensor, distance: Tensor, told: Tensor, far: Tensor
    ) -> tuple[Land, Points]:
        """What rays of columns `across` (B, C) meet at distances (K,) or (B, C, K) in m; far (B, C, 3): haze."""
        points, surface = self.relief(textures, moment, across, distance, told)
        far = far[:, :, None].expand(*surface.shape, 3)
        colour, veil, mirror = self._colours(textures, moment, points, told)
        shown = torch.cat([colour + veil * (far - colour), mirror], -1)
        return Land(points.distance, points.ground, points.grown, points.tall + points.house, surface, shown), points

    def meet(self, land: Land, eye: Tensor, slope: Tensor, focal_px: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What is shown (B, C, R, 5), where (B, C, R), an index into the distances, how far off in m and how much land
        covers of the pixel, both (B, C, R), where lines of sight `slope` (B, R) meet it.

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
        inverse = 1 / land.distance
        flat = eye[:, None, None].clamp(min=0.5) * (inverse.gather(2, before) - inverse.gather(2, at)).clamp(min=1e-6)
        over = torch.minimum(high - low, torch.maximum(1.5 * flat, flat.new_tensor(1.0 / focal_px)))
        # What stands is one body from its foot to its top, and so is a slope; not what stands before a slope.
        stands = land.tall > STANDS_M
        one = stands.gather(2, before) == stands.gather(2, at)
        over = torch.where(one, high - low, over)
        joined = rise.gather(2, before) >= low
        share = ((wanted - low) / over.clamp(min=1e-6)).clamp(0, 1)
        share = torch.where(joined & (at > 0), share, 1.0)
        shown = land.shown.flatten(0, 2)
        row = (torch.arange(b * c, device=at.device) * looks).view(b, c, 1)
        shown = torch.lerp(texels(shown, row + before), texels(shown, row + at), share[..., None])
        # How much of the pixel's height the land's last edge leaves to the sky.
        cover = ((edge[..., -1:] - wanted) * focal_px + 0.5).clamp(0, 1)
        depth = torch.lerp(land.distance.gather(2, before), land.distance.gather(2, at), share)
        return shown, at, depth, cover
