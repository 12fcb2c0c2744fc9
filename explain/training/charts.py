"""What a training run and its evaluation look like: results as charts, for `explain.views`."""

from collections.abc import Mapping
from typing import Any

from explain.training.runs import Run
from explain.views.charts import Chart, Charts, Confusion, Line

MOST_POINTS = 200  # of a line
STYLES = {"This model": 0, "Bag of words": 1, "Most frequent": 3}
# Figures of the dev rows that are drawn: name in the progress, what a reader calls it.
DRAWN = {
    "dev_accuracy": "accuracy",
    "dev_macro_f1": "macro F1",
    "dev_micro_f1": "micro F1",
    "dev_masked_words": "masked words found",
    "dev_next_sentence": "next sentences told",
}


def progress_charts(run: Run) -> Charts:
    """Losses and figures by step, as far as the run has come."""

    def line(key: str, name: str, style: int) -> Line:
        points = [(entry["step"], entry[key]) for entry in run.progress if key in entry]
        kept = dict.fromkeys([*points[:: len(points) // MOST_POINTS + 1], *points[-1:]])
        return Line(name, tuple(kept), style)

    figures = [line(key, name, style) for style, (key, name) in enumerate(DRAWN.items())]
    return Charts(
        (
            Chart("Loss", "steps", "nats", (line("loss", "training rows", 1), line("dev_loss", "dev rows", 0))),
            Chart("On the dev rows", "steps", "share", tuple(figures), high=1.0),
        ),
        "Loss: of the masked words and next sentences it trains on. The figures are of documents held out."
        if run.recipe["kind"] == "lines"
        else "The dev rows are not trained on. When their loss rises while that of the training rows falls, the model "
        "learns by heart; the model kept is that of the lowest loss on the dev rows.",
        f"Training of {run.name}",
    )


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
