"""What a metric of faithfulness is: a frozen dataclass whose fields are its settings, and a trial it is run in.

A new metric is one file in this package that registers itself. A metric that removes words derives from `RemovalMetric`
and says how much is removed and how the curve is summed up; its control, random orders of the same words, comes free.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as replaced
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from explain.core.errors import MetricError, SettingError
from explain.core.meter import Meter
from explain.core.registry import Registry
from explain.core.settings import check_settings, make, setting, setting_values
from explain.datatypes import Attribution, FloatArray, MetricResult, Target, Tokens
from explain.methods.base import Method
from explain.models.base import TextModel
from explain.models.coalition_game import CoalitionGame
from explain.text.units import scores_of, units_of

METRICS: Registry[type["Metric"]] = Registry("metric", "explain.metrics")

SCALE = setting(
    "probability",
    choices=("probability", "target"),
    help="The unit of outputs: the label's probability, as ERASER defines it, or the target's own unit.",
)
DEFAULT_METRICS = ("completeness_gap", "symmetric_relevance_gain", "deletion", "insertion")
MIN_ORDERS, MAX_ORDERS = 20, 1000  # fewer say too little of chance
REMOVERS = ("mask", "attention_off", "delete")  # tried in this order

_Floats = npt.NDArray[np.float64]
_Orders = npt.NDArray[np.int64]


class Trial:
    """One text on which explanations are tested; what is run once is shared by all metrics and methods.

    Args:
        model, tokens, target: what was explained.
        orders: random orders of the words, the control of every removal metric.
        seed: of those.
        operator: how words are removed; None: as the method that is tested did not remove them itself.

    Attributes:
        units (U): the words that may be removed, as sets of tokens.
        random (R, U): orders of them, in pairs of which one is the other reversed. Each is as random as any; their
            figures scatter evenly about the middle, and a metric that goes through an order from both ends runs half.
    """

    def __init__(
        self,
        model: TextModel,
        tokens: Tokens,
        target: Target,
        *,
        orders: int = 20,
        seed: int = 0,
        operator: str | None = None,
        meter: Meter | None = None,
    ) -> None:
        self.model, self.tokens, self.target = model, tokens, target
        self.units = model.removable_units(tokens, target, units_of(tokens, "word"))
        draw = np.random.default_rng(seed)
        forth = np.stack([draw.permutation(len(self.units)) for _ in range((orders + 1) // 2)])
        self.random: _Orders = np.concatenate([forth, forth[:, ::-1]])[:orders]
        self.operator = operator
        self.meter = meter
        # In log-odds a probability can be had of the same passes.
        logistic = target.scale == "probability" and model.head.exclusive and not model.head.value
        self._asked = replaced(target, scale="log_odds") if logistic else target
        self._games: dict[str, CoalitionGame] = {}

    def game(self, operator: str) -> CoalitionGame:
        """The target as a function of which words are there."""
        if operator not in self._games:
            self._games[operator] = CoalitionGame(
                self.model, (self.tokens, self._asked), self.units, operator, self.meter
            )
        return self._games[operator]

    def outputs(self, coalitions: npt.NDArray[np.bool_], operator: str, scale: str) -> _Floats:
        """The model's output (C,) with the words of each coalition (C, U) there, in "probability" or "target".

        One forward pass for each coalition that was not run before, whatever the scale.
        """
        values = self.game(operator).worth(coalitions)
        probable = scale == "probability" or self.target.scale == "probability"
        return 1 / (1 + np.exp(-values)) if probable and self._asked.scale == "log_odds" else values

    def unit_of(self, scale: str) -> str:
        """What `outputs` are measured in."""
        return "probability" if scale == "probability" and self._asked.scale == "log_odds" else self.target.scale

    def scores(self, attribution: Attribution) -> _Floats:
        """A score for each word (U,), see `scores_of`.

        Raises:
            MetricError: there are fewer than two words, or the attribution's units overlap.
        """
        if len(self.units) < 2:
            raise MetricError("Faithfulness is tested by removing words in an order; this text has fewer than two.")
        return scores_of(attribution, self.units)

    def operator_for(self, attribution: Attribution) -> str:
        """How words are removed to test a method: not as it removed them itself, which would favor it."""
        if self.operator is not None:
            return self.operator
        own = attribution.diagnostics.get("operator") or attribution.params.get("operator")
        possible = [name for name in REMOVERS if name != "mask" or self.model.mask_id is not None]
        return next(name for name in possible if name != own)


def order_of(scores: FloatArray) -> _Orders:
    """Most important first: the most positive of signed scores, the largest of sizes; ties by place in the text."""
    return np.argsort(-np.asarray(scores), kind="stable")


def percentile(value: float, controls: FloatArray, higher_is_better: bool) -> float:
    """The share of controls (R,) that a value beats, 0 to 100; of those it equals, half."""
    better = controls < value if higher_is_better else controls > value
    return float(100 * (better.mean() + 0.5 * (controls == value).mean()))


@dataclass(frozen=True, kw_only=True)
class Metric(ABC):
    """Base of all metrics.

    Class attributes:
        name, title: the registry's name, and a reader's.
        meaning: one line: what the figure says; limits: what it does not.
        higher_is_better: how to read it.
        version: raised when the arithmetic changes; part of keys and records.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    meaning: ClassVar[str]
    limits: ClassVar[str]
    higher_is_better: ClassVar[bool]
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check_settings(self)

    @abstractmethod
    def cost(self, words: int, orders: int) -> int:
        """Most forward passes for one method, with the control's; a second method shares the control."""

    def reruns(self, model: TextModel, tokens: Tokens, method: Method) -> int:
        """Most passes for running the method itself again."""
        return 0

    @abstractmethod
    def evaluate(self, trial: Trial, attribution: Attribution) -> MetricResult:
        """Test one explanation.

        Raises:
            MetricError: it can't be tested so; the message says why.
        """


