"""Train in the foreground, for the command line; a run of the same file and settings is continued."""

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

from explain.core.errors import Busy, Cancelled, DataError
from explain.data.columns import Columns
from explain.data.dataset import Dataset
from explain.run import background
from explain.training.labeled_rows import labeled_rows
from explain.training.measure.figures import as_text, read_evaluation
from explain.training.recipes.classifier_settings import TableSettings, recipe_of, same
from explain.training.run import runs
from explain.training.run.job import work
from explain.training.run.preparation import prepare_classifier


def train_here(
    folder: Path, dataset: Dataset, columns: Columns, settings: TableSettings, on_progress: Callable[[str], None]
) -> str:
    """Train in this process, or continue the run in the folder if it has the same file and settings.

    Args:
        on_progress: takes each line of progress.

    Returns:
        The figures as text, with those of simpler models.

    Raises:
        DataError: the rows can't be learned from, or the folder has another run.
    """
    is_new = False
    if (folder / runs.RECIPE).is_file():
        run = runs.look_at(folder)
        if not same(run.recipe, recipe_of(dataset, columns, settings, labeled_rows(dataset, columns))):
            raise DataError(f"{folder} has a run with other rows or settings. Choose another --out.")
        if run.state == background.FINISHED:
            raise DataError(f"{folder} has this model already, fully trained. Choose another --out to train it again.")
        on_progress("Continuing from the last checkpoint.")
    else:
        prepare_classifier(folder, dataset, columns, settings)
        is_new = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # warnings of libraries are for developers
            work(folder, on_progress)
    except Busy:
        if is_new:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    except Cancelled as error:
        raise Cancelled("Stopped. Run the same command to continue.") from error
    return f"{as_text(read_evaluation(folder))}\n\nExplain with it: explain text TEXT --model {folder}"
