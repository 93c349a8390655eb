"""What bare ground is rough with: blades, clods, stones, ripples, rock, blossoms, pixel by pixel.

Points of a ray stand several rows of a picture apart, which is all that hills and shadows need and far too wide for
grass. So the field's finest textures are looked at where a line of sight meets bare ground; how much of each channel's
light each of them gives or takes at the moment is learnt, and where blossoms open and what they look like. Rock is
rough in every size: its texture is as coarse as it is far off.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.camera import (
    BLOOM_SCALE,
    BUMP_M,
    CRAGS_M,
    GRASS_RAD_S,
    GRASS_X,
    GRASS_Y,
    ROCK_HIGH,
    ROCK_M,
    ROCK_SHARE,
    SAND_BEND,
    SAND_JAG,
    SAND_X,
    SAND_Y,
    SUN_AZIMUTH_RAD,
    WALL_FROM_M,
    WALL_HILLS,
    WALL_LEAST,
    WALL_PATCH,
    WALL_ROCK_M,
    WALL_STEEP,
)
from model.conditions import ENVIRONMENT
from model.field import DETAIL_CELL_M, FINE_CELL_M, GRIT_CELL_M, LAND_CELL_M, SIZE, TOWN_CELL_M
from model.grass import (
    BENT_M,
    FLATTEST,
    FULL_M,
    GRASS_CELL_M,
    GRASS_TO_M,
    GROUND_GAP,
    JITTER,
    JITTER_CELL_M,
    JITTER_SHARE,
    MEAN,
    REACH_M,
    STEPS,
    STILL,
    TUFT,
    UNEVEN,
)
from model.shading import Moment, Textures, of_places, sample, weight_of
from model.waves import CALM, EACH, MOST, PER_M, STORM, TREMBLE, WAVELETS, WAVES_TO_M

# Where each of the textures ends, and where it begins to fade, in m.
FINE_M, GRIT_M, SAND_M, BLOOM_M = (45.6, 7.6), (16.8, 4.8), (33.8, 7.8), (112.5, 22.5)
# Fine, bump, grit, sand, crags of mountains, walls of rock, how deep in grass one looks, what light lamps add to all
# that, how wavelets change water's own light and (the first channel) how much it mirrors, and the shade of what grows.
KINDS = 11
_WIDE = 64  # lamps are lit at night and in towns: no sum of what is told says that
BLADE, LAMP, WAVE, GLINT, SHADE = range(KINDS - 5, KINDS)
_WIND = ENVIRONMENT.index("wind")
WALLS_M = 10.0  # high, and walls are rock and nothing else
LIT_M = 0.5  # high houses are, and lamps are lit
DARKEST = 0.25  # of the ground's own light
CLOSED = 4.5  # blossoms with less than exp(-CLOSED) of their colour are none
# Numbers told of blossoms: what opens them (texture, patch, none), which of two kinds they are (patch, none), how haze
# takes them, and what the two kinds add of each channel's light.
BLOSSOM = 6 + 6


def fade(distance: Tensor, to: tuple[float, float]) -> Tensor:
    """1 near by .. 0 from to[0] m on, falling from to[1] m."""
    return ((to[0] - distance) / (to[0] - to[1])).clamp(0, 1)


def smooth(value: Tensor) -> Tensor:
    """0 below 0 .. 1 above 1, level at both."""
    t = value.clamp(0, 1)
    return t * t * (3 - 2 * t)


def rock(grain: Tensor, x: Tensor, y: Tensor, h: Tensor, distance: Tensor) -> Tensor:
    """How light or dark rock is at (x, y), h m high, all of one shape, about 0 on average."""
    octave = (distance * ROCK_SHARE).clamp(ROCK_M[0], 0.999 * ROCK_M[1]).log2()
    rough = torch.zeros_like(x)
    fine = octave.floor()
    for coarser, share in ((0, 1 - (octave - fine)), (1, octave - fine)):
        texel = torch.exp2(fine + coarser)
        high = h * ROCK_HIGH / texel
        rough = rough + share * (sample(grain, 0, x / texel, high) + sample(grain, 0, y / texel + 50, high))
    return 0.5 * rough


def grass(
    textures: Textures,
    moment: Moment,
    at: tuple[Tensor, Tensor],
    way: tuple[Tensor, Tensor],
    slope: Tensor,
    fine: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """How high in grass, 0..1 of its height, lines of sight are met that would meet the ground at `at`, and where in m.

    All (B, C, R). way (B, C, 1): of the columns, a metre of distance; slope (B, R); fine: the grain there.
    """
    (x, y), (dx, dy) = at, way
    phase = GRASS_RAD_S * moment.phases[:, 0].view(-1, 1, 1) + x * GRASS_X + y * GRASS_Y
    bent = BENT_M * (STILL + moment.environment[:, _WIND].view(-1, 1, 1)) * phase.sin().to(x.dtype)
    high = of_places(moment, "grass_m")
    reach = (high / (-slope[:, None]).clamp(min=FLATTEST)).clamp(max=REACH_M)
    loose = sample(textures.bloom, 0, x / JITTER_CELL_M, y / JITTER_CELL_M)
    later = JITTER * ((0.5 + JITTER_SHARE * loose).clamp(0, 1) - 0.5)
    before, gap, hit = STEPS[0] + JITTER - later, torch.full_like(x, -0.5), torch.full_like(x, -1.0)
    for step in STEPS:
        here = step - later
        u, v = x - dx * reach * here + bent * here * here, y - dy * reach * here
        over = 0.5 + UNEVEN * fine + TUFT * sample(textures.bloom, 0, u / GRASS_CELL_M, v / GRASS_CELL_M) - here
        crossed = here + (before - here) * over / (over - gap).clamp(min=1e-6)
        hit = torch.where((hit < 0) & (over > 0), crossed, hit)
        before, gap = here, over
    hit = torch.where(hit < 0, before * GROUND_GAP / (GROUND_GAP - gap).clamp(min=GROUND_GAP), hit)
    return hit, x - dx * reach * hit + bent * hit * hit, y - dy * reach * hit


def tilt(textures: Textures, moment: Moment, x: Tensor, y: Tensor, distance: Tensor) -> Tensor:
    """How much wavelets tilt water at (x, y) in m, (B, C, R). See `model.waves`."""
    total = torch.zeros_like(x)
    for cell_x, cell_y, run_x, run_y in WAVELETS:
        # Where they have run to grows without end: their texture repeats.
        run = [(moment.phases[:, 0] * v / cell % SIZE).to(x.dtype) for v, cell in ((run_x, cell_x), (run_y, cell_y))]
        u, v = x / cell_x + run[0].view(-1, 1, 1), y / cell_y + run[1].view(-1, 1, 1)
        total = total + sample(textures.bloom, 0, u, v)
    strong = CALM + STORM * moment.environment[:, _WIND].view(-1, 1, 1).to(x.dtype)
    return EACH * total * fade(distance, WAVES_TO_M) * strong / (1 + PER_M * distance)


class Litter(nn.Module):
    """How much each of the finest textures shows at a moment, and blossoms."""

    def __init__(self, told: int) -> None:
        super().__init__()
        last = nn.Linear(_WIDE, 3 * KINDS)
        self.shows = nn.Sequential(nn.Linear(told, _WIDE), nn.SiLU(), last)
        self.blossoms = nn.Linear(told, BLOSSOM)
        for layer in (last, self.blossoms):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        with torch.no_grad():
            self.blossoms.bias[:6] = torch.tensor([3.0, 0.5, -6.0, 2.0, 0.0, -3.0])
            self.blossoms.bias[6:] = 0.5

    def gains(self, told: Tensor) -> tuple[Tensor, Tensor]:
        """What is told of moments (B, told): (B, KINDS, 3) of the textures, and (B, BLOSSOM) of blossoms."""
        blossoms = self.blossoms(told).float()
        blossoms = torch.cat([blossoms[:, :5], F.softplus(blossoms[:, 5:6]), blossoms[:, 6:]], 1)
        return self.shows(told).float().view(-1, KINDS, 3), blossoms

    def on_water(
        self, textures: Textures, moment: Moment, shown: Tensor, wet: Tensor, distance: Tensor, across: Tensor,
        told: Tensor,
    ) -> Tensor:  # fmt: skip
        """What is shown (B, C, R, 5), as `Terrain.meet` gives, with wavelets where that is `wet` (B, C, R)."""
        yaw = moment.camera[:, 3:4].float()
        dx, dy = yaw.sin() + yaw.cos() * across, yaw.cos() - yaw.sin() * across
        x = moment.camera[:, 0, None, None].float() + dx[..., None] * distance
        y = moment.camera[:, 1, None, None].float() + dy[..., None] * distance
        tilted = (tilt(textures, moment, x, y, distance) * wet)[..., None]
        gains, _ = self.gains(told)
        mirror = (shown[..., 3:4] * (1 + gains[:, None, None, GLINT, :1] * tilted)).clamp(0, MOST)
        mirror = torch.where(wet[..., None], mirror, shown[..., 3:4])
        own = shown[..., :3] * (1 + gains[:, None, None, WAVE] * tilted)
        return torch.cat([own, mirror, shown[..., 4:] + TREMBLE * tilted], -1)

    def forward(
        self, textures: Textures, moment: Moment, picture: Tensor, bare: Tensor, distance: Tensor, across: Tensor,
        slope: Tensor, density: Tensor, shade: Tensor | None, told: Tensor,
    ) -> Tensor:  # fmt: skip
        """Picture (B, C, R, 3) with what lies on its ground where that is `bare` (B, C, R), `distance` m off.

        across (B, C): of the columns, in focal lengths; slope (B, R): of lines of sight; density (B,): of the air;
        shade (B, C, R): as `model.shade.shade_on` gives.
        """
        flowers, walls = weight_of(moment, "flowers") is not None, weight_of(moment, "wall_m") is not None
        ridges = weight_of(moment, "ridge_m") is not None
        grows, lamps = weight_of(moment, "grass_m") is not None, weight_of(moment, "block_m") is not None
        ends = math.inf if walls or ridges or lamps or shade is not None else (BLOOM_M if flowers else FINE_M)[0]
        where = bare & (distance > 0) & (distance < ends)
        if not bool(where.any()):
            return picture
        yaw = moment.camera[:, 3:4].float()
        dx, dy = yaw.sin() + yaw.cos() * across, yaw.cos() - yaw.sin() * across
        x = moment.camera[:, 0, None, None].float() + dx[..., None] * distance
        y = moment.camera[:, 1, None, None].float() + dy[..., None] * distance
        fine = sample(textures.grain, 0, x / FINE_CELL_M, y / FINE_CELL_M)
        bump_x, bump_y = x + BUMP_M * math.sin(SUN_AZIMUTH_RAD), y + BUMP_M * math.cos(SUN_AZIMUTH_RAD)
        bump = sample(textures.grain, 0, bump_x / FINE_CELL_M, bump_y / FINE_CELL_M) - fine
        blade = sand = patch = wall = crag = torch.zeros_like(x)
        sandy = weight_of(moment, "dune_m") is not None
        shift = textures.shift[moment.world][:, :, None, None]
        u, v = (x + shift[:, 0]) / DETAIL_CELL_M, (y + shift[:, 1]) / DETAIL_CELL_M
        if sandy or flowers or walls:
            base = moment.world.view(-1, 1, 1) * SIZE * SIZE
            land = sample(textures.land, base, x / LAND_CELL_M, y / LAND_CELL_M)
            hills, patch = land[..., 0], land[..., 3]
        if walls:
            wall = smooth((WALL_PATCH * patch + WALL_HILLS * hills - WALL_LEAST) * WALL_STEEP)
            wall = (8 * wall).clamp(max=1) * smooth((distance - WALL_FROM_M) / WALL_ROCK_M)
            wall = wall * (of_places(moment, "wall_m") / WALLS_M).clamp(max=1)
        if walls or ridges:
            h = moment.camera[:, 2, None, None].float() + slope[:, None] * distance
            shown = rock(textures.grain, x, y, h, distance) * (-density[:, None, None] * distance).exp()
            crag = ((h - of_places(moment, "base_m") - CRAGS_M[0]) / CRAGS_M[1]).clamp(0, 1)
            crag = crag * (of_places(moment, "ridge_m") > 1) * (1 - wall) * shown
        ground = 1 - wall
        near, met_x, met_y = fade(distance, FINE_M) * ground, x, y
        if grows:
            here = distance < GRASS_TO_M[0]
            hit, met_x, met_y = grass(textures, moment, (x, y), (dx[..., None], dy[..., None]), slope, fine)
            met_x, met_y = torch.where(here, met_x, x), torch.where(here, met_y, y)
            full = (of_places(moment, "grass_m") / FULL_M).clamp(max=1)
            blade = (hit - MEAN) * fade(distance, GRASS_TO_M) * full * ground * where
        grit = sample(textures.bloom, 0, met_x / GRIT_CELL_M, met_y / GRIT_CELL_M) * fade(distance, GRIT_M) * ground
        if sandy:
            grain = sample(textures.grain, 0, u, v)
            sand = (x * SAND_X + y * SAND_Y + SAND_BEND * patch + SAND_JAG * grain).sin()
            sand = sand * (0.6 + 0.3 * patch + 0.3 * grain).clamp(0, 1) * fade(distance, SAND_M)
        gains, blossoms = self.gains(told)
        parts = torch.stack([fine * near, bump * near, grit, sand, crag, wall * shown if walls else wall], -1)
        tone = torch.einsum("bcrk,bkj->bcrj", parts, gains[:, :BLADE])
        tone = (1 + tone * where[..., None]).clamp(min=DARKEST)
        if grows:
            tone = tone * (1 + blade[..., None] * gains[:, None, None, BLADE]).clamp(min=DARKEST)
        if flowers:
            opens, patchy, closed, kind, first, haze, *adds = blossoms.view(-1, BLOSSOM, 1, 1, 1).unbind(1)
            open_u, open_v = ((m + shift[:, i]) / DETAIL_CELL_M * BLOOM_SCALE for i, m in enumerate((met_x, met_y)))
            bloom = sample(textures.bloom, 0, open_u, open_v)
            open_by = opens[..., 0] * bloom + patchy[..., 0] * patch + closed[..., 0]
            shown = open_by.sigmoid() * fade(distance, BLOOM_M) * (-haze[..., 0] * distance / 30).exp()
            shown = shown * where * (open_by > -CLOSED) * ground
            share = (kind[..., 0] * patch + first[..., 0]).sigmoid()[..., None]
            one, other = torch.cat(adds[:3], -1), torch.cat(adds[3:], -1)
            tone = tone + shown[..., None] * torch.lerp(other, one, share)
        added = torch.zeros_like(tone)
        if lamps:
            u, v = (x + shift[:, 0]) / TOWN_CELL_M - 0.5, (y + shift[:, 1]) / TOWN_CELL_M - 0.5
            lamp = sample(textures.lamp, 0, u, v) * (-density[:, None, None] * distance).exp() * where
            lamp = lamp * (of_places(moment, "block_m") > LIT_M)
            added = lamp[..., None] * tone * gains[:, None, None, LAMP]
        if shade is not None:
            tone = tone * (1 + shade[..., None] * gains[:, None, None, SHADE]).clamp(min=0)
        return picture * tone + added
