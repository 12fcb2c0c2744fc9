"""Agreement with measured effects: do the scores order and sign the words as the model's own answers do?

    effect = z( z(S_1) + z(S_2) ) + z(L) / 2              z(v) = v / |v|, so that no way of removing words dominates
    value  = ( rank correlation(scores, effect) + cosine(signed roots of scores, signed roots of effect) ) / 2

S_1 and S_2 are Shapley values of the words by two ways of removing them (see `explain.methods.shapley_values`), L is
the effect of removing each word alone, by the second way. So effects among many missing words and in the whole text
count, and no single way of removing words, such as the method's own, decides. Roots keep one strong word from hiding
the others. A method without signs is compared with the sizes of the effects, by rank correlation alone.

Controls: the same scores in random orders; and orders that know nothing of the model, the length, rarity and place of
the words, either way round. A right explanation beats all of them on the model's own answers.
Signs: of the words whose effect has the same sign by S_1, S_2 and L, the share that the scores give this sign, averaged
over words that speak for the target and words that speak against it.

One set of answers serves all methods. docs/verdict.md tells what the figure was measured to be for right and for wrong
explanations.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from explain.core.errors import MetricError
from explain.core.settings import setting
from explain.datatypes import Attribution, MetricResult
from explain.methods.shapley_values import ShapleyValues
from explain.metrics.base import METRICS, Metric, Trial, percentile
from explain.models.coalition_game import CoalitionGame
from explain.numerics.agreement import balanced_signs, order_and_sign, roots
from explain.numerics.statistics import spearman

PASSES_PER_WORD = 8  # at least, for each way of removing words
SHUFFLES = 200

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class WordEffects:
    """The effect of each word on the target, measured by removing it alone and among others.

    Attributes:
        effects (U,): without a unit; only order, sign and proportions mean something.
        signs (U,): 1 or -1 where all measurements have this sign, else 0.
        operators: the two ways of removing words.
    """

    effects: _Floats
    signs: npt.NDArray[np.int64]
    operators: tuple[str, str]


@METRICS.register("effect_agreement")
@dataclass(frozen=True, kw_only=True)
class EffectAgreement(Metric):
    """Agreement of scores with word effects measured by many removals."""

    name: ClassVar[str] = "effect_agreement"
    title: ClassVar[str] = "Agreement with measured effects"
    meaning: ClassVar[str] = (
        "How well the scores order and sign the words as their effects do, measured by removing each word alone and "
        "among many others, in two ways. 1 is the same order, 0 is chance."
    )
    limits: ClassVar[str] = (
        "Most texts with words removed are ones nobody would write. Effects come from a limited number of passes, so "
        "weak words are measured poorly."
    )
    higher_is_better: ClassVar[bool] = True
    shared: ClassVar[bool] = True

    budget: int = setting(
        300, low=100, high=100_000, help="The passes for each of two ways of removing words; at least eight a word."
    )
    seed: int = setting(0, low=0, high=2**31 - 1, help="The seed of the sets of words removed, and of random orders.")

    def cost(self, words: int, orders: int) -> int:
        return 2 * max(self.budget, PASSES_PER_WORD * words) + words + 1 if orders else 0

    def evaluate(self, trial: Trial, attribution: Attribution) -> MetricResult:
        scores = trial.scores(attribution)
        measured = self.word_effects(trial)
        figure = _figure(scores, measured.effects, signed=attribution.signed)
        if figure is None:
            raise MetricError("There is no order to compare: all words have the same score, or the same effect.")
        shuffled = _shuffled(scores, measured.effects, signed=attribution.signed, seed=self.seed)
        blind = {
            name: abs(_figure(order - order.mean(), measured.effects, signed=attribution.signed) or 0.0)
            for name, order in model_blind_orders(trial).items()
        }
        details: dict[str, Any] = {
            "effects": measured.effects.tolist(),
            "signs": balanced_signs(scores, measured.signs) if attribution.signed else None,
            "blind": blind,
            "operators": list(measured.operators),
        }
        return MetricResult(
            metric=self.name,
            method=attribution.method,
            fractions=np.empty(0),
            outputs=np.empty(0),
            value=figure,
            higher_is_better=True,
            percentile=percentile(figure, shuffled, True),
            controls=shuffled,
            details=details,
        )

    def word_effects(self, trial: Trial) -> WordEffects:
        """Return the effects of a text's words, measured once for all methods."""
        return trial.kept(self, lambda: self._measure(trial))

    def _measure(self, trial: Trial) -> WordEffects:
        first, second = trial.operators[:2]
        averages = [self._shapley_values(trial, operator) for operator in (first, second)]
        size = len(trial.units)
        answers = trial.game(second).worth(np.concatenate([np.ones((1, size), dtype=bool), ~np.eye(size, dtype=bool)]))
        alone = answers[0] - answers[1:]
        everything = np.sign([*averages, alone])
        agreed = np.where((everything == everything[0]).all(axis=0), everything[0], 0).astype(np.int64)
        effects = _scaled(sum(map(_scaled, averages), np.zeros(size))) + _scaled(alone) / 2
        return WordEffects(effects, agreed, (first, second))

    def _shapley_values(self, trial: Trial, operator: str) -> _Floats:
        """Return the Shapley value of each word (U,); of two texts compared, each is emptied in turn."""
        budget = max(self.budget, PASSES_PER_WORD * len(trial.units))
        method = ShapleyValues(granularity="word", operator=operator, budget=budget, seed=self.seed)
        item = trial.tokens, trial.scored_target
        shares: dict[tuple[int, ...], float] = {}
        for part, units in method.rounds(trial.tokens):
            removable = trial.model.removable_units(*item, units)
            game = CoalitionGame(trial.model, item, removable, operator, trial.meter)
            if removable:
                shares |= zip(removable, part.shares(game, lambda _: None).scores.tolist())
        return np.array([shares[unit] for unit in trial.units])


