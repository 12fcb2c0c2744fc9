"""Long work over many items, in shards: computed by a backend, kept in a store, continued after a stop.

A shard is a few items that are computed and stored together. Shards that the store holds already are not computed
again; the others are handed to the backend, and each is stored as soon as it is done. What is computed of a shard
depends on the shard alone, so its rows are the same whichever backend computes it.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from explain.core.errors import ModelError
from explain.datatypes import ModelRecord
from explain.models.base import TextModel
from explain.models.loading.spec import ModelSpec

Item = TypeVar("Item")
Row = dict[str, Any]  # of JSON values
Rows = Sequence[Row]


@dataclass(frozen=True)
class Shard(Generic[Item]):
    """Items that are computed and stored together.

    Attributes:
        number: its place among all shards, from 0.
    """

    number: int
    items: tuple[Item, ...]


def shards_of(items: Sequence[Item], size: int) -> Iterator[Shard[Item]]:
    """Yield the items in shards of `size`; the last may be smaller.

    >>> [shard.items for shard in shards_of(["a", "b", "c"], 2)]
    [('a', 'b'), ('c',)]
    """
    for number, start in enumerate(range(0, len(items), size)):
        yield Shard(number, tuple(items[start : start + size]))


class Store(Protocol):
    """Rows of finished shards."""

    @property
    def finished(self) -> frozenset[int]:
        """The numbers of the shards that are stored whole."""

    def write(self, shard: int, rows: Rows) -> None:
        """Store the rows of a shard, all of them or none.

        Raises:
            FileError: they can't be written; what was stored before is kept.
        """

    def rows(self) -> Iterator[Row]:
        """Yield the stored rows, shard by shard in order of number."""


class Backend(Protocol):
    """A way to compute shards: in this process, in threads, in other processes."""

    @property
    def workers(self) -> int:
        """How many shards are computed at once."""

    def compute(
        self, work: Callable[[Shard[Any]], Rows], shards: Iterable[Shard[Any]]
    ) -> Iterator[tuple[Shard[Any], Rows]]:
        """Yield each shard with its rows as soon as they are there, in any order.

        Shards are taken from the iterable one by one, a few ahead of the work.

        Raises:
            ExplainError: what the work raised; shards that were yielded stay done.
        """

    def ready(self) -> AbstractContextManager[None]:
        """Return a context in which workers stay from one computation to the next, where starting them takes long.

        Raises:
            ExplainError: they can't be reached.
        """


@dataclass(frozen=True)
class ModelWork(Generic[Item]):
    """Work on shards with a model.

    Attributes:
        function: computes the rows of one item; picklable, so a function of a module or a `partial` of one.
        spec: the model to load in a process that does not have it.
        record: the record that the loaded model must have.
        model: the loaded model; left behind when this is pickled.
    """

    function: Callable[[TextModel, Item], Rows]
    spec: ModelSpec
    record: ModelRecord
    model: TextModel | None = field(default=None, compare=False)

    @classmethod
    def of(cls, model: TextModel, function: Callable[[TextModel, Item], Rows]) -> "ModelWork[Item]":
        """Return work with a loaded model."""
        return cls(function, ModelSpec.of(model), model.record, model)

    def __call__(self, shard: Shard[Item]) -> Rows:
        """Compute the rows of a shard.

        Raises:
            ModelError: the model can't be loaded again, or has changed since it was loaded first.
        """
        model = self.model or self.spec.load()  # a process loads a model once
        if model.record != self.record:
            raise ModelError(
                f"{self.spec.name} has changed since this work began: its files are not those that were loaded first. "
                "Start again, with another record."
            )
        return [row for item in shard.items for row in self.function(model, item)]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "model": None}


@dataclass(frozen=True)
class ShardProgress:
    """Progress of the work.

    Attributes:
        done, total: shards of this call; `seconds_left`: None before the first is done.
        rows: rows that this call has stored.
        stage: of a run that draws rows: "predictions" of all rows, "pilot" for the size of the sample; else "".
    """

    done: int
    total: int
    seconds_left: float | None
    rows: int = 0
    stage: str = ""


def run_shards(
    work: Callable[[Shard[Any]], Rows],
    shards: Iterable[Shard[Any]],
    store: Store,
    backend: Backend,
    on_progress: Callable[[ShardProgress], None] = lambda progress: None,
    count: int | None = None,
) -> None:
    """Compute the shards that the store lacks, and store each as soon as it is done.

    Args:
        count: how many shards there are, where they are not held in memory.

    Raises:
        ExplainError: what the work raised, or `FileError` where a shard can't be stored; finished shards are kept.
    """
    finished = store.finished
    missing: Iterable[Shard[Any]] = (shard for shard in shards if shard.number not in finished)
    if count is None:
        missing = list(missing)
        total = len(missing)
    else:
        total = count - sum(number < count for number in finished)
    on_progress(ShardProgress(0, total, None))
    began, stored = time.monotonic(), 0
    for done, (shard, rows) in enumerate(backend.compute(work, missing), 1):
        store.write(shard.number, rows)
        stored += len(rows)
        seconds_left = (time.monotonic() - began) / done * (total - done)
        on_progress(ShardProgress(done, total, seconds_left, stored))


@dataclass(frozen=True)
class MemoryStore:
    """Rows in memory."""

    parts: dict[int, tuple[Row, ...]] = field(default_factory=dict)

    @property
    def finished(self) -> frozenset[int]:
        return frozenset(self.parts)

    def write(self, shard: int, rows: Rows) -> None:
        self.parts[shard] = tuple(rows)

    def rows(self) -> Iterator[Row]:
        for number in sorted(self.parts):
            yield from self.parts[number]
