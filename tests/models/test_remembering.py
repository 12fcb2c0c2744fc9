import numpy as np
import pytest

from explain.meter import Meter
from explain.models.base import Row
from explain.models.remembering import Remembering
from explain.testing import TOY_MODELS, default_item
from explain.text.removal import unchanged

MODEL = TOY_MODELS["curved"]


def test_nothing_runs_twice() -> None:
    meter = Meter()
    working = Remembering(MODEL)
    tokens, target = default_item(MODEL, "one two three")
    first = working.observe(tokens, meter)
    assert working.observe(tokens, meter) is first and meter.spent.forward == 1
    assert working.predict(tokens, meter) is first.prediction and meter.spent.forward == 1
    rows = [Row(tokens, unchanged(tokens), target), MODEL.removed(tokens, [1], "mask", target)]
    once = working.scores([*rows, rows[1]], meter)
    assert meter.spent.forward == 3
    again = working.scores(rows[::-1], meter)
    assert meter.spent.forward == 3
    assert np.array_equal(once.values[:2], again.values[::-1])


def test_it_gives_what_the_model_gives() -> None:
    working = Remembering(MODEL)
    tokens, target = default_item(MODEL, "one two three")
    rows = [MODEL.removed(tokens, [1], operator, target) for operator in ("mask", "delete", "zero", "attention_off")]
    assert np.array_equal(working.scores(rows).values, MODEL.scores(rows).values)
    assert working.scores(rows).values.tolist() == pytest.approx(MODEL.scores(rows).values.tolist())
    assert len({round(value, 6) for value in working.scores(rows).values}) > 1
    points = MODEL.word_embeddings(tokens)[None]
    assert np.array_equal(working.gradients(tokens, target, points)[1], MODEL.gradients(tokens, target, points)[1])
    assert np.array_equal(working.rows_read(tokens, target), MODEL.rows_read(tokens, target))
