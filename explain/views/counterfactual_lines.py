"""Counterfactuals as lines of text: each edit in its place, the answer before and after, and what it cost."""

from explain.datatypes import Counterfactual, CounterfactualList, TextEdit
from explain.views.base import percent, visible

KIND_NAMES = {"fewest_edits": "fewest edits", "most_fluent": "most fluent", "most_robust": "most robust"}

Piece = tuple[str, str]  # "kept", "removed" or "added", and its text


def difference(text: str, edits: tuple[TextEdit, ...]) -> list[Piece]:
    """Return a text in pieces: what is kept, what is removed, what is added instead.

    >>> difference("It is good.", (TextEdit("replace", 0, (6, 10), "good", "bad"),))
    [('kept', 'It is '), ('removed', 'good'), ('added', 'bad'), ('kept', '.')]
    """
    pieces: list[Piece] = []
    read = 0
    for edit in edits:
        start, stop = edit.span
        space = " " if edit.operation == "insert" else ""
        pieces += [("kept", text[read:start]), ("removed", text[start:stop]), ("added", edit.after), ("kept", space)]
        read = stop
    pieces.append(("kept", text[read:]))
    return [piece for piece in pieces if piece[1]]


def to_text(search: CounterfactualList) -> str:
    """Return the result of a search for a terminal: [-removed-] and {+added+} words."""
    lines = [f"The model decides {_answer(search.label, search.probability)}. {_aim(search)}"]
    if not search.counterfactuals:
        lines.append(none_found(search))
    for part in search.counterfactuals:
        lines += ["", f"{headline(part)}:"]
        for number, text in enumerate(search.texts):
            mine = tuple(edit for edit in part.edits if edit.segment == number)
            if mine:
                lines.append("  " + _marked(difference(text, mine)))
        lines.append("  " + figures(search, part))
    lines += ["", f"{passes_spent(search)} of at most {search.budget} passes."]
    return "\n".join(lines) + "\n"


def headline(part: Counterfactual) -> str:
    """Return what a result is the best at, and whether it may be an artefact."""
    kinds = ", ".join(KIND_NAMES[kind] for kind in part.kinds)
    return kinds[:1].upper() + kinds[1:] + (" (artefact suspected)" if part.artefact else "")


def figures(search: CounterfactualList, part: Counterfactual) -> str:
    """Return a result's figures in one line: the answer, its path, fluency and what is certified."""
    path = " > ".join(f"{margin:+.1f}" for margin in part.path)
    return (
        f"{_answer(part.label, part.probability)}, margin {path}; "
        f"{len(part.edits)} edit{'s' * (len(part.edits) != 1)}, {percent(part.words_changed)} of the words; "
        f"perplexity x {part.perplexity_ratio:.2f}; {certificate(search, part)}."
    )


def certificate(search: CounterfactualList, part: Counterfactual) -> str:
    """Return what is known of smaller sets of a result's edits."""
    if part.untried:
        return "the budget ended before it was tried whether edits can be left out"
    if part.least_margin >= search.least:  # of the most robust, whose smaller sets have too little evidence
        return f"a smaller set reaches the margin, too ({part.least_margin:+.2f}), but its words say less by themselves"
    smaller = "no smaller set of these edits" if part.certified else "no set with one of these edits left out"
    told = f"{smaller} reaches the margin of {search.least:g}"
    if part.least_margin > 0:
        told += f", but a smaller set changes the decision, only by {part.least_margin:+.2f}"
    return told


def none_found(search: CounterfactualList) -> str:
    """Return the sentence that no edits were found."""
    return f"None found within {passes_spent(search)} passes. Raise the budget, or name another label."


def passes_spent(search: CounterfactualList) -> int:
    """Return the passes of a search, forward and backward."""
    return search.passes.forward + search.passes.backward


def _aim(search: CounterfactualList) -> str:
    return f"What would make it {visible(search.to)}?" if search.wanted else f"What would undo {visible(search.to)}?"


def _answer(label: str | None, probability: float | None) -> str:
    name = "no single label" if label is None else visible(label)
    return name if probability is None else f"{name} ({percent(probability)})"


def _marked(pieces: list[Piece]) -> str:
    marks = {"kept": "{}", "removed": "[-{}-]", "added": "{{+{}+}}"}
    return visible("".join(marks[kind].format(text) for kind, text in pieces)).replace("\n", " ")
