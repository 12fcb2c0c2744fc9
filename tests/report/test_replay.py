import dataclasses
import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

import explain
from explain.core.errors import RecordError
from explain.datatypes import Report
from explain.models.base import TextModel
from explain.models.loading.catalogue import load_model
from explain.models.transformer import EncoderModel
from explain.report.comparison import compare, compare_scores
from explain.report.migration import migrated
from explain.report.record import from_json, from_record, read, to_json, to_record
from explain.report.replay import replay
from explain.report.schema import json_schema
from explain.testing import TOY_MODELS, texts_for
from explain.text.phrases import PhraseSettings
from explain.views.document import document

TEXT = "The film isn't good <b>, but its top-notch cast saves it! 😀"
SCHEMA = Path(explain.__file__).parent / "report.schema.json"


@pytest.fixture(scope="module")
def report(sentiment: TextModel) -> Report:
    return explain.explain(TEXT, sentiment)


def test_round_trip_keeps_every_number(report: Report) -> None:
    again = from_json(to_json(report))
    assert to_record(again) == to_record(report)
    assert compare(report, again).largest == 0
    assert again.attribution("occlusion").tokens.word_units() == report.prediction.tokens.word_units()


def test_the_names_are_those_of_the_types(report: Report) -> None:
    record = to_record(report)
    assert record["schema"] == "explain-report-2"
    assert {"method", "scores", "output", "baseline_output"} <= set(record["attributions"][0])
    assert "tokens" not in record["attributions"][0]
    assert record["phrases"][0]["text"] and len(record["model"]["weight_sha256"]) == 64


def test_the_published_schema_is_that_of_the_types_and_reports_fit_it(report: Report) -> None:
    assert json.loads(SCHEMA.read_text()) == json_schema(), "run `make golden` and read the difference"
    jsonschema.Draft202012Validator.check_schema(json_schema())
    jsonschema.validate(json.loads(to_json(report)), json_schema())
    for other in TOY_MODELS.values():
        text, *second = texts_for(other)["plain"]
        pair = next(iter(second), None if other.pair == "never" else "of texts")
        jsonschema.validate(to_record(explain.explain(text, other, text_pair=pair)), json_schema())


def test_a_replay_finds_the_same_numbers(report: Report, sentiment: TextModel) -> None:
    difference = replay(from_json(to_json(report)))
    assert difference.within(1e-4) and difference.compared > 30
    assert replay(report, sentiment).largest == difference.largest


def test_a_changed_record_is_found_out(report: Report) -> None:
    record = to_record(report)
    record["attributions"][0]["scores"][4] += 0.01
    difference = replay(from_record(record))
    assert difference.largest == pytest.approx(0.01, rel=0.05) and not difference.within(1e-3)
    assert difference.where == "attributions[0].scores[4]"
    record = to_record(report)
    record["phrases"][0]["necessary"] = not record["phrases"][0]["necessary"]
    assert not replay(from_record(record)).within(1e9)


def test_scores_alone_are_compared_whatever_the_model_and_the_rest(report: Report) -> None:
    model = dataclasses.replace(report.model, weight_sha256="0" * 64)
    other = dataclasses.replace(
        report, model=model, answers=(), edges=(), metrics=(), phrases=(), attributions=report.attributions[1:]
    )
    assert not compare(report, other).same
    same = compare_scores(report, other)
    assert same.within(0.0) and same.compared > 5
    (first, *rest) = other.attributions
    moved = dataclasses.replace(other, attributions=(*rest, dataclasses.replace(first, scores=first.scores + 0.5)))
    different = compare_scores(report, moved)
    assert different.same and different.largest == pytest.approx(0.5) and ".scores" in different.where
    assert not compare_scores(
        report, dataclasses.replace(moved, target=dataclasses.replace(moved.target, label="another"))
    ).same


