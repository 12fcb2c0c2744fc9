import numpy as np
import pytest
from sklearn.linear_model import Ridge

from explain.methods.lime import Lime
from explain.models.base import TextModel
from explain.testing import TOY_MODELS, default_item

TEXT = "The film isn't good, but its top-notch cast saves it!"


@pytest.mark.parametrize("settings", [{}, {"width": 1.0, "ridge": 0.0}, {"budget": 60, "seed": 3}], ids=str)
def test_equals_ridge_regression_of_scikit_learn(settings: dict, sentiment: TextModel) -> None:
    """The same draws, one by one, with the distance as scikit-learn has it, into its ridge regression."""
    tokens, target = default_item(sentiment, TEXT)
    method = Lime(**({"budget": 80} | settings))
    ours = method.attribute(sentiment, tokens, target)
    drawn = method.draws(len(ours.units))
    rows = [
        sentiment.removed(tokens, [t for unit, left in zip(ours.units, draw) if not left for t in unit], "mask", target)
        for draw in drawn
    ]
    values = sentiment.scores(rows).values
    whole = np.ones(drawn.shape[1])
    size = np.sqrt(drawn.sum(axis=1) * len(whole))
    similarity = np.divide(drawn @ whole, size, where=size > 0, out=np.zeros(len(drawn)))
    weights = np.sqrt(np.exp(-((1 - similarity) ** 2) / method.width**2))
    theirs = Ridge(alpha=method.ridge).fit(drawn, values, sample_weight=weights)
    assert np.allclose(ours.scores, theirs.coef_, atol=1e-3 * np.abs(theirs.coef_).max())
    assert ours.diagnostics["intercept"] == pytest.approx(theirs.intercept_, abs=1e-3)
    assert ours.diagnostics["r_squared"] == pytest.approx(theirs.score(drawn, values, weights), abs=1e-3)
    assert ours.passes.forward == len({draw.tobytes() for draw in drawn})


def test_draws_begin_with_the_text_and_take_any_number_of_words_away() -> None:
    drawn = Lime(budget=500).draws(5)
    assert drawn.shape == (500, 5) and drawn[0].all() and not drawn[1:].all(axis=1).any()
    left = np.bincount(drawn[1:].sum(axis=1), minlength=5)
    assert len(left) == 5 and left.min() > 60
    assert np.abs(drawn[1:].mean(axis=0) - 0.4).max() < 0.08


def test_on_a_linear_model_without_ridge_it_is_exact() -> None:
    model = TOY_MODELS["linear"]
    item = default_item(model, "one three two four five")
    one = Lime(ridge=0.0).attribute(model, *item)
    alone = model.scores([model.removed(item[0], unit, "mask", item[1]) for unit in one.units]).values
    assert np.allclose(one.scores, one.output - alone, atol=1e-4)
    assert one.diagnostics["r_squared"] == pytest.approx(1) and np.allclose(one.error, 0, atol=1e-4)


def test_intervals_say_how_far_another_seed_moves_scores() -> None:
    model = TOY_MODELS["curved"]
    item = default_item(model, TEXT)
    many = Lime(budget=20_000, ridge=0.0).attribute(model, *item)
    held = []
    for seed in range(25):
        one = Lime(budget=120, ridge=0.0, seed=seed).attribute(model, *item)
        held.append(np.abs(one.scores - many.scores) <= one.error)
    assert 0.9 < np.mean(held) < 0.99


def test_fewer_draws_than_words_have_no_intervals() -> None:
    model = TOY_MODELS["curved"]
    one = Lime(budget=16, granularity="token").attribute(model, *default_item(model, TEXT))
    assert one.error is None and len(one.scores) >= 15 and np.isfinite(one.scores).all()
