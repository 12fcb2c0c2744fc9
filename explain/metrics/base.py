"""Metrics of faithfulness: frozen dataclasses whose fields are their settings, and the trial they run in.

A new metric is one file in this package that registers itself. A metric that removes words derives from `RemovalMetric`
and says how much is removed and how the curve is summarized; the control, random orders of the same words, is shared.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as replaced
from typing import Any, ClassVar, TypeVar, cast

import numpy as np
import numpy.typing as npt

from explain.core.errors import MetricError, SettingError
from explain.core.meter import Meter
from explain.core.registry import Registry
from explain.core.settings import check_settings, make, setting, setting_values
from explain.datatypes import QUARTILES, Attribution, FloatArray, MetricResult, Target, Tokens
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
DEFAULT_METRICS = ("completeness_gap", "effect_agreement", "deletion", "insertion")
MIN_ORDERS, MAX_ORDERS = 20, 1000  # fewer estimate chance too badly
REMOVERS = ("mask", "attention_off", "delete")  # tried in this order

_Floats = npt.NDArray[np.float64]
_Orders = npt.NDArray[np.int64]
Kept = TypeVar("Kept")


class Trial:
    """One text on which explanations are tested; all metrics and methods share its forward passes.

    Args:
        model, tokens, target: the explained text.
        orders: the number of random orders of the words, the control of every removal metric.
        seed: the seed of these orders.
        operator: how words are removed; None: otherwise than the tested method removed them.

    Attributes:
        units (U): the words that may be removed, as sets of tokens.
        random (R, U): random orders of them, in pairs of an order and its reverse: figures of a pair scatter evenly
            about the middle, and a metric that goes through an order from both ends needs half the passes.
        scored_target: the target whose output is read: its log-odds give a probability from the same passes.
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
        # Log-odds give the probability from the same passes.
        logistic = target.scale == "probability" and model.head.exclusive and not model.head.value
        self.scored_target = replaced(target, scale="log_odds") if logistic else target
        self._games: dict[str, CoalitionGame] = {}
        self._kept: dict[Hashable, Any] = {}

    def game(self, operator: str) -> CoalitionGame:
        """Return the target as a function of the words that are present."""
        if operator not in self._games:
            self._games[operator] = CoalitionGame(
                self.model, (self.tokens, self.scored_target), self.units, operator, self.meter
            )
        return self._games[operator]

    def kept(self, key: Hashable, measure: Callable[[], Kept]) -> Kept:
        """Return what a metric measures on this text whatever the method; measured once."""
        if key not in self._kept:
            self._kept[key] = measure()
        return cast(Kept, self._kept[key])

    def outputs(self, coalitions: npt.NDArray[np.bool_], operator: str, scale: str) -> _Floats:
        """Return the model's output (C,) for the words of each coalition (C, U), in "probability" or "target".

        Each coalition costs one forward pass the first time, whatever the scale.
        """
        worth = self.game(operator).worth(coalitions)
        probable = scale == "probability" or self.target.scale == "probability"
        return 1 / (1 + np.exp(-worth)) if probable and self.scored_target.scale == "log_odds" else worth

    def unit_of(self, scale: str) -> str:
        """Return the unit of `outputs`."""
        return "probability" if scale == "probability" and self.scored_target.scale == "log_odds" else self.target.scale

    def scores(self, attribution: Attribution) -> _Floats:
        """Return a score for each word (U,), see `scores_of`.

        Raises:
            MetricError: there are fewer than two words, or the attribution's units overlap.
        """
        if len(self.units) < 2:
            raise MetricError("Faithfulness is tested by removing words in an order; this text has fewer than two.")
        return scores_of(attribution, self.units)

    def operator_for(self, attribution: Attribution) -> str:
        """Return the operator that tests a method: never its own, which would favor it."""
        own = attribution.diagnostics.get("operator") or attribution.params.get("operator")
        return next(name for name in self.operators if name != own or name == self.operator)

    @property
    def operators(self) -> tuple[str, ...]:
        """The ways of removing words that a test may use, at least two; one way twice where it was given."""
        if self.operator is not None:
            return self.operator, self.operator
        return tuple(name for name in REMOVERS if name != "mask" or self.model.mask_id is not None)


def order_of(scores: FloatArray) -> _Orders:
    """Return the order of words, the most important first: by signed score or by size; ties by position."""
    return np.argsort(-np.asarray(scores), kind="stable")


def percentile(figure: float, controls: FloatArray, higher_is_better: bool) -> float:
    """Return the share of controls (R,) that a figure beats, 0 to 100; ties count half."""
    beaten = controls < figure if higher_is_better else controls > figure
    return float(100 * (beaten.mean() + 0.5 * (controls == figure).mean()))


