"""The page by AppTest: what it says and keeps; what is drawn is looked at in test_browser.py."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from explain.api import explain
from explain.datatypes import Attribution
from explain.models.loading.catalogue import DEFAULT_MODEL, list_models
from explain.run.jobs import Cache
from explain.tasks.base import TASKS
from pages.shared import hero, session, show, work
from tests.pages.visits import FIRST_EXAMPLE
from tests.run.test_engine import HOSTILE
from tests.tiny_models import tiny_folder, unsaid
from tests.waiting import PATIENCE, wait_for

ROOT = Path(__file__).parents[2]
EXAMPLES, MASKED_EXAMPLES = (
    {example: texts[0] for example, texts in TASKS[name].examples.items()}
    for name in ("text_classification", "fill_mask")
)
NEXT_EXAMPLES = TASKS["next_sentence_prediction"].examples


@pytest.fixture
def app() -> AppTest:
    """The page, not yet run, with quick methods. Not `app.py`: it is a server, and AppTest would see nothing of it."""
    app = AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=PATIENCE)
    app.query_params["methods"] = ["occlusion", "attention_rollout"]
    app.session_state["python"] = True  # the Python of the page is opened
    return app


def start(app: AppTest) -> AppTest:
    """Run once, and again after a click on *Start* where a link asks for much."""
    app.run()
    for button in app.button:
        if button.key == "start":
            button.click().run()
    return app


def run(app: AppTest) -> AppTest:
    """Run until nothing is computed any more; the job is waited for, as running the page over would slow it."""
    start(app)
    passes, give_up = -1, 0.0
    while any(button.key == "stop" for button in app.button):
        assert not app.exception
        job = app.session_state["job"]
        if job.done != passes:
            passes, give_up = job.done, time.monotonic() + PATIENCE
        assert time.monotonic() < give_up, "The page never finished."
        job.wait(PATIENCE / 8)
        app.run()
    assert not app.exception
    return app


def errors(app: AppTest) -> str:
    return " ".join(error.value for error in app.error)


def drawn(app: AppTest) -> set[str]:
    """The titles of what is drawn: subheaders, and the components, which AppTest knows only by number."""
    return {header.value for header in app.header}


def test_an_example_is_explained_at_first_sight(app: AppTest) -> None:
    run(app)
    assert not app.title  # the decision is the title
    assert app.session_state["text"] == FIRST_EXAMPLE
    assert not app.error and not app.warning
    assert {"Key phrases", "Export"} <= drawn(app)
    assert "model='sentiment'" in app.code[0].value


def test_what_is_still_drawn_at_random_is_shown_and_not_offered(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "cache", Cache)  # nothing known from before, nothing kept
    app.query_params["methods"] = "shapley_values"
    app.query_params["shapley_values.precision"] = "0.0"
    app.query_params["shapley_values.budget"] = "300"
    shown: list[Attribution] = []
    monkeypatch.setattr(show, "view", lambda name, result, **_: name == "waterfall" and shown.append(result))
    app.run()
    unfinished = 0
    while any(button.key == "stop" for button in app.button):
        assert not app.exception
        if shown and shown[-1].diagnostics.get("partial"):
            unfinished += 1
            assert "Export" not in drawn(app)
        time.sleep(0.05)
        app.run()
    assert unfinished and "partial" not in shown[-1].diagnostics and not app.exception
    assert shown[0].error.max() > shown[-1].error.max()


def test_what_was_drawn_so_far_stays_when_the_work_is_stopped(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = Cache()
    monkeypatch.setattr(session, "cache", lambda: fresh)
    app.query_params["methods"] = "shapley_values"
    app.query_params["shapley_values.precision"] = "0.0"
    app.query_params["shapley_values.budget"] = "5000"
    shown: list[Attribution] = []
    monkeypatch.setattr(show, "view", lambda name, result, **_: name == "waterfall" and shown.append(result))

    def partly_shown() -> bool:
        start(app)
        return bool(shown and shown[-1].diagnostics.get("partial"))

    wait_for(partly_shown)
    app.button(key="stop").click()
    for _ in range(2):  # the run that stops it, and one that comes later
        shown.clear()
        app.run()
        assert [one.diagnostics.get("partial") for one in shown] == [True]
        assert not app.exception and "Export" not in drawn(app)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_can_be_picked(app: AppTest, name: str) -> None:
    app.query_params["methods"] = "attention_rollout"
    app.query_params["phrases.most_words"] = "10"
    run(app)
    app.button_group(key="example").set_value(name)
    run(app)
    assert app.session_state["text"] == EXAMPLES[name]
    assert not app.error
    assert bool(app.warning) == (name == "another language")


def test_the_banner_names_the_script(app: AppTest) -> None:
    app.query_params["example"] = "another language"
    run(app)
    assert "Most letters are Cyrillic" in app.warning[0].value


@pytest.mark.parametrize("text", ["", "   \n", "\u200b"])
def test_blank_text_is_told_and_the_page_goes_on(app: AppTest, text: str) -> None:
    run(app)
    app.session_state["text"] = text
    run(app)
    assert not app.error and "the text is empty" in app.info[0].value
    app.session_state["text"] = "A good film."
    run(app)
    assert not app.error and "Key phrases" in drawn(app)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_breaks_nothing(app: AppTest, name: str) -> None:
    app.session_state["text"] = HOSTILE[name][:100_000]
    app.query_params["integrated_gradients.steps"] = "5"
    app.query_params["occlusion.granularity"] = "sentence"
    app.query_params["phrases.most_words"] = "10"
    if len(HOSTILE[name]) > 10_000:
        app.query_params["methods"] = "attention_rollout"  # the length is what is hostile
    run(app)
    assert not app.error and "Key phrases" in drawn(app)
    assert app.session_state["text"] == HOSTILE[name][:100_000]
    said = " ".join(warning.value for warning in app.warning)
    assert ("characters were read" in said) == (name == "100,000 characters")
    assert ("unknown to this model" in said) == (name in ("only unknown", "10,000 letters without a space"))


def test_the_address_bar_sets_every_control(app: AppTest) -> None:
    del app.query_params["methods"]
    for name, value in {
        "target": "positive",
        "scale": "probability",
        "show": "pieces",
        "integrated_gradients.baseline": "pad",
        "occlusion.operator": "delete",
        "attention_rollout.residual": "0.25",
        "phrases.top": "3",
        "heads": "2",
    }.items():
        app.query_params[name] = value
    run(app)
    assert not app.error
    code = app.code[0].value
    for part in ("label='positive'", "scale='probability'", "'baseline': 'pad'", "'operator': 'delete'", "top=3"):
        assert part in code
    assert "'residual': 0.25" in code


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("target", "neutral"),
        ("model", "nope"),
        ("integrated_gradients.max_points", "7"),
        ("show", "letters"),
        ("phrases.top", "x"),
        ("methods", "magic"),
    ],
)
def test_nonsense_in_the_address_bar_is_ignored(app: AppTest, name: str, value: str) -> None:
    app.query_params[name] = value
    run(app)
    assert not app.error and "Key phrases" in drawn(app)


def test_a_knob_that_can_not_be_is_told_beside_it(app: AppTest) -> None:
    app.query_params["attention_rollout.heads"] = "99"
    run(app)
    assert "numbers from 0 to 11" in errors(app)
    assert "Key phrases" in drawn(app)  # what came before the method that failed is still there


def test_text_from_a_link_is_taken_and_does_not_stay_in_the_address(app: AppTest) -> None:
    app.query_params["text"] = "A wonderful film."
    run(app)
    assert app.session_state["text"] == "A wonderful film."
    assert "text" not in app.query_params


def test_visitors_of_an_open_server_choose_from_a_list(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "any_model_allowed", lambda: False)
    run(app)
    offered = app.selectbox(key="model").options
    assert offered[0] == DEFAULT_MODEL and sorted(offered) == [entry.name for entry in list_models()]


def test_masked_words_are_asked_for_and_guessed(app: AppTest) -> None:
    app.session_state["text"] = "A text of my own."
    run(app)
    app.selectbox(key="model").set_value("base")
    run(app)
    assert not app.error and "Put [MASK] where a word is to be guessed." in app.info[0].value.replace("\\", "")
    assert app.button_group(key="example").options == list(MASKED_EXAMPLES)
    assert app.session_state["text"] == "A text of my own."
    app.button_group(key="example").set_value("capital")
    run(app)
    assert not app.error and not app.info and {"Key phrases", "Export"} <= drawn(app)
    assert "france" in app.selectbox(key="target").options and len(app.selectbox(key="target").options) == 21
    assert not any(box.key == "which" for box in app.selectbox)
    assert "model='base'" in app.code[0].value and "position" not in app.code[0].value


def test_an_example_that_nobody_changed_makes_room_for_one_that_the_model_reads(app: AppTest) -> None:
    run(app)
    for model, task, text in (
        ("base", None, next(iter(MASKED_EXAMPLES.values()))),
        ("base", "next_sentence_prediction", NEXT_EXAMPLES["it follows"][0]),
        ("sentiment", None, FIRST_EXAMPLE),
    ):
        app.selectbox(key="model").set_value(model)
        run(app)
        if task is not None:
            app.selectbox(key="task").set_value(task)
            run(app)
        assert not app.error and not app.info and app.session_state["text"] == text


@pytest.fixture
def box_names(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the texts that can be edited, as the last run drew them."""
    names: list[str] = []
    draw = hero.draw

    def watch(boxes: hero.Boxes, *arguments: Any) -> None:
        names[:] = [name for name, _ in boxes]
        draw(boxes, *arguments)

    monkeypatch.setattr(hero, "draw", watch)
    return names


