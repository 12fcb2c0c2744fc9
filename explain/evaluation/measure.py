"""Measurements of one text: the faithfulness of each method's explanation, and its agreement with human labels.

Faithfulness: comprehensiveness and sufficiency (ERASER's AOPC), with words removed in two ways that no method uses by
default, beside random orders of the same words. Agreement: average precision, and rank correlations.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from explain.core.errors import ExplainError
from explain.core.settings import settings_of
from explain.datatypes import Attribution, FloatArray, Target, Tokens
from explain.evaluation.samples import Sample, Span
from explain.methods.base import Method
from explain.metrics.base import Metric, Trial
from explain.metrics.comprehensiveness import Comprehensiveness
from explain.metrics.sufficiency import Sufficiency
from explain.models.base import TextModel
from explain.numerics.plausibility import plausibility
from explain.numerics.statistics import spearman
from explain.text.units import Units, scores_of

RANDOM = "random"  # the control among the methods: a number drawn for each word
METRICS: tuple[Metric, ...] = (Comprehensiveness(), Sufficiency())

Row = dict[str, Any]


@dataclass(frozen=True)
class EvaluationSettings:
    """Settings of the measurements.

    Attributes:
        orders: random orders that a method is compared with; seed: of these, and of the random scores.
        operators: ways to remove words. A method that removes words itself is not tested with its own way.
    """

    orders: int = 20
    seed: int = 0
    operators: tuple[str, ...] = ("delete", "attention_off")


def label_of(method: Method) -> str:
    """Return a method's name with what differs from its defaults: "integrated_gradients baseline=pad".

    A later version of its arithmetic is a part of the label, so that rows of two versions are never mixed.
    """
    settings = [(setting.name, getattr(method, setting.name), setting.default) for setting in settings_of(method)]
    settings.append(("version", method.version, 1))
    changed = [f"{name}={value}" for name, value, default in settings if value != default]
    return " ".join([method.name, *changed])


def measure(
    model: TextModel, sample: Sample, methods: Sequence[Method], settings: EvaluationSettings, *, control: bool = True
) -> Iterator[Row]:
    """Measure each method on one text, and random scores too if `control`.

    Yields:
        "text", "method", "words", "passes" (forward and backward), "seconds"; "faithful" by operator and metric:
        [figure, mean figure of random orders, share of random orders beaten]; "human", see `_human`. Of a text that a
        method can't explain, "text", "method" and "error".
    """
    try:
        tokens, target = _decision(model, sample)
    except ExplainError as error:
        yield from ({"text": sample.id, "method": label_of(method), "error": str(error)} for method in methods)
        return
    trials = {
        operator: Trial(model, tokens, target, orders=settings.orders, seed=settings.seed, operator=operator)
        for operator in settings.operators
    }
    explained: list[tuple[str, Callable[[], Attribution]]] = [
        (label_of(method), partial(method.attribute, model, tokens, target)) for method in methods
    ]
    if control:
        units = next(iter(trials.values())).units
        explained.insert(0, (RANDOM, partial(_random, tokens, target, units, settings.seed)))
    for label, explain in explained:
        try:
            yield _row(sample, label, explain(), trials, model)
        except ExplainError as error:
            yield {"text": sample.id, "method": label, "error": str(error)}


def _decision(model: TextModel, sample: Sample) -> tuple[Tokens, Target]:
    """Return the encoding the model decides by (of several windows or labels, the one that counts) and its target."""
    windows = model.windows(sample.text, sample.text_pair)
    predictions = [model.predict(window) for window in windows]
    number, prediction = model.task.joined(predictions, model.head, None) if len(windows) > 1 else (0, predictions[0])
    return windows[number], model.task.target(prediction, model.head)


def _random(tokens: Tokens, target: Target, units: Units, seed: int) -> Attribution:
    scores = np.random.default_rng((seed, *tokens.ids.tolist())).normal(size=len(units))
    return Attribution(
        tokens=tokens,
        target=target,
        units=units,
        scores=scores,
        granularity="word",
        scale=target.scale,
        signed=True,
        additive=True,
        method=RANDOM,
        output=0.0,
    )


def _row(sample: Sample, label: str, attribution: Attribution, trials: dict[str, Trial], model: TextModel) -> Row:
    own = attribution.diagnostics.get("operator")
    faithful = {
        operator: {metric.name: _figures(trial, metric, attribution) for metric in METRICS}
        for operator, trial in trials.items()
        if operator != own
    }
    row: Row = {
        "text": sample.id,
        "method": label,
        "words": len(next(iter(trials.values())).units),
        "passes": attribution.passes.forward + attribution.passes.backward,
        "seconds": round(attribution.seconds, 4),
        "faithful": faithful,
    }
    if sample.words:
        last = len(model.head.labels) == 2 and attribution.target.index == 1
        row["human"] = _human(sample, attribution, 1 if last else -1 if len(model.head.labels) == 2 else 0)
    return row


def _figures(trial: Trial, metric: Metric, attribution: Attribution) -> list[float | None]:
    result = metric.evaluate(trial, attribution)
    chance = None if result.controls is None else round(float(result.controls.mean()), 6)
    return [round(result.value, 6), chance, result.percentile]


def _human(sample: Sample, attribution: Attribution, direction: int) -> Row:
    """Return the agreement of an explanation with human labels of words and phrases; None where it is undefined.

    Returns:
        "auprc": average precision of sizes of scores, the words people did not find neutral being right;
        "chance": the share of these; "size": Spearman's correlation of sizes of scores and of labels, over words;
        "sign": the same with signs, for methods that give them; "phrases": of a phrase's summed scores and its label.
    """
    words, labels = _scored(sample.words, attribution)
    marked = labels != 0
    both = bool(marked.any() and not marked.all())
    human: Row = {
        "auprc": _rounded(plausibility(np.abs(words), marked)["auprc"]) if both else None,
        "chance": _rounded(marked.mean()) if both else None,
        "size": _correlation(np.abs(words), np.abs(labels)),
    }
    if attribution.signed and direction:
        human["sign"] = _correlation(words, direction * labels)
        if sample.phrases:
            human["phrases"] = _correlation(*_summed(sample, words, direction))
    return human


def _scored(spans: Sequence[Span], attribution: Attribution) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return scores (W,) and labels (W,) of labelled words; tokens are found by their characters."""
    tokens = attribution.tokens
    places = [(int(token), *tokens.unit_span((int(token),))) for token in tokens.ordinary]
    units = [
        tuple(token for token, segment, first, end in places if segment == 0 and first < stop and end > start)
        for start, stop, _ in spans
    ]
    return scores_of(attribution, units), np.array([label for _, _, label in spans])


def _summed(sample: Sample, words: FloatArray, direction: int) -> tuple[FloatArray, FloatArray]:
    """Return summed scores (P,) of the words of each phrase, and its labels (P,)."""
    sums = [
        sum(score for (first, end, _), score in zip(sample.words, words) if start <= first and end <= stop)
        for start, stop, _ in sample.phrases
    ]
    return np.array(sums), direction * np.array([label for _, _, label in sample.phrases])


def _correlation(scores: FloatArray, labels: FloatArray) -> float | None:
    correlation = spearman(scores, labels)
    return None if correlation is None else _rounded(correlation)


def _rounded(value: float) -> float:
    return round(float(value), 5)
