"""The report of an explained text, and the record of its model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from explain.core.display import Displayed
from explain.datatypes.arrays import freeze_mapping
from explain.datatypes.attention import AttentionEdge
from explain.datatypes.attribution import Attribution, EmptyText, Phrase
from explain.datatypes.evaluation import MetricResult, Rationale
from explain.datatypes.pairs import SimilarityMatrix
from explain.datatypes.prediction import Prediction, Target


@dataclass(frozen=True)
class ModelRecord:
    """The identity of a model, by which another machine can tell whether it has the same one.

    `weight_sha256` is the hash of the tensors' files, `settings_sha256` of configuration, labels and vocabulary,
    `files_sha256` of every other file that affects predictions, by name: "" in records of earlier versions.
    """

    id: str
    revision: str
    weight_sha256: str
    settings_sha256: str
    architecture: str
    parameters: int
    layers: int
    heads: int
    hidden: int
    vocabulary: int
    task: str
    files_sha256: str = ""


@dataclass(frozen=True, eq=False)
class Answer(Displayed):
    """The result of an analysis, with the settings to recompute it.

    Attributes:
        analysis: the registry's name; settings: as JSON values.
        result: a datatype, of the type that the analysis returns.
    """

    analysis: str
    settings: Mapping[str, Any]
    result: Any

    def __post_init__(self) -> None:
        freeze_mapping(self, "settings")


@dataclass(frozen=True, eq=False)
class Report(Displayed):
    """An explained text: everything that is shown, and everything needed to recompute it.

    A replay does not compare `created` and the attributions' `seconds`.

    Attributes:
        test_settings: of `metrics`: "orders", "seed", and "metrics" with their settings by name.
        empty_text: the model's answer without any word but those that the target is read at; of key phrases, or where
            such a target has attributions. `output` of an attribution minus its `value` is what the rest explains.
        answers: results of further analyses.
        arithmetic: the version of each method, metric and analysis, by name.
        rationale: the words that a reader finds decisive, or None.
    """

    schema: str
    created: str
    text: str
    text_pair: str | None
    model: ModelRecord
    prediction: Prediction
    target: Target
    attributions: tuple[Attribution, ...]
    phrases: tuple[Phrase, ...]
    phrase_settings: Mapping[str, Any]
    metrics: tuple[MetricResult, ...]
    edges: tuple[AttentionEdge, ...]
    versions: Mapping[str, str]
    seed: int
    rationale: Rationale | None = None
    test_settings: Mapping[str, Any] = field(default_factory=dict)
    empty_text: EmptyText | None = None
    answers: tuple[Answer, ...] = ()
    arithmetic: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        freeze_mapping(self, "test_settings")
        for name in ("attributions", "phrases", "metrics", "edges", "answers"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        freeze_mapping(self, "arithmetic")
        freeze_mapping(self, "versions")
        freeze_mapping(self, "phrase_settings")

    def attribution(self, method: str) -> Attribution:
        """Return the attribution by a method.

        Raises:
            KeyError: the report holds none by that method.
        """
        for attribution in self.attributions:
            if attribution.method == method:
                return attribution
        raise KeyError(f"No {method!r} in this report; it has: {', '.join(a.method for a in self.attributions)}.")

    def answer(self, analysis: str) -> Any:
        """Return the result of an analysis by name, the first if there are several; None where there is none."""
        return next((answer.result for answer in self.answers if answer.analysis == analysis), None)

    @property
    def similarity(self) -> SimilarityMatrix | None:
        """The contributions of pairs of words to two texts' similarity; None if texts were not compared."""
        return self.answer("similarity")
