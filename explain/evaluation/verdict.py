"""The verdict: a sentence on whether an explanation holds for its text, with the numbers behind it.

It is right about the model's computation only as far as these tests go: scores add up; they order and sign the words as
effects measured on the model do, better than orders that know nothing of the model; and, if that was measured, they
depend on what the model learned. Whether other methods agree is told, but decides nothing: these can be wrong.
docs/verdict.md explains how the limits below were set, and how often they are right.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from explain.datatypes import Attribution, Check, MetricResult, Randomization, Verdict
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
COMPANY = (
    (0.7, "much the same way"),
    (0.3, "partly the same way"),
    (-0.3, "differently"),
    (-math.inf, "the other way round"),
)
LEADING = 3  # words whose sign must not depend on the reference


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
    checks = _checks(attribution, others, tests, weights, words)
    facts = {name: number for check in checks for name, number in check.facts.items()}
    faults = _clauses(checks, "failed")
    doubts = _clauses(checks, "doubtful") if faults or pending else _clauses(checks, "doubtful", "open")
    clauses = [*faults, *doubts, *_clauses(checks, "passed", "noted")]
    if pending:
        clauses.append(f"still running: {' and '.join(pending)}")
        return _verdict(attribution, "grey", _sentence(clauses), facts, pending, checks)
    color = "red" if faults else "amber" if doubts else "green"
    return _verdict(attribution, color, _sentence(clauses), facts, (), checks)


def _checks(
    attribution: Attribution,
    others: Iterable[Attribution],
    tests: Sequence[MetricResult] | None,
    weights: Randomization | None,
    words: Sequence[Sequence[int]],
) -> tuple[Check, ...]:
    by_metric = {test.metric: test for test in tests or ()}
    effects = by_metric.get("effect_agreement")
    return (
        _additivity(attribution, by_metric.get("completeness_gap")),
        _company(attribution, others, words),
        _effects(effects),
        _signs(effects),
        _reference(attribution, by_metric.get("reference_robustness")),
        _random_weights(weights),
    )


def _clauses(checks: Iterable[Check], *states: str) -> list[str]:
    return [check.evidence for check in checks if check.state in states and check.evidence]


def _additivity(attribution: Attribution, recomputed: MetricResult | None) -> Check:
    """Check the gap, as a share of the difference: the recomputed one, or else the method's own."""
    shares = [abs(difference - total) / max(abs(difference), 1e-3) for total, difference in attribution.sums]
    gap = max(shares, default=None) if recomputed is None else recomputed.value
    if gap is None:
        return Check("additivity", "undefined", "These scores are not meant to add up.")
    evidence = f"the scores' sum misses its difference by {gap:.1%}"
    if gap > LARGEST_GAP:
        return Check("additivity", "failed", "The scores do not add up.", evidence, {"gap": gap})
    return Check("additivity", "passed", "The scores add up.", evidence, {"gap": gap})


def _company(attribution: Attribution, others: Iterable[Attribution], words: Sequence[Sequence[int]]) -> Check:
    """Compare with other methods: this decides nothing, since they can be wrong."""
    if _is_flat(attribution, words):
        evidence = "it gives every word the same score, so there is no order to compare"
        return Check("agreement", "doubtful", "Every word has the same score.", evidence)
    mean = _agreement(attribution, others, words)
    if mean is None:
        return Check("agreement", "undefined", "There is no other method to compare with.")
    how = next(how for least, how in COMPANY if mean >= least)
    evidence = f"rank agreement with the other methods is {_signed(mean)}"
    return Check("agreement", "noted", f"The other methods order the words {how}.", evidence, {"agreement": mean})


