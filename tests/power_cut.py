"""A disk that loses its power: what is left of a folder after a cut, of what was synchronized and what was not.

A disk keeps two things apart: the content of a file, which `fsync` of the file makes last, and the names in a folder,
which `fsync` of that folder makes last (POSIX promises no more). While files are written, this layer watches `fsync`,
`replace` and `mkdir`, and after each of them sets down three disks that a cut there could leave:

- `nothing`: only what was synchronized
- `names`: every name, but of files only what was synchronized: a renamed file may be empty
- `everything`: all that was written, as after a kill
"""

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

Tree = dict[str, bytes | None]  # of each path its content; None of a folder


@dataclass
class PowerCuts:
    """The disks that cuts could leave of one folder, each once, and what was promised to be finished before each."""

    root: Path
    finished: Callable[[], frozenset[int]]
    disks: dict[tuple[tuple[str, bytes | None], ...], tuple[str, frozenset[int]]] = field(default_factory=dict)
    _contents: dict[int, bytes] = field(default_factory=dict)  # that last, by number of the file
    _names: dict[int, dict[str, int]] = field(default_factory=dict)  # that last, by number of the folder

    def synchronized(self, descriptor: int) -> None:
        """Note that a file or a folder has been synchronized."""
        about = os.fstat(descriptor)
        if stat.S_ISDIR(about.st_mode):
            self._names[about.st_ino] = {entry.name: entry.inode() for entry in os.scandir(descriptor)}
        else:
            self._contents[about.st_ino] = os.pread(descriptor, about.st_size, 0)

    def cut(self, when: str) -> None:
        """Set down the disks that a cut at this moment could leave."""
        promised = self.finished()
        for kind, tree in (("nothing", self._tree(True, False)), ("names", self._tree(False, False))):
            self._add(tree, f"{kind}, {when}", promised)
        self._add(self._tree(False, True), f"everything, {when}", promised)

    def _add(self, tree: Tree, when: str, promised: frozenset[int]) -> None:
        key = tuple(sorted(tree.items()))
        earlier = self.disks.get(key, (when, frozenset()))
        self.disks[key] = (earlier[0], earlier[1] | promised)

    def _tree(self, only_lasting_names: bool, all_contents: bool) -> Tree:
        tree: Tree = {}

        def walk(folder: Path, within: str) -> None:
            lasting = self._names.get(folder.stat().st_ino, {})
            for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
                if only_lasting_names and lasting.get(entry.name) != entry.inode():
                    continue
                if entry.is_dir():
                    tree[f"{within}{entry.name}"] = None
                    walk(Path(entry.path), f"{within}{entry.name}/")
                elif all_contents:
                    tree[f"{within}{entry.name}"] = Path(entry.path).read_bytes()
                else:
                    tree[f"{within}{entry.name}"] = self._contents.get(entry.inode(), b"")

        walk(self.root, "")
        return tree


@contextlib.contextmanager
def power_cuts(
    root: Path, monkeypatch: pytest.MonkeyPatch, finished: Callable[[], frozenset[int]]
) -> Iterator[PowerCuts]:
    """Watch what is written below a folder.

    Args:
        finished: returns what the writer has promised to be finished; called at each cut.
    """
    cuts = PowerCuts(root, finished)

    def watched(name: str) -> Callable[..., object]:
        real = getattr(os, name)

        def act(*arguments: object, **options: object) -> object:
            cuts.cut(f"before {name}")
            outcome = real(*arguments, **options)
            if name == "fsync":
                cuts.synchronized(arguments[0])  # type: ignore[arg-type]
            cuts.cut(f"after {name}")
            return outcome

        return act

    with monkeypatch.context() as patched:
        for name in ("fsync", "replace", "mkdir"):
            patched.setattr(os, name, watched(name))
        yield cuts
    cuts.cut("at the end")


def set_down(disk: tuple[tuple[str, bytes | None], ...], place: Path) -> Path:
    """Write a disk that a cut left into a new folder."""
    place.mkdir()
    for name, content in disk:
        if content is None:
            (place / name).mkdir()
        else:
            (place / name).write_bytes(content)
    return place
