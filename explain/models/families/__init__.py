"""Families of transformers' models: what differs between them, as far as explaining needs to know.

One file each, named like transformers' `model_type` with underscores; each registers a `Family` under its `model_type`.
A family that says less offers less: without `second_map` no neurons, without `layer` no decompositions. What it says is
tried out when a model is loaded, and left out where it gives other scores than the model serves.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from explain.core.registry import Registry

if TYPE_CHECKING:
    from torch import Tensor

Step: TypeAlias = "str | Callable[[Tensor], Tensor]"  # a module's name, or a function that is no module there


@dataclass(frozen=True)
class LayerParts:
    """Names of a post-norm layer's parts, see `explain.models.post_norm.PostNormLayer`.

    Attributes:
        layers: the list of layers, inside the encoder.
        value, output, attention_norm, inner, activation, outer, output_norm: inside a layer.
        groups: entries of the list are groups that run several times each, as in ALBERT; their layers' attribute.
    """

    layers: str
    value: str
    output: str
    attention_norm: str
    inner: str
    activation: str
    outer: str
    output_norm: str
    groups: str = ""


@dataclass(frozen=True)
class Family:
    """One architecture of transformers.

    Attributes:
        heads: a head's steps, first to last, by transformers' automatic class; see `explain.models.row_head`.
        second_map: pattern of the names of the second linear map of each feed-forward part, inside the encoder.
        layer: names of the parts of a post-norm layer; None where layers are built otherwise.
        positions: how place i is numbered: "from_zero", or "after_padding" (padding id + 1 + i, as in RoBERTa).
        probed: its attention goes through transformers' attention interface, so the probe sees and may change it.
        body: the attribute that holds an encoder whose layers are built of BERT's modules, so that the last one can be
            computed at one row; empty for others.
        causal: no token looks ahead, so a head over a whole text reads its last token; explained for text generation.
        masked: a mask of who may look at whom can be given, so two texts can be read apart in one sequence.
        sliding_window: some layers look only that near, by the configuration's value of that name.
    """

    heads: Mapping[str, tuple[Step, ...]] = field(default_factory=lambda: MappingProxyType({}))
    second_map: str = ""
    layer: LayerParts | None = None
    positions: str = "from_zero"
    probed: bool = True
    body: str = ""
    causal: bool = False
    masked: bool = True
    sliding_window: bool = False


FAMILIES: Registry[Family] = Registry("family", "explain.models.families", "explain.families")

# Parts that several families have from BERT or RoBERTa.
BERT_LAYER = LayerParts(
    layers="encoder.layer",
    value="attention.self.value",
    output="attention.output.dense",
    attention_norm="attention.output.LayerNorm",
    inner="intermediate.dense",
    activation="intermediate.intermediate_act_fn",
    outer="output.dense",
    output_norm="output.LayerNorm",
)
BERT_SECOND_MAP = r"encoder\.layer\.\d+\.output\.dense"
BERT_WORDS = tuple(
    f"cls.predictions.{name}"
    for name in ("transform.dense", "transform.transform_act_fn", "transform.LayerNorm", "decoder")
)
LINEAR_HEADS: Mapping[str, tuple[Step, ...]] = MappingProxyType(
    {"AutoModelForTokenClassification": ("classifier",), "AutoModelForQuestionAnswering": ("qa_outputs",)}
)
