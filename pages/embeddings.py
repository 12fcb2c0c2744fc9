"""Many texts as vectors: which lie near a query, which near each other, in what groups; and why two are alike."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from explain.analyses import pca_map, umap_map
from explain.analyses.clusters import MOST_CLUSTERS, Clusters
from explain.analyses.cosine_matrix import MOST_COMPARED, CosineMatrix
from explain.analyses.nearest_neighbors import NearestNeighbors
from explain.analyses.pca_map import PCAMap
from explain.analyses.semantic_search import SemanticSearch
from explain.analyses.umap_map import MOST_MAPPED, UMAPMap
from explain.core.errors import ExplainError
from explain.core.guide import definition
from explain.core.sizes import size_of
from explain.data.texts import LoadedTexts
from explain.datatypes import Ranking, TextClusters, TextMap, TextMatrix, TextVectors
from explain.embeddings.writing import clusters_csv, written
from explain.models.analysis import VectorAnalysis
from explain.models.base import TextModel
from explain.models.pooling import POOLINGS
from explain.run.jobs import Job
from explain.run.plan import Plan, TextsItem
from explain.run.results import Results
from explain.text.coverage import MOST_UNKNOWN
from explain.views.scores_table import shortened
from explain.views.text_map import MOST_GROUPS, Coloring, map_figure, matrix_figure, matrix_order, points_shown
from pages.shared import controls, show, state
from pages.shared.follow import CLICKED, follow_work
from pages.shared.texts import Given, given_texts
from pages.shared.two_texts import pick, pick_both, picked, two_texts

MOST_IN_CSV = 10_000  # rows; a number takes ten characters there
MOST_SHOWN = 300  # characters of a text in a table
LOOKS = ("Map", "Search", "Neighbours", "Similarity matrix", "Clusters")


@dataclass(frozen=True)
class Subject:
    """What this page is about: texts, who reads them, and the two that are picked, by their numbers."""

    given: Given
    model: TextModel
    pooling: str
    picked: tuple[int, ...]


# What a look asks for, and how it is drawn once that is found.
Look = tuple[tuple[VectorAnalysis[Any], ...], Callable[[TextVectors, Results], None]]


def page() -> None:
    state.carry_over("embeddings")
    state.prepare_umap()
    st.title("Which texts are alike?", anchor=False)
    given = given_texts()
    try:
        with st.sidebar:
            model = controls.encoder_picker()
            pooling = controls.pooling_picker(model)
            about_vectors(model, pooling)
    except controls.Unchosen:
        st.stop()
    state.remember()
    if given is None:
        return
    if too_large(given, model):
        return
    vectors_first(Subject(given, model, pooling, picked(given.texts)))


def vectors_first(subject: Subject) -> None:
    """The vectors, and then what is asked of them: another question should not begin with the vectors again."""
    item = TextsItem(subject.given.texts, subject.pooling)
    reading = state.Work(Plan(item), subject.model)
    if not reading.known()[1]:

        def go_on(results: Results) -> None:
            if results.vectors is not None:
                st.rerun()

        follow_work(reading, go_on, lambda job: f"Reading texts: {job.done:,} of {job.cost:,}.")
        return
    view = st.segmented_control(
        "View", LOOKS, default="Map", required=True, key="look", bind="query-params", label_visibility="collapsed"
    )
    looks = {
        "Map": text_map,
        "Search": search,
        "Neighbours": neighbours,
        "Similarity matrix": matrix,
        "Clusters": clusters,
    }
    analyses, draw = looks[view](subject)
    work = state.Work(Plan(item, analyses), subject.model)
    results, complete = work.known()

    def draw_all(results: Results) -> None:
        if (vectors := results.vectors) is None:
            return
        about_texts(subject, vectors)
        if results.has(analyses[:1]):  # the others say more of it, where they can be computed
            draw(vectors, results)
        elif not state.has_ended(work):
            st.skeleton(height=320)
        # A visitor has one job at a time: why two are alike is computed once nothing else is.
        two_texts(subject.given.texts, vectors, subject.model, subject.picked, word_by_word=complete)
        take_away(subject, vectors)

    if complete:
        st.session_state.pop(CLICKED, None)  # this run heeds it
        draw_all(results)
    else:

        def draw_and_go_on(results: Results) -> None:
            draw_all(results)
            if results.complete and st.session_state.get("computed_for") != work.key:
                st.session_state.computed_for = work.key  # once: what no cache can hold would be computed for ever
                st.rerun()  # nothing else is computed now, so why two texts are alike can be

        follow_work(work, draw_and_go_on, _progress_text)


def _progress_text(job: Job) -> str:
    return "Finding out what was asked. A first UMAP takes half a minute longer: it is compiled."


# What stands above every view.


def about_vectors(model: TextModel, pooling: str) -> None:
    if model.task.name != "sentence_similarity":
        st.caption(
            f"This model was trained for {model.task.hub_name}: its vectors lie near each other where texts are alike "
            "for that, which need not be where they mean alike."
        )


def too_large(given: Given, model: TextModel) -> bool:
    """Whether the vectors would not fit into what this app may remember; says so."""
    vectors = (4 * model.record.hidden + 17) * len(given.texts)
    needed, room = vectors + size_of(given.texts), state.cache().most_bytes
    if needed <= 0.8 * room:
        return False
    show.problem(
        f"These {len(given.texts):,} texts and their vectors take {needed / 1e6:,.0f} MB, and this app keeps at most "
        f"{room / 1e6:,.0f} MB of results. Take fewer rows, or start it with a larger EXPLAIN_CACHE_MB."
    )
    return True


def about_texts(subject: Subject, vectors: TextVectors) -> None:
    given, texts = subject.given, subject.given.texts
    what = f"{len(texts):,} texts" if len(texts) != 1 else "1 text"
    name = POOLINGS[vectors.pooling.partition(":")[0]].lower()
    said = [f"{what} as {vectors.vectors.shape[1]} numbers each, by {subject.model.name} ({name})."]
    if given.most is not None and texts.report.last >= given.most:
        said.append(f"These are the first {given.most:,} rows of the file; there may be more.")
    said += texts.report.sentences()
    if cut := int(vectors.truncated.sum()):
        said.append(f"Texts longer than {subject.model.longest_text} pieces, of which the rest was not read: {cut:,}.")
    st.caption(show.plain(" ".join(said)))
    if (unknown := float(vectors.unknown.sum() / vectors.pieces.sum())) > MOST_UNKNOWN:
        st.warning(f"{unknown:.0%} of the pieces are unknown to this model: it sees the same blank for each of them.")


# The views.


def text_map(subject: Subject) -> Look:
    texts = subject.given.texts
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control(
            "Projection", ("PCA", "UMAP"), default="PCA", required=True, key="map", bind="query-params"
        )
        chosen = color_picker(texts)
        clustering = cluster_slider(texts) if chosen == "cluster" else None
    if len(texts) < pca_map.FEWEST_TEXTS:
        show.advice(f"A map needs {pca_map.FEWEST_TEXTS} texts or more.")
        return (), lambda vectors, results: None
    if kind == "UMAP" and len(texts) < umap_map.FEWEST_TEXTS:
        show.advice(f"UMAP needs {umap_map.FEWEST_TEXTS} texts or more; this is PCA.")
        kind = "PCA"
    mapped: VectorAnalysis[TextMap] = PCAMap() if kind == "PCA" else UMAPMap()

    def draw(vectors: TextVectors, results: Results) -> None:
        found = results.required(mapped)
        clustered = None if clustering is None else results.answer(clustering)

        def clicked() -> None:
            for point in st.session_state.map_chart["selection"]["points"]:
                pick(texts.rows[point["customdata"][0]])

        coloring = coloring_of(chosen, vectors, texts, clustered)
        figure = map_figure(found, texts.texts, texts.rows, coloring, subject.picked)
        st.plotly_chart(
            figure,
            key="map_chart",
            on_select=clicked,
            selection_mode="points",
            config={"scrollZoom": True, "displaylogo": False},
            alt=f"A map of {len(found.members):,} texts by {kind}, colored by {chosen}.",
        )
        st.caption(map_limits(found, chosen, len(texts), len(set(texts.labels))))
        if clustered is not None:
            how_clear(clustered)

    return (mapped, *([clustering] if clustering else [])), draw


def color_picker(texts: LoadedTexts) -> str:
    """What colors say; labels, once there are some."""
    session = st.session_state
    if texts.labels and session.get("colored") != texts.digest:
        session.color, session.colored = "label", texts.digest
    colors = ["cluster", "length", *(["label"] if texts.labels else []), "nothing"]
    return str(controls.one_of("Color by", colors, "color", "cluster", width=180))


def coloring_of(
    chosen: str, vectors: TextVectors, texts: LoadedTexts, clustered: TextClusters | None
) -> Coloring | None:
    if chosen == "length":
        return Coloring("pieces", vectors.pieces)
    if chosen == "label":
        return Coloring("label", texts.labels)
    if clustered is not None:
        return Coloring("cluster", [f"cluster {number + 1}" for number in clustered.of.tolist()])
    return None


def map_limits(found: TextMap, color: str, texts: int, labels: int) -> str:
    """What a map is of, and what it can't say."""
    said = []
    if len(found.members) < texts:
        said.append(f"UMAP of {MOST_MAPPED:,} texts, drawn evenly out of {texts:,}.")
    if (shown := len(points_shown(found))) < len(found.members):
        said.append(f"Drawn are {shown:,} of {len(found.members):,} points: a browser can't bear all.")
    if found.explained is None:
        said.append(f"{definition('UMAP')} Another seed gives another picture.")
    else:
        rest = 1 - float(found.explained.sum())
        said.append(
            "These texts have one vector, so there is nothing to see."
            if not found.explained.any()
            else f"{definition('PCA')} {rest:.0%} of their variance is not shown: close points need not be alike."
        )
    if color == "label" and labels > MOST_GROUPS:
        said.append(f"The {MOST_GROUPS} labels with most points have a color and a shape; the others are gray.")
    return " ".join([*said, "Axes have no unit. Click two points to compare their texts below."])


