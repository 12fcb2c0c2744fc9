"""Words as readers see them, and the tokens of each.

A word is a maximal run of letters, digits and inner apostrophes or hyphens; every other visible character is a word of
its own; so is each Han or kana character. Marks that combine with a character (accents, vowel signs, skin tones, the
joiners inside an emoji) belong to it. Tokenizers have other rules (BERT's own `word_ids` makes three of "isn't"), so
words are cut from the text, and tokens are assigned to them.
"""

import unicodedata
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_INNER = frozenset("'’ʼ-‐‑")
_JOINER = "\u200d"


def word_spans(text: str) -> tuple[tuple[int, int], ...]:
    """Cut a text into words.

    Returns:
        Half-open character spans in order; together they hold every visible character.

    >>> [text[a:b] for text in ["It isn't top-notch, no!"] for a, b in word_spans(text)]
    ['It', "isn't", 'top-notch', ',', 'no', '!']
    """
    spans: list[tuple[int, int]] = []
    start = 0
    while start < len(text):
        if not is_visible(text[start]):
            start += 1
            continue
        stop = _character_end(text, start)
        if _runs_on(text[start]):
            stop = _run_end(text, stop)
        spans.append((start, stop))
        start = stop
    return tuple(spans)


def _run_end(text: str, stop: int) -> int:
    while stop < len(text):
        if _runs_on(text[stop]):
            stop = _character_end(text, stop)
        elif text[stop] in _INNER and stop + 1 < len(text) and _runs_on(text[stop + 1]):
            stop = _character_end(text, stop + 1)
        else:
            break
    return stop


def _character_end(text: str, start: int) -> int:
    """Return the end of a character as readers see it: with its marks and with joined characters."""
    stop = start + 1
    while stop < len(text):
        if _combines(text[stop]):
            stop += 1
        elif text[stop] == _JOINER and stop + 1 < len(text) and is_visible(text[stop + 1]):
            stop += 2
        elif _is_flag_letter(text[start]) and stop == start + 1 and _is_flag_letter(text[stop]):
            stop += 1
        else:
            break
    return stop


def is_visible(character: str) -> bool:
    """Return whether a character is neither white space nor a control, format, surrogate or unassigned character."""
    return not character.isspace() and unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp")


def _combines(character: str) -> bool:
    return unicodedata.category(character) in ("Mn", "Mc", "Me") or "\U0001f3fb" <= character <= "\U0001f3ff"


def _runs_on(character: str) -> bool:
    return (character.isalnum() or unicodedata.category(character)[0] == "L") and not is_han_or_kana(character)


def is_han_or_kana(character: str) -> bool:
    """Return whether a character is Chinese or Japanese kana: written without spaces, roughly a word each."""
    code = ord(character)
    return (
        0x3040 <= code <= 0x30FF
        or 0x31F0 <= code <= 0x31FF
        or 0x3400 <= code <= 0x4DBF
        or 0x4E00 <= code <= 0x9FFF
        or 0xF900 <= code <= 0xFAFF
        or 0xFF66 <= code <= 0xFF9D
        or 0x20000 <= code <= 0x3FFFF
    )


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def word_ranges(
    texts: Sequence[str],
    spans: npt.NDArray[np.int64],
    segment: npt.NDArray[np.int64],
    special: npt.NDArray[np.bool_],
) -> tuple[tuple[int, int], ...]:
    """Return the range of tokens of each word of one or two texts.

    Words that one token covers together (an unknown run of emoji, say) become one; a token without visible text joins
    the word after it, or the last one. So every token that is not special is in exactly one word.

    Args:
        texts: the texts of the segments.
        spans (T, 2), segment (T,), special (T,): as in `Tokens`.

    Returns:
        Half-open token ranges, in order.
    """
    ranges: list[tuple[int, int]] = []
    for number, text in enumerate(texts):
        words = word_spans(text)
        starts = [start for start, _ in words]
        stops = [stop for _, stop in words]
        members = np.flatnonzero((segment == number) & ~special)
        last_word = -1  # the last word the open group covers
        for token in members.tolist():
            start, stop = spans[token].tolist()
            first = int(np.searchsorted(stops, start, side="right"))  # words end after the token's start ...
            final = int(np.searchsorted(starts, stop, side="left")) - 1  # ... and begin before its end
            invisible = start >= stop or final < first
            if invisible:
                first = final = max(last_word, min(first, len(words) - 1))
            opened = bool(ranges) and ranges[-1][1] == token and segment[ranges[-1][0]] == number
            if opened and first <= last_word:
                ranges[-1] = (ranges[-1][0], token + 1)
            else:
                ranges.append((token, token + 1))
            last_word = max(last_word, final)
    return tuple(ranges)


def word_heads(
    words: npt.NDArray[np.int64], spans: npt.NDArray[np.int64], cuts: Sequence[int | None]
) -> npt.NDArray[np.int64]:
    """Return the first piece of each word that is cut out of the word itself: its label is read there.

    Blanks that are tokens of byte-level tokenizers (line breaks, second spaces) belong to the word after them, but the
    tokenizer split them off before it split the word.

    Args:
        words (W, 2), spans (T, 2): as in `Tokens`.
        cuts (T): the number of the pre-tokenized stretch that each token is a piece of; None for a special token.
    """
    heads = []
    for start, stop in words.tolist():
        visible = next((token for token in range(start, stop) if spans[token, 0] < spans[token, 1]), start)
        heads.append(next(token for token in range(start, stop) if cuts[token] == cuts[visible]))
    return np.array(heads, dtype=np.int64)


def is_punctuation(text: str) -> bool:
    """Return whether a word is only punctuation, currency or mathematical signs; an emoji is not."""
    categories = [unicodedata.category(character) for character in text]
    return all(category[0] == "P" or category in ("Sm", "Sc", "Sk") for category in categories)
