"""Train the text head: `python -m model.training.text --out head.safetensors`. Minutes on one core."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from tqdm import tqdm

from model.diorama.captions import Meaning, caption
from model.precision import reducing
from model.text import CLAUSES, PIECE_WIDTH, TextHead, embed, head_loss, targets


def phrases(seed: int, count: int, judging: bool) -> tuple[list[str], list[Meaning]]:
    """`count` phrases and their meanings; distinct where the grammar allows."""
    rng = np.random.default_rng([seed, int(judging)])
    seen: dict[str, Meaning] = {}
    for _ in range(count * 3):
        phrase, meaning = caption(rng, judging)
        seen.setdefault(phrase, meaning)
        if len(seen) == count:
            break
    return list(seen), list(seen.values())


def embed_all(texts: list[str]) -> torch.Tensor:
    """Embeddings of many texts, in halves, in batches with a progress bar."""
    bar = tqdm(range(0, len(texts), 2048), desc="embedding", mininterval=5)
    return torch.cat([torch.from_numpy(embed(texts[i : i + 2048])).half() for i in bar])


def accuracy(head: TextHead, embeddings: torch.Tensor, meanings: list[Meaning]) -> dict[str, float]:
    """Share of phrases read right: place, all operations, and everything at once."""
    right = dict.fromkeys(("place", "operations", "motion", "style", "character", "figures", "all"), 0)
    for row, meaning in zip(embeddings.float().numpy(), meanings, strict=True):
        read = head.read(row)
        place = read.place == meaning.place
        ops = {k: v[0] for k, v in read.environment.items()} == {k: v[0] for k, v in meaning.environment.items()}
        motion = read.motion == meaning.motion
        cast = dict(read.figures) == dict(meaning.figures)
        right["place"] += place
        right["operations"] += ops
        right["motion"] += motion
        right["style"] += read.style == meaning.style
        right["character"] += read.character == meaning.character
        right["figures"] += cast
        same = all(
            getattr(read, k) == getattr(meaning, k) for k in ("view", "flash", "style", "character", "lift", "back")
        )
        right["all"] += place and ops and motion and cast and same
    return {name: count / len(meanings) for name, count in right.items()}


def main() -> None:
    """Embed, train, judge on held-out wordings, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--phrases", type=int, default=110_000)
    parser.add_argument("--epochs", type=int, default=18)
    options = parser.parse_args()
    torch.manual_seed(0)
    texts, meanings = phrases(0, options.phrases, judging=False)
    test_texts, test_meanings = phrases(1, 1_500, judging=True)
    x, y = embed_all(texts), targets(meanings)
    x_test = embed_all(test_texts)
    head = TextHead()
    optimiser = torch.optim.AdamW(head.parameters(), 2e-3, weight_decay=0.02)
    updates = options.epochs * (len(x) // 256)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, updates)
    for _ in tqdm(range(updates), desc="text head", mininterval=5):
        index = torch.randint(len(x), (256,))
        batch = x[index].float().unflatten(1, (1 + CLAUSES, PIECE_WIDTH))
        present = (batch != 0).any(-1, keepdim=True)
        # Dropping whole halves and blurring embeddings keeps either half from being leaned on alone.
        keep = (torch.rand(256, 1, 2) >= 0.1).float()
        batch = batch * torch.cat([keep[..., :1].expand(-1, -1, 512), keep[..., 1:].expand(-1, -1, 1024)], -1)
        batch = (batch + 0.02 * torch.randn_like(batch)) * present
        with reducing("cpu"):
            said = {name: logits.float() for name, logits in head(batch.flatten(1)).items()}
        loss = head_loss(said, {k: v[index] for k, v in y.items()})
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    head.eval()
    print("training phrases:", accuracy(head, x[:1000], meanings[:1000]))
    print("held-out wordings:", accuracy(head, x_test, test_meanings))
    for text, meaning in list(zip(test_texts, test_meanings, strict=True))[:400]:
        read = head.read(embed([text])[0])
        wrong = {k: v for k, v in vars(read).items() if k != "environment" and v != getattr(meaning, k)}
        if wrong or {k: v[0] for k, v in read.environment.items()} != {k: v[0] for k, v in meaning.environment.items()}:
            print("  misread:", text, "|", wrong, dict(read.environment), "| wanted", meaning)
    save_file({k: v.half().contiguous() for k, v in head.state_dict().items()}, options.out)


if __name__ == "__main__":
    main()
