"""Fine-tuning: a LoRA adapter, and a head where the task has one, on the shipped encoder.

    python -m explain.training.finetune --task sentiment --data DIR --epochs 3 --output runs/sentiment
    python -m explain.training.finetune --task entities --data ROOT --output runs/entities
    python -m explain.training.finetune --task similarity --data ROOT --pooling lstm --output runs/similarity-lstm

ROOT holds the folders that `explain.training.recipes` names for the task; folders can be given one by one too.
With --pooling a text's vector is taken another way (similarity: mean, lstm; one label of several: cls, mean, lstm).
Runs that differ in nothing else begin with the same weights, and `explain.training.compare` sets them side by side.

The encoder stays as it is; each linear map W of it gets a private low-rank addition (alpha / r) B A (Hu et al. 2021,
https://arxiv.org/abs/2106.09685). The head (and the pooler, where the head reads it) is trained whole. What the task
fits after training (a temperature, thresholds) is fitted on texts that were held out; for a temperature that is a
twentieth of the training texts, with every training row that is a part of one of them (SST's phrases are parts of its
sentences) or shares its premise. No text is trained on that is tuned or measured on.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from explain.core.arguments import Parser, finite_number, not_empty, whole_number
from explain.core.deprecated import old_name
from explain.core.errors import told
from explain.training.recipes.finetuning import FinetuningRecipe
from explain.training.recipes.tasks import TASK_RECIPES
from explain.training.run.finetuning import finetune


def __getattr__(name: str) -> Any:
    return old_name(__name__, name)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(prog="python -m explain.training.finetune", description=__doc__.split("\n\n")[0])
    parser.add_argument("--task", choices=sorted(TASK_RECIPES), required=True)
    parser.add_argument(
        "--data",
        type=not_empty,
        nargs="+",
        required=True,
        metavar="DIR",
        help="the folder that holds the task's data sets, or each by itself: DIR, NAME=DIR, or NAME=HUB_NAME",
    )
    parser.add_argument("--output", type=not_empty, required=True, metavar="DIR")
    parser.add_argument("--base", type=not_empty, metavar="DIR", help="encoder to adapt (default: the shipped one)")
    parser.add_argument(
        "--pooling", metavar="NAME", help="how texts become vectors: mean, lstm or cls (default: the task's own way)"
    )
    parser.add_argument(
        "--epochs",
        type=finite_number(0.001, 10_000),
        help="default: the task's own, as for batch size and learning rate",
    )
    parser.add_argument("--steps", type=whole_number(1), help="stop after so many steps, whatever the epochs")
    parser.add_argument(
        "--minutes", type=finite_number(0.01, 100_000), help="stop after so many minutes, whatever the epochs"
    )
    parser.add_argument("--rank", type=whole_number(0, 4096), help="of the adapter; 0: train the head alone")
    parser.add_argument("--alpha", type=whole_number(1), help="default: twice the rank")
    parser.add_argument("--dropout", type=finite_number(0, 0.99))
    parser.add_argument("--batch-size", type=whole_number(1, 100_000))
    parser.add_argument("--learning-rate", type=finite_number(1e-9, 10))
    parser.add_argument("--seed", type=whole_number(0), default=0)
    parser.add_argument("--float32", dest="bfloat16", action="store_false", help="no bfloat16 autocast")
    parser.add_argument("--fresh", action="store_true", help="throw away the checkpoints of an earlier run")
    with told("finetune"):
        options = vars(parser.parse_args(arguments))
        if options.pop("fresh"):
            shutil.rmtree(Path(options["output"]) / "checkpoints", ignore_errors=True)
        recipe = FinetuningRecipe(**options | {"data": tuple(options["data"])})
        print(json.dumps(finetune(recipe), indent=1))


if __name__ == "__main__":
    main()
