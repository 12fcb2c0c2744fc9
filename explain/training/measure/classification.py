"""Figures of classifiers with 95 % intervals, curves, thresholds and temperature."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn import metrics
from sklearn.calibration import calibration_curve

from explain.numerics.statistics import bootstrap_ratio, wilson

Floats = npt.NDArray[np.float64]
Labels = Sequence[int] | npt.NDArray[np.integer]
Flags = npt.NDArray[np.bool_]
CALIBRATION_BINS = 15


def classification_figures(
    logits: Floats, labels: Labels, temperature: float = 1.0, names: Sequence[str] = ()
) -> dict[str, Any]:
    """Figures of a single-label classifier.

    Args:
        logits (N, C); labels (N): the right columns.
        temperature: what logits are divided by for the calibrated figures.
        names (C): of the labels.

    Returns:
        `accuracy`, its 95 % interval (Wilson), `precision`, `recall`, `f1` (of column 1 where there are two labels,
        else macro), `macro_precision`, `macro_recall`, `macro_f1` (means of the labels') and its 95 % interval (texts
        drawn anew); micro averages are the accuracy where one label is right; `roc_auc`, `average_precision` (the area
        under the precision-recall curve; of column 1, or the mean of the labels'), `calibration_error` and
        `calibration_error_calibrated` (expected calibration error, 15 equal bins), `log_loss`, `confusion` (rows
        right, columns predicted), `count`; and `by_label` where there are more than two labels and they have names.
    """
    right = np.asarray(labels)
    probabilities = softmax(logits, axis=-1)
    predicted = probabilities.argmax(axis=-1)
    two = logits.shape[1] == 2
    average = "binary" if two else "macro"
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        right, predicted, average=average, zero_division=0
    )
    macro = metrics.precision_recall_fscore_support(right, predicted, average="macro", zero_division=0)
    asked = right[:, None] == np.arange(logits.shape[1])
    # Areas are of a label that is right somewhere and wrong somewhere; of more than two labels the mean of these.
    columns = [column for column in ([1] if two else range(logits.shape[1])) if 0 < asked[:, column].sum() < len(right)]
    area, average_precision = (
        float(np.mean([score(asked[:, column], probabilities[:, column]) for column in columns])) if columns else None
        for score in (metrics.roc_auc_score, metrics.average_precision_score)
    )
    hits = int((predicted == right).sum())
    confusion = metrics.confusion_matrix(right, predicted, labels=range(logits.shape[1]))
    by_label = (
        {} if two or not names else {"by_label": _by_label(asked, predicted[:, None] == np.arange(len(names)), names)}
    )
    of_label = {"of_label": names[1]} if two and names else {}
    return {
        "count": len(right),
        "accuracy": hits / len(right),
        "accuracy_interval": list(wilson(hits, len(right))),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "macro_precision": float(macro[0]),
        "macro_recall": float(macro[1]),
        "macro_f1": float(macro[2]),
        "macro_f1_interval": _known(macro_f1_interval(confusion)),
        "roc_auc": area,
        "average_precision": average_precision,
        "log_loss": negative_log_likelihood(logits, right),
        "calibration_error": calibration_error(probabilities, right),
        "calibration_error_calibrated": calibration_error(softmax(logits / temperature, axis=-1), right),
        "confusion": confusion.tolist(),
        **of_label,
        **by_label,
    }


def macro_f1_interval(confusion: npt.NDArray[np.integer], draws: int = 1000, seed: int = 0) -> tuple[float, float]:
    """The 95 % interval of the labels' mean F1, texts being drawn anew (Efron 1979; percentiles).

    What is drawn are the cells that texts fall in: that is the same, and needs no texts.

    Args:
        confusion (C, C): texts by right label (rows) and predicted label.
    """
    cells, size = confusion.ravel() / confusion.sum(), len(confusion)
    drawn = np.random.default_rng(seed).multinomial(confusion.sum(), cells, size=draws).reshape(draws, size, size)
    both = drawn.sum(axis=1) + drawn.sum(axis=2)  # right plus predicted, of each label
    f1 = 2 * np.diagonal(drawn, axis1=1, axis2=2) / np.maximum(both, 1)
    occurs = both > 0  # a label neither right nor predicted has no F1
    means = (f1 * occurs).sum(axis=1) / np.maximum(occurs.sum(axis=1), 1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def _by_label(right: Flags, predicted: Flags, names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Precision, recall, F1 and how often it is right, of each label. right (N, C), predicted (N, C)."""
    found, asked, told = (right & predicted).sum(axis=0), right.sum(axis=0), predicted.sum(axis=0)
    return {name: rates(*map(int, column)) for name, column in zip(names, zip(found, asked, told), strict=True)}


def rates(found: int, asked: int, told: int) -> dict[str, float]:
    """Precision, recall and F1 of `found` right ones among `told`, of `asked` that there are; 0 where undefined."""
    return {
        "precision": found / max(1, told),
        "recall": found / max(1, asked),
        "f1": 2 * found / max(1, asked + told),
        "count": asked,
    }


def calibration_error(probabilities: Floats, labels: Labels) -> float:
    """Expected calibration error (Guo et al. 2017, https://arxiv.org/abs/1706.04599, equation 3): how far confidence is
    from accuracy, over 15 equal bins of confidence, weighted by how many fall in each."""
    confidence = probabilities.max(axis=-1)
    right = probabilities.argmax(axis=-1) == np.asarray(labels)
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    total = 0.0
    for number in np.unique(bins):
        members = bins == number
        total += members.mean() * abs(right[members].mean() - confidence[members].mean())
    return float(total)


def negative_log_likelihood(logits: Floats, labels: Labels) -> float:
    """Mean of -log p(right label), in nats."""
    return float(-log_softmax(logits, axis=-1)[np.arange(len(logits)), np.asarray(labels)].mean())


def fit_temperature(logits: Floats, labels: Labels) -> float:
    """The constant to divide logits by so that held-out log-likelihood is best (Guo et al. 2017, section 4.2)."""
    found = minimize_scalar(
        lambda log_temperature: negative_log_likelihood(logits / math.exp(log_temperature), labels),
        bounds=(-2.0, 2.5),
        method="bounded",
    )
    return math.exp(found.x)


def best_thresholds(probabilities: Floats, right: Flags) -> Floats:
    """For each label the probability from which on it is called, so that micro F1 is the best there is.

    For a share s, the calls that make (right calls - s * calls) largest are found label by label; s is half of the F1
    that they give, and rises until it stays (Dinkelbach 1967, "On nonlinear fractional programming"). A label that
    would be wrong more often than it is worth is called from above its largest probability on.

    Args:
        probabilities (N, C), right (N, C).

    Returns:
        Thresholds (C): half way between the last probability that is called and the next.
    """
    order = np.argsort(-probabilities, axis=0, kind="stable")
    edge = np.ones((1, probabilities.shape[1]))
    falling = np.concatenate([edge, np.take_along_axis(probabilities, order, axis=0), 0 * edge])  # (N + 2, C)
    found = np.cumsum(np.concatenate([0 * edge, np.take_along_axis(right, order, axis=0)]), axis=0)  # (N + 1, C)
    told = np.arange(len(found))[:, None]
    apart = falling[:-1] > falling[1:]  # equal probabilities can't be told apart
    labels = np.arange(probabilities.shape[1])
    share = 0.0
    while True:
        last = np.where(apart, found - share * told, -np.inf).argmax(axis=0)
        better = float(found[last, labels].sum() / max(1.0, right.sum() + last.sum()))  # half of F1
        if better <= share:
            return (falling[last, labels] + falling[last + 1, labels]) / 2
        share = better


def multi_label_figures(
    probabilities: Floats, right: Flags, thresholds: Floats, names: Sequence[str]
) -> dict[str, Any]:
    """Figures of a classifier whose labels hold beside each other.

    Args:
        probabilities (N, C), right (N, C).
        thresholds (C): a label is called from this probability on.
        names (C): of the labels.

    Returns:
        `micro_f1` (over all texts and labels) with its 95 % interval (texts drawn anew), `micro_precision` and
        `micro_recall`, `macro_precision`, `macro_recall`, `macro_f1` (means of the labels'), `micro_f1_at_half` (all
        thresholds one half), `roc_auc` and `average_precision` (means of the labels that occur), `log_loss` (mean of
        all labels of all texts, in nats), `by_label`, `count`.
    """
    called = probabilities >= thresholds
    found, asked, told = right & called, right.sum(axis=1), called.sum(axis=1)
    micro = rates(int(found.sum()), int(asked.sum()), int(told.sum()))
    plain = probabilities >= 0.5
    by_label = _by_label(right, called, names)
    occur = right.any(axis=0) & ~right.all(axis=0)
    areas, average_precisions = (
        [score(right[:, label], probabilities[:, label]) for label in np.flatnonzero(occur)]
        for score in (metrics.roc_auc_score, metrics.average_precision_score)
    )
    bounded = np.clip(probabilities, 1e-7, 1 - 1e-7)
    return {
        "count": len(right),
        "micro_f1": micro["f1"],
        "micro_f1_interval": _known(
            bootstrap_ratio(2.0 * found.sum(axis=1, dtype=float), (asked + told).astype(float))
        ),
        "micro_precision": micro["precision"],
        "micro_recall": micro["recall"],
        **{
            f"macro_{name}": float(np.mean([rates[name] for rates in by_label.values()]))
            for name in ("precision", "recall", "f1")
        },
        "micro_f1_at_half": rates(int((right & plain).sum()), int(right.sum()), int(plain.sum()))["f1"],
        "roc_auc": float(np.mean(areas)) if areas else None,
        "average_precision": float(np.mean(average_precisions)) if average_precisions else None,
        "log_loss": float(-np.where(right, np.log(bounded), np.log(1 - bounded)).mean()),
        "by_label": by_label,
    }


def _known(interval: tuple[float, float]) -> list[float] | None:
    """An interval by drawing anew; none, where that can't tell: of no cases, or of cases that are all alike."""
    return None if math.isnan(interval[0]) or interval[0] == interval[1] else list(interval)


MOST_POINTS = 80  # of a curve, as it is kept and drawn


def curves(probabilities: Floats, right: Flags, names: Sequence[str], *, exclusive: bool) -> dict[str, Any]:
    """What a classifier's probabilities are worth at every threshold.

    Args:
        probabilities (N, C), right (N, C); names (C): of the labels.
        exclusive: exactly one label of each text is right, and its confidence is that of the likeliest.

    Returns:
        `by_label`: of each label that is right somewhere and wrong somewhere `roc` (share of false alarms, recall),
        `precision_recall` (recall, precision), their areas `roc_auc` and `average_precision`, and `share`, how often
        it is right; `calibration`: (mean confidence, share that is right), in groups of equally many texts.
    """
    found = {}
    for column, name in enumerate(names):
        asked, told = right[:, column], probabilities[:, column]
        if asked.all() or not asked.any():
            continue
        false_alarms, recall, _ = metrics.roc_curve(asked, told)
        precision, recalled, _ = metrics.precision_recall_curve(asked, told)
        found[name] = {
            "roc": _points(false_alarms, recall),
            "precision_recall": _points(recalled[::-1], precision[::-1]),
            "roc_auc": float(metrics.roc_auc_score(asked, told)),
            "average_precision": float(metrics.average_precision_score(asked, told)),
            "share": float(asked.mean()),
        }
    likeliest = probabilities.argmax(axis=1)
    rows = np.arange(len(right))
    hits, sure = (right[rows, likeliest], probabilities[rows, likeliest]) if exclusive else (right, probabilities)
    groups = max(2, min(10, len(right) // 20))
    shares, means = calibration_curve(hits.ravel(), sure.ravel(), n_bins=groups, strategy="quantile")
    return {"by_label": found, "calibration": _points(means, shares)}


def _points(across: Floats, up: Floats) -> list[list[float]]:
    """The points of a curve, thinned evenly to what can be seen; the ends stay."""
    kept = np.unique(np.linspace(0, len(across) - 1, min(len(across), MOST_POINTS)).round().astype(int))
    return np.round(np.column_stack([across[kept], up[kept]]), 5).tolist()
