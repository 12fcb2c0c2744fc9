import copy
from collections.abc import Callable

import pytest
import torch

from explain.core.errors import DataError
from explain.models.transformer import EncoderModel
from explain.training.objectives.base import IGNORED, Fitted
from explain.training.objectives.entities import Tagged, first_piece, piece_labels, piece_starts, token_spans
from explain.training.recipes.tasks import TASK_RECIPES
from tests.tiny_models import wordpiece

ENTITIES = TASK_RECIPES["entities"].objective


def labelled(tokens: list[str], tags: list[str]) -> list[tuple[str, str]]:
    """The character each piece begins with and what it is to be given, ignored pieces left out."""
    tokenizer = wordpiece()
    (feature,) = ENTITIES.encode([Tagged(tuple(tokens), tuple(tags))], tokenizer)
    text = " ".join(tokens)
    spans = tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
    pairs = zip(spans, feature["labels"], strict=True)
    return [(text[start], ENTITIES.labels[label]) for (start, _), label in pairs if label != IGNORED]


def test_a_label_stands_at_the_first_piece_of_each_token() -> None:
    assert len(wordpiece()("unforgettable", add_special_tokens=False)["input_ids"]) > 1
    found = labelled(["The", "unforgettable", "film"], ["O", "B-ORG", "I-ORG"])
    assert found == [("T", "O"), ("u", "B-ORG"), ("f", "I-ORG")]


def test_further_words_of_a_token_go_on_with_its_entity() -> None:
    assert labelled(["@film", "x"], ["B-PER", "O"]) == [("@", "B-PER"), ("f", "I-PER"), ("x", "O")]
    assert labelled(["its", "a.b"], ["O", "I-LOC"]) == [("i", "O"), ("a", "I-LOC"), (".", "I-LOC"), ("b", "I-LOC")]
    assert labelled(["isn't"], ["O"]) == [("i", "O")]  # one word for a reader, three pieces: asked once


def test_a_token_without_a_piece_is_asked_nothing() -> None:
    assert labelled(["good", "\u200b", "film"], ["O", "B-PER", "O"]) == [("g", "O"), ("f", "O")]
    assert labelled(["good", "", "film"], ["O", "B-PER", "O"]) == [("g", "O"), ("f", "O")]


def test_places_are_found_in_starts() -> None:
    # [CLS] ab ##c d [SEP] over the text "abc d"
    starts = piece_starts([(0, 0), (0, 2), (2, 3), (4, 5), (0, 0)])
    assert starts[:4].tolist() == [-1, 0, 2, 4] and starts[4] > 10**9
    assert [first_piece(starts, *span) for span in token_spans(["abc", "d"])] == [1, 3]
    assert first_piece(starts, 3, 4) is None and first_piece(starts, 5, 9) is None
    example = Tagged(("abc", "d"), ("B-PER", "O"))
    assert piece_labels(example, starts, ENTITIES.labels) == [IGNORED, 1, IGNORED, 0, IGNORED]


def test_what_is_cut_off_is_asked_nothing_and_told_outside() -> None:
    starts = piece_starts([(0, 0), (0, 2), (0, 0)])  # the second token was cut off
    assert piece_labels(Tagged(("ab", "d"), ("O", "B-PER")), starts, ENTITIES.labels) == [IGNORED, 0, IGNORED]


def test_foreign_types_are_renamed_or_refused() -> None:
    (wnut,) = [source for source in TASK_RECIPES["entities"].sources if source.name == "wnut17"]
    names = ["O", "B-person", "I-person", "B-location", "B-corporation", "I-group", "B-product", "I-creative-work"]
    found = ENTITIES.read({"tokens": names, "tags": names}, wnut)
    assert found.tags == ("O", "B-PER", "I-PER", "B-LOC", "B-ORG", "I-ORG", "O", "O")
    with pytest.raises(DataError, match="has the tag 'B-event'; expected one of O, B-PER"):
        ENTITIES.read({"tokens": ["a"], "tags": ["B-event"]}, wnut)


def test_the_bias_of_no_entity_is_fitted_into_the_head(tiny: Callable[..., EncoderModel]) -> None:
    """A head that says "no entity" by 1.1 too much, and names only where a text says so."""
    model = copy.deepcopy(tiny("bert", "ForTokenClassification")._module)
    model.classifier = torch.nn.Linear(model.config.hidden_size, len(ENTITIES.labels))
    tokenizer = wordpiece()
    seen = [Tagged(("good", "film"), ("O", "B-PER")), Tagged(("the", "dog"), ("O", "B-PER"))]
    with torch.no_grad():
        model.classifier.weight.zero_()
        model.classifier.bias.fill_(-9.0)
        model.classifier.bias[:2] = torch.tensor([1.1, 0.0])  # O, B-PER
    before = ENTITIES.measure(model, tokenizer, seen, Fitted())
    fitted = ENTITIES.fit(model, tokenizer, [], seen)
    assert fitted.outside == 1.25 and fitted.count == 2
    assert float(model.classifier.bias[0].detach()) == pytest.approx(1.1 - 1.25)
    after = ENTITIES.measure(model, tokenizer, seen, fitted)
    assert before["span_f1"] == 0.0 and after["span_recall"] == 1.0
    assert ENTITIES.fit(model, tokenizer, [], []) == Fitted()
