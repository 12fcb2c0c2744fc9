"""Continue pretraining on lines of text, a short run, measured before and after."""

import functools
import json
from pathlib import Path
from typing import Any

from explain.core.files import write_file
from explain.training.measure.figures import EVALUATION
from explain.training.recipes.pretraining import PretrainingRecipe
from explain.training.run.pretraining import pretrain
from explain.training.run.runs import Reporter
from explain.training.run.table_run import begin
from explain.training.run.watch import Watch

MEASUREMENTS = 10  # on held-out documents
FEWEST_STEPS, MOST_STEPS = 5, 50  # between measurements, and between checkpoints


def train_lines(folder: Path, reporter: Reporter) -> dict[str, Any]:
    """Carry out a run of `prepare_pretraining`; see `job.work`."""
    recipe_entries = begin(folder)
    settings = recipe_entries["settings"]
    reporter.doing("Reading the texts and measuring the encoder")
    recipe = PretrainingRecipe(
        data=(str(folder / "data"),),
        output=str(folder),
        source=recipe_entries["base"],
        steps=settings["steps"],
        minutes=settings["minutes"],
        batch_size=settings["batch_size"],
        learning_rate=settings["learning_rate"],
        seed=settings["seed"],
        bfloat16=False,
        evaluate_every=min(MOST_STEPS, max(FEWEST_STEPS, settings["steps"] // MEASUREMENTS)),
        held_out_pairs=32,
        held_out=0.1,
        long_document=1,
        measure_before=True,
    )
    watch = functools.partial(Watch, reporter)
    figures = pretrain(recipe, made_by="explain, page Train", watch=watch, further={"file": recipe_entries["file"]})
    evaluation = {"before": figures["before"]["mean"], "after": figures["held_out"]["mean"], "steps": figures["steps"]}
    write_file(folder / EVALUATION, json.dumps(evaluation) + "\n")
    return figures
