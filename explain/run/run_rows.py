"""The rows that a run keeps of some texts, computed in batches of like length: predictions, and scores by word."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from explain.analyses.key_phrases import KeyPhrases
from explain.analyses.method_tests import MethodTests
from explain.core.errors import ExplainError
from explain.data.dataset import DataRow
from explain.datatypes import Attribution, Prediction, Target, Tokens
from explain.methods.base import Method
from explain.metrics.base import TrialSettings
from explain.models.analysis import ExplainedText
from explain.models.base import TextModel, check_same_score
from explain.models.cached_model import CachedModel
from explain.models.chunks import balanced_with_maps, chunks_by_length
from explain.run.run_plan import EMBEDDING, MOST_PROBABILITIES, RunPlan, column_of, group_column, parted
from explain.run.shards import Row
from explain.run.vectors import read_texts


@dataclass(frozen=True, eq=False)
class _Read:
    """A row of a data set as the model reads it.

    Attributes:
        windows: its encodings, more than one of a long text for models that read such in windows.
        error: why the model can't read it; there are no windows then.
    """

    row: DataRow
    windows: tuple[Tokens, ...] = ()
    error: str = ""


def rows_of_run(model: TextModel, rows: Sequence[DataRow], plan: RunPlan) -> list[Row]:
    """Compute the rows that a run keeps of some rows of a data set, in their order.

    Texts of like length are computed together, about 2048 positions at once. A row of which the model reads several
    targets, such as entities, leaves a row for each. A row that can't be explained leaves its reason in "error".
    """
    texts = [_read(model, row) for row in rows]
    readable = [number for number, text in enumerate(texts) if not text.error]
    made = {number: [_failed(text, plan)] for number, text in enumerate(texts) if text.error}
    lengths = [len(texts[number].windows[0]) for number in readable]
    for chunk in chunks_by_length(lengths, balanced_with_maps):
        numbers = [readable[place] for place in chunk]
        made |= zip(numbers, _rows_together(model, [texts[number] for number in numbers], plan))
    for number, vector in zip(readable, _vectors(model, [texts[number].row.text for number in readable], plan)):
        made[number] = [row if row.get("error") else row | vector for row in made[number]]
    return [row for number in range(len(rows)) for row in made[number]]


def _vectors(model: TextModel, texts: Sequence[str], plan: RunPlan) -> list[Row]:
    """Return the column of each text's vector, of the first text of a pair; no column where none are kept."""
    if plan.embeddings is None or not texts:
        return [{} for _ in texts]
    return [{EMBEDDING: vector} for vector in read_texts(texts, model, plan.embeddings).vectors.tolist()]


def _read(model: TextModel, row: DataRow) -> _Read:
    try:
        return _Read(row, model.windows(row.text, row.text_pair))
    except ExplainError as error:
        return _Read(row, error=str(error))


def _failed(text: _Read, plan: RunPlan) -> Row:
    return _identity(text.row, plan) | {"error": text.error}


def _identity(row: DataRow, plan: RunPlan) -> Row:
    """Return what names a row: its id, its texts or their hash, its label and groups."""
    made: Row = {"id": row.id, "number": row.number, "weight": 1.0}
    if plan.texts:
        made |= {"text": row.text, "text_pair": row.text_pair}
    texts = json.dumps((row.text, row.text_pair)).encode()
    made["text_sha256"] = hashlib.sha256(texts).hexdigest()
    if plan.columns.label:
        made["label"] = row.label
    return made | dict(zip(map(group_column, plan.columns.groups), row.groups))


def _rows_together(model: TextModel, texts: Sequence[_Read], plan: RunPlan) -> list[list[Row]]:
    """Return the rows of each of some texts, one row for each target."""
    working = CachedModel(model, count_all=True)  # methods share passes, and each counts those it takes alone
    made: list[list[Row]] = []
    targets: list[_Explained] = []
    for text, predictions in zip(texts, _predictions(working, texts, plan)):
        try:
            if isinstance(predictions, Exception):
                raise predictions
            of_text = _decided(model, text, predictions, plan)
        except ExplainError as error:
            made.append([_failed(replace(text, error=str(error)), plan)])
            continue
        made.append([target.row for target in of_text])
        targets += of_text
    for method in plan.methods:
        for target, attribution in zip(targets, _attributions(working, method, targets)):
            target.row.update(_scored(model, method, attribution, target))
    for target in targets:
        if plan.tests is not None:
            target.row.update(_judged(working, plan, plan.tests, target.subject, target.scored))
        if plan.phrases is not None:
            target.row.update(_phrases(working, plan, target.subject))
    return made


