"""PCA map: texts in the plane along which their vectors vary most (Pearson 1901).

The plane is the same for all texts; how much of the variance it shows is part of the result.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explain.analyses.base import ANALYSES, VectorAnalysis
from explain.core.errors import TextError
from explain.core.meter import Meter
from explain.datatypes import TextMap, TextVectors
from explain.models.base import TextModel
from explain.numerics.nearest import unit

FEWEST_TEXTS = 3
_NO_VARIANCE = 1e-12  # of vectors at length 1: rounding of equal vectors to float32 gives less


@ANALYSES.register("pca_map")
@dataclass(frozen=True)
class PCAMap(VectorAnalysis[TextMap]):
    """Vectors at length 1, projected on their first two principal components."""

    name: ClassVar[str] = "pca_map"
    title: ClassVar[str] = "Map (PCA)"
    meaning: ClassVar[str] = "Texts as points in the plane along which their vectors vary most."
    limits: ClassVar[str] = "Near points need not be similar texts: two dimensions show a part of the variance."
    returns: ClassVar[type] = TextMap

    def passes(self, model: TextModel, subject: TextVectors) -> int:
        return 0

    def run(self, model: TextModel, subject: TextVectors, meter: Meter | None = None) -> TextMap:
        """Project the vectors.

        Raises:
            TextError: there are too few texts.
        """
        if len(subject) < FEWEST_TEXTS:
            raise TextError(f"A plane needs {FEWEST_TEXTS} texts or more; there are {len(subject)}. Add some.")
        from sklearn.decomposition import PCA  # heavy, as all of scikit-learn

        members = np.arange(len(subject))
        directions = unit(subject.vectors.astype(np.float64))
        directions -= directions.mean(axis=0)  # before they are squared: nearly alike vectors differ in late digits
        if float(np.square(directions).sum(axis=1).mean()) < _NO_VARIANCE:
            return TextMap("pca", members, len(subject), np.zeros((len(subject), 2)), np.zeros(2))
        fitted = PCA(n_components=2, svd_solver="covariance_eigh")
        points = fitted.fit_transform(directions)
        return TextMap("pca", members, len(subject), points, fitted.explained_variance_ratio_)
