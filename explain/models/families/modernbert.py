"""ModernBERT (Warner et al. 2024, https://arxiv.org/abs/2412.13663): gated feed-forward parts, local layers."""

from explain.models.families import FAMILIES, Family

_HEAD = ("head.dense", "head.act", "head.norm")

FAMILIES.register("modernbert")(
    Family(
        heads={
            "AutoModelForMaskedLM": (*_HEAD, "decoder"),
            "AutoModelForTokenClassification": (*_HEAD, "classifier"),
            "AutoModelForQuestionAnswering": (*_HEAD, "classifier"),
        },
        second_map=r"layers\.\d+\.mlp\.Wo",
        sliding_window=True,
    )
)
