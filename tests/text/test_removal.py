import numpy as np
import pytest

from explain.core.errors import SettingError
from explain.testing import CLS, MASK, SEP, TOY_MODELS, UNK
from explain.text.removal import OPERATORS, keep_only, remove, unchanged

TOKENS = TOY_MODELS["linear"].encode("one two three")  # "three" is two pieces


def test_mask_and_unknown_replace_in_place() -> None:
    for operator, filler in (("mask", MASK), ("unk", UNK)):
        variant = remove(TOKENS, [2], operator, mask_id=MASK, unk_id=UNK)
        assert variant.ids.tolist() == [*TOKENS.ids[:2], filler, *TOKENS.ids[3:]]
        assert variant.kept.tolist() == list(range(6)) and variant.attended.all() and not variant.zeroed.any()


def test_delete_closes_up_and_target_positions_follow() -> None:
    variant = remove(TOKENS, [1, 2], "delete")
    assert variant.kept.tolist() == [0, 3, 4, 5]
    assert variant.places([3, 5]) == (1, 3)
    with pytest.raises(ValueError, match="protected"):
        variant.places([2])


def test_attention_off_and_zero_keep_the_ids() -> None:
    off, zero = remove(TOKENS, [1], "attention_off"), remove(TOKENS, [1], "zero")
    assert not off.attended[1] and off.attended.sum() == 5
    assert zero.zeroed[1] and zero.zeroed.sum() == 1
    assert np.array_equal(off.ids, TOKENS.ids) and np.array_equal(zero.ids, TOKENS.ids)


@pytest.mark.parametrize("operator", OPERATORS)
def test_special_and_protected_tokens_stay(operator: str) -> None:
    variant = remove(TOKENS, range(6), operator, mask_id=MASK, unk_id=UNK, protected=[2])
    whole = unchanged(TOKENS)
    for place in (0, 2, 5):
        at = variant.places([place])[0]
        assert variant.ids[at] == whole.ids[place] and variant.attended[at] and not variant.zeroed[at]


def test_keep_only_removes_the_rest() -> None:
    variant = keep_only(TOKENS, [1], "mask", mask_id=MASK)
    assert variant.ids.tolist() == [CLS, TOKENS.ids[1], MASK, MASK, MASK, SEP]


def test_an_operator_the_vocabulary_can_not_do_says_what_else() -> None:
    with pytest.raises(SettingError, match="attention_off"):
        remove(TOKENS, [1], "mask", mask_id=None)
    with pytest.raises(SettingError, match="expected one of"):
        remove(TOKENS, [1], "shred")
