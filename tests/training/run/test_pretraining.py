"""A tiny run of each recipe: from a few lines of data to a model that the catalogue loads."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from explain.core.errors import DataError
from explain.data.dataset import Dataset
from explain.data.storage import license_of
from explain.models.loading import shared_encoder
from explain.training import compare, finetune, pretrain, rows
from explain.training.objectives import masked_pairs
from explain.training.objectives.base import IGNORED
from explain.training.objectives.documents import Document, hold_out
from explain.training.objectives.masked_pairs import Pairs, collate, measure
from explain.training.recipes.finetuning import FinetuningRecipe
from explain.training.recipes.pretraining import PretrainingRecipe
from explain.training.run import finetuning, pretraining
from explain.training.run.pretraining import read_documents, source_model
from tests.tiny_models import CORPUS, tiny_folder

SENTENCES = [sentence for sentence in CORPUS[:4] for _ in range(3)]


def write(folder: Path, split: str, rows: list[dict[str, object]], *, packed: bool = True) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row) + "\n" for row in rows)
    if packed:
        (folder / f"{split}.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    else:
        (folder / f"{split}.jsonl").write_text(text)
    return folder


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Long documents, one of them to be left out, and short texts some of which stand inside others."""
    root = tmp_path_factory.mktemp("corpus")
    rows = []
    for number in range(24):
        paragraph = " ".join(SENTENCES[number % 5 :] * 6)
        rows += [{"doc": f"book/{number}", "text": paragraph}, {"doc": f"book/{number}", "text": paragraph}]
    rows += [{"doc": "squad11-dev/secret", "text": "Nobody may read this sentence in training at all."}]
    books = write(root / "books", "all", rows)
    phrases = [
        {"text": text}
        for text in (CORPUS[0], "its top-notch cast saves it!", "isn't good", "a new and other line of text")
    ]
    return str(books), str(write(root / "phrases", "train", phrases, packed=False))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_folder("bert", tmp_path_factory.mktemp("source"), max_position_embeddings=128))


def recipe(corpus: tuple[str, str], source: str, output: Path, **changes: object) -> PretrainingRecipe:
    settings = {"steps": 4, "batch_size": 4, "evaluate_every": 2, "held_out_pairs": 8, "bfloat16": False}
    return PretrainingRecipe(data=corpus, source=source, output=str(output), **(settings | changes))


