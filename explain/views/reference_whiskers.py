"""Whiskers: each word's score, and the range it has when the same method starts from another empty text."""

from typing import Any

from explain.datatypes import MetricResult, Report
from explain.text.removal import OPERATORS
from explain.views.base import UNITS, VIEWS, View, sentence, visible

MOST = 20  # words that are drawn, the largest first

BASELINES = {"mask": "mask token", "pad": "padding token", "unk": "unknown token", "zero": "vector of zeros"}


class ReferenceWhiskers(View):
    """A bar for each word, with the range of its scores over all references."""

    name = "reference_whiskers"
    title = "Scores from other references"
    accepts = Report
    rank = 4
    placed = True

    def fits(self, result: Report) -> bool:
        """Whether several references were tried."""
        return any(figure.metric == "reference_robustness" for figure in result.metrics)

    def data(self, report: Report, /, *, method: str | None = None, title: str = "", **options: Any) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            method: by default the first that has such a figure.
            title: of the method.

        Raises:
            KeyError: the report has no such figure.
        """
        robustness = _figure(report, method)
        attribution = report.attribution(robustness.method)
        own, *others = robustness.details["references"]
        rows = robustness.details["references"]
        changes = robustness.details["sign_changes"]
        order = sorted(range(len(changes)), key=lambda number: (-abs(rows[own][number]), number))
        words = [
            {
                "text": visible(attribution.tokens.unit_text(robustness.details["units"][number])),
                "tokens": robustness.details["units"][number],
                "score": rows[own][number],
                "low": min(scores[number] for scores in rows.values()),
                "high": max(scores[number] for scores in rows.values()),
                "changes": changes[number],
                "each": [[_named(name), scores[number]] for name, scores in rows.items()],
            }
            for number in order[:MOST]
        ]
        left = len(order) - len(words)
        turned = sum(changes)
        undefined = ", ".join(map(_named, robustness.details.get("undefined", ())))
        return {
            "title": title or robustness.method,
            "unit": UNITS[attribution.scale],
            "signed": attribution.signed,
            "largest": max((max(abs(word["low"]), abs(word["high"])) for word in words), default=0.0) or 1.0,
            "words": words,
            "note": sentence(
                *[
                    f"Bar: the score, from the reference {_named(own)}. Line: its range when the reference is "
                    f"{', '.join(map(_named, others))} as well. Unit: {UNITS[attribution.scale]}.",
                    f"Rank correlation with the others in the mean: {robustness.value:.2f}.",
                    f"It is undefined, and left out, for {undefined}: all words have the same score."
                    if undefined
                    else "",
                    f"Words that speak for the target from one reference and against it from another: {turned} of "
                    f"{len(order)}."
                    if attribution.signed
                    else "",
                    f"Left out: {left} with smaller scores." if left else "",
                ]
            ),
            "caption": f"{title or robustness.method}: scores from other references",
        }


def _figure(report: Report, method: str | None) -> MetricResult:
    for figure in report.metrics:
        if figure.metric == "reference_robustness" and method in (None, figure.method):
            return figure
    raise KeyError(f"No robustness to the reference of {method!r} in this report.")


def _named(reference: str) -> str:
    return BASELINES.get(reference) or OPERATORS.get(reference, reference).split(";")[0]


VIEWS.register("reference_whiskers")(ReferenceWhiskers())
