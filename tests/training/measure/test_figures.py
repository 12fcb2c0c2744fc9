"""What came out of a run, in words."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explain.training.measure.classification import classification_figures
from explain.training.measure.figures import figure_rows, fitted, gain, kept


def test_of_two_labels_it_is_said_which_a_figure_is_of() -> None:
    logits = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.0], [0.0, 2.0]])
    two = classification_figures(logits, [0, 1, 1, 1], names=("neg", "pos"))
    captions = [caption for caption, _ in figure_rows([{"figures": two}])]
    assert "area under the precision-recall curve of pos" in captions and "area under the ROC curve" in captions
    three = classification_figures(np.column_stack([logits, [0.0, 0.0, 3.0, 0.0]]), [0, 1, 2, 1], names="abc")
    assert "area under the precision-recall curve" in [caption for caption, _ in figure_rows([{"figures": three}])]


def test_what_was_fitted_is_said() -> None:
    assert "of all three models were fitted" in fitted({"exclusive": False, "temperature": None})
    assert "those of the other models are 0.5" in fitted({"exclusive": False})  # an older run
    assert "with its temperature, 0.889" in fitted({"exclusive": True, "temperature": 0.889})
    assert fitted({"exclusive": True, "temperature": None}) == ""


def test_no_difference_is_no_claim_of_certainty() -> None:
    assert "right and wrong about the same rows" in gain({"gain": [0.0, 0.0]})
    assert gain({"gain": [0.1, 0.05]}).startswith("Of 100 such rows the model gets 10 \u00b1 5 more right")


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        (
            {"kept_step": 128, "steps": 288},
            "after step 128 was kept; its loss on the dev rows was the lowest. Training ended early, after 5",
        ),
        ({"kept_step": 256, "steps": 288}, "after step 256 was kept; its loss on the dev rows was the lowest."),
        ({"steps": 288}, ""),
        ({"kept_step": None, "steps": 288}, ""),
    ],
)
def test_which_step_is_kept(tmp_path: Path, figures: dict[str, Any], said: str) -> None:
    record = {"recipe": {"patience": 5, "evaluate_every": 32}, "figures": figures}
    (tmp_path / "training.json").write_text(json.dumps(record))
    assert said in kept(tmp_path) and bool(said) == bool(kept(tmp_path))
    (tmp_path / "training.json").write_text("broken")
    assert kept(tmp_path) == ""
