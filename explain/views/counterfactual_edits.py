"""Counterfactual edits: the text with what is removed and added, and the answer's path from edit to edit."""

from typing import Any

from explain.datatypes import Counterfactual, CounterfactualList
from explain.views.base import VIEWS, View, percent, rounded, visible
from explain.views.counterfactual_lines import (
    certificate,
    difference,
    headline,
    none_found,
    passes_spent,
)

MARGIN = (
    "Numbers are margins in log-odds, divided by the temperature if there is one: above 0 the model decides otherwise."
)


class CounterfactualEdits(View):
    """Each result as a text with its edits, and the answer before and after."""

    name = "counterfactual_edits"
    title = "Edits that change the decision"
    accepts = CounterfactualList

    def data(self, search: CounterfactualList, /, **options: Any) -> dict[str, Any]:
        """Prepare a drawing."""
        spent = f"{passes_spent(search)} of at most {search.budget} passes."
        return {
            "before": _answer(search.label, search.probability),
            "aim": f"{'to' if search.wanted else 'away from'} {visible(search.to)}",
            "parts": [_part(search, part) for part in search.counterfactuals],
            "none": "" if search.counterfactuals else none_found(search),
            "note": f"{MARGIN} {spent}",
            "caption": self.title,
        }


def _part(search: CounterfactualList, part: Counterfactual) -> dict[str, Any]:
    """Return one result: its pieces by text, its answer, and its figures."""
    texts = []
    for number, text in enumerate(search.texts):
        mine = tuple(edit for edit in part.edits if edit.segment == number)
        texts.append([{"kind": kind, "text": visible(piece)} for kind, piece in difference(text, mine)])
    return {
        "title": headline(part),
        "artefact": part.artefact,
        "texts": texts,
        "after": _answer(part.label, part.probability),
        "path": [rounded(margin, "+.1f") for margin in part.path],
        "figures": f"{percent(part.words_changed)} of the words; perplexity \u00d7 {part.perplexity_ratio:.2f}; "
        f"{certificate(search, part)}.",
    }


def _answer(label: str | None, probability: float | None) -> str:
    name = "no single label" if label is None else visible(label)
    return name if probability is None else f"{name} {percent(probability)}"


VIEWS.register("counterfactual_edits")(CounterfactualEdits())
