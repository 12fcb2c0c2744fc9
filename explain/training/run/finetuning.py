"""Carry out a fine-tuning recipe: train an adapter, measure, write adapter, record and card."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import peft
import torch
import transformers
from safetensors.torch import load_file
from torch import Tensor
from transformers import (
    AutoTokenizer,
    BertConfig,
    PreTrainedTokenizerBase,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)
from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_pt_utils import get_length_grouped_indices

from explain.core.errors import DataError
from explain.core.files import atomic_files, create_folder, write_file
from explain.core.installation import weights_folder
from explain.models.loading.files import weight_hash
from explain.training.measure.card import write_card
from explain.training.objectives.base import Feature, Figures, Fitted, Objective, Source, collate
from explain.training.recipes.finetuning import FinetuningRecipe, completed
from explain.training.recipes.tasks import TASK_RECIPES, TaskRecipe, places_of
from explain.training.rows import fingerprint, license_of, read_rows
from explain.training.run.budget import Budget, BudgetedTrainer, ended_at, last_checkpoint
from explain.training.run.library_errors import library_errors

LINEAR_MAPS = (
    r".*encoder\.layer\.\d+\."
    r"(attention\.self\.(query|key|value)|attention\.output\.dense|intermediate\.dense|output\.dense)"
)
ONE_MAP = r".*encoder\.layer\.0\.attention\.self\.query"


def read_examples(objective: Objective[Any], source: Source, place: str, split: str, seed: int) -> list[Any]:
    """One split, row by row, as the objective understands it.

    Raises:
        DataError: no such file, a column that is missing, or a value that does not fit, told by its row.
    """
    rows = list(enumerate(read_rows(place, split, source.columns), 1))
    if source.leave_out:
        rows = [(number, row) for number, row in rows if not str(row["doc"]).startswith(source.leave_out)]
    if source.most is not None and len(rows) > source.most:
        drawn = np.random.default_rng(seed).permutation(len(rows))[: source.most]
        rows = [rows[number] for number in sorted(drawn)]
    examples = []
    for number, row in rows:
        try:
            examples.append(objective.read(row, source))
        except DataError as error:
            raise DataError(f"Row {number} {error} (In {source.name}, split {split!r}.)") from error
    return examples


@dataclass(frozen=True)
class _Data:
    """A task's examples, by what they are for; those not to train on by what they are called ("SNLI test")."""

    training: list[Any]
    held: list[Any]
    tuning: dict[str, list[Any]]
    measuring: dict[str, list[Any]]
    known: int  # training rows left out, since their text is tuned or measured on


def _read(about: TaskRecipe, places: dict[str, str], seed: int) -> _Data:
    objective = about.objective

    def examples(source: Source, split: str) -> list[Any]:
        return read_examples(objective, source, places[source.name], split, seed)

    rows = [row for source in about.sources for split in source.training for row in examples(source, split)]
    tuning = {f"{source.title} {split}": examples(source, split) for source in about.sources for split in source.tuning}
    measuring = {
        f"{source.title} {split}": examples(source, split) for source in about.sources for split in source.measuring
    }
    elsewhere = {objective.text_of(row) for part in (tuning | measuring).values() for row in part}
    unknown = [row for row in rows if objective.text_of(row) not in elsewhere]
    training, held = objective.split(unknown, seed)
    return _Data(training, held, tuning, measuring, len(rows) - len(unknown))


def adapted_model(recipe: FinetuningRecipe, base: Path, objective: Objective[Any]) -> peft.PeftModel:
    """The encoder with a fresh head and a fresh adapter, ready to be trained."""
    config = BertConfig.from_pretrained(base, local_files_only=True)
    assert recipe.dropout is not None and recipe.rank is not None and recipe.alpha is not None  # completed
    for name, value in objective.settings().items():
        setattr(config, name, value)
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = recipe.dropout
    model = objective.architecture.from_pretrained(
        base, config=config, dtype=torch.float32, use_safetensors=True, local_files_only=True, **objective.loading
    )
    lora = peft.LoraConfig(
        task_type=objective.kind,
        r=recipe.rank or 1,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules=LINEAR_MAPS if recipe.rank else ONE_MAP,
        modules_to_save=list(objective.trained_whole) or None,
        base_model_name_or_path=base.name,
    )
    adapted = peft.get_peft_model(model, lora)
    if recipe.rank:
        objective.begin(adapted)
    else:  # peft has no adapter of nothing; one of rank 1 that stays zero is the same
        for name, parameter in adapted.named_parameters():
            if ".lora_" in name:
                parameter.requires_grad_(False)
    return adapted


