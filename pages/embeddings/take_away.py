"""Files of the vectors, a link to the page, and the Python that gives the same vectors."""

from functools import partial

import streamlit as st

from explain.datatypes import TextVectors
from explain.report.vector_files import to_bytes
from pages.embeddings.selection import Selection
from pages.shared import show

MOST_IN_CSV = 10_000  # rows; a number takes ten characters there


def take_away(selection: Selection, vectors: TextVectors) -> None:
    """Draw buttons that save the vectors, and the Python."""
    st.header("Export", anchor=False)
    texts = selection.texts
    kinds = [("npz", "NumPy", "application/octet-stream"), ("parquet", "Parquet", "application/octet-stream")]
    if len(texts) <= MOST_IN_CSV:
        kinds.append(("csv", "CSV", "text/csv"))
    with st.container(horizontal=True):
        for form, title, kind in kinds:
            st.download_button(
                f"Vectors, {title}",
                partial(to_bytes, vectors, texts, form),
                f"vectors.{form}",
                kind,
                on_click="ignore",
            )
    show.links()
    if len(texts) > MOST_IN_CSV:
        st.caption(f"CSV of more than {MOST_IN_CSV:,} texts is hundreds of megabytes; `explain embed` writes it.")
    show.python("The Python that gives these vectors", lambda: as_python(selection))


def as_python(selection: Selection) -> str:
    """Return Python that computes the same vectors."""
    uploaded = selection.uploaded
    ending = f"model={selection.model.name!r}, pooling={selection.pooling!r})\nprint(vectors.vectors.shape)\n"
    if uploaded.file is None:
        return f"import explain\n\nlines = [...]  # one text each\nvectors = explain.embed(lines, {ending}"
    options = {"column": uploaded.column, "label": uploaded.label, "most": uploaded.most}
    named = "".join(f", {name}={setting!r}" for name, setting in options.items() if setting is not None)
    return (
        "import explain\nfrom explain.data.texts import read_texts\n\n"
        f"texts = read_texts({uploaded.file!r}{named})\nvectors = explain.embed(texts.texts, {ending}"
    )
