"""States of each layer, and the head's readings of them."""

from dataclasses import dataclass

import numpy as np

from explain.core.display import Displayed
from explain.datatypes.arrays import FloatArray, check_finite, set_array
from explain.datatypes.prediction import Target
from explain.datatypes.tokens import Tokens


@dataclass(frozen=True, eq=False)
class LayerReadings(Displayed):
    """The head's reading of every layer; index 0 is the input of the first layer.

    Attributes:
        row: the row that the head reads.
        labels (C): the labels of `probabilities`; of a vocabulary the explained words and the last layer's likeliest.
        probabilities (L + 1, C): the head's probabilities for that row of each layer, or None if it can't read them.
        values (L + 1,): the target then, or None.
        words (L + 1) of (K): the likeliest words of a vocabulary then; empty if labels are few.
        shares (L + 1, K): their probabilities.
        temperature: the calibration constant of the logits, not applied to `probabilities`; None: there is none.
        exclusive: exactly one label is right.
        to_input (L + 1, T): cosine of each token's state with its own at the input.
        to_others (L + 1, T): mean cosine of each token's state with every other token's of the same layer.
    """

    tokens: Tokens
    target: Target
    labels: tuple[str, ...]
    to_input: FloatArray
    to_others: FloatArray
    probabilities: FloatArray | None = None
    values: FloatArray | None = None
    row: int = 0
    words: tuple[tuple[str, ...], ...] = ()
    shares: FloatArray | None = None
    temperature: float | None = None
    exclusive: bool = True

    def __post_init__(self) -> None:
        set_array(self, "to_input", (None, len(self.tokens)))
        layers = len(self.to_input)
        set_array(self, "to_others", (layers, len(self.tokens)))
        if self.probabilities is not None:
            set_array(self, "probabilities", (layers, len(self.labels)))
        if self.values is not None:
            set_array(self, "values", (layers,))
        if self.shares is not None:
            set_array(self, "shares", (layers, len(self.words[0])))
        check_finite(self, "to_input", "to_others", "probabilities", "values", "shares")


@dataclass(frozen=True, eq=False)
class LayerStates(Displayed):
    """Sizes of token states, the target's gradients there, and the states' similarity, layer by layer.

    Index 0 of the layers is the input of the first; if layers begin with a norm, the last is the output of the model's
    last norm.

    Attributes:
        norms (L + 1, T): Euclidean length of each state.
        gradient_norms (L + 1, T): length of the target's gradient there, in the target's unit per unit of length.
        products (L + 1, T): state x gradient, summed over dimensions, in the target's unit.
        similarity (T, L + 1, L + 1): cosine of a token's state at one layer with its state at another.
        output: the target's value for the text.
    """

    tokens: Tokens
    target: Target
    norms: FloatArray
    gradient_norms: FloatArray
    products: FloatArray
    similarity: FloatArray
    output: float

    def __post_init__(self) -> None:
        count = len(self.tokens)
        set_array(self, "norms", (None, count))
        layers = len(self.norms)
        set_array(self, "gradient_norms", (layers, count))
        set_array(self, "products", (layers, count))
        set_array(self, "similarity", (count, layers, layers))
        check_finite(self, "norms", "gradient_norms", "products", "similarity", "output")

    @property
    def to_input(self) -> FloatArray:
        """Cosine of each state with its own at the input (L + 1, T)."""
        return self.similarity[:, 0].T

    @property
    def to_previous(self) -> FloatArray:
        """Cosine of each state with its own one layer before (L + 1, T); 1 at the input, which has none before."""
        steps = np.diagonal(self.similarity, offset=1, axis1=1, axis2=2)  # (T, L)
        return np.concatenate([np.ones((1, len(self.tokens))), steps.T])
