"""Fine-tune the shipped encoder on a task: a LoRA adapter, and a head where the task has one.

    python -m explain.training.finetune --task sentiment --data DIR --epochs 3 --output runs/sentiment
    python -m explain.training.finetune --task entities --data ROOT --output runs/entities
    python -m explain.training.finetune --task similarity --data ROOT --pooling lstm --output runs/similarity-lstm

ROOT contains the folders that `explain.training.recipes.tasks` names for the task; they can be listed one by one too.
--pooling sets how token vectors become a text's vector (similarity: mean, lstm; one label: cls, mean, lstm). Runs that
differ in nothing else start from the same weights, and `explain.training.compare` compares them.

The encoder does not change; each of its linear maps W gets a low-rank addition (alpha / r) B A (LoRA, Hu et al. 2021,
https://arxiv.org/abs/2106.09685). The head, and the pooler if the head reads it, is trained whole. Parameters that are
fitted after training (a temperature, thresholds) are fitted on held-out texts. For a temperature these are a twentieth
of the training texts, with every training row that is a part of one of them (SST's phrases are parts of its sentences)
or has the same premise. No text is trained on that is tuned or measured on.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from explain.core.arguments import Parser, finite_number, not_empty, whole_number
from explain.core.deprecated import old_name
from explain.core.errors import exit_with_message
from explain.training.recipes.finetuning import FinetuningRecipe
from explain.training.recipes.tasks import TASK_RECIPES
from explain.training.run.finetuning import finetune


def __getattr__(name: str) -> Any:
    return old_name(__name__, name)


def main(arguments: Sequence[str] | None = None) -> None:
    """Fine-tune by the arguments of a command line; print the figures."""
    parser = Parser(prog="python -m explain.training.finetune", description=__doc__.split("\n\n")[0])
    parser.add_argument("--task", choices=sorted(TASK_RECIPES), required=True, help="the task to train for")
    parser.add_argument(
        "--data",
        type=not_empty,
        nargs="+",
        required=True,
        metavar="DIR",
        help="the folder of the task's data sets, or each data set: DIR, NAME=DIR, or NAME=HUB_NAME",
    )
    parser.add_argument(
        "--output", type=not_empty, required=True, metavar="DIR", help="folder for adapter, card and checkpoints"
    )
    parser.add_argument("--base", type=not_empty, metavar="DIR", help="the encoder to adapt (default: the shipped one)")
    parser.add_argument(
        "--pooling",
        metavar="NAME",
        help="how token vectors become a text's vector: mean, lstm or cls (default: the task's)",
    )
    parser.add_argument(
        "--epochs",
        type=finite_number(0.001, 10_000),
        help="number of epochs (default: the task's, as for batch size and learning rate)",
    )
    parser.add_argument("--steps", type=whole_number(1), help="end after this many steps, whatever the epochs")
    parser.add_argument(
        "--minutes", type=finite_number(0.01, 100_000), help="end after this many minutes, whatever the epochs"
    )
    parser.add_argument("--rank", type=whole_number(0, 4096), help="rank of the adapter; 0 trains the head alone")
    parser.add_argument("--alpha", type=whole_number(1), help="scale of the adapter (default: twice the rank)")
    parser.add_argument(
        "--dropout", type=finite_number(0, 0.99), help="dropout of adapter and encoder (default: the task's)"
    )
    parser.add_argument("--batch-size", type=whole_number(1, 100_000), help="number of rows in each step")
    parser.add_argument("--learning-rate", type=finite_number(1e-9, 10), help="learning rate after the warm-up")
    parser.add_argument("--seed", type=whole_number(0), default=0, help="seed of all random draws")
    parser.add_argument(
        "--float32", dest="bfloat16", action="store_false", help="train in float32, without bfloat16 autocast"
    )
    parser.add_argument("--fresh", action="store_true", help="delete the checkpoints of an earlier run")
    with exit_with_message("finetune"):
        options = vars(parser.parse_args(arguments))
        if options.pop("fresh"):
            shutil.rmtree(Path(options["output"]) / "checkpoints", ignore_errors=True)
        recipe = FinetuningRecipe(**options | {"data": tuple(options["data"])})
        print(json.dumps(finetune(recipe), indent=1))


if __name__ == "__main__":
    main()
