"""Planted shortcuts: the rules, models that follow them, and how much of them every method finds."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from benchmarks.planted import as_markdown, measured
from explain.core.errors import ModelError, UnknownNameError
from explain.core.meter import Meter
from explain.datatypes import Attribution, Tokens
from explain.evaluation.ground_truth import highest
from explain.methods.base import METHODS, Item, Method, Stopwatch
from explain.models.base import CAPABILITIES, TextModel
from explain.models.transformer import EncoderModel
from explain.testing import SHORTCUTS, Planted, PlantedText, planted, precision, precision_at_k
from explain.testing.planted_models import FILLERS, OneWord

ROOT = Path(__file__).parent.parent.parent
TEXTS = 4  # of each shortcut, for every method; docs/ground_truth.md has them at 200, of five models
# They see each word in the company of many sets of others, or follow the whole way from an empty text.
FIND_ALL = ("expected_gradients", "integrated_gradients", "kernel_shap", "lime", "owen_values", "shapley_values")


@pytest.mark.parametrize(
    ("shortcut", "text", "yes", "found"),
    [
        ("word", "river quartz falcon table", True, (1,)),
        ("word", "river falcon table copper", False, ()),
        ("either", "zebra river falcon lagoon", True, (0, 3)),
        ("pair", "violet river falcon copper", True, (0, 3)),
        ("pair", "violet river falcon violet", False, ()),
        ("pair", "river copper table", False, ()),
        ("position", "south south north river table late", True, (2,)),
        ("position", "upper north outer river table inner", False, (2,)),
        ("position", "upper north [MASK] river table inner", None, (2,)),
    ],
)
def test_rules_by_hand(shortcut: str, text: str, yes: bool | None, found: tuple[int, ...]) -> None:
    assert SHORTCUTS[shortcut].yes(text.split()) is yes
    assert SHORTCUTS[shortcut].planted(text.split()) == found


@pytest.mark.parametrize("name", SHORTCUTS)
def test_nothing_else_tells_the_label(name: str) -> None:
    """Length, decoy, and how frequent a word is among those not planted, are the same for both labels."""
    texts = list(islice(SHORTCUTS[name].texts("counts"), 4000))
    assert texts[:9] == list(islice(SHORTCUTS[name].texts("counts"), 9))
    yes = np.array([text.label == "yes" for text in texts])

    def deviates(values: Sequence[float]) -> float:
        both = np.array(values, dtype=float)
        return float(abs(both[yes].mean() - both[~yes].mean()) / (2 * both.std() / np.sqrt(len(both))))

    assert abs(yes.mean() - 0.5) < 0.03
    assert deviates([len(text.words) for text in texts]) < 4
    assert deviates([text.decoy is not None for text in texts]) < 4
    others = [[word for place, word in enumerate(text.words) if place not in text.planted] for text in texts]
    for word in (*FILLERS[:3], *(("north", "south") if name == "position" else ())):
        assert deviates([one.count(word) / len(one) for one in others]) < 4


@pytest.mark.parametrize("name", ["word", "pair", "position"])
def test_planted_words_decide_and_no_others_do(name: str) -> None:
    bed = planted(name)
    effects = bed.check(bed.questions(8, seed=1), seed=1)  # raises where a label is not the rule's
    assert len(effects.planted) == 8 * bed.shortcut.deciding
    assert effects.planted.min() > 6
    assert np.abs(effects.others).max() < effects.planted.min() / 2


def test_either_word_is_enough() -> None:
    bed = planted("either")
    effects = bed.check(bed.questions(8, seed=1), seed=1)
    assert np.abs(effects.planted).max() < 2  # neither alone
    assert effects.together.min() > 6  # but both


@pytest.mark.parametrize("name", SHORTCUTS)
def test_it_is_a_model_like_any_other(name: str) -> None:
    model = planted(name).model
    assert isinstance(model, EncoderModel) and planted(name, seed=0).model is model
    assert model.capabilities == set(CAPABILITIES) - {"jvp"}  # that only models that compare two texts have
    tokens = model.encode("river [MASK] table")
    assert tokens.ids[2] == model.mask_id and len(tokens) == 5


def test_training_leaves_the_callers_random_numbers_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explain.testing.planted_models._STEPS", 1)
    torch.manual_seed(3)
    first = torch.rand(1)
    torch.manual_seed(3)
    with pytest.raises(ModelError, match=r"did not learn the rule of 'word' in 1 steps from the seed 77; take another"):
        planted("word", seed=77)
    assert torch.rand(1) == first


def test_a_model_that_breaks_the_rule_is_refused() -> None:
    other = Planted(SHORTCUTS["word"], planted("pair").model)
    with pytest.raises(
        ModelError, match=r"does not follow its rule \(yes if and only if zebra.* labels \"\w+ .*seed=1"
    ):
        precision(METHODS["occlusion"](), other, texts=1)
    with pytest.raises(UnknownNameError, match="Did you mean 'pair'"):
        planted("pairs")


class _RiverToo(OneWord):
    triggers = ("zebra", "river", "lagoon")


def test_a_replacement_that_breaks_the_rule_is_noticed() -> None:
    bed = Planted(_RiverToo(), planted("word").model)
    text = PlantedText(("river", "zebra", "table"), "yes", (0, 1), None)
    bed.item(text)  # for the text itself, rule and model agree
    with pytest.raises(ModelError, match=r'it labels "river \w+ table" no'):
        bed.check([text])


@pytest.fixture
def one_more_method() -> Iterator[type[Method]]:
    """A method that knows nothing, registered as any other is, with occlusion for company."""
    before = dict(METHODS.items())
    METHODS._entries.clear()
    METHODS._entries["occlusion"] = before["occlusion"]

    @METHODS.register("coin_toss")
    @dataclass(frozen=True, kw_only=True)
    class CoinToss(Method):
        name: ClassVar[str] = "coin_toss"
        title: ClassVar[str] = "Coin toss"
        meaning: ClassVar[str] = "Nothing."
        limits: ClassVar[str] = "It is random."
        signed: ClassVar[bool] = True
        additive: ClassVar[bool] = True
        complete: ClassVar[bool] = False

        def cost(self, tokens: Tokens) -> int:
            return 0

        def attribute_batch(
            self, model: TextModel, items: Sequence[Item], meter: Meter | None = None
        ) -> tuple[Attribution, ...]:
            draw = np.random.default_rng(0)
            return tuple(
                self._result(
                    item,
                    [(token,) for token in range(len(item[0]))],
                    draw.normal(size=len(item[0])),
                    output=0.0,
                    watch=Stopwatch(meter),
                )
                for item in items
            )

    yield CoinToss
    METHODS._entries.clear()
    METHODS._entries.update(before)


def test_a_new_method_stands_in_the_table(one_more_method: type[Method]) -> None:
    table = as_markdown(measured(METHODS, models=1, texts=2))
    assert [line.split(" | ")[0] for line in table.splitlines() if re.match(r"\| [A-Z]", line)] == [
        "| Occlusion",
        "| Coin toss",
    ] * 3


@pytest.mark.parametrize("name", SHORTCUTS)
def test_random_scores_find_what_chance_does(name: str, one_more_method: type[Method]) -> None:
    found = precision(one_more_method(), planted(name), texts=100)
    assert abs(found.mean - found.chance) < 4 * np.sqrt(found.chance / found.texts)
    assert found.low < found.mean < found.high and 0.05 < found.chance < 0.25


def test_precision_by_hand() -> None:
    """The two highest by value, or by size, are counted; of equal scores the first."""
    bed = planted("pair")
    text = PlantedText(("river", "copper", "falcon", "violet"), "yes", (1, 3), 2)
    one = METHODS["occlusion"]().attribute(bed.model, *bed.item(text))
    for scores, first, share in (
        ([0, 3, 1, 2], (1, 3), 1.0),
        ([0, 3, 2, 1], (1, 2), 0.5),
        ([4, 3, 0, -9], (0, 1), 0.5),
        ([4, 0, 3, 0], (0, 2), 0.0),
        ([1, 1, 1, 1], (0, 1), 0.5),
    ):
        given = replace(one, scores=np.array(scores, dtype=float))
        assert highest(given, 2) == first
        assert precision_at_k(given, text) == share


@pytest.mark.parametrize("name", METHODS)
def test_precision_of(name: str, record_property: Callable[[str, object], None]) -> None:
    """A method that has signs speaks of the decision, so it must find the one word that it hangs on."""
    assert METHODS[name].requires <= planted("word").model.capabilities, (
        "the planted models must offer what any method needs"
    )
    found = {shortcut: precision(METHODS[name](), planted(shortcut), TEXTS) for shortcut in SHORTCUTS}
    shares = ", ".join(f"{shortcut} {one.mean:.2f}" for shortcut, one in found.items())
    record_property("in the summary", f"precision@k over {TEXTS} texts: {name:32} {shares}")
    if METHODS[name].signed:
        assert found["word"].mean >= 0.9
    if name in FIND_ALL:
        assert min(one.mean for one in found.values()) >= 0.9


def test_what_is_blind_to_the_decision_takes_the_decoy() -> None:
    """Else these models would be too easy to tell methods apart."""
    rollout = precision(METHODS["attention_rollout"](), planted("position"), texts=20)
    assert rollout.high < 0.5 and rollout.decoy > rollout.mean


def test_every_method_stands_in_the_docs() -> None:
    page = (ROOT / "docs" / "ground_truth.md").read_text(encoding="utf-8")
    for name in METHODS:
        assert page.count(f"| {METHODS[name].title} |") == 3, (
            "write the page's tables: python -m benchmarks.planted --write"
        )
