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

VIEWS: Registry["View"] = Registry("view", "explain.views")

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

    Attributes:
        drawn_by: the view whose script draws this view's data; empty where the view has a script of its own.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    accepts: ClassVar[type]
    drawn_by: ClassVar[str] = ""

    @abstractmethod
    def data(self, result: Any, /, **options: Any) -> dict[str, Any]:
        """Return the result as JSON values; the browser computes only positions and colors."""

    @property
    def script(self) -> str:
        """The JavaScript that defines `draw(root, data)`."""
        return asset("drawing.js") + "\n" + asset(f"{self.drawn_by or self.name}.js")

    def html(self, result: Any, /, **options: Any) -> Html:
        """Return the drawing as a fragment of a stand-alone page, see `explain.views.document`."""
        record = json_for_script(self.data(result, **options))
        return Html(
            f'<div class="view" data-view="{self.name}"><script type="application/json">{record}</script></div>'
        )


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
