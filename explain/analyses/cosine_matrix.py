"""Cosine matrix: the cosine similarity of every two of some texts."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explain.analyses.base import ANALYSES, VectorAnalysis
from explain.core.meter import Meter
from explain.core.settings import setting
from explain.datatypes import TextMatrix, TextVectors
from explain.models.base import TextModel
from explain.numerics.nearest import cosines, evenly_drawn

MOST_COMPARED = 500  # texts of a matrix
_PAIRS = 50  # of a matrix, that are listed


@ANALYSES.register("cosine_matrix")
@dataclass(frozen=True)
class CosineMatrix(VectorAnalysis[TextMatrix]):
    """The cosine of every two of at most 500 texts."""

    name: ClassVar[str] = "cosine_matrix"
    title: ClassVar[str] = "Matrix"
    meaning: ClassVar[str] = "The cosine of every two texts, and the nearest pairs."
    limits: ClassVar[str] = "Of more than 500 texts, a sample is compared."
    returns: ClassVar[type] = TextMatrix

    count: int = setting(50, low=1, high=100_000, help="How many texts are compared, at most 500.")
    drawn: bool = setting(False, help="Draw the texts evenly; else the first ones are taken.")
    seed: int = setting(0, low=0, high=2**31 - 1, help="Seed of the draw.")

    def passes(self, model: TextModel, subject: TextVectors) -> int:
        return 0

    def run(self, model: TextModel, subject: TextVectors, meter: Meter | None = None) -> TextMatrix:
        count = min(self.count, MOST_COMPARED, len(subject))
        members = evenly_drawn(len(subject), count, self.seed) if self.drawn else np.arange(count)
        matrix = cosines(subject.vectors[members], subject.vectors[members])
        above = np.argwhere(np.triu(np.ones(matrix.shape, dtype=bool), 1))
        order = np.argsort(-matrix[above[:, 0], above[:, 1]], kind="stable")[:_PAIRS]
        return TextMatrix(members, matrix, above[order])
