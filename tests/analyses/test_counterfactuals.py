"""Counterfactuals: what is accepted flips by anyone's reading, is minimal, and costs what is said."""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

import explain
from explain.analyses.counterfactuals import Counterfactuals
from explain.core.errors import Cancelled, ExplainError, ModelError, RecordError, SettingError, TargetError
from explain.core.meter import Meter
from explain.core.settings import settings_of
from explain.datatypes import Answer, CounterfactualList, Target, TextEdit
from explain.datatypes.counterfactuals import KINDS
from explain.models.base import TextModel
from explain.models.counterfactuals.candidates import CLIMB, Candidate, Candidates, passes_of_candidates
from explain.models.counterfactuals.edited_texts import BudgetMeter, EditedTexts
from explain.models.counterfactuals.masked_words import MaskedWords
from explain.models.counterfactuals.search import Limits, Search, Single
from explain.models.transformer import EncoderModel
from explain.report.record import from_json, to_json
from explain.report.replay import replay
from explain.testing import TOY_MODELS
from explain.text.edits import editable_places, edited_with_spans, replacement
from explain.views.counterfactual_lines import certificate, difference, to_text

TEXT = "The film isn't good, but its top-notch cast saves it."
LINEAR = TOY_MODELS["linear"]


@pytest.fixture(scope="module")
def search() -> CounterfactualList:
    return explain.counterfactuals(TEXT, "sentiment", to=None)


def rendered(texts: tuple[str, ...], edits: tuple[TextEdit, ...]) -> tuple[str, ...]:
    return tuple(
        edited_with_spans(text, [edit for edit in edits if edit.segment == number])[0]
        for number, text in enumerate(texts)
    )


def margin_of(model: TextModel, texts: tuple[str, ...], label: str) -> float:
    """The calibrated log-odds of a label, from the logits that the model serves."""
    prediction = model.predict(model.encode(*texts))
    logits = prediction.output.logits[0].astype(float)
    index = prediction.output.labels.index(label)
    others = np.delete(logits, index)
    return float((logits[index] - np.logaddexp.reduce(others)) / (model.head.temperature or 1.0))


def test_every_result_flips_from_its_rendered_text(search: CounterfactualList, sentiment: TextModel) -> None:
    assert search.counterfactuals and {kind for part in search.counterfactuals for kind in part.kinds} == set(KINDS)
    assert margin_of(sentiment, search.texts, search.to) == pytest.approx(search.margin, abs=1e-4)
    for part in search.counterfactuals:
        assert part.texts == rendered(search.texts, part.edits) and part.text == part.texts[0]
        prediction = sentiment.predict(sentiment.encode(*part.texts))
        assert (prediction.label, part.label) == (search.to, search.to) and search.label != search.to
        assert part.probability == pytest.approx(prediction.confidence)
        assert margin_of(sentiment, part.texts, search.to) == pytest.approx(part.margin, abs=1e-4)
        assert part.margin >= search.least == 1.0
        assert part.path[0] == pytest.approx(search.margin, abs=1e-4)
        assert part.path[-1] == pytest.approx(part.margin, abs=1e-4)
        assert part.words_changed == pytest.approx(len(part.edits) / 12)  # punctuation marks are words


@pytest.mark.usefixtures("tiny_fillers")
def test_transformers_alone_decides_the_same(tiny_folder_of: Callable[..., Path]) -> None:
    folder = tiny_folder_of("bert")
    search = explain.counterfactuals("a good film, it saves the day", str(folder), budget=400)
    assert search.counterfactuals
    tokenizer = AutoTokenizer.from_pretrained(folder)
    module = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    for part in search.counterfactuals:
        with torch.inference_mode():
            logits = module(**tokenizer(part.text, return_tensors="pt")).logits[0]
        assert module.config.id2label[int(logits.argmax())] == search.to


def by_force(model: TextModel, search: CounterfactualList, number: int) -> list[float]:
    """The margins of all smaller sets of a result's edits."""
    edits = search.counterfactuals[number].edits
    smaller = [part for size in range(len(edits)) for part in combinations(edits, size)]
    return [margin_of(model, rendered(search.texts, part), search.to) for part in smaller]


@pytest.mark.usefixtures("tiny_fillers")
@pytest.mark.parametrize("name", ["linear", "curved"])
def test_no_smaller_set_flips_by_brute_force(name: str) -> None:
    model, sizes = TOY_MODELS[name], set()
    for text in ("a good film it is", "the cast saves it and the plot does not", "zebra film so good", TEXT):
        search = explain.counterfactuals(text, model, budget=500, margin=2.0)
        for number, part in enumerate(search.counterfactuals):
            margins = by_force(model, search, number)
            assert part.least_margin == pytest.approx(max(margins), abs=1e-4)
            if "fewest_edits" in part.kinds:
                assert part.certified and max(margins) < 2.0
                sizes.add(len(part.edits))
    assert sizes > {1}, "sets of several edits are tested, too"


