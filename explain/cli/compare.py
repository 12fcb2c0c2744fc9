"""`explain compare`: two explanations side by side."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from explain.cli.options import Commands, add_out, settings_by_owner, standard_input
from explain.cli.output import write_output
from explain.core.arguments import not_empty
from explain.core.errors import SettingError

if TYPE_CHECKING:
    from explain.datatypes import Comparison

OF_TEXTS = ("text", "pair", "model", "task", "method", "set", "target", "against", "scale")


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    command = commands.add_parser(
        "compare", help="set two explanations side by side: of two texts, models or labels, or two reports"
    )
    command.add_argument(
        "report", nargs="*", type=not_empty, metavar="REPORT", help="two reports written with --format json"
    )
    for option, metavar, what in (
        ("--text", "TEXT", "a text, or - to read it from standard input; give two to compare texts"),
        ("--pair", "TEXT", "a second text, read together with the first; one for both sides, or two"),
        ("--model", "MODEL", "as for text (default: sentiment); give two to compare models"),
        ("--target", "LABEL", "as for text (default: the label predicted for A); give two to compare labels"),
        ("--against", "LABEL", "as for text; one for both sides, or two"),
    ):
        kind = not_empty if option == "--model" else str
        command.add_argument(option, action="append", default=[], type=kind, metavar=metavar, help=what)
    command.add_argument("--task", type=not_empty, metavar="NAME", help="as for text")
    command.add_argument("--method", action="append", default=[], metavar="NAME", help="as for text; repeatable")
    command.add_argument(
        "--set", action="append", default=[], metavar="METHOD.SETTING=VALUE", help="a setting of a method; repeatable"
    )
    command.add_argument("--scale", metavar="NAME", help="as for text")
    command.add_argument(
        "--format",
        choices=("table", "json", "html", "csv"),
        default="table",
        help="json: both reports and the comparison, for replay; html: a page that opens offline; csv: the rows "
        "(default: %(default)s)",
    )
    add_out(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compare, and write the comparison."""
    _write(options, _of_reports(options) if options.report else _of_texts(options))
    return 0


def _of_reports(options: argparse.Namespace) -> Comparison:
    from pathlib import Path

    from explain.api import compare

    if len(options.report) != 2:
        raise SettingError(f"Two reports are compared; {len(options.report)} was given. Name two files, or use --text.")
    if given_options := [name for name in OF_TEXTS if getattr(options, name)]:
        raise SettingError(f"Reports hold their own question. Leave out --{given_options[0]}, or the reports.")
    report_a, report_b = map(Path, options.report)
    return compare(report_a, report_b)


def _of_texts(options: argparse.Namespace) -> Comparison:
    from explain.api import compare
    from explain.models.loading.catalogue import DEFAULT_MODEL
    from explain.run.plan import DEFAULT_METHODS, methods_from

    if not options.text:
        raise SettingError("There is nothing to compare. Name two reports, or give --text once or twice.")
    for name in ("text", "pair", "model", "target", "against"):
        if len(getattr(options, name)) > 2:
            raise SettingError(f"--{name} was given {len(getattr(options, name))} times. Give it once, or for A and B.")
    texts = [standard_input() if text == "-" else text for text in options.text]
    pairs, targets, others = (
        {0: None, 1: values[0] if values else None}.get(len(values), values)
        for values in (options.pair, options.target, options.against)
    )
    return compare(
        texts[0],
        texts[1] if len(texts) > 1 else None,
        options.model if len(options.model) > 1 else (options.model or [DEFAULT_MODEL])[0],
        text_pair=pairs,
        methods=methods_from(options.method or DEFAULT_METHODS, settings_by_owner(options.set), parse=True),
        label=targets,
        against=others,
        scale=options.scale,
        task=options.task,
    )


def _write(options: argparse.Namespace, comparison: Comparison) -> None:
    """Write the comparison in the format of --format."""
    from explain.methods.base import METHODS
    from explain.report.comparison_record import comparison_to_json
    from explain.views.comparison_page import comparison_document
    from explain.views.comparison_table import comparison_to_csv, comparison_to_text

    if options.format == "json":
        written = comparison_to_json(comparison)
    elif options.format == "csv":
        written = comparison_to_csv(comparison)
    elif options.format == "html":
        names = [scores.method for scores in comparison.scores]
        titles = {name: METHODS[name].title for name in names if name in METHODS}
        written = comparison_document(comparison, titles, record=comparison_to_json(comparison))
    else:
        written = comparison_to_text(comparison)
    write_output(options, written)
