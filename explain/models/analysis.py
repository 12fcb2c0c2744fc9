"""Analyses: what can be computed with a model about one text, about many texts, or about the model alone.

An analysis is a frozen dataclass whose fields are its settings, so it is its own key in caches and records. Attribution
methods and metrics are special kinds: they have registries and contract suites of their own.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from explain.core.meter import Meter
from explain.core.settings import check_settings, setting_values, settings_of
from explain.datatypes import Target, TextVectors, Tokens
from explain.models.base import TextModel

SubjectType = TypeVar("SubjectType", contravariant=True)
ResultType = TypeVar("ResultType", covariant=True)

TEXT, TEXTS, MODEL = "text", "texts", "model"


@dataclass(frozen=True)
class ExplainedText:
    """One text as a model reads it, and the number that is explained."""

    tokens: Tokens
    target: Target

    @classmethod
    def untargeted(cls, tokens: Tokens) -> "ExplainedText":
        """Return a text without a target, to count passes of: how many there are depends on the tokens alone."""
        return cls(tokens, Target("", "", 0))


class Checkpoint(Protocol):
    """The place where stopped work leaves its state, for the same work to continue."""

    def take(self) -> Any | None:
        """Take the state out, so that no two pieces of work change it at once; None where there is none."""

    def leave(self, state: Any) -> None:
        """Leave the state."""


class Analysis(ABC, Generic[SubjectType, ResultType]):
    """Base of all analyses; subclass `TextAnalysis`, `VectorAnalysis` or `ModelAnalysis`.

    Class attributes:
        name, title: the registry's name, and a reader's.
        meaning: one line: what the result says; limits: what it does not say.
        version: raised when the arithmetic changes; part of keys and records.
        requires: the capabilities that a model must have, see `explain.models.base.CAPABILITIES`.
        subject: what it is about: "text", "texts" or "model".
        returns: the type of its result, a frozen dataclass of `explain.datatypes`.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    meaning: ClassVar[str]
    limits: ClassVar[str] = ""
    version: ClassVar[int] = 1
    requires: ClassVar[frozenset[str]] = frozenset()
    subject: ClassVar[str]
    returns: ClassVar[type]

    def __post_init__(self) -> None:
        check_settings(self)

    @property
    def key(self) -> tuple[str, tuple[int, ...], "Analysis[SubjectType, ResultType]"]:
        """Name, versions and settings: equal keys on one subject mean equal results."""
        return self.name, self.versions, self

    @property
    def versions(self) -> tuple[int, ...]:
        """Its version, then those of the methods and metrics among its settings."""
        parts = (getattr(self, setting.name) for setting in settings_of(self))
        return self.version, *(version for part in parts for version in getattr(part, "versions", ()))

    @property
    def settings(self) -> Mapping[str, Any]:
        """Return the settings by name, as JSON values."""
        return setting_values(self)

    @abstractmethod
    def passes(self, model: TextModel, subject: SubjectType) -> int:
        """Return the most passes that `run` takes, and steps of arithmetic that take as long."""

    @abstractmethod
    def run(self, model: TextModel, subject: SubjectType, meter: Meter | None = None) -> ResultType:
        """Compute the result.

        Raises:
            ModelError: the model lacks a capability; ExplainError: a setting that does not fit the model or the text.
        """

    def resume(self, model: TextModel, subject: SubjectType, meter: Meter | None, checkpoint: Checkpoint) -> ResultType:
        """Compute the result; an analysis that can be stopped and continued begins at the checkpoint."""
        return self.run(model, subject, meter)


class TextAnalysis(Analysis[ExplainedText, ResultType]):
    """An analysis of one text and target."""

    subject: ClassVar[str] = TEXT


class VectorAnalysis(Analysis[TextVectors, ResultType]):
    """An analysis of the vectors of many texts."""

    subject: ClassVar[str] = TEXTS


class ModelAnalysis(Analysis[None, ResultType]):
    """An analysis of a model, whatever the text."""

    subject: ClassVar[str] = MODEL
