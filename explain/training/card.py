"""Write model cards from runs' records (`training.json`).

python -m explain.training.card weights/base
python -m explain.training.card --notice weights/topics    # prints its section for weights/NOTICE
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from explain.core.arguments import Parser, not_empty
from explain.core.deprecated import old_name
from explain.core.errors import exit_with_message
from explain.training.measure.card import notice, read_record, write_card


def __getattr__(name: str) -> Any:
    return old_name(__name__, name)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the card of each folder, or print its section of the notice."""
    parser = Parser(prog="python -m explain.training.card", description=__doc__.split("\n\n")[0])
    parser.add_argument("folders", type=not_empty, nargs="+", metavar="DIR", help="folders with a training.json")
    parser.add_argument("--notice", action="store_true", help="print the sections for weights/NOTICE and write no card")
    with exit_with_message("card"):
        options = parser.parse_args(arguments)
        for folder in map(Path, options.folders):
            if options.notice:
                print(notice(read_record(folder)))
            else:
                write_card(folder)


if __name__ == "__main__":
    main()
