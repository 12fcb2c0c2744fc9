"""Carry out a pretraining recipe: train, measure, write model, tokenizer, record and card."""

import json
from collections.abc import Callable, Iterator, Mapping
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
from explain.training.measure.card import write_card
from explain.training.objectives.base import IGNORED
from explain.training.objectives.documents import Document, hold_out, tokenized
from explain.training.objectives.masked_pairs import Pairs, both_objectives, collate, measure_by_source
from explain.training.objectives.source_encoder import source_folder
from explain.training.recipes.pretraining import PretrainingRecipe
from explain.training.rows import fingerprint, license_of, longest_only, read_rows
from explain.training.run.budget import Budget, BudgetedTrainer, ended_at, last_checkpoint
from explain.training.run.library_errors import library_errors


def read_documents(recipe: PretrainingRecipe, tokenizer: PreTrainedTokenizerBase) -> list[Document]:
    """Read every source's documents: paragraphs of one `doc` together, rows without a `doc` each on its own.

    Texts that stand inside a longer text of their source (SST's phrases inside its sentences) are dropped.
    """
    documents: list[Document] = []
    for folder in recipe.data:
        paragraphs: dict[str, list[str]] = {}
        for name, text in _named_texts(folder, recipe.leave_out):
            paragraphs.setdefault(name, []).append(text)
        documents += tokenized(Path(folder).name, paragraphs, tokenizer)
    return documents


def _named_texts(folder: str, leave_out: str) -> Iterator[tuple[str, str]]:
    rows = read_rows(folder, _split(folder), columns=("text",))
    if "doc" in rows[0]:
        yield from ((row["doc"], row["text"]) for row in rows if not row["doc"].startswith(leave_out))
        return
    texts = {row[column] for row in rows for column in ("text", "text_b") if row.get(column)}
    yield from ((f"{Path(folder).name}/{text[:40]}", text) for text in longest_only(texts))


class PretrainingTrainer(BudgetedTrainer):
    """Trainer with both objectives and our own measure."""

    def __init__(self, budget: Budget, held: Mapping[str, Pairs], **kwargs: Any) -> None:
        super().__init__(budget, data_collator=collate, eval_dataset=next(iter(held.values())), **kwargs)
        self._held = held

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
        found = measure_by_source(self.model, self._held, self.args.per_device_eval_batch_size)
        figures = {f"eval_{name}": figure for name, figure in found["mean"].items()}
        self.log(figures)
        return figures


def source_model(recipe: PretrainingRecipe) -> tuple[BertForPreTraining, PreTrainedTokenizerBase]:
    """The encoder to go on from, with fresh heads where it has none, the decoder tied to the word embeddings."""
    folder = recipe.source or str(source_folder())
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    config = BertConfig.from_pretrained(folder, local_files_only=True)
    # With so few passes over the text nothing is learned by heart; dropout would only cost time.
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
    model = BertForPreTraining.from_pretrained(
        folder, config=config, dtype=torch.float32, use_safetensors=True, local_files_only=True
    )
    return model, tokenizer