def search(subject: Subject) -> Look:
    state.keep("query")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        query = st.text_input(
            "Rank the texts by their nearness to",
            key="query",
            max_chars=2000,
            placeholder="Type a line, then press Enter.",
        )
        most = st.slider("Texts listed", 5, 100, 10, step=5, key="top", bind="query-params", width=180)
    if not query.strip():
        show.advice("Type what you look for: the texts that mean something alike come first, whatever their words.")
        return (), lambda vectors, results: None
    analysis = SemanticSearch(query, int(most))

    def draw(vectors: TextVectors, results: Results) -> None:
        found = results.required(analysis)
        if found.truncated:
            st.warning("The line is longer than the model reads; its end was left out.")
        ranking_table(subject, found, "search_table", pick)
        st.caption(
            "Every text is compared. What counts as near differs between models, so compare cosines within this list "
            "only. A sentence and its negation lie near each other. Select a row to compare its text below.",
            help=definition("cosine"),
        )

    return (analysis,), draw


def neighbours(subject: Subject) -> Look:
    texts = subject.given.texts
    most = st.slider("Texts listed", 5, 100, 10, step=5, key="top", bind="query-params", width=180)
    if not subject.picked:
        show.advice(
            "Give the row of a text under Two texts below, or click a point on the map: its neighbours are here."
        )
        return (), lambda vectors, results: None
    analysis = NearestNeighbors(subject.picked[0], int(most))

    def draw(vectors: TextVectors, results: Results) -> None:
        st.markdown(f"Nearest to row {texts.rows[subject.picked[0]]}:")
        st.text(shortened(texts.texts[subject.picked[0]], MOST_SHOWN))
        this = texts.rows[subject.picked[0]]
        ranking_table(subject, results.required(analysis), "neighbour_table", lambda row: pick_both(this, row))
        st.caption("By cosine, the text itself left out. Select a row to compare its text with this one below.")

    return (analysis,), draw


