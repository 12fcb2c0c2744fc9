"""Ground truth: how many planted words a method finds, on models whose deciding words are known."""

from dataclasses import dataclass

from explain.datatypes import Attribution
from explain.methods.base import Method
from explain.metrics.base import order_of
from explain.numerics.statistics import wilson
from explain.testing.planted_models import Planted, PlantedText
from explain.text.units import scores_of


@dataclass(frozen=True)
class Precision:
    """How many planted words one method finds on one shortcut.

    Attributes:
        method, shortcut: their names.
        texts: how many it was asked about.
        mean: precision@k, the share of planted words among as many words that the method scores highest.
        low, high: the mean's 95 % interval, by Wilson's formula for as many yes or no answers as there are texts. Of
            two planted words a half may be found, which varies less: the interval is then, if anything, too wide.
        chance: what random orders of the words have in the mean.
        decoy: of the texts with a decoy, the share in which it is among as many words as were planted.
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
    """Precision@k of a method's explanations of what the model decided.

    Args:
        texts, seed: see `Planted.questions`.

    Raises:
        ModelError: the model lacks what the method needs, or does not decide as its rule does.
        MetricError: the method's scores put words in no order.
    """
    questions = truth.questions(texts, seed)
    found = method.attribute_batch(truth.model, [truth.item(text) for text in questions])
    hits = sum(precision_at_k(one, text) for one, text in zip(found, questions, strict=True))
    decoys = [
        text.decoy in highest(one, len(text.planted)) for one, text in zip(found, questions) if text.decoy is not None
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
    """The share of planted words among the k that are scored highest, where k is how many were planted.

    Raises:
        MetricError: the scores put words in no order.
    """
    return len(set(highest(attribution, len(text.planted))) & set(text.planted)) / len(text.planted)


def highest(attribution: Attribution, count: int) -> tuple[int, ...]:
    """Numbers of the words with the highest scores, highest first.

    That is the most positive ones of a method that has signs, the largest of one that has none; of equal ones the
    first in the text. Scores of other units are brought to words as `scores_of` does.

    Raises:
        MetricError: the scores put words in no order.
    """
    scores = scores_of(attribution, attribution.tokens.word_units())
    return tuple(order_of(scores)[:count].tolist())
