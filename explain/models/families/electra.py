"""ELECTRA (Clark et al. 2020, https://arxiv.org/abs/2003.10555)."""

from explain.models.families import BERT_LAYER, BERT_SECOND_MAP, FAMILIES, LINEAR_HEADS, Family

FAMILIES.register("electra")(
    Family(
        heads={
            "AutoModelForSequenceClassification": (
                *("classifier.dense", "classifier.activation", "classifier.out_proj"),
            ),
            "AutoModelForMaskedLM": (
                *(f"generator_predictions.{name}" for name in ("dense", "activation", "LayerNorm")),
                "generator_lm_head",
            ),
            **LINEAR_HEADS,
        },
        second_map=BERT_SECOND_MAP,
        layer=BERT_LAYER,
        body="electra",
    )
)