def ranking_table(subject: Subject, found: Ranking, key: str, on_row: Callable[[int], None]) -> None:
    texts = subject.given.texts
    rows = [
        {
            "cosine": value,
            "row": texts.rows[member],
            **({"label": shortened(texts.labels[member], 60)} if texts.labels else {}),
            "text": shortened(texts.texts[member], MOST_SHOWN),
        }
        for member, value in zip(found.members.tolist(), found.cosines.tolist())
    ]

    def selected() -> None:
        for place in st.session_state[key]["selection"]["rows"]:
            on_row(rows[place]["row"])

    st.dataframe(
        rows,
        key=key,
        hide_index=True,
        column_config={"cosine": st.column_config.NumberColumn(format="%.3f", width="small")},
        on_select=selected,
        selection_mode="single-row",
    )


def matrix(subject: Subject) -> Look:
    texts = subject.given.texts
    drawn = "drawn at random"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        largest = min(MOST_COMPARED, len(texts))
        count = largest
        if largest > 2:
            count = st.slider("Texts compared", 2, largest, min(50, largest), key="compared", width=220)
        which = "the first"
        if len(texts) > count:
            which = controls.one_of("Which", ["the first", drawn], "which_texts", "the first", width=180)
        sort = st.toggle("Put clusters together", key="sorted", bind="query-params") and count > 3
        clustering = cluster_slider(texts) if sort else None
    analysis = CosineMatrix(int(count), which == drawn)

    def draw(vectors: TextVectors, results: Results) -> None:
        found = results.required(analysis)
        order = matrix_order(found, None if clustering is None else results.answer(clustering))
        st.plotly_chart(
            matrix_figure(found, texts.texts, texts.rows, order),
            key="matrix_chart",
            config={"displaylogo": False},
            alt=f"The cosine of every two of {len(found.members)} texts.",
        )
        st.caption(
            f"Cosines of {len(found.members):,} of {len(texts):,} texts, at most {MOST_COMPARED}; no unit. In many "
            "encoders all cosines are high: compare them with each other, not with 0."
        )
        nearest_pairs(subject, found)

    return (analysis, *([clustering] if clustering else [])), draw


