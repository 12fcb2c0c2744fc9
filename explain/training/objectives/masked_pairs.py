"""The two objectives of BERT: masked words and next sentences.

(Devlin et al. 2019, https://arxiv.org/abs/1810.04805, section 3.1)

    masked words    15 % of the pieces are predicted: 80 % of them shown as [MASK], 10 % as a random piece, 10 %
                    unchanged; the loss is the mean cross-entropy over those pieces
    next sentence   half the pairs are two successive runs of sentences of one document, half take the second run from
                    another document; the loss is the cross-entropy of the head on [CLS], index 0 = "is next"

The decoder is computed at the predicted pieces only, which saves a third of the work and changes no number.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset
from transformers import BertForPreTraining, PreTrainedTokenizerBase

from explain.core.errors import DataError
from explain.training.objectives.base import IGNORED
from explain.training.objectives.documents import LONG_DOCUMENT, Document, by_length

LONGEST = 128  # pieces of a training pair, special tokens included
MASKED = 0.15
LONG_SHARE = 0.7  # share of the batches from long documents
SHORT_BATCHES = 0.1  # share of the batches that are truncated, as in BERT, for training on short inputs


class _Group:
    """Documents to draw a starting sentence from, with a probability proportional to its length."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._starts = [(document, start) for document in documents for start in range(len(document.sentences))]
        weights = np.array([len(document.sentences[start]) for document, start in self._starts], dtype=np.float64)
        self._cumulative = np.cumsum(weights / weights.sum())

    def draw(self, random: np.random.Generator) -> tuple[Document, int]:
        place = int(np.searchsorted(self._cumulative, random.random(), side="right"))
        return self._starts[min(place, len(self._starts) - 1)]

    def draw_other(self, random: np.random.Generator, document: Document) -> tuple[Document, int]:
        """Draw from another document of the same source; the style of another source would give the answer away.

        Raises:
            LookupError: no other document was drawn in 200 attempts.
        """
        for _ in range(200):
            other, start = self.draw(random)
            if other is not document and other.source == document.source:
                return other, start
        raise LookupError(document.source)


def _run(sentences: Sequence[np.ndarray], start: int, room: int) -> tuple[np.ndarray, int]:
    """Return successive sentences from `start` that fit (at least one, truncated if needed), and the next index."""
    stop = start + 1
    used = len(sentences[start])
    while stop < len(sentences) and used + len(sentences[stop]) <= room:
        used += len(sentences[stop])
        stop += 1
    return np.concatenate(sentences[start:stop])[:room], stop


