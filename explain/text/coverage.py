"""Coverage of a text by a model: unknown pieces, and letters of scripts it was not trained on."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from explain.datatypes import Tokens

MOST_UNKNOWN = 0.2


@dataclass(frozen=True)
class Coverage:
    """The share of a text that the model can read.

    Attributes:
        unknown: the share of the user's pieces that are the unknown token.
        foreign: the share of letters of scripts the model was not trained on; None where its scripts are unknown.
        script: the commonest such script ("Cyrillic"), or "".
    """

    unknown: float
    foreign: float | None
    script: str

    @property
    def poor(self) -> bool:
        """Over a fifth of the pieces are unknown, or most letters are of a script the model never saw."""
        return self.unknown > MOST_UNKNOWN or (self.foreign or 0.0) > 0.5


def coverage(tokens: Tokens, unknown_id: int | None, scripts: Sequence[str] | None) -> Coverage:
    """Measure a text.

    Args:
        unknown_id: the id of the unknown token, or None where the vocabulary has none.
        scripts: the scripts the model was trained on ("Latin"), or None if unknown.
    """
    own = tokens.ids[tokens.ordinary]
    unknown = float((own == unknown_id).mean()) if unknown_id is not None and len(own) else 0.0
    letters = Counter(script_of(character) for text in tokens.texts for character in text if character.isalpha())
    if scripts is None or not letters:
        return Coverage(unknown, None, "")
    foreign = {script: count for script, count in letters.items() if script not in scripts}
    script = max(foreign, key=foreign.__getitem__, default="")
    return Coverage(unknown, sum(foreign.values()) / sum(letters.values()), script)


def doubt(read: Coverage, scripts: Sequence[str] | None) -> str:
    """Return a warning that a prediction may mean little, as a sentence; empty where there is no reason to warn."""
    if read.unknown > MOST_UNKNOWN:
        return f"{read.unknown:.0%} of the pieces are unknown to this model: it sees the same blank for each of them."
    if read.poor:
        return (
            f"Most letters are {read.script}; this model was trained on {' and '.join(scripts or ())} script. "
            "Its answer means little here."
        )
    return ""


def script_of(letter: str) -> str:
    """Return the script of a letter by its Unicode name: "Latin", "Cyrillic", "Han" ..."""
    first = unicodedata.name(letter, "Unknown").split()[0].split("-")[0]
    return {"CJK": "Han", "FULLWIDTH": "Latin", "MODIFIER": "Latin", "FEMININE": "Latin", "MASCULINE": "Latin"}.get(
        first, first.capitalize()
    )
