"""Edits of words, on characters: the edited text is tokenized afresh, as production would do it.

Whatever an edit does not touch stays as it was written: spaces, case, marks. Words are those of `explain.text.words`,
so a contraction ("isn't") is replaced whole or not at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from explain.datatypes import TextEdit, Tokens
from explain.text.words import is_punctuation

_APOSTROPHES = "'’ʼ"
_RESTS = frozenset(("s", "t", "d", "m", "re", "ve", "ll", "em"))


@dataclass(frozen=True)
class Place:
    """A word that may be edited.

    Attributes:
        number: its number among all words of the encoding, punctuation included.
        segment: the number of its text; span: its half-open characters there.
        text: those characters.
    """

    number: int
    segment: int
    span: tuple[int, int]
    text: str


def editable_places(tokens: Tokens, segments: Sequence[int]) -> tuple[Place, ...]:
    """Return the words that may be edited, in reading order.

    Left out are words without a letter, and a word right behind an apostrophe, which is a part of the word before it
    (the "s" of "it 's").

    Args:
        segments: the texts that may be edited.
    """
    places = []
    for number, unit in enumerate(tokens.word_units()):
        segment, start, stop = tokens.unit_span(unit)
        text = tokens.texts[segment][start:stop]
        rest = _is_rest_of_contraction(tokens.texts[segment], start, text)
        if segment in segments and any(map(str.isalpha, text)) and not rest and not is_punctuation(text):
            places.append(Place(number, segment, (start, stop), text))
    return tuple(places)


def _is_rest_of_contraction(text: str, start: int, word: str) -> bool:
    """Return whether a word behind an apostrophe belongs to the word before: "it 's", not the first one in quotes."""
    behind_apostrophe = text[max(0, start - 1) : start] in tuple(_APOSTROPHES)
    return behind_apostrophe and (text[max(0, start - 2) : start - 1].isalnum() or word.casefold() in _RESTS)


def words_between(tokens: Tokens, first: int, last: int) -> tuple[int, ...]:
    """Return the tokens of the words from that of one token to that of another, in the text of the first one.

    Where `last` is in an earlier word or in another text, these are the tokens of the first word.
    """
    begin, end = tokens.word_around(first), tokens.word_around(last) if last < len(tokens) else ()
    if not begin or not end or tokens.word_of[first] < 0 or tokens.segment[begin[0]] != tokens.segment[end[0]]:
        return begin
    return tuple(token for word in tokens.word_units() if begin[0] <= word[0] <= end[0] for token in word) or begin


def place_between(tokens: Tokens, first: int, last: int) -> tuple[Place, tuple[Place, ...]] | None:
    """Return the place of the words between two tokens, and the places of its own words that may be edited.

    None where the first word may not be edited, as it belongs to the word before.
    """
    segment, start, stop = tokens.unit_span(words_between(tokens, first, last))
    inside = [
        place for place in editable_places(tokens, (segment,)) if start <= place.span[0] and place.span[1] <= stop
    ]
    if not inside or inside[0].span[0] != start:
        return None
    return Place(inside[0].number, segment, (start, stop), tokens.texts[segment][start:stop]), tuple(inside)


def masking(place: Place, words: Sequence[Place], mask: str) -> TextEdit:
    """Return the edit that puts a mask in the place of each of some words, all inside of one place."""
    text, read = "", place.span[0]
    for word in words:
        text += place.text[read - place.span[0] : word.span[0] - place.span[0]] + mask
        read = word.span[1]
    return TextEdit("replace", place.segment, place.span, place.text, text + place.text[read - place.span[0] :])


def replacement(place: Place, word: str) -> TextEdit:
    """Return the edit that puts a word in the place of another, in the other's case."""
    return TextEdit("replace", place.segment, place.span, place.text, in_case_of(place.text, word))


def insertion(place: Place, word: str) -> TextEdit:
    """Return the edit that puts a word before another."""
    start = place.span[0]
    return TextEdit("insert", place.segment, (start, start), "", word)


def deletion(place: Place) -> TextEdit:
    """Return the edit that takes a word out."""
    return TextEdit("delete", place.segment, place.span, place.text, "")


def in_case_of(original: str, word: str) -> str:
    """Return a word in the case of another: capitals throughout, a capital first, or as it is.

    >>> in_case_of("Good", "bad"), in_case_of("GOOD", "bad"), in_case_of("I", "we")
    ('Bad', 'BAD', 'we')
    """
    if len(original) > 1 and original.isupper():
        return word.upper()
    return word.capitalize() if len(original) > 1 and original[0].isupper() else word


def edited_with_spans(text: str, edits: Sequence[TextEdit]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return a text with edits made, and where the words of each edit stand in it: half-open spans, in given order.

    No two edits may touch.

    >>> edited_with_spans("It is good.", [TextEdit("insert", 0, (6, 6), "", "not")])
    ('It is not good.', ((6, 9),))
    >>> edited_with_spans("It is very good.", [TextEdit("delete", 0, (6, 10), "very", "")])[0]
    'It is good.'
    """
    order = sorted(range(len(edits)), key=lambda number: (edits[number].span, edits[number].operation != "insert"))
    spans: list[tuple[int, int]] = [(0, 0)] * len(edits)
    parts: list[str] = []
    length = read = 0
    for number in order:
        edit = edits[number]
        start, stop = edit.span
        if start < read:
            raise ValueError("Edits overlap.")
        kept = text[read:start]
        after = edit.after
        if edit.operation == "insert":
            after += " "
        elif edit.operation == "delete" and text[stop : stop + 1].isspace() and (not kept or kept[-1].isspace()):
            stop += 1
        parts += [kept, after]
        begins = length + len(kept)
        spans[number] = (begins, begins + len(edit.after))
        length += len(kept) + len(after)
        read = stop
    return "".join([*parts, text[read:]]), tuple(spans)
