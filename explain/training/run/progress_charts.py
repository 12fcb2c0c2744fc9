"""Charts of a training run: losses and figures by step."""

from explain.training.run.runs import Run
from explain.views.charts import Chart, Charts, Line

MOST_POINTS = 200  # of a line
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
