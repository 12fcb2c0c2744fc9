"""UMAP map: texts in a plane that keeps neighbors together and gives up distances.

How far two groups lie apart, or how large one is, says nothing. McInnes, Healy and Melville (2018),
https://arxiv.org/abs/1802.03426.
"""

import threading
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from explain.analyses.base import ANALYSES, VectorAnalysis
from explain.core.errors import TextError
from explain.core.meter import Meter
from explain.core.settings import setting
from explain.datatypes import FloatArray, TextMap, TextVectors
from explain.models.base import TextModel
from explain.numerics.nearest import evenly_drawn

MOST_MAPPED = 20_000  # texts; the time grows with them
FEWEST_TEXTS = 10
NEIGHBORS = 15  # as in the paper's experiments, and UMAP's own default
# One at a time: without OpenMP, numba ends the process when two threads run its compiled code at once.
_MAPPING = threading.Lock()


@ANALYSES.register("umap_map")
@dataclass(frozen=True)
class UMAPMap(VectorAnalysis[TextMap]):
    """UMAP of at most 20,000 texts, by cosine; the same picture for the same seed."""

    name: ClassVar[str] = "umap_map"
    title: ClassVar[str] = "Map (UMAP)"
    meaning: ClassVar[str] = "Texts as points in a plane; neighbors stay together."
    limits: ClassVar[str] = "Distances between groups and sizes of groups say nothing."
    returns: ClassVar[type] = TextMap

    seed: int = setting(0, low=0, high=2**31 - 1, help="Seed of the layout.")

    def passes(self, model: TextModel, subject: TextVectors) -> int:
        return _epochs(min(len(subject), MOST_MAPPED))

    def run(self, model: TextModel, subject: TextVectors, meter: Meter | None = None) -> TextMap:
        """Lay the texts out.

        Raises:
            TextError: there are too few texts.
        """
        if len(subject) < FEWEST_TEXTS:
            raise TextError(f"UMAP needs {FEWEST_TEXTS} texts or more; there are {len(subject)}. Add some.")
        members = evenly_drawn(len(subject), MOST_MAPPED, self.seed)
        points = _umap(subject.vectors[members], epochs=_epochs(len(members)), seed=self.seed, meter=meter)
        return TextMap("umap", members, len(subject), points)


def compile_umap() -> None:
    """Compile UMAP by a map of random points: half a minute on a new machine, a few seconds later on."""
    _umap(np.random.default_rng(0).normal(size=(2 * NEIGHBORS, 4)).astype(np.float32), epochs=1)


def _umap(vectors: FloatArray, *, epochs: int, seed: int = 0, meter: Meter | None = None) -> FloatArray:
    """Return points (N, 2) of vectors (N, D)."""
    with _MAPPING:
        from umap import UMAP  # heavy; and it compiles itself when it is first run

        threads = torch.get_num_threads()  # UMAP sets its own number, and torch shares it
        umap = UMAP(
            metric="cosine",
            n_neighbors=min(NEIGHBORS, len(vectors) - 1),
            n_epochs=epochs,
            random_state=seed,
            n_jobs=1,  # a seed needs one thread
            tqdm_kwds={
                "file": _ProgressFile(meter),
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
    """Return UMAP's own choice."""
    return 500 if texts <= 10_000 else 200


class _ProgressFile:
    """The file that UMAP's progress bar writes to; it ticks a meter, which can stop the work."""

    def __init__(self, meter: Meter | None) -> None:
        self._meter, self._done = meter, 0

    def write(self, text: str) -> None:
        number = text.strip()
        if self._meter is not None and number.isdecimal():
            done = int(number)
            self._done, new = done, done - self._done
            self._meter.tick(steps=new)

    def flush(self) -> None:
        """Do nothing: nothing is buffered."""
