"""Ask a transformer why it said that.

    import explain
    report = explain.explain("The film isn't good, but its cast saves it.", model="sentiment")

Names are loaded when they are first used: importing this package costs nothing, torch is read when a model is.
"""

import importlib
from typing import TYPE_CHECKING, Any

from explain.core import deprecated

if TYPE_CHECKING:
    from explain.analyses.base import ANALYSES
    from explain.api import ask, attention, compare, counterfactuals, embed, explain, run
    from explain.core.errors import ExplainError
    from explain.datatypes import AttentionMaps, Attribution, Comparison, Report
    from explain.evaluation.plausibility import plausibility
    from explain.library.library import Library
    from explain.methods.base import METHODS
    from explain.metrics.base import METRICS
    from explain.models.loading.catalogue import list_models, load_model
    from explain.report.comparison_record import comparison_from_json, to_json
    from explain.report.dataset_run import Run
    from explain.report.notebook import show
    from explain.report.record import from_json
    from explain.run.sample import Sample
    from explain.tasks.base import TASKS
    from explain.views.base import VIEWS

_HOME = {
    "ANALYSES": "explain.analyses.base",
    "METHODS": "explain.methods.base",
    "METRICS": "explain.metrics.base",
    "TASKS": "explain.tasks.base",
    "VIEWS": "explain.views.base",
    "AttentionMaps": "explain.datatypes",
    "Attribution": "explain.datatypes",
    "Comparison": "explain.datatypes",
    "ExplainError": "explain.core.errors",
    "Library": "explain.library.library",
    "Report": "explain.datatypes",
    "Run": "explain.report.dataset_run",
    "Sample": "explain.run.sample",
    "ask": "explain.api",
    "attention": "explain.api",
    "compare": "explain.api",
    "comparison_from_json": "explain.report.comparison_record",
    "counterfactuals": "explain.api",
    "embed": "explain.api",
    "explain": "explain.api",
    "from_json": "explain.report.record",
    "list_models": "explain.models.loading.catalogue",
    "load_model": "explain.models.loading.catalogue",
    "plausibility": "explain.evaluation.plausibility",
    "run": "explain.api",
    "show": "explain.report.notebook",
    "to_json": "explain.report.comparison_record",
}

__all__ = [
    "ANALYSES",
    "METHODS",
    "METRICS",
    "TASKS",
    "VIEWS",
    "AttentionMaps",
    "Attribution",
    "Comparison",
    "ExplainError",
    "Library",
    "Report",
    "Run",
    "Sample",
    "ask",
    "attention",
    "compare",
    "comparison_from_json",
    "counterfactuals",
    "embed",
    "explain",
    "from_json",
    "list_models",
    "load_model",
    "plausibility",
    "run",
    "show",
    "to_json",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'explain' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})


deprecated.install()
