import numpy as np
import pytest
from scipy.special import softmax

from explain.training.evaluate import calibration_error, classification_figures, fit_temperature, wilson

LOGITS = np.array([[2.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 3.0]])
LABELS = [0, 1, 1, 1]


def test_figures_by_hand() -> None:
    found = classification_figures(LOGITS, LABELS)
    assert found["accuracy"] == 0.75 and found["count"] == 4
    assert found["precision"] == 1.0 and found["recall"] == pytest.approx(2 / 3) and found["f1"] == pytest.approx(0.8)
    assert found["confusion"] == [[1, 0], [1, 2]]
    assert found["roc_auc"] == 1.0
    low, high = found["accuracy_interval"]
    assert low == pytest.approx(0.3006, abs=1e-3) and high == pytest.approx(0.9544, abs=1e-3)


def test_wilson_stays_inside() -> None:
    assert wilson(10, 10)[1] <= 1 and wilson(0, 10)[0] >= 0


def test_calibration_error_by_hand() -> None:
    # Two in the bin of 0.95 (one right), two in that of 0.55 (both right).
    probabilities = np.array([[0.95, 0.05], [0.95, 0.05], [0.55, 0.45], [0.55, 0.45]])
    assert calibration_error(probabilities, [0, 1, 0, 0]) == pytest.approx(0.5 * 0.45 + 0.5 * 0.45)


def test_a_temperature_undoes_overconfidence() -> None:
    random = np.random.default_rng(0)
    honest = random.normal(size=(4000, 2)) * 2
    labels = (random.random(4000) < softmax(honest, axis=-1)[:, 1]).astype(int)
    assert fit_temperature(3 * honest, labels) == pytest.approx(3, rel=0.1)
    overconfident = classification_figures(3 * honest, labels, temperature=3.0)
    assert overconfident["calibration_error_calibrated"] < 0.03 < overconfident["calibration_error"]


def test_several_labels_and_one_that_never_occurs() -> None:
    logits = np.eye(3)[[0, 1, 2, 0]] * 4
    assert classification_figures(logits, [0, 1, 2, 0])["f1"] == 1.0
    assert np.isnan(classification_figures(logits, [0, 1, 1, 0])["roc_auc"])
