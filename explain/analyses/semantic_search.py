"""Semantic search: the texts nearest to a query, by exact cosine similarity."""

from dataclasses import dataclass
from typing import ClassVar

from explain.analyses.base import ANALYSES, VectorAnalysis
from explain.core.meter import Meter
from explain.core.settings import setting
from explain.datatypes import Ranking, TextVectors
from explain.models.base import TextModel
from explain.numerics.nearest import nearest
from explain.text.checks import check_text


@ANALYSES.register("semantic_search")
@dataclass(frozen=True)
class SemanticSearch(VectorAnalysis[Ranking]):
    """The texts nearest to a query: one forward pass, for the query."""

    name: ClassVar[str] = "semantic_search"
    title: ClassVar[str] = "Search"
    meaning: ClassVar[str] = "The texts whose vectors have the highest cosine with the query's."
    limits: ClassVar[str] = (
        "Near is near to this model: a classifier's vectors group texts by what matters for its labels."
    )
    returns: ClassVar[type] = Ranking

    query: str = setting(help="The text that others are compared with.")
    most: int = setting(10, low=1, high=100_000, help="How many texts are listed.")

    def passes(self, model: TextModel, subject: TextVectors) -> int:
        return 1

    def run(self, model: TextModel, subject: TextVectors, meter: Meter | None = None) -> Ranking:
        """Rank the texts.

        Raises:
            TextError: the query is empty or not Unicode.
        """
        check_text(self.query)
        read = model.vectors.read([self.query], subject.pooling, meter)
        return Ranking(*nearest(subject.vectors, read.vectors[0], self.most), truncated=bool(read.truncated[0]))
