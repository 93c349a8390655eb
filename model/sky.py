"""The sky of a view: its colours in any direction, with sun, moon, clouds and stars, or what stands in their place.

Stars, and crystals on a ceiling, are finer than the rest: the network tells what colour they add there, the field where
they are.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from model.camera import MOON_AZIMUTH_RAD, MOON_RAD, ROOF_M, STARS_FINER, SUN_AZIMUTH_RAD
from model.conditions import ENVIRONMENT
from model.field import DETAIL_CELL_M, LAND_CELL_M, SIZE
from model.litter import smooth
from model.preset import Preset
from model.shading import Moment, Shader, Textures, features, of_places, sample, weight_of

_SUN = ENVIRONMENT.index("sun_rad")
CRYSTAL = 1.7  # of the bloom; where a ceiling has more, one gleams
_TURN = SIZE / math.pi  # texels to a radian: two textures round the horizon


class Sky(nn.Module):
    """The network of the sky."""

    shader: Shader

    def __init__(self, preset: Preset, told: int) -> None:
        super().__init__()
        self.shader = Shader(15 + 17, 6, preset.view_width, 3, told)

    def forward(
        self, textures: Textures, moment: Moment, across: Tensor, tangent: Tensor, told: Tensor, sparkles: bool = True
    ) -> Tensor:
        """Colours (B, N, 3) of the sky in directions: tangents `across` and up, both (B, N)."""
        yaw = moment.camera[:, 3:4].float()
        azimuth = yaw + across.atan()
        stretch = 1 / (1 + across.square()).sqrt()
        up = tangent * stretch
        sun = moment.environment[:, _SUN : _SUN + 1]

        def away(bearing: float) -> Tensor:
            return torch.atan2((azimuth - bearing).sin(), (azimuth - bearing).cos())

        off_sun, off_moon = away(SUN_AZIMUTH_RAD), away(MOON_AZIMUTH_RAD)
        rise = torch.where(sun < 1.2, sun.clamp(max=1.2).tan() * 0.9, -9.0 + up)
        d = off_sun.square() + (up - rise).square()
        over_moon = up - MOON_RAD
        m = off_moon.square() + over_moon.square()
        over = 1 / (up.clamp(min=0.004) + 0.09)
        drift = (moment.phases[:, 1] % SIZE).float()[:, None]
        cu, cv = azimuth.sin() * over * 15 + drift, azimuth.cos() * over * 15
        cloud = sample(textures.cloud, 0, cu, cv)
        wisp = sample(textures.wisp, 0, cu * 2.3 + 90, cv * 2.3) * (up * 5).clamp(0, 1)
        sparkle = sample(textures.star, 0, azimuth * (_TURN * STARS_FINER), up * (160 * STARS_FINER))
        inputs = [
            up, up.clamp(min=0).mul(1.25).clamp(max=1).sqrt(), (-9 * up.clamp(min=0)).exp(), (up * 9).clamp(0, 1),
            cloud + 0.34 * wisp, wisp, (-1.6 * off_sun.square()).exp(), (-30 * d).exp(), (-5 * d).exp(),
            (-4 * d).exp() * cloud, ((0.0034 - d) * 900).clamp(0, 1), (-300 * d).exp(),
            ((0.0022 - m) * 1500).clamp(0, 1), (-28 * m).exp(), (up < 0.004).float(),
        ]  # fmt: skip
        clock = moment.phases[:, :1]

        def running(rate: float) -> Tensor:
            return ((clock * rate) % SIZE).float()

        none = torch.zeros_like(up)
        # What only some places have is looked up only there.
        space = weight_of(moment, "space")
        if space is None:
            inputs += [none] * 7
        else:
            gas = sample(textures.cloud, 0, azimuth * (_TURN / 2), up * 130)
            veins = sample(textures.wisp, 0, azimuth * _TURN + 40, up * 190)
            globe = ((0.042 - m) * 500).clamp(0, 1)
            limb = (0.28 + 3.4 * off_moon + 2.2 * over_moon).clamp(0, 1) * globe
            band = (55 * over_moon + 1.5 * gas).sin() * globe
            tilt = over_moon - 0.22 * off_moon
            ring = (off_moon + 0.35 * over_moon).square() + (tilt * 6.5).square()
            belt = ((0.21 - ring) * 14).clamp(0, 1) * ((ring - 0.085) * 30).clamp(0, 1)
            belt = belt * (1 - globe * (tilt > 0))
            shown = (space.view(-1, 1) > 0).float()
            inputs += [part * shown for part in (gas, veins, globe, limb, band, belt, (gas + 0.4 * veins))]
        under = weight_of(moment, "sunken")
        if under is None:
            inputs += [none] * 3
        else:
            far = 1 / (up.clamp(min=0) + 0.16)
            su, sv = azimuth.sin() * far * 20, azimuth.cos() * far * 20
            web = sample(textures.wisp, 0, su + running(2.2), sv) - sample(textures.wisp, 0, su - running(1.7), sv + 77)
            shaft = sample(textures.wisp, 0, azimuth * _TURN + running(0.25), torch.full_like(up, 40.0))
            web = (-3 * web.square()).exp()
            shown = (under.view(-1, 1) > 0).float()
            inputs += [web * shown, web * (up * 2.6).clamp(0, 1) * shown, shaft * shown]
        lanterns = weight_of(moment, "float")
        if lanterns is None:
            inputs += [none] * 3
        else:
            shown = (lanterns.view(-1, 1) > 0).float() * (up > 0)
            far_off = sample(textures.mote, 0, azimuth * _TURN, up * _TURN - running(2.2))
            near = sample(textures.mote, 0, azimuth * (_TURN / 2) + 31, up * (_TURN / 2) - running(4.2) + 60)
            inputs += [far_off * shown, near * shown, (up * 14).clamp(0, 1) * shown]
        roof = weight_of(moment, "roof")
        if roof is None:
            inputs += [none] * 4
        else:
            away_m = ROOF_M / up.clamp(min=0.012)
            hx = moment.camera[:, 0:1].float() + (yaw.sin() + yaw.cos() * across) * away_m * stretch
            hy = moment.camera[:, 1:2].float() + (yaw.cos() - yaw.sin() * across) * away_m * stretch
            base = moment.world.view(-1, 1) * SIZE * SIZE
            patch = sample(textures.land, base, hx / LAND_CELL_M * 3, hy / LAND_CELL_M * 3)[..., 3]
            rough = sample(textures.grain, 0, hx / DETAIL_CELL_M * 0.5, hy / DETAIL_CELL_M * 0.5)
            crystal = sample(textures.bloom, 0, hx / DETAIL_CELL_M, hy / DETAIL_CELL_M)
            near = (-0.022 * away_m).exp()
            shown = (roof.view(-1, 1) > 0).float()
            inputs += [p * shown for p in (patch * near, rough * near, near)] + [shown.expand_as(up)]
            covered = of_places(moment, "roof").view(-1, 1)
            sparkle = torch.lerp(sparkle, smooth(2 * (crystal - CRYSTAL)) * near, covered)
        while inputs[-1] is none:  # what no place here has need not be told
            inputs.pop()
        given = self.shader(features(inputs), told).float()
        return given[..., :3] + sparkle[..., None] * given[..., 3:] if sparkles else given[..., :3]
