"""The package's datatypes: frozen dataclasses of read-only NumPy arrays and strings, shapes checked on construction.

Axis letters, fixed everywhere: B batch, L layers, H heads, T tokens, U units, W words, D hidden, C classes, K steps or
fractions, P positions a head reads. All indices begin at zero. Scales (what a score measures): "log_odds", "logit",
"probability", "log_probability", "logit_difference", "similarity", "value"; an attribution may also measure a "share",
non-negative and summing to 1. Log-odds are in nats.
"""

from functools import partial

from explain.core.deprecated import old_name
from explain.core.display import Displayed
from explain.core.meter import Passes
from explain.datatypes.arrays import BoolArray, FloatArray, IntArray
from explain.datatypes.attention import (
    AttentionEdge,
    AttentionMaps,
    AttentionVectors,
    Cut,
    CutEffects,
    HeadEffects,
    HeadFigures,
    LayerWeightMaps,
)
from explain.datatypes.attribution import GRANULARITIES, Attribution, EmptyText, KeyPhraseList, Phrase
from explain.datatypes.comparison import COMPARED, AlignedWords, ComparedAnswers, ComparedScores, Comparison
from explain.datatypes.counterfactuals import Counterfactual, CounterfactualList, TextEdit
from explain.datatypes.evaluation import (
    CHECK_STATES,
    QUARTILES,
    VERDICT_COLORS,
    Check,
    MetricResult,
    Plausibility,
    Randomization,
    Rationale,
    TestResults,
    Verdict,
)
from explain.datatypes.history import HistoryEntry, HistoryList
from explain.datatypes.layers import LayerReadings, LayerStates
from explain.datatypes.neurons import Neuron, NeuronActivity, NeuronEffects, NeuronWords
from explain.datatypes.pairs import PairInteractions, SimilarityMatrix
from explain.datatypes.prediction import NO_ANSWER, TARGET_SCALES, Output, PredictedSpan, Prediction, Target
from explain.datatypes.report import Answer, ModelRecord, Report
from explain.datatypes.tokens import Tokens
from explain.datatypes.vectors import Ranking, TextClusters, TextMap, TextMatrix, TextVectors
from explain.datatypes.word_edits import WordEdit, WordEditList

__all__ = [
    "CHECK_STATES",
    "COMPARED",
    "GRANULARITIES",
    "NO_ANSWER",
    "QUARTILES",
    "TARGET_SCALES",
    "VERDICT_COLORS",
    "AlignedWords",
    "Answer",
    "AttentionEdge",
    "AttentionMaps",
    "AttentionVectors",
    "Attribution",
    "BoolArray",
    "Check",
    "ComparedAnswers",
    "ComparedScores",
    "Comparison",
    "Counterfactual",
    "CounterfactualList",
    "Cut",
    "CutEffects",
    "Displayed",
    "EmptyText",
    "FloatArray",
    "HeadEffects",
    "HeadFigures",
    "HistoryEntry",
    "HistoryList",
    "IntArray",
    "KeyPhraseList",
    "LayerReadings",
    "LayerStates",
    "LayerWeightMaps",
    "MetricResult",
    "ModelRecord",
    "Neuron",
    "NeuronActivity",
    "NeuronEffects",
    "NeuronWords",
    "Output",
    "PairInteractions",
    "Passes",
    "Phrase",
    "Plausibility",
    "PredictedSpan",
    "Prediction",
    "Randomization",
    "Ranking",
    "Rationale",
    "Report",
    "SimilarityMatrix",
    "Target",
    "TestResults",
    "TextClusters",
    "TextEdit",
    "TextMap",
    "TextMatrix",
    "TextVectors",
    "Tokens",
    "Verdict",
    "WordEdit",
    "WordEditList",
]

__getattr__ = partial(old_name, __name__)
