"""Train a model on a visitor's file or the shipped one, in the background, and compare it with simpler models."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from explain.core.guide import definition
from explain.core.installation import models_folder
from explain.data.columns import Columns
from explain.data.dataset import Dataset
from explain.data.formats import ENDINGS
from explain.models.loading import catalogue
from explain.run import background
from explain.training.labeled_rows import MOST_BYTES, LabeledRows
from explain.training.measure import charts
from explain.training.measure.figures import figure_rows, fitted, gain, kept, read_evaluation, words_rows
from explain.training.recipes import classifier_settings as own
from explain.training.recipes import lines
from explain.training.run import runs
from explain.training.run.preparation import prepare_classifier, prepare_pretraining
from explain.training.run.progress_charts import progress_charts
from explain.training.run.runs import Run
from explain.training.shipped import SHIPPED
from pages.shared import files, forms, links, screen, session, show

POLL_SECONDS = 1.0
NEW = "a new one"
CLASSES, LINES = "Classify texts", "Continue pretraining"
PARAMETERS = {
    *("run", "kind"),
    *forms.parameters_of(own.TableSettings, "training"),
    *forms.parameters_of(lines.LinesSettings, "training"),
}


def page() -> None:
    """Draw the page."""
    if not session.training_allowed():
        show.advice(
            "Training is off on this server, since others can reach it and a run takes minutes of its processor. The "
            "person who runs the server can switch it on: explain serve --allow-training, or "
            "EXPLAIN_ALLOW_TRAINING=1. It is on where the app runs on your own machine. The command line always has "
            "it: explain train FILE --out DIR."
        )
        return
    known = {run.name: run for run in runs.all_runs()}
    name = choice(known)
    if name is None:
        new(next((run for run in known.values() if run.state == background.ACTIVE), None))
    else:
        follow(known[name])


def choice(known: Mapping[str, Run]) -> str | None:
    """Draw the choice of a run and return its name; None for a new one."""
    session = st.session_state
    if "next_run" in session:  # a button cannot set a widget that is drawn above it
        session.run = session.pop("next_run")
    if session.get("run") not in (None, NEW, *known):
        del session.run
    if not known:
        return None
    name = links.selectbox("Model", [NEW, *known], key="run", ids={NEW: "new"})
    return None if name == NEW else name


def new(active: Run | None) -> None:
    """Draw the form of a new run, and the button that starts it."""
    st.markdown(
        "The shipped encoder learns from your rows, in a process of its own on this machine. The trained model appears "
        "in the list of models at once. It can be explained like any other. Its card compares it with simpler models."
    )
    kind = links.segmented_control(
        "What it learns", [CLASSES, LINES], default=CLASSES, key="kind", ids={CLASSES: "classify", LINES: "pretrain"}
    )
    dataset = rows_picker(kind)
    if dataset is None:
        return
    if kind == CLASSES:
        columns = columns_of(dataset)
        described(session.learnable(dataset, dataset.sha256(), columns))
        st.header("How", anchor=False)
        settings = forms.training_form(own.TableSettings, ("train", "minutes", "epochs", "seed"))
    else:
        column = st.selectbox("Column with the text", dataset.names, key="lines_column")
        texts, report = lines.documents(dataset, column)
        st.caption(
            f"{report.kept:,} rows, joined in order into {len(texts):,} documents. A tenth of them is held out. The "
            "model guesses masked words and whether one text follows another. This is a demonstration: pretraining an "
            "encoder takes days and millions of pages."
        )
        st.header("How", anchor=False)
        settings = forms.training_form(lines.LinesSettings, ("minutes", "steps", "seed"))
    session.keep("training_name", "my-model")
    name = st.text_input("Name of the model", key="training_name", help="Lower-case letters, digits and hyphens.")
    if active is not None:
        show.advice(
            f"{active.name} is being trained, and only one can be at a time. Wait until it has finished, or stop it."
        )
    start = st.button("Start training", type="primary", disabled=active is not None or settings is None)
    if start and settings is not None:
        name = runs.check_name(name, {entry.name for entry in catalogue.list_models()})
        if kind == CLASSES:
            prepare_classifier(models_folder() / name, dataset, columns, settings)
        else:
            prepare_pretraining(models_folder() / name, dataset, column, settings)
        begin(models_folder() / name)


def begin(folder: Path) -> None:
    """Start or continue a run, and show it."""
    runs.start(folder)
    st.session_state.next_run = folder.name
    st.rerun()


def rows_picker(kind: str) -> Dataset | None:
    """Draw the choice of a file and return its rows; None while there is none."""
    name, about = SHIPPED["lines" if kind == LINES else "table"]
    session.keep("from", "the shipped example")
    place = st.segmented_control("From", ["a file of mine", "the shipped example"], required=True, key="from")
    if place == "the shipped example":
        st.caption(about)
        return session.rows_of_file(name.name, name.read_bytes())
    uploaded = files.file_box(
        f"A file in UTF-8: {', '.join(ENDINGS)}",
        [*ENDINGS, "gz"],
        megabytes=MOST_BYTES // 1_000_000,
        help="The file stays on the machine that runs this app. Its rows are copied during training. A finished model "
        "keeps a few test rows as examples.",
    )
    if uploaded is not None:
        st.session_state.table_before = session.rows_of_file(uploaded.name, uploaded.getvalue())
    elif dataset := st.session_state.get("table_before"):
        files.loaded_before(dataset.name, "table_before")
    return st.session_state.get("table_before")


def columns_of(dataset: Dataset) -> Columns:
    """Draw the choice of columns and return them."""
    names = list(dataset.names)
    none = "none"
    text = next((place for place, name in enumerate(names) if name.lower() in ("text", "sentence", "review")), 0)
    label = next(
        (place for place, name in enumerate(names) if name.lower() in ("label", "labels", "class", "category")),
        len(names) - 1,
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = st.selectbox("Column with the text", names, index=text, width=200)
        pair = st.selectbox("Second text, if any", [none, *names], width=200)
        named = st.selectbox("Column with the label", names, index=label, width=200)
        several = st.toggle(
            "Several labels may be right", help='A cell holds a list, or labels separated by "|", or nothing.'
        )
    return Columns(text=first, label=named, text_pair=None if pair == none else pair, several=several)


def described(rows: LabeledRows) -> None:
    """Draw what was read from a file: labels, counts and the first rows."""
    shown = ", ".join(f"{label} {count:,}" for label, count in list(rows.counts.items())[:12])
    more = " ..." if len(rows.counts) > 12 else ""
    left_out = f" Left out, since a text or a label is missing: {rows.left_out}." if rows.left_out.count else ""
    repeated = f" Repeated texts, kept on one side of the split: {rows.repeated:,}." if rows.repeated else ""
    st.caption(
        show.plain(
            f"{rows.report.rows:,} rows, {len(rows.labels)} labels: {shown}{more}.{left_out}{repeated} About 15 % of "
            "the texts decide when to stop, and 15 % are kept for the test."
        )
    )
    st.dataframe([{name: str(cell) for name, cell in row.items()} for row in rows.rows[:5]], hide_index=True)


def follow(run: Run) -> None:
    """Draw a run: its progress, and its results once it has finished."""
    st.fragment(looked_at, run_every=POLL_SECONDS if run.state == background.ACTIVE else None)(run.folder, run.state)
    if run.state == background.FINISHED:
        results(run)
    if run.state != background.ACTIVE:
        ended(run)


def looked_at(folder: Path, before: str) -> None:
    """Draw the progress of a run, and rerun the page when its state changes."""
    run = runs.look_at(folder)
    if run.state != before:
        st.rerun()
    st.markdown(f":{show.BADGES[run.state]} {show.plain(about(run))}")
    if run.state == background.ACTIVE:
        st.progress(run.fraction, text=f"{run.doing or 'Stopping'} ...")
        st.button("Stop", key="stop_training", on_click=background.cancel, args=(folder,))
        st.caption("Training continues when you close this page or the app. A stopped run can be continued later.")
    elif run.can_go_on:
        advice = f"It can continue from step {run.kept_step:,}." if run.kept_step else "It can start again."
        show.advice(f"{run.message} {advice}".strip())
    drawn = progress_charts(run)
    if any(line.points for chart in drawn.charts for line in chart.lines):
        show.views(drawn, key="training_charts")


def about(run: Run) -> str:
    """Return a sentence on the settings and the length of a run."""
    settings, file = run.recipe["settings"], run.recipe["file"]
    what = {"adapter": "an adapter and a head", "head": "a head alone"}.get(settings.get("train", ""), "pretraining")
    steps, seconds = (run.progress[-1][name] if run.progress else 0 for name in ("step", "seconds"))
    sentence = (
        f"{what}, on {file['name']}: {steps:,} steps in {seconds / 60:.1f} of at most {settings['minutes']:g} minutes, "
        f"seed {settings['seed']}."
    )
    return f"{sentence} {kept(run.folder) if run.state == background.FINISHED else ''}".rstrip()


def ended(run: Run) -> None:
    """Draw what can be done with a run that is not at work: continue, use or delete it."""
    with st.container(horizontal=True):
        if run.can_go_on and st.button("Continue", type="primary"):
            begin(run.folder)
        if run.state == background.FINISHED:
            session.turn_to(run.name)  # a link cannot do it on a click
            st.page_link(Path(__file__).with_name("explain_text.py"), label="**Words with it**")
            card, record = ((run.folder / name).read_text(encoding="utf-8") for name in ("README.md", "training.json"))
            st.download_button("Its card", card, f"{run.name}.md", "text/markdown", on_click="ignore")
            st.download_button("Its record", record, f"{run.name}.json", "application/json", on_click="ignore")
        with st.popover("Delete"):
            st.markdown(f"This deletes {run.name} from this machine. The trained model is lost.")
            if st.button("Delete it", key="delete_run"):
                runs.delete(run.folder)
                st.session_state.next_run = NEW
                st.rerun()
    if run.state == background.FINISHED:
        with st.expander("The card"):
            st.code(card, language="markdown", wrap_lines=True)


def results(run: Run) -> None:
    """Draw the test figures of a finished run."""
    evaluation = read_evaluation(run.folder)
    if run.recipe["kind"] == "lines":
        st.header("Before and after", anchor=False)
        st.table(words_rows(evaluation), border="horizontal", hide_index=True)
        st.caption("On documents that were held out whole. With so little text and time, a difference can be chance.")
        return
    st.header("Test figures", anchor=False)
    st.caption(
        f"On {evaluation['count']:,} test rows that no model has seen, with 95 % intervals in brackets. The bag of "
        "words learned from the same training rows. "
        + (
            "Micro precision, recall and F1 equal the accuracy, since one label is right."
            if evaluation["exclusive"]
            else ""
        ),
        help=definition("bag of words"),
    )
    names = [judge["name"] for judge in evaluation["judges"]]
    st.table(
        [{"figure": caption, **dict(zip(names, cells))} for caption, cells in figure_rows(evaluation["judges"])],
        border="horizontal",
        hide_index=True,
    )
    for sentence in filter(None, (fitted(evaluation), gain(evaluation))):
        st.markdown(show.plain(sentence))
    matrix = charts.confusion(evaluation)
    if matrix is not None:
        st.header("Right and predicted labels", anchor=False)
        show.views(matrix, key="confusion")
    curves(run, evaluation)


def curves(run: Run, evaluation: Mapping[str, Any]) -> None:
    """Draw precision, recall and calibration at every threshold."""
    labels = list(evaluation["judges"][0]["curves"]["by_label"])
    if not labels:
        return
    st.header("At every threshold", anchor=False)
    label = st.selectbox("Label", labels, key="curve_label")
    show.views(charts.curve_charts(evaluation, label, run.name), key="curve_charts")


screen.draw("train", "Train a model", page, PARAMETERS)
