"""DeBERTa-v2 and v3 (He et al. 2021, https://arxiv.org/abs/2006.03654): disentangled attention of its own."""

from explain.models.families import BERT_SECOND_MAP, BERT_WORDS, FAMILIES, LINEAR_HEADS, Family

FAMILIES.register("deberta-v2")(
    Family(
        heads={"AutoModelForMaskedLM": BERT_WORDS, **LINEAR_HEADS},
        second_map=BERT_SECOND_MAP,
        probed=False,
        masked=False,
    )
)
