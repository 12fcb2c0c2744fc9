"""A map of the texts: PCA or UMAP, colored by cluster, length or label."""

import streamlit as st

from explain.analyses import pca_map, umap_map
from explain.analyses.pca_map import PCAMap
from explain.analyses.umap_map import MOST_MAPPED, UMAPMap
from explain.core.guide import definition
from explain.data.texts import LoadedTexts
from explain.datatypes import TextClusters, TextMap, TextVectors
from explain.models.analysis import VectorAnalysis
from explain.run.results import Results
from explain.views.text_map import MOST_GROUPS, Coloring, map_figure, points_shown
from pages.embeddings.clusters import cluster_slider, how_clear
from pages.embeddings.selection import Selection
from pages.embeddings.two_texts import pick
from pages.shared import forms, links, show
from pages.shared.work import Panel


def projection(selection: Selection) -> Panel | None:
    """Draw the settings of the map and return its panel; None where there are too few texts."""
    texts = selection.texts
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = links.segmented_control(
            "Projection", ("PCA", "UMAP"), default="PCA", key="map", ids={"PCA": "pca", "UMAP": "umap"}
        )
        colored_by = color_picker(texts)
        clustering = cluster_slider(texts) if colored_by == "cluster" else None
    if len(texts) < pca_map.FEWEST_TEXTS:
        show.advice(f"A map needs at least {pca_map.FEWEST_TEXTS} texts.")
        return None
    if kind == "UMAP" and len(texts) < umap_map.FEWEST_TEXTS:
        show.advice(f"UMAP needs at least {umap_map.FEWEST_TEXTS} texts. This is PCA.")
        kind = "PCA"
    analysis: VectorAnalysis[TextMap] = PCAMap() if kind == "PCA" else UMAPMap()

    def draw(results: Results) -> None:
        text_map, vectors = results.required(analysis), results.vectors
        assert vectors is not None, "a map is computed from vectors"
        clusters = None if clustering is None else results.answer(clustering)

        def clicked() -> None:
            for point in st.session_state.map_chart["selection"]["points"]:
                pick(texts.rows[point["customdata"][0]])

        coloring = coloring_of(colored_by, vectors, texts, clusters)
        st.plotly_chart(
            map_figure(text_map, texts.texts, texts.rows, coloring, selection.picked),
            key="map_chart",
            on_select=clicked,
            selection_mode="points",
            config=show.chart_options("map") | {"scrollZoom": True},
            alt=f"A map of {len(text_map.members):,} texts by {kind}, colored by {colored_by}.",
        )
        st.caption(map_limits(text_map, colored_by, len(texts), len(set(texts.labels))))
        if clusters is not None:
            how_clear(clusters)

    return Panel((analysis, *([clustering] if clustering else [])), draw)


def color_picker(texts: LoadedTexts) -> str:
    """Draw the choice of colors, labels first where there are labels, and return it."""
    memory = st.session_state
    if texts.labels and memory.get("colored") != texts.digest:
        memory.color, memory.colored = "label", texts.digest
    colors = ["cluster", "length", *(["label"] if texts.labels else []), "nothing"]
    return str(forms.choice("Color by", colors, "color", "cluster", width=180))


def coloring_of(
    colored_by: str, vectors: TextVectors, texts: LoadedTexts, clusters: TextClusters | None
) -> Coloring | None:
    """Return the color of each text; None for one color."""
    if colored_by == "length":
        return Coloring("pieces", vectors.pieces)
    if colored_by == "label":
        return Coloring("label", texts.labels)
    if clusters is not None:
        return Coloring("cluster", [f"cluster {number + 1}" for number in clusters.of.tolist()])
    return None


def map_limits(text_map: TextMap, color: str, texts: int, labels: int) -> str:
    """Return a caption on what the map shows and what it does not."""
    sentences = []
    if len(text_map.members) < texts:
        sentences.append(f"UMAP of {MOST_MAPPED:,} texts, an even sample of {texts:,}.")
    if (shown := len(points_shown(text_map))) < len(text_map.members):
        sentences.append(f"The map draws {shown:,} of {len(text_map.members):,} points, as many as a browser can show.")
    if text_map.explained is None:
        sentences.append(f"{definition('UMAP')} Another seed gives another picture.")
    elif not text_map.explained.any():
        sentences.append("All texts have the same vector, so the map shows nothing.")
    else:
        rest = 1 - float(text_map.explained.sum())
        sentences.append(
            f"{definition('PCA')} The map leaves out {rest:.0%} of the variance: close points need not be alike."
        )
    if color == "label" and labels > MOST_GROUPS:
        sentences.append(f"The {MOST_GROUPS} most frequent labels have a color and a shape; the others are gray.")
    return " ".join([*sentences, "Axes have no unit. Click two points to compare their texts below."])
