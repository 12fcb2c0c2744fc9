"""Registries: named things, one file each, found without anyone listing them.

A registry names a package. The first time someone looks into it, every module of that package is imported; each
module registers what it defines. So adding a method, task, view or metric is adding one file.
"""

import difflib
import importlib
import pkgutil
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from explain.core.errors import UnknownNameError

Entry = TypeVar("Entry")

_SHOWN = 80  # characters of a name that nobody knows


class Registry(Mapping[str, Entry]):
    """A read-only mapping from names to entries, filled by `register` in the modules of one package.

    Args:
        kind: what an entry is called in messages ("method").
        package: the package whose modules register themselves.
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self._package = package
        self._entries: dict[str, Entry] = {}
        self._found = False
        self._lock = threading.RLock()  # modules register themselves while discovery holds it

    def register(self, name: str) -> Callable[[Entry], Entry]:
        """Decorator: enter a class, instance or function under `name`.

        Raises:
            ValueError: the name is taken, or differs from the name of the file it is written in.
        """

        def enter(entry: Entry) -> Entry:
            module = getattr(entry, "__module__", "")
            if module.startswith(self._package + ".") and module.rpartition(".")[2] != name:
                raise ValueError(f"The {self.kind} {name!r} is written in {module}; file and name must agree.")
            if self._entries.setdefault(name, entry) is not entry:
                raise ValueError(f"Two entries want to be the {self.kind} {name!r}; the second is in {module}.")
            return entry

        return enter

    def discover(self) -> None:
        """Import every module of the package, once."""
        with self._lock:
            if self._found:
                return
            package = importlib.import_module(self._package)
            for module in pkgutil.iter_modules(package.__path__):
                importlib.import_module(f"{self._package}.{module.name}")
            self._found = True

    def __getitem__(self, name: str) -> Entry:
        self.discover()
        try:
            return self._entries[name]
        except KeyError:
            raise UnknownNameError(unknown(self.kind, name, sorted(self._entries))) from None

    def __iter__(self) -> Iterator[str]:
        self.discover()
        return iter(sorted(self._entries))

    def __len__(self) -> int:
        self.discover()
        return len(self._entries)


def unknown(kind: str, name: str, known: list[str]) -> str:
    """The message for a name nobody knows: what was meant, perhaps, and what there is."""
    name = str(name)
    close = difflib.get_close_matches(name[:_SHOWN], known, n=1)
    guess = f" Did you mean {close[0]!r}?" if close else ""
    return f"There is no {kind} {name[:_SHOWN]!r}.{guess} There is: {', '.join(known) or 'none'}."
