"""The measurements of a run as tables and sentences, for a page and for a terminal."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from explain.core.errors import DataError

EVALUATION = "evaluation.json"

# Rows of the table of figures: caption, key, whether higher is better.
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

# Rows of the table of pretraining, on held-out documents: caption, key, key of the number measured.
WORDS = (
    ("masked words, first guess correct", "masked_top1", "masked_asked"),
    ("masked words, one of five guesses correct", "masked_top5", "masked_asked"),
    ("loss of masked words, in nats", "masked_loss", "masked_asked"),
    ("next sentences recognized", "next_sentence", "next_sentence_asked"),
)


def read_evaluation(folder: Path) -> dict[str, Any]:
    """Return the evaluation that a run wrote at its end.

    Raises:
        DataError: the file is missing or cannot be read.
    """
    try:
        return dict(json.loads((folder / EVALUATION).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise DataError(f"{folder} has no {EVALUATION} that can be read. Train the model again.") from error


def words_rows(evaluation: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the figures before and after pretraining as the rows of a table."""
    return [
        {
            "figure": caption,
            "before": f"{evaluation['before'][key]:.3f}",
            "after": f"{evaluation['after'][key]:.3f}",
            "measured on": f"{evaluation['after'][count_key]:,.0f}",
        }
        for caption, key, count_key in WORDS
    ]


def figure_rows(judges: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    """Return each figure with a cell for each model: the number, and its 95 % interval."""
    rows = []
    label = judges[0]["figures"].get("of_label")
    for caption, key, higher_is_better in FIGURES:
        if key in judges[0]["figures"]:
            cells = [_cell(judge["figures"], key) for judge in judges]
            if label is not None and key == "average_precision":  # it differs between two labels
                caption = f"{caption} of {label}"
            rows.append((caption if higher_is_better else f"{caption} (lower is better)", cells))
    return rows


def _cell(figures: Mapping[str, Any], key: str) -> str:
    figure = figures[key]
    low, high = figures.get(f"{key}_interval") or (None, None)
    if figure is None:  # undefined: every label is in all of these rows or in none
        return "–"
    return f"{figure:.3f}" if low is None else f"{figure:.3f} ({low:.3f} to {high:.3f})"


def as_text(evaluation: Mapping[str, Any]) -> str:
    """Return the figures of an evaluation as a table of text."""
    rows = figure_rows(evaluation["judges"])
    names = [judge["name"] for judge in evaluation["judges"]]
    widths = [max(len(names[column]), *(len(cells[column]) for _, cells in rows)) for column in range(len(names))]
    first = max(len(caption) for caption, _ in rows)
    lines = [f"Measured on {evaluation['count']:,} test rows, which were not trained on; 95 % intervals.", ""]
    lines.append("  ".join([" " * first, *(name.ljust(width) for name, width in zip(names, widths))]))
    for caption, cells in rows:
        lines.append("  ".join([caption.ljust(first), *(cell.ljust(width) for cell, width in zip(cells, widths))]))
    lines = [line.rstrip() for line in lines]
    return "\n".join([*lines, "", *filter(None, (fitted(evaluation), gain(evaluation)))]).rstrip()


def fitted(evaluation: Mapping[str, Any]) -> str:
    """Return a sentence on what was fitted on the dev rows; empty if nothing was."""
    if not evaluation["exclusive"]:
        if "temperature" not in evaluation:  # an older run, which fitted thresholds of this model alone
            return "The label thresholds of this model were fitted; those of the other models are 0.5."
        return "The label thresholds of all three models were fitted on the dev rows."
    if (temperature := evaluation.get("temperature")) is None:
        return ""
    return (
        f"Loss and calibration error of this model are with its temperature, {temperature:.3f}, which was fitted on "
        "the dev rows. Other pages show its probabilities with this temperature too."
    )


def kept(folder: Path) -> str:
    """Return a sentence on which step's model a run kept, and why it ended; empty where no step was selected."""
    try:
        record = json.loads((folder / "training.json").read_text(encoding="utf-8"))
        recipe, figures = record["recipe"], record["figures"]
        step, steps = figures["kept_step"], figures["steps"]
        patience, every = recipe.get("patience"), recipe.get("evaluate_every")
        sentence = f"The model after step {step:,} was kept; its loss on the dev rows was the lowest."
    except (OSError, ValueError, TypeError, KeyError):  # no step was selected, or the file was edited by hand
        return ""
    if patience and every and (steps - step) // every >= patience:
        return f"{sentence} Training ended early, after {patience} measurements without a lower loss."
    return sentence


def gain(evaluation: Mapping[str, Any]) -> str:
    """Return the model's gain over a bag of words in a sentence; empty where several labels may be correct."""
    if not evaluation.get("gain"):
        return ""
    difference, half_width = (100 * share for share in evaluation["gain"])
    chance = "" if abs(difference) > half_width else " The difference may be due to chance."
    if not difference and not half_width:
        return "The model and the bag of words are right and wrong about the same rows."
    count = f"{abs(difference):.0f} ± {half_width:.0f} {'more' if difference >= 0 else 'fewer'}"
    return f"Of 100 such rows the model gets {count} right than the bag of words.{chance}"
