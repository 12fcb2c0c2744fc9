"""What can be asked of a model about one text, besides attributions: each a frozen dataclass that answers itself.

A question is its own key: answers are remembered by weights, text, target and question, as attributions are.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from explain.datatypes import (
    AttentionMaps,
    AttentionVectors,
    Attribution,
    Cut,
    CutEffects,
    HeadEffects,
    LayerReadings,
    Target,
    Tokens,
)
from explain.meter import Meter
from explain.methods.base import AttentionMethod, Stopwatch
from explain.models.base import TextModel
from explain.numerics.heads import head_figures


class Question(ABC):
    """Something to find out about one text and target."""

    @abstractmethod
    def cost(self, model: TextModel, tokens: Tokens) -> int:
        """Most passes, and steps that take as long, that the answer takes."""

    @abstractmethod
    def answer(self, model: TextModel, tokens: Tokens, target: Target, meter: Meter | None = None) -> Any:
        """Find it out."""


@dataclass(frozen=True)
class StepWeights(Question):
    """What one of the rollout family gives each layer's steps, and what follows for the input tokens."""

    method: AttentionMethod

    def cost(self, model: TextModel, tokens: Tokens) -> int:
        return self.method.cost(tokens) + self.method.arithmetic(tokens)

    def answer(
        self, model: TextModel, tokens: Tokens, target: Target, meter: Meter | None = None
    ) -> tuple[AttentionMaps, Attribution]:
        model.require(self.method.needs)
        watch = Stopwatch(meter)
        maps, output = self.method.maps(model, (tokens, target), watch.meter)
        return maps, self.method.attribution(model, (tokens, target), maps, output, watch)


@dataclass(frozen=True)
class HeadFigures(Question):
    """Figures that tell heads apart: by name (L, H). No pass beyond the one that predicts."""

    def cost(self, model: TextModel, tokens: Tokens) -> int:
        return 0

    def answer(
        self, model: TextModel, tokens: Tokens, target: Target, meter: Meter | None = None
    ) -> dict[str, np.ndarray]:
        weights = model.observe(tokens, meter).maps.weights
        return head_figures(weights, tokens.special, tokens.word_of)


@dataclass(frozen=True)
class QueriesAndKeys(Question):
    """What attention weights are made of: one forward pass."""

    def cost(self, model: TextModel, tokens: Tokens) -> int:
        return 1

    def answer(self, model: TextModel, tokens: Tokens, target: Target, meter: Meter | None = None) -> AttentionVectors:
        trace = model.trace(tokens, meter)
        return AttentionVectors(tokens, trace.queries.numpy(), trace.keys.numpy())


@dataclass(frozen=True)
class EffectOfHeads(Question):
    """What removing each head does to the target: one forward pass for each head."""

    def cost(self, model: TextModel, tokens: Tokens) -> int:
        return model.layers * model.heads + 1

    def answer(self, model: TextModel, tokens: Tokens, target: Target, meter: Meter | None = None) -> HeadEffects:
        figures = head_figures(model.observe(tokens, meter).maps.weights, tokens.special, tokens.word_of)
        cuts = [(Cut(layer, head),) for layer in range(model.layers) for head in range(model.heads)]
        scores = model.cut_scores(tokens, target, [(), *cuts], meter)
        shape = (model.layers, model.heads)
        effects = (scores.values[0] - scores.values[1:]).reshape(shape)
        return HeadEffects(
            tokens=tokens,
            target=target,
            effects=effects,
            flips=(scores.decisions[1:] != scores.decisions[0]).reshape(shape),
            figures=figures,
            agreement={name: _spearman(np.abs(effects), values) for name, values in figures.items()},
            output=float(scores.values[0]),
        )


@dataclass(frozen=True)
class EffectOfCuts(Question):
    """What some sets of cuts do to the target: one forward pass each."""

    cuts: tuple[tuple[Cut, ...], ...]

    def cost(self, model: TextModel, tokens: Tokens) -> int:
        return len(self.cuts) + 1

    def answer(self, model: TextModel, tokens: Tokens, target: Target, meter: Meter | None = None) -> CutEffects:
        scores = model.cut_scores(tokens, target, [(), *self.cuts], meter)
        return CutEffects(
            target, self.cuts, scores.values[1:], scores.decisions[1:] != scores.decisions[0], float(scores.values[0])
        )


@dataclass(frozen=True)
class HowItForms(Question):
    """What the head would say after each layer, and how token states change: one forward pass."""

    def cost(self, model: TextModel, tokens: Tokens) -> int:
        return 1

    def answer(self, model: TextModel, tokens: Tokens, target: Target, meter: Meter | None = None) -> LayerReadings:
        model.require({"trace"})
        trace = model.trace(tokens, meter)
        with torch.inference_mode():
            states = torch.nn.functional.normalize(trace.states, dim=-1)  # (L + 1, T, D)
            to_input = (states * states[0]).sum(dim=-1)
            others = max(1, len(tokens) - 1)
            to_others = (states @ states.sum(dim=1, keepdim=True).transpose(1, 2)).squeeze(-1) - 1
            probabilities = values = None
            if "head_on_states" in model.offers:
                raw = {"logits": model.classification_head(trace.states[:, 0])}  # (L + 1, C)
                places = torch.empty(len(states), 0, dtype=torch.long)
                values = model.task.scalar(raw, target, places, model.head).double().numpy()
                if not model.head.value:
                    logits = raw["logits"].double()
                    probabilities = (logits.softmax(dim=-1) if model.head.exclusive else logits.sigmoid()).numpy()
        return LayerReadings(
            tokens=tokens,
            target=target,
            labels=model.head.labels,
            to_input=to_input.numpy(),
            to_others=(to_others / others).numpy() if len(tokens) > 1 else np.ones(to_others.shape),
            probabilities=probabilities,
            values=values,
        )


def _spearman(left: np.ndarray, right: np.ndarray) -> float:
    from scipy.stats import spearmanr

    if np.ptp(left) == 0 or np.ptp(right) == 0:
        return 0.0
    return float(spearmanr(left.ravel(), right.ravel()).statistic)
