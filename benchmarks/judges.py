"""Judges of edited texts that no search has seen: two classifiers of other kinds, and a trigram model of fluency.

bag of words   TF-IDF of words and pairs of words, with logistic regression
network        a convolution over embeddings of words, order-aware, trained here from random weights
trigrams       interpolated Kneser-Ney (Kneser and Ney 1995), one discount
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from torch import Tensor, nn

from explain.text.sentences import sentence_spans

Labelled = Sequence[tuple[str, int]]

_WORD = re.compile(r"n't\b|\w+(?=n't\b)|\w+|[^\w\s]")
LONGEST = 256  # words that the network reads


class Judge(Protocol):
    """A classifier of texts with labels 0 and 1."""

    def labels(self, texts: Sequence[str]) -> list[int]:
        """Return the label of each text."""


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case, "n't" and marks by themselves.

    >>> words_of("It isn't good.")
    ['it', 'is', "n't", 'good', '.']
    """
    return _WORD.findall(text.lower())


class BagOfWords:
    """TF-IDF of words and pairs, with logistic regression."""

    def __init__(self, rows: Labelled) -> None:
        self._model = make_pipeline(
            TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, tokenizer=words_of, token_pattern=None),
            LogisticRegression(C=10, max_iter=300),
        )
        self._model.fit([text for text, _ in rows], [label for _, label in rows])

    def labels(self, texts: Sequence[str]) -> list[int]:
        return [int(label) for label in self._model.predict(list(texts))]


class _Convolution(nn.Module):
    """Embeddings, convolutions over one to five words, the maximum of each over the text, one number."""

    def __init__(self, vocabulary: int, width: int = 96, channels: int = 64) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width, padding_idx=0)
        self.filters = nn.ModuleList(nn.Conv1d(width, channels, size, padding=size - 1) for size in (1, 2, 3, 5))
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(4 * channels, 1)

    def forward(self, ids: Tensor) -> Tensor:
        embedded = self.embedding(ids).transpose(1, 2)
        pooled = [torch.relu(layer(embedded)).amax(dim=-1) for layer in self.filters]
        return self.head(self.dropout(torch.cat(pooled, dim=-1)))[:, 0]


class Network:
    """A small convolutional classifier (Kim 2014, https://arxiv.org/abs/1408.5882), trained on texts and sentences.

    A sentence has the label of its text, so that the network can judge single sentences, too.
    """

    def __init__(self, rows: Labelled, epochs: int = 4, seed: int = 0) -> None:
        torch.manual_seed(seed)
        parts = [(text[start:stop], label) for text, label in rows for start, stop in sentence_spans(text)]
        trained = [(words_of(text)[:LONGEST], label) for text, label in [*rows, *rows, *parts]]
        counts = Counter(word for words, _ in trained for word in words)
        kept = [word for word, count in counts.items() if count >= 4]
        self._ids = {word: number for number, word in enumerate(kept, 2)}
        self._model = _Convolution(len(kept) + 2)
        self._train([(words, label) for words, label in trained if words], epochs, np.random.default_rng(seed))
        self._model.eval()

    def _train(self, rows: Sequence[tuple[list[str], int]], epochs: int, draw: np.random.Generator) -> None:
        optimizer = torch.optim.Adam(self._model.parameters(), lr=1e-3)
        order = sorted(range(len(rows)), key=lambda number: len(rows[number][0]))
        batches = [order[start : start + 64] for start in range(0, len(order), 64)]
        for _ in range(epochs):
            for at in draw.permutation(len(batches)):
                batch = [rows[number] for number in batches[at]]
                logits = self._model(self._padded([words for words, _ in batch]))
                labels = torch.tensor([float(label) for _, label in batch])
                loss = nn.functional.binary_cross_entropy_with_logits(logits, labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()

    def _padded(self, texts: Sequence[list[str]]) -> Tensor:
        longest = max(1, max(map(len, texts)))
        table = torch.zeros((len(texts), longest), dtype=torch.long)
        for row, words in zip(table, texts):
            row[: len(words)] = torch.tensor([self._ids.get(word, 1) for word in words], dtype=torch.long)
        return table

    def labels(self, texts: Sequence[str]) -> list[int]:
        with torch.inference_mode():
            return [int(self._model(self._padded([words_of(text)[:LONGEST]]))[0] > 0) for text in texts]


class Trigrams:
    """A trigram model of words, interpolated with smaller ones by Kneser and Ney's counts."""

    def __init__(self, texts: Sequence[str], discount: float = 0.75) -> None:
        self._discount = discount
        self._counts: list[dict[tuple[str, ...], Counter[str]]] = [defaultdict(Counter) for _ in range(3)]
        counts = Counter(word for text in texts for word in words_of(text))
        self._known = {word for word, count in counts.items() if count > 1}
        for text in texts:
            words = self._framed(text)
            for at in range(2, len(words)):
                self._counts[2][words[at - 2], words[at - 1]][words[at]] += 1
        for order in (1, 0):  # of how many different words each is the continuation
            for context, followers in self._counts[order + 1].items():
                for word in followers:
                    self._counts[order][context[1:]][word] += 1
        self._totals = [{context: sum(words.values()) for context, words in table.items()} for table in self._counts]

    def _framed(self, text: str) -> list[str]:
        return ["<s>", "<s>", *(word if word in self._known else "<unk>" for word in words_of(text)), "</s>"]

    def _probability(self, order: int, context: tuple[str, ...], word: str) -> float:
        lower = 1 / (len(self._known) + 2) if order == 0 else self._probability(order - 1, context[1:], word)
        followers = self._counts[order].get(context)
        if not followers:
            return lower
        total = self._totals[order][context]
        seen = max(followers.get(word, 0) - self._discount, 0) / total
        return seen + self._discount * len(followers) / total * lower

    def log_perplexity(self, text: str) -> float:
        """Return the mean of -log P over the words of a text and its end, in nats."""
        words = self._framed(text)
        logs = [
            math.log(self._probability(2, (words[at - 2], words[at - 1]), words[at])) for at in range(2, len(words))
        ]
        return -sum(logs) / len(logs)
