"""Views: a result as plain data, and one script that draws it, on the page and in a file.

A new view is one file here, and one of its name in `assets/`, which defines `draw(root, data)`.
"""

import dataclasses
import functools
import json
import unicodedata
from abc import ABC, abstractmethod
from html import escape
from pathlib import Path
from typing import Any, ClassVar, NewType

from explain.core.registry import Registry
from explain.datatypes import Prediction, Target, Tokens

Html = NewType("Html", str)

_ASSETS = Path(__file__).parent / "assets"

UNITS = {
    "log_odds": "log-odds",
    "logit": "logit",
    "probability": "of probability",
    "log_probability": "log-probability",
    "logit_difference": "difference of logits",
    "similarity": "similarity",
    "value": "of the predicted value",
    "share": "of the whole",
}


class View(ABC):
    """A way to draw results of one type.

    Pages, files and notebooks find views by the type they accept, see `Views.for_result`.

    Attributes:
        accepts: the type of results, or a base class of it.
        rank: views of one type are drawn in this order, then by name.
        alone: whether the view draws a result without options and without a page around it.
        placed: whether a page names the view and gives it a place, such as below widgets of its own. The other views
            of a type are drawn wherever a page shows a result of that type.
        drawn_by: the view whose script draws this view's data; empty where the view has a script of its own.
        uses: files of `assets` whose functions the script calls, besides `drawing.js`.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    accepts: ClassVar[type]
    rank: ClassVar[int] = 100
    alone: ClassVar[bool] = True
    placed: ClassVar[bool] = False
    drawn_by: ClassVar[str] = ""
    uses: ClassVar[tuple[str, ...]] = ()

    def fits(self, result: Any) -> bool:
        """Whether a result of the accepted type holds what this view draws."""
        return True

    @abstractmethod
    def data(self, result: Any, /, **options: Any) -> dict[str, Any]:
        """Return the result as JSON values; the browser computes only positions and colors."""

    @property
    def own_script(self) -> str:
        """JavaScript that defines `draw(root, data)` and may use `drawing.js`; by default a file of `assets`."""
        return "\n".join(map(asset, (*self.uses, f"{self.drawn_by or self.name}.js")))

    @property
    def script(self) -> str:
        """All JavaScript that the drawing needs."""
        return asset("drawing.js") + "\n" + self.own_script

    def html(self, result: Any, /, **options: Any) -> Html:
        """Return the drawing as a fragment of a stand-alone page, see `explain.views.document`."""
        record = json_for_script(self.data(result, **options))
        script = self.drawn_by or self.name
        return Html(f'<div class="view" data-view="{script}"><script type="application/json">{record}</script></div>')


class Views(Registry[View]):
    """All views, by name and by the type of results that they draw."""

    def for_type(self, kind: type) -> tuple[View, ...]:
        """Return the views that accept results of a type, in the order they are drawn."""
        accepting = [view for view in self.values() if issubclass(kind, view.accepts)]
        return tuple(sorted(accepting, key=lambda view: (view.rank, view.name)))

    def for_result(self, result: Any) -> tuple[View, ...]:
        """Return the views that draw a result, in the order they are drawn."""
        return tuple(view for view in self.for_type(type(result)) if view.fits(result))


VIEWS = Views("view", "explain.views")


@functools.cache
def asset(name: str) -> str:
    """Return a file of `assets/`."""
    return (_ASSETS / name).read_text(encoding="utf-8")


def json_for_script(content: Any) -> str:
    """Return JSON that is safe inside a script element, whatever text it holds."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def visible(text: str) -> str:
    """Return text with invisible characters, and those that reverse the line, made visible.

    Control characters become their pictures (U+2400 on), bidirectional overrides their code.
    """
    return "".join(_VISIBLE.get(character, character) for character in text)


_VISIBLE = {chr(code): chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\r\t"}
_VISIBLE |= {"\x7f": "\u2421", "\r": ""}
_VISIBLE |= {chr(code): "\ufffd" for code in range(0x80, 0xA0) if unicodedata.category(chr(code)) == "Cc"}
_VISIBLE |= {
    character: f"\u27e8U+{ord(character):04X}\u27e9"
    for character in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
}


def target_name(target: Target) -> str:
    """Return the target in words: "positive", or "positive rather than negative"."""
    return target.label if target.against is None else f"{target.label} rather than {target.against}"


def percent(probability: float) -> str:
    """Return a probability as text; only certainty is written as 0% or 100%. `percent` in drawing.js is the same.

    >>> percent(0.764), percent(0.031), percent(0.9962), percent(0.99996)
    ('76%', '3.1%', '99.6%', '>99.9%')
    """
    if 0.9995 <= probability < 1:
        return ">99.9%"
    if 0 < probability < 0.0005:
        return "<0.1%"
    fine = 0 < probability < 0.0995 or 0.995 <= probability < 1
    return f"{probability:.{1 if fine else 0}%}"


def read_at(prediction: Prediction, positions: tuple[int, ...]) -> Prediction:
    """Return the prediction at a target's positions: of several masks or words, the one that is explained."""
    of_words = prediction.output.listed_of is None  # each has a row of labels
    if len(positions) == 1 and of_words and positions[0] in prediction.output.positions:
        row = prediction.output.at(positions[0])
        best = int(row.logits[0].argmax())
        sure = None if row.probabilities is None else float(row.probabilities[0, best])
        return dataclasses.replace(prediction, outputs=(row,), label=row.labels[best], confidence=sure)
    for output in prediction.outputs:
        if output.listed_of and output.positions == positions and output.probabilities is not None:
            label, confidence = output.labels[0], float(output.probabilities[0, 0])
            return dataclasses.replace(prediction, outputs=(output,), label=label, confidence=confidence)
    return prediction


def rounded(number: float, form: str = ".2f") -> str:
    """Return a number as text, with a typographic minus."""
    return format(number, form).replace("-", "\u2212")


def text_label(tokens: Tokens, number: int) -> str:
    """Return the name of a segment, as the model's task names its texts."""
    if tokens.text_pair is None:
        return "text"
    return visible(tokens.text_names[number]) if tokens.text_names else ("first text", "second text")[number]


def sentence(*parts: str) -> str:
    """Join sentences, leaving out empty ones."""
    return " ".join(part for part in parts if part)


__all__ = [
    "UNITS",
    "VIEWS",
    "Html",
    "View",
    "Views",
    "asset",
    "escape",
    "json_for_script",
    "percent",
    "read_at",
    "rounded",
    "sentence",
    "target_name",
    "text_label",
    "visible",
]
