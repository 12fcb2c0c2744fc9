"""Parameter randomization: a method's scores before and after the model's weights are randomized.

Cascading randomization: the head, then the head and some of the last layers, then all layers
(Adebayo et al. 2018, https://arxiv.org/abs/1810.03292, section 4.1). Scores that do not change do not depend on what
was learned there. It tests a method on a model, not on a text: it is measured once, on fixed texts, and kept on disk.
"""

import contextlib
import dataclasses
import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from explain.analyses.base import ANALYSES, METHOD, ModelAnalysis
from explain.core.errors import ExplainError, FileError, ModelError, RecordError
from explain.core.files import create_folder, write_file
from explain.core.installation import weights_folder
from explain.core.meter import Meter
from explain.core.settings import setting, setting_values
from explain.data.reference_texts import REFERENCE_TEXTS
from explain.datatypes import Randomization, Target, Tokens
from explain.datatypes.decoding import decode
from explain.methods.base import METHODS, Method
from explain.models.base import TextModel
from explain.models.loading.folder_checks import read_json
from explain.numerics.agreement import agreement
from explain.numerics.statistics import mean_and_half_width
from explain.text.units import scores_of

_Floats = npt.NDArray[np.float64]

SEEDS = 5
FILE = "randomization.json"  # beside the weights of a shipped model


def measure(model: TextModel, method: Method, meter: Meter | None = None, *, texts: int = 32) -> Randomization:
    """Measure a method on a model: attribute each text, and attribute it again at every stage.

    Each text has a single seed, so that the interval over texts covers the scatter of texts and seeds.

    Raises:
        ModelError: the model's layers can't be randomized, or it lacks a capability that the method requires.
    """
    model.require({"random_layers", *method.requires})
    subjects = [subject for number in range(min(texts, len(REFERENCE_TEXTS))) if (subject := _subject(model, number))]
    own = [_scores(model, method, *subject, meter) for subject in subjects]
    stages = _stages(model)
    correlations = np.empty((len(stages), len(subjects)))
    for row, layers in enumerate(stages):
        for seed in range(SEEDS):
            randomized = model.randomized(layers, seed)
            for number in range(seed, len(subjects), SEEDS):
                again = _scores(randomized, method, *subjects[number], meter)
                correlations[row, number] = _correlation(own[number], again, method.signed)
    draw = np.random.default_rng(0)
    chance = [_correlation(scores, draw.normal(size=len(scores)), method.signed) for scores in own for _ in range(20)]
    means, half_widths = zip(*(_defined_mean(of_stage) for of_stage in correlations))
    random, _ = _defined_mean(np.array(chance))
    return Randomization(
        method=method.name,
        params=setting_values(method),
        weight_sha256=model.record.weight_sha256,
        task=model.task.name,
        layers=tuple(stages),
        correlations=np.array(means),
        error=np.array(half_widths),
        chance=None if math.isnan(random) else random,
        texts=len(subjects),
        seeds=SEEDS,
        undefined=tuple(np.isnan(correlations).sum(axis=1).tolist()),
    )


def cost(model: TextModel, method: Method) -> int:
    """Return the most passes that `measure` takes."""
    texts = [model.encode(*_texts(model, number)) for number in range(len(REFERENCE_TEXTS))]
    return (1 + len(_stages(model))) * sum(method.cost(tokens) + method.arithmetic(tokens) for tokens in texts)


def known(model: TextModel, method: Method) -> Randomization | None:
    """Return an earlier measurement, of this machine or shipped with the model; None where there is none."""
    for path in (weights_folder() / model.name / FILE, _kept(model.record.weight_sha256)):
        record = _read(path).get(_key(model.task.name, method.name, setting_values(method)))
        if isinstance(record, dict) and record.get("weight_sha256") == model.record.weight_sha256:
            with contextlib.suppress(RecordError):  # the file may come with a stranger's weights
                return decode(Randomization, record, FILE)
    return None


def keep(randomization: Randomization, path: Path | None = None) -> None:
    """Store a measurement; if nothing can be written, it is measured again next time."""
    path = path or _kept(randomization.weight_sha256)
    record = {field.name: _plain(getattr(randomization, field.name)) for field in dataclasses.fields(randomization)}
    key = _key(randomization.task, randomization.method, randomization.params)
    whole = _read(path) | {key: record}
    with contextlib.suppress(FileError):
        create_folder(path.parent)
        write_file(path, json.dumps(whole, indent=1, sort_keys=True) + "\n")


