"""RoBERTa (Liu et al. 2019, https://arxiv.org/abs/1907.11692)."""

from torch.nn.functional import gelu, tanh

from explain.models.families import BERT_LAYER, BERT_SECOND_MAP, FAMILIES, LINEAR_HEADS, Family

ROBERTA = Family(
    heads={
        "AutoModelForSequenceClassification": ("classifier.dense", tanh, "classifier.out_proj"),
        "AutoModelForMaskedLM": ("lm_head.dense", gelu, "lm_head.layer_norm", "lm_head.decoder"),
        **LINEAR_HEADS,
    },
    second_map=BERT_SECOND_MAP,
    layer=BERT_LAYER,
    positions="after_padding",
    body="roberta",
)
FAMILIES.register("roberta")(ROBERTA)
