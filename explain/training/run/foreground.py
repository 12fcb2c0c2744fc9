"""Training in the foreground, for the command line: made, or gone on with."""

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

from explain.core.errors import Busy, Cancelled, DataError
from explain.data.columns import Columns
from explain.data.dataset import Dataset
from explain.training.labeled_rows import labeled_rows
from explain.training.measure.figures import as_text, read_evaluation
from explain.training.recipes.classifier_settings import TableSettings, recipe_of, same
from explain.training.run import runs
from explain.training.run.job import work
from explain.training.run.preparation import prepare_classifier


def train_here(
    folder: Path, dataset: Dataset, columns: Columns, settings: TableSettings, told: Callable[[str], None]
) -> str:
    """Train in this process, in the foreground; a run of the same file and settings that is there goes on.

    Returns:
        The figures as text, beside those of simpler models.

    Raises:
        DataError: the rows can't be learned from, or another run is in the folder.
    """
    made = False
    if (folder / runs.RECIPE).is_file():
        found = runs.look_at(folder)
        if not same(found.recipe, recipe_of(dataset, columns, settings, labeled_rows(dataset, columns))):
            raise DataError(f"{folder} holds another run: other rows, or other settings. Give another --out.")
        if found.state == runs.FINISHED:
            raise DataError(f"{folder} holds this very model, trained to the end. Give another --out to train it anew.")
        told("Going on where it was.")
    else:
        prepare_classifier(folder, dataset, columns, settings)
        made = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # libraries warn their developers; what concerns a reader is raised, or told
            work(folder, told)
    except Busy:
        if made:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    except Cancelled as error:
        raise Cancelled("Stopped. The same command goes on from here.") from error
    return f"{as_text(read_evaluation(folder))}\n\nExplain with it: explain text TEXT --model {folder}"
