"""What is said of phrases, and of the text without words, in every output alike."""

import csv
import dataclasses
import io

import pytest

import explain
from explain.datatypes import EmptyText, Report
from explain.testing import TOY_MODELS, texts_for
from explain.views.base import VIEWS
from explain.views.document import document
from explain.views.phrase_notes import empty_sentence, nothing_for, phrase_notes
from explain.views.scores_table import COLUMNS, to_csv, to_text


def report_of(toy: str, empty: EmptyText | None = None, **changes: object) -> Report:
    model = TOY_MODELS[toy]
    text, *second = texts_for(model)["plain"]
    report = explain.explain(text, model, text_pair=next(iter(second), None), methods=[])
    return dataclasses.replace(report, empty_text=empty or report.empty_text, **changes)


@pytest.mark.parametrize(
    ("toy", "empty", "sentence"),
    [
        ("linear", (1.2, "positive", 0.764, True), "Without words, the model already says positive (76%)."),
        ("linear", (-1.2, "negative", 0.55, False), "Without words, the model says negative (55%)."),
        ("linear", (-9.0, "negative", 0.99996, False), "Without words, the model says negative (>99.9%)."),
        ("judging", (-1.2, None, 0.031, False), "Without words, it is so is not there (3.1%)."),
        ("tagging", (0.1, "B-PER", 0.5, True), "With nothing but “so”, the model already says B-PER (50%)."),
        ("masked", (0.1, ".", 0.5, False), "With nothing but “[MASK]”, the model says “.” (50%)."),
    ],
)
def test_sentences(toy: str, empty: tuple[float, str | None, float, bool], sentence: str) -> None:
    report = report_of(toy, EmptyText("mask", *empty))
    if toy == "judging":
        report = dataclasses.replace(report, target=dataclasses.replace(report.target, label="it is so"))
    if toy == "tagging":
        first = report.prediction.tokens.word_units()[0]
        report = dataclasses.replace(
            report, target=dataclasses.replace(report.target, positions=first[:1], protected=first)
        )
    assert empty_sentence(report) == sentence


def test_labels_decided_alone_are_there_or_not_either() -> None:
    report = report_of("judging", EmptyText("mask", -3.0, None, 0.05, True))
    assert empty_sentence(report).endswith(f"{report.target.label} is not there either (5.0%).")


def test_answers_are_picked() -> None:
    report = report_of("answer", EmptyText("mask", 0.0, "zebra", 0.2, True))
    held = report.target.label
    assert empty_sentence(report) == f"With nothing but “{held}”, the model already picks “zebra” (20%)."
    other = dataclasses.replace(report, empty_text=EmptyText("mask", 0.0, "zebra", 0.2, False))
    assert empty_sentence(other).endswith(", the model picks another place (20%).")
    none = dataclasses.replace(report, empty_text=EmptyText("mask", 0.0, "(no answer)", 0.2, False))
    assert empty_sentence(none).endswith(", the model finds no answer (20%).")


def test_a_number_stands_beside_that_of_the_text() -> None:
    report = report_of("near")
    full = report.prediction.output.logits[0, 0]
    expected = f"the model gives {report.empty_text.value:+.3f}; for this text it gives {full:+.3f}."
    assert empty_sentence(report) == f"Without words, {expected}"


def test_every_output_says_the_same() -> None:
    report = report_of("planted")
    sentence = empty_sentence(report)
    assert sentence == "Without words, the model says negative (88%)."
    first = report.phrases[0]
    assert (first.text, phrase_notes(first, report.prediction.tokens)) == ("the zebra", ["enough alone", "needed"])
    assert VIEWS["phrase_bars"].data(report)["empty"] == sentence
    assert sentence in document(report, {}) and f"\n  {sentence}\n" in to_text(report)
    assert "the zebra  (enough alone, needed)" in to_text(report)
    *_, phrase, empty = csv.DictReader(io.StringIO(to_csv(report)))
    assert (phrase["method"], phrase["text"], phrase["note"]) == ("key_phrases", "the zebra", "enough alone; needed")
    assert (empty["method"], empty["text"], empty["note"]) == ("empty_text", "negative", sentence)
    assert float(empty["score"]) == report.empty_text.value and empty["start"] == "" and len(empty) == len(COLUMNS)


def test_older_records_say_nothing_of_it() -> None:
    report = dataclasses.replace(report_of("planted"), empty_text=None)
    assert empty_sentence(report) == "" and "With no" not in to_text(report) + to_csv(report) + document(report, {})


def test_where_nothing_speaks_for_the_target_that_is_said_first() -> None:
    report = report_of("planted")  # "zebra" speaks for it
    assert nothing_for(report) == "" and VIEWS["phrase_bars"].data(report)["headline"] == ""
    against = tuple(dataclasses.replace(phrase, score=-1.0) for phrase in report.phrases)
    report = dataclasses.replace(report, phrases=against)
    sentence = f"Nothing in the text speaks for {report.target.label}."
    assert nothing_for(report) == VIEWS["phrase_bars"].data(report)["headline"] == sentence
    empty = empty_sentence(report)
    assert f"\n  {sentence}\n  {empty}\n" in to_text(report) and sentence in document(report, {})
    *_, row = csv.DictReader(io.StringIO(to_csv(report)))
    assert row["note"] == f"{sentence} {empty}"


def test_where_no_word_moves_the_target_that_is_said_too() -> None:
    report = report_of("planted", phrases=())
    sentence = f"Nothing in the text speaks for {report.target.label}."
    assert nothing_for(report) == sentence and sentence in to_text(report) and sentence in document(report, {})
    unsearched = dataclasses.replace(report, phrase_settings={}, empty_text=None)
    assert nothing_for(unsearched) == "" and "key phrases" not in to_text(unsearched)


@pytest.mark.parametrize("settings", [{"top": 1}, {"most_words": 10}, {"least_share": 0.5}])
def test_of_a_list_that_was_cut_no_more_is_said(settings: dict[str, float]) -> None:
    report = report_of("planted")
    against = tuple(dataclasses.replace(phrase, score=-1.0) for phrase in report.phrases)
    if "most_words" in settings:
        report = dataclasses.replace(explain.explain("a b c d e f g h i j k l", TOY_MODELS["planted"], methods=[]))
    report = dataclasses.replace(report, phrases=against, phrase_settings={**report.phrase_settings, **settings})
    assert nothing_for(report) == f"None of the phrases listed speaks for {report.target.label}."


def test_words_that_the_target_is_read_at_are_not_said_to_speak_for_nothing() -> None:
    report = report_of("masked")
    against = tuple(dataclasses.replace(phrase, score=-1.0) for phrase in report.phrases)
    sentence = nothing_for(dataclasses.replace(report, phrases=against))
    assert sentence == f"Nothing around “[MASK]” speaks for “{report.target.label}”."
