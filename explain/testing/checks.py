"""Checks that every registered method, task, view, metric and analysis must pass."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from explain.core.errors import Cancelled, TargetError
from explain.core.meter import Meter
from explain.core.settings import make
from explain.datatypes import Attribution, MetricResult, Prediction
from explain.methods.base import Method
from explain.methods.integrated_gradients import IntegratedGradients
from explain.methods.occlusion import Occlusion
from explain.metrics.base import Metric, Trial
from explain.models.analysis import MODEL, TEXT, Analysis, ExplainedText
from explain.models.base import Row, TextModel
from explain.models.cached_model import CachedModel
from explain.run.vectors import read_texts
from explain.tasks.base import Task
from explain.testing.toys import default_item, texts_for
from explain.text.removal import OPERATORS, emptied_together, unchanged
from explain.views.base import View, json_for_script, read_at


@lru_cache(maxsize=2)  # several checks look at the same ones, and `check_repeatable` holds that they are the same
def _attributions(method: Method, model: TextModel) -> list[tuple[Attribution, Meter]]:
    """Return the attribution of each text, and the meter that counted it."""
    meters = [Meter() for _ in texts_for(model)]
    subjects = [default_item(model, *text) for text in texts_for(model).values()]
    return [(method.attribute(model, *subject, meter), meter) for subject, meter in zip(subjects, meters)]


def check_shape(method: Method, model: TextModel) -> None:
    """Check that scores are finite, one for each unit of known tokens, and not negative if the method is unsigned."""
    for attribution, _ in _attributions(method, model):
        scores = attribution.scores
        assert len(scores) == len(attribution.units) > 0
        assert np.isfinite(scores).all()
        assert method.signed or (scores >= 0).all()
        assert attribution.signed == method.signed and attribution.additive == method.additive
        assert attribution.method == method.name
        assert all(unit for unit in attribution.units)


def check_repeatable(method: Method, model: TextModel) -> None:
    """Check that two runs give the same scores, and that the text's tokens do not change."""
    tokens, target = default_item(model, *texts_for(model)["plain"])
    before = tokens.ids.copy()
    first, second = method.attribute(model, tokens, target), method.attribute(model, tokens, target)
    assert np.array_equal(first.scores, second.scores)
    assert np.array_equal(tokens.ids, before)


def check_batching(method: Method, model: TextModel) -> None:
    """Check that a text has the same scores alone and among longer and shorter texts."""
    subjects = [default_item(model, *text) for text in texts_for(model).values()]
    batch = method.attribute_batch(model, subjects)
    for (alone, _), together in zip(_attributions(method, model), batch, strict=True):
        assert np.allclose(alone.scores, together.scores, atol=2e-4)
        assert alone.passes.forward == together.passes.forward


def check_served_score(method: Method, model: TextModel) -> None:
    """Check that the explained output is the model's own prediction."""
    for attribution, _ in _attributions(method, model):
        served = model.value(model.predict(attribution.tokens), attribution.target)
        assert abs(attribution.output - served) <= 1e-4 * max(1.0, abs(served))


def check_completeness(method: Method, model: TextModel) -> None:
    """Check that a complete method sums to the difference within its tolerance, from a baseline of the right value."""
    for attribution, _ in _attributions(method, model):
        if not method.complete:
            continue
        tokens, target, about = attribution.tokens, attribution.target, attribution.diagnostics
        assert attribution.completeness_gap is not None and attribution.baseline_output is not None
        assert abs(attribution.completeness_gap) <= about["tolerance"] or not about["converged"]
        if "baseline" not in about:  # the reference is no text that could be run
            continue
        sets = emptied_together(tokens, attribution.params["emptied"])
        empty = [model.baseline(tokens, target, about["baseline"], together) for together in sets]
        confirmed = model.values(tokens, target, torch.stack(empty)).numpy()
        outputs = attribution.emptied_outputs or attribution.baseline_output
        assert np.allclose(outputs, confirmed, rtol=1e-4, atol=1e-4)