@dataclass(frozen=True, kw_only=True)
class Metric(ABC):
    """Base of all metrics.

    Class attributes:
        name, title: the name in the registry, and on screen.
        meaning: one line: what the figure says; limits: what it does not say.
        higher_is_better: the direction of a better explanation.
        shared: one set of answers serves all methods, however these remove words.
        version: raised when the arithmetic changes; part of keys and records.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    meaning: ClassVar[str]
    limits: ClassVar[str]
    higher_is_better: ClassVar[bool]
    shared: ClassVar[bool] = False
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check_settings(self)

    @abstractmethod
    def cost(self, words: int, orders: int) -> int:
        """Return the most forward passes for one method and its control; a second method shares the control."""

    def reruns(self, model: TextModel, tokens: Tokens, method: Method) -> int:
        """Return the most passes for running the method itself again."""
        return 0

    @abstractmethod
    def evaluate(self, trial: Trial, attribution: Attribution) -> MetricResult:
        """Test one explanation.

        Raises:
            MetricError: this metric can't test it; the message says why.
        """


@dataclass(frozen=True, kw_only=True)
class RemovalMetric(Metric):
    """Base of metrics that remove words in the explanation's order, and in random orders."""

    keeps: ClassVar[bool]  # the first words of the order are kept, not removed

    scale: str = SCALE

    @abstractmethod
    def counts(self, words: int) -> list[int]:
        """Return the number of words removed, or kept, at each point of the curve."""

    @abstractmethod
    def summary(self, outputs: _Floats, full: float, fractions: _Floats) -> _Floats:
        """Summarize curves (R, K) as figures (R,); `full` is the output of the whole text."""

    def cost(self, words: int, orders: int) -> int:
        return len(self.counts(words)) * (orders + 1) + 1

    def evaluate(self, trial: Trial, attribution: Attribution) -> MetricResult:
        operator = trial.operator_for(attribution)
        counts = self.counts(len(trial.units))
        fractions = np.array(counts) / len(trial.units)
        orders = np.concatenate([order_of(trial.scores(attribution))[None], trial.random])
        curves = removal_curves(trial, orders, counts, operator, self.scale, keeps=self.keeps)
        full = float(trial.outputs(np.ones((1, len(trial.units)), dtype=bool), operator, self.scale)[0])
        figures = self.summary(curves, full, fractions)
        return MetricResult(
            metric=self.name,
            method=attribution.method,
            fractions=fractions,
            outputs=curves[0],
            value=float(figures[0]),
            higher_is_better=self.higher_is_better,
            percentile=percentile(float(figures[0]), figures[1:], self.higher_is_better),
            scale=trial.unit_of(self.scale),
            operator=operator,
            controls=figures[1:],
            band=np.quantile(curves[1:], QUARTILES, axis=0),
            quantiles=QUARTILES,
        )


def removal_curves(
    trial: Trial, orders: _Orders, counts: Sequence[int], operator: str, scale: str, *, keeps: bool
) -> _Floats:
    """Return outputs (R, K) with the first words of each order (R, U) removed, or with these words alone."""
    rank = np.argsort(orders, axis=1)  # (R, U): each word's position in the order
    first = rank[:, None, :] < np.asarray(counts)[None, :, None]  # (R, K, U)
    present = first if keeps else ~first
    return trial.outputs(present.reshape(-1, orders.shape[1]), operator, scale).reshape(present.shape[:2])


@dataclass(frozen=True)
class TrialSettings:
    """The settings of a test: metrics, and the number of random orders they are compared with."""

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
        """Make the metrics that a verdict needs and that pages draw, and further metrics by name.

        Raises:
            UnknownNameError, SettingError: a metric that does not exist, or a number of orders out of range.
        """
        return cls(tuple(METRICS[name]() for name in dict.fromkeys((*DEFAULT_METRICS, *names))), orders)

    @property
    def versions(self) -> tuple[int, ...]:
        """The version of each metric, for keys of caches."""
        return tuple(metric.version for metric in self.metrics)

    @property
    def record(self) -> dict[str, Any]:
        """The settings as JSON values, for `from_record`."""
        named = {metric.name: setting_values(metric) for metric in self.metrics}
        return {"orders": self.orders, "seed": self.seed, "metrics": named}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "TrialSettings":
        """Make settings from a record.

        Raises:
            UnknownNameError, SettingError: a metric or a setting that does not exist.
        """
        named = record.get("metrics")
        if not isinstance(named, Mapping) or not all(isinstance(settings, Mapping) for settings in named.values()):
            raise SettingError("metrics are named with their settings, each an object.")
        metrics = tuple(make(METRICS[name], settings) for name, settings in named.items())
        numbers: list[Any] = [record.get(name) for name in ("orders", "seed")]
        return cls(metrics, *numbers)

    def cost(self, model: TextModel, tokens: Tokens, methods: Sequence[Method]) -> int:
        """Return the most passes for these methods; a control counts once for each of two operators."""
        words = len(tokens.words)
        controls = sum(metric.cost(words, self.orders) * (1 if metric.shared else 2) for metric in self.metrics)
        single = (len(methods) - 1) * sum(metric.cost(words, 0) for metric in self.metrics)
        reruns = sum(metric.reruns(model, tokens, method) for metric in self.metrics for method in methods)
        return controls + single + reruns

    def run(self, trial: Trial, attribution: Attribution) -> tuple[MetricResult, ...]:
        """Return the result of every metric that can test an explanation."""
        results = []
        for metric in self.metrics:
            try:
                results.append(metric.evaluate(trial, attribution))
            except MetricError:  # scores without a total have no gap, and scores without an order no curve
                continue
        return tuple(results)
