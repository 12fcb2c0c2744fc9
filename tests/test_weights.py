"""What ships in `weights/`: whole, small, of the promised quality, and what its cards say."""

import json
import re
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from transformers import AutoTokenizer, BertForPreTraining

from explain.core.installation import weights_folder
from explain.methods.base import METHODS
from explain.models.loading.catalogue import list_models, load_model
from explain.run import engine
from explain.run.plan import Plan

BASE, SENTIMENT = weights_folder() / "base", weights_folder() / "sentiment"
ADAPTERS = sorted(path.parent for path in weights_folder().glob("*/adapter_model.safetensors"))
PROMISED = {  # the main figure of each, as it was asked for before it was trained
    "sentiment": ("accuracy", 0.88),
    "entailment": ("accuracy", 0.74),
    "entities": ("span_f1", 0.60),
    "answers": ("word_f1", 0.55),
    "topics": ("accuracy", 0.97),
    "emotions": ("micro_f1", 0.42),
    "similarity": ("ratio_at_1", 0.9),  # and at 10, which is easier
}


def test_sizes_and_kinds_of_files() -> None:
    assert (BASE / "model.safetensors").stat().st_size <= 46_000_000
    assert all((folder / "adapter_model.safetensors").stat().st_size <= 4_000_000 for folder in ADAPTERS)
    kinds = {path.suffix for path in weights_folder().rglob("*") if path.is_file()}
    assert kinds <= {".json", ".md", ".safetensors", ""}
    with safe_open(BASE / "model.safetensors", framework="pt") as opened:
        names = list(opened.keys())
        assert {opened.get_slice(name).get_dtype() for name in names} == {"F16"}
        assert "cls.predictions.decoder.weight" not in names  # tied to the word embeddings


@pytest.mark.parametrize("folder", [BASE, *ADAPTERS], ids=lambda folder: folder.name)
def test_cards_and_records_agree_and_name_no_machine(folder: Path) -> None:
    record = json.loads((folder / "training.json").read_text())
    card = (folder / "README.md").read_text()
    for data in record["data"]:
        assert data["name"] in card and data["license"] in card
    written = (folder / "training.json").read_text() + card
    assert not re.search(r"(?<![\w:/.])/\w+/", written)  # no absolute path, but addresses of the web
    assert all("/" not in name for name in (record["recipe"]["output"], *record["recipe"]["data"]))


def test_the_figures_are_those_that_were_promised() -> None:
    held_out = json.loads((BASE / "training.json").read_text())["figures"]["held_out"]["mean"]
    assert held_out["masked_top1"] >= 0.32 and held_out["masked_top5"] >= 0.48 and held_out["next_sentence"] >= 0.82


@pytest.mark.parametrize("folder", ADAPTERS, ids=lambda folder: folder.name)
def test_each_adapter_keeps_its_promise_and_explains_its_examples(folder: Path) -> None:
    name, least = PROMISED[folder.name]
    figures = json.loads((folder / "training.json").read_text())["figures"]
    assert figures[name] >= least
    (entry,) = [entry for entry in list_models() if entry.name == folder.name]
    assert entry.main_figure is not None and entry.main_figure[1] in figures.values()
    assert f"\n{folder.name}: " in (weights_folder() / "NOTICE").read_text()
    for task in entry.tasks:
        model = load_model(folder.name, task=task)
        own = entry.examples if task == entry.tasks[0] else {}
        for texts in (own or model.task.examples).values():
            method = METHODS["occlusion"]()
            plan = Plan.for_text(texts[0], next(iter(texts[1:]), None), methods=[method])
            assert engine.results(plan, model).required(method).scores.any()


@pytest.fixture(scope="module")
def base() -> BertForPreTraining:
    return BertForPreTraining.from_pretrained(BASE, dtype=torch.float32, local_files_only=True).eval()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Paris is the capital of [MASK].", "france"), ("She poured herself a cup of [MASK].", "tea")],
)
def test_the_encoder_fills_masks(base: BertForPreTraining, text: str, expected: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(BASE, local_files_only=True)
    encoded = tokenizer(text, return_tensors="pt")
    place = encoded["input_ids"][0].tolist().index(tokenizer.mask_token_id)
    with torch.inference_mode():
        best = base(**encoded).prediction_logits[0, place].topk(5).indices
    assert expected in [tokenizer.decode([number]).strip() for number in best.tolist()]


def test_the_encoder_tells_what_comes_next(base: BertForPreTraining) -> None:
    tokenizer = AutoTokenizer.from_pretrained(BASE, local_files_only=True)
    first = "He opened the door and went in."
    with torch.inference_mode():
        for second, is_next in (
            ("The room was dark and empty.", True),
            ("Photosynthesis converts light into chemical energy.", False),
        ):
            logits = base(**tokenizer(first, second, return_tensors="pt")).seq_relationship_logits[0]
            assert bool(logits[0] > logits[1]) == is_next


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("A wonderful, warm and funny film.", "positive"),
        ("A dull, lifeless mess.", "negative"),
        ("The film isn't good.", "negative"),
        ("It is not bad at all.", "positive"),
    ],
)
def test_the_classifier_knows_what_people_know(text: str, label: str) -> None:
    from explain.models.loading.catalogue import load_model

    model = load_model("sentiment")
    assert model.predict(model.encode(text)).label == label
