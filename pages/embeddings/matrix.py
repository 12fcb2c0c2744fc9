"""A matrix of the cosines of every two texts, and the nearest pairs."""

import streamlit as st

from explain.analyses.cosine_matrix import MOST_COMPARED, CosineMatrix
from explain.core.guide import definition
from explain.data.texts import LoadedTexts
from explain.datatypes import TextMatrix
from explain.run.results import Results
from explain.views.scores_table import shortened
from explain.views.text_map import matrix_figure, matrix_order
from pages.embeddings.clusters import cluster_slider
from pages.embeddings.ranking_table import COSINE
from pages.embeddings.selection import MOST_SHOWN, Selection
from pages.embeddings.two_texts import pick_both
from pages.shared import forms, links, show
from pages.shared.work import Panel

FIRST, DRAWN = "the first", "drawn at random"


def matrix(selection: Selection) -> Panel:
    """Draw the settings of the matrix and return its panel."""
    texts = selection.texts
    with st.container(horizontal=True, vertical_alignment="bottom"):
        largest = min(MOST_COMPARED, len(texts))
        count = largest
        if largest > 2:
            count = st.slider("Texts compared", 2, largest, min(50, largest), key="compared", width=220)
        which = FIRST
        if len(texts) > count:
            ids = {FIRST: "first", DRAWN: "random"}
            which = forms.choice("Which", [FIRST, DRAWN], "which_texts", FIRST, ids=ids, width=180)
        sort = links.toggle("Sort by cluster", key="sorted") and count > 3
        clustering = cluster_slider(texts) if sort else None
    analysis = CosineMatrix(int(count), which == DRAWN)

    def draw(results: Results) -> None:
        cosines = results.required(analysis)
        order = matrix_order(cosines, None if clustering is None else results.answer(clustering))
        st.plotly_chart(
            matrix_figure(cosines, texts.texts, texts.rows, order),
            key="matrix_chart",
            config=show.chart_options("cosines"),
            alt=f"The cosine of every two of {len(cosines.members)} texts.",
        )
        st.caption(
            f"Cosines of {len(cosines.members):,} of {len(texts):,} texts, at most {MOST_COMPARED}. Many encoders give "
            "high cosines to all texts: compare them with each other, not with 0.",
            help=definition("cosine"),
        )
        nearest_pairs(texts, cosines)

    return Panel((analysis, *([clustering] if clustering else [])), draw)


def nearest_pairs(texts: LoadedTexts, cosines: TextMatrix) -> None:
    """Draw a table of the nearest pairs; a selected row picks both texts."""
    rows = []
    for first_place, second_place in cosines.pairs.tolist():
        first, second = int(cosines.members[first_place]), int(cosines.members[second_place])
        rows.append(
            {
                "cosine": float(cosines.cosines[first_place, second_place]),
                "row": texts.rows[first],
                "text": shortened(texts.texts[first], MOST_SHOWN),
                "other row": texts.rows[second],
                "other text": shortened(texts.texts[second], MOST_SHOWN),
            }
        )

    def selected() -> None:
        for place in st.session_state.pair_table["selection"]["rows"]:
            pick_both(rows[place]["row"], rows[place]["other row"])

    st.markdown("**Nearest pairs of these texts**")
    st.dataframe(
        rows,
        key="pair_table",
        hide_index=True,
        height=260,
        column_config={"cosine": COSINE},
        on_select=selected,
        selection_mode="single-row",
    )