def model_blind_orders(trial: Trial) -> dict[str, _Floats]:
    """Return orders of the words (U,) that know nothing of the model, by name; the highest number comes first.

    Rarity is the mean number of a word's pieces in the vocabulary, where common pieces come first.
    """
    tokens = trial.tokens
    return {
        "length": np.array([len(tokens.unit_text(unit)) for unit in trial.units], dtype=np.float64),
        "rarity": np.array([tokens.ids[list(unit)].mean() for unit in trial.units], dtype=np.float64),
        "position": -np.arange(len(trial.units), dtype=np.float64),
    }


def _figure(scores: _Floats, effects: _Floats, *, signed: bool) -> float | None:
    """Return the agreement of scores with effects; None where it is undefined."""
    return order_and_sign(scores, effects) if signed else spearman(scores, np.abs(effects))


def _shuffled(scores: _Floats, effects: _Floats, *, signed: bool, seed: int) -> _Floats:
    """Return the figures (R,) of the same scores in random orders: ranks and roots are shuffled with them."""
    draw = np.random.default_rng(seed)
    orders = np.stack([draw.permutation(len(scores)) for _ in range(SHUFFLES)])
    sides = [(_centered_ranks(scores), _centered_ranks(effects if signed else np.abs(effects)))]
    if signed:
        sides.append((roots(scores), roots(effects)))
    return np.mean([_scaled(left)[orders] @ _scaled(right) for left, right in sides], axis=0)


def _centered_ranks(scores: _Floats) -> _Floats:
    from scipy.stats import rankdata  # scipy takes long to import, and few calls need it

    ranks: _Floats = rankdata(scores)
    return ranks - ranks.mean()


def _scaled(effects: _Floats) -> _Floats:
    """Return effects over their length, so that neither way of removing words dominates; zeros stay."""
    return effects / (np.linalg.norm(effects) or 1.0)
