"""The recipe of a classifier trained on a table: its settings, columns and labels. Reads no model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from explain.core.installation import weights_folder
from explain.core.settings import check_settings, setting, setting_values
from explain.data.columns import Columns
from explain.data.dataset import Dataset
from explain.training.labeled_rows import LabeledRows

LISTED = 5  # most labels that a title names


@dataclass(frozen=True, kw_only=True)
class TableSettings:
    """Settings of a classifier's training."""

    train: str = setting(
        "adapter",
        choices=("adapter", "head"),
        help="Adapter: small additions to every layer (LoRA), and a head. Head: the encoder stays as it is, "
        "which is faster and mostly worse.",
    )
    minutes: float = setting(10.0, low=0.1, high=240.0, help="Training ends after this many minutes.")
    epochs: float = setting(10.0, low=0.1, high=100.0, help="How often each row is seen at most.")
    patience: int = setting(
        5, low=1, high=50, help="Early stopping: training ends after this many measurements without a lower loss."
    )
    seed: int = setting(0, low=0, high=2**31 - 1, help="The seed of the split and of every random draw.")
    learning_rate: float = setting(
        5e-4, low=1e-6, high=1e-1, help="The learning rate of the first steps. It falls to a fiftieth."
    )
    batch_size: int = setting(16, low=1, high=128, help="The number of rows in each step.")
    rank: int = setting(16, low=1, high=64, help="The rank of the adapter: how much each layer's additions can hold.")
    pooling: str = setting(
        "cls",
        choices=("cls", "mean", "lstm"),
        help="What the head reads: the first token, as in BERT; the mean of all tokens; or the mean of an LSTM "
        "that is trained with it. The last two need one label for each row.",
    )

    def __post_init__(self) -> None:
        check_settings(self)


def recipe_of(dataset: Dataset, columns: Columns, settings: TableSettings, rows: LabeledRows) -> dict[str, Any]:
    """Return the recipe as JSON. A run with an equal recipe can be continued."""
    file = {"name": dataset.name, "sha256": dataset.sha256(), "rows": rows.report.rows}
    return {
        "kind": "table",
        "file": file | {"left_out": rows.left_out.count},
        "columns": {
            "text": columns.text or "text",
            "label": columns.label or "label",
            "text_pair": columns.text_pair,
            "several": columns.several,
        },
        "labels": list(rows.labels),
        "title": title_of(rows.labels, columns.several),
        "settings": setting_values(settings),
        "base": str(weights_folder() / "base"),
    }


def same(recipe: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two recipes have the same rows and settings."""
    return all(recipe.get(name) == other.get(name) for name in ("kind", "file", "columns", "labels", "settings"))


def title_of(labels: Sequence[str], several: bool) -> str:
    """Return the question that a model answers."""
    if len(labels) > LISTED:
        return f"Which of {len(labels)} labels{', one or several' if several else ''}?"
    *others, last = labels
    return (
        f"Is it {', '.join(others)} or {last}?" if others and not several else f"Which of these: {', '.join(labels)}?"
    )
