"""Toy models with known answers, and checks that every method, task, view and metric must pass.

    from explain.testing import METHOD_CHECKS, TOY_MODELS

    for check in METHOD_CHECKS:
        check(MyMethod(), TOY_MODELS["linear"])

The toys are whole `TextModel`s of a few numbers, for which integrated gradients, occlusion and rollout have closed
forms. Trained BERTs whose deciding words are known are in `explain.testing.planted_models`, and the precision of a
method on them in `explain.evaluation.ground_truth`:

    from explain.testing import planted, precision

    print(precision(MyMethod(), planted("pair")).mean)
"""

import importlib
from typing import TYPE_CHECKING, Any

from explain.testing.checks import (
    METHOD_CHECKS,
    check_analysis,
    check_batching,
    check_completeness,
    check_cost,
    check_metric,
    check_record,
    check_repeatable,
    check_served_score,
    check_shape,
    check_stops,
    check_task,
    check_view,
    check_words,
)
from explain.testing.planted_models import SHORTCUTS, Planted, PlantedText, planted
from explain.testing.toys import (
    CLS,
    MASK,
    PAD,
    SEP,
    TEXTS,
    TOY_MODELS,
    UNK,
    VOCABULARY,
    AnswerModel,
    CurvedModel,
    JudgingModel,
    LinearModel,
    MaskedModel,
    NearModel,
    NoGradientModel,
    PlantedModel,
    SequelModel,
    TaggingModel,
    ToyClassifier,
    ToyModel,
    ToyVocabulary,
    WritingModel,
    default_item,
    texts_for,
    uniform_rollout,
)

__all__ = [
    "CLS",
    "MASK",
    "METHOD_CHECKS",
    "PAD",
    "SEP",
    "SHORTCUTS",
    "TEXTS",
    "TOY_MODELS",
    "UNK",
    "VOCABULARY",
    "AnswerModel",
    "CurvedModel",
    "JudgingModel",
    "LinearModel",
    "MaskedModel",
    "NearModel",
    "NoGradientModel",
    "Planted",
    "PlantedModel",
    "PlantedText",
    "Precision",
    "SequelModel",
    "TaggingModel",
    "ToyClassifier",
    "ToyModel",
    "ToyVocabulary",
    "WritingModel",
    "check_analysis",
    "check_batching",
    "check_completeness",
    "check_cost",
    "check_metric",
    "check_record",
    "check_repeatable",
    "check_served_score",
    "check_shape",
    "check_stops",
    "check_task",
    "check_view",
    "check_words",
    "default_item",
    "highest",
    "planted",
    "precision",
    "precision_at_k",
    "texts_for",
    "uniform_rollout",
]

if TYPE_CHECKING:
    from explain.evaluation.ground_truth import Precision, highest, precision, precision_at_k

# `evaluation` imports the planted models, so its names are loaded on first use.
_IN_GROUND_TRUTH = ("Precision", "highest", "precision", "precision_at_k")


def __getattr__(name: str) -> Any:
    if name in _IN_GROUND_TRUTH:
        return getattr(importlib.import_module("explain.evaluation.ground_truth"), name)
    raise AttributeError(f"module 'explain.testing' has no attribute {name!r}")