@pytest.mark.usefixtures("tiny_fillers")
@pytest.mark.parametrize("margin", [3.0, 10.0])  # the second is never reached: every round is run
@pytest.mark.parametrize("text", [TEXT, "a [MASK] so good film it is " * 18, "zebra"])
@pytest.mark.parametrize("budget", [60, 90, 150, 300])
def test_the_budget_is_kept(budget: int, text: str, margin: float) -> None:
    meter = Meter()
    search = explain.counterfactuals(text, LINEAR, budget=budget, meter=meter, margin=margin)
    outside = 1  # the prediction that every plan begins with
    assert meter.spent.forward + meter.spent.backward - outside <= budget == search.budget
    assert search.passes.forward + search.passes.backward <= budget


@pytest.mark.parametrize("masks", [0, 5, 28])
@pytest.mark.parametrize("count", [1, 7, 8, 20])
def test_passes_of_fillers_are_foretold(masks: int, count: int, tiny: Callable[..., EncoderModel]) -> None:
    words, meter = MaskedWords(tiny("bert", "ForMaskedLM")), Meter()
    text = "[MASK] " * masks + "good " * 20
    begin = 7 * masks
    words.fillers(text, [(begin + 5 * number, begin + 5 * number + 4) for number in range(count)], meter)
    assert meter.spent.forward == words.filler_passes(text, count)


@pytest.mark.usefixtures("tiny_fillers")
def test_candidates_cost_at_most_what_is_foretold(tiny: Callable[..., EncoderModel]) -> None:
    tokens, meter = LINEAR.encode("a good film it is, and so good"), BudgetMeter(None)
    texts = EditedTexts(LINEAR, tokens, Target("text_classification", "positive", 1), True, meter, 999)
    places, words = editable_places(tokens, (0,)), MaskedWords(tiny("bert", "ForMaskedLM"))
    made = Candidates(texts, places, words, deletions=True)
    assert meter.spent.forward + meter.spent.backward <= passes_of_candidates(texts, places, words)
    edits = tuple(candidate.edit for candidate in made.best(99) if candidate.place == 1)[:1]
    spent = meter.spent.forward + meter.spent.backward
    further = made.after(edits, 5, CLIMB)
    assert meter.spent.forward + meter.spent.backward == spent + 2
    assert further and 1 not in {candidate.place for candidate in further}


def test_a_topic_that_is_said_often_is_changed_by_gradients_anew() -> None:
    text = "John Reed was a member of the Senate. He was elected senator as a Democrat and served in the House."
    search = explain.counterfactuals(text, explain.load_model("topics"))
    assert search.label == "Office holder" and len(search.counterfactuals[0].edits) > 1
    assert search.counterfactuals[0].label != search.label


@pytest.mark.parametrize("free", [0, 3])
def test_sets_that_were_run_are_accepted_when_the_budget_is_spent(free: int, tiny: Callable[..., EncoderModel]) -> None:
    tokens = LINEAR.encode("a good film it is")
    meter = BudgetMeter(None)
    texts = EditedTexts(LINEAR, tokens, Target("text_classification", "positive", 1), True, meter, 30)
    places = editable_places(tokens, (0,))
    search = Search(texts, places, MaskedWords(tiny("bert", "ForMaskedLM")), Limits(margin=-1e9))
    made = [Candidate(replacement(place, "zebra"), number, 0.0, 0.0, 0.0) for number, place in enumerate(places)]
    search._run_singles(made[:2], 2)
    meter.tick(forward=texts.free - free)
    assert texts.free == free
    assert {outcome.edits for outcome in search._flipping()} == {(candidate.edit,) for candidate in made[:2]}


@pytest.mark.usefixtures("tiny_fillers")
def test_the_meter_counts_and_stops_it() -> None:
    meter = Meter(limit=40)
    with pytest.raises(Cancelled):
        explain.counterfactuals(TEXT, LINEAR, meter=meter)


@pytest.mark.usefixtures("tiny_fillers")
def test_none_found_is_an_answer() -> None:
    search = explain.counterfactuals("a good film", TOY_MODELS["planted"], margin=10.0, budget=80)  # it reaches 4
    assert search.counterfactuals == () and search.best("fewest_edits") is None
    assert f"None found within {search.passes.forward + search.passes.backward} passes" in to_text(search)
    assert explain.counterfactuals("12 : 3", LINEAR).counterfactuals == ()


def test_a_label_is_named() -> None:
    model = explain.load_model("topics")
    text = "It is a small village in the north of Iran."
    search = explain.counterfactuals(text, model, to="company", budget=400)
    assert (search.label, search.to) == ("Village", "Company")
    assert search.counterfactuals and {part.label for part in search.counterfactuals} == {"Company"}
    with pytest.raises(TargetError, match="decides 'Village' already"):
        explain.counterfactuals(text, model, to="Village")
    with pytest.raises(TargetError, match="no label 'Villain'"):
        explain.counterfactuals(text, model, to="Villain")


