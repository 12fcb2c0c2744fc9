"""Fine-tuning: a LoRA adapter and a head for one task, on the shipped encoder.

    python -m explain.training.finetune --task sentiment --data DIR --epochs 3 --output runs/sentiment

The encoder stays as it is; each linear map W of it gets a private low-rank addition (alpha / r) B A (Hu et al. 2021,
https://arxiv.org/abs/2106.09685). The pooler and the head are trained whole. A twentieth of
the training texts is held out, with every training row that is a part of one of them (SST's phrases are parts of its
sentences), to fit the temperature that calibrates the confidence; the figures are of the data set's own "dev" split.
"""

import argparse
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import peft
import torch
import transformers
from safetensors.torch import load_file
from torch.utils.data import Dataset
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    DataCollatorWithPadding,
    PreTrainedTokenizerBase,
    TrainingArguments,
    set_seed,
)
from transformers.trainer_utils import get_last_checkpoint

from explain.errors import DataError
from explain.installation import weights_folder
from explain.training.budget import Budget, BudgetedTrainer
from explain.training.card import write_card
from explain.training.evaluate import classification_figures, fit_temperature
from explain.training.rows import fingerprint, license_of, longest_only, part_of, read_rows

LINEAR_MAPS = (
    r".*encoder\.layer\.\d+\."
    r"(attention\.self\.(query|key|value)|attention\.output\.dense|intermediate\.dense|output\.dense)"
)
CALIBRATION_SHARE = 0.05  # of the texts that are no part of a longer one
LONGEST = 128


@dataclass(frozen=True)
class TaskRecipe:
    """What a task of this name is trained on and called."""

    title: str
    task: str  # the registry's name
    labels: tuple[str, ...]
    columns: tuple[str, ...]  # text, and text of the pair
    label_column: str = "label"
    scripts: tuple[str, ...] = ("Latin",)


TASK_RECIPES = {
    "sentiment": TaskRecipe(
        title="Is a review negative or positive?",
        task="text_classification",
        labels=("negative", "positive"),
        columns=("text",),
    ),
}


@dataclass(frozen=True, kw_only=True)
class FinetuningRecipe:
    """Everything that decides what comes out of a run (on one machine, with one version of the libraries)."""

    task: str
    data: str
    output: str
    base: str | None = None  # a folder with the encoder; None: the shipped one
    epochs: float | None = 3.0
    steps: int | None = None
    minutes: float | None = None
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.1
    batch_size: int = 32
    learning_rate: float = 5e-4
    weight_decay: float = 0.01
    seed: int = 0
    bfloat16: bool = True


class Encoded(Dataset[dict[str, Any]]):
    """Rows of a classification set, encoded once; `labels` is the right column, `length` serves the sampler."""

    def __init__(self, rows: Sequence[dict[str, Any]], recipe: TaskRecipe, tokenizer: PreTrainedTokenizerBase) -> None:
        self.labels = [_label(row, number, recipe) for number, row in enumerate(rows, 1)]
        texts = [[str(row[column]) for row in rows] for column in recipe.columns]
        self._encoded = tokenizer(*texts, truncation=True, max_length=LONGEST, verbose=False)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> dict[str, Any]:
        item = {name: column[index] for name, column in self._encoded.items()}
        return item | {"labels": self.labels[index], "length": len(item["input_ids"])}

    @property
    def column_names(self) -> list[str]:
        return [*self._encoded.keys(), "labels", "length"]


def _label(row: dict[str, Any], number: int, recipe: TaskRecipe) -> int:
    label = row[recipe.label_column]
    if isinstance(label, str) and label in recipe.labels:
        return recipe.labels.index(label)
    if not isinstance(label, int) or not 0 <= label < len(recipe.labels):
        raise DataError(
            f"Row {number} has the label {label!r}; expected 0 to {len(recipe.labels) - 1} "
            f"or one of {', '.join(recipe.labels)}."
        )
    return label


