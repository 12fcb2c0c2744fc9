"""The kinds that one file, or another distribution, can add: a sentence and the smallest base class of each.

    >>> for kind in KINDS: print(kind.group, kind.base_name)
    explain.methods GradientMethod
    explain.metrics RemovalMetric
    explain.tasks LabelTask
    explain.views View
    explain.analyses TextAnalysis
    explain.families Family

`docs/adding.md` is written from this list. Nothing here imports torch.
"""

import importlib
from dataclasses import dataclass
from typing import Any

from explain.core.registry import Extension, extensions


@dataclass(frozen=True)
class Kind:
    """One kind of entry.

    Attributes:
        group: of entry points, such as "explain.methods".
        noun: what an entry is called, "method".
        base: the smallest class to subclass, or to make an instance of, as "module:class".
        registry: the registry that takes it, as "module:name".
        sentence: what is to be written, in one sentence.
    """

    group: str
    noun: str
    base: str
    registry: str
    sentence: str

    @property
    def base_name(self) -> str:
        """The base class without its module."""
        return self.base.partition(":")[2]

    def load_base(self) -> type[Any]:
        """Import the base class."""
        return _load(self.base)

    def load_registry(self) -> Any:
        """Import the registry."""
        return _load(self.registry)


def _load(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


KINDS = (
    Kind(
        "explain.methods",
        "method",
        "explain.methods.base:GradientMethod",
        "explain.methods.base:METHODS",
        "Scores for the words of a text: one function, from word embeddings and the target's gradient to scores.",
    ),
    Kind(
        "explain.metrics",
        "metric",
        "explain.metrics.base:RemovalMetric",
        "explain.metrics.base:METRICS",
        "A test of an explanation: how many words are removed or kept, and the figure that follows from the outputs.",
    ),
    Kind(
        "explain.tasks",
        "task",
        "explain.tasks.base:LabelTask",
        "explain.tasks.base:TASKS",
        "What a model's head decides: the class of transformers that loads it, and the labels that it fits.",
    ),
    Kind(
        "explain.views",
        "view",
        "explain.views.base:View",
        "explain.views.base:VIEWS",
        "A picture of results of one type: their data as JSON, and a script that draws them.",
    ),
    Kind(
        "explain.analyses",
        "analysis",
        "explain.models.analysis:TextAnalysis",
        "explain.analyses.base:ANALYSES",
        "A question about a text and a target, with a frozen dataclass as its result.",
    ),
    Kind(
        "explain.families",
        "family",
        "explain.models.families:Family",
        "explain.models.families:FAMILIES",
        "A family of models: what differs from BERT where the package has to know.",
    ),
)

__all__ = ["KINDS", "Extension", "Kind", "extensions"]
