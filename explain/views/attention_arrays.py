"""Attention as files: arrays for NumPy, JSON for everything else, and a picture made without a browser."""

import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from explain.datatypes import AttentionMaps, Tokens
from explain.numerics.heads import HEAD_FIGURES, head_figures
from explain.views.base import escape, visible
from explain.views.layer_graph import token_text

_LEAST = 0.002  # of full color; fainter cells are left out of a picture
_CELL = 22


def to_npz(maps: AttentionMaps) -> bytes:
    """Return a NumPy file: `weights (L, H, T, T)`, `groups`, `ids`, `pieces`, `segment`, `special`."""
    tokens = maps.tokens
    file = io.BytesIO()
    np.savez_compressed(
        file,
        weights=maps.weights,
        groups=np.array(maps.groups),
        ids=tokens.ids,
        pieces=np.array(tokens.pieces),
        segment=tokens.segment,
        special=tokens.special,
    )
    return file.getvalue()


def to_json(maps: AttentionMaps, model: str, layer: int | None = None, head: int | None = None) -> str:
    """Return JSON with the text, its tokens and `weights` (L, H, T, T), without the axis of a chosen layer or head.

    Layers and heads are counted from 0. Nine digits hold float32 exactly.
    """
    tokens = maps.tokens
    places: tuple[Any, ...] = tuple(slice(None) if place is None else place for place in (layer, head))
    weights = maps.weights[places]
    axes = ["layer"] * (layer is None) + ["head"] * (head is None) + ["looks", "is looked at"]
    record = {
        "model": model,
        "text": tokens.text,
        "text_pair": tokens.text_pair,
        "kind": maps.kind,
        "layer": layer,
        "head": head,
        "axes": axes,
        "shape": list(weights.shape),
        "tokens": token_records(tokens),
        "truncated_at": list(tokens.truncated_at),
    }
    head_of_file = json.dumps(record, ensure_ascii=False)[:-1]
    return f'{head_of_file}, "weights": {_numbers(weights)}}}\n'


def token_records(tokens: Tokens) -> list[dict[str, Any]]:
    """Return a JSON record of each token."""
    return [
        {
            "text": token_text(tokens, place),
            "piece": tokens.pieces[place],
            "id": int(tokens.ids[place]),
            "segment": int(tokens.segment[place]),
            "special": bool(tokens.special[place]),
            "span": tokens.spans[place].tolist(),
        }
        for place in range(len(tokens))
    ]


def _numbers(values: np.ndarray) -> str:
    """Return nested lists of numbers as JSON; faster than `json`, since a long text has millions."""
    if values.ndim == 1:
        return "[" + ",".join(f"{number:.9g}" for number in values.tolist()) + "]"
    return "[" + ",".join(map(_numbers, values)) + "]"


def to_text(maps: AttentionMaps, layer: int | None = None, head: int | None = None) -> str:
    """Return a table for a terminal: the statistics of each head, a line each."""
    tokens = maps.tokens
    figures = head_figures(maps.weights, tokens.special, tokens.word_of)
    lines = [
        f"{len(tokens)} tokens: {' '.join(visible(token_text(tokens, place)) for place in range(len(tokens)))}",
        "",
    ]
    lines.append("layer head" + "".join(f"{name.replace('_', ' '):>12}" for name in figures))
    for layer_number in range(maps.layers) if layer is None else [layer]:
        for head_number in range(len(maps.groups)) if head is None else [head]:
            lines.append(
                f"{layer_number:5} {head_number:4}"
                + "".join(f"{values[layer_number, head_number]:12.3f}" for values in figures.values())
            )
    lines += ["", *(f"{name.replace('_', ' ')}: {about}" for name, about in HEAD_FIGURES.items())]
    return "\n".join(lines) + "\nMeans over the tokens that look, special tokens left out.\n"


def to_svg(maps: AttentionMaps, model: str, layer: int | None = None, heads: Sequence[int] | None = None) -> str:
    """Return a matrix as SVG: rows attend to columns; layers and heads that are not chosen are averaged."""
    tokens = maps.tokens
    weights = maps.mean(heads)
    weights = weights[layer] if layer is not None else weights.mean(axis=0)
    count = len(tokens)
    cell = _CELL if count <= 64 else max(2, 1400 // count)
    named = cell >= 10
    margin = 130 if named else 12
    largest = float(weights.max(initial=0.0)) or 1.0
    size = margin + count * cell + 12
    names = [escape(visible(token_text(tokens, place))[:16]) for place in range(count)]
    which = ("all layers" if layer is None else f"layer {layer}") + ", "
    which += "mean of heads" if heads is None else f"head {', '.join(map(str, heads))}"
    caption = f"Attention of {model}: {which}; darkest is {largest:.1%} of what a token looks at; rows look"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size + 24}" '
        f'viewBox="0 0 {size} {size + 24}" font-family="system-ui, sans-serif" font-size="12">',
        f"<title>{escape(caption)}</title>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
    ]
    if named:
        for place, name in enumerate(names):
            middle = margin + place * cell + cell / 2
            parts.append(f'<text x="{margin - 6}" y="{middle + 4:.0f}" text-anchor="end">{name}</text>')
            parts.append(f'<text transform="translate({middle + 4:.0f} {margin - 6}) rotate(-60)">{name}</text>')
    for row, column in np.argwhere(weights >= _LEAST * largest).tolist():
        strength = weights[row, column] / largest
        parts.append(
            f'<rect x="{margin + column * cell}" y="{margin + row * cell}" width="{cell}" height="{cell}" '
            f'fill="#7a5cc4" fill-opacity="{strength:.3f}"/>'
        )
    side = count * cell
    parts.append(f'<rect x="{margin}" y="{margin}" width="{side}" height="{side}" fill="none" stroke="#8886"/>')
    parts.append(f'<text x="12" y="{size + 14}" fill="#555">{escape(caption)}</text></svg>\n')
    return "".join(parts)
