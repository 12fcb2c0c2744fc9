"""Trying a network out when it is loaded: every way into it must give the scores it serves, or is left out."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from explain.core.errors import ModelError
from explain.datatypes import Tokens
from explain.models.base import Row
from explain.models.jvp import jvp
from explain.models.last_layer import can_trim, largest_difference
from explain.models.network import Network, as_row, logits_of
from explain.models.neurons import second_maps
from explain.models.post_norm import post_norm_layers
from explain.models.probe import KeepVectors, probing
from explain.models.reinitialized import layers_of
from explain.models.row_head import row_head
from explain.models.target_module import has_activation_modules

_CLOSE = 1e-4  # of a value's size, where a sum over all of a network is compared


@dataclass(frozen=True)
class Capabilities:
    """The names of `CAPABILITIES` that a network has, and the neurons in each layer's feed-forward part."""

    names: frozenset[str]
    neurons: int


def checked_capabilities(name: str, network: Network, max_tokens: int) -> Capabilities:
    """Find out what a network can do, and set its `row_head`, `gathers` and `trimmed`.

    Args:
        name: the model's.
        network: fresh; it is changed.

    Raises:
        ModelError: our inputs give other scores than transformers' own.
    """
    ids = np.arange(max_tokens)[:12] % network.module.config.vocab_size
    ids[ids == network.pad_id] = network.module.config.vocab_size - 1
    batch = torch.from_numpy(ids).to(network.device)[None].expand(2, -1)
    inputs = network.inputs([_row_of_ids(ids, pair=network.read_apart)] * 2)
    with torch.inference_mode():
        served = _served_apart(network, batch) if network.read_apart else logits_of(network.module(input_ids=batch))
        ours = network.raw(inputs, None, None, plain=True)["logits"]
        by_embeddings = {key: tensor for key, tensor in inputs.items() if key != "input_ids"}
        by_embeddings["inputs_embeds"] = network.embedding(inputs["input_ids"])
        embedded = network.raw(by_embeddings, None, None, plain=True)["logits"]
    tolerance = 1e-5 * max(1.0, float(served.abs().max()))
    if not float((ours - served).abs().max()) <= tolerance:  # a NaN is no number to explain either
        raise ModelError(f"{name}: our inputs and transformers' own give different outputs; it can't be explained.")
    _use_row_head(network, inputs, served, tolerance)
    same = float((embedded - served).abs().max()) <= tolerance
    first_row = {key: tensor[:1] for key, tensor in inputs.items()}
    neurons = _neurons_per_layer(network, first_row) if same else 0
    return Capabilities(frozenset(_names(network, first_row, same, neurons)), neurons)


def _use_row_head(network: Network, inputs: dict[str, Tensor], served: Tensor, tolerance: float) -> None:
    """Let a network run its head on single rows, and its last layer at one, where that gives what is served."""
    everywhere = served.dim() == 3
    if head := row_head(network.module, network.task.auto_class):
        with torch.inference_mode():
            states = network.module.base_model(**inputs).last_hidden_state
            by_rows = head(states if everywhere else states[:, 0])
        if float((by_rows - served).abs().max()) <= tolerance:
            network.row_head, network.gathers = head, everywhere
    if network.row_head and not network.gathers and can_trim(network.module, network.family):
        attended = torch.ones(inputs["input_ids"].shape, dtype=torch.bool, device=network.device)
        attended[1, -2:] = False
        difference = largest_difference(network.module, network.family, network.row_head, inputs, attended)
        network.trimmed = difference <= tolerance


def _served_apart(network: Network, batch: Tensor) -> Tensor:
    """Return the cosine of two halves of a batch of ids, each run by itself: what production serves."""
    vectors = []
    for half in batch.tensor_split(2, dim=1):
        everywhere = torch.ones(half.shape, dtype=torch.bool, device=network.device)
        rows = network.module.encoder(input_ids=half, attention_mask=everywhere.long()).last_hidden_state
        vectors.append(network.module.pooling.vectors(rows, torch.zeros_like(half), everywhere, 0))
    return torch.cosine_similarity(vectors[0], vectors[1], dim=-1)[:, None]