def pretrain(
    recipe: PretrainingRecipe,
    *,
    made_by: str = "python -m explain.training.pretrain",
    watch: Callable[[Budget], TrainerCallback] | None = None,
    further: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Run the recipe, resume it if its output folder holds a checkpoint, and write model, tokenizer and card.

    Args:
        made_by: the command, for record and card.
        watch: makes a callback that is told how the training goes, and may end it.
        further: entries for the record.

    Returns:
        `held_out`: what `measure_by_source` found, and `before` it, if that was asked; `steps` and `minutes` spent.
    """
    set_seed(recipe.seed)
    output = Path(recipe.output)
    model, tokenizer = source_model(recipe)
    training, held = hold_out(read_documents(recipe, tokenizer), recipe.held_out, recipe.long_document)
    if not held:
        raise DataError("There is too little text to hold some out and measure on it; give more, or longer documents.")
    budget = Budget(recipe.steps, recipe.minutes)

    def held_pairs(seed: int, length: int) -> dict[str, Pairs]:
        of_source = {document.source: [one for one in held if one.source == document.source] for document in held}
        return {
            source: Pairs(
                documents,
                tokenizer,
                length,
                seed=seed,
                batch_size=recipe.batch_size,
                long_document=recipe.long_document,
            )
            for source, documents in of_source.items()
        }

    arguments = TrainingArguments(
        output_dir=str(output / "checkpoints"),
        max_steps=budget.max_steps,
        per_device_train_batch_size=recipe.batch_size,
        per_device_eval_batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        adam_beta2=0.98,
        bf16=recipe.bfloat16,
        use_cpu=not torch.cuda.is_available(),
        train_sampling_strategy="sequential",  # items are drawn at random already
        eval_strategy="steps",
        eval_steps=recipe.evaluate_every,
        save_steps=recipe.evaluate_every,
        save_total_limit=1,
        logging_steps=min(50, max(1, recipe.evaluate_every // 5)),
        disable_tqdm=watch is not None,  # whoever watches tells
        remove_unused_columns=False,
        report_to=[],
        seed=recipe.seed,
    )
    trainer = PretrainingTrainer(
        budget,
        held_pairs(recipe.seed + 1, recipe.held_out_pairs),
        model=model,
        args=arguments,
        train_dataset=Pairs(
            training,
            tokenizer,
            budget.max_steps * recipe.batch_size,
            seed=recipe.seed + 2,
            batch_size=recipe.batch_size,
            long_document=recipe.long_document,
        ),
    )
    if watch is not None:
        trainer.add_callback(watch(budget))
    asked = held_pairs(recipe.seed + 3, 4 * recipe.held_out_pairs)
    before = {"before": measure_by_source(model, asked, recipe.batch_size)} if recipe.measure_before else {}
    kept = last_checkpoint(Path(arguments.output_dir))
    ended = None if kept is None else ended_at(Path(kept), budget)
    if kept is None or ended is None:
        trainer.train(resume_from_checkpoint=kept)
    else:  # it was killed later: Trainer would take a step more
        trainer.state = ended
        load_model(model, Path(kept) / "model.safetensors", strict=False)  # what is tied is written once
    figures = {
        **before,
        "held_out": measure_by_source(model, asked, recipe.batch_size),
        "steps": trainer.state.global_step,
        "minutes": round(budget.seconds / 60, 1),
    }
    record = {
        "made_by": made_by,
        "recipe": asdict(recipe)
        | {
            "data": [Path(folder).name for folder in recipe.data],
            "output": output.name,
            "source": recipe.source and Path(recipe.source).name,
        },
        "figures": figures,
        "data": [
            {
                "name": Path(folder).name,
                "license": license_of(folder),
                "sha256": {_split(folder): fingerprint(folder, _split(folder))},
            }
            for folder in recipe.data
        ],
        "held_out_documents": [document.name for document in held],
        "training_pieces": sum(document.pieces for document in training),
        "sizes": {
            "layers": model.config.num_hidden_layers,
            "heads": model.config.num_attention_heads,
            "hidden": model.config.hidden_size,
            "vocabulary": model.config.vocab_size,
        },
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
        **(further or {}),
    }
    create_folder(output)
    write_file(output / "training.json", json.dumps(record, indent=1) + "\n")
    write_card(output)
    save(model, tokenizer, output, figures["held_out"]["mean"]["masked_top1"])  # last: now it is listed
    return figures


def _split(folder: str) -> str:
    return "all" if list(Path(folder).glob("all.jsonl*")) else "train"


def save(model: BertForPreTraining, tokenizer: PreTrainedTokenizerBase, folder: Path, accuracy: float) -> None:
    """Write the model in float16 (half the bytes; it is read back in float32), its tokenizer and what it is for.

    Args:
        accuracy: the share of held-out masked words that it guesses first.
    """
    model.config.hidden_dropout_prob = model.config.attention_probs_dropout_prob = 0.1  # for whoever fine-tunes it
    with library_errors(folder), atomic_files(folder) as scratch:
        model.to(torch.float16).save_pretrained(scratch, safe_serialization=True)
        tokenizer.save_pretrained(scratch)
    description = {
        "title": "Which word stands behind [MASK]?",
        "task": "fill_mask",
        "scripts": ["Latin"],
        "figures": {"accuracy": accuracy},
    }
    write_file(folder / "explain.json", json.dumps(description, indent=1) + "\n")
