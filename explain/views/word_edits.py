"""Edits of one word: each with what the model decides then; a click makes the edit."""

from typing import Any

from explain.datatypes import TextEdit, WordEdit, WordEditList
from explain.views.base import VIEWS, View, percent, visible


class WordEditRows(View):
    """A row for each edit of a word, with the decision after it."""

    name = "word_edits"
    title = "Try instead"
    accepts = WordEditList

    def data(self, tried: WordEditList, /, *, sends: bool = False, **options: Any) -> dict[str, Any]:
        """Prepare a drawing; with `sends` a click sends the edited texts."""
        return {
            "word": visible(tried.text),
            "rows": [
                {
                    "operation": part.edit.operation,
                    "name": _name(part.edit),
                    **_answer(part),
                    "flips": (part.label, part.labels) != (tried.label, tried.labels),
                    "texts": list(part.texts),
                }
                for part in tried.edits
            ],
            "sends": sends,
            "caption": f"Edits of the word {visible(tried.text)}",
        }


def _name(edit: TextEdit) -> str:
    if edit.operation == "delete":
        return "remove"
    return f"{visible(edit.after)} \u2026" if edit.operation == "insert" else visible(edit.after)


def _answer(part: WordEdit) -> dict[str, str]:
    """Return what is decided: a label with its share, or labels that are decided each alone."""
    name = ", ".join(part.labels) if part.label is None else part.label
    return {
        "label": visible(name or "no label"),
        "percent": "" if part.confidence is None else percent(part.confidence),
    }


VIEWS.register("word_edits")(WordEditRows())
