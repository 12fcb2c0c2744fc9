"""Speed as ratios: CPU seconds of explain, captum and transformers-interpret over those of the plainest run.

The floor of integrated gradients is one forward and one backward pass per point, of occlusion one forward per word
piece: the model as transformers loads it, weights frozen, SDPA, 2048 positions at once, without needless gradients.
Everything runs in a single process and thread, in turn, so that a drift of the machine's speed does not matter.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import captum.attr
import torch
from torch import Tensor
from transformers import AutoModelForSequenceClassification, AutoTokenizer, PreTrainedModel

from explain.core.installation import weights_folder
from explain.core.meter import Meter
from explain.datatypes import Target, Tokens
from explain.methods.attention_rollout import AttentionRollout
from explain.methods.integrated_gradients import IntegratedGradients
from explain.methods.occlusion import Occlusion
from explain.models.base import TextModel
from explain.models.cached_model import CachedModel
from explain.models.chunks import CHUNK_POSITIONS
from explain.models.transformer import EncoderModel

POINTS = 50


@dataclass(frozen=True)
class Case:
    """A text, its target, and the plain module that the floor and other libraries run."""

    model: TextModel
    plain: PreTrainedModel
    tokens: Tokens
    target: Target

    @property
    def ids(self) -> Tensor:
        return torch.tensor([self.tokens.ids.tolist()])

    @property
    def mask_id(self) -> int:
        assert self.model.mask_id is not None, "a vocabulary without a mask token"
        return self.model.mask_id

    @property
    def chunk(self) -> int:
        return max(1, CHUNK_POSITIONS // len(self.tokens))

    def log_odds(self, logits: Tensor) -> Tensor:
        return self.model.task.scalar({"logits": logits}, self.target, torch.empty(len(logits), 0), self.model.head)


def plain_twin(model: TextModel) -> PreTrainedModel:
    """Return the same weights in the class of transformers: SDPA, no probe."""
    module = served_module(model)
    config = type(module.config).from_dict(module.config.to_dict())
    twin = AutoModelForSequenceClassification.from_config(config, attn_implementation="sdpa")
    twin.load_state_dict(module.state_dict())
    return twin.eval().requires_grad_(False)


def served_module(model: TextModel) -> PreTrainedModel:
    """Return the module that a model runs."""
    assert isinstance(model, EncoderModel), model.name
    return cast(PreTrainedModel, model._module)


def floor_gradients(case: Case, points: int = POINTS) -> None:
    start = case.plain.get_input_embeddings()(case.ids)
    for part in torch.linspace(0, 1, points).split(case.chunk):
        embedded = (part[:, None, None] * start).requires_grad_(True)
        log_odds = case.log_odds(case.plain(inputs_embeds=embedded).logits)
        torch.autograd.grad(log_odds.sum(), embedded)


def floor_occlusion(case: Case) -> None:
    count = len(case.tokens)
    ids = case.ids.repeat(count - 2, 1)
    ids[torch.arange(count - 2), torch.arange(1, count - 1)] = case.mask_id
    with torch.inference_mode():
        for part in ids.split(case.chunk):
            case.log_odds(case.plain(input_ids=part).logits)


def floor_forward(case: Case) -> None:
    with torch.inference_mode():
        case.plain(input_ids=case.ids)


def ours_gradients(case: Case) -> None:
    IntegratedGradients(steps=POINTS).attribute(case.model, case.tokens, case.target)


def ours_default(case: Case) -> None:
    IntegratedGradients().attribute(case.model, case.tokens, case.target)


def ours_occlusion(case: Case) -> None:
    Occlusion(granularity="token").attribute(case.model, case.tokens, case.target)


def ours_rollout(case: Case) -> None:
    """Run prediction, maps and rollout, like the page."""
    working = CachedModel(case.model)
    working.observe(case.tokens)
    AttentionRollout().attribute(working, case.tokens, case.target)


def captum_gradients(case: Case, tuned: bool) -> None:
    baseline = case.ids.clone()
    baseline[0, 1:-1] = case.mask_id
    method = captum.attr.LayerIntegratedGradients(
        lambda ids: case.log_odds(case.plain(input_ids=ids).logits), case.plain.get_input_embeddings()
    )
    batch = case.chunk if tuned else None
    method.attribute(
        case.ids, baselines=baseline, n_steps=POINTS, internal_batch_size=batch, return_convergence_delta=True
    )


def captum_occlusion(case: Case, tuned: bool) -> None:
    method = captum.attr.FeatureAblation(lambda ids: case.log_odds(case.plain(input_ids=ids).logits))
    with torch.set_grad_enabled(not tuned):
        method.attribute(case.ids, baselines=case.mask_id, perturbations_per_eval=case.chunk if tuned else 1)


def interpret_gradients(case: Case) -> None:
    from transformers_interpret import SequenceClassificationExplainer

    explainer = SequenceClassificationExplainer(case.plain, AutoTokenizer.from_pretrained(weights_folder() / "base"))
    explainer(case.tokens.text, index=case.target.index, n_steps=POINTS)


CONTENDERS: dict[str, tuple[tuple[str, Callable[[Case], None]], ...]] = {
    "integrated gradients, 50 points (floor: 50 forward + backward)": (
        ("floor", floor_gradients),
        ("explain", ours_gradients),
        ("captum, default", lambda case: captum_gradients(case, tuned=False)),
        ("captum, tuned batches", lambda case: captum_gradients(case, tuned=True)),
        ("transformers-interpret", interpret_gradients),
        ("explain, its default points", ours_default),
    ),
    "occlusion, every word piece (floor: one forward each)": (
        ("floor", floor_occlusion),
        ("explain", ours_occlusion),
        ("captum FeatureAblation, default", lambda case: captum_occlusion(case, tuned=False)),
        ("captum FeatureAblation, tuned", lambda case: captum_occlusion(case, tuned=True)),
    ),
    "prediction + attention maps + rollout (floor: one forward)": (
        ("floor", floor_forward),
        ("explain", ours_rollout),
    ),
}


def measure(
    cases: Sequence[Case], contenders: Sequence[tuple[str, Callable[[Case], None]]], others: int
) -> dict[str, float]:
    """Return median ratios to the first contender's CPU seconds; a contender that fails is reported and left out.

    Other libraries, which take most of the time, run on the first `others` cases only.
    """
    working = dict(contenders)
    for name, run in contenders:
        try:
            run(cases[0])
        except Exception as error:
            print(f"  {name}: does not run here ({type(error).__name__}: {str(error)[:100]})")
            del working[name]
    ratios: dict[str, list[float]] = {name: [] for name in working}
    for number, case in enumerate(cases):
        spent = {}
        for name, run in working.items():
            if number >= others and name != "floor" and not name.startswith("explain"):
                continue
            began = time.process_time()
            run(case)
            spent[name] = time.process_time() - began
        for name, seconds in spent.items():
            ratios[name].append(seconds / spent["floor"])
    return {name: statistics.median(by_case) for name, by_case in ratios.items() if by_case}


def points_used(cases: Sequence[Case]) -> list[tuple[int, float, float]]:
    """Return for each case the default's points, its error against 400 points (of the largest score) and its gap."""
    figures = []
    for case in cases:
        meter = Meter()
        ours = IntegratedGradients().attribute(case.model, case.tokens, case.target, meter)
        exact = IntegratedGradients(steps=400).attribute(case.model, case.tokens, case.target)
        error = abs(ours.scores - exact.scores).max() / abs(exact.scores).max()
        figures.append((ours.diagnostics["points"], float(error), abs(ours.completeness_gap or 0.0)))
    return figures
