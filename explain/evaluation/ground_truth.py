"""Ground truth: precision of a method on models whose deciding words are known."""

from dataclasses import dataclass

from explain.datatypes import Attribution
from explain.methods.base import Method
from explain.metrics.base import order_of
from explain.numerics.statistics import wilson
from explain.testing.planted_models import Planted, PlantedText
from explain.text.units import scores_of


@dataclass(frozen=True)
class Precision:
    """The precision of a method on a shortcut.

    Attributes:
        method, shortcut: their names.
        texts: the number of texts.
        mean: precision@k, the share of planted words among the k highest-scored words, k being the number planted.
        low, high: the mean's 95 % interval, by Wilson's formula for a yes or no answer in each text. With two planted
            words an answer may be a half, which varies less: the interval is then, if anything, too wide.
        chance: the mean of random orders of the words.
        decoy: of the texts with a decoy, the share in which it is among the k highest-scored words.
    """

    method: str
    shortcut: str
    texts: int
    mean: float
    low: float
    high: float
    chance: float
    decoy: float


def precision(method: Method, truth: Planted, texts: int = 200, seed: int = 0) -> Precision:
    """Measure precision@k of a method's explanations of the model's decisions.

    Args:
        texts, seed: see `Planted.questions`.

    Raises:
        ModelError: the model lacks a capability, or does not decide by its rule.
        MetricError: the method's scores give words no order.
    """
    questions = truth.questions(texts, seed)
    attributions = method.attribute_batch(truth.model, [truth.item(text) for text in questions])
    pairs = list(zip(attributions, questions, strict=True))
    hits = sum(precision_at_k(attribution, text) for attribution, text in pairs)
    decoys = [
        text.decoy in highest(attribution, len(text.planted)) for attribution, text in pairs if text.decoy is not None
    ]
    return Precision(
        method.name,
        truth.shortcut.name,
        texts,
        hits / texts,
        *wilson(hits, texts),
        chance=sum(len(text.planted) / len(text.words) for text in questions) / texts,
        decoy=sum(decoys) / max(1, len(decoys)),
    )


def precision_at_k(attribution: Attribution, text: PlantedText) -> float:
    """Return the share of planted words among the k highest-scored words, k being the number planted.

    Raises:
        MetricError: the scores give words no order.
    """
    return len(set(highest(attribution, len(text.planted))) & set(text.planted)) / len(text.planted)


def highest(attribution: Attribution, count: int) -> tuple[int, ...]:
    """Return numbers of the words with the highest scores, highest first.

    Signed scores are ordered from the most positive on, unsigned ones from the largest; ties by position in the text.
    Scores of other units are converted by `scores_of`.

    Raises:
        MetricError: the scores give words no order.
    """
    scores = scores_of(attribution, attribution.tokens.word_units())
    return tuple(order_of(scores)[:count].tolist())
