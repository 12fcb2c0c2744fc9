"""ALBERT (Lan et al. 2020, https://arxiv.org/abs/1909.11942): groups of layers that share their weights."""

from explain.models.families import FAMILIES, LINEAR_HEADS, Family, LayerParts

FAMILIES.register("albert")(
    Family(
        heads={
            "AutoModelForSequenceClassification": ("albert.pooler", "albert.pooler_activation", "classifier"),
            "AutoModelForMaskedLM": tuple(
                f"predictions.{name}" for name in ("dense", "activation", "LayerNorm", "decoder")
            ),
            **LINEAR_HEADS,
        },
        second_map=r"encoder\.albert_layer_groups\.\d+\.albert_layers\.\d+\.ffn_output",
        layer=LayerParts(
            layers="encoder.albert_layer_groups",
            value="attention.value",
            output="attention.dense",
            attention_norm="attention.LayerNorm",
            inner="ffn",
            activation="activation",
            outer="ffn_output",
            output_norm="full_layer_layer_norm",
            groups="albert_layers",
        ),
    )
)
