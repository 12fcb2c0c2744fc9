"""Vectors of many texts, and results computed from them."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explain.core.display import Displayed
from explain.datatypes.arrays import BoolArray, FloatArray, IntArray, check_finite, set_array
from explain.datatypes.report import ModelRecord


@dataclass(frozen=True, eq=False)
class TextVectors(Displayed):
    """Texts as vectors, in the order of the texts.

    Attributes:
        vectors (N, D): float32, of any length, in no unit.
        pieces (N,): the number of pieces read of each text, special tokens included.
        unknown (N,): the number of unknown pieces.
        truncated (N,): whether the text is longer than the model reads.
        model, pooling: the model, and the way its rows became a vector; see `explain.models.pooling`.
    """

    vectors: FloatArray
    pieces: IntArray
    unknown: IntArray
    truncated: BoolArray
    model: ModelRecord
    pooling: str

    def __post_init__(self) -> None:
        count = len(self.vectors)
        set_array(self, "vectors", (count, None), np.float32)
        set_array(self, "pieces", (count,), np.int64)
        set_array(self, "unknown", (count,), np.int64)
        set_array(self, "truncated", (count,), np.bool_)
        check_finite(self, "vectors")

    def __len__(self) -> int:
        return len(self.vectors)


@dataclass(frozen=True, eq=False)
class Ranking(Displayed):
    """Texts by their nearness to something, the nearest first.

    Attributes:
        members (K,): the numbers of the texts; cosines (K,): the similarity they are ranked by, -1 to 1.
        truncated: whether a query was longer than the model reads.
    """

    members: IntArray
    cosines: FloatArray
    truncated: bool = False

    def __post_init__(self) -> None:
        set_array(self, "members", (len(self.members),), np.int64)
        set_array(self, "cosines", (len(self.members),))
        check_finite(self, "cosines")


@dataclass(frozen=True, eq=False)
class TextMatrix(Displayed):
    """The similarities of some texts with each other.

    Attributes:
        members (M,): the numbers of the texts.
        cosines (M, M): -1 to 1, symmetric.
        pairs (K, 2): of different texts, rows and columns of the matrix, the nearest first.
    """

    members: IntArray
    cosines: FloatArray
    pairs: IntArray

    def __post_init__(self) -> None:
        set_array(self, "members", (len(self.members),), np.int64)
        set_array(self, "cosines", (len(self.members), len(self.members)))
        set_array(self, "pairs", (len(self.pairs), 2), np.int64)
        check_finite(self, "cosines")


@dataclass(frozen=True, eq=False)
class TextMap(Displayed):
    """Texts as points in a plane.

    Attributes:
        kind: "pca" or "umap".
        members (M,): the numbers of the texts that have a point; texts: the number of all texts.
        points (M, 2): in no unit: only nearness has a meaning.
        explained (2,): the share of the vectors' variance along each axis, or None if axes have no such share.
    """

    kind: str
    members: IntArray
    texts: int
    points: FloatArray
    explained: FloatArray | None = None

    def __post_init__(self) -> None:
        set_array(self, "members", (len(self.members),), np.int64)
        set_array(self, "points", (len(self.members), 2))
        check_finite(self, "points")
        if self.explained is not None:
            set_array(self, "explained", (2,))


@dataclass(frozen=True, eq=False)
class TextClusters(Displayed):
    """Texts in groups of like vectors.

    Attributes:
        of (N,): each text's cluster, from 0, the largest first; sizes (C,).
        silhouette: the mean over the measured texts, -1 to 1; by_cluster (C,): the mean of each cluster, NaN for a
            cluster without a measured text; measured: the number of measured texts.
        one_cloud: the silhouette of as many clusters of a single cloud without groups, of the same mean and covariance.
        typical (C, K): the texts nearest to each cluster's center, the nearest first; -1 if there are no more.
    """

    may_be_nan: ClassVar[tuple[str, ...]] = ("by_cluster",)  # if nothing is defined

    of: IntArray
    sizes: IntArray
    silhouette: float
    by_cluster: FloatArray
    measured: int
    one_cloud: float
    typical: IntArray

    def __post_init__(self) -> None:
        count = len(self.sizes)
        set_array(self, "of", (len(self.of),), np.int64)
        set_array(self, "sizes", (count,), np.int64)
        set_array(self, "by_cluster", (count,))
        set_array(self, "typical", (count, None), np.int64)
        check_finite(self, "silhouette", "one_cloud")
