"""The verdict: a sentence on whether an explanation holds for its text, with the numbers behind it.

It is right about the model's computation only as far as these tests go: scores add up; they order and sign the words as
effects measured on the model do, better than orders that know nothing of the model; and, if that was measured, they
depend on what the model learned. Whether other methods agree is told, but decides nothing: these can be wrong.
docs/verdict.md explains how the limits below were set, and how often they are right.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from explain.datatypes import Attribution, MetricResult, Randomization, Verdict
from explain.numerics.agreement import agreement
from explain.text.units import scores_of
from explain.views.references import higher_reference

FEWEST_WORDS = 6
LARGEST_GAP = 0.05  # of the difference that the scores should add up to
LEAST_EFFECTS = 0.6  # agreement with measured effects, see `explain.metrics.effect_agreement`
LEAST_PERCENTILE = 90.0  # of random orders of the same scores that agree less: below, chance does as well
LEAST_SIGNS = 0.5  # of the words' known signs, both signs counting alike: what scores of one sign get
MOST_LEFT = 0.5  # of the correlation with scores of the model untrained
BLIND = {"length": "the length of the words", "rarity": "the rarity of the words", "position": "the place of the words"}
LEADING = 3  # words whose sign must not depend on the reference


@dataclass
class _Evidence:
    """The numbers of a verdict, and clauses against it, in doubt of it and for it."""

    facts: dict[str, float] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    merits: list[str] = field(default_factory=list)


def verdict(
    attribution: Attribution,
    others: Iterable[Attribution],
    tests: Sequence[MetricResult] | None = None,
    weights: Randomization | None = None,
    pending: Sequence[str] = (),
) -> Verdict:
    """Judge an explanation.

    Args:
        others: attributions of the same text and target by other methods.
        tests: results of metrics, or None if none were run: then the verdict rests on what costs no pass.
        weights: the method's scores when the model's weights are randomized, if that was measured.
        pending: what is still being computed, in words; until it is there, the verdict is grey.
    """
    words = _words(attribution)
    if len(words) < FEWEST_WORDS:
        count = "1 word" if len(words) == 1 else f"{len(words)} words"
        return _verdict(attribution, "grey", f"{count}, and fewer than six prove nothing.", {})
    evidence = _Evidence()
    by_metric = {test.metric: test for test in tests or ()}
    _weigh_gap(evidence, attribution, by_metric)
    _weigh_agreement(evidence, attribution, others, words)
    _weigh_effects(evidence, by_metric.get("effect_agreement"), running=bool(pending))
    if (references := by_metric.get("reference_robustness")) is not None:
        evidence.facts["references"] = references.value
        if sign_changes := _sign_changes(attribution, references):
            evidence.doubts.append(f"{sign_changes} from another empty text")
    if weights is not None:
        _weigh_random_weights(evidence, weights)
    clauses = [*evidence.faults, *evidence.doubts, *evidence.merits]
    if pending:
        still = f"still running: {' and '.join(pending)}"
        return _verdict(attribution, "grey", _sentence([*clauses, still]), evidence.facts, pending)
    color = "red" if evidence.faults else "amber" if evidence.doubts else "green"
    return _verdict(attribution, color, _sentence(clauses), evidence.facts)


def _weigh_gap(evidence: _Evidence, attribution: Attribution, by_metric: Mapping[str, MetricResult]) -> None:
    gap = _gap(attribution, by_metric)
    if gap is None:
        return
    evidence.facts["gap"] = gap
    clauses = evidence.faults if gap > LARGEST_GAP else evidence.merits
    clauses.append(f"the scores' sum misses its difference by {gap:.1%}")


def _weigh_agreement(
    evidence: _Evidence, attribution: Attribution, others: Iterable[Attribution], words: Sequence[Sequence[int]]
) -> None:
    if _is_flat(attribution, words):
        evidence.doubts.append("it gives every word the same score, so there is no order to compare")
        return
    mean = _agreement(attribution, others, words)
    if mean is None:
        return
    evidence.facts["agreement"] = mean
    evidence.merits.append(f"rank agreement with the other methods is {_signed(mean)}")


def _weigh_effects(evidence: _Evidence, tested: MetricResult | None, *, running: bool) -> None:
    """Weigh agreement with measured effects: against random and model-blind orders, by sign, and by size."""
    if tested is None or tested.percentile is None:
        if not evidence.faults and not running:
            evidence.doubts.append("not yet compared with measured effects")
        return
    signs, blind = tested.details["signs"], tested.details["blind"]
    name = max(blind, key=blind.__getitem__)
    evidence.facts |= {"effects": tested.value, "percentile": tested.percentile, "blind": blind[name]}
    agreement = f"its agreement with measured effects is {_signed(tested.value, 3)}"
    beaten = "every random order" if tested.percentile == 100 else f"{tested.percentile:.0f}% of random orders"
    if tested.percentile < LEAST_PERCENTILE:
        evidence.faults.append(f"{agreement}, above {beaten}, fewer than the {LEAST_PERCENTILE:g}% that count")
    elif tested.value <= blind[name]:
        evidence.faults.append(f"{agreement}, and {BLIND[name]} alone has {_signed(blind[name], 3)}")
    elif tested.value < LEAST_EFFECTS:
        evidence.doubts.append(f"{agreement}, less than the {LEAST_EFFECTS:.3f} that count")
    else:
        evidence.merits.append(
            f"{agreement}, above {beaten} and above the words' length, rarity and place ({_signed(blind[name], 3)})"
        )
    if signs is None:
        return
    evidence.facts["signs"] = signs
    clauses = evidence.faults if signs <= LEAST_SIGNS else evidence.merits
    clauses.append(f"{signs:.0%} of the signs are right, where a single sign for all words gets 50%")


def _weigh_random_weights(evidence: _Evidence, weights: Randomization) -> None:
    left = float(weights.correlations[-1])
    if weights.chance is None or math.isnan(left):  # all scores of a model are the same
        return
    evidence.facts["random_weights"] = left
    figures = f"(correlation {left:.2f}; chance {weights.chance:.2f})"
    if left > MOST_LEFT:
        evidence.doubts.append(f"its scores stay similar when the model's weights are randomized {figures}")
    else:
        evidence.merits.append(f"its scores change when the model's weights are randomized {figures}")


def _signed(number: float, digits: int = 2) -> str:
    return f"{number:+.{digits}f}".replace("-", "\u2212")  # a minus sign, as on pages


def _sentence(parts: Sequence[str]) -> str:
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _words(attribution: Attribution) -> list[tuple[int, ...]]:
    protected = set(attribution.target.protected)
    return [word for word in attribution.tokens.word_units() if not protected.intersection(word)]


def _gap(attribution: Attribution, by_metric: Mapping[str, MetricResult]) -> float | None:
    """Return the recomputed gap, or else the method's own, as a share of the difference."""
    if (tested := by_metric.get("completeness_gap")) is not None:
        return tested.value
    shares = [abs(difference - total) / max(abs(difference), 1e-3) for total, difference in attribution.sums]
    return max(shares, default=None)


def _sign_changes(attribution: Attribution, references: MetricResult) -> str:
    """Return a clause on leading words that change sign; empty if there are none."""
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
    """Return the mean rank correlation with signed methods, by size if this method is unsigned; None: undefined.

    Windows overlap, so they give words no order and are left out.
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
    """Return whether all words have the same score, or the same size if the method is unsigned."""
    if attribution.granularity == "window":
        return False
    scores = scores_of(attribution, words)
    return bool(np.ptp(scores if attribution.signed else np.abs(scores)) == 0)


def _verdict(
    attribution: Attribution, color: str, sentence: str, facts: Mapping[str, float], pending: Sequence[str] = ()
) -> Verdict:
    """Return the verdict; a reference that scores higher than the text is mentioned first."""
    higher = higher_reference(attribution)
    return Verdict(attribution.method, color, f"{higher} {sentence}".strip(), facts, tuple(pending))
