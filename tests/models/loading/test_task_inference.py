"""A checkpoint whose configuration does not say what was saved: its weights decide, or whoever loads it."""

import json
import re
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoTokenizer

import explain
from explain.__main__ import main
from explain.core.errors import ModelError
from explain.models.loading import catalogue, hub, task_inference
from explain.models.loading.catalogue import entry_of, load_folder, load_model
from explain.report.as_python import as_python
from explain.run.plan import Plan
from tests.tiny_models import change_config, tiny_folder, unsaid

NLI = {0: "contradiction", 1: "neutral", 2: "entailment"}


@pytest.fixture
def classifier(tmp_path: Path) -> Path:
    """A classifier, of texts or of words: BERT's two heads have the same names."""
    return unsaid(tiny_folder("bert", tmp_path / "classifier"))


@pytest.mark.parametrize(
    ("family", "head", "tasks"),
    [
        ("bert", "ForSequenceClassification", ("text_classification", "token_classification")),
        ("bert", "ForTokenClassification", ("token_classification",)),  # no pooler was saved
        ("bert", "ForQuestionAnswering", ("question_answering",)),
        ("bert", "ForMaskedLM", ("fill_mask",)),
        ("bert", "ForNextSentencePrediction", ("next_sentence_prediction",)),
        ("bert", "ForPreTraining", ("fill_mask", "next_sentence_prediction")),
        ("bert", "", ("sentence_similarity",)),
        ("bert", "ForMultipleChoice", ()),
        ("distilbert", "ForSequenceClassification", ("text_classification",)),  # the other would leave a part unused
        ("distilbert", "ForTokenClassification", ("token_classification",)),
        ("roberta", "ForSequenceClassification", ("text_classification",)),
        ("roberta", "ForMaskedLM", ("fill_mask",)),
        ("deberta-v2", "ForSequenceClassification", ("text_classification",)),
        ("modernbert", "ForTokenClassification", ("text_classification", "token_classification")),
        ("modernbert", "ForQuestionAnswering", ("question_answering", "text_classification", "token_classification")),
    ],
)
def test_weights_say_what_a_checkpoint_can_do(tmp_path: Path, family: str, head: str, tasks: tuple[str, ...]) -> None:
    folder = unsaid(tiny_folder(family, tmp_path, head=head))
    entry = entry_of(str(folder))
    assert set(entry.tasks) == set(tasks) and entry.task_is_known == (len(tasks) < 2)
    if len(tasks) == 1:
        assert load_folder("m", folder).task.name == tasks[0]


@pytest.mark.parametrize(("family", "head"), [("mpnet", "MPNetForMaskedLM"), ("bert", "BertForSequenceClassification")])
@pytest.mark.parametrize("listed", [True, False])
def test_an_encoder_whose_configuration_names_a_head_gives_vectors(
    tmp_path: Path, family: str, head: str, listed: bool
) -> None:
    folder = tiny_folder(family, tmp_path, head="")
    change_config(folder, architectures=[head])
    if listed:
        (folder / "modules.json").write_text(
            json.dumps([{"path": "", "type": "sentence_transformers.models.Transformer"}])
        )
    assert entry_of(str(folder)).tasks == ("sentence_similarity",) and entry_of(str(folder)).task_is_known
    model = load_folder("m", folder)
    texts = ("The film is good.", "A bad story.")
    tokenizer, plain = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    with torch.no_grad():
        first, second = (
            plain(tokenizer(text, return_tensors="pt")["input_ids"]).last_hidden_state[0].mean(dim=0) for text in texts
        )
    served = model.predict(model.encode(*texts)).output.logits[0, 0]
    assert served == pytest.approx(float(torch.cosine_similarity(first, second, dim=0)), abs=1e-5)


def test_the_requested_task_wins_where_the_weights_allow_it(tmp_path: Path) -> None:
    folder = tiny_folder("bert", tmp_path, head="ForMaskedLM")
    assert load_folder("m", folder).task.name == "fill_mask"
    assert load_folder("m", folder, task="sentence-similarity").task.name == "sentence_similarity"
    with pytest.raises(ModelError, match="was not trained for text-classification; it does fill-mask"):
        load_folder("m", folder, task="text-classification")


def test_an_entailment_model_is_asked_about_too(tmp_path: Path) -> None:
    folder = unsaid(tiny_folder("roberta", tmp_path, id2label=NLI))
    assert set(entry_of(str(folder)).tasks) == {"text_classification", "zero_shot_classification"}
    model = load_folder("m", folder, task="zero-shot-classification")
    assert model.task.name == "zero_shot_classification" and model.head.labels == tuple(NLI.values())


