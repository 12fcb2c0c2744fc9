"""One sentence on whether an explanation holds for its text, with the numbers it rests on.

It is right about the model's computation only as far as these tests go: that scores add up, that the words scored high
do more than words at random, that methods built otherwise find the same, and, where that was measured, that the scores
depend on what the model learned. docs/verdict.md says how the limits below were set, and how often they are right.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from explain.datatypes import Attribution, MetricResult, Randomization, Verdict
from explain.numerics.agreement import agreement
from explain.text.units import scores_of
from explain.views.references import higher_reference

FEWEST_WORDS = 6
LARGEST_GAP = 0.05  # of the difference that the scores should add up to
LEAST_PERCENTILE = 97.5  # of random orders beaten: with 20 pairs of them, random scores do so in 5 texts of 100
GREEN_AGREEMENT = 0.05  # mean rank correlation with the other methods
RED_AGREEMENT = 0.0
MOST_LEFT = 0.5  # of the correlation with scores of the model untrained
LEADING = 3  # words whose sign must not depend on the reference


def verdict(
    attribution: Attribution,
    others: Iterable[Attribution],
    tests: Sequence[MetricResult] | None = None,
    weights: Randomization | None = None,
) -> Verdict:
    """Judge one explanation.

    Args:
        others: what other methods found for the same text and target.
        tests: results of metrics, or None where none were run: then the verdict rests on what is free.
        weights: what the method says when the model's weights are drawn anew, where that was measured.
    """
    words = _words(attribution)
    if len(words) < FEWEST_WORDS:
        count = "1 word" if len(words) == 1 else f"{len(words)} words"
        return _said(attribution, "grey", f"{count}, and fewer than six prove nothing.", {})
    results = {result.metric: result for result in tests or ()}
    facts: dict[str, float] = {}
    faults: list[str] = []
    doubts: list[str] = []
    merits: list[str] = []

    if (gap := _gap(attribution, results)) is not None:
        facts["gap"] = gap
        said = f"the scores' sum misses its difference by {gap:.1%}"
        (faults if gap > LARGEST_GAP else merits).append(said)

    if _is_flat(attribution, words):
        doubts.append("it gives every word the same score, so there is no order to compare")
    elif (mean := _agreement(attribution, others, words)) is not None:
        facts["agreement"] = mean
        said = f"rank agreement with the other methods is {_signed(mean)}"
        (merits if mean >= GREEN_AGREEMENT else faults if mean <= RED_AGREEMENT else doubts).append(said)

    gain = results.get("symmetric_relevance_gain")
    if gain is not None and gain.percentile is not None:
        facts["percentile"] = gain.percentile
        said = f"{gain.percentile:.0f}% of random orders"
        if gain.percentile >= LEAST_PERCENTILE:
            merits.append(f"its order of words beats {said}")
        else:
            faults.append(
                f"its order of words beats no more than {said}, fewer than the {LEAST_PERCENTILE:g}% that count"
            )
    elif not faults:
        doubts.append("not yet compared with random orders")

    if (references := results.get("reference_robustness")) is not None:
        facts["references"] = references.value
        if turned := _turned(attribution, references):
            doubts.append(f"{turned} from another empty text")

    if weights is not None:
        left = float(weights.correlations[-1])
        if weights.chance is not None and not math.isnan(left):  # else some scores are all the same
            facts["random_weights"] = left
            said = f"with random weights it correlates {left:.2f} with itself (chance {weights.chance:.2f})"
            (doubts if left > MOST_LEFT else merits).append(said)

    if faults:
        return _said(attribution, "red", _sentence(faults), facts)
    if doubts:
        return _said(attribution, "amber", _sentence([*doubts, *merits]), facts)
    return _said(attribution, "green", _sentence(merits), facts)


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "\u2212")  # a minus, as everywhere else on a page


def _sentence(parts: Sequence[str]) -> str:
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _words(attribution: Attribution) -> list[tuple[int, ...]]:
    asked = set(attribution.target.held)
    return [word for word in attribution.tokens.word_units() if not asked.intersection(word)]


def _gap(attribution: Attribution, results: Mapping[str, MetricResult]) -> float | None:
    """As it was recomputed, else as the method states it; as a share of the difference."""
    if (tested := results.get("completeness_gap")) is not None:
        return tested.value
    shares = [abs(difference - total) / max(abs(difference), 1e-3) for total, difference in attribution.sums]
    return max(shares, default=None)


def _turned(attribution: Attribution, references: MetricResult) -> str:
    """Which of the leading words change sign; empty where none does."""
    if not attribution.signed:
        return ""
    own = np.abs(next(iter(references.details["references"].values())))
    leading = np.argsort(-own, kind="stable")[:LEADING]
    names = [
        f"“{attribution.tokens.unit_text(references.details['units'][number])}”"
        for number in leading
        if references.details["sign_changes"][number]
    ]
    return f"{' and '.join(names)} {'changes' if len(names) == 1 else 'change'} sign" if names else ""


def _agreement(attribution: Attribution, others: Iterable[Attribution], words: Sequence[Sequence[int]]) -> float | None:
    """The mean rank correlation with methods that give signs; of sizes, where this one gives none. None: undefined.

    Windows overlap, so they put words in no order: they are compared with nothing.
    """
    if attribution.granularity == "window":
        return None
    mine = scores_of(attribution, words)
    correlations = (
        agreement(mine, scores_of(other, words), signed=attribution.signed)["spearman"]
        for other in others
        if other.method != attribution.method and other.signed and other.granularity != "window"
    )
    defined = [correlation for correlation in correlations if correlation is not None]
    return float(np.mean(defined)) if defined else None


def _is_flat(attribution: Attribution, words: Sequence[Sequence[int]]) -> bool:
    """Whether all words have the same score, or the same size where methods without signs are compared by that."""
    if attribution.granularity == "window":
        return False
    scores = scores_of(attribution, words)
    return bool(np.ptp(scores if attribution.signed else np.abs(scores)) == 0)


def _said(attribution: Attribution, color: str, sentence: str, facts: Mapping[str, float]) -> Verdict:
    """The verdict; where the method starts from something that scores higher than the text, it says so first."""
    higher = higher_reference(attribution)
    return Verdict(attribution.method, color, f"{higher} {sentence}".strip(), facts)
