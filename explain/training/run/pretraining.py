"""Carry out a pretraining recipe: train, measure, write model, tokenizer, record and card."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors.torch import load_model
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForPreTraining,
    PreTrainedTokenizerBase,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)

from explain.core.errors import DataError
from explain.core.files import atomic_files, create_folder, write_file
from explain.data.dataset import Dataset
from explain.data.splits import longest_only
from explain.data.storage import license_of
from explain.training.measure.card import write_card
from explain.training.objectives.base import IGNORED
from explain.training.objectives.documents import Document, hold_out, tokenized
from explain.training.objectives.masked_pairs import Pairs, both_objectives, collate, measure_by_source
from explain.training.objectives.source_encoder import source_folder
from explain.training.recipes.pretraining import PretrainingRecipe
from explain.training.run.budget import Budget, BudgetedTrainer, ended_at, last_checkpoint
from explain.training.run.trainer_errors import library_errors

COMMAND = "python -m explain.training.pretrain"


def read_documents(recipe: PretrainingRecipe, tokenizer: PreTrainedTokenizerBase) -> list[Document]:
    """Read the documents of every source: rows of one `doc` together, each row without a `doc` by itself.

    A text that is part of a longer text of its source is dropped, as SST's phrases are parts of its sentences.
    """
    documents: list[Document] = []
    for folder in recipe.data:
        paragraphs: dict[str, list[str]] = {}
        for name, text in _named_texts(folder, recipe.leave_out):
            paragraphs.setdefault(name, []).append(text)
        documents += tokenized(Path(folder).name, paragraphs, tokenizer)
    return documents


def _named_texts(folder: str, leave_out: str) -> Iterator[tuple[str, str]]:
    rows = [row for _, row in Dataset.open(folder, split=_split(folder)).cells(("text",))]
    if "doc" in rows[0]:
        yield from ((row["doc"], row["text"]) for row in rows if not row["doc"].startswith(leave_out))
        return
    texts = {row[column] for row in rows for column in ("text", "text_b") if row.get(column)}
    yield from ((f"{Path(folder).name}/{text[:40]}", text) for text in longest_only(texts))


def _split(folder: str) -> str:
    return "all" if list(Path(folder).glob("all.jsonl*")) else "train"


class PretrainingTrainer(BudgetedTrainer):
    """Minimize the sum of both objectives; measure on the held-out pairs of each source."""

    def __init__(self, budget: Budget, held_out: Mapping[str, Pairs], **kwargs: Any) -> None:
        super().__init__(budget, data_collator=collate, eval_dataset=next(iter(held_out.values())), **kwargs)
        self._held_out = held_out

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        out = both_objectives(model, inputs)
        loss = torch.nn.functional.cross_entropy(out["words"], out["word_labels"])
        label = inputs["next_sentence_label"]
        if (label != IGNORED).any():
            loss = loss + torch.nn.functional.cross_entropy(out["next"], label, ignore_index=IGNORED)
        return loss

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        measured = measure_by_source(self.model, self._held_out, self.args.per_device_eval_batch_size)
        figures = {f"eval_{name}": figure for name, figure in measured["mean"].items()}
        self.log(figures)
        return figures


def source_model(recipe: PretrainingRecipe) -> tuple[BertForPreTraining, PreTrainedTokenizerBase]:
    """Load the encoder to continue from, with fresh heads where it has none; the decoder is tied to the embeddings."""
    folder = recipe.source or str(source_folder())
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    config = BertConfig.from_pretrained(folder, local_files_only=True)
    # In so few epochs the model memorizes nothing, so dropout would only cost time.
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
    model = BertForPreTraining.from_pretrained(
        folder, config=config, dtype=torch.float32, use_safetensors=True, local_files_only=True
    )
    return model, tokenizer


def pretrain(
    recipe: PretrainingRecipe,
    *,
    made_by: str = COMMAND,
    watch: Callable[[Budget], TrainerCallback] | None = None,
    further: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Run the recipe, or resume it from a checkpoint in its output folder; write model, tokenizer, record and card.

    Args:
        made_by: the command, for record and card.
        watch: makes a callback from the budget, which reports progress and may end the training.
        further: more entries of the record.

    Returns:
        `held_out`: figures by source, as of `measure_by_source`; `before`: the same before training, if the recipe
        has `measure_before`; `steps` and `minutes`.
    """
    set_seed(recipe.seed)
    model, tokenizer = source_model(recipe)
    training, held_out = hold_out(read_documents(recipe, tokenizer), recipe.held_out, recipe.long_document)
    if not held_out:
        raise DataError("There is too little text to keep some for measuring. Add text, or longer documents.")
    budget = Budget(recipe.steps, recipe.minutes)
    trainer = PretrainingTrainer(
        budget,
        _pairs_by_source(held_out, recipe, tokenizer, recipe.seed + 1, recipe.held_out_pairs),
        model=model,
        args=_arguments(recipe, budget, quiet=watch is not None),
        train_dataset=_pairs(training, recipe, tokenizer, recipe.seed + 2, budget.max_steps * recipe.batch_size),
    )
    if watch is not None:
        trainer.add_callback(watch(budget))
    test_pairs = _pairs_by_source(held_out, recipe, tokenizer, recipe.seed + 3, 4 * recipe.held_out_pairs)
    before = {"before": measure_by_source(model, test_pairs, recipe.batch_size)} if recipe.measure_before else {}
    _run(trainer, model, budget)
    figures = {
        **before,
        "held_out": measure_by_source(model, test_pairs, recipe.batch_size),
        "steps": trainer.state.global_step,
        "minutes": round(budget.seconds / 60, 1),
    }
    record = {"made_by": made_by, **_record(recipe, model, figures, training, held_out), **(further or {})}
    output = Path(recipe.output)
    create_folder(output)
    write_file(output / "training.json", json.dumps(record, indent=1) + "\n")
    write_card(output)
    # The description comes last: with it, the model is listed.
    save(model, tokenizer, output, figures["held_out"]["mean"]["masked_top1"])
    return figures