def _effects(tested: MetricResult | None) -> Check:
    """Check agreement with measured effects against random orders, against model-blind orders, and by size."""
    if tested is None or tested.percentile is None:
        return Check(
            *("effects", "open", "Does the order fit the effects of removing words?"),
            "not yet compared with measured effects",
        )
    blind = tested.details["blind"]
    name = max(blind, key=blind.__getitem__)
    facts = {"effects": tested.value, "percentile": tested.percentile, "blind": blind[name]}
    agreement = f"its agreement with measured effects is {_signed(tested.value, 3)}"
    beaten = "every random order" if tested.percentile == 100 else f"{tested.percentile:.0f}% of random orders"
    if tested.percentile < LEAST_PERCENTILE:
        state, finding = "failed", "Random orders fit the effects of removing words as well."
        evidence = f"{agreement}, above {beaten}, fewer than the {LEAST_PERCENTILE:g}% that count"
    elif tested.value <= blind[name]:
        state, finding = "failed", f"{_capital(BLIND[name])} alone fits the effects of removing words as well."
        evidence = f"{agreement}, and {BLIND[name]} alone has {_signed(blind[name], 3)}"
    elif tested.value < LEAST_EFFECTS:
        state, finding = "doubtful", "The order fits the effects of removing words only roughly."
        evidence = f"{agreement}, less than the {LEAST_EFFECTS:.3f} that count"
    else:
        state, finding = "passed", "The order fits the effects of removing words."
        evidence = (
            f"{agreement}, above {beaten} and above the words' length, rarity and place ({_signed(blind[name], 3)})"
        )
    return Check("effects", state, finding, evidence, facts)


def _signs(tested: MetricResult | None) -> Check:
    if tested is None or tested.percentile is None:
        return Check("signs", "open", "Do the signs fit the effects of removing words?")
    signs = tested.details["signs"]
    if signs is None:
        return Check("signs", "undefined", "There are no signs to compare with the effects of removing words.")
    evidence = f"{signs:.0%} of the signs are right, where a single sign for all words gets 50%"
    if signs <= LEAST_SIGNS:
        return Check("signs", "failed", "The signs are no better than one sign for all.", evidence, {"signs": signs})
    return Check("signs", "passed", "The signs fit the effects of removing words.", evidence, {"signs": signs})


def _reference(attribution: Attribution, moved: MetricResult | None) -> Check:
    """Check that leading words keep their signs where the scores start from another reference text."""
    if moved is None:
        return Check("reference", "open", "Do the signs depend on the reference text?")
    facts = {"references": moved.value}
    if not attribution.signed:
        return Check("reference", "undefined", "These scores have no signs that could change.", "", facts)
    if changed := _sign_changes(attribution, moved):
        finding = "Leading words change sign with another reference text."
        return Check("reference", "doubtful", finding, f"{changed} from another empty text", facts)
    return Check("reference", "passed", "Leading words keep their signs with other reference texts.", "", facts)


def _random_weights(weights: Randomization | None) -> Check:
    if weights is None:
        return Check("random_weights", "open", "Would an untrained model give the same scores?")
    left = float(weights.correlations[-1])
    if weights.chance is None or math.isnan(left):
        return Check(
            "random_weights",
            "undefined",
            "All scores are the same, so there is nothing to compare with an untrained model.",
        )
    figures = f"(correlation {left:.2f}; chance {weights.chance:.2f})"
    facts = {"random_weights": left}
    if left > MOST_LEFT:
        evidence = f"its scores stay similar when the model's weights are randomized {figures}"
        return Check("random_weights", "doubtful", "An untrained model gives similar scores.", evidence, facts)
    evidence = f"its scores change when the model's weights are randomized {figures}"
    return Check("random_weights", "passed", "An untrained model gives other scores.", evidence, facts)


def _signed(number: float, digits: int = 2) -> str:
    return f"{number:+.{digits}f}".replace("-", "\u2212")  # a minus sign, as on pages


def _sentence(parts: Sequence[str]) -> str:
    return f"{_capital('; '.join(parts))}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _words(attribution: Attribution) -> list[tuple[int, ...]]:
    protected = set(attribution.target.protected)
    return [word for word in attribution.tokens.word_units() if not protected.intersection(word)]


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
    attribution: Attribution,
    color: str,
    sentence: str,
    facts: Mapping[str, float],
    pending: Sequence[str] = (),
    checks: Sequence[Check] = (),
) -> Verdict:
    """Return the verdict; a reference that scores higher than the text is mentioned first."""
    higher = higher_reference(attribution)
    return Verdict(attribution.method, color, f"{higher} {sentence}".strip(), facts, tuple(pending), tuple(checks))