class Pairs(Dataset[dict[str, Any]]):
    """Pairs of runs of sentences, masked; pair i is a function of (documents, seed, i) alone.

    The pairs of a batch come from one kind of text and have similar lengths, so that there is little padding: seven
    batches in ten are from long documents, the others from the sources of short texts.

    A pair has `ids (T,)`, `segment (T,)`, `labels (T,)` (-100 where nothing is predicted) and `is_next` (0 next,
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
            raise DataError("No documents are left to make pairs of. Check --data and --leave-out.")
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
            if is_next == 0 and after == len(
                sentences
            ):  # the run ends its document: keep the last sentence for the second run
                first, after = _run(sentences[:-1], min(start, len(sentences) - 2), first_room)
            other, begin = document, after
            if is_next:
                try:
                    other, begin = group.draw_other(random, document)
                except LookupError:  # no document to contrast with: predict words only
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
        predicted = random.choice(maskable, size=max(1, round(MASKED * len(maskable))), replace=False)
        labels = np.full(len(ids), IGNORED, dtype=np.int64)
        labels[predicted] = ids[predicted]
        fate = random.random(len(predicted))
        ids[predicted[fate < 0.8]] = self._mask
        ids[predicted[fate >= 0.9]] = random.choice(self._ordinary, size=int((fate >= 0.9).sum()))
        return {"ids": ids, "segment": segment, "labels": labels, "is_next": is_next}


def collate(pairs: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
    """Return a batch, padded to the longest pair.

    Its tensors are `input_ids, token_type_ids, attention_mask, labels (B, T)` and `next_sentence_label (B,)`.
    """
    longest = max(len(pair["ids"]) for pair in pairs)

    def padded(name: str, filler: int) -> torch.Tensor:
        rows = [np.pad(pair[name], (0, longest - len(pair[name])), constant_values=filler) for pair in pairs]
        return torch.from_numpy(np.stack(rows))

    lengths = torch.tensor([len(pair["ids"]) for pair in pairs])
    return {
        "input_ids": padded("ids", 0),
        "token_type_ids": padded("segment", 0),
        "attention_mask": (torch.arange(longest) < lengths[:, None]).long(),
        "labels": padded("labels", IGNORED),
        "next_sentence_label": torch.tensor([pair["is_next"] for pair in pairs]),
    }


def both_objectives(model: BertForPreTraining, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Run the encoder once, and each head where it predicts.

    Returns:
        `words (M, V)` and `next (B, 2)`: logits in float32; `word_labels (M,)`.
    """
    encoded = model.bert(
        input_ids=batch["input_ids"],
        token_type_ids=batch["token_type_ids"],
        attention_mask=batch["attention_mask"],
    )
    is_predicted = batch["labels"] != IGNORED
    return {
        "words": model.cls.predictions(encoded.last_hidden_state[is_predicted]).float(),
        "word_labels": batch["labels"][is_predicted],
        "next": model.cls.seq_relationship(encoded.pooler_output).float(),
    }


def measure(model: BertForPreTraining, pairs: Pairs, batch_size: int) -> dict[str, float]:
    """Return accuracies and losses on held-out pairs, in float32.

    Returns:
        `masked_top1`, `masked_top5`, `next_sentence` (accuracies), `masked_loss`, `next_sentence_loss` (nats),
        `masked_asked` and `next_sentence_asked` (numbers of pieces and of pairs).
    """
    was_training = model.training
    model.eval()
    top1 = top5 = masked = right_next = next_pairs = 0
    loss_words = loss_next = 0.0
    with torch.inference_mode():
        for start in range(0, len(pairs), batch_size):
            batch = collate([pairs[i] for i in range(start, min(start + batch_size, len(pairs)))])
            batch = {name: tensor.to(model.device) for name, tensor in batch.items()}
            out = both_objectives(model, batch)
            best = out["words"].topk(5, dim=-1).indices == out["word_labels"][:, None]
            top1 += int(best[:, 0].sum())
            top5 += int(best.any(dim=-1).sum())
            masked += len(best)
            loss_words += float(torch.nn.functional.cross_entropy(out["words"], out["word_labels"], reduction="sum"))
            label = batch["next_sentence_label"]
            known = label != IGNORED
            right_next += int((out["next"].argmax(dim=-1) == label)[known].sum())
            next_pairs += int(known.sum())
            loss_next += float(
                torch.nn.functional.cross_entropy(out["next"], label, reduction="sum", ignore_index=IGNORED)
            )
    model.train(was_training)
    return {
        "masked_top1": top1 / masked,
        "masked_top5": top5 / masked,
        "masked_loss": loss_words / masked,
        "masked_asked": masked,
        "next_sentence": right_next / max(next_pairs, 1),
        "next_sentence_loss": loss_next / max(next_pairs, 1),
        "next_sentence_asked": next_pairs,
    }


def measure_by_source(
    model: BertForPreTraining, held_out: Mapping[str, Pairs], batch_size: int
) -> dict[str, dict[str, float]]:
    """Return the figures of `measure` for each source of held-out documents, and their mean under "mean"."""
    by_source = {source: measure(model, pairs, batch_size) for source, pairs in held_out.items()}
    names = next(iter(by_source.values()))
    mean = {name: sum(figures[name] for figures in by_source.values()) / len(by_source) for name in names}
    return by_source | {"mean": mean}
