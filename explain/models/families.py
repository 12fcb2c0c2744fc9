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
        causal: nobody looks ahead, so a head over a whole text reads its last token; explained for next words only.
    """

    reads: str = "first"
    positions: str = "from_zero"
    probed: bool = True
    body: str = ""
    causal: bool = False


FAMILIES: dict[str, Family] = {
    "bert": Family(body="bert"),
    "distilbert": Family(),
    "roberta": Family(positions="after_padding", body="roberta"),
    "xlm-roberta": Family(positions="after_padding", body="roberta"),
    "camembert": Family(positions="after_padding", body="roberta"),
    "albert": Family(),
    "electra": Family(body="electra"),
    "deberta-v2": Family(probed=False),
    "mpnet": Family(positions="after_padding", probed=False),
    "modernbert": Family(reads="pooling"),
    "gpt2": Family(causal=True),
}
