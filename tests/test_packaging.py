"""The wheel carries app, weights and guide, pins are exact, and the files of the project agree with each other."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_all_that_serving_needs(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for name in (
        "explain/site/app.py",
        "explain/site/pages/navigation.py",
        "explain/site/pages/explain_text.py",
        "explain/site/pages/shared/icon.png",
        "explain/views/assets/mount.js",
        "explain/site/pages/help.py",
        "explain/site/pages/shared/guide_links.js",
        "explain/site/docs/guide/glossary.md",
        "explain/site/docs/images/page.png",
        "explain/site/.streamlit/config.toml",
        "explain/site/weights/base/model.safetensors",
        "explain/site/weights/sentiment/adapter_model.safetensors",
        "explain/site/weights/NOTICE",
        "explain/views/assets/drawing.js",
        "explain/views/assets/vendor/NOTICE",
        "explain/views/assets/vendor/d3.LICENSE",
        "explain/views/assets/vendor/d3.min.js",
        "explain/views/assets/vendor/jquery.LICENSE",
        "explain/views/assets/vendor/jquery.slim.min.js",
        "explain/comparison.schema.json",
        "explain/report.schema.json",
        "explain/library/migrations/versions/v0001.py",
        "explain/site/pages/train.py",
        "explain/training/shipped/requests.csv",
        "explain/training/shipped/guide.txt",
    ):
        assert name in names, name
    assert not [name for name in names if "/checkpoints/" in name or "checkpoint-" in name or "__pycache__" in name]


def test_the_installed_package_finds_its_weights(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import explain; print(explain.__file__);"
        "print(explain.explain('A good film.', methods=['occlusion'], phrases=False).prediction.label);"
        "from explain.core.installation import site_folder; print((site_folder() / 'app.py').is_file());"
        "from explain.core import guide; print(guide.pages()['glossary'].path, guide.definition('pass').split()[0])"
    )
    out = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    place, label, found, glossary, word = out.split()
    assert place.startswith(str(tmp_path)) and label == "positive" and found == "True"
    assert glossary.startswith(str(tmp_path / "explain" / "site")) and word == "One"


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_requirements_are_pinned_exactly(file: str) -> None:
    for line in (ROOT / file).read_text().splitlines():
        if line and not line.startswith(("#", "-r ")):
            assert re.fullmatch(r"[A-Za-z0-9_.-]+(\[\w+\])?==[\w.]+", line), line


def test_versions_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    development = (ROOT / "requirements-dev.txt").read_text()
    extras = project["project"]["optional-dependencies"].values()
    for requirement in (*project["build-system"]["requires"], *(one for extra in extras for one in extra)):
        assert requirement in development.splitlines()
    assert (
        "## Unreleased" in (ROOT / "CHANGELOG.md").read_text()
        or f"## {project['project']['version']}" in (ROOT / "CHANGELOG.md").read_text()
    )


def test_continuous_integration_runs_the_checks_and_the_readmes_test_command() -> None:
    commands = (ROOT / ".ci" / "run").read_text().splitlines()
    assert commands[-2:] == ["make check", "exec make test"] and "set -eu" in commands  # a fault in either ends it
    assert "make test " in (ROOT / "README.md").read_text()
    assert "- run: .ci/run\n" in (ROOT / ".github" / "workflows" / "test.yml").read_text()
