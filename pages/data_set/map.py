"""The rows of a run as points of a map: texts that the model reads alike lie close; a lasso filters the rows."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from explain.analyses import pca_map, umap_map
from explain.analyses.pca_map import PCAMap
from explain.analyses.umap_map import UMAPMap
from explain.core.guide import definition
from explain.data.texts import LoadedTexts
from explain.datatypes import TextMap
from explain.models.analysis import VectorAnalysis
from explain.models.loading import catalogue
from explain.report.kept_runs import KeptRun
from explain.run.plan import Plan
from explain.run.results import Results
from explain.run.run_map import map_rows
from explain.run.run_plan import group_column
from explain.run.run_table import RunTable
from explain.views.text_map import Coloring, map_figure
from pages.data_set.filters import LASSO, restore, row_filter
from pages.shared import links, session, show
from pages.shared.work import Work, follow_work

FEW, MANY = 2_000, 20_000  # points; many are drawn by WebGL
OF_RUN = "the run's model"
COLORS = {"prediction": "prediction", "known": "known label", "correct": "decision", "confidence": "confidence"}


def rows_map(run: KeptRun, table: RunTable) -> None:
    """Draw the map of the rows that fulfil the conditions."""
    wanted = row_filter(table)
    restore("map", "map_color", "map_encoder", "map_points")
    names = _colors(table)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = links.segmented_control(
            "Projection", ["PCA", "UMAP"], default="PCA", key="map", ids={"PCA": "pca", "UMAP": "umap"}
        )
        color = links.selectbox("Color by", list(names), key="map_color", format_func=names.__getitem__, width=200)
        encoder = links.selectbox("Vectors of", [OF_RUN, catalogue.default_encoder()], key="map_encoder", width=220)
        count = table.count(wanted)
        most = FEW
        if count > FEW:
            most = int(
                links.segmented_control(
                    "Rows at most", [str(FEW), str(MANY)], default=str(FEW), key="map_points",
                    format_func={str(FEW): f"{FEW:,}", str(MANY): f"{MANY:,}"}.__getitem__,
                )
            )  # fmt: skip
    model = session.model(str(run.request.get("model")) if encoder == OF_RUN else encoder)
    rows = map_rows(table, wanted, color, most, model, of_run=encoder == OF_RUN)
    if len(rows) < (pca_map if kind == "PCA" else umap_map).FEWEST_TEXTS:
        show.advice("A map needs more rows that have a text. Take fewer conditions.")
        return
    texts = rows.subject.texts
    analysis: VectorAnalysis[TextMap] = PCAMap() if kind == "PCA" else UMAPMap()

    def draw(results: Results) -> None:
        if results.vectors is None or not results.has([analysis]):
            return
        text_map = results.required(analysis)
        coloring = _coloring(names[color], rows.cells)
        figure = map_figure(text_map, texts.texts, texts.rows, coloring, most=MANY)
        st.plotly_chart(
            figure.update_layout(dragmode="lasso"),
            key=f"rows_map_{kind}_{color}_{encoder}",
            on_select=lambda: _lasso(f"rows_map_{kind}_{color}_{encoder}", table, texts),
            selection_mode=("lasso", "box"),
            config=show.chart_options("rows") | {"scrollZoom": True},
            alt=f"A map of {len(rows):,} rows by {kind}, colored by {names[color]}.",
        )
        meaning = definition("PCA") if kind == "PCA" else definition("UMAP")
        sample = "" if count <= most else f"An even sample of {len(rows):,} of {count:,} rows. "
        sample += "The run kept these vectors. " if rows.kept else ""
        st.caption(
            f"{sample}{meaning} Texts alone are read, without the second one. Draw a lasso or a box around "
            "points to see their rows."
        )

    follow_work(Work(Plan(rows.subject, (analysis,)), model), draw, _reading)


def _reading(job: Any) -> str:
    return f"Reading texts: {job.done:,} of {job.cost:,}."


def _colors(table: RunTable) -> dict[str, str]:
    """Return the columns that points may be colored by, with their titles."""
    groups = table.run.manifest["plan"]["roles"]["groups"]
    named = COLORS | {"length": "length in tokens"} | {group_column(name): name for name in groups}
    return {column: title for column, title in named.items() if column in table.columns}


def _coloring(title: str, cells: Sequence[Any]) -> Coloring:
    if title == "confidence":
        return Coloring.of_numbers("confidence in %", [round(100 * (cell or 0.0)) for cell in cells])
    if title.startswith("length"):
        return Coloring.of_numbers(title, [cell or 0 for cell in cells])
    words = {True: "correct", False: "wrong", None: "none"}
    return Coloring(title, [words[cell] if isinstance(cell, bool | None) else str(cell) for cell in cells])


def _lasso(key: str, table: RunTable, texts: LoadedTexts) -> None:
    """Keep the rows of the points that were drawn around, and go to them."""
    points = st.session_state[key]["selection"]["points"]
    if points:
        places = tuple(sorted(texts.rows[point["customdata"][0]] for point in points))
        st.session_state[LASSO] = (str(table.run.path), places)
        st.session_state.data_clicked = {"data_view": "rows", "rows_page": 1}
        st.session_state["clicked"] = True  # see work.py
