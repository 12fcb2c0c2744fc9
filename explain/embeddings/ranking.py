"""Which texts are near: to a line of the user's, to one of the texts, to each other. By cosine, exactly."""

from dataclasses import dataclass

import numpy as np

from explain.core.errors import TextError
from explain.core.meter import Meter
from explain.datatypes import Ranking, TextClusters, TextMatrix, TextVectors
from explain.embeddings.base import Analysis
from explain.models.base import TextModel
from explain.models.transformer import check_text
from explain.numerics.nearest import cosines, nearest

MOST_COMPARED = 500  # texts of a matrix
_PAIRS = 50  # of a matrix, that are listed


@dataclass(frozen=True)
class Search(Analysis):
    """The texts nearest to a line: semantic search. One forward pass, for the line."""

    query: str
    most: int = 10

    def steps(self, texts: int) -> int:
        return 1

    def answer(self, vectors: TextVectors, model: TextModel, meter: Meter | None = None) -> Ranking:
        """Find it out.

        Raises:
            TextError: the line is empty or not Unicode.
        """
        check_text(self.query)
        read = model.text_vectors([self.query], vectors.pooling, meter)
        return Ranking(*nearest(vectors.vectors, read.vectors[0], self.most), truncated=bool(read.truncated[0]))


@dataclass(frozen=True)
class Neighbours(Analysis):
    """The texts nearest to one of them, itself left out; `member` counts the texts from 0."""

    member: int
    most: int = 10

    def answer(self, vectors: TextVectors, model: TextModel, meter: Meter | None = None) -> Ranking:
        """Find it out.

        Raises:
            TextError: there is no such text.
        """
        if not 0 <= self.member < len(vectors):
            raise TextError(f"There is no text {self.member}; there are {len(vectors):,}, counted from 0.")
        members, found = nearest(vectors.vectors, vectors.vectors[self.member], self.most + 1)
        others = members != self.member
        return Ranking(members[others][: self.most], found[others][: self.most])


@dataclass(frozen=True)
class Compared(Analysis):
    """The cosine of every two of some texts, at most 500.

    Attributes:
        count: how many texts; of more, that many are drawn evenly by `seed`, or the first ones taken.
        drawn: whether they are drawn.
    """

    count: int = 50
    drawn: bool = False
    seed: int = 0

    def answer(self, vectors: TextVectors, model: TextModel, meter: Meter | None = None) -> TextMatrix:
        count = min(self.count, MOST_COMPARED)
        members = sample(len(vectors), count, self.seed) if self.drawn else np.arange(min(count, len(vectors)))
        found = cosines(vectors.vectors[members], vectors.vectors[members])
        above = np.argwhere(np.triu(np.ones(found.shape, dtype=bool), 1))
        order = np.argsort(-found[above[:, 0], above[:, 1]], kind="stable")[:_PAIRS]
        return TextMatrix(members, found, above[order])


def in_order_of(matrix: TextMatrix, clusters: TextClusters | None) -> np.ndarray:
    """Places (M,) of a matrix's texts: as they stand, or those of a cluster beside each other."""
    if clusters is None:
        return np.arange(len(matrix.members))
    return np.argsort(clusters.of[matrix.members], kind="stable")


def cosine(vectors: TextVectors, one: int, other: int) -> float:
    """How near two texts are."""
    return float(cosines(vectors.vectors[[one]], vectors.vectors[[other]])[0, 0])


def sample(count: int, most: int, seed: int) -> np.ndarray:
    """At most so many of `count` numbers, drawn evenly, in their order."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, size=most, replace=False))