def change(record: dict, path: str, value: object) -> dict:
    *way, last = path.split("/")
    place = record
    for step in way:
        place = place[int(step) if step.isdecimal() else step]
    place[int(last) if last.isdecimal() else last] = value
    return record


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("prediction/confidence", 0.123),
        ("prediction/outputs/0/probabilities/0/0", 0.123),
        ("prediction/encodings/0/pieces/2", "other"),
        ("prediction/temperature", 9.0),
        ("phrases/0/interaction", 77.0),
        ("phrases/0/text", "other"),
        ("phrases/0/sufficient", True),
        ("phrases/0/necessary", None),
        ("empty_text/label", "other"),
        ("empty_text/confidence", 0.123),
        ("empty_text/value", 9.0),
        ("empty_text/same_decision", None),
        ("edges/0/weight", 0.999),
        ("attributions/0/diagnostics/converged", False),
        ("attributions/0/diagnostics/points", 7),
        ("attributions/0/params/tolerance", 0.05),
        ("attributions/1/units/0", [0]),
        ("attributions/1/signed", False),
    ],
)
def test_whatever_is_changed_is_found_out(report: Report, path: str, value: object) -> None:
    record = change(json.loads(to_json(report)), path, value)
    assert not compare(from_record(record), report).within(1e-3)


def test_a_rationale_is_kept_and_its_figures_computed_again(report: Report, sentiment: TextModel) -> None:
    marked = dataclasses.replace(report, rationale=explain.plausibility(report, ["isn't", "top-notch", "saves"]))
    jsonschema.validate(json.loads(to_json(marked)), json_schema())
    again = from_json(to_json(marked))
    assert again.rationale == marked.rationale and len(again.rationale.figures) == 3
    assert replay(again, sentiment).within(1e-4)
    for path, value in (
        ("figures/0/f1", 0.99),
        ("spans/0/1", 7),
        ("chance/auprc", 0.5),
        ("words/0", 3),
        ("out_of", 99),
    ):
        record = change(json.loads(to_json(marked)), f"rationale/{path}", value)
        assert not compare(from_record(record), marked).within(1e-3), path


def test_reports_from_before_there_were_rationales(report: Report) -> None:
    record = to_record(report)
    del record["rationale"]
    jsonschema.validate(record, json_schema())
    assert from_record(record).rationale is None
    assert compare(from_record(record), report).within(0)


def test_reports_from_before_the_empty_text_replay(sentiment: TextModel) -> None:
    old_phrases = PhraseSettings(parts=False, function_words=False, least_share=0.0)
    text = "A poignant, artfully crafted meditation on mortality."
    report = explain.explain(text, sentiment, phrases=old_phrases)
    assert explain.explain(text, sentiment).phrases != report.phrases  # borders, parts and the tenth are new
    record = json.loads(to_json(report))
    del record["empty_text"]
    for name in ("parts", "function_words", "least_share"):
        del record["phrase_settings"][name]
    for phrase in record["phrases"]:  # what was said then of every phrase that keeps the label, for or against it
        phrase["sufficient"] = True
        del phrase["part_of"]
    jsonschema.validate(record, json_schema())
    assert from_record(record).empty_text is None
    assert replay(from_record(record), sentiment).within(1e-4)
    assert not compare(from_record(change(record, "phrases/0/score", 9.0)), report).within(1e-3)


def test_integrated_gradients_of_before_the_gauss_rule_replay_by_their_own() -> None:
    """Records of version 1 have no rule: their points are nested, and their scores have no error."""
    model, name = TOY_MODELS["curved"], "integrated_gradients"
    nested = {name: {"rule": "nested", "max_points": 129}}
    report = explain.explain(TEXT, model, methods=[name], settings=nested, phrases=False)
    assert explain.explain(TEXT, model, methods=[name], phrases=False).attribution(name).error is not None
    record = json.loads(to_json(report))
    record["arithmetic"][name] = 1
    del record["attributions"][0]["params"]["rule"], record["attributions"][0]["params"]["word_tolerance"]
    jsonschema.validate(record, json_schema())
    old = from_record(record)
    assert old.attributions[0].params["rule"] == "nested" and old.attributions[0].error is None
    difference = replay(old, model)
    assert difference.within(1e-6) and "version 1" in difference.arithmetic[0]
    about = {"method": {"name": name, "settings": {"emptied": "auto", "max_points": 129}}}
    answer = {"analysis": "parameter_randomization", "settings": about, "result": {"params": {"max_points": 129}}}
    (whole,) = migrated({"schema": record["schema"], "answers": [answer]})["answers"]
    assert whole["settings"]["method"]["settings"]["rule"] == whole["result"]["params"]["rule"] == "nested"


