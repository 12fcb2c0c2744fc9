"""Two of many texts, picked by a click or by their rows: side by side, compared word by word."""

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
from explain.views.scores_table import shortened
from pages.shared import links, pickers, session, show
from pages.shared.session import LONGEST_IN_LINK
from pages.shared.work import CLICKED, follow

MOST_SHOWN = 1000  # characters of a text
PLACES = {"one": "Row of a text", "other": "Row of another"}  # by their names in the address bar


def picked(texts: LoadedTexts) -> tuple[int, ...]:
    """Return the numbers of the compared texts, whose rows come from the boxes, a click or a link."""
    numbers: dict[int, None] = {}
    for key in PLACES:
        linked = st.query_params.get(key, "")  # the box that reads it is further down
        if linked and not (linked.isdecimal() and len(linked) < 10):
            del st.query_params[key]  # no row; a rerun is needed, since the box has read the link already
            session.rerun()
        row = st.session_state.get(key, int(linked) if linked else None)
        number = None if row is None else texts.member(row)
        if number is not None:
            numbers[number] = None
        elif row is not None:
            st.session_state[key] = None  # of other texts, or a row without a text
            st.toast(f"Row {row:,} holds no text here.")
    return tuple(numbers)


def pick(row: int) -> None:
    """Pick the text of a row: in a free place, or else the second text becomes the first."""
    first, second = st.session_state.get("one"), st.session_state.get("other")
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
    """Pick the texts of two rows."""
    st.session_state["one"], st.session_state["other"] = first, second
    _rerun_page()


def _rerun_page() -> None:
    """Let a change in a part of the page rerun all of it."""
    st.session_state[CLICKED] = True


def two_texts(
    texts: LoadedTexts, vectors: TextVectors, model: TextModel, numbers: tuple[int, ...], *, word_by_word: bool
) -> None:
    """Draw the boxes for two rows, their texts and cosine and, if it may be computed now, the words behind it."""
    st.header("Two texts", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for key, label in PLACES.items():
            links.number_input(
                label,
                1,
                texts.rows[-1],
                step=1,
                value=None,
                key=key,
                placeholder="none",
                width=160,
                on_change=_rerun_page,
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
    """Draw which words make two texts alike, and a link to the page that explains them.

    Args:
        longest: pieces of the longer text.
    """
    if model.task.name != "sentence_similarity":
        st.caption(
            "A comparison word by word needs a model that compares two texts. Choose one as encoder: an encoder saved "
            "without a head, or the adapter similarity."
        )
        return
    if pooling != model.vectors.poolings[0]:
        own = POOLINGS[model.vectors.poolings[0]].lower()
        st.caption(
            f"The comparison below uses the model's own vectors ({own}), so its cosine differs from the one above."
        )
    if longest > (most := model.max_tokens // 2):
        st.caption(
            f"The comparison below reads two texts side by side, the first {most} pieces of each. Its similarity "
            "differs from the cosine above, which covers all that was read."
        )
    if word_by_word:
        matrix(first, second, model)
    st.page_link(
        "explain_text.py",
        label="**Explain the two with every method** →",
        query_params=pair_link(first, second),
    )
    if max(len(first), len(second)) > LONGEST_IN_LINK:
        st.caption(f"The link carries the first {LONGEST_IN_LINK:,} characters of each text.")


def matrix(first: str, second: str, model: TextModel) -> None:
    """Draw how much every two words, one of each text, add to the similarity; or why that cannot be computed."""
    try:
        model.require({"jvp"})
    except ModelError as problem:
        st.caption(show.plain(str(problem)))
        return
    analysis = SimilarityAttribution()

    def draw(results: Results, model: TextModel) -> None:
        if (pairs := results.answer(analysis)) is not None:
            show.views(pairs, key="pairs", titled=True)

    follow(Plan.for_text(first, second, analyses=(analysis,)), model, draw)


def pair_link(first: str, second: str) -> dict[str, str]:
    """Return the link parameters of the page that explains these two texts with the same encoder."""
    encoder = st.session_state.encoder
    link = {"text": first[:LONGEST_IN_LINK], "pair": second[:LONGEST_IN_LINK], "task": "sentence_similarity"}
    if encoder == pickers.OTHER_MODEL:
        return link | {"model": pickers.OTHER_ID, "place": st.session_state.encoder_place}
    return link | {"model": encoder}
