import numpy as np
import pytest

from explain.datatypes import AttentionMaps, AttentionVectors, Attribution, Output, Target, Tokens
from explain.testing import TOY_MODELS, default_item

MODEL = TOY_MODELS["linear"]
TOKENS, TARGET = default_item(MODEL, "three two")  # [CLS] thre ##e two [SEP]


def attribution(**changes: object) -> Attribution:
    fields = {
        "tokens": TOKENS,
        "target": TARGET,
        "units": [(0,), (1,), (2,), (3,), (4,)],
        "scores": [0.0, 1.0, 2.0, -4.0, 0.5],
        "granularity": "token",
        "scale": "log_odds",
        "signed": True,
        "additive": True,
        "method": "m",
        "output": 1.0,
    }
    return Attribution(**(fields | changes))


def test_arrays_are_read_only_copies() -> None:
    scores = np.ones(5)
    one = attribution(scores=scores)
    scores[0] = 7
    assert one.scores[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        one.scores[0] = 2
    with pytest.raises(TypeError):
        one.params["x"] = 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scores": [1.0]}, "scores has shape"),
        ({"scores": [np.nan] * 5}, "not finite"),
        ({"granularity": "chapter"}, "granularity"),
        ({"scale": "percent"}, "no scale"),
        ({"units": [(9,), (1,), (2,), (3,), (4,)]}, "tokens the text does not have"),
    ],
)
def test_wrong_attributions_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        attribution(**changes)


def test_words_add_up_and_special_tokens_stay() -> None:
    words = attribution(error=[0, 3, 4, 1, 0]).per_word()
    assert words.units == ((0,), (1, 2), (3,), (4,))
    assert words.scores.tolist() == [0, 3, -4, 0.5] and words.granularity == "word"
    assert words.error.tolist() == [0, 5, 1, 0]
    assert words.per_word() is words
    with pytest.raises(ValueError, match="do not add up"):
        attribution(additive=False).per_word()
    with pytest.raises(ValueError, match="coarser"):
        attribution(granularity="sentence").per_word()


def test_completeness_gap() -> None:
    assert attribution().completeness_gap is None
    assert attribution(baseline_output=2.0).completeness_gap == pytest.approx(1 - 2 - (-0.5))


def test_tokens_know_their_text() -> None:
    assert TOKENS.unit_text((1, 2)) == "three" and TOKENS.unit_text((0,)) == "[CLS]"
    assert TOKENS.ordinary.tolist() == [1, 2, 3] and len(TOKENS) == 5
    assert not TOKENS.truncated and TOKENS.texts == ("three two",)
    with pytest.raises(ValueError, match="spans has shape"):
        Tokens("a", [1], ("a",), [[0, 1, 2]], [0], [False], [[0, 1]])
    with pytest.raises(ValueError, match="one entry per text"):
        Tokens("a", [1], ("a",), [[0, 1]], [0], [False], [[0, 1]], text_pair="b")
    with pytest.raises(ValueError, match="one entry per text, or none"):
        Tokens("a", [1], ("a",), [[0, 1]], [0], [False], [[0, 1]], text_names=("a", "b"))


def test_attention_rows_must_sum_to_one() -> None:
    weights = np.full((1, 2, 5, 5), 0.2)
    maps = AttentionMaps(TOKENS, weights, ("0", "1"))
    assert maps.layers == 1 and maps.mean([1]).shape == (1, 5, 5)
    with pytest.raises(ValueError, match="sum to 1"):
        AttentionMaps(TOKENS, weights * 2, ("0", "1"))
    with pytest.raises(ValueError, match="has shape"):
        AttentionMaps(TOKENS, weights, ("0",))


def test_queries_and_keys_are_alike_and_read_only() -> None:
    queries = np.zeros((2, 3, 5, 4))
    vectors = AttentionVectors(TOKENS, queries, queries + 1)
    assert vectors.queries.dtype == vectors.keys.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        vectors.keys[0] = 2
    for wrong in (queries[:, :, :4], queries[..., :3], queries[0]):
        with pytest.raises(ValueError, match=r"keys has shape .* expected \(L, H, 5, d\)"):
            AttentionVectors(TOKENS, queries, wrong)
    with pytest.raises(ValueError, match="not finite"):
        AttentionVectors(TOKENS, queries, queries + np.inf)


def test_outputs_and_targets() -> None:
    with pytest.raises(ValueError, match="logits has shape"):
        Output(("a", "b"), [[1.0]], None, True)
    with pytest.raises(ValueError, match="come together"):
        Target("t", "a", 0, against="b", scale="logit_difference")
    with pytest.raises(ValueError, match="logit_difference"):
        Target("t", "a", 0, against="b", against_index=1)
    with pytest.raises(ValueError, match="scale"):
        Target("t", "a", 0, scale="percent")
