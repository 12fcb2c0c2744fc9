"""Report the progress of a training, and stop it on request."""

from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from explain.training.run.budget import Budget
from explain.training.run.runs import Reporter

# Figures of the dev rows that are stored, by their name in the log.
STORED = {
    "eval_loss": "dev_loss",
    "eval_accuracy": "dev_accuracy",
    "eval_macro_f1": "dev_macro_f1",
    "eval_micro_f1": "dev_micro_f1",
    "eval_masked_top1": "dev_masked_words",
    "eval_next_sentence": "dev_next_sentence",
}


class Watch(TrainerCallback):
    """Store losses and figures by step, report progress, and end a run after its step on request.

    Args:
        budget: limit of the run; it comes before this among the callbacks.
    """

    def __init__(self, reporter: Reporter, budget: Budget) -> None:
        self._reporter = reporter
        self._budget = budget

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._reporter.forget_after(state.global_step)
        self._reporter.doing("Training", self._budget.fraction)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self._reporter.doing("Training", self._budget.fraction)
        if self._reporter.stop.is_set():
            control.should_training_stop = control.should_save = True
            self._budget.log_time(state)
            self._reporter.doing("Stopping", self._budget.fraction)
        elif self._budget.fraction >= 1.0:  # ended by minutes: measure after the last steps too
            control.should_evaluate = True

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        figures = {STORED.get(name, name): figure for name, figure in (logs or {}).items() if name in (*STORED, "loss")}
        if figures:
            self._reporter.note(state.global_step, self._budget.seconds, figures)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._reporter.raise_if_stopped()
