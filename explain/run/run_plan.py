"""The plan of a run over a data set: what is computed of each row, and the columns that a row leaves."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from explain.core.errors import SettingError
from explain.core.settings import setting_values
from explain.data.columns import Columns
from explain.datatypes import Attribution, MetricResult, Verdict
from explain.datatypes.encoding import encode
from explain.methods.base import Method
from explain.metrics.base import TrialSettings
from explain.text.phrases import PhraseSettings

# Judges an attribution, beside those of other methods, by the results of its tests; see `explain.evaluation.verdict`.
Judge = Callable[[Attribution, Sequence[Attribution], Sequence[MetricResult]], Verdict]
EMBEDDING = "embedding"  # the column of the text's vector
MOST_PROBABILITIES = 100  # labels up to which the probability of each is kept


@dataclass(frozen=True)
class RunPlan:
    """The methods, the search for phrases and the columns of a run, the same for each row.

    Attributes:
        methods: each once; none: predictions only.
        phrases: settings of the search for key phrases; None: no search.
        texts: whether texts and words are kept; else the hash of each text.
        columns: the roles of the data set's columns.
        labels: the model's label for each label of the data set that means one.
        tests: settings of the tests of each method's scores, which a verdict rests on; None: no tests.
        judge: gives the verdict from them; a function of a module, since it travels to other processes.
        embeddings: the pooling of the vector of each text that is kept, see `explain.models.pooling`; None: no vectors.

    Raises:
        SettingError: a method twice, or vectors of texts that are not to be kept.
    """

    methods: tuple[Method, ...] = ()
    phrases: PhraseSettings | None = None
    texts: bool = True
    columns: Columns = field(default_factory=Columns)
    labels: Mapping[str, str] = field(default_factory=dict)
    tests: TrialSettings | None = None
    judge: Judge | None = field(default=None, compare=False)
    embeddings: str | None = None

    def __post_init__(self) -> None:
        names = [method.name for method in self.methods]
        if repeated := {name for name in names if names.count(name) > 1}:
            raise SettingError(f"{', '.join(sorted(repeated))} is there twice. Name each method once.")
        if self.embeddings is not None and not self.texts:
            raise SettingError("The embedding of a text can give it away. Keep the texts, or leave the embeddings out.")

    def about(self) -> dict[str, Any]:
        """Return the plan as JSON values, for a manifest."""
        return {
            "methods": [
                {"name": method.name, "version": method.version, "settings": encode(setting_values(method))}
                for method in self.methods
            ],
            "phrases": None if self.phrases is None else encode(setting_values(self.phrases)),
            "tests": None if self.tests is None else _tests(self.tests),
            "texts": self.texts,
            "roles": _roles(self.columns),
            "labels": dict(self.labels),
            # only where there are some: a run that began before there were any goes on
            **({} if self.embeddings is None else {"embeddings": self.embeddings}),
        }

    def row_columns(self) -> dict[str, Any]:
        """Return the columns of a row with their types, in order."""
        columns: dict[str, Any] = {"id": str, "number": int, **dict.fromkeys(_TEXT_COLUMNS, str), "label": str}
        columns |= dict.fromkeys(map(group_column, self.columns.groups), str)
        columns |= _DECISION_COLUMNS
        if self.methods:
            columns |= {"words": list[str], "starts": list[int], "stops": list[int], "segments": list[int]}
        for method in self.methods:
            columns |= {column_of(kind, method.name): kept for kind, kept in METHOD_COLUMNS.items()}
            if self.tests is not None:
                columns |= {column_of(kind, method.name): kept for kind, kept in VERDICT_COLUMNS.items()}
        if self.phrases is not None:
            columns |= {"phrases": list[str], "phrase_scores": list[float], column_of("failed", "phrases"): str}
        if self.embeddings is not None:
            columns[EMBEDDING] = list[np.float32]
        return columns | {"weight": float, "error": str}


def labels_of(given: Iterable[str], served: Sequence[str]) -> dict[str, str]:
    """Return the model's label for each label of a data set: of the same name, or all by number, from 0.

    Labels that mean none are left out; rows with them are not counted as right or wrong.

    >>> labels_of(["POSITIVE", "neutral"], ["negative", "positive"])
    {'POSITIVE': 'positive'}
    >>> labels_of(["1", "0"], ["negative", "positive"])
    {'0': 'negative', '1': 'positive'}
    """
    by_name = {label.casefold(): label for label in served}
    named = {label: by_name[label.casefold()] for label in sorted(given) if label.casefold() in by_name}
    numbers = {str(number): label for number, label in enumerate(served)}
    if not named and (wanted := set(given)) and wanted <= numbers.keys():
        return {label: numbers[label] for label in sorted(wanted)}
    return named


def parted(label: str) -> tuple[str, ...]:
    """Return the labels of a cell of which several may hold: parted by "|" or, as members of a list are, by commas.

    >>> parted("joy|love"), parted("joy, love"), parted("")
    (('joy', 'love'), ('joy', 'love'), ())
    """
    return tuple(filter(None, re.split(r"\s*[|,]\s*", label.strip())))


_TEXT_COLUMNS = ("text", "text_pair", "text_sha256")
_DECISION_COLUMNS: Mapping[str, Any] = {
    "prediction": str,  # the decided label, or those decided each alone, parted by "|"
    "confidence": float,  # its probability, calibrated if the model is
    "probabilities": list[float],  # of each label, as the model gives them
    "correct": bool,  # whether the prediction is the label; None without a label
    "value": float,  # of a model that predicts a number
    "target": str,
    "position": int,  # the token that the model is read at
    "scale": str,
    "output": float,  # the target's value, in its unit
    "length": int,  # tokens that are read, special ones included
    "windows": int,
    "truncated": bool,
}
METHOD_COLUMNS: Mapping[str, Any] = {
    "scores": list[float],  # of each word, in the target's unit; None for a word that is never removed
    "errors": list[float],  # half-widths of 95 % intervals, where the method gives errors
    "rest": float,  # the sum of scores outside words, such as those of special tokens
    "baseline": float,  # the target's value for the method's reference input
    "gap": float,  # what the scores miss, in the target's unit
    "passes": int,
    "failed": str,  # why there are no scores
}

VERDICT_COLUMNS: Mapping[str, Any] = {
    "verdict": str,  # "green", "amber", "red", or "grey": too few words to tell
    "reason": str,  # the verdict in a sentence
    "facts": str,  # its numbers by name, as JSON
}


def column_of(kind: str, method: str) -> str:
    """Return the name of a method's column.

    >>> column_of("scores", "occlusion")
    'scores_occlusion'
    """
    return f"{kind}_{method}"


def group_column(name: str) -> str:
    """Return the name of the column of a group.

    >>> group_column("site")
    'group_site'
    """
    return f"group_{name}"


def _tests(tests: TrialSettings) -> dict[str, Any]:
    """Return the settings of tests as JSON values; with the order of the metrics, which share passes."""
    return {**tests.record, "order": list(tests.record["metrics"]), "versions": list(tests.versions)}


def tests_from(about: Mapping[str, Any]) -> TrialSettings:
    """Return the settings of tests that a manifest holds."""
    return TrialSettings.from_record({**about, "metrics": {name: about["metrics"][name] for name in about["order"]}})


def _roles(columns: Columns) -> dict[str, Any]:
    """Return the roles of columns as JSON values."""
    return {
        "text": columns.text,
        "text_pair": columns.text_pair,
        "label": columns.label,
        "id": columns.id,
        "groups": list(columns.groups),
    }