class _Collator(DataCollatorWithPadding):
    def __call__(self, features: list[dict[str, Any]]) -> dict[str, Any]:
        return super().__call__([{k: v for k, v in feature.items() if k != "length"} for feature in features])


def adapted_model(recipe: FinetuningRecipe, base: Path, labels: tuple[str, ...]) -> peft.PeftModel:
    """The encoder with a fresh head and a fresh adapter, ready to be trained."""
    config = BertConfig.from_pretrained(base, local_files_only=True)
    config.id2label = dict(enumerate(labels))
    config.label2id = {label: number for number, label in enumerate(labels)}
    model = BertForSequenceClassification.from_pretrained(
        base, config=config, dtype=torch.float32, use_safetensors=True, local_files_only=True
    )
    lora = peft.LoraConfig(
        task_type=peft.TaskType.SEQ_CLS,
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules=LINEAR_MAPS,
        modules_to_save=["pooler", "classifier"],
        base_model_name_or_path=base.name,
    )
    return peft.get_peft_model(model, lora)


def logits_of(model: peft.PeftModel, data: Encoded, tokenizer: PreTrainedTokenizerBase) -> np.ndarray:
    """Logits (N, C) in float32, in the order of the rows."""
    collate = _Collator(tokenizer)
    order = sorted(range(len(data)), key=lambda index: data[index]["length"])
    found = np.empty((len(data), model.config.num_labels))
    was_training = model.training
    model.eval()
    with torch.inference_mode():
        for start in range(0, len(order), 64):
            chosen = order[start : start + 64]
            batch = collate([data[index] for index in chosen])
            del batch["labels"]
            found[chosen] = (
                model(**{name: tensor.to(model.device) for name, tensor in batch.items()}).logits.float().cpu()
            )
    model.train(was_training)
    return found


