"""Lint the scripts of the page as they run: each joined to the scripts whose functions it uses.

The scripts are no modules: `drawing.js` and a view's script are one text on the page, and the stand-alone file holds
many. So undefined and unused names show only in the joined text.
"""

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from explain.views.base import VIEWS, asset
from explain.views.document import scripts

ROOT = Path(__file__).parents[2]
ASSETS = Path("explain/views/assets")
ADDRESS = Path("pages/shared/address.js")
KEYS = Path("pages/shared/keys.js")
FIRST_STEPS = Path("pages/shared/first_steps.js")
CONFIG = Path(__file__).parent / "oxlint.json"
OXLINT = Path(sys.executable).parent / "oxlint"
UNUSED = "eslint(no-unused-vars)"


class Place(NamedTuple):
    """Where a fault is in a text, and what it is; lines and columns count from 1."""

    line: int
    column: int
    rule: str
    message: str


class Finding(NamedTuple):
    """A fault at its place in a file."""

    path: str
    place: Place

    def __str__(self) -> str:
        line, column, rule, message = self.place
        return f"{self.path}:{line}:{column}: {message} [{rule}]"


def sources() -> dict[str, str]:
    """Return the text of each script of ours, by its path from the root."""
    paths = [*sorted((ROOT / ASSETS).glob("*.js")), ROOT / ADDRESS, ROOT / FIRST_STEPS, ROOT / KEYS]
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths}


def programs() -> dict[str, str]:
    """Return the text of each program that a browser runs, by its name."""
    mount = asset("mount.js")
    drawing = [name for name in VIEWS if not VIEWS[name].drawn_by]
    page = {name: VIEWS[name].script + "\n" + mount for name in drawing}
    for name in ("copy_link", "addresses"):
        page[name] = "\n".join([asset("drawing.js"), asset(f"{name}.js"), mount])
    page["address"] = (ROOT / ADDRESS).read_text(encoding="utf-8")
    page["keys"] = "\n".join((ROOT / part).read_text(encoding="utf-8") for part in (FIRST_STEPS, KEYS))
    document = scripts([f'<div class="view" data-view="{name}">' for name in drawing])
    frame = [
        asset("drawing.js"),
        "const about = {};",  # from here on as `explain.views.bertviz_page` and bertviz itself write it
        asset("bertviz_frame.js"),
        "require.config({});",
        "requirejs([], () => unpacked({}));",
        "finish();",
    ]
    return {**page, "document": document, "bertviz_frame": "\n".join(frame)}


def findings(programs: Mapping[str, str], sources: Mapping[str, str]) -> list[Finding]:
    """Lint the programs; return each fault once, at its place in one of the sources.

    A name counts as unused only if it is unused in every program that holds its source.

    Raises:
        ValueError: a source is in no program.
        RuntimeError: oxlint failed.
    """
    starts = {name: _starts(text, sources) for name, text in programs.items()}
    holders = {path: {name for name in programs if path in starts[name]} for path in sources}
    if missing := [path for path in sources if not holders[path]]:
        raise ValueError(
            f"No page runs {', '.join(missing)}: delete it, or add its program to tests/javascript/lint.py."
        )
    reporters: dict[Finding, set[str]] = defaultdict(set)
    for name, place in _oxlint(programs):
        path, first = _source_of(starts[name], sources, place.line)
        finding = Finding(path or name, place._replace(line=place.line - first + 1))
        reporters[finding].add(name)
    return sorted(
        finding
        for finding, names in reporters.items()
        if finding.place.rule != UNUSED or names >= holders.get(finding.path, names)
    )


def _starts(program: str, sources: Mapping[str, str]) -> dict[str, int]:
    """Return the line of the program at which each source in it begins."""
    offsets = {path: program.find(text) for path, text in sources.items()}
    return {path: program.count("\n", 0, offset) + 1 for path, offset in offsets.items() if offset >= 0}


def _source_of(starts: Mapping[str, int], sources: Mapping[str, str], line: int) -> tuple[str, int]:
    """Return the source that a line of a program belongs to, and the line at which it begins; else "" and 1."""
    for path, first in starts.items():
        if first <= line < first + len(sources[path].splitlines()):
            return path, first
    return "", 1


def _oxlint(programs: Mapping[str, str]) -> list[tuple[str, Place]]:
    """Return the program of each diagnostic, and where and what it is."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in programs.items():
            (Path(folder) / f"{name}.js").write_text(text, encoding="utf-8")
        return [(Path(path).stem, place) for path, place in diagnostics(Path(folder))]


def diagnostics(folder: Path) -> list[tuple[str, Place]]:
    """Lint the scripts of a folder as they are; return the path of each diagnostic, and where and what it is.

    Raises:
        RuntimeError: oxlint failed, or is not installed.
    """
    command = [str(OXLINT), "--config", str(CONFIG), "--format", "json", "--no-ignore", str(folder)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode not in (0, 1) or not run.stdout.startswith("{"):
        raise RuntimeError(f"oxlint failed:\n{run.stdout}{run.stderr}")
    places = []
    for diagnostic in json.loads(run.stdout)["diagnostics"]:
        span = diagnostic["labels"][0]["span"] if diagnostic["labels"] else {"line": 1, "column": 1}
        message = " ".join(diagnostic["message"].split())
        place = Place(span["line"], span["column"], diagnostic.get("code", "syntax"), message)
        places.append((diagnostic["filename"], place))
    return places
