"""The linear picture codec: a thumbnail of the whole picture in a few tokens, and patches of what remains.

Both levels are principal components fitted in closed form. Encoding and decoding are matrix products, so their
cost hardly depends on the picture's size, and every latent is a sum of pictures: nothing can be drawn that the
network did not ask for. Channels are partly whitened (divided by the square root of their deviation), which keeps
the coarse-to-fine order that diffusion likes.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


def _resize_matrix(large: int, small: int) -> Tensor:
    """Cubic interpolation (Keys 1981) from `small` to `large` samples as a matrix (large, small), centres aligned."""
    position = (torch.arange(large, dtype=torch.float64) + 0.5) * small / large - 0.5
    matrix = torch.zeros(large, small, dtype=torch.float64)
    base = position.floor().long()
    for tap in range(-1, 3):
        d = (position - (base + tap)).abs()
        near = 1.5 * d**3 - 2.5 * d**2 + 1
        weight = torch.where(d <= 1, near, torch.where(d < 2, -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2, 0.0))
        matrix.index_put_((torch.arange(large), (base + tap).clamp(0, small - 1)), weight, accumulate=True)
    return matrix.float()


def _fold(picture: Tensor, size: int, reach: int, back: bool) -> None:
    """Fold pixels across the borders between patches of `size` along the last dimension, in place; `back` undoes it.

    Each pair of pixels mirrored at a border is turned by an angle that falls from an eighth of a turn at the border to
    nothing `reach` pixels away, as in lapped transforms (Malvar 1990). The turn is orthogonal; after it, what one
    patch draws fades out inside its neighbours, which softens the borders.
    """
    cut = picture.unflatten(-1, (-1, size))
    before, after = cut[..., :-1, size - reach :], cut[..., 1:, :reach]
    # The angle's sine is a smooth window (the Vorbis codec's), flat where it ends.
    away = torch.arange(reach, device=picture.device)
    window = torch.sin(math.pi / 2 * torch.sin(math.pi / 4 * (1 + (away + 0.5) / reach)) ** 2)
    cos, sin = window.to(picture), (1 - window.square()).sqrt().to(picture)
    if back:
        sin = -sin
    mirrored = after.flip(-1)
    after.mul_(cos).addcmul_(before.flip(-1), -sin)
    before.mul_(cos.flip(-1)).addcmul_(mirrored, sin.flip(-1))


def _principal(rows: Tensor, keep: int) -> tuple[Tensor, Tensor]:
    """Mean (D,) and the `keep` leading principal directions (D, keep) of rows (N, D)."""
    mean = rows.mean(0)
    centred = rows - mean
    return mean, _leading(centred.T @ centred / len(rows), keep)


def _leading(covariance: Tensor, keep: int) -> Tensor:
    """The `keep` leading eigenvectors (D, keep) of a covariance (D, D).

    Subspace iteration (Halko, Martinsson & Tropp 2011) with a margin: a full decomposition of a patch's
    9,720 dimensions takes minutes, this seconds, and the trailing directions are not needed.
    """
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(len(covariance), min(len(covariance), keep + 32), generator=generator)
    basis, _ = torch.linalg.qr(covariance @ start)
    for _ in range(6):
        basis, _ = torch.linalg.qr(covariance @ basis)
    _, turn = torch.linalg.eigh(basis.T @ covariance @ basis)
    return (basis @ turn.flip(1)[:, :keep]).contiguous()


class PictureCodec(nn.Module):
    """Pictures (N, 3, H, W) in −1..1 to latents (N, tokens, channels) and back.

    Tokens are `thumb_tokens` of the thumbnail first, then rows × cols patches in reading order.
    """

    thumb_mean: Tensor
    thumb_basis: Tensor
    patch_mean: Tensor
    patch_basis: Tensor
    thumb_shift: Tensor
    thumb_scale: Tensor
    patch_shift: Tensor
    patch_scale: Tensor
    up_rows: Tensor
    up_cols: Tensor
    down_rows: Tensor
    down_cols: Tensor

    def __init__(
        self,
        height: int,
        width: int,
        rows: int,
        cols: int,
        channels: int,
        thumb_tokens: int,
        thumb_height: int = 18,
        thumb_width: int = 32,
    ) -> None:
        super().__init__()
        if height % rows or width % cols:
            raise ValueError(f"a {width}x{height} picture does not divide into {cols}x{rows} patches")
        self.height, self.width, self.rows, self.cols = height, width, rows, cols
        self.channels, self.thumb_tokens = channels, thumb_tokens
        self.thumb_height, self.thumb_width = thumb_height, thumb_width
        patch, thumb = 3 * (height // rows) * (width // cols), 3 * thumb_height * thumb_width
        self.tokens = thumb_tokens + rows * cols
        for name, shape in {
            "thumb_mean": (thumb,),
            "thumb_basis": (thumb, thumb_tokens * channels),
            "patch_mean": (patch,),
            "patch_basis": (patch, channels),
            "thumb_shift": (thumb_tokens, channels),
            "thumb_scale": (thumb_tokens, channels),
            "patch_shift": (channels,),
            "patch_scale": (channels,),
        }.items():
            self.register_buffer(name, torch.zeros(shape))
        up_rows, up_cols = _resize_matrix(height, thumb_height), _resize_matrix(width, thumb_width)
        self.register_buffer("up_rows", up_rows, persistent=False)
        self.register_buffer("up_cols", up_cols, persistent=False)
        # Down by least squares, so that the enlarged thumbnail is as near to the picture as it can be.
        self.register_buffer("down_rows", torch.linalg.pinv(up_rows.double()).float(), persistent=False)
        self.register_buffer("down_cols", torch.linalg.pinv(up_cols.double()).float(), persistent=False)

    @property
    def patch_analysis(self) -> Tensor:
        """What a patch is multiplied by to encode it, (D, channels): its orthonormal basis."""
        return self.patch_basis

    def reduced(self, factor: int) -> PictureCodec:
        """This codec for pictures `factor` times smaller, with the same latents: quick, and enough to move them."""
        return _Reduced(self, factor)

    def _thumbnail(self, picture: Tensor) -> Tensor:
        return (self.down_rows @ picture @ self.down_cols.T).flatten(1)  # (N, 3*h*w)

    def _enlarge(self, thumbnail: Tensor) -> Tensor:
        small = thumbnail.view(-1, 3, self.thumb_height, self.thumb_width)
        return self.up_rows @ small @ self.up_cols.T  # (N, 3, H, W)

    def _fold(self, picture: Tensor, back: bool) -> None:
        reach = self.height // self.rows // 2
        _fold(picture, self.width // self.cols, reach, back)
        _fold(picture.transpose(2, 3), self.height // self.rows, reach, back)

    def _patches(self, picture: Tensor) -> Tensor:
        n, r, c = len(picture), self.rows, self.cols
        folded = picture.clone()
        self._fold(folded, False)
        cut = folded.view(n, 3, r, self.height // r, c, self.width // c)
        return cut.permute(0, 2, 4, 1, 3, 5).reshape(n, r * c, -1)  # (N, rows*cols, D)

    def _join(self, patches: Tensor) -> Tensor:
        n, r, c = len(patches), self.rows, self.cols
        cut = patches.view(n, r, c, 3, self.height // r, self.width // c)
        picture = cut.permute(0, 3, 1, 4, 2, 5).reshape(n, 3, self.height, self.width)
        self._fold(picture, True)
        return picture

    @torch.no_grad()
    def fit(self, pictures: Tensor) -> None:
        """Fit both levels in closed form to pictures uint8 (N, H, W, 3); a few thousand varied ones suffice."""
        batches = pictures.split(64)

        def as_float(batch: Tensor) -> Tensor:
            return batch.permute(0, 3, 1, 2).float() / 127.5 - 1

        thumbs = torch.cat([self._thumbnail(as_float(b)) for b in batches])
        self.thumb_mean, self.thumb_basis = _principal(thumbs, self.thumb_tokens * self.channels)
        coded = (thumbs - self.thumb_mean) @ self.thumb_basis
        total, square = torch.zeros_like(self.patch_mean), torch.zeros(2 * (len(self.patch_mean),))
        count = 0
        for index, b in enumerate(batches):
            again = self._enlarge(coded[index * 64 : index * 64 + 64] @ self.thumb_basis.T + self.thumb_mean)
            rows = self._patches(as_float(b) - again).flatten(0, 1)
            total, square, count = total + rows.sum(0), square + rows.T @ rows, count + len(rows)
        mean = total / count
        self.patch_mean = mean
        self.patch_basis = _leading(square / count - mean[:, None] * mean[None], self.channels)
        self.thumb_shift.zero_()
        self.patch_shift.zero_()
        self.thumb_scale.fill_(1)
        self.patch_scale.fill_(1)
        latents = torch.cat([self.encode(as_float(b)) for b in batches])
        t = self.thumb_tokens
        self.thumb_shift, self.thumb_scale = _partly_white(latents[:, :t].transpose(0, 1).flatten(2), (1,))
        self.patch_shift, self.patch_scale = _partly_white(latents[:, t:].flatten(0, 1), (0,))

    def encode(self, picture: Tensor) -> Tensor:
        """Pictures (N, 3, H, W) in −1..1 to latents (N, tokens, channels) of about unit variance."""
        thumb = (self._thumbnail(picture) - self.thumb_mean) @ self.thumb_basis
        rest = picture - self._enlarge(thumb @ self.thumb_basis.T + self.thumb_mean)
        patches = (self._patches(rest) - self.patch_mean) @ self.patch_analysis
        thumb = (thumb.view(-1, self.thumb_tokens, self.channels) - self.thumb_shift) / self.thumb_scale
        return torch.cat([thumb, (patches - self.patch_shift) / self.patch_scale], 1)

    def decode(self, latents: Tensor) -> Tensor:
        """Latents (N, tokens, channels) to pictures (N, 3, H, W) in about −1..1, not clamped."""
        thumb = latents[:, : self.thumb_tokens] * self.thumb_scale + self.thumb_shift
        patches = latents[:, self.thumb_tokens :] * self.patch_scale + self.patch_shift
        large = self._enlarge(thumb.flatten(1) @ self.thumb_basis.T + self.thumb_mean)
        return large + self._join(patches @ self.patch_basis.T + self.patch_mean)

    def decode_uint8(self, latents: Tensor) -> Tensor:
        """Latents (N, tokens, channels) to pictures uint8 (N, H, W, 3)."""
        pixels = self.decode(latents).permute(0, 2, 3, 1)
        return pixels.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8).contiguous()


class _Reduced(PictureCodec):
    """A codec whose basis is another's, averaged over squares of pixels, and so no longer orthonormal."""

    analysis: Tensor

    def __init__(self, full: PictureCodec, factor: int) -> None:
        height, width = full.height // factor, full.width // factor
        super().__init__(height, width, full.rows, full.cols, full.channels, full.thumb_tokens)
        for name in ("thumb_mean", "thumb_basis", "thumb_shift", "thumb_scale", "patch_shift", "patch_scale"):
            setattr(self, name, getattr(full, name).clone())

        def smaller(values: Tensor) -> Tensor:  # (D, k) to (D / factor², k)
            square = values.view(3, height // full.rows, factor, width // full.cols, factor, -1)
            return square.mean((2, 4)).flatten(0, 2)

        self.patch_mean = smaller(full.patch_mean[:, None])[:, 0]
        self.patch_basis = smaller(full.patch_basis)
        # Channels that the small picture can hardly show are left weak rather than blown up.
        gram = (self.patch_basis.T @ self.patch_basis).double()
        ridge = 1e-2 / factor**2 * torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
        self.register_buffer(
            "analysis", self.patch_basis @ torch.linalg.inv(gram + ridge).to(self.patch_basis), persistent=False
        )

    @property
    def patch_analysis(self) -> Tensor:
        """The ridge-regularised pseudo-inverse of the basis, (D, channels)."""
        return self.analysis


def _partly_white(rows: Tensor, over: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Shift and scale that leave channels at the square root of their deviation, unit variance over all."""
    shift, deviation = rows.mean(over), rows.std(over).clamp(min=1e-4)
    scale = deviation.sqrt()
    overall = (deviation / scale).pow(2).mean(-1, keepdim=True).sqrt()
    return shift, scale * overall
