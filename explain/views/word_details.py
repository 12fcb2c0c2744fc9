"""One word's pieces, and what each method says of it, beside the others."""

from typing import Any

from explain.datatypes import Attribution, Report
from explain.views.base import UNITS, VIEWS, View, visible
from explain.views.token_heatmap import ranks


class WordDetails(View):
    """Shows the word that is picked in any drawing of the group."""

    name = "word_details"
    title = "One word"
    accepts = Report

    def data(
        self,
        result: Report,
        *,
        group: str = "",
        titles: dict[str, str] | None = None,
        unknown: int | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            titles: the methods' titles.
            unknown: the vocabulary's id for what it does not know.
        """
        tokens = result.prediction.tokens
        by_method = {one.method: _by_token(one) for one in result.attributions}
        return {
            "group": group,
            "methods": {
                one.method: {
                    "title": (titles or {}).get(one.method, one.method),
                    "scale": one.scale,
                    "unit": UNITS[one.scale],
                    "signed": one.signed,
                }
                for one in result.attributions
            },
            "words": [
                {
                    "text": visible(tokens.unit_text(unit)),
                    "tokens": list(unit),
                    "pieces": [
                        [visible(tokens.pieces[token]), int(tokens.ids[token]), int(tokens.ids[token]) == unknown]
                        for token in unit
                    ],
                    "scores": [[method, *scores[unit[0]]] for method, scores in by_method.items() if unit[0] in scores],
                }
                for unit in tokens.word_units()
            ],
        }


def _by_token(result: Attribution) -> dict[int, tuple[float, int, int, float | None]]:
    """For each token: the score of the unit it is in, that unit's rank by size, how many there are, and half the width
    of the score's interval."""
    shown = result.per_word() if result.granularity == "token" and result.additive else result
    place = ranks(shown)
    return {
        token: (
            float(shown.scores[number]),
            place[number],
            len(place),
            None if shown.error is None else float(shown.error[number]),
        )
        for number, unit in enumerate(shown.units)
        if number in place
        for token in unit
    }


VIEWS.register("word_details")(WordDetails())