def test_labels_of_ones_own(app: AppTest, box_names: list[str]) -> None:
    del app.query_params["methods"]  # the model of these labels has others
    app.query_params.update({"model": "entailment", "task": "Labels of your own"})
    run(app)
    texts = TASKS["zero_shot_classification"].examples
    assert app.button_group(key="example").options == list(texts)
    assert (app.session_state["text"], app.session_state["pair"]) == texts["news"]
    assert box_names[1] == "Labels, with commas"
    assert app.selectbox(key="target").options[1:] == ["sport", "politics", "cooking"]
    assert not app.error and not app.info and {"Key phrases", "Export"} <= drawn(app)
    app.selectbox(key="target").set_value("cooking")
    run(app)
    assert not app.error and "label='cooking'" in app.code[0].value


def test_an_adapter_has_examples_and_names_of_its_own(app: AppTest, box_names: list[str]) -> None:
    app.query_params["model"] = "entailment"
    run(app)
    (entry,) = [entry for entry in list_models() if entry.name == "entailment"]
    assert app.button_group(key="example").options == list(entry.examples)
    assert box_names == ["Premise", "Hypothesis"]
    assert not app.error and not app.info and "Export" in drawn(app)


@pytest.mark.parametrize("name", NEXT_EXAMPLES)
def test_next_sentences(app: AppTest, name: str) -> None:
    app.query_params.update({"model": "base", "task": "Next sentence", "example": name})
    run(app)
    assert (app.session_state["text"], app.session_state["pair"]) == NEXT_EXAMPLES[name]
    assert not app.error and not app.info and {"Key phrases", "Export"} <= drawn(app)
    assert "task='next-sentence-prediction'" in app.code[0].value
    assert app.selectbox(key="target").options[1:] == ["is next", "is not next"]
    app.session_state["pair"] = ""
    run(app)
    assert not app.error and "give the next sentence too" in app.info[0].value


