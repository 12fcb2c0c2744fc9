"""Records from strangers: what is read can be written, drawn and replayed, and all else is told in words."""

import dataclasses
import json
from itertools import islice
from typing import Any

import pytest

import explain
from explain.core.errors import ExplainError, RecordError
from explain.datatypes import Report
from explain.methods.base import METHODS
from explain.models.base import TextModel
from explain.report.comparison import compare
from explain.report.record import from_json, from_record, to_json
from explain.report.replay import replay
from explain.testing import TOY_MODELS, texts_for
from explain.views.document import document
from explain.views.scores_table import matrix_to_csv, to_csv, to_text
from tests.mutations import LITERALS, Mutations

ABOUT = {name: (METHODS[name].title, METHODS[name].meaning, METHODS[name].limits) for name in METHODS}
# Of each task one, with few tokens, so that a change is likely to meet what matters.
TEXTS: dict[str, tuple[str, ...]] = {
    "planted": ("Not so good, zebra!",),
    "masked": ("The [MASK] zebra",),
    "judging": ("Is it so?", "zebra, sport"),
    "tagging": ("Ada met zebra.",),
    "answer": ("Is it so?", "The film saves the zebra!"),
    "near": ("so it is", "is it so?"),
}


def report_of(name: str) -> Report:
    model = TOY_MODELS[name]
    text, *pair = TEXTS[name]
    methods = ["occlusion", "integrated_gradients", "shapley_values", "attention_rollout"]
    offered = [method for method in methods if METHODS[method].requires <= model.capabilities]
    tested = name == "planted"
    report = explain.explain(text, model, methods=offered, text_pair=next(iter(pair), None), tests=tested)
    if tested:
        report = dataclasses.replace(report, rationale=explain.plausibility(report, ["zebra"]))
    return report


@pytest.fixture(scope="module")
def records() -> dict[str, Any]:
    return {name: json.loads(to_json(report_of(name))) for name in TEXTS}


def use(written: str) -> Report | None:
    """Read a document, and do all that is done with a report; None where it is refused."""
    try:
        report = from_json(written)
    except RecordError as error:
        assert len(str(error)) < 1000 and str(error).isprintable()
        return None
    again = to_json(report)
    assert to_json(from_json(again)) == again
    assert compare(report, report).within(0)
    drawn = [document(report, ABOUT, record=again), to_csv(report), to_text(report)]
    if report.similarity is not None:
        drawn.append(matrix_to_csv(report.similarity))
    for text in drawn:
        text.encode("utf-8")
    return report


def survives(written: str, model: TextModel, *, replayed: bool) -> bool:
    """Whether a changed record is read; one that is, is used, and replayed if asked for."""
    try:
        report = use(written)
        if report is not None and replayed:
            replay(report, model)
    except ExplainError:
        return True
    except Exception as error:
        raise AssertionError(f"{type(error).__name__}: {error}\n{written}") from error
    return report is not None


@pytest.mark.parametrize("name", TEXTS)
def test_a_record_that_nobody_changed_is_used(records: dict[str, Any], name: str) -> None:
    report = use(json.dumps(records[name]))
    assert report is not None and replay(report, TOY_MODELS[name]).within(1e-6)


@pytest.mark.parametrize("name", TEXTS)
def test_whatever_is_changed_ends_in_words_or_in_a_report(records: dict[str, Any], name: str) -> None:
    documents = islice(Mutations(records[name], name), 150)
    read = sum(
        survives(written, TOY_MODELS[name], replayed=number % 3 == 0) for number, written in enumerate(documents)
    )
    assert 10 < read < 140  # both happen: neither check is idle


@pytest.mark.parametrize("literal", LITERALS)
@pytest.mark.parametrize("field", ["seed", "created", "prediction", "phrases", "phrase_settings", "test_settings"])
def test_numbers_without_measure_and_endless_lists(records: dict[str, Any], field: str, literal: str) -> None:
    written = json.dumps(records["planted"] | {field: "HERE"}).replace('"HERE"', literal)
    with pytest.raises(RecordError, match=r"can't be read|is no JSON"):
        from_json(written)


def changed(record: Any, path: str, value: Any) -> Any:
    """A copy of a record with another value at a place."""
    copied = json.loads(json.dumps(record))
    *way, last = [int(step) if step.isdecimal() else step for step in path.split("/")]
    holder = copied
    for step in way:
        holder = holder[step]
    holder[last] = value
    return copied


