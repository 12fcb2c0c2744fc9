"""Every registered method, on every toy and on a tiny BERT, keeps the contract."""

from collections.abc import Callable

import pytest

from explain.core.errors import ModelError
from explain.methods.base import METHODS, Method
from explain.models.transformer import EncoderModel
from explain.testing import METHOD_CHECKS, TOY_MODELS, NoGradientModel, default_item, texts_for


@pytest.mark.parametrize("check", METHOD_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize(
    ("name", "toy"),
    [(name, toy) for name in METHODS for toy in TOY_MODELS if METHODS[name].requires <= TOY_MODELS[toy].capabilities],
)
def test_contract_on_toys(name: str, toy: str, check: Callable[..., None]) -> None:
    check(METHODS[name](), TOY_MODELS[toy])


@pytest.mark.parametrize("check", METHOD_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("head", ["ForSequenceClassification", "ForMaskedLM"])
@pytest.mark.parametrize("name", METHODS)
def test_contract_on_a_tiny_bert(
    name: str, head: str, check: Callable[..., None], tiny: Callable[..., EncoderModel]
) -> None:
    check(METHODS[name](), tiny("bert", head))


@pytest.mark.parametrize("name", METHODS)
def test_needs_are_honest(name: str) -> None:
    model = NoGradientModel()
    method: Method = METHODS[name]()
    item = default_item(model, *texts_for(model)["plain"])
    if method.requires - model.capabilities:
        with pytest.raises(ModelError):
            method.attribute(model, *item)
    else:
        method.attribute(model, *item)


@pytest.mark.parametrize(
    "name", [name for name in METHODS if METHODS[name].signed and METHODS[name].requires <= {"gradients"}]
)
def test_planted_word_comes_first(name: str) -> None:
    model = TOY_MODELS["planted"]
    one = METHODS[name]().attribute(model, *default_item(model, *texts_for(model)["plain"])).per_word()
    best = max(range(len(one.units)), key=lambda number: abs(one.scores[number]))
    assert one.tokens.unit_text(one.units[best]) == "zebra"


@pytest.mark.parametrize("name", METHODS)
def test_methods_say_what_they_are(name: str) -> None:
    method = METHODS[name]
    assert method.name == name
    assert method.meaning and method.limits and method.__doc__
