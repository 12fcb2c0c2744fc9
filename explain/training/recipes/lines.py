"""The recipe that continues pretraining on lines of text: settings, and documents. Reads no model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from explain.core.errors import DataError
from explain.core.settings import check_settings, setting
from explain.data.columns import Columns
from explain.data.dataset import Dataset
from explain.data.formats import Row
from explain.data.report import ReadingReport

WORDS = 120  # of a document; lines are joined until they have as many
FEWEST_DOCUMENTS = 25  # of fewer, too large a share would have to be held out


@dataclass(frozen=True, kw_only=True)
class LinesSettings:
    """Settings of continued pretraining, a demonstration of limited size."""

    minutes: float = setting(5.0, low=0.1, high=240.0, help="Training ends after this many minutes.")
    steps: int = setting(200, low=1, high=10_000, help="Training ends after this many steps.")
    seed: int = setting(0, low=0, high=2**31 - 1, help="The seed of the masked words and of every random draw.")
    learning_rate: float = setting(
        1e-4, low=1e-6, high=1e-2, help="The learning rate of the first steps. It falls to a fiftieth."
    )
    batch_size: int = setting(16, low=2, high=64, help="The number of pairs of texts in each step.")

    def __post_init__(self) -> None:
        check_settings(self)


def documents(dataset: Dataset, column: str) -> tuple[list[Row], ReadingReport]:
    """Return documents of joined lines, in their order, and the report of the reading.

    A long line is split, so that an article on one line makes several documents.

    Raises:
        DataError: the column is missing, or there is too little text.
    """
    reading = dataset.with_columns(Columns(text=column)).reading()
    lines: list[str] = []
    for row in reading:
        words = row.text.split()
        lines += (" ".join(words[start : start + WORDS]) for start in range(0, len(words), WORDS))
    rows = [{"doc": f"lines/{number}", "text": text} for number, text in enumerate(_joined(lines))]
    if len(rows) < FEWEST_DOCUMENTS:
        count = sum(len(line.split()) for line in lines)
        raise DataError(
            f"{dataset.name} has {count:,} words in {column}. Training and measuring need at least "
            f"{FEWEST_DOCUMENTS * WORDS:,}. Add text."
        )
    return rows, reading.report()


def _joined(lines: Sequence[str]) -> Iterator[str]:
    together: list[str] = []
    words = 0
    for line in lines:
        together.append(line)
        words += len(line.split())
        if words >= WORDS:
            yield "\n".join(together)
            together, words = [], 0
