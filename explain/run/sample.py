"""The settings of a sample of rows: its size, the time that it may take, or the intervals that it is to leave."""

import math
import re
from dataclasses import dataclass
from typing import Any

from explain.core.errors import SettingError

FEWEST = 2  # rows; a single row has no interval
LONGEST = 366 * 86400.0  # seconds
LARGEST_SEED = 2**31 - 1
_SECONDS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Which rows of a data set are explained; exactly one of the first three is set.

    Attributes:
        rows: so many, 2 or more.
        budget: as many as fit into a time on this machine: seconds, or "90s", "30m", "2h".
        until: as many as make 95 % intervals no wider than plus or minus this: where all rows are predicted, of the
            mean scores of the leading words, in the unit of scores; with `only_drawn` of the accuracy where there are
            labels, else of the share of each predicted label.
        seed: of the draw.
        only_drawn: predict the drawn rows only; they are drawn by label and group then. Else all rows are predicted,
            and those to explain are drawn by prediction and group.

    Raises:
        SettingError: none or several of the three, or one out of its range.

    >>> Sample(budget="30m").seconds
    1800.0
    """

    rows: int | None = None
    budget: str | float | None = None
    until: float | None = None
    seed: int = 0
    only_drawn: bool = False

    def __post_init__(self) -> None:
        wanted = [name for name in ("rows", "budget", "until") if getattr(self, name) is not None]
        if len(wanted) != 1:
            what = " and ".join(wanted) if wanted else "none of them"
            raise SettingError(f"A sample has its rows, its budget or its until, and no two of them; there is {what}.")
        if self.rows is not None and self.rows < FEWEST:
            raise SettingError(f"A sample has at least {FEWEST} rows, not {self.rows}.")
        if self.until is not None and not 0 < self.until < math.inf:
            raise SettingError(f"The half-width of an interval is a number above 0, not {self.until!r}.")
        if not 0 <= self.seed <= LARGEST_SEED:
            raise SettingError(f"A seed is a whole number from 0 to {LARGEST_SEED:,}, not {self.seed}.")
        if self.budget is not None:
            seconds_of(self.budget)

    @property
    def seconds(self) -> float | None:
        """The budget in seconds."""
        return None if self.budget is None else seconds_of(self.budget)

    def about(self) -> dict[str, Any]:
        """Return what is set as JSON values, for a manifest."""
        size = {"rows": self.rows, "seconds": self.seconds, "until": self.until}
        settings = {"only_drawn": self.only_drawn, "seed": self.seed}
        return settings | {name: setting for name, setting in size.items() if setting is not None}


def seconds_of(budget: str | float) -> float:
    """Return a time in seconds.

    Raises:
        SettingError: it is no time from 1 second to 366 days.

    >>> seconds_of("90s"), seconds_of("1.5h"), seconds_of(20)
    (90.0, 5400.0, 20.0)
    """
    number, unit = str(budget).strip(), "s"
    if match := re.fullmatch(r"(.*?)\s*([smh])", number):
        number, unit = match.groups()
    try:
        seconds = float(number) * _SECONDS[unit]
    except ValueError:
        seconds = math.nan
    if not 1 <= seconds <= LONGEST:
        raise SettingError(f"A budget is a time from 1 second to 366 days, such as 90s, 30m or 2h, not {budget!r}.")
    return seconds
