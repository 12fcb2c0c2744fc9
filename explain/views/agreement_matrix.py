"""Agreement matrix: agreement of each two methods on the order of a text's words."""

from typing import Any

import numpy as np

from explain.datatypes import Report
from explain.numerics.agreement import agreement, disputed, places
from explain.text.units import scores_of
from explain.views.base import VIEWS, View, visible

FIGURES = {
    "spearman": "Spearman's rank correlation",
    "kendall": "Kendall's tau-b",
    "top_overlap": "share of the top fifth (at least three words) that both have",
    "signs": "share of these words with the same sign; only where both methods have signs",
}
_SAME = "a method gives every word the same score"
_FEW = "the text has fewer than three words"
UNDEFINED = {  # when there is no such figure
    "spearman": f"{_SAME}, or {_FEW}",
    "kendall": f"{_SAME}, or {_FEW}",
    "top_overlap": f"{_SAME}, or the text has one word",
    "signs": f"a method has no signs, {_SAME}, or the text has one word",
}


class AgreementMatrix(View):
    """Methods by methods."""

    name = "agreement_matrix"
    title = "Agreement of the methods"
    accepts = Report
    rank = 2
    placed = True

    def fits(self, result: Report) -> bool:
        """Whether there are methods to compare."""
        return len(result.attributions) > 1

    def data(
        self,
        report: Report,
        /,
        *,
        figure: str = "spearman",
        titles: dict[str, str] | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            figure: a key of `FIGURES`; titles: of methods, by name.
        """
        usable = [attribution for attribution in report.attributions if attribution.granularity != "window"]
        words = usable[0].tokens.word_units() if usable else ()
        protected = set(report.target.protected)
        words = tuple(word for word in words if not protected.intersection(word))
        scores = [scores_of(attribution, words) for attribution in usable]
        rows = [
            [
                agreement(mine, theirs, signed=attribution.signed and other.signed).get(figure)
                if len(words) > 1
                else None
                for theirs, other in zip(scores, usable)
            ]
            for mine, attribution in zip(scores, usable)
        ]
        dash = f"Undefined (–): {UNDEFINED[figure]}."
        every = np.stack(scores) if len(words) > 1 and len(scores) > 1 else np.empty((0, 0))
        where = places(every)
        return {
            "names": [(titles or {}).get(attribution.method, attribution.method) for attribution in usable],
            "rows": rows,
            "undefined": dash,
            "disputed": [
                {
                    "word": visible(usable[0].tokens.unit_text(words[number])),
                    "scores": every[:, number].tolist(),
                    "places": where[:, number].tolist(),
                    "signs": [attribution.signed for attribution in usable],
                }
                for number in (disputed(every) if len(every) else ())
            ],
            "out_of": len(words),
            "signed": figure in ("spearman", "kendall"),
            "note": (
                f"{FIGURES[figure].capitalize()}, over {len(words)} words, special tokens left out. Where a method has "
                "no signs, sizes are compared. Methods that agree can be wrong together."
                + (f" {dash}" if any(coefficient is None for row in rows for coefficient in row) else "")
            ),
            "caption": f"Agreement of the methods: {FIGURES[figure]}",
        }


VIEWS.register("agreement_matrix")(AgreementMatrix())
