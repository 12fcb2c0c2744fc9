"""Results: what is known of a plan so far, by type instead of by key."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, cast

from explain.analyses.key_phrases import KeyPhrases
from explain.analyses.method_tests import MethodTests
from explain.core.errors import ExplainError
from explain.datatypes import (
    AttentionMaps,
    Attribution,
    EmptyText,
    MetricResult,
    Phrase,
    Prediction,
    Target,
    TextVectors,
)
from explain.methods.base import Method
from explain.models.analysis import Analysis
from explain.models.base import Observation
from explain.run.plan import Plan

ResultType = TypeVar("ResultType")

OBSERVATION, TARGET, EMPTY_TEXT, VECTORS = (
    "observation",
    "target",
    "empty_text",
    "vectors",
)  # parts that are no analyses


class Results:
    """The parts of a plan that are there.

    Args:
        plan: what was asked for.
        parts: results by analysis, and under `OBSERVATION` and `TARGET` the forward pass and the target.
    """

    def __init__(self, plan: Plan, parts: Mapping[Any, Any]) -> None:
        self.plan = plan
        self._parts = dict(parts)

    @classmethod
    def collect(cls, plan: Plan, parts: Iterable[tuple[Any, Any]]) -> "Results":
        """Take all parts that an engine yields."""
        return cls(plan, dict(parts))

    def over(self, parts: Mapping[Any, Any]) -> "Results":
        """Return these results, and of others what is missing here."""
        return Results(self.plan, {**parts, **self._parts})

    def of_plan(self, plan: Plan) -> "Results":
        """Return these parts as what is known of another plan about the same item and target."""
        return Results(plan, self._parts)

    @property
    def vectors(self) -> TextVectors | None:
        """The vectors of a plan about many texts, once they are there."""
        return self._parts.get(VECTORS)

    @property
    def observation(self) -> Observation:
        """The forward pass that predicts.

        Raises:
            ExplainError: it is not there yet; see `observed`.
        """
        if not self.observed:
            raise ExplainError("The prediction is not computed yet.")
        return cast(Observation, self._parts[OBSERVATION])

    @property
    def observed(self) -> bool:
        """Whether the forward pass is there."""
        return OBSERVATION in self._parts

    @property
    def prediction(self) -> Prediction:
        return self.observation.prediction

    @property
    def maps(self) -> AttentionMaps:
        return self.observation.maps

    @property
    def target(self) -> Target | None:
        """The target, once it is known."""
        return self._parts.get(TARGET)

    @property
    def decided_target(self) -> Target:
        """The target.

        Raises:
            ExplainError: it is not known yet.
        """
        if self.target is None:
            raise ExplainError("The target is not known yet.")
        return self.target

    def answer(self, analysis: Analysis[Any, ResultType]) -> ResultType | None:
        """Return the result of an analysis; None where it is not there yet."""
        return cast(ResultType | None, self._parts.get(analysis))

    def required(self, analysis: Analysis[Any, ResultType]) -> ResultType:
        """Return the result of an analysis.

        Raises:
            ExplainError: it is not there yet.
        """
        answer = self.answer(analysis)
        if answer is None:
            raise ExplainError(f"{analysis.title} is not computed yet.")
        return answer

    def attribution(self, method: Method) -> Attribution | None:
        """Return a method's attribution; None where it is not there yet. It may be partial, see `is_partial`."""
        return self.answer(method)

    @property
    def attributions(self) -> tuple[Attribution, ...]:
        """The attributions that are there, in the plan's order."""
        return tuple(part for method in self.plan.methods if (part := self.attribution(method)) is not None)

    @property
    def phrases(self) -> tuple[Phrase, ...] | None:
        """The key phrases; None if they are not computed yet, or not in the plan."""
        search = self.plan.phrases
        ranked = None if search is None else self.answer(search)
        return None if ranked is None else ranked.phrases

    @property
    def empty_text(self) -> EmptyText | None:
        """The model's answer to the text without its words; None where it is not computed.

        It is computed for key phrases, and where a target that is read at words has heatmaps.
        """
        search = self.plan.phrases
        ranked = None if search is None else self.answer(search)
        return cast(EmptyText | None, self._parts.get(EMPTY_TEXT)) if ranked is None else ranked.empty_text

    def tests(self, method: Method) -> tuple[MetricResult, ...] | None:
        """Return the tests of a method's attribution; None if they are not computed yet, or not in the plan."""
        for tests in self.plan.tests:
            if tests.method == method:
                tested = self.answer(tests)
                return None if tested is None else tested.metrics
        return None

    @property
    def metrics(self) -> tuple[MetricResult, ...]:
        """All tests that are there, in the order of methods."""
        return tuple(metric for method in self.plan.methods for metric in self.tests(method) or ())

    def of_type(self, kind: type[Analysis[Any, ResultType]]) -> tuple[ResultType, ...]:
        """Return the results of all analyses of a class that are there."""
        answers = (self.answer(analysis) for analysis in self.plan.analyses if isinstance(analysis, kind))
        return tuple(answer for answer in answers if answer is not None)

    @property
    def complete(self) -> bool:
        """Whether every part is there, and none is partial."""
        begun = self.vectors is not None or (self.observed and self.target is not None)
        return begun and self.has(self.plan.analyses)

    def has(self, analyses: Iterable[Analysis[Any, Any]]) -> bool:
        """Whether the results of some analyses are there, whole."""
        parts = [self._parts.get(analysis) for analysis in analyses]
        return not any(part is None or is_partial(part) for part in parts)


def is_partial(part: Any) -> bool:
    """Whether a result is an intermediate one, shown while the rest is computed."""
    return bool(getattr(part, "partial", False))


__all__ = ["EMPTY_TEXT", "OBSERVATION", "TARGET", "VECTORS", "KeyPhrases", "MethodTests", "Results", "is_partial"]
