"""Documents to pretrain on, and which of them are held out."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from transformers import PreTrainedTokenizerBase

from explain.text.sentences import sentence_spans

HELD_OUT = 0.02  # share of each source's pieces, in whole documents
LONG_DOCUMENT = 1000  # pieces; a source with a lower mean consists of sentences, not of pages


@dataclass(frozen=True)
class Document:
    """A text that is either trained on or measured on as a whole."""

    name: str
    source: str
    sentences: tuple[np.ndarray, ...]  # ids of each sentence's pieces, without special tokens

    @property
    def pieces(self) -> int:
        return sum(len(sentence) for sentence in self.sentences)


def tokenized(source: str, paragraphs: dict[str, list[str]], tokenizer: PreTrainedTokenizerBase) -> Iterator[Document]:
    """Yield a document for each name, its paragraphs split into sentences and tokenized."""
    for name, texts in paragraphs.items():
        sentences = [text[start:stop] for text in texts for start, stop in sentence_spans(text)]
        ids = tokenizer(sentences, add_special_tokens=False, truncation=False, verbose=False)["input_ids"]
        yield Document(name, source, tuple(np.array(pieces, dtype=np.int32) for pieces in ids if pieces))


def hold_out(
    documents: Sequence[Document], share: float = HELD_OUT, long_document: int = LONG_DOCUMENT
) -> tuple[list[Document], list[Document]]:
    """Split documents into those to train on and those to measure on, at least a share of the pieces of each source.

    The selection follows the hash of a document's name, so it is the same in every run and on every machine. Documents
    of more than a twentieth of their source, and sources of short texts (one or two sentences), are never held out.
    """
    long, short = by_length(documents, long_document)
    training = [document for of_source in short for document in of_source]
    held_out: list[Document] = []
    for of_source in long:
        total = sum(document.pieces for document in of_source)
        wanted = share * total
        for document in sorted(of_source, key=_name_hash):
            if wanted > 0 and document.pieces <= total / 20:
                held_out.append(document)
                wanted -= document.pieces
            else:
                training.append(document)
    return training, held_out


def _name_hash(document: Document) -> str:
    return hashlib.sha1(document.name.encode()).hexdigest()


def by_length(
    documents: Sequence[Document], long_document: int = LONG_DOCUMENT
) -> tuple[list[list[Document]], list[list[Document]]]:
    """Return the documents of each source of long documents (by their mean), and of each source of short texts."""
    sources: dict[str, list[Document]] = {}
    for document in documents:
        sources.setdefault(document.source, []).append(document)
    long: list[list[Document]] = []
    short: list[list[Document]] = []
    for of_source in sources.values():
        mean = sum(document.pieces for document in of_source) / len(of_source)
        (long if mean >= long_document else short).append(of_source)
    return long, short
