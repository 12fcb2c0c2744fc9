"""From lines of text to an encoder that read them: the recipe of `pretrain`, bounded, measured before and after."""

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

LOOKS = 10  # at what is held out
FEWEST_STEPS, MOST_STEPS = 5, 50  # between them, and between checkpoints


def train_lines(folder: Path, reporter: Reporter) -> dict[str, Any]:
    """Carry out a run that `lines.prepare` made; see `job.work`."""
    asked = begin(folder)
    settings = asked["settings"]
    reporter.doing("Reading, and measuring what the encoder knows")
    recipe = PretrainingRecipe(
        data=(str(folder / "data"),),
        output=str(folder),
        source=asked["base"],
        steps=settings["steps"],
        minutes=settings["minutes"],
        batch_size=settings["batch_size"],
        learning_rate=settings["learning_rate"],
        seed=settings["seed"],
        bfloat16=False,
        evaluate_every=min(MOST_STEPS, max(FEWEST_STEPS, settings["steps"] // LOOKS)),
        held_out_pairs=32,
        held_out=0.1,
        long_document=1,
        measure_before=True,
    )
    watch = functools.partial(Watch, reporter)
    found = pretrain(recipe, made_by="explain, page Train", watch=watch, further={"file": asked["file"]})
    judged = {"before": found["before"]["mean"], "after": found["held_out"]["mean"], "steps": found["steps"]}
    write_file(folder / EVALUATION, json.dumps(judged) + "\n")
    return found
