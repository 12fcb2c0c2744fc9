"""Nearest neighbors: the texts nearest to one of them, by exact cosine similarity."""

from dataclasses import dataclass
from typing import ClassVar

from explain.analyses.base import ANALYSES, VectorAnalysis
from explain.core.errors import TextError
from explain.core.meter import Meter
from explain.core.settings import setting
from explain.datatypes import Ranking, TextVectors
from explain.models.base import TextModel
from explain.numerics.nearest import nearest


@ANALYSES.register("nearest_neighbors")
@dataclass(frozen=True)
class NearestNeighbors(VectorAnalysis[Ranking]):
    """The texts nearest to one of them, itself left out."""

    name: ClassVar[str] = "nearest_neighbors"
    title: ClassVar[str] = "Nearest neighbors"
    meaning: ClassVar[str] = "The texts whose vectors have the highest cosine with one text's."
    limits: ClassVar[str] = "Every list has a first: look at the cosine, too."
    returns: ClassVar[type] = Ranking

    member: int = setting(low=0, high=2**31 - 1, help="The number of the text, counted from 0.")
    most: int = setting(10, low=1, high=100_000, help="How many texts are listed.")

    def passes(self, model: TextModel, subject: TextVectors) -> int:
        return 0

    def run(self, model: TextModel, subject: TextVectors, meter: Meter | None = None) -> Ranking:
        """Rank the other texts.

        Raises:
            TextError: there is no such text.
        """
        if not 0 <= self.member < len(subject):
            raise TextError(f"There is no text {self.member}; there are {len(subject):,}, counted from 0.")
        members, cosines = nearest(subject.vectors, subject.vectors[self.member], self.most + 1)
        others = members != self.member
        return Ranking(members[others][: self.most], cosines[others][: self.most])
