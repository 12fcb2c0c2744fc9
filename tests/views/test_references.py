"""Where what a method starts from scores higher than the text, everything says so first, with numbers that are true."""

import dataclasses

import pytest

import explain
from explain.datatypes import Attribution, Report
from explain.evaluation.verdict import verdict
from explain.testing import TOY_MODELS, texts_for
from explain.views.base import UNITS, VIEWS, rounded
from explain.views.document import document
from explain.views.references import higher_reference
from explain.views.scores_table import to_text

STARTING = ("integrated_gradients", "shapley_values")
TEXTS = {"judging": ("The film isn't good", "sport, politics"), "writing": ("so good",)}


def report_of(toy: str, label: str | None = None, **settings: str) -> Report:
    model = TOY_MODELS[toy]
    text, *second = TEXTS.get(toy) or texts_for(model)["plain"]
    return explain.explain(
        text,
        model,
        text_pair=next(iter(second), None),
        methods=STARTING,
        settings=dict.fromkeys(STARTING, settings) if settings else None,
        label=label,
        phrases=False,
    )


def labels(toy: str) -> list[str | None]:
    """Labels that may be asked about, some of which no text speaks for."""
    model = TOY_MODELS[toy]
    if model.head.value:
        return [None]
    if model.head.vocabulary is not None:
        return [f"word{number}" for number in (7, 15, 50, 100, 200)]
    if toy in ("judging", "answer"):  # labels of this text alone
        return list(report_of(toy).prediction.output.labels[:6])
    return list(model.head.labels)


def empty_value(one: Attribution, toy: str) -> float:
    """The target with every word taken away that may be, run anew."""
    model = TOY_MODELS[toy]
    row = model.only(one.tokens, (), "mask", one.target)
    return float(model.scores([row]).values[0])


@pytest.mark.parametrize("toy", TOY_MODELS)
def test_in_every_task_it_is_said_exactly_where_it_is_so(toy: str) -> None:
    said = []
    for label in labels(toy):
        report = report_of(toy, label, emptied="together")
        one = report.attribution("integrated_gradients")
        start = empty_value(one, toy)
        expected = (
            f"The empty text (mask) scores higher ({rounded(start, '+.3f')}) than this text "
            f"({rounded(one.output, '+.3f')}): scores say what lowers it."
        )
        said.append(start - one.output > 1e-3)
        assert higher_reference(one) == (expected if said[-1] else "")
        assert VIEWS["token_heatmap"].data(one)["lead"] == higher_reference(one)
        assert verdict(one, []).sentence.startswith(expected) == said[-1]
        assert (f"integrated_gradients  [{UNITS[one.scale]}]\n  {expected}\n" in to_text(report)) == said[-1]
        about = dict.fromkeys(STARTING, ("", "", ""))
        page = document(report, about, verdicts={one.method: verdict(one, [])})
        assert page.count(expected) == 3 * said[-1]  # in the head, above the words, and in the verdict
        other = report.attribution("shapley_values")
        assert higher_reference(other).startswith("The text without these parts scores higher") == said[-1]
    assert any(said), "no label of this toy has a higher empty text"


def test_of_texts_emptied_in_turn_each_is_told() -> None:
    report = report_of("near")
    one = report.attribution("integrated_gradients")
    assert higher_reference(one) == "" and verdict(one, []).sentence[0] != "W"
    lower = dataclasses.replace(one, emptied_outputs=(one.output + 0.25, one.output - 0.25))
    start, output = rounded(lower.emptied_outputs[0], "+.3f"), rounded(one.output, "+.3f")
    expected = (
        f"With the text empty the score is higher ({start}) than it is ({output}): "
        "scores of the text say what lowers it."
    )
    assert higher_reference(lower) == expected
    assert verdict(lower, []).sentence.startswith(expected)
    both = dataclasses.replace(one, emptied_outputs=(one.output + 0.25, one.output + 0.5))
    assert higher_reference(both).startswith(expected) and "scores of the other text say" in higher_reference(both)


@pytest.mark.parametrize(("above", "said"), [(0.0, False), (0.0009, False), (0.0011, True), (-1.0, False)])
def test_by_a_trifle_nothing_is_higher(above: float, said: bool) -> None:
    one = report_of("linear").attribution("integrated_gradients")
    assert bool(higher_reference(dataclasses.replace(one, baseline_output=one.output + above))) == said


def test_methods_without_a_reference_say_nothing() -> None:
    report = explain.explain(
        "good film", TOY_MODELS["linear"], methods=["occlusion", "attention_rollout"], phrases=False
    )
    assert [higher_reference(one) for one in report.attributions] == ["", ""]
