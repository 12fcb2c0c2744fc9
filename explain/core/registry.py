"""Registries: named entries, one file each, and entries of other distributions; nobody lists them.

A registry names a package. `registry["name"]` imports that package's module `name`, which registers what it defines;
iterating imports every module. So adding a method, task, view, metric or analysis is adding one file.

Another distribution adds an entry by an entry point in the group of the package's name:

    [project.entry-points."explain.methods"]
    my_method = "my_package.my_module:MyMethod"

Such entries are imported when they are looked up or iterated over. One that is broken is left out of iteration; looking
it up raises an error that names its distribution.
"""

import difflib
import functools
import importlib
import importlib.metadata
import logging
import pkgutil
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from explain.core.errors import ExtensionError, UnknownNameError

Entry = TypeVar("Entry")

GROUPS = {  # of entry points, with the class that an entry subclasses or is an instance of
    "explain.methods": "explain.methods.base:Method",
    "explain.metrics": "explain.metrics.base:Metric",
    "explain.tasks": "explain.tasks.base:Task",
    "explain.views": "explain.views.base:View",
    "explain.analyses": "explain.models.analysis:Analysis",
    "explain.families": "explain.models.families:Family",
}
_SHOWN = 80  # characters of a name that nobody knows
_log = logging.getLogger("explain")


@dataclass(frozen=True)
class Extension:
    """An entry of another distribution, before it is imported.

    Attributes:
        name: the registry's name; group: the registry, such as "explain.methods".
        distribution: its name and version, such as "my-package 1.0".
        target: where it is, "my_package.my_module:MyMethod".
    """

    name: str
    group: str
    distribution: str
    target: str

    def load(self) -> Any:
        """Import the entry.

        Raises:
            ExtensionError: it can't be imported, or is nothing for this registry; the message names the distribution.
        """
        place, _, base_name = GROUPS[self.group].partition(":")
        base = getattr(importlib.import_module(place), base_name)
        try:
            entry = importlib.metadata.EntryPoint(self.name, self.target, self.group).load()
            own_name = getattr(entry, "name", self.name)
        except Exception as error:  # other people's code
            raise self._broken(f"{type(error).__name__}: {error}") from error
        cls = entry if isinstance(entry, type) else type(entry)
        if not issubclass(cls, base):
            raise self._broken(f"{self.target} is no {base_name}")
        if own_name != self.name:
            raise self._broken(f"{self.target} calls itself {own_name!r}")
        return entry

    def _broken(self, reason: str) -> ExtensionError:
        reason = " ".join(reason.split())[:300].rstrip(".")
        return ExtensionError(
            f"{self.name!r} ({self.group}) of the distribution {self.distribution} can't be used: {reason}. "
            "Update or uninstall that distribution."
        )


@functools.cache
def extensions() -> tuple[Extension, ...]:
    """Return the entries of other distributions, by group and name; none of them is imported."""
    entries = {
        Extension(point.name, group, f"{point.dist.name} {point.dist.version}" if point.dist else "", point.value)
        for group in GROUPS
        for point in importlib.metadata.entry_points(group=group)
    }
    return tuple(sorted(entries, key=lambda entry: (entry.group, entry.name, entry.distribution)))


class Registry(Mapping[str, Entry]):
    """A read-only mapping from names to entries, filled by `register` in the modules of one package.

    Args:
        kind: what an entry is called in messages ("method").
        package: the package, or the module, whose code registers entries.
        group: the entry points of other distributions; by default the package's name.
    """

    def __init__(self, kind: str, package: str, group: str = "") -> None:
        self.kind = kind
        self._package = package
        self._group = group or package
        self._entries: dict[str, Entry] = {}
        self._complete = False
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

    @property
    def extensions(self) -> tuple[Extension, ...]:
        """The entries of other distributions, not imported; a name of this package's own is never theirs."""
        return tuple(entry for entry in extensions() if entry.group == self._group)

    def discover(self) -> None:
        """Import every module of the package and every extension, once; a broken extension is logged and left out."""
        with self._lock:
            if self._complete:
                return
            for module in self._modules():
                importlib.import_module(f"{self._package}.{module}")
            for extension in self.extensions:
                try:
                    self._take(extension)
                except ExtensionError as error:
                    _log.warning("explain: %s", error)
            self._complete = True

    def __getitem__(self, name: str) -> Entry:
        if name not in self._entries and not self._complete:
            self._find(name)
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

    def _find(self, name: str) -> None:
        """Import the one module or extension of this name; where there is none, everything.

        Raises:
            ExtensionError: the extension of this name is broken.
        """
        module = str(name).replace("-", "_")  # "xlm-roberta" is in xlm_roberta.py
        if module in self._modules():
            importlib.import_module(f"{self._package}.{module}")
        if name not in self._entries:
            for extension in self.extensions:
                if extension.name == name:
                    self._take(extension)
                    return
            self.discover()

    def _take(self, extension: Extension) -> None:
        """Enter an extension.

        Raises:
            ExtensionError: it is broken, or its name is taken.
        """
        entry = extension.load()
        if self._entries.setdefault(extension.name, entry) is not entry:
            raise extension._broken(f"there is another {self.kind} of that name")

    def _modules(self) -> tuple[str, ...]:
        """Return the names of the package's modules; none where it is a single module."""
        package = importlib.import_module(self._package)
        return tuple(module.name for module in pkgutil.iter_modules(getattr(package, "__path__", ())))


def unknown(kind: str, name: str, known: list[str]) -> str:
    """Return the message for a name nobody knows: the likeliest of the known names, and all of them."""
    name = str(name)
    close = difflib.get_close_matches(name[:_SHOWN], known, n=1)
    guess = f" Did you mean {close[0]!r}?" if close else ""
    return f"There is no {kind} {name[:_SHOWN]!r}.{guess} There is: {', '.join(known) or 'none'}."
