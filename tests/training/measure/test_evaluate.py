import itertools
import json

import numpy as np
import pytest
import seqeval.metrics
from scipy.special import softmax
from sklearn import metrics

from explain.numerics.statistics import bootstrap_ratio, wilson
from explain.training.measure.answers import answer_figures, normalized, word_f1
from explain.training.measure.classification import (
    best_thresholds,
    calibration_error,
    classification_figures,
    fit_temperature,
    multi_label_figures,
)
from explain.training.measure.retrieval import retrieval_figures
from explain.training.measure.spans import span_figures

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
    found = classification_figures(logits, [0, 1, 1, 0])  # areas are of the labels that occur
    areas = [
        metrics.roc_auc_score(np.array([0, 1, 1, 0]) == column, softmax(logits, axis=1)[:, column]) for column in (0, 1)
    ]
    assert found["roc_auc"] == pytest.approx(np.mean(areas))
    alone = classification_figures(logits, [0, 0, 0, 0])
    assert alone["roc_auc"] is None and json.loads(json.dumps(alone, allow_nan=False))["average_precision"] is None


def test_an_interval_of_few_labels_is_of_the_draws_that_hold_one() -> None:
    right = np.zeros((40, 1), dtype=bool)
    right[:2] = True
    told = np.where(right, 0.9, 0.1)
    told[1:3] = 1 - told[1:3]  # one of two is found, and one more
    found = multi_label_figures(told, right, np.array([0.5]), ["rare"])
    low, high = found["micro_f1_interval"]
    assert found["micro_f1"] == 0.5 and low == 0 and high == 1
    faultless = multi_label_figures(np.where(right, 0.9, 0.1), right, np.array([0.5]), ["rare"])
    assert faultless["micro_f1"] == 1 and faultless["micro_f1_interval"] is None  # drawn anew, it has no fault either
    never = multi_label_figures(np.full((4, 1), 0.1), np.zeros((4, 1), dtype=bool), np.array([0.5]), ["never"])
    assert never["micro_f1_interval"] is None


