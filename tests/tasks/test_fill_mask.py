"""Masked words on a toy whose numbers can be worked out by hand."""

import numpy as np
import pytest
import torch

import explain
from explain.core.errors import TargetError, TextError
from explain.models.base import Row
from explain.report.as_python import as_python
from explain.report.comparison import compare
from explain.report.record import from_json, from_record, to_json, to_record
from explain.report.replay import replay
from explain.run.plan import Plan
from explain.tasks.base import LISTED
from explain.tasks.fill_mask import MOST_MASKS
from explain.testing import MASK, TOY_MODELS, VOCABULARY, default_item
from explain.text.removal import unchanged

MODEL = TOY_MODELS["masked"]
TEXT = "the [MASK] cat saw a [MASK]"


def logits_at(text: str, place: int) -> torch.Tensor:
    tokens = MODEL.encode(text)
    points = MODEL.word_embeddings(tokens)
    return (points.sum(dim=0) / 4 + points[place - 1]) @ MODEL.embedding.T


def test_each_mask_is_an_output_of_its_likeliest_words() -> None:
    prediction = MODEL.predict(MODEL.encode(TEXT))
    assert [output.positions for output in prediction.outputs] == [(2,), (6,)]
    for output in prediction.outputs:
        logits = logits_at(TEXT, output.positions[0]).double()
        assert len(output.labels) == LISTED and output.listed_of == VOCABULARY
        assert np.allclose(output.every_logit[0], logits, atol=1e-5)
        probabilities = logits.softmax(0).numpy()
        words = [int(label.removeprefix("word")) for label in output.labels]
        assert np.allclose(output.probabilities[0], probabilities[words], atol=1e-6)
        assert sorted(words, key=lambda word: -probabilities[word]) == words
        assert 0 < output.probabilities.sum() < 1
    assert prediction.label == prediction.outputs[0].labels[0]
    assert prediction.confidence == prediction.outputs[0].probabilities[0, 0]


def test_special_tokens_are_no_words_but_have_their_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODEL, "embedding", MODEL.embedding.clone())
    MODEL.embedding[MASK] = 3 * MODEL.embedding.abs().max()  # what reads itself as likely: the mask
    prediction = MODEL.predict(MODEL.encode("cat [MASK] [MASK]"))
    output = prediction.outputs[1]
    assert f"word{MASK}" not in output.labels and output.every_logit[0].argmax() == MASK
    assert output.probabilities.sum() < 0.5


@pytest.mark.parametrize("word", ["word7", None])
def test_any_word_may_be_asked_for_at_any_mask(word: str | None) -> None:
    prediction = MODEL.predict(MODEL.encode(TEXT))
    target = MODEL.task.target(prediction, MODEL.head, label=word, position=6)
    logits = logits_at(TEXT, 6).double()
    index = int(prediction.outputs[1].labels[0].removeprefix("word")) if word is None else 7
    others = torch.cat([logits[:index], logits[index + 1 :]])
    assert (target.index, target.positions) == (index, (6,))
    assert MODEL.value(prediction, target) == pytest.approx(float(logits[index] - others.logsumexp(0)), abs=1e-4)


def test_the_position_moves_along() -> None:
    """The word before the mask counts most: reading the wrong place would show."""
    tokens, target = default_item(MODEL, "the big cat saw [MASK] there")
    row = MODEL.removed(tokens, [2], "delete", target)
    shorter = MODEL.encode("the cat saw [MASK] there")
    moved = MODEL.task.target(MODEL.predict(shorter), MODEL.head, label=target.label)
    assert (target.positions, moved.positions) == ((5,), (4,))
    assert MODEL.scores([row]).values[0] == pytest.approx(MODEL.value(MODEL.predict(shorter), moved), abs=1e-5)


def test_a_decision_is_the_likeliest_word() -> None:
    tokens, target = default_item(MODEL, TEXT)
    asked = MODEL.task.target(MODEL.predict(tokens), MODEL.head, label="word9")
    decisions = MODEL.scores([Row(tokens, unchanged(tokens), one) for one in (target, asked)]).decisions
    assert decisions.tolist() == [target.index] * 2


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (("a good film",), r"^Put \[MASK\] where a word is to be guessed\.$"),
        (("a [mask] film",), r"says \[mask\]; this model's mask is written \[MASK\], just so"),
        (("a film", "a < mask > b"), "says < mask >"),
        (("word " * 60 + "[MASK]",), "behind the 48 pieces that are read"),
        (("[MASK] " * (MOST_MASKS + 1),), "has 33 masks; at most 32"),
    ],
)
def test_texts_that_can_not_be_answered(texts: tuple[str, ...], message: str) -> None:
    with pytest.raises(TextError, match=message):
        MODEL.predict(MODEL.encode(*texts))


def test_a_report_is_small_and_replays() -> None:
    report = explain.explain(TEXT, MODEL, label="word7", position=6)
    document = to_json(report)
    assert "every_logit" not in document and len(document) < 40_000
    again = from_json(document)
    assert again.target == report.target and again.target.positions == (6,)
    assert again.prediction.outputs[0].every_logit is None
    assert replay(again, MODEL).within(1e-6)
    with pytest.raises(TargetError, match="lists the likeliest words only"):
        MODEL.value(again.prediction, again.target)


def test_words_that_are_equally_likely_may_change_places() -> None:
    report = explain.explain(TEXT, MODEL, methods=[], phrases=False)
    record = to_record(report)
    output = record["prediction"]["outputs"][0]
    for row in (output["labels"], output["logits"][0], output["probabilities"][0]):
        row[17], row[18] = row[18], row[17]
    assert compare(from_record(record), report).largest == 0
    output["labels"][19] = "word8"  # the last was as likely as one that was not listed
    assert compare(from_record(record), report).same
    output["probabilities"][0][3] += 0.01
    assert compare(from_record(record), report).largest == pytest.approx(0.01)
    output["labels"][:5] = [f"word{number}x" for number in range(5)]
    assert not compare(from_record(record), report).same


def test_the_python_names_the_mask() -> None:
    plan = Plan.for_text(TEXT, position=6, label="word7")
    assert "    position=6," in as_python(plan, MODEL)


def test_a_classifier_has_no_position() -> None:
    with pytest.raises(TargetError, match="decides on the whole text"):
        explain.explain("a film", TOY_MODELS["linear"], position=1)
