"""The record of a comparison: written, read, checked and replayed."""

import copy
import json
from itertools import islice
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import referencing

import explain
from explain.core.errors import ExplainError, RecordError
from explain.datatypes import Comparison
from explain.models.base import TextModel
from explain.models.loading.catalogue import load_model
from explain.report.comparison_record import comparison_to_json, comparison_to_record
from explain.report.replay import replay_comparison
from explain.report.schema import comparison_json_schema, json_schema
from explain.testing import TOY_MODELS, check_view
from explain.views.base import VIEWS
from explain.views.comparison_page import comparison_document
from explain.views.comparison_table import comparison_to_csv, comparison_to_text
from tests.mutations import Mutations
from tests.report.test_replay import change

SCHEMA = Path(explain.__file__).parent / "comparison.schema.json"


@pytest.fixture(scope="module")
def comparison(sentiment: TextModel) -> Comparison:
    methods = ("occlusion", "attention_rollout")
    return explain.compare("The film isn't <b>good.", "The film is a fine \U0001f600 mess.", sentiment, methods=methods)


@pytest.fixture(scope="module")
def record(comparison: Comparison) -> dict[str, Any]:
    return json.loads(comparison_to_json(comparison))


def read(record: dict[str, Any]) -> Comparison:
    return explain.comparison_from_json(json.dumps(record))


def test_a_record_is_read_as_it_was_written(comparison: Comparison, record: dict[str, Any]) -> None:
    again = read(record)
    assert comparison_to_record(again) == comparison_to_record(comparison) == record
    assert again.rows == comparison.rows and again.answers == comparison.answers
    assert None in record["scores"][0]["differences"] and record["rows"][-2]["word_a"] is None
    assert record["report_a"]["schema"] == "explain-report-2" and record["report_a"]["model"]["weight_sha256"]


def test_the_published_schema_is_that_of_the_types_and_records_fit_it(record: dict[str, Any]) -> None:
    schema = comparison_json_schema()
    assert json.loads(SCHEMA.read_text()) == schema, "run `make golden` and read the difference"
    report = json_schema()
    registry = referencing.Registry().with_resource(report["$id"], referencing.Resource.from_contents(report))
    validator = jsonschema.Draft202012Validator(schema, registry=registry)
    validator.validate(record)
    for path, content in (("rows/0/word_a", 3), ("report_a/text", None), ("scores/0/agreement", [])):
        with pytest.raises(jsonschema.ValidationError):
            validator.validate(change(copy.deepcopy(record), path, content))


def test_a_comparison_replays(comparison: Comparison, sentiment: TextModel) -> None:
    difference = replay_comparison(explain.comparison_from_json(explain.to_json(comparison)))
    assert difference.within(1e-4) and difference.compared > 60
    assert replay_comparison(comparison, sentiment).within(1e-4)
    with pytest.raises(RecordError, match="made neither"):
        replay_comparison(comparison, load_model("topics"))


def test_two_models_replay_each_on_its_own() -> None:
    comparison = explain.compare("A late goal.", model=("sentiment", "topics"), methods=["occlusion"])
    assert replay_comparison(comparison).within(1e-4)
    assert replay_comparison(comparison, load_model("topics")).within(1e-4)