@dataclass(frozen=True, kw_only=True)
class RemovalMetric(Metric):
    """Words are removed in the explanation's order, and in random ones."""

    keeps: ClassVar[bool]  # the words first in the order are what is left, not what goes

    scale: str = SCALE

    @abstractmethod
    def counts(self, words: int) -> list[int]:
        """How many words are removed, or kept, at each point of the curve."""

    @abstractmethod
    def summary(self, outputs: _Floats, full: float, fractions: _Floats) -> _Floats:
        """Curves (R, K) to figures (R,); `full` is the output of the whole text."""

    def cost(self, words: int, orders: int) -> int:
        return len(self.counts(words)) * (orders + 1) + 1

    def evaluate(self, trial: Trial, attribution: Attribution) -> MetricResult:
        operator = trial.operator_for(attribution)
        counts = self.counts(len(trial.units))
        fractions = np.array(counts) / len(trial.units)
        orders = np.concatenate([order_of(trial.scores(attribution))[None], trial.random])
        curves = removal_curves(trial, orders, counts, operator, self.scale, keeps=self.keeps)
        full = float(trial.outputs(np.ones((1, len(trial.units)), dtype=bool), operator, self.scale)[0])
        values = self.summary(curves, full, fractions)
        return MetricResult(
            metric=self.name,
            method=attribution.method,
            fractions=fractions,
            outputs=curves[0],
            value=float(values[0]),
            higher_is_better=self.higher_is_better,
            percentile=percentile(float(values[0]), values[1:], self.higher_is_better),
            scale=trial.unit_of(self.scale),
            operator=operator,
            controls=values[1:],
            band=np.quantile(curves[1:], (0.05, 0.5, 0.95), axis=0),
        )


def removal_curves(
    trial: Trial, orders: _Orders, counts: Sequence[int], operator: str, scale: str, *, keeps: bool
) -> _Floats:
    """Outputs (R, K) with the first words of each order (R, U) removed, or with these alone."""
    rank = np.argsort(orders, axis=1)  # (R, U): where each word stands
    first = rank[:, None, :] < np.asarray(counts)[None, :, None]  # (R, K, U)
    there = first if keeps else ~first
    return trial.outputs(there.reshape(-1, orders.shape[1]), operator, scale).reshape(there.shape[:2])


@dataclass(frozen=True)
class TrialSettings:
    """What explanations are put to: metrics, and how many random orders they are compared with."""

    metrics: tuple[Metric, ...]
    orders: int = 40
    seed: int = 0

    def __post_init__(self) -> None:
        for name, low, high in (("orders", MIN_ORDERS, MAX_ORDERS), ("seed", 0, 2**63 - 1)):
            number = getattr(self, name)
            if type(number) is not int or not low <= number <= high:
                shown = number if type(number) is int and abs(number) <= 2**63 else type(number).__name__
                raise SettingError(f"{name} is {shown}; expected a whole number from {low} to {high}.")

    @classmethod
    def from_names(cls, names: Sequence[str] = (), orders: int = 40) -> "TrialSettings":
        """Make the metrics that a verdict rests on and that are drawn, and further ones by name.

        Raises:
            UnknownNameError, SettingError: a metric that does not exist, or a number of orders out of range.
        """
        return cls(tuple(METRICS[name]() for name in dict.fromkeys((*DEFAULT_METRICS, *names))), orders)

    @property
    def record(self) -> dict[str, Any]:
        """These settings as JSON values, for `from_record`."""
        named = {metric.name: setting_values(metric) for metric in self.metrics}
        return {"orders": self.orders, "seed": self.seed, "metrics": named}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "TrialSettings":
        """Settings from a record.

        Raises:
            UnknownNameError, SettingError: a metric or a setting that there is not.
        """
        named = record.get("metrics")
        if not isinstance(named, Mapping) or not all(isinstance(one, Mapping) for one in named.values()):
            raise SettingError("metrics are named with their settings, each an object.")
        metrics = tuple(make(METRICS[name], settings) for name, settings in named.items())
        numbers: list[Any] = [record.get(name) for name in ("orders", "seed")]
        return cls(metrics, *numbers)

    def cost(self, model: TextModel, tokens: Tokens, methods: Sequence[Method]) -> int:
        """Most passes for these methods; a control counts for each operator it is made with, of two."""
        words = len(tokens.words)
        controls = sum(metric.cost(words, self.orders) for metric in self.metrics)
        single = (len(methods) - 1) * sum(metric.cost(words, 0) for metric in self.metrics)
        reruns = sum(metric.reruns(model, tokens, method) for metric in self.metrics for method in methods)
        return 2 * controls + single + reruns

    def run(self, trial: Trial, attribution: Attribution) -> tuple[MetricResult, ...]:
        """Every metric that can test an explanation."""
        found = []
        for metric in self.metrics:
            try:
                found.append(metric.evaluate(trial, attribution))
            except MetricError:  # one that adds up to nothing has no gap; what has no order, no curve
                continue
        return tuple(found)