def _sizes(model: peft.PeftModel) -> dict[str, int]:
    """How many numbers are trained, and how many of them pool."""
    trained = {name: tensor.numel() for name, tensor in model.named_parameters() if tensor.requires_grad}
    pooling = sum(size for name, size in trained.items() if ".lstm." in name)
    return {"trained_parameters": sum(trained.values()), "pooling_parameters": pooling}


class _Trainer(BudgetedTrainer):
    """Minimizes what the objective says; measures on the tuning splits by its figures, where it is told to."""

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
        found = self._objective.measure(self.model, self._tokenizer, self.eval_dataset, Fitted())
        figures = {f"eval_{name}": value for name, value in found.items() if isinstance(value, float)}
        figures["eval_loss"] = figures["eval_log_loss"]
        self.log(figures)
        self.control: TrainerControl = self.callback_handler.on_evaluate(self.args, self.state, self.control, figures)
        return figures


class _Patience(TrainerCallback):
    """Ends a run whose loss on the tuning splits falls no more.

    The library's own counts from nothing when a run goes on after a kill; this one reads the log, which is kept.
    """

    def __init__(self, patience: int) -> None:
        self._patience = patience

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        if _falls_no_more(state, self._patience):
            control.should_training_stop = control.should_save = True


def _falls_no_more(state: TrainerState, patience: int) -> bool:
    losses = [entry["eval_loss"] for entry in state.log_history if "eval_loss" in entry]
    return bool(losses) and len(losses) - 1 - losses.index(min(losses)) >= patience


@dataclass(frozen=True)
class Finetuned:
    """A model that was just trained, with what it was trained and measured on.

    Attributes:
        training, tuning, measuring: examples as the objective understands them; the last two by their splits' names.
    """

    model: peft.PeftModel
    tokenizer: PreTrainedTokenizerBase
    objective: Objective[Any]
    fitted: Fitted
    training: list[Any]
    tuning: dict[str, list[Any]]
    measuring: dict[str, list[Any]]


@dataclass(frozen=True)
class Further:
    """What a caller adds to a run: entries for its record, texts to start from on a page."""

    record: Mapping[str, Any]
    examples: Mapping[str, tuple[str, ...]]


def finetune(recipe: FinetuningRecipe) -> Figures:
    """Run the recipe of a task we know, resume it if its output folder holds a checkpoint.

    Returns:
        The main figures: those of the first split to measure on.
    """
    about = TASK_RECIPES[recipe.task]
    if recipe.pooling is not None:
        about = replace(about, objective=about.objective.pooled(recipe.pooling))
    return carry_out(recipe, about, places_of(recipe.data, recipe.task))


