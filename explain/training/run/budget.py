"""A limit of a training run, in steps or minutes, and a learning rate that follows it."""

import math
import shutil
import time
from pathlib import Path
from typing import Any

import torch
from tqdm.auto import tqdm
from transformers import (
    PrinterCallback,
    ProgressCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR, get_last_checkpoint

from explain.core.errors import FileError
from explain.core.files import file_errors
from explain.training.run.trainer_errors import library_errors

WARMUP = 0.04  # share of the run
SLACK = 0.05  # share of the run by which minutes may be ahead of steps
UNBOUNDED_STEPS = 1_000_000  # Trainer's number of steps when only minutes limit the run


class Budget(TrainerCallback):
    """End a run after a number of steps or minutes, whichever comes first; a resumed run counts its earlier time.

    Args:
        steps: optimizer steps, or None.
        minutes: wall-clock minutes of training and evaluation, or None. One of the two is required.
    """

    def __init__(self, steps: int | None, minutes: float | None) -> None:
        if steps is None and minutes is None:
            raise ValueError("Set steps, minutes or both.")
        self.steps = steps
        self.minutes = minutes
        self.step = 0
        self._spent_before = 0.0
        self._began = time.monotonic()

    @property
    def max_steps(self) -> int:
        return self.steps or UNBOUNDED_STEPS

    @property
    def seconds(self) -> float:
        return self._spent_before + time.monotonic() - self._began

    @property
    def fraction(self) -> float:
        """Share of the run that is over, 0 to 1, by steps or minutes, whichever is larger."""
        return min(1.0, max(self._by_steps, self._by_minutes))

    @property
    def _by_steps(self) -> float:
        return self.step / self.steps if self.steps else 0.0

    @property
    def _by_minutes(self) -> float:
        return self.seconds / (60 * self.minutes) if self.minutes else 0.0

    def learning_rate_factor(self, step: int) -> float:
        """Return a factor for `LambdaLR`: linear warm-up, then half a cosine down to a fiftieth.

        It follows the minutes only if they would end well before the steps. The clock differs from run to run, and a
        run with enough time should give the same model with the same seed.
        """
        self.step = step
        ahead = not self.steps or self._by_minutes > self._by_steps + SLACK
        over = self.fraction if ahead else self._by_steps
        if over < WARMUP:
            return max(over / WARMUP, 1e-3)
        return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, (over - WARMUP) / (1 - WARMUP))))

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        self.resume(state)
        total, unit = (60 * self.minutes, "s") if self.minutes else (self.max_steps, "steps")
        self._bar = tqdm(total=round(total), unit=unit, desc="training", mininterval=2.0, disable=args.disable_tqdm)

    def resume(self, state: TrainerState) -> None:
        """Continue with the steps and seconds of a saved run."""
        self._spent_before = max((entry.get("seconds_spent", 0.0) for entry in state.log_history), default=0.0)
        self._began = time.monotonic()
        self.step = state.global_step

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: object,
    ) -> None:
        figures = {name: f"{figure:.4g}" for name, figure in (logs or {}).items() if isinstance(figure, float)}
        if args.disable_tqdm:
            return
        self._bar.write(f"step {state.global_step}  " + "  ".join(f"{name} {text}" for name, text in figures.items()))

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        self._bar.close()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        self._bar.n = round(min(self.seconds, self._bar.total)) if self.minutes else state.global_step
        self._bar.set_postfix(step=state.global_step, refresh=False)
        self._bar.update(0)
        if self.fraction >= 1.0:
            control.should_training_stop = True
            control.should_save = True
        if control.should_save:
            self.log_time(state)

    def log_time(self, state: TrainerState) -> None:
        """Write the seconds into the log, which is saved with a checkpoint, for `resume`."""
        state.log_history.append({"step": state.global_step, "seconds_spent": round(self.seconds, 1)})


class BudgetedTrainer(Trainer):
    """Trainer with a budget, which its learning rate and progress bar follow."""

    def __init__(self, budget: Budget, **kwargs: Any) -> None:
        super().__init__(callbacks=[budget], **kwargs)
        for callback in (ProgressCallback, PrinterCallback):  # their bar counts steps even if minutes limit the run
            self.remove_callback(callback)
        self._budget = budget

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        """Write a checkpoint; if that fails, remove what was written and keep the one before."""
        folder = Path(self.args.output_dir) / f"{PREFIX_CHECKPOINT_DIR}-{self.state.global_step}"
        try:
            with library_errors(folder), file_errors(folder):
                super()._save_checkpoint(model, trial)
        except FileError:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def create_scheduler(
        self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None
    ) -> torch.optim.lr_scheduler.LRScheduler:
        rate = torch.optim.lr_scheduler.LambdaLR(optimizer or self.optimizer, self._budget.learning_rate_factor)
        self.lr_scheduler = rate
        return rate


def last_checkpoint(folder: Path) -> str | None:
    """Return the last complete checkpoint of a folder, or None.

    A run that was killed while writing a checkpoint leaves an incomplete one. It lacks the file that is written last,
    and is deleted.
    """
    while folder.is_dir() and (checkpoint := get_last_checkpoint(str(folder))) is not None:
        try:
            TrainerState.load_from_json(str(Path(checkpoint) / TRAINER_STATE_NAME))
            return str(checkpoint)
        except (OSError, ValueError, TypeError):
            shutil.rmtree(checkpoint)
    return None


def ended_at(checkpoint: Path, budget: Budget) -> TrainerState | None:
    """Return a checkpoint's state if its run had reached the end, else None; the budget resumes from it."""
    state = TrainerState.load_from_json(str(checkpoint / TRAINER_STATE_NAME))
    budget.resume(state)
    return state if budget.fraction >= 1.0 else None
