"""A stored explanation on the page of words: opened from the library or by its link, beside what is computed now."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from explain.analyses.base import make_analysis
from explain.analyses.counterfactuals import Counterfactuals
from explain.analyses.word_interactions import WordInteractions
from explain.core.errors import DataError, ExplainError
from explain.core.settings import make
from explain.datatypes import Report
from explain.library.entry import RUN, LibraryEntry
from explain.library.saving import LISTED, OFF
from explain.methods.base import METHODS
from explain.metrics.base import TrialSettings
from explain.models.base import TextModel
from explain.models.loading import catalogue
from explain.report import kept_runs
from explain.report.as_python import changed_settings
from explain.report.comparison import Difference, compare_scores
from explain.report.migration import completed
from explain.report.record import from_json, report_of
from explain.report.replay import DEFAULT_TOLERANCE
from explain.run.plan import DEFAULT_METHODS
from explain.run.results import Results
from explain.text.phrases import PhraseSettings
from explain.views.base import percent, visible
from pages.shared import asked, library, links, pickers, session, show
from pages.shared.library import OPENS

PARAMETER = OPENS
WORDS, DATA = "explain_text", "data_set"  # pages that open explanations, and runs
PAGES = {WORDS: WORDS, DATA: f"{DATA}/page"}
RUNS = "runs_opened"  # in the session: folders of runs that were opened from the library, by name
NEXT_RUN = "next_data_run"  # in the session: the run that the page of data sets shows next
_OPENED = "stored_opened"  # in the session: the id of an entry to be opened
_WAITING = "stored_waiting"  # in the session: what the page of words opens when it is there
_SHOWN = "stored_shown"  # in the session: what was opened last
NO_LINK = "This link opens nothing. Part of it may be missing, or what it led to has ended or was deleted."


@dataclass(frozen=True)
class Stored:
    """An explanation as it was stored, with the entry that it had then."""

    report: Report
    entry: LibraryEntry


def open_entry(id: str) -> None:
    """Let the next run of a page open an entry of the library."""
    st.session_state[_OPENED] = id


def open_linked(page: str, parameters: Collection[str]) -> list[str]:
    """Open what a click or a link asks for, on its own page; return a sentence on what can't be opened.

    Args:
        parameters: of the address bar that the page can have.
    """
    memory = st.session_state
    waiting: Stored | None = memory.pop(_WAITING, None) if page == WORDS else None
    if waiting is not None:
        _show(waiting, parameters)
        return []
    id, secret = memory.pop(_OPENED, None), st.query_params.get(PARAMETER)
    if id is None and secret is None:
        return []
    try:
        entry, document = _of_library(id) if id is not None else _of_link(secret or "")
        _open(page, parameters, entry, document)
    except ExplainError as problem:
        links.go_to({key: st.query_params.get_all(key) for key in st.query_params if key != PARAMETER})
        return [show.plain(visible(str(problem)))]
    return []


def _of_library(id: str) -> tuple[LibraryEntry, str]:
    if library.saving_here() != LISTED:
        raise DataError("The library lists what is kept only on the machine that keeps it.")
    entry = library.library().entry(id)
    if entry is None:
        raise DataError("This entry of the library has ended or was deleted.")
    return entry, "" if entry.kind == RUN else library.library().record(id)


def _of_link(secret: str) -> tuple[LibraryEntry, str]:
    if library.saving_here() == OFF:
        raise DataError("Saving is off on this server, so this link opens nothing.")
    kept = library.library()
    entry = kept.by_link(secret)
    document = None if entry is None else "" if entry.kind == RUN else kept.record_by_link(secret)
    if entry is None or document is None:
        raise DataError(NO_LINK)
    return entry, document


def _open(page: str, parameters: Collection[str], entry: LibraryEntry, document: str) -> None:
    memory = st.session_state
    if entry.kind == RUN:
        run = run_at(Path(entry.place))
        memory.setdefault(RUNS, {})[run.name] = run.path
        memory[NEXT_RUN] = run.name
        if page != DATA:
            links.turn_to(PAGES[DATA])
        links.go_to({})
        return
    stored = Stored(from_json(document), entry)
    if page != WORDS:
        memory[_WAITING] = stored
        links.turn_to(PAGES[WORDS])
    _show(stored, parameters)


def run_at(place: Path) -> kept_runs.KeptRun:
    """Return the run whose rows are in a folder.

    Raises:
        DataError: the folder holds no run.
    """
    app = place.parent
    if place.name == kept_runs.RUN and app.parent == kept_runs.runs_folder() and (app / kept_runs.REQUEST).is_file():
        return kept_runs.look_at(app)
    return kept_runs.look_elsewhere(place)


def _show(stored: Stored, parameters: Collection[str]) -> None:
    """Let the page of words have the texts, the model, the methods and the target of a stored explanation."""
    memory, report = st.session_state, stored.report
    memory[_SHOWN] = stored
    memory.text, memory.pair, memory.token = report.text, report.text_pair or "", None
    memory.method = next((scores.method for scores in report.attributions), None)
    carried = memory.setdefault("carried", {})
    for key in (*links.OF_A_TEXT, "token"):
        carried.pop(key, None)  # another page may have led here
    for key in ("model", "which_of", "scale_usual"):  # the address says which
        if key in memory:
            del memory[key]
    asked.ask_on_opening(_asked_for(report))
    settings = dict(link_settings(report))
    links.go_to({key: words for key, words in settings.items() if key in {*parameters} - {"text", "pair", PARAMETER}})


def link_settings(report: Report) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield what the address bar of the page of words holds where it computes a report again, by parameter."""
    entries = {entry.name: entry for entry in catalogue.explainable()}
    name, target, prediction = report.model.id, report.target, report.prediction
    if name in entries or not session.any_model_allowed():
        yield "model", (name,)
    else:
        yield from (("model", (pickers.OTHER_ID,)), ("place", (name,)))
    if name not in entries or len(entries[name].tasks) > 1:
        yield "task", (report.model.task,)
    methods = tuple(scores.method for scores in report.attributions if scores.method in METHODS)
    if methods and methods != DEFAULT_METHODS:
        yield "methods", methods
    for scores in report.attributions:
        if scores.method in METHODS:
            yield from _changed(METHODS[scores.method], scores.method, completed(scores.method, scores.params))
    yield from _changed(PhraseSettings, "phrases", report.phrase_settings)
    if target.scale == "value":
        return
    if target.label != prediction.label:
        yield "target", (target.label,)
    if target.positions and len(prediction.output.positions) > 1:
        yield "which", (str(target.positions[0]),)
    yield ("scale", (target.scale,)) if target.against is None else ("against", (target.against,))


