"""BERT (Devlin et al. 2019, https://arxiv.org/abs/1810.04805)."""

from explain.models.families import BERT_LAYER, BERT_SECOND_MAP, BERT_WORDS, FAMILIES, LINEAR_HEADS, Family

FAMILIES.register("bert")(
    Family(
        heads={
            "AutoModelForSequenceClassification": ("bert.pooler.dense", "bert.pooler.activation", "classifier"),
            "AutoModelForMaskedLM": BERT_WORDS,
            "AutoModelForNextSentencePrediction": (
                *("bert.pooler.dense", "bert.pooler.activation"),
                "cls.seq_relationship",
            ),
            **LINEAR_HEADS,
        },
        second_map=BERT_SECOND_MAP,
        layer=BERT_LAYER,
        body="bert",
    )
)
