"""Results in a notebook: each draws itself where it ends a cell; `explain.show(result)` draws it with options."""

from dataclasses import dataclass
from typing import Any

from explain.core.errors import SettingError
from explain.core.listing import listed
from explain.datatypes import Answer, Attribution, Report
from explain.report.record import to_json
from explain.views import scores_table
from explain.views.answers import to_text
from explain.views.base import VIEWS, Html, escape
from explain.views.document import document, stand_alone

HEIGHT = 600  # pixels of the frame
MOST_BYTES = 8_000_000  # of a page that is drawn unasked; a notebook keeps what its cells show


@dataclass(frozen=True)
class Picture:
    """Views of a result; a notebook shows it where it is the last value of a cell.

    Attributes:
        html: a page that needs no network; `str(picture.html)` can be written to a file.
        height: of the frame in a notebook, in pixels.
        text: the result as text, for viewers that remove frames, and for readers who want no picture.
    """

    html: Html
    height: int
    text: str = ""

    def _repr_html_(self) -> str:
        """Return the page in a frame, apart from the styles and scripts of the notebook, and the text below it."""
        return (
            f'<iframe srcdoc="{escape(self.html)}" sandbox="allow-scripts allow-downloads" title="Explanation" '
            f'style="width:100%;height:{self.height}px;border:0"></iframe>' + _as_text(self.text)
        )

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Write the text, where a notebook or a terminal shows no HTML."""
        printer.text(type(self).__name__ if cycle or not self.text else self.text)


def show(result: Any, view: str | None = None, *, height: int = HEIGHT, **options: Any) -> Picture:
    """Draw a result of `explain.explain`, `explain.ask` or `explain.attention`.

    Args:
        view: a name of `explain.VIEWS`; by default a report is drawn whole, and other results with all views that
            accept their type.
        height: of the frame in a notebook, in pixels.
        options: of the view, such as `layer=2` of "attention_matrix".

    Raises:
        SettingError: no view draws such a result, or not the one that is named.
        RecordError: a report that is too large for a record, which its page holds.

    >>> import explain
    >>> picture = show(explain.ask("hidden_states", "A mess."))
    >>> picture._repr_html_()[:15]
    '<iframe srcdoc='
    """
    if view is None and isinstance(result, Report):
        return Picture(document(result, _about(), record=to_json(result)), height, text_of(result))
    if view is None:
        views = [view for view in VIEWS.for_result(result) if view.alone]
    else:
        views = [VIEWS[view]] if isinstance(result, VIEWS[view].accepts) and VIEWS[view].fits(result) else []
    if not views:
        fitting = ", ".join(view.name for view in VIEWS.for_result(result))
        kind = type(result).__name__
        advice = f"These do: {fitting}." if fitting else "Results of this type have no picture."
        raise SettingError(f"No view{'' if view is None else f' {view!r}'} draws this {kind}. {advice}")
    sections = [f"<h2>{escape(view.title)}</h2>" + view.html(result, **options) for view in views]
    return Picture(stand_alone(type(result).__name__, sections), height, text_of(result))


def notebook_html(result: Any) -> str:
    """Return what a notebook shows of a result: its pictures in a frame, or its text where it has none.

    >>> import explain
    >>> notebook_html(explain.ask("key_phrases", "A mess.")).splitlines()[0]
    '<pre>KeyPhraseList'
    """
    result = result.result if isinstance(result, Answer) else result
    text = text_of(result)
    if not isinstance(result, Report) and not any(view.alone for view in VIEWS.for_result(result)):
        return f"<pre>{escape(text)}</pre>"
    picture = show(result)
    if len(picture.html.encode()) > MOST_BYTES:
        size = f"{len(picture.html.encode()) / 1e6:.0f} MB"
        return f"<pre>{escape(text)}</pre><p>Its picture takes {size}: explain.show(result) draws it.</p>"
    return picture._repr_html_()


def text_of(result: Any) -> str:
    """Return a result as a few lines: the prediction and the largest scores, or every small field."""
    result = result.result if isinstance(result, Answer) else result
    if isinstance(result, Report):
        return scores_table.to_text(result, rest="")
    if isinstance(result, Attribution):
        return "\n".join(scores_table.scores_text(result, rest=""))
    return to_text(type(result).__name__, result, rest="").rstrip()


def _as_text(text: str) -> str:
    return f"<details><summary>As text</summary><pre>{escape(text)}</pre></details>" if text else ""


def _about() -> dict[str, tuple[str, str, str]]:
    """Return title, meaning and limits of methods and analyses, by name; extensions go by their name."""
    entries = [entry for kind in ("methods", "analyses") for entry in listed(kind).values()]
    return {entry.name: (entry.title, entry.meaning, entry.limits) for entry in entries}
