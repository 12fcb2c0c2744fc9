"""Compare runs that differ in pooling or seed only, in a table.

    python -m explain.training.compare runs/similarity-mean runs/similarity-lstm

Runs are of `explain.training.finetune`, or of `explain train` on one file. Each row is one run; with several seeds of a
pooling, the last rows have their mean and range. Intervals are over the test texts of each run, so runs with
overlapping intervals may still differ.
"""

from collections.abc import Sequence
from typing import Any

from explain.core.arguments import Parser, not_empty
from explain.core.deprecated import old_name
from explain.core.errors import exit_with_message
from explain.training.run.comparison import compare


def __getattr__(name: str) -> Any:
    return old_name(__name__, name)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table of the folders of a command line."""
    parser = Parser(prog="python -m explain.training.compare", description=__doc__.split("\n\n")[0])
    parser.add_argument("folders", type=not_empty, nargs="+", metavar="DIR", help="folders of training runs")
    with exit_with_message("compare"):
        options = parser.parse_args(arguments)
        print(compare(options.folders), end="")


if __name__ == "__main__":
    main()
