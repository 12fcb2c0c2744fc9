"""The form of a new run: rows, columns, model, methods, and the button that starts it."""

from dataclasses import dataclass
from itertools import islice
from typing import Any

import streamlit as st

from explain.core.addresses import Address, local_or_address
from explain.core.errors import DataError
from explain.data.columns import Columns
from explain.data.dataset import Dataset
from explain.data.formats import ENDINGS
from explain.data.roots import data_roots, path_below
from explain.data.texts import LIMITS
from explain.methods.base import METHODS
from explain.models.loading import catalogue
from explain.report import kept_runs
from explain.report.kept_runs import RunRequest
from explain.run.sample import Sample
from explain.run.shipped import REVIEWS
from pages.data_set import runs
from pages.shared import files, forms, links, session, show

SHIPPED, UPLOAD, PATH = "the shipped example", "a file of mine", "a path on this machine"
NONE = "none"
ALL, DRAWN, WITHIN = "all rows", "a sample", "what fits into a time"
USUAL_METHODS = ("decompx", "integrated_gradients")  # the first of them that the model can be explained with
USUAL_IDS = ("id", "uid", "key")


@dataclass(frozen=True)
class _Source:
    """A data set that a visitor chose: a place, or an uploaded file's name and content."""

    place: str
    content: bytes | None
    dataset: Dataset


def form() -> None:
    """Draw the form."""
    st.markdown(
        "Every row of a data set is explained, in a process of its own on this machine. Figures, rows and words can be "
        "looked at while it works. A run can be stopped and continued; nothing that was finished is lost."
    )
    source = _source()
    if source is None:
        return
    columns = _columns(source.dataset)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = [entry.name for entry in catalogue.list_models() if entry.name != "base"]
        usual_model = names.index(catalogue.DEFAULT_MODEL) if catalogue.DEFAULT_MODEL in names else 0
        model = links.selectbox("Model", names, key="model", index=usual_model, width=220)
        loaded = session.model(model)
        able = [name for name in METHODS if METHODS[name].requires <= loaded.capabilities]
        usual = [next((name for name in USUAL_METHODS if name in able), able[0])]
        with st.container(width=420):
            methods = st.multiselect(
                "Methods", able, default=usual, key=f"methods_of_{model}", format_func=lambda name: METHODS[name].title
            )
    with st.container(horizontal=True):
        phrases = st.toggle(
            "Key phrases, too", help="The words or groups of words that decide. Many passes for each row."
        )
        tests = bool(methods) and st.toggle(
            "Tests and verdicts, too", help="Whether each explanation passes its tests. Many passes for each row."
        )
        embeddings = "vectors" in loaded.capabilities and st.toggle(
            "Vectors, too", help="The vector of each text is kept, so that the map opens at once. One more pass each."
        )
    made = [method for method in (_with_settings(name) for name in methods) if method is not None]
    if not methods:
        st.caption("Predictions only.")
    request = RunRequest(
        source.place,
        source.content is not None,
        model,
        columns=columns,
        methods=tuple(made),
        phrases=phrases,
        tests=tests,
        embeddings=embeddings,
        sample=_sample() if made or phrases else None,
        most=None if session.own_machine() else runs.MOST_ROWS,
        most_passes=runs.most_passes(),
    )
    _start(request, source)


