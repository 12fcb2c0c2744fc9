"""Neurons: activations, where they are highest, effects of setting them to zero."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explain.datatypes.arrays import BoolArray, FloatArray, check_finite, freeze_mapping, set_array
from explain.datatypes.prediction import Target
from explain.datatypes.tokens import Tokens


@dataclass(frozen=True)
class Neuron:
    """A neuron of a layer's feed-forward part, see `explain.models.neurons`; all counted from 0.

    Attributes:
        layer, number: which it is; number None: every neuron of the layer.
        token: the token it is meant at; None: at every one.
    """

    layer: int
    number: int | None = None
    token: int | None = None

    def __str__(self) -> str:
        name = f"{self.layer}.{'all' if self.number is None else self.number}"
        return name if self.token is None else f"{name} at token {self.token}"


@dataclass(frozen=True, eq=False)
class NeuronActivity:
    """Every neuron of every layer's feed-forward part at every token, see `explain.models.neurons`; float32.

    Attributes:
        activations (L, T, F): what each neuron gives.
        gradients (L, T, F): how far the target moves for each unit of that, through all that later layers make of it.
        output: the target's value for the text.
    """

    tokens: Tokens
    target: Target
    activations: FloatArray
    gradients: FloatArray
    output: float

    def __post_init__(self) -> None:
        for name in ("activations", "gradients"):
            value = np.asarray(getattr(self, name), dtype=np.float32)  # no copy: these are tens of megabytes
            if value.ndim != 3 or value.shape[1] != len(self.tokens) or value.shape != np.shape(self.activations):
                raise ValueError(
                    f"NeuronActivity.{name} has shape {value.shape}; expected (L, {len(self.tokens)}, F), as the "
                    "activations."
                )
            value.flags.writeable = False
            object.__setattr__(self, name, value)
        check_finite(self, "activations", "gradients", "output")


@dataclass(frozen=True, eq=False)
class NeuronWords:
    """Where in a set of texts each neuron gives most: at most one place in a text, special tokens left out.

    Attributes:
        texts (N): as they were read; skipped: how many of the set could not be.
        numbers (N): where in the set each stands, the first being 1; by default one after the other.
        partly: how many of the texts were read in part, as they are longer than the model reads at once.
        values (K, L, F): the highest activations, the highest first.
        lines, places (K, L, F): the text each is from, and its token there.
        means (L, F): mean activation over all tokens seen; active (L, F): the share of them where it is above zero.
        seen: how many tokens that were.
        awaited: texts that are still to be read; then this is what was found so far.
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
        """Whether texts are still to be read."""
        return self.awaited > 0

    def of(self, neuron: Neuron) -> tuple[tuple[int, int, float], ...]:
        """The places of one neuron: text, token, activation, the highest first."""
        columns = (one[:, neuron.layer, neuron.number].tolist() for one in (self.lines, self.places, self.values))
        return tuple(zip(*columns))


@dataclass(frozen=True, eq=False)
class NeuronEffects:
    """What setting neurons to zero does to the target, beside what their gradients forecast and what others do.

    Effects are the target's value less its value then, in the unit of `target.scale`.

    Attributes:
        neurons (K): what was set to zero; effects (K,): each alone; flips (K,): the model then decides otherwise.
        forecasts (K,): activation x gradient, summed over tokens: the effect to first order.
        together, together_flips: all of them at once; together_forecast: to first order, each place counted once.
        controls: effects (R,) of drawing as many others of the same layers, all at once, by how they were drawn:
            "random", or "as active" (of about the same size of activation); empty where there are too few others.
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
        """How many draws move the target less than the chosen neurons do."""
        return int((np.abs(self.controls[control]) < abs(self.together)).sum())
