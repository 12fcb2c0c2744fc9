"""A text as a game: the target when only some of its parts are kept.

LIME, Shapley's family and the metrics of faithfulness ask the same of a model, F of a text with a set of parts kept and
all others taken away. Here that is run: each set once, equal lengths together, few at a time.
"""

from collections.abc import Hashable

import numpy as np
import numpy.typing as npt

from explain.core.meter import Meter
from explain.datatypes import BoolArray, Target, Tokens
from explain.models.base import TextModel
from explain.text.units import Units

ROWS = 512  # variants of the text made at a time; a thousand of a long text would be many megabytes

_Floats = npt.NDArray[np.float64]


class CoalitionGame:
    """The target, as a function of the parts of the text that are kept.

    Args:
        units: the parts, see `TextModel.removable_units`; everything else stays where it is.
        operator: how what is not there is taken away.

    Attributes:
        passes: different coalitions run so far.
    """

    def __init__(
        self, model: TextModel, item: tuple[Tokens, Target], units: Units, operator: str, meter: Meter | None = None
    ) -> None:
        self.item = item
        self.players = units
        self.operator = operator
        self._model = model
        self._meter = meter
        self._known: dict[Hashable, float] = {}

    def __len__(self) -> int:
        return len(self.players)

    @property
    def passes(self) -> int:
        return len(self._known)

    @property
    def full(self) -> float:
        """F with every part."""
        return float(self.worth(np.ones((1, len(self)), dtype=bool))[0])

    @property
    def empty(self) -> float:
        """F with no part."""
        return float(self.worth(np.zeros((1, len(self)), dtype=bool))[0])

    def worth(self, coalitions: BoolArray) -> _Floats:
        """Return F (C,) with the parts of each coalition (C, U) kept; each is run once, whenever it is asked for."""
        keys = [row.tobytes() for row in np.packbits(coalitions, axis=1)]
        fresh = {key: number for number, key in enumerate(keys) if key not in self._known}
        order = list(fresh.values())
        if self.operator == "delete":  # only then do lengths differ
            kept = coalitions @ np.array([len(unit) for unit in self.players])
            order.sort(key=lambda number: -kept[number])
        for start in range(0, len(order), ROWS):
            batch = order[start : start + ROWS]
            rows = [
                self._model.removed(self.item[0], self._without(coalitions[number]), self.operator, self.item[1])
                for number in batch
            ]
            values = self._model.scores(rows, self._meter).values.tolist()
            self._known.update(zip((keys[number] for number in batch), values))
        return np.array([self._known[key] for key in keys])

    def worth_of_pairs(self, coalitions: BoolArray) -> _Floats:
        """Return F (P, 2) with each coalition (P, U), and with its complement."""
        return self.worth(np.concatenate([coalitions, ~coalitions])).reshape(2, -1).T

    def _without(self, coalition: BoolArray) -> list[int]:
        return [token for unit, there in zip(self.players, coalition.tolist()) if not there for token in unit]