def test_texts_keep_their_names_and_older_reports_do_without() -> None:
    model = load_model("entailment")
    new = explain.explain("A man sleeps.", model, text_pair="Nobody sleeps.", methods=["occlusion"], phrases=False)
    record = json.loads(to_json(new))
    assert from_record(record).prediction.tokens.text_names == ("Premise", "Hypothesis")
    del record["prediction"]["encodings"][0]["text_names"]
    jsonschema.validate(record, json_schema())
    old = from_record(record)
    assert compare(old, new).within(0) and replay(old, model).within(1e-4)
    for report, drawn, other in ((new, "Hypothesis", "second text"), (old, "second text", "Hypothesis")):
        page = document(report, {"occlusion": ("", "", "")}, model.observe(report.prediction.tokens).maps)
        # The head, the heatmap, the graph, and three words of the waterfall.
        assert page.count(f'"{drawn}"') == 6 and f'"{other}"' not in page


def test_a_target_of_the_first_schema_keeps_its_protected_tokens() -> None:
    """Earlier records call them `held`; the word that is read stays whole when they replay."""
    model = TOY_MODELS["tagging"]
    report = explain.explain("Marie Curie was born there.", model, methods=("occlusion",), phrases=False, position=1)
    assert len(report.target.protected) > 1
    record = json.loads(to_json(report))
    first = record | {"schema": "explain-report-1", "target": dict(record["target"])}
    first["target"]["held"] = first["target"].pop("protected")
    earlier = from_record(first)
    assert earlier.target == report.target
    assert replay(earlier, model).within(1e-6)
    with pytest.warns(DeprecationWarning, match="Target.protected"):
        assert earlier.target.held == report.target.protected


@pytest.mark.parametrize("value", [7, {"words": [1]}, {"words": [], "spans": [], "out_of": 3}])
def test_what_is_no_rationale(report: Report, value: object) -> None:
    with pytest.raises(RecordError, match="can't be read"):
        from_record(to_record(report) | {"rationale": value})


def test_a_number_that_is_none_is_never_equal(report: Report) -> None:
    first, *others = report.phrases
    changed = dataclasses.replace(report, phrases=(dataclasses.replace(first, score=float("nan")), *others))
    assert not compare(changed, report).within(1e9)


def test_a_record_does_not_decide_what_is_fetched(report: Report) -> None:
    record = change(json.loads(to_json(report)), "model/id", "someone/some-model")
    with pytest.raises(RecordError, match="Give the model with --model"):
        replay(from_record(record))


def test_other_settings_are_refused(report: Report, sentiment: TextModel) -> None:
    record = change(json.loads(to_json(report)), "model/settings_sha256", "0" * 64)
    with pytest.raises(RecordError, match="configuration, labels or vocabulary"):
        replay(from_record(record), sentiment)


def test_other_tokenizer_files_are_refused(report: Report, sentiment: TextModel) -> None:
    record = change(json.loads(to_json(report)), "model/files_sha256", "0" * 64)
    with pytest.raises(RecordError, match="tokenizer files"):
        replay(from_record(record), sentiment)


@pytest.mark.parametrize("field", ["weight_sha256", "settings_sha256"])
def test_a_record_without_its_first_hashes_is_refused(report: Report, sentiment: TextModel, field: str) -> None:
    record = change(json.loads(to_json(report)), f"model/{field}", "")
    with pytest.raises(RecordError, match="not those of the record"):
        replay(from_record(record), sentiment)


