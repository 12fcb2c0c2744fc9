"""A shipped data set, to try a run on."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ShippedRows:
    """A file of rows, and what it is, in a sentence or two."""

    path: Path
    about: str


REVIEWS = ShippedRows(
    Path(__file__).parent / "reviews.csv",
    "192 short reviews that we wrote, positive and negative, of four topics and four forms: plain, negated, with a "
    "contrast, and with an expectation that fails. A model may be good at one form and poor at another.",
)
