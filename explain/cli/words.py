"""`explain words`: the words of a run, with their scores over all of its rows."""

import argparse
import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from explain.cli.options import Commands
from explain.cli.output import write_output
from explain.core.arguments import not_empty, whole_number

if TYPE_CHECKING:
    from explain.run.word_figures import WordFigures

_COLUMNS = ("word", "texts", "occurrences", "mean", "half_width", "positive", "all_texts")


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    command = commands.add_parser("words", help="list the words of a run with their mean scores")
    command.add_argument("folder", type=not_empty, metavar="RUN", help="the folder of a run, or its address")
    command.add_argument("--method", metavar="NAME", help="whose scores (default: the first of the run)")
    command.add_argument(
        "--by",
        choices=("word", "folded", "lemma", "phrase"),
        default="word",
        help="words as they are written, without regard to case, or by lemma; or key phrases (default: %(default)s)",
    )
    command.add_argument("--language", default="en", metavar="CODE", help="of lemmas (default: %(default)s)")
    command.add_argument("--least", type=whole_number(1), default=1, metavar="N", help="leave out words in fewer texts")
    command.add_argument("--most", type=whole_number(1), default=50, metavar="N", help="so many (default: %(default)s)")
    command.add_argument("--format", choices=("table", "csv"), default="table", help="what to write")
    command.add_argument("--out", type=not_empty, metavar="FILE", help="write to a file instead")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the most frequent words."""
    from explain.report.dataset_run import Run

    listed = Run(options.folder).words(options.method, by=options.by, language=options.language, least=options.least)[
        : options.most
    ]
    write_output(options, _csv(listed) if options.format == "csv" else _table(listed))
    return 0


def _csv(listed: Sequence["WordFigures"]) -> str:
    from explain.data.csv_cells import safe_cell

    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\n")
    rows.writerow(_COLUMNS)
    for figure in listed:
        rows.writerow([safe_cell(figure.word), *(getattr(figure, name) for name in _COLUMNS[1:])])
    return written.getvalue()


def _table(listed: Sequence["WordFigures"]) -> str:
    """Return the words as lines: texts, occurrences, the mean score with its half-width, and the share above 0."""
    from explain.views.base import visible

    lines = [f"{'texts':>8} {'times':>8} {'mean':>9} {'+- 95 %':>9} {'above 0':>8}  word"]
    for figure in listed:
        half_width = "-" if figure.half_width is None else f"{figure.half_width:.3f}"
        lines.append(
            f"{figure.texts:>8,} {figure.occurrences:>8,} {figure.mean:>+9.3f} {half_width:>9} "
            f"{figure.positive:>8.0%}  {visible(figure.word)}"
        )
    return "\n".join(lines) + "\n"
