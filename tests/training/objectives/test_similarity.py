from types import SimpleNamespace

import pytest
import torch

from explain.training.objectives.similarity import MATRIX_WEIGHT, distillation_loss, sentence_vectors


def test_vectors_are_means_over_what_the_mask_keeps() -> None:
    rows = torch.tensor([[[3.0, 0.0], [3.0, 8.0], [50.0, 50.0]]])
    out = SimpleNamespace(last_hidden_state=rows)
    found = sentence_vectors(out, {"attention_mask": torch.tensor([[1, 1, 0]])})
    assert torch.allclose(found, torch.tensor([[0.6, 0.8]]))  # (3, 4), of length one


def test_the_loss_by_hand() -> None:
    wanted = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    assert distillation_loss(wanted, wanted) == 0
    turned = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    # One of the two is at a right angle to where it should be; the pair's cosine is 0 and should be 1.
    assert float(distillation_loss(turned, wanted)) == pytest.approx(0.5 + MATRIX_WEIGHT * 1.0)
    assert torch.isfinite(distillation_loss(wanted[:1], wanted[:1]))  # a last batch of one has no pairs
