"""The rollout family: each member against its slow twin, against hand-worked values, and its passes."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from explain.core.errors import ModelError, SettingError, TargetError
from explain.core.meter import Meter
from explain.datatypes import AttentionMaps, Prediction, Target, Tokens
from explain.methods.alti import Alti
from explain.methods.attention_flow import AttentionFlow
from explain.methods.attention_times_gradient import AttentionTimesGradient
from explain.methods.attention_times_states import AttentionTimesStates
from explain.methods.base import METHODS, AttentionMethod
from explain.methods.decompx import DecompX
from explain.methods.gradient_weighted_attention import GradientWeightedAttention
from explain.methods.norm_based_attention import NormBasedAttention
from explain.methods.raw_attention import RawAttention
from explain.methods.value_zeroing import ValueZeroing
from explain.models.base import TextModel
from explain.models.transformer import EncoderModel
from explain.testing import default_item
from tests import twins

TEXT = "The film isn't good, but its top-notch cast saves it!"
FAMILY = [name for name in METHODS if issubclass(METHODS[name], AttentionMethod)]
POST_NORM = ["bert", "roberta", "xlm-roberta", "electra", "distilbert", "albert"]


def test_passes(sentiment: TextModel) -> None:
    """One forward and at most one backward, but for value zeroing's one for each token."""
    item = default_item(sentiment, TEXT)
    count = len(item[0])
    spent = {}
    for name in (*FAMILY, "decompx"):
        meter = Meter()
        METHODS[name]().attribute(sentiment, *item, meter)
        spent[name] = (meter.spent.forward, meter.spent.backward, meter.steps)
    assert spent == {
        "alti": (1, 0, 0),
        "attention_flow": (1, 0, count),
        "attention_rollout": (1, 0, 0),
        "attention_times_gradient": (1, 1, 0),
        "attention_times_states": (1, 0, 0),
        "decompx": (1, 0, count),
        "gradient_weighted_attention": (1, 1, 0),
        "norm_based_attention": (1, 0, 0),
        "raw_attention": (1, 0, 0),
        "value_zeroing": (1 + count, 0, 0),
    }


@pytest.mark.parametrize("family", POST_NORM)
@pytest.mark.parametrize("name", [name for name in METHODS if "activations" not in METHODS[name].requires])
def test_every_post_norm_family_has_every_member(name: str, family: str, tiny: Callable[[str], EncoderModel]) -> None:
    model = tiny(family)
    one = METHODS[name]().attribute(model, *default_item(model, TEXT))
    assert np.isfinite(one.scores).all() and np.abs(one.scores).sum() > 0


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("family", ["deberta-v2", "mpnet", "modernbert"])
def test_others_say_what_does_not_fit(name: str, family: str, tiny: Callable[[str], EncoderModel]) -> None:
    model = tiny(family)
    item = default_item(model, TEXT)
    if METHODS[name].requires <= model.capabilities:
        METHODS[name]().attribute(model, *item)
    else:
        with pytest.raises(ModelError, match="Use another method"):
            METHODS[name]().attribute(model, *item)


# Attention alone


def test_raw_attention_is_a_row_of_the_maps(tiny_bert: EncoderModel) -> None:
    item = default_item(tiny_bert, TEXT)
    weights = tiny_bert.observe(item[0]).maps.weights
    last = RawAttention(special_tokens="keep").attribute(tiny_bert, *item)
    assert np.allclose(last.scores, weights[-1].mean(axis=0)[0], atol=1e-6)
    one = RawAttention(special_tokens="keep", layer=1, heads="3").attribute(tiny_bert, *item)
    assert np.allclose(one.scores, weights[1, 3, 0], atol=1e-6)
    with pytest.raises(SettingError, match="has layers 0 to 2"):
        RawAttention(layer=3).attribute(tiny_bert, *item)