@ANALYSES.register("parameter_randomization")
@dataclass(frozen=True)
class ParameterRandomization(ModelAnalysis[Randomization]):
    """A method's scores before and after randomization; measured once for a model and a method, and kept."""

    name: ClassVar[str] = "parameter_randomization"
    title: ClassVar[str] = "Sanity check: random weights"
    meaning: ClassVar[str] = "The rank correlation of a method's scores with those for a model of random weights."
    limits: ClassVar[str] = (
        "A low correlation does not show that the scores are right, only that they depend on training."
    )
    requires: ClassVar[frozenset[str]] = frozenset({"random_layers"})
    returns: ClassVar[type] = Randomization

    method: Method = setting(codec=METHOD, help="The method that is tested.")

    def passes(self, model: TextModel, subject: None = None) -> int:
        return 0 if known(model, self.method) else cost(model, self.method)

    def run(self, model: TextModel, subject: None = None, meter: Meter | None = None) -> Randomization:
        randomization = known(model, self.method)
        if randomization is None:
            randomization = measure(model, self.method, meter)
            keep(randomization)
        return randomization


def _stages(model: TextModel) -> list[int]:
    """Return the numbers of layers that are randomized besides the head: none, a third, two thirds, all."""
    return sorted({math.ceil(model.layers * part / 3) for part in range(4)})


def _texts(model: TextModel, number: int) -> tuple[str, ...]:
    """Return a reference text in the form of a model's task: with a mask, after a question, or with another text."""
    text = REFERENCE_TEXTS[number]
    if model.head.vocabulary is not None and model.head.vocabulary.mask:  # the word in the middle is masked
        words = text.split()
        words[len(words) // 2] = model.head.vocabulary.mask
        return (" ".join(words),)
    if model.pair != "always":
        return (text,)
    if model.task.open_labels:  # labels follow from the second text
        return "What is it about?", text
    return text, REFERENCE_TEXTS[(number + 1) % len(REFERENCE_TEXTS)]


def _subject(model: TextModel, number: int) -> tuple[Tokens, Target] | None:
    """Return a reference text's tokens and the decided target; None if the model can't read it."""
    try:
        tokens = model.encode(*_texts(model, number))
        return tokens, model.task.target(model.predict(tokens), model.head)
    except ExplainError:
        return None


def _scores(model: TextModel, method: Method, tokens: Tokens, target: Target, meter: Meter | None) -> _Floats:
    words = model.removable_units(tokens, target, tokens.word_units())
    return scores_of(method.attribute(model, tokens, target, meter), words)


def _correlation(left: _Floats, right: _Floats, signed: bool) -> float:
    """Return the size of Spearman's correlation; NaN where it is undefined."""
    correlation = agreement(left, right, signed=signed)["spearman"]
    return math.nan if correlation is None else abs(correlation)


def _defined_mean(values: _Floats) -> tuple[float, float]:
    """Return the mean of the defined values (N,) and the half-width of its 95 % interval; NaN where there is none."""
    defined = values[~np.isnan(values)]
    if not len(defined):
        return math.nan, math.nan
    mean, half_width = mean_and_half_width(defined)
    return float(mean), math.nan if half_width is None else float(half_width)


def _kept(weight_sha256: str) -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser() / "explain" / "randomization" / f"{weight_sha256}.json"


def _key(task: str, method: str, params: Mapping[str, Any]) -> str:
    """Return the key of a measurement by task, method, settings and versions: an encoder may have several heads."""
    settings = json.dumps(_effective(task, params), sort_keys=True)
    key = f"{task} {method} {hashlib.sha256(settings.encode()).hexdigest()[:12]}"
    versions = (ParameterRandomization.version, METHODS[method].version if method in METHODS else 1)
    return key if versions == (1, 1) else f"{key} versions {versions[0]} {versions[1]}"


def _effective(task: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings without `emptied` if texts are emptied together, as before that setting existed."""
    emptied = params.get("emptied", "together")
    in_turn = emptied == "in_turn" or (emptied == "auto" and task == "sentence_similarity")
    rest = {name: setting for name, setting in params.items() if name != "emptied"}
    return rest | ({"emptied": "in_turn"} if in_turn else {})


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_json(path)
    except ModelError:  # no such file, or not one of ours
        return {}


def _plain(content: Any) -> Any:
    if isinstance(content, np.ndarray):
        return [None if math.isnan(number) else number for number in content.tolist()]
    if isinstance(content, Mapping):
        return dict(content)
    return content
