"""One place decides the device: whatever computes makes its tensors where the module is, by naming a device."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.overrides import TorchFunctionMode

import explain
from explain.analyses.base import ANALYSES
from explain.datatypes import Neuron
from explain.methods.base import METHODS
from explain.metrics.base import METRICS, Trial
from explain.models.analysis import ExplainedText, VectorAnalysis
from explain.models.base import TextModel
from explain.models.loading.checkpoint import load_folder
from explain.run.vectors import read_texts
from explain.testing import default_item, texts_for
from tests.analysis_settings import analysis_of
from tests.tiny_models import tiny_gpt2

ROOMS = ("models", "tasks", "methods", "metrics", "analyses")
TEXT = "The film isn't good, but it is not bad."
LINES = tuple(
    f"a {word} film"
    for word in ["good", "bad", "long", "short", "new", "old", "slow", "fast", "sad", "loud", "calm", "odd"]
)
FACTORIES = {
    getattr(torch, name)
    for name in (
        *("tensor", "as_tensor", "zeros", "ones", "empty", "full", "eye"),
        *("arange", "linspace", "rand", "randn", "randint", "randperm"),
    )
}


class NamedDevices(TorchFunctionMode):
    """Fails where a file of the package makes a tensor without naming a device."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func in FACTORIES and "device" not in (kwargs or {}):
            caller = sys._getframe(1)
            module = caller.f_globals.get("__name__", "")
            if module.startswith(tuple(f"explain.{room}." for room in ROOMS)):
                raise AssertionError(f"{module}:{caller.f_lineno} calls torch.{func.__name__} without a device")
        return func(*args, **(kwargs or {}))


@pytest.fixture
def named_devices() -> Iterator[None]:
    with NamedDevices():
        yield


def test_the_mode_sees_what_a_file_of_the_package_makes(named_devices: None) -> None:
    code = compile("import torch\ntorch.zeros(2, device='cpu')\ntorch.zeros(2)", "explain", "exec")
    with pytest.raises(AssertionError, match=r"explain\.methods\.of_someone:3 calls torch\.zeros"):
        exec(code, {"__name__": "explain.methods.of_someone"})


@pytest.mark.parametrize("name", METHODS)
def test_methods(name: str, tiny_bert: TextModel, named_devices: None) -> None:
    method = METHODS[name]()
    tiny_bert.require(method.requires)
    assert method.attribute(tiny_bert, *default_item(tiny_bert, TEXT)).method == name


@pytest.mark.parametrize("name", METRICS)
def test_metrics(name: str, tiny_bert: TextModel, named_devices: None) -> None:
    method = METHODS["gradient_times_input" if name == "max_sensitivity" else "integrated_gradients"]()
    item = default_item(tiny_bert, TEXT)
    trial = Trial(tiny_bert, *item, orders=20)
    assert METRICS[name]().evaluate(trial, method.attribute(tiny_bert, *item)).metric == name


@pytest.mark.parametrize("name", [name for name in ANALYSES if "jvp" not in ANALYSES[name].requires])
def test_analyses(name: str, tiny_bert: TextModel, named_devices: None) -> None:
    analysis = analysis_of(name)
    tiny_bert.require(analysis.requires)
    if isinstance(analysis, VectorAnalysis):
        subject: Any = read_texts(LINES, tiny_bert, "mean")
    else:
        subject = ExplainedText(*default_item(tiny_bert, TEXT))
    assert isinstance(analysis.run(tiny_bert, subject), analysis.returns)


@pytest.mark.parametrize("name", [name for name in ANALYSES if "jvp" in ANALYSES[name].requires])
def test_analyses_of_two_texts(name: str, tiny: Any, named_devices: None) -> None:
    model = tiny("bert", "")
    model.require(ANALYSES[name].requires)
    subject = ExplainedText(*default_item(model, "A dog swims.", "A dog is in the sea."))
    assert isinstance(ANALYSES[name]().run(model, subject), ANALYSES[name].returns)


@pytest.mark.parametrize(("family", "head"), [("modernbert", "ForMaskedLM"), ("mpnet", ""), ("deberta-v2", None)])
def test_predicting_and_reading(family: str, head: str | None, tiny: Any, named_devices: None) -> None:
    model = tiny(family) if head is None else tiny(family, head)
    tokens, target = default_item(model, *texts_for(model)["plain"])
    model.observe(tokens)
    model.scores([model.removed(tokens, unit, "zero", target) for unit in tokens.word_units()[:1]])
    model.vectors.read(LINES)


def test_a_causal_model(tmp_path: Path, named_devices: None) -> None:
    model = load_folder("causal", tiny_gpt2(tmp_path))
    tokens, target = default_item(model, TEXT)
    model.attention.trace(tokens)
    model.neurons.scores_with_ablation(tokens, target, [(Neuron(0, 1),)])


def test_only_loading_and_training_name_a_device() -> None:
    package = Path(explain.__file__).parent
    for room in ROOMS:
        for path in (package / room).rglob("*.py"):
            if path.parent.name != "loading":
                assert not re.search(r"""["'](cpu|cuda|mps|meta)\b""", path.read_text()), path
