"""`explain models`: the models with task, size and measured figures."""

import argparse

from explain.cli.options import Commands


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    command = commands.add_parser("models", help="list the models with task, size and measured figures")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print a row for each model."""
    from explain.models.loading.listing import list_models

    rows = []
    for entry in list_models():
        tasks = (", " if entry.task_is_known else " or ").join(entry.tasks).replace("_", "-") or "(known once loaded)"
        size = f"{entry.size / 1e6:.1f} MB" if entry.size else ""
        figure = "" if entry.main_figure is None else "{} {:.3f}".format(*entry.main_figure)
        rows.append((entry.name, tasks, size, figure, entry.title))
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        cells = [text.rjust(width) if text.endswith(" MB") else text.ljust(width) for text, width in zip(row, widths)]
        print("  ".join(cells).rstrip())
    return 0