def hold_out(
    rows: Sequence[dict[str, Any]], columns: Sequence[str], seed: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Split rows into those to train on, and texts to calibrate on of which training sees no part.

    Held out is a twentieth of the texts that are no part of a longer one. Parts of them of four words and more are in
    neither half; a word or two says nothing of where it was taken from.

    Raises:
        DataError: nothing is left to train on.
    """
    texts = [" ".join(str(row[column]) for column in columns) for row in rows]
    candidates = sorted(longest_only(texts)) or sorted(set(texts))
    count = max(1, round(CALIBRATION_SHARE * len(candidates)))
    chosen = {candidates[number] for number in np.random.default_rng(seed).permutation(len(candidates))[:count]}
    is_part = part_of(chosen)
    kept = [row for row, text in zip(rows, texts) if not is_part(text)]
    held = {text: row for row, text in zip(rows, texts) if text in chosen}  # one row for each text
    if not kept:
        raise DataError("There are too few different texts to hold some out and train on the others.")
    return kept, list(held.values())


def finetune(recipe: FinetuningRecipe) -> dict[str, Any]:
    """Run the recipe, resume it if its output folder holds a checkpoint, and write adapter, record and card.

    Returns:
        The figures on the data set's dev split.
    """
    set_seed(recipe.seed)
    about = TASK_RECIPES[recipe.task]
    base = Path(recipe.base) if recipe.base else weights_folder() / "base"
    output = Path(recipe.output)
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    columns = (*about.columns, about.label_column)
    rows = read_rows(recipe.data, "train", columns)
    for number, row in enumerate(rows, 1):
        _label(row, number, about)  # told by its line, before any work
    kept, held = hold_out(rows, about.columns, recipe.seed)
    training, calibration = Encoded(kept, about, tokenizer), Encoded(held, about, tokenizer)
    dev = Encoded(read_rows(recipe.data, "dev", columns), about, tokenizer)

    steps = recipe.steps
    if steps is None and recipe.epochs is not None:
        steps = max(1, round(recipe.epochs * len(training) / recipe.batch_size))
    budget = Budget(steps, recipe.minutes)
    model = adapted_model(recipe, base, about.labels)
    arguments = TrainingArguments(
        output_dir=str(output / "checkpoints"),
        max_steps=budget.max_steps,
        per_device_train_batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        bf16=recipe.bfloat16,
        use_cpu=not torch.cuda.is_available(),
        train_sampling_strategy="group_by_length",
        length_column_name="length",
        save_steps=500,
        save_total_limit=1,
        logging_steps=50,
        remove_unused_columns=False,
        report_to=[],
        seed=recipe.seed,
    )
    trainer = BudgetedTrainer(
        budget, model=model, args=arguments, train_dataset=training, data_collator=_Collator(tokenizer)
    )
    trainer.train(resume_from_checkpoint=get_last_checkpoint(arguments.output_dir) if output.exists() else None)
    model = trainer.accelerator.unwrap_model(model, keep_fp32_wrapper=False)  # measured in float32, as it is served

    temperature = fit_temperature(logits_of(model, calibration, tokenizer), calibration.labels)
    figures = classification_figures(logits_of(model, dev, tokenizer), dev.labels, temperature)
    figures |= {
        "steps": trainer.state.global_step,
        "epochs": round(trainer.state.global_step * recipe.batch_size / len(training), 2),
        "minutes": round(budget.seconds / 60, 1),
        "trained_on": len(training),
        "calibrated_on": len(calibration),
    }
    save(model, output, about, base.name, temperature, figures)
    record = {
        "made_by": "python -m explain.training.finetune",
        "recipe": asdict(recipe) | {"base": base.name, "data": Path(recipe.data).name, "output": output.name},
        "figures": figures,
        "temperature": temperature,
        "data": [
            {
                "name": Path(recipe.data).name,
                "license": license_of(recipe.data),
                "sha256": {split: fingerprint(recipe.data, split) for split in ("train", "dev")},
            }
        ],
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__},
    }
    (output / "training.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    write_card(output)
    return figures


def save(
    model: peft.PeftModel, folder: Path, about: TaskRecipe, base: str, temperature: float, figures: dict[str, Any]
) -> None:
    """Write the adapter as peft does, and beside it what the catalogue needs to know."""
    model.save_pretrained(folder, safe_serialization=True)
    (folder / "README.md").unlink(missing_ok=True)  # peft's template; the card is written from the record
    settings = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    settings["base_model_name_or_path"] = f"../{base}"
    (folder / "adapter_config.json").write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
    load_file(folder / "adapter_model.safetensors")  # what can't be read back must not look finished
    description = {
        "title": about.title,
        "task": about.task,
        "base": base,
        "labels": about.labels,
        "exclusive": True,
        "scripts": about.scripts,
        "temperature": temperature,
        "figures": {name: figures[name] for name in ("accuracy", "accuracy_interval", "f1", "roc_auc")},
    }
    (folder / "explain.json").write_text(json.dumps(description, indent=1) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m explain.training.finetune", description=__doc__.split("\n\n")[0])
    parser.add_argument("--task", choices=sorted(TASK_RECIPES), required=True)
    parser.add_argument("--data", required=True, metavar="DIR", help="folder with train and dev, or a hub data set")
    parser.add_argument("--output", required=True, metavar="DIR")
    parser.add_argument("--base", metavar="DIR", help="encoder to adapt (default: the shipped one)")
    parser.add_argument("--epochs", type=float, default=3.0)
    parser.add_argument("--steps", type=int, help="stop after so many steps, whatever the epochs")
    parser.add_argument("--minutes", type=float, help="stop after so many minutes, whatever the epochs")
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--alpha", type=int, default=32)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=5e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--float32", dest="bfloat16", action="store_false", help="no bfloat16 autocast")
    parser.add_argument("--fresh", action="store_true", help="throw away the checkpoints of an earlier run")
    options = vars(parser.parse_args(arguments))
    if options.pop("fresh"):
        shutil.rmtree(Path(options["output"]) / "checkpoints", ignore_errors=True)
    print(json.dumps(finetune(FinetuningRecipe(**options)), indent=1))


if __name__ == "__main__":
    main()
