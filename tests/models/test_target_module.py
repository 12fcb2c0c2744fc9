"""Modules of one's own: the model's numbers and weights, and nothing of it touched."""

from collections.abc import Callable

import pytest
import torch

from explain.core.meter import Meter
from explain.models.cached_model import CachedModel
from explain.models.target_module import is_activation
from explain.models.transformer import EncoderModel
from explain.testing import default_item

TEXT = "The film [MASK] good, but its top-notch cast saves it!"
OFFERING = [
    ("bert", "ForSequenceClassification"),
    ("electra", "ForSequenceClassification"),
    ("bert", "ForMaskedLM"),
    ("distilbert", "ForMaskedLM"),
    ("electra", "ForMaskedLM"),
    ("deberta-v2", "ForMaskedLM"),
    ("modernbert", "ForMaskedLM"),
]


@pytest.mark.parametrize(("family", "head"), OFFERING)
def test_it_gives_what_the_model_serves(family: str, head: str, tiny: Callable[..., EncoderModel]) -> None:
    model = tiny(family, head)
    tokens, target = default_item(model, TEXT)
    meter = Meter()
    own = CachedModel(model).own_module(tokens, target, meter)
    runs: list[torch.nn.Module] = []
    for one in filter(is_activation, own.modules()):
        one.register_forward_hook(lambda module, inputs, output: runs.append(module))
    with torch.no_grad():
        value = float(own(model.word_embeddings(tokens)[None])[0])
    assert value == pytest.approx(model.value(model.predict(tokens), target), abs=1e-4)
    assert len(runs) == len(set(runs)) == model.layers + 1
    assert (meter.spent.forward, meter.spent.positions) == (1, len(tokens))


def test_weights_are_shared_and_modules_are_not(tiny_bert: EncoderModel) -> None:
    item = default_item(tiny_bert, TEXT)
    first, second = tiny_bert.own_module(*item), tiny_bert.own_module(*item)
    theirs = {one.data_ptr() for one in tiny_bert._module.parameters()}
    assert {one.data_ptr() for one in first.parameters()} == theirs
    for left, right in ((first.modules(), tiny_bert._module.modules()), (first.modules(), second.modules())):
        assert not set(left) & set(right)
    before = [len(one._forward_hooks) for one in tiny_bert._module.modules()]  # transformers may have left some there
    for one in first.modules():
        one.register_forward_hook(lambda module, inputs, output: output)
    for other in (tiny_bert._module, second.module):
        assert [len(one._forward_hooks) for one in other.modules()] == before
