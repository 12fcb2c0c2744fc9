"""`explain library`: runs and explanations that are kept: listed, searched, named, annotated, exported, deleted."""

import argparse
import datetime
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from explain.cli.options import Commands
from explain.cli.output import say
from explain.core.arguments import finite_number, not_empty, output_file, whole_number
from explain.core.errors import SettingError
from explain.core.installation import own_path

if TYPE_CHECKING:
    from explain.library.entry import LibraryEntry

MOST_DAYS = 36_500  # as the library takes


def add_to(commands: Commands) -> None:
    """Add the command and its verbs to the command line."""
    command = commands.add_parser("library", help="keep runs and explanations: list, search, name, export, delete them")
    verbs = command.add_subparsers(required=True, metavar="VERB")
    keep = verbs.add_parser("keep", help="keep a run or a report, or say how long an entry is kept")
    keep.add_argument(
        "what",
        type=not_empty,
        metavar="WHAT",
        help="the folder of a run, which stays where it is; a report as JSON or HTML, which is copied; or an entry",
    )
    keep.add_argument("--name", default="", help="a name for it")
    keep.add_argument("--note", help="a note on it")
    keep.add_argument(
        "--days", type=finite_number(0.001, MOST_DAYS), metavar="N", help="delete it after so many days from now"
    )
    keep.add_argument("--forever", action="store_true", help="never delete it (default for what is new)")
    keep.set_defaults(run=run_keep)
    listing = verbs.add_parser("list", help="list the entries of the library, the latest first")
    _add_listing(listing)
    listing.set_defaults(run=run_list, words=[])
    search = verbs.add_parser("search", help="list the entries in which all words stand")
    search.add_argument(
        "words", type=not_empty, nargs="+", metavar="WORD", help="in the name, notes, model, data set, or text"
    )
    _add_listing(search)
    search.set_defaults(run=run_list)
    show = verbs.add_parser("show", help="show one entry with its notes")
    _add_entry(show)
    _add_format(show)
    show.set_defaults(run=run_show)
    name = verbs.add_parser("name", help="give an entry a name")
    _add_entry(name)
    name.add_argument("name", metavar="NAME", help="the name; '' takes it away")
    name.set_defaults(run=run_name)
    note = verbs.add_parser("note", help="add a note to an entry, or remove one")
    _add_entry(note)
    note.add_argument("text", nargs="?", metavar="TEXT", help="the note")
    note.add_argument("--author", default="", metavar="NAME", help="who writes it")
    note.add_argument("--remove", type=whole_number(1), metavar="N", help="remove the note of this number, from 1")
    note.set_defaults(run=run_note)
    export = verbs.add_parser("export", help="write an entry as a ZIP file: the run or report, with name and notes")
    _add_entry(export)
    export.add_argument("--out", type=output_file, required=True, metavar="FILE", help="the file")
    export.set_defaults(run=run_export)
    delete = verbs.add_parser("delete", help="delete an entry and its files: of a run the rows, too")
    _add_entry(delete)
    delete.set_defaults(run=run_delete)
    rebuild = verbs.add_parser("rebuild", help="make the index again from the folders")
    rebuild.set_defaults(run=run_rebuild)


