"""The registry of analyses, and codecs of their settings: neurons, cuts, texts, methods.

A new analysis is one file in this package:

    @ANALYSES.register("my_analysis")
    @dataclass(frozen=True, kw_only=True)
    class MyAnalysis(TextAnalysis[MyResult]):
        name: ClassVar[str] = "my_analysis"
        ...
        top: int = setting(10, low=1, high=100, help="How many are listed.")

        def passes(self, model, subject): ...
        def run(self, model, subject, meter=None): ...

The page, `explain ask`, `explain.ask`, records and their replay follow from that.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from explain.core.errors import SettingError
from explain.core.registry import Registry
from explain.core.settings import Codec, make, setting_values
from explain.datatypes import Cut, Neuron
from explain.methods.base import METHODS, Method
from explain.models.analysis import Analysis, ExplainedText, ModelAnalysis, TextAnalysis, VectorAnalysis

ANALYSES: Registry[type[Analysis[Any, Any]]] = Registry("analysis", "explain.analyses")

_NEURON = re.compile(r"\s*(\d{1,9})\s*[.\u00b7]\s*(\d{1,9}|all)\s*(?:@\s*(\d{1,9})\s*)?", re.ASCII | re.IGNORECASE)
_CUT = re.compile(
    r"\s*(\d{1,9}|all)\s*(?:\.\s*(\d{1,9}|all)\s*)?(?::\s*(\d{1,9}|all)\s*<-\s*(\d{1,9}|all)\s*)?",
    re.ASCII | re.IGNORECASE,
)


def read_neuron(text: str) -> Neuron:
    """Read `LAYER.NUMBER`, `LAYER.all`, or either at one token, `LAYER.NUMBER@TOKEN`; all counted from 0.

    Raises:
        ValueError: text of another form.
    """
    match = _NEURON.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} names no neuron")
    layer, number, token = match.groups()
    return Neuron(int(layer), _number(number), None if token is None else int(token))


def write_neuron(neuron: Neuron) -> str:
    """Write a neuron as `read_neuron` reads it."""
    name = f"{neuron.layer}.{_all(neuron.number)}"
    return name if neuron.token is None else f"{name}@{neuron.token}"


def read_cut(text: str) -> Cut:
    """Read `LAYER`, `LAYER.HEAD`, or one edge of them, `LAYER.HEAD:TO<-SOURCE`; `all` stands for every one.

    Raises:
        ValueError: text of another form.
    """
    match = _CUT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} names no attention weights")
    return Cut(*(None if part is None else _number(part) for part in match.groups()))


def write_cut(cut: Cut) -> str:
    """Write a cut as `read_cut` reads it."""
    place = f"{_all(cut.layer)}.{_all(cut.head)}"
    return place if cut.to is None and cut.source is None else f"{place}:{_all(cut.to)}<-{_all(cut.source)}"


def _number(text: str) -> int | None:
    return None if text.lower() == "all" else int(text)


def _all(number: int | None) -> str:
    return "all" if number is None else str(number)


def _decode_neurons(parts: Any) -> tuple[Neuron, ...]:
    return tuple(part if isinstance(part, Neuron) else read_neuron(part) for part in _listed(parts))


def _decode_cuts(sets: Any) -> tuple[tuple[Cut, ...], ...]:
    return tuple(
        tuple(part if isinstance(part, Cut) else read_cut(part) for part in _listed(cuts)) for cuts in _listed(sets)
    )


def _decode_texts(parts: Any) -> tuple[str, ...]:
    texts = tuple(_listed(parts))
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("texts are strings")
    return texts


def _decode_numbers(parts: Any) -> tuple[int, ...]:
    numbers = tuple(_listed(parts))
    if not all(type(number) is int for number in numbers):
        raise TypeError("numbers are whole")
    return numbers


def _listed(parts: Any) -> Sequence[Any]:
    if not isinstance(parts, list | tuple):
        raise TypeError("a list is expected")
    return parts


def _parse_method(text: str) -> Method:
    """Read `NAME` or `NAME(SETTING=VALUE, ...)`."""
    match = re.fullmatch(r"\s*(\w+)\s*(?:\((.*)\))?\s*", text, re.DOTALL)
    if match is None:
        raise ValueError(f"{text!r} names no method")
    pairs = [pair.partition("=") for pair in (match[2] or "").split(",") if pair.strip()]
    return make(METHODS[match[1]], {name.strip(): text.strip() for name, _, text in pairs}, parse=True)


def _decode_method(record: Any) -> Method:
    if isinstance(record, Method):
        return record
    if isinstance(record, str):
        return make(METHODS[record], {})
    return make(METHODS[record["name"]], record["settings"])


NEURONS = Codec(
    expected="neurons such as 2.308, 4.all, or 2.308@5 at token 5, with commas",
    parse=lambda text: _decode_neurons([part for part in text.split(",") if part.strip()]),
    encode=lambda neurons: [write_neuron(neuron) for neuron in neurons],
    decode=_decode_neurons,
)
CUTS = Codec(
    expected=(
        "attention weights such as 3 (a layer), 3.5 (a head), 3.5:7<-2 (an edge) or all:all<-2 (a token); '+' cuts "
        "several at once, ',' one set after the other"
    ),
    parse=lambda text: _decode_cuts([part.split("+") for part in text.split(",") if part.strip()]),
    encode=lambda sets: [[write_cut(cut) for cut in cuts] for cuts in sets],
    decode=_decode_cuts,
)
TEXTS = Codec(
    expected="texts, one a line", parse=lambda text: tuple(text.splitlines()), encode=list, decode=_decode_texts
)
NUMBERS = Codec(
    expected="whole numbers, with commas",
    parse=lambda text: tuple(int(part) for part in text.split(",") if part.strip()),
    encode=list,
    decode=_decode_numbers,
)
METHOD = Codec(
    expected="a method such as attention_rollout or attention_rollout(residual=0.5)",
    parse=_parse_method,
    encode=lambda method: {"name": method.name, "settings": setting_values(method)},
    decode=_decode_method,
)


def make_analysis(name: str, settings: Mapping[str, Any], *, parse: bool = False) -> Analysis[Any, Any]:
    """Make a registered analysis from its settings.

    Raises:
        UnknownNameError, SettingError: an analysis or a setting that does not exist, or a value out of its range.
    """
    return make(ANALYSES[name], settings, parse=parse)


__all__ = [
    "ANALYSES",
    "CUTS",
    "METHOD",
    "NEURONS",
    "NUMBERS",
    "TEXTS",
    "Analysis",
    "ExplainedText",
    "ModelAnalysis",
    "SettingError",
    "TextAnalysis",
    "VectorAnalysis",
    "make_analysis",
    "read_cut",
    "read_neuron",
    "write_cut",
    "write_neuron",
]
