"""Word marks: the text itself, in which a reader marks the words that decide."""

import hashlib
from collections.abc import Iterable
from typing import Any

from explain.datatypes import Tokens
from explain.views.base import VIEWS, View, visible
from explain.views.token_heatmap import laid_out


class WordMarks(View):
    """Words as switches, all of them one stop of the keyboard."""

    name = "word_marks"
    title = "Marked words"
    accepts = Tokens
    alone = False  # marks need a page that keeps them
    placed = True

    def data(
        self,
        tokens: Tokens,
        /,
        *,
        among: Iterable[int] | None = None,
        marked: Iterable[int] = (),
        sends: bool = False,
        **options: Any,
    ) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            among: numbers of the words that can be marked, by default all; marked: of those that are.
            sends: report {"of": ..., "words": [...]} to the page, all marked words, at every change.
        """
        words = tokens.word_units()
        units: list[dict[str, Any]] = []
        for number in range(len(words)) if among is None else among:
            segment, start, stop = tokens.unit_span(words[number])
            text = visible(tokens.unit_text(words[number]))
            units.append({"segment": segment, "start": start, "stop": stop, "text": text, "number": number})
        return {
            "of": fingerprint(tokens, [unit["number"] for unit in units]),
            "texts": laid_out(tokens, units),
            "count": len(units),
            "marked": sorted(marked),
            "sends": sends,
            "caption": "Words marked as decisive",
        }


def fingerprint(tokens: Tokens, among: Iterable[int]) -> str:
    """Return a hash of the drawn words and their texts, so that a late click marks no words of another text."""
    spans = [tokens.unit_span(unit) for unit in tokens.word_units()]
    drawn = repr((tokens.texts, [spans[number] for number in among]))
    return hashlib.sha256(drawn.encode("utf-8", "surrogatepass")).hexdigest()[:16]


VIEWS.register("word_marks")(WordMarks())
