"""Second opinions: the scores of each method as a small strip of bars, one bar for each word."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from explain.datatypes import Attribution, Report
from explain.views.base import VIEWS, View, visible

LEADING = 3  # words of each method that are compared with those of the others
MOST_BARS = 120


class MethodTiles(View):
    """The methods side by side, and the words that all of them find important."""

    name = "method_tiles"
    title = "Methods side by side"
    accepts = Report
    placed = True

    def fits(self, report: Report) -> bool:
        return len(report.attributions) > 1

    def data(
        self,
        report: Report,
        /,
        *,
        large: str = "",
        titles: Mapping[str, str] | None = None,
        group: str = "",
        sends: bool = False,
        **options: Any,
    ) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            large: the method whose scores are drawn large elsewhere.
            titles: the methods' titles.
        """
        return {
            "tiles": [
                {
                    "method": attribution.method,
                    "title": (titles or {}).get(attribution.method, attribution.method),
                    "signed": attribution.signed,
                    "large": attribution.method == large,
                    "bars": _bars(attribution),
                }
                for attribution in report.attributions
            ],
            "agreed": shared_words(report),
            "group": group,
            "sends": sends,
            "caption": "Scores by method, each on its own scale",
        }


def _words(attribution: Attribution) -> tuple[Attribution, list[int]]:
    """Return the scores by word where that is possible, and the numbers of the units that are the text's own."""
    shown = attribution
    if attribution.granularity == "token" and attribution.additive:
        shown = attribution.per_word()
    special = shown.tokens.special
    own = [number for number, unit in enumerate(shown.units) if not special[list(unit)].all()]
    return shown, sorted(own, key=lambda number: shown.units[number][0])


def _bars(attribution: Attribution) -> list[float]:
    """Return the scores in reading order, as shares of the largest; of a long text the largest of each few words."""
    shown, own = _words(attribution)
    scores = shown.scores[own]
    largest = float(np.abs(scores).max(initial=0.0)) or 1.0
    parts = np.array_split(scores / largest, min(len(scores), MOST_BARS)) if len(scores) else []
    return [round(float(part[np.abs(part).argmax()]), 4) for part in parts]


def shared_words(report: Report) -> list[str]:
    """Return the words that are among the largest of every method with signs, on one side in all, in reading order."""
    leading: list[dict[tuple[int, ...], bool]] = []
    for attribution in report.attributions:
        if attribution.signed:
            shown, own = _words(attribution)
            top = sorted(own, key=lambda number: -abs(shown.scores[number]))[:LEADING]
            leading.append({shown.units[n]: bool(shown.scores[n] > 0) for n in top if shown.scores[n]})
    if len(leading) < 2:
        return []
    tokens = report.prediction.tokens
    common = sorted(unit for unit in leading[0] if all(each.get(unit) == leading[0][unit] for each in leading))
    texts = [visible(tokens.unit_text(unit)) for unit in common]
    return [text for text in texts if any(letter.isalnum() for letter in text)]


VIEWS.register("method_tiles")(MethodTiles())