def _names(network: Network, inputs: dict[str, Tensor], gradients: bool, neurons: int) -> Iterator[str]:
    """Yield the names of `CAPABILITIES` that a network has, each tried on a text of ids."""
    yield from ("attention", "vectors")
    if network.task.decides_label(network.head):
        yield "label"
    if layers_of(network.module):
        yield "random_layers"
    if gradients:
        yield "gradients"
        if _has_activation_modules(network, inputs):
            yield "activations"
        if neurons:
            yield "neurons"
    if not network.family.probed:
        return
    yield from ("attention_gradients", "trace", "cuts")
    if gradients and network.read_apart and _jvp_agrees(network, inputs):
        yield "jvp"
    if _is_post_norm(network, inputs):
        yield "post_norm"
        if network.row_head is not None:  # the state of every layer is normed alike: the head reads it as it is
            yield "head_on_states"
            if network.task.one_row:
                yield "one_row"


def _is_post_norm(network: Network, inputs: dict[str, Tensor]) -> bool:
    """Whether the layers' parts, run one after the other, give each layer's state."""
    layers = post_norm_layers(network.module)
    if layers is None:
        return False
    keep, _, states = traced(network, inputs)
    with torch.inference_mode():
        contexts = [(weights @ values).transpose(1, 2).flatten(2) for weights, values in zip(keep.weights, keep.values)]
        rebuilt = [
            layer.finish(layer.after_attention(context, before))
            for layer, context, before in zip(layers, contexts, states)
        ]
    return all(float((ours - theirs).abs().max()) <= _CLOSE for ours, theirs in zip(rebuilt, states[1:]))


def traced(
    network: Network, inputs: dict[str, Tensor], attended: Tensor | None = None
) -> tuple[KeepVectors, Tensor, tuple[Tensor, ...]]:
    """Run once and keep attention's parts, the logits, and the states of all layers.

    Args:
        attended (B, T): False where attention may not look; None: everywhere it may.
    """
    keep = KeepVectors()
    mask = {} if attended is None else {"attention_mask": attended.long()}
    with torch.inference_mode(), probing(keep):
        output = network.module(**inputs, **mask, output_hidden_states=True, return_dict=True)
    return keep, logits_of(output), output.hidden_states


def _jvp_agrees(network: Network, inputs: dict[str, Tensor]) -> bool:
    """Whether forward differentiation along a direction gives the gradient times that direction."""
    others = {key: tensor for key, tensor in inputs.items() if key != "input_ids"}
    points = network.embedding(inputs["input_ids"]).detach()
    direction = points.roll(1, dims=1)
    try:
        vectors, derivatives = jvp(network.module, others, points, direction)
    except NotImplementedError:  # an operation that torch can't differentiate forward
        return False
    forward = (vectors[:, 0] * derivatives[:, 1] + derivatives[:, 0] * vectors[:, 1]).sum()
    with torch.enable_grad():
        start = points.clone().requires_grad_(True)
        (gradient,) = torch.autograd.grad(logits_of(network.module(**others, inputs_embeds=start)).sum(), start)
    expected = (gradient * direction).sum()
    return bool((forward - expected).abs() <= _CLOSE * max(1.0, float(expected.abs())))


def _has_activation_modules(network: Network, inputs: dict[str, Tensor]) -> bool:
    twin = network.copied()
    if twin.row_head is None:
        return False
    layers = network.module.config.num_hidden_layers
    return has_activation_modules(twin.module, twin.row_head, layers, lambda: twin.raw(inputs, None, None))


def _neurons_per_layer(network: Network, inputs: dict[str, Tensor]) -> int:
    """Return how many neurons each layer shows; 0 where not all do, or the pass that shows them gives other scores."""
    if not second_maps(network.module):
        return 0
    with torch.inference_mode():
        served = float(network.raw(inputs, None, None, plain=True)["logits"].sum())
    keep, total = network.kept_inside(inputs, None, lambda raw: raw["logits"].sum())
    layers = network.module.config.num_hidden_layers
    shapes = {neurons.shape for neurons in keep.neurons}
    if len(keep.states) != layers + 1 or len(keep.neurons) != layers or len(shapes) != 1:
        return 0
    gradients = torch.autograd.grad(total, (*keep.states, *keep.neurons), allow_unused=True)
    same = abs(float(total.detach()) - served) <= _CLOSE * max(1.0, abs(served))
    return keep.neurons[0].shape[-1] if same and all(gradient is not None for gradient in gradients) else 0


def _row_of_ids(ids: npt.NDArray[np.int64], pair: bool) -> Row:
    """Return a row of ids without a text, or of two halves of a pair."""
    count = len(ids)
    tokens = Tokens(
        text="",
        ids=ids,
        pieces=("",) * count,
        spans=np.zeros((count, 2), dtype=np.int64),
        segment=np.arange(count) * 2 // count if pair else np.zeros(count, dtype=np.int64),
        special=np.zeros(count, dtype=bool),
        words=np.empty((0, 2), dtype=np.int64),
    )
    return as_row(tokens)
