"""Neurons and states inside a model: against hooks on the plain module, captum, zeroed weights, and differences."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from captum.attr import LayerGradientXActivation

from explain.core.errors import ModelError, SettingError
from explain.core.meter import Meter
from explain.datatypes import Neuron, Target, Tokens
from explain.models.base import TextModel
from explain.models.cached_model import CachedModel
from explain.models.neurons import read_neuron
from explain.models.transformer import EncoderModel
from explain.testing import NoGradientModel, default_item
from tests.tiny_models import FAMILY_NAMES

TEXT = "The film isn't good, but its top-notch cast saves it!"
Tiny = Callable[..., EncoderModel]
families = pytest.mark.parametrize("family", FAMILY_NAMES)

# Where the plain module has neurons as an output: the activation itself, or in ModernBERT what follows the gate.
ACTIVATIONS = {"distilbert": r"ffn\.activation", "albert": r"activation", "modernbert": r"mlp\.drop"}
SECOND = {"distilbert": "ffn.lin2", "albert": "ffn_output", "modernbert": "mlp.Wo"}


@pytest.fixture
def plain(family: str, tiny_folder_of: Callable[..., Path]) -> transformers.PreTrainedModel:
    """The model as transformers loads it, by itself."""
    return transformers.AutoModelForSequenceClassification.from_pretrained(tiny_folder_of(family)).eval()


def of_layers(family: str, plain: torch.nn.Module, names: dict[str, str], other: str) -> list[torch.nn.Module]:
    suffix = names.get(family, other)
    return [one for name, one in plain.named_modules() if re.search(rf"layers?(_groups)?\.\d+.*\.{suffix}$", name)]


def plain_value(plain: torch.nn.Module, tokens: Tokens, target: Target) -> float:
    with torch.no_grad():
        return float(plain(**told(plain, tokens)).logits[0, target.index])


def told(plain: torch.nn.Module, tokens: Tokens) -> dict[str, torch.Tensor]:
    return {"input_ids": torch.tensor([tokens.ids.tolist()])}


def item(model: TextModel, text: str = TEXT) -> tuple[Tokens, Target]:
    tokens = model.encode(text)
    return tokens, model.task.target(model.predict(tokens), model.head, scale="logit")


@families
def test_what_is_seen_is_what_the_plain_module_computes(family: str, tiny: Tiny, plain: torch.nn.Module) -> None:
    model = tiny(family)
    tokens, target = item(model)
    seen: list[torch.Tensor] = []
    activations = of_layers(family, plain, ACTIVATIONS, r"intermediate\.intermediate_act_fn")
    for one in activations:
        one.register_forward_hook(lambda module, inputs, output: seen.append(output[0]))
    with torch.no_grad():
        output = plain(**told(plain, tokens), output_hidden_states=True)
    meter = Meter()
    found = model.neurons.inside(tokens, target, meter)
    assert (meter.spent.forward, meter.spent.backward, meter.spent.positions) == (1, 1, len(tokens))
    assert found.neurons.shape == (3, len(tokens), 64) and model.neurons.per_layer == 64
    assert torch.allclose(found.neurons, torch.stack(seen), atol=2e-5)
    assert torch.allclose(found.states, torch.cat(output.hidden_states), atol=2e-5)
    assert found.value == pytest.approx(float(output.logits[0, target.index]), abs=1e-4)
    assert not (found.neurons.requires_grad or found.states.requires_grad)


@pytest.mark.parametrize("family", [family for family in FAMILY_NAMES if family != "albert"])
def test_gradients_are_captums(family: str, tiny: Tiny, plain: torch.nn.Module) -> None:
    """Not of ALBERT, as captum takes one run of a module only; differences, below, do not mind."""
    model = tiny(family)
    tokens, target = item(model)
    found = model.neurons.inside(tokens, target)
    embedded = model.word_embeddings(tokens)[None]

    def value(points: torch.Tensor) -> torch.Tensor:
        return plain(inputs_embeds=points).logits[:, target.index]

    layers = of_layers(family, plain, ACTIVATIONS, r"intermediate\.intermediate_act_fn")
    # DeBERTa's layers give tuples, their last part a tensor.
    end = r"\.output$" if family == "deberta-v2" else "$"
    whole = [one for name, one in plain.named_modules() if re.search(rf"layers?\.\d+{end}", name)]
    for layer in range(3):
        products = LayerGradientXActivation(value, layers[layer]).attribute(embedded)[0]
        assert torch.allclose(products, (found.neurons * found.neuron_gradients)[layer], atol=1e-4)
        if family == "modernbert" and layer == 2:
            continue  # the last state is what the last norm makes of the layer's output
        products = LayerGradientXActivation(value, whole[layer]).attribute(embedded)
        assert torch.allclose(products.squeeze(0), (found.states * found.state_gradients)[layer + 1], atol=1e-4)


@families
def test_gradients_are_small_differences(family: str, tiny: Tiny, plain: torch.nn.Module) -> None:
    """Activations of one layer a little larger, a little smaller: what the target does is their products' sum.

    In float64, where a difference can be so small that no ReLU of a head switches in between.
    """
    plain.double()
    model = tiny(family)
    tokens, target = item(model)
    found = model.neurons.inside(tokens, target)
    by_layer = (found.neurons * found.neuron_gradients).sum(dim=(1, 2))
    step = 1e-4
    for layer in range(3):
        ends = []
        for factor in (1 + step, 1 - step):
            with scaled(family, plain, layer, factor):
                ends.append(plain_value(plain, tokens, target))
        assert float(by_layer[layer]) == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-3, abs=2e-3)


class scaled:
    """The neurons of one layer of a plain module times a number, while inside; layers counted by calls."""

    def __init__(self, family: str, plain: torch.nn.Module, layer: int, factor: float) -> None:
        self.modules = of_layers(family, plain, SECOND, r"(?<!attention\.)output\.dense")
        self.layer, self.factor, self.calls = layer, factor, 0

    def __enter__(self) -> None:
        self.hooks = [one.register_forward_pre_hook(self.change) for one in self.modules]

    def __exit__(self, *_: object) -> None:
        for hook in self.hooks:
            hook.remove()

    def change(self, module: torch.nn.Module, inputs: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
        self.calls += 1
        return (inputs[0] * (self.factor if self.calls - 1 == self.layer else 1.0),)


@families
def test_a_neuron_set_to_zero_is_its_column_of_the_second_map(family: str, tiny: Tiny, plain: torch.nn.Module) -> None:
    model = tiny(family)
    tokens, target = item(model)
    number = 11
    sets = [(), (Neuron(1, number),), (Neuron(2),), (Neuron(0, number), Neuron(1, number), Neuron(2, number))]
    meter = Meter()
    found = model.neurons.scores_with_ablation(tokens, target, sets, meter)
    assert (meter.spent.forward, meter.spent.backward) == (4, 0)
    expected = [plain_value(plain, tokens, target)]
    maps = of_layers(family, plain, SECOND, r"(?<!attention\.)output\.dense")
    if family != "albert":  # there, one column serves all layers
        kept = maps[1].weight[:, number].detach().clone()
        with torch.no_grad():
            maps[1].weight[:, number] = 0
        expected.append(plain_value(plain, tokens, target))
        with torch.no_grad():
            maps[1].weight[:, number] = kept
    else:
        expected.append(found.values[1])
    with scaled(family, plain, 2, 0.0):
        expected.append(plain_value(plain, tokens, target))
    with torch.no_grad():
        for one in maps:
            one.weight[:, number] = 0
    expected.append(plain_value(plain, tokens, target))
    assert np.allclose(found.values, expected, atol=1e-4)
    assert len(set(np.round(found.values, 6))) == 4  # each does something of its own


def test_a_neuron_at_one_token(tiny_bert: EncoderModel) -> None:
    tokens, target = item(tiny_bert)
    everywhere = [Neuron(1, 5, token) for token in range(len(tokens))]
    sets = [(Neuron(1, 5),), everywhere, everywhere[:1], (Neuron(2, None, 0),), (Neuron(2),), (Neuron(2, 7, 3),), ()]
    found = tiny_bert.neurons.scores_with_ablation(tokens, target, sets).values
    assert found[0] == pytest.approx(found[1], abs=1e-5) and abs(found[2] - found[0]) > 1e-4
    # Of the last layer, the head reads the first row only.
    assert found[3] == pytest.approx(found[4], abs=1e-5) and found[5] == pytest.approx(found[6], abs=1e-5)


def test_sets_run_in_chunks_and_none_knows_of_another(tiny_bert: EncoderModel) -> None:
    tokens, target = item(tiny_bert)
    sets = [(Neuron(number % 3, number % 64),) for number in range(150)]
    together = tiny_bert.neurons.scores_with_ablation(tokens, target, sets).values
    alone = [tiny_bert.neurons.scores_with_ablation(tokens, target, [one]).values[0] for one in sets[::29]]
    assert np.allclose(together[::29], alone, atol=1e-4)


@pytest.mark.parametrize(
    ("family", "head"),
    [
        ("bert", "ForMaskedLM"),
        ("albert", "ForMaskedLM"),
        ("roberta", "ForTokenClassification"),
        ("distilbert", "ForQuestionAnswering"),
        ("bert", "ForNextSentencePrediction"),
        ("bert", ""),
        ("modernbert", ""),
    ],
)
def test_every_head_is_differentiated_at_the_score_it_serves(family: str, head: str, tiny: Tiny) -> None:
    model = tiny(family, head)
    texts = {
        "ForMaskedLM": (TEXT.replace("good", model.head.vocabulary.mask if model.head.vocabulary else ""),),
        "ForTokenClassification": ("Ada met Bob in Rome.",),
    }.get(head, ("Who saves the film?", TEXT))
    tokens, target = default_item(model, *texts)
    found = model.neurons.inside(tokens, target)
    assert found.value == pytest.approx(model.value(model.predict(tokens), target), abs=1e-4)
    assert float(found.neuron_gradients.abs().max()) > 0
    assert model.neurons.scores_with_ablation(tokens, target, [()]).values[0] == pytest.approx(found.value, abs=1e-4)


@pytest.mark.parametrize("family", ["bert", "albert", "modernbert", "deberta-v2"])
def test_many_texts_are_watched_as_each_by_itself(family: str, tiny: Tiny) -> None:
    model = tiny(family)
    texts = [model.encode(text) for text in (TEXT, "so good", "A very long and slow film, " * 4, "no")]
    seen: dict[tuple[int, int], torch.Tensor] = {}

    def see(numbers: list[int], layer: int, neurons: torch.Tensor) -> None:
        for place, number in enumerate(numbers):
            assert (number, layer) not in seen
            seen[number, layer] = neurons[place, : len(texts[number])].clone()

    meter = Meter()
    model.neurons.stream_activations(texts, see, meter)
    assert meter.spent.forward == 4 and len(seen) == 12
    for number, tokens in enumerate(texts):
        alone = model.neurons.inside(*item(model, tokens.text)).neurons
        assert torch.allclose(torch.stack([seen[number, layer] for layer in range(3)]), alone, atol=2e-5)


def hooks_of(model: EncoderModel) -> Iterator[int]:
    for one in model._module.modules():
        yield len(one._forward_hooks) + len(one._forward_pre_hooks)


def test_nobody_else_sees_what_is_silenced(tiny_bert: EncoderModel) -> None:
    tokens, target = item(tiny_bert)
    served = tiny_bert.value(tiny_bert.predict(tokens), target)
    before = list(hooks_of(tiny_bert))
    off = [(Neuron(0),)] * 40

    def work(number: int) -> np.ndarray:
        if number % 2:
            return np.array([tiny_bert.value(tiny_bert.predict(tokens), target) for _ in range(10)])
        return tiny_bert.neurons.scores_with_ablation(tokens, target, off).values

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(work, range(12)))
    for values in found[1::2]:
        assert np.allclose(values, served, atol=1e-4)
    for values in found[::2]:
        assert np.allclose(values, found[0][0], atol=1e-4) and abs(values[0] - served) > 1e-3
    assert list(hooks_of(tiny_bert)) == before
    assert not any(one.requires_grad or one.grad is not None for one in tiny_bert._module.parameters())


def test_a_cached_model_looks_inside_once(tiny_bert: EncoderModel) -> None:
    working, meter = CachedModel(tiny_bert), Meter()
    for _ in range(3):
        working.neurons.inside(*item(tiny_bert), meter)
    assert (meter.spent.forward, meter.spent.backward) == (1, 1) and working.neurons.per_layer == 64


def test_models_that_show_no_neurons_say_so() -> None:
    model = NoGradientModel()
    for ask in (
        lambda: model.neurons.inside(*default_item(model, "good")),
        lambda: model.neurons.scores_with_ablation(*default_item(model, "good"), [()]),
        lambda: model.neurons.stream_activations([model.encode("good")], lambda *_: None),
    ):
        with pytest.raises(ModelError, match="in a way of its own, so their neurons can't be seen"):
            ask()


def test_layers_that_run_in_chunks_are_run_whole(tiny_bert: EncoderModel, tmp_path: Path) -> None:
    from explain.models.loading.catalogue import load_folder
    from tests.tiny_models import tiny_folder

    chunked = load_folder("chunked", tiny_folder("bert", tmp_path / "chunked", chunk_size_feed_forward=3))
    assert "neurons" in chunked.capabilities
    for text in ("good", "a good film", "the film isn't good"):  # of as many pieces as three divides, or not
        logits, plain = (model.predict(model.encode(text)).output.logits for model in (chunked, tiny_bert))
        assert np.allclose(logits, plain, atol=1e-6)


def test_names_of_neurons() -> None:
    assert read_neuron(" 2.107", 6, 1536) == Neuron(2, 107) and str(Neuron(2, 107)) == "2.107"
    assert read_neuron("0·all", 6, 1536) == Neuron(0) and str(Neuron(0)) == "0.all"
    for name, message in (
        ("6.0", "layers 0 to 5"),
        ("0.1536", "neurons 0 to 1535"),
        ("2", "Name one by layer and number, such as 2.107"),
        ("²·¹", "is no neuron"),
    ):
        with pytest.raises(SettingError, match=message):
            read_neuron(name, 6, 1536)