def carry_out(
    recipe: FinetuningRecipe,
    about: TaskRecipe,
    places: dict[str, str],
    *,
    made_by: str = "python -m explain.training.finetune",
    watch: Callable[[Budget], TrainerCallback] | None = None,
    further: Callable[[Finetuned], Further] | None = None,
) -> Figures:
    """Train, measure, and write adapter, record and card; go on where a checkpoint in the output folder is.

    Args:
        about: the task, known or made up for this run.
        places: where each of its data sets is, by name.
        made_by: the command, for record and card.
        watch: makes a callback that is told how the training goes, and may end it.
        further: is given the trained model; see `Further`.

    Returns:
        The main figures: those of the first split to measure on.
    """
    set_seed(recipe.seed)
    objective = about.objective
    objective.look_for_needs()
    recipe = completed(recipe, about)
    base = Path(recipe.base) if recipe.base else weights_folder() / "base"
    output = Path(recipe.output)
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    data = _read(about, places, recipe.seed)
    tuning = [row for part in data.tuning.values() for row in part]
    features = objective.encode(data.training, tokenizer)

    fresh = adapted_model(recipe, base, objective)
    sizes = _sizes(fresh)
    trained = _train(recipe, fresh, features, tokenizer, objective, tuning, watch)
    model = trained.model
    fitted = objective.fit(model, tokenizer, data.held, tuning)
    measured = {
        name: objective.measure(model, tokenizer, examples, fitted)
        for name, examples in (data.measuring | data.tuning).items()
    }
    main, *others = data.measuring
    figures = measured[main] | trained.spent | sizes
    figures |= {"trained_on": len(features), "known_texts_left_out": data.known}
    if fitted.count:
        figures["calibrated_on" if fitted.temperature is not None else "tuned_on"] = fitted.count
    done = Finetuned(model, tokenizer, objective, fitted, data.training, data.tuning, data.measuring)
    added = Further({}, about.examples) if further is None else further(done)
    record = {
        "made_by": made_by,
        "recipe": asdict(recipe) | {"base": base.name, "data": list(places), "output": output.name},
        "about": {"title": about.title, "trained_on": about.trained_on, "limits": about.limits},
        "trained_whole": objective.trained_whole,
        "encoder_source": _source_of(base),
        "measured_on": main,
        "figures": figures,
        "measured_elsewhere": {name: measured[name] for name in others},
        "while_choosing_settings": {name: measured[name] for name in data.tuning},  # not for the card
        "temperature": fitted.temperature,
        "outside": fitted.outside,
        "data": [_data_entry(source, places[source.name]) for source in about.sources],
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__},
        **added.record,
    }
    create_folder(output)
    write_file(output / "training.json", json.dumps(record, indent=1) + "\n")
    write_card(output)
    shown = shown_figures(objective, figures, main)
    save(model, output, replace(about, examples=added.examples), base, fitted, figures, shown)  # last: now it is listed
    return figures


def _source_of(base: Path) -> str | None:
    """What the encoder went on from, as its own record says; None for the encoder the shipped one began with."""
    record = base / "training.json"
    source = json.loads(record.read_text(encoding="utf-8"))["recipe"]["source"] if record.is_file() else base.name
    return None if source is None else str(source)


def _data_entry(source: Source, place: str) -> dict[str, Any]:
    return {
        "name": source.name,
        "title": source.title,
        "license": license_of(place),
        "splits": source.splits,
        "sha256": {split: fingerprint(place, split) for split in source.splits},
    }


@dataclass(frozen=True)
class _Trained:
    model: peft.PeftModel
    spent: dict[str, float]  # steps, epochs, minutes


