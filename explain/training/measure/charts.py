"""Charts of an evaluation: ROC, precision and recall, calibration, the confusion matrix."""

from collections.abc import Mapping
from typing import Any

from explain.views.charts import Chart, Charts, Confusion, Line

STYLES = {"This model": 0, "Bag of words": 1, "Most frequent": 3}


def curve_charts(found: Mapping[str, Any], label: str, name: str) -> Charts:
    """ROC, precision-recall and calibration of an evaluation, the model beside what is simpler.

    Args:
        found: as `table_run.evaluation` gives it.
        label: whose curves; name: of the model.
    """

    def lines(kind: str, area: str) -> tuple[Line, ...]:
        judged = [(judge["name"], judge["curves"]["by_label"].get(label)) for judge in found["judges"]]
        return tuple(
            Line(f"{judge} {curve[area]:.3f}", _points(_flat(curve, kind, judge)), STYLES[judge])
            for judge, curve in judged
            if curve
        )

    calibration = [
        Line(judge["name"], _points(judge["curves"]["calibration"]), STYLES[judge["name"]])
        for judge in found["judges"][:2]
    ]
    ideal = Line("as it should be", ((0.0, 0.0), (1.0, 1.0)), 4)
    sure = "confidence" if found["exclusive"] else "probability of a label"
    return Charts(
        (
            Chart(f"ROC, {label}", "false alarms", f"{label} found", lines("roc", "roc_auc"), shares=True),
            Chart(
                f"Precision and recall, {label}",
                f"{label} found (recall)",
                "of those called so, right (precision)",
                lines("precision_recall", "average_precision"),
                shares=True,
            ),
            Chart("Calibration, all labels", sure, "how often right", (*calibration, ideal), shares=True),
        ),
        f"On {found['count']:,} test rows. Numbers after the names are areas under the curve; 0.5 is chance for ROC, "
        "the label's share for precision and recall. Calibration: groups of equally many texts; with few texts it "
        "jumps.",
        f"Curves of {name}, {label}",
    )


def _flat(curve: Mapping[str, Any], kind: str, judge: str) -> Any:
    """A curve; of who says the same of all texts, precision is the label's share at any recall, not a slope to it."""
    constant = kind == "precision_recall" and judge == "Most frequent"
    return [(0.0, curve["share"]), (1.0, curve["share"])] if constant else curve[kind]


def _points(pairs: Any) -> tuple[tuple[float, float], ...]:
    return tuple((float(across), float(up)) for across, up in pairs)


def confusion(found: Mapping[str, Any]) -> Confusion | None:
    """The model's confusion matrix; None where several labels may be right."""
    counts = found["judges"][0]["figures"].get("confusion")
    return None if counts is None else Confusion(tuple(found["labels"]), counts)
