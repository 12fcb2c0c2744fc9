"""Ask a transformer why it said that.

    import explain
    report = explain.explain("The film isn't good, but its cast saves it.", model="sentiment")

Names are loaded when they are first used: importing this package costs nothing, torch is read when a model is.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explain.datatypes import AttentionMaps, Attribution, Report
    from explain.embeddings.work import embed
    from explain.errors import ExplainError
    from explain.methods.base import METHODS
    from explain.metrics.base import METRICS
    from explain.models.catalogue import list_models, load_model
    from explain.pipeline import ask, attention, explain
    from explain.rationale import plausibility
    from explain.replay import from_json, to_json
    from explain.tasks.base import TASKS
    from explain.views.base import VIEWS

_HOME = {
    "METHODS": "explain.methods.base",
    "METRICS": "explain.metrics.base",
    "TASKS": "explain.tasks.base",
    "VIEWS": "explain.views.base",
    "AttentionMaps": "explain.datatypes",
    "Attribution": "explain.datatypes",
    "ExplainError": "explain.errors",
    "Report": "explain.datatypes",
    "ask": "explain.pipeline",
    "attention": "explain.pipeline",
    "embed": "explain.embeddings.work",
    "explain": "explain.pipeline",
    "from_json": "explain.replay",
    "list_models": "explain.models.catalogue",
    "load_model": "explain.models.catalogue",
    "plausibility": "explain.rationale",
    "to_json": "explain.replay",
}

__all__ = [
    "METHODS",
    "METRICS",
    "TASKS",
    "VIEWS",
    "AttentionMaps",
    "Attribution",
    "ExplainError",
    "Report",
    "ask",
    "attention",
    "embed",
    "explain",
    "from_json",
    "list_models",
    "load_model",
    "plausibility",
    "to_json",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'explain' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