def _changed(owner: Any, prefix: str, settings: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    try:
        changed = changed_settings(make(owner, settings))
    except ExplainError:  # of another version: its own settings stand, and the scores are compared
        return
    for name, content in changed.items():
        word = "automatic" if content is None else str(content).lower() if isinstance(content, bool) else str(content)
        yield f"{prefix}.{name}", (word,)


def _asked_for(report: Report) -> frozenset[str]:
    """Return the names of what the page computes only on request, and the report holds."""
    usual = (Counterfactuals(), WordInteractions())
    names = set()
    for answer in report.answers:
        try:
            names |= {part.name for part in usual if part == make_analysis(answer.analysis, answer.settings)}
        except ExplainError:
            continue
    if report.metrics and dict(report.test_settings) == TrialSettings.from_names().record:
        names |= {scores.method for scores in report.attributions}
    return frozenset(names)


def panel(results: Results | None = None, model: TextModel | None = None) -> None:
    """Draw the stored explanation while the page is about it, and whether the page computes the same scores now.

    Args:
        results, model: what the page has computed; None where it can't compute.
    """
    stored: Stored | None = st.session_state.get(_SHOWN)
    if stored is None or not _is_about(stored.report, results, model):
        return
    difference, reasons = None, []
    if results is not None and model is not None and results.complete:
        again = report_of(results, model, edges=False)
        difference, reasons = compare_scores(stored.report, again), _reasons(stored.report, again)
    agrees = difference is not None and difference.within(DEFAULT_TOLERANCE) and not reasons
    with st.container(key="stored"):
        draw = st.caption if agrees else st.info if difference is None else st.warning
        draw(_sentence(stored, difference, reasons))
        with st.expander("Scores as they were stored", expanded=not agrees, key=f"stored_scores_{agrees}"):
            _draw(stored.report)


def _is_about(report: Report, results: Results | None, model: TextModel | None) -> bool:
    memory = st.session_state
    if results is None or model is None:
        return bool(memory.get("text") == report.text)
    if (results.plan.text.text, results.plan.text.text_pair) != (report.text, report.text_pair):
        return False
    now, then = results.target, report.target
    same = now is None or (now.label, now.against, now.scale) == (then.label, then.against, then.scale)
    if model.record == report.model:
        return same
    # It has changed, and may decide otherwise; or it is not here any more. Else the visitor picked another one.
    decides = results.plan.target.label is None
    return (same or decides) and (model.record.id == report.model.id or not _is_known(report.model.id))


def _is_known(model: str) -> bool:
    return any(entry.name == model for entry in catalogue.explainable())


def _reasons(recorded: Report, again: Report) -> list[str]:
    """Return sentences on why a stored explanation is not what is computed now."""
    reasons = []
    if recorded.model.id != again.model.id:
        reasons.append(f"The model {show.plain(visible(recorded.model.id))} is not here; this is another one.")
    elif recorded.model != again.model:
        reasons.append("The model has changed since.")
    here = {scores.method: scores.params for scores in again.attributions}
    for scores in recorded.attributions:
        if scores.method not in here:
            reasons.append(f"{show.plain(visible(scores.method))} is not computed here.")
    return reasons


def _sentence(stored: Stored, difference: Difference | None, reasons: list[str]) -> str:
    entry = stored.entry
    if entry.by_link:
        end = "" if entry.expires is None else f" and ends on {library.day(entry.expires)}"
        sentence = f"Opened by link. It was saved on {library.day(entry.created)}{end}."
    else:
        name = f" as **{show.plain(library.shortened(entry.name, 90))}**" if entry.name else ""
        sentence = f"From the library: kept on {library.day(entry.created)}{name}{library.until(entry.expires)}."
    if difference is None:
        return f"{sentence} The stored scores are below."
    if difference.within(DEFAULT_TOLERANCE) and not reasons:
        return f"{sentence} Computed again now: the same scores."
    arithmetic = [show.plain(part) for part in difference.arithmetic]
    differs = "" if difference.within(DEFAULT_TOLERANCE) else _differs(difference)
    return " ".join(filter(None, (sentence, *reasons, differs, *arithmetic)))


def _differs(difference: Difference) -> str:
    if difference.largest > DEFAULT_TOLERANCE:
        return f"Numbers computed now differ by up to {difference.largest:.2g}."
    return f"What is computed now differs from what was stored ({show.plain(visible(difference.where))})."


def _draw(report: Report) -> None:
    """Draw the decision, scores and key phrases of a record; nothing is computed."""
    prediction = report.prediction
    decided = prediction.label or ", ".join(prediction.labels)
    sure = "" if prediction.confidence is None else f" {percent(prediction.confidence)}"
    parts = [f"**{show.plain(visible(decided))}**{sure}"] if decided else []
    if report.target.label != prediction.label:
        parts.append(f"why {show.plain(visible(report.target.label))}")
    st.markdown(" · ".join([*parts, f"model {show.plain(visible(report.model.id))}"]))
    for number, scores in enumerate(report.attributions):
        title = METHODS[scores.method].title if scores.method in METHODS else visible(scores.method)
        st.markdown(f"**{show.plain(title)}**")
        show.view("token_heatmap", scores, key=f"stored_{number}", title=title)
    if report.phrases:
        st.markdown("**Key phrases**")
        show.view("phrase_bars", report, key="stored_phrases")
