"""BertViz: attention head by head, in the three views of the package bertviz.

Vig (2019), A Multiscale Visualization of Attention in the Transformer Model, https://arxiv.org/abs/1906.05714.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from explain.core.errors import SettingError
from explain.core.registry import unknown
from explain.datatypes import AttentionMaps, AttentionVectors, FloatArray
from explain.views import bertviz_page
from explain.views.base import VIEWS, View, sentence, text_label, visible
from explain.views.bertviz_page import FEWEST_COLUMNS, thousandths
from explain.views.layer_graph import token_text

# Tokens drawn at most, so that a browser stays quick: of models of up to 6 layers of 12 heads; of larger ones fewer.
MOST_TOKENS = {"head": 64, "model": 32, "neuron": 64}
MOST_TOKENS_OF_ONE_LAYER = 128  # in the head view
LAYERS, HEADS = 6, 12

_HOW = {
    "head": (
        "Lines run from the token that looks (left) to the token looked at (right), one color for each head. A line is "
        "as opaque as its weight, the share of the left token's attention. Weights under 4% (where fewer than four "
        "heads are shown, under 1% for each) appear only for the token you point at. A click on a square hides a head, "
        "two clicks show it alone."
    ),
    "model": (
        "Every head of every layer, lines from the token that looks (left) to the token looked at (right). A line is "
        "as opaque as its weight, the share of the left token's attention. A click on a head makes it large."
    ),
    "neuron": (
        "Lines run from the token that looks (left) to the token looked at (right), as opaque as their weight, the "
        "share of the left token's attention. Point at a token and click its plus sign to see what its weights come "
        "from: its query, every key, their products (blue above zero, orange below), the sum of these divided by the "
        "square root of the head's width, and the softmax of that."
    ),
}
_NOT_ALL = "In this model that is not all: positions have terms of their own, or some tokens are left out."
_ALWAYS = (
    "Layers and heads are counted from 0. Drawn by BertViz, with values to three decimals. "
    "Attention says where a layer reads, not what it does with it."
)


class BertViz(View):
    """The head view, model view and neuron view of bertviz."""

    name = "bertviz"
    title = "BertViz"
    accepts = AttentionMaps
    alone = False  # a large page of its own
    placed = True

    def data(
        self,
        maps: AttentionMaps,
        /,
        *,
        which: str = "head",
        layers: Sequence[int] | None = None,
        layer: int | None = None,
        head: int | None = None,
        vectors: AttentionVectors | None = None,
        dark: bool | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            which: "head", "model" or "neuron".
            layers: which are drawn, from zero; by default all.
            layer, head: shown at first by the head view and the neuron view, from zero.
            vectors: queries and keys of the same text; the neuron view needs them.
            dark: on a dark ground; by default like the page it stands on.

        Raises:
            SettingError: no such view, layer or head, or a neuron view without vectors that fit.
            ExplainError: bertviz is not the version this was made for.
        """
        drawn = list(range(maps.layers)) if layers is None else sorted(set(layers))
        heads = len(maps.groups)
        if which not in MOST_TOKENS:
            raise SettingError(unknown("view of BertViz", which, list(MOST_TOKENS)))
        _check("layers", drawn or [None], range(maps.layers))
        _check("layer", [layer], [None, *drawn])
        _check("head", [head], [None, *range(heads)])
        count = min(len(maps.tokens), most_tokens(which, len(drawn), heads))
        weights = maps.weights[drawn, :, :count, :count]
        second = _second_text(maps, count)
        first = None if layer is None else drawn.index(layer)
        remark = ""
        if which == "head":
            made = bertviz_page.head_view(thousandths(weights), second, first, head)
        elif which == "model":
            made = bertviz_page.model_view(thousandths(weights), second)
        else:
            queries, keys = (part[drawn, :, :count] for part in _fitting(vectors, maps))
            made = bertviz_page.neuron_view(
                thousandths(weights), thousandths(queries), thousandths(keys), second, first, head
            )
            remark = _NOT_ALL if _more_than_products(queries, keys, weights) else ""
        cut = count < len(maps.tokens)
        shown = f"the first {count} of {len(maps.tokens)} tokens" if cut else _number(count, "token")
        about = {
            "which": which,
            "layers": drawn,
            "heads": list(maps.groups),
            "caption": f"BertViz, {which} view of {_kind(maps)}; {shown}",
        }
        texts = [visible(token_text(maps.tokens, token)) for token in range(count)]
        size = f"{_number(len(drawn), 'layer')} and {_number(heads, 'head')}"
        return {
            "page": bertviz_page.stand_alone(made, texts, second, about),
            "height": _height(which, count, len(drawn), heads),
            "dark": dark,
            "drawn": count,
            "tokens": len(maps.tokens),
            "summary": f"BertViz, {which} view of {shown}, {size}",
            "note": sentence(_HOW[which], remark, _limits(which, maps, len(drawn), count, second), _ALWAYS),
        }


