"""Edits of a word: what is said of each is what the model decides for the rendered text."""

from pathlib import Path

import pytest

from explain.analyses.base import ExplainedText
from explain.analyses.word_edits import StrongestWordEdits, WordEdits
from explain.core.errors import ExplainError
from explain.core.meter import Meter
from explain.datatypes import WordEditList
from explain.methods.base import METHODS
from explain.models.loading.catalogue import load_model
from explain.run import engine
from explain.run.jobs import Cache
from explain.run.plan import Plan
from explain.testing import TOY_MODELS
from explain.views.base import VIEWS
from tests.tiny_models import tiny_folder

TEXT = "The film isn't good, but it is not as bad as everyone says."


def test_every_edit_is_decided_by_its_rendered_text() -> None:
    model = load_model("sentiment")
    tokens = model.encode(TEXT)
    target = model.task.target(model.predict(tokens), model.head)
    token = tokens.pieces.index("not")
    meter = Meter()
    tried = WordEdits(token=token).run(model, ExplainedText(tokens, target), meter)
    assert tried.text == "not" and [part.edit.operation for part in tried.edits[:2]] == ["delete", "insert"]
    assert tried.edits[0].texts == (TEXT.replace("not ", ""),)
    assert tried.edits[1].texts == (TEXT.replace("not ", "not not "),)
    assert tried.edits[2].texts == (TEXT.replace("not", "[MASK]"),)
    for part in tried.edits:
        prediction = model.predict(model.encode(*part.texts))
        assert (part.label, part.confidence) == (prediction.label, pytest.approx(prediction.confidence, abs=1e-5))
        logits = prediction.output.logits[0]
        assert part.value == pytest.approx(float(logits[1] - logits[0]), abs=1e-4)  # positive over negative
    assert len({part.texts for part in tried.edits}) == len(tried.edits)
    assert meter.spent.forward <= WordEdits(token=token).passes(model, ExplainedText(tokens, target))


def test_the_second_text_of_a_pair_can_be_edited() -> None:
    model = load_model("entailment")
    tokens = model.encode("Two dogs are running.", "Animals are outdoors.")
    target = model.task.target(model.predict(tokens), model.head)
    tried = WordEdits(token=tokens.pieces.index("outdoors"), count=0).run(model, ExplainedText(tokens, target))
    assert [part.texts[1] for part in tried.edits] == [
        "Animals are .",
        "Animals are not outdoors.",
        "Animals are [MASK].",
    ]
    assert {part.texts[0] for part in tried.edits} == {"Two dogs are running."}


@pytest.mark.parametrize("token", [0, 99])
def test_a_token_in_no_word_is_told(token: int) -> None:
    model = TOY_MODELS["planted"]
    tokens = model.encode("a good film")
    target = model.task.target(model.predict(tokens), model.head)
    with pytest.raises(ExplainError, match="in no word that can be edited"):
        WordEdits(token=token).run(model, ExplainedText(tokens, target))


def test_the_only_word_is_not_removed() -> None:
    model = TOY_MODELS["planted"]
    tokens = model.encode("good")
    target = model.task.target(model.predict(tokens), model.head)
    tried = WordEdits(token=1, count=0).run(model, ExplainedText(tokens, target))
    assert [part.edit.operation for part in tried.edits] == ["insert"]


@pytest.mark.parametrize("kind", ["bert", "roberta", "albert"])
def test_a_mask_is_written_as_the_model_reads_it(kind: str, tmp_path: Path) -> None:
    model = load_model(str(tiny_folder(kind, tmp_path)))
    tokens = model.encode("the good film")
    target = model.task.target(model.predict(tokens), model.head)
    token = next(token for token in range(len(tokens)) if "good" in tokens.unit_text(tokens.word_around(token)))
    tried = WordEdits(token=token, count=0).run(model, ExplainedText(tokens, target))
    (edit,) = [part for part in tried.edits if part.edit.operation == "replace"]
    read = model.encode(*edit.texts)
    assert (read.ids == model.mask_id).sum() == 1


