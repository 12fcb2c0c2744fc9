"""What came out of a run, in words and cells: for a page and for a terminal."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from explain.core.errors import DataError

EVALUATION = "evaluation.json"

# Rows of the table of figures: caption, key, and whether more is better.
FIGURES = (
    ("accuracy", "accuracy", True),
    ("micro F1", "micro_f1", True),
    ("micro precision", "micro_precision", True),
    ("micro recall", "micro_recall", True),
    ("macro F1", "macro_f1", True),
    ("macro precision", "macro_precision", True),
    ("macro recall", "macro_recall", True),
    ("area under the ROC curve", "roc_auc", True),
    ("area under the precision-recall curve", "average_precision", True),
    ("loss in nats", "log_loss", False),
    ("calibration error", "calibration_error", False),
)


# The same of pretraining, on held-out documents: caption, key, and key of how many were asked.
WORDS = (
    ("masked words found at the first guess", "masked_top1", "masked_asked"),
    ("masked words found within five guesses", "masked_top5", "masked_asked"),
    ("loss of masked words, in nats", "masked_loss", "masked_asked"),
    ("next sentences told", "next_sentence", "next_sentence_asked"),
)


def read_evaluation(folder: Path) -> dict[str, Any]:
    """What a run measured at its end.

    Raises:
        DataError: it is not there, or broken.
    """
    try:
        return dict(json.loads((folder / EVALUATION).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise DataError(f"{folder} has no {EVALUATION} that can be read; train the model again.") from error


def words_rows(found: Mapping[str, Any]) -> list[dict[str, str]]:
    """What pretraining changed, as the rows of a table."""
    return [
        {
            "figure": caption,
            "before": f"{found['before'][key]:.3f}",
            "after": f"{found['after'][key]:.3f}",
            "asked": f"{found['after'][asked]:,.0f}",
        }
        for caption, key, asked in WORDS
    ]


def figure_rows(judges: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    """The figures that were measured, each with a cell for each judge: the value, and its 95 % interval."""
    rows = []
    label = judges[0]["figures"].get("of_label")
    for caption, key, more in FIGURES:
        if key in judges[0]["figures"]:
            cells = [_cell(judge["figures"], key) for judge in judges]
            if label is not None and key == "average_precision":  # of two labels it is not the same for both
                caption = f"{caption} of {label}"
            rows.append((caption if more else f"{caption}, less is better", cells))
    return rows


def _cell(figures: Mapping[str, Any], key: str) -> str:
    value = figures[key]
    low, high = figures.get(f"{key}_interval") or (None, None)
    if value is None:  # no label is right in some of these rows and wrong in others
        return "–"
    return f"{value:.3f}" if low is None else f"{value:.3f} ({low:.3f} to {high:.3f})"


def as_text(found: Mapping[str, Any]) -> str:
    """The figures of an evaluation as a table of text."""
    rows = figure_rows(found["judges"])
    names = [judge["name"] for judge in found["judges"]]
    widths = [max(len(names[column]), *(len(cells[column]) for _, cells in rows)) for column in range(len(names))]
    first = max(len(caption) for caption, _ in rows)
    lines = [f"Measured on {found['count']:,} test rows, which were not trained on; 95 % intervals.", ""]
    lines.append("  ".join([" " * first, *(name.ljust(width) for name, width in zip(names, widths))]))
    for caption, cells in rows:
        lines.append("  ".join([caption.ljust(first), *(cell.ljust(width) for cell, width in zip(cells, widths))]))
    lines = [line.rstrip() for line in lines]
    return "\n".join([*lines, "", *filter(None, (fitted(found), gain(found)))]).rstrip()


def fitted(found: Mapping[str, Any]) -> str:
    """What was fitted on the dev rows before the test rows were looked at."""
    if not found["exclusive"]:
        if "temperature" not in found:  # of a run before the others' thresholds were fitted too
            return (
                "From what probability on a label is called, was fitted for this model; for the others it is one half."
            )
        return "From what probability on a label is called, was fitted on the dev rows, for each of the three."
    if (temperature := found.get("temperature")) is None:
        return ""
    return (
        "Loss and calibration error of this model are after its temperature, "
        f"{temperature:.3f}, fitted on the dev rows, as its probabilities are shown elsewhere."
    )


def kept(folder: Path) -> str:
    """Which step's model a run kept, and whether it ended because nothing got better; empty where none was chosen."""
    try:
        record = json.loads((folder / "training.json").read_text(encoding="utf-8"))
        recipe, figures = record["recipe"], record["figures"]
        step, steps = figures["kept_step"], figures["steps"]
        patience, every = recipe.get("patience"), recipe.get("evaluate_every")
        said = f"Kept: the model after step {step:,}, whose loss on the dev rows was lowest"
    except (OSError, ValueError, TypeError, KeyError):  # no step was chosen, or a file that was changed by hand
        return ""
    if patience and every and (steps - step) // every >= patience:
        return f"{said}; it ended early, since {patience} looks had brought no lower one."
    return f"{said}."


def gain(found: Mapping[str, Any]) -> str:
    """What the model adds to a bag of words, in a sentence; empty where several labels may be right."""
    if not found.get("gain"):
        return ""
    more, half = (100 * value for value in found["gain"])
    judged = "" if abs(more) > half else " That may be chance."
    if not more and not half:
        return "The model and the bag of words are right and wrong about the same rows."
    count = f"{abs(more):.0f} ± {half:.0f} {'more' if more >= 0 else 'fewer'}"
    return f"Of 100 such rows the model gets {count} right than the bag of words.{judged}"
