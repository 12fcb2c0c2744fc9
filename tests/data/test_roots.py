"""Paths that a visitor names lie below the folders that a server opens, links resolved."""

from pathlib import Path

import pytest

from explain.core.errors import DataError
from explain.data.roots import data_roots, path_below


def test_paths_lie_below_roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, closed = tmp_path / "opened", tmp_path / "closed"
    for folder in (opened, closed):
        folder.mkdir()
        (folder / "a.csv").write_text("text\nGood.\n")
    (opened / "link.csv").symlink_to(closed / "a.csv")
    monkeypatch.setenv("EXPLAIN_DATA_ROOTS", str(opened))
    roots = data_roots()
    assert path_below(f" {opened}/a.csv ", roots) == (opened / "a.csv").resolve()
    for place in ("link.csv", "../closed/a.csv", "nothing.csv", "\0"):
        with pytest.raises(DataError, match=r"not below|no file can have"):
            path_below(str(opened / place), roots)
    assert path_below(str(closed / "a.csv"), None) == (closed / "a.csv").resolve()
    with pytest.raises(DataError, match="does not exist"):
        path_below(str(opened / "nothing.csv"), None)
    monkeypatch.delenv("EXPLAIN_DATA_ROOTS")
    assert data_roots() == ()
