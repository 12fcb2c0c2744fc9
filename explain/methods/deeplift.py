"""DeepLIFT, rescale rule: gradient times difference, with each activation's slope replaced by its average slope.

    score_t = sum_d (x_td - b_td) * m_td     [unit of F]

x are the word embeddings, b those of an empty text. m is the gradient of F at x, except at an activation y = f(z):
there f'(z_x) is replaced by (f(z_x) - f(z_b)) / (z_x - z_b). Shrikumar, Greenside and Kundaje (2017),
https://arxiv.org/abs/1704.02685, section 3.5.2. The passes are captum's `DeepLift`, extended to GELU and its relatives,
on a copy of the model's modules.

**Only activations are rescaled.** Captum has no rule for products whose factors both change (attention's weights and
values, queries and keys), for attention's softmax, or for layer norms. These use their gradient at x. So in a
transformer the scores do not sum to F(x) - F(b), not even nearly: on five texts with the shipped sentiment model the
gap was 0.9 to 2.4 times the difference. It is reported (`gap_share`: gap over difference). In a network of linear maps
and activations alone it is zero. It costs two forward and two backward passes, x and b together.
"""

import functools
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from explain.core.meter import Meter
from explain.core.settings import setting
from explain.datatypes import Attribution, Target, Tokens
from explain.methods.base import EMPTIED, METHODS, Item, Method, Stopwatch
from explain.models.base import BASELINES, TextModel
from explain.models.target_module import is_activation
from explain.numerics.quadrature import SMALLEST_TOLERANCE
from explain.text.removal import emptied_together


@METHODS.register("deeplift")
@dataclass(frozen=True, kw_only=True)
class DeepLift(Method):
    """Gradient times difference from an empty text, with mean slopes in place of activations' own."""

    name: ClassVar[str] = "deeplift"
    title: ClassVar[str] = "DeepLIFT (rescale)"
    meaning: ClassVar[str] = (
        "How much each word adds to the target compared with an empty text. Activations count with their "
        "average slope, attention and norms with their slope at this text."
    )
    limits: ClassVar[str] = (
        "In a transformer the scores do not sum to the difference they explain. The gap can be as large as that"
        " difference, so look at it first. Another empty text gives other scores."
    )
    signed: ClassVar[bool] = True
    additive: ClassVar[bool] = True
    complete: ClassVar[bool] = False
    requires: ClassVar[frozenset[str]] = frozenset({"gradients", "activations"})

    baseline: str = setting(
        "auto",
        choices=("auto", *BASELINES),
        help="What the empty text is made of: mask tokens (auto, if there are any), padding, the unknown token, "
        "or zero embeddings.",
    )

    emptied: str = EMPTIED

    def cost(self, tokens: Tokens) -> int:
        return 4 * len(emptied_together(tokens, self.emptied))

    def attribute_batch(
        self, model: TextModel, items: Sequence[Item], meter: Meter | None = None
    ) -> tuple[Attribution, ...]:
        return tuple(self._attribute(model, tokens, target, meter) for tokens, target in items)

    def _attribute(self, model: TextModel, tokens: Tokens, target: Target, meter: Meter | None) -> Attribution:
        model.require(self.requires)
        watch = Stopwatch(meter)
        kind = model.default_baseline() if self.baseline == "auto" else self.baseline
        text = model.word_embeddings(tokens)[None].detach().clone().requires_grad_()  # (1, T, D)
        own = model.own_module(tokens, target, watch.meter)
        ends: list[Tensor] = []
        own.register_forward_hook(lambda module, inputs, values: ends.append(values.detach()))
        scores, starts, shares = np.zeros(len(tokens)), [], []
        for together in emptied_together(tokens, self.emptied):
            empty = model.baseline(tokens, target, kind, together)[None]
            with torch.enable_grad():
                parts = _captums()(own).attribute(text, empty).detach().double().sum(dim=-1)[0].numpy()
            watch.meter.tick(backward=2)
            output, start = ends[-1].tolist()
            scores += parts
            starts.append(start)
            shares.append(abs(output - start - float(parts.sum())) / max(abs(output - start), SMALLEST_TOLERANCE))
        return self._result(
            (tokens, target),
            [(token,) for token in range(len(tokens))],
            scores,
            output=output,
            baseline_output=starts[0],
            emptied_outputs=starts if len(starts) > 1 else (),
            watch=watch,
            diagnostics={
                "baseline": kind,
                "rescaled": sum(map(is_activation, own.modules())),
                "gap_share": max(shares),
            },
        )


@functools.cache
def _captums() -> type[Any]:
    """Return captum's DeepLift, with its activation rule for every activation: its own list lacks GELU."""
    from captum.attr import DeepLift as Listed  # slow to import, since it draws charts too
    from captum.attr._core.deep_lift import nonlinear

    warnings.filterwarnings("ignore", "Setting forward, backward hooks")  # they are set on our own copy of the module

    class Rescaled(Listed):
        def _is_non_linear(self, module: nn.Module) -> bool:
            return is_activation(module)

        def _backward_hook(self, module: nn.Module, grad_input: Tensor, grad_output: Tensor) -> Tensor:
            return nonlinear(module, module.input, module.output, grad_input, grad_output, eps=self.eps)

    return Rescaled
