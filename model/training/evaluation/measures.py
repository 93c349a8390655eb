"""The table of measures: what each is called, what does it, whether it needs a judge. A new one is a row here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from model.training.evaluation import movement, reader
from model.training.evaluation.actions import actions
from model.training.evaluation.company import company, company_of
from model.training.evaluation.continuity import continuity
from model.training.evaluation.directing import following, polarity
from model.training.evaluation.drifting import drift
from model.training.evaluation.figure import Figure, Findings, Settings
from model.training.evaluation.hearing import seams, sound_rank
from model.training.evaluation.naming import naming, text_head
from model.training.evaluation.standing import presence, revisit, view_psnr
from model.training.evaluation.timing import av_error
from model.training.style_judge import style_named
from model.world import WorldModel


def styles(model: WorldModel, settings: Settings) -> Findings:
    """Whether worlds in each style are named as that by a judge of styles."""
    value, samples, accuracy = style_named(model, settings.of(2, 8))
    return Findings({"style_named": Figure(value, samples, accuracy)})


@dataclass(frozen=True)
class Measure:
    """A measure, and whether it needs a judge that may have to be trained first."""

    do: Callable[[WorldModel, Settings], Findings]
    is_judged: bool = False


MEASURES: dict[str, Measure] = {
    "drift": Measure(drift),
    "sound": Measure(sound_rank),
    "continuity": Measure(continuity),
    "timing": Measure(av_error),
    "seams": Measure(seams),
    "view": Measure(view_psnr),
    "revisit": Measure(revisit),
    "presence": Measure(presence),
    "text": Measure(text_head),
    "styles": Measure(styles),
    # The longest first: no core is to wait for another at the end.
    "company": Measure(company, True),
    "polarity": Measure(polarity, True),
    "following": Measure(following, True),
    "naming": Measure(naming, True),
    "actions": Measure(actions, True),
}

# What a figure should reach: at least (>=) or at most (<=).
REACH: dict[str, tuple[str, float]] = {
    "codec_psnr_db": (">=", 36.0),
    "action_sign": (">=", 0.97),
    "action_r": (">=", 0.85),
    "directive_following": (">=", 0.90),
    "directive_polarity": (">=", 0.90),
    "style_named": (">=", 0.90),
    "figure_named": (">=", 0.90),
    "character_named": (">=", 0.90),
    "place_named": (">=", 0.90),
    "weather_named": (">=", 0.90),
    "text_read": (">=", 0.90),
    "continuity_ratio": ("<=", 2.0),
    "drift_10min": ("<=", 0.10),
    "drift_60min": ("<=", 0.15),
    "revisit_psnr_db": (">=", 20.0),
    "av_error_ms": ("<=", 45.0),
    "sound_rank": (">=", 0.9),
    "presence_ratio": (">=", 3.0),
    "click_ratio": ("<=", 1.5),
    "loudness_jump_db": ("<=", 6.0),
}


def train_judges(cache: Path) -> None:
    """Make the judges that are not in `cache` yet."""
    reader.reader_of(cache)
    movement.mover_of(cache)
    company_of(cache)


def reached(name: str, value: float) -> bool | None:
    """Whether a figure reaches what it should; None where nothing is set."""
    if name not in REACH:
        return None
    sign, bound = REACH[name]
    return value >= bound if sign == ">=" else value <= bound
