"""Many texts for a page: lines that are pasted, or a file with its columns."""

import hashlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from explain.core.errors import DataError
from explain.data.columns import Columns
from explain.data.dataset import Dataset
from explain.data.formats import ENDINGS
from explain.data.texts import LIMITS, MOST_ROWS, LoadedTexts, load_texts, pasted_texts
from explain.run.jobs import recall
from pages.shared import show, state
from pages.shared.controls import file_box, loaded_before, one_of

PASTED, FROM_FILE = "Paste lines", "Load a file"
FIRST_ROWS = 5_000  # of a file, unless more are asked for: a first look should not take an hour
NO_LABEL = "(none)"
USUAL_LABELS = ("label_name", "label", "labels")  # columns whose labels are taken without being asked for
EXAMPLE = """\
How do I get to the nearest station?
Where is the closest train stop?
The last train leaves at midnight.
Is there a bus to the airport?
Our flight was delayed by three hours.
Beat the eggs with the sugar.
Whisk sugar and eggs until they are pale.
Bake the bread for forty minutes.
Add a pinch of salt to the soup.
The soup tastes of nothing.
The dog bit the man.
The man bit the dog.
My cat sleeps all day.
Two dogs are running through the snow.
A parrot can learn a few words.
The court dismissed the appeal.
The judge rejected the claim.
She was fined for speeding.
The new law applies from January.
He signed the contract without reading it.
The team won in the last minute.
A late goal decided the match.
She ran the marathon in three hours.
The goalkeeper was injured.
"""


@dataclass(frozen=True)
class UploadedTexts:
    """Texts, and where they are from: the name of a file, or None where they were pasted."""

    texts: LoadedTexts
    file: str | None = None
    column: str | None = None
    label: str | None = None
    most: int | None = None


def texts_picker() -> UploadedTexts | None:
    """The texts a visitor gives; None where there are none yet, or what is wrong with them stands on the page."""
    where = st.segmented_control(
        "Texts",
        (PASTED, FROM_FILE),
        default=PASTED,
        required=True,
        key="texts_from",
        bind="query-params",
        label_visibility="collapsed",
    )
    try:
        return _pasted() if where == PASTED else _of_file()
    except DataError as error:
        show.problem(str(error))
        return None


def _pasted() -> UploadedTexts | None:
    session = st.session_state
    if not {"pasted", "pasted_start"} <= set(session):
        session.pasted_start = session.get("pasted_kept", EXAMPLE)  # one that is set by key, a busy browser may miss
    lines = st.text_area(
        "One text a line",
        value=session.pasted_start,
        key="pasted",
        height=200,
        max_chars=200_000,
        placeholder="Paste lines, then press Ctrl + Enter.",
        help="Ctrl + Enter takes them. They stay on the machine that runs this app.",
    )
    session.pasted_kept = lines
    st.button("Show", type="primary")  # leaving the box sends the lines; the button is where one looks for it
    if not lines.strip():
        show.advice("Paste some texts, one a line.")
        return None
    return UploadedTexts(pasted_texts(lines))


def _of_file() -> UploadedTexts | None:
    uploaded = file_box(
        "A file with one text a row: CSV, text, JSON lines or Parquet",
        [*ENDINGS, "gz"],
        key="upload",
        help=f"At most {MOST_ROWS:,} rows. The file stays on the machine that runs this app.",
    )
    if uploaded is None:
        return _file_of_before()
    content = uploaded.getvalue()
    dataset = Dataset.of_bytes(uploaded.name, content, limits=LIMITS)
    digest = _digest(uploaded, content)
    names: tuple[str, ...] = recall(state.cache(), ("columns", digest, uploaded.name), lambda: dataset.names)
    names = names if dataset.has_columns else ()
    column, label, most = _columns(names)
    key = ("texts", digest, uploaded.name, column, label, most)
    with st.spinner(f"Reading {show.plain(uploaded.name)} ..."):
        columns = Columns(text=column, label=label)
        texts = recall(state.cache(), key, lambda: load_texts(replace(dataset, columns=columns, most=most)))
    uploaded_texts = UploadedTexts(texts, uploaded.name, column, label, most)
    st.session_state.file_before = (key, uploaded_texts.file, column, label, most)
    return uploaded_texts


def _columns(columns: Sequence[str]) -> tuple[str | None, str | None, int]:
    """The column of texts, that of labels, and how many rows are taken."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        column = label = None
        if columns:
            usual = next((name for name in ("text", "sentence") if name in columns), columns[0])
            column = one_of("Column of the texts", columns, "column", usual, width=220)
            options = [NO_LABEL, *(name for name in columns if name != column)]
            usual_label = next((name for name in USUAL_LABELS if name in options), NO_LABEL)
            choice = one_of("Column of labels, for colors", options, "label", usual_label, width=220)
            label = None if choice == NO_LABEL else choice
        most = st.number_input(
            "Rows to take",
            1,
            MOST_ROWS,
            value=FIRST_ROWS,
            step=1000,
            key="rows",
            bind="query-params",
            width=180,
            help=f"The first so many, at most {MOST_ROWS:,}. Vectors take about as long as the rows are many.",
        )
    return column, label, int(most)


def _file_of_before() -> UploadedTexts | None:
    """The file that was loaded before another page was looked at: a browser gives it once."""
    key, *about = st.session_state.get("file_before") or (None,)
    texts: Any = None if key is None else state.cache().get(key)
    if texts is None:
        show.advice("Load a file. Nothing leaves the machine that runs this app.")
        return None
    loaded_before(about[0], "file_before")
    return UploadedTexts(texts, *about)


def _digest(uploaded: Any, content: bytes) -> Hashable:
    """What tells a file's content from others; found once for each upload."""
    known = st.session_state.get("digest")
    if known is None or known[0] != uploaded.file_id:
        known = st.session_state.digest = (uploaded.file_id, hashlib.sha256(content).hexdigest())
    return known[1]