def check_cost(method: Method, model: TextModel) -> None:
    """Check that a method spends no more passes than its cost, and reports what it spent."""
    for attribution, meter in _attributions(method, model):
        tokens, passes = attribution.tokens, attribution.passes
        assert meter.spent.forward + meter.spent.backward <= method.cost(tokens)
        assert passes.forward == meter.spent.forward and passes.backward == meter.spent.backward
        assert bool(method.requires & {"gradients", "attention_gradients"}) == (meter.spent.backward > 0)
        assert meter.steps <= method.arithmetic(tokens)


def check_stops(method: Method, model: TextModel) -> None:
    """Check that a cancelled method stops and leaves the model unchanged: no hook, no gradient, the same scores."""
    tokens, target = default_item(model, *texts_for(model)["plain"])
    before = _traces(model)
    whole = method.attribute(model, tokens, target)
    meter = Meter()
    meter.cancel()
    try:
        method.attribute(model, tokens, target, meter)
    except Cancelled:
        pass
    else:
        raise AssertionError("The method did not stop.")
    assert _traces(model) == before
    assert np.array_equal(method.attribute(model, tokens, target).scores, whole.scores)
    assert _traces(model) == before


def _traces(model: TextModel) -> list[tuple[str, int, bool, bool]]:
    """Return the state that a run could leave behind in a model's modules: hooks, gradients, training mode."""
    module = getattr(model, "_module", None)
    parts = module.named_modules() if isinstance(module, torch.nn.Module) else ()
    return [
        (
            name,
            len(part._forward_hooks) + len(part._forward_pre_hooks) + len(part._backward_hooks),
            any(weight.requires_grad or weight.grad is not None for weight in part.parameters(recurse=False)),
            part.training,
        )
        for name, part in parts
    ]


def check_words(method: Method, model: TextModel) -> None:
    """Check that scores by word keep the sum, if scores of pieces are additive."""
    for attribution, _ in _attributions(method, model):
        if attribution.granularity == "token" and attribution.additive:
            assert np.isclose(attribution.per_word().scores.sum(), attribution.scores.sum())


def check_record(method: Method, model: TextModel) -> None:
    """Check that settings and diagnostics are JSON values, and that the settings make the method again."""
    attribution = method.attribute(model, *default_item(model, *texts_for(model)["plain"]))
    assert type(method)(**json.loads(json.dumps(dict(attribution.params)))) == method
    json.dumps(dict(attribution.diagnostics), allow_nan=False)


METHOD_CHECKS: tuple[Callable[[Method, TextModel], None], ...] = (
    check_shape,
    check_repeatable,
    check_batching,
    check_served_score,
    check_completeness,
    check_cost,
    check_stops,
    check_words,
    check_record,
)


def check_task(task: Task, model: TextModel) -> None:
    """Check that a task's targets have the same value by prediction and by the head's tensors, and refuse bad ones."""
    tokens = model.encode(*_with_another_mask(model, texts_for(model)["plain"]))
    prediction = model.predict(tokens)
    assert prediction.task == task.name
    positions = task.positions(tokens, model.head)
    assert sum((output.positions for output in prediction.outputs), ()) == positions
    assert set(task.target(prediction, model.head).positions) <= set(positions)
    for span in prediction.spans:
        assert tokens.texts[span.segment][slice(*span.characters)] == span.text
        assert 0 <= span.probability <= 1
    answers = sorted({span.tokens[0] for span in prediction.spans})
    for position in (positions if task.one_row else answers) or (None,):
        _check_targets(task, model, prediction, position)
    for bad in ({"label": "no such label"}, {"against": "no such label"}, {"scale": "no such scale"}, {"position": 0}):
        try:
            task.target(prediction, model.head, **bad)
        except TargetError:
            continue
        raise AssertionError(f"{bad} was taken for a target.")


def _with_another_mask(model: TextModel, texts: tuple[str, ...]) -> tuple[str, ...]:
    vocabulary = model.head.vocabulary
    return texts if vocabulary is None else (f"{texts[0]} {vocabulary.mask}", *texts[1:])


