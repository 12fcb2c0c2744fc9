"""Phrases against a slow twin, on games whose answer is known."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explain.core.errors import SettingError
from explain.datatypes import Phrase, Tokens
from explain.testing import TOY_MODELS
from explain.text.phrases import Effect, PhraseSettings, Variants, budget, find_phrases

CoalitionGame = Callable[[frozenset[int]], float]  # the words that are there -> the target's value


def find(text: str, game: CoalitionGame, **settings: object) -> tuple[tuple[Phrase, ...], int, Tokens]:
    tokens = TOY_MODELS["linear"].encode(text)
    everything = frozenset(range(len(tokens.words)))
    spent = 0

    def measure(variants: Variants) -> tuple[list[Effect], list[Effect]]:
        nonlocal spent
        spent += len(variants.without) + len(variants.only)

        def effect(there: frozenset[int]) -> Effect:
            return Effect(game(there), int(game(there) > 0))

        without = [effect(everything - frozenset(range(*phrase))) for phrase in variants.without]
        return without, [effect(frozenset(range(*phrase))) for phrase in variants.only]

    decided = game(everything) > 0
    phrases = find_phrases(
        tokens,
        measure,
        PhraseSettings(**settings),
        direction=1 if decided else -1,
        empty_differs=(game(frozenset()) > 0) != decided,
    )
    return phrases, spent, tokens


def negated(there: frozenset[int]) -> float:
    """ "the film is not good at all": "good" speaks for, unless "not" is there."""
    return -2.0 if {3, 4} <= there else 2.0 if 4 in there else 0.1


def test_not_good_is_a_phrase_and_not_is_below_it() -> None:
    phrases, spent, _ = find("the film is not good at all", negated, least_share=0.0, function_words=False)
    first, second, *others = phrases
    assert (first.text, first.part_of) == ("not good", None) and "good" not in [phrase.text for phrase in others]
    # D(not) = -4 outweighs D(not good) = -2.1 by half; D(good) = -2.1 does not.
    assert (second.text, second.part_of, second.rank) == ("not", first.words, 2)
    assert second.score == pytest.approx(-4.0) and second.sufficient is None and second.necessary
    plain, as_many, _ = find("the film is not good at all", negated, least_share=0.0, function_words=False, parts=False)
    assert [phrase.text for phrase in plain] == ["not good", *(phrase.text for phrase in others)]
    assert as_many == spent  # what was removed on the way costs nothing
    # D(not good) = -2 - 0.1; alone D(not) = -4, D(good) = -2.1; together they do 4 more than the sum.
    assert first.score == pytest.approx(-2.1) and first.interaction == pytest.approx(4.0)
    assert first.sufficient and first.necessary and first.rank == 1


def test_what_the_empty_text_decides_already_is_sufficient_for_nothing() -> None:
    # Without any words the model says yes already (1 > 0): every phrase alone would "keep" that.
    phrases, spent, _ = find("one two three four", lambda there: 1.0 + sum(2.0**word for word in there))
    assert [phrase.sufficient for phrase in phrases] == [None] * 4
    assert [phrase.necessary for phrase in phrases] == [False] * 4
    # Without any words it says no: now it is a finding, and costs a pass for each.
    other, more, _ = find("one two three four", lambda there: -3.0 + sum(2.0**word for word in there))
    assert [(phrase.text, phrase.sufficient) for phrase in other] == [
        ("four", True),
        ("three", True),
        ("two", False),
        ("one", False),
    ]
    assert more == spent + 4


def test_what_speaks_against_the_decision_is_neither_sufficient_nor_necessary() -> None:
    effects = [3.0, -1.0, 2.0]
    phrases, _, _ = find("good bad too", lambda there: -2.5 + sum(effects[word] for word in there))
    found = {phrase.text: (phrase.score, phrase.sufficient, phrase.necessary) for phrase in phrases}
    assert found == {"good": (3.0, True, True), "too": (2.0, False, True), "bad": (-1.0, None, False)}


def test_of_three_decisions_one_can_leave_though_its_number_rises() -> None:
    # Without "c" the target rises from 1 to 2, and yet something else is decided: it spoke against the target.
    tokens = TOY_MODELS["linear"].encode("b c")

    def effect(there: set[int]) -> Effect:
        return Effect(2.0 - (1 in there) + 0.5 * (0 in there), 7 if there == {0, 1} else 8)

    def measure(variants: Variants) -> tuple[list[Effect], list[Effect]]:
        without = [effect({0, 1} - set(range(*phrase))) for phrase in variants.without]
        return without, [effect(set(range(*phrase))) for phrase in variants.only]

    for direction, expected in ((1, {"c": False, "b": True}), (-1, {"c": True, "b": False}), (0, dict.fromkeys("bc"))):
        phrases = find_phrases(tokens, measure, PhraseSettings(), direction=direction, empty_differs=True)
        assert {phrase.text: phrase.necessary for phrase in phrases} == expected
        assert [phrase.sufficient for phrase in phrases] == [
            None if one is not True else False for one in expected.values()
        ]


@given(st.integers(1, 6), st.integers(0, 10_000))
def test_sufficient_and_necessary_by_their_definitions(count: int, seed: int) -> None:
    worth = np.random.default_rng(seed).normal(size=2**count)

    def game(there: frozenset[int]) -> float:
        return float(worth[sum(2**word for word in there)])

    everything = frozenset(range(count))
    full, empty = game(everything), game(frozenset())
    for phrase in find(" ".join("bcdefg"[:count]), game)[0]:
        words = frozenset(range(*phrase.words))
        supports = phrase.score * (1 if full > 0 else -1) > 0
        asked = supports and (empty > 0) != (full > 0) and phrase.part_of is None
        alone = (game(words) > 0) == (full > 0) if asked else None
        assert phrase.sufficient == alone
        assert phrase.necessary == (supports and (game(everything - words) > 0) != (full > 0))


def test_independent_words_stay_apart() -> None:
    phrases, _, _ = find("one two three four", lambda there: sum(2.0**word for word in there))
    assert [phrase.text for phrase in phrases] == ["four", "three", "two", "one"]
    assert [phrase.score for phrase in phrases] == [8, 4, 2, 1]
    assert all(phrase.interaction is None for phrase in phrases)


def test_no_phrase_crosses_punctuation_or_has_more_than_six_words() -> None:
    def all_or_nothing(there: frozenset[int]) -> float:
        return 5.0 if len(there) == 9 else 0.0

    crossing, _, _ = find("a b, c d e f g h", all_or_nothing)
    assert {phrase.text for phrase in crossing} <= {"a b", "a", "b", "c d e f g h", "c d e f", "g h"}
    long, _, _ = find("a b c d e f g h i", all_or_nothing)
    assert max(phrase.words[1] - phrase.words[0] for phrase in long) <= 6


def test_words_inside_apostrophes_and_hyphens_are_one() -> None:
    phrases, _, _ = find("isn't top-notch", lambda there: float(len(there)))
    assert {phrase.text for phrase in phrases} == {"isn't", "top-notch"}


def test_nothing_to_take_out() -> None:
    assert find("?!", lambda there: 1.0)[0] == ()


def test_settings_are_checked() -> None:
    with pytest.raises(SettingError):
        PhraseSettings(threshold=-1.0)


def twin(words: list[str], game: CoalitionGame, settings: PhraseSettings) -> list[tuple[tuple[int, int], float]]:
    """The definition, slowly: while neighbours interact enough, merge the strongest pairs that share nothing.

    None ends with "the" before another word. In the end each "the" that is alone goes with what follows it.
    """
    count = len(words)
    everything = frozenset(range(count))

    def effect(phrase: tuple[int, int]) -> float:
        return game(everything) - game(everything - frozenset(range(*phrase)))

    nodes = [(word, word + 1) for word in range(count)]
    while True:
        found = []
        for left, right in itertools.pairwise(nodes):
            if right[1] - left[0] > settings.longest or (words[right[1] - 1] == "the" and right[1] < count):
                continue
            interaction = abs(effect((left[0], right[1])) - effect(left) - effect(right))
            if interaction > 0 and interaction >= settings.threshold * max(abs(effect(left)), abs(effect(right))):
                found.append((interaction, left, right))
        found.sort(key=lambda entry: (-entry[0], entry[1]))
        used: set[tuple[int, int]] = set()
        for _, left, right in found:
            if not used & {left, right}:
                used |= {left, right}
                nodes = sorted(set(nodes) - {left, right} | {(left[0], right[1])})
        if not used:
            break
    for start in reversed(range(count - 1)):
        after = next((node for node in nodes if node[0] == start + 1), None)
        if (start, start + 1) in nodes and words[start] == "the" and after and after[1] - start <= settings.longest:
            nodes = sorted(set(nodes) - {(start, start + 1), after} | {(start, after[1])})
    return sorted(((node, effect(node)) for node in nodes), key=lambda entry: (-abs(entry[1]), entry[0]))


@given(st.integers(1, 12), st.integers(0, 10_000), st.floats(0, 1))
def test_agrees_with_the_slow_twin_within_its_budget(count: int, seed: int, articles: float) -> None:
    random = np.random.default_rng(seed)
    single, pair = random.normal(size=count), random.normal(size=count)

    def game(there: frozenset[int]) -> float:
        return sum(single[word] + (pair[word] if word + 1 in there else 0.0) for word in sorted(there))

    words = ["the" if random.random() < articles else letter for letter in "bcdefghijklm"[:count]]
    phrases, spent, _ = find(" ".join(words), game, parts=False)
    settings = PhraseSettings(parts=False)
    ranked = twin(words, game, settings)
    least = max(1e-6, 0.1 * abs(ranked[0][1]))
    expected = [entry for entry in ranked if abs(entry[1]) > least][: settings.top]
    assert [phrase.words for phrase in phrases] == [node for node, _ in expected]
    assert np.allclose([phrase.score for phrase in phrases], [score for _, score in expected])
    assert spent <= 4 * count + 8 == budget(count, settings)


def test_words_that_cancel_out_do_not_hide_the_one_that_decides() -> None:
    # "so" and "bad" together do next to nothing, "bad" alone almost everything; "fine" is a phrase of its own.
    effects = {frozenset(): 6.0, frozenset({0}): 5.9, frozenset({1}): 0.0, frozenset({0, 1}): 6.1}

    def game(there: frozenset[int]) -> float:
        return effects[there & {0, 1}] + (0.4 if 3 in there else 0.0)

    phrases, _, _ = find("so bad, fine", game, least_share=0.0)
    assert [(phrase.text, round(phrase.score, 6), phrase.part_of) for phrase in phrases] == [
        ("so bad", 0.1, None),
        ("so", 6.1, (0, 2)),
        ("fine", 0.4, None),
    ]
    # "so bad" is too small to be listed, so the word that decides stands in its place.
    phrases, _, _ = find("so bad, fine", game, least_share=0.05)
    assert [(phrase.text, phrase.part_of) for phrase in phrases] == [("so", None), ("fine", None)]


def test_less_than_a_tenth_of_the_largest_is_not_listed() -> None:
    def game(there: frozenset[int]) -> float:
        return 8.2 * (0 in there) - 0.9 * (2 in there) + 0.8 * (4 in there)

    assert [phrase.text for phrase in find("good, weak, long", game)[0]] == ["good", "weak"]
    assert [phrase.text for phrase in find("good, weak, long", game, least_share=0.5)[0]] == ["good"]
    assert [phrase.text for phrase in find("good, weak, long", game, least_share=0.0)[0]] == ["good", "weak", "long"]


def test_a_function_word_goes_with_the_word_after_it() -> None:
    text = "Curie was born in Paris, not in the UK, where she died for."
    texts = [phrase.text for phrase in find(text, lambda there: sum(9.0 + word for word in there))[0]]
    # Scores are those of the whole phrase; behind the last "for" the sentence ends, so it stays alone.
    assert sorted(texts) == ["Curie", "died", "for", "in Paris", "in the UK", "not", "was born", "where she"]
    plain = [phrase.text for phrase in find(text, lambda there: float(len(there)), function_words=False, top=30)[0]]
    assert {"in", "the", "was"} <= set(plain)
    ending, _, _ = find("the of in at by for with UK", lambda there: 1.0 + sum(there), top=30)
    assert max(phrase.words[1] - phrase.words[0] for phrase in ending) == 6


def test_the_score_of_a_led_phrase_is_that_of_removing_it_whole() -> None:
    def game(there: frozenset[int]) -> float:
        return 4.0 * (1 in there) + 2.0 * ({1, 2} <= there) + 1.0 * (3 in there)

    phrases, spent, _ = find("Curie in Paris lived", game)
    assert [(phrase.text, phrase.score, phrase.interaction) for phrase in phrases] == [
        ("in Paris", 6.0, -2.0),  # 6 + 2 for its words alone
        ("lived", 1.0, None),
    ]
    assert spent <= budget(4, PhraseSettings())


def test_a_text_without_english_function_words_is_merged_as_before() -> None:
    text = "Der Film war nicht gut"
    new, spent, _ = find(text, negated)
    old, as_many, _ = find(text, negated, function_words=False)
    assert new == old and spent == as_many


def test_a_trifle_is_no_part() -> None:
    # Words of the second phrase outweigh it, and are less than a tenth of the largest effect: 0.9 of 10.
    def game(there: frozenset[int]) -> float:
        return 10.0 * (0 in there) + 0.6 * (2 in there) - 0.6 * (3 in there) - 0.3 * ({2, 3} <= there)

    assert [phrase.text for phrase in find("one, two three", game, least_share=0.0)[0]] == ["one", "two three"]
    smaller = find("one, two three", lambda there: game(there) - 1.1 * (0 in there), least_share=0.0)[0]  # 0.9 of 8.9
    assert [phrase.text for phrase in smaller] == ["one", "two three", "three"]


@given(st.integers(1, 9), st.integers(0, 10_000))
def test_parts_by_their_definition(count: int, seed: int) -> None:
    worth = np.random.default_rng(seed).normal(size=2**count)

    def game(there: frozenset[int]) -> float:
        return float(worth[sum(2**word for word in there)])

    everything = frozenset(range(count))

    def effect(words: tuple[int, int]) -> float:
        return game(everything) - game(everything - frozenset(range(*words)))

    phrases, _, _ = find(" ".join("bcdefghij"[:count]), game, least_share=0.0)
    assert [phrase.rank for phrase in phrases] == list(range(1, len(phrases) + 1))
    wholes = [phrase for phrase in phrases if phrase.part_of is None]
    groups = [[whole, *(phrase for phrase in phrases if phrase.part_of == whole.words)] for whole in wholes]
    assert [phrase for group in groups for phrase in group] == list(phrases)
    largest = [max(abs(phrase.score) for phrase in group) for group in groups]
    assert largest == sorted(largest, reverse=True)
    most = max(abs(effect(words)) for words in itertools.combinations(range(count + 1), 2))  # removed or not
    for whole, *parts in groups:
        taken = [word for part in parts for word in range(*part.words)]
        assert len(taken) == len(set(taken)) and set(taken) <= set(range(*whole.words))
        for part in parts:
            assert part.score == pytest.approx(effect(part.words)) and part.words != whole.words
            assert abs(part.score) >= max(1.5 * abs(whole.score), 0.1 * largest[0])
        for word in set(range(*whole.words)) - set(taken):
            assert abs(effect((word, word + 1))) < max(1.5 * abs(whole.score), 0.1 * most)


def everything_interacts(there: frozenset[int], count: int) -> float:
    return float(np.prod([1.5 if word in there else 0.5 for word in range(count)]))


@pytest.mark.parametrize("count", [1, 2, 7, 24])
@pytest.mark.parametrize("articles", [0, 1, 2, 3])
def test_the_budget_holds_when_everything_merges(count: int, articles: int) -> None:
    letters = "bcdefghijklmnopqrstuvwxy"[:count]
    text = " ".join("the" if number % 4 < articles else letter for number, letter in enumerate(letters))
    _, spent, _ = find(text, lambda there: everything_interacts(there, count))
    assert spent <= 4 * count + 8


def test_in_a_long_text_the_sentence_that_matters_is_searched() -> None:
    # Forty-eight tokens are the toy's most; of six sentences only the fourth matters.
    text = "aa bb cc dd. ee ff gg hh. ii jj kk ll. mm nn oo pp. qq rr ss tt. uu vv ww xx."

    def game(there: frozenset[int]) -> float:
        return 3.0 if {16, 17} <= there else 0.0  # "nn oo", punctuation counted

    phrases, spent, tokens = find(text, game, most_words=10)
    assert [phrase.text for phrase in phrases] == ["nn oo"]
    assert spent <= 6 + 4 * 10 + 8 < budget(len(tokens.words), PhraseSettings())
