"""Files and pasted lines: many texts with their columns, and a set of texts for neurons."""

import hashlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from explain.core.errors import DataError
from explain.data.columns import Columns
from explain.data.dataset import Dataset
from explain.data.formats import ENDINGS
from explain.data.texts import LIMITS, MOST_ROWS, DifferentTexts, LoadedTexts, load_texts, pasted_texts, read_lines
from explain.run.jobs import recall
from pages.shared import links, session, show
from pages.shared.forms import choice

MOST_MEGABYTES = 50  # of a file; the server takes no more
PASTED, FROM_FILE = "Paste lines", "Load a file"
FIRST_ROWS = 5_000  # of a file by default: a first look should not take an hour
NO_LABEL = "(none)"
USUAL_LABELS = ("label_name", "label", "labels")  # columns that are taken as labels by default
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


def file_box(label: str, endings: Sequence[str], *, megabytes: int = MOST_MEGABYTES, **options: Any) -> Any:
    """Draw a box for a file and return the file, or None. The browser refuses a file that is too large."""
    file = st.file_uploader(label, list(endings), max_upload_size=megabytes, **options)
    if file is None:
        st.caption(f"At most {megabytes} MB. A larger file turns red and is not read; use a part of it.")
    return file


def loaded_before(name: str, key: str) -> None:
    """Say that an earlier file is still loaded, and offer to forget it.

    A browser sends a file once; the session keeps it under `key`.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{show.plain(name)} is still loaded.", width="content")
        if st.button("Forget it", key=f"forget_{key}"):
            st.session_state[key] = None
            st.rerun()


@dataclass(frozen=True)
class UploadedTexts:
    """Texts of a visitor, and the file and columns they come from; None where they were pasted."""

    texts: LoadedTexts
    file: str | None = None
    column: str | None = None
    label: str | None = None
    most: int | None = None


def texts_picker() -> UploadedTexts | None:
    """Draw the choice of texts and return them; None while there are none, or after a message on what is wrong."""
    where = links.segmented_control(
        "Texts",
        (PASTED, FROM_FILE),
        default=PASTED,
        key="texts_from",
        ids={PASTED: "paste", FROM_FILE: "file"},
        label_visibility="collapsed",
    )
    try:
        return _pasted() if where == PASTED else _of_file()
    except DataError as error:
        show.problem(str(error))
        return None


def _pasted() -> UploadedTexts | None:
    memory = st.session_state
    if not {"pasted", "pasted_start"} <= set(memory):
        memory.pasted_start = memory.get(
            "pasted_kept", EXAMPLE
        )  # a busy browser may miss a text that is set by its key
    lines = st.text_area(
        "One text a line",
        value=memory.pasted_start,
        key="pasted",
        height=200,
        max_chars=200_000,
        placeholder="Paste lines, then press Ctrl + Enter.",
        help="Ctrl + Enter reads them. They stay on the machine that runs this app.",
    )
    memory.pasted_kept = lines
    st.button("Show", type="primary")  # leaving the box sends the lines; people look for a button all the same
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
    names: tuple[str, ...] = recall(session.cache(), ("columns", digest, uploaded.name), lambda: dataset.names)
    names = names if dataset.has_columns else ()
    column, label, most = _columns(names)
    key = ("texts", digest, uploaded.name, column, label, most)
    with st.spinner(f"Reading {show.plain(uploaded.name)} ..."):
        columns = Columns(text=column, label=label)
        texts = recall(session.cache(), key, lambda: load_texts(replace(dataset, columns=columns, most=most)))
    uploaded_texts = UploadedTexts(texts, uploaded.name, column, label, most)
    st.session_state.file_before = (key, uploaded_texts.file, column, label, most)
    return uploaded_texts


def _columns(columns: Sequence[str]) -> tuple[str | None, str | None, int]:
    """Draw the choice of columns and return those of texts and labels, and the most rows."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        column = label = None
        if columns:
            usual = next((name for name in ("text", "sentence") if name in columns), columns[0])
            column = choice("Column of the texts", columns, "column", usual, width=220)
            options = [NO_LABEL, *(name for name in columns if name != column)]
            usual_label = next((name for name in USUAL_LABELS if name in options), NO_LABEL)
            label_column = choice(
                "Column of labels, for colors", options, "label", usual_label, width=220, ids={NO_LABEL: "none"}
            )
            label = None if label_column == NO_LABEL else label_column
        most = links.number_input(
            "Rows to read",
            1,
            MOST_ROWS,
            value=FIRST_ROWS,
            step=1000,
            key="rows",
            width=180,
            help=f"The first rows of the file, at most {MOST_ROWS:,}. More rows take more time.",
        )
    return column, label, int(most)


def _file_of_before() -> UploadedTexts | None:
    """Return the file that was loaded before another page was opened; a browser sends it once."""
    key, *about = st.session_state.get("file_before") or (None,)
    texts: Any = None if key is None else session.cache().get(key)
    if texts is None:
        show.advice("Load a file. Nothing leaves the machine that runs this app.")
        return None
    loaded_before(about[0], "file_before")
    return UploadedTexts(texts, *about)


def _digest(uploaded: Any, content: bytes) -> Hashable:
    """Return the hash of a file's content, computed once for each upload."""
    known = st.session_state.get("digest")
    if known is None or known[0] != uploaded.file_id:
        known = st.session_state.digest = (uploaded.file_id, hashlib.sha256(content).hexdigest())
    return known[1]


def set_of_texts() -> DifferentTexts | None:
    """Draw boxes for a set of texts, one a line, and return it, kept for the visit; None where there is none."""
    memory = st.session_state
    session.keep("set_of_texts")
    with st.expander("A set of texts: find the words with the highest activations"):
        file = file_box("A file in UTF-8, one text a line", ["txt", "tsv", "csv", "text"], megabytes=8)
        pasted = st.text_area("Or paste them", key="set_of_texts", height=120, placeholder="One text a line")
        try:
            if file is not None:
                lines = read_lines(file.getvalue())
                memory.set_before = (file.name, lines)
            elif pasted.strip():
                lines = read_lines(pasted)
            elif memory.get("set_before"):
                name, lines = memory.set_before
                loaded_before(name, "set_before")
            else:
                return None
        except DataError as error:
            show.problem(str(error))
            return None
        count = len(lines.texts)
        more = f" The first {count:,} are read; {lines.left_out:,} are left out." if lines.left_out else ""
        st.caption(f"{count:,} texts, one pass each, computed once.{more} They stay on the machine that runs this app.")
        return lines
