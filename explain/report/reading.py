"""Reading a report from JSON values that anyone may have written.

`explain.datatypes.decoding` checks types. This module checks what types can't express: indices within their arrays,
probabilities between 0 and 1, settings within their ranges. A report that passes can be written, drawn and replayed.
"""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from explain.analyses.base import ANALYSES, make_analysis
from explain.core.errors import ExplainError, RecordError
from explain.core.settings import make
from explain.datatypes import (
    GRANULARITIES,
    Answer,
    Attribution,
    Output,
    PredictedSpan,
    Prediction,
    Report,
    SimilarityMatrix,
    Target,
    Tokens,
)
from explain.datatypes.decoding import decode, decode_object, expect, require
from explain.methods.base import METHODS
from explain.metrics.base import TrialSettings
from explain.text.phrases import PhraseSettings

# The types of diagnostics that views read.
_DIAGNOSTICS: dict[str, type] = {
    **dict.fromkeys(("points", "pairs"), int),
    **dict.fromkeys(("converged", "exact", "partial"), bool),
    **dict.fromkeys(("baseline", "reference", "operator"), str),
    **dict.fromkeys(
        ("gap_share", "disagreement", "mean_output", "share_on_special_tokens", "r_squared", "intercept"), float
    ),
}


def read_report(record: Mapping[str, Any]) -> Report:
    """Make a report from its record.

    Raises:
        RecordError: a field is missing, has another type, or does not fit the others; the message names it.
    """
    try:
        prediction: Prediction = decode(Prediction, record.get("prediction"), "prediction")
        target: Target = decode(Target, record.get("target"), "target")
        shared = {"tokens": prediction.tokens, "target": target}
        decoded = {"prediction": prediction, "target": target}
        if "answers" in record:
            decoded["answers"] = _answers(record["answers"], shared)
        report: Report = decode_object(Report, record, "", shared, decoded)
    except RecursionError as error:
        raise RecordError("The report can't be read: its lists are nested too deep.") from error
    check_report(report)
    return report


def _answers(records: Any, shared: Mapping[str, Any]) -> tuple[Answer, ...]:
    """Return the results of analyses, each of the type that its analysis returns."""
    expect(isinstance(records, list), "answers", records, "a list")
    answers = []
    for number, record in enumerate(records):
        place = f"answers[{number}]"
        expect(isinstance(record, dict), place, record, "an object")
        name = decode(str, record.get("analysis"), f"{place}.analysis")
        require(name in ANALYSES, f"{place}.analysis", f"there is no analysis {name!r} here")
        content = decode(ANALYSES[name].returns, record.get("result"), f"{place}.result", shared)
        answers.append(decode_object(Answer, record, place, {}, {"result": content}))
    return tuple(answers)


def check_report(report: Report) -> None:
    """Check that the parts of a report fit each other.

    Raises:
        RecordError: a part does not fit; the message names it.
    """
    prediction, tokens = report.prediction, report.prediction.tokens
    for number, encoding in enumerate(prediction.encodings):
        _check_tokens(encoding, f"prediction.encodings[{number}]")
    _check_prediction(prediction)
    _check_target(report.target, prediction)
    for number, attribution in enumerate(report.attributions):
        _check_attribution(attribution, report.target, f"attributions[{number}]")
    if report.similarity is not None:
        _check_similarity(report.similarity)
    words, texts = len(tokens.words), tokens.texts
    for number, phrase in enumerate(report.phrases):
        place = f"phrases[{number}]"
        _check_range(phrase.words, words, f"{place}.words")
        _check_stretch(texts, phrase.segment, phrase.span, f"{place}.span")
        require(phrase.rank > 0, f"{place}.rank", "ranks begin at 1")
    for number, edge in enumerate(report.edges):
        within = 0 <= edge.to < len(tokens) and 0 <= edge.source < len(tokens) and edge.layer >= 0
        require(within, f"edges[{number}]", "it names a token or a layer that is not there")
    if report.rationale is not None:
        rationale = report.rationale
        _check_indices(rationale.words, words, "rationale.words")
        for segment, start, stop in rationale.spans:
            _check_stretch(texts, segment, (start, stop), "rationale.spans")
    require(min(_counts(report)) >= 0, "model", "a count below zero")
    _check_settings(report)


