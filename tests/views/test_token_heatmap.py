import dataclasses

import numpy as np
import pytest

import explain
from explain.methods.base import METHODS
from explain.testing import TOY_MODELS, check_view, default_item
from explain.views.base import VIEWS, visible
from explain.views.scores_table import to_text

MODEL = TOY_MODELS["curved"]
HEATMAP = VIEWS["token_heatmap"]


def drawn(
    text: str, pair: str | None = None, by: str = "word", method: str = "integrated_gradients", **knobs: object
) -> dict:
    result = METHODS[method](**knobs).attribute(MODEL, *default_item(MODEL, text, pair))
    return HEATMAP.data(result, by=by)


@pytest.mark.parametrize("text", ["Good  film,\nisn't it? ", "坏 film 😀!", "a", "\x00good\x07"])
@pytest.mark.parametrize("by", ["word", "token"])
def test_the_text_is_drawn_as_it_was_written(text: str, by: str) -> None:
    data = drawn(text, by=by)["texts"][0]
    assert "".join(unit["gap"] + unit["text"] for unit in data["units"]) + data["tail"] == visible(text)


def test_words_carry_their_pieces_and_sum_them() -> None:
    word = next(unit for unit in drawn("a lovely film")["texts"][0]["units"] if unit["text"] == "lovely")
    assert [piece for piece, _ in word["parts"]] == ["love", "##ly"]
    assert word["score"] == pytest.approx(sum(value for _, value in word["parts"]))


def test_ranks_follow_size() -> None:
    units = drawn("one two three four")["texts"][0]["units"]
    by_rank = sorted(units, key=lambda unit: unit["rank"])
    sizes = [abs(unit["score"]) for unit in by_rank]
    assert sizes == sorted(sizes, reverse=True)


def test_a_shared_scale_is_kept() -> None:
    result = METHODS["occlusion"]().attribute(MODEL, *default_item(MODEL, "one two"))
    assert HEATMAP.data(result, largest=9.0)["largest"] == 9.0
    assert HEATMAP.data(result)["largest"] == pytest.approx(np.abs(result.scores).max())


def test_pairs_are_shown_apart() -> None:
    texts = drawn("one two", "three")["texts"]
    assert [text["label"] for text in texts] == ["first text", "second text"]
    assert [unit["text"] for unit in texts[1]["units"]] == ["three"]


@pytest.mark.parametrize(
    ("toy", "names"),
    [
        ("sequel", ["Sentence", "Next sentence"]),
        ("answer", ["Question", "Context"]),
        ("judging", ["Text", "Label's sentence"]),
    ],
)
def test_texts_have_the_names_that_their_task_gives_them(toy: str, names: list[str]) -> None:
    model = TOY_MODELS[toy]
    result = METHODS["occlusion"]().attribute(model, *default_item(model, "Is it so?", "It is so."))
    assert [text["label"] for text in HEATMAP.data(result)["texts"]] == names


def test_names_are_as_hostile_as_texts() -> None:
    result = METHODS["occlusion"]().attribute(MODEL, *default_item(MODEL, "one", "two"))
    names = ("</script><script>alert(1)</script>", "turned\u202earound")
    tokens = dataclasses.replace(result.tokens, text_names=names)
    drawn = dataclasses.replace(result, tokens=tokens)
    assert [text["label"] for text in HEATMAP.data(drawn)["texts"]] == [names[0], "turned\u27e8U+202E\u27e9around"]
    check_view(HEATMAP, drawn)


def test_what_was_not_read_is_set_apart() -> None:
    text = "a very long film " * 20
    data = drawn(text)["texts"][0]
    assert data["unread"]
    assert "".join(unit["gap"] + unit["text"] for unit in data["units"]) + data["tail"] + data["unread"] == text


def test_special_tokens_only_on_demand() -> None:
    result = METHODS["attention_rollout"](special_tokens="keep").attribute(MODEL, *default_item(MODEL, "one two"))
    assert len(HEATMAP.data(result)["texts"][0]["units"]) == 2
    shown = HEATMAP.data(result, special=True)["texts"][0]["units"]
    assert [unit["text"] for unit in shown] == ["[CLS]", "one", "two", "[SEP]"]


def test_notes_say_what_the_numbers_are() -> None:
    assert "add up to" in drawn("one two")["note"] and "gap" in drawn("one two")["note"]
    assert "Not converged" in drawn("one two three four five six", steps=2)["note"]
    assert "set aside" in drawn("one two", method="attention_rollout")["note"]
    assert "A removed word is deleted." in drawn("one two", method="occlusion", operator="delete")["note"]
    assert "whole sentences" in drawn("One. Two.", method="occlusion", granularity="sentence")["note"]
    assert "sliding windows" in drawn("a b c d", method="occlusion", granularity="window")["note"]


def test_control_and_direction_characters_are_made_visible() -> None:
    assert visible("a\x00\x1b\x7f\u202eb\x85\n\t") == "a␀␛␡⟨U+202E⟩b\ufffd\n\t"


def test_intervals_are_told() -> None:
    text = "The film isn't good, but its top-notch cast saves the zebra!"
    wide = METHODS["shapley_values"](budget=100, precision=0.0, granularity="word")
    result = wide.attribute(MODEL, *default_item(MODEL, text))
    data = HEATMAP.data(result)
    assert [unit["error"] for unit in data["texts"][0]["units"]] == pytest.approx(result.error.tolist())
    assert "The widest 95% interval is ±" in data["note"] and "after 4 pairs of orders. The budget" in data["note"]
    assert "the text without these parts" in data["note"]
    partial = dataclasses.replace(result, diagnostics=dict(result.diagnostics) | {"partial": True})
    assert "Still drawing." in HEATMAP.data(partial)["note"]
    assert "the scores are exact" in drawn("so good", method="kernel_shap")["note"]
    assert "of phrases, cut at punctuation" in drawn("so, good", method="lime", granularity="phrase")["note"]
    assert "(R²)" in drawn("so good", method="lime")["note"]


def test_the_terminal_and_the_word_say_intervals() -> None:
    report = explain.explain(
        "The film isn't good, but its top-notch cast saves the zebra!",
        MODEL,
        methods=["shapley_values", "occlusion"],
        settings={"shapley_values": {"budget": 100, "precision": 0.0, "granularity": "word"}},
        phrases=False,
    )
    widest = report.attributions[0].error.max()
    assert f" ±{widest:.3f}  " in to_text(report) and "INTERVALS STILL WIDE" in to_text(report)
    for word, error in zip(VIEWS["word_details"].data(report)["words"], report.attributions[0].error):
        (_, *sampled), (_, *plain) = word["scores"]
        assert sampled[3] == pytest.approx(error) and plain[3] is None
    exact = explain.explain("so good", MODEL, methods=["shapley_values"], phrases=False)
    assert "±" not in to_text(exact)


def test_the_terminal_shows_the_texts_of_a_pair_apart_and_numbers_what_stands_twice() -> None:
    model = TOY_MODELS["sequel"]
    report = explain.explain("Is it so?", model, text_pair="Now so good", methods=["occlusion"], phrases=False)
    (one,) = report.attributions
    words = {one.tokens.unit_span(unit)[0]: set() for unit in one.units}
    section, lines = None, to_text(report).split("occlusion")[1].splitlines()[1:]
    for line in lines:
        if line.strip() in one.tokens.text_names:
            section = one.tokens.text_names.index(line.strip())
        elif line:
            words[section].add(line.split(maxsplit=1)[1])
    assert words == {0: {"Is", "it", "so  (word 2)", "?"}, 1: {"Now", "so  (word 5)", "good"}}
