"""Which rows of a run are looked at: widgets for every condition, kept in the address bar."""

from typing import Any

import streamlit as st

from explain.run.run_plan import group_column
from explain.run.run_table import RowFilter, RunTable
from explain.text.lemmas import ENGLISH, languages, lemmas_are_there
from pages.shared import links, session

ANY = "any"
LASSO = "rows_of_lasso"  # in the session: places of rows that were drawn around on the map
FILTERS = {
    *("prediction", "known_label", "correct", "contains", "word", "confidence", "length", "failed"),
    *("sorted_by", "rows_page", "words_by", "words_of", "words_against", "least", "map", "map_color", "map_encoder"),
    *("map_points", "lemma_language", "word_form", "word_language"),
}
_WIDGETS = ("prediction", "known_label", "correct", "contains", "word", "confidence", "length", "failed")
_MOST_OPTIONS = 500


def restore(*keys: str) -> None:
    """Let widgets that were not drawn for a while have what they held, unless a link says otherwise."""
    for key in keys:
        if key not in st.query_params or key in st.session_state:
            session.keep(key)


def row_filter(table: RunTable) -> RowFilter:
    """Draw the conditions and return them."""
    restore(*_WIDGETS)
    groups = list(table.run.manifest["plan"]["roles"]["groups"])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        prediction = _value(table, "Prediction", "prediction", "prediction")
        known = _value(table, "Known label", "known", "known_label")
        correct = None
        if table.run.manifest["plan"]["roles"]["label"]:
            correct = _picked("Decision", ["correct", "wrong"], "correct")
        contains = links.text_input("Text contains", key="contains", width=180)
        word = links.text_input("Word", key="word", width=140, help="Whole.")
        by, language = _form(table) if word else ("word", ENGLISH)
        cells = tuple((name, cell) for name in groups if (cell := _group(table, name)) is not None)
        with st.popover("More"):
            confidence = _range(table, "Confidence", "confidence", 0.0, 1.0)
            length = _lengths(table)
            failed = links.toggle("Only rows that could not be explained", key="failed")
    return RowFilter(
        prediction,
        known,
        correct,
        confidence,
        length,
        contains,
        word,
        by,
        language,
        cells,
        failed,
        _lasso(table),
    )


def _form(table: RunTable) -> tuple[str, str]:
    """Draw the form that the word has, and return it with the language of lemmas."""
    restore("word_form", "word_language")
    forms = {form: title for form, title in forms_of(table).items() if form != "lemma" or lemmas_are_there()}
    if st.session_state.get("word_form") not in (None, *forms):
        del st.session_state["word_form"]
    by = str(links.selectbox("The word is", list(forms), key="word_form", format_func=forms.__getitem__, width=140))
    return by, lemma_language("word_language") if by == "lemma" else ENGLISH


def lemma_language(key: str) -> str:
    """Draw the choice of the language of lemmas and return its code."""
    codes = languages()
    return str(links.selectbox("Language", codes, key=key, index=codes.index(ENGLISH), width=110))


def forms_of(table: RunTable) -> dict[str, str]:
    """Return the forms by which the table's words can be listed, with their titles."""
    forms = {"word": "as written", "folded": "without case", "lemma": "by lemma"}
    return forms | ({"phrase": "key phrases"} if "phrases" in table.columns else {})


def _lasso(table: RunTable) -> tuple[int, ...]:
    """Draw that rows were picked on the map, and a button that forgets it; return their places."""
    run, places = st.session_state.get(LASSO) or ("", ())
    if run != str(table.run.path):
        return ()

    def forget() -> None:
        st.session_state[LASSO] = None

    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Only rows that were picked on the map: {len(places):,}.", width="content")
        st.button("All rows of the map", on_click=forget, key="forget_lasso", type="tertiary")
    return tuple(places)


def clear(table: RunTable) -> None:
    """Set every condition to its default; called before the widgets are drawn."""
    memory = st.session_state
    memory[LASSO] = None
    bounds = table.bounds("length") or (0, 1)
    usual = {"contains": "", "word": "", "confidence": (0.0, 1.0), "failed": False, "length": tuple(map(int, bounds))}
    for key in [key for key in memory if key in _WIDGETS or str(key).startswith("group_of_")]:
        memory[key] = usual.get(str(key), ANY)


def _value(table: RunTable, title: str, column: str, key: str) -> str | None:
    if column not in table.columns:
        return None
    values = [cell for cell, _ in table.counts(column)][:_MOST_OPTIONS]
    return _picked(title, values, key) if values else None


def _picked(title: str, values: list[str], key: str) -> str | None:
    if st.session_state.get(key) not in (None, ANY, *values):
        del st.session_state[key]
    picked = links.selectbox(title, [ANY, *values], key=key, width=150)
    return None if picked == ANY else str(picked)


def _group(table: RunTable, name: str) -> str | None:
    values = [cell for cell, _ in table.counts(group_column(name))][:_MOST_OPTIONS]
    key = f"group_of_{name}"
    session.keep(key)
    if st.session_state.get(key) not in (None, ANY, *values):
        del st.session_state[key]
    picked = st.selectbox(name, [ANY, *values], key=key, width=150)
    return None if picked == ANY else str(picked)


def _range(table: RunTable, title: str, key: str, low: float, high: float) -> tuple[float, float] | None:
    picked: Any = links.slider(title, low, high, (low, high), key=key)
    return None if picked == (low, high) else picked


def _lengths(table: RunTable) -> tuple[int, int] | None:
    bounds = table.bounds("length")
    if bounds is None or bounds[0] == bounds[1]:
        return None
    low, high = (int(bound) for bound in bounds)
    held = st.session_state.get("length")
    if held is not None and not (low <= held[0] <= held[1] <= high):
        del st.session_state["length"]  # another run has other lengths
    picked: Any = links.slider("Length in tokens", low, high, (low, high), key="length")
    return None if tuple(picked) == (low, high) else (int(picked[0]), int(picked[1]))
