"""Every registered task keeps its promises, on toys and on every kind of head."""

from pathlib import Path

import pytest
import torch

from explain.datatypes import Target
from explain.models.loading.catalogue import load_folder
from explain.models.transformer import EncoderModel
from explain.tasks.base import TASKS, Head, log_odds
from explain.testing import TOY_MODELS, check_task
from tests.tiny_models import tiny_folder

RAW = {"logits": torch.tensor([[2.0, -1.0, 0.5]])}
NOWHERE = torch.empty(1, 0, dtype=torch.long)


@pytest.mark.parametrize("toy", TOY_MODELS)
def test_on_toys(toy: str) -> None:
    check_task(TOY_MODELS[toy].task, TOY_MODELS[toy])


def test_every_task_has_a_toy() -> None:
    assert {toy.task.name for toy in TOY_MODELS.values()} == set(TASKS)


def test_on_a_tiny_bert(tiny_bert: EncoderModel) -> None:
    check_task(tiny_bert.task, tiny_bert)


def test_where_several_labels_may_be_right(tmp_path: Path) -> None:
    model = load_folder("several", tiny_folder("bert", tmp_path, problem_type="multi_label_classification"))
    check_task(model.task, model)


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        ("logit", 2.0),
        ("log_odds", 2.0 - torch.tensor([-1.0, 0.5]).logsumexp(0).item()),
        ("log_probability", 2.0 - RAW["logits"][0].logsumexp(0).item()),
        ("probability", RAW["logits"][0].softmax(0)[0].item()),
    ],
)
def test_scales_are_what_they_are_called(scale: str, expected: float) -> None:
    head = Head(("a", "b", "c"))
    target = Target("text_classification", "a", 0, scale=scale)
    assert float(TASKS["text_classification"].scalar(RAW, target, NOWHERE, head)[0]) == pytest.approx(expected)


def test_two_labels_log_odds_are_the_difference_of_logits() -> None:
    logits = torch.tensor([[0.3, -1.2]])
    assert float(log_odds(logits, 0)[0]) == pytest.approx(1.5)


def test_labels_of_their_own_are_asked_apart() -> None:
    head = Head(("a", "b", "c"), exclusive=False)
    target = Target("text_classification", "c", 2, scale="probability")
    task = TASKS["text_classification"]
    assert float(task.scalar(RAW, target, NOWHERE, head)[0]) == pytest.approx(torch.tensor(0.5).sigmoid().item())
    decided = [task.decision(RAW, Target(task.name, "x", index), NOWHERE, head).tolist() for index in (0, 1)]
    assert decided == [[1], [0]]
