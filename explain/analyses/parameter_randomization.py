"""Does a method look at what the model learned? Its scores before and after the model's weights are drawn anew.

Cascading randomization: the head, then the head and some of the last layers, then all layers
(Adebayo et al. 2018, https://arxiv.org/abs/1810.03292, section 4.1). Scores that stay as they are do not depend on what
was learned there. It is a test of a method on a model, not of one text: measured once, on fixed texts, kept on disk and
cited.
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
from explain.methods.base import Method
from explain.models.base import TextModel
from explain.models.loading.folder_checks import read_json
from explain.numerics.agreement import agreement
from explain.numerics.statistics import mean_and_half_width
from explain.text.units import scores_of

_Floats = npt.NDArray[np.float64]

SEEDS = 5
FILE = "randomization.json"  # beside the weights of a shipped model


def measure(model: TextModel, method: Method, meter: Meter | None = None, *, texts: int = 32) -> Randomization:
    """Measure a method on a model: an attribution of each text, and another of each at every stage.

    Each text meets one of the seeds, so that the interval over texts holds the scatter of both.

    Raises:
        ModelError: the model's layers can't be drawn anew, or it does not offer what the method needs.
    """
    model.require({"random_layers", *method.requires})
    items = [item for number in range(min(texts, len(REFERENCE_TEXTS))) if (item := _item(model, number))]
    own = [_scores(model, method, item, meter) for item in items]
    stages = _stages(model)
    correlations = np.empty((len(stages), len(items)))
    for row, layers in enumerate(stages):
        for seed in range(SEEDS):
            drawn = model.randomized(layers, seed)
            for number in range(seed, len(items), SEEDS):
                again = _scores(drawn, method, items[number], meter)
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
        texts=len(items),
        seeds=SEEDS,
        undefined=tuple(np.isnan(correlations).sum(axis=1).tolist()),
    )


def cost(model: TextModel, method: Method) -> int:
    """Most passes that `measure` takes."""
    texts = [model.encode(*_texts(model, number)) for number in range(len(REFERENCE_TEXTS))]
    return (1 + len(_stages(model))) * sum(method.cost(tokens) + method.arithmetic(tokens) for tokens in texts)


def known(model: TextModel, method: Method) -> Randomization | None:
    """What was measured before, here or by those who ship the model."""
    for path in (weights_folder() / model.name / FILE, _kept(model.record.weight_sha256)):
        found = _read(path).get(_key(model.task.name, method.name, setting_values(method)))
        if isinstance(found, dict) and found.get("weight_sha256") == model.record.weight_sha256:
            with contextlib.suppress(RecordError):  # it may lie beside a stranger's weights
                return decode(Randomization, found, FILE)
    return None


def keep(found: Randomization, path: Path | None = None) -> None:
    """Write a measurement down; where nothing can be written, it is measured again another time."""
    path = path or _kept(found.weight_sha256)
    record = {part.name: _plain(getattr(found, part.name)) for part in dataclasses.fields(found)}
    whole = _read(path) | {_key(found.task, found.method, found.params): record}
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
    """How many layers are drawn anew besides the head: none, a third, two thirds, all."""
    return sorted({math.ceil(model.layers * part / 3) for part in range(4)})


def _texts(model: TextModel, number: int) -> tuple[str, ...]:
    """A reference text as a model's task has it: with a word to guess, behind a question, or with another text."""
    text = REFERENCE_TEXTS[number]
    if (
        model.head.vocabulary is not None and model.head.vocabulary.mask
    ):  # one word, the one in the middle, is to be guessed
        words = text.split()
        words[len(words) // 2] = model.head.vocabulary.mask
        return (" ".join(words),)
    if model.pair != "always":
        return (text,)
    if model.task.open_labels:  # what is asked for stands in the second text
        return "What is it about?", text
    return text, REFERENCE_TEXTS[(number + 1) % len(REFERENCE_TEXTS)]


def _item(model: TextModel, number: int) -> tuple[Tokens, Target] | None:
    """A reference text as a model reads it, and the target it decides for; None where it can't be read."""
    try:
        tokens = model.encode(*_texts(model, number))
        return tokens, model.task.target(model.predict(tokens), model.head)
    except ExplainError:
        return None


def _scores(model: TextModel, method: Method, item: tuple[Tokens, Target], meter: Meter | None) -> _Floats:
    words = model.removable_units(*item, item[0].word_units())
    return scores_of(method.attribute(model, *item, meter), words)


def _correlation(left: _Floats, right: _Floats, signed: bool) -> float:
    """The size of Spearman's correlation; NaN where it is undefined."""
    correlation = agreement(left, right, signed=signed)["spearman"]
    return math.nan if correlation is None else abs(correlation)


def _defined_mean(values: _Floats) -> tuple[float, float]:
    """The mean of the values (N,) that are defined, and the half-width of its 95 % interval; NaN: there is none."""
    defined = values[~np.isnan(values)]
    if not len(defined):
        return math.nan, math.nan
    mean, half_width = mean_and_half_width(defined)
    return float(mean), math.nan if half_width is None else float(half_width)


def _kept(weight_sha256: str) -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser() / "explain" / "randomization" / f"{weight_sha256}.json"


def _key(task: str, method: str, params: Mapping[str, Any]) -> str:
    """One encoder may have several heads: which task, which method, which settings."""
    settings = json.dumps(_effective(task, params), sort_keys=True)
    return f"{task} {method} {hashlib.sha256(settings.encode()).hexdigest()[:12]}"


def _effective(task: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Settings without `emptied` where all is emptied together, as it was before that could be set."""
    emptied = params.get("emptied", "together")
    in_turn = emptied == "in_turn" or (emptied == "auto" and task == "sentence_similarity")
    rest = {name: value for name, value in params.items() if name != "emptied"}
    return rest | ({"emptied": "in_turn"} if in_turn else {})


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_json(path)
    except ModelError:  # not there, or written by something else
        return {}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [None if math.isnan(number) else round(number, 5) for number in value.tolist()]
    if isinstance(value, Mapping):
        return dict(value)
    return value
