"""Texts in groups of like vectors: k-means, and how clearly the groups are apart.

The silhouette of a text compares its mean distance to its own cluster with that to the next one (Rousseeuw 1987):
1 is well inside, 0 between two, below 0 nearer to the other. k-means cuts anything into as many parts as it is told;
so beside the silhouette stands that of one normal cloud with the same mean and covariance, in which there are no groups
(the null hypothesis of SigClust: Liu, Hayes, Nobel and Marron 2008).
"""

from dataclasses import dataclass

import numpy as np

from explain.core.errors import SettingError, TextError
from explain.core.meter import Meter
from explain.datatypes import TextClusters, TextVectors
from explain.embeddings.base import Analysis
from explain.embeddings.ranking import sample
from explain.models.base import TextModel
from explain.numerics.nearest import cosines, unit

MOST_CLUSTERS = 30
MOST_MEASURED = 5_000  # texts that a silhouette is taken of; it compares each with each
_STARTS = 4  # of which the best is kept
_TYPICAL = 3


@dataclass(frozen=True)
class Clustering(Analysis):
    """k-means on vectors at length 1 (Lloyd 1982; k-means++ starts, Arthur and Vassilvitskii 2007).

    Attributes:
        count: how many clusters, 2 to 30; fewer are made where that many can't be told apart.
    """

    count: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        if not 2 <= self.count <= MOST_CLUSTERS:
            raise SettingError(f"The number of clusters is {self.count}; 2 to {MOST_CLUSTERS} are possible.")

    def steps(self, texts: int) -> int:
        return 3

    def answer(self, vectors: TextVectors, model: TextModel, meter: Meter | None = None) -> TextClusters:
        """Find it out.

        Raises:
            TextError: fewer than three texts differ.
        """
        points = unit(vectors.vectors)
        different = len({point.tobytes() for point in np.round(points, 5) + 0.0})
        if different < 3:
            raise TextError(f"Of the {len(points):,} texts {different} differ; clusters need three. Add some.")
        count = min(self.count, different - 1)
        of, middles = _kmeans(points, count, _STARTS, self.seed)
        _tick(meter)
        measured = sample(len(points), MOST_MEASURED, self.seed)
        silhouettes = _silhouettes(points[measured], of[measured])
        _tick(meter)
        cloud = _one_cloud(points[measured], self.seed)
        chance = _silhouettes(cloud, _kmeans(cloud, count, 1, self.seed)[0])
        _tick(meter)
        parts = [silhouettes[of[measured] == cluster] for cluster in range(count)]
        return TextClusters(
            of=of,
            sizes=np.bincount(of, minlength=count),
            silhouette=float(silhouettes.mean()),
            by_cluster=np.array([part.mean() if len(part) else np.nan for part in parts]),
            measured=len(measured),
            one_cloud=float(chance.mean()),
            typical=_typical(points, of, middles),
        )


def _kmeans(points: np.ndarray, count: int, starts: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Each point's cluster (N,), the largest cluster first, and their middles (C, D)."""
    from sklearn.cluster import KMeans  # heavy, as all of scikit-learn

    fitted = KMeans(count, n_init=starts, random_state=seed).fit(points)
    order = np.argsort(-np.bincount(fitted.labels_, minlength=count), kind="stable")
    return np.argsort(order)[fitted.labels_], fitted.cluster_centers_[order]


def _silhouettes(points: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Of each point, by cosine distance; 0 for all where a sample holds one cluster alone, or each point its own."""
    from sklearn.metrics import silhouette_samples

    if not 2 <= len(np.unique(of)) < len(points):
        return np.zeros(len(points))
    return silhouette_samples(points, of, metric="cosine")


def _one_cloud(points: np.ndarray, seed: int) -> np.ndarray:
    """As many points at length 1, of the same mean and covariance, with no groups in them."""
    mean, covariance = points.mean(axis=0, dtype=np.float64), np.cov(points, rowvar=False, dtype=np.float64)
    drawn = np.random.default_rng(seed).multivariate_normal(mean, covariance, len(points), method="eigh")
    return unit(drawn.astype(points.dtype))


def _typical(points: np.ndarray, of: np.ndarray, middles: np.ndarray) -> np.ndarray:
    """The members (C, 3) nearest to each middle; -1 where a cluster has no more."""
    found = np.full((len(middles), _TYPICAL), -1)
    for cluster, middle in enumerate(middles):
        members = np.flatnonzero(of == cluster)
        near = members[np.argsort(-cosines(middle[None], points[members])[0], kind="stable")][:_TYPICAL]
        found[cluster, : len(near)] = near
    return found


def _tick(meter: Meter | None) -> None:
    if meter is not None:
        meter.tick(steps=1)