def _check_targets(task: Task, model: TextModel, prediction: Prediction, position: int | None) -> None:
    """Check every target at a position, or of the whole text."""
    tokens = prediction.tokens
    target = task.target(prediction, model.head, position=position)
    assert target.task == task.name and target.scale == task.scales[0]
    assert target.label == (prediction.label or target.label) or position is not None
    row = Row(tokens, unchanged(tokens), target)
    scores = model.scores([row, row])
    assert np.allclose(scores.values, task.value(prediction, target, model.head), atol=1e-4)
    assert scores.decisions[0] == scores.decisions[1]
    _check_decision(task, model, prediction, row, int(scores.decisions[0]))
    assert set(target.protected) >= set(target.positions) and (position is None or position in target.positions)
    for operator in OPERATORS:  # protected tokens stay, at their new places
        if {"mask": model.mask_id, "unk": model.unk_id}.get(operator, 0) is None:
            continue  # the vocabulary has no such token
        bare = model.removed(tokens, range(len(tokens)), operator, target)
        for stays in (target.positions, target.protected):
            assert np.array_equal(bare.variant.ids[list(bare.variant.places(stays))], tokens.ids[list(stays)])
        assert np.isfinite(model.scores([bare]).values).all()
    for label in _labels(model, prediction):
        for scale in (scale for scale in task.scales if scale not in ("logit_difference", "value")):
            try:
                scaled = task.target(prediction, model.head, label=label, scale=scale, position=position)
            except TargetError:
                assert not task.one_row  # an answer that begins elsewhere
                continue
            assert (scaled.label, scaled.scale, scaled.positions[:1]) == (label, scale, target.positions[:1])
            predicted = task.value(prediction, scaled, model.head)
            served = model.scores([Row(tokens, unchanged(tokens), scaled)]).values[0]
            assert abs(predicted - served) <= 1e-4 * max(1.0, abs(predicted))
    at = position if task.one_row else None
    for left, right in pairwise(_labels(model, prediction)):
        contrast = task.target(prediction, model.head, label=left, against=right, position=at)
        reverse = task.target(prediction, model.head, label=right, against=left, position=at)
        assert contrast.scale == "logit_difference"
        assert task.value(prediction, contrast, model.head) == -task.value(prediction, reverse, model.head)


def _check_decision(task: Task, model: TextModel, prediction: Prediction, row: Row, number: int) -> None:
    """Check that the decision for the whole text has the label and probability of the prediction."""
    decision, target = model.decide(row), row.target
    assert decision.number == number
    assert abs(decision.value - task.value(prediction, target, model.head)) <= 1e-4 * max(1.0, abs(decision.value))
    output = read_at(prediction, target.positions).output
    direction = task.direction(prediction, target, model.head)
    if model.head.value:
        assert (decision.label, decision.confidence, direction) == (None, None, 0)
        return
    assert output.probabilities is not None and decision.confidence is not None and direction in (-1, 0, 1)
    if output.exclusive and model.head.temperature is None:
        best = int(output.probabilities[0].argmax())
        assert decision.label == output.labels[best]
        assert abs(decision.confidence - output.probabilities[0, best]) < 1e-4
    if not output.exclusive:
        assert (decision.label is not None) == (direction > 0) and decision.label in (None, target.label)


def _labels(model: TextModel, prediction: Prediction) -> tuple[str, ...]:
    """Return all labels; of a vocabulary the likeliest word, the last listed and an unlisted one; some answers."""
    vocabulary, listed = model.head.vocabulary, prediction.output.labels
    if model.head.value:
        return model.head.labels
    if not model.task.one_row:
        return tuple(dict.fromkeys(span.text for span in prediction.spans))[:4]
    if vocabulary is None:
        return model.task.labels(prediction, model.head)
    words = (vocabulary.word(index) for index in range(model.record.vocabulary) if index not in vocabulary.no_words)
    return listed[0], listed[-1], next(word for word in words if word not in listed)