def _train(
    recipe: FinetuningRecipe,
    model: peft.PeftModel,
    features: list[dict[str, Any]],
    tokenizer: PreTrainedTokenizerBase,
    objective: Objective[Any],
    tuning: Sequence[Any],
    watch: Callable[[Budget], TrainerCallback] | None,
) -> _Trained:
    assert recipe.epochs is not None and recipe.batch_size is not None  # completed
    output = Path(recipe.output)
    steps = recipe.steps or max(1, round(recipe.epochs * len(features) / recipe.batch_size))
    budget = Budget(steps, recipe.minutes)
    looks = recipe.evaluate_every is not None  # at the tuning splits
    every = recipe.evaluate_every or 500
    arguments = TrainingArguments(
        output_dir=str(output / "checkpoints"),
        max_steps=budget.max_steps,
        per_device_train_batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        bf16=recipe.bfloat16,
        use_cpu=not torch.cuda.is_available(),
        train_sampling_strategy="sequential" if looks else "group_by_length",
        save_steps=every,
        save_total_limit=2 if looks else 1,  # the best, and the last to go on from; with 1 the last goes at the end
        logging_steps=max(1, every // 5) if looks else 50,
        remove_unused_columns=False,
        report_to=[],
        disable_tqdm=watch is not None,  # whoever watches tells
        seed=recipe.seed,
        eval_strategy="steps" if looks else "no",
        eval_steps=every if looks else None,
        load_best_model_at_end=looks,
    )
    trainer = _Trainer(
        objective,
        budget,
        tokenizer,
        tuning if looks else (),
        model=model,
        args=arguments,
        train_dataset=_in_order(features, recipe.batch_size, steps, recipe.seed) if looks else features,
        data_collator=lambda batch: collate(batch, tokenizer.pad_token_id),
    )
    if recipe.patience:
        trainer.add_callback(_Patience(recipe.patience))
    if watch is not None:
        trainer.add_callback(watch(budget))
    kept = last_checkpoint(Path(arguments.output_dir))
    ended = None if kept is None else ended_at(Path(kept), budget)
    if kept is not None and ended is None and recipe.patience:
        state = TrainerState.load_from_json(str(Path(kept) / TRAINER_STATE_NAME))
        ended = state if _falls_no_more(state, recipe.patience) else None
    if kept is None or ended is None:
        trainer.train(resume_from_checkpoint=kept)
    else:  # it was killed later: Trainer would take a step more
        trainer.state = ended
        best = Path(ended.best_model_checkpoint or kept).name  # the folder may have been moved
        peft.set_peft_model_state_dict(model, load_file(Path(kept).with_name(best) / "adapter_model.safetensors"))
    taken = trainer.state.global_step
    spent = {
        "steps": taken,
        "epochs": round(taken * recipe.batch_size / len(features), 2),
        "minutes": round(budget.seconds / 60, 1),
        **({"kept_step": trainer.state.best_global_step} if looks else {}),
    }
    # Measured in float32, as it is served.
    return _Trained(trainer.accelerator.unwrap_model(model, keep_fp32_wrapper=False), spent)


def _in_order(features: list[Feature], batch_size: int, steps: int, seed: int) -> list[Feature]:
    """The features of all steps, epoch after epoch, batches of alike lengths: a function of the seed alone.

    Trainer draws each epoch's order when the epoch begins, so a run that goes on within one draws another for its rest:
    some rows come twice, some never.
    """
    lengths = [len(feature["input_ids"]) for feature in features]
    generator = torch.Generator().manual_seed(seed)
    order: list[int] = []
    while len(order) < steps * batch_size:
        order += get_length_grouped_indices(lengths, batch_size, generator=generator)
    return [features[number] for number in order[: steps * batch_size]]


def shown_figures(objective: Objective[Any], figures: Figures, data: str) -> list[dict[str, Any]]:
    """The few figures a page shows, the main one first: name, value, the 95 % interval where there is one, data."""
    shown = []
    for name, key in objective.headline:
        low, high = figures.get(f"{key}_interval") or (None, None)
        shown.append({"name": name, "value": figures[key], "low": low, "high": high, "data": data})
    return shown


def save(
    model: peft.PeftModel,
    folder: Path,
    about: TaskRecipe,
    base: Path,
    fitted: Fitted,
    figures: Figures,
    shown: list[dict[str, Any]],
) -> None:
    """Write the adapter as peft does, and beside it what the catalogue needs to know."""
    with library_errors(folder), atomic_files(folder) as scratch:
        model.save_pretrained(scratch, safe_serialization=True)
        (scratch / "README.md").unlink(missing_ok=True)  # a card of peft's own
        settings = json.loads((scratch / "adapter_config.json").read_text(encoding="utf-8"))
        settings["base_model_name_or_path"] = f"../{base.name}"
        write_file(scratch / "adapter_config.json", json.dumps(settings, indent=1) + "\n")
        load_file(scratch / "adapter_model.safetensors")  # what can't be read back must not look finished
    objective = about.objective
    flat = ("accuracy", "accuracy_interval", "f1", "roc_auc")
    description = {
        "title": about.title,
        "task": objective.task,
        "base": base.name,
        "base_sha256": weight_hash(base),
        "labels": objective.labels,
        **({"pooling": objective.pooling} if objective.pooling else {}),
        "exclusive": objective.exclusive,
        "scripts": about.scripts,
        "temperature": fitted.temperature,
        **({} if fitted.thresholds is None else {"thresholds": fitted.thresholds}),
        **({"texts": about.texts} if about.texts else {}),
        **({"examples": dict(about.examples)} if about.examples else {}),
        "figures": {name: figures[name] for name in flat if name in figures} | {"shown": shown},
    }
    write_file(folder / "explain.json", json.dumps(description, indent=1) + "\n")