@pytest.fixture(scope="module")
def pretrained(corpus: tuple[str, str], source: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    output = tmp_path_factory.mktemp("weights") / "base"
    return output, pretraining.pretrain(recipe(corpus, source, output))


def test_documents_left_out_and_phrases_inside_others_are_not_read(
    corpus: tuple[str, str], source: str, tmp_path: Path
) -> None:
    settings = recipe(corpus, source, tmp_path)
    documents = read_documents(settings, source_model(settings)[1])
    names = [document.name for document in documents]
    assert not any("squad11-dev" in name for name in names) and len(names) == 26
    assert [name for name in names if name.startswith("phrases/")] == [
        f"phrases/{text[:40]}" for text in (CORPUS[0], "a new and other line of text")
    ]
    training, held = hold_out(documents)
    assert {document.source for document in held} == {"books"}
    assert not {document.name for document in held} & {document.name for document in training}
    again = hold_out(documents[::-1])[1]
    assert {document.name for document in again} == {document.name for document in held}


def test_pairs_are_masked_and_half_are_next(corpus: tuple[str, str], source: str, tmp_path: Path) -> None:
    settings = recipe(corpus, source, tmp_path)
    tokenizer = source_model(settings)[1]
    documents = [document for document in read_documents(settings, tokenizer) if document.source == "books"]
    pairs = Pairs(documents, tokenizer, 2000, seed=1, batch_size=4)
    items = [pairs[number] for number in range(2000)]
    asked = np.concatenate([item["labels"] != IGNORED for item in items])
    own = np.concatenate(
        [(item["ids"] != tokenizer.cls_token_id) & (item["ids"] != tokenizer.sep_token_id) for item in items]
    )
    assert asked.sum() / own.sum() == pytest.approx(0.15, abs=0.01)
    shown = np.concatenate([item["ids"][item["labels"] != IGNORED] for item in items])
    right = np.concatenate([item["labels"][item["labels"] != IGNORED] for item in items])
    assert (shown == tokenizer.mask_token_id).mean() == pytest.approx(0.8, abs=0.02)
    assert ((shown == right) & (shown != tokenizer.mask_token_id)).mean() == pytest.approx(0.1, abs=0.02)
    assert np.mean([item["is_next"] == 0 for item in items]) == pytest.approx(0.5, abs=0.05)
    assert all(len(item["ids"]) <= masked_pairs.LONGEST for item in items)
    for item in items[:50]:
        assert item["segment"].tolist() == sorted(item["segment"].tolist()) and item["segment"][-1] == 1
    assert all(np.array_equal(items[5][name], pairs[5][name]) for name in ("ids", "labels", "segment"))


def test_a_true_pair_continues_its_document(corpus: tuple[str, str], source: str, tmp_path: Path) -> None:
    sentences = tuple(np.arange(start, start + 10, dtype=np.int32) for start in range(10, 210, 10))
    document = Document("d", "s", sentences)
    other = Document("e", "s", tuple(sentence + 1000 for sentence in sentences))
    tokenizer = source_model(recipe(corpus, source, tmp_path))[1]
    pairs = Pairs([document, other], tokenizer, 200, seed=0, batch_size=4)
    for number in range(200):
        item = pairs[number]
        ids = np.where(item["labels"] != IGNORED, item["labels"], item["ids"])
        first, second = ids[1:][item["segment"][1:] == 0][:-1], ids[item["segment"] == 1][:-1]
        if item["is_next"] == 0 and len(first) and len(second):
            assert second[0] == first[-1] + 1
        elif len(second):
            assert abs(int(second[0]) - int(first[0])) > 500  # from the other document


def test_pretraining_writes_a_model_a_record_and_a_card(pretrained: tuple[Path, dict]) -> None:
    folder, figures = pretrained
    assert figures["steps"] == 4 and 0 <= figures["held_out"]["mean"]["next_sentence"] <= 1
    tensors = load_file(folder / "model.safetensors")
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    assert "cls.predictions.decoder.weight" not in tensors  # tied
    record = json.loads((folder / "training.json").read_text())
    assert record["recipe"]["seed"] == 0 and record["held_out_documents"]
    card = (folder / "README.md").read_text()
    assert "to show how masked words and next sentences work" in card and "The encoder source" in card
    assert f"{figures['held_out']['mean']['masked_top1']:.3f}" in card
    assert record["figures"] == json.loads(json.dumps(figures))


def test_a_run_that_was_cut_off_goes_on(corpus: tuple[str, str], source: str, tmp_path: Path) -> None:
    pretraining.pretrain(recipe(corpus, source, tmp_path, steps=2))
    spent = json.loads((next((tmp_path / "checkpoints").glob("checkpoint-2")) / "trainer_state.json").read_text())
    assert any("seconds_spent" in entry for entry in spent["log_history"])
    figures = pretraining.pretrain(recipe(corpus, source, tmp_path, steps=4))
    assert figures["steps"] == 4 and (tmp_path / "checkpoints" / "checkpoint-4").is_dir()
    assert not any(
        path.suffix in (".bin", ".pkl") for path in (tmp_path / "checkpoints" / "checkpoint-4").glob("model*")
    )


def test_minutes_bound_a_run_too(corpus: tuple[str, str], source: str, tmp_path: Path) -> None:
    figures = pretraining.pretrain(recipe(corpus, source, tmp_path, steps=None, minutes=0.02, evaluate_every=1000))
    assert 1 <= figures["steps"] < 1000


def test_measuring_counts_what_it_asks(
    pretrained: tuple[Path, dict], corpus: tuple[str, str], source: str, tmp_path: Path
) -> None:
    settings = recipe(corpus, source, tmp_path)
    model, tokenizer = source_model(settings)
    pairs = Pairs(read_documents(settings, tokenizer), tokenizer, 10, seed=3, batch_size=4)
    found = measure(model, pairs, batch_size=3)
    batch = collate([pairs[number] for number in range(10)])
    assert found["masked_asked"] == int((batch["labels"] != IGNORED).sum())
    with torch.no_grad():  # the plain way: every position decoded, transformers' own loss
        out = model(**{name: batch[name] for name in ("input_ids", "token_type_ids", "attention_mask")})
    labels = batch["labels"]
    right = (out.prediction_logits.argmax(dim=-1) == labels)[labels != IGNORED].float().mean()
    loss = torch.nn.functional.cross_entropy(out.prediction_logits.flatten(0, 1), labels.flatten())
    assert found["masked_top1"] == pytest.approx(float(right)) and found["masked_loss"] == pytest.approx(
        float(loss), rel=1e-4
    )


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("labelled")
    rows = [
        {"text": f"{word} film number {number}", "label": int(word == "good")}
        for number in range(60)
        for word in ("good", "bad")
    ]
    write(folder, "train", rows)
    write(folder, "dev", rows[:20])
    return str(folder)


def test_what_calibrates_is_not_trained_on_in_parts_either() -> None:
    sentences = [f"this is sentence number {number} of a long list of films" for number in range(40)]
    parts = [" ".join(text.split()[1:7]) for text in sentences] + ["a list", "films"]
    texts = [*sentences, *parts]
    left, held = rows.hold_out(texts, str, seed=0)
    assert len(held) == 2 and all(text in sentences for text in held)
    for one in held:
        assert not any(text in one for text in left if len(text.split()) >= 4)
    assert {"a list", "films"} <= set(left) and len(left) >= len(texts) - 5
    with pytest.raises(DataError, match="too few different texts"):
        rows.hold_out(["the same again"] * 9, str, seed=0)


def test_finetuning_makes_an_adapter_that_the_catalogue_loads(pretrained: tuple[Path, dict], labelled: str) -> None:
    base, _ = pretrained
    output = base.parent / "sentiment"
    settings = FinetuningRecipe(
        task="sentiment",
        data=(labelled,),
        output=str(output),
        base=str(base),
        steps=40,
        learning_rate=5e-3,
        rank=4,
        bfloat16=True,
    )
    figures = finetuning.finetune(settings)
    assert figures["steps"] == 40 and figures["accuracy"] > 0.9
    assert (output / "adapter_model.safetensors").is_file() and not list(output.glob("*.bin"))
    card = (output / "README.md").read_text()
    assert "calibration error" in card and f"{figures['accuracy']:.3f}" in card
    model = shared_encoder.load_adapter("mine", output)
    assert model.head.labels == ("negative", "positive") and model.head.temperature > 0
    assert model.predict(model.encode("good film number 7")).label == "positive"
    assert model.predict(model.encode("bad film number 7")).label == "negative"
    lost = []
    for _, row in Dataset.open(labelled, split="dev").cells():
        lost.append(-np.log(model.predict(model.encode(row["text"])).output.probabilities[0, row["label"]]))
    # The figures are of what is served, in float32, whatever the training computed in.
    assert figures["log_loss"] == pytest.approx(np.mean(lost), rel=1e-5)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "has no rows"),
        ([{"text": "a"}], "has no column label; it has text"),
        ([{"text": "a", "label": 5}], "Row 1 has the label 5"),
        ([{"text": "a", "label": "neutral"}], "expected 0 to 1 or one of negative, positive"),
    ],
)
def test_bad_data_is_told(pretrained: tuple[Path, dict], given: list[dict], message: str, tmp_path: Path) -> None:
    write(tmp_path, "train", given * 60)
    settings = FinetuningRecipe(
        task="sentiment", data=(str(tmp_path),), output=str(tmp_path / "out"), base=str(pretrained[0])
    )
    with pytest.raises(DataError, match=message):
        finetuning.finetune(settings)


