import numpy as np
import pytest

from explain.core.errors import DataError
from explain.training.objectives.base import IGNORED, collate
from explain.training.objectives.classification import OneLabel, SeveralLabels
from explain.training.recipes.tasks import TASK_RECIPES
from tests.tiny_models import wordpiece


def test_labels_are_read_by_name() -> None:
    about = TASK_RECIPES["topics"]
    row = {"text": "a", "label": 1, "label_name": "EducationalInstitution"}
    example = about.objective.read(row, about.sources[0])
    assert about.objective.labels[example.labels[0]] == "Educational institution"
    assert len(about.objective.labels) == 14 and len(TASK_RECIPES["emotions"].objective.labels) == 28


def test_numbers_and_names_are_both_labels_and_nothing_else_is() -> None:
    objective, source = OneLabel(labels=("no", "yes")), TASK_RECIPES["sentiment"].sources[0]
    assert [objective.read({"text": "a", "label": label}, source).labels for label in (1, "yes")] == [(1,), (1,)]
    for wrong in (2, -1, "maybe", None, 1.0):
        with pytest.raises(DataError, match="has the label"):
            objective.read({"text": "a", "label": wrong}, source)


def test_several_labels_become_a_row_of_zeros_and_ones() -> None:
    objective = SeveralLabels(labels=("a", "b", "c"))
    source = TASK_RECIPES["emotions"].sources[0]
    examples = [objective.read({"text": "film", "labels": labels}, source) for labels in (["c", "a", "a"], [])]
    features = objective.encode(examples, wordpiece())
    assert [feature["labels"].tolist() for feature in features] == [[1, 0, 1], [0, 0, 0]]
    assert objective.settings()["problem_type"] == "multi_label_classification"


def test_a_pair_is_read_together() -> None:
    objective = TASK_RECIPES["entailment"].objective
    row = {"text": "the film", "text_b": "the cast", "label_name": "neutral"}
    tokenizer = wordpiece()
    (feature,) = objective.encode([objective.read(row, TASK_RECIPES["entailment"].sources[0])], tokenizer)
    assert tokenizer.decode(feature["input_ids"]) == "[CLS] the film [SEP] the cast [SEP]"
    after = feature["input_ids"].index(tokenizer.sep_token_id) + 1
    assert feature["token_type_ids"] == [int(place >= after) for place in range(len(feature["input_ids"]))]
    assert feature["labels"] == 1


def test_lists_are_padded_and_all_else_is_stacked() -> None:
    short = {
        "input_ids": [5],
        "token_type_ids": [1],
        "labels": [7],
        "vector": np.ones(2, dtype=np.float32),
        "number": 3,
    }
    long = short | {"input_ids": [5, 6], "token_type_ids": [1, 1], "labels": [7, 8]}
    batch = collate([short, long], padding=9)
    assert batch["input_ids"].tolist() == [[5, 9], [5, 6]] and batch["token_type_ids"].tolist() == [[1, 0], [1, 1]]
    assert batch["attention_mask"].tolist() == [[1, 0], [1, 1]] and batch["labels"].tolist() == [[7, IGNORED], [7, 8]]
    assert batch["vector"].shape == (2, 2) and batch["number"].tolist() == [3, 3]
