"""The reference input of a method: whether it scores higher than the text, and the sum of the scores."""

from explain.datatypes import Attribution
from explain.views.base import UNITS, rounded, text_label

NEGLIGIBLE = 1e-3  # in the unit of the target: by less, nothing scores higher


def higher_reference(attribution: Attribution) -> str:
    """Return a sentence where a reference input scores higher than the text, so that scores explain a fall; else ""."""
    output = attribution.output
    if not attribution.emptied_outputs:
        start = attribution.baseline_output
        if start is None or start - output <= NEGLIGIBLE:
            return ""
        name = reference_name(attribution)
        return (
            f"{name[0].upper()}{name[1:]} scores higher ({_number(start)}) than this text ({_number(output)}): "
            "scores say what lowers it."
        )
    return " ".join(
        f"With the {name} empty the score is higher ({_number(start)}) than it is ({_number(output)}): "
        f"scores of the {name} say what lowers it."
        for name, start in zip(_names(attribution), attribution.emptied_outputs)
        if start - output > NEGLIGIBLE
    )


def reference_name(attribution: Attribution) -> str:
    """Return the name of the input that scores start from."""
    diagnostics = attribution.diagnostics
    return str(diagnostics.get("reference") or f"the empty text ({diagnostics.get('baseline', 'baseline')})")


def sums_sentence(attribution: Attribution) -> str:
    """Return a sentence on the sum of the scores and the difference it should equal; "" where there is none."""
    sums, unit, output = attribution.sums, UNITS[attribution.scale], _number(attribution.output)
    if not sums:
        return ""
    gap = abs(attribution.completeness_gap or 0.0)
    if not attribution.emptied_outputs:
        start = _number(attribution.baseline_output or 0.0)
        return (
            f"Scores add up to {_number(sums[0][0])}; the text has {output} and {reference_name(attribution)} "
            f"{start} {unit}: gap {gap:.2g}."
        )
    emptiness = attribution.diagnostics.get("baseline") or attribution.diagnostics.get("operator", "")
    of_each = "; ".join(
        f"scores of the {name} add up to {_number(total)}, from {_number(start)} with it empty to {output} {unit}"
        for name, (total, _), start in zip(_names(attribution), sums, attribution.emptied_outputs)
    )
    return f"Each text is emptied in turn ({emptiness}), the other left whole: {of_each}. Largest gap {gap:.2g}."


def _names(attribution: Attribution) -> list[str]:
    """Return the names of the texts, for use inside a sentence."""
    return [text_label(attribution.tokens, text).lower() for text in range(len(attribution.tokens.texts))]


def _number(number: float) -> str:
    return rounded(number, "+.3f")
