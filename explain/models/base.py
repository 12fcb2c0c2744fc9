"""The interface of text models; nothing beyond this line knows transformers.

A `TextModel` is stateless and safe from several threads: no mode, hook or attribute of it is switched while it works.
Tensors stay between models, methods and metrics; results are NumPy.
"""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from explain.core.deprecated import old_name
from explain.core.errors import ModelError, SettingError, TextError
from explain.core.meter import Meter
from explain.datatypes import AttentionMaps, ModelRecord, Prediction, Target, Tokens
from explain.models.capabilities.attention import Attention
from explain.models.capabilities.neurons import Neurons
from explain.models.capabilities.vectors import Vectors
from explain.models.post_norm import PostNormLayer
from explain.models.row_head import RowHead
from explain.models.target_module import TargetModule
from explain.tasks.base import Head, Raw, Task
from explain.text.removal import Variant, keep_only, remove
from explain.text.units import Units

BASELINES = {
    "mask": "every word piece is the mask token",
    "pad": "every word piece is the padding token",
    "unk": "every word piece is the unknown token",
    "zero": "every word embedding is zero",
}


# Names of capabilities, and what a message says of a model that lacks one.
CAPABILITIES = {
    "gradients": "can't be run from word embeddings, so gradients there would explain another model",
    "attention": "shows no attention",
    "attention_gradients": "computes its attention in a way of its own, where it can't be differentiated",
    "trace": "computes its attention in a way of its own, so its queries, keys and values can't be seen",
    "cuts": "computes its attention in a way of its own, so nothing can be cut out of it",
    "post_norm": "is not built of layers that normalize after attention and after the feed-forward part, as BERT is",
    "activations": "calls activations as functions, or one module for several, so hooks can't tell them apart",
    "head_on_states": "has a head that can't be read on the states of its inner layers",
    "one_row": "decides by several places at once, so there is no one row of the last layer to take apart",
    "neurons": "computes its feed-forward parts in a way of its own, so their neurons can't be seen",
    "vectors": "gives no vectors of texts",
    "jvp": "gives no vectors of texts that can be differentiated along a direction",
    "label": "decides no label about a whole text, so no edit can change it",
    "random_layers": "has layers that share their weights, so they can't be drawn anew one after the other",
}


@dataclass(frozen=True, eq=False)
class Row:
    """One sequence to run: a variant of a text, and the target to read off it."""

    tokens: Tokens
    variant: Variant
    target: Target


@dataclass(frozen=True, eq=False)
class Scores:
    """Numbers of rows: the target's value (B,), and the decision (B,); equal numbers mean equal decisions."""

    values: npt.NDArray[np.float64]
    decisions: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Decision:
    """The target's value of one row, and its decision by name.

    Attributes:
        value, number: as in `Scores`.
        label, confidence: as in `EmptyText`.
    """

    value: float
    number: int
    label: str | None
    confidence: float | None


@dataclass(frozen=True, eq=False)
class Observation:
    """The prediction and the attention maps of one forward pass."""

    prediction: Prediction
    maps: AttentionMaps


@dataclass(frozen=True, eq=False)
class InputGradient:
    """A target, differentiated at a text's own word embeddings.

    Attributes:
        output: the target's number.
        points (T, D): the word embeddings.
        gradient (T, D): float32, in the unit of the target for each unit of an embedding.
    """

    output: float
    points: Tensor
    gradient: Tensor


