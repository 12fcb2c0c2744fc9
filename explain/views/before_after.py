"""Before and after: the answer to a text before an edit and after it, and what the edit did to each word's score."""

from collections.abc import Mapping
from typing import Any

from explain.datatypes import Comparison, Prediction, Target
from explain.views.base import VIEWS, View, target_name, visible
from explain.views.compare import alignment_note, compared
from explain.views.hero import answer


class BeforeAfter(View):
    """The answer before and after, and under each word of both texts a bar for the difference of its scores."""

    name = "before_after"
    title = "Before and after"
    accepts = Comparison
    placed = True
    uses = ("compared_words.js",)

    def data(
        self,
        comparison: Comparison,
        /,
        *,
        method: str = "",
        titles: Mapping[str, str] | None = None,
        sends: bool = False,
        **options: Any,
    ) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            method: whose scores are compared; by default the first one's.
            titles: of methods, by name.
            sends: a click on the cross is sent.
        """
        a, b = comparison.report_a, comparison.report_b
        answers = answers_of((a.prediction, a.target), (b.prediction, b.target), sends=sends)
        return answers | {"words": moved_words(comparison, method or comparison.scores[0].method, titles or {})}


def answers_of(
    before: tuple[Prediction, Target | None],
    after: tuple[Prediction, Target | None],
    *,
    sends: bool = False,
    note: str = "",
) -> dict[str, Any]:
    """Return the data of a drawing without words: the answer before and after, as the head of a page says it.

    Args:
        note: why there are no words.
    """
    texts = [_answer_text(*side) for side in (before, after)]
    flips = (before[0].label, before[0].labels) != (after[0].label, after[0].labels)
    return {
        "before": texts[0],
        "after": texts[1],
        "flips": flips,
        "words": None,
        "note": note,
        "sends": sends,
        "caption": f"Before the edit: {texts[0]}; after it: {texts[1]}",
    }


def moved_words(comparison: Comparison, method: str, titles: Mapping[str, str]) -> dict[str, Any]:
    """Return the rows of words of one method, with what the differences are of."""
    scores = comparison.of_method(method)
    rows = compared(comparison, scores, titles.get(method, method))
    return rows | {"target": visible(target_name(comparison.report_b.target)), "about": alignment_note(comparison)}


def _answer_text(prediction: Prediction, target: Target | None) -> str:
    decision = answer(prediction, target)
    parts = () if decision is None else (decision["before"], decision["label"], decision["after"])
    return " ".join(part for part in parts if part)


VIEWS.register("before_after")(BeforeAfter())
