"""Train an adapter within a budget; continue from a checkpoint."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import peft
import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import PreTrainedTokenizerBase, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_pt_utils import get_length_grouped_indices

from explain.training.objectives.base import Feature, Fitted, Objective, collate
from explain.training.recipes.finetuning import FinetuningRecipe
from explain.training.run.budget import Budget, BudgetedTrainer, ended_at, last_checkpoint

STEPS_BETWEEN_CHECKPOINTS = 500  # where nothing is measured on the tuning splits


@dataclass(frozen=True)
class TrainedAdapter:
    """A trained model, in float32, with the `steps`, `epochs` and `minutes` it took."""

    model: peft.PeftModel
    spent: dict[str, float]


class AdapterTrainer(BudgetedTrainer):
    """Minimize an objective's loss; measure its figures on the tuning examples, where there are any."""

    def __init__(
        self,
        objective: Objective[Any],
        budget: Budget,
        tokenizer: PreTrainedTokenizerBase,
        tuning: Sequence[Any],
        **kwargs: Any,
    ) -> None:
        super().__init__(budget, eval_dataset=tuning or None, **kwargs)
        self._objective = objective
        self._tokenizer = tokenizer

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Tensor],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Tensor:
        return self._objective.loss(model, inputs)

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        measured = self._objective.measure(self.model, self._tokenizer, self.eval_dataset, Fitted())
        figures = {f"eval_{name}": figure for name, figure in measured.items() if isinstance(figure, float)}
        figures["eval_loss"] = figures["eval_log_loss"]
        self.log(figures)
        self.control: TrainerControl = self.callback_handler.on_evaluate(self.args, self.state, self.control, figures)
        return figures


class _Patience(TrainerCallback):
    """Early stopping that also holds for a resumed run.

    The library's own callback starts counting again after a resume; this one counts in the log, which is saved.
    """

    def __init__(self, patience: int) -> None:
        self._patience = patience

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        if _patience_is_over(state, self._patience):
            control.should_training_stop = control.should_save = True


def _patience_is_over(state: TrainerState, patience: int) -> bool:
    losses = [entry["eval_loss"] for entry in state.log_history if "eval_loss" in entry]
    return bool(losses) and len(losses) - 1 - losses.index(min(losses)) >= patience


def train_adapter(
    recipe: FinetuningRecipe,
    model: peft.PeftModel,
    features: list[Feature],
    tokenizer: PreTrainedTokenizerBase,
    objective: Objective[Any],
    tuning: Sequence[Any],
    watch: Callable[[Budget], TrainerCallback] | None,
) -> TrainedAdapter:
    """Train a fresh adapter, or continue from the checkpoint in the recipe's output folder.

    Args:
        recipe: completed, so that epochs and batch size are set.
        tuning: examples to measure on during training, if the recipe has `evaluate_every`.
        watch: makes a callback from the budget.
    """
    assert recipe.epochs is not None and recipe.batch_size is not None
    steps = recipe.steps or max(1, round(recipe.epochs * len(features) / recipe.batch_size))
    budget = Budget(steps, recipe.minutes)
    evaluates = recipe.evaluate_every is not None
    trainer = AdapterTrainer(
        objective,
        budget,
        tokenizer,
        tuning if evaluates else (),
        model=model,
        args=_arguments(recipe, budget, quiet=watch is not None),
        train_dataset=_in_order(features, recipe.batch_size, steps, recipe.seed) if evaluates else features,
        data_collator=lambda batch: collate(batch, tokenizer.pad_token_id),
    )
    if recipe.patience:
        trainer.add_callback(_Patience(recipe.patience))
    if watch is not None:
        trainer.add_callback(watch(budget))
    _run(trainer, model, budget, recipe.patience)
    steps_taken = trainer.state.global_step
    spent = {
        "steps": steps_taken,
        "epochs": round(steps_taken * recipe.batch_size / len(features), 2),
        "minutes": round(budget.seconds / 60, 1),
        **({"kept_step": trainer.state.best_global_step} if evaluates else {}),
    }
    # Unwrapped, the model is measured in float32, as it is used later.
    return TrainedAdapter(trainer.accelerator.unwrap_model(model, keep_fp32_wrapper=False), spent)


def _arguments(recipe: FinetuningRecipe, budget: Budget, *, quiet: bool) -> TrainingArguments:
    evaluates = recipe.evaluate_every is not None
    every = recipe.evaluate_every or STEPS_BETWEEN_CHECKPOINTS
    return TrainingArguments(
        output_dir=str(Path(recipe.output) / "checkpoints"),
        max_steps=budget.max_steps,
        per_device_train_batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        bf16=recipe.bfloat16,
        use_cpu=not torch.cuda.is_available(),
        train_sampling_strategy="sequential" if evaluates else "group_by_length",
        save_steps=every,
        save_total_limit=2 if evaluates else 1,  # the best and the last; a limit of 1 would delete the last at the end
        logging_steps=max(1, every // 5) if evaluates else 50,
        remove_unused_columns=False,
        report_to=[],
        disable_tqdm=quiet,
        seed=recipe.seed,
        eval_strategy="steps" if evaluates else "no",
        eval_steps=every if evaluates else None,
        load_best_model_at_end=evaluates,
    )


def _run(trainer: AdapterTrainer, model: peft.PeftModel, budget: Budget, patience: int | None) -> None:
    """Train from the last checkpoint on; load the best one if the run had already ended."""
    checkpoint = last_checkpoint(Path(trainer.args.output_dir))
    ended = None if checkpoint is None else ended_at(Path(checkpoint), budget)
    if checkpoint is not None and ended is None and patience:
        state = TrainerState.load_from_json(str(Path(checkpoint) / TRAINER_STATE_NAME))
        ended = state if _patience_is_over(state, patience) else None
    if checkpoint is None or ended is None:
        trainer.train(resume_from_checkpoint=checkpoint)
        return
    # The run was killed after its training; Trainer would take one more step.
    trainer.state = ended
    best = Path(ended.best_model_checkpoint or checkpoint).name  # a name, since the folder may have been moved
    peft.set_peft_model_state_dict(model, load_file(Path(checkpoint).with_name(best) / "adapter_model.safetensors"))


def _in_order(features: list[Feature], batch_size: int, steps: int, seed: int) -> list[Feature]:
    """Return the features of all steps, epoch after epoch, in batches of similar lengths; a function of the seed alone.

    Trainer draws the order of an epoch when the epoch begins. A run resumed within an epoch would draw another order
    for its rest, so that some rows came twice and some never.
    """
    lengths = [len(feature["input_ids"]) for feature in features]
    generator = torch.Generator().manual_seed(seed)
    order: list[int] = []
    while len(order) < steps * batch_size:
        order += get_length_grouped_indices(lengths, batch_size, generator=generator)
    return [features[number] for number in order[: steps * batch_size]]
