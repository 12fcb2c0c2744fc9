"""Figures of a run: what was decided, how often it is right, by label, at every threshold, and calibration."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from explain.core.guide import definition
from explain.methods.base import METHODS
from explain.report.kept_runs import KeptRun
from explain.run.jobs import recall
from explain.run.run_figures import RunFigures, label_rows, shown
from explain.run.run_plan import column_of, group_column
from explain.run.run_table import RowFilter, RunTable
from explain.run.sampled_figures import RowShare
from explain.views.verdicts import VERDICTS
from pages.data_set.runs import predictions
from pages.shared import session, show

MOST_LABELS = 20  # that are counted on the page
NOTHING = "no figures"


def overview(run: KeptRun, table: RunTable) -> None:
    """Draw the figures of all rows that are there."""
    explained, table = table, predictions(table)
    count = table.count()
    figures: Any = recall(
        session.cache(), ("figures", str(run.path), run.request.get("created"), count), lambda: _figures(table)
    )
    _facts(table, count, None if figures == NOTHING else figures)
    if (draw := table.strata()) is not None:
        st.caption(
            f"Estimates for all {sum(draw.rows):,} rows, by the weights of the {sum(draw.seen):,} drawn ones that are "
            "predicted; intervals are about all rows. Counts are of drawn rows."
        )
    if figures == NOTHING:
        _predictions(table)
        _verdicts(explained)
        return
    left, right = st.columns(2)
    with left:
        _predictions(table)
    with right:
        matrix = figures.confusion()
        if matrix is not None:
            st.header("Known and predicted labels", anchor=False)
            show.views(matrix, key="run_confusion", on_chosen=_to_rows)
    st.header("By label", anchor=False)
    st.dataframe(label_rows(figures), hide_index=True, width="stretch")
    of_shares = (
        "shares by Wilson, F1 by a bootstrap over rows, areas on the scale of log-odds (DeLong; Boyd, Eng and Page)"
    )
    if figures.sampled:
        of_shares = (
            "by the rows' weights and strata: shares and F1 by Wilson with as many rows as say as much, areas on the "
            "scale of log-odds by linearization"
        )
    few = "" if figures.count >= 100 else " With so few rows the intervals are wide."
    st.caption(f"On {figures.count:,} rows with a known label, each figure with its 95 % interval: {of_shares}.{few}")
    _by_group(table)
    _verdicts(explained)
    _by_threshold(run, figures)


def _verdicts(table: RunTable) -> None:
    """Draw how many explanations of each method pass their tests, where tests were made."""
    rows = []
    for name in table.run.methods:
        if column_of("verdict", name) not in table.columns:
            return
        counted = dict(table.counts(column_of("verdict", name)))
        for passed in table.shares(column_of("verdict", name), "green"):
            title = METHODS[name].title if name in METHODS else name
            shares = {VERDICTS[color]: counted.get(color, 0) for color in VERDICTS}
            rows.append({"method": title, **shares, "it holds, of all": passed.share[0], "95 %": _ends(passed)})
    if rows:
        st.header("Verdicts", anchor=False)
        share = st.column_config.ProgressColumn("it holds, of all", min_value=0, max_value=1, format="percent")
        st.dataframe(rows, hide_index=True, width="stretch", column_config={"it holds, of all": share})
        drawn = "Counts are of drawn rows, the share is estimated for all rows. " if table.strata() else ""
        st.caption(
            f"Of the rows that are explained, by verdict; intervals by Wilson. {drawn}Green is not proof: see *Trust*."
        )


def _by_group(table: RunTable) -> None:
    """Draw how often the decisions are right in each group."""
    names = table.run.manifest["plan"]["roles"]["groups"]
    if not names:
        return
    st.header("By group", anchor=False)
    for name in names:
        counted = table.shares("correct", True, by=group_column(name))
        rows = [
            {name: row.cell, "rows": row.count, "right": row.hits, "accuracy": row.share[0], "95 %": _ends(row)}
            for row in sorted(counted, key=lambda row: row.share[0])[:MOST_LABELS]
        ]
        share = st.column_config.ProgressColumn("accuracy", min_value=0, max_value=1, format="percent")
        st.dataframe(rows, hide_index=True, width="stretch", column_config={"accuracy": share})
        if len(counted) > MOST_LABELS:
            st.caption(f"The {MOST_LABELS} groups of least accuracy, of {len(counted):,}.")
    st.caption("Intervals by Wilson. Of many groups some look bad by chance; a small group says little.")


def _ends(share: RowShare) -> str:
    return f"{share.share[1]:.3f} to {share.share[2]:.3f}"


def _figures(table: RunTable) -> RunFigures | str:
    return RunFigures.of(table) or NOTHING


def _to_rows(cell: Mapping[str, Any]) -> None:
    st.session_state.data_clicked = {
        "known_label": cell["right"],
        "prediction": cell["predicted"],
        "data_view": "rows",
        "rows_page": 1,
    }


def _facts(table: RunTable, count: int, figures: RunFigures | None) -> None:
    """Draw the few numbers that matter most."""
    failed = table.count(RowFilter(failed=True))
    with st.container(horizontal=True):
        st.metric("Rows", f"{count:,}", width="content")
        if figures is not None:
            if (accuracy := figures.accuracy) is not None:
                _metric("Accuracy", accuracy, f"of {figures.count:,} rows")
            if (error := figures.calibration_error) is not None:
                _metric("Calibration error", error, "15 equal bins", definition("calibration error"))
        if failed:
            st.metric("Not explained", f"{failed:,}", width="content")


def _metric(title: str, figure: tuple[float, float, float], below: str, help: str | None = None) -> None:
    st.metric(
        title,
        f"{figure[0]:.3f}",
        f"{figure[1]:.3f} to {figure[2]:.3f}, 95 %, {below}",
        delta_color="off",
        delta_arrow="off",
        width="content",
        help=help,
    )


def _predictions(table: RunTable) -> None:
    counted = table.counts("prediction") if "prediction" in table.columns else []
    if not counted:
        return
    st.header("Predictions", anchor=False)
    sampled, predicted = table.strata() is not None, sum(number for _, number in counted)
    rows = []
    for label, number in counted[:MOST_LABELS]:
        cells = {"prediction": label, "rows": number, "share": 100 * number / predicted}
        if sampled:
            (share,) = table.shares("prediction", label)
            cells |= {"share": 100 * share.share[0], "95 %": _ends(share)}
        rows.append(cells)
    st.dataframe(
        rows,
        hide_index=True,
        width="stretch",
        column_config={"share": st.column_config.ProgressColumn("share", min_value=0, max_value=100, format="%.1f %%")},
    )
    if len(counted) > MOST_LABELS:
        st.caption(f"The {MOST_LABELS} most frequent of {len(counted):,} predictions.")


def _by_threshold(run: KeptRun, figures: RunFigures) -> None:
    """Draw the curves of a label, and its figures from a threshold on."""
    st.header("At every threshold", anchor=False)
    labels = [label.label for label in figures.by_label]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if st.session_state.get("run_label") not in (None, *labels):
            del st.session_state["run_label"]
        label = st.selectbox("Label", labels, key="run_label", index=len(labels) - 1, width=220)
        threshold = st.slider("Predicted from a probability of", 0.0, 1.0, 0.5, 0.01, key="run_threshold", width=320)
    at = figures.at_threshold(label, threshold)
    if at is not None:
        st.markdown(
            f"From {threshold:.2f} on, **{show.plain(label)}** is predicted for {at.predicted:,} of {figures.count:,} "
            f"rows: precision {shown(at.precision)}, recall {shown(at.recall)}, F1 {shown(at.f1)}."
        )
    charts = figures.charts(label, run.name)
    if charts is not None:
        show.views(charts, key="run_curves")
