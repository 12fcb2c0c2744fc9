"""What the methods that play a text as a game have in common."""

from typing import Any

import numpy as np
import pytest

import explain
from explain.core.errors import SettingError
from explain.core.meter import Meter
from explain.datatypes import Attribution
from explain.methods.base import METHODS
from explain.methods.coalitions import CoalitionMethod
from explain.methods.shapley_values import ShapleyValues
from explain.models.coalition_game import CoalitionGame
from explain.models.transformer import EncoderModel
from explain.run import engine
from explain.run.jobs import Cache, Job
from explain.run.plan import Plan
from explain.testing import MASK, TEXTS, TOY_MODELS, LinearModel, default_item
from explain.text.removal import OPERATORS
from explain.text.units import units_of

FAMILY = [name for name in METHODS if issubclass(METHODS[name], CoalitionMethod)]
COMPLETE = [name for name in FAMILY if METHODS[name].complete]
TEXT = "The film isn't good, but its top-notch cast saves it!"


class LongToy(LinearModel):
    max_tokens = 512


LONG = LongToy("long")


def game(model: Any, text: str, operator: str = "mask", meter: Meter | None = None) -> CoalitionGame:
    item = default_item(model, text)
    return CoalitionGame(model, item, model.removable_units(*item, units_of(item[0], "word")), operator, meter)


def some_coalitions(count: int, players: int) -> np.ndarray:
    return np.random.default_rng(0).random((count, players)) < 0.5


@pytest.mark.parametrize("operator", OPERATORS)
def test_worth_is_the_target_without_what_is_not_there(operator: str, tiny_bert: EncoderModel) -> None:
    one = game(tiny_bert, TEXT, operator)
    coalitions = some_coalitions(40, len(one))
    found = one.worth(coalitions)
    for coalition, worth in zip(coalitions[:8], found):
        gone = [token for unit, there in zip(one.players, coalition) if not there for token in unit]
        row = tiny_bert.removed(one.item[0], gone, operator, one.item[1])
        assert worth == pytest.approx(tiny_bert.scores([row]).values[0], abs=1e-4)
    assert one.full == pytest.approx(tiny_bert.value(tiny_bert.predict(one.item[0]), one.item[1]), abs=1e-4)


@pytest.mark.parametrize("operator", ["mask", "delete"])
def test_each_coalition_is_run_once(operator: str, tiny_bert: EncoderModel) -> None:
    meter = Meter()
    one = game(tiny_bert, TEXT, operator, meter)
    coalitions = some_coalitions(60, len(one))
    one.worth(np.concatenate([coalitions, coalitions[::-1]]))
    one.worth(coalitions[:5])
    assert meter.spent.forward == one.passes == len({row.tobytes() for row in coalitions})
    _ = one.full, one.empty, one.full
    assert meter.spent.forward == one.passes


def test_what_is_deleted_is_run_with_what_is_as_long(tiny_bert: EncoderModel) -> None:
    """Little padding: positions run are hardly more than those that are there."""
    meter = Meter()
    one = game(tiny_bert, TEXT * 2, "delete", meter)
    coalitions = some_coalitions(300, len(one))
    one.worth(coalitions)
    lengths = 2 + coalitions @ np.array([len(unit) for unit in one.players])
    assert meter.spent.positions < 1.15 * lengths.sum() < 0.8 * len(coalitions) * len(one.item[0])


def test_what_is_asked_about_is_no_player() -> None:
    model = TOY_MODELS["masked"]
    one = game(model, "one [MASK] two [MASK]")
    asked = one.item[1].positions[0]
    assert len(one) == 3 and all(asked not in unit for unit in one.players)
    row = model.removed(one.item[0], [token for unit in one.players for token in unit], "mask", one.item[1])
    assert row.variant.ids[asked] == MASK and one.empty == pytest.approx(model.scores([row]).values[0])


@pytest.mark.parametrize("name", FAMILY)
def test_texts_of_one_word_or_none_that_can_go(name: str) -> None:
    one = METHODS[name]().attribute(TOY_MODELS["linear"], *default_item(TOY_MODELS["linear"], "zebra"))
    assert one.units == ((1, 2),) and one.passes.forward == 2
    if METHODS[name].complete:
        assert one.scores[0] == pytest.approx(one.output - one.baseline_output) and one.error[0] == 0
    none = METHODS[name]().attribute(TOY_MODELS["masked"], *default_item(TOY_MODELS["masked"], "[MASK]"))
    assert none.units == () and none.passes.forward == 1


@pytest.mark.parametrize("budget", [16, 200])
@pytest.mark.parametrize("operator", ["mask", "zero"])
@pytest.mark.parametrize("name", COMPLETE)
def test_on_a_linear_model_it_is_known(name: str, operator: str, budget: int) -> None:
    """Every word's share is its own term, whether all sets are run or few are drawn."""
    model = TOY_MODELS["linear"]
    tokens, target = default_item(model, "one three two four. No, yes!")
    one = METHODS[name](operator=operator, budget=budget, granularity="phrase").attribute(model, tokens, target)
    sign = 1 if target.label == "positive" else -1
    own = model.word_embeddings(tokens) @ model.weight
    instead = float(model.embedding[MASK] @ model.weight) if operator == "mask" else 0.0
    expected = [sign * sum(float(own[token]) - instead for token in unit) for unit in one.units]
    assert np.allclose(one.scores, expected, atol=1e-4)
    assert np.allclose(one.error, 0, atol=1e-4)


