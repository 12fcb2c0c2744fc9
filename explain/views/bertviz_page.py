"""The page that bertviz draws, changed so that it needs no network and no token can do harm.

What bertviz makes fetches its libraries from elsewhere and holds tokens as they are. Here it is given blanks for
tokens; their texts are put in afterwards, escaped. The libraries come from `assets/vendor`, and the page allows no
script but its own. Numbers are handed over as whole thousandths: exact to 5e-4, and a third of the size.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np

from explain.core.errors import ExplainError
from explain.datatypes import FloatArray, IntArray
from explain.views.base import asset, json_for_script

FEWEST_COLUMNS = 8  # the model view's heads share its width; a few would be as large as a screen

# What bertviz returns: a loader, the markup, and one script or two.
_PARTS = re.compile(
    r'<script src="[^"]*/require\.min\.js"></script>(?P<markup>.*?)'
    r'<script type="text/javascript">(?P<code>.*)</script>',
    re.DOTALL,
)
_NEXT_SCRIPT = re.compile(r'</script>\s*<script type="text/javascript">')
_PARAMETERS = re.compile(r"(?:const params|window\.bertviz_params) = (?=\{)")
_IDENTIFIER = re.compile(r"bertviz-[0-9a-f]{32}")


def thousandths(values: FloatArray) -> IntArray:
    return np.rint(values.astype(np.float64) * 1000).astype(np.int64)


# bertviz imports torch, so it is imported only when somebody looks.


def head_view(weights: IntArray, second: int | None, layer: int | None, head: int | None) -> str:
    """Draw weights (L, H, T, T); `second` is the first token of the second text; `layer` and `head` are shown first."""
    import bertviz
    import torch

    page = bertviz.head_view(
        list(torch.from_numpy(weights)[:, None]),  # L times (1, H, T, T)
        [""] * weights.shape[-1],
        sentence_b_start=second,
        layer=layer,
        heads=None if head is None else [head],
        html_action="return",
    )
    return str(page.data)


def model_view(weights: IntArray, second: int | None) -> str:
    """Draw weights (L, H, T, T); `second` is the first token of a pair's second text."""
    import bertviz
    import torch

    attention = list(torch.from_numpy(weights)[:, None])  # L times (1, H, T, T)
    page = bertviz.model_view(attention, [""] * weights.shape[-1], sentence_b_start=second, html_action="return")
    return str(page.data)


def neuron_view(
    weights: IntArray, queries: IntArray, keys: IntArray, second: int | None, layer: int | None, head: int | None
) -> str:
    """Draw weights (L, H, T, T), queries and keys (L, H, T, d); the rest as in the head view.

    bertviz asks a model and a tokenizer of its own kind; two stand-ins answer with what is already known.
    """
    import bertviz.neuron_view

    count = weights.shape[-1]
    first = count if second is None else second
    # It puts a special token on both sides of the first text, and one after the second.
    blanks = {"first": [""] * (first - 2), "second": [""] * (count - first - 1)}
    tokenizer = SimpleNamespace(
        cls_token="", sep_token="", tokenize=blanks.__getitem__, convert_tokens_to_ids=lambda tokens: [0] * len(tokens)
    )
    known = [
        {"attn": attention[None], "queries": query[None], "keys": key[None]}
        for attention, query, key in zip(weights, queries, keys)
    ]
    pair = None if second is None else "second"
    page = bertviz.neuron_view.show(
        _Answers(known), "bert", tokenizer, "first", pair, layer=layer, head=head, html_action="return"
    )
    return str(page.data)


class _Answers:
    """A stand-in for the model that bertviz expects."""

    def __init__(self, known: list[dict[str, IntArray]]) -> None:
        self._known = known

    def eval(self) -> None:
        pass

    def __call__(self, ids: Any, **more: Any) -> tuple[list[dict[str, IntArray]]]:
        return (self._known,)


def stand_alone(made: str, texts: list[str], second: int | None, about: dict[str, Any]) -> str:
    """Return a stand-alone page, the same for the same data.

    Args:
        made: what bertviz returned.
        texts (T): what the tokens are called.
        second: as above.
        about: parameters of the page's own script: "which" view, names of "layers" and "heads", a "caption".

    Raises:
        ExplainError: bertviz returned something else than the version this was made for.
    """
    parts = _PARTS.fullmatch(made.strip())
    start = _PARAMETERS.search(parts["code"]) if parts else None
    if parts is None or start is None or made.count("<script src=") != 1:
        raise ExplainError("This bertviz is not the version that requirements.txt names: install that one.")
    code = parts["code"]
    parameters, length = json.JSONDecoder().raw_decode(code[start.end() :])
    _put_in(parameters, texts, second, about)
    rest = code.find("\n", start.end() + length)  # what remains of the line is a comment that holds it all once more
    code = f"{code[: start.end()]}unpacked({json_for_script(parameters)});{code[rest:]}"
    scripts = (
        asset("vendor/d3.min.js"),
        asset("vendor/jquery.slim.min.js"),
        asset("drawing.js"),
        f"const about = {json_for_script(about)};\n{asset('bertviz_frame.js')}",
        _NEXT_SCRIPT.sub("\n", code),
        "finish();",
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(scripts)}">'
        f"<title>BertViz</title><style>{asset('views.css')}{asset('bertviz_frame.css')}</style></head>"
        f'<body class="view">{_IDENTIFIER.sub("bertviz", parts["markup"])}'
        + "".join(f"<script>{script}</script>" for script in scripts)
        + "</body></html>"
    )


def _put_in(parameters: dict[str, Any], texts: list[str], second: int | None, about: dict[str, Any]) -> None:
    """Add the tokens' texts and the names of layers and heads to bertviz's parameters, in place."""
    sides = {"a": texts[:second], "b": texts[second:] if second else []}
    for name, part in _named_parts(parameters["attention"]):
        left, right = (texts, texts) if name == "all" else (sides[name[0]], sides[name[1]])
        part["left_text"], part["right_text"] = left, right
    parameters["root_div_id"] = "bertviz"  # bertviz chooses it at random
    if "include_layers" in parameters:
        parameters["include_layers"] = about["layers"]
        if parameters.get("layer") is not None:
            parameters["layer"] = about["layers"][parameters["layer"]]
    if "include_heads" in parameters:
        parameters["include_heads"] = about["heads"]
        parameters["total_heads"] = max(parameters["total_heads"], FEWEST_COLUMNS)


def _named_parts(attention: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the parts of the attention by name: "all", and for a pair "aa", "ab" and so on."""
    if isinstance(attention, dict):
        yield from attention.items()
    else:
        for part in attention:
            yield re.sub("Sentence | -> ", "", part["name"] or "all").lower(), part


def _policy(scripts: tuple[str, ...]) -> str:
    """Return a content security policy that allows these scripts and no request."""
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:"
