"""What differs between encoder families, as far as explaining needs to know."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """One architecture of transformers.

    Attributes:
        reads: the row of the last layer its classification head reads: "first", or "pooling" (as its config says).
        positions: how place i is numbered: "from_zero", or "after_padding" (padding id + 1 + i, as in RoBERTa).
        probed: its attention goes through transformers' attention interface, so the probe sees and may change it.
        body: the attribute that holds an encoder whose layers are built of BERT's modules, so that the last one can be
            computed at one row; empty for others.
        word_head: the modules that turn rows of the last layer into logits of the vocabulary, one after the other.
    """

    reads: str = "first"
    positions: str = "from_zero"
    probed: bool = True
    body: str = ""
    word_head: tuple[str, ...] = ()


FAMILIES: dict[str, Family] = {
    "bert": Family(body="bert", word_head=("cls",)),
    "distilbert": Family(word_head=("vocab_transform", "activation", "vocab_layer_norm", "vocab_projector")),
    "roberta": Family(positions="after_padding", body="roberta", word_head=("lm_head",)),
    "xlm-roberta": Family(positions="after_padding", body="roberta", word_head=("lm_head",)),
    "camembert": Family(positions="after_padding", body="roberta", word_head=("lm_head",)),
    "albert": Family(word_head=("predictions",)),
    "electra": Family(body="electra", word_head=("generator_predictions", "generator_lm_head")),
    "deberta-v2": Family(probed=False, word_head=("cls",)),
    "mpnet": Family(positions="after_padding", probed=False, word_head=("lm_head",)),
    "modernbert": Family(reads="pooling", word_head=("head", "decoder")),
}
