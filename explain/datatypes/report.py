"""One text explained, and the record of its model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from explain.datatypes.arrays import freeze_mapping
from explain.datatypes.attention import AttentionEdge
from explain.datatypes.attribution import Attribution, EmptyText, Phrase
from explain.datatypes.evaluation import MetricResult, Rationale
from explain.datatypes.pairs import SimilarityMatrix
from explain.datatypes.prediction import Prediction, Target


@dataclass(frozen=True)
class ModelRecord:
    """Which model it was, so that another machine can tell whether it has the same one.

    `weight_sha256` is of the tensors' files, `settings_sha256` of configuration, labels and vocabulary, `files_sha256`
    of every file that decides besides the weights, by name: "" in records of earlier versions.
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
class Report:
    """One text explained: all that is shown, and all that recomputing it needs.

    `created` and the attributions' `seconds` are no part of what a replay compares. `rationale` is a reader's, or None.
    `test_settings` say how `metrics` were found: "orders", "seed", and "metrics" with their settings by name.
    `similarity` is there where two texts were compared, `empty_text` where key phrases were searched for.
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
    similarity: SimilarityMatrix | None = None
    empty_text: EmptyText | None = None

    def __post_init__(self) -> None:
        freeze_mapping(self, "test_settings")
        for name in ("attributions", "phrases", "metrics", "edges"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        freeze_mapping(self, "versions")
        freeze_mapping(self, "phrase_settings")

    def attribution(self, method: str) -> Attribution:
        """The attribution by one method.

        Raises:
            KeyError: the report holds none by that method.
        """
        for attribution in self.attributions:
            if attribution.method == method:
                return attribution
        raise KeyError(f"No {method!r} in this report; it has: {', '.join(a.method for a in self.attributions)}.")