def test_the_second_text_of_a_pair_is_edited() -> None:
    premise, hypothesis = "A man is sleeping on a sofa.", "A man is asleep."
    search = explain.counterfactuals(premise, "entailment", text_pair=hypothesis, to="contradiction")
    (first, *_) = search.counterfactuals
    assert search.label == "entailment" and first.label == "contradiction"
    assert first.texts[0] == premise and first.texts[1] == first.text != hypothesis
    assert {edit.segment for edit in first.edits} == {1}


def test_labels_that_are_decided_alone_come_and_go() -> None:
    model = explain.load_model("emotions")
    gone = explain.counterfactuals("Thank you so much, that helped!", model, budget=200)
    assert not gone.wanted and gone.to == "gratitude" and gone.margin < 0
    for part in gone.counterfactuals:
        assert gone.to not in model.predict(model.encode(part.text)).labels
    come = explain.counterfactuals("The meeting is at noon.", model, to="joy", budget=200)
    assert come.wanted and come.margin < 0
    for part in come.counterfactuals:
        assert "joy" in model.predict(model.encode(part.text)).labels
    assert gone.counterfactuals or come.counterfactuals


@pytest.mark.parametrize("name", ["near", "masked", "tagging", "answer", "judging"])
def test_models_that_decide_no_label_of_a_text_are_refused(name: str) -> None:
    model = TOY_MODELS[name]
    with pytest.raises(ModelError, match="decides no label"):
        model.require(Counterfactuals.requires)


@pytest.mark.usefixtures("tiny_fillers")
def test_settings_that_do_not_fit_say_so() -> None:
    with pytest.raises(SettingError, match="no second text"):
        explain.counterfactuals("a good film", LINEAR, edited="second")
    with pytest.raises(SettingError, match="budget"):
        explain.counterfactuals("a good film", LINEAR, budget=3)


@pytest.mark.usefixtures("tiny_fillers")
@pytest.mark.parametrize(
    "text",
    [
        "good </script><script>alert(1)</script> film",
        "‮good film\x07 [MASK] so 😍👍🏽 good",
        "הסרט הזה לא טוב",
        "good " * 60,
        "[CLS] [SEP] ##ing {x} %s",
    ],
)
def test_hostile_texts(text: str) -> None:
    search = explain.counterfactuals(text, LINEAR, budget=60)
    assert search.texts == (text,)
    for part in search.counterfactuals:
        assert part.texts == rendered(search.texts, part.edits)
    written = to_text(search)
    assert "\x07" not in written and "‮" not in written


def test_too_many_masks_are_an_error_that_says_so() -> None:
    with pytest.raises(ExplainError, match="at most 31"):
        explain.counterfactuals("[MASK] good " * 20 + "[MASK] " * 13, explain.load_model("sentiment"), budget=60)


@pytest.mark.parametrize("deletions", [False, True])
def test_words_are_deleted_only_when_asked_for(deletions: bool, tiny: Callable[..., EncoderModel]) -> None:
    tokens = LINEAR.encode("a good film it is")
    texts = EditedTexts(LINEAR, tokens, Target("text_classification", "positive", 1), True, BudgetMeter(None), 99)
    words = MaskedWords(tiny("bert", "ForMaskedLM"))
    made = Candidates(texts, editable_places(tokens, (0,)), words, deletions=deletions).best(5)
    assert ("delete" in {candidate.edit.operation for candidate in made}) is deletions


@pytest.mark.usefixtures("tiny_fillers")
@pytest.mark.parametrize("text", ["zebra", "a zebra", "zebra zebra zebra"])
def test_nothing_is_deleted_that_would_leave_no_text(text: str) -> None:
    search = explain.counterfactuals(text, TOY_MODELS["planted"], deletions=True, budget=100)
    assert all(part.text.strip() for part in search.counterfactuals)


@pytest.mark.usefixtures("tiny_fillers")
def test_a_record_is_read_and_replayed() -> None:
    model = LINEAR
    report = explain.explain(
        "a good film", model, methods=(), phrases=False, analyses=[Counterfactuals(budget=80, to=None)]
    )
    document = to_json(report)
    again = from_json(document)
    assert to_json(again) == document
    (answer,) = again.answers
    assert isinstance(answer.result, CounterfactualList) and answer.result == report.answers[0].result
    assert json.loads(document)["answers"][0]["result"]["texts"] == ["a good film"]
    difference_of = replay(again, model)
    assert difference_of.within(1e-6) and not difference_of.arithmetic


