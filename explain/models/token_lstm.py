"""An LSTM over the rows of a text's tokens: the trained part of the pooling "mean + LSTM".

    vector = mean over tokens t of [forward LSTM at t ; backward LSTM at t]

It reads the last layer's rows in their order, both ways, each way half as wide as a row (Hochreiter and Schmidhuber
1997; Schuster and Paliwal 1997). Only the mean behind it makes one vector of a text, as without it.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from transformers import BertConfig, BertModel
from transformers.modeling_outputs import BaseModelOutputWithPoolingAndCrossAttentions


class TokenLSTM(nn.Module):
    """Rows in, rows of the same width out.

    Args:
        width: of a row; even.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=()):  # what is drawn after it is what would be drawn without it
            self.cells = nn.LSTM(width, width // 2, batch_first=True, bidirectional=True)

    def forward(self, rows: Tensor, kept: Tensor) -> Tensor:
        """Read the rows that are kept (B, T), one after the other, as if there were no others.

        Args:
            rows (B, T, D).

        Returns:
            Rows (B, T, D) in float32, at their own places; zero where nothing is kept.
        """
        front = (~kept).sort(dim=1, stable=True).indices[..., None].expand_as(rows)  # those kept first, in their order
        lengths = kept.sum(dim=1).clamp(min=1).cpu()
        with torch.autocast(rows.device.type, enabled=False):
            packed = pack_padded_sequence(
                rows.gather(1, front).float(), lengths, batch_first=True, enforce_sorted=False
            )
            read, _ = pad_packed_sequence(self.cells(packed)[0], batch_first=True, total_length=rows.shape[1])
        return torch.zeros_like(read).scatter(1, front, read) * kept[..., None]


class BertWithLSTM(BertModel):
    """BERT whose last layer is read by a `TokenLSTM`: its `last_hidden_state` is what that gives."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config, add_pooling_layer=False)
        self.lstm = TokenLSTM(config.hidden_size)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        if not started_anew(module):
            super()._init_weights(module)

    def forward(
        self, input_ids: Tensor | None = None, attention_mask: Tensor | None = None, **inputs: Any
    ) -> BaseModelOutputWithPoolingAndCrossAttentions:
        output = super().forward(input_ids=input_ids, attention_mask=attention_mask, **inputs)
        rows = output.last_hidden_state
        output.last_hidden_state = self.lstm(rows, kept_rows(rows, attention_mask))
        return output


def kept_rows(rows: Tensor, attention_mask: Tensor | None) -> Tensor:
    """Return which rows (B, T, D) are tokens and no padding: (B, T)."""
    if attention_mask is None:
        return torch.ones(rows.shape[:2], dtype=torch.bool, device=rows.device)
    return attention_mask.bool()


def started_anew(module: nn.Module) -> bool:
    """Draw an LSTM's weights, which transformers doesn't know how to; tells whether it was one.

    All other weights of a seed are drawn as they are without it, so that models with and without it can be compared.
    """
    if isinstance(module, nn.LSTM):
        with torch.random.fork_rng(devices=()):
            module.reset_parameters()
    return isinstance(module, nn.LSTM)