def _pairs(
    documents: Sequence[Document],
    recipe: PretrainingRecipe,
    tokenizer: PreTrainedTokenizerBase,
    seed: int,
    length: int,
) -> Pairs:
    return Pairs(
        documents,
        tokenizer,
        length,
        seed=seed,
        batch_size=recipe.batch_size,
        long_document=recipe.long_document,
    )


def _pairs_by_source(
    documents: Sequence[Document],
    recipe: PretrainingRecipe,
    tokenizer: PreTrainedTokenizerBase,
    seed: int,
    length: int,
) -> dict[str, Pairs]:
    by_source: dict[str, list[Document]] = {}
    for document in documents:
        by_source.setdefault(document.source, []).append(document)
    return {source: _pairs(part, recipe, tokenizer, seed, length) for source, part in by_source.items()}


def _arguments(recipe: PretrainingRecipe, budget: Budget, *, quiet: bool) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(Path(recipe.output) / "checkpoints"),
        max_steps=budget.max_steps,
        per_device_train_batch_size=recipe.batch_size,
        per_device_eval_batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        adam_beta2=0.98,
        bf16=recipe.bfloat16,
        use_cpu=not torch.cuda.is_available(),
        train_sampling_strategy="sequential",  # `Pairs` draws at random itself
        eval_strategy="steps",
        eval_steps=recipe.evaluate_every,
        save_steps=recipe.evaluate_every,
        save_total_limit=1,
        logging_steps=min(50, max(1, recipe.evaluate_every // 5)),
        disable_tqdm=quiet,
        remove_unused_columns=False,
        report_to=[],
        seed=recipe.seed,
    )


def _run(trainer: PretrainingTrainer, model: BertForPreTraining, budget: Budget) -> None:
    """Train from the last checkpoint on; load it if the run had already ended."""
    checkpoint = last_checkpoint(Path(trainer.args.output_dir))
    ended = None if checkpoint is None else ended_at(Path(checkpoint), budget)
    if checkpoint is None or ended is None:
        trainer.train(resume_from_checkpoint=checkpoint)
        return
    # The run was killed after its training; Trainer would take one more step.
    trainer.state = ended
    load_model(model, Path(checkpoint) / "model.safetensors", strict=False)  # tied weights are stored once


def _record(
    recipe: PretrainingRecipe,
    model: BertForPreTraining,
    figures: Mapping[str, Any],
    training: Sequence[Document],
    held_out: Sequence[Document],
) -> dict[str, Any]:
    """Return the entries of `training.json`."""
    places = {
        "data": [Path(folder).name for folder in recipe.data],
        "output": Path(recipe.output).name,
        "source": recipe.source and Path(recipe.source).name,
    }
    return {
        "recipe": asdict(recipe) | places,
        "figures": figures,
        "data": [
            {
                "name": Path(folder).name,
                "license": license_of(folder),
                "sha256": {_split(folder): Dataset.open(folder, split=_split(folder)).sha256()},
            }
            for folder in recipe.data
        ],
        "held_out_documents": [document.name for document in held_out],
        "training_pieces": sum(document.pieces for document in training),
        "sizes": {
            "layers": model.config.num_hidden_layers,
            "heads": model.config.num_attention_heads,
            "hidden": model.config.hidden_size,
            "vocabulary": model.config.vocab_size,
        },
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
    }


def save(model: BertForPreTraining, tokenizer: PreTrainedTokenizerBase, folder: Path, accuracy: float) -> None:
    """Write the model in float16 (half the bytes; it is loaded in float32), its tokenizer and its description.

    Args:
        accuracy: share of held-out masked words that the first guess gets right.
    """
    model.config.hidden_dropout_prob = model.config.attention_probs_dropout_prob = 0.1  # for fine-tuning later
    with library_errors(folder), atomic_files(folder) as scratch:
        model.to(torch.float16).save_pretrained(scratch, safe_serialization=True)
        tokenizer.save_pretrained(scratch)
    description = {
        "title": "Which word fills [MASK]?",
        "task": "fill_mask",
        "scripts": ["Latin"],
        "figures": {"accuracy": accuracy},
    }
    write_file(folder / "explain.json", json.dumps(description, indent=1) + "\n")