class TextModel(ABC):
    """A model that reads texts, with its task, tokenizer and record.

    Members marked `final` are computed from the others; these a model serves, and a wrapper forwards.

    Attributes:
        name: how a user asks for it.
        record: which weights it is.
        task, head: what it decides.
        max_tokens: longest input it reads, special tokens included.
        mask_id, pad_id, unk_id: ids of those tokens, or None where the vocabulary has none.
        mask_text: the mask token as it is written in a text; empty where there is none.
        layers, heads: of its attention.
        capabilities: what methods may require of it, see `CAPABILITIES`.
        scripts: the scripts it was trained on ("Latin"), or None where nobody said.
    """

    name: str
    record: ModelRecord
    task: Task
    head: Head
    max_tokens: int
    mask_id: int | None
    pad_id: int | None
    unk_id: int | None
    layers: int
    heads: int
    mask_text: str = ""
    capabilities: frozenset[str] = frozenset()
    scripts: tuple[str, ...] | None = None

    @final
    @property
    def texts(self) -> tuple[str, ...]:
        """Names of the texts that it reads."""
        return self.head.texts or self.task.texts

    @final
    @property
    def text_names(self) -> tuple[str, ...]:
        """Names of the two texts of an encoding; empty where there need not be two, and they have no names."""
        return (self.head.texts or self.task.read_as or self.task.texts) if self.pair == "always" else ()

    @final
    @property
    def pair(self) -> str:
        """Whether it reads a second text: "never", "perhaps" or "always"."""
        return "always" if len(self.head.texts) == 2 else self.task.pair

    @abstractmethod
    def encode(self, text: str, text_pair: str | None = None) -> Tokens:
        """Encode as production does: `tokenizer(text, text_pair)`, truncated to `max_tokens`.

        Raises:
            TextError: empty, not Unicode, nothing the tokenizer can read, or a text too many or too few.
        """

    def windows(self, text: str, text_pair: str | None = None) -> tuple[Tokens, ...]:
        """Encode all of the texts: in one piece where they fit, or are cut off; else in windows that overlap.

        Raises:
            TextError: see `encode`, which gives the first window.
        """
        return (self.encode(text, text_pair),)

    @final
    def check_pair(self, text_pair: str | None) -> None:
        """Refuse a second text where there is to be none, and none where there is to be one.

        Raises:
            TextError: see above.
        """
        if self.pair == "always" and text_pair is None:
            first, second = (name.lower() for name in self.texts)
            raise TextError(f"{self.name} reads two texts, {first} and {second}: give the {second} too.")
        if self.pair == "never" and text_pair is not None:
            raise TextError(f"{self.name} reads one text ({self.task.title.lower()}): leave the second one away.")

    @abstractmethod
    def observe(self, tokens: Tokens, meter: Meter | None = None) -> Observation:
        """Predict and keep the attention maps: exactly one forward pass."""

    @abstractmethod
    def predict(self, tokens: Tokens, meter: Meter | None = None) -> Prediction:
        """Predict: exactly one forward pass."""

    def predict_each(self, texts: Sequence[Tokens], meter: Meter | None = None) -> list[Prediction]:
        """Predict each of some texts: a forward pass each, in batches of like length where the model can."""
        return [self.predict(tokens, meter) for tokens in texts]

    def observe_each(self, texts: Sequence[Tokens], meter: Meter | None = None) -> list[Observation]:
        """Observe each of some texts, as `predict_each` predicts them; the maps of all are held at once."""
        return [self.observe(tokens, meter) for tokens in texts]

    @abstractmethod
    def scores(self, rows: Sequence[Row], meter: Meter | None = None) -> Scores:
        """Run rows, one forward each, in chunks of about 2048 positions; results in the order given."""

    @abstractmethod
    def decide(self, row: Row, meter: Meter | None = None) -> Decision:
        """Run one row, and name what it decides: exactly one forward pass."""

    @abstractmethod
    def word_embeddings(self, tokens: Tokens) -> Tensor:
        """Return the rows of the word embedding (T, D) that are added to positions and segments."""

    @abstractmethod
    def gradients(
        self, tokens: Tokens, target: Target, points: Tensor, meter: Meter | None = None
    ) -> tuple[Tensor, Tensor]:
        """Differentiate the target at word embeddings, with positions, segments and mask held as they are.

        Args:
            points (B, T, D): word embeddings to put in place of the text's own.

        Returns:
            Values (B,) and gradients (B, T, D), float32, one forward and one backward pass each.

        Raises:
            ModelError: the model does not offer "gradients".
        """

    def gradients_each(
        self, targets: Sequence[tuple[Tokens, Target]], meter: Meter | None = None
    ) -> list[InputGradient]:
        """Differentiate the target of each text at its own word embeddings: one forward and one backward pass each, in
        batches of like length where the model can.

        Raises:
            ModelError: the model does not offer "gradients".
        """
        return [self._input_gradient(tokens, target, meter) for tokens, target in targets]

    @final
    def _input_gradient(self, tokens: Tokens, target: Target, meter: Meter | None) -> InputGradient:
        points = self.word_embeddings(tokens)
        values, gradients = self.gradients(tokens, target, points[None], meter)
        return InputGradient(float(values[0]), points, gradients[0])

    def predict_with_gradients(
        self, texts: Sequence[Tokens], target_of: Callable[[Prediction], Target], meter: Meter | None = None
    ) -> list[tuple[Prediction, Target, InputGradient]]:
        """Predict each of some texts, and differentiate the target that follows: with one forward pass for both where
        the model can.

        Args:
            target_of: the target to differentiate.

        Raises:
            ModelError: the model does not offer "gradients".
        """
        predictions = self.predict_each(texts, meter)
        targets = [target_of(prediction) for prediction in predictions]
        return list(zip(predictions, targets, self.gradients_each(list(zip(texts, targets)), meter)))

    @abstractmethod
    def values(self, tokens: Tokens, target: Target, points: Tensor, meter: Meter | None = None) -> Tensor:
        """Return the target at word embeddings (B, T, D), as in `gradients` but forward only: (B,)."""

    @abstractmethod
    def chunks(self, count: int, length: int) -> int:
        """Return in how many chunks so many sequences of one length are run."""

    @abstractmethod
    def rows_read(self, tokens: Tokens, target: Target) -> npt.NDArray[np.float64]:
        """Return the head's weights of the last layer's rows (T,), summing to 1: one row, all, or the target's."""

    @final
    def require(self, requires: Iterable[str]) -> None:
        """Check that the model has the capabilities a method requires.

        Raises:
            ModelError: one is missing; the message says why.
        """
        for need in sorted(requires):
            if need not in self.capabilities:
                raise self._lacking(need)

    # Only models built of transformers have these; each is an entry of `CAPABILITIES`, required by name.

    @property
    def attention(self) -> Attention:
        """Attention, kept, differentiated, and run with weights set to zero."""
        return Attention(self._lacking)

    @property
    def neurons(self) -> Neurons:
        """Neurons of the feed-forward parts."""
        return Neurons(self._lacking)

    @property
    def vectors(self) -> Vectors:
        """Vectors of texts."""
        return Vectors(self._lacking, self.max_tokens)

    def own_module(self, tokens: Tokens, target: Target, meter: Meter | None = None) -> TargetModule:
        """Return a module that gives the target at word embeddings, as in `values`, for the caller alone
        ("activations").

        Hooks may be put on it, and every activation in it is a module that runs once. Nothing else may be changed: its
        weights are the model's. It counts forward passes; the caller counts backward ones.
        """
        raise self._lacking("activations")

    def randomized(self, layers: int, seed: int) -> "TextModel":
        """Return a copy whose head and last `layers` layers are as before any training ("random_layers")."""
        raise self._lacking("random_layers")

    @property
    def post_norm(self) -> tuple[PostNormLayer, ...]:
        """The parts of its layers ("post_norm")."""
        raise self._lacking("post_norm")

    @property
    def row_head(self) -> RowHead:
        """Its head, to be read on rows of any layer ("head_on_states")."""
        raise self._lacking("head_on_states")

    @final
    def read_states(self, states: Tensor, places: Sequence[int]) -> Raw:
        """Return the head's numbers for states (N, T, D), read at some tokens, or else at the first row."""
        if not places:
            return {"logits": self.row_head(states[:, 0])}
        return {"rows": self.row_head(states[:, list(places)])}

    @final
    def places_read(self, tokens: Tokens, target: Target) -> tuple[int, ...]:
        """Return the tokens whose rows a target's number depends on; none where the head speaks of the whole input."""
        return (*target.positions, *self.task.normalizer_positions(tokens, target, self.head))

    if not TYPE_CHECKING:  # a type checker is to refuse the old names

        def __getattr__(self, name: str) -> object:
            return old_member(self, name)

    def _lacking(self, need: str) -> ModelError:
        other = "model" if need in ("vectors", "label") else "method"
        return ModelError(f"{self.name} ({self.record.architecture}) {CAPABILITIES[need]}. Use another {other}.")

    @final
    def value(self, prediction: Prediction, target: Target) -> float:
        """Return the target's value in a prediction, as it was served."""
        return self.task.value(prediction, target, self.head)

    @final
    def removed(self, tokens: Tokens, unit: Sequence[int], operator: str, target: Target) -> Row:
        """Return a row with a set of tokens removed; the target's protected tokens stay."""
        return Row(
            tokens,
            remove(
                tokens,
                unit,
                operator,
                mask_id=self.mask_id,
                unk_id=self.unk_id,
                protected=target.protected,
            ),
            target,
        )

    @final
    def only(self, tokens: Tokens, unit: Sequence[int], operator: str, target: Target) -> Row:
        """Return a row with everything removed but a set of tokens and the target's protected ones."""
        return Row(
            tokens,
            keep_only(
                tokens,
                unit,
                operator,
                mask_id=self.mask_id,
                unk_id=self.unk_id,
                protected=target.protected,
            ),
            target,
        )

    @final
    def removable(self, tokens: Tokens, target: Target) -> npt.NDArray[np.int64]:
        """Return the indices of the tokens that may be removed: the user's own, less the target's protected ones."""
        return np.setdiff1d(tokens.ordinary, np.asarray(target.protected, dtype=np.int64))

    @final
    def removable_units(self, tokens: Tokens, target: Target, units: Iterable[Sequence[int]]) -> Units:
        """Return the removable tokens of some units, without the units that have none."""
        free = set(self.removable(tokens, target).tolist())
        cut = (tuple(token for token in unit if token in free) for unit in units)
        return tuple(unit for unit in cut if unit)

    @final
    def operator(self, name: str) -> str:
        """Return an operator by name: "auto" is the mask token where there is one, else hiding from attention."""
        if name != "auto":
            return name
        return "mask" if self.mask_id is not None else "attention_off"

    @final
    def baselines(self) -> tuple[str, ...]:
        """Return the kinds of `BASELINES` that the vocabulary has tokens for."""
        return tuple(kind for kind in BASELINES if kind == "zero" or self._filler(kind) is not None)

    @final
    def default_baseline(self) -> str:
        """Return "mask" where the vocabulary has a mask token, else "pad", else "zero"."""
        return next(kind for kind in ("mask", "pad", "zero") if kind in self.baselines())

    @final
    def baseline(self, tokens: Tokens, target: Target, kind: str, within: Iterable[int] | None = None) -> Tensor:
        """Return word embeddings of the empty text (T, D): every removable token replaced, all others as they are.

        Args:
            within: the tokens of which the removable ones are replaced; None: all.

        Raises:
            SettingError: no such baseline, or one that needs a token the vocabulary does not have.
        """
        if kind not in BASELINES:
            raise SettingError(f"baseline is {kind!r}; expected one of {', '.join(BASELINES)}.")
        points = self.word_embeddings(tokens).clone()
        removable = self.removable(tokens, target)
        where = torch.from_numpy(
            removable if within is None else np.intersect1d(removable, np.array(list(within), dtype=np.int64))
        )
        if kind == "zero":
            points[where] = 0.0
            return points
        filler = self._filler(kind)
        if filler is None:
            raise SettingError(
                f"The baseline {kind!r} needs a token this model's vocabulary does not have; use baseline 'zero'."
            )
        points[where] = self.token_embedding(filler)
        return points

    def _filler(self, kind: str) -> int | None:
        return {"mask": self.mask_id, "pad": self.pad_id, "unk": self.unk_id}.get(kind)

    @abstractmethod
    def token_embedding(self, token_id: int) -> Tensor:
        """Return the word embedding (D,) of one vocabulary entry."""