FIELDS: list[tuple[str, Any, str]] = [
    ("seed", "0", "seed: it is '0'; expected a whole number"),
    ("seed", 1.0, "seed: it is 1.0; expected a whole number"),
    ("seed", True, "seed: it is True; expected a whole number"),
    ("seed", 2**63, "seed: it is a number of very many digits"),
    ("text", "\ud800", "text: it holds half a character"),
    ("versions", {"python": 3}, r"versions.'python': it is 3; expected text"),
    ("text_pair", 7, "text_pair: it is 7; expected text"),
    ("surplus", 7, "the report: it has no field 'surplus'"),
    ("attributions", {}, "attributions: it is an object; expected a list"),
    ("attributions/0/scores", "1.5", r"attributions\[0\]\.scores: it is '1.5'; expected a number"),
    ("attributions/0/scores/0", "1.5", r"attributions\[0\]\.scores: it is '1.5'; expected a number"),
    ("attributions/0/scores/0", True, "it is True; expected a number"),
    ("attributions/0/scores/0", float("inf"), "expected a number that can be reckoned with"),
    ("attributions/0/scores/0", [1.0], r"attributions\[0\]\.scores is no array: its lines differ in length"),
    ("attributions/0/scores", [1.0], r"attributions\[0\]: Attribution.scores has shape \(1,\)"),
    ("attributions/0/signed", 1, r"attributions\[0\]\.signed: it is 1; expected true or false"),
    ("attributions/0/tokens", {}, "it has no field 'tokens'"),
    ("attributions/0/units/0", [], "a unit without tokens"),
    ("attributions/0/units/0", [999], "names tokens the text does not have"),
    ("attributions/0/units/0", [3], "a token is in two units"),
    ("attributions/0/scale", "value", "another scale than the target's"),
    ("attributions/0/seconds", -1, "a count below zero"),
    ("attributions/0/diagnostics/operator", 7, r"diagnostics.operator: it is 7; expected text"),
    ("attributions/0/params/window", 10**9, r"attributions\[0\]\.params: Occlusion: window is 1000000000; expected 2"),
    ("attributions/0/params/surplus", 1, r"attributions\[0\]\.params: There is no setting of Occlusion 'surplus'"),
    ("phrase_settings/most_words", "90", r"phrase_settings: most_words is '90'; expected 10 to 1000"),
    ("phrases/0/score", float("nan"), "it holds NaN, which is no number|can be reckoned with"),
    ("phrases/0/words", [2, 2], r"phrases\[0\]\.words: a range that is not there"),
    ("phrases/0/words", [0, 1, 2], "it has 3 entries; expected 2"),
    ("phrases/0/span", [0, 999], "characters that the text does not have"),
    ("phrases/0/segment", 1, "no such text"),
    ("phrases/0/rank", 0, "ranks begin at 1"),
    ("target/index", 2, r"target.index: an index that is not there"),
    ("target/positions", [99], r"target.positions: an index that is not there"),
    ("prediction/confidence", 1.5, "a probability is between 0 and 1"),
    ("prediction/temperature", 0, "it is above zero"),
    ("prediction/window", [1, 1], "no such window"),
    ("prediction/labels", ["nobody's"], "a label that the output does not have"),
    ("prediction/encodings/0/spans/1", [3, 1], "characters that the text does not have"),
    ("prediction/encodings/0/spans/1", [0, 999], "characters that the text does not have"),
    ("prediction/encodings/0/segment/1", 1, "no such text"),
    ("prediction/encodings/0/words/0", [2, 1], "words are ranges of tokens"),
    ("prediction/encodings/0/heads/0", 0, "a word's own first piece stands in the word"),
    ("prediction/encodings/0/truncated_at", [99], "a character that is not there"),
    ("prediction/encodings/0/special/0", 1, "it is 1; expected true or false"),
    ("prediction/encodings/0/ids/0", 1.5, "it is 1.5; expected a whole number"),
    ("prediction/outputs/0/probabilities/0/0", 2.0, "a probability is between 0 and 1"),
    ("prediction/outputs/0/labels", [], r"shape|there are none"),
    ("prediction/outputs/0/every_logit", [[1.0]], "it has no field 'every_logit'"),
    ("edges/0/to", 99, r"edges\[0\]: it names a token or a layer that is not there"),
    ("edges/0/weight", "1", r"edges\[0\]\.weight: it is '1'; expected a number"),
    ("model/layers", -1, "a count below zero"),
    ("rationale/words", [99], "rationale.words: an index that is not there"),
    ("rationale/spans", [[0, 5, 2]], "characters that the text does not have"),
    ("metrics/0/value", None, r"metrics\[0\]\.value: it is None; expected a number"),
    ("metrics/0/details", {"a": [float("inf")]}, "can be reckoned with|is no number"),
]


@pytest.mark.parametrize(("path", "value", "message"), FIELDS)
def test_a_field_that_does_not_fit_is_named(records: dict[str, Any], path: str, value: Any, message: str) -> None:
    with pytest.raises(RecordError, match=message):
        from_record(changed(records["planted"], path, value))


@pytest.mark.parametrize("name", TEXTS)
def test_fields_that_are_missing(records: dict[str, Any], name: str) -> None:
    for field in ("prediction", "target", "attributions", "text", "seed", "versions"):
        record = {key: value for key, value in records[name].items() if key != field}
        with pytest.raises(RecordError, match=f"it lacks '{field}'|{field}: it is None"):
            from_record(record)


def test_a_method_that_is_not_installed_is_read_and_drawn(records: dict[str, Any]) -> None:
    record = changed(records["planted"], "attributions/0/method", "someones_own")
    report = use(json.dumps(changed(record, "attributions/0/params", {"anything": [1, None]})))
    assert report is not None and "someones_own" in document(report, ABOUT)
    with pytest.raises(ExplainError, match="There is no method 'someones_own'"):
        replay(report, TOY_MODELS["planted"])


@pytest.mark.parametrize("name", TOY_MODELS)
def test_reports_of_longer_texts_survive_too(name: str) -> None:
    text, *pair = texts_for(TOY_MODELS[name])["plain"]
    report = explain.explain(text, TOY_MODELS[name], text_pair=next(iter(pair), None), methods=["occlusion"])
    for written in islice(Mutations(json.loads(to_json(report)), name), 30):
        survives(written, TOY_MODELS[name], replayed=False)