def check_metric(metric: Metric, model: TextModel) -> None:
    """Check that a metric's figure is finite and repeatable, within its cost, and reported with its control."""
    tokens, target = default_item(model, *texts_for(model)["plain"])
    method = IntegratedGradients(steps=4) if "gradients" in model.capabilities else Occlusion()
    attribution = method.attribute(model, tokens, target)

    def run() -> tuple[MetricResult, int]:
        meter = Meter()
        trial = Trial(model, tokens, target, orders=20, meter=meter)
        return metric.evaluate(trial, attribution), meter.spent.forward + meter.spent.backward

    outcome, passes = run()
    assert outcome.metric == metric.name and outcome.method == method.name
    assert outcome.higher_is_better == metric.higher_is_better
    assert passes <= metric.cost(len(tokens.words), 20) + metric.reruns(model, tokens, method)
    assert (outcome.controls is None) == (outcome.percentile is None)
    if outcome.controls is not None:
        assert len(outcome.controls) >= 20 and 0 <= (outcome.percentile or 0.0) <= 100
        own = attribution.diagnostics.get("operator")
        assert outcome.operator is None or outcome.operator != own, "a method is tested by another operator"
    again, _ = run()
    assert again.value == outcome.value and again.percentile == outcome.percentile
    json_for_script(dict(outcome.details))


def check_view(view: View, shown: object) -> None:
    """Check that a view's data are JSON that is safe in a page, whatever text they hold."""
    document = view.html(shown)
    json.loads(json_for_script(view.data(shown)))
    inside = document.split('<script type="application/json">', 1)[1].rsplit("</script></div>", 1)[0]
    assert "<" not in inside


def check_analysis(analysis: Analysis[Any, Any], model: TextModel) -> None:
    """Check that an analysis returns its type, repeatably, within its passes, can be stopped and made again.

    What it leaves in the model is checked too: no hook, no gradient, no other mode. The text is observed before, as by
    the engine; that pass is not the analysis's own.

    Args:
        analysis: with the settings to run it with.
        model: one that has the capabilities that the analysis requires.
    """
    assert analysis.requires <= model.capabilities, "The model lacks a capability; choose another."
    subject = _subject(analysis, model)
    before = _traces(model)
    passes = analysis.passes(model, subject)
    meter = Meter()
    outcome = analysis.run(_observed(model, subject), subject, meter)
    assert isinstance(outcome, analysis.returns) and dataclasses.is_dataclass(outcome)
    spent = meter.spent.forward + meter.spent.backward
    assert spent + meter.steps <= passes
    assert _same(analysis.run(_observed(model, subject), subject), outcome), "Two runs differ."
    assert _traces(model) == before

    settings = json.loads(json.dumps(dict(analysis.settings), allow_nan=False))
    again = make(type(analysis), settings)
    assert again == analysis and again.key == analysis.key and hash(again.key) == hash(analysis.key)

    if spent and analysis.passes(model, subject):  # else the outcome is kept, and nothing is left to stop
        stopped = Meter()
        stopped.cancel()
        try:
            analysis.run(_observed(model, subject), subject, stopped)
        except Cancelled:
            pass
        else:
            raise AssertionError("The analysis did not stop.")
        assert _traces(model) == before


def _subject(analysis: Analysis[Any, Any], model: TextModel) -> Any:
    texts = texts_for(model)
    if analysis.subject == MODEL:
        return None
    if analysis.subject == TEXT:
        return ExplainedText(*default_item(model, *texts["plain"]))
    lines = [f"{text[-1]} {word}".strip() for text in texts.values() for word in ("", "again", "today")]
    return read_texts(lines, model, (model.vectors.poolings or ("mean",))[0])


def _observed(model: TextModel, subject: Any) -> TextModel:
    """Return a model that knows its prediction of the text, if it is a text."""
    cached = CachedModel(model)
    if isinstance(subject, ExplainedText):
        cached.observe(subject.tokens)
    return cached


def _same(first: Any, second: Any) -> bool:
    """Return whether two results are equal, arrays and their undefined entries included."""
    if dataclasses.is_dataclass(first):
        names = [field.name for field in dataclasses.fields(first) if field.name != "seconds"]
        return type(first) is type(second) and all(_same(getattr(first, name), getattr(second, name)) for name in names)
    if isinstance(first, np.ndarray):
        return np.array_equal(first, second, equal_nan=first.dtype.kind == "f")
    if isinstance(first, Mapping):
        return first.keys() == second.keys() and all(_same(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(_same(one, other) for one, other in zip(first, second, strict=True))
    return bool(first == second) or (first != first and second != second)
