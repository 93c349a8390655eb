"""Names of the styles in English and Chinese: a style that is named plainly needs no text head to be understood."""

from __future__ import annotations

import re
import unicodedata

from model.conditions import STYLES

# What names a style wherever it stands in a text; words of Latin script as whole words.
_NAMES: dict[str, tuple[str, ...]] = {
    "photograph": ("photograph", "photographic", "photo", "photorealistic", "realistic", "照片", "摄影", "写实"),
    "watercolour": ("watercolour", "watercolor", "watercolours", "watercolors", "aquarelle", "水彩"),
    "ink": ("ink", "inks", "sumi", "sumie", "ink wash", "水墨", "墨画", "国画", "山水画"),
    "oil": ("oil", "oils", "oil painting", "impasto", "van gogh", "impressionist", "油画", "梵高"),
    "animation": ("animation", "animated", "anime", "cartoon", "hand drawn", "cel", "动画", "动漫", "卡通", "手绘"),
    "woodblock": ("woodblock", "wood block", "woodcut", "ukiyo e", "ukiyoe", "版画", "浮世绘", "木刻"),
    "neon": ("neon", "synthwave", "cyberpunk", "vaporwave", "霓虹", "赛博朋克"),
    "paper": ("papercut", "paper cut", "cut paper", "cut out", "cutout", "剪纸", "纸艺", "折纸"),
}  # fmt: skip
assert tuple(_NAMES) == STYLES


def named(text: str) -> str | None:
    """The one style that a text names, or None where it names none or several."""
    plain = re.sub(r"[\W_]+", " ", unicodedata.normalize("NFKC", text).lower()).strip()
    plain = re.sub(r"\bwater colou?r", "watercolour", plain)
    if plain in STYLES:
        return plain
    found = {style for style, names in _NAMES.items() if any(_holds(plain, name) for name in names)}
    return found.pop() if len(found) == 1 else None


def _holds(text: str, name: str) -> bool:
    return re.search(rf"\b{name}\b", text) is not None if name.isascii() else name in text