# Members of earlier releases, and the member that each became.
_OLD_MEMBERS = {
    "trace": "attention.trace",
    "attention_gradients": "attention.gradients",
    "cut_scores": "attention.scores_with_ablation",
    "inside": "neurons.inside",
    "watch_neurons": "neurons.stream_activations",
    "silenced_scores": "neurons.scores_with_ablation",
    "text_vectors": "vectors.read",
    "longest_text": "vectors.longest_text",
    "poolings": "vectors.poolings",
    "vectors_moved": "vectors.jvp",
}


def old_member(model: TextModel, name: str) -> object:
    """Return what a member of an earlier release stands for, with a warning.

    Raises:
        AttributeError: models never had that member.
    """
    if name not in _OLD_MEMBERS:
        raise AttributeError(f"{type(model).__name__!r} object has no attribute {name!r}", name=name, obj=model)
    place = _OLD_MEMBERS[name]
    warnings.warn(f"model.{name} is now model.{place}; the old name goes with the next release.", DeprecationWarning, 3)
    return attrgetter(place)(model)


def served_by_models() -> frozenset[str]:
    """Return the names of the public members of `TextModel` that are not computed from others."""
    members = dict.fromkeys(TextModel.__annotations__) | vars(TextModel)
    return frozenset(n for n, member in members.items() if n[0] != "_" and not getattr(member, "__final__", False))


def check_same_score(explained: float, served: float, model: str) -> None:
    """Refuse to explain a score that is not the one the model serves.

    Raises:
        ModelError: the two differ by more than 1e-4 of their size.
    """
    if abs(explained - served) > 1e-4 * max(1.0, abs(served)):
        raise ModelError(
            f"{model}: run from embeddings, the model gives {explained:.6g}, but it serves {served:.6g}; "
            "an explanation of the first would not be one of the second. Please report this model's architecture."
        )


def read_row(target: Target) -> int:
    """Return the row of the last layer that a head of single rows is read at: the target's position, else the first."""
    return target.positions[0] if target.positions else 0


__getattr__ = partial(old_name, __name__)
