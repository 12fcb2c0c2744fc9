"""The last layer at one row, for heads that read [CLS] alone.

A classification head of BERT's kind reads row 0 of the last layer. Its queries, its output projection and its whole
feed-forward part are needed at that row only; keys and values at all. That saves (1 - 1/6)/L of an encoder's work (14 %
for six layers) and changes no number beyond rounding. Where a probe watches, the last layer's queries are computed at
every row, for the map; its output and feed-forward part are not.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from explain.models.families import Family
from explain.models.probe import KeepMaps, is_watched, probed_attention, probing
from explain.models.row_head import RowHead


def can_trim(module: PreTrainedModel, family: Family) -> bool:
    """Whether the module is built of BERT's layers, post-norm, without chunking or cross-attention."""
    if not family.body or not hasattr(module, family.body):
        return False
    config = module.config
    return (
        config.num_hidden_layers > 0
        and not getattr(config, "chunk_size_feed_forward", 0)
        and not getattr(config, "is_decoder", False)
        and not getattr(config, "add_cross_attention", False)
    )


def trimmed_logits(
    module: PreTrainedModel, family: Family, head: RowHead, inputs: Mapping[str, Tensor], attended: Tensor | None
) -> Tensor:
    """Logits (B, C) of a head that reads row 0, the last layer computed at that row.

    Args:
        module: a model that `can_trim`; head: its head.
        inputs: `input_ids (B, T)` or `inputs_embeds (B, T, D)`, `position_ids`, `token_type_ids`: for its embeddings.
        attended (B, T): False where attention may not look; None: everywhere it may.
    """
    body = getattr(module, family.body)
    hidden = body.embeddings(**inputs)
    if hasattr(body, "embeddings_project"):
        hidden = body.embeddings_project(hidden)
    mask = None if attended is None else attended[:, None, None, :]  # (B, 1, 1, T)
    for layer in body.encoder.layer[:-1]:
        hidden = layer(hidden, mask)
    return head(_first_row(body.encoder.layer[-1], hidden, mask)[:, 0])


def _first_row(layer: Any, hidden: Tensor, mask: Tensor | None) -> Tensor:
    attention = layer.attention.self
    batch = len(hidden)
    shape = (batch, -1, attention.num_attention_heads, attention.attention_head_size)
    first = hidden[:, :1]
    watched = is_watched()
    query = attention.query(hidden if watched else first).view(shape).transpose(1, 2)  # (B, H, T or 1, D/H)
    key = attention.key(hidden).view(shape).transpose(1, 2)  # (B, H, T, D/H)
    value = attention.value(hidden).view(shape).transpose(1, 2)
    if watched:
        context, _ = probed_attention(attention, query, key, value, mask, scaling=attention.scaling)  # (B, T, H, D/H)
    else:
        context = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=attention.scaling)
        context = context.transpose(1, 2)
    attended = layer.attention.output(context[:, :1].reshape(batch, 1, -1), first)
    return layer.output(layer.intermediate(attended), attended)


def largest_difference(
    module: PreTrainedModel, family: Family, head: RowHead, inputs: Mapping[str, Tensor], attended: Tensor | None
) -> float:
    """Return how far the trimmed logits are from the plain ones, for the check when a model is loaded."""
    with torch.inference_mode():
        mask = None if attended is None else attended.long()
        plain = module(**inputs, attention_mask=mask).logits
        trimmed = trimmed_logits(module, family, head, inputs, attended)
        with probing(KeepMaps()):
            watched = trimmed_logits(module, family, head, inputs, attended)
        return max(float((logits - plain).abs().max()) for logits in (trimmed, watched))
