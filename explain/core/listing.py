"""The listing: what is registered, with one-line descriptions and settings, known without importing torch.

`explain/listing.json` is written by `make golden` from the registries, and a test compares it with them. It is read
where things are listed only. A file that was added since is imported instead; extensions are named, not imported.
"""

import functools
import importlib
import json
import pkgutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from explain.core.errors import UnknownNameError
from explain.core.registry import Extension, Registry, extensions, unknown
from explain.core.settings import settings_of

FILE = Path(__file__).parent.parent / "listing.json"

# What can be listed: the word for many, the word for one, the registry.
KINDS = {
    "methods": ("method", "explain.methods.base:METHODS"),
    "metrics": ("metric", "explain.metrics.base:METRICS"),
    "analyses": ("analysis", "explain.analyses.base:ANALYSES"),
}


@dataclass(frozen=True)
class ListedSetting:
    """One setting: its name, what it does, what may be put in, and its default ("" where it has none)."""

    name: str
    help: str
    range: str
    default: str


@dataclass(frozen=True)
class ListedEntry:
    """One entry of a registry, in words.

    Attributes:
        version: of its arithmetic.
        subject: of analyses, what they are about: "text", "texts" or "model"; "" elsewhere.
    """

    name: str
    title: str
    meaning: str
    limits: str
    version: int
    subject: str
    settings: tuple[ListedSetting, ...]

    @classmethod
    def of(cls, entry: Any) -> "ListedEntry":
        """Describe a class of a registry."""
        settings = tuple(
            ListedSetting(
                setting.name,
                setting.help,
                setting.range,
                "" if setting.required else "automatic" if setting.default is None else str(setting.default),
            )
            for setting in settings_of(entry)
        )
        subject = getattr(entry, "subject", "")
        return cls(entry.name, entry.title, entry.meaning, entry.limits, entry.version, subject, settings)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "ListedEntry":
        """Read what `written` wrote."""
        return cls(**{**record, "settings": tuple(ListedSetting(**setting) for setting in record["settings"])})


def listed(kind: str) -> Mapping[str, ListedEntry]:
    """Return the entries of one of `KINDS` by name, less extensions."""
    record = _record()[kind]
    entries = {name: ListedEntry.from_json(entry) for name, entry in record["entries"].items()}
    if set(_modules(kind)) - set(record["modules"]):  # a file was added, and `make golden` not run
        own = {extension.name for extension in extensions_of(kind)} - entries.keys()
        registry = _registry(kind)
        entries = {name: ListedEntry.of(registry[name]) for name in registry if name not in own}
    return entries


def listed_entry(kind: str, name: str) -> ListedEntry:
    """Return one entry of one of `KINDS`; an extension is imported for it.

    Raises:
        UnknownNameError: there is none of that name; ExtensionError: the extension of that name is broken.
    """
    entries = listed(kind)
    if name in entries:
        return entries[name]
    known = [extension.name for extension in extensions_of(kind)]
    if name not in known:
        raise UnknownNameError(unknown(KINDS[kind][0], name, sorted({*entries, *known})))
    return ListedEntry.of(_registry(kind)[name])


def extensions_of(kind: str) -> tuple[Extension, ...]:
    """Return the extensions of one of `KINDS`, not imported."""
    return tuple(extension for extension in extensions() if extension.group == f"explain.{kind}")


def written() -> str:
    """Return what `explain/listing.json` should hold; imports every registry."""
    record = {}
    for kind in KINDS:
        outside = {extension.name for extension in extensions_of(kind)}
        registry = _registry(kind)
        entries = {name: asdict(ListedEntry.of(registry[name])) for name in registry if name not in outside}
        record[kind] = {"modules": _modules(kind), "entries": entries}
    return json.dumps(record, ensure_ascii=False, indent=1) + "\n"


@functools.cache
def _record() -> Mapping[str, Any]:
    return json.loads(FILE.read_text(encoding="utf-8"))


def _modules(kind: str) -> list[str]:
    """Return the names of a package's modules, without importing it."""
    return sorted(module.name for module in pkgutil.iter_modules([str(FILE.parent / kind)]))


def _registry(kind: str) -> Registry[Any]:
    module, _, name = KINDS[kind][1].partition(":")
    return getattr(importlib.import_module(module), name)
