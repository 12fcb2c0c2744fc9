"""Sentences of a text as character spans, by punctuation and line breaks alone.

A rule of thumb that needs no model and no language: good enough to group words for occlusion and to cut
paragraphs for next-sentence pairs, not a linguistic analysis.
"""

import re

# An end mark, its closing quotes or brackets, and white space. Dots that trail off ("wow... ok") end a sentence only
# before something that can begin one; a single full stop always, unless it ends an abbreviation (reviews are written
# without capitals); ideographic stops need no space; a line break ends a sentence always.
# Runs are taken whole (possessively) and begun only where they begin, so that a hundred thousand marks in a row take no
# longer than their number.
_BOUNDARY = re.compile(
    r"""(?P<end>(?<![!?])[!?]++["'”’»)\]]*+|(?<=\s)\.++)\s"""
    r"""|(?P<stop>(?<!\.)\.["'”’»)\]]*+)\s"""
    r"""|(?P<trail>(?<!\.)(?:\.{2,}+|(?<!…)…++)["'”’»)\]]*+)\s++(?=["'“‘«(\[¿¡]?[^\W_a-z])"""
    r"""|(?P<wide>(?<![。！？])[。！？]++[”’」』）]*+)"""
    r"""|(?P<line>\n)"""
)
_ABBREVIATION = re.compile(
    r"""(?:^|[\s("'“‘])(?:mr|mrs|ms|dr|prof|rev|st|jr|sr|vs|etc|no|vol|fig|gen|col|capt|lt|sgt|hon|messrs|mme|mlle"""
    r"""|[a-z]|(?:[a-z]\.)+[a-z]|e\.g|i\.e|cf|inc|ltd|co|corp|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\.$""",
    re.IGNORECASE,
)


def sentence_spans(text: str) -> tuple[tuple[int, int], ...]:
    """Cut a text into sentences.

    Returns:
        Half-open character spans, in order, without white space around; together they hold every visible character.

    >>> sentence_spans("It rained. Dr. No slept!  Why?")
    ((0, 10), (11, 24), (26, 30))
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for match in _BOUNDARY.finditer(text):
        stop = match.start() if match.lastgroup == "line" else match.end(match.lastgroup or 0)
        if match["stop"] == "." and _ABBREVIATION.search(text[max(start, stop - 12) : stop]):
            continue
        _append_visible(spans, text, start, stop)
        start = match.end()
    _append_visible(spans, text, start, len(text))
    return tuple(spans)


def _append_visible(spans: list[tuple[int, int]], text: str, start: int, stop: int) -> None:
    piece = text[start:stop]
    left = len(piece) - len(piece.lstrip())
    right = len(piece.rstrip())
    if left < right:
        spans.append((start + left, start + right))
