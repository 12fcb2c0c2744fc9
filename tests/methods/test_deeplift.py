"""DeepLIFT against captum's own, an independent twin, and a network where it must be exact."""

import threading
from collections.abc import Callable
from pathlib import Path

import captum.attr
import numpy as np
import pytest
import torch

from explain.core.errors import ModelError, SettingError
from explain.core.meter import Meter
from explain.datatypes import Target, Tokens
from explain.methods.deeplift import DeepLift
from explain.models.base import TextModel
from explain.models.loading.catalogue import load_folder
from explain.models.target_module import TargetModule, shared_weight_copy
from explain.models.transformer import EncoderModel
from explain.testing import METHOD_CHECKS, ToyClassifier, default_item
from explain.views.token_heatmap import note
from tests import twins
from tests.tiny_models import tiny_folder

TEXT = "The film isn't good, but its top-notch cast saves it!"
MASKED = "The film [MASK] good, but its top-notch cast saves it!"


class BentModel(ToyClassifier):
    """Two linear maps and two activations for each token, then a sum: the rescale rule leaves no gap here."""

    capabilities = ToyClassifier.capabilities | {"activations"}

    def __init__(self, name: str = "bent") -> None:
        super().__init__(name)
        torch.manual_seed(3)
        self.network = torch.nn.Sequential(
            torch.nn.Linear(self.width, 8), torch.nn.GELU(), torch.nn.Linear(8, 1), torch.nn.Tanh()
        ).requires_grad_(False)

    def logit(self, points: torch.Tensor, attended: torch.Tensor) -> torch.Tensor:
        return (self.network(points)[..., 0] * attended).sum(dim=-1)

    def own_module(self, tokens: Tokens, target: Target, meter: Meter | None = None) -> TargetModule:
        twin = type(self)(self.name)
        twin.network = shared_weight_copy(self.network)
        return TargetModule(twin.network, lambda points: twin._value(tokens, target, points), meter)


@pytest.mark.parametrize("check", METHOD_CHECKS, ids=lambda check: check.__name__)
def test_contract(check: Callable[..., None]) -> None:
    check(DeepLift(), BentModel())


@pytest.mark.parametrize("baseline", ["mask", "pad", "zero"])
def test_linear_maps_and_activations_leave_no_gap(baseline: str) -> None:
    """Of a token alone, F(x) - F(b) is what its score must be: no other token has a part in it."""
    model = BentModel()
    tokens, target = default_item(model, TEXT)
    one = DeepLift(baseline=baseline).attribute(model, tokens, target)
    sign = 1 if target.label == "positive" else -1
    text, empty = model.word_embeddings(tokens), model.baseline(tokens, target, baseline)
    expected = sign * (model.network(text) - model.network(empty))[:, 0]
    assert np.allclose(one.scores, expected.numpy(), atol=1e-5)
    assert abs(one.completeness_gap) < 1e-4 and one.diagnostics["gap_share"] < 1e-3


@pytest.mark.parametrize("baseline", ["mask", "zero"])
def test_equals_captum_where_captum_knows_all_activations(baseline: str, tmp_path: Path) -> None:
    model = load_folder("relu", tiny_folder("bert", tmp_path, hidden_act="relu"))
    tokens, target = default_item(model, TEXT)
    text = model.word_embeddings(tokens)[None].requires_grad_()
    theirs = captum.attr.DeepLift(model.own_module(tokens, target)).attribute(
        text, model.baseline(tokens, target, baseline)[None]
    )
    one = DeepLift(baseline=baseline).attribute(model, tokens, target)
    expected = theirs.sum(dim=-1)[0].detach().numpy()
    assert np.abs(one.scores - expected).max() <= 1e-5 * np.abs(expected).max()
    assert one.diagnostics["rescaled"] == 4  # three layers and the pooler


@pytest.mark.parametrize(
    ("family", "head"),
    [
        ("bert", "ForSequenceClassification"),
        ("bert", "ForMaskedLM"),
        ("electra", "ForSequenceClassification"),
        ("modernbert", "ForMaskedLM"),
    ],
)
def test_equals_the_twin(family: str, head: str, tiny: Callable[..., EncoderModel]) -> None:
    model = tiny(family, head)
    item = default_item(model, MASKED if head == "ForMaskedLM" else TEXT)
    expected = twins.deeplift(model.own_module(*item), model.word_embeddings(item[0]), model.baseline(*item, "mask"))
    one = DeepLift().attribute(model, *item)
    assert np.abs(one.scores - expected).max() <= 1e-4 * np.abs(expected).max()
    assert one.scores[item[0].special].tolist() == [0.0] * int(item[0].special.sum())


def test_the_gap_is_told_and_it_is_large(sentiment: TextModel) -> None:
    """What the card says of transformers is so: attention and norms as plain gradients leave most unexplained."""
    item = default_item(sentiment, TEXT)
    one = DeepLift().attribute(sentiment, *item)
    empty = float(sentiment.values(*item, sentiment.baseline(*item, "mask")[None])[0])
    assert one.baseline_output == pytest.approx(empty, abs=1e-4)
    share = abs(one.completeness_gap) / abs(one.output - empty)
    assert one.diagnostics["gap_share"] == pytest.approx(share, rel=1e-3) and share > 0.5
    assert f"The gap is {share:.0%} of the difference" in note(one, one.per_word())


def test_two_passes_each_way(tiny_bert: EncoderModel) -> None:
    meter = Meter()
    one = DeepLift().attribute(tiny_bert, *default_item(tiny_bert, TEXT), meter)
    assert (meter.spent.forward, meter.spent.backward) == (one.passes.forward, one.passes.backward) == (2, 2)


def test_others_may_use_the_model_meanwhile(tiny_bert: EncoderModel) -> None:
    item = default_item(tiny_bert, TEXT)
    points = tiny_bert.word_embeddings(item[0])[None]
    plain, lifted = tiny_bert.gradients(*item, points)[1], DeepLift().attribute(tiny_bert, *item).scores
    wrong: list[str] = []

    def differentiate() -> None:
        for _ in range(20):
            if not torch.allclose(tiny_bert.gradients(*item, points)[1], plain, atol=1e-5):
                wrong.append("gradients")

    def lift() -> None:
        for _ in range(10):
            if not np.allclose(DeepLift().attribute(tiny_bert, *item).scores, lifted, atol=1e-4):
                wrong.append("deeplift")

    threads = [threading.Thread(target=work) for work in (differentiate, lift, lift)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("family", ["roberta", "distilbert", "albert", "deberta-v2", "mpnet", "modernbert"])
def test_activations_that_no_hook_sees_are_refused(family: str, tiny: Callable[[str], EncoderModel]) -> None:
    model = tiny(family)  # functions in the head; ALBERT runs one module many times
    with pytest.raises(ModelError, match="activations"):
        DeepLift().attribute(model, *default_item(model, TEXT))
    with pytest.raises(ModelError, match="activations"):
        model.own_module(*default_item(model, TEXT))


def test_knobs_out_of_range() -> None:
    with pytest.raises(SettingError, match="baseline"):
        DeepLift(baseline="noise")
