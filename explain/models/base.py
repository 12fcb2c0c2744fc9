"""What a text model offers the rest of the package; nothing beyond this line knows transformers.

A `TextModel` is stateless and safe from several threads: no mode, hook or attribute of it is switched while it works.
Tensors stay between models, methods and metrics; results are NumPy.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from explain.core.deprecated import old_name
from explain.core.errors import ModelError, SettingError, TextError
from explain.core.meter import Meter
from explain.datatypes import AttentionMaps, Cut, ModelRecord, Neuron, Prediction, Target, Tokens
from explain.models.post_norm import PostNormLayer
from explain.models.row_head import RowHead
from explain.models.target_module import TargetModule
from explain.models.text_vectors import ReadTexts
from explain.tasks.base import Head, Raw, Task
from explain.text.removal import Variant, keep_only, remove
from explain.text.units import Units

BASELINES = {
    "mask": "every word piece is the mask token",
    "pad": "every word piece is the padding token",
    "unk": "every word piece is the unknown token",
    "zero": "every word embedding is zero",
}


# What a model may offer, and what is said of one that does not.
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
    "vectors_moved": "gives no vectors of texts that could be differentiated along a way",
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
    """What rows gave: the target's value (B,), and what each decides (B,): equal numbers mean equal decisions."""

    values: npt.NDArray[np.float64]
    decisions: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Decision:
    """What one row gave, and what that decides, by name.

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
    """One forward pass, looked at: what was predicted and who looked at whom."""

    prediction: Prediction
    maps: AttentionMaps


@dataclass(frozen=True, eq=False)
class Trace:
    """One forward pass, kept whole; float32 tensors.

    Attributes:
        prediction: what came out.
        weights (L, H, T, T): attention, row = looks, column = is looked at.
        queries, keys, values (L, H, T, D/H): not scaled.
        states (L + 1, T, D): what enters the first layer, then what each layer gives.
    """

    prediction: Prediction
    weights: Tensor
    queries: Tensor
    keys: Tensor
    values: Tensor
    states: Tensor


@dataclass(frozen=True, eq=False)
class AttentionGradients:
    """The target, differentiated at every attention weight: value, weights and gradients (L, H, T, T)."""

    value: float
    weights: Tensor
    gradients: Tensor


@dataclass(frozen=True, eq=False)
class Inside:
    """One forward and one backward pass, seen inside; float32 tensors, gradients in the target's unit per unit.

    Attributes:
        value: the target's.
        states (L + 1, T, D): what enters the first layer, then what each layer gives. Where layers begin with a norm,
            as in ModernBERT and GPT-2, the last one is what the model's last norm makes of it, which the head reads.
        state_gradients (L + 1, T, D): the target's gradient there, through all that later layers make of it.
        neurons, neuron_gradients (L, T, F): the same of what enters the second map of each feed-forward part.
    """

    value: float
    states: Tensor
    state_gradients: Tensor
    neurons: Tensor
    neuron_gradients: Tensor


SeeNeurons = Callable[[Sequence[int], int, Tensor], None]


class TextModel(ABC):
    """A model that reads texts, with its task, tokenizer and record.

    Members marked `final` are computed from the others; these a model serves, and a wrapper forwards.

    Attributes:
        name: how a user asks for it.
        record: which weights it is.
        task, head: what it decides.
        max_tokens: longest input it reads, special tokens included.
        mask_id, pad_id, unk_id: ids of those tokens, or None where the vocabulary has none.
        layers, heads: of its attention.
        neurons: in each layer's feed-forward part; 0 where they can't be seen.
        offers: what methods may need of it, see `CAPABILITIES`.
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
    neurons: int = 0
    capabilities: frozenset[str] = frozenset()
    scripts: tuple[str, ...] | None = None

    @final
    @property
    def texts(self) -> tuple[str, ...]:
        """What the texts are called that it reads."""
        return self.head.texts or self.task.texts

    @final
    @property
    def text_names(self) -> tuple[str, ...]:
        """What the two texts of an encoding are called; empty where there need not be two, and they have no names."""
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

    @abstractmethod
    def scores(self, rows: Sequence[Row], meter: Meter | None = None) -> Scores:
        """Run rows, one forward each, in chunks of about 2048 positions; results in the order given."""

    @abstractmethod
    def decide(self, row: Row, meter: Meter | None = None) -> Decision:
        """Run one row, and name what it decides: exactly one forward pass."""

    @abstractmethod
    def word_embeddings(self, tokens: Tokens) -> Tensor:
        """The rows of the word embedding (T, D) that are added to positions and segments."""

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

    @abstractmethod
    def values(self, tokens: Tokens, target: Target, points: Tensor, meter: Meter | None = None) -> Tensor:
        """The target at word embeddings (B, T, D), as in `gradients` but forward only: (B,)."""

    @abstractmethod
    def chunks(self, count: int, length: int) -> int:
        """In how many chunks so many sequences of one length are run."""

    @abstractmethod
    def rows_read(self, tokens: Tokens, target: Target) -> npt.NDArray[np.float64]:
        """How the head weighs the last layer's rows (T,), summing to 1: [CLS] alone, a mean, or the target's tokens."""

    @final
    def require(self, requires: Iterable[str]) -> None:
        """Make sure that the model offers what a method needs.

        Raises:
            ModelError: it does not; the message says why.
        """
        for need in sorted(requires):
            if need not in self.capabilities:
                raise self._lacks(need)

    # What only models built of transformers offer; each has to be asked for in `needs`.

    def trace(self, tokens: Tokens, meter: Meter | None = None) -> Trace:
        """Keep all of one forward pass ("trace")."""
        raise self._lacks("trace")

    def attention_gradients(self, tokens: Tokens, target: Target, meter: Meter | None = None) -> AttentionGradients:
        """Differentiate the target at the attention weights: one forward and one backward pass ("attention_gradients").

        The gradient is the whole one: through all that later layers make of a weight.
        """
        raise self._lacks("attention_gradients")

    def cut_scores(
        self, tokens: Tokens, target: Target, cuts: Sequence[Sequence[Cut]], meter: Meter | None = None
    ) -> Scores:
        """Run a text with attention weights cut out, one forward for each set of cuts ("cuts")."""
        raise self._lacks("cuts")

    def inside(self, tokens: Tokens, target: Target, meter: Meter | None = None) -> Inside:
        """States and neurons of every layer, and the target's gradient at each: one forward and one backward pass
        ("neurons")."""
        raise self._lacks("neurons")

    def watch_neurons(self, texts: Sequence[Tokens], see: SeeNeurons, meter: Meter | None = None) -> None:
        """Show the neurons of many texts while they are computed, one forward pass each ("neurons").

        Args:
            see: told the numbers of some texts (B), a layer, and its neurons (B, T, F), layer after layer; what stands
                behind the end of a shorter text is padding. The tensor is the model's: it is not to be kept or changed.
        """
        raise self._lacks("neurons")

    def silenced_scores(
        self, tokens: Tokens, target: Target, sets: Sequence[Sequence[Neuron]], meter: Meter | None = None
    ) -> Scores:
        """Run a text with neurons set to zero, one forward pass for each set of them ("neurons")."""
        raise self._lacks("neurons")

    def vectors_moved(
        self, tokens: Tokens, points: Tensor, ways: Tensor, meter: Meter | None = None
    ) -> tuple[Tensor, Tensor]:
        """Two texts' vectors at word embeddings, and how they change along a way there ("vectors_moved").

        The texts are read apart, so a way that moves a token of each tells what either does to its own text's vector.

        Args:
            points, ways (B, T, D): word embeddings in place of the text's own, and the ways they move.

        Returns:
            Vectors of length 1, and their derivatives: each (B, 2, E). Counted as one forward and one backward pass.
        """
        raise self._lacks("vectors_moved")

    def own_module(self, tokens: Tokens, target: Target, meter: Meter | None = None) -> TargetModule:
        """A module that gives the target at word embeddings, as in `values`, for the caller alone ("activations").

        Hooks may be put on it, and every activation in it is a module that runs once. Nothing else may be changed: its
        weights are the model's. It counts forward passes; backward ones are the caller's to count.
        """
        raise self._lacks("activations")

    def randomized(self, layers: int, seed: int) -> "TextModel":
        """A copy whose head and last `layers` layers are as before any training ("random_layers")."""
        raise self._lacks("random_layers")

    def text_vectors(self, texts: Sequence[str], pooling: str = "mean", meter: Meter | None = None) -> ReadTexts:
        """A vector of each text, read by itself: one forward pass each, in batches of like length.

        Args:
            pooling: "mean", "cls", "max", "last_four", "layer:N" or "lstm"; see `explain.models.pooling`.

        Raises:
            SettingError: a pooling that this model does not have.
            ModelError: it gives no vectors.
        """
        raise ModelError(f"{self.name} ({self.record.architecture}) gives no vectors of texts. Use another model.")

    @property
    def longest_text(self) -> int:
        """Most pieces that are read of a text that becomes a vector by itself, special tokens included."""
        return self.max_tokens

    @property
    def poolings(self) -> tuple[str, ...]:
        """The names of `explain.models.pooling.POOLINGS` that it offers, the one it was trained with first."""
        return ()

    @property
    def post_norm(self) -> tuple[PostNormLayer, ...]:
        """The parts of its layers ("post_norm")."""
        raise self._lacks("post_norm")

    @property
    def row_head(self) -> RowHead:
        """Its head, to be read on rows of any layer ("head_on_states")."""
        raise self._lacks("head_on_states")

    @final
    def read_states(self, states: Tensor, places: Sequence[int]) -> Raw:
        """What the head says of states (N, T, D), read at some tokens, or at the first row where there are none."""
        if not places:
            return {"logits": self.row_head(states[:, 0])}
        return {"rows": self.row_head(states[:, list(places)])}

    @final
    def places_read(self, tokens: Tokens, target: Target) -> tuple[int, ...]:
        """The tokens whose rows a target's number depends on; none where the head speaks of the whole input."""
        return (*target.positions, *self.task.beside(tokens, target, self.head))

    def _lacks(self, need: str) -> ModelError:
        return ModelError(f"{self.name} ({self.record.architecture}) {CAPABILITIES[need]}. Use another method.")

    @final
    def value(self, prediction: Prediction, target: Target) -> float:
        """The target's value in a prediction: what was served."""
        return self.task.value(prediction, target, self.head)

    @final
    def removed(self, tokens: Tokens, unit: Sequence[int], operator: str, target: Target) -> Row:
        """A row with a set of tokens taken out; what the target reads stays."""
        return Row(
            tokens,
            remove(
                tokens,
                unit,
                operator,
                mask_id=self.mask_id,
                unk_id=self.unk_id,
                protected=target.held,
            ),
            target,
        )

    @final
    def only(self, tokens: Tokens, unit: Sequence[int], operator: str, target: Target) -> Row:
        """A row with everything taken out but a set of tokens."""
        return Row(
            tokens,
            keep_only(
                tokens,
                unit,
                operator,
                mask_id=self.mask_id,
                unk_id=self.unk_id,
                protected=target.held,
            ),
            target,
        )

    @final
    def removable(self, tokens: Tokens, target: Target) -> npt.NDArray[np.int64]:
        """Indices of the tokens that may be taken out: the user's own, less those the target reads."""
        return np.setdiff1d(tokens.ordinary, np.asarray(target.held, dtype=np.int64))

    @final
    def removable_units(self, tokens: Tokens, target: Target, units: Iterable[Sequence[int]]) -> Units:
        """What of some units may be taken out; units of which nothing may are left out."""
        free = set(self.removable(tokens, target).tolist())
        cut = (tuple(token for token in unit if token in free) for unit in units)
        return tuple(unit for unit in cut if unit)

    @final
    def operator(self, asked: str) -> str:
        """The operator meant: "auto" is the mask token where the vocabulary has one, else hiding from attention."""
        if asked != "auto":
            return asked
        return "mask" if self.mask_id is not None else "attention_off"

    @final
    def baselines(self) -> tuple[str, ...]:
        """The kinds of `BASELINES` that the vocabulary has tokens for."""
        return tuple(kind for kind in BASELINES if kind == "zero" or self._filler(kind) is not None)

    @final
    def default_baseline(self) -> str:
        """ "mask" where the vocabulary has a mask token, else "pad", else "zero"."""
        return next(kind for kind in ("mask", "pad", "zero") if kind in self.baselines())

    @final
    def baseline(self, tokens: Tokens, target: Target, kind: str, within: Iterable[int] | None = None) -> Tensor:
        """Word embeddings of the empty text (T, D): every removable token replaced, all others as they are.

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
        """The word embedding (D,) of one vocabulary entry."""


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
    """The row of the last layer that a head of single rows is read at: the target's position, else the first."""
    return target.positions[0] if target.positions else 0


__getattr__ = partial(old_name, __name__)
