import sys
from pathlib import Path

import pytest

from explain.core.errors import ExplainError, UnknownNameError
from explain.core.registry import Registry


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "plants"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from explain.core.registry import Registry\nPLANTS = Registry('plant', 'plants')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.split(".")[0] == "plants"]:
        del sys.modules[name]


def registry() -> Registry[object]:
    import plants

    return plants.PLANTS


def write(package: Path, file: str, name: str) -> None:
    (package / f"{file}.py").write_text(f"from plants import PLANTS\n\n@PLANTS.register({name!r})\nclass Plant: pass\n")


def test_one_file_is_found_without_being_listed(package: Path) -> None:
    write(package, "rose", "rose")
    write(package, "oak", "oak")
    assert list(registry()) == ["oak", "rose"] and len(registry()) == 2
    assert registry()["oak"].__module__ == "plants.oak"


def test_unknown_names_list_the_known_and_guess(package: Path) -> None:
    write(package, "rose", "rose")
    with pytest.raises(UnknownNameError, match=r"There is no plant 'rosse'\. Did you mean 'rose'") as caught:
        registry()["rosse"]
    assert isinstance(caught.value, ExplainError) and isinstance(caught.value, KeyError)
    assert "There is: rose." in str(caught.value)


def test_file_and_name_must_agree(package: Path) -> None:
    write(package, "rose", "tulip")
    with pytest.raises(ValueError, match="file and name must agree"):
        list(registry())


def test_duplicates_are_refused(package: Path) -> None:
    write(package, "rose", "rose")
    list(registry())
    with pytest.raises(ValueError, match="Two entries want to be the plant 'rose'"):
        registry().register("rose")(object())
