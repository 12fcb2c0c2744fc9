"""Two texts as one input: an encoder that reads each by itself, and the cosine of their sentence vectors.

Both texts stand in one sequence, and attention is let through within each text only; positions begin anew with the
second. An encoder mixes tokens nowhere but in attention, so the vectors are those of two separate calls, while
everything that works on one sequence (paths, removal, attention maps, rollout) works on both texts at once.

    f(a) . f(b) / (|f(a)| |f(b)|),   f: a text's vector, see explain.models.pooling
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput, SequenceClassifierOutput

from explain.core.errors import ModelError
from explain.models.families import FAMILIES
from explain.models.pooling import Pooling


class SentencePair(nn.Module):
    """An encoder of transformers with the cosine of two sentence vectors for a head; `logits` are (B, 1).

    Raises:
        ModelError: a family that takes no mask of who may look at whom.
    """

    def __init__(self, encoder: PreTrainedModel, pooling: Pooling) -> None:
        super().__init__()
        if not FAMILIES[encoder.config.model_type].masked:
            raise ModelError(
                f"Models of the family {encoder.config.model_type!r} can't read two texts apart: they take no mask of "
                "who may look at whom. Use another encoder."
            )
        self.encoder, self.pooling = encoder, pooling
        self.lstm = pooling.lstm  # a part of this module, so that it is frozen, checked and counted with it
        self.config = encoder.config

    @property
    def base_model(self) -> PreTrainedModel:
        return self.encoder

    def get_input_embeddings(self) -> nn.Module:
        return self.encoder.get_input_embeddings()

    def forward(self, text_of: Tensor | None = None, **inputs: Any) -> SequenceClassifierOutput:
        """Run both texts; arguments as in `vectors`."""
        vectors, output = self._run(text_of, **inputs)
        return SequenceClassifierOutput(
            logits=torch.cosine_similarity(vectors[:, 0], vectors[:, 1], dim=-1)[:, None],
            hidden_states=output.get("hidden_states"),
            attentions=output.get("attentions"),
        )

    def vectors(self, text_of: Tensor, **inputs: Any) -> Tensor:
        """Return the two texts' vectors: (B, 2, D).

        Args:
            text_of (B, T): 0 or 1, whose token each is; -1 for padding.
            attention_mask (B, T): 0 where attention may not look; such rows count for no vector either.
            inputs: what else the encoder takes.
        """
        return self._run(text_of, **inputs)[0]

    def _run(
        self, text_of: Tensor | None, attention_mask: Tensor | None = None, **inputs: Any
    ) -> tuple[Tensor, BaseModelOutput]:
        assert text_of is not None
        attended = (text_of >= 0) if attention_mask is None else (text_of >= 0) & attention_mask.bool()
        allowed = (text_of[:, :, None] == text_of[:, None, :]) & attended[:, None, :]
        output = self.encoder(**inputs, attention_mask=self._mask(allowed[:, None]))
        both = [self.pooling.vectors(output[0], text_of, attended, text) for text in (0, 1)]
        return torch.stack(both, dim=1), output

    def _mask(self, allowed: Tensor) -> Any:
        """Return who may look at whom (B, 1, T, T), as the family takes it."""
        if FAMILIES[self.config.model_type].sliding_window:  # one mask for each kind of layer
            places = torch.arange(allowed.shape[-1], device=allowed.device)
            near = (places[:, None] - places).abs() <= self.config.sliding_window
            return {"full_attention": allowed, "sliding_attention": allowed & near}
        if self.config._attn_implementation == "eager":  # added to the scores, not chosen by
            nothing = torch.zeros(allowed.shape, device=allowed.device)
            return nothing.masked_fill(~allowed, torch.finfo(torch.float32).min)
        return allowed
