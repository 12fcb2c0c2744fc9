"""The docs are run: every block of Python, every command, every link."""

import re
import shlex
from pathlib import Path

import pytest

import explain
from explain.__main__ import main
from explain.methods.base import METHODS, Method
from explain.models.catalogue import load_folder
from explain.tasks.base import TASKS, Head
from explain.testing import METHOD_CHECKS, TOY_MODELS, CurvedModel, check_task
from tests.tiny_models import tiny_folder

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_readmes_python_runs(capsys: pytest.CaptureFixture[str]) -> None:
    first, attention = blocks(ROOT / "README.md", "python")
    assert len([line for line in first.splitlines() if line.strip()]) == 5
    exec(compile(first, "README.md", "exec"), {})
    out = capsys.readouterr().out
    assert re.match(r"(negative|positive) \d+%\n([+-]\d+\.\d\d log-odds  .+\n){1,3}$", out)
    exec(compile(attention, "README.md", "exec"), {})
    assert re.match(r"\(6, 12, \d+, \d+\)\n$", capsys.readouterr().out)


def test_the_readmes_commands_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reviews").mkdir()
    (tmp_path / "reviews" / "dev.jsonl").write_text('{"text": "A good plot, badly told."}\n', encoding="utf-8")
    commands = [line for block in blocks(ROOT / "README.md", "sh") for line in block.splitlines() if line.strip()]
    makefile = (ROOT / "Makefile").read_text()
    ran = 0
    for line in commands:
        program, *arguments = shlex.split(line, comments=True)
        if program == "make":
            assert re.search(rf"^{arguments[0]}:.*## ", makefile, re.MULTILINE), line
        else:
            assert program == "explain"
            assert main(arguments) == 0, line
            ran += 1
    assert ran >= 6
    assert "The report holds." in capsys.readouterr().out


def test_the_method_of_the_docs_works() -> None:
    code, _ = blocks(ROOT / "docs" / "adding.md", "python")
    space: dict[str, object] = {"__name__": "docs_adding"}
    before = dict(METHODS._entries)
    try:
        exec(compile(code, "adding.md", "exec"), space)
        method = METHODS["gradient_peak"]
        assert issubclass(method, Method)
        for check in METHOD_CHECKS:
            check(method(), TOY_MODELS["curved"])
    finally:
        METHODS._entries.clear()
        METHODS._entries.update(before)


def test_the_task_of_the_docs_works(tmp_path: Path) -> None:
    _, code = blocks(ROOT / "docs" / "adding.md", "python")
    labels = ("unacceptable", "acceptable")
    before = dict(TASKS._entries)
    try:
        exec(compile(code, "adding.md", "exec"), {"__name__": "docs_adding"})

        class Toy(CurvedModel):
            task, head = TASKS["acceptability"], Head(labels)

        check_task(Toy.task, Toy("grammatical"))
        model = load_folder("m", tiny_folder("bert", tmp_path, num_labels=2, id2label=dict(enumerate(labels))))
        assert model.task is Toy.task and model.head.labels == labels
        check_task(model.task, model)
        assert explain.explain("The keys is here.", model, methods=["occlusion"]).target.task == "acceptability"
    finally:
        TASKS._entries.clear()
        TASKS._entries.update(before)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_method_is_documented() -> None:
    text = (ROOT / "docs" / "methods.md").read_text()
    for name in METHODS:
        assert f"## {METHODS[name].title}\n" in text


def test_every_variable_is_in_the_readme() -> None:
    named = set()
    for path in [*(ROOT / "explain").rglob("*.py"), *(ROOT / "pages").rglob("*.py"), ROOT / "app.py"]:
        named |= set(re.findall(r"EXPLAIN_[A-Z_]+", path.read_text()))
    readme = (ROOT / "README.md").read_text()
    assert {name for name in named if name not in readme} <= {"EXPLAIN_ALLOW_ANY_MODEL"}  # set by --allow-any-model