def _sample() -> Sample | None:
    """Draw the choice of the rows that are explained and return it; None for all."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        which = st.segmented_control("Explain", [ALL, DRAWN, WITHIN], default=ALL, required=True, key="run_sample")
        if which == DRAWN:
            rows = int(st.number_input("Rows", 2, 10**9, 200, step=100, key="run_sample_rows", width=150))
            sample = Sample(rows=rows)
        elif which == WITHIN:
            minutes = st.number_input("Minutes", 1, 10_000, 10, step=10, key="run_sample_minutes", width=150)
            sample = Sample(budget=60.0 * minutes)
        else:
            return None
    st.caption(
        "All rows are predicted, so accuracy is exact. The rows to explain are drawn by prediction and group; figures "
        "of words are estimates with intervals."
    )
    return sample


def _with_settings(name: str) -> Any | None:
    with st.expander(METHODS[name].title):
        return forms.settings_form(METHODS[name], name)


def _start(request: RunRequest, source: _Source) -> None:
    own = session.own_machine()
    name = kept_runs.secret_name()
    if own:
        session.keep("run_name", _free_name(source.dataset.name))
        name = st.text_input("Name of the run", key="run_name", max_chars=60, width=420)
    else:
        st.caption(f"Up to {runs.MOST_ROWS:,} rows. The run is deleted after a day; only who has its link can see it.")
    if st.button("Start", type="primary", key="start_run"):
        runs.check_quota()
        folder = kept_runs.begin(name, request, source.content)
        runs.mine().append(folder.name)
        st.session_state.next_data_run = folder.name
        st.session_state.pop("run_name", None)
        st.session_state.get("held", {}).pop("run_name", None)
        st.rerun()


def _free_name(file: str) -> str:
    """Return a name for a run that none has yet."""
    stem = "".join(letter if letter.isalnum() or letter in "-_" else " " for letter in file.split(".")[0]).strip()
    stem = stem[:50].strip() or "run"
    taken = {run.name for run in kept_runs.all_runs()}
    return next(name for n in range(1, 10_000) if (name := stem if n == 1 else f"{stem} {n}") not in taken)


def _source() -> _Source | None:
    """Draw the choice of a data set and return it; None while there is none."""
    places = [SHIPPED, UPLOAD]
    if session.own_machine() or data_roots():
        places.append(PATH)
    session.keep("data_from", SHIPPED)
    where = st.segmented_control("Rows from", places, required=True, key="data_from")
    if where == SHIPPED:
        st.caption(REVIEWS.about)
        return _opened(REVIEWS.path.name, REVIEWS.path.read_bytes())
    return _uploaded() if where == UPLOAD else _of_path()


def _uploaded() -> _Source | None:
    own = session.own_machine()
    file = files.file_box(
        f"A file in UTF-8: {', '.join(ENDINGS)}",
        [*ENDINGS, "gz"],
        megabytes=runs.UPLOAD_MEGABYTES if own else runs.MOST_MEGABYTES,
        help="The file stays on the machine that runs this app, in the run's folder.",
    )
    if file is not None:
        st.session_state.run_file = (file.name, file.getvalue())
    elif kept := st.session_state.get("run_file"):
        files.loaded_before(kept[0], "run_file")
    kept = st.session_state.get("run_file")
    return None if kept is None else _opened(*kept)


def _opened(name: str, content: bytes) -> _Source:
    return _Source(name, content, Dataset.of_bytes(name, content, limits=LIMITS, keep_going=True))


def _of_path() -> _Source | None:
    session.keep("data_path", "")
    place = st.text_input(
        "Path of a file or folder, or its address",
        key="data_path",
        help="CSV, TSV, JSON lines, Parquet, or a folder of text files. On your own machine an address, too, such as "
        "s3://BUCKET/reviews.csv.",
    )
    if not place.strip():
        show.advice("Name a file or a folder. It is read where it lies.")
        return None
    own = session.own_machine()
    if own and isinstance(local_or_address(place.strip()), Address):
        return _Source(place.strip(), None, Dataset.open(place.strip(), keep_going=True))
    path = path_below(place, None if own else data_roots())
    return _Source(str(path), None, Dataset.open(path, keep_going=True))


def _columns(dataset: Dataset) -> Columns:
    """Draw the first rows and the choice of columns, and return the columns."""
    names = list(dataset.names) if dataset.has_columns else []
    if not names:
        return Columns()
    _preview(dataset, names)
    usual = {name.lower(): name for name in reversed(names)}

    def guess(*words: str) -> str:
        return next((usual[word] for word in words if word in usual), NONE)

    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.selectbox(
            "Text",
            names,
            index=names.index(guess("text", "sentence", "review", "comment", names[0].lower())),
            width=170,
        )
        others = [name for name in names if name != text]
        pair = _pick("Second text", others, guess("text_pair", "hypothesis", "text2", "sentence2"))
        label = _pick("Known label", others, guess("label_name", "label", "labels", "class", "category"))
        id = _pick("Name of a row", others, guess(*USUAL_IDS))
        left = [name for name in others if name not in (pair, label, id)]
        usual_groups = [name for name in left if dataset.name == REVIEWS.path.name]
        groups = st.multiselect("Groups", left, default=usual_groups, width=280, help="Columns to compare rows by.")
    return Columns(text=text, text_pair=pair, label=label, id=id, groups=tuple(groups))


def _pick(title: str, names: list[str], usual: str) -> str | None:
    options = [NONE, *names]
    picked = st.selectbox(title, options, index=options.index(usual) if usual in options else 0, width=170)
    return None if picked == NONE else picked


def _preview(dataset: Dataset, names: list[str]) -> None:
    """Draw the first rows."""
    try:
        first = [row for _, row in islice(dataset.cells(), 5)]
    except DataError as error:
        show.problem(str(error))
        return
    st.dataframe(
        [{name: str(row.get(name, ""))[:200] for name in names} for row in first], hide_index=True, width="stretch"
    )