@pytest.mark.parametrize("name", MASKED_EXAMPLES)
def test_every_masked_example_can_be_linked(app: AppTest, name: str) -> None:
    app.query_params.update({"model": "base", "example": name})
    run(app)
    assert app.session_state["text"] == MASKED_EXAMPLES[name]
    assert not app.error and not app.warning and not app.info and "Export" in drawn(app)


def test_visitors_on_different_tasks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three visits, run by turns while each other's work goes on: each is drawn what it would be drawn alone."""
    fresh = Cache()
    monkeypatch.setattr(session, "cache", lambda: fresh)
    monkeypatch.setattr(work, "AT_ONCE_SECONDS", 0)
    monkeypatch.setattr(session, "visitor", lambda: st.session_state.setdefault("visitor", object()))
    shown: list[Attribution] = []
    monkeypatch.setattr(
        show, "view", lambda name, result, **_: name == "method_tiles" and shown.extend(result.attributions)
    )
    methods = ["occlusion", "gradient_times_input"]
    texts = {
        "sentiment": ("A film of no great merit.", ""),
        "base": ("A film of no great [MASK].", ""),
        "entailment": ("It is a film.", "It is art."),
    }
    apps = {
        name: AppTest.from_file(str(ROOT / "pages" / "explain_text.py"), default_timeout=PATIENCE) for name in texts
    }
    for name, (text, pair) in texts.items():
        apps[name].query_params.update({"model": name, "text": text, "pair": pair, "methods": methods})
    found: dict[str, list[Attribution]] = {}
    turns, waiting = 0, set(apps)
    while waiting:
        turns += 1
        time.sleep(0.02)  # the work is done by threads beside this one
        for name in sorted(waiting):
            shown.clear()
            apps[name].run()
            assert not apps[name].exception and not apps[name].error and turns < 2000
            found[name] = sorted(shown, key=lambda each: methods.index(each.method))
        waiting = {name for name in waiting if any(button.key == "stop" for button in apps[name].button)}
    assert turns > 1  # nobody was done at once
    for name, (text, pair) in texts.items():
        alone = explain(text, name, text_pair=pair or None, methods=methods)
        for one, other in zip(found[name], alone.attributions, strict=True):
            assert one.method == other.method and one.target == other.target
            assert np.allclose(one.scores, other.scores, atol=1e-6)


