"""The words of one row of a run, drawn from what the run keeps: nothing is computed."""

from collections.abc import Collection, Mapping
from typing import Any

from explain.views.base import UNITS, visible

VIEW = "token_heatmap"  # draws what `row_words` returns


def row_words(
    row: Mapping[str, Any], method: str, title: str, *, marked: str = "", forms: Collection[str] = ()
) -> dict[str, Any] | None:
    """Return the drawing of a row's words with a method's scores, for the view `VIEW`; None without scores.

    Args:
        row: a row of a run, with its texts.
        method: the method's name; title: its title.
        marked: a word that is outlined wherever it stands, without regard to case; forms: others, as they are written.
    """
    scores, words = row.get(f"scores_{method}"), row.get("words")
    if scores is None or words is None:
        return None
    errors = row.get(f"errors_{method}") or [None] * len(words)
    order = sorted(range(len(words)), key=lambda place: -abs(scores[place] or 0.0))
    rank = {place: number for number, place in enumerate(order, 1)}
    texts = []
    for number, text in enumerate(filter(None, (row["text"], row["text_pair"]))):
        at, drawn = 0, []
        for place in (place for place, segment in enumerate(row["segments"]) if segment == number):
            start, stop = row["starts"][place], row["stops"][place]
            drawn.append(
                {
                    "text": visible(text[start:stop]),
                    "score": scores[place] or 0.0,
                    "error": errors[place],
                    "rank": rank[place],
                    "tokens": [],
                    "parts": [],
                    "special": False,
                    "asked": bool(marked) and (words[place].casefold() == marked.casefold() or words[place] in forms),
                    "gap": visible(text[at:start]) if start > at else "",
                }
            )
            at = max(at, stop)
        label = "" if row["text_pair"] is None else ("first text", "second text")[number]
        texts.append({"label": label, "before": "", "units": drawn, "tail": visible(text[at:]), "unread": ""})
    unit = UNITS[row["scale"]]
    return {
        "title": title,
        "method": method,
        "group": "row",
        "scale": row["scale"],
        "unit": unit,
        "signed": any((score or 0.0) < 0 for score in scores),
        "largest": max((abs(score or 0.0) for score in scores), default=0.0),
        "count": len(words),
        "for": f"for {visible(row['target'])}",
        "against": "against",
        "asked": f"“{visible(marked)}”" if marked else "",
        "texts": texts,
        "caption": f"{title}, {unit}, target: {visible(row['target'])}",
        "lead": "",
        "note": "",
    }
