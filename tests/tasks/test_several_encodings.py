"""What is read more than once: a long context in windows, and a text with each label of one's own."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

import explain
from explain.core.errors import TargetError, TextError
from explain.core.meter import Meter
from explain.datatypes import Report
from explain.methods.base import METHODS as ALL_METHODS
from explain.models.loading.catalogue import load_folder
from explain.models.transformer import EncoderModel
from explain.report.record import from_json, to_json
from explain.report.replay import replay
from explain.run import engine
from explain.run.jobs import Cache
from explain.run.plan import Plan, methods_from
from explain.tasks.zero_shot_classification import MOST_LABELS
from tests.tiny_models import tiny_folder

NLI = {0: "CONTRADICTION", 1: "NEUTRAL", 2: "ENTAILMENT"}
TEXT, LABELS = "Two people walk along the beach.", "sport, the sea, A dog swims."
METHODS = ("attention_rollout", "integrated_gradients", "occlusion")
QUESTION = "Who walks along the beach?"
LONG = (
    "The film is good, but its story is not. " * 9 + "Two people walk along the beach, unbelievably. " + "A dog. " * 20
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    labels = {"id2label": NLI, "label2id": {label: number for number, label in NLI.items()}}
    return tiny_folder("bert", tmp_path_factory.mktemp("nli"), **labels)


@pytest.fixture(scope="module")
def judge(folder: Path) -> EncoderModel:
    return load_folder("judge", folder, task="zero-shot-classification")


@pytest.fixture(scope="module")
def served(folder: Path) -> list[float]:
    """Probabilities as transformers' pipeline gives them with multi_label: entailment against contradiction."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    module = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    found = []
    for sentence in ("This text is about sport.", "This text is about the sea.", "A dog swims."):
        with torch.no_grad():
            logits = module(**tokenizer(TEXT, sentence, return_tensors="pt")).logits[0]
        found.append(float(logits[[0, 2]].softmax(dim=0)[1]))
    return found


def explained(model: EncoderModel, text: str, second: str, **options: object) -> Report:
    return explain.explain(text, model, text_pair=second, methods=METHODS, phrases=False, **options)


@pytest.mark.parametrize("label", ["sport", "the sea", "A dog swims.", None])
def test_each_label_is_judged_with_the_text_by_itself(
    label: str | None, judge: EncoderModel, served: list[float]
) -> None:
    report = explained(judge, TEXT, LABELS, label=label)
    output = report.prediction.output
    assert output.labels == ("sport", "the sea", "A dog swims.")
    assert np.allclose(output.probabilities[0], served, atol=1e-5)
    best = int(np.argmax(served))
    assert (report.prediction.label, report.prediction.confidence) == (
        output.labels[best],
        pytest.approx(served[best], abs=1e-5),
    )
    asked = best if label is None else output.labels.index(label)
    expected = np.log(served[asked]) - np.log1p(-served[asked])
    for one in report.attributions:
        assert one.output == pytest.approx(expected, abs=1e-4)
        sentences = ("This text is about sport.", "This text is about the sea.", "A dog swims.")
        assert one.tokens.texts == (TEXT, sentences[asked])
    assert report.text_pair == LABELS and report.target.label == output.labels[asked]
    assert replay(from_json(to_json(report)), judge).within(1e-5)


@pytest.mark.parametrize("name", ALL_METHODS)
def test_every_method_explains_a_label_that_is_not_the_first(name: str, judge: EncoderModel) -> None:
    if not ALL_METHODS[name].requires <= judge.capabilities:
        return
    report = explain.explain(TEXT, judge, text_pair=LABELS, methods=[name], label="the sea", phrases=False)
    assert np.isfinite(report.attributions[0].scores).all() and report.target.index == 1


def test_a_model_is_asked_for_the_task_that_is_meant(folder: Path) -> None:
    assert load_folder("plain", folder).task.name == "text_classification"
    with pytest.raises(
        explain.core.errors.ModelError, match="was not trained for fill-mask; it does text-classification"
    ):
        load_folder("plain", folder, task="fill-mask")
    with pytest.raises(explain.core.errors.ModelError, match="no task 'fill-in'"):
        load_folder("plain", folder, task="fill-in")


@pytest.mark.parametrize(
    ("labels", "message"),
    [(" , ,", "Give the labels to choose from"), (",".join(map(str, range(MOST_LABELS + 1))), "There are 21 labels")],
)
def test_labels_that_can_not_be_judged(labels: str, message: str, judge: EncoderModel) -> None:
    with pytest.raises(TextError, match=message):
        explained(judge, TEXT, labels)


def test_what_can_not_be_asked_of_labels(judge: EncoderModel) -> None:
    for options, message in (
        ({"label": "cooking"}, "no label 'cooking'"),
        ({"label": "sport", "against": "the sea"}, "two can't be contrasted"),
        ({"position": 1}, "decides on the whole text"),
        ({"scale": "value"}, "no scale 'value'"),
    ):
        with pytest.raises(TargetError, match=message):
            explained(judge, TEXT, LABELS, **options)


def test_passes_of_several_encodings_are_counted(judge: EncoderModel) -> None:
    methods = methods_from(["occlusion"])
    plan = Plan.for_text(TEXT, LABELS, methods=methods)
    meter, cache = Meter(), Cache()
    results = engine.results(plan, judge, meter, cache)
    words = len(results.prediction.tokens.words)
    assert meter.spent.forward == 3 + 1 + words + 1 <= engine.cost(plan, judge)
    again = Meter()
    engine.results(Plan.for_text(TEXT, LABELS, methods=methods, label="sport"), judge, again, cache)
    assert again.spent.forward <= 1 + words + 4  # what the labels were given is remembered


