"""Another distribution adds one of each: installed, listed without being imported, in the app, within the contracts."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from explain.cli.main import main
from explain.core.installation import site_folder

EXAMPLE = Path(__file__).parent.parent / "example_extension"
NAMES = {
    "explain.methods": "gradient_peak",
    "explain.metrics": "half_deletion",
    "explain.tasks": "acceptability",
    "explain.views": "margin_sentence",
    "explain.analyses": "decision_margin",
    "explain.families": "ernie",
}
BROKEN = {
    "no_such_module": "explain_broken.nothing:Nothing",
    "of_another_kind": "explain.methods.base:METHODS",
    "occlusion": "explain.methods.lime:LIME",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example installed in it."""
    folder = tmp_path_factory.mktemp("site")
    source = tmp_path_factory.mktemp("source")
    for path in EXAMPLE.rglob("*"):  # a build may write beside its sources
        if path.suffix in (".py", ".toml"):
            copy = source / path.relative_to(EXAMPLE)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, "--target", folder, source], check=True)
    return folder


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A folder with a distribution whose entries can't be used."""
    about = tmp_path / "explain_broken-2.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: explain-broken\nVersion: 2.0\n")
    lines = ["[explain.methods]", *(f"{name} = {target}" for name, target in BROKEN.items())]
    (about / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return tmp_path


PROGRAMS = {  # run in this order, in one process: the first two import nothing of the example
    "entries": """
main(["extensions"])
""",
    "all methods": """
main(["methods"])
print("explain_example" in sys.modules)
""",
    "one method": """
main(["methods", "gradient_peak"])
print("explain_example" in sys.modules)
""",
    "contracts": """
import explain
from explain.models.families import FAMILIES
from explain.testing import METHOD_CHECKS, TOY_MODELS, CurvedModel, check_analysis, check_metric, check_task, check_view
from explain.tasks.base import Head

for toy in ("linear", "curved", "planted"):
    for check in METHOD_CHECKS:
        check(explain.METHODS["gradient_peak"](), TOY_MODELS[toy])
    check_metric(explain.METRICS["half_deletion"](), TOY_MODELS[toy])

class Toy(CurvedModel):
    task, head = explain.TASKS["acceptability"], Head(("unacceptable", "acceptable"))

check_task(Toy.task, Toy("grammatical"))
check_analysis(explain.ANALYSES["decision_margin"](), TOY_MODELS["planted"])
margin = explain.ask("decision_margin", "a good film", TOY_MODELS["planted"])
check_view(explain.VIEWS["margin_sentence"], margin)
assert FAMILIES["ernie"].body == "ernie" and "ernie" in sorted(FAMILIES)
for registry in (explain.METHODS, explain.METRICS, explain.TASKS, explain.VIEWS, explain.ANALYSES):
    assert set(registry) >= {extension.name for extension in registry.extensions} != set()
""",
    "report": """
arguments = ["text", "a dull film", "--model", MODEL, "--method", "gradient_peak", "--no-phrases"]
arguments += ["--set", "gradient_peak.steepest=2", "--analysis", "decision_margin"]
assert main([*arguments, "--metric", "half_deletion", "--format", "json", "--out", RECORD]) == 0
assert main(["replay", RECORD]) == 0
assert main([*arguments, "--format", "html", "--out", PAGE]) == 0
""",
    "widgets": """
from streamlit.testing.v1 import AppTest
app = AppTest.from_file("pages/explain_text.py", default_timeout=120).run()
assert not app.exception, app.exception
print([option for widget in app.multiselect for option in widget.options])
""",
}
RUNNER = """
import contextlib, io, json, os, sys, traceback
from explain.cli.main import main

programs, MODEL, RECORD, PAGE = json.loads(sys.argv[1])
ended = {}
for name, program in programs.items():
    printed, problem = io.StringIO(), ""
    try:
        with contextlib.redirect_stdout(printed):
            exec(program)
    except BaseException:
        problem = traceback.format_exc()
    ended[name] = (printed.getvalue(), problem)
print(json.dumps(ended), flush=True)
os._exit(0)  # a page computes on in another thread
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with a folder on its path."""
    environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{site_folder()}"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=site_folder(), env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a report that the programs write; its HTML is beside it."""
    return tmp_path_factory.mktemp("report") / "report.json"


@pytest.fixture(scope="module")
def printed(site: Path, record: Path, tiny_folder_of: Callable[..., Path]) -> Callable[[str], str]:
    """Return what a program printed; it must have ended well."""
    arguments = [PROGRAMS, *map(str, (tiny_folder_of("bert"), record, record.with_suffix(".html")))]
    process = run(site, "-c", RUNNER, json.dumps(arguments))
    assert process.returncode == 0, process.stderr
    ended = json.loads(process.stdout)

    def printed_by(name: str) -> str:
        output, problem = ended[name]
        assert not problem, problem
        return str(output)

    return printed_by


def entries() -> Iterator[tuple[str, str]]:
    yield from NAMES.items()


Printed = Callable[[str], str]


def test_entries_are_listed_by_name_group_and_distribution(printed: Printed) -> None:
    listed = [line.split()[:4] for line in printed("entries").splitlines()]
    assert [line[:2] for line in listed] == sorted(([name, group] for group, name in entries()), key=lambda row: row[1])
    assert {tuple(line[2:]) for line in listed} == {("explain-example", "1.0")}


def test_listing_imports_nothing_of_them_and_naming_one_does(printed: Printed) -> None:
    whole, single = printed("all methods"), printed("one method")
    assert "gradient_peak\n    from explain-example 1.0 (explain.methods)" in whole and whole.endswith("False\n")
    assert "--set gradient_peak.steepest=" in single and "version 1" in single and single.endswith("True\n")
    assert "    from explain-example 1.0" in single


def test_they_keep_the_contracts(printed: Printed) -> None:
    printed("contracts")


def test_a_report_holds_them_and_replays(printed: Printed, record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "The report holds." in printed("report")
    drawn = record.with_suffix(".html").read_text(encoding="utf-8")
    assert 'data-view="margin_sentence"' in drawn and 'DRAW["margin_sentence"]' in drawn
    assert main(["replay", str(record)]) == 2  # where the distribution is not installed
    assert "decision_margin" in capsys.readouterr().err


def test_a_method_is_in_the_apps_widgets(printed: Printed) -> None:
    assert "Gradient peak" in printed("widgets")


NAMED = """
from explain.cli.main import main
import explain

for name in ("no_such_module", "of_another_kind"):
    assert main(["methods", name]) == 2
assert explain.METHODS["occlusion"].title == "Occlusion" and len(explain.METHODS) > 10
"""


def test_a_broken_one_is_told_with_its_distribution_and_the_rest_works(broken: Path) -> None:
    assert "no_such_module\n    from explain-broken 2.0" in run(broken, "-m", "explain", "methods").stdout
    ended = run(broken, "-c", NAMED)
    assert ended.returncode == 0, ended.stderr
    named, left_out = ended.stderr.splitlines()[:2], ended.stderr.splitlines()[2:]
    for line, name, reason in zip(named, BROKEN, ("ModuleNotFoundError", "is no Method")):
        assert f"{name!r} (explain.methods) of the distribution explain-broken 2.0 can't be used: " in line
        assert reason in line
    assert len(left_out) == 3  # each once, an entry with the name of ours too
