"""DecompX: each token's contribution to the logit, followed exactly through all layers and the prediction head.

    x_i = sum_k x_i<k + biases, at every layer; attention weights, the norms' deviations and the activations' slopes
    g(u) / u keep their values of this text, which makes each step linear and the sum exact
    score_k = the target's linear part, applied to token k's part of the logits     [unit of F]

Modarressi et al. (2023), https://arxiv.org/abs/2306.02873, sections 3.1 to 3.4. Here biases are a part of their own
instead of being spread over the tokens, so scores and that part sum to F. For log-odds among more than two labels,
log-sum-exp is written as sum_c p_c z_c + H(p), which is exact too, and H(p) goes to the biases' part. It costs one
forward pass, and arithmetic worth about T more.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from explain.core.errors import SettingError, TargetError
from explain.core.meter import Meter
from explain.core.settings import setting
from explain.datatypes import Attribution, Prediction, Target, Tokens
from explain.methods.base import METHODS, Item, Method, Stopwatch
from explain.models.base import TextModel, read_row
from explain.models.capabilities.attention import Trace
from explain.models.post_norm import PostNormLayer
from explain.models.row_head import Activation

_ROWS = 16 << 20  # numbers of a wide layer at once


@METHODS.register("decompx")
@dataclass(frozen=True, kw_only=True)
class DecompX(Method):
    """States decomposed by input token, from the first layer to the logits."""

    name: ClassVar[str] = "decompx"
    title: ClassVar[str] = "DecompX"
    meaning: ClassVar[str] = (
        "Each word's contribution to the target, followed through every layer. Contributions sum to it, with "
        "the biases."
    )
    limits: ClassVar[str] = (
        "Attention weights and slopes are held as they are. A word that only steers where other tokens look "
        "gets no credit for it."
    )
    signed: ClassVar[bool] = True
    additive: ClassVar[bool] = True
    complete: ClassVar[bool] = True
    requires: ClassVar[frozenset[str]] = frozenset({"trace", "post_norm", "head_on_states", "one_row"})

    most_tokens: int = setting(
        128,
        low=8,
        high=512,
        help="Longer texts are refused, because time and memory grow with the square of the length.",
    )

    def cost(self, tokens: Tokens) -> int:
        return 1

    def arithmetic(self, tokens: Tokens) -> int:
        return len(tokens)

    def predict_each(
        self, model: TextModel, texts: Sequence[Tokens], target_of: Callable[[Prediction], Target]
    ) -> list[Prediction]:
        return [trace.prediction for trace in model.attention.trace_each(texts)]

    def attribute_batch(
        self, model: TextModel, items: Sequence[Item], meter: Meter | None = None
    ) -> tuple[Attribution, ...]:
        model.require(self.requires)
        attributions = []
        for tokens, target in items:  # a pass is 1/T of the arithmetic, so passes are not made together
            if len(tokens) > self.most_tokens:
                raise SettingError(
                    f"DecompX follows {len(tokens)} tokens through every layer; decompx.most_tokens is "
                    f"{self.most_tokens}. Shorten the text, or raise that and wait."
                )
            watch = Stopwatch(meter)
            trace = model.attention.trace(tokens, watch.meter)
            with torch.inference_mode():
                head = model.row_head
                parts = _through_layers(trace, model.post_norm, read_row(target), watch.meter)  # (T + 1, D)
                for step in head.steps[:-1]:
                    parts = _through(parts, step)
                logits = head.out(parts.sum(dim=0))  # (C,)
                linear, constant = _linear_part(target, logits, model.head.exclusive)
                # Logits of each token are never built: over a vocabulary they would take too much memory.
                scores = (parts @ (linear @ head.out.weight)).double()
                if head.out.bias is not None:
                    scores[-1] += linear @ head.out.bias
            attributions.append(
                self._result(
                    (tokens, target),
                    [(token,) for token in range(len(tokens))],
                    scores[:-1].numpy(),
                    output=model.value(trace.prediction, target),
                    baseline_output=float(scores[-1]) + constant,
                    watch=watch,
                    diagnostics={"reference": "the biases alone", "tolerance": 1e-3, "converged": True},
                )
            )
        return tuple(attributions)


def _through_layers(trace: Trace, layers: Sequence[PostNormLayer], row: int, meter: Meter) -> Tensor:
    """Return the parts (T + 1, D) of the row that the head reads, in the last layer: each token's, then the biases'."""
    count, width = trace.states.shape[1:]
    parts = trace.states.new_zeros(count, count + 1, width)  # [i, k]: the part of k in the state of i
    own = torch.arange(count, device=parts.device)
    parts[own, own] = trace.states[0]
    done = 0
    for number, layer in enumerate(layers):
        weights = trace.weights[number]  # (H, T, T)
        values = parts @ layer.value.weight.T
        values[:, -1] += layer.value.bias
        values = values.unflatten(-1, (len(weights), -1))  # (T, T + 1, H, D/H)
        rows = range(row, row + 1) if number == len(layers) - 1 else range(count)
        step = max(1, _ROWS // (parts.shape[1] * layer.inner.out_features))
        after = []
        for start in rows[::step]:
            block = slice(start, min(start + step, rows.stop))
            context = torch.einsum("hij,jkhd->ikhd", weights[:, block], values).flatten(-2)
            attended = _linear(context, layer.output) + parts[block]
            attended = _norm(attended, layer.attention_norm)
            wide = _linear(_slope(_linear(attended, layer.inner), layer.activation), layer.outer)
            after.append(_norm(wide + attended, layer.output_norm))
        parts = torch.cat(after)
        steps = count * (number + 1) // len(layers) - done
        done += steps
        meter.tick(steps=steps)
    return parts[0]


# Each step maps parts (..., K, D) that sum to a state, the last of them the biases', to the parts of the next state.


def _through(parts: Tensor, step: Activation) -> Tensor:
    if isinstance(step, nn.Linear):
        return _linear(parts, step)
    return _norm(parts, step) if isinstance(step, nn.LayerNorm) else _slope(parts, step)


def _linear(parts: Tensor, layer: nn.Linear) -> Tensor:
    mapped = parts @ layer.weight.T
    if layer.bias is not None:
        mapped[..., -1, :] += layer.bias
    return mapped


def _slope(parts: Tensor, activation: Activation) -> Tensor:
    """Return parts * g(u) / u, where u is their sum; near zero the slope there."""
    whole = parts.sum(dim=-2, keepdim=True)
    safe = torch.where(whole.abs() < 1e-6, 1e-6, whole)
    return parts * (activation(safe) / safe)


def _norm(parts: Tensor, norm: nn.LayerNorm) -> Tensor:
    whole = parts.sum(dim=-2, keepdim=True)
    deviation = (whole.var(dim=-1, unbiased=False, keepdim=True) + norm.eps).sqrt()
    normed = (parts - parts.mean(dim=-1, keepdim=True)) / deviation * norm.weight
    normed[..., -1, :] += norm.bias
    return normed


def _linear_part(target: Target, logits: Tensor, exclusive: bool) -> tuple[Tensor, float]:
    """Return the target as a linear function of the logits (C,), and a constant.

    Raises:
        TargetError: the target is no linear function, such as a probability.
    """
    linear = torch.zeros_like(logits)
    linear[target.index] = 1.0
    if target.scale in ("logit", "value") or (target.scale == "log_odds" and not exclusive):
        return linear, 0.0
    if target.scale == "logit_difference":
        linear[target.against_index] = -1.0
        return linear, 0.0
    if target.scale == "log_odds":
        others = torch.arange(len(logits), device=logits.device) != target.index
        shares = torch.softmax(logits[others], dim=-1)
        linear[others] = -shares
        return linear, float((shares * torch.log_softmax(logits[others], dim=-1)).sum())
    raise TargetError(
        f"DecompX adds up to logits, and {target.scale.replace('_', ' ')} is no sum of them. "
        "Measure the target in log-odds or logits."
    )