def _counts(report: Report) -> Iterable[int]:
    model = report.model
    yield from (model.parameters, model.layers, model.heads, model.hidden, model.vocabulary)


def _check_tokens(tokens: Tokens, place: str) -> None:
    count, texts = len(tokens), tokens.texts
    require(count > 0, place, "it has no tokens")
    lengths = np.array([len(text) for text in texts])
    require(bool(((tokens.segment >= 0) & (tokens.segment < len(texts))).all()), f"{place}.segment", "no such text")
    starts, stops = tokens.spans.T
    inside = (starts >= 0) & (starts <= stops) & (stops <= lengths[tokens.segment])
    require(bool(inside.all()), f"{place}.spans", "characters that the text does not have")
    first, last = tokens.words.T
    ordered = (first >= 0) & (first < last) & (last <= count)
    apart = (first[1:] >= last[:-1]).all()
    require(bool(ordered.all() and apart), f"{place}.words", "words are ranges of tokens, one after the other")
    within = (first <= tokens.heads) & (tokens.heads < last)
    require(bool(within.all()), f"{place}.heads", "a word's own first piece stands in the word")
    for text, start, stop in zip(texts, tokens.begins_at, tokens.truncated_at):
        cut = len(text) if stop is None else stop
        require(0 <= start <= cut <= len(text), place, "it was read from, or to, a character that is not there")


def _check_prediction(prediction: Prediction) -> None:
    tokens = prediction.tokens
    for number, output in enumerate(prediction.outputs):
        _check_output(output, len(tokens), f"prediction.outputs[{number}]")
    labels = prediction.output.labels
    there = prediction.output.probabilities is not None and set(prediction.labels) <= set(labels)
    require(there or not prediction.labels, "prediction.labels", "a label that the output does not have")
    _check_share(prediction.confidence, "prediction.confidence")
    require(prediction.temperature is None or prediction.temperature > 0, "prediction.temperature", "it is above zero")
    for number, span in enumerate(prediction.spans):
        _check_span(span, tokens, f"prediction.spans[{number}]")
    require(0 <= prediction.window[0] < prediction.window[1], "prediction.window", "no such window")


def _check_output(output: Output, tokens: int, place: str) -> None:
    require(len(output.labels) > 0, f"{place}.labels", "there are none")
    _check_indices(output.positions, tokens, f"{place}.positions")
    require(len(set(output.positions)) == len(output.positions), f"{place}.positions", "a token is named twice")
    if output.listed_of is not None:
        require(output.listed_of >= len(output.labels), f"{place}.listed_of", "more are listed than there are")
        descending = bool((output.logits <= output.logits[:, :1]).all())
        require(descending, f"{place}.logits", "the likeliest of a list comes first")
    if output.probabilities is None:
        return
    _check_share(float(output.probabilities.min()), f"{place}.probabilities")
    _check_share(float(output.probabilities.max()), f"{place}.probabilities")
    listed = output.listed_of is not None
    require(len(output.labels) > 1 or listed or not output.exclusive, f"{place}.labels", "one label decides nothing")
    require(not listed or bool((output.probabilities[:, 0] > 0).all()), f"{place}.probabilities", "the likeliest is 0")


def _check_span(span: PredictedSpan, tokens: Tokens, place: str) -> None:
    _check_range(span.tokens, len(tokens), f"{place}.tokens")
    _check_stretch(tokens.texts, span.segment, span.characters, f"{place}.characters")
    _check_share(span.probability, f"{place}.probability")


