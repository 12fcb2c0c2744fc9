"""What differs between encoder families, as far as explaining needs to know."""

from dataclasses import dataclass

from explain.core.registry import Registry


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


FAMILIES: Registry[Family] = Registry("family", "explain.models.families", "explain.families")

FAMILIES.register("bert")(Family(body="bert"))
FAMILIES.register("distilbert")(Family())
FAMILIES.register("roberta")(Family(positions="after_padding", body="roberta"))
FAMILIES.register("xlm-roberta")(Family(positions="after_padding", body="roberta"))
FAMILIES.register("camembert")(Family(positions="after_padding", body="roberta"))
FAMILIES.register("albert")(Family())
FAMILIES.register("electra")(Family(body="electra"))
FAMILIES.register("deberta-v2")(Family(probed=False))
FAMILIES.register("mpnet")(Family(positions="after_padding", probed=False))
FAMILIES.register("modernbert")(Family())
FAMILIES.register("gpt2")(Family(causal=True))
