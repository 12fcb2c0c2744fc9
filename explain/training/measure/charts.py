"""Charts of an evaluation: ROC, precision and recall, calibration, the confusion matrix."""

from collections.abc import Mapping
from typing import Any

from explain.views.charts import Chart, Charts, Confusion, Line

STYLES = {"This model": 0, "Bag of words": 1, "Most frequent": 3}


def curve_charts(evaluation: Mapping[str, Any], label: str, name: str) -> Charts:
    """Return the ROC, precision-recall and calibration curves of a model and of the simpler models.

    Args:
        evaluation: as `table_run.evaluation` returns it.
        label: the label of the first two charts; name: the model's name.
    """

    def lines(kind: str, area: str) -> tuple[Line, ...]:
        curves = [(judge["name"], judge["curves"]["by_label"].get(label)) for judge in evaluation["judges"]]
        return tuple(
            Line(f"{judge} {curve[area]:.3f}", _points(_flat(curve, kind, judge)), STYLES[judge])
            for judge, curve in curves
            if curve
        )

    calibration = [
        Line(judge["name"], _points(judge["curves"]["calibration"]), STYLES[judge["name"]])
        for judge in evaluation["judges"][:2]
    ]
    ideal = Line("ideal", ((0.0, 0.0), (1.0, 1.0)), 4)
    confidence = "confidence" if evaluation["exclusive"] else "probability of a label"
    return Charts(
        (
            Chart(f"ROC, {label}", "false positive rate", f"recall of {label}", lines("roc", "roc_auc"), shares=True),
            Chart(
                f"Precision and recall, {label}",
                f"recall of {label}",
                f"precision of {label}",
                lines("precision_recall", "average_precision"),
                shares=True,
            ),
            Chart("Calibration, all labels", confidence, "share correct", (*calibration, ideal), shares=True),
        ),
        f"On {evaluation['count']:,} test rows. Numbers after the names are areas under the curve. Chance is 0.5 for "
        "ROC, and the label's share for precision and recall. Calibration is by groups with the same number of texts; "
        "with few texts the curve is rough.",
        f"Curves of {name}, {label}",
    )


def _flat(curve: Mapping[str, Any], kind: str, judge: str) -> Any:
    """Return a curve; of equal probabilities for all texts, the precision is the label's share throughout."""
    constant = kind == "precision_recall" and judge == "Most frequent"
    return [(0.0, curve["share"]), (1.0, curve["share"])] if constant else curve[kind]


def _points(pairs: Any) -> tuple[tuple[float, float], ...]:
    return tuple((float(across), float(up)) for across, up in pairs)


def confusion(evaluation: Mapping[str, Any]) -> Confusion | None:
    """Return the model's confusion matrix; None where several labels may be correct."""
    counts = evaluation["judges"][0]["figures"].get("confusion")
    return None if counts is None else Confusion(tuple(evaluation["labels"]), counts)
