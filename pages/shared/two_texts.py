"""Two of many texts, picked by a click or by their rows: side by side, and why they are alike."""

import streamlit as st

from explain.analyses.similarity import SimilarityAttribution
from explain.core.errors import ModelError
from explain.core.guide import definition
from explain.data.texts import LoadedTexts
from explain.datatypes import TextVectors
from explain.models.base import TextModel
from explain.models.pooling import POOLINGS
from explain.numerics.nearest import cosines
from explain.run.plan import Plan
from explain.run.results import Results
from explain.tasks.base import TASKS
from explain.views.base import VIEWS
from explain.views.scores_table import shortened
from pages.shared import controls, show
from pages.shared.follow import CLICKED, follow
from pages.shared.state import LONGEST_IN_LINK

MOST_SHOWN = 1000  # characters of a text
PLACES = {"one": "Row of a text", "other": "Row of another"}  # by their names in the address bar


def picked(texts: LoadedTexts) -> tuple[int, ...]:
    """The texts that are compared, by number: those whose rows are set in the boxes, by a click, or by a link."""
    numbers: dict[int, None] = {}
    for key in PLACES:
        linked = st.query_params.get(key, "")  # the box that takes it over is further down
        if linked and not (linked.isdecimal() and len(linked) < 10):
            del st.query_params[key]  # no row; and the box would take it as it was when this run began
            st.rerun()
        row = st.session_state.get(key, int(linked) if linked else None)
        number = None if row is None else texts.member(row)
        if number is not None:
            numbers[number] = None
        elif row is not None:
            st.session_state[key] = None  # of other texts, or a row without a text
            st.toast(f"Row {row:,} holds no text here.")
    return tuple(numbers)


def pick(row: int) -> None:
    """Take a row for one of the two texts: the free place, or else the second moves up."""
    session = st.session_state
    first, second = session.get("one"), session.get("other")
    if row in (first, second):
        return
    if first is None:
        first = row
    elif second is None:
        second = row
    else:
        first, second = second, row
    pick_both(first, second)


def pick_both(first: int, second: int | None) -> None:
    """Take two rows."""
    st.session_state["one"], st.session_state["other"] = first, second
    _heeded()


def _heeded() -> None:
    """What happened in a part of the page concerns all of it."""
    st.session_state[CLICKED] = True


def two_texts(
    texts: LoadedTexts, vectors: TextVectors, model: TextModel, numbers: tuple[int, ...], *, word_by_word: bool
) -> None:
    """The boxes for two rows, the texts in them, how near they are and, if that may be computed now, why."""
    st.subheader("Two texts", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for key, label in PLACES.items():
            st.number_input(
                label,
                1,
                texts.rows[-1],
                step=1,
                value=None,
                key=key,
                placeholder="none",
                bind="query-params",
                width=160,
                on_change=_heeded,
            )
    for number in numbers:
        with st.container(border=True):
            st.caption(f"Row {texts.rows[number]}" + (f", {show.plain(texts.labels[number])}" if texts.labels else ""))
            st.text(shortened(texts.texts[number], MOST_SHOWN))
    if len(numbers) < 2:
        st.caption("Click two points of the map or two rows of a table, or type two rows.")
        return
    first, second = numbers
    cosine = float(cosines(vectors.vectors[[first]], vectors.vectors[[second]])[0, 0])
    st.markdown(f"Cosine **{cosine:.3f}**", help=definition("cosine"))
    longest = int(vectors.pieces[[first, second]].max())
    why_alike(texts.texts[first], texts.texts[second], vectors.pooling, longest, model, word_by_word=word_by_word)


def why_alike(first: str, second: str, pooling: str, longest: int, model: TextModel, *, word_by_word: bool) -> None:
    """Why two texts, of so many pieces at most, are alike word by word; and a link to all that can be said of them."""
    if model.task.name != "sentence_similarity":
        st.caption(
            "Word by word, this can be seen of models that compare two texts: choose one of these as encoder "
            "(an encoder saved without a head, or the adapter similarity)."
        )
        return
    if pooling != model.poolings[0]:
        own = POOLINGS[model.poolings[0]].lower()
        st.caption(f"Here the vectors are those that the model compares by ({own}), so the cosine is another.")
    if longest > (most := model.max_tokens // 2):
        st.caption(
            f"Word by word, two texts are read side by side, the first {most} pieces of each. What follows is about "
            "these beginnings, and its similarity is another than the cosine above, which is of all that was read."
        )
    if word_by_word:
        matrix(first, second, model)
    st.page_link(
        "explain_text.py",
        label="**Explain the two with every method** →",
        query_params=pair_link(first, second),
    )
    if max(len(first), len(second)) > LONGEST_IN_LINK:
        st.caption(f"The first {LONGEST_IN_LINK:,} characters of each go along.")


def matrix(first: str, second: str, model: TextModel) -> None:
    """What every two words, one of each text, add to their similarity; or why that can't be told."""
    try:
        model.require({"vectors_moved"})
    except ModelError as problem:
        st.caption(show.plain(str(problem)))
        return
    analysis = SimilarityAttribution()

    def draw(results: Results, model: TextModel) -> None:
        if (pairs := results.answer(analysis)) is not None:
            st.markdown(f"**{VIEWS['similarity_matrix'].title}**")
            show.view("similarity_matrix", pairs, key="similarity_matrix")

    follow(Plan.for_text(first, second, analyses=(analysis,)), model, draw)


def pair_link(first: str, second: str) -> dict[str, str]:
    """What the address of the page that explains two texts holds: these two, and the same encoder."""
    session = st.session_state
    task = TASKS["sentence_similarity"].title  # boxes in the address bar are set by what they show
    held = {"text": first[:LONGEST_IN_LINK], "pair": second[:LONGEST_IN_LINK], "model": session.encoder, "task": task}
    return held | ({"place": session.encoder_place} if session.encoder == controls.OTHER_MODEL else {})
