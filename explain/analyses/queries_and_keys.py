"""Queries and keys: the vectors whose dot products give the attention weights."""

from dataclasses import dataclass
from typing import ClassVar

from explain.analyses.base import ANALYSES, ExplainedText, TextAnalysis
from explain.core.meter import Meter
from explain.datatypes import AttentionVectors
from explain.models.base import TextModel


@ANALYSES.register("queries_and_keys")
@dataclass(frozen=True)
class QueriesAndKeys(TextAnalysis[AttentionVectors]):
    """Queries and keys of every layer and head: one forward pass."""

    name: ClassVar[str] = "queries_and_keys"
    title: ClassVar[str] = "Queries and keys"
    meaning: ClassVar[str] = "The vectors whose dot products give the attention weights."
    limits: ClassVar[str] = "They are not divided by the square root of their length."
    requires: ClassVar[frozenset[str]] = frozenset({"trace"})
    returns: ClassVar[type] = AttentionVectors

    def passes(self, model: TextModel, subject: ExplainedText) -> int:
        return 1

    def run(self, model: TextModel, subject: ExplainedText, meter: Meter | None = None) -> AttentionVectors:
        trace = model.attention.trace(subject.tokens, meter)
        return AttentionVectors(subject.tokens, trace.queries.numpy(), trace.keys.numpy())
