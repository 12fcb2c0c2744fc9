"""Documents to pretrain on, and which of them are held out."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from transformers import PreTrainedTokenizerBase

from explain.text.sentences import sentence_spans

HELD_OUT = 0.02  # of each source's pieces, in whole documents
LONG_DOCUMENT = 1000  # pieces a document of a source must have on average to be one of pages, not of sentences


@dataclass(frozen=True)
class Document:
    """One text that is split nowhere between training and measuring."""

    name: str
    source: str
    sentences: tuple[np.ndarray, ...]  # ids of each sentence's pieces, special tokens not among them

    @property
    def pieces(self) -> int:
        return sum(len(sentence) for sentence in self.sentences)


def tokenized(source: str, paragraphs: dict[str, list[str]], tokenizer: PreTrainedTokenizerBase) -> Iterator[Document]:
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
