import threading
from collections.abc import Callable

import numpy as np
import pytest
import torch

from explain.models.families import FAMILIES
from explain.models.probe import KeepMaps, probing
from explain.models.transformer import EncoderModel
from tests.tiny_models import FAMILY_NAMES

PROBED = [family for family in FAMILY_NAMES if FAMILIES[family].probed]


def logits(model: EncoderModel, ids: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return model._module(input_ids=ids).logits


def hooks(model: EncoderModel) -> list[int]:
    """Hooks of every module; transformers' own stay once states were asked for, and do nothing until then."""
    return [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model._module.modules()]


@pytest.mark.parametrize("family", PROBED)
def test_watching_changes_nothing(family: str, tiny: Callable[[str], EncoderModel]) -> None:
    model = tiny(family)
    ids = torch.tensor([model.encode("The film isn't good").ids.tolist()])
    plain = logits(model, ids)
    keep = KeepMaps()
    with probing(keep):
        watched = logits(model, ids)
    assert torch.allclose(plain, watched, atol=1e-5)
    assert len(keep.weights) == 3
    assert torch.equal(plain, logits(model, ids))


def test_a_probe_may_cut_a_head(tiny_bert: EncoderModel) -> None:
    """Removing head 1 of layer 0 equals setting its rows of the output projection to zero, on a copy."""
    import copy

    ids = torch.tensor([tiny_bert.encode("The film isn't good").ids.tolist()])

    def cut(layer: int, weights: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if layer == 0:
            values = values.clone()
            values[:, 1] = 0
        return weights, values

    with probing(cut):
        probed = logits(tiny_bert, ids)
    twin = copy.deepcopy(tiny_bert._module)
    width = twin.config.hidden_size // twin.config.num_attention_heads
    with torch.no_grad():
        twin.bert.encoder.layer[0].attention.output.dense.weight[:, width : 2 * width] = 0
        expected = twin(input_ids=ids).logits
    assert torch.allclose(probed, expected, atol=1e-5)
    assert not torch.allclose(probed, logits(tiny_bert, ids), atol=1e-4)


@pytest.mark.parametrize("family", ["bert", "albert", "modernbert"])
def test_threads_do_not_see_each_others_probes(family: str, tiny: Callable[[str], EncoderModel]) -> None:
    """Observing and scoring at once, many times, gives each what it gets alone; no hook stays behind."""
    texts = ["The film isn't good", "an unbelievably bad story", "I loved it", "two people walk"]
    model = tiny(family)
    before = hooks(model)
    expected = {}
    for text in texts:
        seen = model.observe(model.encode(text))
        expected[text] = (seen.prediction.output.logits.copy(), seen.maps.weights.copy())
    wrong: list[str] = []

    def work(text: str) -> None:
        for _ in range(15):
            tokens = model.encode(text)
            seen = model.observe(tokens)
            plain = model.predict(tokens)
            same = np.allclose(seen.maps.weights, expected[text][1], atol=1e-6)
            same &= np.allclose(seen.prediction.output.logits, expected[text][0], atol=1e-5)
            same &= np.allclose(plain.output.logits, expected[text][0], atol=1e-4)
            if not same:
                wrong.append(text)

    threads = [threading.Thread(target=work, args=(text,)) for text in texts * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert hooks(model) == before


def test_an_error_inside_takes_the_probe_away(tiny_bert: EncoderModel) -> None:
    ids = torch.tensor([tiny_bert.encode("good").ids.tolist()])
    plain = logits(tiny_bert, ids)

    def broken(layer: int, weights: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        raise RuntimeError("broken probe")

    with pytest.raises(RuntimeError, match="broken probe"), probing(broken):
        logits(tiny_bert, ids)
    assert torch.equal(plain, logits(tiny_bert, ids))