def test_what_is_not_said_is_asked_for(classifier: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = "By its weights it could do: text-classification, token-classification. Say which: task='text-classif"
    with pytest.raises(ModelError, match=re.escape(told)):
        explain.explain("A good film.", str(classifier))
    assert main(["text", "A good film.", "--model", str(classifier)]) == 2
    said = capsys.readouterr().err
    assert told in said and "--task text-classification on the command line" in said and "Traceback" not in said
    words = ["--model", str(classifier), "--task", "token-classification", "--method", "occlusion", "--no-phrases"]
    assert main(["text", "A good film.", *words]) == 0


@pytest.mark.parametrize("task", ["text-classification", "token-classification"])
def test_the_task_that_is_given_is_the_one_that_was_saved(tmp_path: Path, task: str) -> None:
    said = tiny_folder("bert", tmp_path / "said")
    as_said = load_folder("m", said).predict(load_folder("m", said).encode("A good film."))
    model = load_folder("m", unsaid(said), task=task)
    found = model.predict(model.encode("A good film.")).output
    assert model.task.hub_name == task
    assert (found.logits.shape == as_said.output.logits.shape) == (task == "text-classification")
    if task == "text-classification":
        assert np.array_equal(found.logits, as_said.output.logits)


def test_a_head_that_is_asked_for_and_not_there_is_never_made_up(classifier: Path) -> None:
    with pytest.raises(ModelError, match=r"lacks 2 of its tensors \(qa_outputs.bias, .* checkpoint saved for question"):
        load_folder("m", unsaid(tiny_folder("bert", classifier.parent, num_labels=2)), task="question-answering")
    with pytest.raises(ModelError, match=r"lacks 6 of its tensors \(cls.predictions.bias.* they would be random"):
        load_folder("m", classifier, task="fill-mask")


@pytest.mark.parametrize("task", ["text-generation", "zero-shot-classification", "question-answering"])
def test_what_the_family_or_the_labels_do_not_allow(classifier: Path, task: str) -> None:
    with pytest.raises(ModelError, match=f"can't do {task}: .* it could do: text-classification, token-class"):
        load_folder("m", classifier, task=task)  # three labels that are none of an entailment model's


def test_a_head_of_another_shape_than_the_labels(tmp_path: Path) -> None:
    folder = unsaid(tiny_folder("roberta", tmp_path))
    tensors = load_file(folder / "model.safetensors")
    tensors["classifier.out_proj.weight"] = torch.zeros(7, 32)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"of another shape than its config.json says\. Explained so far: fill-mask"):
        load_folder("m", folder)
    with pytest.raises(ModelError, match=r"does not fit the weights: classifier\.out_proj\.weight is \(7, 32\)"):
        load_folder("m", folder, task="text-classification")


def test_what_was_found_is_kept_until_the_files_change(classifier: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(entry_of(str(classifier)).tasks) == 2
    with monkeypatch.context() as looking:
        looking.setattr(task_inference, "_tasks_by_weights", lambda *_: pytest.fail("looked again"))
        assert len(entry_of(str(classifier)).tasks) == 2
    unsaid(tiny_folder("bert", classifier, head="ForMaskedLM"))
    assert entry_of(str(classifier)).tasks == ("fill_mask",)


def test_a_name_from_the_environment_is_asked_about(
    classifier: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EXPLAIN_MODELS", f"mine={classifier}")
    assert main(["models"]) == 0
    assert re.search(r"^mine +text-classification or token-classification ", capsys.readouterr().out, re.MULTILINE)
    for task in ("text-classification", "token-classification"):  # neither is the default
        model = load_model("mine", task=task)
        assert f"task={task!r}" in as_python(Plan.for_text("A film."), model)


def test_a_model_that_was_fetched_tells_what_it_can_do(classifier: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "someone/says-nothing"
    assert entry_of(name).tasks == ()
    monkeypatch.setattr(hub, "_FOLDERS", {})
    monkeypatch.setattr(hub, "_from_hub", lambda *_: classifier)
    entry = catalogue.fetched(entry_of(name))
    assert len(entry.tasks) == 2 and not entry.task_is_known and entry.folder == name
    monkeypatch.setattr(hub, "_from_hub", lambda *_: pytest.fail("asked the hub again"))
    assert load_model(name, task="token-classification").task.name == "token_classification"


def test_looking_and_loading_at_once(tmp_path: Path, tiny_folder_of: Callable[..., Path]) -> None:
    folders = [unsaid(tiny_folder("bert", tmp_path / str(number))) for number in range(4)]
    found: list[int] = []
    threads = [threading.Thread(target=lambda one=one: found.append(len(entry_of(str(one)).tasks))) for one in folders]
    for thread in threads:
        thread.start()
    load_model(str(tiny_folder_of("roberta")))
    for thread in threads:
        thread.join()
    assert found == [2] * 4