def test_a_link_to_a_model_opens_with_an_example_of_its_kind(app: AppTest) -> None:
    app.query_params["model"] = "base"
    run(app)
    assert app.session_state["text"] == next(iter(MASKED_EXAMPLES.values()))


def test_an_example_that_was_changed_is_none_any_more(app: AppTest) -> None:
    app.query_params["example"] = "irony"
    run(app)
    assert app.button_group(key="example").value == "irony" and app.query_params["example"] in ("irony", ["irony"])
    app.session_state["text"] = "Another text."
    run(app)
    assert app.button_group(key="example").value is None and "example" not in app.query_params
    assert app.session_state["text"] == "Another text."


def test_the_usual_scale_of_a_task_is_no_choice(app: AppTest) -> None:
    app.query_params["model"] = "answers"
    app.query_params["methods"] = "attention_rollout"
    run(app)
    assert app.selectbox(key="scale").value == "log_probability"
    app.selectbox(key="model").set_value("topics")
    run(app)
    assert app.selectbox(key="scale").value == "log_odds"
    app.selectbox(key="scale").set_value("probability")
    run(app)
    app.selectbox(key="model").set_value("emotions")
    run(app)
    assert app.selectbox(key="scale").value == "probability" and not app.error


def test_a_model_that_is_not_there_is_named(app: AppTest) -> None:
    app.query_params["model"] = "my *model*"
    run(app)
    assert "There is no model my \\*model\\* here" in app.warning[0].value and not app.error
    assert app.selectbox(key="model").value == DEFAULT_MODEL
    run(app)
    assert len(app.warning) == 1  # until another one is chosen
    app.selectbox(key="model").set_value("topics")
    run(app)
    assert not app.warning


def test_any_mask_may_be_asked_about(app: AppTest) -> None:
    """Words that are not listed are typed in test_browser.py: AppTest can't."""
    app.query_params.update(
        {"model": "base", "example": "two masks", "which": "mask 2", "target": "water", "against": "air"}
    )
    run(app)
    assert not app.error
    for part in ("label='water'", "against='air'", "position=8"):
        assert part in app.code[0].value
    app.selectbox(key="which").set_value(5)
    app.selectbox(key="target").set_value("(what the model decided)")
    app.selectbox(key="against").set_value("any other")
    run(app)
    assert not app.error and "position=5" in app.code[0].value and "label=" not in app.code[0].value


def test_a_text_of_fewer_masks_than_before(app: AppTest) -> None:
    app.session_state["text"] = "[MASK] and [MASK] and [MASK]"
    app.query_params.update({"model": "base", "which": "mask 3"})
    run(app)
    assert "position=5" in app.code[0].value
    for text in ("[MASK] and [MASK]", "a [MASK]"):
        app.session_state["text"] = text
        run(app)
        assert not app.error and "Export" in drawn(app)


@pytest.mark.parametrize("text", ["", "a [mask] film", "[MASK] " * 40, "word " * 600 + "[MASK]", HOSTILE["script"]])
def test_texts_without_a_mask_to_read_are_no_error(app: AppTest, text: str) -> None:
    app.session_state["text"] = text
    app.query_params["model"] = "base"
    run(app)
    assert not app.error and len(app.info) == 1
    app.session_state["text"] = "a [MASK] film"
    run(app)
    assert not app.error and not app.info and "Key phrases" in drawn(app)


def test_a_masked_word_model_of_ones_own_has_its_own_mask(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "any_model_allowed", lambda: True)
    app.session_state["text"] = "A text of my own."
    app.query_params["model"] = "another model …"
    app.query_params["place"] = str(tiny_folder("roberta", tmp_path, head="ForMaskedLM"))
    run(app)
    assert "Put <mask> where" in app.info[0].value.replace("\\", "")
    app.button_group(key="example").set_value("bank")
    run(app)
    assert app.session_state["text"] == "She went to the bank to deposit her <mask>."
    assert not app.error and "Export" in drawn(app)