@pytest.mark.usefixtures("tiny_fillers")
@pytest.mark.parametrize(
    ("field", "content"),
    [("segment", 3), ("segment", -1), ("span", [0, 10**6]), ("span", [3, 1]), ("operation", "swap")],
)
def test_a_record_whose_edits_do_not_fit_is_refused(field: str, content: object) -> None:
    report = explain.explain("a good film", LINEAR, methods=(), phrases=False, analyses=[Counterfactuals(budget=80)])
    record = json.loads(to_json(report))
    record["answers"][0]["result"]["counterfactuals"][0]["edits"][0][field] = content
    with pytest.raises(RecordError):
        from_json(json.dumps(record))


@pytest.mark.usefixtures("tiny_fillers")
def test_the_command_prints_what_python_returns(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny_folder_of: Callable[..., Path]
) -> None:
    from explain.cli.main import main

    folder = str(tiny_folder_of("bert"))
    arguments = ["counterfactual", "a good film", "--model", folder, "--budget", "90", "--margin", "0.1"]
    assert main(arguments) == 0
    assert capsys.readouterr().out == to_text(explain.counterfactuals("a good film", folder, budget=90, margin=0.1))
    path = tmp_path / "report.json"
    assert main([*arguments, "--format", "json", "--out", str(path)]) == 0
    assert main(["replay", str(path)]) == 0
    for form in ("html", "csv"):
        assert main([*arguments, "--format", form]) == 0
        assert "a good film" in capsys.readouterr().out
    assert main(["counterfactual", "a good film", "--model", "similarity"]) == 2


def test_pieces_of_a_difference_make_up_both_texts(search: CounterfactualList) -> None:
    for part in search.counterfactuals:
        pieces = difference(search.texts[0], part.edits)
        assert "".join(text for kind, text in pieces if kind != "removed") == part.text
        before = "".join(text for kind, text in pieces if kind != "added")
        assert before.replace("  ", " ") == search.texts[0].replace("  ", " ") or any(
            edit.operation == "insert" for edit in part.edits
        )


@pytest.mark.parametrize(("budget", "untried"), [(9, True), (999, False)])
def test_where_the_budget_ends_before_edits_are_left_out_that_is_told(
    budget: int, untried: bool, tiny: Callable[..., EncoderModel]
) -> None:
    tokens = LINEAR.encode("a good film it is and so good a day")
    texts = EditedTexts(LINEAR, tokens, Target("text_classification", "positive", 1), True, BudgetMeter(None), budget)
    places = editable_places(tokens, (0,))
    search = Search(texts, places, MaskedWords(tiny("bert", "ForMaskedLM")), Limits(margin=-1e9))
    made = [Candidate(replacement(place, "zebra"), number, 0.0, 0.0, 0.0) for number, place in enumerate(places)]
    search._single_of = {(candidate.edit,): Single(candidate, 0.0, 0.0) for candidate in made}
    for count in (6, 4):  # above five edits they are left out one at a time
        outcome = search._pruned(tuple(candidate.edit for candidate in made[:count]), lambda edits: True)
        assert outcome.untried is untried and outcome.certified is not untried
        assert len(outcome.edits) == (count if untried else 1)


def test_records_without_the_new_field_are_read(search: CounterfactualList) -> None:
    report = explain.explain(TEXT, LINEAR, methods=(), phrases=False)
    record = json.loads(to_json(replace(report, answers=(Answer("counterfactuals", {}, search),))))
    for part in record["answers"][0]["result"]["counterfactuals"]:
        assert part.pop("untried") is False
    (answer,) = from_json(json.dumps(record)).answers
    assert answer.result == search
    untried = replace(search.counterfactuals[0], certified=False, untried=True)
    assert certificate(search, untried) == "the budget ended before it was tried whether edits can be left out"
    with pytest.raises(ValueError, match="exclude each other"):
        replace(untried, certified=True)


@pytest.mark.parametrize(
    ("certified", "least_margin", "said"),
    [
        (True, -0.5, "no smaller set of these edits reaches the margin of 1"),
        (False, -0.5, "no set with one of these edits left out reaches the margin of 1"),
        (True, 0.94, "reaches the margin of 1, but a smaller set changes the decision, only by +0.94"),
        (True, 1.5, "a smaller set reaches the margin, too (+1.50), but its words say less by themselves"),
    ],
)
def test_the_certificate_is_about_the_margin(
    certified: bool, least_margin: float, said: str, search: CounterfactualList
) -> None:
    part = replace(search.counterfactuals[0], certified=certified, least_margin=least_margin)
    assert certificate(search, part).endswith(said)


def test_the_margin_is_not_called_calibrated_where_it_may_not_be() -> None:
    (margin,) = [setting for setting in settings_of(Counterfactuals) if setting.name == "margin"]
    assert "calibrated" not in margin.help and "if there is one" in margin.help
