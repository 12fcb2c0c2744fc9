"""Pictures of many texts, as plotly figures: a map of points, and a matrix of cosines.

What a browser is given is bounded: at most 3,000 points, each with the beginning of its text. Texts are escaped, since
plotly reads markup in them.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explain.datatypes import FloatArray, IntArray, TextClusters, TextMap, TextMatrix
from explain.views.scores_table import shortened

MOST_POINTS = 3000
MOST_GROUPS = 10  # told apart by color and shape; what is left is one more, gray
_SHOWN = 160  # characters of a text
_NAMED = 40  # texts of a matrix, or of a map, whose beginnings stand beside them
# After Okabe and Ito (2008): told apart by most readers who see colors otherwise; shapes tell them apart without color.
# Their blue is lighter here, for dark pages.
_COLORS = ("#1a80c2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a800", "#7a68c8", "#8c5a2b", "#5f7f3f")
_SHAPES = ("circle", "square", "diamond", "triangle-up", "x", "cross", "star", "pentagon", "hexagon", "triangle-down")
_GRAY = "#888888"
_PIXELS = (600, 400)  # of a map without its margins, on a screen between wide and narrow
_LETTERS = 10  # pixels, the names on a map
_PLAIN = {"zeroline": False, "showgrid": False, "showticklabels": False}


@dataclass(frozen=True, eq=False)
class Coloring:
    """What the color of a point says.

    Attributes:
        name: in words ("cluster").
        values: of every text, by its number: what group it is in, or how much it has of something.
    """

    name: str
    values: Sequence[str] | IntArray

    @property
    def groups(self) -> bool:
        return not isinstance(self.values, np.ndarray)


def map_figure(
    result: TextMap,
    texts: Sequence[str],
    rows: Sequence[int],
    coloring: Coloring | None = None,
    picked: Sequence[int] = (),
) -> go.Figure:
    """A point for each text of a map, or for some of them drawn evenly.

    Args:
        texts, rows: of all texts, by their number.
        picked: numbers of texts that are ringed, and always have a point if the map has one.

    Returns:
        A figure; a point's `customdata` holds the text's number first.
    """
    shown = points_shown(result, picked)
    figure = go.Figure()
    if coloring is not None and not coloring.groups:
        figure.add_trace(_scale(result, shown, texts, rows, coloring))
    else:
        for name, places, style in _groups(result, shown, coloring):
            figure.add_trace(_points(result, places, texts, rows, name=name, marker=style))
    ringed = [place for place in shown if result.members[place] in set(picked)]
    if ringed:
        ring = {"symbol": "circle-open", "size": 17, "line": {"width": 3}, "color": _GRAY}
        figure.add_trace(_points(result, np.array(ringed), texts, rows, name="picked", marker=ring))
    names = _axes(result)
    # Ranges of the points alone: names beside them would shrink a map on a narrow screen to a spot.
    ends = [[low - 0.12 * (high - low), high + 0.12 * (high - low)] for low, high in _extents(result)]
    figure.update_layout(
        xaxis={"title": names[0], "range": ends[0], **_PLAIN},
        # The plane of PCA has one scale; the axes of UMAP have none.
        yaxis={
            "title": names[1],
            "range": ends[1],
            **_PLAIN,
            **({} if result.explained is None else {"scaleanchor": "x"}),
        },
        # Below: beside the map it would take half of a narrow screen.
        legend={
            "title": {"text": "" if coloring is None else _unmarked(coloring.name)},
            "itemsizing": "constant",
            "orientation": "h",
            "yref": "container",
            "yanchor": "bottom",
            "y": 0,
        },
        annotations=_names(result, texts) if len(result.members) <= _NAMED else [],
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        height=520,
        dragmode="pan",
        clickmode="event+select",
    )
    return figure


def _extents(result: TextMap) -> list[tuple[float, float]]:
    """From where to where the points lie along each axis; around one place where they are all there."""
    found = []
    for low, high in zip(result.points.min(axis=0).tolist(), result.points.max(axis=0).tolist()):
        found.append((low, high) if high > low else (low - 1.0, high + 1.0))
    return found


def points_shown(result: TextMap, picked: Sequence[int] = ()) -> IntArray:
    """Places of the texts that have a point: all, or 3,000 drawn evenly and those picked."""
    count = len(result.members)
    if count <= MOST_POINTS:
        return np.arange(count)
    drawn = np.random.default_rng(0).choice(count, size=MOST_POINTS, replace=False)
    return np.union1d(drawn, np.flatnonzero(np.isin(result.members, list(picked))))


def _groups(result: TextMap, shown: IntArray, coloring: Coloring | None) -> list[tuple[str, IntArray, dict[str, Any]]]:
    """Name, places and look of each group, the largest first; all that are too many are one."""
    if coloring is None:
        return [("texts", shown, {"color": _COLORS[0], "size": 7, "opacity": 0.8})]
    values = [coloring.values[member] for member in result.members[shown].tolist()]
    counts = {value: values.count(value) for value in dict.fromkeys(values)}
    names = sorted(counts, key=lambda value: (-counts[value], value))
    looks = dict(zip(names[:MOST_GROUPS], zip(_COLORS, _SHAPES)))
    found = []
    for name, (color, shape) in looks.items():
        places = shown[[value == name for value in values]]
        found.append((str(name) or "(none)", places, {"color": color, "symbol": shape, "size": 8, "opacity": 0.85}))
    if len(names) > MOST_GROUPS:
        places = shown[[value not in looks for value in values]]
        title = f"{len(names) - MOST_GROUPS} others"
        found.append((title, places, {"color": _GRAY, "symbol": "circle", "size": 5, "opacity": 0.6}))
    return found


def _scale(
    result: TextMap, shown: IntArray, texts: Sequence[str], rows: Sequence[int], coloring: Coloring
) -> go.Scatter:
    values = np.asarray(coloring.values)[result.members[shown]]
    marker = {
        "color": values,
        "colorscale": "Viridis",
        "size": 7,
        "opacity": 0.85,
        "colorbar": {"title": {"text": _unmarked(coloring.name)}, "thickness": 12},
    }
    return _points(result, shown, texts, rows, name=coloring.name, marker=marker, showlegend=False)


def _points(
    result: TextMap, places: IntArray, texts: Sequence[str], rows: Sequence[int], name: str, **look: object
) -> go.Scatter:
    members = result.members[places].tolist()
    return go.Scatter(  # not scattergl: without WebGL it stays blank
        x=result.points[places, 0],
        y=result.points[places, 1],
        mode="markers",
        name=_unmarked(shortened(name, 30)),
        customdata=[[member, rows[member], hover_text(texts[member])] for member in members],
        hovertemplate="row %{customdata[1]}<br>%{customdata[2]}<extra>%{fullData.name}</extra>",
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 0.85}},
        **look,
    )


def _names(result: TextMap, texts: Sequence[str]) -> list[dict[str, Any]]:
    """The beginnings of texts beside their points, where they cover nothing; hovering shows the others.

    Annotations and not a trace: these are in no legend, and no click meets them.
    """
    extent = np.ptp(result.points, axis=0)
    scale = np.array(_PIXELS) / np.where(extent > 0, extent, 1.0)
    points = result.points * (scale if result.explained is None else scale.min())  # PCA's axes share one scale
    taken = [(x - 5, y - 5, x + 5, y + 5) for x, y in points.tolist()]
    found = []
    for member, place, (x, y) in zip(result.members.tolist(), result.points.tolist(), points.tolist()):
        name = shortened(texts[member], 24)
        wide, high = 0.56 * _LETTERS * len(name), 1.2 * _LETTERS
        for right, up in ((0, 1), (0, -1), (1, 0), (-1, 0)):  # above, below, beside
            left, low = x + right * (8 + wide / 2) - wide / 2, y + up * (7 + high / 2) - high / 2
            box = (left, low, left + wide, low + high)
            if not any(_overlap(box, other) for other in taken):
                taken.append(box)
                anchors = {"xanchor": ("center", "left", "right")[right], "yanchor": ("middle", "bottom", "top")[up]}
                look = {"showarrow": False, "borderpad": 0, "font": {"size": _LETTERS}}
                shift = {"xshift": 8 * right, "yshift": 5 * up}
                found.append({"x": place[0], "y": place[1], "text": _unmarked(name), **anchors, **shift, **look})
                break
    return found


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def hover_text(text: str, width: int = 60) -> str:
    """The beginning of a text in short lines, its markup escaped."""
    lines = textwrap.wrap(shortened(text, _SHOWN), width) or [""]
    return "<br>".join(_unmarked(line) for line in lines)


def _unmarked(text: str) -> str:
    """Text that plotly shows as it is: it reads the few entities it needs for that, and `&quot;` is none of them."""
    return escape(text, quote=False)


def _axes(result: TextMap) -> tuple[str, str]:
    if result.explained is None:
        return "UMAP 1 (no unit)", "UMAP 2 (no unit)"
    first, second = result.explained.tolist()
    if not first:
        return "1st component (no unit)", "2nd component (no unit)"
    return f"1st component, {first:.0%} of the variance (no unit)", f"2nd component, {second:.0%} (no unit)"


def matrix_order(matrix: TextMatrix, clusters: TextClusters | None) -> IntArray:
    """Return places (M,) of a matrix's texts: as they stand, or those of a cluster beside each other."""
    if clusters is None:
        return np.arange(len(matrix.members))
    return np.argsort(clusters.of[matrix.members], kind="stable")


def matrix_figure(result: TextMatrix, texts: Sequence[str], rows: Sequence[int], order: IntArray) -> go.Figure:
    """A cell for every two texts.

    Args:
        order (M,): the texts of the matrix in the order they are drawn.
    """
    cosines: FloatArray = np.round(result.cosines[np.ix_(order, order)], 3)
    members = result.members[order].tolist()
    across = [str(rows[member]) for member in members]
    few = len(members) <= _NAMED
    down = [f"{_unmarked(shortened(texts[member], 24))}  {rows[member]}" for member in members] if few else across
    figure = go.Figure(
        go.Heatmap(
            z=cosines,
            x=across,
            y=down,
            zmin=float(min(0.0, cosines.min(initial=0.0))),
            zmax=1,
            colorscale="Viridis",
            colorbar={"title": {"text": "cosine"}, "thickness": 12},
            hovertemplate="%{z:.3f}<br>row %{x}<br>row %{y}<extra></extra>",
        )
    )
    figure.update_layout(
        xaxis={"title": "row", "type": "category", "showgrid": False},
        yaxis={"type": "category", "autorange": "reversed", "showgrid": False},
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        height=620,
    )
    return figure
