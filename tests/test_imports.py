"""Who may import whom: import-linter's contracts, siblings, pages, and what an import costs."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("numerics", "text", "tasks", "models", "methods", "metrics", "views")
# In these rooms files build on each other in the order of the pipeline; elsewhere siblings know only what
# registers nothing.
LAYERED = {"models", "text", "views", "numerics"}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_contracts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("room", [room for room in ROOMS if room not in LAYERED])
def test_siblings_know_only_what_registers_nothing(room: str) -> None:
    """Their base, and what several of them are built on; see docs/decisions/0006-files-of-one-room.md."""
    files = list((ROOT / "explain" / room).glob("*.py"))
    shared = {f"explain.{room}.{path.stem}" for path in files if ".register(" not in path.read_text(encoding="utf-8")}
    for path in files:
        siblings = {name for name in imported(path) if name.startswith(f"explain.{room}.")}
        assert siblings <= shared | {f"explain.{room}.base"}, path


def test_pages_draw_and_do_not_compute() -> None:
    pages = [*(ROOT / "pages").rglob("*.py"), ROOT / "app.py"]
    for path in pages:
        roots = {name.split(".")[0] for name in imported(path)}
        assert not roots & {"torch", "numpy", "transformers", "captum"}, path
        assert "unsafe_allow_html" not in path.read_text(encoding="utf-8"), path


def test_nothing_is_unpickled_or_evaluated() -> None:
    for path in (ROOT / "explain").rglob("*.py"):
        names = {
            node.func.id
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not names & {"eval", "exec"}, path
        assert not {name.split(".")[0] for name in imported(path)} & {"pickle", "shelve", "dill", "joblib"}, path


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import explain, sys; print(sorted({'torch', 'transformers', 'numpy', 'captum'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_exported_names_are_there() -> None:
    import explain

    for name in explain.__all__:
        assert getattr(explain, name) is not None
    assert set(explain.__all__) == set(explain._HOME)
    with pytest.raises(AttributeError):
        explain.nothing  # noqa: B018
