"""What differs between encoder families, as far as explaining needs to know."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """One architecture of transformers.

    Attributes:
        reads: the row of the last layer its classification head reads: "first", or "pooling" (as its config says).
        positions: how place i is numbered: "from_zero", or "after_padding" (padding id + 1 + i, as in RoBERTa).
        probed: its attention goes through transformers' attention interface, so the probe sees and may change it.
        bert_layers: its layers are built of BERT's modules, so the last one can be computed at one row.
        body: the attribute that holds the encoder.
    """

    reads: str = "first"
    positions: str = "from_zero"
    probed: bool = True
    bert_layers: bool = False
    body: str = ""


FAMILIES: dict[str, Family] = {
    "bert": Family(bert_layers=True, body="bert"),
    "distilbert": Family(body="distilbert"),
    "roberta": Family(positions="after_padding", bert_layers=True, body="roberta"),
    "xlm-roberta": Family(positions="after_padding", bert_layers=True, body="roberta"),
    "camembert": Family(positions="after_padding", bert_layers=True, body="roberta"),
    "albert": Family(body="albert"),
    "electra": Family(bert_layers=True, body="electra"),
    "deberta-v2": Family(probed=False, body="deberta"),
    "mpnet": Family(positions="after_padding", probed=False, body="mpnet"),
    "modernbert": Family(reads="pooling", body="model"),
}
