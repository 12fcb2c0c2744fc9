"""The rows of a run: filtered, sorted, page by page; a row opens with its words, and on the page of words."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import streamlit as st

from explain.core.errors import ExplainError
from explain.methods.base import METHODS
from explain.report.kept_runs import KeptRun
from explain.run.kept_scores import KeptRow
from explain.run.plan import DEFAULT_METHODS
from explain.run.run_export import csv_of, parquet_of_rows
from explain.run.run_plan import EMBEDDING, column_of, group_column
from explain.run.run_table import RowFilter, RunTable
from explain.views import row_words
from explain.views.verdicts import VERDICTS
from pages.data_set.filters import clear, restore, row_filter
from pages.shared import links, session, show

PAGE = 50  # rows
WORDS_PAGE = Path(__file__).parents[1] / "explain_text.py"
LONGEST = 400  # characters of a text in the table
ORDERS: dict[str, tuple[str, str | None, bool]] = {  # title, column, falling
    "place": ("Order of the data", None, False),
    "sure_errors": ("Confident errors first", "confidence", True),
    "unsure": ("Least confident first", "confidence", False),
    "sure": ("Most confident first", "confidence", True),
    "long": ("Longest first", "length", True),
    "high": ("Highest output first", "output", True),
    "low": ("Lowest output first", "output", False),
}


def rows(run: KeptRun, table: RunTable) -> None:
    """Draw the table of rows and the row that is picked."""
    wanted = row_filter(table)
    restore("sorted_by", "rows_page")
    orders = [name for name in ORDERS if name != "sure_errors" or "label" in table.columns]
    conditions = wanted
    if st.session_state.get("sorted_by") == "sure_errors":
        wanted = replace(wanted, correct="wrong")
    count = table.count(wanted)
    pages = max(1, -(-count // PAGE))
    if st.session_state.get("rows_page", 1) > pages:
        st.session_state.rows_page = pages
    with st.container(horizontal=True, vertical_alignment="bottom"):
        order = links.selectbox(
            "Sorted by", orders, key="sorted_by", format_func=lambda name: ORDERS[name][0], width=220
        )
        page = int(links.number_input(f"Page of {pages:,}", 1, pages, value=1, step=1, key="rows_page", width=150))
        if conditions != RowFilter():
            st.button("All rows", on_click=clear, args=(table,), key="clear_filter")
    if order == "sure_errors":  # on the first run of a link, too
        wanted = replace(wanted, correct="wrong")
        count = table.count(wanted)
    st.caption(f"{count:,} of {table.count():,} rows.")
    _, column, falling = ORDERS[order]
    shown = table.rows(wanted, columns=_columns(table), by=column, falling=falling, most=PAGE, after=PAGE * (page - 1))
    picked = _table(run, table, shown, (wanted, order, page))
    if picked is not None:
        _row(run, table, shown[picked]["place"], wanted)
    _export(run, table, wanted, column, falling)


def _columns(table: RunTable) -> list[str]:
    groups = [group_column(name) for name in table.run.manifest["plan"]["roles"]["groups"]]
    wanted = ["place", "id", "text", "text_pair", "label", "prediction", "confidence", "correct", "value", *groups]
    verdicts = [column_of("verdict", name) for name in table.run.methods]
    return [name for name in (*wanted, "output", "length", *verdicts, "error") if name in table.columns]


def _table(run: KeptRun, table: RunTable, shown: list[dict[str, Any]], key: Any) -> int | None:
    """Draw a page of rows and return the place of the row that is picked, on that page."""
    if not shown:
        show.advice("No row fulfils these conditions.")
        return None
    empty = [name for name in shown[0] if name not in ("id", "text") and all(row[name] is None for row in shown)]
    drawn = [
        {
            name: cell[:LONGEST] if isinstance(cell, str) else cell
            for name, cell in row.items()
            if name != "place" and name not in empty
        }
        for row in shown
    ]
    event: Any = st.dataframe(
        drawn,
        hide_index=True,
        width="stretch",
        height=min(35 * (len(drawn) + 1) + 3, 460),
        on_select="rerun",
        selection_mode="single-row",
        key=f"rows_{abs(hash((run.name, key))) % 10**12}",
        column_config={
            "text": st.column_config.TextColumn("text", width="large"),
            "confidence": st.column_config.NumberColumn("confidence", format="percent"),
            "output": st.column_config.NumberColumn("output", format="%.3f"),
        },
    )
    picked = event.selection.rows
    if picked and picked[0] < len(shown):
        return int(picked[0])
    st.caption("Click the left edge of a row to see its words.")
    return None


def _row(run: KeptRun, table: RunTable, place: int, wanted: RowFilter) -> None:
    """Draw a row: its words by each method, and the way to the page of words."""
    row = table.row(place)
    if row is None:
        return
    label = f", known label {show.plain(row['label'])}" if row.get("label") else ""
    decided = show.plain(str(row["prediction"])) if row["prediction"] is not None else "no label"
    sure = "" if row["confidence"] is None else f" ({row['confidence']:.0%})"
    st.subheader(f"Row {show.plain(row['id'])}: {decided}{sure}{label}", anchor=False)
    if row["error"]:
        show.problem(row["error"])
    if row["text"] is None:
        show.advice("The run kept no texts.")
        return
    forms = table.forms(wanted)
    for name in table.run.methods:
        title = METHODS[name].title if name in METHODS else name
        if reason := row.get(f"failed_{name}"):
            show.problem(f"{title}: {reason}")
        drawn = row_words.row_words(row, name, title, marked=wanted.word, forms=forms)
        if row.get(column_of("verdict", name)):
            st.markdown(
                f"**{show.plain(title)}**, {VERDICTS[row[column_of('verdict', name)]]}: "
                + show.plain(row[column_of("reason", name)])
            )
        if drawn is not None:
            show.component(row_words.VIEW, drawn, key=f"row_words_{name}")
    if not table.run.methods:
        st.text(row["text"])
    _bring_along(run, table, row)
    names = [str(method["name"]) for method in run.request.get("methods", ())]
    # as the page of words would set them itself, so that "back" needs one step
    parameters = {"methods": names} if names and tuple(names) != DEFAULT_METHODS else {}
    st.page_link(WORDS_PAGE, label="**Open on Words**", query_params=parameters)


def _bring_along(run: KeptRun, table: RunTable, row: dict[str, Any]) -> None:
    """Let the page of words begin with a row's texts, model and methods; a link can't do it on a click."""
    memory = st.session_state
    session.turn_to(str(run.request.get("model")))
    memory.carried |= {"text": row["text"], "pair": row["text_pair"] or ""}
    memory.kept_row = KeptRow(table.run, run.name, {name: cell for name, cell in row.items() if name != EMBEDDING})


def _export(run: KeptRun, table: RunTable, wanted: RowFilter, by: str | None, falling: bool) -> None:
    """Draw the menu of files, of all rows that fulfil the conditions."""

    def files(write: Any) -> Any:
        kept = [name for name in table.columns if name not in ("place", "known")]
        return lambda: write(table.arrow(wanted, columns=kept, by=by, falling=falling))

    with show.export_menu():
        st.download_button("Rows as CSV", files(csv_of), f"{run.name}.csv", "text/csv", on_click="ignore")
        st.download_button(
            "Rows as Parquet",
            files(parquet_of_rows),
            f"{run.name}.parquet",
            "application/vnd.apache.parquet",
            on_click="ignore",
        )
        st.caption("The rows that fulfil the conditions, with all columns; see the guide.")
        st.caption("The same rows by SQL, in DuckDB, started in the run's folder:")
        try:
            st.code(table.sql(wanted, by=by, falling=falling), language="sql", wrap_lines=True)
        except ExplainError as problem:
            show.problem(str(problem))