def test_the_page_waits_for_no_words_to_choose_from(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """While others compute, the prediction may be long in coming; it is not waited for."""
    monkeypatch.setattr(work, "predicted", lambda *_: None)
    app.query_params.update({"model": "base", "example": "capital"})
    run(app)
    assert app.selectbox(key="target").options == ["(what the model decided)"]
    assert not app.error and "Export" in drawn(app)


def test_a_model_of_ones_own(app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "any_model_allowed", lambda: True)
    folder = tiny_folder("roberta", tmp_path)
    run(app)
    app.selectbox(key="model").set_value("another model …")
    run(app)
    assert "Type the folder of a model" in app.info[0].value
    app.text_input(key="place").set_value(str(folder))
    run(app)
    assert not app.error and "Key phrases" in drawn(app)
    assert app.selectbox(key="target").options[1:] == ["LABEL_0", "LABEL_1", "LABEL_2"]
    app.text_input(key="place").set_value("/no/such/folder")
    run(app)
    assert "There is no model or folder" in errors(app)
    assert app.session_state["text"] == FIRST_EXAMPLE


def test_a_model_that_does_not_say_what_it_was_saved_for_is_asked_about(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "any_model_allowed", lambda: True)
    monkeypatch.setattr(work, "advance", lambda *_: pytest.fail("computed something"))
    app.query_params["model"] = "another model …"
    app.query_params["place"] = str(unsaid(tiny_folder("bert", tmp_path)))
    run(app)
    box = app.selectbox(key="task")
    assert (box.label, box.value, box.placeholder) == ("What it should do", None, "Choose what it should do")
    assert box.options == ["Text classification", "Entities"]
    assert not app.error and "Its weights fit several tasks\\. Choose one" in app.info[0].value
    assert app.session_state["text"] == FIRST_EXAMPLE and not drawn(app)
    monkeypatch.undo()
    monkeypatch.setattr(session, "any_model_allowed", lambda: True)
    app.selectbox(key="task").set_value("token_classification")
    run(app)
    assert not app.error and not app.info and {"Key phrases", "Export"} <= drawn(app)
    assert "task='token-classification'" in app.code[0].value


@pytest.mark.parametrize("page", ["attention.py", "faithfulness.py"])
def test_the_other_pages_ask_too(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = AppTest.from_file(str(ROOT / "pages" / page), default_timeout=PATIENCE)
    monkeypatch.setattr(session, "any_model_allowed", lambda: True)
    monkeypatch.setattr(work, "advance", lambda *_: pytest.fail("computed something"))
    app.query_params["model"] = "another model …"
    app.query_params["place"] = str(unsaid(tiny_folder("bert", tmp_path)))
    app.run()
    assert not app.exception and not app.error and "Choose one" in app.info[0].value
    assert app.selectbox(key="task").value is None


def test_texts_stay_while_a_model_is_chosen(app: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(session, "any_model_allowed", lambda: True)
    app.query_params["model"] = "entailment"
    run(app)
    app.session_state["text"] = "A premise of my own."
    app.session_state["pair"] = "A hypothesis of my own."
    run(app)
    app.selectbox(key="model").set_value("another model …")
    run(app)
    assert "Type the folder of a model" in app.info[0].value
    assert app.session_state["text"] == "A premise of my own."
    app.text_input(key="place").set_value(str(unsaid(tiny_folder("bert", tmp_path, head="ForPreTraining"))))
    run(app)
    app.selectbox(key="task").set_value("next_sentence_prediction")
    run(app)
    assert [app.session_state[key] for key in ("text", "pair")] == [
        "A premise of my own.",
        "A hypothesis of my own.",
    ]
    assert not app.error and "Export" in drawn(app)


def test_what_one_model_did_is_no_answer_for_another(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "any_model_allowed", lambda: True)
    app.query_params.update({"model": "base", "task": "Next sentence"})
    run(app)
    app.selectbox(key="model").set_value("another model …")
    run(app)
    app.text_input(key="place").set_value(str(unsaid(tiny_folder("bert", tmp_path, head="ForPreTraining"))))
    run(app)
    assert app.selectbox(key="task").options == ["Masked words", "Next sentence"]
    assert app.selectbox(key="task").value is None and not drawn(app)


def test_a_link_may_say_what_such_a_model_should_do(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "any_model_allowed", lambda: True)
    app.query_params.update({"model": "another model …", "place": str(unsaid(tiny_folder("bert", tmp_path)))})
    app.query_params["task"] = "Entities"
    run(app)
    assert app.selectbox(key="task").value == "token_classification"
    assert not app.error and "Export" in drawn(app)


def without_tokenizer(folder: Path) -> None:
    for path in folder.glob("token*"):
        path.unlink()


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'true'\ntR.")


def broken(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def foreign(folder: Path) -> None:
    tiny_folder("bert", folder, head="ForMultipleChoice")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (without_tokenizer, "has no tokenizer: save one beside the weights"),
        (pickled, "pickled weights"),
        (broken, "copy or download it again"),
        (foreign, "was saved as BertForMultipleChoice"),
    ],
)
def test_a_model_that_is_no_good_is_told_and_the_page_goes_on(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Path], None], said: str
) -> None:
    monkeypatch.setattr(session, "any_model_allowed", lambda: True)
    spoil(tiny_folder("bert", tmp_path))
    app.session_state["text"] = "My own text."
    app.query_params["model"] = "another model …"
    app.query_params["place"] = str(tmp_path)
    run(app)
    assert said in errors(app).replace("\\", "")
    assert app.session_state["text"] == "My own text."
    app.selectbox(key="model").set_value("sentiment")
    run(app)
    assert not app.error and "Key phrases" in drawn(app)
    assert app.session_state["text"] == "My own text."


