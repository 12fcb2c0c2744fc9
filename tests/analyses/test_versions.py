"""A raised version is part of every key: nothing computed by other arithmetic is handed out."""

import pytest

from explain.analyses.base import make_analysis
from explain.analyses.parameter_randomization import ParameterRandomization, _key
from explain.methods.base import METHODS
from explain.metrics.base import METRICS
from explain.models.analysis import Analysis
from explain.report.migration import completed
from explain.views.method_cards import card

METHOD, METRIC = METHODS["occlusion"], METRICS["deletion"]
TESTS = make_analysis("method_tests", {"method": "occlusion", "tests": "deletion"}, parse=True)
KEYED: dict[str, tuple[Analysis, tuple[type, ...]]] = {
    "method": (METHOD(), (METHOD,)),
    "tests": (TESTS, (type(TESTS), METHOD, METRIC)),
    "weights": (make_analysis("layer_weights", {"method": "attention_rollout"}), (METHODS["attention_rollout"],)),
    "model": (make_analysis("parameter_randomization", {"method": "occlusion"}), (ParameterRandomization, METHOD)),
}


@pytest.mark.parametrize("name", KEYED)
def test_a_version_is_part_of_the_key(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    analysis, parts = KEYED[name]
    before = analysis.key
    assert hash(before) == hash(analysis.key) and before == analysis.key
    for part in parts:
        with monkeypatch.context() as raised:
            raised.setattr(part, "version", part.version + 1)
            assert analysis.key != before, part.__name__
    assert analysis.key == before


def test_a_measurement_on_disk_is_of_one_version(monkeypatch: pytest.MonkeyPatch) -> None:
    key = _key("text_classification", "occlusion", completed("occlusion", {}))
    for part in (METHOD, ParameterRandomization):
        with monkeypatch.context() as raised:
            raised.setattr(part, "version", 2)
            assert _key("text_classification", "occlusion", completed("occlusion", {})) != key


def test_cards_say_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(METHOD, "version", 7)
    assert "version 7 of its arithmetic" in card(METHOD)
