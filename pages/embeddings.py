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
from explain.models.analysis import VectorAnalysis
from explain.models.base import TextModel
from explain.models.pooling import POOLINGS
from explain.report.vector_files import clusters_csv, to_bytes
from explain.run.jobs import Job
from explain.run.plan import Plan, TextsItem
from explain.run.results import Results
from explain.text.coverage import MOST_UNKNOWN
from explain.views.scores_table import shortened
from explain.views.text_map import MOST_GROUPS, Coloring, map_figure, matrix_figure, matrix_order, points_shown
from pages.shared import controls, show, state
from pages.shared.follow import CLICKED, follow_work
from pages.shared.texts import UploadedTexts, texts_picker
from pages.shared.two_texts import pick, pick_both, picked, two_texts

MOST_IN_CSV = 10_000  # rows; a number takes ten characters there
MOST_SHOWN = 300  # characters of a text in a table
LOOKS = ("Map", "Search", "Neighbours", "Similarity matrix", "Clusters")


@dataclass(frozen=True)
class Selection:
    """What this page is about: texts, who reads them, and the two that are picked, by their numbers."""

    uploaded: UploadedTexts
    model: TextModel
    pooling: str
    picked: tuple[int, ...]


# What a look asks for, and how it is drawn once that is found.
Look = tuple[tuple[VectorAnalysis[Any], ...], Callable[[TextVectors, Results], None]]


def page() -> None:
    state.carry_over("embeddings")
    state.prepare_umap()
    st.title("Which texts are alike?", anchor=False)
    uploaded = texts_picker()
    try:
        with st.sidebar:
            model = controls.encoder_picker()
            pooling = controls.pooling_picker(model)
            about_vectors(model, pooling)
    except controls.NothingChosen:
        st.stop()
    state.remember()
    if uploaded is None:
        return
    if too_large(uploaded, model):
        return
    vectors_first(Selection(uploaded, model, pooling, picked(uploaded.texts)))


def vectors_first(selection: Selection) -> None:
    """The vectors, and then what is asked of them: another question should not begin with the vectors again."""
    texts_item = TextsItem(selection.uploaded.texts, selection.pooling)
    reading = state.Work(Plan(texts_item), selection.model)
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
    analyses, draw = looks[view](selection)
    work = state.Work(Plan(texts_item, analyses), selection.model)
    results, complete = work.known()

    def draw_all(results: Results) -> None:
        if (vectors := results.vectors) is None:
            return
        about_texts(selection, vectors)
        if results.has(analyses[:1]):  # the others say more of it, where they can be computed
            draw(vectors, results)
        elif not state.has_ended(work):
            st.skeleton(height=320)
        # A visitor has one job at a time: why two are alike is computed once nothing else is.
        two_texts(selection.uploaded.texts, vectors, selection.model, selection.picked, word_by_word=complete)
        take_away(selection, vectors)

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


def too_large(uploaded: UploadedTexts, model: TextModel) -> bool:
    """Whether the vectors would not fit into what this app may remember; says so."""
    vectors = (4 * model.record.hidden + 17) * len(uploaded.texts)
    needed, room = vectors + size_of(uploaded.texts), state.cache().most_bytes
    if needed <= 0.8 * room:
        return False
    show.problem(
        f"These {len(uploaded.texts):,} texts and their vectors take {needed / 1e6:,.0f} MB. This app keeps at most "
        f"{room / 1e6:,.0f} MB of results. Take fewer rows, or start it with a larger EXPLAIN_CACHE_MB."
    )
    return True


def about_texts(selection: Selection, vectors: TextVectors) -> None:
    uploaded, texts = selection.uploaded, selection.uploaded.texts
    what = f"{len(texts):,} texts" if len(texts) != 1 else "1 text"
    name = POOLINGS[vectors.pooling.partition(":")[0]].lower()
    sentences = [f"{what} as {vectors.vectors.shape[1]} numbers each, by {selection.model.name} ({name})."]
    if uploaded.most is not None and texts.report.last >= uploaded.most:
        sentences.append(f"These are the first {uploaded.most:,} rows of the file; there may be more.")
    sentences += texts.report.sentences()
    if cut := int(vectors.truncated.sum()):
        sentences.append(
            f"Texts longer than {selection.model.longest_text} pieces, of which the rest was not read: {cut:,}."
        )
    st.caption(show.plain(" ".join(sentences)))
    if (unknown := float(vectors.unknown.sum() / vectors.pieces.sum())) > MOST_UNKNOWN:
        st.warning(f"{unknown:.0%} of the pieces are unknown to this model: it sees the same blank for each of them.")


