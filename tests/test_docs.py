"""The docs are run: every block of Python, every command, every link."""

import importlib
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

import explain
from explain.cli.main import main, parser
from explain.core.registry import GROUPS
from explain.extend import KINDS
from explain.methods.base import METHODS, Method
from explain.models.loading.catalogue import load_folder
from explain.tasks.base import TASKS, Head
from explain.testing import METHOD_CHECKS, TOY_MODELS, CurvedModel, check_task
from tests.adding_page import example
from tests.tiny_models import tiny_folder, tiny_gpt2

ROOT = Path(__file__).parent.parent
README, GUIDE = ROOT / "README.md", sorted((ROOT / "docs" / "guide").glob("*.md"))
ARCHITECTURE = ROOT / "docs" / "architecture.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
QUICK = {  # what the guide's commands are shortened by; those of the README run as they are
    "text": ["--method", "occlusion", "--no-phrases"],
    "train": ["--head-only", "--epochs", "0.2"],
}


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def with_blocks(language: str) -> list[Path]:
    return [page for page in (README, *GUIDE) if blocks(page, language)]


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_folder_of: Callable[..., Path]) -> Path:
    """A working folder with the files and models that the examples of README and guide name."""
    (tmp_path / "reviews").mkdir()
    (tmp_path / "reviews" / "dev.jsonl").write_text('{"text": "A good plot, badly told."}\n', encoding="utf-8")
    rows = [
        f"{word} scene {number},{label}" for number in range(12) for word, label in (("dull", "bad"), ("fine", "good"))
    ]
    (tmp_path / "reviews.csv").write_text("\n".join(["text,label", *rows]) + "\n", encoding="utf-8")
    (tmp_path / "texts.txt").write_text("a bad film\nI saved it\n", encoding="utf-8")
    monkeypatch.setenv("EXPLAIN_LIBRARY", str(tmp_path / "library"))
    (tmp_path / "my-bert").symlink_to(tiny_folder_of("bert"))
    tiny_gpt2(tmp_path / "my-gpt2")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_readmes_python_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks(README, "python")
    assert len([line for line in code.splitlines() if line.strip()]) == 5
    exec(compile(code, "README.md", "exec"), {})
    out = capsys.readouterr().out
    assert re.match(r"(negative|positive) \d+%\n([+-]\d+\.\d\d log-odds  .+\n){1,3}$", out)


@pytest.mark.parametrize("page", with_blocks("python")[1:], ids=lambda page: page.name)
def test_the_guides_python_runs(page: Path, workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    space: dict[str, object] = {}
    for code in blocks(page, "python"):
        exec(compile(code, page.name, "exec"), space)
    assert capsys.readouterr().out


@pytest.mark.parametrize("page", with_blocks("sh"), ids=lambda page: page.name)
def test_the_commands_run(page: Path, workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    makefile, dockerfile = ((ROOT / name).read_text(encoding="utf-8") for name in ("Makefile", "Dockerfile"))
    for line in "\n".join(blocks(page, "sh")).splitlines():
        program, *arguments = shlex.split(line, comments=True) or [""]
        if program == "explain" and arguments[0] == "serve":
            parser().parse_args(arguments)  # a server that runs is tested in tests/pages
        elif program == "explain":
            quick = [] if page == README or "--method" in arguments else QUICK.get(arguments[0], [])
            assert main([*arguments, *quick]) == 0, line
        elif program == "make":
            assert re.search(rf"^{arguments[0]}:.*## ", makefile, re.MULTILINE), line
        elif line == "docker run -p 8501:8501 explain":
            assert "EXPOSE 8501" in dockerfile
        else:
            assert line in ("", "pip install .", "docker build -t explain ."), line
    if "explain replay" in page.read_text(encoding="utf-8"):
        assert re.search(r"^The (report|comparison|run) holds\.$", capsys.readouterr().out, re.MULTILINE)


def adding_example(group: str) -> str:
    """The block of docs/adding.md about a group; tests/core/test_extensions.py installs and runs all of them."""
    return dict(zip((kind.group for kind in KINDS), blocks(ROOT / "docs" / "adding.md", "python"), strict=True))[group]


def test_kinds_are_the_groups_of_entry_points() -> None:
    assert {kind.group for kind in KINDS} == set(GROUPS)
    for kind in KINDS:
        place, _, name = GROUPS[kind.group].partition(":")
        assert issubclass(kind.load_base(), getattr(importlib.import_module(place), name))
        assert kind.load_registry().kind == kind.noun
        assert adding_example(kind.group) == example(kind)


def test_the_method_of_the_docs_works() -> None:
    code = adding_example("explain.methods")
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
    code = adding_example("explain.tasks")
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


def test_the_readme_is_short_and_counts_right() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 120
    assert f"{len(METHODS)} methods" in text and len(TASKS) == 8 and "Eight tasks" in text


def test_every_room_is_described() -> None:
    described = set(re.findall(r"`([\w./]+?)/?`", ARCHITECTURE.read_text(encoding="utf-8")))
    rooms = [path.parent.relative_to(ROOT) for path in (ROOT / "explain").glob("*/__init__.py")]
    assert {room.as_posix() for room in rooms} <= described
    inner = [path.parent.name for room in rooms for path in (ROOT / room).glob("*/__init__.py")]
    assert set(inner) <= described


def test_the_architecture_names_only_what_exists() -> None:
    """Files and folders, within the package where they are not at the top."""
    named = re.findall(r"`([\w.]+(?:/[\w.]+)*(?:/|\.py))`", ARCHITECTURE.read_text(encoding="utf-8"))
    places = [ROOT, ROOT / "explain", ROOT / "explain" / "models", ROOT / "explain" / "training"]
    places += [ROOT / "explain" / "run", ROOT / "explain" / "views", ROOT / "explain" / "numerics"]
    assert [name for name in named if not any((place / name).exists() for place in places)] == []


def test_the_picture_has_every_layer() -> None:
    """That it is drawn from today's contracts is a golden file."""
    picture = (ROOT / "docs" / "images" / "layers.svg").read_text(encoding="utf-8")
    tops = {name: int(top) for top, name in re.findall(r'<text x="[\d.]+" y="(\d+)">([\w.]+)</text>', picture)}
    assert tops["cli"] < tops["report"] < tops["run"] < tops["methods"] < tops["models"] < tops["core"]
    assert tops["views"] == tops["analyses"]
