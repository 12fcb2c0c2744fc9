"""Texts as points in a plane: PCA, and UMAP.

PCA is a shadow: the plane along which vectors vary most (Pearson 1901), the same for all texts; how much of the
variance it shows is said. UMAP (McInnes, Healy and Melville 2018, https://arxiv.org/abs/1802.03426) keeps neighbours
together and gives up distances: how far two groups lie apart, or how large one is, says nothing.
"""

import threading
from dataclasses import dataclass

import numpy as np
import torch

from explain.core.errors import TextError
from explain.core.meter import Meter
from explain.datatypes import FloatArray, TextMap, TextVectors
from explain.embeddings.base import Analysis
from explain.embeddings.ranking import sample
from explain.models.base import TextModel
from explain.numerics.nearest import unit

MOST_MAPPED = 20_000  # texts of a UMAP; its time grows with them
FEWEST_FOR_UMAP = 10
FEWEST_FOR_PCA = 3
# One at a time: where numba finds no OpenMP, it ends the whole process when two threads run what it compiled.
_MAPPING = threading.Lock()
_NO_VARIANCE = 1e-12  # of vectors at length 1: what rounding to float32 makes of equal ones
NEIGHBOURS = 15  # as in the paper's experiments, and UMAP's own default


@dataclass(frozen=True)
class PCAMap(Analysis):
    """The plane of the largest variance, of vectors at length 1."""

    def answer(self, vectors: TextVectors, model: TextModel, meter: Meter | None = None) -> TextMap:
        """Find it out.

        Raises:
            TextError: too few texts.
        """
        _check_count(vectors, FEWEST_FOR_PCA, "A plane")
        from sklearn.decomposition import PCA  # heavy, as all of scikit-learn

        members = np.arange(len(vectors))
        directions = unit(vectors.vectors.astype(np.float64))
        directions -= directions.mean(axis=0)  # before they are squared: nearly alike vectors differ in late digits
        if float(np.square(directions).sum(axis=1).mean()) < _NO_VARIANCE:
            return TextMap("pca", members, len(vectors), np.zeros((len(vectors), 2)), np.zeros(2))
        fitted = PCA(n_components=2, svd_solver="covariance_eigh")
        points = fitted.fit_transform(directions)
        return TextMap("pca", members, len(vectors), points, fitted.explained_variance_ratio_)


@dataclass(frozen=True)
class UMAPMap(Analysis):
    """UMAP of at most 20,000 texts, by cosine; the same picture for the same seed."""

    seed: int = 0

    def steps(self, texts: int) -> int:
        return _epochs(min(texts, MOST_MAPPED))

    def answer(self, vectors: TextVectors, model: TextModel, meter: Meter | None = None) -> TextMap:
        """Find it out.

        Raises:
            TextError: too few texts.
        """
        _check_count(vectors, FEWEST_FOR_UMAP, "UMAP")
        members = sample(len(vectors), MOST_MAPPED, self.seed)
        mapped = _umap(vectors.vectors[members], epochs=_epochs(len(members)), seed=self.seed, meter=meter)
        return TextMap("umap", members, len(vectors), mapped)


def compile_umap() -> None:
    """Have UMAP compile itself, by a map of nothing: half a minute on a new machine, a few seconds later on."""
    _umap(np.random.default_rng(0).normal(size=(2 * NEIGHBOURS, 4)).astype(np.float32), epochs=1)


def _umap(vectors: FloatArray, *, epochs: int, seed: int = 0, meter: Meter | None = None) -> FloatArray:
    """Points (N, 2) of vectors (N, D)."""
    with _MAPPING:
        from umap import UMAP  # heavy; and it compiles itself when it is first run

        threads = torch.get_num_threads()  # UMAP sets its own number, and torch shares it
        umap = UMAP(
            metric="cosine",
            n_neighbors=min(NEIGHBOURS, len(vectors) - 1),
            n_epochs=epochs,
            random_state=seed,
            n_jobs=1,  # what a seed needs
            tqdm_kwds={
                "file": _Epochs(meter),
                "bar_format": "{n}",
                "disable": False,
                "mininterval": 0.2,
                "maxinterval": 1e9,
            },
        )
        try:
            return umap.fit_transform(vectors)
        finally:
            torch.set_num_threads(threads)


def _epochs(texts: int) -> int:
    """UMAP's own choice."""
    return 500 if texts <= 10_000 else 200


class _Epochs:
    """What UMAP's progress bar writes to: so that a meter is told of it, and can stop it."""

    def __init__(self, meter: Meter | None) -> None:
        self._meter, self._done = meter, 0

    def write(self, text: str) -> None:
        number = text.strip()
        if self._meter is not None and number.isdecimal():
            done = int(number)
            self._done, new = done, done - self._done
            self._meter.tick(steps=new)

    def flush(self) -> None:
        """Nothing is kept back."""


def _check_count(vectors: TextVectors, fewest: int, what: str) -> None:
    if len(vectors) < fewest:
        raise TextError(f"{what} needs {fewest} texts or more; there are {len(vectors)}. Add some.")
