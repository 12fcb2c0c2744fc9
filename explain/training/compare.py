"""Two poolings side by side: runs that differ in nothing else, as a table.

    python -m explain.training.compare runs/similarity-mean runs/similarity-lstm

Runs of `explain.training.finetune`, or of `explain train` on one file. Each row is one run; with several seeds of a
pooling, the last rows are their means, and how far the seeds lie apart. Intervals are of each run's own texts: two that
overlap may still differ, two that do not hardly agree by chance.
"""

from collections.abc import Sequence
from typing import Any

from explain.core.arguments import Parser, not_empty
from explain.core.deprecated import old_name
from explain.core.errors import told
from explain.training.run.comparison import compare


def __getattr__(name: str) -> Any:
    return old_name(__name__, name)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(prog="python -m explain.training.compare", description=__doc__.split("\n\n")[0])
    parser.add_argument("folders", type=not_empty, nargs="+", metavar="DIR", help="folders that finetune wrote")
    with told("compare"):
        options = parser.parse_args(arguments)
        print(compare(options.folders), end="")


if __name__ == "__main__":
    main()
