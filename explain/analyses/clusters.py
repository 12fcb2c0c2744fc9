"""Clusters: groups of texts with like vectors by k-means, and their silhouettes.

The silhouette of a text compares its mean distance to its own cluster with that to the next one (Rousseeuw 1987):
1 is well inside, 0 between two, below 0 nearer to the other. k-means always returns the number of clusters it was set
to, so the silhouette is compared with that of a single normal cloud of the same mean and covariance, without groups
(the null hypothesis of SigClust: Liu, Hayes, Nobel and Marron 2008).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explain.analyses.base import ANALYSES, VectorAnalysis
from explain.core.errors import TextError
from explain.core.meter import Meter
from explain.core.settings import setting
from explain.datatypes import TextClusters, TextVectors
from explain.models.base import TextModel
from explain.numerics.nearest import cosines, evenly_drawn, unit

MOST_CLUSTERS = 30
MOST_MEASURED = 5_000  # texts of a silhouette, which compares each text with each
_STARTS = 4  # of which the best is kept
_TYPICAL = 3


@ANALYSES.register("clusters")
@dataclass(frozen=True)
class Clusters(VectorAnalysis[TextClusters]):
    """k-means on vectors at length 1 (Lloyd 1982; k-means++ starts, Arthur and Vassilvitskii 2007)."""

    name: ClassVar[str] = "clusters"
    title: ClassVar[str] = "Clusters"
    meaning: ClassVar[str] = "Groups of texts with like vectors, and how clearly they are apart."
    limits: ClassVar[str] = "k-means always finds clusters; you chose how many."
    returns: ClassVar[type] = TextClusters

    count: int = setting(
        8, low=2, high=MOST_CLUSTERS, help="How many clusters; fewer where so many can't be told apart."
    )
    seed: int = setting(0, low=0, high=2**31 - 1, help="Seed of the starts.")

    def passes(self, model: TextModel, subject: TextVectors) -> int:
        return 3

    def run(self, model: TextModel, subject: TextVectors, meter: Meter | None = None) -> TextClusters:
        """Cluster the texts.

        Raises:
            TextError: fewer than three texts differ.
        """
        points = unit(subject.vectors)
        different = len({point.tobytes() for point in np.round(points, 5) + 0.0})
        if different < 3:
            raise TextError(f"Of the {len(points):,} texts {different} differ; clusters need three. Add some.")
        count = min(self.count, different - 1)
        members, centers = _kmeans(points, count, _STARTS, self.seed)
        _tick(meter)
        measured = evenly_drawn(len(points), MOST_MEASURED, self.seed)
        silhouettes = _silhouettes(points[measured], members[measured])
        _tick(meter)
        cloud = _one_cloud(points[measured], self.seed)
        chance = _silhouettes(cloud, _kmeans(cloud, count, 1, self.seed)[0])
        _tick(meter)
        parts = [silhouettes[members[measured] == cluster] for cluster in range(count)]
        return TextClusters(
            of=members,
            sizes=np.bincount(members, minlength=count),
            silhouette=float(silhouettes.mean()),
            by_cluster=np.array([part.mean() if len(part) else np.nan for part in parts]),
            measured=len(measured),
            one_cloud=float(chance.mean()),
            typical=_typical(points, members, centers),
        )


def _kmeans(points: np.ndarray, count: int, starts: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return each point's cluster (N,), the largest cluster first, and the centers (C, D)."""
    from sklearn.cluster import KMeans  # heavy, as all of scikit-learn

    fitted = KMeans(count, n_init=starts, random_state=seed).fit(points)
    order = np.argsort(-np.bincount(fitted.labels_, minlength=count), kind="stable")
    return np.argsort(order)[fitted.labels_], fitted.cluster_centers_[order]


def _silhouettes(points: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Return silhouettes by cosine distance; 0 for all if a sample holds a single cluster, or only clusters of one."""
    from sklearn.metrics import silhouette_samples

    if not 2 <= len(np.unique(of)) < len(points):
        return np.zeros(len(points))
    return silhouette_samples(points, of, metric="cosine")


def _one_cloud(points: np.ndarray, seed: int) -> np.ndarray:
    """Draw as many points at length 1 from a normal cloud of the same mean and covariance."""
    mean, covariance = points.mean(axis=0, dtype=np.float64), np.cov(points, rowvar=False, dtype=np.float64)
    drawn = np.random.default_rng(seed).multivariate_normal(mean, covariance, len(points), method="eigh")
    return unit(drawn.astype(points.dtype))


def _typical(points: np.ndarray, of: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """Return the members (C, 3) nearest to each center; -1 where a cluster has no more."""
    typical = np.full((len(centers), _TYPICAL), -1)
    for cluster, center in enumerate(centers):
        members = np.flatnonzero(of == cluster)
        near = members[np.argsort(-cosines(center[None], points[members])[0], kind="stable")][:_TYPICAL]
        typical[cluster, : len(near)] = near
    return typical


def _tick(meter: Meter | None) -> None:
    if meter is not None:
        meter.tick(steps=1)
