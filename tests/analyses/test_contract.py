"""Every registered analysis, on every toy that has what it requires and on tiny BERTs, keeps the contract."""

from collections.abc import Callable
from pathlib import Path

import pytest

from explain.analyses.base import ANALYSES
from explain.core.errors import ModelError
from explain.models.analysis import MODEL, TEXT, ExplainedText
from explain.models.transformer import EncoderModel
from explain.testing import TOY_MODELS, NoGradientModel, check_analysis, default_item, texts_for
from tests.analysis_settings import analysis_of


@pytest.fixture(autouse=True)
def _no_measurement_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.fixture(autouse=True)
def _words_of_a_tiny_model(tiny_fillers: None) -> None:
    pass


@pytest.mark.parametrize(
    ("name", "toy"),
    [
        (name, toy)
        for name, analysis in ANALYSES.items()
        for toy, model in TOY_MODELS.items()
        if analysis.subject == TEXT and analysis.requires <= model.capabilities
    ],
)
def test_contract_on_toys(name: str, toy: str) -> None:
    check_analysis(analysis_of(name), TOY_MODELS[toy])


@pytest.mark.parametrize("name", ANALYSES)
def test_contract_on_a_tiny_bert(name: str, tiny: Callable[..., EncoderModel]) -> None:
    analysis = analysis_of(name)
    model = tiny("bert")
    check_analysis(analysis, model if analysis.requires <= model.capabilities else tiny("bert", ""))


@pytest.mark.parametrize(
    "name", [name for name in ANALYSES if not ANALYSES[name].requires <= NoGradientModel.capabilities]
)
def test_a_model_without_what_is_required_is_refused(name: str) -> None:
    model, analysis = NoGradientModel(), analysis_of(name)
    item = None if analysis.subject == MODEL else ExplainedText(*default_item(model, *texts_for(model)["plain"]))
    with pytest.raises(ModelError):
        analysis.run(model, item)


@pytest.mark.parametrize("name", ANALYSES)
def test_analyses_say_what_they_are(name: str) -> None:
    analysis = ANALYSES[name]
    assert analysis.name == name
    assert analysis.title and analysis.meaning and analysis.limits and analysis.__doc__