# The views.


def text_map(selection: Selection) -> Look:
    texts = selection.uploaded.texts
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control(
            "Projection", ("PCA", "UMAP"), default="PCA", required=True, key="map", bind="query-params"
        )
        colored_by = color_picker(texts)
        clustering = cluster_slider(texts) if colored_by == "cluster" else None
    if len(texts) < pca_map.FEWEST_TEXTS:
        show.advice(f"A map needs {pca_map.FEWEST_TEXTS} texts or more.")
        return (), lambda vectors, results: None
    if kind == "UMAP" and len(texts) < umap_map.FEWEST_TEXTS:
        show.advice(f"UMAP needs {umap_map.FEWEST_TEXTS} texts or more; this is PCA.")
        kind = "PCA"
    mapped: VectorAnalysis[TextMap] = PCAMap() if kind == "PCA" else UMAPMap()

    def draw(vectors: TextVectors, results: Results) -> None:
        mapped_texts = results.required(mapped)
        clustered = None if clustering is None else results.answer(clustering)

        def clicked() -> None:
            for point in st.session_state.map_chart["selection"]["points"]:
                pick(texts.rows[point["customdata"][0]])

        coloring = coloring_of(colored_by, vectors, texts, clustered)
        figure = map_figure(mapped_texts, texts.texts, texts.rows, coloring, selection.picked)
        st.plotly_chart(
            figure,
            key="map_chart",
            on_select=clicked,
            selection_mode="points",
            config={"scrollZoom": True, "displaylogo": False},
            alt=f"A map of {len(mapped_texts.members):,} texts by {kind}, colored by {colored_by}.",
        )
        st.caption(map_limits(mapped_texts, colored_by, len(texts), len(set(texts.labels))))
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
    colored_by: str, vectors: TextVectors, texts: LoadedTexts, clustered: TextClusters | None
) -> Coloring | None:
    if colored_by == "length":
        return Coloring("pieces", vectors.pieces)
    if colored_by == "label":
        return Coloring("label", texts.labels)
    if clustered is not None:
        return Coloring("cluster", [f"cluster {number + 1}" for number in clustered.of.tolist()])
    return None


def map_limits(text_map: TextMap, color: str, texts: int, labels: int) -> str:
    """What a map is of, and what it can't say."""
    sentences = []
    if len(text_map.members) < texts:
        sentences.append(f"UMAP of {MOST_MAPPED:,} texts, drawn evenly out of {texts:,}.")
    if (shown := len(points_shown(text_map))) < len(text_map.members):
        sentences.append(f"Drawn are {shown:,} of {len(text_map.members):,} points: a browser can't bear all.")
    if text_map.explained is None:
        sentences.append(f"{definition('UMAP')} Another seed gives another picture.")
    else:
        rest = 1 - float(text_map.explained.sum())
        sentences.append(
            "These texts have one vector, so there is nothing to see."
            if not text_map.explained.any()
            else f"{definition('PCA')} {rest:.0%} of their variance is not shown: close points need not be alike."
        )
    if color == "label" and labels > MOST_GROUPS:
        sentences.append(f"The {MOST_GROUPS} labels with most points have a color and a shape; the others are gray.")
    return " ".join([*sentences, "Axes have no unit. Click two points to compare their texts below."])


def search(selection: Selection) -> Look:
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
        ranking = results.required(analysis)
        if ranking.truncated:
            st.warning("The line is longer than the model reads; its end was left out.")
        ranking_table(selection, ranking, "search_table", pick)
        st.caption(
            "Every text is compared. What counts as near differs between models, so compare cosines within this list "
            "only. A sentence and its negation lie near each other. Select a row to compare its text below.",
            help=definition("cosine"),
        )

    return (analysis,), draw


