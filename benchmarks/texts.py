"""Texts of an exact number of pieces, from a data set or from a few paragraphs."""

from explain.data.dataset import Dataset
from explain.datatypes import Tokens
from explain.models.base import TextModel
from explain.text.sentences import sentence_spans

LENGTHS = (16, 64, 128, 512)
COUNT = 20

OWN = [
    "I went in expecting very little and for twenty minutes the film agreed with me: wooden dialogue, clumsy cuts and "
    "a score that never shuts up. Then the daughter arrives, and the whole thing starts to breathe.",
    "There is a good idea somewhere in this mess, but nobody on set seems to have been told about it. The jokes die, "
    "the villain mumbles, and the final chase lasts longer than most marriages.",
    "A small, patient picture about two brothers who run a ferry. Nothing much happens, and it happens beautifully; I "
    "thought about it for days and would gladly see it again tomorrow.",
    "The effects are impressive and the sound could wake the dead, yet I could not tell you the name of one character, "
    "what they wanted, or why any of them had to be chased across a desert.",
    "Not the disaster the reviews had promised, not the triumph the poster shouts about either: an honest, slightly "
    "dull comedy that is saved, again and again, by a grandmother with perfect timing.",
]


def load(folder: str | None) -> list[str]:
    """Return the texts of a folder with `dev.jsonl.gz` (a column `text`), the longest first; else our own."""
    if folder is None:
        return OWN
    return sorted((row.text for row in Dataset.open(folder, split="dev")), key=len, reverse=True)


def cut(model: TextModel, texts: list[str], pieces: int, count: int = COUNT) -> list[Tokens]:
    """Return `count` encodings of exactly `pieces` tokens, special tokens included; short texts are joined."""
    encodings: list[Tokens] = []
    for start in range(count):
        joined = " ".join(texts[(start + step) % len(texts)] for step in range(1 + pieces // 64))
        if start >= len(texts):  # few texts: begin further on, so that all cases differ
            begins = [begin for begin, _ in sentence_spans(joined)]
            joined = joined[joined.index(" ", begins[min(1, len(begins) - 1)] + 7 * (start // len(texts))) + 1 :]
        whole = model.encode(joined)
        while len(whole) < model.max_tokens and len(whole) < pieces:
            joined += " " + texts[(start + len(joined)) % len(texts)]
            whole = model.encode(joined)
        # Cut after the last character of the piece that fits; words at the cut may lose their end.
        stop = int(whole.spans[pieces - 2, 1]) if len(whole) > pieces else len(joined)
        while stop > 0:
            tokens = model.encode(joined[:stop])
            if len(tokens) <= pieces:
                break
            stop -= 1
        if len(tokens) == pieces:
            encodings.append(tokens)
        else:  # the cut is inside a piece: fill up with a word of a single piece
            filled = model.encode(joined[:stop] + " the" * (pieces - len(tokens)))
            if len(filled) == pieces:
                encodings.append(filled)
    return encodings
