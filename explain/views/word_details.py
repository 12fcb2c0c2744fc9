"""The pieces of one word, and its score by each method."""

from typing import Any

from explain.datatypes import Attribution, Report
from explain.views.base import UNITS, VIEWS, View, visible
from explain.views.token_heatmap import ranks


class WordDetails(View):
    """The word that is picked in any drawing of the group."""

    name = "word_details"
    title = "One word"
    accepts = Report
    alone = False  # it shows the word that is picked in another picture
    placed = True

    def data(
        self,
        report: Report,
        /,
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
        tokens = report.prediction.tokens
        by_method = {attribution.method: _by_token(attribution) for attribution in report.attributions}
        return {
            "group": group,
            "methods": {
                attribution.method: {
                    "title": (titles or {}).get(attribution.method, attribution.method),
                    "scale": attribution.scale,
                    "unit": UNITS[attribution.scale],
                    "signed": attribution.signed,
                }
                for attribution in report.attributions
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


def _by_token(attribution: Attribution) -> dict[int, tuple[float, int, int, float | None]]:
    """Return for each token: score and rank of its unit, number of units, and half width of the interval."""
    shown = attribution.per_word() if attribution.granularity == "token" and attribution.additive else attribution
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