def _predictions(
    model: CachedModel, texts: Sequence[_Read], plan: RunPlan
) -> Sequence[Sequence[Prediction] | ExplainError]:
    """Return the predictions of each text's windows, or why there are none.

    Texts of one window are predicted by a pass that a method needs anyway, if there is one.
    """
    single = [text for text in texts if len(text.windows) == 1]
    others = [window for text in texts if len(text.windows) > 1 for window in text.windows]
    try:
        predicted = iter(_by_methods(model, [text.windows[0] for text in single], plan))
        windows = iter(model.predict_each(others))
        return [
            [next(predicted)] if len(text.windows) == 1 else [next(windows) for _ in text.windows] for text in texts
        ]
    except (ExplainError, ValueError):
        return [_predictions_alone(model, text) for text in texts]


def _predictions_alone(model: TextModel, text: _Read) -> Sequence[Prediction] | ExplainError:
    try:
        return model.predict_each(text.windows)
    except ExplainError as error:
        return error


def _by_methods(model: CachedModel, texts: Sequence[Tokens], plan: RunPlan) -> Sequence[Prediction]:
    for method in plan.methods:
        predictions = method.predict_each(model, texts, lambda prediction: _targets(model, prediction)[0][0])
        if predictions is not None:
            return predictions
    return model.predict_each(texts)


@dataclass(frozen=True, eq=False)
class _Explained:
    """A target of a text, with its row so far and the attributions that are there."""

    subject: ExplainedText
    row: Row
    scored: dict[Method, Attribution] = field(default_factory=dict)


def _decided(model: TextModel, text: _Read, predictions: Sequence[Prediction], plan: RunPlan) -> list[_Explained]:
    """Return the targets of one text, with their decisions."""
    number, prediction = 0, predictions[0]
    if len(predictions) > 1:
        number, prediction = model.task.joined(tuple(predictions), model.head, None)
    tokens = text.windows[number]
    made = []
    for target, confidence in _targets(model, prediction):
        row = _identity(text.row, plan) | _decision(model, prediction, target, tokens, text.row, plan)
        row |= {"windows": len(predictions), "confidence": confidence}
        if plan.methods:
            row |= _words(tokens, plan)
        made.append(_Explained(ExplainedText(tokens, target), row))
    return made


def _attributions(
    model: CachedModel, method: Method, targets: Sequence[_Explained]
) -> Sequence[Attribution | ExplainError | ValueError]:
    """Return the attribution of each target, or why there is none: together, or else one by one."""
    if method.batched and len(targets) > 1:
        try:
            return method.attribute_batch(model, [(target.subject.tokens, target.subject.target) for target in targets])
        except (ExplainError, ValueError):
            pass  # one by one says which of them it concerns
    return [_attribution_alone(model, method, target) for target in targets]


def _attribution_alone(
    model: CachedModel, method: Method, target: _Explained
) -> Attribution | ExplainError | ValueError:
    try:
        return method.run(model, target.subject)
    except (ExplainError, ValueError) as error:
        return error


def _targets(model: TextModel, prediction: Prediction) -> list[tuple[Target, float | None]]:
    """Return what is explained, and its probability: each entity, each masked word, else the decision."""

    def at(position: int) -> Target:
        return model.task.target(prediction, model.head, position=position)

    if prediction.spans and model.task.name == "token_classification":
        return [(at(span.tokens[0]), span.probability) for span in prediction.spans]
    if len(prediction.outputs) > 1 and all(output.positions for output in prediction.outputs):
        shares = [
            None if output.probabilities is None else float(output.probabilities[0, 0]) for output in prediction.outputs
        ]
        return [(at(output.positions[0]), share) for output, share in zip(prediction.outputs, shares)]
    return [(model.task.target(prediction, model.head), prediction.confidence)]


