"""Many texts as vectors: a map, search, neighbours, cosines and clusters; and two texts compared word by word."""

from collections.abc import Callable

import streamlit as st

from explain.core.sizes import size_of
from explain.datatypes import TextVectors
from explain.models.base import TextModel
from explain.models.pooling import POOLINGS
from explain.run.jobs import Job
from explain.run.plan import Plan, TextsItem
from explain.run.results import Results
from explain.text.coverage import MOST_UNKNOWN
from pages.embeddings.clusters import clusters
from pages.embeddings.matrix import matrix
from pages.embeddings.neighbors import neighbors
from pages.embeddings.projection import projection
from pages.embeddings.search import search
from pages.embeddings.selection import Selection
from pages.embeddings.take_away import take_away
from pages.embeddings.two_texts import picked, two_texts
from pages.shared import links, pickers, screen, session, show
from pages.shared.files import UploadedTexts, texts_picker
from pages.shared.work import CLICKED, Panel, Work, follow_work, has_ended

PANELS: dict[str, Callable[[Selection], Panel | None]] = {
    "map": projection,
    "search": search,
    "neighbors": neighbors,
    "matrix": matrix,
    "clusters": clusters,
}
VIEWS = {
    "map": "Map",
    "search": "Search",
    "neighbors": "Neighbours",
    "matrix": "Similarity matrix",
    "clusters": "Clusters",
}
PARAMETERS = (
    *("texts_from", "column", "label", "rows", "encoder", "encoder_place", "pooling", "of_layer", "look"),
    *("map", "color", "clusters", "top", "which_texts", "sorted", "one", "other"),
)


def page() -> None:
    """Draw the page."""
    session.prepare_umap()
    uploaded = texts_picker()
    try:
        with (
            st.container(key="bar", horizontal=True),
            show.menu("Encoder", "model"),
        ):
            model = pickers.encoder_picker()
            pooling = pickers.pooling_picker(model)
            about_vectors(model)
    except pickers.NothingChosen as nothing:
        show.advice(str(nothing))
        st.stop()
    session.remember()
    if uploaded is None or too_large(uploaded, model):
        return
    vectors_first(Selection(uploaded, model, pooling, picked(uploaded.texts)))


def vectors_first(selection: Selection) -> None:
    """Compute the vectors and then the chosen view, so that another view does not start with the vectors again."""
    texts_item = TextsItem(selection.texts, selection.pooling)
    reading = Work(Plan(texts_item), selection.model)
    if not reading.known()[1]:

        def go_on(results: Results) -> None:
            if results.vectors is not None:
                session.rerun()

        follow_work(reading, go_on, lambda job: f"Reading texts: {job.done:,} of {job.cost:,}.")
        return
    name = links.segmented_control(
        "View",
        list(PANELS),
        default="map",
        key="look",
        format_func=VIEWS.__getitem__,
        label_visibility="collapsed",
    )
    panel = PANELS[name](selection)
    draw_panel(selection, panel, Work(Plan(texts_item, () if panel is None else panel.analyses), selection.model))


def draw_panel(selection: Selection, panel: Panel | None, work: Work) -> None:
    """Compute and draw the chosen view between what is said of all texts and the two picked ones."""
    results, complete = work.known()

    def draw_all(results: Results) -> None:
        vectors = results.vectors
        if vectors is None:
            return
        about_texts(selection, vectors)
        if panel is not None and results.has(panel.analyses[:1]):  # further analyses only add to the first one
            panel.draw(results)
        elif panel is not None and not has_ended(work):
            st.skeleton(height=320)
        # A visitor has one job at a time: two texts are compared word by word once nothing else is computed.
        two_texts(selection.texts, vectors, selection.model, selection.picked, word_by_word=complete)
        take_away(selection, vectors)

    if complete:
        st.session_state.pop(CLICKED, None)  # this run takes it into account
        draw_all(results)
        return

    def draw_and_go_on(results: Results) -> None:
        draw_all(results)
        if results.complete and st.session_state.get("computed_for") != work.key:
            st.session_state.computed_for = work.key  # once: results too large for the cache would be computed forever
            session.rerun()  # now that nothing else is computed, two texts can be compared

    follow_work(work, draw_and_go_on, _progress_text)


def _progress_text(job: Job) -> str:
    return "Computing. The first UMAP takes half a minute longer, since its code is compiled."


def about_vectors(model: TextModel) -> None:
    """Say what near vectors mean for a model that was not trained to compare texts."""
    if model.task.name != "sentence_similarity":
        st.caption(
            f"This model was trained for {model.task.hub_name}. Its vectors group texts by what matters for that task, "
            "not by meaning."
        )


def too_large(uploaded: UploadedTexts, model: TextModel) -> bool:
    """Whether the vectors exceed the cache of this app; says so."""
    vectors = (4 * model.record.hidden + 17) * len(uploaded.texts)
    needed, room = vectors + size_of(uploaded.texts), session.cache().most_bytes
    if needed <= 0.8 * room:
        return False
    show.problem(
        f"These {len(uploaded.texts):,} texts and their vectors take {needed / 1e6:,.0f} MB. This app keeps at "
        f"most {room / 1e6:,.0f} MB of results. Use fewer rows, or start the app with a larger EXPLAIN_CACHE_MB."
    )
    return True


def about_texts(selection: Selection, vectors: TextVectors) -> None:
    """Draw a caption on the vectors and on texts that were not read whole."""
    uploaded, texts, model = selection.uploaded, selection.texts, selection.model
    count = f"{len(texts):,} texts" if len(texts) != 1 else "1 text"
    name = POOLINGS[vectors.pooling.partition(":")[0]].lower()
    sentences = [f"{count} as vectors of {vectors.vectors.shape[1]} numbers, by {model.name} ({name})."]
    if uploaded.most is not None and texts.report.last >= uploaded.most:
        sentences.append(f"These are the first {uploaded.most:,} rows of the file; there may be more.")
    sentences += texts.report.sentences()
    if cut := int(vectors.truncated.sum()):
        sentences.append(f"Texts longer than {model.vectors.longest_text} pieces, read only to there: {cut:,}.")
    st.caption(show.plain(" ".join(sentences)))
    if (unknown := float(vectors.unknown.sum() / vectors.pieces.sum())) > MOST_UNKNOWN:
        st.warning(f"This model does not know {unknown:.0%} of the pieces. It reads each as the unknown token.")


screen.draw("embeddings", "Which texts are alike?", page, PARAMETERS)