def nearest_pairs(subject: Subject, found: TextMatrix) -> None:
    texts = subject.given.texts
    pairs = [(int(found.members[one]), int(found.members[other])) for one, other in found.pairs.tolist()]
    rows = [
        {
            "cosine": float(found.cosines[place[0], place[1]]),
            "row": texts.rows[one],
            "text": shortened(texts.texts[one], MOST_SHOWN),
            "other row": texts.rows[other],
            "other text": shortened(texts.texts[other], MOST_SHOWN),
        }
        for place, (one, other) in zip(found.pairs.tolist(), pairs)
    ]

    def selected() -> None:
        for place in st.session_state.pair_table["selection"]["rows"]:
            pick_both(rows[place]["row"], rows[place]["other row"])

    st.markdown("**The nearest pairs of these**")
    st.dataframe(
        rows,
        key="pair_table",
        hide_index=True,
        height=260,
        column_config={"cosine": st.column_config.NumberColumn(format="%.3f", width="small")},
        on_select=selected,
        selection_mode="single-row",
    )


def clusters(subject: Subject) -> Look:
    texts = subject.given.texts
    clustering = cluster_slider(texts)
    if clustering is None:
        return (), lambda vectors, results: None

    def draw(vectors: TextVectors, results: Results) -> None:
        found = results.required(clustering)
        how_clear(found)
        rows = [
            {
                "cluster": number + 1,
                "texts": int(size),
                "silhouette": float(found.by_cluster[number]),
                "nearest to its middle": "  ·  ".join(
                    shortened(texts.texts[member], 100) for member in found.typical[number].tolist() if member >= 0
                ),
            }
            for number, size in enumerate(found.sizes.tolist())
        ]
        numbers = {"silhouette": st.column_config.NumberColumn(format="%.2f", width="small")}
        st.dataframe(rows, hide_index=True, column_config=numbers)
        st.download_button(
            "Each text's cluster, CSV",
            partial(clusters_csv, found, texts),
            "clusters.csv",
            "text/csv",
            on_click="ignore",
        )

    return (clustering,), draw


def cluster_slider(texts: LoadedTexts) -> Clusters | None:
    """k-means into so many clusters; None where there are too few texts."""
    most = min(MOST_CLUSTERS, len(set(texts.texts)) - 1)
    if most < 2:
        show.advice("Clusters need three different texts or more.")
        return None
    if most == 2:
        return Clusters(2)
    if not 2 <= (st.session_state.get("clusters") or 2) <= most:
        del st.session_state.clusters
    return Clusters(int(st.slider("Clusters", 2, most, min(5, most), key="clusters", bind="query-params", width=180)))


def how_clear(found: TextClusters) -> None:
    """Whether there are clusters at all."""
    of = "" if found.measured == len(found.of) else f", measured on {found.measured:,} texts drawn evenly"
    st.caption(
        f"{len(found.sizes)} clusters by k-means: mean silhouette {found.silhouette:.2f}, by cosine{of}. One cloud "
        f"without groups, of the same spread and cut into as many, has {found.one_cloud:.2f}. Only a clearly larger "
        "silhouette is a sign of groups.",
        help=f"{definition('silhouette')}\n\n{definition('cluster')}",
    )


def take_away(subject: Subject, vectors: TextVectors) -> None:
    st.subheader("Take it with you", anchor=False)
    texts = subject.given.texts
    kinds = [("npz", "NumPy", "application/octet-stream"), ("parquet", "Parquet", "application/octet-stream")]
    if len(texts) <= MOST_IN_CSV:
        kinds.append(("csv", "CSV", "text/csv"))
    with st.container(horizontal=True):
        for form, title, kind in kinds:
            st.download_button(
                f"Vectors, {title}",
                partial(written, vectors, texts, form),
                f"vectors.{form}",
                kind,
                on_click="ignore",
            )
    show.links()
    if len(texts) > MOST_IN_CSV:
        st.caption(f"CSV of more than {MOST_IN_CSV:,} texts is hundreds of megabytes; `explain embed` writes it.")
    with st.expander("The Python that gives these vectors"):
        st.code(as_python(subject), language="python")


def as_python(subject: Subject) -> str:
    given = subject.given
    ending = f"model={subject.model.name!r}, pooling={subject.pooling!r})\nprint(found.vectors.shape)\n"
    if given.file is None:
        return f"import explain\n\nlines = [...]  # one text each\nfound = explain.embed(lines, {ending}"
    options = {"column": given.column, "label": given.label, "most": given.most}
    named = "".join(f", {name}={value!r}" for name, value in options.items() if value is not None)
    return (
        "import explain\nfrom explain.data.texts import read_texts\n\n"
        f"texts = read_texts({given.file!r}{named})\nfound = explain.embed(texts.texts, {ending}"
    )


try:
    page()
except ExplainError as problem:
    show.problem(str(problem))
