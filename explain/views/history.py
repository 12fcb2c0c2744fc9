"""A history: each explanation with its decision and a small heatmap; a click opens it again."""

import datetime
from collections.abc import Mapping
from typing import Any

from explain.datatypes import HistoryEntry, HistoryList
from explain.views.base import VIEWS, View, percent, sentence, visible

MOST_READ = 200  # characters of a text that a list is searched by


class History(View):
    """A row for each explanation, with a star, a name and what can be done with it."""

    name = "history"
    title = "History"
    accepts = HistoryList
    placed = True

    def data(
        self,
        history: HistoryList,
        /,
        *,
        titles: Mapping[str, str] | None = None,
        links: bool = False,
        sends: bool = False,
        **options: Any,
    ) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            titles: the methods' titles.
            links: an entry's link can be copied.
            sends: report what is done to an entry to the page. It may add a `file` to the data, which is saved once: a
                `name`, a `content` and a `number` that no other file has.
        """
        return {
            "entries": [_entry(entry, titles or {}) for entry in history.entries],
            "paused": history.paused,
            "note": note(history),
            "file": None,
            "links": links,
            "sends": sends,
            "caption": "History",
        }


def _entry(entry: HistoryEntry, titles: Mapping[str, str]) -> dict[str, Any]:
    texts = [entry.text, *([] if entry.text_pair is None else [entry.text_pair])]
    text = visible(" \u00b7 ".join(" ".join(each[: 2 * MOST_READ].split()) for each in texts))
    decided = "" if entry.label is None else visible(entry.label)
    share = "" if entry.confidence is None else percent(entry.confidence)
    explained = "" if entry.target == entry.label else f"why {visible(entry.target)}"
    about = (entry.model, explained, titles.get(entry.method, entry.method))
    return {
        "id": entry.id,
        "title": visible(entry.title),
        "text": text if len(text) <= MOST_READ else f"{text[:MOST_READ]}\u2026",
        "decided": f"{decided} {share}".strip(),
        "about": " \u00b7 ".join(visible(part) for part in about if part),
        "time": datetime.datetime.fromtimestamp(entry.time, datetime.UTC).isoformat(timespec="seconds"),
        "starred": entry.starred,
        "signed": entry.signed,
        "words": [[visible(before), visible(word), share] for before, word, share in entry.words],
    }


def note(history: HistoryList) -> str:
    """Return where a history is kept and how long, and what of it could not be read."""
    if history.paused:
        return "No history is kept."
    count = history.unread
    files = "" if not count else "1 file there can't be read." if count == 1 else f"{count} files there can't be read."
    if history.place:
        return sentence(f"Kept on this machine, in {visible(history.place)}.", files)
    return sentence(visible(history.problem), "It ends when this tab is closed or loaded again.")


VIEWS.register("history")(History())