def _check_target(target: Target, prediction: Prediction) -> None:
    count, output = len(prediction.tokens), prediction.output
    _check_indices(target.positions, count, "target.positions")
    _check_indices(target.protected, count, "target.protected")
    # Of a vocabulary, or of answers, only the likeliest are listed; an answer is named by its first token.
    columns = len(output.labels) if output.listed_of is None else max(output.listed_of, count)
    _check_indices([target.index], columns, "target.index")
    if target.against_index is not None:
        _check_indices([target.against_index], columns, "target.against_index")


def _check_attribution(attribution: Attribution, target: Target, place: str) -> None:
    tokens, units = attribution.tokens, attribution.units
    require(all(units), f"{place}.units", "a unit without tokens")
    windows = attribution.granularity == "window"
    members = [token for unit in units for token in unit]
    require(windows or len(set(members)) == len(members), f"{place}.units", "a token is in two units")
    in_words = not windows or bool((tokens.word_of[members] >= 0).all())
    require(in_words, f"{place}.units", "a window holds a token that is in no word")
    single = attribution.granularity != "token" or all(len(unit) == 1 for unit in units)
    require(single, f"{place}.units", "scores by token are of one token each")
    require(attribution.scale in (target.scale, "share"), f"{place}.scale", "another scale than the target's")
    require(attribution.error is None or bool((attribution.error >= 0).all()), f"{place}.error", "a width below zero")
    spent = attribution.passes
    counts = (spent.forward, spent.backward, spent.positions, attribution.seconds)
    require(min(counts) >= 0, f"{place}.passes", "a count below zero")
    _check_diagnostics(attribution.diagnostics, f"{place}.diagnostics")


def _check_similarity(matrix: SimilarityMatrix) -> None:
    for name, units in (("left", matrix.left), ("right", matrix.right)):
        require(bool(units) and all(units), f"similarity.{name}", "a unit without tokens")
        _check_indices([token for unit in units for token in unit], len(matrix.tokens), f"similarity.{name}")
    require(matrix.granularity in GRANULARITIES, "similarity.granularity", f"expected one of {GRANULARITIES}")
    _check_diagnostics(matrix.diagnostics, "similarity.diagnostics")


def _check_diagnostics(diagnostics: Mapping[str, Any], place: str) -> None:
    for name in diagnostics.keys() & _DIAGNOSTICS.keys():
        decode(_DIAGNOSTICS[name], diagnostics[name], f"{place}.{name}")


def _check_range(range_: tuple[int, int], count: int, place: str) -> None:
    require(0 <= range_[0] < range_[1] <= count, place, "a range that is not there")


def _check_stretch(texts: Sequence[str], segment: int, span: tuple[int, int], place: str) -> None:
    require(0 <= segment < len(texts), place, "no such text")
    require(0 <= span[0] <= span[1] <= len(texts[segment]), place, "characters that the text does not have")


def _check_indices(indices: Iterable[int], count: int, place: str) -> None:
    require(all(0 <= index < count for index in indices), place, "an index that is not there")


def _check_share(share: float | None, place: str) -> None:
    require(share is None or -1e-6 <= share <= 1 + 1e-6, place, "a probability is between 0 and 1")


def _check_settings(report: Report) -> None:
    """Check settings like the command line; of a method that is not installed here, only that they are JSON."""
    for number, attribution in enumerate(report.attributions):
        if attribution.method in METHODS:
            place = f"attributions[{number}].params"
            _check_made(place, functools.partial(make, METHODS[attribution.method], attribution.params))
    if report.phrase_settings:
        _check_made("phrase_settings", functools.partial(make, PhraseSettings, report.phrase_settings))
    for number, answer in enumerate(report.answers):
        _check_made(f"answers[{number}].settings", functools.partial(make_analysis, answer.analysis, answer.settings))
    if report.test_settings:
        _check_made("test_settings", functools.partial(TrialSettings.from_record, report.test_settings))


def _check_made(place: str, made: Callable[[], object]) -> None:
    try:
        made()
    except ExplainError as error:
        require(False, place, str(error))
