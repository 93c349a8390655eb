"""The dynamics: a causal transformer over steps that denoises all tokens of a step together.

A step's tokens are its pulse, what sets the picture in motion (lightning, gusts), and its sound: what is seen and what
is heard come out of the same denoising. Space attention mixes the tokens inside a step, time attention follows each
token through the steps before it: a local window in every layer, and in every `far_every`-th layer also one step in
`far_stride` further back and the very first step, pinned (the sink of Xiao et al. 2023). Trained with flow matching
under an independent noise level for every step (diffusion forcing, Chen et al. 2024).

`Nacre.forward` sees whole sequences (training); `Nacre.step` one step and a static cache (the running world). Both are
the same function of the same weights: tests/test_transformer.py holds them together.

What the network gives is only what it knows better than the best linear guess from the noised latents, in deviations
of what that guess leaves open.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.condition_vector import WIDTH
from model.preset import Preset

_ROPE_BASE = 1_000.0  # windows are under a hundred steps; the usual 10,000 would leave most pairs idle


def rotary_table(positions: Tensor, half: int) -> Tensor:
    """Cosines and sines (2, N, half) of rotary positions (N,), computed in float64 so that days of steps stay exact."""
    frequency = _ROPE_BASE ** (-torch.arange(half, dtype=torch.float64) / half)
    angle = positions.double()[:, None] * frequency
    return torch.stack([angle.cos(), angle.sin()]).float()


def rotate(x: Tensor, table: Tensor) -> Tensor:
    """Rotary position: x (…, N, head_dim) turned by the angles of `table` (2, N, head_dim / 2), float32."""
    a, b = x.float().chunk(2, -1)
    cos, sin = table[0], table[1]
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)


def _attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None) -> Tensor:
    """Explicit softmax attention: on short sequences its backward is several times faster on CPUs than the fused."""
    score = q @ k.transpose(-1, -2) * (1 / math.sqrt(q.shape[-1]))
    if bias is not None:
        score = score + bias
    return score.softmax(-1).to(v.dtype) @ v


class Block(nn.Module):
    """Space attention, time attention and a feed-forward network, each modulated by the conditions."""

    def __init__(self, preset: Preset, far: bool) -> None:
        super().__init__()
        d = preset.dim
        self.heads, self.far = preset.heads, far
        self.space_in, self.space_out = nn.Linear(d, 3 * d, bias=False), nn.Linear(d, d, bias=False)
        self.time_in, self.time_out = nn.Linear(d, 3 * d, bias=False), nn.Linear(d, d, bias=False)
        self.feed_in = nn.Linear(d, preset.expand * d, bias=False)
        self.feed_out = nn.Linear(preset.expand * d, d, bias=False)
        self.modulation = nn.Parameter(torch.zeros(9, d))

    def heads_of(self, projected: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(…, N, 3 * d) to normalised q, k and v, each (…, heads, N, head_dim)."""
        q, k, v = projected.unflatten(-1, (3, self.heads, -1)).movedim(-3, 0).transpose(-2, -3)
        return F.rms_norm(q.float(), q.shape[-1:]), F.rms_norm(k.float(), k.shape[-1:]), v

    def space(self, x: Tensor) -> Tensor:
        """Attention among the tokens of a step: (…, S, d) to (…, S, d)."""
        q, k, v = self.heads_of(self.space_in(x))
        mixed = _attend(q.to(v.dtype), k.to(v.dtype), v, None)
        return self.space_out(mixed.transpose(-2, -3).flatten(-2))

    def forward(self, x: Tensor, modulation: Tensor, table: Tensor, bias: Tensor) -> Tensor:
        """x (B, T, S, d); modulation (B, T, 9, d); rotary table (2, T, half); bias (T, T)."""
        m = (modulation + self.modulation)[:, :, None].unbind(3)  # 9 x (B, T, 1, d)
        x = x + m[2] * self.space(_normed(x, m[0], m[1]))
        h = _normed(x, m[3], m[4]).transpose(1, 2)  # (B, S, T, d)
        q, k, v = self.heads_of(self.time_in(h))
        q, k = rotate(q, table).to(v.dtype), rotate(k, table).to(v.dtype)
        mixed = _attend(q, k, v, bias).transpose(-2, -3).flatten(-2)
        x = x + m[5] * self.time_out(mixed).transpose(1, 2)
        return x + m[8] * self.feed(_normed(x, m[6], m[7]))

    def feed(self, x: Tensor) -> Tensor:
        """The feed-forward network."""
        return self.feed_out(F.gelu(self.feed_in(x), approximate="tanh"))

    def step(
        self, x: Tensor, modulation: Tensor, here: Tensor, past_keys: Tensor, past_values: Tensor, bias: Tensor
    ) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
        """One step on a frozen cache.

        x (S, d); modulation (9, d); rotary table `here` (2, 1, half) of this step; past keys and values float32
        (S, heads, slots, head_dim); bias (slots + 1,), −inf where a slot is not seen, this step last.
        Returns x and this step's rotated key, unrotated key and value.
        """
        m = (modulation + self.modulation).unbind(0)
        x = x + m[2] * self.space(_normed(x, m[0], m[1]))
        q, raw, v = self.heads_of(self.time_in(_normed(x, m[3], m[4]))[:, None])  # (S, heads, 1, head_dim)
        # Rounded as training rounds them; multiplied in 32 bits, which for one query against few keys is the faster.
        q, k = rotate(q, here).to(v.dtype).float(), rotate(raw, here).to(v.dtype).float()
        v = v.float()
        with torch.autocast(x.device.type, enabled=False):
            score = torch.cat([q @ past_keys.transpose(-1, -2), (q * k).sum(-1, keepdim=True)], -1)
            share = (score * (1 / math.sqrt(q.shape[-1])) + bias).softmax(-1)
            mixed = share[..., :-1] @ past_values + share[..., -1:] * v  # (S, heads, 1, head_dim)
        x = x + m[5] * self.time_out(mixed.flatten(1))
        return x + m[8] * self.feed(_normed(x, m[6], m[7])), (k, raw, v)


