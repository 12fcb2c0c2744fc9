"""What is seen and cut inside a model: cuts, states, and the parts of layers and head."""

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch

from explain.core.errors import ModelError
from explain.core.meter import Meter
from explain.datatypes import Cut
from explain.models.base import TextModel
from explain.models.cached_model import CachedModel
from explain.models.families import FAMILIES
from explain.models.probe import KeepMaps, probing
from explain.models.transformer import EncoderModel
from explain.testing import NoGradientModel, default_item
from tests.tiny_models import FAMILY_NAMES

TEXT = "The film isn't good, but its top-notch cast saves it!"
PROBED = [family for family in FAMILY_NAMES if FAMILIES[family].probed]


def cut_by_hand(model: EncoderModel, text: str, change: Callable[[int, torch.Tensor], None]) -> np.ndarray:
    """Logits with attention weights changed in every layer of eager attention, on the plain model."""

    def probe(layer: int, weights: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        weights = weights.clone()
        change(layer, weights)
        return weights, values

    with torch.no_grad(), probing(probe):
        return model._module(input_ids=torch.tensor([model.encode(text).ids.tolist()])).logits[0].numpy()


@pytest.mark.parametrize("family", PROBED)
def test_cuts_of_every_kind(family: str, tiny: Callable[[str], EncoderModel]) -> None:
    model = tiny(family)
    tokens = model.encode(TEXT)
    target = model.task.target(model.predict(tokens), model.head, scale="logit")
    cuts = [
        (),
        (Cut(1, 2, 0, 3),),
        (Cut(1, None, 0, 3),),
        (Cut(0, 1),),
        (Cut(2),),
        (Cut(source=3),),
        (Cut(0, 1), Cut(2)),
    ]

    def set_zero(*places: tuple[int | None, slice | int, slice | int, slice | int]) -> float:
        def change(layer: int, weights: torch.Tensor) -> None:
            for wanted, head, to, source in places:
                if wanted in (None, layer):
                    weights[:, head, to, source] = 0

        return float(cut_by_hand(model, TEXT, change)[target.index])

    whole = slice(None)
    expected = [
        set_zero(),
        set_zero((1, 2, 0, 3)),
        set_zero((1, whole, 0, 3)),
        set_zero((0, 1, whole, whole)),
        set_zero((2, whole, whole, whole)),
        set_zero((None, whole, whole, 3)),
        set_zero((0, 1, whole, whole), (2, whole, whole, whole)),
    ]
    meter = Meter()
    found = model.attention.scores_with_ablation(tokens, target, cuts, meter)
    assert np.allclose(found.values, expected, atol=1e-4)
    assert meter.spent.forward == len(cuts) and meter.spent.backward == 0
    assert found.values[0] == pytest.approx(model.value(model.predict(tokens), target), abs=1e-4)
    assert len(set(np.round(found.values, 6))) == len(cuts)  # each cut does something of its own


def test_a_head_cut_out_is_its_part_of_the_output_projection(tiny_bert: EncoderModel) -> None:
    tokens, target = default_item(tiny_bert, TEXT)
    twin = copy.deepcopy(tiny_bert._module)
    with torch.no_grad():
        twin.bert.encoder.layer[1].attention.output.dense.weight[:, 16:24] = 0
        logits = twin(input_ids=torch.tensor([tokens.ids.tolist()])).logits
    places = torch.empty(1, 0, dtype=torch.long)
    expected = float(tiny_bert.task.scalar({"logits": logits}, target, places, tiny_bert.head)[0])
    assert tiny_bert.attention.scores_with_ablation(tokens, target, [(Cut(1, 2),)]).values[0] == pytest.approx(
        expected, abs=1e-4
    )


def test_many_cuts_run_in_chunks(sentiment: TextModel) -> None:
    tokens, target = default_item(sentiment, TEXT * 8)
    cuts = [(Cut(layer, head),) for layer in range(6) for head in range(12)]
    together = sentiment.attention.scores_with_ablation(tokens, target, cuts).values
    alone = [sentiment.attention.scores_with_ablation(tokens, target, [cut]).values[0] for cut in cuts[::17]]
    assert np.allclose(together[::17], alone, atol=1e-3)


@pytest.mark.parametrize("family", ["deberta-v2", "mpnet"])
def test_models_that_can_not_be_opened_say_so(family: str, tiny: Callable[[str], EncoderModel]) -> None:
    model = tiny(family)
    item = default_item(model, TEXT)
    for ask in (
        lambda: model.attention.trace(item[0]),
        lambda: model.attention.gradients(*item),
        lambda: model.attention.scores_with_ablation(*item, [()]),
        lambda: model.post_norm,
    ):
        with pytest.raises(ModelError, match="Use another method"):
            ask()
    assert model.capabilities >= {"attention", "gradients"}


def test_toys_say_so_too() -> None:
    model = NoGradientModel()
    for ask in (lambda: model.post_norm, lambda: model.row_head, lambda: model.attention.trace(model.encode("so"))):
        with pytest.raises(ModelError):
            ask()


@pytest.mark.parametrize("family", ["bert", "roberta", "xlm-roberta", "camembert", "electra", "distilbert", "albert"])
def test_layers_and_head_rebuild_the_forward_pass(family: str, tiny: Callable[[str], EncoderModel]) -> None:
    model = tiny(family)
    assert {"trace", "post_norm", "head_on_states", "cuts", "attention_gradients"} <= model.capabilities
    trace = model.attention.trace(model.encode(TEXT))
    with torch.inference_mode():
        for number, layer in enumerate(model.post_norm):
            context = (trace.weights[number] @ trace.values[number]).transpose(0, 1).flatten(1)
            after = layer.finish(layer.after_attention(context, trace.states[number]))
            assert torch.allclose(after, trace.states[number + 1], atol=1e-4)
        logits = model.row_head(trace.states[-1][0])
    assert np.allclose(logits, trace.prediction.output.logits[0], atol=1e-4)


def test_a_cached_model_runs_nothing_twice(tiny_bert: EncoderModel) -> None:
    working = CachedModel(tiny_bert)
    tokens, target = default_item(tiny_bert, TEXT)
    meter = Meter()
    for _ in range(3):
        working.attention.trace(tokens, meter)
        working.attention.gradients(tokens, target, meter)
    assert (meter.spent.forward, meter.spent.backward) == (2, 1)


def test_nothing_is_watched_afterwards(tiny_bert: EncoderModel) -> None:
    tokens, target = default_item(tiny_bert, TEXT)
    before = tiny_bert.predict(tokens).output.logits
    tiny_bert.attention.trace(tokens)
    tiny_bert.attention.gradients(tokens, target)
    tiny_bert.attention.scores_with_ablation(tokens, target, [(Cut(0),)])
    assert np.array_equal(tiny_bert.predict(tokens).output.logits, before)
    assert not any(one.requires_grad or one.grad is not None for one in tiny_bert._module.parameters())
    keep = KeepMaps()
    with probing(keep):
        pass
    assert keep.weights == []
