"""Margin sentence: the decision margin in words."""

from typing import Any

from explain.views.base import VIEWS, View, rounded
from explain_example.decision_margin import Margin


class MarginSentence(View):
    """A sentence with the margin."""

    name = "margin_sentence"
    title = "Decision margin"
    accepts = Margin
    own_script = (
        "function draw(root, data) { const line = document.createElement('p'); "
        "line.textContent = data.text; root.replaceChildren(line); }"
    )

    def data(self, result: Margin, **options: Any) -> dict[str, Any]:
        return {"text": f"The margin is {rounded(result.value, '+.2f')}."}


MARGIN_SENTENCE = VIEWS.register("margin_sentence")(MarginSentence())
