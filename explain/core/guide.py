"""The guide: Markdown pages for readers, and the glossary that tooltips quote.

The files lie in `docs/` in a checkout and inside the package in an installed wheel. Nothing here needs torch.
"""

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from explain.core.installation import site_folder
from explain.core.registry import unknown

INDEX, GLOSSARY = "index", "glossary"
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)")
_PICTURE = re.compile(r"^!\[([^\]]*)\]\(([^)\s]+)\)$", re.MULTILINE)
_TERM = re.compile(r"^- \*\*(.+?)\*\*: (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Page:
    """One page of Markdown.

    Attributes:
        name: its name in links: "glossary" in the guide, "docs/methods" or "weights/base" outside it.
        path: its file.
    """

    name: str
    path: Path

    @property
    def title(self) -> str:
        """The first heading."""
        return self._text.removeprefix("# ").partition("\n")[0]

    @property
    def body(self) -> str:
        """The Markdown after the first heading."""
        return self._text.partition("\n")[2].strip()

    @property
    def _text(self) -> str:
        text = self.path.read_text(encoding="utf-8")
        if text.startswith("---\n"):  # the metadata of a model card
            text = text.partition("\n---\n")[2]
        return text.strip()


@dataclass(frozen=True)
class Picture:
    """A picture that stands on a line of its own."""

    path: Path
    description: str


@functools.cache
def pages() -> Mapping[str, Page]:
    """Return every page by its name: the guide, the other documents, and the cards of the shipped models."""
    site = site_folder()
    files = [*sorted((site / "docs").rglob("*.md")), *sorted((site / "weights").glob("*/README.md"))]
    return {(name := _name(path.relative_to(site))): Page(name, path) for path in files}


@functools.cache
def contents() -> Mapping[str, str]:
    """Return the names of the pages that the index lists, each with the words of its link, the index first."""
    index = pages()[INDEX]
    linked = [(words, _page_behind(index, target)) for words, target in _LINK.findall(index.body)]
    return {INDEX: index.title} | {page.name: words for words, page in linked if page is not None}


def parts(page: Page, address: Callable[[str], str]) -> tuple[str | Picture, ...]:
    """Return a page's body as Markdown and pictures, in order, with links that work in another place.

    A link to a page leads to `address(name)`. Of a link to any other file only the words stay.
    """

    def moved(match: re.Match[str]) -> str:
        words, target = match.groups()
        if target.startswith(("http://", "https://")):
            return match[0]
        linked = _page_behind(page, target)
        return words if linked is None else f"[{words}]({address(linked.name)})"

    blocks: list[str | Picture] = []
    pieces = _PICTURE.split(page.body)
    for number, text in enumerate(pieces[::3]):
        if text.strip():
            blocks.append(_with_links(text.strip(), moved))
        if 3 * number + 2 < len(pieces):
            description, target = pieces[3 * number + 1 : 3 * number + 3]
            blocks.append(Picture((page.path.parent / target).resolve(), description))
    return tuple(blocks)


@functools.cache
def definitions() -> Mapping[str, str]:
    """Return the glossary: each term with its explanation."""
    return dict(_TERM.findall(pages()[GLOSSARY].body))


def definition(term: str) -> str:
    """Return the glossary's explanation of a term.

    >>> definition("piece")
    'A word, or a part of one, as the model cuts the text. Models read pieces, not letters.'

    Raises:
        KeyError: the glossary has no such term.
    """
    terms = definitions()
    if term not in terms:
        raise KeyError(unknown("term", term, sorted(terms)))
    return terms[term]


def _name(path: Path) -> str:
    """Return a page's name for a path in the folder that holds `docs/` and `weights/`."""
    if path.parts[0] == "weights":
        return f"weights/{path.parts[1]}"
    return path.stem if path.parts[:2] == ("docs", "guide") else path.with_suffix("").as_posix()


def _page_behind(page: Page, target: str) -> Page | None:
    """Return the page that a relative link leads to, or None."""
    path = (page.path.parent / target.partition("#")[0]).resolve()
    return next((other for other in pages().values() if other.path.resolve() == path), None)


def _with_links(text: str, moved: Callable[[re.Match[str]], str]) -> str:
    """Return the text with its links moved; blocks of code stay as they are."""
    spans = re.split(r"(^```.*?^```$)", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(span if number % 2 else _LINK.sub(moved, span) for number, span in enumerate(spans))
