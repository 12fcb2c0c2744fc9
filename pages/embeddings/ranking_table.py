"""A table of texts ranked by cosine, in which a row can be selected."""

from collections.abc import Callable

import streamlit as st

from explain.data.texts import LoadedTexts
from explain.datatypes import Ranking
from explain.views.scores_table import shortened
from pages.embeddings.selection import MOST_SHOWN

COSINE = st.column_config.NumberColumn(format="%.3f", width="small")


def ranking_table(texts: LoadedTexts, ranking: Ranking, key: str, on_row: Callable[[int], None]) -> None:
    """Draw the table; `on_row` receives the row of a text that is selected."""
    rows = [
        {
            "cosine": cosine,
            "row": texts.rows[member],
            **({"label": shortened(texts.labels[member], 60)} if texts.labels else {}),
            "text": shortened(texts.texts[member], MOST_SHOWN),
        }
        for member, cosine in zip(ranking.members.tolist(), ranking.cosines.tolist())
    ]

    def selected() -> None:
        for place in st.session_state[key]["selection"]["rows"]:
            on_row(rows[place]["row"])

    st.dataframe(
        rows,
        key=key,
        hide_index=True,
        column_config={"cosine": COSINE},
        on_select=selected,
        selection_mode="single-row",
    )
