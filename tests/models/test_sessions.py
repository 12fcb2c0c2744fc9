"""Sessions on different tasks at once: one encoder serves all, and none ever meets another's task, text or probe."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from explain.datatypes import Cut, Prediction
from explain.methods.gradient_times_input import GradientTimesInput
from explain.models import probe
from explain.models.loading import catalogue
from explain.models.loading.catalogue import list_models, load_model
from explain.models.probe import KeepMaps, probing
from explain.models.transformer import EncoderModel
from tests.models.test_probe import hooks

ASKED = 24  # times by all together, once all models are there

Answer = dict[str, np.ndarray]


@dataclass(frozen=True)
class Session:
    """One visitor: a task of a shipped model, one of its texts, and whether a probe watches while it is read."""

    model: str
    task: str
    text: str
    pair: str | None
    watched: bool

    def load(self) -> EncoderModel:
        return load_model(self.model, task=self.task)

    def ask(self, model: EncoderModel) -> Answer:
        """All kinds of passes: plain or watched, observed, cut, with tokens taken out, and differentiated."""
        tokens, keep = model.encode(self.text, self.pair), KeepMaps()
        if self.watched:
            with probing(keep):
                said = model.predict(tokens)
        else:
            said = model.predict(tokens)
        seen = model.observe(tokens)
        target = model.task.target(said, model.head)
        rows = [model.removed(tokens, [2], operator, target) for operator in ("mask", "zero", "attention_off")]
        return {
            "predicted": numbers(said),
            "observed": numbers(seen.prediction),
            "maps": seen.maps.weights,
            "watched": np.concatenate([one.numpy() for one in keep.weights]) if self.watched else np.empty(0),
            "cut": model.attention.scores_with_ablation(tokens, target, [[Cut(0, 1)], [Cut(2)]]).values,
            "removed": model.scores(rows).values,
            "gradient times input": GradientTimesInput().attribute(model, tokens, target).scores,
        }


def numbers(said: Prediction) -> np.ndarray:
    return np.concatenate([output.logits.ravel() for output in said.outputs])


def sessions() -> Iterator[Session]:
    """Two visitors of every task of every model that ships, on texts of their own."""
    for entry in list_models():
        for task in entry.tasks:
            examples = (entry.examples if task == entry.tasks[0] else {}) or catalogue.task_named(task).examples
            shortest = sorted(examples.values(), key=lambda texts: len("".join(texts)))
            for watched, (text, *pair) in zip((True, False), shortest):
                yield Session(entry.name, task, text, pair[0] if pair else None, watched)


@pytest.fixture(scope="module")
def alone() -> dict[Session, tuple[EncoderModel, Answer]]:
    """The model of each session, and what it answers while nothing else happens."""
    models = {session: session.load() for session in sessions()}
    return {session: (model, session.ask(model)) for session, model in models.items()}


def test_sessions_at_once_get_what_they_get_alone(
    alone: dict[Session, tuple[EncoderModel, Answer]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All ask at the same time, again and again; the first time, each model is loaded while others compute."""
    monkeypatch.setattr(catalogue, "_LOADED", catalogue._Loaded())
    monkeypatch.setattr(catalogue, "KEPT_MODELS", 99)  # each once, or it would take long
    models = {model for model, _ in alone.values()}
    assert len({model.task.name for model in models}) >= 4
    before = {model: hooks(model) for model in models}
    rounds, together = max(1, ASKED // len(alone)), threading.Barrier(len(alone))

    def visit(session: Session) -> list[str]:
        model, expected = alone[session]
        together.wait()
        answers = [session.ask(session.load()), *(session.ask(model) for _ in range(rounds))]
        return [f"{session}: {what}" for answer in answers for what in expected if differ(answer[what], expected[what])]

    with ThreadPoolExecutor(len(alone)) as pool:
        assert [what for found in pool.map(visit, alone) for what in found] == []
    assert {model: hooks(model) for model in models} == before
    assert not any(one.requires_grad or one.grad is not None for model in models for one in model._module.parameters())
    assert torch.get_default_dtype() == torch.float32 and not probe.is_watched()


def differ(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape != other.shape or not np.allclose(one, other, rtol=1e-6, atol=1e-6)