def test_a_long_context_is_read_in_windows(tiny: Callable[..., EncoderModel]) -> None:
    model = tiny("bert", "ForQuestionAnswering")
    windows = model.windows(QUESTION, LONG)
    assert len(windows) > 3 and windows[0] is model.encode(QUESTION, LONG)
    inside = [
        sorted(window.spans[place].tolist() for place in model.task.positions(window, model.head)) for window in windows
    ]
    for before, after in pairwise(inside):
        assert before[-1][0] > after[0][0], "windows overlap"
    read = {tuple(span) for spans in inside for span in spans}
    whole = model._tokenizer(LONG, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    assert read == set(whole), "every piece of the context is in some window"
    assert windows[0].begins_at == (0, 0) and windows[-1].truncated_at == (None, None)
    assert all(window.begins_at[1] == spans[0][0] for window, spans in zip(windows[1:], inside[1:]))

    report = explained(model, QUESTION, LONG)
    number, count = report.prediction.window
    best = [model.predict(window).output.logits[0, 0] for window in windows]
    assert (number, count) == (int(np.argmax(best)), len(windows))
    assert report.prediction.tokens.key == windows[number].key
    answer = report.prediction.spans[0]
    assert LONG[slice(*answer.characters)] == answer.text == report.prediction.label
    for one in report.attributions:
        assert one.output == pytest.approx(model.value(model.predict(windows[number]), report.target), abs=1e-4)
    assert replay(from_json(to_json(report)), model).within(1e-5)


def test_an_answer_is_looked_for_in_every_window(tiny: Callable[..., EncoderModel]) -> None:
    model = tiny("bert", "ForQuestionAnswering")
    served = explained(model, QUESTION, LONG).prediction.window[0]
    for answer in ("Two people", "beach", "A dog"):
        report = explained(model, QUESTION, LONG, label=answer)
        held = [answer in LONG[one.begins_at[1] : one.truncated_at[1]] for one in model.windows(QUESTION, LONG)]
        assert report.target.label == answer and held[report.prediction.window[0]]
        assert replay(from_json(to_json(report)), model).within(1e-5)
    elsewhere = next(answer for answer, place in (("A dog", -1), ("The film", 0)) if place % len(held) != served)
    with pytest.raises(TargetError, match=r"is no answer in the part of the context that is explained, characters \d"):
        explained(model, QUESTION, LONG, label="Two people", against=elsewhere)
    with pytest.raises(TargetError, match="The context has no 'cat'"):
        explained(model, QUESTION, LONG, label="cat")


def test_answers_are_asked_for_as_they_are_listed(tiny: Callable[..., EncoderModel]) -> None:
    model = tiny("bert", "ForQuestionAnswering")
    prediction = model.predict(model.encode(QUESTION, "so so so the there so"))
    listed = prediction.output.labels
    assert any(" (at " in name for name in listed)
    for name, span in zip(listed, prediction.spans):
        assert model.task.target(prediction, model.head, label=name).protected == tuple(range(*span.tokens))
    with pytest.raises(TargetError, match="'the' was given twice"):
        model.task.target(prediction, model.head, label="the", against="the")
    with pytest.raises(TargetError, match=r"no 'he'.* whole words"):
        model.task.target(prediction, model.head, label="he")
    context = "the Paris-based firm bought O'Neil's bar 1990-1995, so that 電影 was shown"
    prediction = model.predict(model.encode(QUESTION, context))
    for answer in ("Paris", "based", "O'Neil", " bar ", "1990", "影"):
        asked = model.task.target(prediction, model.head, label=answer)
        assert asked.label == answer.strip()
    for part in ("Par", "199", "ar"):
        with pytest.raises(TargetError, match="The context has no"):
            model.task.target(prediction, model.head, label=part)


def test_a_question_that_leaves_no_room_is_refused(tiny: Callable[..., EncoderModel]) -> None:
    with pytest.raises(TextError, match=r"The question has \d+ pieces; at most 32 are read"):
        explained(tiny("bert", "ForQuestionAnswering"), "who walks " * 30, "Two people.")


@pytest.mark.parametrize(
    ("names", "entails"), [(("entailment", "not_entailment"), 0), (("NOT_ENTAILED", "ENTAILED"), 1)]
)
def test_of_two_labels_the_opposite_of_entailment_is_the_other(
    tmp_path: Path, names: tuple[str, str], entails: int
) -> None:
    folder = tiny_folder("bert", tmp_path, num_labels=2, id2label=dict(enumerate(names)))
    model = load_folder("judge", folder, task="zero-shot-classification")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    module = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    labels = ("the sea, or a beach", "sport")
    windows = model.windows(TEXT, "\n".join(labels))  # on lines, a comma is part of a label
    for label, tokens in zip(labels, windows, strict=True):
        with torch.no_grad():
            logits = module(**tokenizer(TEXT, f"This text is about {label}.", return_tensors="pt")).logits[0]
        prediction = model.predict(tokens)
        assert prediction.label == label
        assert prediction.confidence == pytest.approx(float(logits.softmax(dim=0)[entails]), abs=1e-5)