def test_files_that_are_no_data(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no train\.jsonl"):
        list(Dataset.open(tmp_path, split="train").cells())
    (tmp_path / "train.jsonl").write_text('{"text": "a"}\n\nnot json\n')
    with pytest.raises(DataError, match="line 3: not JSON"):
        list(Dataset.open(tmp_path, split="train").cells())
    (tmp_path / "train.jsonl").write_text("[1]\n")
    with pytest.raises(DataError, match="a JSON object is wanted, not list"):
        list(Dataset.open(tmp_path, split="train").cells())
    with pytest.raises(DataError, match="neither a folder here nor a data set"):
        list(Dataset.open("no/such-data-set", split="train").cells())
    assert (
        len(Dataset.open(tmp_path, split="train").sha256()) == 64
        and license_of(str(tmp_path)) == "see the data set's own page"
    )


@pytest.mark.parametrize("module", [pretrain, finetune])
def test_command_lines_need_a_bound_and_data(module: object, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        module.main(["--output", "x", "--data", "y"])
    assert "required" in capsys.readouterr().err or module is pretrain


def test_an_error_of_ours_ends_a_recipe_with_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    absent = str(tmp_path / "absent")
    for module, arguments in (
        (finetune, ["--task", "sentiment", "--data", absent, "--output", str(tmp_path / "out")]),
        (pretrain, ["--steps", "1", "--data", absent, "--output", str(tmp_path / "out")]),
        (compare, [absent, absent]),
    ):
        with pytest.raises(SystemExit) as ended:
            module.main(arguments)
        said = capsys.readouterr().err.splitlines()[-1]
        assert ended.value.code == 2 and "absent" in said and said.startswith(module.__name__.rpartition(".")[2])