def neighbours(selection: Selection) -> Look:
    texts = selection.uploaded.texts
    most = st.slider("Texts listed", 5, 100, 10, step=5, key="top", bind="query-params", width=180)
    if not selection.picked:
        show.advice(
            "Give the row of a text under Two texts below, or click a point on the map: its neighbours are here."
        )
        return (), lambda vectors, results: None
    analysis = NearestNeighbors(selection.picked[0], int(most))

    def draw(vectors: TextVectors, results: Results) -> None:
        st.markdown(f"Nearest to row {texts.rows[selection.picked[0]]}:")
        st.text(shortened(texts.texts[selection.picked[0]], MOST_SHOWN))
        this = texts.rows[selection.picked[0]]
        ranking_table(selection, results.required(analysis), "neighbour_table", lambda row: pick_both(this, row))
        st.caption("By cosine, the text itself left out. Select a row to compare its text with this one below.")

    return (analysis,), draw


def ranking_table(selection: Selection, ranking: Ranking, key: str, on_row: Callable[[int], None]) -> None:
    texts = selection.uploaded.texts
    rows = [
        {
            "cosine": cosine,
            "row": texts.rows[member],
            **({"label": shortened(texts.labels[member], 60)} if texts.labels else {}),
            "text": shortened(texts.texts[member], MOST_SHOWN),
        }
        for member, cosine in zip(ranking.members.tolist(), ranking.cosines.tolist())
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


def matrix(selection: Selection) -> Look:
    texts = selection.uploaded.texts
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
        cosines = results.required(analysis)
        order = matrix_order(cosines, None if clustering is None else results.answer(clustering))
        st.plotly_chart(
            matrix_figure(cosines, texts.texts, texts.rows, order),
            key="matrix_chart",
            config={"displaylogo": False},
            alt=f"The cosine of every two of {len(cosines.members)} texts.",
        )
        st.caption(
            f"Cosines of {len(cosines.members):,} of {len(texts):,} texts, at most {MOST_COMPARED}; no unit. In many "
            "encoders all cosines are high: compare them with each other, not with 0."
        )
        nearest_pairs(selection, cosines)

    return (analysis, *([clustering] if clustering else [])), draw


def nearest_pairs(selection: Selection, matrix: TextMatrix) -> None:
    texts = selection.uploaded.texts
    pairs = [(int(matrix.members[first]), int(matrix.members[second])) for first, second in matrix.pairs.tolist()]
    rows = [
        {
            "cosine": float(matrix.cosines[place[0], place[1]]),
            "row": texts.rows[first],
            "text": shortened(texts.texts[first], MOST_SHOWN),
            "other row": texts.rows[second],
            "other text": shortened(texts.texts[second], MOST_SHOWN),
        }
        for place, (first, second) in zip(matrix.pairs.tolist(), pairs)
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


def clusters(selection: Selection) -> Look:
    texts = selection.uploaded.texts
    clustering = cluster_slider(texts)
    if clustering is None:
        return (), lambda vectors, results: None

    def draw(vectors: TextVectors, results: Results) -> None:
        clusters = results.required(clustering)
        how_clear(clusters)
        rows = [
            {
                "cluster": number + 1,
                "texts": int(size),
                "silhouette": float(clusters.by_cluster[number]),
                "nearest to its middle": "  ·  ".join(
                    shortened(texts.texts[member], 100) for member in clusters.typical[number].tolist() if member >= 0
                ),
            }
            for number, size in enumerate(clusters.sizes.tolist())
        ]
        numbers = {"silhouette": st.column_config.NumberColumn(format="%.2f", width="small")}
        st.dataframe(rows, hide_index=True, column_config=numbers)
        st.download_button(
            "Each text's cluster, CSV",
            partial(clusters_csv, clusters, texts),
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


def how_clear(clusters: TextClusters) -> None:
    """Whether there are clusters at all."""
    of = "" if clusters.measured == len(clusters.of) else f", measured on {clusters.measured:,} texts drawn evenly"
    st.caption(
        f"{len(clusters.sizes)} clusters by k-means: mean silhouette {clusters.silhouette:.2f}, by cosine{of}. One "
        f"cloud without groups, of the same spread and cut into as many, has {clusters.one_cloud:.2f}. Only a clearly "
        "larger silhouette is a sign of groups.",
        help=f"{definition('silhouette')}\n\n{definition('cluster')}",
    )


def take_away(selection: Selection, vectors: TextVectors) -> None:
    st.subheader("Take it with you", anchor=False)
    texts = selection.uploaded.texts
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
    with st.expander("The Python that gives these vectors"):
        st.code(as_python(selection), language="python")


def as_python(selection: Selection) -> str:
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


try:
    page()
except ExplainError as problem:
    show.problem(str(problem))
