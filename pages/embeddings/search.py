"""Semantic search: the texts nearest to a line that a visitor types."""

import streamlit as st

from explain.analyses.semantic_search import SemanticSearch
from explain.core.guide import definition
from explain.run.results import Results
from pages.embeddings.ranking_table import ranking_table
from pages.embeddings.selection import Selection
from pages.embeddings.two_texts import pick
from pages.shared import links, session, show
from pages.shared.work import Panel


def search(selection: Selection) -> Panel | None:
    """Draw the box of the query and return the panel; None while it is empty."""
    session.keep("query")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        query = st.text_input(
            "Rank the texts by similarity to", key="query", max_chars=2000, placeholder="Type a line, then press Enter."
        )
        most = links.slider("Texts listed", 5, 100, 10, step=5, key="top", width=180)
    if not query.strip():
        show.advice("Type a query. Texts of similar meaning come first, even if they share no word with it.")
        return None
    analysis = SemanticSearch(query, int(most))

    def draw(results: Results) -> None:
        ranking = results.required(analysis)
        if ranking.truncated:
            st.warning("The query is longer than the model reads. Its end was left out.")
        ranking_table(selection.texts, ranking, "search_table", pick)
        st.caption(
            "All texts are compared. Each model has its own range of cosines, so compare them within this list only. "
            "A sentence and its negation have similar vectors. Select a row to compare its text below.",
            help=definition("cosine"),
        )

    return Panel((analysis,), draw)
