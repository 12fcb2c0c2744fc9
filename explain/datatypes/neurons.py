"""Neurons: activations, the places of the highest ones, and effects of setting neurons to zero."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explain.core.display import Displayed
from explain.datatypes.arrays import BoolArray, FloatArray, check_finite, freeze_mapping, set_array
from explain.datatypes.prediction import Target
from explain.datatypes.tokens import Tokens


@dataclass(frozen=True)
class Neuron:
    """A neuron of a layer's feed-forward part, see `explain.models.neurons`; all counted from 0.

    Attributes:
        layer, number: its place; number None: every neuron of the layer.
        token: the token at which it is changed; None: every token.
    """

    layer: int
    number: int | None = None
    token: int | None = None

    def __str__(self) -> str:
        name = f"{self.layer}.{'all' if self.number is None else self.number}"
        return name if self.token is None else f"{name} at token {self.token}"


@dataclass(frozen=True, eq=False)
class NeuronActivity(Displayed):
    """Every neuron of every layer's feed-forward part at every token, see `explain.models.neurons`; float32.

    Attributes:
        activations (L, T, F): the output of each neuron.
        gradients (L, T, F): the change of the target for each unit of activation, through all later layers.
        output: the target's value for the text.
    """

    tokens: Tokens
    target: Target
    activations: FloatArray
    gradients: FloatArray
    output: float

    def __post_init__(self) -> None:
        for name in ("activations", "gradients"):
            array = np.asarray(getattr(self, name), dtype=np.float32)  # no copy: these are tens of megabytes
            if array.ndim != 3 or array.shape[1] != len(self.tokens) or array.shape != np.shape(self.activations):
                raise ValueError(
                    f"NeuronActivity.{name} has shape {array.shape}; expected (L, {len(self.tokens)}, F), as the "
                    "activations."
                )
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        check_finite(self, "activations", "gradients", "output")


@dataclass(frozen=True, eq=False)
class NeuronWords(Displayed):
    """The most active places of each neuron in a set of texts: at most one in a text, special tokens left out.

    Attributes:
        texts (N): the texts that were read; skipped: the number of texts that can't be read.
        numbers (N): the number of each text in the set, from 1; by default one after the other.
        partly: the number of texts that were read in part, since they are too long for the model.
        values (K, L, F): the highest activations, the highest first.
        lines, places (K, L, F): the text each is from, and its token there.
        means (L, F): mean activation over all tokens read; active (L, F): the share of tokens where it is above zero.
        seen: the number of tokens read.
        awaited: the number of texts still to be read, in an intermediate result.
    """

    texts: tuple[Tokens, ...]
    values: FloatArray
    lines: npt.NDArray[np.int32]
    places: npt.NDArray[np.int32]
    means: FloatArray
    active: FloatArray
    seen: int
    skipped: int = 0
    awaited: int = 0
    numbers: tuple[int, ...] = ()
    partly: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "texts", tuple(self.texts))
        object.__setattr__(self, "numbers", tuple(self.numbers) or tuple(range(1, len(self.texts) + 1)))
        set_array(self, "values", (None, None, None), np.float32)
        for name in ("lines", "places"):
            set_array(self, name, self.values.shape, np.int32)
        for name in ("means", "active"):
            set_array(self, name, self.values.shape[1:])
        check_finite(self, "values", "means", "active")

    @property
    def partial(self) -> bool:
        """Whether further texts are still to be read."""
        return self.awaited > 0

    def of(self, neuron: Neuron) -> tuple[tuple[int, int, float], ...]:
        """Return the places of one neuron: text, token, activation, the highest first."""
        arrays = (self.lines, self.places, self.values)
        columns = (array[:, neuron.layer, neuron.number].tolist() for array in arrays)
        return tuple(zip(*columns))


@dataclass(frozen=True, eq=False)
class NeuronEffects(Displayed):
    """The effect of setting neurons to zero on the target, beside forecasts by gradients and random controls.

    Effects are the target's value less its value then, in the unit of `target.scale`.

    Attributes:
        neurons (K): the neurons set to zero; effects (K,): of each alone; flips (K,): the decision changes.
        forecasts (K,): activation x gradient, summed over tokens: the effect to first order.
        together, together_flips: all of them at once; together_forecast: to first order, each place counted once.
        controls: effects (R,) of as many random others of the same layers, all at once, by the way they were drawn:
            "random", or "as active" (of about the same size of activation); empty if there are too few others.
        output: the target's value with nothing set to zero.
    """

    target: Target
    neurons: tuple[Neuron, ...]
    effects: FloatArray
    flips: BoolArray
    forecasts: FloatArray
    together: float
    together_flips: bool
    together_forecast: float
    controls: Mapping[str, FloatArray]
    output: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "neurons", tuple(self.neurons))
        count = len(self.neurons)
        set_array(self, "effects", (count,))
        set_array(self, "flips", (count,), np.bool_)
        set_array(self, "forecasts", (count,))
        check_finite(self, "effects", "forecasts", "together", "output")
        freeze_mapping(self, "controls")

    def beaten(self, control: str) -> int:
        """Return the number of draws that move the target less than the neurons do."""
        return int((np.abs(self.controls[control]) < abs(self.together)).sum())