def test_nothing_is_fetched_from_the_hub_by_a_link_alone(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "any_model_allowed", lambda: True)
    monkeypatch.setattr("explain.models.loading.hub._from_hub", lambda *_: pytest.fail("asked the hub"))
    app.query_params["model"] = "another model …"
    app.query_params["place"] = "someone/some-model"
    run(app)
    assert "can download a model of this name from the Hugging Face hub" in app.info[0].value
    monkeypatch.undo()
    monkeypatch.setattr(session, "any_model_allowed", lambda: True)
    next(button for button in app.button if button.label == "Fetch it").click()
    run(app)
    assert "fetch the model elsewhere and give its folder" in errors(app).replace("\\", "")


def test_results_too_large_to_remember_are_shown_all_the_same(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "cache", lambda: Cache(1))
    app.session_state["text"] = "Nothing of this is remembered."
    run(app)
    assert not app.error and "Export" in drawn(app)


def test_our_own_mistake_is_told_without_a_traceback_and_logged(
    app: AppTest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def trip(*arguments: object) -> None:
        raise ZeroDivisionError("a mistake")

    with monkeypatch.context() as tripped:
        tripped.setattr("explain.methods.occlusion.Occlusion.attribute", trip)
        app.session_state["text"] = "A text that nobody asked about before."
        run(app)
    assert "Something went wrong in the tool itself (ZeroDivisionError)" in errors(app).replace("\\", "")
    assert any(record.exc_info for record in caplog.records)
    next(button for button in app.button if button.key == "again").click()
    run(app)
    assert not app.error and "Export" in drawn(app)


@pytest.mark.parametrize(
    ("address", "variable", "allowed"),
    [
        ("127.0.0.1", "", True),
        ("::1", "", True),
        ("localhost", "", True),
        ("0.0.0.0", "", False),
        ("", "", False),
        ("0.0.0.0", "1", True),
    ],
)
def test_free_paths_only_on_a_server_of_ones_own(
    monkeypatch: pytest.MonkeyPatch, address: str, variable: str, allowed: bool
) -> None:
    monkeypatch.setattr("pages.shared.session.st.get_option", lambda name: address)
    monkeypatch.setenv("EXPLAIN_ALLOW_ANY_MODEL", variable)
    assert session.any_model_allowed() == allowed


def test_every_page_file_is_in_the_navigation() -> None:
    shell = (ROOT / "pages" / "navigation.py").read_text()
    for path in (ROOT / "pages").glob("*.py"):
        assert path.name == "navigation.py" or f'"{path.name}"' in shell
    for path in (ROOT / "pages").glob("*/page.py"):
        assert f'"{path.parent.name}" / "page.py"' in shell


def test_of_two_texts_the_matrix_stands_first_or_a_button_asks_for_it(app: AppTest) -> None:
    app.query_params["model"], app.query_params["methods"] = "similarity", "attention_rollout"
    start(app)
    assert next(one.value for one in app.header if one.value != "History") == "What makes them alike"
    assert not any(button.key == "ask_word_interactions" for button in app.button)
    app.query_params["model"] = "entailment"
    app.session_state["model"] = "entailment"
    run(app)
    assert any(button.key == "ask_word_interactions" for button in app.button)
