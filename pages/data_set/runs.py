"""The runs that a visitor can see, and the tables of their rows."""

import re
from pathlib import Path

import streamlit as st

from explain.core.errors import DataError, ExplainError
from explain.library.entry import RUN
from explain.library.saving import LISTED
from explain.report import kept_runs
from explain.report.kept_runs import KeptRun
from explain.run.folder_store import MANIFEST
from explain.run.run_folder import RunFolder
from explain.run.run_table import RunTable
from pages.shared import library, session, stored

MOST_ROWS, MOST_MEGABYTES, MOST_RUNS = 2_000, 5, 2  # of a visitor, where strangers can come
KEPT_DAYS = 1.0  # where strangers can come
UPLOAD_MEGABYTES = 50
_SECRET = re.compile(r"run-[0-9a-f]{32}")  # as `kept_runs.secret_name` makes them


def visible() -> dict[str, KeptRun]:
    """Return the runs that the visitor may see, by name: all on a machine of one's own, else those of this visit.

    A link names one run; on a server that strangers reach its name is 128 random bits, and no other name opens one.
    Runs of the library that were opened in this visit come besides.
    """
    runs = {run.name: run for run in kept_runs.all_runs()}
    linked = st.query_params.get("run_of_data", "")
    opened = _opened(linked)
    if session.own_machine():
        return {**runs, **opened}
    return {**{name: run for name, run in runs.items() if is_open_to_visitor(name, linked)}, **opened}


def is_open_to_visitor(name: str, linked: str = "") -> bool:
    """Return whether a visitor may do everything with a run: it was begun in this visit, or its name is secret."""
    return session.own_machine() or name in mine() or (name == linked and bool(_SECRET.fullmatch(name)))


def _opened(linked: str) -> dict[str, KeptRun]:
    """Return the runs of the library that were opened in this visit, or that a link names on one's own machine."""
    places: dict[str, Path] = dict(st.session_state.get(stored.RUNS, {}))
    if "/" in linked and linked not in places and library.saving_here() == LISTED:
        for entry in library.library().listed(kind=RUN, most=1000):
            if linked == "/".join(Path(entry.place).parts[-2:]):
                places[linked] = Path(entry.place)
    runs = {}
    for name, place in places.items():
        try:
            runs[name] = stored.run_at(place)
        except ExplainError:  # it was deleted meanwhile
            continue
    return runs


def look_again(run: KeptRun) -> KeptRun:
    """Return the state of a run at this moment."""
    return stored.run_at(run.path)


def mine() -> list[str]:
    """Return the names of the runs that were begun in this visit."""
    names: list[str] = st.session_state.setdefault("runs_begun", [])
    return names


def check_quota() -> None:
    """Raise an error where the visitor has begun as many runs as one may; delete runs that are too old.

    Raises:
        DataError: there are too many.
    """
    if session.own_machine():
        return
    kept_runs.delete_older_than(KEPT_DAYS)
    if len([name for name in mine() if (kept_runs.runs_folder() / name).exists()]) >= MOST_RUNS:
        raise DataError(f"A visitor may have {MOST_RUNS} runs here. Delete one first.")


def most_passes() -> int | None:
    """Return the most passes of a run; None on a machine of one's own."""
    most = session.most_passes()
    return None if most is None else 10 * most


def table(run: KeptRun) -> RunTable:
    """Return the table of a run's rows, with those that came since."""
    made = _table(str(run.path), (run.path / MANIFEST).stat().st_mtime_ns)
    made.refresh()
    return made


def predictions(table: RunTable) -> RunTable:
    """Return the table of the predictions: of all rows, where only drawn ones are explained."""
    folder = table.run.predictions
    if folder is None:
        return table
    made = _table(str(folder.path), (folder.path / MANIFEST).stat().st_mtime_ns)
    made.refresh()
    return made


@st.cache_resource(max_entries=4, show_spinner="Reading the rows ...")
def _table(path: str, written: int) -> RunTable:
    return RunTable(RunFolder(path))
