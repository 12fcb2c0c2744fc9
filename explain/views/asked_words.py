"""The words that a target is read at: no method removes them, so what they carry alone is said before the scores."""

from collections.abc import Sequence

from explain.datatypes import Report, Target, Tokens
from explain.views.base import UNITS, rounded, visible


def is_asked(tokens: Tokens, target: Target, unit: Sequence[int]) -> bool:
    """Return whether a unit holds a word that the target is read at; a classification token is no word."""
    return any(token in target.protected and not tokens.special[token] for token in unit)


def asked_label(target: Target) -> str:
    """Return what is written beside such a word in a drawing and in a list."""
    return "answer" if target.task == "question_answering" else "asked"


def quoted(tokens: Tokens, target: Target) -> str:
    """Return the words that the target is read at, in quotes; empty where there are none."""
    stretches: list[list[int]] = []
    for token in target.protected:
        if tokens.special[token]:
            continue
        if stretches and token == stretches[-1][-1] + 1:
            stretches[-1].append(token)
        else:
            stretches.append([token])
    return " and ".join(f"\u201c{visible(text)}\u201d" for text in map(tokens.unit_text, stretches))


def context_sentence(report: Report) -> str:
    """Return how much of the target is there with the asked words alone; empty where none is read, or not computed.

    The figures are `report.empty_text.value` and the attributions' `output`, in the unit of the target.
    """
    words = quoted(report.prediction.tokens, report.target)
    if not words or report.empty_text is None or not report.attributions:
        return ""
    unit = UNITS[report.target.scale].removeprefix("of ")
    alone, whole = report.empty_text.value, report.attributions[0].output
    around = _number(whole - alone)
    if alone * whole >= 0 and abs(alone) <= abs(whole):
        return (
            f"{_number(alone)} of {_number(whole)} {unit} are there with {words} alone; "
            f"the words around explain {around}."
        )
    return (
        f"With {words} alone there are {_number(alone)} {unit}, with the whole text {_number(whole)}: "
        f"the words around explain {around}."
    )


def _number(number: float) -> str:
    return rounded(number, "+.2f")