def most_tokens(which: str, layers: int, heads: int) -> int:
    """Return the most tokens that a view draws; fewer for larger models, so that the number of lines is bounded."""
    most, usual = MOST_TOKENS[which], LAYERS * HEADS
    if which == "head" and layers == 1:
        most, usual = MOST_TOKENS_OF_ONE_LAYER, HEADS
    return int(most * min(1.0, math.sqrt(usual / (layers * heads))))


def _check(name: str, numbers: Sequence[int | None], known: Sequence[int | None]) -> None:
    for number in numbers:
        if number not in known:
            choices = ", ".join(str(known_number) for known_number in known if known_number is not None)
            raise SettingError(f"There is no {name.removesuffix('s')} {number} to draw; there is: {choices}.")


def _second_text(maps: AttentionMaps, count: int) -> int | None:
    """Return the first token of a pair's second text, if it is among the first `count`."""
    second = np.flatnonzero(maps.tokens.segment[:count])
    return int(second[0]) if len(second) else None


def _fitting(vectors: AttentionVectors | None, maps: AttentionMaps) -> tuple[FloatArray, FloatArray]:
    """Return queries and keys after checking that they belong to these maps."""
    if vectors is None:
        raise SettingError(
            "The neuron view draws queries and keys: hand them over as `vectors`, or choose another view."
        )
    if vectors.tokens.key != maps.tokens.key or vectors.queries.shape[:2] != maps.weights.shape[:2]:
        raise SettingError(
            "These queries and keys are of another text or model than the attention: ask for both at once."
        )
    return vectors.queries, vectors.keys


def _more_than_products(queries: FloatArray, keys: FloatArray, weights: FloatArray) -> bool:
    """Whether weights (L, H, T, T) differ from the softmax of products of queries and keys (L, H, T, d).

    For a text that is cut only proportions are known, so proportions are compared.
    """
    scores = queries @ keys.swapaxes(-1, -2) / math.sqrt(queries.shape[-1])
    softmax = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares = weights / np.maximum(weights.sum(axis=-1, keepdims=True), 1e-9)
    return not np.allclose(softmax / softmax.sum(axis=-1, keepdims=True), shares, atol=0.01)


def _height(which: str, tokens: int, layers: int, heads: int) -> int:
    """Return the initial height in pixels, by bertviz's measures; the frame reports its true height after drawing."""
    if which == "model":
        row = 84 * tokens / max(heads, FEWEST_COLUMNS) + 10
        return round(max(38 + layers * row, 55 + 18 * tokens)) + 20
    return round(22.5 * tokens) + 75 if which == "head" else 26 * tokens + 140


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _kind(maps: AttentionMaps) -> str:
    return "attention weights" if maps.kind == "attention" else maps.kind.replace("_", " ")


def _limits(which: str, maps: AttentionMaps, layers: int, count: int, second: int | None) -> str:
    """Return a note on the part of the text that is drawn, and where its two texts meet."""
    cut = more = pair = ""
    if count < len(maps.tokens):
        cut = (
            f"The first {count} of {len(maps.tokens)} tokens are drawn: a browser bears no more. Their weights are the "
            "true ones; what they give to the other tokens is not shown."
        )
        if which == "head" and layers > 1:
            more = f"A single layer is drawn with up to {most_tokens(which, 1, len(maps.groups))} tokens."
    if maps.tokens.text_pair is not None:
        called = text_label(maps.tokens, 1).lower()
        pair = (
            f"No token of the {called} is among them."
            if second is None
            else f"Sentence B is the {called} with the separator at its end, sentence A all that comes before."
        )
    return sentence(cut, more, pair)


VIEWS.register("bertviz")(BertViz())