def _normed(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    return torch.addcmul(shift, F.rms_norm(x, x.shape[-1:]), 1 + scale)


@dataclass
class Seen:
    """What a step's denoising starts from, each with the same leading shape (…).

    latents (…, S, Z) noised to `level` (…,); conditions (…, WIDTH).
    """

    latents: Tensor
    level: Tensor
    conditions: Tensor


class Nacre(nn.Module):
    """Predicts every token of a step from its noised self, the steps before and the conditions."""

    level_frequency: Tensor
    spread: Tensor

    def __init__(self, preset: Preset) -> None:
        super().__init__()
        self.preset = preset
        d, z = preset.dim, preset.channels
        self.pulse_in, self.sound_in = nn.Linear(z, d), nn.Linear(z, d)
        self.place_of_token = nn.Parameter(torch.randn(preset.tokens, d) * 0.02)
        self.level_in = nn.Sequential(nn.Linear(128, d), nn.SiLU(), nn.Linear(d, d))
        self.condition_in = nn.Sequential(nn.Linear(WIDTH, 2 * d), nn.SiLU(), nn.Linear(2 * d, d))
        self.modulate, self.condition_add = nn.Linear(d, 9 * d), nn.Linear(d, d)
        blocks = [Block(preset, far=(index + 1) % preset.far_every == 0) for index in range(preset.layers)]
        self.blocks = nn.ModuleList(blocks)
        self.pulse_out, self.sound_out = nn.Linear(d, z), nn.Linear(d, z)
        for out in (self.pulse_out, self.sound_out, self.modulate):
            nn.init.zeros_(out.weight)
            nn.init.zeros_(out.bias)
        with torch.no_grad():
            for block in blocks:
                block.modulation[2].fill_(0.5)
                block.modulation[5].fill_(0.5)
                block.modulation[8].fill_(0.5)
        frequency = torch.exp(torch.arange(64) / 64 * -math.log(1000.0))
        self.register_buffer("level_frequency", frequency, persistent=False)
        # Deviation of every number over all episodes, measured before training.
        self.register_buffer("spread", torch.ones(preset.tokens, z))

    def estimate(self, seen: Seen, output: Tensor) -> tuple[Tensor, Tensor]:
        """Clean latents (…, S, Z) from the network's output, and the deviation (…, S, Z) the output counts in."""
        variance = self.spread.square()
        level = seen.level[..., None, None]
        kept = 1 - level
        noisy = kept.square() * variance + level.square()
        deviation = level * (variance / noisy.clamp(min=1e-12)).sqrt()
        return kept * variance / noisy.clamp(min=1e-12) * seen.latents + deviation * output, deviation

    @property
    def layers(self) -> list[Block]:
        """The blocks, in order."""
        return [block for block in self.blocks if isinstance(block, Block)]

    # --- shared by training and running ---

    def told(self, level: Tensor, conditions: Tensor) -> tuple[Tensor, Tensor]:
        """What noise levels (…,) and conditions (…, WIDTH) add to every token (…, d), and modulation (…, 9, d)."""
        angle = level[..., None] * 1000 * self.level_frequency
        c = F.silu(self.level_in(torch.cat([angle.cos(), angle.sin()], -1)) + self.condition_in(conditions))
        return self.condition_add(c), self.modulate(c).unflatten(-1, (9, self.preset.dim)).float()

    def tokens(self, latents: Tensor, level: Tensor, added: Tensor) -> Tensor:
        """Token states (…, S, d) of latents (…, S, Z) noised to a level (…,), and what `told` adds to them."""
        p = self.preset
        level = level[..., None, None]
        noisy = ((1 - level).square() * self.spread.square() + level.square()).sqrt()
        pulse, sound = (latents / noisy.clamp(min=1e-6)).split([p.pulse_tokens, p.sound_tokens], -2)
        x = torch.cat([self.pulse_in(pulse), self.sound_in(sound)], -2) + self.place_of_token
        return (x + added[..., None, :]).float()

    def embed(self, seen: Seen) -> tuple[Tensor, Tensor]:
        """Token states (…, S, d) and modulation (…, 9, d)."""
        added, modulation = self.told(seen.level, seen.conditions)
        return self.tokens(seen.latents, seen.level, added), modulation

    def unembed(self, x: Tensor) -> Tensor:
        """Token states (…, S, d) to outputs (…, S, Z), in deviations of what the linear guess leaves open."""
        p = self.preset
        pulse, sound = F.rms_norm(x, x.shape[-1:]).split([p.pulse_tokens, p.sound_tokens], -2)
        return torch.cat([self.pulse_out(pulse), self.sound_out(sound)], -2).float()

    # --- training: whole sequences ---

    def forward(self, seen: Seen) -> Tensor:
        """Outputs (B, T, S, Z) of sequences with leading shape (B, T)."""
        x, modulation = self.embed(seen)
        steps = seen.latents.shape[1]
        half = self.preset.dim // self.preset.heads // 2
        table = rotary_table(torch.arange(steps), half).to(x.device)
        near, far = (time_bias(self.preset, steps, f).to(x.device) for f in (False, True))
        for block in self.layers:
            x = block(x, modulation, table, far if block.far else near)
        return self.unembed(x)


def time_bias(preset: Preset, steps: int, far: bool) -> Tensor:
    """Which steps see which in training: (T, T), 0 where seen and −inf where not."""
    i, j = torch.arange(steps)[:, None], torch.arange(steps)[None]
    seen = (j <= i) & (j > i - preset.local_window)
    if far:
        gone = j <= i - preset.local_window
        reach = j > i - preset.local_window - preset.far_stride * preset.far_count
        seen |= gone & reach & (j % preset.far_stride == 0)
        seen |= gone & (j == 0)
    return torch.zeros(steps, steps).masked_fill(~seen, float("-inf"))