def test_each_of_several_labels_by_hand() -> None:
    logits = np.eye(3)[[0, 1, 2, 0]] * 4
    found = classification_figures(logits, [0, 1, 1, 0], names=("a", "b", "c"))["by_label"]
    assert found["a"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "count": 2}
    assert found["b"] == {"precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3), "count": 2}
    assert found["c"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "count": 0}
    assert "by_label" not in classification_figures(LOGITS, LABELS, names=("no", "yes"))


def test_the_best_thresholds_by_hand() -> None:
    probabilities = np.array([[0.9, 0.2], [0.6, 0.2], [0.3, 0.1], [0.2, 0.1]])
    right = np.array([[True, False], [True, False], [True, False], [False, False]])
    # All three are called from half way between 0.3 and 0.2; the other label never occurs, and is never called.
    assert best_thresholds(probabilities, right).tolist() == pytest.approx([0.25, 0.6])
    tied = np.array([[0.4], [0.4], [0.1]])
    assert best_thresholds(tied, np.array([[True], [False], [False]]))[0] == pytest.approx(0.25)
    sure = np.array([[1.0], [1.0], [0.5]])
    assert best_thresholds(sure, np.array([[False], [False], [False]]))[0] > 0.5


def test_no_thresholds_are_better_than_the_best() -> None:
    """Every way to call two labels."""
    random = np.random.default_rng(0)
    right = random.random((40, 2)) < [0.4, 0.1]
    probabilities = 0.3 * right + 0.7 * random.random((40, 2))

    def f1(*thresholds: float) -> float:
        called = probabilities >= thresholds
        return float(2 * (called & right).sum() / (called.sum() + right.sum()))

    ways = [np.append(np.sort(column), 1.0) for column in probabilities.T]
    best = f1(*best_thresholds(probabilities, right))
    assert best == pytest.approx(max(f1(*way) for way in itertools.product(*ways)))


def test_several_labels_at_once_by_hand() -> None:
    probabilities = np.array([[0.9, 0.4], [0.2, 0.8], [0.7, 0.1]])
    right = np.array([[True, True], [False, True], [False, False]])
    found = multi_label_figures(probabilities, right, np.array([0.5, 0.3]), ("a", "b"))
    # Called: a of the first and third text, b of the first two. Three of four are right, and three were asked.
    assert found["micro_precision"] == 0.75 and found["micro_recall"] == 1.0
    assert found["micro_f1"] == pytest.approx(6 / 7) and found["micro_f1_at_half"] == pytest.approx(4 / 6)
    assert found["macro_f1"] == pytest.approx((2 / 3 + 1) / 2) and found["by_label"]["b"]["f1"] == 1.0
    assert found["micro_f1_interval"][0] <= found["micro_f1"] <= found["micro_f1_interval"][1]


def test_spans_as_seqeval_counts_them() -> None:
    random = np.random.default_rng(0)
    tags = np.array(["O", "O", "B-PER", "I-PER", "B-LOC", "I-LOC"])
    right = [tags[random.integers(6, size=8)].tolist() for _ in range(40)]
    told = [[tag if random.random() < 0.8 else "O" for tag in row] for row in right]
    found = span_figures(right, told)
    assert found["span_f1"] == pytest.approx(seqeval.metrics.f1_score(right, told))
    assert found["span_precision"] == pytest.approx(seqeval.metrics.precision_score(right, told))
    assert found["span_recall"] == pytest.approx(seqeval.metrics.recall_score(right, told))
    by_type = seqeval.metrics.classification_report(right, told, output_dict=True)
    assert found["by_label"]["LOC"]["f1"] == pytest.approx(by_type["LOC"]["f1-score"])
    assert found["by_label"]["PER"]["count"] == by_type["PER"]["support"]
    assert found["span_f1_interval"][0] <= found["span_f1"] <= found["span_f1_interval"][1]


def test_spans_by_hand() -> None:
    right = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-ORG"]]
    told = [["B-PER", "I-PER", "O", "B-ORG"], ["B-ORG", "I-ORG"]]
    found = span_figures(right, told)  # one right of three; three told
    assert found["span_f1"] == found["span_precision"] == found["span_recall"] == pytest.approx(1 / 3)
    assert found["entities"] == 3 and found["by_label"]["PER"]["f1"] == 1.0


@pytest.mark.parametrize(
    ("answer", "plain"),
    [
        ("The  Eiffel Tower!", "eiffel tower"),
        ("U.S. Army's", "us armys"),
        ("an apple a day", "apple day"),
        ("theory", "theory"),
        ("well-known", "wellknown"),
        ("", ""),
    ],
)
def test_answers_are_compared_without_what_does_not_matter(answer: str, plain: str) -> None:
    assert normalized(answer) == plain


def test_words_shared_by_hand() -> None:
    assert word_f1("the nearly $12", "$12") == pytest.approx(2 / 3)  # "nearly 12" and "12"
    assert word_f1("dog dog cat", "dog bird") == pytest.approx(2 * 1 / 5)  # a word counts as often as both have it
    assert word_f1("", "dog") == word_f1("cat", "dog") == word_f1("", "the") == 0.0


def test_answers_by_hand() -> None:
    right = [["October 1973", "October"], ["12"], ["a dog"]]
    found = answer_figures(["in October", "twelve", "The dog."], right, ["one", "one", "two"])
    # "in october" shares one word with "October": 2/3, more than with the longer answer; nothing; all.
    assert found["word_f1"] == pytest.approx((2 / 3 + 0 + 1) / 3) and found["exact_match"] == pytest.approx(1 / 3)
    assert found["contexts"] == 2 and found["count"] == 3
    assert found["word_f1_interval"] == pytest.approx([1 / 3, 1.0])  # of either context alone


def test_retrieval_by_hand() -> None:
    def at(*degrees: float) -> np.ndarray:
        return np.array([[np.cos(np.radians(one)), np.sin(np.radians(one))] for one in degrees], dtype=np.float32)

    paragraphs = at(*range(0, 120, 10))  # twelve
    right = np.array([0, 1, 11])
    found = retrieval_figures((at(1, 19, 0), paragraphs), (at(1, 11, 110), paragraphs), right)
    assert found["recall_at_1"] == pytest.approx(1 / 3) and found["source_recall_at_1"] == 1.0
    assert found["recall_at_10"] == pytest.approx(2 / 3)  # the farthest of twelve is not among ten
    assert found["ratio_at_1"] == pytest.approx(1 / 3) and found["candidates"] == 12


def test_an_interval_of_a_ratio_covers_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    covered = 0
    for draw in range(200):
        below = random.integers(1, 9, size=80).astype(float)
        low, high = bootstrap_ratio(random.binomial(below.astype(int), 0.4).astype(float), below, draws=200, seed=draw)
        covered += low <= 0.4 <= high
    assert 180 <= covered <= 199
