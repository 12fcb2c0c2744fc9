"""Pooling: the rows of a text's tokens become one vector.

    mean    the mean over all tokens, special ones included, padding not, as sentence-transformers takes it
    first   the row of the first token ([CLS])
    max     the largest value of each number over the same tokens

of the last layer, or of the mean of some layers' states. With an LSTM, the mean is of what that gives for the tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from explain.core.errors import SettingError
from explain.models.token_lstm import TokenLSTM

POOLINGS = {  # as users name them; "layer:3" stands for any layer
    "mean": "Mean of all tokens",
    "cls": "First token, [CLS]",
    "max": "Maximum over the tokens",
    "last_four": "Mean of the last four layers",
    "layer": "Mean of one layer",
    "lstm": "Mean + LSTM, trained",
}


@dataclass(frozen=True)
class Pooling:
    """A rule by which a text's rows become its vector.

    Attributes:
        kind: "mean", "first" or "max".
        layers: whose states are averaged before, from 0; None: the last layer's, as the model gives them out.
        lstm: what reads the rows before the mean is taken, or None.
    """

    kind: str = "mean"
    layers: tuple[int, ...] | None = None
    lstm: TokenLSTM | None = None

    def weights(self, text_of: Tensor, attended: Tensor, text: int) -> Tensor:
        """Return the weight of each row in a text's vector: (B, T), rows summing to 1.

        What an LSTM gives is counted alike everywhere too, though each of its rows holds something of the others. A
        maximum has no such weights.
        """
        return self._weights((text_of == text) & attended)

    def _weights(self, mine: Tensor) -> Tensor:
        if self.kind == "first":
            mine = mine & (mine.cumsum(dim=1) == 1)
        return mine / mine.sum(dim=1, keepdim=True).clamp(min=1)

    def vectors(self, rows: Tensor, text_of: Tensor, attended: Tensor, text: int) -> Tensor:
        """Return a text's vectors (B, D) from the last layer's rows (B, T, D)."""
        return self.of(rows, (text_of == text) & attended)

    def of(self, rows: Tensor, mine: Tensor) -> Tensor:
        """Return vectors (B, D) of the rows (B, T, D) that are a text's own (B, T)."""
        if self.kind == "max":
            return rows.masked_fill(~mine[..., None], float("-inf")).amax(dim=1)
        if self.lstm is not None:
            rows = self.lstm(rows, mine)
        return torch.einsum("bt,btd->bd", self._weights(mine).to(rows.dtype), rows)

    def rows(self, last: Tensor, states: Sequence[Tensor] | None) -> Tensor:
        """Return the rows that are pooled: (B, T, D).

        Args:
            last (B, T, D): what the model gives out; states: what enters the first layer, then what each layer gives.
        """
        if self.layers is None or states is None:
            return last
        # Where a norm comes after the last layer (ModernBERT, GPT-2), the last layer's state is taken behind it.
        layer_states = [*states[1:-1], last]
        return torch.stack([layer_states[layer] for layer in self.layers]).mean(dim=0)


def pooling_named(name: str, layers: int, lstm: TokenLSTM | None = None) -> Pooling:
    """Return a pooling by the name that users give it.

    Args:
        name: "mean", "cls", "max", "last_four", "layer:N" (from 0) or "lstm".
        layers: how many the model has; lstm: the one that was trained with it, if any.

    Raises:
        SettingError: no such pooling, no such layer, or no LSTM.
    """
    kind, _, number = name.partition(":")
    if kind == "layer":
        if not number.isdecimal() or len(number) > 4 or int(number) >= layers:
            raise SettingError(f"The pooling is {name!r}; this model has the layers layer:0 to layer:{layers - 1}.")
        return Pooling("mean", (int(number),))
    if name == "last_four":
        return Pooling("mean", tuple(range(max(0, layers - 4), layers)))
    if name == "lstm":
        if lstm is None:
            raise SettingError(
                "This model came without an LSTM for its vectors. One is trained by python -m "
                "explain.training.finetune --task similarity --pooling lstm; or take the pooling mean."
            )
        return Pooling(lstm=lstm)
    kinds = {"mean": "mean", "cls": "first", "max": "max"}
    if name not in kinds:
        raise SettingError(f"The pooling is {name!r}; expected mean, cls, max, last_four, layer:N or lstm.")
    return Pooling(kinds[name])