@pytest.mark.parametrize("name", COMPLETE)
def test_scores_add_up_to_the_text_less_the_text_without_words(name: str) -> None:
    model = TOY_MODELS["curved"]
    tokens, target = default_item(model, TEXTS["plain"])
    one = METHODS[name](budget=120).attribute(model, tokens, target)
    bare = model.removed(tokens, range(len(tokens)), "mask", target)
    assert one.baseline_output == pytest.approx(float(model.scores([bare]).values[0]))
    assert one.completeness_gap == pytest.approx(0, abs=1e-9)
    assert one.error.max() > 0 and not one.diagnostics["exact"]


@pytest.mark.parametrize("name", FAMILY)
def test_the_budget_is_kept_and_decides_how_fine_parts_are(name: str) -> None:
    item = default_item(LONG, "A long, slow film. " * 20)
    seen = {}
    for budget in (16, 100, 200, 400, 1000):
        meter = Meter()
        one = METHODS[name](budget=budget).attribute(LONG, *item, meter)
        assert meter.spent.forward <= METHODS[name](budget=budget).cost(item[0]) <= budget
        seen[budget] = one.granularity, len(one.units)
    assert seen == {
        16: ("sentence", 4),
        100: ("sentence", 12),
        200: ("sentence", 20),
        400: ("phrase", 40),
        1000: ("word", 120),
    }


@pytest.mark.parametrize("name", COMPLETE)
def test_a_budget_too_small_for_the_parts_chosen_is_refused(name: str) -> None:
    item = default_item(LONG, "word " * 300)
    with pytest.raises(SettingError, match=r"300 parts .* at least [\d,]+ passes; the budget is 500"):
        METHODS[name](granularity="word").attribute(LONG, *item)


@pytest.mark.parametrize("name", FAMILY)
def test_seeds_draw_differently_and_each_the_same(name: str) -> None:
    model = TOY_MODELS["curved"]
    item = default_item(model, TEXTS["plain"])
    first, again, other = (
        METHODS[name](seed=seed, budget=100, granularity="word").attribute(model, *item) for seed in (1, 1, 2)
    )
    assert np.array_equal(first.scores, again.scores) and np.array_equal(first.error, again.error)
    assert not np.array_equal(first.scores, other.scores)


@pytest.mark.parametrize("name", COMPLETE)
def test_intervals_hold_what_every_set_gives(name: str) -> None:
    """Against the exact values, which a larger budget gives."""
    model = TOY_MODELS["curved"]
    item = default_item(model, "so good, an odd film. No zebra, really")
    exact = METHODS[name](budget=2048).attribute(model, *item)
    assert exact.diagnostics["exact"] and not exact.error.any()
    knobs = {"budget": 130, "granularity": "word"} | ({} if name == "kernel_shap" else {"precision": 0.0})
    held = []
    for seed in range(25):
        one = METHODS[name](seed=seed, **knobs).attribute(model, *item)
        assert not one.diagnostics["exact"]
        held.append(np.abs(one.scores - exact.scores) <= one.error + 1e-6)
    assert np.mean(held) > 0.9


def test_what_is_found_so_far_is_shown_and_replaced_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The job holds each state of a method that goes on; its intervals shrink; the cache holds the last alone."""
    model, cache = TOY_MODELS["curved"], Cache()
    method = ShapleyValues(precision=0.0, budget=600)
    plan = Plan.for_text(TEXTS["plain"], methods=[method])
    seen: list[Attribution] = []
    before: list[bool] = []

    def work(meter: Meter) -> Any:
        publish = meter.publish

        def watch(name: Any, part: Any) -> None:
            publish(name, part)
            seen.append(job.parts[method])
            before.append(engine.known(plan, model, cache)[1])

        monkeypatch.setattr(meter, "publish", watch)
        yield from engine.parts(plan, model, meter, cache)

    job = Job("a", work, 1)
    job.run()
    assert job.state == "done" and len(seen) >= 3 and not any(before)
    final = job.parts[method]
    widths = [one.error.max() for one in (*seen, final)]
    assert widths[0] > 2 * widths[-1]
    assert all(one.diagnostics["partial"] for one in seen) and "partial" not in final.diagnostics
    assert [one.passes.forward for one in seen] == sorted({one.passes.forward for one in seen})
    results, complete = engine.known(plan, model, cache)
    assert complete and results.attribution(method) is final


def test_nobody_has_to_watch() -> None:
    report = explain.explain(TEXTS["plain"], TOY_MODELS["curved"], methods=["shapley_values"], phrases=False)
    assert "partial" not in report.attributions[0].diagnostics