def _decision(
    model: TextModel, prediction: Prediction, target: Target, tokens: Tokens, row: DataRow, plan: RunPlan
) -> Row:
    """Return what the model decides, and the explained number."""
    output = prediction.output
    decided = prediction.label if prediction.label is not None else "|".join(prediction.labels) or None
    made: Row = {
        "prediction": target.label if target.positions else decided,
        "target": target.label,
        "position": target.positions[0] if target.positions else None,
        "scale": target.scale,
        "output": float(model.value(prediction, target)),
        "length": len(tokens),
        "truncated": tokens.truncated,
    }
    if output.probabilities is None:
        made["value"] = float(output.logits[0, 0])
    elif not target.positions and output.listed_of is None and len(output.labels) <= MOST_PROBABILITIES:
        made["probabilities"] = [float(share) for share in output.probabilities[0]]
    known = (row.label,) if model.head.exclusive else parted(row.label)
    decides = prediction.label is not None or not model.head.exclusive
    if row.label and decides and not target.positions and all(label in plan.labels for label in known):
        served = (prediction.label,) if model.head.exclusive else prediction.labels
        made["correct"] = {plan.labels[label] for label in known} == set(served)
    return made


def _words(tokens: Tokens, plan: RunPlan) -> Row:
    """Return the words of a text and where they stand: their text's number, and half-open characters in it."""
    units = tokens.word_units()
    places = [tokens.unit_span(unit) for unit in units]
    made: Row = {
        "segments": [segment for segment, _, _ in places],
        "starts": [start for _, start, _ in places],
        "stops": [stop for _, _, stop in places],
    }
    return made | ({"words": [tokens.unit_text(unit) for unit in units]} if plan.texts else {})


def _scored(
    model: TextModel, method: Method, attribution: Attribution | ExplainError | ValueError, target: _Explained
) -> Row:
    """Return the columns of a method, and keep its attribution; where it can't explain the text, why."""
    try:
        if isinstance(attribution, Exception):
            raise attribution
        check_same_score(attribution.output, target.row["output"], model.name)
        by_word = attribution.per_word()
    except (ExplainError, ValueError) as error:
        return {column_of("failed", method.name): str(error)}
    target.scored[method] = attribution
    scores, errors, rest = _by_word(by_word)
    columns = {
        "scores": scores,
        "errors": errors if by_word.error is not None else None,
        "rest": rest,
        "baseline": attribution.baseline_output,
        "gap": attribution.completeness_gap,
        "passes": attribution.passes.forward + attribution.passes.backward,
    }
    return {column_of(kind, method.name): kept for kind, kept in columns.items()}


def _judged(
    model: TextModel, plan: RunPlan, tests: TrialSettings, subject: ExplainedText, scored: Mapping[Method, Attribution]
) -> Row:
    """Return the verdict on each method's scores; where they can't be tested, why."""
    assert plan.judge is not None, "tests without a judge"
    made: Row = {}
    trial = None
    for method, attribution in scored.items():
        testing = MethodTests(method, tests)
        try:
            trial = trial or testing.trial(model, subject)  # the same for every method
            results = testing.run_on(trial, attribution).metrics
            judged = plan.judge(attribution, [other for other in scored.values() if other is not attribution], results)
        except (ExplainError, ValueError) as error:
            made[column_of("reason", method.name)] = str(error)
            continue
        columns = {"verdict": judged.color, "reason": judged.sentence, "facts": json.dumps(dict(judged.facts))}
        made |= {column_of(kind, method.name): kept for kind, kept in columns.items()}
    return made


def _by_word(attribution: Attribution) -> tuple[list[float | None], list[float | None], float]:
    """Return the scores and the errors of all words, None where a word has no score, and the sum outside words."""
    first = {unit[0]: number for number, unit in enumerate(attribution.units)}
    places = [first.get(unit[0]) for unit in attribution.tokens.word_units()]
    inside = {place for place in places if place is not None}
    outside = [number for number in range(len(attribution.units)) if number not in inside]
    errors = np.zeros(len(attribution.units)) if attribution.error is None else attribution.error
    return (
        _at(attribution.scores.tolist(), places),
        _at(errors.tolist(), places),
        float(attribution.scores[outside].sum()),
    )


def _at(numbers: Sequence[float], places: Iterable[int | None]) -> list[float | None]:
    return [None if place is None else numbers[place] for place in places]


def _phrases(model: TextModel, plan: RunPlan, subject: ExplainedText) -> Row:
    assert plan.phrases is not None
    try:
        ranked = KeyPhrases.of(plan.phrases).run(model, subject).phrases
    except (ExplainError, ValueError) as error:
        return {column_of("failed", "phrases"): str(error)}
    texts = [phrase.text for phrase in ranked] if plan.texts else None
    return {"phrases": texts, "phrase_scores": [float(phrase.score) for phrase in ranked]}
