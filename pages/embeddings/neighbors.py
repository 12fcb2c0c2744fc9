"""Nearest neighbours: the texts nearest to a picked one."""

import streamlit as st

from explain.analyses.nearest_neighbors import NearestNeighbors
from explain.core.guide import definition
from explain.run.results import Results
from explain.views.scores_table import shortened
from pages.embeddings.ranking_table import ranking_table
from pages.embeddings.selection import MOST_SHOWN, Selection
from pages.embeddings.two_texts import pick_both
from pages.shared import links, show
from pages.shared.work import Panel


def neighbors(selection: Selection) -> Panel | None:
    """Draw the number of neighbours and return the panel; None while no text is picked."""
    texts = selection.texts
    most = links.slider("Texts listed", 5, 100, 10, step=5, key="top", width=180)
    if not selection.picked:
        show.advice("Type the row of a text under Two texts below, or click a point on the map, to see its neighbours.")
        return None
    number = selection.picked[0]
    row = texts.rows[number]
    analysis = NearestNeighbors(number, int(most))

    def draw(results: Results) -> None:
        st.markdown(f"Nearest to row {row}:")
        st.text(shortened(texts.texts[number], MOST_SHOWN))
        ranking_table(texts, results.required(analysis), "neighbour_table", lambda other: pick_both(row, other))
        st.caption(
            "Ranked by cosine, without the text itself. Select a row to compare its text with this one below.",
            help=definition("cosine"),
        )

    return Panel((analysis,), draw)
