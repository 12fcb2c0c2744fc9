"""Logit lens: the head read on the states of every layer, and how far token states have moved.

On a masked-word head this is the logit lens (nostalgebraist 2020).
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from explain.analyses.base import ANALYSES, ExplainedText, TextAnalysis
from explain.core.meter import Meter
from explain.datatypes import LayerReadings, Target, Tokens
from explain.models.base import TextModel, read_row

_WORDS = 5  # of a vocabulary, listed for each layer


@ANALYSES.register("logit_lens")
@dataclass(frozen=True)
class LogitLens(TextAnalysis[LayerReadings]):
    """The prediction after each layer, and the similarity of token states: one forward pass."""

    name: ClassVar[str] = "logit_lens"
    title: ClassVar[str] = "Layer by layer"
    meaning: ClassVar[str] = "What the head would predict from each layer's states."
    limits: ClassVar[str] = (
        "The head was trained on the last layer only; on earlier ones it reads what it was not made for."
    )
    requires: ClassVar[frozenset[str]] = frozenset({"trace"})
    returns: ClassVar[type] = LayerReadings

    def passes(self, model: TextModel, subject: ExplainedText) -> int:
        return 1

    def run(self, model: TextModel, subject: ExplainedText, meter: Meter | None = None) -> LayerReadings:
        model.require(self.requires)
        tokens, target = subject.tokens, subject.target
        trace = model.attention.trace(tokens, meter)
        with torch.inference_mode():
            states = torch.nn.functional.normalize(trace.states, dim=-1)  # (L + 1, T, D)
            to_input = (states * states[0]).sum(dim=-1)
            others = max(1, len(tokens) - 1)
            to_others = (states @ states.sum(dim=1, keepdim=True).transpose(1, 2)).squeeze(-1) - 1
            readings = _readings(model, trace.states, tokens, target) if "head_on_states" in model.capabilities else {}
        return LayerReadings(
            tokens=tokens,
            target=target,
            labels=readings.pop("labels", model.head.labels),
            to_input=to_input.numpy(),
            to_others=(to_others / others).numpy() if len(tokens) > 1 else np.ones(to_others.shape),
            row=read_row(target),
            **readings,
        )


def _readings(model: TextModel, states: Tensor, tokens: Tokens, target: Target) -> dict[str, Any]:
    """Return the fields of `LayerReadings` that the head computes from states (L + 1, T, D)."""
    places = model.places_read(tokens, target)
    raw = model.read_states(states, places)
    at = torch.tensor([places] * len(states), dtype=torch.long, device=states.device).reshape(len(states), -1)
    fields: dict[str, Any] = {"values": model.task.scalar(raw, target, at, model.head).double().numpy()}
    head = model.head
    if head.value or not model.task.one_row:
        return fields
    if head.vocabulary is None:
        logits = (raw["rows"][:, 0] if places else raw["logits"]).double()
        shares = logits.softmax(dim=-1) if head.exclusive else logits.sigmoid()
        temperature = None if places else head.temperature  # a temperature is fitted only for heads of whole texts
        return fields | {"probabilities": shares.numpy(), "temperature": temperature, "exclusive": head.exclusive}
    probabilities = raw["rows"][:, 0].double().softmax(dim=-1)  # (L + 1, C)
    no_words = torch.tensor(head.vocabulary.no_words, dtype=torch.long, device=states.device)
    likeliest = probabilities.index_fill(-1, no_words, 0.0).topk(_WORDS)
    explained = [target.index, *([] if target.against_index is None else [target.against_index])]
    columns = list(dict.fromkeys([*explained, *likeliest.indices[-1].tolist()]))[:_WORDS]
    return fields | {
        "labels": tuple(map(head.vocabulary.word, columns)),
        "probabilities": probabilities[:, columns].numpy(),
        "words": tuple(tuple(map(head.vocabulary.word, line)) for line in likeliest.indices.tolist()),
        "shares": likeliest.values.numpy(),
    }
