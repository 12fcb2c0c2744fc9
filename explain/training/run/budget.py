"""A training run's bound, in steps or minutes, and the learning rate that follows it."""

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
from explain.training.run.library_errors import library_errors

WARMUP = 0.04  # of the whole run
SLACK = 0.05  # of the whole run, by which minutes may be ahead of steps
UNBOUNDED_STEPS = 1_000_000  # what Trainer is told when only minutes bound the run


class Budget(TrainerCallback):
    """Stops a run after so many steps or minutes, whichever comes first, counting what resumed runs spent before.

    Args:
        steps: optimizer steps, or None.
        minutes: wall-clock minutes of training (evaluation included), or None. One of the two must be given.
    """

    def __init__(self, steps: int | None, minutes: float | None) -> None:
        if steps is None and minutes is None:
            raise ValueError("Bound the run: give steps, minutes or both.")
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
        """How much of the run is over, 0 to 1: by steps or minutes, whichever is further."""
        return min(1.0, max(self._by_steps, self._by_minutes))

    @property
    def _by_steps(self) -> float:
        return self.step / self.steps if self.steps else 0.0

    @property
    def _by_minutes(self) -> float:
        return self.seconds / (60 * self.minutes) if self.minutes else 0.0

    def learning_rate_factor(self, step: int) -> float:
        """Linear warm-up, then half a cosine down to a fiftieth, along what is over of the run (for `LambdaLR`).

        Minutes count only when they run out well before the steps: the clock differs from run to run, and a run that
        has time enough should come out the same with the same seed.
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
        self.take_up(state)
        total, unit = (60 * self.minutes, "s") if self.minutes else (self.max_steps, "steps")
        self._bar = tqdm(total=round(total), unit=unit, desc="training", mininterval=2.0, disable=args.disable_tqdm)

    def take_up(self, state: TrainerState) -> None:
        """Go on from where a run was left: its steps, and the seconds it took."""
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
        figures = {name: f"{value:.4g}" for name, value in (logs or {}).items() if isinstance(value, float)}
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
            self.put_down(state)

    def put_down(self, state: TrainerState) -> None:
        """Write what was spent into the log, which is saved with a checkpoint, so that a resumed run knows it."""
        state.log_history.append({"step": state.global_step, "seconds_spent": round(self.seconds, 1)})


class BudgetedTrainer(Trainer):
    """Trainer bound by a budget, whose learning rate and progress bar follow it; the rest is the library's."""

    def __init__(self, budget: Budget, **kwargs: Any) -> None:
        super().__init__(callbacks=[budget], **kwargs)
        for theirs in (ProgressCallback, PrinterCallback):  # their bar counts steps; ours, what bounds the run
            self.remove_callback(theirs)
        self._budget = budget

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        """Write a checkpoint; one that can't be written is removed, and the one before it is kept."""
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
    """Where a run can go on from, or None.

    A run that was killed while it wrote a checkpoint leaves half of one: the last file of each is looked for, and what
    lacks it is deleted.
    """
    while folder.is_dir() and (found := get_last_checkpoint(str(folder))) is not None:
        try:
            TrainerState.load_from_json(str(Path(found) / TRAINER_STATE_NAME))
            return str(found)
        except (OSError, ValueError, TypeError):
            shutil.rmtree(found)
    return None


def ended_at(checkpoint: Path, budget: Budget) -> TrainerState | None:
    """What a checkpoint tells of its run, where that had come to its end; takes the budget up there."""
    state = TrainerState.load_from_json(str(checkpoint / TRAINER_STATE_NAME))
    budget.take_up(state)
    return state if budget.fraction >= 1.0 else None