def _add_entry(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("entry", type=not_empty, metavar="ENTRY", help="its name, its id, or the beginning of its id")


def _add_format(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--format", choices=("table", "json"), default="table", help="(default: %(default)s)")


def _add_listing(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--kind", choices=("run", "explanation"), help="only these")
    verb.add_argument(
        "--most", type=whole_number(1, 10_000), default=50, metavar="N", help="how many (default: %(default)s)"
    )
    _add_format(verb)


def run_keep(options: argparse.Namespace) -> int:
    """Keep a run or a report, or change how long an entry is kept, and print the entry."""
    from explain.library.library import Library

    if options.forever and options.days is not None:
        raise SettingError("Give --days or --forever, not both.")
    library = Library()
    path = own_path(options.what)
    if path.is_dir():
        entry = library.keep_run(path, name=options.name, days=options.days)
    elif path.is_file():
        from explain.report.record import read_document

        entry = library.keep_explanation(read_document(path), name=options.name, days=options.days)
    else:
        entry = library.named(options.what)
        if options.days is not None:
            entry = library.keep_for(entry.id, options.days)
        if options.name:
            entry = library.rename(entry.id, options.name)
    if options.forever and entry.expires is not None:
        entry = library.keep_for(entry.id, None)
    if options.note is not None:
        entry = library.annotate(entry.id, options.note)
    print(entry_text(entry))
    return 0


def run_list(options: argparse.Namespace) -> int:
    """Print a line for each entry."""
    from explain.library.library import Library

    library, words = Library(), " ".join(options.words)
    entries = library.listed(words, kind=options.kind, most=options.most)
    if options.format == "json":
        print(json.dumps([entry.about() for entry in entries], ensure_ascii=False, indent=1))
        return 0
    print(
        "\n".join(_table(entries)) if entries else "Nothing is kept yet." if not words else "Nothing has these words."
    )
    count = library.count(words, kind=options.kind)
    if count > len(entries):
        say(f"{len(entries):,} of {count:,} entries; --most shows more.")
    return 0


def run_show(options: argparse.Namespace) -> int:
    """Print one entry."""
    from explain.library.library import Library

    entry = Library().named(options.entry)
    about = entry.about()
    print(entry_text(entry) if options.format == "table" else json.dumps(about, ensure_ascii=False, indent=1))
    return 0


def run_name(options: argparse.Namespace) -> int:
    """Rename an entry, and print it."""
    from explain.library.library import Library

    library = Library()
    print(entry_text(library.rename(library.named(options.entry).id, options.name)))
    return 0


def run_note(options: argparse.Namespace) -> int:
    """Add or remove a note, and print the entry."""
    from explain.library.library import Library

    if (options.text is None) == (options.remove is None):
        raise SettingError("Give the text of a note, or --remove with the number of one.")
    library = Library()
    entry = library.named(options.entry)
    if options.remove is None:
        entry = library.annotate(entry.id, options.text, author=options.author)
    elif options.remove <= len(entry.notes):
        entry = library.remove_note(entry.id, entry.notes[options.remove - 1].id)
    else:
        raise SettingError(f"There is no note {options.remove}: the entry has {len(entry.notes)}.")
    print(entry_text(entry))
    return 0


def run_export(options: argparse.Namespace) -> int:
    """Write an entry as a file."""
    from explain.library.library import Library

    library = Library()
    library.export(library.named(options.entry).id, options.out)
    say(f"Written: {options.out}")
    return 0


def run_delete(options: argparse.Namespace) -> int:
    """Delete an entry, and say what stays."""
    from explain.library.library import Library
    from explain.views.base import visible

    library = Library()
    entry = library.named(options.entry)
    left = library.delete(entry.id)
    print(f"Deleted: {entry.kind} {entry.id[:8]}, {visible(' '.join(entry.title.split())[:60])}")
    if left:
        print(visible(f"Other files stay in {entry.place}: {', '.join(left[:10])}."))
    return 0


def run_rebuild(options: argparse.Namespace) -> int:
    """Make the index again, and say of what; the exit status is 1 where something can't be read."""
    from explain.library.library import Library
    from explain.views.base import visible

    _, rebuilt = Library.remade()
    print(f"The index holds {rebuilt.entries:,} {'entry' if rebuilt.entries == 1 else 'entries'} of the folders.")
    for names, what in ((rebuilt.unreadable, "Can't be read"), (rebuilt.missing, "In the index, but not here")):
        if names:
            print(visible(f"{what}: {', '.join(names[:10])}{', ...' if len(names) > 10 else ''}."))
    return 1 if rebuilt.unreadable else 0


def entry_text(entry: "LibraryEntry") -> str:
    """Return an entry as lines."""
    from explain.views.base import visible

    what = f"{entry.rows:,} texts of {entry.dataset}" if entry.kind == "run" else entry.snippet
    lines = [
        f"{entry.id}  {entry.kind}" + (f"  {entry.name}" if entry.name else ""),
        f"  {' '.join(what.split())[:200]}",
        f"  {entry.model}, {entry.task.replace('_', '-')}; {entry.bytes / 1e6:,.2f} MB in {Path(entry.place)}",
        f"  kept {_day(entry.created)}" + ("" if entry.expires is None else f", deleted after {_day(entry.expires)}"),
    ]
    for number, note in enumerate(entry.notes, 1):
        author = f", {note.author}" if note.author else ""
        lines.append(f"  note {number} ({_day(note.time)}{author}): {' '.join(note.text.split())}")
    return "\n".join(visible(line) for line in lines)


def _table(entries: Iterable["LibraryEntry"]) -> list[str]:
    from explain.views.base import visible

    rows = [
        (
            entry.id[:8],
            entry.kind,
            _day(entry.created),
            "" if entry.expires is None else f"until {_day(entry.expires)}",
            visible(entry.model[:30]),
            visible(" ".join(entry.title.split())[:60]),
        )
        for entry in entries
    ]
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths) if width).rstrip() for row in rows]


def _day(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds).strftime("%Y-%m-%d")