@pytest.mark.parametrize(
    ("path", "content", "where"),
    [
        ("scores/0/scores_a/1", 7.0, "scores[0].scores_a[1]"),
        ("scores/0/differences/1", None, "scores[0].differences[1]"),
        ("scores/0/agreement/spearman", 0.123, "scores[0].agreement.spearman"),
        ("scores/0/parting", [0], "scores[0].parting"),
        ("scores/0/temperatures/1", 1.0, "scores[0].temperatures[1]"),
        ("answers/value_b", 9.0, "answers.value_b"),
        ("rows/0/word_b", "Other", "rows[0].word_b"),
        ("differs", "models", "differs"),
        ("report_b/attributions/0/scores/2", 0.5, None),
        ("report_a/prediction/confidence", 0.123, "report_a.prediction.confidence"),
    ],
)
def test_whatever_is_changed_is_found_out(record: dict[str, Any], path: str, content: Any, where: str | None) -> None:
    difference = replay_comparison(read(change(copy.deepcopy(record), path, content)))
    assert not difference.within(1e-3)
    assert where is None or difference.where == where


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("schema", "explain-comparison-9", "no comparison of schema 'explain-comparison-1'; it says 'explain-comp"),
        ("schema", "explain-report-2", "no comparison"),
        ("report_a", None, "report_a: This is no report"),
        ("report_b/text", 3, "report_b: The report can't be read: text"),
        ("rows/0/words_a", [99], "name words that a report does not have"),
        ("rows/0/words_a", [], "has the text of its words"),
        ("rows/0", {"words_a": [], "words_b": [], "word_a": None, "word_b": None, "segment": 0}, "a word of A or of B"),
        ("scores/0/scores_b", [1.0], "scores_b has shape"),
        ("scores/0/parting", [99], "rows that are not there"),
        ("scores/0/temperatures", [0, 1], "above zero"),
        ("scores/0/temperatures", [1], "expected 2"),
        ("scores/0/differences/0", 1e300, "a number that can be reckoned with"),
        ("scores/0/scale", "metres", "which is no scale"),
        ("scores/0/errors/0", -1.0, "none below zero"),
        ("scores/0/method", "luck", "a method that a report does not have"),
        ("scores/0/extra", 1, "it has no field 'extra'"),
        ("answers/value_a", None, "answers.value_a"),
        ("differs", "nothing", "expected one of"),
        ("left_out", 3, "left_out"),
    ],
)
def test_a_record_that_does_not_fit_is_refused(record: dict[str, Any], path: str, content: Any, message: str) -> None:
    with pytest.raises(RecordError, match=message.replace("[", r"\[")):
        read(change(copy.deepcopy(record), path, content))


def test_what_is_no_comparison_says_so() -> None:
    for document in ("[]", "3", "{", "[" * 100_000):
        with pytest.raises(RecordError):
            explain.comparison_from_json(document)


def use(written: str) -> bool:
    """Read a document, and do all that is done with a comparison; returns whether it was read."""
    try:
        comparison = explain.comparison_from_json(written)
    except RecordError as error:
        assert len(str(error)) < 1000 and str(error).isprintable()
        return False
    again = explain.to_json(comparison)
    assert explain.to_json(explain.comparison_from_json(again)) == again
    check_view(VIEWS["compare"], comparison)
    assert comparison_document(comparison, {}, record=again)
    assert comparison_to_csv(comparison) and comparison_to_text(comparison)
    try:
        replay_comparison(comparison, TOY_MODELS["planted"])
    except ExplainError as error:
        assert len(str(error)) < 2000
    return True


@pytest.mark.parametrize("part", ["reports", "what follows"])
def test_whatever_is_changed_ends_in_words_or_in_a_comparison(part: str) -> None:
    model = TOY_MODELS["planted"]
    comparison = explain.compare("Not so good!", "Not a zebra, no!", model, methods=["occlusion", "attention_rollout"])
    record = json.loads(explain.to_json(comparison))
    reports = {name: record.pop(name) | {"edges": []} for name in ("report_a", "report_b")}
    changed, rest = (reports, record) if part == "reports" else (record, reports)
    outcomes = [use(f"{written[:-1]}, {json.dumps(rest)[1:]}") for written in islice(Mutations(changed, part), 150)]
    assert 5 < sum(outcomes) < 145


def test_a_row_that_one_side_lacks_is_no_place_where_both_part(record: dict[str, Any]) -> None:
    missing = next(number for number, row in enumerate(record["rows"]) if row["word_a"] is None)
    with pytest.raises(RecordError, match="rows without two scores"):
        read(change(copy.deepcopy(record), "scores/0/parting", [missing]))
