"""Imports of each command: listings need no model, so no torch; `text` imports nothing of other commands."""

import subprocess
import sys
from pathlib import Path

import pytest

from explain.core.installation import site_folder

HEAVY = ("torch", "transformers", "captum", "streamlit", "plotly", "pandas", "pyarrow", "scipy", "sklearn")
PROGRAM = """
import sys
from explain.cli.main import main
try:
    status = main(sys.argv[1:])
except SystemExit as ended:
    status = ended.code
print(" ".join(sys.modules), file=sys.stderr)
sys.exit(status)
"""


def imported(*arguments: str) -> set[str]:
    """Run a command in a process of its own, and return the modules that are there at its end."""
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], cwd=site_folder(), capture_output=True, text=True, check=True
    )
    assert ended.stdout
    return set(ended.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("text", "--help"),
        ("compare", "--help"),
        ("models",),
        ("methods",),
        ("methods", "occlusion"),
        ("metrics",),
        ("analyses",),
        ("analyses", "logit_lens"),
        ("extensions",),
        ("library", "list"),
    ],
    ids=" ".join,
)
def test_a_command_without_a_model_imports_no_torch(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPLAIN_LIBRARY", str(tmp_path))
    assert not set(HEAVY) & imported(*arguments)


def test_text_imports_what_its_task_needs() -> None:
    modules = imported("text", "a good film")
    assert not modules & {"captum", "streamlit", "plotly", "pandas", "pyarrow", "umap", "sklearn", "datasets", "peft"}
    methods = {name.removeprefix("explain.methods.") for name in modules if name.startswith("explain.methods.")}
    assert methods == {"base", "integrated_gradients", "occlusion", "attention_rollout"}
    classes = [name for name in modules if name.startswith("transformers.models.") and ".modeling_" in name]
    assert set(classes) == {"transformers.models.auto.modeling_auto", "transformers.models.bert.modeling_bert"}
