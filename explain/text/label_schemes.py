"""Label schemes of entities: a letter before or behind a kind says where in an entity its word stands.

    BIO      B begins, I is inside; in IOB1 an entity begins with I, and B parts neighbors (Ramshaw and Marcus 1995)
    BIOES    E ends, S is alone; BMEWO writes M for I and W for S, and BILOU writes L for E and U for S

The letter is parted from the kind by "-" or "_". Which scheme it is, is decided once for all labels of a model, so
"E-mail" is a kind where the others are "person" and "place".
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

OUTSIDE = frozenset(("O", "0", "OUT", "NONE"))
_SCHEMES = (frozenset("BIES"), frozenset("BILU"), frozenset("BMES"), frozenset("BMEW"))
_SAME_AS = {"M": "I", "L": "E", "U": "S", "W": "S"}


class LabelParts(NamedTuple):
    """A label taken apart.

    Attributes:
        place: where in an entity its word stands: "B", "I", "E" or "S"; empty where the label does not say.
        kind: of the entity; empty where the label says that the word is in none.
    """

    place: str
    kind: str


def label_parts(labels: Sequence[str]) -> dict[str, LabelParts]:
    """Take the labels of a model apart, by the one scheme that most of them follow.

    A scheme is there where one kind has two labels of it, or where all labels follow it. Labels that do not follow it
    are kinds of their own.
    """
    inside = [label for label in labels if not is_outside(label)]
    candidates = [_cut(inside, separator, behind) for behind, separator in product((False, True), "-_")]
    followed = max(filter(lambda cut: _is_scheme(cut, inside), candidates), key=len, default={})
    kinds = {label: LabelParts("", "" if is_outside(label) else label) for label in labels}
    return kinds | {label: LabelParts(_SAME_AS.get(place, place), kind) for label, (place, kind) in followed.items()}


def is_outside(label: str) -> bool:
    """Return whether a label says that a word is in no entity."""
    return label.upper() in OUTSIDE


def entity_ranges(labels: Sequence[LabelParts]) -> Iterator[tuple[str, range]]:
    """Yield the kind and the words of each entity, as seqeval's default does.

    An entity ends with E and S, before B and S, and where the kind changes. So no word with a kind is in no entity,
    whether or not its label may stand there.
    """
    first = 0
    for number in range(1, len(labels) + 1):
        if number == len(labels) or _parted(labels[number - 1], labels[number]):
            if labels[first].kind:
                yield labels[first].kind, range(first, number)
            first = number


def _parted(before: LabelParts, after: LabelParts) -> bool:
    return before.kind != after.kind or before.place in ("E", "S") or after.place in ("B", "S")


def _cut(labels: Sequence[str], separator: str, behind: bool) -> dict[str, LabelParts]:
    """Return the parts of labels that have a letter of a scheme before their kind, or behind it."""
    parts = {}
    for label in labels:
        letter, kind = label.rpartition(separator)[::-2] if behind else label.partition(separator)[::2]
        if len(letter) == 1 and letter.upper() in _SAME_AS.keys() | set("BIES") and kind:
            parts[label] = LabelParts(letter.upper(), kind)
    return parts


def _is_scheme(parts: Mapping[str, LabelParts], labels: Sequence[str]) -> bool:
    letters = defaultdict(set)
    for place, kind in parts.values():
        letters[kind].add(place)
    used = frozenset().union(*letters.values())
    known = any(used <= scheme for scheme in _SCHEMES)
    return bool(parts) and known and (len(parts) == len(labels) or any(len(places) > 1 for places in letters.values()))