def test_flow_equals_its_twin(tiny_bert: EncoderModel) -> None:
    item = default_item(tiny_bert, "so good")
    weights = tiny_bert.observe(item[0]).maps.weights.astype(float).mean(axis=1)
    flows = twins.maximum_flow(0.5 * weights + 0.5 * np.eye(len(item[0])), read=0)
    one = AttentionFlow(special_tokens="keep").attribute(tiny_bert, *item)
    assert np.allclose(one.scores, flows / flows.sum(), atol=1e-6)


@pytest.mark.parametrize("method", [AttentionFlow, ValueZeroing, DecompX])
def test_long_texts_are_refused_with_what_to_do(method: type, tiny_bert: EncoderModel) -> None:
    item = default_item(tiny_bert, TEXT)
    with pytest.raises(SettingError, match="Shorten the text"):
        method(most_tokens=8).attribute(tiny_bert, *item)


# Gradients


def gradients_by_hooks(model: EncoderModel, ids: list[int], index: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights and their gradients from transformers' eager attention on a copy: another road to the same numbers."""
    import copy

    twin = copy.deepcopy(model._module)
    twin.config = copy.deepcopy(twin.config)
    for part in twin.modules():
        if hasattr(part, "config"):
            part.config = twin.config
    twin.config._attn_implementation = "eager"
    twin.requires_grad_(True)
    output = twin(input_ids=torch.tensor([ids]), output_attentions=True)
    logits = output.logits[0]
    others = torch.cat([logits[:index], logits[index + 1 :]])
    value = logits[index] - torch.logsumexp(others, dim=0)
    found = torch.autograd.grad(value, output.attentions)
    return torch.cat(output.attentions).detach(), torch.cat(found)


def test_gradients_equal_eager_attention(tiny_bert: EncoderModel) -> None:
    tokens, target = default_item(tiny_bert, TEXT)
    ours = tiny_bert.attention.gradients(tokens, target)
    weights, gradients = gradients_by_hooks(tiny_bert, tokens.ids.tolist(), target.index)
    assert torch.allclose(ours.weights, weights, atol=1e-5)
    assert torch.allclose(ours.gradients, gradients, atol=1e-5 * float(gradients.abs().max()))
    assert ours.value == pytest.approx(tiny_bert.value(tiny_bert.predict(tokens), target), abs=1e-4)


def test_chefer_equals_its_twin(tiny_bert: EncoderModel) -> None:
    tokens, target = default_item(tiny_bert, TEXT)
    weights, gradients = gradients_by_hooks(tiny_bert, tokens.ids.tolist(), target.index)
    relevance = torch.eye(len(tokens))
    for layer in range(3):
        mean = torch.zeros(len(tokens), len(tokens))
        for head in range(4):
            mean += torch.relu(weights[layer, head] * gradients[layer, head]) / 4
        relevance = relevance + mean @ relevance
    expected = (relevance - torch.eye(len(tokens)))[0].numpy()
    one = GradientWeightedAttention(special_tokens="keep").attribute(tiny_bert, tokens, target)
    assert np.allclose(one.scores, expected / expected.sum(), atol=1e-5)


def test_attention_times_gradient_is_the_first_order_effect(tiny_bert: EncoderModel) -> None:
    """Scaling all weights on a token by 1 - e moves the target by - e times the score, for small e."""
    tokens, target = default_item(tiny_bert, TEXT)
    weights, gradients = gradients_by_hooks(tiny_bert, tokens.ids.tolist(), target.index)
    one = AttentionTimesGradient().attribute(tiny_bert, tokens, target)
    assert np.allclose(one.scores, (weights * gradients).sum(dim=(0, 1, 2)), atol=1e-4 * np.abs(one.scores).max())
    last = AttentionTimesGradient(layers="last").attribute(tiny_bert, tokens, target)
    assert np.allclose(last.scores, (weights[-1] * gradients[-1]).sum(dim=(0, 1)), atol=1e-4)


# Layers taken apart


def layers_of(model: EncoderModel, text: str) -> list[tuple[torch.Tensor, ...]]:
    """For each layer: states in, states out, weights, and the twin's y and parts."""
    trace = model.attention.trace(model.encode(text))
    found = []
    with torch.no_grad():
        for number, module in enumerate(model._module.bert.encoder.layer):
            inputs, weights = trace.states[number], trace.weights[number]
            found.append((inputs, trace.states[number + 1], weights, *twins.attention_block(module, inputs, weights)))
    return found


def test_a_trace_is_the_forward_pass(tiny_bert: EncoderModel) -> None:
    tokens = tiny_bert.encode(TEXT)
    trace = tiny_bert.attention.trace(tokens)
    assert np.allclose(trace.weights, tiny_bert.observe(tokens).maps.weights, atol=1e-5)
    assert np.allclose(trace.prediction.output.logits, tiny_bert.predict(tokens).output.logits, atol=1e-5)
    scores = trace.queries @ trace.keys.transpose(-1, -2) / trace.keys.shape[-1] ** 0.5
    assert torch.allclose(torch.softmax(scores, dim=-1), trace.weights, atol=1e-5)
    assert trace.states.shape == (4, len(tokens), 32)


@pytest.mark.parametrize(("parts", "which"), [("attention", 4), ("with_norm", 5)])
def test_norms_equal_their_twin(parts: str, which: int, tiny_bert: EncoderModel) -> None:
    item = default_item(tiny_bert, TEXT)
    maps, _ = NormBasedAttention(parts=parts).maps(tiny_bert, item)
    for number, layer in enumerate(layers_of(tiny_bert, TEXT)):
        assert np.allclose(maps.weights[number, 0], layer[which].norm(dim=-1), atol=1e-4)


def test_parts_add_up_to_the_result(tiny_bert: EncoderModel) -> None:
    for number, (inputs, _, weights, results, _, normed) in enumerate(layers_of(tiny_bert, TEXT)):
        trace = tiny_bert.attention.trace(tiny_bert.encode(TEXT))
        layer = tiny_bert.post_norm[number]
        (_, parts), *more = layer.contributions(weights, trace.values[number], inputs)
        assert not more and torch.allclose(parts, normed, atol=1e-4)
        bias = layer.output.bias
        total = torch.einsum("htw,dhw->htd", trace.values[number], layer.output.weight.unflatten(1, (4, 8)))
        whole = torch.einsum("hij,hjd->id", weights, total) + inputs + bias
        spread = (whole.var(dim=-1, unbiased=False) + layer.attention_norm.eps).sqrt()[:, None]
        rest = (bias - bias.mean()) / spread * layer.attention_norm.weight + layer.attention_norm.bias
        assert torch.allclose(parts.sum(dim=1) + rest, results, atol=1e-4)


def test_alti_equals_its_twin(tiny_bert: EncoderModel) -> None:
    joint = np.eye(len(tiny_bert.encode(TEXT)))
    for _, _, _, results, _, normed in layers_of(tiny_bert, TEXT):
        near = np.zeros_like(joint)
        for i in range(len(joint)):
            for j in range(len(joint)):
                size = float(results[i].abs().sum())
                near[i, j] = max(0.0, size - float((results[i] - normed[i, j]).abs().sum()))
        joint = near / near.sum(axis=1, keepdims=True) @ joint
    one = Alti(special_tokens="keep").attribute(tiny_bert, *default_item(tiny_bert, TEXT))
    assert np.allclose(one.scores, joint[0], atol=1e-4)


def test_value_zeroing_equals_running_the_layer_again(tiny_bert: EncoderModel) -> None:
    """The twin zeroes a value vector with a probe and runs the real layer."""
    from explain.models.probe import probing

    item = default_item(tiny_bert, "so good, so bad")
    trace = tiny_bert.attention.trace(item[0])
    maps, _ = ValueZeroing().maps(tiny_bert, item)
    for number, module in enumerate(tiny_bert._module.bert.encoder.layer):
        expected = np.zeros((len(item[0]),) * 2)
        for zeroed in range(len(item[0])):

            def zero(_: int, weights: torch.Tensor, values: torch.Tensor, at: int = zeroed) -> tuple[torch.Tensor, ...]:
                values = values.clone()
                values[:, :, at] = 0
                return weights, values

            with torch.no_grad(), probing(zero):
                without = module(trace.states[number][None].clone())[0]
            expected[:, zeroed] = 1 - torch.cosine_similarity(without, trace.states[number + 1], dim=-1)
        expected = np.maximum(expected, 0)
        assert np.allclose(maps.weights[number, 0], expected / expected.sum(axis=1, keepdims=True), atol=1e-3)


def test_attention_times_states(tiny_bert: EncoderModel) -> None:
    item = default_item(tiny_bert, TEXT)
    trace = tiny_bert.attention.trace(item[0])
    expected = np.array(
        [float(trace.weights[-1, :, 0, j].mean() * trace.states[-1, j].norm()) for j in range(len(item[0]))]
    )
    one = AttentionTimesStates(special_tokens="keep").attribute(tiny_bert, *item)
    assert np.allclose(one.scores, expected / expected.sum(), atol=1e-5)


# DecompX


@pytest.mark.parametrize("family", POST_NORM)
@pytest.mark.parametrize("wanted", [{}, {"scale": "logit"}, {"label": "B"}, {"label": "A", "against": "C"}])
def test_decompx_adds_up(family: str, wanted: dict[str, str], tiny: Callable[[str], EncoderModel]) -> None:
    model = tiny(family)
    tokens = model.encode(TEXT)
    labels = dict(zip("ABC", model.head.labels))
    wanted = {name: labels.get(value, value) for name, value in wanted.items()}
    target = model.task.target(model.predict(tokens), model.head, **wanted)
    one = DecompX().attribute(model, tokens, target)
    assert one.output == pytest.approx(model.value(model.predict(tokens), target), abs=1e-4)
    assert abs(one.completeness_gap) < 1e-3


@pytest.mark.parametrize("family", POST_NORM)
@pytest.mark.parametrize("scale", ["log_odds", "logit"])
def test_decompx_adds_up_to_a_masked_word(family: str, scale: str, tiny: Callable[..., EncoderModel]) -> None:
    model = tiny(family, "ForMaskedLM")
    tokens, prediction, target = masked(model, scale=scale)
    one = DecompX().attribute(model, tokens, target)
    assert one.output == pytest.approx(model.value(prediction, target), abs=1e-4)
    assert abs(one.completeness_gap) < 1e-3


def masked(model: EncoderModel, **wanted: str) -> tuple[Tokens, Prediction, Target]:
    """A text with two masks, of which the second is asked about."""
    mask = model.head.vocabulary.mask
    tokens = model.encode(f"The {mask} isn't good, but its {mask} cast saves it!")
    prediction = model.predict(tokens)
    position = prediction.outputs[1].positions[0]
    return tokens, prediction, model.task.target(prediction, model.head, position=position, **wanted)


@pytest.mark.parametrize("head", ["ForSequenceClassification", "ForMaskedLM"])
def test_decompx_equals_a_gradient(head: str, tiny: Callable[..., EncoderModel]) -> None:
    """With weights, deviations and slopes held, the logits are linear in the embeddings: token k brings x_k times the
    gradient of that linear model."""
    model = tiny("bert", head)
    if head == "ForMaskedLM":
        tokens, _, target = masked(model, scale="logit")
    else:
        tokens = model.encode(TEXT)
        target = model.task.target(model.predict(tokens), model.head, scale="logit")
    trace = model.attention.trace(tokens)
    start = trace.states[0].clone().requires_grad_(True)
    states = start
    for number, layer in enumerate(model.post_norm):
        values = layer.value(states).unflatten(-1, (4, 8)).transpose(0, 1)
        context = (trace.weights[number].clone() @ values).transpose(0, 1).flatten(1)
        attended = held_norm(layer.output(context) + states, layer.attention_norm)
        inner = layer.inner(attended)
        inner = inner * (layer.activation(inner) / inner).detach()
        states = held_norm(layer.outer(inner) + attended, layer.output_norm)
    row = states[target.positions[0] if target.positions else 0]
    for step in model.row_head.steps:
        if isinstance(step, torch.nn.LayerNorm):
            row = held_norm(row, step)
        elif isinstance(step, torch.nn.Linear):
            row = step(row)
        else:
            row = row * (step(row) / row).detach()
    (gradient,) = torch.autograd.grad(row[target.index], start)
    one = DecompX().attribute(model, tokens, target)
    assert np.allclose(one.scores, (gradient * start).sum(dim=-1).detach(), atol=1e-4)


def held_norm(whole: torch.Tensor, norm: torch.nn.LayerNorm) -> torch.Tensor:
    spread = (whole.var(dim=-1, unbiased=False, keepdim=True) + norm.eps).sqrt().detach()
    return (whole - whole.mean(dim=-1, keepdim=True)) / spread * norm.weight + norm.bias


def test_decompx_refuses_what_is_no_sum(tiny_bert: EncoderModel) -> None:
    tokens = tiny_bert.encode(TEXT)
    target = tiny_bert.task.target(tiny_bert.predict(tokens), tiny_bert.head, scale="probability")
    with pytest.raises(TargetError, match="log-odds or logits"):
        DecompX().attribute(tiny_bert, tokens, target)


# Two layers of three tokens, worked out by hand

LOWER = np.array([[0.2, 0.8, 0.0], [0.0, 1.0, 0.0], [0.5, 0.0, 0.5]])
UPPER = np.array([[0.0, 0.5, 0.5], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
READ = np.array([1.0, 0.0, 0.0])


def by_hand(method: AttentionMethod, tiny_bert: EncoderModel, lower: np.ndarray, upper: np.ndarray) -> list[float]:
    tokens = tiny_bert.encode("so")
    tokens = tokens if len(tokens) == 3 else tiny_bert.encode("I")
    assert len(tokens) == 3
    maps = AttentionMaps(tokens, np.stack([lower, upper])[:, None], ("mean",), method.name, row_stochastic=False)
    return [round(float(share), 6) for share in method.combine(maps, READ)]


def test_two_layers_by_hand(tiny_bert: EncoderModel) -> None:
    # Raw: the upper row itself. Rollout without residual: .5 of row 1 below plus .5 of row 2 below.
    assert by_hand(RawAttention(), tiny_bert, LOWER, UPPER) == [0.0, 0.5, 0.5]
    assert by_hand(Alti(), tiny_bert, LOWER, UPPER) == [0.25, 0.5, 0.25]
    assert by_hand(ValueZeroing(), tiny_bert, LOWER, UPPER) == [0.25, 0.5, 0.25]
    # Norms are scaled to shares first: doubling a layer changes nothing.
    assert by_hand(NormBasedAttention(), tiny_bert, 2 * LOWER, UPPER) == [0.25, 0.5, 0.25]
    # (I + U)(I + L) - I = U + L + U L: row 0 is [0, .5, .5] + [.2, .8, 0] + [.25, .5, .25].
    assert by_hand(GradientWeightedAttention(), tiny_bert, LOWER, UPPER) == [0.45, 1.8, 0.75]
    # Sums of columns over both layers.
    assert by_hand(AttentionTimesGradient(), tiny_bert, LOWER, UPPER) == [1.7, 2.3, 2.0]
    # Flow: half a unit can reach token 1 through place 1, .5 each of tokens 0 and 2 through place 2.
    assert by_hand(AttentionFlow(), tiny_bert, LOWER, UPPER) == [0.5, 0.5, 0.5]
