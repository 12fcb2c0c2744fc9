"""The words of a run: in how many texts, how they count for the decision, and the rows that have them."""

from functools import partial
from typing import Any

import streamlit as st

from explain.core.guide import definition
from explain.methods.base import METHODS
from explain.report.kept_runs import KeptRun
from explain.run.run_export import csv_of
from explain.run.run_table import RowFilter, RunTable
from explain.run.word_figures import WordFigures
from explain.text.lemmas import ENGLISH, MISSING, lemmas_are_there
from pages.data_set.filters import forms_of, lemma_language, restore, row_filter
from pages.shared import links, show

MOST_WORDS = 500  # on the page
NONE = "none"


def words(run: KeptRun, table: RunTable) -> None:
    """Draw the words of the rows that fulfil the conditions."""
    methods = list(table.run.methods)
    if not (methods and "words" in table.columns):
        show.advice("This run has no scores of words. Begin one with a method.")
        return
    wanted = row_filter(table)
    restore("words_of", "words_against", "words_by", "lemma_language", "least")
    forms = forms_of(table)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        method = _method("Scores of", methods, "words_of")
        other = _method("Compared with", [NONE, *(name for name in methods if name != method)], "words_against")
        by = links.segmented_control(
            "Words", list(forms), default="word", key="words_by", format_func=forms.__getitem__
        )  # fmt: skip
        there = lemmas_are_there()
        language = lemma_language("lemma_language") if by == "lemma" and there else ENGLISH
        usual = 2 if table.count() < 1000 else 5
        least = int(
            links.number_input("In at least so many rows", 1, 10**6, value=usual, step=1, key="least", width=200)
        )
    if by == "lemma" and not there:
        show.advice(MISSING)
        return
    listed = partial(table.words, rows=wanted, by=by, language=language)
    figures = listed(method, least=least, most=MOST_WORDS)
    against = {}
    if other != NONE and by != "phrase" and figures:
        against = {figure.word: figure for figure in listed(other, only=[figure.word for figure in figures])}
    if table.strata() is not None:
        st.caption("Rows were drawn: means and shares are estimates for all rows, and counts are of drawn rows.")
    _draw(run, wanted, figures, against, method, other, (by, language))


def _method(title: str, names: list[str], key: str) -> str:
    if st.session_state.get(key) not in (None, *names):
        del st.session_state[key]
    titles = {NONE: "no other"}
    name: str = links.selectbox(
        title, names, key=key, width=240,
        format_func=lambda name: titles.get(name) or (METHODS[name].title if name in METHODS else name),
    )  # fmt: skip
    return name


def _draw(
    run: KeptRun,
    wanted: RowFilter,
    figures: list[WordFigures],
    against: dict[str, WordFigures],
    method: str,
    other: str,
    form: tuple[str, str],
) -> None:
    if not figures:
        show.advice("No word is in so many rows.")
        return
    drawn = [_cells(figure, against.get(figure.word) if against else None, bool(against)) for figure in figures]
    event: Any = st.dataframe(
        drawn,
        hide_index=True,
        width="stretch",
        on_select="rerun",
        selection_mode="single-row",
        key=f"words_{abs(hash((run.name, wanted, method, other, form, len(figures)))) % 10**12}",
        column_config={
            "for, of all": st.column_config.ProgressColumn("for, of all", min_value=0, max_value=100, format="%.0f %%"),
            **{
                name: st.column_config.NumberColumn(name, format="%.3f")
                for name in ("mean score", "± 95 %", "other mean", "other ± 95 %")
            },
        },
    )
    more = f" The {MOST_WORDS} most frequent are shown." if len(figures) == MOST_WORDS else ""
    st.caption(
        f"{len(figures):,} words.{more} The mean is of all occurrences, signed, for the label that each row "
        "decided. Its interval draws rows and not occurrences. A mean is no proof: a "
        "word can stand for what it occurs with. Click the left edge of a word to see its rows.",
        help=definition("log-odds"),
    )
    picked = event.selection.rows
    if picked and picked[0] < len(figures):
        word = {"word": figures[picked[0]].word, "word_form": form[0], "word_language": form[1]}
        st.session_state.data_clicked = {**word, "data_view": "rows", "rows_page": 1}
        st.rerun()
    with show.export_menu():
        st.download_button("Words as CSV", lambda: _csv(drawn), f"{run.name} words.csv", "text/csv", on_click="ignore")


def _cells(figure: WordFigures, other: WordFigures | None, compared: bool) -> dict[str, Any]:
    cells = {
        "word": figure.word,
        "rows": figure.texts,
        "occurrences": figure.occurrences,
        "mean score": figure.mean,
        "± 95 %": figure.half_width,
        "for, of all": 100 * figure.positive,
    }
    if compared:
        cells |= {
            "other mean": None if other is None else other.mean,
            "other ± 95 %": None if other is None else other.half_width,
        }
    return cells


def _csv(drawn: list[dict[str, Any]]) -> bytes:
    import pyarrow as pa

    return csv_of(pa.Table.from_pylist(drawn))
