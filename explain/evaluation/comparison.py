"""Two explanations side by side: scores by aligned words on one scale, and how far the orders agree.

Nothing here runs a model. What a page has of a text before and after an edit is enough:

    rows = align_tokens(before.tokens, after.tokens)
    scores = compare_scores(before, after, prediction_before, prediction_after, rows)

    score of a row    = score of its words / T      T: the model's temperature where scores are log-odds, else 1
    difference        = score of B - score of A

For two labels, or labels decided each alone, z / T are the log-odds of the calibrated probability (Guo et al. 2017,
https://arxiv.org/abs/1706.04599). Of more labels the calibrated log-odds are no multiple of the raw ones.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from explain.datatypes import AlignedWords, Attribution, ComparedAnswers, ComparedScores, Prediction
from explain.datatypes.prediction import LOG_ODDS_SCALES
from explain.numerics.agreement import agreement, places
from explain.text.alignment import align_tokens
from explain.text.units import scores_of

MOST_PARTING = 5  # rows
OF_ONE_MODEL = ("logit", "value")  # scales whose zero and unit are a model's own

_Floats = npt.NDArray[np.float64]


def compare_scores(
    attribution_a: Attribution,
    attribution_b: Attribution,
    prediction_a: Prediction,
    prediction_b: Prediction,
    rows: Sequence[AlignedWords] | None = None,
    *,
    one_model: bool = True,
) -> ComparedScores:
    """Return the scores of one method for A and B by row, with their differences.

    Args:
        prediction_a, prediction_b: of the same texts; they carry the temperature.
        rows: the aligned words, see `align_tokens`, which makes them by default.
        one_model: whether A and B are of one model.

    Raises:
        MetricError: scores of overlapping windows, which words do not have.
    """
    rows = align_tokens(attribution_a.tokens, attribution_b.tokens) if rows is None else rows
    scale = shared_scale(attribution_a.scale, attribution_b.scale, one_model=one_model)
    signed = attribution_a.signed and attribution_b.signed
    temperatures = (divisor(attribution_a.scale, prediction_a), divisor(attribution_b.scale, prediction_b))
    scores_a, errors_a = _by_row(attribution_a, [row.words_a for row in rows], temperatures[0])
    scores_b, errors_b = _by_row(attribution_b, [row.words_b for row in rows], temperatures[1])
    differences = scores_b - scores_a if scale else np.full(len(rows), np.nan)
    sampled = ~np.isnan(differences) & ~(np.isnan(errors_a) & np.isnan(errors_b))
    errors = np.where(sampled, np.hypot(np.nan_to_num(errors_a), np.nan_to_num(errors_b)), np.nan)
    same = np.array([row.kind == "same" for row in rows], dtype=bool)
    both = np.flatnonzero(same & ~np.isnan(scores_a) & ~np.isnan(scores_b))
    return ComparedScores(
        method=attribution_a.method,
        scale=scale,
        signed=signed,
        temperatures=temperatures,
        scores_a=scores_a,
        scores_b=scores_b,
        differences=differences,
        errors=errors,
        agreement=_agreement(scores_a[both], scores_b[both], signed=signed),
        parting=parting(differences) if scale else tuple(both[_by_rank(scores_a[both], scores_b[both])].tolist()),
    )


def compare_answers(
    attribution_a: Attribution,
    attribution_b: Attribution,
    prediction_a: Prediction,
    prediction_b: Prediction,
    *,
    one_model: bool = True,
) -> ComparedAnswers:
    """Return the target's value for A and B, and the difference; arguments as for `compare_scores`."""
    (scale_a, scale_b) = attribution_a.target.scale, attribution_b.target.scale
    scale = shared_scale(scale_a, scale_b, one_model=one_model)
    temperatures = (divisor(scale_a, prediction_a), divisor(scale_b, prediction_b))
    value_a, value_b = attribution_a.output / temperatures[0], attribution_b.output / temperatures[1]
    return ComparedAnswers(scale, temperatures, value_a, value_b, value_b - value_a if scale else None)


def shared_scale(scale_a: str, scale_b: str, *, one_model: bool = True) -> str:
    """Return the scale of both sides; "" where a difference of the two would mean nothing."""
    return scale_a if scale_a == scale_b and (one_model or scale_a not in OF_ONE_MODEL) else ""


def divisor(scale: str, prediction: Prediction) -> float:
    """Return the temperature that scores are divided by, 1 where the scale or the model has none."""
    return prediction.temperature or 1.0 if scale in LOG_ODDS_SCALES else 1.0


def parting(differences: _Floats, most: int = MOST_PARTING) -> tuple[int, ...]:
    """Return the rows with the largest differences (R,), the largest first; zero and undefined ones are left out."""
    sizes = np.nan_to_num(np.abs(differences))
    order = np.argsort(-sizes, kind="stable")[:most]
    return tuple(order[sizes[order] > 0].tolist())


def word_scores(attribution: Attribution) -> tuple[_Floats, _Floats]:
    """Return the scores (W,) and half-widths (W,) of a text's words; NaN where a word has none.

    Raises:
        MetricError: scores of overlapping windows.
    """
    words = attribution.tokens.word_units()
    scores = scores_of(attribution, words)
    errors = np.full(len(words), np.nan)
    owner = {token: number for number, unit in enumerate(attribution.units) for token in unit}
    adds = attribution.granularity == "token" and attribution.additive
    for number, word in enumerate(words):
        units = sorted({owner[token] for token in word if token in owner})
        if not units:
            scores[number] = np.nan
        elif attribution.error is not None:
            largest = units[int(np.abs(attribution.scores[units]).argmax())]
            errors[number] = np.hypot.reduce(attribution.error[units]) if adds else attribution.error[largest]
    return scores, errors


def _by_row(attribution: Attribution, words: Sequence[tuple[int, ...]], temperature: float) -> tuple[_Floats, _Floats]:
    """Return scores (R,) and half-widths (R,) of rows of words, divided by the temperature.

    Of several words in a row additive scores are summed; of others the largest stands for the row.
    """
    of_word, error_of_word = word_scores(attribution)
    adds = attribution.additive and attribution.granularity in ("token", "word")
    scores, errors = np.full(len(words), np.nan), np.full(len(words), np.nan)
    for row, numbers in enumerate(words):
        scored = [number for number in numbers if not np.isnan(of_word[number])]
        if not scored:
            continue
        largest = max(scored, key=lambda number: abs(of_word[number]))
        scores[row] = of_word[scored].sum() if adds else of_word[largest]
        errors[row] = np.hypot.reduce(error_of_word[scored]) if adds else error_of_word[largest]
    return scores / temperature, errors / temperature


def _agreement(scores_a: _Floats, scores_b: _Floats, *, signed: bool) -> dict[str, float | None]:
    """Return figures of agreement; where no words are shared, all are undefined."""
    if not len(scores_a):
        return dict.fromkeys(("spearman", "kendall", "top_overlap", *(("signs",) if signed else ())))
    return agreement(scores_a, scores_b, signed=signed)


def _by_rank(scores_a: _Floats, scores_b: _Floats) -> npt.NDArray[np.int64]:
    """Return the words whose rank by size differs most, in descending order."""
    return np.array(parting((places(scores_b) - places(scores_a)).astype(np.float64)), dtype=np.int64)
