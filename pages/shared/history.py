"""The history of a visit: kept in a folder where the browser is on the server's own machine, else as long as the visit.

An entry is opened again by a click, or by a link with its id. A link never holds its text.
"""

import dataclasses
import json
import secrets
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from explain.core.errors import Busy, ExplainError
from explain.core.installation import history_folder
from explain.datatypes import HistoryEntry
from explain.datatypes.encoding import encode
from explain.models.base import TextModel
from explain.report.record import report_of, to_record
from explain.run.history import History
from explain.run.history_entry import entry_of
from explain.run.results import Results
from explain.views.base import VIEWS
from pages.shared import hero, library, links, session, show

PAGE = "explain_text"  # opens entries
PARAMETER = "entry"  # of a link to it: the id of an entry
VISIT_BYTES = 5_000_000  # of a history that lasts as long as the visit
_OF_VISIT = "history"  # in the session: that history
_KEPT = "history_kept"  # what was kept last, and the id of its entry
_OPENED = "history_opened"  # the id of an entry to be opened
_FILE = "history_file"  # to be saved by the browser
_DRAWN = "history_drawn"  # the list that was drawn last, and its data
_PROBLEM = "history_problem"  # why the folder is not used
_FAILURE = "history_failure"  # why the last click did nothing
_WEIGHTS = "history_weights"  # of the entry that was opened: its text, and the hash of its model's weights


def store() -> History:
    """Return the history of the visitor: that of the folder, or where there is none that of the visit."""
    memory = st.session_state
    if session.visitor_is_here() and not memory.get(_PROBLEM):
        try:
            folder = history_folder()
        except ExplainError as problem:
            folder, memory[_PROBLEM] = None, str(problem)
        if folder is not None:
            return _of_folder(folder)
    if _OF_VISIT not in memory:
        memory[_OF_VISIT] = History(most_bytes=VISIT_BYTES)
    visit: History = memory[_OF_VISIT]
    return visit


@st.cache_resource
def _of_folder(folder: Path) -> History:
    return History(folder)


def keep(results: Results, model: TextModel) -> None:
    """Keep the explanation that the page shows, unless it is what was kept last; takes no pass."""
    method = hero.method_shown(results)
    if method is None:
        return
    memory = st.session_state
    shown = hero.without_edits(results)
    settings = {key: tuple(values) for key, values in memory.link_values.items() if values}
    settings.setdefault("model", (model.name,))
    about = (model.record, shown.plan, method, tuple(sorted(settings.items())))
    before, id = memory.get(_KEPT, (None, ""))
    if about == before:
        return
    entry = entry_of(shown, model, method, settings)
    report = json.dumps(to_record(report_of(shown, model)), ensure_ascii=False)
    try:
        id = store().keep(entry, report, typed=id)
    except Busy:
        return  # the next run tries again
    except ExplainError as problem:
        memory[_PROBLEM] = str(problem)
        id = store().keep(entry, report)
    memory[_KEPT] = (about, id)


def open_entry(parameters: Collection[str]) -> list[str]:
    """Open the entry that a click or a link asks for; return a sentence on one that is not there.

    Args:
        parameters: of the address bar that the page can have.
    """
    memory = st.session_state
    id = memory.pop(_OPENED, None) or st.query_params.get(PARAMETER)
    if id is None:
        return []
    entry = store().entry(id)
    if entry is None:
        links.go_to({key: st.query_params.get_all(key) for key in st.query_params if key != PARAMETER})
        where = "" if session.visitor_is_here() else " A link to an entry works on the machine that keeps it."
        return [f"The history has no entry {show.plain(id[:40])}.{where}"]
    memory.text, memory.pair = entry.text, entry.text_pair or ""
    memory.token, memory.method, memory[_WEIGHTS] = None, entry.method, (entry.text, entry.weights)
    carried = memory.setdefault("carried", {})
    for key in (*links.OF_A_TEXT, "token"):
        carried.pop(key, None)  # another page may have led here
    if "model" in memory:
        del memory["model"]  # the address says which
    links.go_to(
        {key: words for key, words in entry.settings.items() if key in {*parameters} - {"text", "pair", PARAMETER}}
    )
    return []


def say_what_changed(model: TextModel, text: str) -> None:
    """Say that the model is not what it was when the opened entry was kept, where that is so."""
    opened, weights = st.session_state.get(_WEIGHTS, ("", ""))
    if opened == text and weights != model.record.weight_sha256:
        show.advice(
            "The model has changed since this entry was kept. What is shown here is computed with the model of today."
        )


def menu(bar: Any) -> None:
    """Draw the menu of the history in the top bar."""
    with bar, show.menu("History", "history"):
        st.fragment(_entries)()


def _entries() -> None:
    memory = st.session_state
    if memory.get(_OPENED):
        if memory.page == PAGE:
            st.rerun()  # the whole page
        links.turn_to(PAGE)
    listed = dataclasses.replace(store().listed(), problem=memory.get(_PROBLEM, ""))
    before, drawn = memory.get(_DRAWN, (None, {}))
    if listed != before:
        drawn = VIEWS["history"].data(listed, titles=show.method_titles(), links=bool(listed.place), sends=True)
        memory[_DRAWN] = (listed, drawn)
    st.header("History", anchor=False)
    if failure := memory.pop(_FAILURE, ""):
        show.problem(failure)
    file = memory.pop(_FILE, None)
    show.component("history", drawn | {"file": file}, key="history_list", page=False, chosen=_react)
    library.link_of_menu()


def _react(chosen: Mapping[str, Any]) -> None:
    """Do what the visitor asks of an entry or of all."""
    memory, history, id = st.session_state, store(), str(chosen.get("id", ""))

    def open_again() -> None:
        memory[_OPENED] = id

    acts = {
        "open": open_again,
        "star": lambda: history.change(id, starred=bool(chosen.get("on"))),
        "rename": lambda: history.change(id, title=str(chosen.get("title", ""))),
        "remove": lambda: history.remove(id),
        "clear": history.clear,
        "pause": lambda: history.pause(bool(chosen.get("on"))),
        "export": lambda: _save("explanation.json", _record(history, id)),
        "export_all": lambda: _save("history.jsonl", history.everything()),
    }
    try:
        acts[chosen["act"]]()
    except ExplainError as problem:
        memory[_FAILURE] = str(problem)


def _record(history: History, id: str) -> str:
    """Return the report of an entry, which replays; without one the entry itself."""
    entry: HistoryEntry | None = history.entry(id)
    return history.report(id) or ("" if entry is None else json.dumps(encode(entry), ensure_ascii=False))


def _save(name: str, content: str) -> None:
    st.session_state[_FILE] = {"name": name, "content": content, "number": secrets.token_hex(4)}