def test_neighbouring_words_are_edited_together() -> None:
    model = load_model("sentiment")
    tokens = model.encode(TEXT)
    target = model.task.target(model.predict(tokens), model.head)
    first, last = tokens.pieces.index("not"), tokens.pieces.index("bad")
    subject = ExplainedText(tokens, target)
    tried = WordEdits(token=first, last=last).run(model, subject)
    assert tried.text == "not as bad"
    assert [part.texts[0] for part in tried.edits] == [
        TEXT.replace("not as bad ", ""),
        TEXT.replace("not as bad", "not not as bad"),
        TEXT.replace("not as bad", "[MASK] [MASK] [MASK]"),
    ]
    for part in tried.edits:
        assert part.confidence == pytest.approx(model.predict(model.encode(*part.texts)).confidence, abs=1e-5)
    alone = WordEdits(token=first, last=first - 2, count=0).run(model, subject)
    assert alone.text == "not"  # the last word is not before the first


def edited_word(text: str, model_name: str = "sentiment") -> tuple[WordEditList, WordEditList | None, int]:
    """Return the edits of a text's strongest word, those of the same word picked, and the passes of the second."""
    model, cache, method = load_model(model_name), Cache(), METHODS["occlusion"]()
    asked = StrongestWordEdits(method)
    first = engine.results(Plan.for_text(text, methods=[method], analyses=[asked]), model, cache=cache)
    tried = first.required(asked)
    if not tried.tokens:
        return tried, None, 0
    picked, meter = WordEdits(token=tried.tokens[0], last=tried.tokens[0]), Meter()
    again = engine.results(Plan.for_text(text, methods=[method], analyses=[picked]), model, meter, cache)
    return tried, again.required(picked), meter.spent.forward


def test_the_strongest_word_is_edited_and_the_edits_are_those_of_who_picks_it() -> None:
    tried, picked, spent = edited_word(TEXT)
    assert tried.text == "not" and tried == picked and spent == 0
    model = load_model("sentiment")
    tokens = model.encode(TEXT)
    target = model.task.target(model.predict(tokens), model.head)
    alone = StrongestWordEdits(METHODS["occlusion"]()).run(model, ExplainedText(tokens, target))
    assert [part.texts for part in alone.edits] == [part.texts for part in tried.edits]


@pytest.mark.parametrize("text", ["!!! ???", "1 + 2 = 3"])
def test_where_the_strongest_word_can_not_be_edited_nothing_is_tried(text: str) -> None:
    tried, _, _ = edited_word(text)
    assert tried.tokens == () and tried.edits == ()


def test_of_labels_that_are_decided_alone_an_edit_has_all() -> None:
    model = load_model("emotions")
    tokens = model.encode("I am so happy today!")
    target = model.task.target(model.predict(tokens), model.head)
    tried = WordEdits(token=tokens.pieces.index("happy"), count=2).run(model, ExplainedText(tokens, target))
    assert tried.labels == model.predict(tokens).labels == ("joy",)
    for part in tried.edits:
        assert part.labels == model.predict(model.encode(*part.texts)).labels
    rows = VIEWS["word_edits"].data(tried)["rows"]
    assert [row["flips"] for row in rows] == [part.labels != ("joy",) for part in tried.edits] and rows[0]["flips"]
    assert [row["label"] for row in rows] == [", ".join(part.labels) or "no label" for part in tried.edits]


def test_a_text_full_of_masks_has_edits_without_other_words() -> None:
    model = load_model("sentiment")
    tokens = model.encode("[MASK] " * 40 + "good")
    target = model.task.target(model.predict(tokens), model.head)
    tried = WordEdits(token=tokens.pieces.index("good")).run(model, ExplainedText(tokens, target))
    assert [part.edit.operation for part in tried.edits] == ["delete", "insert", "replace"]
