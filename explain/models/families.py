"""What differs between encoder families, as far as explaining needs to know."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """One architecture of transformers.

    Attributes:
        positions: how place i is numbered: "from_zero", or "after_padding" (padding id + 1 + i, as in RoBERTa).
        probed: its attention goes through transformers' attention interface, so the probe sees and may change it.
        body: the attribute that holds an encoder whose layers are built of BERT's modules, so that the last one can be
            computed at one row; empty for others.
        causal: nobody looks ahead, so a head over a whole text reads its last token; explained for next words only.
    """

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
    "modernbert": Family(),
    "gpt2": Family(causal=True),
}