def test_a_record_of_before_files_were_hashed_replays(report: Report, sentiment: TextModel) -> None:
    record = json.loads(to_json(report))
    assert len(record["model"].pop("files_sha256")) == 64
    old = from_record(record)
    assert old.model.files_sha256 == "" and replay(old, sentiment).within(1e-4)


@pytest.mark.parametrize(
    ("path", "value"), [("model/weight_sha256", None), ("model/id", 7), ("seed", "x"), ("text", 1)]
)
def test_wrong_types_are_no_report(report: Report, path: str, value: object) -> None:
    with pytest.raises(RecordError, match="can't be read"):
        from_record(change(json.loads(to_json(report)), path, value))


def test_deep_nesting_is_no_report() -> None:
    with pytest.raises(RecordError):
        from_json("[" * 100_000)


def test_other_weights_are_refused(report: Report, tiny_bert: EncoderModel) -> None:
    with pytest.raises(RecordError, match="not those of the record"):
        replay(report, tiny_bert)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("", "no JSON"),
        ("[1]", "no report of schema"),
        ('{"schema": "other"}', "it says 'other'"),
        ('{"schema": "explain-report-1"}', "can't be read"),
    ],
)
def test_what_is_no_report(document: str, message: str) -> None:
    with pytest.raises(RecordError, match=message):
        from_json(document)


@pytest.mark.parametrize("field", ["target", "prediction", "attributions", "model"])
def test_reports_with_a_field_missing_or_wrong(report: Report, field: str) -> None:
    record = to_record(report)
    for wrong in ({k: v for k, v in record.items() if k != field}, record | {field: 7}, record | {field: [{"x": 1}]}):
        with pytest.raises(RecordError):
            from_record(wrong)


def test_files(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="can't be read: No such file"):
        read(tmp_path / "none.json")
    with pytest.raises(RecordError, match="no file can have that name"):
        read("a\0b")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe")
    with pytest.raises(RecordError, match="not UTF-8"):
        read(tmp_path / "binary.json")


def test_contrast_and_settings_come_back(tiny_bert: EncoderModel) -> None:
    labels = tiny_bert.head.labels
    one = explain.explain(
        "good film", tiny_bert, label=labels[0], against=labels[1], settings={"occlusion": {"operator": "delete"}}
    )
    difference = replay(from_json(to_json(one)), tiny_bert)
    assert difference.within(1e-5)
    assert np.isfinite(difference.largest)


def test_what_explanations_were_put_to_is_computed_again(sentiment: TextModel) -> None:
    tested = explain.explain("The film isn't good, but I left smiling.", sentiment, methods=["occlusion"], tests=True)
    assert tested.test_settings["orders"] == 40 and {one.metric for one in tested.metrics} >= {"deletion", "insertion"}
    record = json.loads(to_json(tested))
    assert replay(from_record(record), sentiment).within(1e-4)
    record["metrics"][0]["value"] += 0.01
    found = replay(from_record(record), sentiment)
    assert found.largest == pytest.approx(0.01, abs=1e-4) and found.where == "metrics[0].value"
    settings = record["test_settings"]
    for broken in (
        {"orders": 40},
        {"orders": "many", "seed": 0, "metrics": {}},
        {"orders": 40, "seed": 0, "metrics": 1},
        {"orders": 40, "seed": 0, "metrics": {"deletion": 1}},
        {"orders": 40, "seed": 0, "metrics": {"luck": {}}},
        {"orders": 40, "seed": 0, "metrics": {"deletion": {"scale": "parsec"}}},
        settings | {"seed": -1},
        settings | {"seed": float("nan")},
        settings | {"orders": 10**400},
        settings | {"orders": True},
    ):
        with pytest.raises(RecordError, match="can't be read: test_settings"):
            from_record(record | {"test_settings": broken})
