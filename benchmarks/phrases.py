"""The merging threshold of key phrases, chosen by the Stanford Sentiment Treebank's labels of phrases.

    python -m benchmarks.phrases --data DIR      DIR/dev.jsonl.gz with text, tokens and spans [start, end, label 0-4]

Phrases of every sentence are searched at several thresholds, with the target "positive". A phrase is judged by
the human label of the smallest constituent that holds it (2 is neutral). Printed for each threshold:

    words         mean length of a phrase, in words
    whole         listed phrases of several words that are constituents themselves, give or take one word at an end
    sign          of the three largest phrases, those whose sign is the sign of the human label; neutral counts as wrong
    correlation   mean over sentences of the rank correlation between scores and human labels, over all listed phrases
"""

import argparse
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from explain.analyses.key_phrases import KeyPhrases
from explain.data.dataset import Dataset
from explain.datatypes import Phrase
from explain.models.analysis import ExplainedText
from explain.models.cached_model import CachedModel
from explain.models.loading.catalogue import load_model
from explain.numerics.statistics import spearman

THRESHOLDS = (0.0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0)


def main() -> None:
    """Print figures by threshold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.phrases", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--split", default="dev")
    parser.add_argument("--sentences", type=int, default=300)
    options = parser.parse_args()
    cells = Dataset.open(options.data, split=options.split).cells(("text", "tokens", "spans", "label2"))
    rows = [row for _, row in cells if row["label2"] is not None][: options.sentences]
    judged: dict[float, list[tuple[float, float, float, float]]] = {threshold: [] for threshold in THRESHOLDS}
    model = load_model()
    for row in rows:
        working = CachedModel(model)
        tokens = working.encode(row["text"])
        target = working.task.target(working.predict(tokens), working.head, label="positive")
        for threshold in THRESHOLDS:
            search = KeyPhrases(threshold=threshold, top=30, parts=False, least_share=0.0)
            phrases = search.run(working, ExplainedText(tokens, target)).phrases
            if phrases:
                judged[threshold].append(judge(phrases, row))
    print(f"{len(rows)} sentences\nthreshold   words   whole    sign   correlation")
    for threshold, figures in judged.items():
        words, whole, sign, correlation = np.nanmean(np.array(figures), axis=0)
        print(f"{threshold:9.2f} {words:7.2f} {whole:7.3f} {sign:7.3f} {correlation:13.3f}")


def judge(phrases: Sequence[Phrase], row: dict[str, Any]) -> tuple[float, float, float, float]:
    """Return mean length, share of constituents, sign agreement of the first three, rank correlation of all."""
    labels, wholes = [], []
    for phrase in phrases:
        start, stop = tokens_of(phrase, row["tokens"])
        label, extra = smallest_constituent(start, stop, row["spans"])
        labels.append(label - 2)
        if phrase.words[1] - phrase.words[0] > 1:
            wholes.append(extra <= 1)
    scores = [phrase.score for phrase in phrases]
    signs = [np.sign(score) == np.sign(label) and label != 0 for score, label in zip(scores[:3], labels[:3])]
    correlation = spearman(scores, labels)
    return (
        float(np.mean([phrase.words[1] - phrase.words[0] for phrase in phrases])),
        float(np.mean(wholes)) if wholes else math.nan,
        float(np.mean(signs)),
        math.nan if correlation is None else correlation,
    )


def tokens_of(phrase: Phrase, tokens: Sequence[str]) -> tuple[int, int]:
    """Return the range of treebank tokens that a phrase's characters touch; the text joins them by spaces."""
    at, first, last = 0, None, 0
    for number, token in enumerate(tokens):
        if at < phrase.span[1] and at + len(token) > phrase.span[0]:
            first = number if first is None else first
            last = number + 1
        at += len(token) + 1
    return first or 0, last


def smallest_constituent(start: int, stop: int, spans: Sequence[Sequence[int]]) -> tuple[int, int]:
    """Return the label of the smallest labelled span that holds a range, and the number of its further tokens."""
    holding = [(end - begin, label) for begin, end, label in spans if begin <= start and stop <= end]
    size, label = min(holding)
    return label, size - (stop - start)


if __name__ == "__main__":
    main()
