"""Changes of the text: taken back, made again, and the text that stood there before."""

from typing import Any

import pytest
import streamlit as st

from pages.shared import changes, hero


class Memory(dict[str, Any]):
    """The state of a visit, by name and by attribute."""

    __getattr__ = dict.__getitem__
    __setattr__ = dict.__setitem__


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Memory:
    state = Memory(text="one", pair="")
    monkeypatch.setattr(st, "session_state", state)
    return state


def test_changes_are_taken_back_and_made_again(memory: Memory) -> None:
    for text in ("two", "three", "three"):
        changes.change((text, ""))
    assert memory.changes == [("one", ""), ("two", "")] and not changes.can_redo()
    changes.undo()
    assert changes.texts() == ("two", "") and changes.former() == ("three", "") and changes.can_redo()
    changes.undo()
    changes.undo()
    assert changes.texts() == ("one", "")
    changes.redo()
    assert changes.texts() == ("two", "") and changes.former() == ("one", "")
    changes.redo()
    changes.redo()
    assert changes.texts() == ("three", "") and not changes.can_redo()
    changes.undo()
    changes.change(("four", ""))
    assert not changes.can_redo()  # what was taken back is not what came before this


def test_the_text_before_is_kept_until_another_one_comes(memory: Memory) -> None:
    changes.change(("two", "pair"))
    assert changes.former() == ("one", "")
    changes.change(("two!", "pair"), goes_on=True)
    assert changes.former() == ("one", "")  # typing is one change
    changes.change(("three", "pair"))
    assert changes.former() == ("two!", "pair")
    changes.undo()
    memory.text = "an example"
    assert changes.former() is None and not changes.can_redo()
    memory.text = "two!"
    assert changes.former() is not None
    changes.dismiss()
    assert changes.former() is None
    changes.change(("two", "pair"), goes_on=True)
    assert changes.former() == ("two!", "pair")


def test_a_word_of_ones_own_takes_the_place_of_the_words_that_are_picked(memory: Memory) -> None:
    memory.update(text="It is good, really.", picked_span=(0, 3, 10))
    hero.edit({"word": "was bad"})
    assert changes.texts() == ("It was bad, really.", "")
    hero.edit({"texts": ["\ud800x"], "goes_on": False})
    assert changes.texts() == ("\ufffdx", "")
    memory.update(text="a", pair="is b", picked_span=(1, 3, 4))
    hero.edit({"word": "c"})
    assert changes.texts() == ("a", "is c")
