"""Pictures of many texts, as plotly figures: a map of points, and a matrix of cosines.

A browser gets at most 3,000 points, each with the beginning of its text; more where it draws them by WebGL. Texts are
escaped, since plotly reads markup.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explain.datatypes import FloatArray, IntArray, TextClusters, TextMap, TextMatrix
from explain.views.scores_table import shortened

MOST_POINTS = 3000
MOST_GROUPS = 10  # each with its color and shape; the others are one gray group
_SHOWN = 160  # characters of a text
_SHOWN_OF_MANY = 60
_DENSE = {"size": 4, "opacity": 0.6}  # of many points, which would cover each other
_NAMED = 40  # texts of a matrix or a map that are named beside it
# After Okabe and Ito (2008), distinct for most color-blind readers; shapes are distinct without color.
# Their blue is lighter here, for dark pages.
_COLORS = ("#1a80c2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a800", "#7a68c8", "#8c5a2b", "#5f7f3f")
_SHAPES = ("circle", "square", "diamond", "triangle-up", "x", "cross", "star", "pentagon", "hexagon", "triangle-down")
_GRAY = "#888888"
_PIXELS = (600, 400)  # of a map without its margins, on a screen between wide and narrow
_LETTERS = 10  # pixels, the names on a map
_EDGE = 0.3  # of a map's width: near its edges
_PLAIN = {"zeroline": False, "showgrid": False, "showticklabels": False}


@dataclass(frozen=True, eq=False)
class Coloring:
    """Meaning of a point's color.

    Attributes:
        name: in words ("cluster").
        values: of every text, by its number: its group, or a quantity.
    """

    name: str
    values: Sequence[str] | IntArray

    @classmethod
    def of_numbers(cls, name: str, numbers: Sequence[int]) -> "Coloring":
        """Return the colors of a quantity."""
        return cls(name, np.array(numbers, dtype=np.int64))

    @property
    def groups(self) -> bool:
        return not isinstance(self.values, np.ndarray)


def map_figure(
    text_map: TextMap,
    texts: Sequence[str],
    rows: Sequence[int],
    coloring: Coloring | None = None,
    picked: Sequence[int] = (),
    most: int = MOST_POINTS,
) -> go.Figure:
    """Draw a point for each text of a map, or for an even sample of them.

    Args:
        texts, rows: of all texts, by their number.
        most: points; more than 3,000 are drawn by WebGL, with less of each text.
        picked: numbers of texts that are ringed, and always have a point if the map has one.

    Returns:
        A figure; a point's `customdata` holds the text's number first.
    """
    shown = points_shown(text_map, picked, most)
    figure = go.Figure()
    many = len(shown) > MOST_POINTS < most
    points = partial(_points, text_map, texts=texts, rows=rows, many=many)
    if coloring is not None and not coloring.groups:
        marker = _scale(text_map, shown, coloring) | (_DENSE if many else {})
        figure.add_trace(points(shown, name=coloring.name, marker=marker, showlegend=False))
    else:
        for name, places, style in _groups(text_map, shown, coloring):
            figure.add_trace(points(places, name=name, marker=style | (_DENSE if many else {})))
    ringed = [place for place in shown if text_map.members[place] in set(picked)]
    if ringed:
        ring = {"symbol": "circle-open", "size": 17, "line": {"width": 3}, "color": _GRAY}
        figure.add_trace(points(np.array(ringed), name="picked", marker=ring))
    names = _axes(text_map)
    # Ranges of the points alone: names beside them would shrink a map on a narrow screen to a spot.
    ends = [[low - 0.12 * (high - low), high + 0.12 * (high - low)] for low, high in _extents(text_map)]
    figure.update_layout(
        xaxis={"title": names[0], "range": ends[0], **_PLAIN},
        # The plane of PCA has one scale; the axes of UMAP have none.
        yaxis={
            "title": names[1],
            "range": ends[1],
            **_PLAIN,
            **({} if text_map.explained is None else {"scaleanchor": "x"}),
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
        annotations=_names(text_map, texts) if len(text_map.members) <= _NAMED else [],
        **_titled(f"{len(text_map.members):,} texts by {text_map.kind.upper()}"),
        height=544,
        dragmode="pan",
        clickmode="event+select",
    )
    return figure


def _extents(text_map: TextMap) -> list[tuple[float, float]]:
    """Return the range of the points along each axis, widened where all points coincide."""
    extents = []
    for low, high in zip(text_map.points.min(axis=0).tolist(), text_map.points.max(axis=0).tolist()):
        extents.append((low, high) if high > low else (low - 1.0, high + 1.0))
    return extents


def points_shown(text_map: TextMap, picked: Sequence[int] = (), most: int = MOST_POINTS) -> IntArray:
    """Return places of the texts that have a point: all, or an even sample of `most` and those picked."""
    count = len(text_map.members)
    if count <= most:
        return np.arange(count)
    drawn = np.random.default_rng(0).choice(count, size=most, replace=False)
    return np.union1d(drawn, np.flatnonzero(np.isin(text_map.members, list(picked))))


def _groups(
    text_map: TextMap, shown: IntArray, coloring: Coloring | None
) -> list[tuple[str, IntArray, dict[str, Any]]]:
    """Return name, places and marker of each group, the largest first; the groups beyond the tenth are one."""
    if coloring is None:
        return [("texts", shown, {"color": _COLORS[0], "size": 7, "opacity": 0.8})]
    values = [coloring.values[member] for member in text_map.members[shown].tolist()]
    counts = {group: values.count(group) for group in dict.fromkeys(values)}
    names = sorted(counts, key=lambda group: (-counts[group], group))
    looks = dict(zip(names[:MOST_GROUPS], zip(_COLORS, _SHAPES)))
    groups = []
    for name, (color, shape) in looks.items():
        places = shown[[group == name for group in values]]
        groups.append((str(name) or "(none)", places, {"color": color, "symbol": shape, "size": 8, "opacity": 0.85}))
    if len(names) > MOST_GROUPS:
        places = shown[[group not in looks for group in values]]
        title = f"{len(names) - MOST_GROUPS} others"
        groups.append((title, places, {"color": _GRAY, "symbol": "circle", "size": 5, "opacity": 0.6}))
    return groups


def _scale(text_map: TextMap, shown: IntArray, coloring: Coloring) -> dict[str, Any]:
    """Return the marker of points that are colored by a quantity."""
    values = np.asarray(coloring.values)[text_map.members[shown]]
    return {
        "color": values,
        "colorscale": "Viridis",
        "size": 7,
        "opacity": 0.85,
        "colorbar": {"title": {"text": _unmarked(coloring.name)}, "thickness": 12},
    }


def _points(
    text_map: TextMap,
    places: IntArray,
    *,
    texts: Sequence[str],
    rows: Sequence[int],
    many: bool,
    name: str,
    **look: object,
) -> go.Scatter | go.Scattergl:
    members = text_map.members[places].tolist()
    drawn, width = (go.Scattergl, _SHOWN_OF_MANY) if many else (go.Scatter, _SHOWN)
    return drawn(  # few are no scattergl: without WebGL it stays blank
        x=text_map.points[places, 0],
        y=text_map.points[places, 1],
        mode="markers",
        name=_unmarked(shortened(name, 30)),
        customdata=[[member, rows[member], hover_text(texts[member], most=width)] for member in members],
        hovertemplate="row %{customdata[1]}<br>%{customdata[2]}<extra>%{fullData.name}</extra>",
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 0.85}},
        **look,
    )


def _names(text_map: TextMap, texts: Sequence[str]) -> list[dict[str, Any]]:
    """Return annotations with the beginnings of texts beside their points, where they cover nothing.

    Annotations, unlike a trace, are in no legend and take no click.
    """
    extent = np.ptp(text_map.points, axis=0)
    scale = np.array(_PIXELS) / np.where(extent > 0, extent, 1.0)
    points = text_map.points * (scale if text_map.explained is None else scale.min())  # PCA's axes share one scale
    taken = [(x - 5, y - 5, x + 5, y + 5) for x, y in points.tolist()]
    annotations = []
    for member, place, (x, y) in zip(text_map.members.tolist(), text_map.points.tolist(), points.tolist()):
        name = shortened(texts[member], 24)
        wide, high = 0.56 * _LETTERS * len(name), 1.2 * _LETTERS
        for right, up in _sides(x, points[:, 0]):
            left, low = x + right * (wide / 2 + (0 if up else 8)) - wide / 2, y + up * (7 + high / 2) - high / 2
            box = (left, low, left + wide, low + high)
            if not any(_overlap(box, other) for other in taken):
                taken.append(box)
                anchors = {"xanchor": ("center", "left", "right")[right], "yanchor": ("middle", "bottom", "top")[up]}
                look = {"showarrow": False, "borderpad": 0, "font": {"size": _LETTERS}}
                shift = {"xshift": 0 if up else 8 * right, "yshift": 5 * up}
                annotations.append({"x": place[0], "y": place[1], "text": _unmarked(name), **anchors, **shift, **look})
                break
    return annotations


def _sides(x: float, across: FloatArray) -> tuple[tuple[int, int], ...]:
    """Return where a name may stand, as steps to the right and up; near an edge only inward of its point.

    Elsewhere a narrow screen would cut it off.
    """
    low, high = float(across.min()), float(across.max())
    edge = _EDGE * (high - low)
    inward = 1 if x < low + edge else -1 if x > high - edge else 0
    if inward:
        return (inward, 1), (inward, -1), (inward, 0)
    return (0, 1), (0, -1), (1, 0), (-1, 0)  # above, below, beside


def _overlap(box: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]


def hover_text(text: str, width: int = 60, most: int = _SHOWN) -> str:
    """Return the beginning of a text in short lines, its markup escaped."""
    lines = textwrap.wrap(shortened(text, most), width) or [""]
    return "<br>".join(_unmarked(line) for line in lines)


def _unmarked(text: str) -> str:
    """Return text that plotly shows literally; it knows few entities, and `&quot;` is not among them."""
    return escape(text, quote=False)


def _axes(text_map: TextMap) -> tuple[str, str]:
    if text_map.explained is None:
        return "UMAP 1 (no unit)", "UMAP 2 (no unit)"
    first, second = text_map.explained.tolist()
    if not first:
        return "1st component (no unit)", "2nd component (no unit)"
    return f"1st component, {first:.0%} of the variance (no unit)", f"2nd component, {second:.0%} (no unit)"


def matrix_order(matrix: TextMatrix, clusters: TextClusters | None) -> IntArray:
    """Return places (M,) of a matrix's texts: as they stand, or those of a cluster beside each other."""
    if clusters is None:
        return np.arange(len(matrix.members))
    return np.argsort(clusters.of[matrix.members], kind="stable")


def _titled(title: str) -> dict[str, Any]:
    """Return the layout of a small title, which a saved picture has, too, and of the margins around the picture."""
    return {
        "title": {"text": title, "font": {"size": 14}, "x": 0, "xanchor": "left", "y": 1, "yanchor": "top"},
        "margin": {"l": 10, "r": 10, "t": 34, "b": 10},
    }


def matrix_figure(matrix: TextMatrix, texts: Sequence[str], rows: Sequence[int], order: IntArray) -> go.Figure:
    """Draw a cell for every two texts.

    Args:
        order (M,): the texts of the matrix in the order they are drawn.
    """
    cosines: FloatArray = np.round(matrix.cosines[np.ix_(order, order)], 3)
    members = matrix.members[order].tolist()
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
        **_titled(f"Cosines of {len(members):,} texts"),
        height=644,
    )
    return figure
