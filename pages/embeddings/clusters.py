"""Clusters by k-means: how clear they are, their typical texts, and the cluster of each text as CSV."""

from functools import partial

import streamlit as st

from explain.analyses.clusters import MOST_CLUSTERS, Clusters
from explain.core.guide import definition
from explain.data.texts import LoadedTexts
from explain.datatypes import TextClusters
from explain.report.vector_files import clusters_csv
from explain.run.results import Results
from explain.views.scores_table import shortened
from pages.embeddings.selection import Selection
from pages.shared import links, show
from pages.shared.work import Panel


def clusters(selection: Selection) -> Panel | None:
    """Draw the number of clusters and return the panel; None where there are too few texts."""
    texts = selection.texts
    clustering = cluster_slider(texts)
    if clustering is None:
        return None

    def draw(results: Results) -> None:
        answer = results.required(clustering)
        how_clear(answer)
        rows = [
            {
                "cluster": number + 1,
                "texts": int(size),
                "silhouette": float(answer.by_cluster[number]),
                "nearest to its middle": "  ·  ".join(
                    shortened(texts.texts[member], 100) for member in answer.typical[number].tolist() if member >= 0
                ),
            }
            for number, size in enumerate(answer.sizes.tolist())
        ]
        numbers = {"silhouette": st.column_config.NumberColumn(format="%.2f", width="small")}
        st.dataframe(rows, hide_index=True, column_config=numbers)
        st.download_button(
            "Each text's cluster, CSV",
            partial(clusters_csv, answer, texts),
            "clusters.csv",
            "text/csv",
            on_click="ignore",
        )

    return Panel((clustering,), draw)


def cluster_slider(texts: LoadedTexts) -> Clusters | None:
    """Draw the number of clusters and return the analysis; None where there are too few texts."""
    most = min(MOST_CLUSTERS, len(set(texts.texts)) - 1)
    if most < 2:
        show.advice("Clusters need at least three different texts.")
        return None
    if most == 2:
        return Clusters(2)
    if not 2 <= (st.session_state.get("clusters") or 2) <= most:
        del st.session_state.clusters
    return Clusters(int(links.slider("Clusters", 2, most, min(5, most), key="clusters", width=180)))


def how_clear(answer: TextClusters) -> None:
    """Draw a caption on whether there are clusters at all."""
    sample = "" if answer.measured == len(answer.of) else f", measured on an even sample of {answer.measured:,} texts"
    st.caption(
        f"{len(answer.sizes)} clusters by k-means: mean silhouette {answer.silhouette:.2f}, by cosine{sample}. One "
        f"cloud without groups, of the same spread and cut into as many, has {answer.one_cloud:.2f}. Only a clearly "
        "larger silhouette is a sign of groups.",
        help=f"{definition('silhouette')}\n\n{definition('cluster')}",
    )
