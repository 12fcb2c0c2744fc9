"""Results in a notebook: `explain.show(result)` draws a result with the views that accept its type."""

from dataclasses import dataclass
from typing import Any

from explain.core.errors import SettingError
from explain.datatypes import Report
from explain.views.base import VIEWS, Html, escape
from explain.views.document import document, stand_alone

HEIGHT = 600  # pixels of the frame


@dataclass(frozen=True)
class Picture:
    """Views of a result; a notebook shows it where it is the last value of a cell.

    Attributes:
        html: a page that needs no network; `str(picture.html)` can be written to a file.
        height: of the frame in a notebook, in pixels.
    """

    html: Html
    height: int

    def _repr_html_(self) -> str:
        """Return the page in a frame, apart from the styles and scripts of the notebook."""
        return (
            f'<iframe srcdoc="{escape(self.html)}" sandbox="allow-scripts allow-downloads" '
            f'style="width:100%;height:{self.height}px;border:0"></iframe>'
        )


def show(result: Any, view: str | None = None, *, height: int = HEIGHT, **options: Any) -> Picture:
    """Draw a result of `explain.explain`, `explain.ask` or `explain.attention`.

    Args:
        view: a name of `explain.VIEWS`; by default a report is drawn whole, and other results with all views that
            accept their type.
        height: of the frame in a notebook, in pixels.
        options: of the view, such as `layer=2` of "attention_matrix".

    Raises:
        SettingError: no view draws such a result, or not the one that is named.

    >>> import explain
    >>> picture = show(explain.ask("hidden_states", "A mess."))
    >>> picture._repr_html_()[:15]
    '<iframe srcdoc='
    """
    if view is None and isinstance(result, Report):
        return Picture(document(result, {}), height)
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
    return Picture(stand_alone(type(result).__name__, sections), height)
