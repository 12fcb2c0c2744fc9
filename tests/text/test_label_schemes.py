"""Label schemes: entities equal seqeval's under each of them, however its letters are written."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from explain.text.label_schemes import entity_ranges, is_outside, label_parts

KINDS = ("PER", "GPE-city")
SCHEMES = {"BIO": "BI", "IO": "I", "BIOES": "BIES", "BILOU": "BILU", "BMES": "BMES", "BMEWO": "BMEW"}
SEQEVAL = str.maketrans("MLUW", "IESS")


def labels_of(letters: str, written: str) -> list[str]:
    return ["O", *(written.format(letter, kind) for letter, kind in product(letters, KINDS))]


@pytest.mark.parametrize("written", ["{0}-{1}", "{0}_{1}", "{1}-{0}", "{1}_{0}"])
@pytest.mark.parametrize("scheme", SCHEMES)
@given(drawn=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(("O", *KINDS))), min_size=1, max_size=9))
def test_entities_are_those_of_seqeval(written: str, scheme: str, drawn: list[tuple[int, str]]) -> None:
    letters = SCHEMES[scheme]
    words = [(letters[place % len(letters)], kind) for place, kind in drawn]
    parts = label_parts(labels_of(letters, written))
    row = [parts["O" if kind == "O" else written.format(letter, kind)] for letter, kind in words]
    theirs = get_entities(["O" if kind == "O" else f"{letter.translate(SEQEVAL)}-{kind}" for letter, kind in words])
    ours = [(kind, numbers.start, numbers.stop - 1) for kind, numbers in entity_ranges(row)]
    assert ours == [tuple(entity) for entity in theirs]


@pytest.mark.parametrize(
    ("labels", "kinds"),
    [
        (["O", "PER", "LOC"], {"PER", "LOC"}),
        (["person", "place", "E-mail"], {"person", "place", "E-mail"}),  # a kind, not a scheme
        (["O", "S-Bahn", "U-Bahn"], {"S-Bahn", "U-Bahn"}),  # letters of no one scheme
        (["O", "B-PER", "I-PER", "X", "[CLS]"], {"PER", "X", "[CLS]"}),  # with labels of padding
        (["o", "b-per", "i-per"], {"per"}),
        (["O", "B-", "I-"], {"B-", "I-"}),
        (["B_first_name", "I_first_name", "OUT"], {"first_name"}),
        (["first-name-B", "first-name-I", "0"], {"first-name"}),
    ],
)
def test_kinds_are_read_from_all_labels_at_once(labels: list[str], kinds: set[str]) -> None:
    parts = label_parts(labels)
    assert {part.kind for label, part in parts.items() if not is_outside(label)} == kinds
    assert all((part.kind == "") == is_outside(label) for label, part in parts.items())


def test_neighbors_with_the_same_label_are_one_entity_without_a_scheme() -> None:
    parts = label_parts(["O", "PER", "LOC"])
    row = [parts[label] for label in ("PER", "PER", "LOC", "O", "PER")]
    assert list(entity_ranges(row)) == [("PER", range(2)), ("LOC", range(2, 3)), ("PER", range(4, 5))]
    assert list(entity_ranges([])) == []
