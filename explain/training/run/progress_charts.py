"""Charts of a training run: losses and figures by step."""

from explain.training.run.runs import Run
from explain.views.charts import Chart, Charts, Line

MOST_POINTS = 200  # of a line
# Figures of the dev rows that are drawn: key in the progress, name on the chart.
DRAWN = {
    "dev_accuracy": "accuracy",
    "dev_macro_f1": "macro F1",
    "dev_micro_f1": "micro F1",
    "dev_masked_words": "masked words, first guess correct",
    "dev_next_sentence": "next sentences recognized",
}


def progress_charts(run: Run) -> Charts:
    """Return the losses and figures by step, up to now."""

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
        "The loss is of the masked words and next sentences that it trains on. The figures are of held-out documents."
        if run.recipe["kind"] == "lines"
        else "The dev rows are not trained on. If their loss rises while that of the training rows falls, the model "
        "memorizes. The model with the lowest loss on the dev rows is kept.",
        f"Training of {run.name}",
    )
