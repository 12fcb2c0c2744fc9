"""Heads that read single rows of states: a chain of linear maps, activations and norms, the same at every row.

A classifier reads the first row of the last layer, a masked-word head the rows of the masks. As a chain of steps it can
be applied to those rows alone (a head over the vocabulary at one row of twenty costs a twentieth), to states of inner
layers, or to the parts of a decomposed state. That the chain is the model's own head is checked when it is loaded.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import gelu, relu, tanh

Activation = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class RowHead:
    """A head's steps, first to last, each of them `nn.Linear`, `nn.LayerNorm` or an activation; the last is linear."""

    steps: tuple[Activation, ...]

    def __call__(self, rows: Tensor) -> Tensor:
        """Rows of states (..., D) to logits (..., C)."""
        for step in self.steps:
            rows = step(rows)
        return rows

    @property
    def out(self) -> nn.Linear:
        """The last step."""
        last = self.steps[-1]
        assert isinstance(last, nn.Linear)
        return last


# By transformers' automatic class and family: names of modules, or functions that are no modules there.
_DENSE_TANH = ("classifier.dense", tanh, "classifier.out_proj")
_LM_HEAD = ("lm_head.dense", gelu, "lm_head.layer_norm", "lm_head.decoder")
_TRANSFORM = tuple(
    f"cls.predictions.{name}"
    for name in ("transform.dense", "transform.transform_act_fn", "transform.LayerNorm", "decoder")
)
_BERTS = ("bert", "roberta", "xlm-roberta", "camembert", "electra", "distilbert", "albert", "deberta-v2", "mpnet")
_STEPS: dict[str, dict[str, tuple[str | Activation, ...]]] = {
    "AutoModelForSequenceClassification": {
        "bert": ("bert.pooler.dense", "bert.pooler.activation", "classifier"),
        "roberta": _DENSE_TANH,
        "xlm-roberta": _DENSE_TANH,
        "camembert": _DENSE_TANH,
        "mpnet": _DENSE_TANH,
        "electra": ("classifier.dense", "classifier.activation", "classifier.out_proj"),
        "distilbert": ("pre_classifier", relu, "classifier"),
        "albert": ("albert.pooler", "albert.pooler_activation", "classifier"),
    },
    "AutoModelForMaskedLM": {
        "bert": _TRANSFORM,
        "deberta-v2": _TRANSFORM,
        "roberta": _LM_HEAD,
        "xlm-roberta": _LM_HEAD,
        "camembert": _LM_HEAD,
        "mpnet": _LM_HEAD,
        "electra": (
            *(f"generator_predictions.{name}" for name in ("dense", "activation", "LayerNorm")),
            "generator_lm_head",
        ),
        "distilbert": ("vocab_transform", "activation", "vocab_layer_norm", "vocab_projector"),
        "albert": tuple(f"predictions.{name}" for name in ("dense", "activation", "LayerNorm", "decoder")),
        "modernbert": ("head.dense", "head.act", "head.norm", "decoder"),
    },
    "AutoModelForCausalLM": {"gpt2": ("lm_head",)},
    "AutoModelForTokenClassification": {
        **dict.fromkeys(_BERTS, ("classifier",)),
        "modernbert": ("head.dense", "head.act", "head.norm", "classifier"),
    },
    "AutoModelForQuestionAnswering": {
        **dict.fromkeys(_BERTS, ("qa_outputs",)),
        "modernbert": ("head.dense", "head.act", "head.norm", "classifier"),
    },
    "AutoModelForNextSentencePrediction": {
        "bert": ("bert.pooler.dense", "bert.pooler.activation", "cls.seq_relationship"),
    },
}


def row_head(module: Any, auto_class: str) -> RowHead | None:
    """The head of a model of `transformers`; None where it is built otherwise."""
    names = _STEPS.get(auto_class, {}).get(module.config.model_type)
    if names is None:
        return None
    try:
        steps = [operator.attrgetter(name)(module) if isinstance(name, str) else name for name in names]
    except AttributeError:
        return None
    return RowHead(tuple(steps)) if isinstance(steps[-1], nn.Linear) else None
