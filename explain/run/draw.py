"""A draw: which rows of a data set are explained, by strata, and how many rows each of them stands for.

In each stratum the rows with the smallest keys are drawn. A key is a hash of the seed and the row's id, so a draw
depends on no order of rows. Of the same strata, a larger draw holds the rows of a smaller one.
"""

import hashlib
import json
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from explain.core.errors import DataError
from explain.numerics.stratified import LEAST, Strata, allocation
from explain.run.folders import Folder

DRAW = "draw.json"
_SCHEMA = "explain-draw-1"
_CUT = 0.5  # the largest share of a sample that the fewest rows of all strata may take


@dataclass(frozen=True)
class Stratum:
    """Rows that are alike in what the draw goes by.

    Attributes:
        cells: prediction or label, and group; None: small strata that are drawn together.
        rows: how many there are; numbers: of the drawn rows, ascending.
    """

    cells: tuple[str, ...] | None
    rows: int
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Draw:
    """The drawn rows of a data set.

    Attributes:
        by: the names of the strata's cells: "prediction" or "label", and the columns of groups.
        seed: see `Sample`.
        strata: with at least one drawn row each.
        size_from: what the size follows from, as JSON values.
    """

    by: tuple[str, ...]
    seed: int
    strata: tuple[Stratum, ...]
    size_from: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the drawn rows, ascending."""
        return tuple(sorted(number for stratum in self.strata for number in stratum.numbers))

    @property
    def rows(self) -> int:
        """The number of rows in all strata."""
        return sum(stratum.rows for stratum in self.strata)

    @property
    def all_drawn(self) -> bool:
        """True where the sample holds every row."""
        return len(self.numbers) == self.rows

    @cached_property
    def stratum_of(self) -> Mapping[int, int]:
        """The place in `strata` of each drawn row, by its number."""
        return {number: place for place, stratum in enumerate(self.strata) for number in stratum.numbers}

    def weight(self, number: int) -> float:
        """Return how many rows a drawn row stands for."""
        stratum = self.strata[self.stratum_of[number]]
        return stratum.rows / len(stratum.numbers)

    def sizes(self, seen: Sequence[int] | None = None) -> Strata:
        """Return the sizes of the strata.

        Args:
            seen (H): drawn rows that are there; None: all.
        """
        drawn = tuple(len(stratum.numbers) for stratum in self.strata)
        return Strata(tuple(stratum.rows for stratum in self.strata), drawn, drawn if seen is None else tuple(seen))

    def write(self, folder: Folder) -> None:
        """Write the draw into a run's folder, with a hash of what it says."""
        strata = [
            {"cells": None if stratum.cells is None else list(stratum.cells), "rows": stratum.rows}
            | {"numbers": list(stratum.numbers)}
            for stratum in self.strata
        ]
        about = {"schema": _SCHEMA, "by": list(self.by), "seed": self.seed, "strata": strata}
        about["size_from"] = dict(self.size_from)
        folder.write(DRAW, (json.dumps(about | {"sha256": _sha256(about)}, sort_keys=True) + "\n").encode())


def read_draw(folder: Folder) -> Draw | None:
    """Return the draw of a run's folder; None where it has none yet.

    Raises:
        DataError: it can't be read, or was changed since it was written.
    """
    content = folder.read(DRAW)
    if content is None:
        return None
    try:
        about = json.loads(content)
        recorded = about.pop("sha256")
        if recorded != _sha256(about) or about["schema"] != _SCHEMA:
            raise ValueError
        strata = tuple(
            Stratum(None if part["cells"] is None else tuple(part["cells"]), part["rows"], tuple(part["numbers"]))
            for part in about["strata"]
        )
        return Draw(tuple(about["by"]), about["seed"], strata, about["size_from"])
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f"{DRAW} of {folder.name} is damaged or was changed, so nobody knows which rows were drawn. Begin a new "
            "run."
        ) from error


def _sha256(about: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


class Frame:
    """The rows that may be drawn; some 20 bytes of each are in memory."""

    def __init__(self, by: Sequence[str], seed: int) -> None:
        self.by, self.seed = tuple(by), seed
        self._numbers, self._keys, self._codes = array("q"), array("Q"), array("i")
        self._cells: dict[tuple[str, ...], int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, number: int, id: str, cells: tuple[str, ...]) -> None:
        """Add a row with its number, its id, and what strata go by."""
        key = hashlib.blake2b(f"{self.seed}\0{id}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
        self._numbers.append(number)
        self._keys.append(int.from_bytes(key))
        self._codes.append(self._cells.setdefault(cells, len(self._cells)))

    def without_empty(self, name: str) -> "Frame":
        """Let strata not go by something that no row has, such as the prediction of a model without labels."""
        place = self.by.index(name)
        if not any(cells[place] for cells in self._cells):
            self.by = self.by[:place] + self.by[place + 1 :]
            self._cells = {cells[:place] + cells[place + 1 :]: code for cells, code in self._cells.items()}
        return self

    def strata(self, size: int) -> "FrameStrata":
        """Return the strata for a sample of a size: the smallest together, where each alone takes too much of it."""
        cells = list(self._cells)
        codes = np.frombuffer(self._codes, dtype=np.int32)
        counts = np.bincount(codes, minlength=len(cells))
        order = sorted(range(len(cells)), key=lambda code: (-counts[code], cells[code]))
        fewest = np.minimum(counts[order], LEAST).cumsum()
        alone = len(order)
        if len(order) > 1 and fewest[-1] > _CUT * size:
            alone = int(np.searchsorted(fewest + LEAST, _CUT * size, side="right"))
        place_of = np.empty(len(cells), dtype=np.int32)
        place_of[order] = np.minimum(np.arange(len(order)), alone)
        names: list[tuple[str, ...] | None] = [cells[code] for code in order[:alone]]
        names += [None] if alone < len(order) else []
        numbers = np.frombuffer(self._numbers, dtype=np.int64)
        keys = np.frombuffer(self._keys, dtype=np.uint64)
        return FrameStrata(self, tuple(names), numbers, keys, place_of[codes])

    def any(self, count: int) -> tuple[int, ...]:
        """Return the numbers of some rows, drawn from all alike, ascending."""
        order = np.argsort(np.frombuffer(self._keys, dtype=np.uint64), kind="stable")[:count]
        return tuple(np.sort(np.frombuffer(self._numbers, dtype=np.int64)[order]).tolist())


@dataclass(frozen=True, eq=False)
class FrameStrata:
    """The rows that may be drawn, in strata.

    Attributes:
        cells (H): of each stratum, see `Stratum`.
        numbers (N), keys (N), places (N): of each row its number, its key and its stratum.
    """

    frame: Frame
    cells: tuple[tuple[str, ...] | None, ...]
    numbers: np.ndarray
    keys: np.ndarray
    places: np.ndarray

    @property
    def rows(self) -> tuple[int, ...]:
        """The number of rows of each stratum."""
        return tuple(np.bincount(self.places, minlength=len(self.cells)).tolist())

    def draw(self, size: int, size_from: Mapping[str, Any]) -> Draw:
        """Draw rows in proportion to strata; see `allocation`."""
        order = np.lexsort((self.numbers, self.keys, self.places))
        begins = np.concatenate(([0], np.cumsum(self.rows)))
        strata = tuple(
            Stratum(cells, rows, tuple(np.sort(self.numbers[order[begin : begin + drawn]]).tolist()))
            for cells, rows, begin, drawn in zip(self.cells, self.rows, begins, allocation(self.rows, size))
        )
        return Draw(self.frame.by, self.frame.seed, strata, size_from)
